//! `domain=`: which domains are ours.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::config::general::General;
use crate::sip::validate::Essentials;
use crate::sip::{Method, Request, Uri};

/// The domains of the configuration. When it names none, every domain is ours.
#[derive(Clone)]
pub(super) struct Domains {
    names: BTreeMap<String, Option<String>>,
    own_addresses: bool,
    external_calls: bool,
}

impl Domains {
    pub fn new(general: &General) -> Domains {
        Domains {
            names: general.domains.clone(),
            own_addresses: general.auto_domain,
            external_calls: general.allow_external_domains,
        }
    }

    /// Whether the exchange serves the domain of a request that arrived at our address `local`: a REGISTER by its To, a
    /// call by its Request-URI.
    pub fn serves(&self, request: &Request, essentials: &Essentials, local: SocketAddr) -> bool {
        if self.names.is_empty() && !self.own_addresses {
            return true;
        }
        match request.method {
            Method::Register => self.is_ours(&essentials.to.uri, local),
            Method::Invite if self.external_calls => true,
            // A number is of no domain (RFC 3966).
            Method::Invite if request.uri().is_ok_and(|uri| uri.is_tel()) => true,
            Method::Invite => request.uri().is_ok_and(|uri| self.is_ours(&uri, local)),
            _ => true,
        }
    }

    /// The context of calls to the request's domain, when the configuration names one.
    pub fn context(&self, request: &Request) -> Option<&str> {
        let uri = request.uri().ok().filter(|_| !self.names.is_empty())?;
        self.names.get(&domain(&uri)?)?.as_deref()
    }

    fn is_ours(&self, uri: &Uri, local: SocketAddr) -> bool {
        let Some(domain) = domain(uri) else { return false };
        let is_address =
            || uri.sip().and_then(|uri| uri.host.ip()).is_some_and(|ip| ip.to_canonical() == local.ip().to_canonical());
        self.names.contains_key(&domain) || (self.own_addresses && is_address())
    }
}

/// The host part in lower case; an address without brackets.
fn domain(uri: &Uri) -> Option<String> {
    let host = &uri.sip()?.host;
    Some(host.ip().map_or_else(|| host.to_string().to_ascii_lowercase(), |ip| ip.to_string()))
}
