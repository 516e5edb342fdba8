//! Mixes: every 20 ms each who takes part is sent the sum of what the others said. A spy takes part in a mix of its
//! own, which hears the streams that it spies on, too.

use super::rtp_debug::PacketTrace;
use super::sample_queue::TICK;
use super::seat::{Seated, gained};
use super::stream::{Mode, Stream};
use crate::clock::Time;
use crate::pbx::mixing::{MAX_MEMBERS, MixId, Seat, SpyPlan};
use crate::rtp::continuity::Place;
use slab::Slab;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a mix is made.
const EVERY: Duration = Duration::from_millis(20);

/// Later than this, the missed turns are not made up for in a burst.
const STALL: Duration = Duration::from_millis(200);

/// All mixes. Nearly always none: then no packet and no turn of the thread costs anything.
#[derive(Default)]
pub(super) struct Mixes(BTreeMap<MixId, Mix>);

struct Mix {
    due: Time,
    /// The slots of those who take part.
    members: Vec<usize>,
    /// The slots of those who are spied on.
    spied: Vec<usize>,
}

impl Mixes {
    /// When the next turn is; none: there is no mix.
    pub(super) fn due(&self) -> Option<Time> {
        self.0.values().map(|mix| mix.due).min()
    }

    /// The stream in `slot`, which is idle, takes part in a mix from now on. Says whether there is room.
    pub(super) fn join(&mut self, now: Time, slot: usize, stream: &mut Stream, (id, seat): (MixId, Seat)) -> bool {
        let mix = self.mix(now, id);
        if mix.members.len() >= MAX_MEMBERS {
            return false;
        }
        mix.members.push(slot);
        stream.mode = Mode::Mixed(Box::new(Seated::new(id, seat)));
        true
    }

    /// It takes part no more. A mix in which nobody does is over.
    pub(super) fn leave(&mut self, id: MixId, slot: usize) {
        let Some(mix) = self.0.get_mut(&id) else { return };
        mix.members.retain(|member| *member != slot);
        if mix.members.is_empty() {
            self.0.remove(&id);
        }
    }

    /// The mix hears the stream in `slot` from now on, or as this plan has it.
    pub(super) fn spy(&mut self, now: Time, slot: usize, stream: &mut Stream, (id, plan): (MixId, SpyPlan)) {
        let mix = self.mix(now, id);
        if stream.taps.get_or_insert_default().spy(id, plan) && !mix.spied.contains(&slot) {
            mix.spied.push(slot);
        }
    }

    fn mix(&mut self, now: Time, id: MixId) -> &mut Mix {
        self.0.entry(id).or_insert_with(|| Mix { due: now + EVERY, members: Vec::new(), spied: Vec::new() })
    }

    /// Has every mix take the turns that are due. `fresh`: where a stream begins.
    pub(super) fn turn(
        &mut self,
        streams: &mut Slab<Stream>,
        now: Time,
        mut fresh: impl FnMut() -> Place,
        mut trace: Option<&mut PacketTrace>,
    ) {
        for (id, mix) in &mut self.0 {
            if now.since(mix.due) > STALL {
                mix.due = now;
                mix.pause(streams);
            }
            while mix.due <= now {
                mix.due = mix.due + EVERY;
                mix.turn(*id, streams, now, (&mut fresh, trace.as_deref_mut()));
            }
        }
    }
}

/// The mix hears the stream in `slot` no more.
pub(super) fn stop_spying(streams: &mut Slab<Stream>, slot: usize, id: MixId) {
    let barged = streams.get_mut(slot).and_then(|stream| stream.taps.as_mut()).and_then(|taps| taps.leave(id));
    for slot in [Some(slot), barged].into_iter().flatten() {
        hush(streams, slot, id);
    }
}

/// The stream in `slot` is released: nothing is whispered to the others on its calls any more.
pub(super) fn released(streams: &mut Slab<Stream>, slot: usize) {
    let taps = streams.get(slot).and_then(|stream| stream.taps.as_ref());
    let barged: Vec<(MixId, usize)> = taps.iter().flat_map(|taps| taps.barged()).collect();
    for (mix, other) in barged {
        hush(streams, other, mix);
    }
}

/// Nothing of a mix is whispered to the peer of the stream in `slot` any more.
fn hush(streams: &mut Slab<Stream>, slot: usize, id: MixId) {
    let Some(stream) = streams.get_mut(slot) else { return };
    if let Some(taps) = &mut stream.taps {
        taps.hush(id);
        if taps.is_empty() {
            stream.taps = None;
        }
    }
}

impl Mix {
    /// Some turns are left out.
    fn pause(&self, streams: &mut Slab<Stream>) {
        for slot in &self.members {
            if let Some(Mode::Mixed(seated)) = streams.get_mut(*slot).map(|stream| &mut stream.mode) {
                seated.pause();
            }
        }
    }

    fn turn(
        &mut self,
        id: MixId,
        streams: &mut Slab<Stream>,
        now: Time,
        (fresh, mut trace): (&mut impl FnMut() -> Place, Option<&mut PacketTrace>),
    ) {
        let mut said = [0i32; TICK];
        for slot in &self.members {
            if let Some(Mode::Mixed(seated)) = streams.get_mut(*slot).map(|stream| &mut stream.mode)
                && seated.turn()
            {
                said.iter_mut().zip(seated.frame).for_each(|(sum, one)| *sum = sum.saturating_add(i32::from(one)));
            }
        }
        let mut sum = said;
        self.spied.retain(|slot| {
            let taps = streams.get_mut(*slot).and_then(|stream| stream.taps.as_mut());
            taps.is_some_and(|taps| taps.add_heard(id, &mut sum))
        });
        for slot in &self.members {
            let Some(stream) = streams.get_mut(*slot) else { continue };
            send(stream, now, &sum, (fresh(), trace.as_deref_mut()));
        }
        let said = said.map(|sum| gained(sum, 0));
        for slot in &self.spied {
            whisper(streams, *slot, id, &said);
        }
    }
}

/// What one who takes part hears: the sum without its own.
fn send(stream: &mut Stream, now: Time, sum: &[i32; TICK], (fresh, mut trace): (Place, Option<&mut PacketTrace>)) {
    let Mode::Mixed(mut seated) = std::mem::replace(&mut stream.mode, Mode::Idle) else { return };
    let own = seated.frame;
    seated.put(sum.iter().zip(own).map(|(sum, own)| sum.saturating_sub(i32::from(own))));
    // A digit takes the place of what else there is to be sent.
    if stream.sending.is_some() {
        seated.pause();
    }
    while let Some((place, step, packet)) = seated.packet(|step| stream.line.begin(now, step, fresh)) {
        let sent = stream.deliver_own(now, place, step, &packet);
        if let Some((trace, to)) = trace.as_deref_mut().zip(sent) {
            trace.sent(now, to, &packet);
        }
    }
    stream.mode = Mode::Mixed(seated);
}

/// What was said in a mix, to the peer of the stream in `slot`, and to the one that it is bridged with.
fn whisper(streams: &mut Slab<Stream>, slot: usize, id: MixId, said: &[i16; TICK]) {
    let Some(stream) = streams.get_mut(slot) else { return };
    let partner = match &stream.mode {
        Mode::Bridged { partner, .. } => Some(*partner),
        _ => None,
    };
    let Some(taps) = &mut stream.taps else { return };
    let Some(ear) = taps.ear(id) else { return };
    let (laws, whispers) = (ear.plan.laws.clone(), ear.plan.whispers);
    let partner = partner.filter(|_| ear.plan.barges);
    let before = std::mem::replace(&mut ear.barged, partner);
    if whispers {
        taps.whisper(id, &laws, said);
    }
    if let Some(left) = before.filter(|_| before != partner) {
        hush(streams, left, id);
    }
    if let Some(other) = partner.and_then(|partner| streams.get_mut(partner)) {
        other.taps.get_or_insert_default().whisper(id, &laws, said);
    }
}
