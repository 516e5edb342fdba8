//! A stream's peer is sent digits: they take the place of whatever else the stream sends.

use super::digit_sender::{DigitSender, Press};
use super::player::PACKET;
use super::rtp_debug::PacketTrace;
use super::stream::{Mode, Stream};
use crate::clock::Time;
use crate::pbx::media::StreamKind;
use crate::rtp::continuity::Place;

/// Sends a digit, or lets it wait for the one that is sent. When the first packet is due, if it begins now.
pub(super) fn press(stream: &mut Stream, now: Time, press: Press, turn: u64, fresh: Place) -> Option<Time> {
    if stream.kind != StreamKind::Rtp {
        return None;
    }
    if let Some(sender) = &mut stream.sending {
        sender.push(press);
        return None;
    }
    let sender = DigitSender::begin(&mut stream.line, now, press, turn, fresh)?;
    stream.sending = Some(Box::new(sender));
    Some(now)
}

/// Sends the packet of a digit that is due. When the next one is; `None` when the stream goes on with what it did.
pub(super) fn send_due(stream: &mut Stream, now: Time, trace: Option<&mut PacketTrace>) -> Option<Time> {
    let mut packet = [0; PACKET];
    let mut sender = stream.sending.take()?;
    if let Some((place, step, bytes)) = sender.next(&mut stream.line, now, &mut packet) {
        let to = stream.deliver_own(now, place, step, bytes);
        if let Some((trace, to)) = trace.zip(to) {
            trace.sent(now, to, bytes);
        }
        let due = sender.due();
        stream.sending = Some(sender);
        return Some(due);
    }
    // A sound that goes on follows what was sent instead of it.
    if let Mode::Playing(playing) = &mut stream.mode {
        playing.move_to(stream.line.begin(now, playing.step(), Place { ssrc: 0, sequence: 0, timestamp: 0 }));
    }
    None
}
