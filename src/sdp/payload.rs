//! Payload types: what an offer and its answer came to, and the map between the numbers of two legs.

use super::codec::Codec;
use super::description::Sdp;

/// What an offer and its answer came to: what a prompt is played in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The codec: the first the answer names that was offered.
    pub codec: Codec,
    /// The payload type for packets to the answerer: the answer's number.
    pub to_answerer: u8,
    /// The payload type for packets to the offerer: the offer's number.
    pub to_offerer: u8,
    /// Milliseconds of sound in a packet: the answer's wish, else the offer's.
    pub ptime: Option<u8>,
    /// The payload type of key presses when both want them: the offer's number, which all our answers keep.
    pub telephone_event: Option<u8>,
}

/// What `answer` to `offer` came to (RFC 3264 section 7); `None` when they share no codec.
pub fn agreed(offer: &Sdp, answer: &Sdp) -> Option<Agreed> {
    let offered = offer.audio()?;
    let answered = answer.audio()?.understood_by(&offered);
    let mut pairs = answered.formats.iter().filter_map(|format| Some((format, offered.find(format)?)));
    let keys = pairs.clone().find(|(format, _)| format.is_telephone_event()).map(|(_, theirs)| theirs.payload);
    pairs.find_map(|(format, theirs)| {
        Some(Agreed {
            codec: format.codec?,
            to_answerer: format.payload,
            to_offerer: theirs.payload,
            ptime: answered.ptime.or(offered.ptime),
            telephone_event: keys,
        })
    })
}

/// Which payload type a packet has on the receiving leg, by the one it came with. `told_sender` is the description we
/// gave to the leg that sends, `wanted` what the receiving leg told us. Numbers that mean the same on both, or that
/// neither explains, stay.
pub fn payload_map(told_sender: &Sdp, wanted: &Sdp) -> [u8; 128] {
    let mut map = [0u8; 128];
    for (number, slot) in (0u8..).zip(map.iter_mut()) {
        *slot = number;
    }
    let (Some(told), Some(wanted)) = (told_sender.audio(), wanted.audio()) else {
        return map;
    };
    for format in &told.formats {
        if let (Some(slot), Some(theirs)) = (map.get_mut(usize::from(format.payload)), wanted.find(format)) {
            *slot = theirs.payload;
        }
    }
    map
}
