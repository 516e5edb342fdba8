//! Simulated telephones, pure like the exchange they call: for `demo` and for the tests.

pub mod device_profile;
pub mod key_press;
pub mod line;
pub mod phone;
pub mod rtp_sink;
pub mod rtp_source;

pub use device_profile::DeviceProfile;
pub use phone::{Behaviour, Change, LampKeys, Phone, PhoneConfig, PhoneEvent, Watching};
pub use rtp_sink::RtpSink;
pub use rtp_source::{RtpSource, RtpSourceConfig};
