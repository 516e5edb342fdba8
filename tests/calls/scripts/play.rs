//! A script played, and what must be so when it is over.

use super::script::{Act, PHONES, PLAN, Script};
use crate::testbed::{Testbed, at};
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use strowger::clock::Time;
use strowger::pbx::calls::channel::Channel;
use strowger::pbx::calls::media_path::Route;
use strowger::pbx::recording::RecordingEnd;
use strowger::sdp::MediaKind;
use strowger::sim::{Change, Phone, PhoneConfig, PhoneEvent};
use strowger::sip::flow::Transport;

/// What a script came to, counted, so that nobody takes scripts in which nothing happens for a proof.
#[derive(Debug, Default)]
pub struct Seen {
    answered: u64,
    reoffered: u64,
    refused_offers: u64,
    bridged_at_the_end: u64,
    direct_at_the_end: u64,
    held_at_the_end: u64,
    fax_at_the_end: u64,
    video_at_the_end: u64,
    cancelled: u64,
    parted: u64,
    rang_in_vain: u64,
    led: u64,
    played: u64,
    recorded: u64,
    parked: u64,
    unparked: u64,
    picked_up: u64,
}

impl Seen {
    pub fn add(&mut self, other: &Seen) {
        self.answered += other.answered;
        self.reoffered += other.reoffered;
        self.refused_offers += other.refused_offers;
        self.bridged_at_the_end += other.bridged_at_the_end;
        self.direct_at_the_end += other.direct_at_the_end;
        self.held_at_the_end += other.held_at_the_end;
        self.fax_at_the_end += other.fax_at_the_end;
        self.video_at_the_end += other.video_at_the_end;
        self.cancelled += other.cancelled;
        self.parted += other.parted;
        self.rang_in_vain += other.rang_in_vain;
        self.led += other.led;
        self.played += other.played;
        self.recorded += other.recorded;
        self.parked += other.parked;
        self.unparked += other.unparked;
        self.picked_up += other.picked_up;
    }

    /// Does each thing happen in a fair share of so many scripts?
    pub fn reached_everything(&self, scripts: u64) -> bool {
        self.answered > scripts / 2
            && self.reoffered > scripts / 4
            && self.refused_offers > scripts / 50
            && self.bridged_at_the_end > scripts / 20
            && self.direct_at_the_end > scripts / 60
            && self.held_at_the_end > scripts / 60
            && self.fax_at_the_end > scripts / 500
            && self.video_at_the_end > scripts / 100
            && self.cancelled > scripts / 60
            && self.parted > scripts / 60
            && self.led > scripts / 400
            && self.played > scripts / 20
            && self.recorded > scripts / 200
            && self.parked > scripts / 40
            && self.unparked > scripts / 100
            && self.picked_up > scripts / 60
            // One in some thousands, by what was lost on the way; few scripts may have two.
            && self.rang_in_vain <= scripts / 1000 + 3
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} answers, {} new offers accepted and {} refused, {} calls given up, {} scripts with a phone that was gone for a \
             while; at the end {} bridges, {} of them direct, {} held, {} in a fax and {} with video; {} phones rang in vain; {} led by a menu, \
             {} prompts, {} scripts with a recording; {} calls parked, {} of them taken, {} picked up",
            self.answered,
            self.reoffered,
            self.refused_offers,
            self.cancelled,
            self.parted,
            self.bridged_at_the_end,
            self.direct_at_the_end,
            self.held_at_the_end,
            self.fax_at_the_end,
            self.video_at_the_end,
            self.rang_in_vain,
            self.led,
            self.played,
            self.recorded,
            self.parked,
            self.unparked,
            self.picked_up
        )
    }
}

struct Player<'s> {
    script: &'s Script,
    world: Testbed,
    /// Phones without power.
    dark: Vec<PhoneConfig>,
    /// Phones that were away for a while: they and the exchange may have lost each other.
    parted: BTreeSet<&'static str>,
    /// When somebody ended a call.
    ends: Vec<Time>,
    rang_in_vain: u64,
}

/// A camera is switched on.
const SHOW: Change = Change::With(MediaKind::Video);

/// Plays a script. `silent`: a panic is not told by the world's ladder.
pub fn play(script: &Script, silent: bool) -> Result<Seen, String> {
    let mut world = Testbed::new(&script.sip(), PLAN, script.quality, script.seed);
    world.silent = silent;
    for digit in ["digits/0", "digits/1", "digits/5"] {
        world.sounds.add(digit, Duration::from_millis(600));
    }
    let mut player =
        Player { script, world, dark: Vec::new(), parted: BTreeSet::new(), ends: Vec::new(), rang_in_vain: 0 };
    for name in PHONES {
        player.dress(name);
    }
    player.world.register_all();
    for step in &script.steps {
        player.world.run(Duration::from_millis(step.after));
        player.act(step.who, step.act);
    }
    let seen = player.end();
    if let Err(why) = &seen
        && !silent
    {
        panic!("{why}");
    }
    seen
}

impl Player<'_> {
    /// What the script says of a phone that is new or comes back.
    fn dress(&mut self, name: &'static str) {
        let place = PHONES.iter().position(|phone| *phone == name).unwrap();
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
            self.world.add_header(name, "Supported: timer\r\nSession-Expires: 90;refresher=uas");
        }
    }

    fn act(&mut self, who: &'static str, act: Act) {
        let now = self.world.now;
        if act.ends() {
            self.ends.push(now);
        }
        if act == Act::Reload {
            return self.world.reload(&self.script.sip(), PLAN);
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
            Act::PowerIsBack | Act::Reload => {}
        }
    }

    fn power_is_back(&mut self, who: &'static str) {
        let Some(place) = self.dark.iter().position(|config| config.user == who) else { return };
        let config = self.dark.remove(place);
        self.world.plug_in(config);
        self.dress(who);
        self.world.phone(who).registers();
    }

    /// All are there again; after a while all sides agree; then everybody hangs up, and nothing is left.
    fn end(&mut self) -> Result<Seen, String> {
        for name in PHONES {
            self.power_is_back(name);
            self.world.phone(name).habit(|habits| {
                habits.ignores_everything = false;
                habits.refuse_reinvite = None;
            });
        }
        // Whoever is still being recorded has said enough.
        self.world.end_recordings(&RecordingEnd::Max);
        // Longer than any ringing, any transaction and any wait after a glare.
        self.world.run(Duration::from_secs(100));
        self.nobody_rings_any_more();
        let mut agreed = self.all_agree();
        for _ in 0..60 {
            if agreed.is_ok() {
                break;
            }
            self.world.run(Duration::from_secs(1));
            agreed = self.all_agree();
        }
        agreed?;
        self.nobody_was_hung_up_for_nothing()?;
        let seen = self.seen();
        // A program with option g may ring another line then.
        for _ in 0..3 {
            for name in PHONES {
                self.world.phone(name).hangs_up();
            }
            self.world.run(Duration::from_secs(80));
        }
        self.hang_up_the_forgotten()?;
        for name in PHONES {
            self.world.phone(name).registers();
        }
        if !self.world.settles() {
            let phones: Vec<String> = PHONES.iter().map(|name| self.world.look(name).leftovers()).collect();
            let streams = self.world.media.streams.len();
            return Err(format!("left: {:?}; {streams} streams; {}", self.world.switch.leftovers(), phones.join("; ")));
        }
        for name in PHONES {
            if !self.world.look(name).is_registered() || self.world.switch.bindings(name).len() != 1 {
                return Err(format!("{name} is not registered in the end"));
            }
        }
        Ok(seen)
    }

    /// A phone whose every 180 was lost is never told that nobody calls it any more: the INVITE is given up without a
    /// CANCEL, which may only follow an answer (RFC 3261 9.1). It takes seven losses in a row, or power that comes back
    /// with the INVITE's last copy; whoever sits there picks up in vain.
    fn nobody_rings_any_more(&mut self) {
        for name in PHONES {
            let is_known = self.world.switch.legs().any(|report| report.leg.peer.name == name);
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
        self.world.run(Duration::from_secs(40));
        Ok(())
    }

    fn all_agree(&self) -> Result<(), String> {
        let known: BTreeSet<(String, String)> = self
            .world
            .switch
            .legs()
            .filter(|report| !report.leg.is_ended())
            .filter_map(|report| Some((report.leg.peer.name.clone(), report.call_id?.to_owned())))
            .collect();
        let mut there = BTreeSet::new();
        for name in PHONES {
            let phone = self.world.look(name);
            if phone.is_called() && !self.parted.contains(name) {
                return Err(format!("{name} still rings"));
            }
            if let Some(call_id) = phone.call_id() {
                there.insert((name.to_owned(), call_id.to_owned()));
            }
        }
        for (name, call_id) in known.symmetric_difference(&there) {
            let side = if there.contains(&(name.clone(), call_id.clone())) { "the phone" } else { "the exchange" };
            if !self.parted.contains(name.as_str()) {
                return Err(format!("only {side} knows call {call_id} of {name}"));
            }
        }
        for report in self.world.switch.channels() {
            self.has_no_idle_ports(report.channel)?;
        }
        for bridge in self.world.switch.bridges() {
            let phone = |id| {
                let channel = self.world.switch.channels().find(|other| other.channel.id == id)?;
                Some(self.world.look(channel.channel.line()))
            };
            let talking = bridge.talking().map(|(a, b)| (phone(a), phone(b)));
            if let Some((Some(a), Some(b))) = talking {
                self.hear_each_other(a, b)?;
                self.hear_each_other(b, a)?;
            }
        }
        Ok(())
    }

    /// A medium beside voice has ports only while both sides of the leg take part in it.
    fn has_no_idle_ports(&self, channel: &Channel) -> Result<(), String> {
        let leg = self.world.switch.legs().find(|report| Some(report.leg.id) == channel.leg());
        for port in &channel.ports {
            let told =
                leg.as_ref().map(|report| [report.leg.agreement.local.as_ref(), report.leg.agreement.remote.as_ref()]);
            let carries = told.is_some_and(|told| told.iter().all(|sdp| sdp.is_some_and(|sdp| sdp.has(port.kind))));
            if !carries {
                return Err(format!("{} has ports for {} and does not carry it", channel.name, port.kind.name()));
            }
        }
        Ok(())
    }

    /// Beside voice: what one sends the other gets.
    fn show_each_other(&self, from: &Phone, to: &Phone) -> Result<(), String> {
        let (name, other) = (&from.config().user, &to.config().user);
        for extra in [MediaKind::Video, MediaKind::Image] {
            if let Some(target) = from.secondary_media(extra)
                && self.world.extra_from(name, extra).as_ref() != Some(other)
            {
                return Err(format!("the {} of {name} goes to {target}, and not to {other}", extra.name()));
            }
        }
        Ok(())
    }

    /// What `from` sends ends up at `to` if both want that, and is not sent otherwise.
    fn hear_each_other(&self, from: &Phone, to: &Phone) -> Result<(), String> {
        let (name, other) = (&from.config().user, &to.config().user);
        if [name, other].iter().any(|name| self.parted.contains(name.as_str())) {
            return Ok(());
        }
        if !from.is_talking() || !to.is_talking() {
            return Err(format!("{name} and {other} are joined, and one of them does not talk"));
        }
        self.show_each_other(from, to)?;
        if is_in_fax(from) || is_in_fax(to) {
            let both = is_in_fax(from) && is_in_fax(to) && from.secondary_media(MediaKind::Image).is_some();
            return if both { Ok(()) } else { Err(format!("only one of {name} and {other} is in a fax")) };
        }
        // Who says hold by 0.0.0.0 is nowhere to the relay, which takes nothing from there.
        let nowhere = name == "cisco" && !from.direction().receives();
        let wanted = from.direction().sends() && to.direction().receives();
        let wishes = format!("{name} is {:?}, {other} is {:?}", from.direction(), to.direction());
        if from.media().is_some() != wanted {
            return Err(format!("{wishes}, and {name} sends to {:?}", from.media()));
        }
        let Some(target) = from.media().filter(|_| !nowhere) else { return Ok(()) };
        let payload = from.payload_type().ok_or_else(|| format!("{name} has no payload type"))?;
        let (source, place, payload) = match self.at(target) {
            Some(_) => (from.rtp(), target, payload),
            None => self
                .world
                .media
                .forward(from.rtp(), target, payload)
                .ok_or_else(|| format!("what {name} sends from {} to {target} is dropped", from.rtp()))?,
        };
        if place != to.rtp() {
            return Err(format!("what {name} sends to {target} ends at {place}, and {other} is at {}", to.rtp()));
        }
        if to.media().is_some_and(|expected| expected != source) {
            return Err(format!("{other} sends to {:?} and hears {name} from {source}", to.media()));
        }
        if Some(payload) != to.payload_type() {
            return Err(format!("{other} hears {name} with payload {payload}, and speaks {:?}", to.payload_type()));
        }
        Ok(())
    }

    fn at(&self, place: SocketAddr) -> Option<&Phone> {
        self.world.stations.values().map(|station| &station.phone).find(|phone| phone.rtp() == place)
    }

    /// A call that was up ends only when somebody hangs up.
    fn nobody_was_hung_up_for_nothing(&self) -> Result<(), String> {
        for (name, station) in &self.world.stations {
            let mut talking = false;
            for (when, event) in &station.events {
                match event {
                    PhoneEvent::Answered => talking = true,
                    PhoneEvent::Ended if talking => {
                        talking = false;
                        // A BYE may take its 32 s, and what it comes from as well.
                        let near = |end: &Time| *end <= *when && when.since(*end) <= Duration::from_secs(70);
                        // A program that has nothing left to do hangs up, too, and a Dial that gave up just when
                        // somebody answered, or when two did.
                        let reasons = [
                            "Auto fallthrough",
                            "Nobody picked up",
                            "answered elsewhere",
                            "no call waits there",
                            " picked up the call at ",
                        ];
                        let ran_out =
                            |(at, line): &(Time, String)| near(at) && reasons.iter().any(|it| line.contains(it));
                        let explained = self.ends.iter().any(near) || self.world.lines.iter().any(ran_out);
                        if !explained && self.parted.is_empty() {
                            return Err(format!("{name}'s call ended at {:?}, and nobody hung up", when.since_start()));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn seen(&self) -> Seen {
        let count = |wanted: fn(&PhoneEvent) -> bool| {
            let events = self.world.stations.values().flat_map(|station| &station.events);
            events.filter(|(_, event)| wanted(event)).count() as u64
        };
        let bridges: Vec<_> = self.world.switch.bridges().collect();
        let held = |name: &&&str| self.world.look(name).is_talking() && !self.world.look(name).direction().receives();
        let shows = |name: &&&str| self.world.look(name).secondary_media(MediaKind::Video).is_some();
        let lines = |words: &str| self.world.lines.iter().filter(|(_, line)| line.contains(words)).count() as u64;
        let given_up = |(_, line): &&(Time, String)| line.contains("the caller hung up before the answer");
        Seen {
            answered: count(|event| *event == PhoneEvent::Answered),
            reoffered: count(|event| *event == PhoneEvent::RenegotiationAccepted),
            refused_offers: count(|event| matches!(event, PhoneEvent::RenegotiationRefused(_))),
            bridged_at_the_end: bridges.len() as u64,
            direct_at_the_end: bridges.iter().filter(|bridge| bridge.path.route() == Route::Direct).count() as u64,
            held_at_the_end: PHONES.iter().filter(held).count() as u64,
            fax_at_the_end: PHONES.iter().filter(|name| is_in_fax(self.world.look(name))).count() as u64,
            video_at_the_end: PHONES.iter().filter(shows).count() as u64,
            cancelled: self.world.lines.iter().filter(given_up).count() as u64,
            parted: u64::from(!self.parted.is_empty()),
            rang_in_vain: self.rang_in_vain,
            led: self.world.lines.iter().filter(|(_, line)| line.contains("the menu leads")).count() as u64,
            played: self.world.prompts.len() as u64,
            recorded: self.world.media.recorded,
            parked: lines(" is parked at "),
            unparked: lines(" of lot 'default'") - lines(" is parked at ") - lines("Nobody took "),
            picked_up: lines(" picked up the call at "),
        }
    }
}

/// It was told of no voice last.
fn is_in_fax(phone: &Phone) -> bool {
    phone.is_talking() && phone.remote_description().is_some_and(|told| told.audio().is_none())
}
