//! How many messages wait in a mailbox: kept in the key/value database, so that it outlives a restart, whoever tells it (a
//! provider, the console).

use super::database::{self, Database};

/// The family of the database.
pub const FAMILY: &str = "MessageWaiting";

/// Messages of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Messages {
    /// Those that nobody heard yet.
    pub new: u32,
    /// Those that were heard.
    pub old: u32,
}

impl Messages {
    /// `2/1`: two new, one old.
    pub fn parse(text: &str) -> Option<Messages> {
        let (new, old) = text.trim().split_once('/')?;
        Some(Messages { new: new.trim().parse().ok()?, old: old.trim().parse().ok()? })
    }

    /// The same as it is written.
    pub fn text(self) -> String {
        format!("{}/{}", self.new, self.old)
    }
}

/// A mailbox with its context, as the database names it.
pub fn full_name(mailbox: &str) -> String {
    let mailbox = mailbox.trim();
    if mailbox.contains('@') { mailbox.to_owned() } else { format!("{mailbox}@default") }
}

/// What waits in a mailbox; none: nobody has told.
pub fn messages(database: &Database, mailbox: &str) -> Option<Messages> {
    Messages::parse(&database.get(&database::path(FAMILY, &full_name(mailbox)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_known() {
        let database = Database::new();
        assert_eq!(messages(&database, "100"), None);
        database.put("/MessageWaiting/100@default", &Messages { new: 2, old: 1 }.text()).unwrap();
        assert_eq!(messages(&database, "100"), Some(Messages { new: 2, old: 1 }));
        assert_eq!(messages(&database, "100@default"), Some(Messages { new: 2, old: 1 }));
        assert_eq!((Messages::parse("1"), Messages::parse("-1/2"), Messages::parse("a/b")), (None, None, None));
    }
}
