//! Who may speak to the exchange: the stateless edge that challenges and identifies, and what it must remember.

pub mod admission;
pub mod amplification;
mod domain;
pub mod event;
mod explain;
mod identity;
pub mod nat;
pub mod repeat_filter;
pub mod replay;
