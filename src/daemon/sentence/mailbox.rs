//! What becomes of the mailboxes elsewhere that we have ourselves told of, as the log says it.

use crate::datetime::span;
use crate::event::LogLine;
use crate::event::mailbox::{MailboxEvent, MailboxNews};

/// The line of such an event.
pub(super) fn line(event: &MailboxEvent) -> LogLine {
    let MailboxEvent { user, host, mailbox, place, what } = event;
    let whose = format!("Mailbox of '{user}@{host}'");
    match what {
        MailboxNews::Subscribed { address, granted } => LogLine::verbose(
            2,
            format!("{whose} ({address}) is watched for {}: it is '{mailbox}' here", span(*granted)),
        ),
        MailboxNews::Unsubscribed => LogLine::verbose(2, format!("{whose} is not watched any more")),
        MailboxNews::Told { new, old } => {
            LogLine::verbose(3, format!("{whose} has {new} new and {old} old messages ('{mailbox}')"))
        }
        MailboxNews::Unanswered { reason, next } => {
            LogLine::notice(format!("{whose} cannot be watched: {reason}; trying again in {}", span(*next)))
        }
        MailboxNews::Unresolved { next } => LogLine::warning(format!(
            "{whose} cannot be watched: the host name leads to no address ({place}); trying again in {}",
            span(*next)
        )),
        MailboxNews::Refused { status, words, next } => LogLine::warning(format!(
            "{whose} is not shown to us ({status} {words}): check the line at {place}; trying again in {}",
            span(*next)
        )),
        MailboxNews::Ended { reason, next } => {
            LogLine::notice(format!("{whose} is not shown to us any more ({reason}); trying again in {}", span(*next)))
        }
    }
}
