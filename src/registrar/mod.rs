//! Who is where: REGISTER, the location service, which way leads there, and whether a peer answers.

pub mod absence;
pub mod location;
pub mod qualify;
pub mod register;
pub mod way;
