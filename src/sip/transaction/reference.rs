//! What a message can name of what is open here: whoever names it is heard without being asked who he is, since
//! somebody who was never sent it cannot guess it.

use crate::sip::header::Via;
use crate::sip::validate::Essentials;
use smol_str::{SmolStr, StrExt};

/// Something that only those can name whom we sent it, or who sent it to us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// The branch of a request of ours: each response to it has it (RFC 3261 17.1.3).
    Branch(SmolStr),
    /// A peer's INVITE by its Via, Call-ID and CSeq number: its CANCEL and the ACK of its refusal have the same
    /// (RFC 3261 9.2, 17.2.3).
    Invite(Box<str>),
    /// Our tag in a dialog: each request within it has it as its To tag (RFC 3261 12.2.1.1).
    Tag(SmolStr),
}

/// What became of something that can be named. The same thing may be opened several times, and is closed as often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceChange {
    /// It can be named from now on.
    Opened(Reference),
    /// It is over; what was sent before its sender knew may still come.
    Closed(Reference),
}

impl Reference {
    /// What a response names.
    pub fn of_response(essentials: &Essentials) -> Option<Reference> {
        essentials.via.branch.as_ref().map(|branch| Reference::Branch(branch.as_str().into()))
    }

    /// What a request within a dialog names; none when it has no To tag.
    pub fn of_dialog(essentials: &Essentials) -> Option<Reference> {
        essentials.to.tag().map(Reference::tag)
    }

    /// What an INVITE opens, and its CANCEL and ACK name.
    pub fn of_invite(essentials: &Essentials) -> Reference {
        let Via { host, branch, .. } = &essentials.via;
        let (port, branch) = (essentials.via.sent_by_port(), branch.as_deref().unwrap_or_default());
        let (call, number) = (&essentials.call_id, essentials.cseq.number);
        // No header value holds a line end.
        let text = format!("{}\n{port}\n{branch}\n{call}\n{number}", host.to_string().to_ascii_lowercase());
        Reference::Invite(text.into())
    }

    /// A tag of ours; case does not matter in it (RFC 3261 7.3.1).
    pub fn tag(tag: &str) -> Reference {
        Reference::Tag(tag.to_ascii_lowercase_smolstr())
    }
}
