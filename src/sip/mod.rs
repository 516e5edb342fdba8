//! SIP as bytes and values: messages, headers, URIs, digest. Knows no other room, no socket, no clock.

pub mod dialog;
pub mod digest;
pub mod flow;
pub mod frame;
pub mod header;
mod lex;
pub mod message;
pub mod method;
pub mod multipart;
pub mod parse;
mod print;
pub mod route;
pub mod sips;
pub mod status;
mod tel;
pub mod timer;
pub mod transaction;
pub mod uri;
pub mod validate;

pub use flow::Flow;
pub use header::{HeaderName, Headers};
pub use message::{Message, Request, Response};
pub use method::Method;
pub use parse::Unframed;
pub use uri::{Host, SipUri, Uri};
