//! What is said of those who watch extensions.

use crate::event::LogLine;
use crate::event::subscription::{SubscribeRefusal, SubscriptionEvent};

/// The line of an event.
pub(super) fn line(event: &SubscriptionEvent) -> LogLine {
    match event {
        SubscriptionEvent::Refused { line, source, reason } => {
            let why = match reason {
                SubscribeRefusal::NotAllowed => "allowsubscribe=no".to_owned(),
                SubscribeRefusal::MayBeForged => {
                    "it has no secret, so that what is told might go to somebody else: give it one".to_owned()
                }
                SubscribeRefusal::NoHint { exten, context } => {
                    format!(
                        "extension '{exten}' has no hint in context '{context}': write 'exten => {exten},hint,SIP/NAME' there"
                    )
                }
                SubscribeRefusal::NoMailbox => {
                    "it has no 'mailbox=' of which anybody has told, or is 'line=modem': 'mailbox set' tells".to_owned()
                }
                SubscribeRefusal::TooMany => {
                    "it, or all lines together, have too many subscriptions already".to_owned()
                }
            };
            LogLine::notice(format!("Subscription of '{line}' ({source}) refused: {why}"))
        }
        SubscriptionEvent::Lost { line, exten, package, why } => LogLine::notice(format!(
            "'{line}' is told no more of '{exten}' ({package}): {why}; it is again when it subscribes again"
        )),
    }
}
