//! The registrar: REGISTER, the location service, the next hop to a peer, and whether a peer answers (qualify).

pub mod last_seen;
pub mod location;
pub mod next_hop;
pub mod qualify;
pub mod register;
pub mod rivals;
