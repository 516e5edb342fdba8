//! Who may speak to the exchange: the stateless edge that challenges and identifies, and what it must remember.

pub mod replay;
