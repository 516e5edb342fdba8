//! The switch as the console sees it.

mod calls;
mod lines;

use super::clock::zone;
use super::signalling::Signalling;
use super::sink::Sink;
use super::sip_debug::MessageTrace;
use crate::clock::{Now, Wall};
use crate::config::peer::{self, DirectMedia, PeerAddress};
use crate::datetime;
use crate::dialplan::{apps, functions};
use crate::event::{Level, LogLine};
use crate::media::{Media, PacketTrace};
use crate::net::ingress::Counters as Drops;
use crate::net::stream::ConnectionReport;
use crate::observe::control_api::{
    ControlApi, HangUp, LogOrder, Qualify, Reload, RtpDebug, SipDebug, Stop, Unregister,
};
use crate::observe::snapshot::{
    ChannelDetail, ChannelRow, ConnectionRow, CoreSettings, Counters, ExtraMedia, HintRow, InUse, ManualPage, NatFlag,
    PeerDetail, PeerRow, PeerStatus, Settings, SipChannelRow, SystemCounts, Uptime, UserRow, Version,
};
use crate::pbx::effect::Effects;
use crate::pbx::switch::{self, PeerReport, Stopping, Switch};
use crate::registrar::location::Binding;
use crate::sip::flow::Transport;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
pub(super) struct View<'a> {
    pub(super) switch: &'a mut Switch,
    pub(super) now: Now,
    pub(super) counters: &'a Drops,
    pub(super) trace: &'a MessageTrace,
    pub(super) rtp: (u16, u16),
    pub(super) signalling: &'a Signalling,
    pub(super) effects: &'a mut Vec<Effects>,
    pub(super) restart: &'a AtomicBool,
    pub(super) media: &'a Media,
    /// Where the log goes to files, and packets that are shown to the log.
    pub(super) sink: &'a Sink,
    /// What takes its time: whoever made this view sees to it.
    pub(super) later: &'a mut Option<Later>,
}

/// What a console's command asked for that another thread answers.
pub(super) enum Later {
    Reload(Reload),
    Log(LogOrder),
}

impl ControlApi for View<'_> {
    fn peers(&self) -> Vec<PeerRow> {
        self.switch.peers().map(|report| row(&report)).collect()
    }

    fn peer(&self, name: &str) -> Option<PeerDetail> {
        self.switch.peer(name).map(|report| detail(&report, self.now))
    }

    fn channels(&self) -> Vec<ChannelRow> {
        let mut rows: Vec<ChannelRow> = self.switch.channels().map(|report| calls::row(&report, self.now)).collect();
        rows.reverse();
        rows
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
            proven: one.proven,
            age_s: one.since.elapsed().as_secs(),
        };
        self.signalling.connections().iter().map(row).collect()
    }

    fn users(&self) -> Vec<UserRow> {
        self.switch.peers().filter_map(|report| lines::user(&report, row(&report).force_rport)).collect()
    }

    fn in_use(&self) -> Vec<InUse> {
        lines::in_use(self.switch)
    }

    fn hints(&self) -> Vec<HintRow> {
        lines::hints(self.switch)
    }

    fn applications(&self) -> Vec<ManualPage> {
        let page =
            |app: &apps::App| ManualPage { name: app.name, synopsis: app.synopsis, syntax: app.syntax, help: app.help };
        apps::TABLE.iter().map(page).collect()
    }

    fn functions(&self) -> Vec<ManualPage> {
        let page = |function: &&functions::Function| ManualPage {
            name: function.name,
            synopsis: function.synopsis,
            syntax: function.syntax,
            help: "",
        };
        functions::TABLE.iter().map(page).collect()
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
            most_channels: switch::MAX_CHANNELS,
        }
    }

    fn contexts(&self) -> Vec<String> {
        self.switch.config().dialplan.contexts().map(str::to_owned).collect()
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
            rtp_ports: self.rtp,
            extra: extra(defaults),
            realm: general.realm.clone(),
            match_auth_username: general.match_auth_username,
            allow_guest: general.allow_guest,
            always_auth_reject: true,
            user_agent: general.user_agent.clone(),
            reg_context: general.reg_contexts.join("&"),
            caller_id: general.caller_id.clone(),
            codecs: defaults.codecs.names(),
            min_expiry_s: seconds(general.min_expiry),
            max_expiry_s: seconds(general.max_expiry),
            default_expiry_s: seconds(general.default_expiry),
            context: defaults.context.clone(),
            force_rport: flag(defaults.nat.force_rport, false),
            dtmf_mode: defaults.dtmf_mode.name().to_owned(),
            qualify_ms: defaults.qualify.map_or(0, milliseconds),
            keepalive_s: defaults.keepalive.map_or(0, seconds),
            ..Settings::default()
        }
    }

    fn counters(&self) -> Counters {
        let edge = self.counters.all();
        let drops = edge.into_iter().chain(self.switch.drops()).map(|(reason, count)| (reason.to_owned(), count));
        Counters { drops: drops.collect() }
    }

    fn is_fully_booted(&self) -> bool {
        // The switch answers, so it runs; there is nothing it still waits for.
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
        let say = move |text: String| sink(&LogLine { level: Level::Verbose(0), text });
        self.media.show(Some(PacketTrace::new(only, Box::new(say))));
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
        self.effects.push(self.switch.take_effects());
        done
    }

    fn database_delete(&mut self, path: &str, below: bool) -> usize {
        let database = self.switch.database();
        let gone = if below { database.delete_tree(path) } else { usize::from(database.delete(path).is_some()) };
        self.effects.push(self.switch.take_effects());
        gone
    }

    fn reload(&mut self, what: Reload) {
        *self.later = Some(Later::Reload(what));
    }

    fn restart(&mut self, when: Stop) {
        self.stop(when);
        self.restart.store(true, Ordering::Relaxed);
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

    fn stop(&mut self, when: Stop) {
        self.restart.store(false, Ordering::Relaxed);
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

fn seconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

fn milliseconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

fn flag(switch: peer::Tristate, behind_nat: bool) -> NatFlag {
    match (switch, behind_nat) {
        (peer::Tristate::On, _) => NatFlag::Yes,
        (peer::Tristate::Off, _) => NatFlag::No,
        (peer::Tristate::Auto, true) => NatFlag::AutoYes,
        (peer::Tristate::Auto, false) => NatFlag::AutoNo,
    }
}

fn row(report: &PeerReport) -> PeerRow {
    let peer = report.peer;
    let binding = report.bindings.first();
    let address = binding.map(|binding| binding.flow.remote).or(report.home);
    let behind_nat = binding.is_some_and(|binding| is_behind_nat(binding));
    PeerRow {
        name: peer.name.clone(),
        username: username(report),
        host: address.map(|address| address.ip()),
        port: address.map_or(0, |address| address.port()),
        dynamic: matches!(peer.host, PeerAddress::Dynamic),
        force_rport: flag(peer.settings.nat.force_rport, behind_nat),
        comedia: flag(peer.settings.nat.comedia, behind_nat),
        acl: !peer.acl.is_empty(),
        status: status(report.status),
        description: peer.description.clone(),
    }
}

fn is_behind_nat(binding: &Binding) -> bool {
    crate::pbx::uri_text::uri_address(&binding.contact).is_none_or(|contact| contact.ip() != binding.flow.remote.ip())
}

fn username(report: &PeerReport) -> String {
    let registered = report.bindings.first().and_then(|binding| match &binding.contact {
        crate::sip::Uri::Sip(uri) => uri.user_text().map(|user| user.into_owned()),
        crate::sip::Uri::Other(..) => None,
    });
    registered.or_else(|| report.peer.default_user.clone()).unwrap_or_default()
}

fn status(status: switch::PeerStatus) -> PeerStatus {
    match status {
        switch::PeerStatus::Unmonitored => PeerStatus::Unmonitored,
        switch::PeerStatus::Unknown => PeerStatus::Unknown,
        switch::PeerStatus::Ok(ms) => PeerStatus::Ok(ms),
        switch::PeerStatus::Lagged(ms) => PeerStatus::Lagged(ms),
        switch::PeerStatus::Unreachable => PeerStatus::Unreachable,
    }
}

fn detail(report: &PeerReport, now: Now) -> PeerDetail {
    let peer = report.peer;
    let settings = &peer.settings;
    let binding = report.bindings.first();
    let extensions: Vec<String> = peer.regexten.iter().map(|regexten| regexten.extension.clone()).collect();
    PeerDetail {
        row: row(report),
        secret_set: matches!(peer.credential, Some(peer::Credential::Password(_))),
        md5_secret_set: matches!(peer.credential, Some(peer::Credential::Ha1(_))),
        context: settings.context.clone(),
        language: settings.language.clone(),
        account: peer.account_code.clone(),
        caller_name: peer.caller_id.name.clone().unwrap_or_default(),
        caller_number: peer.caller_id.number.clone().unwrap_or_default(),
        presentation: peer.calling_pres.unwrap_or_default().words().to_owned(),
        from_user: peer.from_user.clone().unwrap_or_default(),
        from_domain: peer.from_domain.clone().unwrap_or_default(),
        call_limit: peer.call_limit.unwrap_or(0),
        expires_s: binding.map(|binding| binding.seconds_left(now.mono)),
        insecure: insecure(settings.insecure),
        contact_acl: !peer.contact_acl.is_empty(),
        direct_media_acl: !peer.direct_media_acl.is_empty(),
        direct_media: matches!(settings.direct_media, DirectMedia::Direct { .. }),
        extra: extra(settings),
        trust_rpid: settings.trust_rpid,
        trust_id: settings.trust_id,
        send_rpid: settings.send_rpid != peer::SendRpid::No,
        dtmf_mode: settings.dtmf_mode.name().to_owned(),
        t1_ms: milliseconds(settings.timer_t1),
        timer_b_ms: settings.timer_b.map_or_else(|| milliseconds(settings.timer_t1 * 64), milliseconds),
        to_host: match &peer.host {
            PeerAddress::Static(address) => address.to_string(),
            PeerAddress::Named { name, port } => format!("{name}:{port}"),
            PeerAddress::Dynamic => String::new(),
        },
        default_address: peer.default_addr,
        transport: binding.map_or(settings.transport(), |binding| binding.flow.transport).to_string(),
        transports_allowed: transports(settings),
        regexten: extensions.join("&"),
        default_user: username(report),
        codecs: settings.codecs.names(),
        user_agent: binding.and_then(|binding| binding.user_agent.as_deref()).unwrap_or_default().to_owned(),
        contact: binding.map(|binding| binding.contact.to_string()).unwrap_or_default(),
        qualify_every_ms: milliseconds(settings.qualify_freq),
        keepalive_ms: settings.keepalive.map_or(0, milliseconds),
        variables: peer.set_vars.clone(),
        timer_mode: capital(settings.session_timers.name()),
        timer_refresher: settings.session_refresher.name().to_owned(),
        timer_expires_s: settings.session_expires,
        timer_minimum_s: settings.session_min_se,
        ..PeerDetail::default()
    }
}

fn extra(settings: &peer::Settings) -> ExtraMedia {
    ExtraMedia {
        video: settings.video,
        text: settings.text,
        t38: settings.t38.map(|t38| t38.correction.name().to_owned()),
        t38_max_datagram: settings.t38.and_then(|t38| t38.max_datagram),
    }
}

fn transports(settings: &peer::Settings) -> String {
    let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let may: Vec<String> = all.iter().filter(|one| settings.may_use(**one)).map(ToString::to_string).collect();
    may.join(",")
}

/// A word as chan_sip's console begins it.
fn capital(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or(("", word));
    first.to_ascii_uppercase() + rest
}

fn insecure(insecure: peer::Insecure) -> String {
    match (insecure.port, insecure.invite) {
        (true, true) => "port,invite",
        (true, false) => "port",
        (false, true) => "invite",
        (false, false) => "no",
    }
    .to_owned()
}
