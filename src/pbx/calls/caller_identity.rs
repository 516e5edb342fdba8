//! Who calls, as an INVITE tells it: number, name, and whether they may be shown to those who are called.

use super::channel::Channel;
use crate::config::peer::Peer;
use crate::config::presentation::Presentation;
use crate::dialplan::CallerId;
use crate::pbx::uri_text::user_of;
use crate::sip::Uri;
use crate::sip::header::{HeaderName, NameAddr};
use crate::sip::message::Request;
use crate::sip::uri::Host;
use crate::sip::validate::Essentials;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The name; empty when there is none.
    pub name: String,
    /// The number; empty when there is none.
    pub number: String,
    /// May they be shown?
    pub presentation: Presentation,
}

/// The name and number a line calls from, each the first there is: what the line itself vouches for when it is trusted
/// (`trustrpid=`), its `callerid=`, what its From says. A line that registers speaks for itself alone unless it is trusted: in
/// place of From its number is the name of its section, and without `callerid=` or `fullname=` it has no name. They are hidden
/// when `callingpres=` says so, or, without that, when the call asks for it.
pub fn caller(peer: &Peer, request: &Request, essentials: &Essentials) -> Shown {
    let asserted = if peer.settings.trust_rpid { identity(request) } else { None };
    let vouched = if asserted.is_some() { Presentation::VOUCHED } else { Presentation::ALLOWED };
    let wished = if asks_to_be_hidden(request, essentials) { vouched.hidden() } else { vouched };
    let (asserted_name, asserted_number) =
        asserted.map_or((None, None), |asserted| (asserted.display, user(&asserted.uri)));
    let (from_name, from_number) = match peer.speaks_for_others() {
        // Behind an identity that is asserted, an anonymous From says nothing of it.
        true if asserted_number.is_some() && is_anonymous(&essentials.from.uri) => (None, None),
        true => (essentials.from.display.as_deref(), user(&essentials.from.uri)),
        false => (None, Some(peer.name.clone())),
    };
    let name = asserted_name.as_deref().or(peer.caller_id.name.as_deref()).or(from_name);
    let number = asserted_number.or_else(|| peer.caller_id.number.clone()).or(from_number);
    Shown {
        name: name.unwrap_or_default().to_owned(),
        number: number.unwrap_or_default(),
        presentation: peer.calling_pres.unwrap_or(wished),
    }
}

/// Who calls according to P-Asserted-Identity (RFC 3325 9.1), else Remote-Party-ID, else P-Preferred-Identity, by which a
/// telephone says under which of its numbers it wants to call (RFC 3325 9.2).
fn identity(request: &Request) -> Option<NameAddr> {
    let names = [HeaderName::PAssertedIdentity, HeaderName::RemotePartyId, HeaderName::PPreferredIdentity];
    names.into_iter().find_map(|name| {
        let mut values = request.headers.values(name);
        values.find_map(|value| NameAddr::parse(&value).ok().filter(|asserted| user(&asserted.uri).is_some()))
    })
}

/// A Privacy header (RFC 3323 4.2; `id` is of RFC 3325 9.3), an anonymous From (RFC 3323 4.1.1.3), or a Remote-Party-ID
/// that says so and no `Privacy: none`. Anybody may ask for it: it shows nothing that was hidden before.
fn asks_to_be_hidden(request: &Request, essentials: &Essentials) -> bool {
    let privacy = request.headers.text(HeaderName::Privacy).unwrap_or_default().to_ascii_lowercase();
    let words = || privacy.split([';', ',']).map(str::trim);
    let asked = words().any(|word| matches!(word, "id" | "user" | "header" | "full"));
    let refused = words().any(|word| word == "none");
    let rpid = request.headers.values(HeaderName::RemotePartyId).any(|value| {
        let privacy = NameAddr::parse(&value).ok().and_then(|rpid| rpid.params.get("privacy").map(str::to_owned));
        privacy.is_some_and(|privacy| !privacy.eq_ignore_ascii_case("off"))
    });
    asked || (rpid && !refused) || is_anonymous(&essentials.from.uri)
}

fn is_anonymous(from: &Uri) -> bool {
    let Uri::Sip(uri) = from else { return false };
    let nowhere = matches!(&uri.host, Host::Name(host) if host.eq_ignore_ascii_case("anonymous.invalid"));
    nowhere || uri.user_text().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
}

fn user(uri: &Uri) -> Option<String> {
    user_of::<()>(&Ok(uri.clone())).filter(|user| !user.is_empty())
}

/// Who a called line is, when it calls somebody itself: its `callerid=`, else the name of its section.
pub(super) fn own_identity(channel: &Channel) -> CallerId {
    let Some(peer) = channel.peer() else { return CallerId::default() };
    let number = peer.caller_id.number.clone().unwrap_or_else(|| peer.name.clone());
    let name = peer.caller_id.name.clone().unwrap_or_default();
    CallerId { name, ani: number.clone(), number, ..CallerId::default() }
}
