//! Playing a sound: which packet is due when, and what is in it.

use crate::audio::g711::Law;
use crate::clock::Time;
use crate::pbx::media::G711;
use crate::rtp::continuity::Place;
use crate::rtp::header::{FIXED, Header};
use std::sync::Arc;
use std::time::Duration;

/// The longest packet we make, in milliseconds; a longer `ptime` is cut to it (RFC 3551 4.2: receivers should accept up
/// to 200 ms).
const MAX_PTIME_MS: u8 = 200;

/// Later than this, the missed packets are not sent in a burst any more: the sound goes on from now.
const STALL: Duration = Duration::from_millis(200);

/// Room for the longest packet.
pub(super) const PACKET: usize = FIXED + MAX_PTIME_MS as usize * 8;

/// A sound on its way.
pub(super) struct Playing {
    pub play: u64,
    /// Distinguishes it, for the timer, from an earlier playing of the same stream.
    pub turn: u64,
    track: Track,
    payload_type: u8,
    /// The sounds are in the first law, and the peer has agreed to the second meanwhile.
    recoded: Option<(Law, Law)>,
    /// Bytes, and samples, in a packet.
    step: usize,
    place: Place,
    due: Time,
    first: bool,
}

/// What a playing is asked to do.
pub(super) struct Request {
    pub play: u64,
    pub sounds: Vec<Arc<[u8]>>,
    pub skip: usize,
    pub repeat: bool,
    /// Which of the sounds a repetition begins with.
    pub again: usize,
    pub payload_type: u8,
    pub ptime_ms: u8,
}

impl Request {
    /// A tone that begins again at `again`, if anywhere.
    pub fn tone(play: u64, sound: &[u8], again: Option<usize>, (payload_type, ptime_ms): (u8, u8)) -> Request {
        let (once, round) = sound.split_at(again.unwrap_or(sound.len()).min(sound.len()));
        let sounds = [once, round].into_iter().filter(|part| !part.is_empty()).map(Arc::from).collect();
        let first = usize::from(!once.is_empty());
        Request { play, sounds, skip: 0, repeat: again.is_some(), again: first, payload_type, ptime_ms }
    }

    /// Samples in a packet of this playing.
    pub fn step(&self) -> u32 {
        step(self.ptime_ms)
    }
}

fn step(ptime_ms: u8) -> u32 {
    u32::from(ptime_ms.clamp(1, MAX_PTIME_MS)) * 8
}

impl Playing {
    /// Begins now, at `place`.
    pub fn new(now: Time, turn: u64, request: Request, place: Place) -> Playing {
        Playing {
            play: request.play,
            turn,
            step: request.step() as usize,
            track: Track::new(request.sounds, request.skip, request.repeat, request.again),
            payload_type: request.payload_type,
            recoded: None,
            place,
            due: now,
            first: true,
        }
    }

    /// When the next packet is due; at the end of the sound, when its last packet has been heard.
    pub fn due(&self) -> Time {
        self.due
    }

    /// Goes on at another place: something else was sent meanwhile.
    pub fn move_to(&mut self, place: Place) {
        self.place = place;
    }

    /// Goes on in another codec: the sounds stay in the law they are in, and each byte is converted when it is sent.
    pub fn recode(&mut self, from: Law, to: G711, ptime_ms: u8) {
        self.recoded = Some((from, to.law)).filter(|(from, to)| from != to);
        self.payload_type = to.payload_type;
        self.step = step(ptime_ms) as usize;
    }

    /// Samples in a packet.
    pub fn step(&self) -> u32 {
        u32::try_from(self.step).unwrap_or(u32::MAX)
    }

    /// Has the sound ended?
    pub fn is_over(&self) -> bool {
        self.track.is_over()
    }

    /// Writes the packet that is due into `packet` and moves on; `None` when the sound has ended.
    pub fn next<'a>(&mut self, now: Time, packet: &'a mut [u8; PACKET]) -> Option<(Place, &'a [u8])> {
        if self.track.is_over() {
            return None;
        }
        let late = now.since(self.due);
        if late > STALL {
            self.skip(late);
        }
        let place = self.place;
        let header = Header {
            marker: self.first,
            payload_type: self.payload_type,
            sequence: place.sequence,
            timestamp: place.timestamp,
            ssrc: place.ssrc,
            length: FIXED,
        };
        let end = FIXED.saturating_add(self.step);
        let (head, payload) = packet.get_mut(..end)?.split_at_mut_checked(FIXED)?;
        head.copy_from_slice(&header.write());
        self.fill(payload);
        self.first = false;
        self.place.sequence = place.sequence.wrapping_add(1);
        self.place.timestamp = place.timestamp.wrapping_add(self.step());
        self.due = self.due + self.ptime();
        Some((place, packet.get(..end)?))
    }

    fn ptime(&self) -> Duration {
        Duration::from_micros(u64::from(self.step()).saturating_mul(125))
    }

    /// Leaves out whole packets of time: the receiver sees a pause, not a burst.
    fn skip(&mut self, late: Duration) {
        let packets = u32::try_from(late.as_micros() / self.ptime().as_micros().max(1)).unwrap_or(u32::MAX);
        self.due = self.due + self.ptime().saturating_mul(packets);
        self.place.timestamp = self.place.timestamp.wrapping_add(self.step().wrapping_mul(packets));
    }

    /// One sound follows another, and a repeated one itself, inside a packet; the last ends with the codec's silence.
    fn fill(&mut self, payload: &mut [u8]) {
        let silence = if self.payload_type == 8 { 0xd5 } else { 0xff };
        for slot in payload {
            *slot = match (self.track.next(), self.recoded) {
                (Some(byte), Some((from, to))) => to.encode(from.decode(byte)),
                (Some(byte), None) => byte,
                (None, _) => silence,
            };
        }
    }
}

/// Sounds one after the other, and how far they have come.
struct Track {
    /// None of them is empty.
    sounds: Vec<Arc<[u8]>>,
    repeat: bool,
    again: usize,
    /// Which of them comes next, and from where on.
    current: usize,
    position: usize,
}

impl Track {
    fn new(mut sounds: Vec<Arc<[u8]>>, skip: usize, repeat: bool, again: usize) -> Track {
        sounds.retain(|sound| !sound.is_empty());
        let mut track = Track { sounds, repeat, again, current: 0, position: 0 };
        // One that would begin again behind its end is over there.
        track.repeat &= track.again < track.sounds.len();
        let length = track.sounds.iter().fold(0usize, |length, sound| length.saturating_add(sound.len()));
        track.position = if repeat { skip.checked_rem(length).unwrap_or(0) } else { skip };
        track.turn();
        track
    }

    /// Goes on to the sound that the position lies in; a repeated track ends nowhere.
    fn turn(&mut self) {
        while let Some(sound) = self.sounds.get(self.current)
            && self.position >= sound.len()
        {
            self.position = self.position.saturating_sub(sound.len());
            self.current = self.current.saturating_add(1);
            if self.repeat && self.current == self.sounds.len() {
                self.current = self.again;
            }
        }
    }

    fn is_over(&self) -> bool {
        self.current >= self.sounds.len()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.sounds.get(self.current)?.get(self.position).copied();
        self.position = self.position.saturating_add(1);
        self.turn();
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn playing(sound: &[u8], repeat: bool, payload_type: u8, ptime_ms: u8) -> Playing {
        let request =
            Request { play: 1, sounds: vec![sound.into()], skip: 0, repeat, again: 0, payload_type, ptime_ms };
        Playing::new(Time::ZERO, 1, request, Place { ssrc: 9, sequence: 65_535, timestamp: 100 })
    }

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    #[test]
    fn a_sound_is_cut_into_packets_and_the_last_one_padded_with_silence() {
        for (payload_type, silence) in [(0, 0xff), (8, 0xd5)] {
            let mut playing = playing(&[7; 200], false, payload_type, 20);
            let mut buffer = [0; PACKET];
            let (place, packet) = playing.next(at(0), &mut buffer).unwrap();
            assert_eq!((place.sequence, place.timestamp), (65_535, 100));
            assert_eq!(packet[..2], [0x80, 0x80 | payload_type]);
            assert_eq!(packet[12..], [7; 160]);
            assert_eq!(playing.due(), at(20));
            let (place, packet) = playing.next(at(21), &mut buffer).unwrap();
            assert_eq!((place.sequence, place.timestamp), (0, 260));
            assert_eq!(packet[1], payload_type);
            assert_eq!(packet[12..52], [7; 40]);
            assert_eq!(packet[52..], [silence; 120]);
            assert_eq!(playing.due(), at(40), "late packets do not make the next one late");
            assert!(playing.next(at(40), &mut buffer).is_none());
        }
    }

    #[test]
    fn a_sound_goes_on_in_the_codec_that_was_agreed_on_meanwhile() {
        let sound: Vec<u8> = (0..480u32).map(|n| Law::Mu.encode((n * 50) as i16)).collect();
        let mut playing = playing(&sound, false, 0, 20);
        let mut buffer = [0; PACKET];
        assert_eq!(playing.next(at(0), &mut buffer).unwrap().1[12..], sound[..160]);
        playing.recode(Law::Mu, G711 { payload_type: 8, law: Law::A }, 30);
        let (place, packet) = playing.next(at(20), &mut buffer).unwrap();
        assert_eq!((place.sequence, place.timestamp, packet[1], packet.len()), (0, 260, 8, 12 + 240));
        let same = sound[160..400].iter().map(|byte| Law::A.encode(Law::Mu.decode(*byte)));
        assert!(packet[12..].iter().copied().eq(same));
        assert_eq!(playing.due(), at(50));
        playing.recode(Law::Mu, G711 { payload_type: 0, law: Law::Mu }, 20);
        let packet = playing.next(at(50), &mut buffer).unwrap().1.to_vec();
        assert_eq!((packet[1], &packet[12..92], packet[92]), (0, &sound[400..], 0xff));
    }

    #[test]
    fn a_repeated_sound_has_no_seam() {
        let mut playing = playing(&[1, 2, 3], true, 0, 10);
        let mut buffer = [0; PACKET];
        let mut bytes = Vec::<u8>::new();
        for n in 0..10 {
            bytes.extend(&playing.next(at(n * 10), &mut buffer).unwrap().1[12..]);
        }
        assert!(bytes.iter().zip([1, 2, 3].iter().cycle()).all(|(sent, wanted)| sent == wanted));
        assert_eq!(bytes.len(), 800);
    }

    #[test]
    fn a_tone_begins_again_where_it_says() {
        let sounds = vec![[9].into(), [1, 2, 3].into()];
        let request = Request { play: 1, sounds, skip: 0, repeat: true, again: 1, payload_type: 0, ptime_ms: 10 };
        let mut playing = Playing::new(Time::ZERO, 1, request, Place { ssrc: 9, sequence: 1, timestamp: 100 });
        let mut buffer = [0; PACKET];
        let packet = playing.next(at(0), &mut buffer).unwrap().1[12..].to_vec();
        let wanted = [9].into_iter().chain([1, 2, 3].into_iter().cycle());
        assert!(packet.into_iter().zip(wanted).all(|(sent, wanted)| sent == wanted));
    }

    #[test]
    fn sounds_follow_each_other_without_a_gap_from_where_they_are_to_begin() {
        let all = |sounds: &[&[u8]], skip, repeat| {
            let sounds = sounds.iter().map(|sound| Arc::from(*sound)).collect();
            let request = Request { play: 1, sounds, skip, repeat, again: 0, payload_type: 0, ptime_ms: 10 };
            let mut playing = Playing::new(Time::ZERO, 1, request, Place { ssrc: 9, sequence: 1, timestamp: 1 });
            let mut buffer = [0; PACKET];
            let packets = (0..3).map_while(|n| Some(playing.next(at(n * 10), &mut buffer)?.1[12..].to_vec()));
            packets.flatten().collect::<Vec<u8>>()
        };
        let heard = all(&[&[1; 50], &[], &[2; 50], &[3; 20]], 0, false);
        assert_eq!(heard, [vec![1; 50], vec![2; 50], vec![3; 20], vec![0xff; 40]].concat());
        assert_eq!(all(&[&[1; 50], &[2; 50]], 60, false), [vec![2; 40], vec![0xff; 40]].concat());
        assert!(all(&[&[1; 50], &[2; 50]], 100, false).is_empty(), "nothing is left");
        assert_eq!(all(&[&[1; 100], &[2; 50]], 190, true)[..120], [vec![1; 60], vec![2; 50], vec![1; 10]].concat());
    }

    #[test]
    fn an_empty_sound_ends_at_once_and_a_strange_ptime_is_bounded() {
        let mut buffer = [0; PACKET];
        assert!(playing(&[], true, 0, 20).next(at(0), &mut buffer).is_none());
        assert_eq!(playing(&[0; 9], false, 0, 0).next(at(0), &mut buffer).unwrap().1.len(), 20);
        assert_eq!(playing(&[0; 9], false, 0, 255).next(at(0), &mut buffer).unwrap().1.len(), PACKET);
    }

    #[test]
    fn after_a_stall_the_timestamp_tells_the_pause() {
        let mut playing = playing(&[0; 8_000], false, 0, 20);
        let mut buffer = [0; PACKET];
        playing.next(at(0), &mut buffer).unwrap();
        let (place, _) = playing.next(at(1_025), &mut buffer).unwrap();
        assert_eq!((place.sequence, place.timestamp), (0, 100 + 160 + 50 * 160));
        assert_eq!(playing.due(), at(1_040));
    }
}
