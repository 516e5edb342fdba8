//! SDP (RFC 8866): line-exact reading and editing, and offer/answer (RFC 3264).
//!
//! A description that is not edited prints byte for byte as it was received. What is sent to one leg differs from what
//! was received from the other only in the lines that name an endpoint (`o=`, `c=`, the port, `a=rtcp`, keys and
//! candidates) and in the payload types of refused codecs: what two modem adapters negotiate passes unchanged.

pub mod audio;
pub mod codec;
pub mod concern;
pub mod description;
mod line;
pub mod local_media;
pub mod local_offer;
pub mod media_kind;
mod media_order;
pub mod negotiate;
pub mod payload;
mod relay_sdp;
mod voice_choice;

pub use audio::{Audio, Direction, Format};
pub use codec::{Codec, CodecList};
pub use description::{Origin, Sdp, SdpError};
pub use local_media::LocalMedia;
pub use local_offer::{own_answer, own_offer};
pub use media_kind::MediaKind;
pub use negotiate::{
    NoCommonCodec, align_media, answer_from, offer_from, offer_of_agreed, readdress, reoffer_from, same_media,
};
pub use payload::{Agreed, agreed, payload_map};
pub use voice_choice::choose_voice;

#[cfg(test)]
mod tests;
