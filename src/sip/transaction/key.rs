//! What a message says of the transaction it belongs to (RFC 3261 17.1.3, 17.2.3, 8.2.2.2). The key of a peer's request is one text
//! in one piece of memory, which the table and the transaction share: half a minute of finished calls is kept by it.

use crate::sip::header::Via;
use crate::sip::validate::Essentials;
use crate::sip::{Method, Request};
use std::sync::Arc;

/// RFC 3261 17.1.3: the branch of the top Via, which is ours, and whether the CSeq names a CANCEL: that has the branch of its INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientKey {
    /// The random part of the branch.
    pub number: u64,
    pub cancels: bool,
}

impl ClientKey {
    /// The branch that this key is of.
    pub fn branch(self) -> String {
        format!("{}{:016x}", Via::MAGIC, self.number)
    }

    /// The key of a response; `None` when its branch is none that we make.
    pub fn of_response(branch: &str, method: &Method) -> Option<ClientKey> {
        let digits = branch.strip_prefix(Via::MAGIC)?;
        let is_ours = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_ours.then(|| u64::from_str_radix(digits, 16).ok()).flatten()?;
        Some(ClientKey { number, cancels: *method == Method::Cancel })
    }
}

/// RFC 3261 17.2.3: what a request, its retransmissions, its ACK and its CANCEL have in common.
///
/// With the magic branch of RFC 3261 that is branch, sent-by and method; Call-ID and CSeq number are in it because there are devices that give
/// every request of a call the same branch, and only they tell such requests apart. Without it the rules for the requests of RFC 2543 hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerKey {
    text: Arc<[u8]>,
    /// How much of the text, from its beginning, is the sender's own mark.
    via: usize,
    is_legacy: bool,
}

/// RFC 3261 8.2.2.2: what the copies of a request have in common that reached us on different ways.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MergeKey(Arc<[u8]>);

impl ServerKey {
    /// The key of the transaction that a request opens or repeats.
    pub fn of(request: &Request, essentials: &Essentials) -> ServerKey {
        ServerKey::with(request, essentials, &request.method, essentials.to.tag())
    }

    /// The key of the INVITE transaction that an ACK or CANCEL may belong to. `to_tag` is the INVITE's own, which an ACK does not repeat when
    /// the response added it.
    pub fn of_invite(request: &Request, essentials: &Essentials, to_tag: Option<&str>) -> ServerKey {
        ServerKey::with(request, essentials, &Method::Invite, to_tag)
    }

    pub fn is_legacy(&self) -> bool {
        self.is_legacy
    }

    /// Does this Via carry the sender's mark of this key: sent-by, with its port, and the branch?
    pub fn is_of(&self, via: &Via) -> bool {
        self.text.get(..self.via) == Some(mark(via).0.as_slice())
    }

    fn with(request: &Request, essentials: &Essentials, method: &Method, to_tag: Option<&str>) -> ServerKey {
        let mut text = mark(&essentials.via);
        let via = text.0.len();
        text.part(Some(essentials.call_id.as_bytes()));
        text.0.extend(essentials.cseq.number.to_be_bytes());
        text.part(Some(method.as_bytes()));
        let is_legacy = !essentials.via.has_magic_branch();
        if is_legacy {
            text.part(Some(&request.target));
            text.part(to_tag.map(str::as_bytes));
            text.part(essentials.from.tag().map(str::as_bytes));
        }
        ServerKey { text: text.0.into(), via, is_legacy }
    }
}

impl MergeKey {
    /// `None` for a request inside a dialog, which has a To tag and is never taken for merged.
    pub fn of(essentials: &Essentials) -> Option<MergeKey> {
        if essentials.to.tag().is_some() {
            return None;
        }
        let mut text = Text::new();
        text.part(essentials.from.tag().map(str::as_bytes));
        text.part(Some(essentials.call_id.as_bytes()));
        text.0.extend(essentials.cseq.number.to_be_bytes());
        text.part(Some(essentials.cseq.method.as_bytes()));
        Some(MergeKey(text.0.into()))
    }
}

/// The sender's own mark: sent-by in lower case, with its port, and the branch.
fn mark(via: &Via) -> Text {
    let mut text = Text::new();
    text.part(Some(via.host.to_string().to_ascii_lowercase().as_bytes()));
    text.0.extend(via.sent_by_port().to_be_bytes());
    text.part(via.branch.as_ref().map(String::as_bytes));
    text
}

/// Parts one behind the other, each with its length before it, so that no two lists of parts make the same text.
struct Text(Vec<u8>);

impl Text {
    fn new() -> Text {
        Text(Vec::with_capacity(192))
    }

    fn part(&mut self, part: Option<&[u8]>) {
        // None is longer than any part: a message has 64 kB at most.
        let length = part.map_or(u32::MAX, |part| u32::try_from(part.len()).unwrap_or(u32::MAX - 1));
        self.0.extend(length.to_be_bytes());
        self.0.extend(part.unwrap_or_default());
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
            let mut text = Text::new();
            parts.iter().for_each(|part| text.part(*part));
            text.0
        };
        assert_ne!(text(&[Some(b"ab"), Some(b"c")]), text(&[Some(b"a"), Some(b"bc")]));
        assert_ne!(text(&[None]), text(&[Some(b"")]));
    }
}
