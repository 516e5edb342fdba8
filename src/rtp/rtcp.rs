//! RTCP (RFC 3550 6): recognised, parsed within its bounds, and shifted along with a stream whose packets are shifted.

use super::continuity::Shifts;

/// The shortest RTCP packet: a common header alone.
const SHORTEST: usize = 4;

/// Bytes of a reception report block (RFC 3550 6.4.1).
const REPORT: usize = 24;

/// The packet types (RFC 3550 12.1, RFC 4585 6.1, RFC 3611 2).
mod kind {
    pub const SENDER_REPORT: u8 = 200;
    pub const RECEIVER_REPORT: u8 = 201;
    pub const DESCRIPTION: u8 = 202;
    pub const BYE: u8 = 203;
    pub const APPLICATION: u8 = 204;
    pub const TRANSPORT_FEEDBACK: u8 = 205;
    pub const PAYLOAD_FEEDBACK: u8 = 206;
}

/// Whether a datagram is RTCP: version 2 and a packet type of 192 to 223 (RFC 5761 4). What follows may be encrypted,
/// so nothing more is checked.
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [first, 192..=223, ..] if first >> 6 == 2 && packet.len() >= SHORTEST)
}

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The packet type: 200 sender report, 201 receiver report, and so on.
    pub kind: u8,
    /// The five-bit count of the common header: report blocks, SDES chunks, BYE sources.
    pub count: u8,
    /// What follows the common header, padding included.
    pub body: &'a [u8],
}

/// The packet is not an RTCP compound: a length runs past its end, or a version is not 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Iterates over the parts of a compound packet; ends after the first malformed part.
pub fn parts(packet: &[u8]) -> impl Iterator<Item = Result<Part<'_>, Malformed>> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((part, after)) = split(rest) else {
            rest = &[];
            return Some(Err(Malformed));
        };
        rest = after;
        let [first, kind, _, _, body @ ..] = part else { return Some(Err(Malformed)) };
        Some(Ok(Part { kind: *kind, count: first & 0x1f, body }))
    })
}

/// A reception report (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The share lost since the report before, of 256.
    pub fraction: u8,
    /// Packets lost in all; below zero: more came than were sent.
    pub lost: i32,
    /// Interarrival jitter, in units of the timestamp's clock.
    pub jitter: u32,
    /// The middle of the NTP stamp of the latest sender report (LSR); 0: none came.
    pub last_sender_report: u32,
    /// How long ago that was (DLSR), in 1/65,536 s.
    pub delay: u32,
}

/// The reception reports in a compound packet, up to its first malformed part.
pub fn blocks(packet: &[u8]) -> impl Iterator<Item = Block> {
    let well_formed = parts(packet).map_while(Result::ok);
    well_formed.flat_map(|part| {
        let info = match part.kind {
            kind::SENDER_REPORT => 24,
            kind::RECEIVER_REPORT => 4,
            _ => usize::MAX,
        };
        let blocks = part.body.get(info..).unwrap_or_default();
        blocks.chunks_exact(REPORT).take(usize::from(part.count)).filter_map(block)
    })
}

fn block(bytes: &[u8]) -> Option<Block> {
    let lost = word(bytes, 4)?;
    Some(Block {
        fraction: (lost >> 24) as u8,
        // 24 bits with a sign.
        lost: (lost << 8).cast_signed() >> 8,
        jitter: word(bytes, 12)?,
        last_sender_report: word(bytes, 16)?,
        delay: word(bytes, 20)?,
    })
}

/// The middle 32 bits of the NTP stamps of the sender reports in a compound packet: what its receiver names them by.
pub fn sender_stamps(packet: &[u8]) -> impl Iterator<Item = u32> {
    let reports = parts(packet).map_while(Result::ok).filter(|part| part.kind == kind::SENDER_REPORT);
    reports.filter_map(|part| Some((word(part.body, 4)? << 16) | (word(part.body, 8)? >> 16)))
}

/// Shifts a compound packet along with the streams it reports on, in place: the sender's SSRC and a sender report's
/// timestamp by `own`, the shifts of the sender's streams; the SSRC and highest sequence number of the reports back by
/// `reported`, the shifts of the streams that the sender has received (RFC 3550 7.2). Left out are parts that cannot be
/// shifted (extended reports, unknown types), and what a stream says of itself that another has taken the line from.
///
/// Returns the length that is left; `None` when nothing is, or the packet is malformed.
pub fn shift(packet: &mut [u8], own: &Shifts, reported: &Shifts) -> Option<usize> {
    if parts(packet).any(|part| part.is_err()) {
        return None;
    }
    let (mut from, mut to) = (0usize, 0usize);
    while let Some(rest) = packet.get_mut(from..).filter(|rest| !rest.is_empty()) {
        let length = split(rest)?.0.len();
        let end = from.checked_add(length)?;
        if move_part(packet.get_mut(from..end)?, own, reported) {
            packet.copy_within(from..end, to);
            to = to.checked_add(length)?;
        }
        from = end;
    }
    (to > 0).then_some(to)
}

/// The first part of a compound and what follows it.
fn split(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let [first, kind, high, low, ..] = packet else { return None };
    if first >> 6 != 2 || !(192..=223).contains(kind) {
        return None;
    }
    let length = (usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4;
    packet.split_at_checked(length)
}

/// Shifts one part; false when it is of a type that cannot be shifted, or too short for its type.
fn move_part(part: &mut [u8], own: &Shifts, reported: &Shifts) -> bool {
    let [first, kind, _, _, body @ ..] = part else { return false };
    let count = usize::from(*first & 0x1f);
    match *kind {
        // RFC 3550 6.4.1: sender SSRC, NTP (8), RTP timestamp, two counts, report blocks.
        kind::SENDER_REPORT => {
            let Some((info, blocks)) = body.split_at_mut_checked(24) else { return false };
            if let Some(own) = word(info, 0).and_then(|ssrc| own.arriving(ssrc)) {
                let timestamp = word(info, 12).unwrap_or(0).wrapping_add(own.timestamp);
                set_word(info, 12, timestamp);
            }
            move_ssrc(info, 0, own) && move_reports(blocks, count, reported)
        }
        // RFC 3550 6.4.2.
        kind::RECEIVER_REPORT => {
            let Some((sender, blocks)) = body.split_at_mut_checked(4) else { return false };
            move_ssrc(sender, 0, own) && move_reports(blocks, count, reported)
        }
        kind::DESCRIPTION => move_chunks(body, count, own),
        // RFC 3550 6.6.
        kind::BYE => (0..count).all(|n| move_ssrc(body, n * 4, own)),
        // RFC 3550 6.7.
        kind::APPLICATION => move_ssrc(body, 0, own),
        // RFC 4585 6.1: the SSRC of the sender, and that of the media source.
        kind::TRANSPORT_FEEDBACK | kind::PAYLOAD_FEEDBACK => move_ssrc(body, 0, own) && move_back(body, 4, reported),
        _ => false,
    }
}

/// RFC 3550 6.4.1: each block begins with the SSRC reported on; the extended highest sequence number is its third word.
fn move_reports(blocks: &mut [u8], count: usize, reported: &Shifts) -> bool {
    for block in blocks.chunks_exact_mut(REPORT).take(count) {
        let Some(reported) = word(block, 0).and_then(|ssrc| reported.leaving(ssrc)) else { continue };
        let highest = word(block, 8).unwrap_or(0);
        // The cycles in the upper half are the receiver's own count and stay.
        let moved = (highest & 0xffff_0000) | u32::from((highest as u16).wrapping_sub(reported.sequence));
        set_word(block, 8, moved);
        set_word(block, 0, reported.from_ssrc);
    }
    blocks.len() / REPORT >= count
}

/// RFC 3550 6.5: each chunk is an SSRC and items up to a null, padded to whole words.
fn move_chunks(mut chunks: &mut [u8], count: usize, own: &Shifts) -> bool {
    for _ in 0..count {
        if !move_ssrc(chunks, 0, own) {
            return false;
        }
        let mut at = 4usize;
        while let Some([1..=255, length, ..]) = chunks.get(at..) {
            at = at.saturating_add(2).saturating_add(usize::from(*length));
        }
        let next = (at / 4 + 1) * 4;
        let Some((_, rest)) = chunks.split_at_mut_checked(next) else { return false };
        chunks = rest;
    }
    true
}

/// Shifts the SSRC at `at`, if it is one of `own`; false when the body ends before it, or another stream goes out in
/// its place.
fn move_ssrc(body: &mut [u8], at: usize, own: &Shifts) -> bool {
    let Some(ssrc) = word(body, at) else { return false };
    let Some(shift) = own.arriving(ssrc) else { return true };
    set_word(body, at, shift.to_ssrc);
    !own.is_replaced(shift)
}

/// Shifts the SSRC at `at` back, if it is one of `reported`; false when the body ends before it.
fn move_back(body: &mut [u8], at: usize, reported: &Shifts) -> bool {
    let Some(ssrc) = word(body, at) else { return false };
    if let Some(shift) = reported.leaving(ssrc) {
        set_word(body, at, shift.from_ssrc);
    }
    true
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|word| u32::from_be_bytes(*word))
}

fn set_word(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(word) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<4>()) {
        *word = value.to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::rtp::continuity::Shift;

    const OWN: Shift = Shift { from_ssrc: 0xa, to_ssrc: 0xaa, sequence: 100, timestamp: 1_000 };
    const REPORTED: Shift = Shift { from_ssrc: 0xb, to_ssrc: 0xbb, sequence: 7, timestamp: 50 };

    fn part(count: u8, kind: u8, words: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0x80 | count, kind, 0, words.len() as u8];
        bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        bytes
    }

    /// SDES with one chunk, a CNAME of three bytes: SSRC, 01 03 x x | x 00 00 00.
    fn description(ssrc: u32) -> Vec<u8> {
        part(1, 202, &[ssrc, 0x0103_6162, 0x6300_0000])
    }

    #[test]
    fn rtcp_is_recognised_by_its_packet_type() {
        assert!(is_rtcp(&part(0, 201, &[1])));
        assert!(!is_rtcp(&[0x80, 0, 0, 1]));
        assert!(!is_rtcp(&[0x40, 200, 0, 1]));
        assert!(!is_rtcp(&[0x80, 200, 0]));
        assert!(!is_rtcp(&[0x80, 224, 0, 0]));
    }

    #[test]
    fn a_compound_is_walked_and_a_length_that_lies_ends_it() {
        let mut packet = part(0, 201, &[1]);
        packet.extend(description(1));
        let kinds: Vec<u8> = parts(&packet).map(|part| part.unwrap().kind).collect();
        assert_eq!(kinds, [201, 202]);
        packet.pop();
        let walked: Vec<_> = parts(&packet).collect();
        assert_eq!(walked.len(), 2);
        assert_eq!(walked.last().copied(), Some(Err(Malformed)));
    }

    #[test]
    fn a_sender_report_moves_along_and_its_block_back() {
        let mut packet = part(1, 200, &[0xa, 1, 2, 500, 10, 1_600, 0xbb, 0, 0x0003_0005, 4, 5, 6]);
        packet.extend(description(0xa));
        packet.extend(part(1, 203, &[0xa]));
        let mut wanted = part(1, 200, &[0xaa, 1, 2, 1_500, 10, 1_600, 0xb, 0, 0x0003_fffe, 4, 5, 6]);
        wanted.extend(description(0xaa));
        wanted.extend(part(1, 203, &[0xaa]));
        let length = shift(&mut packet, &Shifts::of(OWN), &Shifts::of(REPORTED)).unwrap();
        assert_eq!(packet[..length], wanted);
    }

    #[test]
    fn other_sources_are_left_alone() {
        let packet = part(1, 200, &[0xc, 1, 2, 500, 10, 1_600, 0xcc, 0, 5, 4, 5, 6]);
        let mut moved = packet.clone();
        assert_eq!(shift(&mut moved, &Shifts::of(OWN), &Shifts::of(REPORTED)), Some(packet.len()));
        assert_eq!(moved, packet);
    }

    #[test]
    fn feedback_speaks_of_the_media_it_names() {
        let mut packet = part(1, 205, &[0xa, 0xbb, 77]);
        shift(&mut packet, &Shifts::of(OWN), &Shifts::of(REPORTED)).unwrap();
        assert_eq!(packet, part(1, 205, &[0xaa, 0xb, 77]));
    }

    #[test]
    fn what_cannot_be_moved_is_left_out() {
        let mut packet = part(0, 207, &[0xa, 1, 2]);
        packet.extend(part(0, 201, &[0xa]));
        let length = shift(&mut packet, &Shifts::of(OWN), &Shifts::default()).unwrap();
        assert_eq!(packet[..length], part(0, 201, &[0xaa]));
        assert_eq!(shift(&mut part(0, 207, &[0xa]), &Shifts::of(OWN), &Shifts::default()), None);
        // A count that promises more reports than there are.
        assert_eq!(shift(&mut part(2, 201, &[0xa]), &Shifts::of(OWN), &Shifts::default()), None);
    }

    #[test]
    fn two_hundred_thousand_mutations_stay_within_bounds() {
        let mut rng = Rng::from_number(2);
        let mut base = part(1, 200, &[0xa, 1, 2, 500, 10, 1_600, 0xbb, 0, 0x0003_0005, 4, 5, 6]);
        base.extend(description(0xa));
        base.extend(part(1, 203, &[0xa]));
        base.extend(part(2, 205, &[0xa, 0xbb]));
        let mut moved = 0u32;
        for _ in 0..200_000 {
            let mut packet = base.clone();
            for _ in 0..rng.below(4) {
                let place = rng.below(packet.len() as u64) as usize;
                packet[place] = rng.bits() as u8;
            }
            packet.truncate(rng.below(packet.len() as u64 + 1).max(rng.below(2) * 1_000) as usize);
            let before = packet.len();
            assert!(parts(&packet).count() <= before / 4 + 1);
            if let Some(length) = shift(&mut packet, &Shifts::of(OWN), &Shifts::of(REPORTED)) {
                moved += 1;
                assert!(length <= before && length % 4 == 0);
                assert!(parts(&packet[..length]).all(|part| part.is_ok()));
            }
        }
        assert!(moved > 1000, "{moved}");
    }
}
