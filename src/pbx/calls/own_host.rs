//! Which addresses are this exchange's own, in a URI that a telephone gives.

use crate::pbx::core::Core;
use crate::sip::{Flow, Uri};
use std::net::SocketAddr;

/// At a socket of ours or, towards this line, at our address with any port of ours; without a port, any will do.
pub(super) fn is_ours(core: &Core, uri: &Uri, flow: Flow) -> bool {
    let Some(sip) = uri.sip() else { return false };
    let listening = &core.routing.listening;
    let ours = [Some(listening.udp), listening.tcp, listening.tls, Some(flow.local), Some(flow.advertised)];
    let mut ports = ours.iter().flatten().map(SocketAddr::port).filter(|port| sip.port.is_none_or(|it| it == *port));
    match sip.host.ip().map(|ip| ip.to_canonical()) {
        Some(ip) if ip.is_unspecified() => false,
        Some(ip) => {
            let ends = [flow.local, flow.advertised].map(|own| own.ip().to_canonical());
            let is_towards_it = ends.contains(&ip);
            let is_own = |port| core.routing.is_own_socket(SocketAddr::new(ip, port), flow);
            ports.any(|port| is_towards_it || is_own(port))
        }
        None => {
            let name = sip.host.to_string();
            let mut domains = core.config.general.domains.keys();
            ports.next().is_some() && domains.any(|domain| domain.eq_ignore_ascii_case(&name))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pbx::core::testing::core;
    use crate::registrar::next_hop::Listening;
    use crate::sip::{Flow, Uri};
    use std::sync::Arc;

    /// Bound to every address, two of which the machine has besides the one that this line knows.
    #[test]
    fn every_address_of_the_machine_is_ours() {
        let mut core = core("[general]\ndomain=home.example\n");
        let listening = Listening::udp("0.0.0.0:5060".parse().unwrap());
        core.routing.listening = Listening { tls: Some("[::]:5061".parse().unwrap()), ..listening };
        core.routing.own = Arc::new(["192.0.2.1", "198.51.100.1", "2001:db8::1"].map(|ip| ip.parse().unwrap()).into());
        let flow = Flow {
            advertised: "203.0.113.1:5060".parse().unwrap(),
            ..Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.20:5060".parse().unwrap())
        };
        for (at, is_ours) in [
            ("192.0.2.1", true),
            ("192.0.2.1:5060", true),
            ("198.51.100.1", true),
            ("198.51.100.1:5060", true),
            ("198.51.100.1:5061", true),
            ("198.51.100.1:5099", false),
            ("[2001:db8::1]:5061", true),
            ("[2001:db8::1]:5099", false),
            ("[2001:db8::2]", false),
            ("203.0.113.1:5061", true),
            ("192.0.2.77", false),
            ("HOME.example", true),
            ("home.example:5099", false),
            ("other.example", false),
        ] {
            let uri = Uri::parse(format!("sip:201@{at}").as_bytes()).unwrap();
            assert_eq!(super::is_ours(&core, &uri, flow), is_ours, "{at}");
        }
        // Nothing came from it yet: our address towards it is not known.
        let flow = Flow::udp("0.0.0.0:5060".parse().unwrap(), flow.remote);
        let is_ours = |at: &str| super::is_ours(&core, &Uri::parse(at.as_bytes()).unwrap(), flow);
        assert!(is_ours("sip:201@198.51.100.1") && !is_ours("sip:201@0.0.0.0"));
    }
}
