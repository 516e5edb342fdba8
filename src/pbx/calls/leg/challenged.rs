//! A request of a leg that was asked for a password is sent again (RFC 3261 22.2): under the next number of its dialog.

use super::context::Cx;
use super::{Leg, State};
use crate::sip::header::{HeaderName, NameAddr};
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::transaction::ClientId;

/// The CSeq number under which a refused request is to be sent again; `fallback` is the one after its own. None: the leg
/// does not want its answer any more.
pub fn number_again(leg: &mut Leg, id: ClientId, request: &Request, fallback: u32, cx: &mut Cx<'_>) -> Option<u32> {
    if request.method == Method::Bye {
        // Nobody waits for its answer, but the peer waits for the BYE.
        return Some(leg.ua.dialogs.current.as_mut().map_or(fallback, |dialog| dialog.next_number()));
    }
    if !leg.awaits(id) {
        return None;
    }
    if let State::Calling(invitation) = &mut leg.state
        && invitation.is(id)
    {
        if !invitation.is_wanted() {
            return None;
        }
        invitation.again(cx);
        // What rang before the refusal is over: the new INVITE has dialogs of its own (RFC 3261 12.3).
        leg.ua.dialogs.remove_from(cx.index);
        leg.ua.dialogs.current = None;
        leg.agreement.remote = None;
        return Some(fallback);
    }
    let to = request.headers.get(HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
    let tag = to.as_ref().and_then(NameAddr::tag);
    let dialog = leg.ua.dialogs.current.as_mut().filter(|dialog| dialog.remote_tag.as_deref() == tag)?;
    Some(dialog.next_number())
}
