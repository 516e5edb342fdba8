//! Telephones that fetch their configuration: which files there are for whom, and the protocols they are fetched by, as
//! bytes and values. `services` carries it out.

pub mod device;
pub mod dial_plan;
pub mod file_name;
pub mod fleet;
pub mod logo;
pub mod numbers;
pub mod phone_pages;
pub mod request;
pub mod shelf;
pub mod stock;
pub mod template;
pub mod tftp;
pub mod values;
pub mod zone;

pub use crate::config::mac;
pub use mac::Mac;
pub use request::{Found, Request, Via, Why};
pub use shelf::Shelf;
pub use stock::Stock;
