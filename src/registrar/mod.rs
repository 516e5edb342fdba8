//! Who is where: REGISTER, the location service, which way leads there, and whether a peer answers.

pub mod last_seen;
pub mod location;
pub mod next_hop;
pub mod qualify;
pub mod register;
