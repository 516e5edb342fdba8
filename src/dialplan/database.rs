//! The key/value database of the dialplan and the console: `DB(family/key)`, `database show`. It is held here; what
//! changed is handed out to be stored.

use super::state::MAX_TEXT;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The most entries; a write beyond is refused with a warning.
pub const MAX_ENTRIES: usize = 10_000;
/// The longest `/family/key`, in bytes (astdb's own limit).
pub const MAX_KEY: usize = 254;

/// Values by `/family/key`; a key may hold further slashes. Keys are told apart by case, as in astdb.
#[derive(Debug, Default)]
pub struct Database {
    entries: RefCell<BTreeMap<String, String>>,
    changes: RefCell<BTreeMap<String, Option<String>>>,
}

/// The full name of an entry: `/family/key`.
pub fn path(family: &str, key: &str) -> String {
    format!("/{family}/{key}")
}

/// The full name of what `DB(family/key)` names; an error says what is missing.
pub fn path_of(argument: &str) -> Result<String, String> {
    match argument.split_once('/') {
        Some((family, key)) if !family.is_empty() && !key.is_empty() => Ok(path(family, key)),
        _ => Err(format!("'{argument}' is not family/key")),
    }
}

/// Whether family `blacklist` has the caller's number or name.
pub fn is_blacklisted(database: &Database, number: &str, name: &str) -> bool {
    [number, name].iter().any(|key| !key.is_empty() && database.get(&path("blacklist", key)).is_some())
}

impl Database {
    /// Nothing in it.
    pub fn new() -> Database {
        Database::default()
    }

    /// Takes in what was stored before a restart; what is here already stands, and nothing counts as changed.
    pub fn load(&self, stored: impl IntoIterator<Item = (String, String)>) {
        let mut entries = self.entries.borrow_mut();
        for (path, value) in stored {
            if entries.len() < MAX_ENTRIES {
                entries.entry(path).or_insert(value);
            }
        }
    }

    /// The value of a full name.
    pub fn get(&self, path: &str) -> Option<String> {
        self.entries.borrow().get(path).cloned()
    }

    /// Sets a value.
    ///
    /// # Errors
    /// The name or the value is too long, or there are [`MAX_ENTRIES`] already.
    pub fn put(&self, path: &str, value: &str) -> Result<(), String> {
        let mut entries = self.entries.borrow_mut();
        if path.len() > MAX_KEY {
            return Err(format!("the database takes names of {MAX_KEY} bytes at most, this one has {}", path.len()));
        }
        if value.len() > MAX_TEXT {
            return Err(format!("the database takes values of {MAX_TEXT} bytes at most, this one has {}", value.len()));
        }
        if entries.len() >= MAX_ENTRIES && !entries.contains_key(path) {
            return Err(format!("the database is full ({MAX_ENTRIES} entries): delete some (database deltree)"));
        }
        entries.insert(path.to_owned(), value.to_owned());
        self.changes.borrow_mut().insert(path.to_owned(), Some(value.to_owned()));
        Ok(())
    }

    /// Deletes an entry, and gives its value.
    pub fn delete(&self, path: &str) -> Option<String> {
        let gone = self.entries.borrow_mut().remove(path)?;
        self.changes.borrow_mut().insert(path.to_owned(), None);
        Some(gone)
    }

    /// Deletes `/family`, or `/family/key`, with everything below it; says how many entries that were.
    pub fn delete_tree(&self, path: &str) -> usize {
        let gone: Vec<String> = self.entries.borrow().keys().filter(|name| is_below(name, path)).cloned().collect();
        gone.iter().filter_map(|name| self.delete(name)).count()
    }

    /// All entries by their full names, in order.
    pub fn all(&self) -> Vec<(String, String)> {
        self.entries.borrow().iter().map(|(path, value)| (path.clone(), value.clone())).collect()
    }

    /// The entries whose full names begin so, in order, without a look at the others.
    pub fn beginning(&self, with: &str) -> Vec<(String, String)> {
        let entries = self.entries.borrow();
        let from = entries.range(with.to_owned()..).take_while(|(path, _)| path.starts_with(with));
        from.map(|(path, value)| (path.clone(), value.clone())).collect()
    }

    /// The same without a copy of them: what `look` makes of them, in order.
    pub fn look_at<R>(&self, with: &str, look: impl FnOnce(&mut dyn Iterator<Item = (&str, &str)>) -> R) -> R {
        let entries = self.entries.borrow();
        let from = entries.range(with.to_owned()..).take_while(|(path, _)| path.starts_with(with));
        look(&mut from.map(|(path, value)| (path.as_str(), value.as_str())))
    }

    /// What changed since this was asked last: the new value, or `None` for what is gone.
    pub fn take_changes(&self) -> BTreeMap<String, Option<String>> {
        std::mem::take(&mut *self.changes.borrow_mut())
    }
}

/// Is `name` the entry `path`, or one below it? `/a/b` is below `/a`, `/ab` is not.
pub fn is_below(name: &str, path: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_what_stands_below_a_slash() {
        let database = Database::new();
        for name in ["/cid/1", "/cid/1/2", "/cidname/1", "/dnd/1"] {
            database.put(name, "x").unwrap();
        }
        database.take_changes();
        assert_eq!(database.delete_tree("/cid"), 2);
        assert_eq!(database.all().len(), 2);
        assert_eq!(
            database.take_changes().into_iter().collect::<Vec<_>>(),
            [("/cid/1".into(), None), ("/cid/1/2".into(), None)]
        );
        assert_eq!(database.delete_tree("/none"), 0);
        assert_eq!(database.delete("/none/1"), None);
        assert!(database.take_changes().is_empty());
    }

    #[test]
    fn it_is_bounded_and_says_so() {
        let database = Database::new();
        database.load((0..MAX_ENTRIES + 5).map(|number| (format!("/n/{number}"), String::new())));
        assert_eq!(database.all().len(), MAX_ENTRIES);
        assert!(database.take_changes().is_empty(), "what was stored is not stored again");
        assert!(database.put("/one/more", "x").unwrap_err().contains("full"));
        assert_eq!(database.put("/n/1", "x"), Ok(()));
        assert!(
            database.put(&"k".repeat(MAX_KEY + 1), "x").is_err()
                && database.put("/n/1", &"v".repeat(MAX_TEXT + 1)).is_err()
        );
        assert_eq!(database.get("/n/1").as_deref(), Some("x"));
    }

    #[test]
    fn what_is_here_already_stands() {
        let database = Database::new();
        database.put("/a/b", "new").unwrap();
        database.load([("/a/b".to_owned(), "old".to_owned()), ("/a/c".to_owned(), "old".to_owned())]);
        assert_eq!((database.get("/a/b").as_deref(), database.get("/a/c").as_deref()), (Some("new"), Some("old")));
    }

    #[test]
    fn a_name_has_a_family_and_a_key() {
        assert_eq!(path_of("cid/1"), Ok("/cid/1".to_owned()));
        assert_eq!(path_of("SIP/Registry/a"), Ok("/SIP/Registry/a".to_owned()));
        for bad in ["", "cid", "cid/", "/1"] {
            assert!(path_of(bad).is_err(), "{bad}");
        }
    }
}
