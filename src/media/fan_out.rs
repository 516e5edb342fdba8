//! One stream's packets go to many: as they are, or in the listener's law where that is another.

use super::feeding::Feeding;
use super::seat::law_of;
use super::stream::{Mode, Stream};
use super::taps::payload;
use crate::audio::g711::Law;
use crate::clock::Time;
use crate::pbx::mixing::{FeedPlan, MAX_MEMBERS};
use crate::rtp::header::{self, Header};
use slab::Slab;

/// The stream in `slot` listens to the one in `source` from now on; both are idle, or that one feeds others already.
/// Says whether there is room.
pub(super) fn begin(streams: &mut Slab<Stream>, slot: usize, source: usize, plan: FeedPlan) -> bool {
    let Some(feeder) = streams.get_mut(source).filter(|_| slot != source) else { return false };
    if !matches!(feeder.mode, Mode::Feeding(_)) {
        feeder.mode = Mode::Feeding(Box::default());
    }
    let Mode::Feeding(feeding) = &mut feeder.mode else { return false };
    if feeding.to.len() >= MAX_MEMBERS {
        return false;
    }
    feeding.laws = plan.laws;
    feeding.to.push((slot, plan.codec));
    if let Some(listener) = streams.get_mut(slot) {
        listener.mode = Mode::Fed { source };
    }
    true
}

/// The listener in `slot` is fed no more.
pub(super) fn leave(streams: &mut Slab<Stream>, slot: usize, source: usize) {
    if let Some(Mode::Feeding(feeding)) = streams.get_mut(source).map(|feeder| &mut feeder.mode) {
        feeding.to.retain(|(listener, _)| *listener != slot);
    }
}

/// The stream that fed these feeds nobody any more.
pub(super) fn end(streams: &mut Slab<Stream>, source: usize, feeding: &Feeding) {
    for (slot, _) in &feeding.to {
        if let Some(listener) = streams.get_mut(*slot)
            && matches!(listener.mode, Mode::Fed { source: of } if of == source)
        {
            listener.mode = Mode::Idle;
        }
    }
}

/// A packet came from the peer of the stream in `slot`, which feeds others.
pub(super) fn packet(streams: &mut Slab<Stream>, slot: usize, now: Time, packet: &[u8], header: &Header) {
    let Some(stream) = streams.get_mut(slot) else { return };
    let id = stream.id;
    let Mode::Feeding(mut feeding) = std::mem::replace(&mut stream.mode, Mode::Idle) else { return };
    match law_of(&feeding.laws, header.payload_type) {
        Some(law) => {
            let Feeding { to, scratch, .. } = &mut *feeding;
            for (listener, codec) in to.iter() {
                let Some(listener) = streams.get_mut(*listener) else { continue };
                scratch.clear();
                scratch.extend_from_slice(packet);
                convert(scratch, header, (law, codec.law));
                header::set_payload_type(scratch, codec.payload_type);
                listener.deliver(now, id, scratch, header);
            }
        }
        // Telephone events and comfort noise are no sound.
        None => stream.counts.undelivered = stream.counts.undelivered.saturating_add(1),
    }
    if let Some(stream) = streams.get_mut(slot) {
        stream.mode = Mode::Feeding(feeding);
    }
}

/// Converts what a packet carries from one law to another, where they differ; padding stays as it is.
fn convert(packet: &mut [u8], header: &Header, (from, to): (Law, Law)) {
    let length = payload(header, packet).map_or(0, <[u8]>::len);
    let said = packet.get_mut(header.length..header.length.saturating_add(length)).filter(|_| from != to);
    for byte in said.into_iter().flatten() {
        *byte = to.encode(from.decode(*byte));
    }
}
