//! Dialogs (RFC 3261 12): the two parties, the route between them, and the order of their requests.

use super::header::{CSeq, ContactValue, NameAddr};
use super::sips::is_sips;
use super::validate::Essentials;
use super::{HeaderName, Headers, Method, Request, Response, Uri};
use bytes::Bytes;
use smol_str::{SmolStr, StrExt};
use std::borrow::Cow;
use std::fmt;

/// The CSeq number before our first one in a dialog that a peer began: RFC 3261 8.1.1.5 leaves it free, and chan_sip
/// begins with 102.
const BEFORE_FIRST_CSEQ: u32 = 101;

/// The largest sequence number (RFC 3261 8.1.1.5: below 2^31).
const MAX_CSEQ: u32 = 0x7fff_ffff;

/// The longest route set; every request of the dialog carries it.
const MAX_ROUTES: usize = 32;

/// The hops a request may take (RFC 3261 8.1.1.6).
const MAX_FORWARDS: &str = "70";

/// The state of a dialog as RFC 3261 12 defines it, early or confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// The Call-ID.
    pub call_id: SmolStr,
    /// Our tag.
    pub local_tag: SmolStr,
    /// The peer's tag; `None` with an RFC 2543 peer that sends none (12.1.1, 12.1.2).
    pub remote_tag: Option<SmolStr>,
    /// Our address, with our tag: From of our requests.
    pub local: NameAddr,
    /// The peer's address, with its tag: To of our requests.
    pub remote: NameAddr,
    /// The peer's Contact: where requests are sent.
    pub remote_target: Uri,
    /// The proxies on the way to it, nearest first, each as it was received.
    pub route_set: Vec<Bytes>,
    /// The number of our latest request.
    pub local_cseq: u32,
    /// The number of the peer's latest request; `None` when there was none yet.
    pub remote_cseq: Option<u32>,
    /// It began with a `sips:` Request-URI over TLS, and stays there.
    pub secure: bool,
    /// Whether a 2xx was sent or received; before that the dialog is early. The UAS sets it with the 2xx.
    pub confirmed: bool,
}

/// Why a message creates no dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogError {
    /// No Contact that can be parsed, so the peer cannot be reached: the required response to a request is 400.
    NoContact,
    /// A Record-Route that cannot be parsed or has too many hops: the required response to a request is 400.
    BadRecordRoute,
    /// Our own request cannot be parsed, or has no From tag.
    BadRequest,
}

impl fmt::Display for DialogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DialogError::NoContact => "no Contact that can be read, so the peer cannot be reached inside the dialog",
            DialogError::BadRecordRoute => "a Record-Route that cannot be read or names more than 32 proxies",
            DialogError::BadRequest => "our own request has no From with a tag",
        })
    }
}

impl std::error::Error for DialogError {}

/// A request with a lower CSeq number than an earlier one (RFC 3261 12.2.2): the required response is 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfOrder;

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request's CSeq number is lower than that of an earlier request of the dialog")
    }
}

impl std::error::Error for OutOfOrder {}

/// How a message is matched to its dialog (RFC 3261 12). Tags are in lower case, because they are compared without
/// regard to it (7.3.1); the Call-ID is not (20.8).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DialogKey {
    /// The Call-ID.
    pub call_id: SmolStr,
    /// Our tag.
    pub local_tag: SmolStr,
    /// The peer's tag.
    pub remote_tag: Option<SmolStr>,
}

impl DialogKey {
    /// The key of these values.
    pub fn new(call_id: &str, local_tag: &str, remote_tag: Option<&str>) -> DialogKey {
        let local_tag = local_tag.to_ascii_lowercase_smolstr();
        let remote_tag = remote_tag.map(StrExt::to_ascii_lowercase_smolstr);
        DialogKey { call_id: call_id.into(), local_tag, remote_tag }
    }

    /// The dialog a peer's request belongs to; `None` when it has no To tag and so belongs to none.
    pub fn of_request(essentials: &Essentials) -> Option<DialogKey> {
        Some(DialogKey::new(&essentials.call_id, essentials.to.tag()?, essentials.from.tag()))
    }

    /// The dialog that a response to our request belongs to or creates; `None` when it lacks our tag.
    pub fn of_response(essentials: &Essentials) -> Option<DialogKey> {
        Some(DialogKey::new(&essentials.call_id, essentials.from.tag()?, essentials.to.tag()))
    }
}

impl Dialog {
    /// RFC 3261 12.1.1: the dialog of a peer's request that we are about to answer with `local_tag`.
    pub fn uas(request: &Request, essentials: &Essentials, local_tag: &str) -> Result<Dialog, DialogError> {
        let mut local = essentials.to.clone();
        local.params.set("tag", Some(local_tag));
        Ok(Dialog {
            call_id: essentials.call_id.clone(),
            local_tag: local_tag.into(),
            remote_tag: essentials.from.tag().map(SmolStr::new),
            local,
            remote: essentials.from.clone(),
            remote_target: match request.headers.get(HeaderName::Contact) {
                Some(_) => contact(&request.headers).ok_or(DialogError::NoContact)?,
                // RFC 2543 6.13: then it is reached at its From.
                None => essentials.from.uri.clone(),
            },
            route_set: record_route(&request.headers)?,
            local_cseq: BEFORE_FIRST_CSEQ,
            remote_cseq: Some(essentials.cseq.number),
            secure: is_sips(&request.target),
            confirmed: false,
        })
    }

    /// RFC 3261 12.1.2: the dialog that a response to our request creates. When the response has no Contact, which
    /// violates the RFC but happens with real devices, our Request-URI stays the target.
    pub fn uac(sent: &Request, response: &Response, essentials: &Essentials) -> Result<Dialog, DialogError> {
        let local = sent.headers.get(HeaderName::From).and_then(|from| NameAddr::parse(from).ok());
        let local = local.ok_or(DialogError::BadRequest)?;
        let local_tag = SmolStr::new(local.tag().ok_or(DialogError::BadRequest)?);
        let secure = is_sips(&sent.target);
        // A Contact that would leave TLS violates RFC 3261 12.1.1, and is not used.
        let contact = contact(&response.headers).filter(|contact| !secure || is_secure(contact));
        let target = contact.or_else(|| sent.uri().ok()).ok_or(DialogError::NoContact)?;
        Ok(Dialog {
            call_id: essentials.call_id.clone(),
            local_tag,
            remote_tag: essentials.to.tag().map(SmolStr::new),
            local,
            remote: essentials.to.clone(),
            remote_target: target,
            route_set: reversed(record_route(&response.headers)?),
            local_cseq: essentials.cseq.number,
            remote_cseq: None,
            secure,
            confirmed: (200..300).contains(&response.status),
        })
    }

    /// The key that messages of this dialog are matched by.
    pub fn key(&self) -> DialogKey {
        DialogKey::new(&self.call_id, &self.local_tag, self.remote_tag.as_deref())
    }

    /// The next request of ours (RFC 3261 12.2.1.1), any but ACK and CANCEL: without Via, Contact or body.
    pub fn request(&mut self, method: Method) -> Request {
        let number = self.next_number();
        self.build(method, number)
    }

    /// The number of our next request, which is taken by it: also for one that is sent again because it was challenged.
    pub fn next_number(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1).min(MAX_CSEQ);
        self.local_cseq
    }

    /// The ACK of a 2xx to our INVITE of this number (RFC 3261 13.2.2.4): without Via, credentials or body.
    pub fn ack(&self, invite_cseq: u32) -> Request {
        self.build(Method::Ack, invite_cseq)
    }

    /// Where our next request is sent (RFC 3261 8.1.2): the first proxy, or else the peer itself.
    pub fn next_hop(&self) -> Uri {
        self.first_route().unwrap_or_else(|| self.remote_target.clone())
    }

    /// RFC 3261 12.2.2: checks and records the number of a peer's request. An ACK or CANCEL repeats the number of its
    /// INVITE, and may come late.
    pub fn receive(&mut self, cseq: u32, method: &Method) -> Result<(), OutOfOrder> {
        if matches!(method, Method::Ack | Method::Cancel) {
            return Ok(());
        }
        if self.remote_cseq.is_some_and(|latest| cseq < latest) {
            return Err(OutOfOrder);
        }
        self.remote_cseq = Some(cseq);
        Ok(())
    }

    /// RFC 3261 12.2.1.2 and 12.2.2: a target refresh (a request whose method does so, or its 2xx) moves the remote
    /// target, if it has a Contact that can be parsed. The route set never changes with it, and the target of a dialog
    /// over TLS only to one that stays on TLS.
    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = contact(headers).filter(|target| !self.secure || is_secure(target)) {
            self.remote_target = target;
        }
    }

    /// RFC 3261 13.2.2.4: the 2xx that confirms an early dialog of ours; it alone decides route set and target.
    pub fn update_early(&mut self, response: &Response) -> Result<(), DialogError> {
        self.route_set = reversed(record_route(&response.headers)?);
        self.refresh_target(&response.headers);
        self.confirmed = true;
        Ok(())
    }

    fn build(&self, method: Method, number: u32) -> Request {
        let target = plain(&self.remote_target).to_string();
        let mut request = routed(method.clone(), &target, &self.route_set);
        request.headers.push(HeaderName::MaxForwards, MAX_FORWARDS);
        request.headers.push(HeaderName::From, self.local.to_string());
        request.headers.push(HeaderName::To, self.remote.to_string());
        request.headers.push(HeaderName::CallId, self.call_id.to_string());
        request.headers.push(HeaderName::CSeq, CSeq { number, method }.to_string());
        request
    }

    fn first_route(&self) -> Option<Uri> {
        first_hop(&self.route_set)
    }
}

/// A request to `target` by way of these proxies, nearest first: a dialog's route set, or the Path of a registration
/// (RFC 3261 12.2.1.1, 8.1.2; RFC 3327 5.1). Only the Request-URI and Route are set.
pub fn routed(method: Method, target: &str, routes: &[Bytes]) -> Request {
    let target = &*request_target(target);
    // A first proxy without `lr` is a strict router: its URI goes into the Request-URI, and the target to the end.
    let strict = first_hop(routes).filter(|first| !first.sip().is_some_and(|uri| uri.params.has("lr")));
    let Some(first) = strict else {
        let mut request = Request::new(method, target.to_owned());
        routes.iter().for_each(|route| request.headers.push(HeaderName::Route, route.clone()));
        return request;
    };
    let mut request = Request::new(method, plain(&first).to_string());
    routes.iter().skip(1).for_each(|route| request.headers.push(HeaderName::Route, route.clone()));
    request.headers.push(HeaderName::Route, format!("<{target}>"));
    request
}

/// The nearest of these proxies; none when there is none that can be parsed.
pub fn first_hop(routes: &[Bytes]) -> Option<Uri> {
    routes.first().and_then(|route| NameAddr::parse(route).ok()).map(|route| route.uri)
}

fn is_secure(uri: &Uri) -> bool {
    uri.sip().is_some_and(|uri| uri.secure)
}

fn contact(headers: &Headers) -> Option<Uri> {
    let first = headers.values(HeaderName::Contact).next()?;
    ContactValue::parse(&first).ok()?.address().map(|address| address.uri.clone())
}

fn record_route(headers: &Headers) -> Result<Vec<Bytes>, DialogError> {
    let routes: Vec<Bytes> = headers.values(HeaderName::RecordRoute).take(MAX_ROUTES.saturating_add(1)).collect();
    if routes.len() > MAX_ROUTES || routes.iter().any(|route| NameAddr::parse(route).is_err()) {
        return Err(DialogError::BadRecordRoute);
    }
    Ok(routes)
}

/// RFC 3261 12.1.2: the list has the proxy nearest to the peer first, and the UAC reverses it.
fn reversed(mut routes: Vec<Bytes>) -> Vec<Bytes> {
    routes.reverse();
    routes
}

/// The same as text, as most are.
fn request_target(text: &str) -> Cow<'_, str> {
    let is_plain = !text.contains('?') && !text.to_ascii_lowercase().contains(";method=");
    let uri = if is_plain { None } else { Uri::parse(text.as_bytes()).ok() };
    uri.map_or(Cow::Borrowed(text), |uri| Cow::Owned(plain(&uri).to_string()))
}

/// A URI as a Request-URI (RFC 3261 19.1.1, table 1): neither header fields nor a method belong there.
pub fn plain(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    if let Uri::Sip(sip) = &mut uri {
        sip.headers = None;
        sip.params.remove("method");
    }
    uri
}

#[cfg(test)]
mod tests;
