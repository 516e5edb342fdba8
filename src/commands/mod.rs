//! What the program can be told to do, one file each.

pub mod console;
