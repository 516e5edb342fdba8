//! Who may speak to the exchange: the stateless edge that challenges and identifies, and what it must remember.

pub mod admission;
mod domain;
pub mod event;
mod hint;
mod identity;
pub mod nat;
pub mod refusals;
pub mod replay;
pub mod size;
