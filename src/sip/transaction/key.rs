//! What a message says of the transaction it belongs to (RFC 3261 17.1.3, 17.2.3, 8.2.2.2).

use crate::sip::header::Via;
use crate::sip::validate::Essentials;
use crate::sip::{Method, Request};
use bytes::Bytes;

/// RFC 3261 17.1.3: the branch of the top Via and the method of CSeq.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientKey {
    pub branch: String,
    pub method: Method,
}

/// RFC 3261 17.2.3: what a request, its retransmissions, its ACK and its CANCEL have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ServerKey {
    /// The branch has the magic of RFC 3261. The RFC compares branch, sent-by and method only; Call-ID and CSeq number are in it because
    /// there are devices that give every request of a call the same branch, and only they tell such requests apart.
    Branch { via: ViaKey, call_id: String, number: u32, method: Method },
    /// The rules for the requests of RFC 2543.
    Legacy(Box<LegacyKey>),
}

/// The sender's own mark: sent-by in lower case, with its port, and the branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ViaKey {
    host: String,
    port: u16,
    branch: Option<String>,
}

impl ViaKey {
    pub fn of(via: &Via) -> ViaKey {
        let host = via.host.to_string().to_ascii_lowercase();
        ViaKey { host, port: via.sent_by_port(), branch: via.branch.clone() }
    }
}

/// RFC 3261 17.2.3, the rules without a magic branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LegacyKey {
    target: Bytes,
    to_tag: Option<String>,
    from_tag: Option<String>,
    call_id: String,
    number: u32,
    method: Method,
    via: ViaKey,
}

impl ServerKey {
    /// The key of the transaction that a request opens or repeats.
    pub fn of(request: &Request, essentials: &Essentials) -> ServerKey {
        ServerKey::with(request, essentials, request.method.clone(), essentials.to.tag())
    }

    /// The key of the INVITE transaction that an ACK or CANCEL may belong to. `to_tag` is the INVITE's own, which an ACK does not repeat when
    /// the response added it.
    pub fn of_invite(request: &Request, essentials: &Essentials, to_tag: Option<&str>) -> ServerKey {
        ServerKey::with(request, essentials, Method::Invite, to_tag)
    }

    pub fn is_legacy(&self) -> bool {
        matches!(self, ServerKey::Legacy(_))
    }

    fn with(request: &Request, essentials: &Essentials, method: Method, to_tag: Option<&str>) -> ServerKey {
        let via = ViaKey::of(&essentials.via);
        let (call_id, number) = (essentials.call_id.clone(), essentials.cseq.number);
        if essentials.via.has_magic_branch() {
            return ServerKey::Branch { via, call_id, number, method };
        }
        ServerKey::Legacy(Box::new(LegacyKey {
            target: request.target.clone(),
            to_tag: to_tag.map(str::to_owned),
            from_tag: essentials.from.tag().map(str::to_owned),
            call_id,
            number,
            method,
            via,
        }))
    }
}

/// RFC 3261 8.2.2.2: what the copies of a request have in common that reached us on different ways.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MergeKey {
    from_tag: Option<String>,
    call_id: String,
    number: u32,
    method: Method,
}

impl MergeKey {
    /// `None` for a request inside a dialog, which has a To tag and is never taken for merged.
    pub fn of(essentials: &Essentials) -> Option<MergeKey> {
        if essentials.to.tag().is_some() {
            return None;
        }
        Some(MergeKey {
            from_tag: essentials.from.tag().map(str::to_owned),
            call_id: essentials.call_id.clone(),
            number: essentials.cseq.number,
            method: essentials.cseq.method.clone(),
        })
    }
}
