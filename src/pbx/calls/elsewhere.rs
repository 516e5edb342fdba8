//! Calls to an address that is no peer (`SIP/user@host`): as `[general]` presets peers, and never to the exchange itself.

use crate::config::diagnostic::Place;
use crate::config::peer::{Kind, Peer, PeerAddress};
use crate::dialplan::{DialTarget, Elsewhere, Located};
use crate::event::{Level, LogLine};
use crate::pbx::core::{Core, Target};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::uri_text::{escape_user, transport_param};
use crate::sip::Flow;
use crate::sip::flow::{ServerKey, Transport};
use crate::wording::outside;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where a dial string leads that names a host; none: it names none. `located`: what was found of its host.
pub(super) fn place(
    core: &mut Core,
    target: &DialTarget,
    located: Option<&Result<Located, String>>,
) -> Option<Result<Target, Failure>> {
    let read = Elsewhere::of(target)?;
    let found = match located {
        Some(Ok(found)) => *found,
        Some(Err(why)) => return Some(Err(FailureReason::HostUnknown.with(&[&outside(&read.host), &outside(why)]))),
        // Nobody looked it up: an address needs no looking up.
        None => match crate::dialplan::elsewhere::address(&read.host) {
            Some(address) => Located { address, seen: None },
            None => {
                let why = "a host that has no section of its own is looked up by Dial alone";
                return Some(Err(FailureReason::HostUnknown.with(&[&outside(&read.host), why])));
            }
        },
    };
    Some(reach(core, &read, found))
}

fn reach(core: &mut Core, read: &Elsewhere, found: Located) -> Result<Target, Failure> {
    let Elsewhere { user, domain, host, port, transport, has_password } = read;
    let general = core.config.general.clone();
    let wanted = match transport.as_str() {
        "tcp" => Some(Transport::Tcp),
        "tls" => Some(Transport::Tls),
        "udp" => Some(Transport::Udp),
        _ => None,
    };
    let over = wanted.unwrap_or(general.defaults.transport());
    let remote = SocketAddr::new(found.address.to_canonical(), port.unwrap_or(over.default_port()));
    let refused = |why: &str| FailureReason::HostRefused.with(&[&outside(host), &remote.to_string(), why]);
    if is_nobody(remote.ip()) {
        return Err(refused("no device has such an address"));
    }
    if !core.config.listening.has(over) {
        return Err(refused("that transport is off here (tcpenable=, tlsenable=)"));
    }
    let seen = found.seen.unwrap_or(core.config.listening.of(over).ip());
    let flow = core.routing.over(over, seen, remote);
    if core.routing.is_own_socket(remote, flow) {
        return Err(refused("that is this exchange itself: dial the extension as Local/extension@context"));
    }
    let by_name = crate::dialplan::elsewhere::address(host).is_none();
    let server = (by_name && over == Transport::Tls).then(|| ServerKey::of(host));
    if *has_password {
        let text =
            format!("The password in the dial string for {} is not used: give that host a section", outside(host));
        core.emit(LogLine { level: Level::Warning, text });
    }
    let nowhere = Place { file: "sip.conf".into(), line: 0 };
    let peer = Peer {
        // Nobody who registers, and no line that could be lost.
        kind: Kind::Guest,
        host: PeerAddress::Static(remote),
        from_domain: general.from_domain.clone(),
        ..Peer::new(host, nowhere, general.defaults.clone())
    };
    let at = if user.is_empty() { String::new() } else { format!("{}@", escape_user(user)) };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let uri = format!("sip:{at}{domain}{port}{}", transport_param(over));
    let flow = Flow { server, ..flow };
    let target = Target {
        peer: Arc::new(peer),
        flow,
        behind_nat: false,
        uri,
        route: Vec::new(),
        monitored: false,
        alternates: Vec::new(),
    };
    Ok(target)
}

fn is_nobody(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    ip.is_unspecified() || ip.is_multicast() || broadcast
}
