//! All subscriptions, and every look-up of one.

use super::package::Package;
use super::stored::{self, STEP};
use super::subscription::{Subscription, Wanted};
use super::waiting::Waiting;
use super::watched::Watched;
use crate::clock::Now;
use crate::event::SubscriptionEvent;
use crate::pbx::core::{Core, Devices, SubscriptionId};
use crate::pbx::effect::StoreOrder;
use crate::sip::dialog::DialogKey;
use crate::sip::transaction::{Reference, ReferenceChange};
use crate::sip::validate::Essentials;
use crate::source_key::SourceKey;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// Subscriptions at once, of all lines together.
pub const MAX_SUBSCRIPTIONS: usize = 20_000;
/// Subscriptions of one line: a hundred lamps and some more, at two telephones.
pub const MAX_OF_LINE: usize = 250;
/// Subscriptions from one source: an office behind one address.
pub const MAX_OF_SOURCE: usize = 2_500;

/// How far apart the first NOTIFYs after a restart are.
const SPREAD: Duration = Duration::from_millis(5);

/// All subscriptions.
#[derive(Default)]
pub struct Subscriptions {
    table: BTreeMap<SubscriptionId, Subscription>,
    dialogs: BTreeMap<DialogKey, SubscriptionId>,
    by_line: BTreeMap<SmolStr, BTreeSet<SubscriptionId>>,
    by_source: BTreeMap<SourceKey, usize>,
    watched: Watched,
    /// Message waiting that nobody subscribed to.
    pub(super) waiting: Waiting,
    references: Vec<ReferenceChange>,
    /// What is to be stored anew.
    changed: BTreeSet<SubscriptionId>,
    /// The tags of those that are over and still stored.
    gone: Vec<SmolStr>,
}

impl Subscriptions {
    // ---- look-ups ----

    /// The subscription whose dialog a request belongs to.
    pub fn of_request(&self, essentials: &Essentials) -> Option<SubscriptionId> {
        self.dialogs.get(&DialogKey::of_request(essentials)?).copied()
    }

    /// A subscription.
    pub fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.table.get(&id)
    }

    /// A subscription, to be changed.
    pub(super) fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        self.table.get_mut(&id)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.table.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Every extension that is watched: its context and its name.
    pub fn watched(&self) -> impl Iterator<Item = (&str, &str)> {
        self.watched.places()
    }

    /// How many watch an extension of a context.
    pub fn watchers(&self, context: &str, exten: &str) -> usize {
        self.watched.watchers(&(context.into(), exten.into()))
    }

    /// Does a telephone of a line, at this address, subscribe to the messages that wait for it?
    pub(super) fn counts_messages(&self, line: &str, at: SocketAddr) -> bool {
        let mut of_line = self.by_line.get(line).into_iter().flatten().filter_map(|id| self.table.get(id));
        of_line
            .any(|one| one.package == Package::MessageSummary && one.ending.is_none() && one.reached.flow.remote == at)
    }

    /// How many timers they have set.
    pub fn timers(&self) -> usize {
        self.table.values().map(Subscription::timers).sum()
    }

    /// The tags of ours that can be named since this was taken last, and those that are no more.
    pub fn take_references(&mut self) -> Vec<ReferenceChange> {
        std::mem::take(&mut self.references)
    }

    // ---- they come and go ----

    /// Is there room for one more of this line from this source?
    pub(super) fn has_room(&self, line: &str, source: SourceKey) -> bool {
        self.table.len() < MAX_SUBSCRIPTIONS
            && self.by_line.get(line).map_or(0, BTreeSet::len) < MAX_OF_LINE
            && self.by_source.get(&source).copied().unwrap_or(0) < MAX_OF_SOURCE
    }

    /// A subscription begins; the hint that it is about names these devices.
    pub(super) fn insert(
        &mut self,
        subscription: Subscription,
        devices: Vec<String>,
        table: &dyn Devices,
        core: &Core,
    ) {
        let id = subscription.id;
        let key = subscription.dialog.key();
        self.references.push(ReferenceChange::Opened(Reference::tag(&key.local_tag)));
        self.dialogs.insert(key, id);
        self.by_line.entry(subscription.peer.name.as_str().into()).or_default().insert(id);
        self.enter_source(source_of(&subscription));
        self.watched.add(id, &subscription.place, devices, table, core);
        self.changed.insert(id);
        self.table.insert(id, subscription);
    }

    /// A subscription is over, and nothing more is sent of it.
    pub(super) fn remove(&mut self, id: SubscriptionId, core: &mut Core) {
        let Some(mut gone) = self.table.remove(&id) else { return };
        gone.let_go(core);
        self.changed.remove(&id);
        self.gone.push(gone.dialog.local_tag.clone());
        let key = gone.dialog.key();
        self.references.push(ReferenceChange::Closed(Reference::tag(&key.local_tag)));
        self.dialogs.remove(&key);
        if let Some(of_line) = self.by_line.get_mut(gone.peer.name.as_str()) {
            of_line.remove(&id);
            if of_line.is_empty() {
                self.by_line.remove(gone.peer.name.as_str());
            }
        }
        self.leave_source(source_of(&gone));
        self.watched.remove(id, &gone.place);
    }

    fn enter_source(&mut self, source: SourceKey) {
        let count = self.by_source.entry(source).or_default();
        *count = count.saturating_add(1);
    }

    /// A subscriber is reached elsewhere than it was.
    pub(super) fn change_source(&mut self, before: SourceKey, after: SourceKey) {
        if before != after {
            self.leave_source(before);
            self.enter_source(after);
        }
    }

    fn leave_source(&mut self, source: SourceKey) {
        if let Some(count) = self.by_source.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
    }

    /// What a telephone had subscribed to before it was restarted: the same of the same Contact, in another dialog.
    pub(super) fn replaced_by(&self, new: &Subscription) -> Option<SubscriptionId> {
        let same = |old: &&SubscriptionId| {
            self.table.get(old).is_some_and(|old| {
                old.place == new.place
                    && old.package == new.package
                    && old.event_id == new.event_id
                    && old.dialog.remote_target == new.dialog.remote_target
            })
        };
        self.by_line.get(new.peer.name.as_str())?.iter().find(same).copied()
    }

    // ---- what is stored ----

    /// A subscription is to be stored anew: it was refreshed, or is reached elsewhere.
    pub(super) fn touch(&mut self, id: SubscriptionId) {
        self.changed.insert(id);
    }

    /// What changed since this was asked last, to be stored before anything of it is sent.
    pub fn store_changes(&mut self, core: &mut Core) {
        for tag in std::mem::take(&mut self.gone) {
            core.out.store.push(StoreOrder::Subscription { tag, text: None });
        }
        for id in std::mem::take(&mut self.changed) {
            // One that ends is told so, and then is no more.
            let Some(one) = self.table.get_mut(&id).filter(|one| one.ending.is_none()) else { continue };
            one.reserve(STEP);
            let text = Some(stored::write(one, core.now));
            core.out.store.push(StoreOrder::Subscription { tag: one.dialog.local_tag.clone(), text });
        }
    }

    /// All of them, for a store that lost them.
    pub fn everything(&self, now: Now) -> impl Iterator<Item = StoreOrder> + '_ {
        let lasting = self.table.values().filter(|one| one.ending.is_none());
        lasting.map(move |one| {
            let text = Some(stored::write(one, now));
            StoreOrder::Subscription { tag: one.dialog.local_tag.clone(), text }
        })
    }

    /// Takes back what was subscribed to before a restart: each is told the state anew, one after another. What cannot be
    /// watched any more is forgotten.
    pub fn restore(&mut self, texts: Vec<(String, String)>, table: &dyn Devices, core: &mut Core) {
        let peers = core.config.peers.clone();
        let mut after = Duration::ZERO;
        for (tag, text) in texts {
            let found = stored::read(&text, &peers, core).filter(|(one, _)| {
                let is_new = !self.dialogs.contains_key(&one.dialog.key());
                one.peer.settings.allow_subscribe && is_new && self.has_room(&one.peer.name, source_of(one))
            });
            let devices = found.as_ref().and_then(|(one, _)| table.hint(core, &one.place.0, &one.place.1));
            let Some(((mut one, left), devices)) = found.zip(devices) else {
                core.count_drop("stored subscription that cannot be taken up again");
                self.gone.push(tag.into());
                continue;
            };
            one.last(left, core);
            after = after.saturating_add(SPREAD);
            one.resume(after, core);
            self.insert(one, devices, table, core);
        }
    }

    // ---- what is told ----

    /// Sends what a subscriber is to be told, as soon as it may be.
    pub(super) fn flush(&mut self, id: SubscriptionId, core: &mut Core) {
        let Subscriptions { table, watched, changed, .. } = self;
        if let Some(subscription) = table.get_mut(&id) {
            let lamp = watched.lamp(&subscription.place);
            subscription.flush(lamp, core);
            if subscription.is_used_up() {
                changed.insert(id);
            }
        }
    }

    fn tell(&mut self, ids: BTreeSet<SubscriptionId>, wanted: Wanted, core: &mut Core) {
        for id in ids {
            if let Some(subscription) = self.table.get_mut(&id) {
                subscription.want(wanted);
            }
            self.flush(id, core);
        }
    }

    /// A device does something else now, or may.
    pub fn device_changed(&mut self, device: &str, table: &dyn Devices, core: &mut Core) {
        let concerned = self.watched.device_changed(device, table, core);
        self.tell(concerned, Wanted::Change, core);
    }

    /// A subscription ends, and its subscriber is told why.
    pub(super) fn end(&mut self, id: SubscriptionId, reason: &'static str, core: &mut Core) {
        if let Some(subscription) = self.table.get_mut(&id) {
            subscription.end(reason);
            subscription.retry_now(core);
        }
        self.flush(id, core);
    }

    /// A new configuration is in force: who may watch no more, and what is no more there to be watched, is told so.
    pub fn reload(&mut self, table: &dyn Devices, core: &mut Core) {
        let peers = core.config.peers.clone();
        let mut rejected = Vec::new();
        for subscription in self.table.values_mut() {
            match peers.get(&subscription.peer.name).filter(|peer| peer.settings.allow_subscribe) {
                Some(peer) => subscription.peer = peer.clone(),
                None => rejected.push(subscription.id),
            }
        }
        self.waiting.reload(core);
        let (gone, changed) = self.watched.reload(table, core);
        for id in rejected {
            self.end(id, "rejected", core);
        }
        for id in gone {
            self.end(id, "noresource", core);
        }
        self.tell(changed, Wanted::Change, core);
    }

    /// The subscriptions of a line, oldest first.
    pub(super) fn of_line(&self, line: &str) -> Vec<SubscriptionId> {
        self.by_line.get(line).into_iter().flatten().copied().collect()
    }

    /// A subscriber is gone: that is said.
    pub(super) fn report(&self, id: SubscriptionId, why: String, core: &mut Core) {
        let Some(subscription) = self.table.get(&id) else { return };
        let (line, exten) = (subscription.peer.name.clone(), subscription.place.1.to_string());
        core.emit(SubscriptionEvent::Lost { line, exten: exten.into(), package: subscription.package.name(), why });
    }
}

/// What counts as the source of a subscription.
pub(super) fn source_of(subscription: &Subscription) -> SourceKey {
    SourceKey::of(subscription.reached.flow.remote.ip())
}
