//! Simulated telephones, pure like the exchange they call: for `demo` and for the tests.

pub mod phone;
pub mod style;
pub mod talker;

pub use phone::{Change, Habits, Phone, PhoneConfig, PhoneEvent};
pub use style::Style;
pub use talker::{Heard, Talker, TalkerConfig};
