//! `[general]` of sip.conf, typed.

use super::acl::Acl;
use super::lamps::LampOptions;
use super::limits::EmergencyNumbers;
use super::login::RealmLogin;
use super::mailbox_line::MailboxLine;
use super::peer::Settings;
use super::register_line::RegisterLine;
use super::transport::{External, Streams};
use crate::sip::flow::Transport;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What `[general]` says of the exchange as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct General {
    /// `realm`: the digest realm; `md5secret` depends on it (`asterisk` unless set).
    pub realm: String,
    /// `bindaddr`/`udpbindaddr` and `bindport`: where SIP over UDP is received.
    pub bind: SocketAddr,
    /// `useragent`: the `User-Agent` and `Server` header; empty: none is sent.
    pub user_agent: String,
    /// `sdpowner`: the user name in `o=`; no blanks in it.
    pub sdp_owner: String,
    /// `sdpsession`: the text of `s=` where the exchange describes itself.
    pub sdp_name: String,
    /// `minexpiry`: a shorter registration is refused with this time (423).
    pub min_expiry: Duration,
    /// `maxexpiry`: a longer registration is shortened to it.
    pub max_expiry: Duration,
    /// `defaultexpiry`: what a registration that names no time gets.
    pub default_expiry: Duration,
    /// `regcontext`: contexts where registered peers' `regexten` appear; empty: nowhere.
    pub reg_contexts: Vec<String>,
    /// `qualifygap`: how far apart the first qualify requests to different peers are.
    pub qualify_gap: Duration,
    /// `tos_sip`: the DSCP byte (TOS) of SIP packets.
    pub tos_sip: u8,
    /// `tos_audio`: the DSCP byte (TOS) of RTP packets.
    pub tos_audio: u8,
    /// `media_address`: the address written into SDP instead of the local one.
    pub media_address: Option<IpAddr>,
    /// `rtpbindaddr`: the local address of RTP sockets; none: the one the peer's signalling uses.
    pub rtp_bind: Option<IpAddr>,
    /// `callerid`: the user in `From` when a caller has no number.
    pub caller_id: String,
    /// `fromdomain`: the host in `From` of our requests to peers that name none; none: our address.
    pub from_domain: Option<String>,
    /// `send_diversion`: calls that were forwarded say by whom (RFC 5806).
    pub send_diversion: bool,
    /// `emergency_numbers` (ours): calls to them are held back by no limit.
    pub emergency: EmergencyNumbers,
    /// `permit`/`deny`/`acl`: checked for every source, before its peer's own list.
    pub acl: Acl,
    /// `contactpermit`/`contactdeny`/`contactacl`: checked for every peer's Contact.
    pub contact_acl: Acl,
    /// `allowguest`: callers that name no peer may call, into the context of `[general]`.
    pub allow_guest: bool,
    /// `accept_outofcall_message`: text messages outside of calls are taken.
    pub accept_messages: bool,
    /// `domain`: the domains that are ours, in lower case, each with the context of calls to it if it named one.
    pub domains: BTreeMap<String, Option<String>>,
    /// `autodomain`: our own addresses are among the domains.
    pub auto_domain: bool,
    /// `allowexternaldomains`: calls may be to domains that are not ours.
    pub allow_external_domains: bool,
    /// `match_auth_username`: the digest's user name says who calls, whatever From says.
    pub match_auth_username: bool,
    /// `auth_options_requests`: OPTIONS are challenged.
    pub auth_options: bool,
    /// `auth` here and in `[authentication]`: what trunks are given in these realms, unless they have their own.
    pub auth: Vec<RealmLogin>,
    /// `register` lines, and those that `callbackextension` of peers makes.
    pub registrations: Vec<Arc<RegisterLine>>,
    /// How they are tried again.
    pub register: Registering,
    /// `mwi` lines: mailboxes elsewhere.
    pub mailboxes: Vec<Arc<MailboxLine>>,
    /// `mwiexpiry`: for how long they are asked for.
    pub mwi_expiry: Duration,
    /// `sipdebug`: show SIP messages from the start.
    pub sip_debug: bool,
    /// What lamps are told.
    pub lamps: LampOptions,
    /// TCP and TLS.
    pub streams: Streams,
    /// `externaddr`, `localnet` and what belongs to them.
    pub external: External,
    /// `srvlookup`: host names are asked of NAPTR and SRV, too.
    pub srv_lookup: bool,
    /// What peers inherit.
    pub defaults: Settings,
}

impl General {
    /// Our accounts elsewhere: those that are registered, and those of mailboxes.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<RegisterLine>> {
        self.registrations.iter().chain(self.mailboxes.iter().map(|line| &line.account))
    }

    /// The transports that are spoken here, UDP first.
    pub fn transports(&self) -> Vec<Transport> {
        let streams = &self.streams;
        let on =
            [(Transport::Udp, true), (Transport::Tcp, streams.tcp.is_some()), (Transport::Tls, streams.tls.is_some())];
        on.into_iter().filter_map(|(transport, is_on)| is_on.then_some(transport)).collect()
    }
}

/// How our own registrations are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registering {
    /// `registertimeout`: how long an answer is waited for, and the first wait after a failure.
    pub timeout: Duration,
    /// `registerattempts`: failures in a row after which one is given up; none: never.
    pub attempts: Option<u32>,
    /// `register_retry_403`: one that is forbidden is tried again.
    pub retry_403: bool,
}

impl Default for Registering {
    fn default() -> Registering {
        Registering { timeout: Duration::from_secs(20), attempts: None, retry_403: false }
    }
}

impl Default for General {
    fn default() -> General {
        General {
            realm: "asterisk".into(),
            bind: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 5060),
            user_agent: concat!("strowger/", env!("CARGO_PKG_VERSION")).into(),
            sdp_owner: "root".into(),
            sdp_name: "strowger".into(),
            min_expiry: Duration::from_secs(60),
            max_expiry: Duration::from_secs(3600),
            default_expiry: Duration::from_secs(120),
            reg_contexts: Vec::new(),
            qualify_gap: Duration::from_millis(100),
            tos_sip: 0,
            tos_audio: 184,
            media_address: None,
            rtp_bind: None,
            caller_id: "asterisk".into(),
            from_domain: None,
            send_diversion: true,
            emergency: EmergencyNumbers::default(),
            acl: Acl::default(),
            contact_acl: Acl::default(),
            allow_guest: false,
            accept_messages: true,
            domains: BTreeMap::new(),
            auto_domain: false,
            allow_external_domains: true,
            match_auth_username: false,
            auth_options: false,
            auth: Vec::new(),
            registrations: Vec::new(),
            register: Registering::default(),
            mailboxes: Vec::new(),
            mwi_expiry: Duration::from_secs(3600),
            sip_debug: false,
            lamps: LampOptions::default(),
            streams: Streams::default(),
            external: External::default(),
            srv_lookup: true,
            defaults: Settings::default(),
        }
    }
}
