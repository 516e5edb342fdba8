//! Who is where: REGISTER, the location service, and whether a peer answers.

pub mod absence;
pub mod location;
pub mod qualify;
pub mod register;
