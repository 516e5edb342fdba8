//! Subscriptions (RFC 6665): who watches what, and is told when it changes. They know neither calls nor lines: what a
//! device does they ask of [`Devices`](super::core::Devices), and which devices changed the switch says.

mod dialog_info;
mod lamp;
pub mod notices;
mod package;
pub mod request;
mod subscription;
mod table;
mod watched;
pub mod whereabouts;
mod xml;

pub use request::Subscribe;
pub use subscription::{Arrival, Subscription};
pub use table::{MAX_OF_LINE, MAX_OF_SOURCE, MAX_SUBSCRIPTIONS, Subscriptions};
