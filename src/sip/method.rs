//! SIP methods: THE table of what depends on the method of a request alone.

use bytes::Bytes;
use std::fmt;

/// What the exchange does with a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodRules {
    /// A 2xx to it may begin a dialog, so it needs a Contact (RFC 3261 12.1, 8.1.1.8).
    pub creates_dialog: bool,
    /// Its Contact, and that of its 2xx, becomes the remote target of its dialog (RFC 3261 12.2).
    pub refreshes_target: bool,
    /// The exchange has it, and says so in `Allow` (RFC 3261 20.5).
    pub in_allow: bool,
    /// With a To tag it belongs to a dialog: the ingress leaves it to the switch.
    pub within_dialogs: bool,
    /// What the ingress does with it otherwise.
    pub at_edge: AtEdge,
    /// The status of a dialog that does nothing with it; none: no response is required.
    pub in_dialog: Option<u16>,
}

/// What the ingress does with a request that belongs to no dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEdge {
    /// Leaves it to the switch, which finds its transaction or dialog: it is never challenged (RFC 3261 22.1), and its
    /// Require is not looked at (8.2.2.3).
    Pass,
    /// Leaves it to the switch once its sender has proved who it is.
    Authenticate,
    /// Answers 200 at once.
    Accept,
    /// Refuses it at once with this status.
    Refuse(u16),
}

macro_rules! method_table {
    ($($(#[$doc:meta])* $variant:ident $name:literal
        $creates_dialog:literal $refreshes_target:literal $in_allow:literal $within_dialogs:literal
        $at_edge:expr, $in_dialog:expr;)*) => {
        /// A SIP method. Case matters (RFC 3261 7.1): `invite` is another method than `INVITE`.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Method {
            $($(#[$doc])* $variant,)*
            /// Any other word, as it was received.
            Other(Bytes),
        }

        /// Every method this program has a name for, as it is written, with its rules.
        pub const TABLE: &[(Method, &str, MethodRules)] = &[$((Method::$variant, $name, MethodRules {
            creates_dialog: $creates_dialog,
            refreshes_target: $refreshes_target,
            in_allow: $in_allow,
            within_dialogs: $within_dialogs,
            at_edge: $at_edge,
            in_dialog: $in_dialog,
        }),)*];

        impl Method {
            /// The method as it is written on the wire; `?` when an unknown method's bytes are no text.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Method::$variant => $name,)*
                    Method::Other(word) => std::str::from_utf8(word).unwrap_or("?"),
                }
            }

            fn known(word: &[u8]) -> Option<Method> {
                Some(match std::str::from_utf8(word).ok()? {
                    $($name => Method::$variant,)*
                    _ => return None,
                })
            }
        }
    };
}

// In the order of `Allow`.
method_table! {
    //                   creates refreshes in     within
    //                   dialog  target    Allow  dialogs  at the ingress        in a dialog
    /// Begin or change a call (RFC 3261).
    Invite "INVITE"       true   true      true   true     AtEdge::Authenticate, Some(405);
    /// Confirm the final answer to an INVITE (RFC 3261).
    Ack "ACK"             false  false     true   true     AtEdge::Pass,         None;
    /// Withdraw an INVITE (RFC 3261).
    Cancel "CANCEL"       false  false     true   true     AtEdge::Pass,         None;
    /// Ask what a peer can do; our qualify (RFC 3261).
    Options "OPTIONS"     false  false     true   true     AtEdge::Accept,       Some(200);
    /// End a call (RFC 3261). One that matches no dialog is answered 481 (15.1.2).
    Bye "BYE"             false  false     true   true     AtEdge::Refuse(481),  Some(405);
    /// Change a call without a new INVITE (RFC 3311).
    Update "UPDATE"       false  true      true   true     AtEdge::Refuse(405),  Some(405);
    /// Information inside a call, such as a digit (RFC 6086).
    Info "INFO"           false  false     true   true     AtEdge::Refuse(405),  Some(200);
    /// Report an event (RFC 6665). ATAs send it outside dialogs, to keep their address translator's binding alive.
    Notify "NOTIFY"       false  false     true   true     AtEdge::Accept,       Some(200);
    /// Bind a contact to an address of record (RFC 3261).
    Register "REGISTER"   false  false     true   false    AtEdge::Authenticate, Some(405);
    /// Ask for reports of events (RFC 6665).
    Subscribe "SUBSCRIBE" true   true      true   true     AtEdge::Authenticate, Some(405);
    /// Ask to call someone else: transfer (RFC 3515). Only within a call: what it would begin outside of one is declined.
    Refer "REFER"         false  false     true   true     AtEdge::Refuse(603),  Some(603);
    /// A text message (RFC 3428).
    Message "MESSAGE"     false  false     true   true     AtEdge::Authenticate, Some(405);
    /// Acknowledge a provisional answer (RFC 3262).
    Prack "PRACK"         false  false     false  true     AtEdge::Refuse(405),  Some(405);
    /// Publish a state (RFC 3903).
    Publish "PUBLISH"     false  false     false  true     AtEdge::Refuse(405),  Some(405);
}

/// What the exchange does with a method that is not in the table.
const UNKNOWN: MethodRules = MethodRules {
    creates_dialog: false,
    refreshes_target: false,
    in_allow: false,
    within_dialogs: false,
    at_edge: AtEdge::Refuse(501),
    in_dialog: Some(501),
};

/// The value of `Allow` in every message of ours (RFC 3261 20.5).
pub const ALLOW: &str = match std::str::from_utf8(&ALLOW_BYTES) {
    Ok(text) => text,
    Err(_) => "",
};

const ALLOW_BYTES: [u8; allow_length()] = allow_bytes();

/// With a comma and a blank between two names.
const fn allow_length() -> usize {
    let (mut length, mut row) = (0, 0);
    while row < TABLE.len() {
        if TABLE[row].2.in_allow {
            length += TABLE[row].1.len() + 2;
        }
        row += 1;
    }
    length - 2
}

const fn allow_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [b' '; LENGTH];
    let (mut at, mut row) = (0, 0);
    while row < TABLE.len() {
        if TABLE[row].2.in_allow {
            if at > 0 {
                bytes[at] = b',';
                at += 2;
            }
            let (name, mut letter) = (TABLE[row].1.as_bytes(), 0);
            while letter < name.len() {
                bytes[at] = name[letter];
                (at, letter) = (at + 1, letter + 1);
            }
        }
        row += 1;
    }
    bytes
}

impl Method {
    /// The method of exactly this spelling, without copying a known one.
    pub fn from_bytes(word: &[u8]) -> Method {
        Method::known(word).unwrap_or_else(|| Method::Other(Bytes::copy_from_slice(word)))
    }

    /// The method of this spelling, sharing the memory of `word` when it is none we know.
    pub fn from_shared(word: Bytes) -> Method {
        Method::known(&word).unwrap_or(Method::Other(word))
    }

    /// The method's bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Method::Other(word) => word,
            known => known.as_str().as_bytes(),
        }
    }

    /// What the exchange does with it.
    pub fn rules(&self) -> &'static MethodRules {
        TABLE.iter().find(|(method, ..)| method == self).map_or(&UNKNOWN, |(_, _, rules)| rules)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_method_is_read_as_it_is_written() {
        for (method, name, rules) in TABLE {
            assert_eq!((method.as_str(), Method::from_bytes(name.as_bytes())), (*name, method.clone()));
            assert_eq!(method.rules(), rules, "{name}");
        }
        assert_eq!(*Method::from_bytes(b"FOO").rules(), UNKNOWN);
    }

    #[test]
    fn allow_names_what_the_exchange_has_in_the_order_of_the_table() {
        assert_eq!(
            ALLOW,
            "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, INFO, NOTIFY, REGISTER, SUBSCRIBE, REFER, MESSAGE"
        );
        let names: Vec<&str> = TABLE.iter().filter(|(.., rules)| rules.in_allow).map(|(_, name, _)| *name).collect();
        assert_eq!(ALLOW.split(", ").collect::<Vec<_>>(), names);
    }

    /// What `Allow` leaves out is refused by edge and dialog alike, and only that.
    #[test]
    fn what_is_not_allowed_is_refused_everywhere() {
        for (_, name, rules) in TABLE {
            let is_refused = rules.at_edge == AtEdge::Refuse(405) && rules.in_dialog == Some(405);
            assert_eq!(!rules.in_allow, is_refused && *name != "UPDATE", "{name}");
        }
    }

    /// RFC 3261 7.1: "Method names are case-sensitive."
    #[test]
    fn case_matters() {
        assert_eq!(Method::from_bytes(b"invite"), Method::Other(Bytes::from_static(b"invite")));
        assert_eq!(Method::from_bytes(b"invite").as_str(), "invite");
    }
}
