//! Of which mailboxes a line is told, and who tells.

/// Of which mailboxes a line is told, and of which a provider tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageWaiting {
    /// `mailbox`: what it is told of, each with its context.
    pub mailboxes: Vec<String>,
    /// `subscribemwi`: it is told only when it subscribes.
    pub only_subscribed: bool,
    /// `unsolicited_mailbox`: of which mailbox it, a provider, tells.
    pub unsolicited: Option<String>,
}
