//! Payload types: what offer and answer agree on, and the map between the numbers of two legs.

use super::codec::Codec;
use super::description::Sdp;

/// What an offer and its answer agree on: the codec that a prompt is played in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The codec: the first one of the answer that was offered.
    pub codec: Codec,
    /// The payload type for packets to the answerer: the answer's number.
    pub to_answerer: u8,
    /// The payload type for packets to the offerer: the offer's number.
    pub to_offerer: u8,
    /// The packet time in milliseconds: the one in the answer, else the one in the offer.
    pub ptime: Option<u8>,
    /// The payload type of key presses when both have them: the offer's number, which all our answers keep.
    pub telephone_event: Option<u8>,
}

/// What `offer` and `answer` agree on (RFC 3264 section 7); `None` when they share no codec.
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

/// The payload types of telephone events by `offer` and `answer`: of packets to the offerer, and to the answerer. `None`
/// unless both have them at the clock of the sound that was agreed on.
pub fn telephone_events(offer: &Sdp, answer: &Sdp) -> Option<(u8, u8)> {
    let offered = offer.audio()?;
    let answered = answer.audio()?.understood_by(&offered);
    let theirs = answered.formats.iter().find(|format| format.is_telephone_event() && format.clock == 8_000)?;
    Some((offered.find(theirs)?.payload, theirs.payload))
}

/// The payload type of a packet on the receiving leg, by the one it arrives with. `to_sender` is the description we
/// sent to the sending leg, `from_receiver` the one we received from the receiving leg. Numbers that mean the same on
/// both, or that neither defines, stay.
pub fn payload_map(to_sender: &Sdp, from_receiver: &Sdp) -> [u8; 128] {
    let mut map = [0u8; 128];
    for (number, slot) in (0u8..).zip(map.iter_mut()) {
        *slot = number;
    }
    let (Some(arriving), Some(wanted)) = (to_sender.audio(), from_receiver.audio()) else {
        return map;
    };
    for format in &arriving.formats {
        if let (Some(slot), Some(theirs)) = (map.get_mut(usize::from(format.payload)), wanted.find(format)) {
            *slot = theirs.payload;
        }
    }
    map
}
