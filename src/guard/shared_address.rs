//! Several accounts at one address, as two accounts with one provider are: which of them a call is of.

use crate::config::peer::Peer;
use crate::sip::validate::Essentials;
use crate::sip::{Request, Uri};

/// Of the accounts at the address that a call came from, the one it is of: the one that is called by the user of its
/// Request-URI, else of its To (what the exchange registered as, or has there as `defaultuser=` or `fromuser=`), else the one
/// whose `fromuser=` or `defaultuser=` its From says, else the one whose `fromdomain=` its From or To does, else the first
/// by name. `strowger check` says where none of it tells them apart.
pub(super) fn choose(here: &[&Peer], request: &Request, essentials: &Essentials) -> usize {
    if here.len() < 2 {
        return 0;
    }
    let called = request.uri().ok().and_then(|uri| user(&uri));
    let (to, from) = (user(&essentials.to.uri), user(&essentials.from.uri));
    let hosts = [&essentials.from.uri, &essentials.to.uri].map(host);
    let by = |is_it: &dyn Fn(&Peer) -> bool| here.iter().position(|peer| is_it(peer));
    by(&|peer| called.as_deref().is_some_and(|user| peer.is_called_as(user)))
        .or_else(|| by(&|peer| to.as_deref().is_some_and(|user| peer.is_called_as(user))))
        .or_else(|| by(&|peer| from.as_deref().is_some_and(|user| peer.is_called_as(user))))
        .or_else(|| by(&|peer| hosts.iter().flatten().any(|host| is_domain_of(peer, host))))
        .unwrap_or(0)
}

/// `fromdomain=`, its port apart.
fn is_domain_of(peer: &Peer, host: &str) -> bool {
    let Some(domain) = &peer.from_domain else { return false };
    let name = domain.split(':').next().unwrap_or_default();
    domain.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(host)
}

fn user(uri: &Uri) -> Option<String> {
    uri.user_text().map(|user| user.into_owned()).filter(|user| !user.is_empty())
}

fn host(uri: &Uri) -> Option<String> {
    uri.sip().map(|sip| sip.host.to_string())
}
