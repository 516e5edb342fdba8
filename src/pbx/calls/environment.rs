//! What a running program may look up at once.

use super::channel::Channel;
use super::device_table::DeviceTable;
use super::parties::Parties;
use crate::clock::{Now, Time, Wall};
use crate::dialplan::database::Database;
use crate::dialplan::peers::Peers;
use crate::dialplan::program::group::groups;
use crate::dialplan::{ChannelId, Dialplan, Environment, Globals};
use crate::event::DeviceState;
use crate::guard::pin_lockout::PinLockout;
use crate::pbx::core::{Core, Directory};
use crate::sdp::MediaKind;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// What all programs share.
#[derive(Default)]
pub struct Shared {
    /// Global variables.
    pub globals: Globals,
    /// The key/value database.
    pub database: Database,
    /// Who typed too many wrong PINs.
    pub pin_lockout: RefCell<PinLockout>,
}

/// The exchange as the program of one channel sees it.
pub(super) struct ChannelEnv<'a> {
    pub(super) parties: &'a Parties,
    pub(super) core: &'a Core,
    pub(super) shared: &'a Shared,
    pub(super) directory: &'a dyn Directory,
    pub(super) id: ChannelId,
    pub(super) random: u64,
}

impl ChannelEnv<'_> {
    /// A moment as a record has it: by the machine's clock.
    fn local(&self, at: Wall) -> String {
        self.core.config.dialplan.zones().local().format(at, "%F %T")
    }
}

/// A field of a channel's record as it stands now; `,u` behind its name: a moment in seconds, `,f`: with a fraction.
fn record_field(channel: &Channel, field: &str, core: &Core, local: &dyn Fn(Wall) -> String) -> Option<String> {
    let (name, form) = field.split_once(',').unwrap_or((field, ""));
    let wall = |at: Time| {
        let since = i64::try_from(at.since(channel.created).as_millis()).unwrap_or(i64::MAX);
        Wall(channel.created_wall.0.saturating_add(since))
    };
    let moment = |at: Option<Wall>| match at {
        None => String::new(),
        Some(at) if form.contains('u') => format!("{}.{:03}000", at.0.div_euclid(1000), at.0.rem_euclid(1000)),
        Some(at) => local(at),
    };
    let again = channel.cdr.notes.begun_again;
    let later = [again, channel.cdr.notes.answered_again];
    let answered = channel.answered.map(|at| later.iter().flatten().fold(at, |at, again| at.max(again.mono)));
    let span = |since: Option<Time>| {
        let time = since.map_or(Duration::ZERO, |since| channel.cdr.ended().unwrap_or(core.now.mono).since(since));
        if form.contains('f') { format!("{:.6}", time.as_secs_f64()) } else { time.as_secs().to_string() }
    };
    Some(match name {
        "accountcode" => channel.peer().map(|peer| peer.account_code.clone()).unwrap_or_default(),
        "dst" => channel.entered.as_ref().map(|entered| entered.exten.clone()).unwrap_or_default(),
        "dcontext" => channel.entered.as_ref().map(|entered| entered.context.clone()).unwrap_or_default(),
        "channel" => channel.name.clone(),
        "dstchannel" => channel.cdr.called_channel.clone(),
        "lastapp" => channel.cdr.application.0.clone(),
        "lastdata" => channel.cdr.application.1.clone(),
        "start" => moment(Some(again.map_or(channel.created_wall, |again| again.wall))),
        "answer" => moment(answered.map(wall)),
        "end" => moment(channel.cdr.ended().map(wall)),
        "duration" => span(Some(again.map_or(channel.created, |again| again.mono))),
        "billsec" => span(answered),
        "disposition" => channel.cdr.disposition(channel.answered.is_some()).name().to_owned(),
        "uniqueid" | "linkedid" => channel.unique_id.clone(),
        _ => return None,
    })
}

impl Environment for ChannelEnv<'_> {
    fn now(&self) -> Now {
        self.core.now
    }

    fn dialplan(&self) -> &Arc<Dialplan> {
        &self.core.config.dialplan
    }

    fn peer(&self, name: &str, item: &str) -> Option<String> {
        let peer = self.core.config.peers.get(name)?;
        if item.eq_ignore_ascii_case("curcalls") {
            return Some(self.parties.count_of(name).to_string());
        }
        self.directory.peer_item(self.core, peer, item)
    }

    fn peers(&self) -> Peers {
        self.core.config.peers.clone()
    }

    fn channel(&self, item: &str) -> Option<String> {
        let channel = self.parties.channel(self.id)?;
        let leg = self.parties.leg_of(self.id);
        match item.to_ascii_lowercase().as_str() {
            "name" => Some(channel.name.clone()),
            "uniqueid" | "linkedid" => Some(channel.unique_id.clone()),
            "state" => Some(channel.state.name().to_owned()),
            "peername" => channel.peer().map(|peer| peer.name.clone()),
            "audioreadformat" | "audiowriteformat" | "audionativeformat" => Some(
                leg.and_then(|leg| leg.agreement.agreed()).map_or(String::new(), |one| one.codec.name().to_owned()),
            ),
            "secure_signaling" => leg.map(|leg| if leg.is_secure() { "1" } else { "" }.to_owned()),
            // There is no SRTP.
            "secure_media" => Some(String::new()),
            "rtpdest" => {
                let remote = leg.and_then(|leg| leg.agreement.remote.as_ref()?.rtp_addr());
                Some(remote.map(|address| address.to_string()).unwrap_or_default())
            }
            "tonezone" => leg.map(|leg| leg.peer.settings.tone_zone.clone()),
            "language" => channel.peer().map(|peer| peer.settings.language.clone()),
            "peerip" | "recvip" => leg.map(|leg| leg.ua.flow.remote.ip().to_string()),
            "from" | "uri" | "useragent" => {
                let name = if item.eq_ignore_ascii_case("useragent") { "User-Agent" } else { "From" };
                let header = |wanted: &str| channel.invite.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                let value = if item.eq_ignore_ascii_case("uri") { header("Contact") } else { header(name) };
                value.map(|(_, value)| uri_in(value).to_owned())
            }
            "t38passthrough" => leg.map(|leg| u8::from(leg.peer.settings.may_carry(MediaKind::Image)).to_string()),
            "context" => channel.entered.as_ref().map(|position| position.context.clone()),
            "exten" => channel.entered.as_ref().map(|position| position.exten.clone()),
            _ => None,
        }
    }

    fn variable_of(&self, channel: &str, variable: &str) -> Option<String> {
        let other = self.parties.channels().find(|one| one.name == channel)?;
        other.program.as_ref()?.variable(variable)
    }

    fn caller_of_line(&self) -> Option<(String, String)> {
        let channel = self.parties.channel(self.id)?;
        channel.callee.work.is_some().then(|| (channel.caller_name.clone(), channel.caller_number.clone()))
    }

    fn recordings(&self) -> Option<String> {
        self.core.config.recordings.clone()
    }

    fn has_tone_zone(&self, zone: &str) -> bool {
        self.core.config.indications.tone(zone, "busy").is_some()
    }

    fn device_state(&self, device: &str) -> DeviceState {
        let ChannelEnv { parties, core, shared, directory, .. } = *self;
        DeviceTable { parties, database: &shared.database, directory, core }.state(device)
    }

    fn record(&self, field: &str) -> Option<String> {
        record_field(self.parties.channel(self.id)?, field, self.core, &|at| self.local(at))
    }

    fn is_own_domain(&self, domain: &str) -> bool {
        let general = &self.core.config.general;
        let own = [self.core.config.listening.udp.ip()];
        let seen = self.core.config.local_towards.values();
        let address = domain.trim_matches(['[', ']']).parse().ok();
        let is_ours = || own.iter().chain(seen).any(|own| Some(*own) == address);
        general.domains.contains_key(&domain.to_ascii_lowercase()) || (general.auto_domain && is_ours())
    }

    fn process_variable(&self, name: &str) -> Option<String> {
        self.core.config.process.get(name).cloned()
    }

    fn sip_headers(&self) -> Vec<(String, String)> {
        self.parties.channel(self.id).map(|channel| channel.invite.clone()).unwrap_or_default()
    }

    fn groups_of_others(&self) -> Vec<(String, String)> {
        let others = self.parties.channels().filter(|channel| channel.id != self.id);
        let found = others.flat_map(|channel| {
            let own = channel.program.as_ref().map(groups).unwrap_or_default();
            own.into_iter().chain(channel.group.clone())
        });
        // What a called line was given by `OUTBOUND_GROUP` stays, whatever runs on it.
        found.chain(self.parties.channel(self.id).and_then(|channel| channel.group.clone())).collect()
    }

    fn globals(&self) -> &Globals {
        &self.shared.globals
    }

    fn database(&self) -> &Database {
        &self.shared.database
    }

    fn random(&self) -> u64 {
        self.random
    }
}

/// The URI of a header value: what stands between `<` and `>`, or all of it.
fn uri_in(value: &str) -> &str {
    let inner = value.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(value, |(uri, _)| uri)
}
