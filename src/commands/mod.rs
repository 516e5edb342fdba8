//! What the program can be told to do, one file each.

pub mod check;
pub mod console;
pub mod demo;
pub mod doctor;
pub mod init;
mod json;
mod keyboard;
mod last_good;
pub mod logo;
mod places;
pub mod provision;
mod restart;
pub mod run;
pub mod sounds;
