//! A peer of sip.conf, typed: one configured phone, ATA line or trunk. A `Peer` that exists is usable.

use super::acl::Acl;
use super::device_line::DeviceLine;
use super::diagnostic::Place;
use super::groups::LineGroups;
use super::limits::Limits;
use super::login::RealmLogin;
use super::message_waiting::MessageWaiting;
pub use super::peer_address::{OutboundProxy, PeerAddress};
use super::presentation::Presentation;
pub use super::secret::Credential;
use super::secret::Secret;
pub use super::t38::{Correction, T38};
use crate::names::{HostName, Names, Server};
use crate::sdp::MediaKind;
use crate::sdp::codec::CodecList;
use crate::sip::digest::Algorithm;
use crate::sip::flow::Transport;
use crate::sip::header::{Refresher, session_expires};
use std::net::SocketAddr;
use std::time::Duration;

/// Maximum number of simultaneous calls from callers without an account.
pub const MAX_GUESTS: u32 = 10;

/// One peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The section's name: the SIP user and the dial string `SIP/name`. Compared exactly.
    pub name: String,
    /// Where its section begins.
    pub place: Place,
    /// `type`.
    pub kind: Kind,
    /// `secret` or `md5secret`, the latter winning; none: requests are accepted without a challenge.
    pub credential: Option<Credential>,
    /// `remotesecret`: what we prove ourselves with towards it, instead of `secret`.
    pub remote_secret: Option<Secret>,
    /// `auth`: what we prove ourselves with towards it in these realms, before anything else.
    pub auth: Vec<RealmLogin>,
    /// `callbackextension`: it is registered at, and its calls come in at this extension.
    pub callback_extension: Option<String>,
    /// The users and extensions that `register` lines of its account name: its provider calls it by them, too.
    pub registered_as: Vec<String>,
    /// `host` with `port`.
    pub host: PeerAddress,
    /// `defaultip` with `port`: where a dynamic peer is called while it is not registered.
    pub default_addr: Option<SocketAddr>,
    /// `defaultuser`/`username`: the user of the Request-URI while there is no registered Contact.
    pub default_user: Option<String>,
    /// `fromuser`: the user in `From` of our requests to it.
    pub from_user: Option<String>,
    /// `fromdomain`: the host in `From` of our requests to it.
    pub from_domain: Option<String>,
    /// `regexten`: extensions made while it is registered; empty: none were named (`reg_extensions` knows the default).
    pub regexten: Vec<RegExten>,
    /// `callerid`, `cid_number`, `fullname`.
    pub caller_id: CallerId,
    /// `callingpres`: whether that may be shown; none: as each call asks.
    pub calling_pres: Option<Presentation>,
    /// `permit`/`deny`/`acl`: sources its requests are accepted from.
    pub acl: Acl,
    /// `contactpermit`/`contactdeny`/`contactacl`: addresses it may register.
    pub contact_acl: Acl,
    /// `directmediapermit`/`directmediadeny`/`directmediaacl`: addresses it may exchange media with directly.
    pub direct_media_acl: Acl,
    /// `call-limit`: calls at once, both directions together; none: no limit.
    pub call_limit: Option<u32>,
    /// `max_outgoing`, `max_minutes`, `allow_numbers`, `forbid_numbers` (ours): what calls to it may cost.
    pub limits: Limits,
    /// `busylevel`: from so many calls on its lamp says busy; none: as many as `call-limit` allows.
    pub busy_level: Option<u32>,
    /// `mailbox`, `subscribemwi`, `unsolicited_mailbox`.
    pub messages: MessageWaiting,
    /// `callgroup`, `pickupgroup` and their named kin: who may take its calls, and whose it may take.
    pub groups: LineGroups,
    /// `setvar`: channel variables of each call it makes, in order.
    pub set_vars: Vec<(String, String)>,
    /// `accountcode`, for call records.
    pub account_code: String,
    /// `description`, for people.
    pub description: String,
    /// `max_contacts` (ours): contacts it may register at once; the newest replace the oldest.
    pub max_contacts: u32,
    /// `mac`, `device`, `device_line` (ours): the telephone it is a line of, whose configuration is made here.
    pub device: DeviceLine,
    /// What `[general]` may preset.
    pub settings: Settings,
}

impl Peer {
    /// A peer with nothing set but its name and where its section begins.
    pub fn new(name: &str, place: Place, settings: Settings) -> Peer {
        Peer {
            name: name.into(),
            place,
            kind: Kind::Friend,
            credential: None,
            remote_secret: None,
            auth: Vec::new(),
            callback_extension: None,
            registered_as: Vec::new(),
            host: PeerAddress::Dynamic,
            default_addr: None,
            default_user: None,
            from_user: None,
            from_domain: None,
            regexten: Vec::new(),
            caller_id: CallerId::default(),
            calling_pres: None,
            acl: Acl::default(),
            contact_acl: Acl::default(),
            direct_media_acl: Acl::default(),
            call_limit: None,
            limits: Limits::default(),
            busy_level: None,
            messages: MessageWaiting::default(),
            groups: LineGroups::default(),
            set_vars: Vec::new(),
            account_code: String::new(),
            description: String::new(),
            max_contacts: 1,
            device: DeviceLine::default(),
            settings,
        }
    }

    /// The peer that callers without an account share, with `allowguest=yes`: it can only call, has what `[general]`
    /// presets, and never more calls than [`MAX_GUESTS`].
    pub fn guest(defaults: &Settings) -> Peer {
        let nowhere = Place { file: "sip.conf".into(), line: 0 };
        Peer { kind: Kind::Guest, call_limit: Some(MAX_GUESTS), ..Peer::new("guest", nowhere, defaults.clone()) }
    }

    /// The extensions to make while it is registered, each with its context (`None`: `regcontext`): `regexten`, or its name.
    pub fn reg_extensions(&self) -> Vec<RegExten> {
        if self.regexten.is_empty() {
            vec![RegExten { extension: self.name.clone(), context: None }]
        } else {
            self.regexten.clone()
        }
    }

    /// Whether it registers itself, is called and is matched by address (`peer`, `friend`).
    pub fn is_callable(&self) -> bool {
        matches!(self.kind, Kind::Friend | Kind::Peer)
    }

    /// The servers that requests to it go to: those of its `outboundproxy`, else those of its fixed address. As far as
    /// they are known, those to try first first.
    pub fn servers(&self, names: &Names) -> Vec<Server> {
        match &self.settings.outbound_proxy {
            Some(proxy) => proxy.address.servers(proxy.transport(), names),
            None => self.host.servers(self.settings.transport(), names),
        }
    }

    /// The users of ours by which its provider may call it, beside its section's name.
    pub fn called_as(&self) -> impl Iterator<Item = &str> {
        let own = [&self.default_user, &self.from_user, &self.callback_extension].into_iter().flatten();
        own.chain(&self.registered_as).map(String::as_str)
    }

    /// Whether a call to this user may be of it, where others have its address, too.
    pub fn is_called_as(&self, user: &str) -> bool {
        self.name == user || self.called_as().any(|known| known == user)
    }

    /// Where its messages may come from, as far as that is fixed and known: its `host`, and its `outboundproxy`.
    pub fn places<'a>(&'a self, names: &'a Names) -> impl Iterator<Item = SocketAddr> + 'a {
        let proxy = self.settings.outbound_proxy.iter().flat_map(|proxy| proxy.address.addresses(names));
        self.host.addresses(names).chain(proxy)
    }

    /// The host names that have to be looked up for it.
    pub fn host_names(&self) -> impl Iterator<Item = &HostName> {
        let proxy = self.settings.outbound_proxy.as_ref().map(|proxy| &proxy.address);
        [Some(&self.host), proxy].into_iter().flatten().filter_map(PeerAddress::host_name)
    }

    /// Whether its From tells who calls: a trunk's or another exchange's (a fixed address), a guest's, and that of a line
    /// that is trusted with it (`trustrpid=`). A line that registers is one telephone, and calls as what it is here.
    pub fn speaks_for_others(&self) -> bool {
        self.kind == Kind::Guest || self.settings.trust_rpid || self.host != PeerAddress::Dynamic
    }

    /// The section of sip.conf to write a cure into, `[desk] (sip.conf:12)`.
    pub fn section(&self) -> String {
        match self.kind {
            Kind::Guest => "[general]".to_owned(),
            Kind::Friend | Kind::Peer | Kind::User => format!("[{}] ({})", self.name, self.place),
        }
    }
}

/// What `[general]` may preset for every peer, and a peer may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `context`: where its calls enter the dialplan.
    pub context: String,
    /// `buggymwi`: message waiting without counts of urgent messages.
    pub buggy_mwi: bool,
    /// `vmexten`: what it calls to hear its messages.
    pub vm_exten: String,
    /// `allowsubscribe`: it may watch extensions.
    pub allow_subscribe: bool,
    /// `subscribecontext`: where the hints are that it watches; empty: in `context`.
    pub subscribe_context: String,
    /// `nat`.
    pub nat: Nat,
    /// `directmedia`/`canreinvite`; absent means relay, unlike chan_sip.
    pub direct_media: DirectMedia,
    /// `dtmfmode`.
    pub dtmf_mode: DtmfMode,
    /// `insecure`.
    pub insecure: Insecure,
    /// `auth_algorithm` (ours): what its digest is made with.
    pub auth_algorithm: Algorithm,
    /// `qualify`: the round trip above which it is LAGGED; none: it is not qualified.
    pub qualify: Option<Duration>,
    /// `qualifyfreq`: time between two qualify requests.
    pub qualify_freq: Duration,
    /// `keepalive`: time between two CRLF packets to it; none: none are sent.
    pub keepalive: Option<Duration>,
    /// `rtptimeout`: an answered call from whose line no RTP came for so long is ended; none: it is not.
    pub rtp_timeout: Option<Duration>,
    /// `rtpholdtimeout`: the same while the call is on hold.
    pub rtp_hold_timeout: Option<Duration>,
    /// `rtpkeepalive`: the line is sent a comfort noise packet when it was sent no RTP for so long; none: it is not.
    pub rtp_keepalive: Option<Duration>,
    /// `line` (ours): what its calls carry; none: it does not say, which is treated as data.
    pub line: Option<LineKind>,
    /// `allow`/`disallow`: its codecs, the preferred one first. Never empty in a peer.
    pub codecs: CodecList,
    /// `videosupport`: its calls may carry video, as it comes.
    pub video: bool,
    /// `textsupport`: its calls may carry real-time text, as it comes.
    pub text: bool,
    /// `t38pt_udptl`: its calls may change to fax by T.38, as it comes; none: they stay sound.
    pub t38: Option<T38>,
    /// `mohinterpret`: the class of music that it hears when it is held; none: it was not written.
    pub moh_interpret: Option<String>,
    /// `mohsuggest`: the class that those hear whom it holds.
    pub moh_suggest: Option<String>,
    /// `allowtransfer`: may it transfer calls (REFER), and take them over (INVITE with Replaces)?
    pub allow_transfer: bool,
    /// `trustrpid`: believe the identity headers it sends.
    pub trust_rpid: bool,
    /// `sendrpid`.
    pub send_rpid: SendRpid,
    /// `usereqphone`: numbers in the addresses of our calls to it are marked `;user=phone`.
    pub user_eq_phone: bool,
    /// `trust_id_outbound=yes`: the header of `sendrpid` names the caller even when the caller wants to be hidden.
    pub trust_id: bool,
    /// Whether callers get ringing as sound from us.
    pub progress_in_band: ProgressInBand,
    /// `language`, for `CHANNEL(language)` and the console; empty: none.
    pub language: String,
    /// `tonezone`: the country whose tones its calls hear; empty: the exchange's own.
    pub tone_zone: String,
    /// `outofcall_message_context`: where its text messages enter the dialplan; empty: they go to the line they name.
    pub message_context: String,
    /// `parkinglot`: the lot of its calls; empty: the default one.
    pub parking_lot: String,
    /// `timert1`: SIP's T1 for requests to it (RFC 3261 17.1.1.1), at least 500 ms.
    pub timer_t1: Duration,
    /// `timerb`: how long an INVITE may stay wholly unanswered; none: 64 times T1, or less for a qualified peer.
    pub timer_b: Option<Duration>,
    /// `transport`: what it may use, the first for our requests to it; empty: whatever is spoken here, UDP first.
    pub transports: Vec<Transport>,
    /// `maxforwards` of requests we begin.
    pub max_forwards: u8,
    /// `outboundproxy`: where requests to it go instead of to itself.
    pub outbound_proxy: Option<OutboundProxy>,
    /// `promiscredir`: follow its redirections to wherever they lead.
    pub promisc_redir: bool,
    /// `supportpath`: keep the Path of a registration and call by way of it (RFC 3327).
    pub support_path: bool,
    /// `session-timers`.
    pub session_timers: SessionTimers,
    /// `session-expires`: the interval we ask for, in seconds.
    pub session_expires: u32,
    /// `session-minse`: the shortest interval we take, in seconds; at least 90 (RFC 4028 5).
    pub session_min_se: u32,
    /// `session-refresher`: who refreshes when we decide.
    pub session_refresher: Refresher,
}

impl Settings {
    /// The transport of our requests that open a connection.
    pub fn transport(&self) -> Transport {
        self.transports.first().copied().unwrap_or(Transport::Udp)
    }

    /// Whether its calls may carry this besides voice.
    pub fn may_carry(&self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Video => self.video,
            MediaKind::Text => self.text,
            // Sound is all that a modem has: T.38 takes it away.
            MediaKind::Image => self.t38.is_some() && self.line != Some(LineKind::Modem),
        }
    }

    /// Those of `rtptimeout`, `rtpholdtimeout` and `rtpkeepalive` that are on, as sip.conf has them.
    pub fn silence_options(&self) -> impl Iterator<Item = String> {
        let all = [
            ("rtptimeout", self.rtp_timeout),
            ("rtpholdtimeout", self.rtp_hold_timeout),
            ("rtpkeepalive", self.rtp_keepalive),
        ];
        all.into_iter().filter_map(|(name, time)| time.map(|time| format!("{name}={}", time.as_secs())))
    }

    /// Whether it may use this transport.
    pub fn may_use(&self, transport: Transport) -> bool {
        self.transports.is_empty() || self.transports.contains(&transport)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            context: "default".into(),
            vm_exten: "asterisk".into(),
            buggy_mwi: false,
            allow_subscribe: true,
            subscribe_context: String::new(),
            nat: Nat { force_rport: Tristate::Auto, comedia: Tristate::Off },
            direct_media: DirectMedia::Relay,
            dtmf_mode: DtmfMode::Rfc2833,
            insecure: Insecure::default(),
            auth_algorithm: Algorithm::Md5,
            qualify: None,
            qualify_freq: Duration::from_secs(60),
            keepalive: None,
            rtp_timeout: None,
            rtp_hold_timeout: None,
            rtp_keepalive: None,
            line: None,
            codecs: CodecList::default(),
            video: false,
            text: false,
            t38: None,
            moh_interpret: None,
            moh_suggest: None,
            allow_transfer: true,
            trust_rpid: false,
            send_rpid: SendRpid::No,
            user_eq_phone: false,
            trust_id: false,
            progress_in_band: ProgressInBand::No,
            language: String::new(),
            tone_zone: String::new(),
            message_context: String::new(),
            parking_lot: String::new(),
            timer_t1: Duration::from_millis(500),
            timer_b: None,
            transports: Vec::new(),
            max_forwards: 70,
            outbound_proxy: None,
            promisc_redir: false,
            support_path: false,
            session_timers: SessionTimers::Accept,
            session_expires: 1800,
            session_min_se: session_expires::SHORTEST,
            session_refresher: Refresher::Uas,
        }
    }
}

/// `type=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Both of the below.
    Friend,
    /// Registers, is called, and calls: known by its fixed address, or by its name when it proves that.
    Peer,
    /// Only places calls towards us, known by its name in From.
    User,
    /// A caller without an account, accepted by `allowguest=yes`; not a value of `type=`.
    Guest,
}

/// `nat=` (how replies and media find a peer behind an address translator).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat {
    /// Reply to the source address and port even when the Via carries no `rport` (RFC 3581).
    pub force_rport: Tristate,
    /// Send RTP to where accepted RTP comes from, not to what its SDP says.
    pub comedia: Tristate,
}

/// A setting that may decide by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tristate {
    /// Never.
    Off,
    /// Always.
    On,
    /// When the Via's address is not the packet's source address.
    Auto,
}

impl Tristate {
    /// Whether it holds, `behind_nat` deciding when it is `Auto`.
    pub fn holds(self, behind_nat: bool) -> bool {
        match self {
            Tristate::Off => false,
            Tristate::On => true,
            Tristate::Auto => behind_nat,
        }
    }
}

/// `directmedia=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectMedia {
    /// `no`: RTP always goes through the exchange.
    Relay,
    /// RTP goes between the peers, arranged by re-INVITE.
    Direct {
        /// `nonat`: not when this peer is behind NAT.
        nonat: bool,
    },
}

/// `dtmfmode=`: how the device sends digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtmfMode {
    /// Telephone events (RFC 4733).
    Rfc2833,
    /// Tones in the audio.
    Inband,
    /// SIP INFO, `application/dtmf-relay`.
    Info,
    /// SIP INFO, `application/dtmf`.
    ShortInfo,
    /// Telephone events when both sides know them, else in the audio.
    Auto,
}

impl DtmfMode {
    /// Reads the word, in either case; `None` when it is none.
    pub fn parse(text: &str) -> Option<DtmfMode> {
        match text.trim().to_ascii_lowercase().as_str() {
            "rfc2833" | "rfc4733" => Some(DtmfMode::Rfc2833),
            "inband" => Some(DtmfMode::Inband),
            "info" => Some(DtmfMode::Info),
            "shortinfo" => Some(DtmfMode::ShortInfo),
            "auto" => Some(DtmfMode::Auto),
            _ => None,
        }
    }

    /// The word sip.conf and the console use.
    pub fn name(self) -> &'static str {
        match self {
            DtmfMode::Rfc2833 => "rfc2833",
            DtmfMode::Inband => "inband",
            DtmfMode::Info => "info",
            DtmfMode::ShortInfo => "shortinfo",
            DtmfMode::Auto => "auto",
        }
    }
}

/// `line=`: what the calls of a line carry. A line that says nothing is an `Option` that is `None`, and treated as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A modem's data: nothing may touch its sound.
    Modem,
    /// People who talk.
    Voice,
    /// A fax machine.
    Fax,
}

impl LineKind {
    /// The kind that a word of sip.conf names, in any case.
    pub fn from_word(word: &str) -> Option<LineKind> {
        let all = [LineKind::Modem, LineKind::Voice, LineKind::Fax];
        all.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(word))
    }

    /// The word sip.conf and the console use.
    pub fn name(self) -> &'static str {
        match self {
            LineKind::Modem => "modem",
            LineKind::Voice => "voice",
            LineKind::Fax => "fax",
        }
    }
}

/// `insecure=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Insecure {
    /// `port`: match it by address whatever the port.
    pub port: bool,
    /// `invite`: do not challenge its INVITEs.
    pub invite: bool,
}

/// `progressinband=`: whether a caller that is not answered hears ringing from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressInBand {
    /// It makes it of a 180; one that listens to early media of ours already hears it, too.
    No,
    /// As sound in early media (183) instead of a 180.
    Yes,
    /// It makes it of a 180, whatever it listens to.
    Never,
}

/// `sendrpid=`: the identity header sent to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendRpid {
    /// None.
    No,
    /// `Remote-Party-ID`.
    Rpid,
    /// `P-Asserted-Identity` (RFC 3325).
    Pai,
}

/// `session-timers=`: whether a call that nobody refreshes ends by itself (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionTimers {
    /// We ask for it.
    Originate,
    /// Only when the other side asks for it.
    Accept,
    /// Never.
    Refuse,
}

impl SessionTimers {
    /// The word of sip.conf.
    pub fn name(self) -> &'static str {
        match self {
            SessionTimers::Originate => "originate",
            SessionTimers::Accept => "accept",
            SessionTimers::Refuse => "refuse",
        }
    }
}

/// One extension of `regexten=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegExten {
    /// The extension.
    pub extension: String,
    /// The context behind `@`; none: those of `regcontext`.
    pub context: Option<String>,
}

/// Who calls, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallerId {
    /// The name.
    pub name: Option<String>,
    /// The number.
    pub number: Option<String>,
}
