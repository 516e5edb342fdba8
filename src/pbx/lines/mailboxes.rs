//! Mailboxes of ours elsewhere (`mwi =>`): we subscribe to them (RFC 6665, RFC 3842), and are told how many messages wait.

mod one;

pub use one::{MailboxWatch, Notice};

use crate::config::mailbox_line::MailboxLine;
use crate::pbx::core::Core;
use crate::sip::dialog::DialogKey;
use crate::sip::transaction::{ClientId, ReferenceChange};
use crate::sip::validate::Essentials;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How far apart the first SUBSCRIBEs are.
const APART: Duration = Duration::from_millis(100);

/// All of them.
#[derive(Default)]
pub struct Mailboxes {
    all: BTreeMap<Arc<str>, MailboxWatch>,
    /// Those that are gone, until the other side has answered.
    leaving: Vec<MailboxWatch>,
    references: Vec<ReferenceChange>,
}

impl Mailboxes {
    /// Those of the configuration that are not known yet begin; those that are not in it any more are ended there; those
    /// that stay are left alone.
    pub fn load(&mut self, core: &mut Core) {
        let wanted: BTreeMap<Arc<str>, Arc<MailboxLine>> =
            core.config.general.mailboxes.iter().map(|line| (line.account.id.as_str().into(), line.clone())).collect();
        let is_gone = |(key, one): &(&Arc<str>, &MailboxWatch)| wanted.get(*key) != Some(&one.line);
        let gone: Vec<Arc<str>> = self.all.iter().filter(is_gone).map(|(key, _)| key.clone()).collect();
        for key in gone {
            if let Some(one) = self.all.remove(&key) {
                self.end(one, core);
            }
        }
        let mut wait = Duration::ZERO;
        for (key, line) in wanted {
            if self.all.contains_key(&key) {
                continue;
            }
            let mut one = MailboxWatch::new(key.clone(), line, core);
            self.references.push(one.opened());
            one.begin_after(wait, core);
            wait = wait.saturating_add(APART);
            self.all.insert(key, one);
        }
    }

    fn end(&mut self, mut one: MailboxWatch, core: &mut Core) {
        match one.leave(core) {
            true => self.leaving.push(one),
            false => self.references.push(one.closed()),
        }
    }

    /// Ends all of them: the program is about to end.
    pub fn leave(&mut self, core: &mut Core) {
        for one in std::mem::take(&mut self.all).into_values() {
            self.end(one, core);
        }
    }

    /// Is an answer still to come that one is ended?
    pub fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Names lead elsewhere, or we have another address.
    pub fn addresses_changed(&mut self, core: &mut Core) {
        for one in self.all.values_mut() {
            if one.has_moved(core) {
                one.begin_after(APART, core);
            }
        }
    }

    /// One's timer went off.
    pub fn due(&mut self, key: &str, core: &mut Core) {
        if let Some(one) = self.all.get_mut(key) {
            one.send(core);
        }
    }

    /// All of the configuration, by name.
    pub fn iter(&self) -> impl Iterator<Item = &MailboxWatch> {
        self.all.values()
    }

    /// How many timers they have set.
    pub fn timers(&self) -> usize {
        self.all.values().map(MailboxWatch::timers).sum()
    }

    /// The tags of ours that can be named since this was taken last, and those that are no more.
    pub fn take_references(&mut self) -> Vec<ReferenceChange> {
        std::mem::take(&mut self.references)
    }

    /// The one whose dialog a request belongs to.
    pub fn of_request(&self, essentials: &Essentials) -> Option<&MailboxWatch> {
        let key = DialogKey::of_request(essentials)?;
        self.leaving.iter().chain(self.all.values()).find(|one| one.is_of(&key))
    }

    /// The same, to be told by it.
    pub fn of_request_mut(&mut self, essentials: &Essentials) -> Option<&mut MailboxWatch> {
        let key = DialogKey::of_request(essentials)?;
        self.leaving.iter_mut().chain(self.all.values_mut()).find(|one| one.is_of(&key))
    }

    /// After something happened to one: those that are over are forgotten, and a new dialog has another tag.
    pub fn settle(&mut self) {
        let references = &mut self.references;
        self.leaving.retain(|one| {
            let stays = one.is_leaving();
            if !stays {
                references.push(one.closed());
            }
            stays
        });
        for one in self.all.values_mut() {
            references.extend(one.take_references());
        }
    }

    /// The one whose SUBSCRIBE is under way.
    pub fn of_client(&mut self, id: ClientId) -> Option<&mut MailboxWatch> {
        self.leaving.iter_mut().chain(self.all.values_mut()).find(|one| one.is_sent(id))
    }

    /// The CSeq number under which a SUBSCRIBE is sent again with a password.
    pub fn number_again(&mut self, id: ClientId) -> Option<u32> {
        self.of_client(id).map(MailboxWatch::number_again)
    }
}
