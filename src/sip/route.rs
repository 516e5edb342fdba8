//! Where a response is sent, and what is written into the topmost Via for it (RFC 3261 18.2, RFC 3581).

use super::header::split::first_comma;
use super::header::{HeaderName, Headers, Via};
use super::lex::Scan;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// Where the response to a request is sent that came from `source` with this topmost Via. `force_rport` uses the source
/// port even when the phone did not ask for it (`nat=force_rport`); not for a Cisco 7960, which listens only on the
/// port its Via names.
pub fn response_target(via: &Via, source: SocketAddr, force_rport: bool) -> SocketAddr {
    // RFC 3261 18.2.2: the response goes to maddr, if there is one. A name would need a look-up, and no response goes
    // to a multicast, broadcast or loopback address: then the source is used instead.
    if let Some(address) =
        via.maddr.as_ref().and_then(|host| host.ip()).filter(|to| may_follow(*to, source.ip().to_canonical()))
    {
        return SocketAddr::new(address, via.sent_by_port());
    }
    // RFC 3581 4: the address and port from which the request came.
    if via.rport.is_some() || force_rport {
        return source;
    }
    // RFC 3261 18.2.2: to the address in received, which is the source, and the port of sent-by.
    SocketAddr::new(source.ip(), via.sent_by_port())
}

/// Writes the source of the request into the topmost Via: `received` (RFC 3261 18.2.1) always, as chan_sip does, and
/// the value of `rport` when it was asked for (RFC 3581 4) or is forced. All else in it stays byte for byte as it was.
pub fn stamp_via(headers: &mut Headers, source: SocketAddr, force_rport: bool) {
    let Some(line) = headers.get(HeaderName::Via) else { return };
    let end = first_comma(line);
    let first = line.get(..end).unwrap_or_default();
    let others = line.get(end..).unwrap_or_default();
    let mut stamped = Vec::with_capacity(line.len().saturating_add(64));
    let mut rport = force_rport;
    for (at, piece) in pieces(first).enumerate() {
        let name = Scan::new(piece.trim_ascii_start()).token();
        // A `received` or `rport` written by the sender itself is wrong or stale.
        let ours = name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport");
        rport |= at > 0 && name.eq_ignore_ascii_case(b"rport");
        if at == 0 || !ours {
            if at > 0 {
                stamped.push(b';');
            }
            stamped.extend_from_slice(piece);
        }
    }
    stamped.truncate(stamped.trim_ascii_end().len());
    // Writing to memory cannot fail.
    let _ = write!(stamped, ";received={}", source.ip().to_canonical());
    if rport {
        let _ = write!(stamped, ";rport={}", source.port());
    }
    stamped.extend_from_slice(others);
    headers.set_first(HeaderName::Via, stamped);
}

fn may_follow(maddr: IpAddr, source: IpAddr) -> bool {
    let broadcast = matches!(maddr, IpAddr::V4(v4) if v4.is_broadcast());
    let to_ourselves = maddr.is_loopback() && !source.is_loopback();
    !maddr.is_multicast() && !maddr.is_unspecified() && !broadcast && !to_ourselves
}

/// The parts of a Via value between its semicolons, except those inside quotes.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    value.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *byte == b';' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Method, Request};

    const SOURCE: &str = "192.0.2.130:51098";

    fn target(via: &str, force: bool) -> String {
        response_target(&Via::parse(via.as_bytes()).unwrap(), SOURCE.parse().unwrap(), force).to_string()
    }

    /// The Cisco 7960 sends from a port of the moment and listens on the one its Via names.
    #[test]
    fn without_rport_the_answer_goes_to_the_source_address_and_the_via_port() {
        assert_eq!(target("SIP/2.0/UDP 192.0.2.130:5060;branch=z9hG4bK5ab98907", false), "192.0.2.130:5060");
        assert_eq!(target("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK5ab98907", false), "192.0.2.130:5060");
        assert_eq!(target("SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK5ab98907", false), "192.0.2.130:5061");
        assert_eq!(target("SIP/2.0/UDP phone.example.com:5062;received=203.0.113.9", false), "192.0.2.130:5062");
    }

    #[test]
    fn with_rport_or_force_it_goes_to_the_source_port() {
        assert_eq!(target("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa", false), "192.0.2.130:51098");
        assert_eq!(target("SIP/2.0/UDP 10.0.0.1:5060;rport=9;branch=z9hG4bKa", false), "192.0.2.130:51098");
        assert_eq!(target("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa", true), "192.0.2.130:51098");
    }

    #[test]
    fn maddr_is_followed_when_it_is_one_host() {
        assert_eq!(target("SIP/2.0/UDP 10.0.0.1:5066;maddr=192.0.2.44;rport", false), "192.0.2.44:5066");
        for nobody in
            ["224.0.1.75", "255.255.255.255", "0.0.0.0", "127.0.0.1", "[::1]", "[ff02::1]", "name.example.com"]
        {
            assert_eq!(target(&format!("SIP/2.0/UDP 10.0.0.1:5066;maddr={nobody}"), false), "192.0.2.130:5066");
        }
    }

    fn stamped(via: &str, force: bool) -> String {
        let mut request = Request::new(Method::Options, "sip:a@192.0.2.1");
        request.headers.push(HeaderName::Via, via.to_owned());
        request.headers.push(HeaderName::Via, "SIP/2.0/UDP other;received=1.2.3.4");
        stamp_via(&mut request.headers, SOURCE.parse().unwrap(), force);
        assert_eq!(
            request.headers.lines(HeaderName::Via).nth(1).map(|v| v.as_ref()),
            Some(&b"SIP/2.0/UDP other;received=1.2.3.4"[..])
        );
        request.headers.text(HeaderName::Via).unwrap().into_owned()
    }

    #[test]
    fn the_stamp_disturbs_nothing_else() {
        assert_eq!(
            stamped("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1", false),
            "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1;received=192.0.2.130"
        );
        assert_eq!(
            stamped("SIP / 2.0/UDP 10.0.0.1 ; RPort ;x=\"a;rport\";branch=z9hG4bK-1 , SIP/2.0/UDP b;rport", false),
            "SIP / 2.0/UDP 10.0.0.1 ;x=\"a;rport\";branch=z9hG4bK-1;received=192.0.2.130;rport=51098, SIP/2.0/UDP b;rport"
        );
        assert_eq!(
            stamped("SIP/2.0/UDP 10.0.0.1;received=6.6.6.6;rport=1;branch=z", false),
            "SIP/2.0/UDP 10.0.0.1;branch=z;received=192.0.2.130;rport=51098"
        );
        assert_eq!(
            stamped("SIP/2.0/UDP 10.0.0.1;branch=z", true),
            "SIP/2.0/UDP 10.0.0.1;branch=z;received=192.0.2.130;rport=51098"
        );
    }
}
