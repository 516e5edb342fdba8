//! Our accounts elsewhere, registrations and mailboxes: what comes of their requests goes to them.

use crate::config::register_line::RegisterLine;
use crate::pbx::core::{Core, Requester};
use crate::pbx::lines::{Lines, registrations};
use crate::sip::transaction::{Answer, ClientId};
use std::sync::Arc;

/// A registration of ours, or a mailbox, whose request was answered.
pub(super) fn answered(lines: &mut Lines, answer: &Answer<Requester>, core: &mut Core) {
    match &answer.requester {
        Requester::Registration(key) => {
            registrations::answered(&mut lines.registrations, key, (answer.id, &answer.response), core);
        }
        Requester::Mailbox(_) => {
            if let Some(one) = lines.mailboxes.of_client(answer.id) {
                one.answered(answer, core);
            }
            lines.mailboxes.settle();
        }
        _ => {}
    }
}

/// The same without an answer: `why`, when it could not be sent.
pub(super) fn unanswered(lines: &mut Lines, requester: &Requester, id: ClientId, why: Option<&str>, core: &mut Core) {
    match (requester, why) {
        (Requester::Registration(key), Some(why)) => {
            registrations::not_sent(&mut lines.registrations, key, (id, why), core);
        }
        (Requester::Registration(key), None) => registrations::timed_out(&mut lines.registrations, key, id, core),
        (Requester::Mailbox(_), why) => {
            if let Some(one) = lines.mailboxes.of_client(id) {
                one.unanswered(why.unwrap_or("nobody answers"), core);
            }
            lines.mailboxes.settle();
        }
        _ => {}
    }
}

/// The line of a registration or a mailbox whose request is under way, also when it is not in the configuration any more.
pub(super) fn account_of(lines: &mut Lines, key: &str, id: ClientId) -> Option<Arc<RegisterLine>> {
    let registered = registrations::line_of(&mut lines.registrations, key, id);
    registered.or_else(|| lines.mailboxes.of_client(id).map(|one| one.line.account.clone()))
}
