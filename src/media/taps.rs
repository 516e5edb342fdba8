//! What a stream that is recorded or spied on gives to others: a copy of each packet that is accepted, and of each that
//! is sent, for the recorder and for mixes; and what is whispered to its peer. A stream without has none of this.

use super::recorder::{Frame, RecorderQueue};
use super::sample_queue::{SampleQueue, TICK};
use crate::audio::g711::Law;
use crate::clock::Time;
use crate::pbx::mixing::{MixId, SpyPlan};
use crate::pbx::recording::{RecordingId, Sides};
use crate::rtp::header::Header;

/// Spies on one stream at most.
const MAX_EARS: usize = 8;

/// The sides of a packet: from the peer, or to it.
const TO_PEER: usize = 1;

/// The recordings and spies of one stream.
#[derive(Default)]
pub(super) struct Taps {
    queue: Option<RecorderQueue>,
    recordings: Vec<Tap>,
    ears: Vec<Ear>,
    whispers: Vec<Whisper>,
}

/// What a mix hears of the stream.
pub(super) struct Ear {
    pub mix: MixId,
    pub plan: SpyPlan,
    sides: [SampleQueue; 2],
    /// The slot of the stream whose peer it barges in on, too.
    pub barged: Option<usize>,
}

/// What is said in a mix to the stream's peer.
struct Whisper {
    mix: MixId,
    laws: Vec<(u8, Law)>,
    said: SampleQueue,
}

impl Ear {
    fn copy(&mut self, side: usize, header: &Header, payload: &[u8]) {
        let wanted = match self.plan.hears {
            Some(Sides::Both) => true,
            Some(Sides::FromPeer) => side != TO_PEER,
            Some(Sides::ToPeer) => side == TO_PEER,
            None => false,
        };
        let law = self.plan.laws.iter().find(|(number, _)| *number == header.payload_type).filter(|_| wanted);
        if let Some(((_, law), queue)) = law.zip(self.sides.get_mut(side)) {
            queue.put((header.ssrc, header.sequence), payload.iter().map(|byte| law.decode(*byte)));
        }
    }

    /// Adds what both sides said in this turn.
    fn add(&mut self, sum: &mut [i32; TICK]) {
        let mut frame = [0; TICK];
        for side in &mut self.sides {
            if side.take(&mut frame) {
                sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum = sum.saturating_add(i32::from(sample)));
            }
        }
    }
}

struct Tap {
    recording: RecordingId,
    only_bridged: bool,
    paused: bool,
    dropped: u64,
}

impl Taps {
    pub(super) fn add(&mut self, queue: RecorderQueue, recording: RecordingId, only_bridged: bool) {
        self.queue = Some(queue);
        self.recordings.push(Tap { recording, only_bridged, paused: false, dropped: 0 });
    }

    /// Is none left?
    pub(super) fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.ears.is_empty() && self.whispers.is_empty()
    }

    /// A mix hears the stream from now on, or as this plan has it. Says whether there is room.
    pub(super) fn spy(&mut self, mix: MixId, plan: SpyPlan) -> bool {
        if !plan.whispers {
            self.hush(mix);
        }
        let has_room = self.ears.len() < MAX_EARS;
        match self.ear(mix) {
            Some(ear) => ear.plan = plan,
            None if has_room => self.ears.push(Ear { mix, plan, sides: Default::default(), barged: None }),
            None => return false,
        }
        true
    }

    /// Where mixes barge in.
    pub(super) fn barged(&self) -> impl Iterator<Item = (MixId, usize)> {
        self.ears.iter().filter_map(|ear| Some((ear.mix, ear.barged?)))
    }

    /// A mix hears the stream no more. Gives where it barged in.
    pub(super) fn leave(&mut self, mix: MixId) -> Option<usize> {
        self.hush(mix);
        let barged = self.ears.iter().find(|ear| ear.mix == mix).and_then(|ear| ear.barged);
        self.ears.retain(|ear| ear.mix != mix);
        barged
    }

    /// What a mix has of the stream.
    pub(super) fn ear(&mut self, mix: MixId) -> Option<&mut Ear> {
        self.ears.iter_mut().find(|ear| ear.mix == mix)
    }

    /// Adds what a mix hears of the stream in this turn; false: nothing any more.
    pub(super) fn add_heard(&mut self, mix: MixId, sum: &mut [i32; TICK]) -> bool {
        let ear = self.ear(mix);
        let is_there = ear.is_some();
        ear.into_iter().for_each(|ear| ear.add(sum));
        is_there
    }

    /// The stream's peer is to hear this from a mix, with what it is sent next.
    pub(super) fn whisper(&mut self, mix: MixId, laws: &[(u8, Law)], said: &[i16; TICK]) {
        let has_room = self.whispers.len() < MAX_EARS;
        let found = self.whispers.iter_mut().find(|whisper| whisper.mix == mix);
        match found {
            Some(whisper) => whisper.said.push(said.iter().copied()),
            None if has_room => self.whispers.push(Whisper { mix, laws: laws.to_vec(), said: SampleQueue::default() }),
            None => {}
        }
    }

    /// It hears no more of that.
    pub(super) fn hush(&mut self, mix: MixId) {
        self.whispers.retain(|whisper| whisper.mix != mix);
    }

    /// Copies a packet, from the peer or to it. Gives what is sent instead, when something is whispered.
    pub(super) fn copy(&mut self, at: Time, side: usize, packet: &[u8], is_bridged: bool) -> Option<Vec<u8>> {
        let header = Header::read(packet).ok()?;
        let said = payload(&header, packet)?;
        self.ears.iter_mut().for_each(|ear| ear.copy(side, &header, said));
        let changed = if side == TO_PEER { self.whispered(&header, packet) } else { None };
        self.record(at, side, (&header, changed.as_deref().unwrap_or(packet)), is_bridged);
        changed
    }

    /// A packet to the peer with what is whispered to it; none when nothing is.
    fn whispered(&mut self, header: &Header, packet: &[u8]) -> Option<Vec<u8>> {
        let length = payload(header, packet)?.len();
        let mut changed: Option<Vec<u8>> = None;
        let mut said = vec![0; if self.whispers.is_empty() { 0 } else { length }];
        for whisper in &mut self.whispers {
            let law = whisper.laws.iter().find(|(number, _)| *number == header.payload_type).map(|(_, law)| *law);
            let Some(law) = law.filter(|_| whisper.said.take(&mut said)) else { continue };
            let changed = changed.get_or_insert_with(|| packet.to_vec());
            let bytes = changed.iter_mut().skip(header.length).take(length);
            for (byte, sample) in bytes.zip(&said).filter(|(_, sample)| **sample != 0) {
                *byte = law.encode(law.decode(*byte).saturating_add(*sample));
            }
        }
        changed
    }

    fn record(&mut self, at: Time, side: usize, (header, packet): (&Header, &[u8]), is_bridged: bool) {
        let (Some(queue), Some(payload)) = (&self.queue, payload(header, packet)) else { return };
        for tap in self.recordings.iter_mut().filter(|tap| !tap.paused && (is_bridged || !tap.only_bridged)) {
            let Header { ssrc, sequence, timestamp, payload_type, .. } = *header;
            let frame = Frame {
                recording: tap.recording,
                side,
                at,
                ssrc,
                sequence,
                timestamp,
                payload_type,
                payload: payload.into(),
            };
            if !queue.put(frame) {
                tap.dropped = tap.dropped.saturating_add(1);
            }
        }
    }

    /// The stream came into a bridge, or out of it.
    pub(super) fn bridged(&self, at: Time, is_bridged: bool) {
        for tap in self.recordings.iter().filter(|tap| tap.only_bridged && !tap.paused) {
            self.queue.iter().for_each(|queue| queue.pause(tap.recording, at, !is_bridged));
        }
    }

    /// Leaves out what comes, or no more.
    pub(super) fn pause(&mut self, recording: RecordingId, at: Time, paused: bool, is_bridged: bool) {
        for tap in self.recordings.iter_mut().filter(|tap| tap.recording == recording) {
            tap.paused = paused;
            let leaves_out = paused || (tap.only_bridged && !is_bridged);
            self.queue.iter().for_each(|queue| queue.pause(recording, at, leaves_out));
        }
    }

    /// Has the files of a recording named anew.
    pub(super) fn rename(&self, recording: RecordingId, base: &str) {
        if self.recordings.iter().any(|tap| tap.recording == recording) {
            self.queue.iter().for_each(|queue| queue.rename(recording, base));
        }
    }

    /// Ends one recording, or all.
    pub(super) fn close(&mut self, at: Time, recording: Option<RecordingId>) {
        let is_meant = |tap: &Tap| recording.is_none_or(|recording| recording == tap.recording);
        for tap in self.recordings.iter().filter(|tap| is_meant(tap)) {
            self.queue.iter().for_each(|queue| queue.close(tap.recording, at, tap.dropped));
        }
        self.recordings.retain(|tap| !is_meant(tap));
    }

    /// The recorder says that it has ended.
    pub(super) fn forget(&mut self, recording: RecordingId) {
        self.recordings.retain(|tap| tap.recording != recording);
    }
}

/// What a packet carries, without padding (RFC 3550 5.1).
pub(super) fn payload<'a>(header: &Header, packet: &'a [u8]) -> Option<&'a [u8]> {
    let payload = packet.get(header.length..)?;
    let is_padded = packet.first()? & 0x20 != 0;
    let padding = if is_padded { usize::from(*payload.last()?) } else { 0 };
    payload.get(..payload.len().checked_sub(padding)?).filter(|payload| !payload.is_empty())
}
