//! The layouts, character for character, and the table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::lookup::names;
use super::*;
use crate::event::{DeviceState, LineQuality};
use crate::observe::control_api::{ConsoleOrder, Manual, OriginateGoal};
use crate::observe::control_api::{
    HangUp, LogOrder, Notify, Qualify, Redirect, Reload, RtpDebug, SipDebug, Stop, Then, Unregister,
};
use crate::observe::feature_rows::{FeatureRows, LotRow, ParkedRow};
use crate::observe::line_test_rows::LineTestRow;
use crate::observe::provision_rows::{AskerRow, PhoneControl, ProvisionRows, TransferRow};
use crate::observe::quality_rows::{Passed, QualityRow, SoundReports};
use crate::observe::snapshot::{
    Accounts, ChannelDetail, ChannelRow, ChannelState, CoreSettings, Counters, HintRow, InUse, MailboxRow, ManualPage,
    NatFlag, PeerDetail, PeerRow, PeerStatus, RegistryRow, SecondaryMedia, Settings, SipChannelRow, SubscriptionRow,
    SystemCounts, T38, Uptime, UserRow, Version,
};
use crate::observe::snapshot::{CodecRow, ConnectionRow, DomainRow, RtpTimes};
use crate::rng::Rng;

const LOCAL: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

#[derive(Default)]
struct Fake {
    peers: Vec<PeerRow>,
    detail: Option<PeerDetail>,
    channels: Vec<ChannelRow>,
    counts: (u64, u64, u64),
    uptime: (Duration, Duration),
    settings: Option<Settings>,
    users: Vec<UserRow>,
    in_use: Vec<InUse>,
    hints: Vec<HintRow>,
    subscriptions: Vec<SubscriptionRow>,
    features: FeatureRows,
    sip_channels: Vec<SipChannelRow>,
    channel: Option<ChannelDetail>,
    drops: Vec<(String, u64)>,
    booted: bool,
    debug: Option<SipDebug>,
    hung_up: Vec<String>,
    stopped: Option<Stop>,
    database: std::collections::BTreeMap<String, String>,
    restarted: Option<Stop>,
    reloads: Vec<Reload>,
    rtp_debug: Option<RtpDebug>,
    log: Vec<LogOrder>,
    orders: Vec<ConsoleOrder>,
    phones: FakePhones,
}

/// Telephones that fetched files.
#[derive(Default)]
struct FakePhones(std::cell::RefCell<ProvisionRows>);

impl PhoneControl for FakePhones {
    fn rows(&self) -> ProvisionRows {
        self.0.borrow().clone()
    }
    fn open(&self, time: Option<Duration>) {
        self.0.borrow_mut().open_for = time;
    }
}

struct FakeSound;

impl SoundReports for FakeSound {
    fn line_tests(&self) -> Vec<LineTestRow> {
        let row = |channel: &str, said: &str| LineTestRow {
            channel: channel.to_owned(),
            at: "2026-11-30 03:12:00 UTC".to_owned(),
            lines: vec![said.to_owned(), "Measured:".to_owned()],
            json: format!("{{\"channel\":\"{channel}\"}}"),
        };
        vec![row("SIP/ata-00000002", "The line is good for modems."), row("SIP/desk-00000001", "The line is bad.")]
    }
    fn quality(&self, channel: Option<&str>) -> Vec<QualityRow> {
        let row = QualityRow {
            channel: "SIP/a-00000001".to_owned(),
            host: Some([192, 168, 1, 20].into()),
            call_id: "0123456789abcdef@pap2t".to_owned(),
            duration_s: 3_725,
            received: Passed { packets: 186_250, lost: 12, jitter: Duration::from_micros(1_437) },
            sent: Passed { packets: 99_000, lost: 1_000, jitter: Duration::ZERO },
            sentences: vec!["SIP/a-00000001: packets of 20 ms; jitter 1.4 ms, at most 3.0 ms; none lost".to_owned()],
            quality: LineQuality { channel: "SIP/a-00000001".to_owned(), sent: 99_000, ..Default::default() },
            clocks: None,
        };
        Some(row).into_iter().filter(|row| channel.is_none_or(|name| name == row.channel)).collect()
    }
}

impl ControlApi for Fake {
    fn peers(&self) -> Vec<PeerRow> {
        self.peers.clone()
    }
    fn peer(&self, name: &str) -> Option<PeerDetail> {
        self.detail.clone().filter(|peer| peer.row.name == name)
    }
    fn phones(&self) -> &dyn PhoneControl {
        &self.phones
    }
    fn accounts(&self) -> Accounts {
        let row = |host: &str, state: &str, registered: &str| RegistryRow {
            host: host.into(),
            username: "4711".into(),
            refresh_s: 105,
            state: state.into(),
            registered: registered.into(),
        };
        let registrations = vec![
            row("sip.itsp.example:5060", "Registered", "Sat, 28 Nov 2026 12:00:00"),
            row("192.0.2.9:5070", "Request Sent", ""),
        ];
        let row = |host: &str, mailbox: &str, is_subscribed| MailboxRow {
            host: host.into(),
            username: "4711".into(),
            mailbox: mailbox.into(),
            is_subscribed,
        };
        let mailboxes =
            vec![row("sip.itsp.example:5060", "100@SIP_Remote", true), row("192.0.2.9:5070", "7@home", false)];
        Accounts { registrations, mailboxes }
    }
    fn channels(&self) -> Vec<ChannelRow> {
        self.channels.clone()
    }
    fn channel(&self, name: &str) -> Option<ChannelDetail> {
        self.channel.clone().filter(|channel| channel.row.name == name)
    }
    fn sip_channels(&self) -> Vec<SipChannelRow> {
        self.sip_channels.clone()
    }
    fn connections(&self) -> Vec<ConnectionRow> {
        let row = |remote: &str, outgoing: bool| ConnectionRow {
            remote: remote.parse().unwrap(),
            transport: if outgoing { "TLS" } else { "TCP" }.to_owned(),
            outgoing,
            authenticated: !outgoing,
            age_s: 7,
        };
        vec![row("192.0.2.9:40000", false), row("[2001:db8::1]:5061", true)]
    }
    fn users(&self) -> Vec<UserRow> {
        self.users.clone()
    }
    fn in_use(&self) -> Vec<InUse> {
        self.in_use.clone()
    }
    fn subscriptions(&self) -> Vec<SubscriptionRow> {
        self.subscriptions.clone()
    }
    fn hints(&self) -> Vec<HintRow> {
        self.hints.clone()
    }
    fn features(&self) -> FeatureRows {
        self.features.clone()
    }
    fn manual(&self, of: Manual) -> Vec<ManualPage> {
        if of == Manual::Functions {
            return vec![ManualPage { name: "LEN", synopsis: "How many letters", syntax: "LEN(text)", help: "" }];
        }
        let answer =
            ManualPage { name: "Answer", synopsis: "Answer the call", syntax: "Answer([delay])", help: "Answers.\n" };
        vec![answer, ManualPage { name: "Dial", synopsis: "Call a line", syntax: "Dial(x)", help: "Calls." }]
    }
    fn core_settings(&self) -> CoreSettings {
        let started = "2026-11-21T06:08:54.123+0000".to_owned();
        CoreSettings {
            process: 7,
            started: started.clone(),
            reloaded: started,
            max_channels: 4000,
            directory: Some("/etc/x".into()),
            priority: "real-time priority 5".to_owned(),
            codecs: vec![
                CodecRow { name: "ulaw", description: "G.711 u-law" },
                CodecRow { name: "g729", description: "G.729A" },
            ],
        }
    }
    fn contexts(&self) -> Vec<String> {
        vec!["default".to_owned(), "dial-out".to_owned()]
    }
    fn counts(&self) -> SystemCounts {
        let (channels, calls, processed) = self.counts;
        SystemCounts { channels, calls, processed }
    }
    fn uptime(&self) -> Uptime {
        let (up, since_reload) = self.uptime;
        Uptime { up, since_reload }
    }
    fn version(&self) -> Version {
        Version { version: "1.2.3".to_owned(), machine: "armv7".to_owned(), system: "linux".to_owned() }
    }
    fn settings(&self) -> Settings {
        self.settings.clone().unwrap_or_else(settings)
    }
    fn counters(&self) -> Counters {
        Counters { drops: self.drops.clone() }
    }
    fn is_fully_booted(&self) -> bool {
        self.booted
    }
    fn globals(&self) -> Vec<(String, String)> {
        [("RINGTIME", "20"), ("TRUNK", "SIP/out\u{7}")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
    fn dialplan(&self, filter: Option<&str>) -> Result<String, String> {
        match filter {
            None | Some("default") => Ok("-= 1 extension (1 priority) in 1 context. =-".to_owned()),
            Some(other) => Err(format!("There is no existence of '{other}' context")),
        }
    }
    fn set_sip_debug(&mut self, what: SipDebug) -> bool {
        let was_on = self.debug.as_ref().is_some_and(|old| *old != SipDebug::Off);
        self.debug = Some(what);
        was_on
    }
    fn set_rtp_debug(&mut self, what: RtpDebug) {
        self.rtp_debug = Some(what);
    }
    fn log(&mut self, what: LogOrder) {
        self.log.push(what);
    }
    fn hang_up(&mut self, channel: &str) -> HangUp {
        if !self.channels.iter().any(|row| row.name == channel) {
            return HangUp::Unknown;
        }
        self.hung_up.push(channel.to_owned());
        HangUp::Requested
    }
    fn redirect(&mut self, channel: &str, place: &str) -> Redirect {
        match (self.channels.iter().any(|row| row.name == channel), place) {
            (false, _) => Redirect::Unknown,
            (true, "nowhere,1") => Redirect::Failed("there is no such place in extensions.conf".to_owned()),
            (true, _) => Redirect::Done,
        }
    }
    fn database(&self) -> Vec<(String, String)> {
        self.database.iter().map(|(path, value)| (path.clone(), value.clone())).collect()
    }
    fn database_put(&mut self, path: &str, value: &str) -> Result<(), String> {
        if self.database.len() >= 4 {
            return Err("the database is full".to_owned());
        }
        self.database.insert(path.to_owned(), value.to_owned());
        Ok(())
    }
    fn database_delete(&mut self, path: &str, below: bool) -> usize {
        let before = self.database.len();
        self.database.retain(|name, _| !(name == path || below && name.starts_with(&format!("{path}/"))));
        before - self.database.len()
    }
    fn reload(&mut self, what: Reload) {
        self.reloads.push(what);
    }
    fn notify_types(&self) -> Vec<String> {
        vec!["linksys-check-cfg".to_owned(), "snom-reboot".to_owned()]
    }
    fn notify(&mut self, kind: &str, peer: &str) -> Notify {
        match (kind, peer) {
            ("snom-reboot", "ann") => Notify::Sent,
            ("snom-reboot", "fresh") => Notify::NoAddress,
            ("snom-reboot", _) => Notify::UnknownPeer,
            _ => Notify::UnknownType,
        }
    }
    fn qualify(&mut self, peer: &str) -> Qualify {
        match peer {
            "ann" => Qualify::Asked,
            "fresh" => Qualify::NoAddress,
            "static1" => Qualify::NotMonitored,
            _ => Qualify::Unknown,
        }
    }
    fn unregister(&mut self, peer: &str) -> Unregister {
        match peer {
            "ann" => Unregister::Done,
            "fresh" => Unregister::NotRegistered,
            _ => Unregister::Unknown,
        }
    }
    fn order(&mut self, order: ConsoleOrder) -> Result<(), String> {
        if order == ConsoleOrder::AbortStop && self.stopped != Some(Stop::Gracefully) {
            return Err("Nothing stops.".to_owned());
        }
        self.orders.push(order);
        Ok(())
    }
    fn stop(&mut self, when: Stop, then: Then) {
        match then {
            Then::End => self.stopped = Some(when),
            Then::Restart => self.restarted = Some(when),
        }
    }
    fn sound(&self) -> Box<dyn SoundReports + '_> {
        Box::new(FakeSound)
    }
}

fn row(name: &str, username: &str, port: u16, status: PeerStatus) -> PeerRow {
    PeerRow {
        name: name.to_owned(),
        username: username.to_owned(),
        host: LOCAL,
        port,
        dynamic: true,
        force_rport: NatFlag::No,
        comedia: NatFlag::No,
        acl: false,
        status,
        description: String::new(),
    }
}

fn channel(name: &str) -> ChannelRow {
    ChannelRow {
        name: name.to_owned(),
        context: "default".to_owned(),
        exten: String::new(),
        priority: 1,
        state: "Up".to_owned(),
        application: String::new(),
        data: String::new(),
        caller_id: String::new(),
        duration_s: 0,
        bridge_id: String::new(),
        unique_id: String::new(),
        account: String::new(),
        peer_account: String::new(),
    }
}

fn guide() -> Fake {
    let yes = NatFlag::Yes;
    Fake {
        peers: vec![
            PeerRow {
                dynamic: false,
                force_rport: NatFlag::AutoNo,
                acl: true,
                description: "Hall phone".to_owned(),
                ..row("static1", "", 5499, PeerStatus::Unreachable)
            },
            row("isp-modem-on-the-pap2t", "isp-modem", 5461, PeerStatus::Lagged(300)),
            row("client-line", "client-line", 5462, PeerStatus::Ok(1)),
            PeerRow { force_rport: yes, comedia: yes, ..row("ann", "ann", 5478, PeerStatus::Unmonitored) },
            PeerRow { host: None, ..row("fresh", "", 5060, PeerStatus::Unknown) },
            PeerRow { host: Some(IpAddr::V6(Ipv6Addr::LOCALHOST)), ..row("six", "six", 5060, PeerStatus::Ok(12)) },
        ],
        channels: vec![
            ChannelRow {
                application: "AppDial".to_owned(),
                data: "(Outgoing Line)".to_owned(),
                peer_account: "home".to_owned(),
                ..channel("SIP/isp-line-00000001")
            },
            ChannelRow {
                exten: "5551234".to_owned(),
                application: "Dial".to_owned(),
                data: "SIP/isp-line, 20".to_owned(),
                caller_id: "client-line".to_owned(),
                duration_s: 3725,
                bridge_id: "5be7".to_owned(),
                unique_id: "1795232390.0".to_owned(),
                account: "home".to_owned(),
                ..channel("SIP/client-line-00000000")
            },
        ],
        counts: (2, 1, 1),
        ..Fake::default()
    }
}

fn told(fake: &mut Fake, line: &str) -> String {
    let output = run(line, fake);
    assert!(!output.failed && !output.not_yet, "{line}: {output:?}");
    output.text
}

fn refused(fake: &mut Fake, line: &str) -> String {
    let output = run(line, fake);
    assert!(output.failed, "{line}: {output:?}");
    output.text
}

/// Blanks at the end of a line are part of the layout: each expected line ends with `$`.
fn marked(text: &str) -> String {
    text.replace('\n', "$\n")
}

#[test]
fn the_table_of_peers_is_chan_sips_to_the_blank() {
    let expected = "\
Name/username             Host                                    Dyn Forcerport Comedia    ACL Port     Status      Description                      $
ann/ann                   127.0.0.1                                D  Yes        Yes            5478     Unmonitored                                  $
client-line/client-line   127.0.0.1                                D  No         No             5462     OK (1 ms)                                    $
fresh                     (Unspecified)                            D  No         No             0        UNKNOWN                                      $
isp-modem-on-the-pap2t/is 127.0.0.1                                D  No         No             5461     LAGGED (300 ms)                                  $
six/six                   ::1                                      D  No         No             5060     OK (12 ms)                                   $
static1                   127.0.0.1                                   Auto (No)  No          A  5499     UNREACHABLE Hall phone                       $
6 sip peers [Monitored: 3 online, 2 offline Unmonitored: 1 online, 0 offline]$
";
    assert_eq!(marked(&told(&mut guide(), "sip show peers")), expected);
}

#[test]
fn like_is_a_regular_expression_for_the_name() {
    let text = told(&mut guide(), "SIP Show peers LIKE ^(ann|six)$");
    let names: Vec<&str> = text.lines().filter_map(|line| line.split('/').next()).skip(1).take(2).collect();
    assert_eq!(names, ["ann", "six"]);
    assert!(text.ends_with("2 sip peers [Monitored: 1 online, 0 offline Unmonitored: 1 online, 0 offline]\n"));
    assert!(refused(&mut guide(), "sip show peers like (").starts_with("'(' is not a regular expression"));
}

#[test]
fn the_table_of_channels_is_asterisks_to_the_blank() {
    let expected = "\
Channel                                                          Location                         State   Application(Data)             $
SIP/isp-line-00000001                                            (None)                           Up      AppDial((Outgoing Line))      $
SIP/client-line-00000000                                         5551234@default:1                Up      Dial(SIP/isp-line, 20)        $
2 active channels$
1 active call$
1 call processed$
";
    assert_eq!(marked(&told(&mut guide(), "core show channels")), expected);
}

#[test]
fn the_variants_of_the_table_of_channels() {
    let mut fake = guide();
    assert_eq!(
        told(&mut fake, "core show channels concise"),
        "SIP/isp-line-00000001!default!!1!Up!AppDial!(Outgoing Line)!!!home!3!0!!\n\
         SIP/client-line-00000000!default!5551234!1!Up!Dial!SIP/isp-line, 20!client-line!home!!3!3725!5be7!1795232390.0\n"
    );
    fake.counts = (0, 2, 3);
    assert_eq!(told(&mut fake, "core show channels count"), "0 active channels\n2 active calls\n3 calls processed\n");
    let verbose = told(&mut fake, "core show channels verbose");
    let lines: Vec<&str> = verbose.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[..3].iter().all(|line| line.chars().count() == lines[0].chars().count()), "{verbose}");
    assert!(lines[0].ends_with("CallerID        Duration Accountcode PeerAccount BridgeID            "));
    assert!(lines[2].contains("    1 Up      Dial         SIP/isp-line, 20          client-line     01:02:05 "));
    assert!(refused(&mut fake, "core show channels all").starts_with("Usage: core show channels ["));
}

#[test]
fn what_a_caller_dials_makes_no_fields_and_no_colours() {
    let mut fake = guide();
    fake.channels[1].exten = "1!2\x1b[31m\n3".to_owned();
    let concise = told(&mut fake, "core show channels concise");
    assert!(concise.lines().all(|line| line.split('!').count() == 14), "{concise}");
    assert!(concise.contains("!1_2?[31m?3!"));
    assert_eq!(told(&mut fake, "core show channels").lines().count(), 6);
}

#[test]
fn one_peer_in_full() {
    let mut row = row("client-line", "client-line", 5461, PeerStatus::Ok(5));
    row.description = "Modem of the client".to_owned();
    let t38 = T38 { correction: "Redundancy".to_owned(), max_datagram: Some(400) };
    let detail = PeerDetail {
        secret_set: true,
        account: "home".to_owned(),
        caller_name: "Client".to_owned(),
        caller_number: "882".to_owned(),
        from_user: "line2".to_owned(),
        from_domain: "example.net".to_owned(),
        call_limit: 2,
        expires_s: Some(3540),
        direct_media: true,
        secondary: SecondaryMedia { video: true, text: false, t38: Some(t38) },
        max_forwards: 20,
        promiscuous_redirect: true,
        path_support: true,
        path: vec!["<sip:192.0.2.1;lr>".to_owned(), "<sip:192.0.2.2;lr>".to_owned()],
        regexten: "882".to_owned(),
        user_agent: "Linksys/PAP2T\x1b[2J".to_owned(),
        contact: "sip:client-line@127.0.0.1:5461".to_owned(),
        variables: vec![("LINE".to_owned(), "2".to_owned())],
        line_kind: "modem".to_owned(),
        rtp_times: RtpTimes { timeout_s: 30, hold_timeout_s: 300, keepalive_s: 15 },
        ..PeerDetail::bare(row)
    };
    let mut fake = Fake { detail: Some(detail), ..Fake::default() };
    let text = told(&mut fake, "sip show peer client-line load");
    assert_eq!(text, PEER);
    assert_eq!(told(&mut fake, "sip show peer nobody"), "Peer nobody not found.\n");
    assert!(refused(&mut fake, "sip show peer").starts_with("Usage: sip show peer NAME [load]\n       "));
}

const PEER: &str = r#"
  * Name       : client-line
  Description  : Modem of the client
  Secret       : <Set>
  MD5Secret    : <Not set>
  Remote Secret: <Not set>
  Context      : default
  Language     : 
  Accountcode  : home
  CallingPres  : Presentation Allowed, Not Screened
  FromUser     : line2
  FromDomain   : example.net
  Call limit   : 2
  Max forwards : 20
  Dynamic      : Yes
  Callerid     : "Client" <882>
  Expire       : 3540
  Insecure     : no
  Force rport  : No
  Symmetric RTP: No
  ACL          : No
  ContactACL   : No
  DirectMedACL : No
  T.38 support : Yes
  T.38 EC mode : Redundancy
  T.38 MaxDtgrm: 400
  DirectMedia  : Yes
  PromiscRedir : Yes
  Video Support: Yes
  Text Support : No
  Trust RPID   : No
  Send RPID    : No
  Path support : Yes
  Path         : <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>
  TrustIDOutbnd: Legacy
  Line         : modem
  DTMFmode     : rfc2833
  Timer T1     : 500
  Timer B      : 32000
  ToHost       : 
  Addr->IP     : 127.0.0.1:5461
  Defaddr->IP  : (null)
  Prim.Transp. : UDP
  Allowed.Trsp : UDP
  Reg. exten   : 882
  Def. Username: 
  Codecs       : (ulaw|alaw)
  Status       : OK (5 ms)
  Useragent    : Linksys/PAP2T?[2J
  Reg. Contact : sip:client-line@127.0.0.1:5461
  Qualify Freq : 60000 ms
  Keepalive    : 0 ms
  RTP Timeout  : 30 secs
  RTP Hold TO  : 300 secs
  RTP Keepalv  : 15 secs
  Variables    : LINE = 2
  Sess-Timers  : Accept
  Sess-Refresh : uas
  Sess-Expires : 1800 secs
  Min-Sess     : 90 secs

"#;

#[test]
fn what_a_peer_does_not_have_has_no_line() {
    let detail = PeerDetail::bare(row("ann", "ann", 5478, PeerStatus::Unmonitored));
    let text = told(&mut Fake { detail: Some(detail), ..Fake::default() }, "sip show peer ann");
    let labels: Vec<&str> =
        text.lines().filter_map(|line| line.split_once(':')).map(|(label, _)| label.trim()).collect();
    for absent in
        ["Accountcode", "FromUser", "FromDomain", "T.38 EC mode", "T.38 MaxDtgrm", "Path", "Reg. exten", "Variables"]
    {
        assert!(!labels.contains(&absent), "{absent}: {text}");
    }
    for not_built in ["Transfer mode", "Subscriptions", "Pickupgroup", "Mailbox", "Encryption", "RTCP Mux"] {
        assert!(!labels.contains(&not_built), "{not_built}: {text}");
    }
    assert!(text.contains("  T.38 support : No\n  DirectMedia  : No\n"), "{text}");
}

/// `[general]` with nothing in it.
fn settings() -> Settings {
    Settings {
        udp: vec!["0.0.0.0:5060".parse().unwrap()],
        tcp: Vec::new(),
        tls: Vec::new(),
        domains: Vec::new(),
        rtp_ports: (10_000, 20_000),
        secondary: SecondaryMedia { video: false, text: false, t38: None },
        match_auth_username: false,
        allow_guest: false,
        realm: "asterisk".to_owned(),
        always_auth_reject: true,
        user_agent: "strowger/1.2.3".to_owned(),
        reg_context: String::new(),
        caller_id: "asterisk".to_owned(),
        extern_address: None,
        extern_host: String::new(),
        local_nets: Vec::new(),
        codecs: vec!["ulaw".to_owned(), "alaw".to_owned()],
        min_expiry_s: 60,
        max_expiry_s: 3600,
        default_expiry_s: 120,
        context: "default".to_owned(),
        force_rport: NatFlag::AutoNo,
        dtmf_mode: "rfc2833".to_owned(),
        qualify_ms: 0,
        keepalive_s: 0,
        rtp_times: RtpTimes::OFF,
    }
}

#[test]
fn the_settings_in_full() {
    assert_eq!(told(&mut Fake::default(), "sip show settings"), SETTINGS);
}

const SETTINGS: &str = "

Global Settings:
----------------
  UDP Bindaddress:        0.0.0.0:5060
  TCP SIP Bindaddress:    Disabled
  TLS SIP Bindaddress:    Disabled
  RTP Ports:              10000-20000
  Videosupport:           No
  Textsupport:            No
  Match Auth Username:    No
  Allow unknown access:   No
  Our auth realm          asterisk
  Always auth rejects:    Yes
  User Agent:             strowger/1.2.3
  Reg. context:           (not set)
  Caller ID:              asterisk


Network Settings:
-----------------
  SIP address remapping:  Disabled, no localnet list
  Externhost:             <none>
  Externaddr:             (null)
  Localnet:               <none>


Global Signalling Settings:
---------------------------
  Codecs:                 (ulaw|alaw)
  Reg. min duration       60 secs
  Reg. max duration:      3600 secs
  Reg. default duration:  120 secs
  T.38 support:           No


Default Settings:
-----------------
  Context:                default
  Force rport:            Auto (No)
  DTMF:                   rfc2833
  Qualify:                0
  Keepalive:              0
  RTP Timeout:            0
  RTP Hold Timeout:       0
  RTP Keepalive:          0

";

#[test]
fn settings_stand_in_a_column_of_24() {
    let t38 = T38 { correction: "FEC".to_owned(), max_datagram: None };
    let settings = Settings {
        secondary: SecondaryMedia { video: true, text: false, t38: Some(t38) },
        local_nets: vec!["10.0.0.0/8".to_owned(), "192.168.0.0/16".to_owned()],
        extern_address: Some("192.0.2.1:5060".parse().unwrap()),
        ..settings()
    };
    let text = told(&mut Fake { settings: Some(settings), ..Fake::default() }, "sip show settings");
    assert!(
        text.starts_with("\n\nGlobal Settings:\n----------------\n  UDP Bindaddress:        0.0.0.0:5060\n"),
        "{text}"
    );
    assert!(text.contains("\n  SIP address remapping:  Enabled using externaddr\n"));
    assert!(text.contains("\n  Localnet:               10.0.0.0/8\n                          192.168.0.0/16\n"));
    assert!(text.contains("\n  TCP SIP Bindaddress:    Disabled\n"));
    assert!(text.contains("\n  Videosupport:           Yes\n  Textsupport:            No\n"));
    assert!(text.contains("\n  T.38 support:           Yes\n  T.38 EC mode:           FEC\n\n"), "{text}");
}

#[test]
fn counters_tell_each_reason() {
    let drops = vec![("no Via".to_owned(), 3), ("larger than 64 kB".to_owned(), 40)];
    let text = told(&mut Fake { drops, ..Fake::default() }, "sip show counters");
    let line = |reason: &str, count: &str| format!("{reason:<50} {count:>10}\n");
    let expected = line("Dropped because", "Count") + &line("no Via", "3") + &line("larger than 64 kB", "40");
    assert_eq!(text, expected + "43 dropped since the start\n");
}

#[test]
fn uptime_leaves_out_what_is_zero() {
    let second = Duration::from_secs;
    let mut fake = Fake { uptime: (second(788_645), second(0)), ..Fake::default() };
    assert_eq!(
        told(&mut fake, "core show uptime"),
        "System uptime: 1 week, 2 days, 3 hours, 4 minutes, 5 seconds\nLast reload: 0 seconds\n"
    );
    assert_eq!(told(&mut fake, "core show uptime seconds"), "System uptime: 788645\nLast reload: 0\n");
    fake.uptime = (second(31_536_000 + 3600), second(61));
    assert_eq!(told(&mut fake, "core show uptime"), "System uptime: 1 year, 1 hour\nLast reload: 1 minute, 1 second\n");
}

#[test]
fn debugging_goes_on_and_off() {
    let detail = PeerDetail::bare(row("ann", "", 5478, PeerStatus::Unmonitored));
    let mut fake = Fake { detail: Some(detail), ..Fake::default() };
    assert_eq!(told(&mut fake, "sip set debug on"), "SIP Debugging enabled\n");
    assert_eq!(told(&mut fake, "sip debug"), "SIP Debugging re-enabled\n");
    assert_eq!(told(&mut fake, "sip set debug off"), "SIP Debugging Disabled\n");
    assert_eq!(fake.debug, Some(SipDebug::Off));
    assert_eq!(told(&mut fake, "sip set debug ip 10.0.0.7:5061"), "SIP Debugging Enabled for IP: 10.0.0.7:5061\n");
    assert_eq!(fake.debug, Some(SipDebug::Address("10.0.0.7".parse().unwrap(), Some(5061))));
    assert_eq!(told(&mut fake, "sip set debug ip [::1]"), "SIP Debugging Enabled for IP: ::1\n");
    assert_eq!(fake.debug, Some(SipDebug::Address("::1".parse().unwrap(), None)));
    assert_eq!(told(&mut fake, "sip set debug peer ann"), "SIP Debugging Enabled for IP: 127.0.0.1:5478\n");
    assert_eq!(fake.debug, Some(SipDebug::Peer("ann".to_owned())));
    assert!(refused(&mut fake, "sip set debug peer bob").ends_with("Command 'sip set debug peer bob' failed.\n"));
    assert!(refused(&mut fake, "sip set debug ip gateway").starts_with("'gateway' is not an IP address"));
}

#[test]
fn rtp_packets_are_shown_as_asked() {
    let mut fake = Fake::default();
    assert_eq!(told(&mut fake, "rtp set debug on"), "RTP Packet Debugging Enabled\n");
    assert_eq!(fake.rtp_debug, Some(RtpDebug::On));
    let enabled = "RTP Packet Debugging Enabled for address: [::1]:4000\n";
    assert_eq!(told(&mut fake, "rtp set debug ip [::1]:4000"), enabled);
    assert_eq!(fake.rtp_debug, Some(RtpDebug::Address("::1".parse().unwrap(), Some(4000))));
    assert!(refused(&mut fake, "rtp set debug ip gateway").starts_with("'gateway' is not an IP address"));
    assert!(refused(&mut fake, "rtp set debug on please").starts_with("Usage: rtp set debug on\n"));
    assert_eq!(told(&mut fake, "rtp no debug"), "RTP Packet Debugging Disabled\n");
    assert_eq!(fake.rtp_debug, Some(RtpDebug::Off));
}

#[test]
fn the_log_is_told_what_to_do() {
    let mut fake = Fake::default();
    for line in ["logger show channels", "logger rotate", "logger reload"] {
        assert_eq!(told(&mut fake, line), "");
    }
    assert!(refused(&mut fake, "logger rotate messages").starts_with("Usage: logger rotate\n"));
    assert_eq!(fake.log, [LogOrder::Show, LogOrder::Rotate, LogOrder::Reload]);
}

#[test]
fn channels_are_asked_to_hang_up() {
    let mut fake = guide();
    assert_eq!(told(&mut fake, "channel request hangup SIP/x"), "SIP/x is not a known channel\n");
    let one = "Requested Hangup on channel 'SIP/isp-line-00000001'\n";
    assert_eq!(told(&mut fake, "hangup request SIP/isp-line-00000001"), one);
    assert_eq!(told(&mut fake, "channel request hangup /isp/"), one);
    assert_eq!(told(&mut fake, "soft hangup all").lines().count(), 2);
    assert_eq!(fake.hung_up.len(), 4);
}

#[test]
fn channels_are_redirected() {
    let mut fake = guide();
    let name = "SIP/isp-line-00000001";
    let done = format!("Channel '{name}' successfully redirected to default,100,1\n");
    assert_eq!(told(&mut fake, &format!("channel redirect {name} default,100,1")), done);
    let unknown = refused(&mut fake, "channel redirect SIP/x default,100,1");
    assert!(unknown.starts_with("Channel 'SIP/x' not found\n"), "{unknown}");
    let failed = refused(&mut fake, &format!("channel redirect {name} nowhere,1"));
    assert!(failed.starts_with(&format!("Channel '{name}' failed to be redirected to nowhere,1\n")), "{failed}");
    assert!(refused(&mut fake, "channel redirect SIP/x").starts_with("Usage: channel redirect"));
}

#[test]
fn stopping_says_what_becomes_of_the_calls() {
    let mut fake = guide();
    assert!(run("core stop", &mut fake).failed);
    assert!(run("core stop now please", &mut fake).failed);
    assert_eq!(fake.stopped, None);
    assert_eq!(told(&mut fake, "core stop gracefully"), "Stopping when 1 call has ended; no new ones are taken.\n");
    assert_eq!(fake.stopped, Some(Stop::Gracefully));
    assert_eq!(told(&mut fake, "stop now"), "Stopping; 1 call will be ended.\n");
    assert_eq!(fake.stopped, Some(Stop::Now));
}

#[test]
fn waiting_for_the_start_has_no_answer_yet() {
    let mut fake = Fake::default();
    assert_eq!(run("core waitfullybooted", &mut fake), Output { not_yet: true, ..Output::default() });
    fake.booted = true;
    assert_eq!(told(&mut fake, "core waitfullybooted"), "strowger has fully booted.\n");
}

#[test]
fn the_dialplan_prints_itself_or_says_what_does_not_exist() {
    let mut fake = Fake::default();
    assert_eq!(told(&mut fake, "dialplan show"), "-= 1 extension (1 priority) in 1 context. =-\n");
    assert_eq!(told(&mut fake, "show dialplan default"), "-= 1 extension (1 priority) in 1 context. =-\n");
    assert_eq!(
        refused(&mut fake, "dialplan show \"no such\""),
        "There is no existence of 'no such' context\nCommand 'dialplan show \"no such\"' failed.\n"
    );
}

#[test]
fn every_spelling_of_a_reload_asks_for_one() {
    let mut fake = Fake::default();
    for line in ["reload", "module reload", "core reload", "sip reload", "dialplan reload", "extensions reload"] {
        assert!(!run(line, &mut fake).failed, "{line}");
    }
    for line in ["module reload chan_sip.so", "reload pbx_config", "module reload RES_RTP_ASTERISK.so"] {
        assert!(!run(line, &mut fake).failed, "{line}");
    }
    let module = |name: &str| Reload::Module(name.to_owned());
    let asked = [Reload::All, Reload::All, Reload::All, Reload::Sip, Reload::Dialplan, Reload::Dialplan];
    let modules = [module("chan_sip.so"), module("pbx_config"), module("RES_RTP_ASTERISK.so")];
    assert_eq!(fake.reloads, [&asked[..], &modules[..]].concat());
    assert!(refused(&mut fake, "module reload app_juggle.so").starts_with("There is no module 'app_juggle.so' here"));
    for line in ["sip reload now", "core reload x", "dialplan reload x", "reload chan_sip pbx_config"] {
        assert!(refused(&mut fake, line).starts_with("Usage: "), "{line}");
    }
    assert_eq!(fake.reloads.len(), 9);
}

#[test]
fn a_restart_says_what_it_waits_for() {
    let mut fake = guide();
    fake.counts.1 = 2;
    let text = told(&mut fake, "core restart gracefully");
    assert_eq!(text, "Restarting when 2 calls have ended; no new ones are taken.\n");
    assert_eq!(fake.restarted, Some(Stop::Gracefully));
    assert_eq!(told(&mut fake, "restart now"), "Restarting; 2 calls will be ended.\n");
    assert_eq!((fake.restarted, fake.stopped), (Some(Stop::Now), None));
    fake.counts.1 = 0;
    assert_eq!(told(&mut fake, "core restart now"), "Restarting.\n");
    assert!(refused(&mut fake, "core restart now please").starts_with("Usage: "));
}

#[test]
fn users_show_whether_a_secret_is_set_and_never_which() {
    let user = |name: &str, secret_set| UserRow {
        name: name.to_owned(),
        secret_set,
        account: "home".to_owned(),
        context: "default".to_owned(),
        acl: secret_set,
        force_rport: NatFlag::AutoNo,
    };
    let mut fake = Fake { users: vec![user("client-line", true), user("ann", false)], ..Fake::default() };
    let expected = "\
Username                   Secret           Accountcode      Def.Context      ACL  Forcerport$
ann                        <Not set>        home             default          No   Auto (No) $
client-line                <Set>            home             default          Yes  Auto (No) $
";
    assert_eq!(marked(&told(&mut fake, "sip show users")), expected);
}

#[test]
fn lines_in_use_are_counted_against_their_limit() {
    let line = |name: &str, limit| InUse { name: name.to_owned(), in_use: 2, ringing: 1, on_hold: 0, limit };
    let mut fake = Fake { in_use: vec![line("b", 3), line("a", 0)], ..Fake::default() };
    let head = "* Peer name               In use          Limit          $\n";
    let limited = "b                         2/1/0           3              $\n";
    let unlimited = "a                         2/1/0           N/A            $\n";
    assert_eq!(marked(&told(&mut fake, "sip show inuse")), format!("{head}{limited}"));
    assert_eq!(marked(&told(&mut fake, "sip show inuse all")), format!("{head}{unlimited}{limited}"));
    assert!(refused(&mut fake, "sip show inuse some").starts_with("Usage: sip show inuse [all]"));
}

#[test]
fn the_table_of_sip_channels_is_chan_sips_to_the_blank() {
    let row = SipChannelRow {
        host: LOCAL,
        user: "882".to_owned(),
        call_id: "0c9f2e1b77aa8d6f@127.0.0.1".to_owned(),
        codecs: vec!["ulaw".to_owned()],
        on_hold: false,
        last_message: "Rx: ACK".to_owned(),
        peer: "client-line".to_owned(),
    };
    let early = SipChannelRow {
        user: String::new(),
        call_id: String::new(),
        codecs: Vec::new(),
        last_message: "Tx: INVITE".to_owned(),
        peer: String::new(),
        ..row.clone()
    };
    let mut fake = Fake { sip_channels: vec![row, early], ..Fake::default() };
    let expected = "\
Peer             User/ANR         Call ID          Format           Hold     Last Message    Expiry     Peer      $
127.0.0.1        882              0c9f2e1b77aa8d6  (ulaw)           No       Rx: ACK                    client-lin$
127.0.0.1                                          (nothing)        No       Tx: INVITE                           $
2 active SIP dialogs$
";
    assert_eq!(marked(&told(&mut fake, "sip show channels")), expected);
    fake.sip_channels.pop();
    assert!(told(&mut fake, "sip show channels").ends_with("\n1 active SIP dialog\n"));
}

#[test]
fn registrations_of_ours_stand_in_asterisks_columns() {
    let expected = "\
Host                                    dnsmgr Username       Refresh State                Reg.Time                 $
sip.itsp.example:5060                   Y      4711               105 Registered           Sat, 28 Nov 2026 12:00:00$
192.0.2.9:5070                          N      4711               105 Request Sent                                  $
2 SIP registrations.$
";
    assert_eq!(marked(&told(&mut Fake::default(), "sip show registry")), expected);
}

#[test]
fn mailboxes_elsewhere_stand_in_asterisks_columns() {
    let expected = "\
Host                            Username      Mailbox     Subscribed$
sip.itsp.example:5060           4711          100@SIP_Re  Yes       $
192.0.2.9:5070                  4711          7@home      No        $
";
    assert_eq!(marked(&told(&mut Fake::default(), "sip show mwi")), expected);
}

#[test]
fn codes_stand_in_asterisks_columns() {
    let codes = vec![("Pickup", "*8".to_owned(), "*7".to_owned()), ("Park Call", String::new(), "#72".to_owned())];
    let mut fake = Fake { features: FeatureRows { codes, ..FeatureRows::default() }, ..Fake::default() };
    let row = |name: &str, default: &str, current: &str| format!("{name:<25} {default:<7} {current:<7}\n");
    let expected = [
        row("Builtin Feature", "Default", "Current"),
        row("---------------", "-------", "-------"),
        row("Pickup", "*8", "*7"),
        row("Park Call", "", "#72"),
        "\n".to_owned(),
        row("Dynamic Feature", "Default", "Current"),
        row("---------------", "-------", "-------"),
        "(none)\n".to_owned(),
    ];
    assert_eq!(told(&mut fake, "features show"), expected.concat());
}

#[test]
fn lots_are_shown_with_the_calls_that_wait() {
    let call = ParkedRow { slot: 701, channel: "SIP/a-00000001".into(), parker: "SIP/b".into(), left_s: 40 };
    let lot = LotRow {
        name: "default".into(),
        extension: "700".into(),
        context: "parkedcalls".into(),
        places: (701, 720),
        time_s: 45,
        comes_back_to_parker: true,
        comeback_context: "parkedcallstimeout".into(),
        comeback_time_s: 30,
        calls: vec![call],
        ..LotRow::default()
    };
    let mut fake = Fake { features: FeatureRows { lots: vec![lot], ..FeatureRows::default() }, ..Fake::default() };
    let text = told(&mut fake, "parking show");
    assert_eq!(text, told(&mut fake, "parking show DEFAULT"));
    assert!(text.starts_with("Parking Lot: default\n-----"), "{text}");
    for row in [
        "\nParking Extension   :  700\n",
        "\nParking Spaces      :  701-720\n",
        "\nComeback Context    :  parkedcallstimeout (comebacktoorigin=yes, not used)\n",
        "\n  Space               :  701\n  Channel             :  SIP/a-00000001\n  Parker Dial String  :  SIP/b\n",
        "\n  Parking Time        :  40 sec left\n",
    ] {
        assert!(text.contains(row), "{row:?} in {text}");
    }
    assert!(refused(&mut fake, "parking show shop").starts_with("Could not find parking lot: 'shop'\n"));
}

#[test]
fn hints_stand_in_asterisks_columns() {
    let hint = HintRow {
        exten: "601".to_owned(),
        context: "default".to_owned(),
        devices: "SIP/x".to_owned(),
        state: DeviceState::InUseRinging,
        watchers: 3,
    };
    let mut fake = Fake { hints: vec![hint], ..Fake::default() };
    let expected = format!(
        "\n    -= Registered Asterisk Dial Plan Hints =-\n{:<30}: {:<60}  State:{:<15} Presence:{:<15} Watchers  3\n\
         ----------------\n- 1 hints registered\n",
        "601@default", "SIP/x", "InUse&Ringing", "not_set"
    );
    assert_eq!(told(&mut fake, "core show hints"), expected);
    assert_eq!(told(&mut Fake::default(), "core show hints"), "There are no registered dialplan hints\n");
    let one = format!(
        "{:<30}: {:<60}  State:{:<15} Presence:{:<15} Watchers  3\n----------------\n- 1 hint matching extension 601\n",
        "601@default", "SIP/x", "InUse&Ringing", "not_set"
    );
    assert_eq!(told(&mut fake, "core show hint 601"), one);
    assert_eq!(told(&mut fake, "core show hint 601@default"), one);
    assert_eq!(told(&mut fake, "core show hint 601@other"), "No hints matching extension 601\n");
}

#[test]
fn subscriptions_stand_in_asterisks_columns() {
    let row = SubscriptionRow {
        host: "192.0.2.30".into(),
        line: "desk".into(),
        call_id: "b7a1@192.0.2.30".into(),
        exten: "601@default".into(),
        state: "InUse".into(),
        kind: "dialog-info+xml".into(),
        mailbox: "<none>".into(),
        expiry_s: 3599,
    };
    let mut fake = Fake { subscriptions: vec![row], ..Fake::default() };
    let expected = "\
Peer             User             Call ID          Extension        Last state     Type            Mailbox    Expiry
192.0.2.30       desk             b7a1@192.0.2.30  601@default      InUse          dialog-info+xml <none>     003599
1 active SIP subscription
";
    assert_eq!(told(&mut fake, "sip show subscriptions"), expected);
}

#[test]
fn custom_devices_are_changed_and_listed() {
    let mut fake = Fake::default();
    assert_eq!(told(&mut fake, "devstate change Custom:night InUse"), "Changing Custom:night to INUSE\n");
    assert!(told(&mut fake, "devstate list").contains("--- Name: 'Custom:night'  State: 'INUSE'\n"));
}

#[test]
fn applications_and_functions_explain_themselves() {
    let mut fake = Fake::default();
    let list = "    -= Registered Asterisk Applications =-\n              Answer: Answer the call\n                \
                Dial: Call a line\n    -= 2 Applications Registered =-\n";
    assert_eq!(told(&mut fake, "core show applications"), list);
    let some = told(&mut fake, "core show applications like ^d");
    assert!(some.contains("Dial: Call") && !some.contains("Answer") && some.ends_with("1 Applications Matching =-\n"));
    assert_eq!(
        told(&mut fake, "core show application ANSWER"),
        "\n  -= Info about application 'Answer' =- \n\n[Synopsis]\nAnswer the call\n\n[Description]\nAnswers.\n\n\
         [Syntax]\nAnswer([delay])\n\n"
    );
    assert!(told(&mut fake, "core show function len").contains("[Syntax]\nLEN(text)\n"));
    let functions = told(&mut fake, "core show functions");
    assert!(
        functions.ends_with(&format!(
            "{:<20}  {:<35}  How many letters\n1 custom functions installed.\n",
            "LEN", "LEN(text)"
        ))
    );
    assert!(refused(&mut fake, "core show application Juggle").starts_with("There is no application 'Juggle'"));
    assert!(refused(&mut fake, "core show functions like (").starts_with("'(' is not"));
}

#[test]
fn one_channel_in_full() {
    let mut row = guide().channels.remove(1);
    row.data = "SIP/isp-line, 20\x1b[2J".to_owned();
    let channel = ChannelDetail {
        row,
        state: ChannelState::Up,
        linked_id: "1795232390.0".to_owned(),
        caller_name: "Client".to_owned(),
        connected_number: String::new(),
        connected_name: String::new(),
        dialled: "5551234".to_owned(),
        language: "en".to_owned(),
        codecs: vec!["ulaw".to_owned(), "alaw".to_owned()],
        direction: "sendrecv".to_owned(),
        call_id: "abc".to_owned(),
        variables: vec![("DIALSTATUS".to_owned(), "".to_owned()), ("X".to_owned(), "1".to_owned())],
    };
    let mut fake = Fake { channel: Some(channel), ..Fake::default() };
    let text = told(&mut fake, "core show channel SIP/client-line-00000000");
    let head = " -- General --\n           Name: SIP/client-line-00000000\n           Type: SIP\n       UniqueID: ";
    assert!(text.starts_with(head), "{text}");
    for line in [
        "      Caller ID: client-line",
        "Connected Line ID: (N/A)",
        "          State: Up (6)",
        "  NativeFormats: (ulaw|alaw)",
        "    WriteFormat: ulaw",
        "   Elapsed Time: 1h2m5s",
        " --   PBX   --",
        "      Extension: 5551234",
        "    Application: Dial",
        "           Data: SIP/isp-line, 20?[2J",
        "      Variables:",
        "DIALSTATUS=",
        "X=1",
        " -- Streams --",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}: {text}");
    }
    for not_built in ["WriteTranscode", "Time to Hangup", "Call Group", "Pickup Group", "CDR Variables"] {
        assert!(!text.contains(not_built), "{not_built}: {text}");
    }
    assert_eq!(told(&mut fake, "core show channel SIP/x"), "SIP/x is not a known channel\n");
}

#[test]
fn calls_and_the_process_are_told_in_short() {
    let mut fake = guide();
    assert_eq!(told(&mut fake, "core show calls"), "1 active call\n1 call processed\n");
    let uptime = "1 active call\n1 call processed\nSystem uptime: 0 seconds\nLast reload: 0 seconds\n";
    assert_eq!(told(&mut fake, "core show calls uptime"), uptime);
    let settings = told(&mut fake, "core show settings");
    assert!(
        settings.starts_with("\nPBX Core settings\n-----------------\n  Version:                     strowger 1.2.3\n")
    );
    assert!(settings.contains("  Maximum channels:            4000 (Current 2)\n"), "{settings}");
    assert!(settings.contains("  Configuration directory:     /etc/x\n"), "{settings}");
}

#[test]
fn a_line_can_be_asked_and_forgotten() {
    let mut fake = Fake::default();
    let asked = "Qualifying peer 'ann'; 'sip show peer ann' shows the result.\n";
    assert_eq!(told(&mut fake, "sip qualify peer ann load"), asked);
    assert_eq!(
        told(&mut fake, "sip notify snom-reboot ann"),
        "Sending NOTIFY of type 'snom-reboot' to 'ann'; the log says what it answers\n"
    );
    assert!(refused(&mut fake, "sip notify snom-reboot ann fresh").contains("'fresh': it is not registered"));
    let near = refused(&mut fake, "sip notify snom-reboot anm");
    assert!(near.contains("there is no such peer"), "{near}");
    assert!(refused(&mut fake, "sip notify x ann").contains("There are: linksys-check-cfg, snom-reboot"));
    assert!(refused(&mut fake, "sip qualify peer static1").contains("qualify=yes"));
    assert!(refused(&mut fake, "sip qualify peer fresh").contains("not registered"));
    assert!(refused(&mut fake, "sip qualify peer x").starts_with("Peer 'x' not found"));
    assert_eq!(told(&mut fake, "sip unregister ann"), "Unregistered peer 'ann'\n");
    assert_eq!(told(&mut fake, "sip unregister fresh"), "Peer fresh not registered\n");
    assert_eq!(told(&mut fake, "sip unregister x"), "Peer unknown: 'x'. Not unregistered.\n");
}

#[test]
fn verbosity_is_the_consoles_own() {
    let wish =
        |line: &str| run(line, &mut Fake::default()).verbose.map(|wish| (wish.level, wish.at_least, wish.silent));
    assert_eq!(wish("core set verbose 4"), Some((4, false, false)));
    assert_eq!(wish("core set verbose ATLEAST 3 silent"), Some((3, true, true)));
    assert_eq!(wish("set verbose off"), Some((0, false, false)));
    for bad in [
        "core set verbose",
        "core set verbose atleast",
        "core set verbose -1",
        "core set verbose 256",
        "core set verbose silent",
    ] {
        assert!(run(bad, &mut Fake::default()).failed, "{bad}");
    }
    assert!(told(&mut Fake::default(), "core set debug 3").contains("core set verbose 4"));
    assert_eq!(told(&mut Fake::default(), "core set debug atleast 0 silent"), "");
}

#[test]
fn words_are_neither_abbreviated_nor_case_sensitive() {
    let mut fake = Fake::default();
    assert_eq!(
        refused(&mut fake, "sip sh pe"),
        "No such command 'sip sh pe' (type 'core show help sip' for other possible commands)\n\
         Did you mean 'sip show peer'?\n"
    );
    assert_eq!(told(&mut fake, "  CORE  Show\tVERSION "), "strowger 1.2.3 on a armv7 running linux\n");
    assert_eq!(run("   ", &mut fake), Output::default());
    assert!(refused(&mut fake, "sip \x1b[2J").contains("'sip ?[2J'"));
}

#[test]
fn help_lists_and_explains() {
    let mut fake = Fake::default();
    let all = told(&mut fake, "help");
    assert_eq!(all.lines().count(), TABLE.len());
    assert!(all.contains("\n                sip show peers  Show the peers\n"), "{all}");
    let usage = told(&mut fake, "core show help sip show peers");
    assert!(usage.starts_with("Usage: sip show peers [like REGEX]\n       Lists the peers"), "{usage}");
    assert_eq!(told(&mut fake, "core show help SIP show p").lines().count(), 2);
    assert!(refused(&mut fake, "core show help juggle").starts_with("No command begins with 'juggle'"));
}

#[test]
fn every_row_of_the_table_is_usable() {
    for command in TABLE {
        assert_eq!(command.words, command.words.to_lowercase());
        assert!(TABLE.iter().filter(|other| other.words == command.words).count() == 1, "{}", command.words);
        assert!(!command.synopsis.is_empty() && !command.synopsis.ends_with('.'), "{}", command.words);
        assert!(command.usage().lines().all(|line| line.chars().count() <= 100), "{}", command.usage());
        assert!(command.words.len() <= 30, "{} does not fit into the list of commands", command.words);
    }
    for (alias, meant) in ALIASES {
        assert!(TABLE.iter().any(|command| command.words == *meant), "{alias}");
        assert!(!TABLE.iter().any(|command| command.words == *alias), "{alias}");
    }
    let words: Vec<&str> = TABLE.iter().map(|command| command.words).collect();
    assert!(words.is_sorted(), "the list of commands is shown in this order");
}

#[test]
fn the_reference_page_has_every_command_and_alias() {
    let page = include_str!("../../../docs/reference/console.md");
    for command in TABLE {
        let heading = format!("{} {}", command.words, command.arguments);
        assert!(page.contains(&format!("\n### `{}`\n", heading.trim())), "{heading}");
    }
    for (alias, meant) in ALIASES {
        assert!(page.contains(&format!("| `{alias}` | `{meant}` |")), "{alias}");
    }
}

#[test]
fn completion_knows_words_peers_channels_and_contexts() {
    let mut fake = guide();
    assert_eq!(complete("sip show pe", &fake), ["peer", "peers"]);
    assert_eq!(complete("SIP SHOW PE", &fake), ["peer", "peers"]);
    assert_eq!(complete("sip set debug ", &fake), ["ip", "off", "on", "peer"]);
    assert_eq!(complete("sip show peer s", &fake), ["six", "static1"]);
    assert_eq!(complete("sip show peer six ", &fake), ["load"]);
    assert_eq!(complete("core show channels co", &fake), ["concise", "count"]);
    assert_eq!(complete("channel request hangup SIP/cl", &fake), ["SIP/client-line-00000000"]);
    assert_eq!(complete("dialplan show d", &fake), ["default", "dial-out"]);
    assert_eq!(complete("core show application d", &fake), ["Dial"]);
    assert_eq!(complete("core show help sip set debug p", &fake), ["peer"]);
    assert_eq!(complete("help core st", &fake), ["stop"]);
    assert_eq!(serve("_complete sip show pe", &mut fake).text, "peer\npeers\n");
    assert_eq!(complete("juggle ", &fake), Vec::<String>::new());
    assert!(complete("", &fake).contains(&"core".to_owned()));
    fake.peers[0].name = "s\x1b".to_owned();
    assert!(complete("sip show peer s", &fake).contains(&"s?".to_owned()));
}

#[test]
fn no_line_breaks_the_console() {
    let mut rng = Rng::from_number(11);
    let seeds: Vec<String> = names().map(|name| format!("{name} \"a\\ b\" like ^x")).collect();
    let mut fake = guide();
    for turn in 0..20_000u64 {
        let mut bytes = seeds[rng.below(seeds.len() as u64) as usize].clone().into_bytes();
        for _ in 0..rng.below(4) {
            let at = rng.below(bytes.len() as u64) as usize;
            match rng.below(3) {
                0 => bytes[at] = rng.bits() as u8,
                1 => bytes.insert(at, rng.bits() as u8),
                _ => bytes.truncate(at + 1),
            }
        }
        let line = String::from_utf8_lossy(&bytes);
        let output = run(&line, &mut fake);
        let is_clean = output.text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control());
        assert!(
            is_clean && (output.text.is_empty() || output.text.ends_with('\n')),
            "turn {turn}: {line:?} {output:?}"
        );
        complete(&line, &fake);
    }
}

#[test]
fn the_database_speaks_as_scripts_know_it() {
    let mut fake = Fake::default();
    let mut say = |line: &str| {
        let output = run(line, &mut fake);
        (output.text, output.failed)
    };
    let done = |text: &str| (text.to_owned(), false);
    assert_eq!(say("database put cid 5551234 \"Aunt Ada\""), done("Updated database successfully\n"));
    assert_eq!(say("database put cid 777 Bob"), done("Updated database successfully\n"));
    assert_eq!(say("database put dnd 777 1"), done("Updated database successfully\n"));
    assert_eq!(say("database get cid 5551234"), done("Value: Aunt Ada\n"));
    assert_eq!(say("database get cid 1"), done("Database entry not found.\n"));
    let ada = format!("{:<50}: {:<25}\n", "/cid/5551234", "Aunt Ada");
    let bob = format!("{:<50}: {:<25}\n", "/cid/777", "Bob");
    let dnd = format!("{:<50}: {:<25}\n", "/dnd/777", "1");
    assert_eq!(say("database show"), done(&format!("{ada}{bob}{dnd}3 results found.\n")));
    assert_eq!(say("database show cid"), done(&format!("{ada}{bob}2 results found.\n")));
    assert_eq!(say("database show cid 777"), done(&format!("{bob}1 results found.\n")));
    assert_eq!(say("database show ci"), done("0 results found.\n"));
    assert_eq!(say("database showkey 777"), done(&format!("{bob}{dnd}2 results found.\n")));
    assert_eq!(say("database put a b c"), done("Updated database successfully\n"));
    assert!(say("database put a c d").0.starts_with("Failed to update entry: the database is full\n"));
    assert_eq!(say("database del a b"), done("Database entry removed.\n"));
    assert_eq!(say("database del a b"), done("Database entry could not be removed.\n"));
    assert_eq!(say("database deltree cid"), done("2 database entries removed.\n"));
    assert_eq!(say("database deltree dnd 777"), done("1 database entries removed.\n"));
    assert_eq!(say("database deltree cid"), done("Database entries do not exist.\n"));
    assert!(
        say("database put a").1 && say("database get a").1 && say("database show a b c").1 && say("database del a").1
    );
}

#[test]
fn connections_are_listed_by_who_made_them() {
    let text = told(&mut Fake::default(), "sip show tcp");
    let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["192.0.2.9:40000", "TCP", "Server", "Yes", "7", "s"]);
    assert_eq!(rows[2], ["[2001:db8::1]:5061", "TLS", "Client", "No", "7", "s"]);
    assert_eq!(rows[3], ["2", "connections"]);
}

#[test]
fn an_unknown_command_names_the_nearest_and_help_that_exists() {
    let mut fake = Fake::default();
    for (typed, help, near) in [
        ("sip show pears", "core show help sip show", Some("sip show peers")),
        ("sip show peeers like x", "core show help sip show", Some("sip show peers")),
        ("core shwo channels", "core show help core", Some("core show channels")),
        ("core show chanels concise", "core show help core show", Some("core show channels")),
        ("relaod", "core show help", Some("reload")),
        ("sip peers", "core show help sip", Some("sip show peers")),
        ("peers", "core show help", Some("sip show peers")),
        ("stop", "core show help", Some("stop gracefully")),
        ("sip show", "core show help sip show", None),
        ("dialplan show gloabls x", "core show help dialplan show", None),
        ("juggle", "core show help", None),
    ] {
        let said = refused(&mut fake, typed);
        if typed.starts_with("dialplan") {
            // 'dialplan show' is a command; what follows are too many arguments for it.
            assert!(said.starts_with("Usage: dialplan show"), "{said}");
            continue;
        }
        let near = near.map(|name| format!("Did you mean '{name}'?\n")).unwrap_or_default();
        let expected = format!("No such command '{typed}' (type '{help}' for other possible commands)\n{near}");
        assert_eq!(said, expected);
        assert!(!run(help, &mut fake).failed, "{help}");
    }
    let said = refused(&mut fake, "core show help sip show pears");
    assert!(said.starts_with("No command begins with 'sip show pears'. Did you mean 'sip show peers'? "), "{said}");
}

#[test]
fn an_unknown_name_names_the_nearest() {
    let mut fake = guide();
    assert_eq!(told(&mut fake, "sip show peer anm"), "Peer anm not found.\nDid you mean 'ann'?\n");
    assert!(refused(&mut fake, "sip qualify peer anm").starts_with("Peer 'anm' not found. Did you mean 'ann'? 'sip"));
    assert!(refused(&mut fake, "sip set debug peer anm").starts_with("No such peer 'anm'. Did you mean 'ann'? 'sip"));
    assert!(run("sip unregister anm", &mut fake).text.contains("Not unregistered. Did you mean 'ann'?\n"));
    let said = refused(&mut fake, "core show application Dail");
    assert!(said.starts_with("There is no application 'Dail'. Did you mean 'Dial'? 'core show applications' lists"));
    let said = refused(&mut fake, "core show function LNE");
    assert!(said.starts_with("There is no function 'LNE'. Did you mean 'LEN'? 'core show functions' lists"));
}

#[test]
fn global_variables_are_listed_in_every_spelling() {
    let mut fake = Fake::default();
    for line in ["dialplan show globals", "core show globals", "show globals", "Dialplan Show Globals"] {
        assert_eq!(told(&mut fake, line), "   RINGTIME=20\n   TRUNK=SIP/out?\n\n    -- 2 variable(s)\n");
    }
    assert!(refused(&mut fake, "dialplan show globals x").starts_with("Usage: dialplan show globals"));
}

#[test]
fn a_call_is_begun_to_an_application_or_an_extension() {
    let mut fake = guide();
    assert_eq!(told(&mut fake, "channel originate SIP/ann application dial SIP/x, 20"), "");
    assert_eq!(told(&mut fake, "originate SIP/ann extension 5@dial-out"), "");
    assert_eq!(told(&mut fake, "channel originate SIP/ann extension"), "");
    let originate = |goal| ConsoleOrder::Originate { target: "SIP/ann".to_owned(), goal };
    let extension = |exten: &str, context: &str| OriginateGoal::Extension(exten.to_owned(), context.to_owned());
    let expected = [
        originate(OriginateGoal::Application("dial".to_owned(), "SIP/x, 20".to_owned())),
        originate(extension("5", "dial-out")),
        originate(extension("s", "default")),
    ];
    assert_eq!(fake.orders, expected);
    assert!(refused(&mut fake, "channel originate SIP/ann application Nonsense").contains("no application 'Nonsense'"));
    assert!(refused(&mut fake, "channel originate SIP/ann extension 5@mars").contains("'mars' context"));
    assert!(refused(&mut fake, "channel originate SIP/ann").starts_with("Usage: channel originate "));
    assert_eq!(complete("channel originate SIP/ann e", &fake), ["extension"]);
}

#[test]
fn a_global_variable_is_set_and_a_stop_taken_back() {
    let mut fake = guide();
    let said = told(&mut fake, "dialplan set global TRUNK \"SIP/a b\"");
    assert_eq!(said, "\n    -- Global variable 'TRUNK' set to 'SIP/a b'\n");
    assert!(refused(&mut fake, "core abort shutdown").starts_with("Nothing stops."));
    told(&mut fake, "core stop gracefully");
    assert_eq!(told(&mut fake, "core abort shutdown"), "Not stopping; calls are taken again.\n");
    assert_eq!(told(&mut fake, "core ping"), "strowger answers.\n");
    let set = ConsoleOrder::SetGlobal { name: "TRUNK".to_owned(), value: "SIP/a b".to_owned() };
    assert_eq!(fake.orders, [set, ConsoleOrder::AbortStop]);
}

#[test]
fn what_the_exchange_is_made_of() {
    let expected = "\
Type             Description                              Devicestate   Presencestate Indications   Transfer     $
-----------      -----------                              -----------   ------------- -----------   -----------  $
Local            Local Proxy Channel Driver               no            no            yes           no           $
SIP              Session Initiation Protocol (SIP)        yes           no            yes           no           $
----------$
2 channel drivers registered.$
";
    assert_eq!(marked(&told(&mut guide(), "core show channeltypes")), expected);
    let codecs = told(&mut guide(), "core show codecs audio");
    let rows: Vec<&str> = codecs.lines().skip(1).collect();
    assert_eq!(rows[0], "      ID TYPE  NAME         FORMAT           DESCRIPTION");
    assert_eq!(rows[2], "       1 audio ulaw         ulaw             (G.711 u-law)");
    assert_eq!(told(&mut guide(), "core show codecs video").lines().count(), 3);
    let table = told(&mut guide(), "core show translation");
    assert!(table.contains("\n        ulaw  g729\n  ulaw     -     -\n  g729     -     -\n"), "{table}");
}

#[test]
fn the_modules_are_found_by_a_part_of_their_name() {
    let text = told(&mut guide(), "module show like chan_sip.so");
    let expected = "\
Module                         Description                              Use Count  Status      Support Level$
chan_sip.so                    Session Initiation Protocol (SIP)        1          Running              core$
1 module loaded$
";
    assert_eq!(marked(&text), expected);
    assert!(told(&mut guide(), "module show").lines().count() > 20);
    assert_eq!(told(&mut guide(), "module show like nothing").lines().last(), Some("0 modules loaded"));
}

#[test]
fn objects_and_domains() {
    let mut fake = guide();
    let text = told(&mut fake, "sip show objects");
    assert!(
        text.starts_with("-= Peer objects: 6 static, 0 realtime, 0 autocreate =-\n\nname: ann\ntype: peer\n"),
        "{text}"
    );
    assert_eq!((text.matches("name: fresh").count(), text.matches("name: six").count()), (1, 2));
    assert_eq!(told(&mut fake, "sip show domains"), "SIP Domain support not enabled.\n\n");
    let domain = |name: &str, context: &str, automatic: bool| DomainRow {
        name: name.to_owned(),
        context: context.to_owned(),
        automatic,
    };
    let domains = vec![domain("home.example", "inside", false), domain("192.0.2.1", "", true)];
    fake.settings = Some(Settings { domains, ..settings() });
    let expected = "\
Our local SIP domains:                   Context              Set by          $
home.example                             inside               [Configured]    $
192.0.2.1                                (default)            [Automatic]     $
$
";
    assert_eq!(marked(&told(&mut fake, "sip show domains")), expected);
}

#[test]
fn channelstats_has_the_columns_of_chan_sip() {
    let text = told(&mut Fake::default(), "sip show channelstats");
    let expected = "\
Peer             Call ID      Duration Recv: Pack  Lost       (     %) Jitter Send: Pack  Lost       (     %) Jitter
192.168.1.20     0123456789a  01:02:05 186       K 12         ( 0.01%) 0.0014 99000       1000       ( 1.00%) 0.0000
1 active SIP channel
";
    assert_eq!(text, expected);
}

#[test]
fn the_latest_line_test_is_shown_that_of_a_line_all_and_as_json() {
    let mut fake = Fake::default();
    let ata = "SIP/ata-00000002, 2026-11-30 03:12:00 UTC\nThe line is good for modems.\nMeasured:\n";
    let desk = "SIP/desk-00000001, 2026-11-30 03:12:00 UTC\nThe line is bad.\nMeasured:\n";
    for line in ["linetest show", "linetest show last", "linetest show ata", "linetest show SIP/ata-00000002"] {
        assert_eq!(told(&mut fake, line), ata, "{line}");
    }
    assert_eq!(told(&mut fake, "linetest show sip/desk"), desk);
    assert_eq!(told(&mut fake, "linetest show all"), format!("{ata}\n{desk}"));
    assert_eq!(told(&mut fake, "linetest show --json"), "[{\"channel\":\"SIP/ata-00000002\"}]\n");
    assert!(told(&mut fake, "linetest show all --json").contains("},\n {"));
    assert!(refused(&mut fake, "linetest show nobody").contains("There was no line test of 'nobody' since the start"));
}

#[test]
fn quality_is_told_in_sentences() {
    let sentence = "SIP/a-00000001: packets of 20 ms; jitter 1.4 ms, at most 3.0 ms; none lost\n";
    let mut fake = Fake::default();
    assert_eq!(told(&mut fake, "rtp show quality"), sentence);
    assert_eq!(told(&mut fake, "rtp show quality SIP/a-00000001"), sentence);
    let json = told(&mut fake, "rtp show quality --json");
    assert!(json.starts_with("[\n{\"channel\":\"SIP/a-00000001\"") && json.ends_with("}\n]\n"), "{json}");
    for same in ["rtp show quality SIP/a-00000001 --json", "sip show channelstats --json"] {
        assert_eq!(told(&mut fake, same), json);
    }
    assert!(
        refused(&mut fake, "rtp show quality SIP/x-1").contains("No sound of 'SIP/x-1' passes through the exchange")
    );
}

#[test]
fn telephones_that_fetched_files_and_the_window_for_passwords() {
    let mut fake = guide();
    let address = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
    let (mac, last) = ("0014A9BC0001".to_owned(), "SIPDefault.cnf".to_owned());
    *fake.phones.0.borrow_mut() = ProvisionRows {
        services: vec!["TFTP: 0.0.0.0:69".into()],
        folder: "/etc/strowger/provision".into(),
        open_for: None,
        devices: vec![AskerRow {
            mac: mac.clone(),
            address,
            user_agent: "PAP2T".into(),
            asked: 8,
            got: 5,
            ago: Duration::from_secs(12),
            last: last.clone(),
            secrets_ago: Some(Duration::from_secs(200)),
        }],
        transfers: vec![TransferRow {
            mac,
            address,
            via: "TFTP",
            file: "a\nb".into(),
            ago: Duration::from_secs(3),
            bytes: 1042,
            state: "given",
        }],
        drops: vec![("wanted to write".into(), 2)],
    };
    let head =
        "TFTP: 0.0.0.0:69\nYour own files: /etc/strowger/provision\nFiles with passwords: to their devices only\n\n";
    let devices = run("provision show devices", &mut fake).text;
    assert!(devices.starts_with(head), "{devices}");
    let row = "0014A9BC0001  192.168.1.20         8      5      12 s      3 min  SIPDefault.cnf (PAP2T)\n";
    assert!(devices.ends_with(row), "{devices}");
    let transfers = run("provision show transfers", &mut fake).text;
    assert!(transfers.contains("TFTP       3 s      1042  given         "), "{transfers}");
    assert!(transfers.ends_with("dropped: wanted to write: 2\n") && transfers.lines().count() == 7, "{transfers}");
    let opened = run("provision open 10m", &mut fake);
    assert!(!opened.failed && opened.text.starts_with("For 10 min files with passwords"), "{}", opened.text);
    assert!(run("provision show devices", &mut fake).text.contains("to whoever asks, for 10 min more"));
    assert!(run("provision open 2h", &mut fake).failed && run("provision open", &mut fake).failed);
    assert!(!run("provision close", &mut fake).failed && fake.phones.rows().open_for.is_none());
}
