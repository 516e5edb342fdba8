//! Limits the size of unauthenticated responses, so that a forged source address does not amplify an attack.

use bytes::Bytes;

use crate::sip::header::HeaderName;
use crate::sip::{Request, Response};

/// The most that [`crate::sip::route::stamp_via`] adds to a Via: an address and a port.
const STAMP: usize = ";received=".len() + 39 + ";rport=65535".len();

/// Makes an unauthenticated response no larger than twice its request: `Allow`, `Server` and `Warning` are removed if
/// need be. False when that is not enough: the response must not be sent.
pub fn fits(request: &Request, response: &mut Response) -> bool {
    let most = least_size(request).saturating_mul(2);
    for spare in [HeaderName::Allow, HeaderName::Server, HeaderName::Warning] {
        if response.length() <= most {
            return true;
        }
        response.headers.remove(spare);
    }
    response.length() <= most
}

/// The smallest size in which the request can have arrived: header names in compact form, lines ended by LF alone, and
/// the topmost Via without our stamp.
fn least_size(request: &Request) -> usize {
    let name = |name: &HeaderName| name.compact().map_or(name.as_bytes().len(), |_| 1);
    let lines =
        request.headers.iter().map(|(header, value)| name(header).saturating_add(value.len()).saturating_add(2));
    let is_stamped = |via: &Bytes| via.windows(10).any(|part| part == b";received=");
    let stamp = if request.headers.get(HeaderName::Via).is_some_and(is_stamped) { STAMP } else { 0 };
    // A malformed request may lack the version, the end of the last line and the empty line.
    let around = if request.flaw.is_none() { "  SIP/2.0\n\n".len() } else { 0 };
    let around = around.saturating_add(request.body.len());
    let first = request.method.as_bytes().len().saturating_add(request.target.len()).saturating_add(around);
    lines.fold(first, usize::saturating_add).saturating_sub(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Message, route};

    fn read(text: &str) -> Request {
        match Message::parse(&Bytes::from(text.to_owned())) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_size_is_never_above_what_came() {
        for text in [
            "OPTIONS sip:a SIP/2.0\nv:SIP/2.0/UDP a;branch=z9hG4bK1\nf:<sip:a>;tag=1\nt:<sip:a>\ni:1\nCSeq:1 OPTIONS\n\n",
            "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;rport;branch=z9hG4bK1\r\nX-Unknown : a\r\n  folded\r\nl: 3\r\n\r\nabc",
            // Found by the fuzzer: neither version nor empty line.
            "\u{c}\rM\tSiVVVV \u{c}\u{c}\r\tSiP/\nv: \tSiP/P/S\tivi\tPP:/ S/S\ti\t",
        ] {
            let mut request = read(text);
            let size = least_size(&request);
            assert!(size <= text.len() && size + 40 > text.len(), "{size} of {}", text.len());
            for source in ["1.2.3.4:5", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"] {
                route::stamp_via(&mut request.headers, source.parse().unwrap(), true);
                assert!(least_size(&request) <= text.len(), "{source}");
            }
        }
    }

    #[test]
    fn what_can_be_spared_goes_first() {
        let ask = |extra: usize| {
            let request = read(&format!(
                "REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nX: {}\r\n\r\n",
                "x".repeat(extra)
            ));
            let mut response = Response::for_request(&request, 401, None);
            response.headers.push(HeaderName::WwwAuthenticate, "w".repeat(120));
            response.headers.push(HeaderName::Server, "strowger/1.0");
            response
                .headers
                .push(HeaderName::Allow, "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, INFO, NOTIFY, REGISTER");
            let sent = fits(&request, &mut response);
            (sent, response.headers.count(HeaderName::Server), response.headers.count(HeaderName::Allow))
        };
        let mut seen: Vec<_> = (0..300).map(ask).collect();
        seen.dedup();
        assert_eq!(seen, [(false, 0, 0), (true, 0, 0), (true, 1, 0), (true, 1, 1)], "the larger the request, the more");
    }
}
