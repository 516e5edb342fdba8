//! Where registered lines are. It proves nothing, for an address can be forged; it decides whose tokens are taken.

use crate::pbx::effect::StoreOrder;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{PoisonError, RwLock};

/// The addresses that lines registered from.
#[derive(Default)]
pub struct KnownAddresses(RwLock<Table>);

#[derive(Default)]
struct Table {
    of_peer: BTreeMap<SmolStr, Vec<SocketAddr>>,
    /// How many bindings each has.
    addresses: BTreeMap<SocketAddr, usize>,
}

impl KnownAddresses {
    /// Takes note of what is to be stored of registrations.
    pub fn learn<'a>(&self, orders: impl IntoIterator<Item = &'a StoreOrder>) {
        for order in orders {
            if let StoreOrder::Bindings { peer, bindings } = order {
                self.set(peer, bindings.iter().map(|binding| binding.source).collect());
            }
        }
    }

    /// A peer is registered from there, and from nowhere else.
    pub fn set(&self, peer: &str, sources: Vec<SocketAddr>) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Table { of_peer, addresses } = &mut *table;
        for gone in of_peer.remove(peer).into_iter().flatten() {
            if let Some(count) = addresses.get_mut(&gone) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    addresses.remove(&gone);
                }
            }
        }
        if sources.is_empty() {
            return;
        }
        for source in &sources {
            let count = addresses.entry(*source).or_default();
            *count = count.saturating_add(1);
        }
        of_peer.insert(peer.into(), sources);
    }

    /// Is somebody registered from there?
    pub fn has(&self, source: SocketAddr) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).addresses.contains_key(&source)
    }

    /// Is this peer registered from there?
    pub fn has_peer(&self, peer: &str, source: SocketAddr) -> bool {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.of_peer.get(peer).is_some_and(|sources| sources.contains(&source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_as_long_as_somebody_is_registered_from_it() {
        let known = KnownAddresses::default();
        let (one, two) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.1:5062".parse().unwrap());
        known.set("a", vec![one]);
        known.set("b", vec![one, two]);
        assert!(known.has(one) && known.has_peer("b", two) && !known.has_peer("a", two));
        known.set("b", vec![]);
        assert!(known.has(one) && !known.has(two) && !known.has_peer("b", two));
        known.set("a", vec![two]);
        assert!(!known.has(one) && known.has(two));
    }
}
