//! `sips:`: its requirements on a request and its transport (RFC 3261 8.1.1.8, 12.1.1 and 26.2.2, RFC 5630).

use super::flow::Transport;
use super::header::split::first_item;
use super::header::{ContactValue, HeaderName, NameAddr};
use super::{Method, Request, Uri};

/// What is wrong with a request; the required response is a 480 with this warning (RFC 5630 5.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SipsViolation {
    /// It names a `sips:` URI, and did not come over TLS.
    NotAllowed,
    /// It is for `sips:`, and its Contact is not: requests to that would leave TLS.
    Required,
}

impl SipsViolation {
    /// A Warning (RFC 3261 20.43) that names it; `agent` is our host.
    pub fn warning(self, agent: &str) -> String {
        match self {
            SipsViolation::NotAllowed => format!("380 {agent} \"SIPS Not Allowed\""),
            SipsViolation::Required => format!("381 {agent} \"SIPS Required\""),
        }
    }
}

/// What is wrong with a request that came over this transport, if anything. The Contact of a REGISTER is checked by the
/// registrar.
pub fn sips_violation(request: &Request, transport: Transport) -> Option<SipsViolation> {
    let is_secured = transport == Transport::Tls;
    if is_sips(&request.target) || top_is_sips(request, HeaderName::Route) {
        let stays = is_secured && (!moves_target(&request.method) || contact_stays(request));
        return match (is_secured, stays) {
            (false, _) => Some(SipsViolation::NotAllowed),
            (true, false) => Some(SipsViolation::Required),
            (true, true) => None,
        };
    }
    let asks = !is_secured && moves_target(&request.method) && asks_for_sips(request);
    asks.then_some(SipsViolation::NotAllowed)
}

/// Whether the Contact of our response must be a `sips:` one (RFC 3261 12.1.1).
pub fn binds_answer(request: &Request) -> bool {
    is_sips(&request.target) || asks_for_sips(request)
}

/// Whether the Contact of a request of ours must be a `sips:` one (RFC 3261 8.1.1.8).
pub fn binds_request(request: &Request) -> bool {
    is_sips(&request.target) || top_is_sips(request, HeaderName::Route)
}

/// Whether a URI, as written, is a `sips:` one.
pub fn is_sips(uri: &[u8]) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"))
}

/// Whether its Contact becomes the target of a dialog, a new or an existing one.
fn moves_target(method: &Method) -> bool {
    let rules = method.rules();
    rules.creates_dialog || rules.refreshes_target
}

/// The topmost Record-Route, or without any the Contact.
fn asks_for_sips(request: &Request) -> bool {
    match request.headers.get(HeaderName::RecordRoute) {
        Some(_) => top_is_sips(request, HeaderName::RecordRoute),
        None => contact_is_sips(request),
    }
}

fn top_is_sips(request: &Request, name: HeaderName) -> bool {
    let top = request.headers.get(name).map(|line| first_item(line));
    top.and_then(|top| NameAddr::parse(top).ok()).is_some_and(|top| top.uri.sip().is_some_and(|uri| uri.secure))
}

/// Whether its Contact stays on TLS. Within a dialog `sip:` with `transport=tls` is accepted: it does not move the
/// target, see `Dialog::refresh_target`, and a refusal would keep phones that write it so from holding and resuming.
fn contact_stays(request: &Request) -> bool {
    let to = request.headers.get(HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
    let is_inside = to.is_some_and(|to| to.tag().is_some());
    contact(request).is_none_or(|uri| {
        uri.sip().is_some_and(|uri| uri.secure || is_inside && uri.transport() == Some(Transport::Tls))
    })
}

fn contact_is_sips(request: &Request) -> bool {
    contact(request).is_some_and(|uri| uri.sip().is_some_and(|uri| uri.secure))
}

/// `None` when there is no Contact that can be parsed.
fn contact(request: &Request) -> Option<Uri> {
    let contact = ContactValue::parse(&request.headers.values(HeaderName::Contact).next()?).ok()?;
    contact.address().map(|address| address.uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{Tcp, Tls, Udp};

    fn request(method: Method, uri: &str, lines: &[(HeaderName, &str)]) -> Request {
        let mut request = Request::new(method, uri.to_owned());
        lines.iter().for_each(|(name, value)| request.headers.push(name.clone(), (*value).to_owned()));
        request
    }

    fn invite(uri: &str, lines: &[(HeaderName, &str)]) -> Request {
        request(Method::Invite, uri, lines)
    }

    #[test]
    fn what_names_sips_comes_over_tls() {
        use HeaderName::{Contact, RecordRoute, Route};
        const SIP: (HeaderName, &str) = (Contact, "<sip:a@192.0.2.9>");
        const SIPS: (HeaderName, &str) = (Contact, "\"A\" <SIPS:a@192.0.2.9>");
        for refused in [
            invite("SipS:1@h", &[SIPS]),
            invite("sip:1@h", &[SIPS]),
            invite("sip:1@h", &[SIP, (Route, "<sips:h;lr>, <sip:i;lr>")]),
            invite("sip:1@h", &[SIP, (RecordRoute, "<sips:p;lr>, <sip:q;lr>")]),
            request(Method::Bye, "sips:1@h", &[]),
            request(Method::Register, "sips:h", &[SIP]),
            request(Method::Update, "sip:1@h", &[SIPS]),
        ] {
            assert_eq!(
                [Udp, Tcp].map(|over| sips_violation(&refused, over)),
                [Some(SipsViolation::NotAllowed); 2],
                "{refused:?}"
            );
        }
        for allowed in [
            invite("sip:1@h", &[SIP]),
            invite("sip:1@h", &[SIPS, (RecordRoute, "<sip:q;lr>, <sips:p;lr>")]),
            invite("sip:sips:1@h", &[SIP]),
            request(Method::Register, "sip:h", &[SIPS]),
            request(Method::Options, "sip:h", &[SIPS]),
        ] {
            assert_eq!(sips_violation(&allowed, Udp), None, "{allowed:?}");
        }
        assert_eq!(
            [invite("sips:1@h", &[SIPS]), invite("sip:1@h", &[SIPS])].map(|it| sips_violation(&it, Tls)),
            [None; 2]
        );
    }

    /// RFC 3261 8.1.1.8.
    #[test]
    fn what_is_for_sips_has_a_contact_that_is() {
        use HeaderName::{Contact, Route, To};
        let sip = (Contact, "<sip:a@192.0.2.9;transport=tls>");
        for wrong in [
            invite("sips:1@h", std::slice::from_ref(&sip)),
            invite("sip:1@h", &[sip.clone(), (Route, "<sips:h;lr>")]),
            request(Method::Update, "sips:1@h", std::slice::from_ref(&sip)),
            invite("sips:1@h", &[sip.clone(), (To, "<sips:1@h>")]),
            invite("sips:1@h", &[(Contact, "<sip:a@192.0.2.9>"), (To, "<sips:1@h>;tag=1")]),
            invite("sips:1@h", &[(Contact, "<sip:a@192.0.2.9;transport=tcp>"), (To, "<sips:1@h>;tag=1")]),
        ] {
            assert_eq!(sips_violation(&wrong, Tls), Some(SipsViolation::Required), "{wrong:?}");
        }
        for right in [
            request(Method::Update, "sips:1@h", &[]),
            request(Method::Register, "sips:h", std::slice::from_ref(&sip)),
            request(Method::Bye, "sips:1@h", std::slice::from_ref(&sip)),
            invite("sips:1@h", &[sip.clone(), (To, "<sips:1@h>;tag=1")]),
        ] {
            assert_eq!(sips_violation(&right, Tls), None, "{right:?}");
        }
    }

    #[test]
    fn the_contact_counts_where_the_table_of_methods_says_that_it_becomes_a_target() {
        for (method, name, rules) in crate::sip::method::TABLE {
            let sips = request(method.clone(), "sip:1@h", &[(HeaderName::Contact, "<sips:a@192.0.2.9>")]);
            let counts = sips_violation(&sips, Udp).is_some();
            assert_eq!(counts, rules.creates_dialog || rules.refreshes_target, "{name}");
        }
    }

    #[test]
    fn our_own_contact_follows() {
        use HeaderName::{Contact, RecordRoute, Route};
        let sips = (Contact, "<sips:a@192.0.2.9>");
        assert!(
            binds_answer(&invite("sips:1@h", &[])) && binds_answer(&invite("sip:1@h", std::slice::from_ref(&sips)))
        );
        assert!(!binds_answer(&invite("sip:1@h", &[sips.clone(), (RecordRoute, "<sip:p;lr>")])));
        assert!(binds_request(&invite("sip:1@h", &[(Route, "<sips:p;lr>")])));
        assert!(!binds_request(&invite("sip:1@h", &[sips])));
    }
}
