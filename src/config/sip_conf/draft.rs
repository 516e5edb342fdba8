//! What is read of a section before it is whole, and the checks that need the whole.

use crate::config::acl_conf::Lists;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::finding;
use crate::config::general::General;
use crate::config::peer::{Credential, Host, Kind, Peer, Settings};
use crate::config::secret::Secret;
use crate::config::weakness::{Weakness, weakness};
use crate::sip::digest::Algorithm;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// SIP's port when none is given (RFC 3261 19.1.2).
const SIP_PORT: u16 = 5060;

/// `[general]` while it is read.
pub struct GeneralDraft {
    pub(super) general: General,
    pub(super) bind_address: Option<(IpAddr, Option<u16>)>,
    pub(super) bind_port: Option<u16>,
    pub(super) lists: Arc<Lists>,
}

impl GeneralDraft {
    pub(super) fn new(lists: &Arc<Lists>) -> GeneralDraft {
        GeneralDraft { general: General::default(), bind_address: None, bind_port: None, lists: lists.clone() }
    }

    /// `[general]` as a whole; what does not fit together is put right and said of the section at `place`.
    pub(super) fn finish(self, place: &Place, diagnostics: &mut Vec<Diagnostic>) -> General {
        let mut general = self.general;
        let (ip, port) = self.bind_address.unwrap_or((general.bind.ip(), None));
        general.bind = SocketAddr::new(ip, port.or(self.bind_port).unwrap_or(SIP_PORT));
        if general.min_expiry > general.max_expiry {
            let (min, max) = (general.min_expiry.as_secs(), general.max_expiry.as_secs());
            let say = format!("'minexpiry' ({min}) is above 'maxexpiry' ({max}): {max} is used for both");
            diagnostics.push(Diagnostic::warning(place.clone(), say).hint("lower 'minexpiry' or raise 'maxexpiry'"));
            general.min_expiry = general.max_expiry;
        }
        general.default_expiry = general.default_expiry.clamp(general.min_expiry, general.max_expiry);
        general
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
    /// An error was said of it: it is left out.
    pub(super) is_broken: bool,
}

/// `host=` before the port is known.
#[derive(Clone, Copy)]
pub(super) enum HostDraft {
    Dynamic,
    Static(IpAddr),
}

impl PeerDraft {
    pub(super) fn new(name: &str, place: Place, defaults: Settings, lists: &Arc<Lists>) -> PeerDraft {
        PeerDraft {
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
    pub(super) fn finish(self, diagnostics: &mut Vec<Diagnostic>) -> Option<Peer> {
        let mut peer = self.peer;
        let (name, place) = (peer.name.clone(), peer.place.clone());
        let mut error = |what: &str, hint: &str| {
            let say = format!("section '{name}' {what}: peer '{name}' is left out");
            diagnostics.push(Diagnostic::error(place.clone(), say).hint(hint));
        };
        let mut is_usable = !self.is_broken;
        if peer.settings.codecs.entries.is_empty() {
            error("allows no codec", "add a line such as 'allow=ulaw,alaw' behind 'disallow=all'");
            is_usable = false;
        }
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
        let port = self.port.unwrap_or(SIP_PORT);
        let host = match (self.host, kind) {
            (Some(HostDraft::Dynamic), _) | (None, Kind::User | Kind::Guest) => Some(Host::Dynamic),
            (Some(HostDraft::Static(ip)), _) => Some(Host::Static(SocketAddr::new(ip, port))),
            (None, Kind::Friend | Kind::Peer) => None,
        };
        match host {
            Some(host) => peer.host = host,
            None => {
                if !self.is_broken {
                    error("lacks 'host'", "add 'host=dynamic' for a device that registers, or its IP address");
                }
                return None;
            }
        }
        peer.default_addr = self.default_ip.map(|ip| SocketAddr::new(ip, port));
        peer.credential = self.ha1.map(Credential::Ha1).or(self.secret.map(Credential::Password));
        if is_usable && weakness(&peer) == Some(Weakness::Missing) {
            let say = format!("peer '{name}' has no 'secret': whoever knows its name can take its place");
            let hint = "add 'secret=' and the same password in the device";
            diagnostics.push(finding::SECRET_MISSING.at(&place, say).hint(hint));
        }
        is_usable.then_some(peer)
    }
}
