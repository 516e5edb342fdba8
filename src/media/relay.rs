//! The path of one packet: received, checked, forwarded. No allocation, no lock, no log call.

use super::fan_out;
use super::reader::{Arrival, Reader};
use super::rtp_debug::PacketTrace;
use super::stream::{Came, FROM_PEER, Mode, Stream};
use crate::clock::Time;
use crate::pbx::media::MediaEvent;
use crate::rtp::header::{self, Header};
use crate::rtp::rtcp;
use crate::rtp::strict::Verdict;
use slab::Slab;
use std::net::SocketAddr;

/// A packet waits at the stream in `slot`, whose peer's address is not known yet.
pub(super) fn early(stream: &mut Stream, now: Time, reader: &mut Reader) {
    let Some((length, arrival)) = reader.receive(&mut stream.rtp) else { return };
    match reader.packet(length) {
        Some(packet) => stream.keep(now, arrival.source, packet),
        None => increment(&mut stream.counts.malformed),
    }
}

/// One RTP packet waits at the stream in `slot`. Returns what is to be reported, if anything.
pub(super) fn rtp(
    streams: &mut Slab<Stream>,
    slot: usize,
    now: Time,
    reader: &mut Reader,
    trace: Option<&mut PacketTrace>,
) -> Option<MediaEvent> {
    let stream = streams.get_mut(slot)?;
    let (length, arrival) = reader.receive(&mut stream.rtp)?;
    let Some(packet) = reader.packet(length) else {
        increment(&mut stream.counts.malformed);
        return None;
    };
    rtp_packet(streams, slot, now, (arrival, packet), trace)
}

/// An RTP packet of the stream in `slot` is looked at, at `now`.
pub(super) fn rtp_packet(
    streams: &mut Slab<Stream>,
    slot: usize,
    now: Time,
    (Arrival { source, at, dropped }, packet): (Arrival, &mut [u8]),
    mut trace: Option<&mut PacketTrace>,
) -> Option<MediaEvent> {
    // By the packet type (RFC 5761 4): it has no sequence, and is nobody's sound.
    if rtcp::is_rtcp(packet) {
        report(streams, slot, now, (source, Came::OnRtp), packet);
        return None;
    }
    let stream = streams.get_mut(slot)?;
    let Ok(header) = Header::read(packet) else {
        increment(&mut stream.counts.malformed);
        return None;
    };
    if let Some(trace) = trace.as_deref_mut() {
        trace.received(now, source, packet);
    }
    let event = match stream.learner.judge(now, source, header.sequence) {
        Verdict::Drop => {
            stream.stranger = Some(source);
            increment(&mut stream.counts.strangers);
            return None;
        }
        Verdict::Accept => None,
        Verdict::AcceptAndLock => {
            stream.follow();
            Some(MediaEvent::Learned { stream: stream.id, source })
        }
    };
    stream.silence.hear(now);
    increment(&mut stream.counts.received);
    stream.heard.record(at.unwrap_or(now), &header);
    stream.heard.irregular.record(at.unwrap_or(now), &header, header.payload(packet).len());
    stream.heard.note(now, at, dropped);
    stream.tap(now, FROM_PEER, packet);
    let is_bridged = matches!(stream.mode, Mode::Bridged { .. });
    if let Some(digits) = &mut stream.digits {
        if !is_bridged {
            digits.hear(now, &header, packet);
        } else if digits.hears_bridge() && digits.hear_bridged(now, &header, packet) {
            leave_out(streams, slot);
            return event;
        }
    }
    let Some(stream) = streams.get_mut(slot) else { return event };
    let sent = match &stream.mode {
        Mode::Idle | Mode::Playing(_) | Mode::Fed { .. } => {
            increment(&mut stream.counts.undelivered);
            None
        }
        Mode::Echo => {
            let id = stream.id;
            stream.deliver(now, id, packet, &header)
        }
        Mode::Mixed(_) | Mode::Feeding(_) => {
            shared(streams, slot, now, packet, &header);
            None
        }
        Mode::Bridged { partner, map } => {
            if let Some(number) = map.as_ref().and_then(|map| map.get(usize::from(header.payload_type))) {
                header::set_payload_type(packet, *number);
            }
            let (id, partner) = (stream.id, *partner);
            match streams.get_mut(partner) {
                Some(partner) => partner.deliver(now, id, packet, &header),
                None => {
                    undelivered(streams, slot);
                    None
                }
            }
        }
    };
    if let Some((trace, to)) = trace.zip(sent) {
        trace.sent(now, to, packet);
    }
    event
}

/// A packet for a mix, or for many.
fn shared(streams: &mut Slab<Stream>, slot: usize, now: Time, packet: &[u8], header: &Header) {
    match streams.get_mut(slot).map(|stream| &mut stream.mode) {
        Some(Mode::Mixed(seated)) => seated.hear(header, packet),
        _ => fan_out::packet(streams, slot, now, packet, header),
    }
}

/// A packet is not forwarded to the stream's partner, which gets a digit in another form.
fn leave_out(streams: &mut Slab<Stream>, slot: usize) {
    if let Some(Mode::Bridged { partner, .. }) = streams.get(slot).map(|stream| &stream.mode)
        && let partner = *partner
        && let Some(partner) = streams.get_mut(partner)
    {
        partner.line.leave_out();
    }
}

/// One datagram waits at the UDPTL stream in `slot`: forwarded as it is, whatever is in it. Returns what is to be
/// reported.
pub(super) fn datagram(streams: &mut Slab<Stream>, slot: usize, now: Time, reader: &mut Reader) -> Option<MediaEvent> {
    let stream = streams.get_mut(slot)?;
    let (length, arrival) = reader.receive(&mut stream.rtp)?;
    let Some(datagram) = reader.packet(length) else {
        increment(&mut stream.counts.malformed);
        return None;
    };
    udptl_datagram(streams, slot, now, (arrival.source, datagram))
}

/// A datagram came from `source` to the UDPTL stream in `slot`, at `now`.
pub(super) fn udptl_datagram(
    streams: &mut Slab<Stream>,
    slot: usize,
    now: Time,
    (source, datagram): (SocketAddr, &[u8]),
) -> Option<MediaEvent> {
    let stream = streams.get_mut(slot)?;
    let event = match stream.learner.judge_datagram(now, source) {
        Verdict::Drop => {
            stream.stranger = Some(source);
            increment(&mut stream.counts.strangers);
            return None;
        }
        Verdict::Accept => None,
        Verdict::AcceptAndLock => {
            stream.follow();
            Some(MediaEvent::Learned { stream: stream.id, source })
        }
    };
    stream.silence.hear(now);
    increment(&mut stream.counts.received);
    let partner = match &stream.mode {
        Mode::Bridged { partner, .. } => Some(*partner),
        Mode::Idle | Mode::Echo | Mode::Playing(_) | Mode::Feeding(_) | Mode::Fed { .. } | Mode::Mixed(_) => None,
    };
    match partner.and_then(|partner| streams.get_mut(partner)) {
        Some(partner) => partner.deliver_datagram(datagram),
        None => undelivered(streams, slot),
    }
    event
}

/// One RTCP packet waits at the stream in `slot`.
pub(super) fn rtcp(streams: &mut Slab<Stream>, slot: usize, now: Time, reader: &mut Reader) {
    let Some(stream) = streams.get_mut(slot) else { return };
    let Some((length, arrival)) = reader.receive(&mut stream.rtcp) else { return };
    let Some(packet) = reader.packet(length).filter(|packet| rtcp::is_rtcp(packet)) else {
        increment(&mut stream.counts.malformed);
        return;
    };
    report(streams, slot, now, (arrival.source, Came::OnRtcp), packet);
}

/// An RTCP packet of the stream in `slot`: judged, and forwarded as a report on what the two hear of each other.
fn report(streams: &mut Slab<Stream>, slot: usize, now: Time, (source, came): (SocketAddr, Came), packet: &mut [u8]) {
    let Some(stream) = streams.get_mut(slot) else { return };
    if !stream.learner.judge_rtcp(now, source) {
        increment(&mut stream.counts.strangers);
        return;
    }
    stream.silence.hear(now);
    stream.heard.far_end.hear(now, packet);
    if let Some(reporter) = &mut stream.reporter {
        reporter.hear(now, rtcp::sender_stamps(packet));
    }
    if came == Came::OnRtcp {
        stream.follow_rtcp(source);
    }
    // RTCP is not echoed: a peer's own sender report is no report on what it receives.
    if let Mode::Bridged { partner, .. } = stream.mode
        && partner != slot
        && let Some((from, to)) = streams.get2_mut(slot, partner)
    {
        to.deliver_rtcp(now, &from.line, packet, came);
    }
}

fn undelivered(streams: &mut Slab<Stream>, slot: usize) {
    if let Some(stream) = streams.get_mut(slot) {
        increment(&mut stream.counts.undelivered);
    }
}

fn increment(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
