//! Telephone events (RFC 4733): a key that is pressed is a row of packets with one timestamp, of which any may be lost,
//! doubled or late. All of them are one event here.

use super::header::Header;
use crate::clock::Time;
use std::time::Duration;

/// Bytes of an event's payload.
pub const PAYLOAD: usize = 4;

/// The codes of keys: 0 to 9, `*`, `#`, `A` to `D` (RFC 4733 3.2, table 3).
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// The code of a hook flash.
pub const FLASH: u8 = 16;

/// The longest duration an event can tell; a longer one goes on in another segment (RFC 4733 2.5.1.3).
const LONGEST: u32 = 0xffff;

/// A packet of an event that began before the latest one is late for so long; after that its sender counts anew.
const LATE: Duration = Duration::from_secs(2);

/// Two packets of one event of a sender that moves the timestamp with each of them are no farther apart, in time and in
/// units of the timestamp.
const NEAR: Duration = Duration::from_millis(60);
/// See [`NEAR`].
const ABOUT: u32 = 80;

/// The payload of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Which event.
    pub code: u8,
    /// It is over.
    pub end: bool,
    /// The power of the tone it stands for, in dBm0 without the sign.
    pub volume: u8,
    /// How long it has lasted, in units of the timestamp.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; none when it is too short.
    pub fn read(payload: &[u8]) -> Option<Event> {
        let (&[code, flags, high, low], _) = payload.split_first_chunk::<PAYLOAD>()?;
        Some(Event { code, end: flags & 0x80 != 0, volume: flags & 0x3f, duration: u16::from_be_bytes([high, low]) })
    }

    /// The payload's bytes.
    pub fn write(&self) -> [u8; PAYLOAD] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | (self.volume & 0x3f), high, low]
    }
}

/// The key of a code; none for events that are no keys.
pub fn key_of(code: u8) -> Option<char> {
    KEYS.get(usize::from(code)).copied()
}

/// The code of a key, in either case; none when it is no key.
pub fn code_of(key: char) -> Option<u8> {
    let place = KEYS.iter().position(|known| *known == key.to_ascii_uppercase())?;
    u8::try_from(place).ok()
}

/// Makes events of the packets of one stream.
#[derive(Debug, Clone, Default)]
pub struct EventReceiver {
    latest: Option<Latest>,
}

/// The event that began last.
#[derive(Debug, Clone, Copy)]
struct Latest {
    ssrc: u32,
    timestamp: u32,
    event: Event,
    heard: Time,
}

impl EventReceiver {
    /// Takes a packet; gives the event when this is the first that came of it. Nothing waits for the end of an event,
    /// so that one which has none is an event like others.
    pub fn receive(&mut self, now: Time, header: &Header, payload: &[u8]) -> Option<Event> {
        let event = Event::read(payload)?;
        let Some(latest) = &mut self.latest else { return self.begin(now, header, event) };
        if latest.goes_on(now, header, &event) {
            // An earlier packet of it that comes later says nothing new.
            if event.end || event.duration >= latest.event.duration || header.timestamp != latest.timestamp {
                latest.event = Event { end: latest.event.end || event.end, ..event };
            }
            (latest.timestamp, latest.heard) = (header.timestamp, now);
            return None;
        }
        let is_before = latest.timestamp.wrapping_sub(header.timestamp) < 0x8000_0000;
        let is_late = header.ssrc == latest.ssrc && is_before && header.timestamp != latest.timestamp;
        if is_late && now.since(latest.heard) < LATE {
            return None;
        }
        self.begin(now, header, event)
    }

    fn begin(&mut self, now: Time, header: &Header, event: Event) -> Option<Event> {
        self.latest = Some(Latest { ssrc: header.ssrc, timestamp: header.timestamp, event, heard: now });
        Some(event)
    }
}

impl Latest {
    /// Is this a packet of the same event?
    fn goes_on(&self, now: Time, header: &Header, event: &Event) -> bool {
        if header.ssrc != self.ssrc || event.code != self.event.code {
            return false;
        }
        let moved = header.timestamp.wrapping_sub(self.timestamp);
        if moved == 0 {
            return true;
        }
        if header.marker {
            return false;
        }
        let is_segment = !self.event.end && moved.abs_diff(LONGEST) <= 2 * ABOUT;
        is_segment || (now.since(self.heard) <= NEAR && self.moves_with(moved, event))
    }

    /// Some senders move the timestamp with each packet of an event: then by what the duration has grown, and the end is
    /// repeated with the same duration. A second press of the same key begins with a short duration, later.
    fn moves_with(&self, moved: u32, event: &Event) -> bool {
        let grown = event.duration.checked_sub(self.event.duration).map(u32::from);
        match grown {
            Some(0) => self.event.end && event.end && moved < 10 * ABOUT,
            Some(grown) => !self.event.end && moved.abs_diff(grown) <= ABOUT,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const SSRC: u32 = 7;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    /// A packet of key `key`: when it comes, its timestamp, and duration; at the end of the event.
    #[derive(Clone, Copy)]
    struct Packet(u64, u32, u16, bool, char);

    fn hear(receiver: &mut EventReceiver, packet: &Packet, marker: bool) -> Option<char> {
        let Packet(ms, timestamp, duration, end, key) = *packet;
        let header = Header { marker, payload_type: 101, sequence: 0, timestamp, ssrc: SSRC, length: 12 };
        let event = Event { code: code_of(key).unwrap(), end, volume: 10, duration };
        let begun = receiver.receive(at(ms), &header, &event.write())?;
        key_of(begun.code)
    }

    fn heard(packets: &[Packet]) -> String {
        let mut receiver = EventReceiver::default();
        packets.iter().filter_map(|packet| hear(&mut receiver, packet, false)).collect()
    }

    /// A press of 100 ms that begins at `ms`: five packets, the last three times.
    fn press(key: char, ms: u64) -> Vec<Packet> {
        let timestamp = u32::try_from(ms).unwrap() * 8;
        let packet = |n: u16| Packet(ms + u64::from(n) * 20, timestamp, n.min(5) * 160, n >= 5, key);
        (1..=7).map(packet).collect()
    }

    #[test]
    fn all_packets_of_an_event_are_one_and_two_equal_keys_are_two() {
        assert_eq!(heard(&press('5', 1_000)), "5");
        assert_eq!(heard(&[press('5', 1_000), press('5', 1_200), press('#', 1_400)].concat()), "55#");
        let all = "0123456789*#ABCD";
        let row: Vec<Packet> = (0..).zip(all.chars()).flat_map(|(n, key)| press(key, 1_000 + n * 200)).collect();
        assert_eq!(heard(&row), all);
    }

    /// Whatever of it is lost, doubled or in another order: as long as one packet of each comes, before all of the next
    /// one, each is one.
    #[test]
    fn loss_repeats_and_disorder_change_nothing() {
        let mut rng = Rng::from_number(4);
        for _ in 0..2_000 {
            let mut packets = Vec::new();
            for (n, key) in (0..).zip("55#0".chars()) {
                let mut kept: Vec<Packet> =
                    press(key, 1_000 + n * 250).into_iter().filter(|_| rng.below(3) != 0).collect();
                if kept.is_empty() {
                    kept = vec![press(key, 1_000 + n * 250)[6]];
                }
                for n in 0..kept.len() {
                    let other = usize::try_from(rng.below(kept.len() as u64)).unwrap();
                    let (a, b) = (kept[n].0, kept[other].0);
                    kept.swap(n, other);
                    (kept[n].0, kept[other].0) = (a, b);
                    if rng.below(3) == 0 {
                        kept.push(kept[n]);
                    }
                }
                kept.sort_by_key(|packet| packet.0);
                packets.extend(kept);
            }
            // A straggler of the first comes when the second is under way.
            let straggler = Packet(1_290, 8_000, 800, true, '5');
            let place = packets.iter().position(|packet| packet.0 > 1_290).unwrap_or(packets.len());
            if packets.iter().take(place).any(|packet| packet.1 == 10_000) {
                packets.insert(place, straggler);
            }
            assert_eq!(heard(&packets), "55#0");
        }
    }

    #[test]
    fn an_event_without_an_end_is_one_also_when_it_takes_minutes() {
        // 20 ms a packet; the duration is full after 8 s, then another segment begins (RFC 4733 2.5.1.3).
        let packets: Vec<Packet> = (1..=10_000u64)
            .map(|n| {
                let (segment, rest) = ((n * 160 - 1) / 65_535, (n * 160 - 1) % 65_535 + 1);
                Packet(n * 20, 800 + u32::try_from(segment * 65_535).unwrap(), u16::try_from(rest).unwrap(), false, '1')
            })
            .collect();
        assert_eq!(heard(&packets), "1");
        assert_eq!(heard(&[&packets[..5], &press('1', 1_000)[..]].concat()), "11", "its end never came");
    }

    /// What `rfc2833compensate=` is for elsewhere.
    #[test]
    fn a_sender_that_moves_the_timestamp_within_an_event_is_understood() {
        let moving = |from: u64| {
            press('5', from)
                .into_iter()
                .map(|Packet(ms, _, duration, end, key)| Packet(ms, u32::try_from(ms).unwrap() * 8, duration, end, key))
        };
        let packets: Vec<Packet> = moving(1_000).chain(moving(1_250)).collect();
        assert_eq!(heard(&packets), "55");
    }

    #[test]
    fn a_mark_begins_another_and_a_sender_that_counts_anew_is_heard() {
        let mut receiver = EventReceiver::default();
        assert_eq!(hear(&mut receiver, &Packet(0, 9_000, 160, false, '5'), true), Some('5'));
        assert_eq!(hear(&mut receiver, &Packet(20, 9_160, 320, false, '5'), true), Some('5'));
        assert_eq!(hear(&mut receiver, &Packet(40, 800, 160, false, '5'), false), None, "late");
        assert_eq!(hear(&mut receiver, &Packet(3_000, 800, 160, false, '5'), false), Some('5'));
    }

    #[test]
    fn a_payload_is_read_as_it_is_written_and_a_short_one_not_at_all() {
        let event = Event { code: 11, end: true, volume: 63, duration: 0x1234 };
        assert_eq!(event.write(), [11, 0xbf, 0x12, 0x34]);
        assert_eq!(Event::read(&event.write()), Some(event));
        assert_eq!(Event::read(&[1, 2, 3]), None);
        assert_eq!((code_of('d'), code_of('E'), key_of(FLASH)), (Some(15), None, None));
    }
}
