//! A request of ours that is asked for a password (401, 407) is sent again with it, whoever sent it.

use super::accounts;
use crate::pbx::calls::{self, Calls};
use crate::pbx::core::challenge::{self, Home};
use crate::pbx::core::{Core, Requester};
use crate::pbx::lines::{Lines, registrations};
use crate::pbx::subscriptions::{Subscriptions, notices};
use crate::sip::method::Method;
use crate::sip::transaction::{Account, Answer};

/// Answers a challenge, if the response is one and may be answered: then the request is on its way again, and its
/// requester waits on.
pub(super) fn is_sent_again(
    response: &Answer<Requester>,
    core: &mut Core,
    calls: &mut Calls,
    subscriptions: &mut Subscriptions,
    lines: &mut Lines,
) -> bool {
    if !matches!(response.response.status, 401 | 407) {
        return false;
    }
    // A REGISTER that is not waited for any more: another one is under way instead.
    let Some(home) = home(response, lines) else { return false };
    let Some(answered) = challenge::answer(response, home, core) else { return false };
    let Some(next) = answered.next_number() else { return false };
    let number = match response.requester {
        Requester::Leg(leg) if calls.leg(leg).is_some() => {
            calls::number_again(calls, (leg, response.id), (answered.request(), next), core)
        }
        // The BYE of a leg that is gone.
        Requester::Leg(_) => (answered.request().method == Method::Bye).then_some(next),
        Requester::Subscription(id) => notices::number_again(subscriptions, (id, response.id), next),
        Requester::Mailbox(_) => lines.mailboxes.number_again(response.id),
        Requester::Registration(ref key) => registrations::number_again(&mut lines.registrations, key, response.id),
        Requester::Qualify { .. } | Requester::Text(_) | Requester::Notify(_) => Some(next),
    };
    let Some(number) = number else { return false };
    challenge::send_again(response.id, response.requester.clone(), answered, number, core);
    // Whoever only asks whether somebody is there knows it by now.
    !matches!(response.requester, Requester::Qualify { .. })
}

/// Is the line that is asked registered where the challenge comes from? None: nobody waits for the answer.
fn home(response: &Answer<Requester>, lines: &mut Lines) -> Option<Home> {
    let name = match &response.account {
        Account::Peer(name) => name,
        Account::Registration(key) => {
            return accounts::account_of(lines, key, response.id).map(Home::Registrar);
        }
        Account::Nobody | Account::Given(_) => return Some(Home::Other),
    };
    let from = response.flow.remote.ip().to_canonical();
    let is_there = lines.bindings(name).iter().any(|binding| binding.flow.remote.ip().to_canonical() == from);
    Some(if is_there { Home::Registered } else { Home::Other })
}
