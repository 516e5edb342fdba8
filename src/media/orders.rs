//! The media thread carries out what it is asked.

use super::digit_sender::Press;
use super::fan_out;
use super::inbox::Order;
use super::mixer;
use super::player::Request;
use super::recorder::Recorder;
use super::stream::Mode;
use super::worker::{SEVERAL, Worker};
use crate::clock::Time;
use crate::pbx::media::{MediaCommand, MediaEvent, StreamId};
use crate::pbx::mixing::{FeedPlan, MixId, Seat, SpyPlan};
use crate::pbx::recording::{RecordPlan, Recorded, RecordingId};
use std::sync::Arc;

impl Worker {
    /// Carries out what is in the inbox; false: stop.
    pub(super) fn orders(&mut self) -> bool {
        self.wakeup.clear();
        while let Some(order) = self.inbox.take() {
            match order {
                Order::Command(command) => self.command(*command),
                Order::Report(event) => self.pass_on(event),
                Order::Trace(trace) => self.trace = trace,
                Order::Addresses(own) => self.own = own,
                Order::Look(id, answer) => drop(answer.try_send(self.stream(id).map(|stream| stream.look()))),
                Order::Opened(opened) => self.ports.stock(*opened, self.streams.len() >= SEVERAL),
                Order::Ports(range, dscp) => self.ports.change(range, dscp, &mut self.rng),
                Order::Stop => return false,
            }
        }
        true
    }

    fn command(&mut self, command: MediaCommand) {
        let now = self.now();
        match command {
            MediaCommand::Reserve { stream, local, kind } => self.reserve(stream, local, kind),
            MediaCommand::Remote { stream, remote } => {
                let remote = self.fit(stream, remote);
                if let Some(found) = self.stream(stream) {
                    found.set_remote(now, remote);
                    self.begin_listening(now, stream);
                }
            }
            MediaCommand::Watch { stream, limit, keepalive } => self.watch(stream, limit, keepalive),
            MediaCommand::Bridge { a, b, a_to_b, b_to_a } => {
                self.bridge(a, &a_to_b, b, &b_to_a);
                self.begin_listening(now, a);
                self.begin_listening(now, b);
            }
            MediaCommand::Echo { stream } => {
                self.rest(stream);
                if let Some(found) = self.stream(stream) {
                    found.mode = Mode::Echo;
                    self.begin_listening(now, stream);
                }
            }
            MediaCommand::Play { stream, play, sounds, skip, repeat, payload_type, ptime_ms } => {
                self.rest(stream);
                self.begin(now, stream, Request { play, sounds, skip, repeat, again: 0, payload_type, ptime_ms });
                self.begin_listening(now, stream);
            }
            MediaCommand::Tone { stream, play, sound, again, payload_type, ptime_ms } => {
                self.rest(stream);
                self.begin(now, stream, Request::tone(play, &sound, again, (payload_type, ptime_ms)));
                self.begin_listening(now, stream);
            }
            MediaCommand::Recode { stream, from, to, ptime_ms } => {
                if let Some(Mode::Playing(playing)) = self.stream(stream).map(|found| &mut found.mode) {
                    playing.recode(from, to, ptime_ms);
                }
            }
            MediaCommand::Listen { stream, listening } => {
                if let Some(found) = self.stream(stream) {
                    found.digits.get_or_insert_default().listen(listening);
                }
            }
            MediaCommand::SendDigit { stream, digit, duration, form } => {
                self.send_digit(stream, Press { digit, duration, form });
            }
            MediaCommand::Record { stream, recording, plan } => self.record(now, stream, recording, plan),
            MediaCommand::PauseRecording { stream, recording, paused } => {
                if let Some(found) = self.stream(stream) {
                    let is_bridged = matches!(found.mode, Mode::Bridged { .. });
                    found.taps.iter_mut().for_each(|taps| taps.pause(recording, now, paused, is_bridged));
                }
            }
            MediaCommand::RenameRecording { stream, recording, base } => {
                let taps = self.stream(stream).and_then(|found| found.taps.as_ref());
                taps.into_iter().for_each(|taps| taps.rename(recording, &base));
            }
            MediaCommand::StopRecording { stream, recording } => {
                let taps = self.stream(stream).and_then(|found| found.taps.as_mut());
                taps.into_iter().for_each(|taps| taps.close(now, Some(recording)));
            }
            MediaCommand::Feed { stream, source, plan } => self.feed(now, stream, source, *plan),
            MediaCommand::Mix { stream, mix, seat } => self.mix_in(now, stream, mix, *seat),
            MediaCommand::Spy { stream, mix, plan } => self.spy(now, stream, mix, *plan),
            MediaCommand::StopSpying { stream, mix } => {
                if let Some(slot) = self.slots.get(&stream) {
                    mixer::stop_spying(&mut self.streams, *slot, mix);
                }
            }
            MediaCommand::Idle { stream } => self.rest(stream),
            MediaCommand::Count { stream } => {
                if let Some(report) = self.stream(stream).map(|stream| Box::new(stream.report())) {
                    (self.events)(MediaEvent::Counted { stream, report });
                }
            }
            MediaCommand::Release { stream } => self.release(stream),
        }
    }

    fn record(&mut self, now: Time, id: StreamId, recording: RecordingId, plan: Box<RecordPlan>) {
        if self.recorder.is_none() {
            self.recorder = Recorder::start(self.started, self.orders.clone(), Arc::clone(&self.wakeup)).ok();
        }
        let queue = self.recorder.as_ref().and_then(Recorder::queue);
        let Some((stream, queue)) = self.stream(id).zip(queue) else {
            let recorded = Recorded::failed(&plan, "the media thread cannot record it".to_owned());
            return (self.events)(MediaEvent::Recorded { stream: id, recording, recorded: Box::new(recorded) });
        };
        let only_bridged = plan.only_bridged;
        let paused = only_bridged && !matches!(stream.mode, Mode::Bridged { .. });
        queue.open(id, (recording, plan), now, paused);
        stream.taps.get_or_insert_default().add(queue, recording, only_bridged);
    }

    /// What the recorder reports is the end of a recording.
    fn pass_on(&mut self, event: MediaEvent) {
        if let MediaEvent::Recorded { stream, recording, .. } = &event
            && let Some(stream) = self.stream(*stream)
            && let Some(taps) = &mut stream.taps
        {
            taps.forget(*recording);
            if taps.is_empty() {
                stream.taps = None;
            }
        }
        (self.events)(event);
    }

    /// A stream listens to another one, which feeds it beside others that it feeds already.
    fn feed(&mut self, now: Time, id: StreamId, source: StreamId, plan: FeedPlan) {
        self.rest(id);
        if self.stream(source).is_some_and(|source| !matches!(source.mode, Mode::Feeding(_))) {
            self.rest(source);
        }
        let (Some(slot), Some(from)) = (self.slots.get(&id).copied(), self.slots.get(&source).copied()) else { return };
        if fan_out::begin(&mut self.streams, slot, from, plan) {
            self.begin_listening(now, id);
            self.begin_listening(now, source);
        }
    }

    fn mix_in(&mut self, now: Time, id: StreamId, mix: MixId, seat: Seat) {
        if let Some(Mode::Mixed(seated)) = self.stream(id).map(|stream| &mut stream.mode)
            && seated.mix == mix
        {
            return seated.change(seat);
        }
        self.rest(id);
        let Some(slot) = self.slots.get(&id).copied() else { return };
        let Some(stream) = self.streams.get_mut(slot) else { return };
        if self.mixes.join(now, slot, stream, (mix, seat)) {
            self.begin_listening(now, id);
        }
    }

    fn spy(&mut self, now: Time, id: StreamId, mix: MixId, plan: SpyPlan) {
        let Some(slot) = self.slots.get(&id).copied() else { return };
        if let Some(stream) = self.streams.get_mut(slot) {
            self.mixes.spy(now, slot, stream, (mix, plan));
        }
    }

    /// What a stream shared with others ends for it; those that it fed are idle, too.
    pub(super) fn part(&mut self, id: StreamId, mode: Mode) {
        let Some(slot) = self.slots.get(&id).copied() else { return };
        match mode {
            Mode::Feeding(feeding) => fan_out::end(&mut self.streams, slot, &feeding),
            Mode::Fed { source } => fan_out::leave(&mut self.streams, slot, source),
            Mode::Mixed(seated) => self.mixes.leave(seated.mix, slot),
            Mode::Idle | Mode::Echo | Mode::Playing(_) | Mode::Bridged { .. } => {}
        }
    }
}
