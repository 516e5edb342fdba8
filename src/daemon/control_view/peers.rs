//! Peers as the console lists and explains them.

use crate::clock::{Now, Wall};
use crate::config::peer::{self, DirectMedia, PeerAddress};
use crate::config::register_line::RegisterLine;
use crate::daemon::clock::zone;
use crate::datetime;
use crate::observe::snapshot::{
    MailboxRow, NatFlag, PeerDetail, PeerRow, PeerStatus, RegistryRow, RtpTimes, SecondaryMedia, T38,
};
use crate::pbx::switch::{self, MailboxWatch, PeerReport, Registration, RegistrationState};
use crate::registrar::location::Binding;
use crate::registrar::rivals::Rivalry;
use crate::sip::flow::Transport;
use bytes::Bytes;

pub(super) fn flag(switch: peer::Tristate, behind_nat: bool) -> NatFlag {
    match (switch, behind_nat) {
        (peer::Tristate::On, _) => NatFlag::Yes,
        (peer::Tristate::Off, _) => NatFlag::No,
        (peer::Tristate::Auto, true) => NatFlag::AutoYes,
        (peer::Tristate::Auto, false) => NatFlag::AutoNo,
    }
}

/// One line of `sip show peers`.
pub(super) fn row(report: &PeerReport) -> PeerRow {
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

/// A line of `sip show registry`. chan_sip shows a timeout as what was sent last.
pub(super) fn registry_row(one: &Registration) -> RegistryRow {
    let state = match one.state {
        RegistrationState::Timeout => RegistrationState::RequestSent,
        state => state,
    };
    RegistryRow {
        host: host_of(&one.line),
        username: one.line.user.clone(),
        refresh_s: one.refresh.as_secs(),
        state: state.name().to_owned(),
        registered: one.since.map(|at| registered_at(at, &zone(at))).unwrap_or_default(),
    }
}

/// A line of `sip show mwi`.
pub(super) fn mailbox_row(one: &MailboxWatch) -> MailboxRow {
    let account = &one.line.account;
    MailboxRow {
        host: host_of(account),
        username: account.user.clone(),
        mailbox: one.line.mailbox.clone(),
        is_subscribed: one.is_subscribed,
    }
}

/// The host of an account with its port.
fn host_of(account: &RegisterLine) -> String {
    match &account.address {
        PeerAddress::Static(at) => at.to_string(),
        PeerAddress::Named(host) => format!("{}:{}", host.name, host.port.unwrap_or(host.transport().default_port())),
        PeerAddress::Dynamic | PeerAddress::Unset => account.host.clone(),
    }
}

/// `Reg.Time`: by the clocks of the machine, as chan_sip has it.
fn registered_at(at: Wall, zone: &datetime::Zone) -> String {
    datetime::strftime_in(at, zone, "%a, %d %b %Y %T")
}

/// Our registration at a peer, in words.
pub(super) fn registration(one: &Registration) -> String {
    let since = one.since.map(|at| format!(", last granted {}", datetime::moment(at))).unwrap_or_default();
    format!("{} as {}{since} ({})", one.state.name(), one.line.user, one.line.place)
}

/// What `sip show peer NAME` tells.
pub(super) fn detail(report: &PeerReport, now: Now) -> PeerDetail {
    let peer = report.peer;
    let settings = &peer.settings;
    let binding = report.bindings.first();
    let extensions: Vec<String> = peer.regexten.iter().map(|regexten| regexten.extension.clone()).collect();
    PeerDetail {
        row: row(report),
        registration: String::new(),
        remote_secret_set: peer.remote_secret.is_some(),
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
        secondary: secondary(settings),
        max_forwards: settings.max_forwards,
        promiscuous_redirect: settings.promisc_redir,
        contested: report.rivalry.filter(|rivalry| rivalry.is_recent(now.mono)).map(contested).unwrap_or_default(),
        trust_rpid: settings.trust_rpid,
        trust_id: settings.trust_id,
        send_rpid: settings.send_rpid != peer::SendRpid::No,
        path_support: settings.support_path,
        path: binding.map(|binding| binding.path.iter().map(hop).collect()).unwrap_or_default(),
        sound: report.sound.map(|fault| format!("{}: {}", datetime::moment(fault.at), fault.text)).unwrap_or_default(),
        line_kind: settings.line.map(|kind| kind.name().to_owned()).unwrap_or_default(),
        dtmf_mode: settings.dtmf_mode.name().to_owned(),
        t1_ms: milliseconds(settings.timer_t1),
        timer_b_ms: settings.timer_b.map_or_else(|| milliseconds(settings.timer_t1 * 64), milliseconds),
        to_host: match &peer.host {
            PeerAddress::Static(address) => address.to_string(),
            PeerAddress::Named(host) => host.to_string(),
            PeerAddress::Dynamic | PeerAddress::Unset => String::new(),
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
        rtp_times: rtp_times(settings),
        variables: peer.set_vars.clone(),
        timer_mode: capital(settings.session_timers.name()),
        timer_refresher: settings.session_refresher.name().to_owned(),
        timer_expires_s: settings.session_expires,
        timer_minimum_s: settings.session_min_se,
    }
}

pub(super) fn secondary(settings: &peer::Settings) -> SecondaryMedia {
    let t38 = |t38: peer::T38| T38 { correction: t38.correction.name().to_owned(), max_datagram: t38.max_datagram };
    SecondaryMedia { video: settings.video, text: settings.text, t38: settings.t38.map(t38) }
}

/// Two telephones that take one registration from each other.
fn contested(rivalry: Rivalry) -> String {
    let Rivalry { registered, displaced, times, .. } = rivalry;
    format!(
        "{registered} and {displaced} take it from each other ({times} times): give each a section, or set max_contacts=2"
    )
}

/// One proxy of a Path, as the registration named it.
fn hop(value: &Bytes) -> String {
    String::from_utf8_lossy(value).into_owned()
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

/// What is done when RTP does not come, or is not sent.
pub(super) fn rtp_times(settings: &peer::Settings) -> RtpTimes {
    RtpTimes {
        timeout_s: settings.rtp_timeout.map_or(0, seconds),
        hold_timeout_s: settings.rtp_hold_timeout.map_or(0, seconds),
        keepalive_s: settings.rtp_keepalive.map_or(0, seconds),
    }
}

pub(super) fn seconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

pub(super) fn milliseconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Time, Wall};
    use crate::config::{ini, sip_conf};

    /// What the console is shown of the peer `a` with these lines, before it has registered.
    fn shown(lines: &str) -> PeerDetail {
        let text = format!("[a]\ntype=friend\nhost=dynamic\n{lines}\n");
        let (document, _) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
        let (conf, diagnostics) = sip_conf::parse(&document, &Default::default());
        assert_eq!(diagnostics, [], "{lines}");
        let report = PeerReport {
            rivalry: None,
            peer: &conf.peers["a"],
            home: None,
            bindings: Vec::new(),
            status: switch::PeerStatus::Unmonitored,
            sound: None,
        };
        detail(&report, Now { mono: Time::ZERO, wall: Wall(0) })
    }

    #[test]
    fn when_a_registration_was_granted_is_told_by_the_clocks_here() {
        let zone = crate::datetime::Zone { east_s: 3600, name: "CET".to_owned() };
        assert_eq!(registered_at(Wall(82_800_000), &zone), "Fri, 02 Jan 1970 00:00:00");
    }

    #[test]
    fn what_is_shown_follows_the_configuration() {
        let preset = shown("secret=s");
        assert_eq!(
            preset,
            PeerDetail { max_forwards: 70, promiscuous_redirect: false, path_support: false, ..preset.clone() }
        );
        for (lines, differs) in [
            ("maxforwards=20", PeerDetail { max_forwards: 20, ..preset.clone() }),
            ("promiscredir=yes", PeerDetail { promiscuous_redirect: true, ..preset.clone() }),
            ("supportpath=yes", PeerDetail { path_support: true, ..preset.clone() }),
            ("trust_id_outbound=yes", PeerDetail { trust_id: true, ..preset.clone() }),
            ("sendrpid=pai", PeerDetail { send_rpid: true, ..preset.clone() }),
            ("fromdomain=example.net", PeerDetail { from_domain: "example.net".to_owned(), ..preset.clone() }),
            ("call-limit=3", PeerDetail { call_limit: 3, ..preset.clone() }),
            ("insecure=port,invite", PeerDetail { insecure: "port,invite".to_owned(), ..preset.clone() }),
            ("timert1=750", PeerDetail { t1_ms: 750, timer_b_ms: 48_000, ..preset.clone() }),
            ("session-timers=refuse", PeerDetail { timer_mode: "Refuse".to_owned(), ..preset.clone() }),
        ] {
            assert_eq!(shown(&format!("secret=s\n{lines}")), differs, "{lines}");
            assert_ne!(differs, preset, "{lines}");
        }
        let t38 = T38 { correction: "Redundancy".to_owned(), max_datagram: Some(400) };
        assert_eq!(shown("secret=s\nt38pt_udptl=yes,redundancy,maxdatagram=400").secondary.t38, Some(t38));
        let md5 = shown("md5secret=d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5, PeerDetail { secret_set: false, md5_secret_set: true, ..preset });
    }
}
