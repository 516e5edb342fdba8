//! The switch as the console sees it.

mod calls;
mod features;
mod lines;
mod peers;
mod quality;

use super::clock::zone;
use super::media::priority;
use super::signalling::Signalling;
use super::sink::Sink;
use super::sip_debug::MessageTrace;
use crate::clock::{Now, Wall};
use crate::datetime;
use crate::dialplan::app::App;
use crate::dialplan::function::Function;
use crate::dialplan::originate::{Goal, OriginateRequest};
use crate::dialplan::request::{DialTarget, Position};
use crate::dialplan::{apps, functions};
use crate::event::{Level, LogLine};
use crate::media::{Media, PacketTrace};
use crate::net::ingress::Counters as Drops;
use crate::net::stream::ConnectionReport;
use crate::observe::control_api::{
    ConsoleOrder, ControlApi, HangUp, LogOrder, Manual, Notify, OriginateGoal, Qualify, Redirect, Reload, RtpDebug,
    SipDebug, Stop, Then, Unregister,
};
use crate::observe::feature_rows::FeatureRows;
use crate::observe::provision_rows::PhoneControl;
use crate::observe::quality_rows::SoundReports;
use crate::observe::snapshot::{
    Accounts, ChannelDetail, ChannelRow, CodecRow, ConnectionRow, CoreSettings, Counters, HintRow, InUse, ManualPage,
    PeerDetail, PeerRow, Settings, SipChannelRow, SubscriptionRow, SystemCounts, Uptime, UserRow, Version,
};
use crate::pbx::effect::{Effects, Input};
use crate::pbx::switch::notify;
use crate::pbx::switch::orders::{self, NotDone, Order};
use crate::pbx::switch::{self, Stopping, Switch};
use crate::registrar::location::Binding;
use crate::sdp::codec::Codec;
use crate::services::phone_files::Board;
use crate::wording::outside;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a line is called that a console calls, as in Asterisk.
const ORIGINATE_TIME: Duration = Duration::from_secs(30);

/// The switch, and what belongs to it, while a command of the console is carried out.
pub(super) struct View<'a> {
    pub(super) switch: &'a mut Switch,
    pub(super) now: Now,
    pub(super) counters: &'a Drops,
    pub(super) trace: &'a MessageTrace,
    pub(super) rtp: (u16, u16),
    /// Where the configuration was read from.
    pub(super) directory: Option<&'a Path>,
    pub(super) signalling: &'a Signalling,
    pub(super) effects: &'a mut Vec<Effects>,
    pub(super) restart: &'a AtomicBool,
    pub(super) media: &'a Media,
    /// Where log lines go, RTP packets that are shown among them.
    pub(super) sink: &'a Sink,
    /// Who fetches files.
    pub(super) phones: &'a Board,
    /// What another thread has to do: left to whoever made this view.
    pub(super) later: &'a mut Option<Later>,
}

/// What a command asked of another thread, which then gives the output.
pub(super) enum Later {
    Reload(Reload),
    Log(LogOrder),
}

impl ControlApi for View<'_> {
    fn peers(&self) -> Vec<PeerRow> {
        self.switch.peers().map(|report| peers::row(&report)).collect()
    }

    fn peer(&self, name: &str) -> Option<PeerDetail> {
        self.switch.peer(name).map(|report| {
            let ours = switch::registrations(self.switch).find(|one| one.line.peer.as_deref() == Some(name));
            PeerDetail {
                registration: ours.map(peers::registration).unwrap_or_default(),
                ..peers::detail(&report, self.now)
            }
        })
    }

    fn accounts(&self) -> Accounts {
        Accounts {
            registrations: switch::registrations(self.switch).map(peers::registry_row).collect(),
            mailboxes: switch::mailboxes_elsewhere(self.switch).map(peers::mailbox_row).collect(),
        }
    }

    fn channels(&self) -> Vec<ChannelRow> {
        calls::rows(self.switch, self.now)
    }

    fn channel(&self, name: &str) -> Option<ChannelDetail> {
        calls::detail(self.switch, name, self.now)
    }

    fn sip_channels(&self) -> Vec<SipChannelRow> {
        self.switch.legs().map(|report| calls::dialog(&report)).collect()
    }

    fn connections(&self) -> Vec<ConnectionRow> {
        let row = |one: &ConnectionReport| ConnectionRow {
            remote: one.flow.remote,
            transport: one.flow.transport.to_string(),
            outgoing: one.outgoing,
            authenticated: one.proven,
            age_s: one.since.elapsed().as_secs(),
        };
        self.signalling.connections().iter().map(row).collect()
    }

    fn users(&self) -> Vec<UserRow> {
        self.switch.peers().filter_map(|report| lines::user(&report)).collect()
    }

    fn in_use(&self) -> Vec<InUse> {
        lines::in_use(self.switch)
    }

    fn subscriptions(&self) -> Vec<SubscriptionRow> {
        lines::subscriptions(self.switch, self.now)
    }

    fn hints(&self) -> Vec<HintRow> {
        lines::hints(self.switch)
    }

    fn features(&self) -> FeatureRows {
        features::rows(self.switch, self.now)
    }

    fn phones(&self) -> &dyn PhoneControl {
        self.phones
    }

    fn manual(&self, of: Manual) -> Vec<ManualPage> {
        let app = |app: &App| ManualPage { name: app.name, synopsis: app.synopsis, syntax: app.syntax, help: app.help };
        let function = |function: &&Function| ManualPage {
            name: function.name,
            synopsis: function.synopsis,
            syntax: function.syntax,
            help: "",
        };
        match of {
            Manual::Applications => apps::TABLE.iter().map(app).collect(),
            Manual::Functions => functions::TABLE.iter().map(function).collect(),
        }
    }

    fn core_settings(&self) -> CoreSettings {
        let ago = |time: std::time::Duration| {
            let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
            // Reckoned back from now: the wall clock may have been set since.
            let at = Wall(self.now.wall.0.saturating_sub(ms));
            datetime::iso_in(at, &zone(at))
        };
        let uptime = self.uptime();
        CoreSettings {
            process: std::process::id(),
            started: ago(uptime.up),
            reloaded: ago(uptime.since_reload),
            max_channels: switch::MAX_CHANNELS,
            directory: self.directory.map(Path::to_path_buf),
            priority: priority(&self.media.priority()),
            codecs: Codec::all().map(|it| CodecRow { name: it.name(), description: it.description() }).collect(),
        }
    }

    fn contexts(&self) -> Vec<String> {
        self.switch.config().dialplan.contexts().map(str::to_owned).collect()
    }

    fn globals(&self) -> Vec<(String, String)> {
        self.switch.globals().all()
    }

    fn counts(&self) -> SystemCounts {
        let (channels, calls, processed) = self.switch.counts();
        SystemCounts { channels: channels as u64, calls: calls as u64, processed }
    }

    fn uptime(&self) -> Uptime {
        let up = self.now.mono.since(self.switch.started().mono);
        Uptime { up, since_reload: self.now.mono.since(self.switch.reloaded().mono) }
    }

    fn version(&self) -> Version {
        Version {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: std::env::consts::ARCH.to_owned(),
            system: std::env::consts::OS.to_owned(),
        }
    }

    fn settings(&self) -> Settings {
        let general = self.switch.config().general.clone();
        let defaults = &general.defaults;
        Settings {
            udp: self.signalling.udp(),
            tcp: self.signalling.listening.tcp.into_iter().collect(),
            tls: self.signalling.listening.tls.into_iter().collect(),
            extern_address: general.external.address.map(|(ip, port)| SocketAddr::new(ip, port.unwrap_or(0))),
            extern_host: general.external.host.as_ref().map(|(name, _)| name.clone()).unwrap_or_default(),
            local_nets: general.external.local_nets.iter().map(ToString::to_string).collect(),
            domains: lines::domains(self.switch),
            rtp_ports: self.rtp,
            secondary: peers::secondary(defaults),
            realm: general.realm.clone(),
            match_auth_username: general.match_auth_username,
            allow_guest: general.allow_guest,
            always_auth_reject: true,
            user_agent: general.user_agent.clone(),
            reg_context: general.reg_contexts.join("&"),
            caller_id: general.caller_id.clone(),
            codecs: defaults.codecs.names(),
            min_expiry_s: peers::seconds(general.min_expiry),
            max_expiry_s: peers::seconds(general.max_expiry),
            default_expiry_s: peers::seconds(general.default_expiry),
            context: defaults.context.clone(),
            force_rport: peers::flag(defaults.nat.force_rport, false),
            dtmf_mode: defaults.dtmf_mode.name().to_owned(),
            qualify_ms: defaults.qualify.map_or(0, peers::milliseconds),
            keepalive_s: defaults.keepalive.map_or(0, peers::seconds),
            rtp_times: peers::rtp_times(defaults),
        }
    }

    fn counters(&self) -> Counters {
        let edge = self.counters.all();
        let drops = edge.into_iter().chain(self.switch.drops()).map(|(reason, count)| (reason.to_owned(), count));
        Counters { drops: drops.collect() }
    }

    fn is_fully_booted(&self) -> bool {
        // Commands are carried out by the running switch, which waits for nothing else.
        true
    }

    fn dialplan(&self, filter: Option<&str>) -> Result<String, String> {
        self.switch.config().dialplan.show(filter)
    }

    fn set_sip_debug(&mut self, what: SipDebug) -> bool {
        let switch = &self.switch;
        self.trace.set(&what, |name| switch.bindings(name).last().map(|binding| binding.flow.remote))
    }

    fn set_rtp_debug(&mut self, what: RtpDebug) {
        let only = match what {
            RtpDebug::Off => return self.media.show(None),
            RtpDebug::On => None,
            RtpDebug::Address(ip, port) => Some((ip, port)),
        };
        let sink = self.sink.clone();
        let log = move |text: String| sink(&LogLine { level: Level::Verbose(0), text });
        self.media.show(Some(PacketTrace::new(only, Box::new(log))));
    }

    fn log(&mut self, what: LogOrder) {
        *self.later = Some(Later::Log(what));
    }

    fn hang_up(&mut self, channel: &str) -> HangUp {
        let (outcome, effects) = self.switch.hang_up(self.now, channel);
        self.effects.push(effects);
        match outcome {
            switch::HangUp::Requested(_) => HangUp::Requested,
            switch::HangUp::Unknown => HangUp::Unknown,
        }
    }

    fn redirect(&mut self, channel: &str, place: &str) -> Redirect {
        let order = Order::Redirect(channel.to_owned(), place.to_owned());
        let (done, effects) = orders::carry_out(self.switch, self.now, &order);
        self.effects.push(effects);
        match done {
            Ok(()) => Redirect::Done,
            Err(NotDone::Unknown(_)) => Redirect::Unknown,
            Err(NotDone::Refused(why)) => Redirect::Failed(why),
        }
    }

    fn database(&self) -> Vec<(String, String)> {
        let mut entries = self.switch.database().all();
        let registered =
            self.switch.peers().filter_map(|report| Some((report.peer.name.clone(), *report.bindings.first()?)));
        entries.extend(registered.map(|(name, binding)| (format!("/SIP/Registry/{name}"), registry(binding))));
        entries.sort();
        entries
    }

    fn database_put(&mut self, path: &str, value: &str) -> Result<(), String> {
        let done = self.switch.database().put(path, value);
        self.effects.push(self.switch.handle(self.now, Input::Tick));
        done
    }

    fn database_delete(&mut self, path: &str, below: bool) -> usize {
        let database = self.switch.database();
        let gone = if below { database.delete_tree(path) } else { usize::from(database.delete(path).is_some()) };
        self.effects.push(self.switch.handle(self.now, Input::Tick));
        gone
    }

    fn reload(&mut self, what: Reload) {
        *self.later = Some(Later::Reload(what));
    }

    fn sound(&self) -> Box<dyn SoundReports + '_> {
        Box::new(quality::Sound { switch: self.switch, media: self.media, now: self.now })
    }

    fn notify_types(&self) -> Vec<String> {
        notify::types(self.switch)
    }

    fn notify(&mut self, kind: &str, peer: &str) -> Notify {
        let (sent, effects) = notify::send(self.switch, self.now, kind, peer);
        self.effects.push(effects);
        match sent {
            notify::Notified::Sent => Notify::Sent,
            notify::Notified::NoAddress => Notify::NoAddress,
            notify::Notified::UnknownPeer => Notify::UnknownPeer,
            notify::Notified::UnknownType => Notify::UnknownType,
        }
    }

    fn qualify(&mut self, peer: &str) -> Qualify {
        let (outcome, effects) = self.switch.qualify_now(self.now, peer);
        self.effects.push(effects);
        match outcome {
            switch::QualifyNow::Asked => Qualify::Asked,
            switch::QualifyNow::NotMonitored => Qualify::NotMonitored,
            switch::QualifyNow::NoAddress => Qualify::NoAddress,
            switch::QualifyNow::Unknown => Qualify::Unknown,
        }
    }

    fn unregister(&mut self, peer: &str) -> Unregister {
        let (outcome, effects) = self.switch.unregister(self.now, peer);
        self.effects.push(effects);
        match outcome {
            switch::Unregistered::Done => Unregister::Done,
            switch::Unregistered::NotRegistered => Unregister::NotRegistered,
            switch::Unregistered::Unknown => Unregister::Unknown,
        }
    }

    fn order(&mut self, order: ConsoleOrder) -> Result<(), String> {
        match order {
            ConsoleOrder::Originate { target, goal } => {
                let target = DialTarget::parse(&target)
                    .ok_or_else(|| format!("'{}' is no line: write SIP/name", outside(&target)))?;
                let goal = match goal {
                    OriginateGoal::Application(name, data) => Goal::Application(name, data),
                    OriginateGoal::Extension(exten, context) => Goal::Extension(Position::new(&context, &exten, 1)),
                };
                let request = OriginateRequest::new(target, goal, ORIGINATE_TIME);
                self.effects.push(self.switch.originate(self.now, request));
                Ok(())
            }
            ConsoleOrder::SetGlobal { name, value } => match self.switch.globals().set(&name, &value) {
                true => Ok(()),
                false => Err("There are too many global variables.".to_owned()),
            },
            ConsoleOrder::AbortStop if switch::resume(self.switch) => {
                self.restart.store(false, Ordering::Relaxed);
                Ok(())
            }
            ConsoleOrder::AbortStop => {
                Err("The exchange does not wait for its calls to end in order to stop.".to_owned())
            }
        }
    }

    fn stop(&mut self, when: Stop, then: Then) {
        self.restart.store(then == Then::Restart, Ordering::Relaxed);
        let how = match when {
            Stop::Now => Stopping::Now,
            Stop::Gracefully => Stopping::Gracefully,
        };
        self.effects.push(self.switch.stop(self.now, how));
    }
}

/// A registration as scripts know it from astdb: address, port, time granted, user, contact.
fn registry(binding: &Binding) -> String {
    let user = match &binding.contact {
        crate::sip::Uri::Sip(uri) => uri.user_text().map(|user| user.into_owned()).unwrap_or_default(),
        crate::sip::Uri::Other(..) => String::new(),
    };
    let (address, granted) = (binding.flow.remote, binding.granted.as_secs());
    format!("{address}:{granted}:{user}:{}", binding.contact)
}
