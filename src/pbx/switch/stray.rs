//! Responses to an INVITE nobody waits for any more, from another phone behind a fork or later than the give-up: RFC 3261
//! 13.2.2.4 has a 2xx acknowledged and ended, 9.1 lets what rings be cancelled.

use crate::pbx::core::{Core, Requester, add_request_headers};
use crate::sip::dialog::Dialog;
use crate::sip::flow::Transport;
use crate::sip::header::{HeaderName, NameAddr};
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::transaction::{Answer, Sending};
use std::borrow::Cow;

/// Acknowledges and ends what a stray answer began, and cancels what rings still; any other answer is dropped.
pub(super) fn end(answer: Answer<Requester>, core: &mut Core) {
    let Answer { id, requester, account, response, essentials, .. } = answer;
    if essentials.cseq.method != Method::Invite || response.status >= 300 {
        return;
    }
    let Some((request, flow)) = core.tx.request_of(id).map(Cow::into_owned).zip(core.tx.flow_of(id)) else { return };
    if response.status < 200 {
        // A re-INVITE needs none: the BYE of its call ends it.
        if !has_to_tag(&request) && core.tx.cancel(core.now.mono, id, None, &mut core.out.transmit).is_some() {
            core.count_drop("late ringing cancelled");
        }
        return;
    }
    let Ok(mut dialog) = Dialog::uac(&request, &response, &essentials) else { return };
    let next = core.routing.follow(&dialog.next_hop(), flow, &core.config.general.defaults);
    // What began with sips: does not leave TLS, whatever the answer's route says.
    let flow = if dialog.secure && next.transport != Transport::Tls { flow } else { next };
    let mut ack = dialog.ack(essentials.cseq.number);
    add_request_headers(&mut ack, &core.config.product);
    core.tx.acknowledge(id, ack, flow, &mut core.rng, &mut core.out.transmit);
    if has_to_tag(&request) {
        // A re-INVITE of a call that was hung up meanwhile: its BYE is on the way already.
        return;
    }
    let mut bye = dialog.request(Method::Bye);
    add_request_headers(&mut bye, &core.config.product);
    core.request(bye, flow, Sending::Reliably, requester, account);
    core.count_drop("late or forked answer ended");
}

fn has_to_tag(request: &Request) -> bool {
    request.headers.get(HeaderName::To).and_then(|to| NameAddr::parse(to).ok()).is_some_and(|to| to.tag().is_some())
}
