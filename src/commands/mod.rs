//! What the program can be told to do, one file each.

mod call_course;
pub mod calls;
pub mod check;
pub mod console;
pub mod demo;
pub mod doctor;
pub mod init;
mod keyboard;
mod last_good;
pub mod logo;
mod own_address;
mod places;
pub mod provision;
pub mod quality;
mod records;
mod restart;
pub mod run;
pub mod sounds;
