//! SDP (RFC 8866): line-exact reading and editing, and offer/answer (RFC 3264).
//!
//! A description that is not edited prints byte for byte as it came. What goes to the other leg differs from what
//! came from this one only in the lines that name an endpoint (`o=`, `c=`, the port, `a=rtcp`, keys and candidates)
//! and in the payload types of refused codecs: what two modem adapters tell each other passes untouched.

pub mod audio;
mod carry;
pub mod codec;
pub mod description;
pub mod extra;
pub mod face;
mod layout;
mod line;
pub mod negotiate;
pub mod own;
pub mod payload;

pub use audio::{Audio, Direction, Format};
pub use codec::{Codec, CodecList};
pub use description::{Origin, Sdp, SdpError};
pub use extra::Extra;
pub use face::Face;
pub use negotiate::{
    NoCommonCodec, align_media, answer_from, offer_from, offer_of_agreed, readdress, reoffer_from, same_media,
};
pub use own::{own_answer, own_offer};
pub use payload::{Agreed, agreed, payload_map};

#[cfg(test)]
mod tests;
