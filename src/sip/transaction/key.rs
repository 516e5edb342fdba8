//! The keys by which messages are matched to transactions (RFC 3261 17.1.3, 17.2.3, 8.2.2.2). The keys of peers'
//! requests are hashes, to save memory: those of half a minute of finished calls are kept.

use crate::rng::Rng;
use crate::sip::header::Via;
use crate::sip::validate::Essentials;
use crate::sip::{Host, Method, Request};
use siphasher::sip128::{Hasher128, SipHasher13};
use smol_str::StrExt;
use std::hash::Hasher;

/// RFC 3261 17.1.3: the branch of the top Via, which is ours, and whether the CSeq names a CANCEL, which has the branch
/// of its INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientKey {
    /// The random part of the branch.
    pub number: u64,
    pub cancels: bool,
}

impl ClientKey {
    /// The branch of this key.
    pub fn branch(self) -> String {
        format!("{}{:016x}", Via::MAGIC, self.number)
    }

    /// The key of a response; `None` when its branch is not one of ours.
    pub fn of_response(branch: &str, method: &Method) -> Option<ClientKey> {
        let digits = branch.strip_prefix(Via::MAGIC)?;
        let is_ours = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_ours.then(|| u64::from_str_radix(digits, 16).ok()).flatten()?;
        Some(ClientKey { number, cancels: *method == Method::Cancel })
    }
}

/// Makes the keys of peers' requests: 128 bits of a hash with a secret key (SipHash, made for tables filled from the
/// network). Two requests with the same key are the same request: a collision cannot be constructed, and by chance
/// takes 10^19 requests.
pub(super) struct Keys(SipHasher13);

/// RFC 3261 17.2.3: what a request, its retransmissions, its ACK and its CANCEL have in common.
///
/// With the magic cookie of RFC 3261 that is branch, sent-by and method. Call-ID and CSeq number are included because
/// some devices give every request of a call the same branch. Without the cookie the rules for RFC 2543 requests apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerKey(u128);

/// How the sender identifies a request: sent-by, with its port, and the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u64);

/// RFC 3261 8.2.2.2: what the copies of a request have in common that arrived over different paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MergeKey(u128);

impl Keys {
    pub fn new(rng: &mut Rng) -> Keys {
        Keys(SipHasher13::new_with_keys(rng.bits(), rng.bits()))
    }

    /// The key of the transaction that a request opens or repeats.
    pub fn of(&self, request: &Request, essentials: &Essentials) -> ServerKey {
        self.with(request, essentials, &request.method, essentials.to.tag())
    }

    /// The key of the INVITE transaction that an ACK or CANCEL may belong to. `to_tag` is that of the INVITE, which an
    /// ACK does not repeat when the response added it.
    pub fn of_invite(&self, request: &Request, essentials: &Essentials, to_tag: Option<&str>) -> ServerKey {
        self.with(request, essentials, &Method::Invite, to_tag)
    }

    /// The identification in a Via.
    pub fn mark(&self, via: &Via) -> Mark {
        Mark(self.via(via).0.finish128().h1)
    }

    /// `None` for a request within a dialog: it has a To tag, and is never a merged request.
    pub fn merge(&self, essentials: &Essentials) -> Option<MergeKey> {
        if essentials.to.tag().is_some() {
            return None;
        }
        let mut text = Text(self.0);
        text.part(essentials.from.tag().map(str::as_bytes));
        text.part(Some(essentials.call_id.as_bytes()));
        text.0.write(&essentials.cseq.number.to_be_bytes());
        text.part(Some(essentials.cseq.method.as_bytes()));
        Some(MergeKey(text.0.finish128().as_u128()))
    }

    fn with(&self, request: &Request, essentials: &Essentials, method: &Method, to_tag: Option<&str>) -> ServerKey {
        let mut text = self.via(&essentials.via);
        text.part(Some(essentials.call_id.as_bytes()));
        text.0.write(&essentials.cseq.number.to_be_bytes());
        text.part(Some(method.as_bytes()));
        if !essentials.via.has_magic_branch() {
            text.part(Some(&request.target));
            text.part(to_tag.map(str::as_bytes));
            text.part(essentials.from.tag().map(str::as_bytes));
        }
        ServerKey(text.0.finish128().as_u128())
    }

    fn via(&self, via: &Via) -> Text {
        let mut text = Text(self.0);
        match &via.host {
            Host::Name(name) => text.part(Some(name.to_ascii_lowercase_smolstr().as_bytes())),
            Host::V4(address) => text.part(Some(&address.octets())),
            Host::V6(address) => text.part(Some(&address.octets())),
        }
        text.0.write(&via.sent_by_port().to_be_bytes());
        text.part(via.branch.as_ref().map(|branch| branch.as_bytes()));
        text
    }
}

/// Hashes the parts, each after its length, so that no two lists of parts hash the same bytes.
struct Text(SipHasher13);

impl Text {
    fn part(&mut self, part: Option<&[u8]>) {
        // `None` is hashed as a length that no part has: a message has 64 kB at most.
        let length = part.map_or(u32::MAX, |part| u32::try_from(part.len()).unwrap_or(u32::MAX - 1));
        self.0.write(&length.to_be_bytes());
        self.0.write(part.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_of_ours_is_read_back_and_no_other() {
        let key = ClientKey { number: 0x00ab_cdef_0123_4567, cancels: false };
        let branch = key.branch();
        assert_eq!(branch, "z9hG4bK00abcdef01234567");
        assert_eq!(ClientKey::of_response(&branch, &Method::Invite), Some(key));
        assert_eq!(ClientKey::of_response(&branch, &Method::Cancel), Some(ClientKey { cancels: true, ..key }));
        for other in
            ["z9hG4bK00ABcdef01234567", "z9hG4bK0abcdef01234567", "z9hG4bK+0abcdef01234567", "00abcdef01234567"]
        {
            assert_eq!(ClientKey::of_response(other, &Method::Invite), None, "{other}");
        }
    }

    #[test]
    fn no_two_lists_of_parts_make_the_same_text() {
        let text = |parts: &[Option<&[u8]>]| {
            let mut text = Text(Keys::new(&mut Rng::from_number(1)).0);
            parts.iter().for_each(|part| text.part(*part));
            text.0.finish128().as_u128()
        };
        assert_ne!(text(&[Some(b"ab"), Some(b"c")]), text(&[Some(b"a"), Some(b"bc")]));
        assert_ne!(text(&[None]), text(&[Some(b"")]));
    }
}
