//! SIP methods.

use bytes::Bytes;
use std::fmt;

/// A SIP method. Case matters (RFC 3261 7.1): `invite` is another method than `INVITE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Begin or change a call (RFC 3261).
    Invite,
    /// Confirm the final answer to an INVITE (RFC 3261).
    Ack,
    /// End a call (RFC 3261).
    Bye,
    /// Withdraw an INVITE (RFC 3261).
    Cancel,
    /// Ask what a peer can do; our qualify (RFC 3261).
    Options,
    /// Bind a contact to an address of record (RFC 3261).
    Register,
    /// Ask to be told of events (RFC 6665).
    Subscribe,
    /// Tell of an event (RFC 6665).
    Notify,
    /// Ask to call someone else: transfer (RFC 3515).
    Refer,
    /// A text message (RFC 3428).
    Message,
    /// Information inside a call, such as a digit (RFC 6086).
    Info,
    /// Change a call without a new INVITE (RFC 3311).
    Update,
    /// Acknowledge a provisional answer (RFC 3262).
    Prack,
    /// Publish a state (RFC 3903).
    Publish,
    /// Any other word, as it was received.
    Other(Bytes),
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

    /// The method as it is written on the wire; `?` when an unknown method's bytes are no text.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Options => "OPTIONS",
            Method::Register => "REGISTER",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Refer => "REFER",
            Method::Message => "MESSAGE",
            Method::Info => "INFO",
            Method::Update => "UPDATE",
            Method::Prack => "PRACK",
            Method::Publish => "PUBLISH",
            Method::Other(word) => std::str::from_utf8(word).unwrap_or("?"),
        }
    }

    /// The method's bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Method::Other(word) => word,
            known => known.as_str().as_bytes(),
        }
    }

    /// The methods this program has a name for.
    pub const KNOWN: [Method; 14] = [
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Options,
        Method::Register,
        Method::Subscribe,
        Method::Notify,
        Method::Refer,
        Method::Message,
        Method::Info,
        Method::Update,
        Method::Prack,
        Method::Publish,
    ];

    fn known(word: &[u8]) -> Option<Method> {
        Some(match word {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"OPTIONS" => Method::Options,
            b"REGISTER" => Method::Register,
            b"SUBSCRIBE" => Method::Subscribe,
            b"NOTIFY" => Method::Notify,
            b"REFER" => Method::Refer,
            b"MESSAGE" => Method::Message,
            b"INFO" => Method::Info,
            b"UPDATE" => Method::Update,
            b"PRACK" => Method::Prack,
            b"PUBLISH" => Method::Publish,
            _ => return None,
        })
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
        for method in Method::KNOWN {
            assert_eq!(Method::from_bytes(method.as_str().as_bytes()), method);
        }
    }

    /// RFC 3261 7.1: "Method names are case-sensitive."
    #[test]
    fn case_matters() {
        assert_eq!(Method::from_bytes(b"invite"), Method::Other(Bytes::from_static(b"invite")));
        assert_eq!(Method::from_bytes(b"invite").as_str(), "invite");
    }
}
