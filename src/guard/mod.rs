//! Who may use the exchange: the stateless edge that challenges and identifies callers, and the state kept beside it.

pub mod admission;
pub mod amplification;
mod denial;
mod domain;
pub mod event;
mod identity;
pub mod nat;
pub mod pin_lockout;
mod provider;
pub mod repeat_filter;
pub mod replay;
mod shared_address;
pub mod trial;
