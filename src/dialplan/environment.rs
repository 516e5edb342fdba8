//! What a program may look up at once, without a request: the clock, the dialplan, peers, global variables, randomness.

use super::database::Database;
use super::tree::Dialplan;
use crate::clock::Now;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most global variables; a `Set(GLOBAL(...))` beyond is refused with a warning.
pub const MAX_GLOBALS: usize = 10_000;

/// What the program of one channel may look up at once.
pub trait Environment {
    /// Both clocks.
    fn now(&self) -> Now;
    /// The dialplan as it is now; a reload shows at the next priority.
    fn dialplan(&self) -> &Arc<Dialplan>;
    /// `SIPPEER(name,item)`; `None`: no such peer or item.
    fn peer(&self, name: &str, item: &str) -> Option<String>;
    /// `CHANNEL(item)` beyond what the dialplan knows itself (name, context, exten): `uniqueid`, `state`, `peerip`...
    fn channel(&self, item: &str) -> Option<String>;
    /// The global variables.
    fn globals(&self) -> &Globals;
    /// The key/value database.
    fn database(&self) -> &Database;
    /// The header fields of the INVITE that this call came with, by name.
    fn sip_headers(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// The groups of all channels but this: category and group (`GROUP()`).
    fn groups_of_others(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// 64 random bits, for `RAND`.
    fn random(&self) -> u64;
}

/// Global variables, shared by all channels of a switch.
#[derive(Debug, Default)]
pub struct Globals(RefCell<BTreeMap<String, String>>);

impl Globals {
    /// No variables yet.
    pub fn new() -> Globals {
        Globals::default()
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).cloned()
    }

    /// Sets a variable; false when there are too many.
    pub fn set(&self, name: &str, value: &str) -> bool {
        let mut table = self.0.borrow_mut();
        if table.len() >= MAX_GLOBALS && !table.contains_key(name) {
            return false;
        }
        table.insert(name.to_owned(), value.to_owned());
        true
    }

    /// Takes over `[globals]` of a dialplan, at start and at reload; `clearglobalvars=yes` forgets all others.
    pub fn load(&self, dialplan: &Dialplan) {
        if dialplan.general().clear_globals {
            self.0.borrow_mut().clear();
        }
        for (name, value) in dialplan.globals() {
            self.set(name, value);
        }
    }

    /// All variables by name.
    pub fn all(&self) -> Vec<(String, String)> {
        self.0.borrow().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
