//! The exchange itself: the switch routes between lines (who is where) and calls (who talks to whom), which do not know
//! each other.

pub mod calls;
pub mod cause;
pub mod cdr;
pub mod core;
pub mod effect;
pub mod failure;
pub mod lines;
pub mod media;
pub mod mixing;
pub mod outside;
pub mod recording;
mod request_gate;
pub mod settings;
pub mod sounds;
pub mod subscriptions;
pub mod switch;
pub mod text_delivery;
pub mod text_messages;
pub mod text_room;
pub mod uri_text;
