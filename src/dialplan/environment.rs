//! What a program may look up at once, without a request: the clock, the dialplan, peers, global variables, randomness.

use super::database::Database;
use super::peers::Peers;
use super::tree::Dialplan;
use crate::clock::Now;
use crate::event::DeviceState;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most global variables; a `Set(GLOBAL(...))` beyond is refused with a warning.
pub const MAX_GLOBALS: usize = 10_000;

/// Maximum number of groups of `DIALGROUP`, and of lines in each.
const MAX_DIAL_GROUPS: usize = 256;
const MAX_GROUP_LINES: usize = 64;
/// The most locks held at once; further ones are refused.
const MAX_LOCKS: usize = 1000;

/// What the program of one channel may look up at once.
pub trait Environment {
    /// Both clocks.
    fn now(&self) -> Now;
    /// The dialplan as it is now; a reload shows at the next priority.
    fn dialplan(&self) -> &Arc<Dialplan>;
    /// `SIPPEER(name,item)`; `None`: no such peer or item.
    fn peer(&self, name: &str, item: &str) -> Option<String>;
    /// The peers of sip.conf.
    fn peers(&self) -> Peers {
        Peers::default()
    }
    /// `CHANNEL(item)` beyond what the dialplan knows itself (name, context, exten): `uniqueid`, `state`, `peerip`...
    fn channel(&self, item: &str) -> Option<String>;
    /// A variable of another channel, by that channel's name.
    fn variable_of(&self, _channel: &str, _variable: &str) -> Option<String> {
        None
    }
    /// On a line that a `Dial` called: the name and number of who calls.
    fn caller_of_line(&self) -> Option<(String, String)> {
        None
    }
    /// The folder where recordings with a relative name go; none: the exchange keeps no state.
    fn recordings(&self) -> Option<String> {
        None
    }
    /// Are the tones of this country known?
    fn has_tone_zone(&self, _zone: &str) -> bool {
        true
    }
    /// The state of a device: `SIP/name`, `Local/exten@context`, `Custom:name`.
    fn device_state(&self, _device: &str) -> DeviceState {
        DeviceState::Invalid
    }
    /// `CDR(field)`, as far as the dialplan does not know it itself.
    fn record(&self, _field: &str) -> Option<String> {
        None
    }
    /// Whether the domain is one of `domain=` in sip.conf, or with `autodomain=yes` an address of ours.
    fn is_own_domain(&self, _domain: &str) -> bool {
        false
    }
    /// A variable of the environment that the exchange was started with.
    fn process_variable(&self, _name: &str) -> Option<String> {
        None
    }
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

/// Global variables and locks, shared by all channels of a switch.
#[derive(Debug, Default)]
pub struct Globals {
    variables: RefCell<BTreeMap<String, String>>,
    /// Groups of lines (`DIALGROUP`), by name.
    dial_groups: RefCell<BTreeMap<String, Vec<String>>>,
    /// Locks (`TRYLOCK`, `MacroExclusive`) with the channel that has each, and how often it took it.
    locks: RefCell<BTreeMap<String, (String, u32)>>,
}

impl Globals {
    /// No variables yet.
    pub fn new() -> Globals {
        Globals::default()
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<String> {
        self.variables.borrow().get(name).cloned()
    }

    /// Sets a variable; false when there are too many.
    pub fn set(&self, name: &str, value: &str) -> bool {
        let mut table = self.variables.borrow_mut();
        if table.len() >= MAX_GLOBALS && !table.contains_key(name) {
            return false;
        }
        table.insert(name.to_owned(), value.to_owned());
        true
    }

    /// Removes a variable.
    pub fn remove(&self, name: &str) {
        self.variables.borrow_mut().remove(name);
    }

    /// The lines of a group, in the order they joined.
    pub fn dial_group(&self, name: &str) -> Vec<String> {
        self.dial_groups.borrow().get(name).cloned().unwrap_or_default()
    }

    /// Replaces the lines of a group; false when there are too many groups or lines.
    pub fn set_dial_group(&self, name: &str, lines: Vec<String>) -> bool {
        let mut groups = self.dial_groups.borrow_mut();
        let has_room = groups.len() < MAX_DIAL_GROUPS || groups.contains_key(name);
        if lines.is_empty() {
            groups.remove(name);
        } else if has_room && lines.len() <= MAX_GROUP_LINES {
            groups.insert(name.to_owned(), lines);
        } else {
            return false;
        }
        true
    }

    /// Takes over `[globals]` of a dialplan, at start and at reload; `clearglobalvars=yes` forgets all others.
    pub fn load(&self, dialplan: &Dialplan) {
        if dialplan.general().clear_globals {
            self.variables.borrow_mut().clear();
        }
        for (name, value) in dialplan.globals() {
            self.set(name, value);
        }
    }

    /// Takes a lock for a channel, which may have it already; false when another has it, or there are too many.
    pub fn lock(&self, name: &str, channel: &str) -> bool {
        let mut locks = self.locks.borrow_mut();
        if locks.len() >= MAX_LOCKS && !locks.contains_key(name) {
            return false;
        }
        let (owner, times) = locks.entry(name.to_owned()).or_insert_with(|| (channel.to_owned(), 0));
        let is_owner = owner == channel;
        *times = times.saturating_add(u32::from(is_owner));
        is_owner
    }

    /// Gives a lock back once; false when the channel does not have it.
    pub fn unlock(&self, name: &str, channel: &str) -> bool {
        let mut locks = self.locks.borrow_mut();
        let Some((_, times)) = locks.get_mut(name).filter(|(owner, _)| owner == channel) else { return false };
        *times = times.saturating_sub(1);
        if *times == 0 {
            locks.remove(name);
        }
        true
    }

    /// A channel is over: the locks it has are free.
    pub fn unlock_all(&self, channel: &str) {
        self.locks.borrow_mut().retain(|_, (owner, _)| owner != channel);
    }

    /// All variables by name.
    pub fn all(&self) -> Vec<(String, String)> {
        self.variables.borrow().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
