//! What happened, as plain data: it comes out of the core beside the effects. One place in `daemon` makes sentences of
//! it; whoever else wants to know (the console, a manager interface, lamps) reads the same values.

pub mod call;
pub mod challenge;
pub mod device;
pub mod handover;
pub mod line;
pub mod log;
pub mod mailbox;
pub mod provision;
pub mod quality;
pub mod registration;
pub mod security;
pub mod subscription;
pub mod text;

pub use call::{CallEvent, DialCounts, StreamTotals};
pub use challenge::{ChallengeEvent, ChallengeFailure};
pub use device::DeviceState;
pub use handover::Handover;
pub use line::{LineEvent, RegisterRefusal};
pub use log::{Level, LogLine};
pub use mailbox::MailboxEvent;
pub use provision::ProvisionEvent;
pub use quality::{LineQuality, StreamQuality, TwoClocks};
pub use registration::RegistrationEvent;
pub use security::SecurityEvent;
pub use subscription::SubscriptionEvent;
pub use text::TextEvent;

/// Something that happened. Texts in it that come from outside are [`crate::wording::Outside`], which prints them harmlessly,
/// or stand in a sentence as that prints them.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// On a call, or a channel of one.
    Call(CallEvent),
    /// To a line, or on the way to it.
    Line(LineEvent),
    /// To a registration of ours.
    Registration(RegistrationEvent),
    /// Of a mailbox elsewhere.
    Mailbox(MailboxEvent),
    /// A request of ours was asked for a password, and not answered.
    Challenge(ChallengeEvent),
    /// At the ingress: who was refused, or let in.
    Security(SecurityEvent),
    /// To a text message.
    Text(TextEvent),
    /// To somebody who watches an extension.
    Subscription(SubscriptionEvent),
    /// A telephone asked for a file.
    Provision(ProvisionEvent),
    /// A text of the dialplan: what `Verbose()` says, the trace of its steps.
    Log(LogLine),
}

impl From<CallEvent> for Event {
    fn from(event: CallEvent) -> Event {
        Event::Call(event)
    }
}

impl From<TextEvent> for Event {
    fn from(event: TextEvent) -> Event {
        Event::Text(event)
    }
}

impl From<Handover> for Event {
    fn from(event: Handover) -> Event {
        Event::Call(CallEvent::Handover(event))
    }
}

impl From<LineEvent> for Event {
    fn from(event: LineEvent) -> Event {
        Event::Line(event)
    }
}

impl From<SubscriptionEvent> for Event {
    fn from(event: SubscriptionEvent) -> Event {
        Event::Subscription(event)
    }
}

impl From<SecurityEvent> for Event {
    fn from(event: SecurityEvent) -> Event {
        Event::Security(event)
    }
}

impl From<ChallengeEvent> for Event {
    fn from(event: ChallengeEvent) -> Event {
        Event::Challenge(event)
    }
}

impl From<MailboxEvent> for Event {
    fn from(event: MailboxEvent) -> Event {
        Event::Mailbox(event)
    }
}

impl From<ProvisionEvent> for Event {
    fn from(event: ProvisionEvent) -> Event {
        Event::Provision(event)
    }
}

impl From<RegistrationEvent> for Event {
    fn from(event: RegistrationEvent) -> Event {
        Event::Registration(event)
    }
}

impl From<LogLine> for Event {
    fn from(line: LogLine) -> Event {
        Event::Log(line)
    }
}
