//! Who is where: REGISTER, the location service, and whether a peer answers.

pub mod qualify;
