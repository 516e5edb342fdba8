//! What is read of a section before it is whole, and the checks that need the whole.

use crate::config::acl_conf::Lists;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::finding;
use crate::config::general::General;
use crate::config::peer::{Credential, Kind, OutboundProxy, Peer, PeerAddress, Settings};
use crate::config::register_line::Written;
use crate::config::secret::Secret;
use crate::config::transport::Tls;
use crate::config::weak_secret::{Weakness, weakness};
use crate::names::HostName;
use crate::sdp::codec::CodecList;
use crate::sip::digest::Algorithm;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// SIP's port when none is given (RFC 3261 19.1.2).
const SIP_PORT: u16 = 5060;
/// The same for TLS.
const SIPS_PORT: u16 = 5061;

/// `[general]` while it is read.
pub struct GeneralDraft {
    pub(super) general: General,
    pub(super) bind_address: Option<(IpAddr, Option<u16>)>,
    pub(super) bind_port: Option<u16>,
    pub(super) tcp: bool,
    pub(super) tcp_bind: Option<(IpAddr, Option<u16>)>,
    pub(super) tls: bool,
    pub(super) tls_bind: Option<(IpAddr, Option<u16>)>,
    pub(super) tls_certificate: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) tls_authorities: Option<PathBuf>,
    pub(super) tls_verify: bool,
    pub(super) certificate_place: Option<Place>,
    pub(super) key_place: Option<Place>,
    pub(super) authorities_place: Option<Place>,
    /// The `register` lines, and where they stand.
    pub(super) register_lines: Vec<(Place, Written)>,
    /// The `mwi` lines, each with its mailbox.
    pub(super) mailbox_lines: Vec<(Place, Written, String)>,
    pub(super) lists: Arc<Lists>,
    /// Where the line stands that is being read.
    pub(super) at: Place,
}

impl GeneralDraft {
    pub(super) fn new(lists: &Arc<Lists>) -> GeneralDraft {
        GeneralDraft {
            general: General::default(),
            bind_address: None,
            bind_port: None,
            tcp: false,
            tcp_bind: None,
            tls: false,
            tls_bind: None,
            tls_certificate: None,
            tls_key: None,
            tls_authorities: None,
            tls_verify: true,
            certificate_place: None,
            key_place: None,
            authorities_place: None,
            register_lines: Vec::new(),
            mailbox_lines: Vec::new(),
            lists: lists.clone(),
            at: Place { file: "sip.conf".into(), line: 0 },
        }
    }

    /// `[general]` as a whole; what does not fit together is put right and said of the section at `place`.
    pub(super) fn finish(self, place: &Place, diagnostics: &mut Vec<Diagnostic>) -> General {
        let mut general = self.general.clone();
        let (ip, port) = self.bind_address.unwrap_or((general.bind.ip(), None));
        general.bind = SocketAddr::new(ip, port.or(self.bind_port).unwrap_or(SIP_PORT));
        self.streams(&mut general, place, diagnostics);
        if general.min_expiry > general.max_expiry {
            let (min, max) = (general.min_expiry.as_secs(), general.max_expiry.as_secs());
            let say = format!("'minexpiry' ({min}) is above 'maxexpiry' ({max}): {max} is used for both");
            diagnostics.push(Diagnostic::warning(place.clone(), say).hint("lower 'minexpiry' or raise 'maxexpiry'"));
            general.min_expiry = general.max_expiry;
        }
        general.default_expiry = general.default_expiry.clamp(general.min_expiry, general.max_expiry);
        if let Some(proxy) = &mut general.defaults.outbound_proxy {
            proxy.is_preset = true;
        }
        general
    }

    fn streams(self, general: &mut General, place: &Place, diagnostics: &mut Vec<Diagnostic>) {
        let udp = general.bind;
        if self.tcp {
            let (ip, port) = self.tcp_bind.unwrap_or((udp.ip(), Some(udp.port())));
            general.streams.tcp = Some(SocketAddr::new(ip, port.unwrap_or(SIP_PORT)));
        }
        let external = &general.external;
        if external.local_nets.is_empty() && external.is_named() {
            let say = "'externaddr', 'externhost' and 'stunaddr' have no effect without 'localnet'";
            let hint = "add a line such as 'localnet=192.168.0.0/16' for every network of your own";
            diagnostics.push(Diagnostic::warning(place.clone(), say).hint(hint));
        }
        if !self.tls {
            return;
        }
        let Some(certificate) = self.tls_certificate else {
            let hint = "docs/guides/transports.md tells how a certificate is made";
            diagnostics
                .push(Diagnostic::error(place.clone(), "'tlsenable' needs 'tlscertfile': TLS stays off").hint(hint));
            return;
        };
        let (ip, port) = self.tls_bind.unwrap_or((udp.ip(), None));
        general.streams.tls = Some(Tls {
            bind: SocketAddr::new(ip, port.unwrap_or(SIPS_PORT)),
            certificate,
            key: self.tls_key,
            authorities: self.tls_authorities,
            verify_server: self.tls_verify,
            key_place: self.key_place.unwrap_or_else(|| place.clone()),
            authorities_place: self.authorities_place.unwrap_or_else(|| place.clone()),
            place: self.certificate_place.unwrap_or_else(|| place.clone()),
        });
    }
}

/// The `outboundproxy` of a peer: that of `[general]` is for what has a fixed address; devices that register are reached
/// where they are. By name it is looked up as `[general]` has it.
fn settle_proxy(peer: &mut Peer, general: &General) {
    if !peer.host.is_fixed() && peer.settings.outbound_proxy.as_ref().is_some_and(|proxy| proxy.is_preset) {
        peer.settings.outbound_proxy = None;
    }
    if let Some(proxy) = &mut peer.settings.outbound_proxy {
        settle(proxy, general);
    }
}

/// How the name of a proxy is looked up.
pub(super) fn settle(proxy: &mut OutboundProxy, general: &General) {
    let (pinned, spoken) = (proxy.transport, general.transports());
    if let PeerAddress::Named(host) = &mut proxy.address {
        *host = HostName::of_server(&host.name, host.port, pinned.as_slice(), &spoken, general.srv_lookup);
    }
}

/// A peer while it is read: perhaps of several sections of one name.
pub struct PeerDraft {
    pub(super) peer: Peer,
    pub(super) kind: Option<Kind>,
    pub(super) secret: Option<Secret>,
    pub(super) ha1: Option<Secret>,
    pub(super) host: Option<HostDraft>,
    pub(super) default_ip: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) lists: Arc<Lists>,
    /// The codecs of `[general]`: for a peer whose own lines leave none.
    fallback: CodecList,
    /// Where the line stands that is being read.
    pub(super) at: Place,
    /// An error was said of it: it is left out.
    pub(super) is_broken: bool,
}

/// `host=` before the port is known.
#[derive(Clone)]
pub(super) enum HostDraft {
    Dynamic,
    Static(IpAddr),
    Named(String),
    /// It was said, and is no address.
    Unreadable,
}

impl PeerDraft {
    pub(super) fn new(name: &str, place: Place, defaults: Settings, lists: &Arc<Lists>) -> PeerDraft {
        PeerDraft {
            fallback: defaults.codecs.clone(),
            at: place.clone(),
            peer: Peer::new(name, place, defaults),
            kind: None,
            secret: None,
            ha1: None,
            host: None,
            default_ip: None,
            port: None,
            lists: lists.clone(),
            is_broken: false,
        }
    }

    /// The peer, when it is usable.
    pub(super) fn finish(self, general: &General, diagnostics: &mut Vec<Diagnostic>) -> Option<Peer> {
        let mut peer = self.peer;
        let (name, place) = (peer.name.clone(), peer.place.clone());
        let mut error = |what: &str, hint: &str| {
            let say = format!("section '{name}' {what}: peer '{name}' is left out");
            diagnostics.push(Diagnostic::error(place.clone(), say).hint(hint));
        };
        let mut is_usable = !self.is_broken;
        if self.ha1.is_some() && peer.settings.auth_algorithm == Algorithm::Sha256 {
            error(
                "has 'md5secret' and 'auth_algorithm=sha256'",
                "write 'secret' instead: SHA-256 needs the password itself",
            );
            is_usable = false;
        }
        let Some(kind) = self.kind else {
            // A wrong `type` has been said already.
            if !self.is_broken {
                error("lacks 'type'", "add 'type=friend' (a device that calls and is called), 'peer' or 'user'");
            }
            return None;
        };
        peer.kind = kind;
        let is_host_said = self.host.is_some();
        let port = self.port.unwrap_or(peer.settings.transport().default_port());
        peer.host = match (self.host, kind) {
            (Some(HostDraft::Dynamic), _) | (None, Kind::User | Kind::Guest) => PeerAddress::Dynamic,
            (Some(HostDraft::Static(ip)), _) => PeerAddress::Static(SocketAddr::new(ip, port)),
            (Some(HostDraft::Named(name)), _) => {
                let (pinned, spoken) = (&peer.settings.transports, general.transports());
                PeerAddress::Named(HostName::of_server(&name, self.port, pinned, &spoken, general.srv_lookup))
            }
            (Some(HostDraft::Unreadable), _) | (None, Kind::Friend | Kind::Peer) => PeerAddress::Unset,
        };
        if is_usable && !is_host_said && peer.host == PeerAddress::Unset {
            let say =
                format!("section '{name}' lacks 'host': it does not register, and is not called but at 'defaultip'");
            let hint = "add 'host=dynamic' for a device that registers, or its IP address";
            diagnostics.push(Diagnostic::warning(place.clone(), say).hint(hint));
        }
        settle_proxy(&mut peer, general);
        peer.default_addr = self.default_ip.map(|ip| SocketAddr::new(ip, port));
        peer.credential = self.ha1.map(Credential::Ha1).or(self.secret.map(Credential::Password));
        if is_usable && peer.settings.codecs.entries.is_empty() {
            // Every call would fail for want of one.
            let fallback = if self.fallback.entries.is_empty() { CodecList::default() } else { self.fallback };
            let say = format!("section '{name}' allows no codec: it has {} instead", fallback.names().join(", "));
            let hint = "add a line such as 'allow=ulaw,alaw' behind 'disallow=all'";
            diagnostics.push(Diagnostic::warning(place.clone(), say).hint(hint));
            peer.settings.codecs = fallback;
        }
        if is_usable && weakness(&peer) == Some(Weakness::Missing) {
            let say = format!("peer '{name}' has no 'secret': whoever knows its name can take its place");
            let hint = "add 'secret=' and the same password in the device";
            diagnostics.push(finding::SECRET_MISSING.at(&place, say).hint(hint));
        }
        is_usable.then_some(peer)
    }
}
