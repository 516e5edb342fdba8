//! A script played: who does what, and the end.

use super::plan::{plan, sip};
use super::script::{Act, PHONES, SECOND, Script};
use super::seen::{IN_VAIN, Seen};
use crate::testbed::{Testbed, at};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;
use strowger::audio::sound::Sound;
use strowger::clock::Time;
use strowger::pbx::calls::media_path::Route;
use strowger::pbx::media::StreamId;
use strowger::pbx::recording::RecordingEnd;
use strowger::sdp::MediaKind;
use strowger::sim::{Change, DeviceProfile, Phone, PhoneConfig, PhoneEvent};
use strowger::sip::flow::Transport;

pub struct Player<'s> {
    pub script: &'s Script,
    pub world: Testbed,
    /// Phones without power.
    dark: Vec<PhoneConfig>,
    /// Phones that were away for a while: they and the exchange may have lost each other.
    pub parted: BTreeSet<&'static str>,
    /// When somebody ended a call.
    pub ends: Vec<Time>,
    rang_in_vain: usize,
    /// The ports of each call, by its Call-ID.
    ports: BTreeMap<String, StreamId>,
    /// What is wrong with what was seen on the way.
    wrong: Option<String>,
    /// What phones have read before they lost their power.
    pub texts_read: Vec<(&'static str, String)>,
    /// Text messages sent: to whom, and what they say.
    pub texts_sent: Vec<(&'static str, String)>,
    /// Whose INVITEs would take over a call.
    pub replacing: Option<&'static str>,
}

/// What one event may have the exchange send, with half a dozen telephones and some lamps each.
const MAX_SENT_AT_ONCE: usize = 40;

/// The sounds there are, each a fifth of a second.
static SOUNDS: LazyLock<Vec<(&str, Sound)>> = LazyLock::new(|| {
    let names = ["digits/0", "digits/1", "digits/5", "digits/7", "pbx-transfer", "pbx-invalid", "moh/a"];
    names.map(|name| (name, Sound::of_samples(&[1000; 1600]))).into()
});

/// A camera is switched on.
const SHOW: Change = Change::With(MediaKind::Video);

/// Plays a script. `silent`: a panic is not told by the world's ladder.
pub fn play(script: &Script, silent: bool) -> Result<Seen, String> {
    let mut world = Testbed::new(&sip(script), &plan(), script.quality, script.seed);
    world.silent = silent;
    world.sounds.sounds.extend(SOUNDS.iter().map(|(name, sound)| ((*name).to_owned(), sound.clone())));
    let (dark, parted, ends, texts_read, texts_sent) = Default::default();
    let (ports, rang_in_vain, wrong, replacing) = Default::default();
    let mut player =
        Player { script, world, dark, parted, ends, rang_in_vain, ports, wrong, texts_read, texts_sent, replacing };
    for name in PHONES {
        player.dress(name);
    }
    player.world.register_all();
    if script.has_second {
        let places = ("192.0.2.31:5060", "192.0.2.31:5004");
        player.world.add_with_account(SECOND, "desk", "password", places, DeviceProfile::Grandstream);
    }
    player.builds_trunk();
    for step in &script.steps {
        player.run(Duration::from_millis(step.after));
        player.act(step.who, step.act);
    }
    let seen = player.end();
    let seen = match player.wrong.take() {
        Some(why) => Err(why),
        None => seen,
    };
    if let Err(why) = &seen
        && !silent
    {
        panic!("{why}");
    }
    seen
}

impl Player<'_> {
    /// Lets so much time pass, and looks at what must be so at any time.
    pub fn run(&mut self, time: Duration) {
        self.world.run(time);
        if self.wrong.is_none() {
            self.wrong = self.is_in_order().err();
        }
    }

    /// A call keeps its ports, whatever becomes of the other side: who stays hears one stream. A call begins where its
    /// line's calls begin. No trunk has more calls than it may.
    fn is_in_order(&mut self) -> Result<(), String> {
        for report in self.world.switch.legs() {
            let Some((call, channel)) = report.call_id.zip(report.channel) else { continue };
            let Some(stream) = channel.stream().filter(|_| channel.leg() == Some(report.leg.id)) else { continue };
            let before = *self.ports.entry(call.to_owned()).or_insert(stream);
            // Who takes the place of a telephone in a call that still rings is told of that one's ports.
            if before != stream && !self.world.lines.iter().any(|(_, line)| line.contains(" into ")) {
                return Err(format!("{} had the ports {before:?} and has {stream:?} now", channel.name));
            }
        }
        if self.world.most_sent > MAX_SENT_AT_ONCE {
            return Err(format!("one event had the exchange send {} messages", self.world.most_sent));
        }
        self.calls_begin_where_they_may()?;
        self.trunk_has_its_limit()
    }

    /// What the script says of a phone that is new or comes back.
    fn dress(&mut self, name: &'static str) {
        let Some(place) = PHONES.iter().position(|phone| *phone == name) else { return };
        let it = self.script.traits[place];
        if it.tcp {
            self.world.connects(name, Transport::Tcp);
        }
        if it.no_update {
            self.world.rewrite(name, ", UPDATE\r\n", ", SOMETH\r\n");
        }
        if it.shows {
            self.world.phone(name).habit(|habits| habits.secondary_media = vec![MediaKind::Video, MediaKind::Image]);
        }
        if it.asks_timer {
            self.world.add_header(name, self.headers(name));
        }
    }

    /// What a phone's INVITEs carry besides.
    pub fn headers(&self, name: &str) -> &'static str {
        let asks_timer = PHONES.iter().zip(&self.script.traits).any(|(phone, it)| *phone == name && it.asks_timer);
        if asks_timer { "Supported: timer\r\nSession-Expires: 90;refresher=uas" } else { "" }
    }

    fn act(&mut self, who: &'static str, act: Act) {
        let now = self.world.now;
        if self.replacing == Some(who) {
            self.replaces_no_more();
        }
        if act.ends() {
            self.ends.push(now);
        }
        if act == Act::Reload {
            self.world.reload(&sip(self.script), &plan());
            return self.names();
        }
        if act == Act::PowerIsBack {
            return self.power_is_back(who);
        }
        if !self.world.stations.contains_key(who) {
            return;
        }
        if act.parts() {
            self.parted.insert(who);
            self.ends.push(now);
        }
        if self.transfers(who, act) || self.lamp_act(who, act) || self.text_act(who, act) || self.trunk_act(who, act) {
            return;
        }
        // Who has no camera cannot begin with it.
        let begins = [Act::Offers(SHOW), Act::Updates(Some(SHOW))].contains(&act);
        if begins && self.world.look(who).behaviour().secondary_media.is_empty() {
            return;
        }
        let phone = self.world.phone(who);
        match act {
            Act::Registers => phone.registers(),
            Act::Calls(number) => phone.dials(number),
            Act::Answers => phone.answers(),
            Act::Sounds => phone.sounds(),
            Act::Refuses(status) => phone.refuses(status),
            Act::HangsUp => phone.hangs_up(),
            Act::Offers(change) => phone.reoffers(change),
            Act::Updates(change) => phone.updates(change),
            Act::Presses(key) => phone.presses(key),
            Act::PressesInSound(key) => drop(phone.sends_event(key)),
            Act::Wanders(yes) => phone.habit(|habits| habits.new_port_on_reinvite = yes),
            Act::RefusesOffers(status) => {
                phone.habit(|habits| habits.refuse_reinvite = Some(status).filter(|it| *it > 0))
            }
            Act::Offerless(yes) => phone.habit(|habits| habits.offerless = yes),
            Act::AnswersAfter(ms) => phone.habit(|habits| habits.auto_answer_after = Some(Duration::from_millis(ms))),
            Act::IsDeaf => phone.habit(|habits| habits.ignores_everything = true),
            Act::Hears => phone.habit(|habits| habits.ignores_everything = false),
            Act::PowerFails => {
                self.dark.push(self.world.look(who).config().clone());
                self.read_texts(who);
                self.world.unplug(who);
            }
            Act::IsCut => {
                if self.world.stations[who].connection.is_some() {
                    self.world.cut(who);
                }
            }
            Act::IsHungUp => {
                let channel = self.world.channels().into_iter().find(|name| name.starts_with(&format!("SIP/{who}-")));
                if let Some(channel) = channel {
                    let (_, effects) = self.world.switch.hang_up(at(now), &channel);
                    self.world.execute(effects);
                }
            }
            // Done before.
            Act::PowerIsBack
            | Act::Reload
            | Act::Transfers(_)
            | Act::Connects(_)
            | Act::TakesOver(_)
            | Act::Types(_) => {}
            Act::Watches(_) | Act::StopsWatching(_) | Act::MailboxHas(..) | Act::Texts(_) | Act::TextsInCall => {}
            Act::RefusesCalls(_) | Act::IsNowhere(_) => {}
        }
    }

    fn power_is_back(&mut self, who: &'static str) {
        let Some(place) = self.dark.iter().position(|config| config.user == who) else { return };
        let config = self.dark.remove(place);
        self.world.plug_in(config);
        self.dress(who);
        if PHONES.contains(&who) {
            self.world.phone(who).registers();
        }
    }

    /// All are there again; after a while all sides agree; then everybody hangs up, and nothing is left.
    fn end(&mut self) -> Result<Seen, String> {
        let everybody = self.script.everybody();
        for name in &everybody {
            self.power_is_back(name);
            self.world.phone(name).habit(|habits| {
                habits.ignores_everything = false;
                habits.refuse_reinvite = None;
                habits.refuse = None;
            });
        }
        self.world.no_route.clear();
        self.replaces_no_more();
        // Whoever is still being recorded has said enough.
        self.world.end_recordings(&RecordingEnd::Max);
        // Longer than any ringing, any transaction and any wait after a glare.
        self.run(Duration::from_secs(100));
        self.nobody_rings_any_more();
        let mut agreed = self.all_agree().and_then(|()| self.lamps_agree());
        for _ in 0..60 {
            if agreed.is_ok() {
                break;
            }
            self.run(Duration::from_secs(1));
            agreed = self.all_agree().and_then(|()| self.lamps_agree());
        }
        agreed?;
        self.nobody_was_hung_up_for_nothing()?;
        self.nobody_went_where_he_may_not()?;
        let mut seen = self.seen();
        // A program with option g may ring another line then.
        for _ in 0..3 {
            for name in &everybody {
                self.world.phone(name).hangs_up();
            }
            self.run(Duration::from_secs(80));
        }
        self.hang_up_the_forgotten()?;
        self.lamps_agree()?;
        self.lamps_are_taken_away();
        for name in PHONES {
            self.world.phone(name).registers();
        }
        if !self.world.settles() {
            let phones: Vec<String> = everybody.iter().map(|name| self.world.look(name).leftovers()).collect();
            let streams = self.world.media.streams.len();
            return Err(format!("left: {:?}; {streams} streams; {}", self.world.switch.leftovers(), phones.join("; ")));
        }
        for name in PHONES {
            if !self.world.look(name).is_registered() || self.world.switch.bindings(name).len() != 1 {
                return Err(format!("{name} is not registered in the end"));
            }
        }
        self.nobody_watches_any_more()?;
        self.texts_arrived(&mut seen)?;
        self.trunk_is_there()?;
        Ok(seen)
    }

    /// A phone whose every 180 was lost is never told that nobody calls it any more: the INVITE is given up without a
    /// CANCEL, which may only follow an answer (RFC 3261 9.1). It takes seven losses in a row, or power that comes back
    /// with the INVITE's last copy; whoever sits there picks up in vain.
    fn nobody_rings_any_more(&mut self) {
        for name in self.script.everybody() {
            let Some(call) = self.world.look(name).call_id() else { continue };
            let is_known = self.world.switch.legs().any(|report| report.call_id == Some(call));
            if self.script.quality.loss > 0 && self.world.is_called(name) && !is_known {
                self.rang_in_vain += 1;
                self.world.phone(name).refuses(480);
            }
        }
    }

    /// What is still up belongs to phones that were away: no timer need end it.
    fn hang_up_the_forgotten(&mut self) -> Result<(), String> {
        if self.world.channels().is_empty() {
            return Ok(());
        }
        if self.parted.is_empty() {
            return Err(format!("everybody hung up, and there are {:?}", self.world.channels()));
        }
        for channel in self.world.channels() {
            let (_, effects) = self.world.switch.hang_up(at(self.world.now), &channel);
            self.world.execute(effects);
        }
        self.run(Duration::from_secs(40));
        Ok(())
    }

    fn seen(&self) -> Seen {
        let count = |wanted: fn(&PhoneEvent) -> bool| {
            let events = self.world.stations.values().flat_map(|station| &station.events);
            events.filter(|(_, event)| wanted(event)).count()
        };
        let bridges: Vec<_> = self.world.switch.bridges().collect();
        let lines = |words: &str| self.world.lines.iter().filter(|(_, line)| line.contains(words)).count();
        let phones = || PHONES.iter().map(|name| self.world.look(name));
        let held = |phone: &&Phone| phone.is_talking() && !phone.direction().receives();
        let mut seen = Seen::default();
        seen.count("answers", count(|event| *event == PhoneEvent::Answered));
        seen.count("new offers accepted", count(|event| *event == PhoneEvent::RenegotiationAccepted));
        seen.count("new offers refused", count(|event| matches!(event, PhoneEvent::RenegotiationRefused(_))));
        seen.count("bridges at the end", bridges.len());
        let direct = bridges.iter().filter(|bridge| bridge.path.route() == Route::Direct).count();
        seen.count("direct at the end", direct);
        seen.count("held at the end", phones().filter(held).count());
        seen.count("in a fax at the end", phones().filter(|phone| is_in_fax(phone)).count());
        let shows = |phone: &&Phone| phone.secondary_media(MediaKind::Video).is_some();
        seen.count("with video at the end", phones().filter(shows).count());
        seen.count("calls given up", lines("the caller hung up before the answer"));
        seen.count("scripts with a phone that was gone for a while", usize::from(!self.parted.is_empty()));
        seen.count(IN_VAIN, self.rang_in_vain);
        seen.count("calls led by a menu", lines("the menu leads"));
        seen.count("prompts", self.world.prompts.len());
        seen.count("recordings", usize::try_from(self.world.media.recorded).unwrap());
        seen.count("calls parked", lines(" is parked at "));
        let taken = lines(" of lot 'default'").saturating_sub(lines(" is parked at ") + lines("Nobody took "));
        seen.count("calls taken that were parked", taken);
        seen.count("calls picked up", lines(" picked up the call at "));
        self.count_transfers(&mut seen);
        self.count_lamps(&mut seen);
        self.count_trunk(&mut seen);
        seen
    }
}

/// It was told of no voice last.
pub fn is_in_fax(phone: &Phone) -> bool {
    phone.is_talking() && phone.remote_description().is_some_and(|told| told.audio().is_none())
}
