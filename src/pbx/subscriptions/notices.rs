//! What becomes of NOTIFYs (RFC 6665 4.2.2, RFC 5057): a subscriber that is gone is told no more.

use super::table::Subscriptions;
pub use super::waiting::Asked;
use super::waiting::{Subscribed, Waiting};
use crate::config::peer::Peer;
use crate::pbx::core::{Core, Requester, SubscriptionId, SubscriptionTimer};
use crate::sip::header::HeaderName;
use crate::sip::transaction::{Answer, ClientId};
use std::sync::Arc;
use std::time::Duration;

/// A NOTIFY that was put off is tried again after so long, each time longer by as much.
const RETRY: Duration = Duration::from_secs(10);
/// The longest that a subscriber may put off its NOTIFY.
const MAX_RETRY: Duration = Duration::from_secs(120);
/// NOTIFYs in a row that may be put off.
const MAX_FAILURES: u32 = 6;

/// A line registered: it is told what waits for it.
pub fn registered(subscriptions: &mut Subscriptions, peer: &Arc<Peer>, asked: &Asked<'_>, core: &mut Core) {
    unasked(subscriptions, |waiting, subscribed| waiting.registered(peer, asked, subscribed, core));
}

/// A mailbox has another count: whoever is told without having asked learns it.
pub fn mailbox_changed(subscriptions: &mut Subscriptions, mailbox: &str, asked: &Asked<'_>, core: &mut Core) {
    unasked(subscriptions, |waiting, subscribed| waiting.changed(mailbox, asked, subscribed, core));
}

/// A NOTIFY of message waiting that nobody subscribed to is over, in whatever way. False: it was none.
pub fn unasked_is_over(
    subscriptions: &mut Subscriptions,
    notice: (SubscriptionId, ClientId),
    asked: &Asked<'_>,
    core: &mut Core,
) -> bool {
    unasked(subscriptions, |waiting, subscribed| waiting.over(notice, asked, subscribed, core))
}

/// What is told without having been asked for, beside what is subscribed to.
fn unasked<T>(subscriptions: &mut Subscriptions, act: impl FnOnce(&mut Waiting, Subscribed<'_>) -> T) -> T {
    let mut waiting = std::mem::take(&mut subscriptions.waiting);
    let done = act(&mut waiting, &|line, at| subscriptions.counts_messages(line, at));
    subscriptions.waiting = waiting;
    done
}

/// A NOTIFY was answered.
pub fn answered(subscriptions: &mut Subscriptions, id: SubscriptionId, answer: &Answer<Requester>, core: &mut Core) {
    let Some(subscription) = subscriptions.get_mut(id).filter(|one| one.awaits(answer.id)) else { return };
    let status = answer.response.status;
    match status {
        0..=199 => {}
        200..=299 => {
            if subscription.taken() {
                return subscriptions.remove(id, core);
            }
            subscriptions.flush(id, core);
        }
        status if ends_subscription(status) => lose(subscriptions, id, format!("it answers {status}"), core),
        status => {
            let after = answer.response.headers.text(HeaderName::RetryAfter);
            let seconds = after.and_then(|text| text.split([' ', ';', '(']).next()?.trim().parse().ok());
            put_off(subscriptions, id, seconds.map(Duration::from_secs), &format!("it answers {status}"), core);
        }
    }
}

/// The CSeq number under which a NOTIFY that was asked for a password is to be sent again; `fallback` is the one after its
/// own. None: nobody waits for it.
pub fn number_again(
    subscriptions: &mut Subscriptions,
    (id, client): (SubscriptionId, ClientId),
    fallback: u32,
) -> Option<u32> {
    if subscriptions.waiting.awaits((id, client)) {
        return Some(fallback);
    }
    let subscription = subscriptions.get_mut(id).filter(|one| one.awaits(client))?;
    Some(subscription.dialog.next_number())
}

/// A NOTIFY got no answer in time: nobody is there any more.
pub fn timed_out(subscriptions: &mut Subscriptions, id: SubscriptionId, client: ClientId, core: &mut Core) {
    if subscriptions.get(id).is_some_and(|one| one.awaits(client)) {
        lose(subscriptions, id, "it does not answer".to_owned(), core);
    }
}

/// A NOTIFY could not be sent: the subscriber may have another connection soon.
pub fn not_sent(subscriptions: &mut Subscriptions, id: SubscriptionId, client: ClientId, why: &str, core: &mut Core) {
    if subscriptions.get(id).is_some_and(|one| one.awaits(client)) {
        put_off(subscriptions, id, None, why, core);
    }
}

fn put_off(subscriptions: &mut Subscriptions, id: SubscriptionId, after: Option<Duration>, why: &str, core: &mut Core) {
    let Some(subscription) = subscriptions.get_mut(id) else { return };
    let usual = RETRY.saturating_mul(subscription.failures().saturating_add(1));
    let after = after.unwrap_or(usual).clamp(Duration::from_secs(1), MAX_RETRY);
    if subscription.put_off(after, core) >= MAX_FAILURES {
        lose(subscriptions, id, why.to_owned(), core);
    }
}

/// The subscriber is gone, or knows nothing of it any more.
fn lose(subscriptions: &mut Subscriptions, id: SubscriptionId, why: String, core: &mut Core) {
    if subscriptions.get(id).is_some_and(|subscription| subscription.ending.is_none()) {
        subscriptions.report(id, why, core);
    }
    subscriptions.remove(id, core);
}

/// One of its timers went off.
pub fn timer(subscriptions: &mut Subscriptions, id: SubscriptionId, timer: SubscriptionTimer, core: &mut Core) {
    let Some(subscription) = subscriptions.get_mut(id) else { return };
    match timer {
        SubscriptionTimer::Expired => {
            subscription.is_over();
            subscriptions.end(id, "timeout", core);
        }
        SubscriptionTimer::Retry => {
            subscription.retry_is_due();
            subscriptions.flush(id, core);
        }
    }
}

/// Statuses that say that there is no such subscription, or that whoever is there will never take a NOTIFY (RFC 5057 5.1,
/// RFC 6665 4.2.2).
fn ends_subscription(status: u16) -> bool {
    matches!(status, 401 | 403..=405 | 407 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}
