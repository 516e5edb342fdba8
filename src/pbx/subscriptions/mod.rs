//! Subscriptions (RFC 6665): who watches what, and is told when it changes. They know neither calls nor lines: what a
//! device does they ask of [`Devices`](super::core::Devices), and which devices changed the switch says.

mod dialog_info;
mod lamp;
mod message_summary;
pub mod notices;
mod package;
mod pidf;
pub mod request;
mod stored;
mod subscription;
mod table;
mod waiting;
mod watched;
pub mod whereabouts;

pub use lamp::MAILBOX;
pub use message_summary::read as read_summary;
pub use request::Subscribe;
pub use subscription::{Arrival, Subscription};
pub use table::{MAX_OF_LINE, MAX_OF_SOURCE, MAX_SUBSCRIPTIONS, Subscriptions};
