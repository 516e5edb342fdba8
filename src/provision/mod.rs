//! Telephones that fetch their configuration: which files there are for whom, and the protocols they are fetched by, as
//! bytes and values. `services` carries it out.

pub mod file_name;
pub mod mac;
pub mod request;
pub mod shelf;

pub use mac::Mac;
pub use request::{Found, Request, Via, Why};
pub use shelf::Shelf;
