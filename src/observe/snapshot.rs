//! What the outside may see of the exchange, as plain data. No secret is ever in here: only whether one is set.
//!
//! Nothing here has a `Default`: whoever makes a snapshot says every value of it, so that none is shown which nobody
//! filled.

use crate::event::DeviceState;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The state of one half of `nat=`: said by the user, or found out from the peer's first request (`nat=auto_...`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatFlag {
    /// Configured on.
    Yes,
    /// Configured off.
    No,
    /// Automatic, and a NAT was seen.
    AutoYes,
    /// Automatic, and no NAT was seen.
    AutoNo,
}

/// The result of qualifying a peer (chan_sip's status texts).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerStatus {
    /// `qualify` is off.
    Unmonitored,
    /// Qualified, without a result yet.
    Unknown,
    /// Answered in time; the round trip in milliseconds.
    Ok(u32),
    /// Answered later than `qualify` allows; the round trip in milliseconds.
    Lagged(u32),
    /// Did not answer.
    Unreachable,
}

/// One line of `sip show peers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRow {
    /// The section's name in `sip.conf`.
    pub name: String,
    /// `defaultuser`, or the user part of the registered contact; empty when there is neither.
    pub username: String,
    /// Where requests to the peer go; nothing as long as it has not registered.
    pub host: Option<IpAddr>,
    /// The port that belongs to `host`; shown as 0 without a host.
    pub port: u16,
    /// `host=dynamic`: the peer registers.
    pub dynamic: bool,
    /// Answers go to the port they came from (`nat=force_rport`).
    pub force_rport: NatFlag,
    /// Media goes to where media comes from (`nat=comedia`).
    pub comedia: NatFlag,
    /// `permit`, `deny` or `acl` is in force.
    pub acl: bool,
    /// What qualify found.
    pub status: PeerStatus,
    /// `description=`.
    pub description: String,
}

/// One line of `sip show registry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryRow {
    /// The host and port that it is registered at, as the configuration has them.
    pub host: String,
    /// The user.
    pub username: String,
    /// In how many seconds it is renewed, or tried again, as last set.
    pub refresh_s: u64,
    /// Its state, in chan_sip's words.
    pub state: String,
    /// When it was last granted, as `Sat, 28 Nov 2026 12:00:00`; empty: never.
    pub registered: String,
}

/// Our accounts elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Those that are registered.
    pub registrations: Vec<RegistryRow>,
    /// Mailboxes.
    pub mailboxes: Vec<MailboxRow>,
}

/// One line of `sip show mwi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    /// The host and port, as the configuration has them.
    pub host: String,
    /// The user.
    pub username: String,
    /// The mailbox that it is here.
    pub mailbox: String,
    /// It tells us.
    pub is_subscribed: bool,
}

/// Which media calls may carry beside voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryMedia {
    /// `videosupport`.
    pub video: bool,
    /// `textsupport`.
    pub text: bool,
    /// `t38pt_udptl`; none: no T.38.
    pub t38: Option<T38>,
}

/// How `t38pt_udptl` describes T.38.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct T38 {
    /// The error correction it names.
    pub correction: String,
    /// `maxdatagram`, in bytes.
    pub max_datagram: Option<u32>,
}

/// What `sip show peer NAME` shows. Texts are empty and options `None` where nothing is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerDetail {
    /// What the list of peers shows too.
    pub row: PeerRow,
    /// Our own registration there, in words; empty when there is none.
    pub registration: String,
    /// A `remotesecret` is configured.
    pub remote_secret_set: bool,
    /// A `secret` is configured.
    pub secret_set: bool,
    /// An `md5secret` is configured.
    pub md5_secret_set: bool,
    /// The context its calls start in.
    pub context: String,
    /// `language`.
    pub language: String,
    /// `accountcode`.
    pub account: String,
    /// The name of `callerid`.
    pub caller_name: String,
    /// The number of `callerid`.
    pub caller_number: String,
    /// `callingpres` in words.
    pub presentation: String,
    /// `fromuser`.
    pub from_user: String,
    /// `fromdomain`.
    pub from_domain: String,
    /// `call-limit`; 0 is none.
    pub call_limit: u32,
    /// Seconds left of the registration.
    pub expires_s: Option<u64>,
    /// `insecure`: `no`, `port`, `invite` or `port,invite`.
    pub insecure: String,
    /// `contactpermit`, `contactdeny` or `contactacl` is in force.
    pub contact_acl: bool,
    /// `directmediapermit` or `directmediadeny` is in force.
    pub direct_media_acl: bool,
    /// `directmedia`.
    pub direct_media: bool,
    /// Media beside voice.
    pub secondary: SecondaryMedia,
    /// `maxforwards`.
    pub max_forwards: u8,
    /// `promiscredir`.
    pub promiscuous_redirect: bool,
    /// The telephones that take its registration from each other, in words; empty when there are none.
    pub contested: String,
    /// `trustrpid`.
    pub trust_rpid: bool,
    /// `trust_id_outbound`.
    pub trust_id: bool,
    /// `sendrpid`.
    pub send_rpid: bool,
    /// `supportpath`.
    pub path_support: bool,
    /// The proxies on the way to its contact (RFC 3327), as its registration named them; empty when there are none.
    pub path: Vec<String>,
    /// When and what was wrong with the sound of its latest call; empty when nothing was.
    pub sound: String,
    /// `line`: `modem`, `voice` or `fax`; empty when it does not say.
    pub line_kind: String,
    /// `dtmfmode`.
    pub dtmf_mode: String,
    /// T1 towards this peer, in milliseconds (RFC 3261 17.1.1.1).
    pub t1_ms: u32,
    /// Timer B towards this peer, in milliseconds (RFC 3261 17.1.1.2).
    pub timer_b_ms: u32,
    /// `host=` when it is a name or an address.
    pub to_host: String,
    /// `defaultip`.
    pub default_address: Option<SocketAddr>,
    /// The transport requests to the peer use: `UDP`, `TCP` or `TLS`.
    pub transport: String,
    /// The transports the peer may use, comma separated.
    pub transports_allowed: String,
    /// `regexten`.
    pub regexten: String,
    /// `defaultuser`.
    pub default_user: String,
    /// The codecs allowed, in order of preference, by their names in `sip.conf`.
    pub codecs: Vec<String>,
    /// The `User-Agent` of its last registration.
    pub user_agent: String,
    /// The contact it registered.
    pub contact: String,
    /// `qualifyfreq`, in milliseconds.
    pub qualify_every_ms: u32,
    /// `keepalive`, in milliseconds; 0 is off.
    pub keepalive_ms: u32,
    /// `rtptimeout`, `rtpholdtimeout`, `rtpkeepalive`.
    pub rtp_times: RtpTimes,
    /// `setvar`, name and value.
    pub variables: Vec<(String, String)>,
    /// `session-timers`: `Originate`, `Accept` or `Refuse`.
    pub timer_mode: String,
    /// `session-refresher`: `uac` or `uas`.
    pub timer_refresher: String,
    /// `session-expires`, in seconds (RFC 4028).
    pub timer_expires_s: u32,
    /// `session-minse`, in seconds (RFC 4028).
    pub timer_minimum_s: u32,
}

#[cfg(test)]
impl PeerDetail {
    /// For tests: a peer of which everything that may be absent is absent.
    pub(super) fn bare(row: PeerRow) -> PeerDetail {
        PeerDetail {
            row,
            secret_set: false,
            md5_secret_set: false,
            context: "default".to_owned(),
            language: String::new(),
            account: String::new(),
            caller_name: String::new(),
            caller_number: String::new(),
            presentation: "Presentation Allowed, Not Screened".to_owned(),
            from_user: String::new(),
            from_domain: String::new(),
            call_limit: 0,
            expires_s: None,
            registration: String::new(),
            remote_secret_set: false,
            contested: String::new(),
            insecure: "no".to_owned(),
            contact_acl: false,
            direct_media_acl: false,
            direct_media: false,
            secondary: SecondaryMedia { video: false, text: false, t38: None },
            max_forwards: 70,
            promiscuous_redirect: false,
            trust_rpid: false,
            trust_id: false,
            send_rpid: false,
            path_support: false,
            path: Vec::new(),
            sound: String::new(),
            line_kind: String::new(),
            dtmf_mode: "rfc2833".to_owned(),
            t1_ms: 500,
            timer_b_ms: 32_000,
            to_host: String::new(),
            default_address: None,
            transport: "UDP".to_owned(),
            transports_allowed: "UDP".to_owned(),
            regexten: String::new(),
            default_user: String::new(),
            codecs: vec!["ulaw".to_owned(), "alaw".to_owned()],
            user_agent: String::new(),
            contact: String::new(),
            qualify_every_ms: 60_000,
            keepalive_ms: 0,
            rtp_times: RtpTimes::OFF,
            variables: Vec::new(),
            timer_mode: "Accept".to_owned(),
            timer_refresher: "uas".to_owned(),
            timer_expires_s: 1800,
            timer_minimum_s: 90,
        }
    }
}

/// One channel: a leg of a call as the dialplan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    /// `SIP/peer-0000002a`.
    pub name: String,
    /// The context it runs in.
    pub context: String,
    /// The extension it runs in; empty when no dialplan runs on it, and then its location shows as `(None)`.
    pub exten: String,
    /// The priority it runs.
    pub priority: u32,
    /// `Down`, `Ring`, `Ringing` or `Up`.
    pub state: String,
    /// The application that runs; empty for none.
    pub application: String,
    /// The application's arguments.
    pub data: String,
    /// The number of the caller ID.
    pub caller_id: String,
    /// Seconds since the channel was made.
    pub duration_s: u64,
    /// The bridge it is in; empty when it is in none.
    pub bridge_id: String,
    /// Unique among all channels, also over restarts.
    pub unique_id: String,
    /// `accountcode`.
    pub account: String,
    /// `accountcode` of the channel it is connected to.
    pub peer_account: String,
}

/// How long the exchange has been running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// Since the start.
    pub up: Duration,
    /// Since the configuration was last read; the start counts.
    pub since_reload: Duration,
}

/// Which program this is, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// `0.1.0`.
    pub version: String,
    /// The machine's architecture, such as `x86_64`.
    pub machine: String,
    /// The operating system, such as `linux`.
    pub system: String,
}

/// The footer of `core show channels`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCounts {
    /// Channels that exist now.
    pub channels: u64,
    /// Calls that exist now.
    pub calls: u64,
    /// Calls since the start, those that exist included.
    pub processed: u64,
}

/// What was counted since the start: each drop with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// Reason and number, in the order to be shown.
    pub drops: Vec<(String, u64)>,
}

/// A TCP or TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// The other side.
    pub remote: SocketAddr,
    /// `TCP` or `TLS`.
    pub transport: String,
    /// We made it.
    pub outgoing: bool,
    /// A device has authenticated on it.
    pub authenticated: bool,
    /// Since when, in seconds.
    pub age_s: u64,
}

/// What `sip show settings` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where UDP is received.
    pub udp: Vec<SocketAddr>,
    /// Where TCP is received; empty when it is off.
    pub tcp: Vec<SocketAddr>,
    /// Where TLS is received; empty when it is off.
    pub tls: Vec<SocketAddr>,
    /// The domains that are ours, by name.
    pub domains: Vec<DomainRow>,
    /// The first and last port media may use.
    pub rtp_ports: (u16, u16),
    /// Media beside voice, as `[general]` presets them.
    pub secondary: SecondaryMedia,
    /// `match_auth_username`.
    pub match_auth_username: bool,
    /// `allowguest`.
    pub allow_guest: bool,
    /// `realm`.
    pub realm: String,
    /// `alwaysauthreject`.
    pub always_auth_reject: bool,
    /// The `User-Agent` and `Server` we send.
    pub user_agent: String,
    /// `regcontext`.
    pub reg_context: String,
    /// `callerid` of `[general]`.
    pub caller_id: String,
    /// `externaddr`.
    pub extern_address: Option<SocketAddr>,
    /// `externhost`.
    pub extern_host: String,
    /// `localnet`, as written.
    pub local_nets: Vec<String>,
    /// The codecs of `[general]`, in order of preference.
    pub codecs: Vec<String>,
    /// `minexpiry`, in seconds.
    pub min_expiry_s: u32,
    /// `maxexpiry`, in seconds.
    pub max_expiry_s: u32,
    /// `defaultexpiry`, in seconds.
    pub default_expiry_s: u32,
    /// `context` of `[general]`.
    pub context: String,
    /// `nat=force_rport` of `[general]`.
    pub force_rport: NatFlag,
    /// `dtmfmode` of `[general]`.
    pub dtmf_mode: String,
    /// `qualify` of `[general]`, in milliseconds; 0 is off.
    pub qualify_ms: u32,
    /// `keepalive` of `[general]`, in seconds; 0 is off.
    pub keepalive_s: u32,
    /// `rtptimeout`, `rtpholdtimeout`, `rtpkeepalive` of `[general]`.
    pub rtp_times: RtpTimes,
}

/// What is done when RTP does not come, or is not sent, in seconds; 0 is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpTimes {
    /// `rtptimeout`.
    pub timeout_s: u32,
    /// `rtpholdtimeout`.
    pub hold_timeout_s: u32,
    /// `rtpkeepalive`.
    pub keepalive_s: u32,
}

impl RtpTimes {
    /// All off.
    pub const OFF: RtpTimes = RtpTimes { timeout_s: 0, hold_timeout_s: 0, keepalive_s: 0 };
}

/// One line of `sip show users`: a peer that may place calls to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The section's name in `sip.conf`.
    pub name: String,
    /// A `secret` or `md5secret` is configured.
    pub secret_set: bool,
    /// `accountcode`.
    pub account: String,
    /// The context its calls start in.
    pub context: String,
    /// `permit`, `deny` or `acl` is in force.
    pub acl: bool,
    /// Answers go to the port they came from (`nat=force_rport`).
    pub force_rport: NatFlag,
}

/// One line of `sip show inuse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// The peer's name.
    pub name: String,
    /// Its channels.
    pub in_use: u32,
    /// Those of them that ring.
    pub ringing: u32,
    /// Those of them that are on hold.
    pub on_hold: u32,
    /// `call-limit`; 0 is none.
    pub limit: u32,
}

/// One line of `sip show channels`: a SIP dialog of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipChannelRow {
    /// Where its requests go.
    pub host: Option<IpAddr>,
    /// The user: the number of the caller.
    pub user: String,
    /// The Call-ID; empty before the first answer of a called line.
    pub call_id: String,
    /// The codecs both sides agreed on, by their names in `sip.conf`.
    pub codecs: Vec<String>,
    /// The peer holds the call.
    pub on_hold: bool,
    /// The message that made it what it is, as `Rx: INVITE`.
    pub last_message: String,
    /// The peer's name.
    pub peer: String,
}

/// What a channel's state is, and what number Asterisk gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelState {
    /// Nothing has happened yet.
    Down,
    /// A caller whose call is not answered yet.
    Ring,
    /// A called phone that rings.
    Ringing,
    /// Answered.
    Up,
}

/// What `core show channel NAME` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDetail {
    /// What the list of channels shows too.
    pub row: ChannelRow,
    /// Its state.
    pub state: ChannelState,
    /// The unique id of the channel that began the call.
    pub linked_id: String,
    /// The name of the caller ID.
    pub caller_name: String,
    /// The number of whom it talks to; empty for nobody.
    pub connected_number: String,
    /// The name of whom it talks to.
    pub connected_name: String,
    /// The number first dialled.
    pub dialled: String,
    /// `language`.
    pub language: String,
    /// The codecs both sides agreed on, by their names in `sip.conf`.
    pub codecs: Vec<String>,
    /// The direction of its audio, such as `sendrecv`; empty before there is any.
    pub direction: String,
    /// The Call-ID of its dialog.
    pub call_id: String,
    /// The channel's variables, name and value.
    pub variables: Vec<(String, String)>,
}

/// One line of `sip show subscriptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Where the telephone is.
    pub host: String,
    /// Its line.
    pub line: String,
    /// The Call-ID of its dialog.
    pub call_id: String,
    /// What it watches.
    pub exten: String,
    /// The state it was told last.
    pub state: String,
    /// In which form.
    pub kind: String,
    /// The mailbox it is about.
    pub mailbox: String,
    /// For how long it lasts, in seconds.
    pub expiry_s: u64,
}

/// One line of `core show hints`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintRow {
    /// The extension.
    pub exten: String,
    /// Its context.
    pub context: String,
    /// Its devices, as written.
    pub devices: String,
    /// Their state, taken together.
    pub state: DeviceState,
    /// How many subscriptions watch it.
    pub watchers: usize,
}

/// A dialplan application or function, as its table describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualPage {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub synopsis: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// How to use it; empty for functions.
    pub help: &'static str,
}

/// What `core show settings` shows besides what other commands do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreSettings {
    /// The process.
    pub process: u32,
    /// When it started, by the clock of the machine.
    pub started: String,
    /// When the configuration was last read, likewise.
    pub reloaded: String,
    /// Maximum number of channels.
    pub max_channels: usize,
    /// Where the configuration was read from, absolute; `None` when it came from no files.
    pub directory: Option<std::path::PathBuf>,
    /// What the thread that forwards sound had of the system.
    pub priority: String,
    /// The audio codecs that may be allowed.
    pub codecs: Vec<CodecRow>,
}

/// A codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecRow {
    /// Its name in `allow=`.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
}

/// A SIP domain that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRow {
    /// The domain.
    pub name: String,
    /// The context of calls to it; empty when it has none of its own.
    pub context: String,
    /// It is one of our addresses (`autodomain=`).
    pub automatic: bool,
}

#[cfg(test)]
mod tests {
    /// A value that came from `Default` would be shown as if somebody had looked it up.
    #[test]
    fn nothing_in_a_snapshot_has_a_default() {
        let derived = include_str!("snapshot.rs").lines().filter(|line| line.trim_start().starts_with("#[derive("));
        assert!(derived.clone().count() > 20);
        assert_eq!(derived.filter(|line| line.contains("Default")).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}
