//! Our own registrations at providers and other exchanges (`register =>`, `callbackextension=`).

mod one;
mod pace;
mod request;

pub(super) use one::ways;
pub use one::{Registration, RegistrationState};
pub(super) use pace::{Failed, renewal, wait};
pub(super) use request::seconds;

use crate::config::register_line::RegisterLine;
use crate::pbx::core::Core;
use crate::sip::Flow;
use crate::sip::message::Response;
use crate::sip::transaction::ClientId;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How far apart the first REGISTERs are, and those after a change of address.
const APART: Duration = Duration::from_millis(100);

/// All of them.
#[derive(Default)]
pub struct Registrations {
    all: BTreeMap<Arc<str>, Registration>,
    /// Those that are gone, until the registrar has answered.
    leaving: Vec<Registration>,
}

impl Registrations {
    /// Those of the configuration that are not known yet begin, one after another; those that are not in it any more
    /// are removed at their registrars; those that stay are left alone, unless they were given up: those begin again.
    pub fn load(&mut self, core: &mut Core) {
        let wanted: BTreeMap<Arc<str>, Arc<RegisterLine>> =
            core.config.general.registrations.iter().map(|line| (line.id.as_str().into(), line.clone())).collect();
        let gone: Vec<Arc<str>> = self
            .all
            .iter()
            .filter(|(key, one)| wanted.get(*key).is_none_or(|line| !is_same_account(&one.line, line)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            if let Some(mut one) = self.all.remove(&key)
                && one.leave(core)
            {
                self.leaving.push(one);
            }
        }
        let mut wait = Duration::ZERO;
        for (key, line) in wanted {
            if let Some(one) = self.all.get_mut(&key) {
                if one.line != line || one.is_given_up() {
                    one.adopt(line, core);
                }
                continue;
            }
            let mut one = Registration::new(line, core);
            one.begin_after(wait, core);
            wait = wait.saturating_add(APART);
            self.all.insert(key, one);
        }
    }

    /// Removes all of them at their registrars: the program is about to end.
    pub fn leave(&mut self, core: &mut Core) {
        for (_, mut one) in std::mem::take(&mut self.all) {
            if one.leave(core) {
                self.leaving.push(one);
            }
        }
    }

    /// Is a registrar still to answer that one is removed?
    pub fn is_leaving(&self) -> bool {
        self.leaving.iter().any(Registration::is_leaving)
    }

    /// Names lead elsewhere, or we have another address: what is registered from or at another address than now is
    /// registered again.
    pub fn addresses_changed(&mut self, core: &mut Core) {
        let mut wait = Duration::ZERO;
        for one in self.all.values_mut() {
            if one.has_moved(core) {
                one.begin_after(wait, core);
                wait = wait.saturating_add(APART);
            }
        }
    }

    /// A connection is closed by which we were registered: the registrar reaches us by a new one.
    pub fn connection_closed(&mut self, flow: Flow, core: &mut Core) {
        for one in self.all.values_mut().filter(|one| one.is_granted() && one.uses(flow)) {
            let wait = APART.saturating_add(Duration::from_millis(core.rng.below(2_000)));
            one.begin_after(wait, core);
        }
    }

    /// The proxies that a peer's calls take (RFC 3608).
    pub fn route_of(&self, peer: &str) -> &[Bytes] {
        let of_peer = self.all.values().filter(|one| one.line.peer.as_deref() == Some(peer));
        of_peer.map(Registration::route).find(|route| !route.is_empty()).unwrap_or_default()
    }

    /// One's timer went off.
    pub fn due(&mut self, key: &str, core: &mut Core) {
        if let Some(one) = self.all.get_mut(key) {
            one.send(core);
        }
    }

    /// All of the configuration, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.all.values()
    }

    /// How many timers they have set.
    pub fn timers(&self) -> usize {
        self.all.values().map(Registration::timers).sum()
    }

    /// The one that a request is of, and what is to be done with it; then those that have left are forgotten.
    fn with<R>(&mut self, key: &str, mut act: impl FnMut(&mut Registration) -> Option<R>) -> Option<R> {
        let of_key = |one: &&mut Registration| one.line.id == key;
        let found = self.leaving.iter_mut().filter(of_key).chain(self.all.get_mut(key)).find_map(&mut act);
        self.leaving.retain(Registration::is_leaving);
        found
    }
}

/// Does a line register the same account, user and Contact at the same place? What it proves itself with and for how long
/// may be another.
fn is_same_account(a: &RegisterLine, b: &RegisterLine) -> bool {
    let of = |line: &RegisterLine| {
        (
            line.id.clone(),
            line.peer.clone(),
            line.transport,
            line.domain.clone(),
            line.host.clone(),
            line.address.clone(),
        )
    };
    of(a) == of(b)
}

/// A REGISTER was answered.
pub fn answered(all: &mut Registrations, key: &str, (id, response): (ClientId, &Response), core: &mut Core) {
    all.with(key, |one| -> Option<()> {
        one.answered(id, response, core);
        None
    });
}

/// A REGISTER was not answered in time.
pub fn timed_out(all: &mut Registrations, key: &str, id: ClientId, core: &mut Core) {
    all.with(key, |one| -> Option<()> {
        one.timed_out(id, core);
        None
    });
}

/// A REGISTER was not carried.
pub fn not_sent(all: &mut Registrations, key: &str, (id, why): (ClientId, &str), core: &mut Core) {
    all.with(key, |one| -> Option<()> {
        one.not_sent(id, why, core);
        None
    });
}

/// The CSeq number under which a REGISTER is sent again with a password.
pub fn number_again(all: &mut Registrations, key: &str, id: ClientId) -> Option<u32> {
    all.with(key, |one| one.number_again(id))
}

/// The line that a REGISTER under way is of, also when it is not in the configuration any more.
pub fn line_of(all: &mut Registrations, key: &str, id: ClientId) -> Option<Arc<RegisterLine>> {
    all.with(key, |one| one.is_sent(id).then(|| one.line.clone()))
}
