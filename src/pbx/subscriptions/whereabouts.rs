//! Where subscribers are: a telephone that is reached elsewhere is told there.

use super::subscription::Subscription;
use super::table::{Subscriptions, source_of};
use crate::pbx::core::{Core, SubscriptionId};
use crate::registrar::register::Move;
use crate::sip::Flow;

/// A line is reached elsewhere than before: what it watches follows it, as far as it was where the line was.
pub fn line_moved(subscriptions: &mut Subscriptions, line: &str, moves: &[Move], core: &mut Core) {
    for id in subscriptions.of_line(line) {
        let Some(subscription) = subscriptions.get_mut(id) else { continue };
        let flow = subscription.reached.flow;
        let by = |from: Flow| {
            let is_same = flow.connection.is_some() && flow.connection == from.connection;
            flow.transport == from.transport && (is_same || flow.remote == from.remote)
        };
        let Some(moved) = moves.iter().find(|moved| by(moved.from)) else { continue };
        move_to(subscriptions, id, moved.to, core);
    }
}

/// A line that registered over a connection is spoken to over that one, whatever became of the one before.
pub fn move_to_connection(subscriptions: &mut Subscriptions, line: &str, came: Flow, core: &mut Core) {
    if came.connection.is_none() {
        return;
    }
    for id in subscriptions.of_line(line) {
        let flow = subscriptions.get(id).map(|subscription| subscription.reached.flow);
        let is_orphan = flow.is_some_and(|flow| {
            flow.connection.is_none() && flow.transport == came.transport && flow.remote.ip() == came.remote.ip()
        });
        if is_orphan {
            move_to(subscriptions, id, came, core);
        }
    }
}

fn move_to(subscriptions: &mut Subscriptions, id: SubscriptionId, to: Flow, core: &mut Core) {
    let Some(subscription) = subscriptions.get_mut(id) else { return };
    let before = source_of(subscription);
    if !subscription.move_to(to, core) {
        return;
    }
    let after = source_of(subscription);
    subscription.retry_now(core);
    subscriptions.change_source(before, after);
    subscriptions.touch(id);
    subscriptions.flush(id, core);
}

/// A connection is closed.
pub fn connection_closed(subscriptions: &mut Subscriptions, flow: Flow) {
    let over_it = subscriptions.iter().filter(|one| one.reached.flow.connection == flow.connection);
    let lost: Vec<SubscriptionId> = over_it.map(|one| one.id).collect();
    lost.into_iter().filter_map(|id| subscriptions.get_mut(id).map(Subscription::lose_connection)).for_each(drop);
}
