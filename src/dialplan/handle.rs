//! Handle through which a dialplan application sends requests to the switch and awaits replies.

use super::ask::{
    Answer, Ask, CheckPin, Dial, Digit, Echo, HangUp, Indicate, LineStates, Music, Originate, Play, PlayFrom,
    PlaySound, PlayTone, Record, SendDigits, SetDtmfMode, Tap, Transfer, Wait,
};
use super::chore::{Chore, ChoreReply, Chores};
use super::digits::Digits;
use super::originate::{OriginateRequest, OriginateStatus};
use super::outside::{OutsideReply, OutsideRequest};
use super::recording::{RecordReply, RecordRequest, TapRequest, Tapped};
use super::request::{
    AppReply, AppRequest, Cause, ChannelId, DialReport, DialRequest, DialTarget, HangUpRequest, Interrupted,
    PinRequest, PinVerdict, PlayRequest, Played, PlayedFrom, SendDigitsRequest, Tone,
};
use super::state::State;
use crate::audio::sound::Sound;
use crate::clock::Wall;
use crate::datetime::zones::TimeZone;
use crate::event::Level;
use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What interpreter, application and switch share. Never borrowed across a poll.
#[derive(Debug)]
pub(super) struct Slot {
    /// Made by the application, not yet taken by the switch.
    pub(super) request: Option<AppRequest>,
    /// An application waits, and this says whether a reply belongs to its request.
    expects: Option<fn(&AppReply) -> bool>,
    /// The pending request goes on after a hang-up.
    outlives_hangup: bool,
    /// The switch's reply.
    reply: Option<AppReply>,
    /// What the application has its own program do.
    pub(super) chores: Chores,
    /// Once set, it stays, and ends every request that has no reply.
    pub(super) ended: Option<Interrupted>,
    /// Variables, caller ID, log: what applications and interpreter share.
    pub(super) state: State,
}

impl Slot {
    pub(super) fn new(state: State) -> Slot {
        Slot {
            request: None,
            expects: None,
            outlives_hangup: false,
            reply: None,
            chores: Chores::default(),
            ended: None,
            state,
        }
    }

    /// Whether polling the application would make progress.
    pub(super) fn can_continue(&self) -> bool {
        self.expects.is_none() || self.reply.is_some() || self.interrupts(self.outlives_hangup).is_some()
    }

    /// What ends a request now.
    fn interrupts(&self, outlives_hangup: bool) -> Option<&Interrupted> {
        self.ended.as_ref().filter(|ended| !(outlives_hangup && matches!(ended, Interrupted::Hangup(_))))
    }

    /// Keeps the switch's reply to the pending request. One to a request of another kind gets no further than here.
    pub(super) fn put_reply(&mut self, reply: AppReply) {
        let Some(belongs) = self.expects.filter(|_| self.reply.is_none()) else { return };
        if self.interrupts(self.outlives_hangup).is_some() {
            return;
        }
        if belongs(&reply) {
            self.reply = Some(reply);
        } else {
            self.state.warn(format!("Dropped a reply to another request than the pending one: {reply:?}"));
        }
    }

    /// Forgets the pending request and its reply.
    pub(super) fn clear(&mut self) {
        self.request = None;
        self.expects = None;
        self.outlives_hangup = false;
        self.reply = None;
        self.chores = Chores::default();
    }

    /// Whether there is neither a request nor a reply.
    #[cfg(test)]
    pub(super) fn is_clear(&self) -> bool {
        self.request.is_none() && self.expects.is_none() && self.reply.is_none()
    }
}

/// A channel, as an application has it.
pub struct ChannelHandle {
    id: ChannelId,
    slot: Rc<RefCell<Slot>>,
}

impl ChannelHandle {
    pub(super) fn new(id: ChannelId, slot: Rc<RefCell<Slot>>) -> ChannelHandle {
        ChannelHandle { id, slot }
    }

    /// The channel the application runs on.
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// Waits.
    ///
    /// # Errors
    /// The channel was hung up or redirected: unwind with `?`.
    pub async fn wait(&mut self, time: Duration) -> Result<(), Interrupted> {
        self.ask(Wait(time)).await
    }

    /// Answers the channel unless it is answered already. Why it could not be done is logged.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn answer(&mut self) -> Result<(), Interrupted> {
        if self.is_answered() {
            return Ok(());
        }
        match self.ask(Answer).await? {
            Ok(()) => self.with_state(|state| state.answered = true),
            Err(why) => self.log(Level::Warning, why),
        }
        Ok(())
    }

    /// Indicates the state of the call to the caller. Why it could not be done is logged.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn indicate(&mut self, tone: Tone) -> Result<(), Interrupted> {
        if let Err(why) = self.ask(Indicate(tone)).await? {
            self.log(Level::Warning, why);
        }
        Ok(())
    }

    /// Records the caller until something ends it.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn record(&mut self, request: RecordRequest) -> Result<RecordReply, Interrupted> {
        self.ask(Record(request)).await
    }

    /// Begins or ends a recording beside the call, and goes on at once. Why it could not be done is returned.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn tap(&mut self, request: TapRequest) -> Result<Result<Tapped, String>, Interrupted> {
        self.ask(Tap(request)).await
    }

    /// Plays a tone, by its name (`dial`, `busy`) or as a list of tones (`425/500,0/500`), and goes on at once: it sounds
    /// until another sound, a bridge or `stop_tone`. Why it could not be done is returned.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn tone(&mut self, tone: &str) -> Result<Result<(), String>, Interrupted> {
        self.ask(PlayTone(Some(tone.to_owned()))).await
    }

    /// Stops a tone.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn stop_tone(&mut self) -> Result<(), Interrupted> {
        self.ask(PlayTone(None)).await.map(|_| ())
    }

    /// Plays music on hold of that class, or of the channel's own for an empty one, and goes on at once: it goes on until
    /// another sound, a bridge or `stop_music`. Why it could not be done is logged, with the application's name; false.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn music(&mut self, class: &str, application: &str) -> Result<bool, Interrupted> {
        let class = match class.is_empty() {
            true => self.with_state(|state| state.music_class.clone()),
            false => class.to_owned(),
        };
        let played = self.ask(Music(Some(class))).await?;
        Ok(played.map_err(|why| self.log(Level::Warning, format!("{application}: {why}"))).is_ok())
    }

    /// Stops music on hold.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn stop_music(&mut self) -> Result<(), Interrupted> {
        self.ask(Music(None)).await.map(|_| ())
    }

    /// Plays sounds in order, by name without extension.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn play(&mut self, sounds: Vec<String>) -> Result<Played, Interrupted> {
        self.play_until(sounds, Digits::NONE).await
    }

    /// The same, until one of these digits comes; one that came since the last wait and was not taken counts, too.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn play_until(&mut self, sounds: Vec<String>, stop_on: Digits) -> Result<Played, Interrupted> {
        let language = self.language();
        self.play_as(PlayRequest { sounds, stop_on, language }).await
    }

    /// The same, all of it as the request says.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn play_as(&mut self, mut request: PlayRequest) -> Result<Played, Interrupted> {
        let first = request.sounds.first().cloned().unwrap_or_default();
        request.sounds = self.with_state(|state| state.without_foreign_paths(request.sounds));
        if request.sounds.is_empty() && !first.is_empty() {
            return Ok(Played::Missing(first));
        }
        self.ask(Play(request)).await
    }

    /// The same, from there on; says where it ended, too.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn play_from(
        &mut self,
        sounds: Vec<String>,
        stop_on: Digits,
        from: Duration,
    ) -> Result<PlayedFrom, Interrupted> {
        let language = self.language();
        let sounds = self.with_state(|state| state.without_foreign_paths(sounds));
        self.ask(PlayFrom(PlayRequest { sounds, stop_on, language }, from)).await
    }

    /// Plays this sound until it ends or one of these digits comes, as `play_until`.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn play_sound(&mut self, sound: Sound, stop_on: Digits) -> Result<Played, Interrupted> {
        self.ask(PlaySound(sound, stop_on)).await
    }

    /// Waits for a digit, at most so long; one that came since the last wait and was not taken is it. `None`: none came.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn digit(&mut self, timeout: Duration) -> Result<Option<char>, Interrupted> {
        self.ask(Digit(timeout)).await
    }

    /// Sends a telephone digits, and waits until all are sent. Why they could not be is in the result.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn send_digits(&mut self, request: SendDigitsRequest) -> Result<Result<(), String>, Interrupted> {
        self.ask(SendDigits(request)).await
    }

    /// Sends the telephone elsewhere; whether it arrived there, or why it cannot be asked.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn transfer(&mut self, to: &str) -> Result<Result<bool, String>, Interrupted> {
        self.ask(Transfer(to.to_owned())).await
    }

    /// Has the channel's digits go and come so from now on. Why that could not be is in the result.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn set_dtmf_mode(&mut self, mode: &str) -> Result<Result<(), String>, Interrupted> {
        self.ask(SetDtmfMode(mode.to_owned())).await
    }

    /// Has a PIN looked at that the caller typed.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn pin(&mut self, request: PinRequest) -> Result<PinVerdict, Interrupted> {
        self.ask(CheckPin(request)).await
    }

    /// Calls peers, connects the first that answers, and waits until that call has ended.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn dial(&mut self, request: DialRequest) -> Result<DialReport, Interrupted> {
        self.ask(Dial(request)).await
    }

    /// Begins another call, and waits until it is known how that went if the request says so.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn originate(&mut self, request: OriginateRequest) -> Result<OriginateStatus, Interrupted> {
        self.ask(Originate(Box::new(request))).await
    }

    /// The states of lines, in their order (`AppReply::LineStates`).
    ///
    /// # Errors
    /// As `wait`.
    pub async fn line_states(&mut self, lines: Vec<DialTarget>) -> Result<Vec<u8>, Interrupted> {
        self.ask(LineStates(lines)).await
    }

    /// Hangs up another channel, or this one, and says how many.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn hang_up(&mut self, request: HangUpRequest) -> Result<usize, Interrupted> {
        self.ask(HangUp(request)).await
    }

    /// Sends the caller's audio back until the channel is hung up.
    ///
    /// # Errors
    /// As `wait`.
    pub async fn echo(&mut self) -> Result<(), Interrupted> {
        self.ask(Echo).await
    }

    /// Has something done outside of the switch, also on a channel that is hung up, and waits for what comes of it.
    ///
    /// # Errors
    /// The channel was redirected: unwind with `?`.
    pub async fn outside(&mut self, request: OutsideRequest) -> Result<OutsideReply, Interrupted> {
        self.ask(request).await
    }

    /// Has the program do something on the spot, also on a channel that is hung up.
    pub(super) async fn chore(&mut self, chore: Chore) -> ChoreReply {
        self.slot.borrow_mut().chores.wanted = Some(chore);
        std::future::poll_fn(|_| {
            let reply = self.slot.borrow_mut().chores.reply.take();
            reply.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// The same channel, for an application that runs within another one.
    pub(super) fn again(&self) -> ChannelHandle {
        ChannelHandle { id: self.id, slot: Rc::clone(&self.slot) }
    }

    /// Why the channel is hung up, when it is.
    pub fn hung_up(&self) -> Option<Cause> {
        match self.slot.borrow().ended {
            Some(Interrupted::Hangup(cause)) => Some(cause),
            Some(Interrupted::Redirect(_)) | None => None,
        }
    }

    /// The channel is to be hung up: every request from now on ends at once. The first cause stays.
    pub(super) fn end(&self, cause: Cause) {
        self.slot.borrow_mut().ended.get_or_insert(Interrupted::Hangup(cause));
    }

    /// `CHANNEL(language)`: what is spoken to the channel, `en`; empty: the exchange's own.
    pub fn language(&self) -> String {
        self.slot.borrow().state.language.clone()
    }

    /// What the wall clock reads.
    pub fn wall(&self) -> Wall {
        self.slot.borrow().state.now.wall
    }

    /// The time zone of that name, the machine's for an empty one. An unknown name is logged, with the application's
    /// name first, and the machine's zone counts.
    pub fn zone(&self, name: &str, application: &str) -> TimeZone {
        self.with_state(|state| state.zone(name, application))
    }

    /// Whether the channel is answered.
    pub fn is_answered(&self) -> bool {
        self.slot.borrow().state.answered
    }

    /// A channel variable's value; empty when it is not set.
    pub fn variable(&self, name: &str) -> String {
        self.slot.borrow().state.variable(name).unwrap_or_default()
    }

    /// Sets a channel variable.
    pub fn set_variable(&self, name: &str, value: &str) {
        self.with_state(|state| state.set_variable(name, value));
    }

    /// Writes a line to the log.
    pub fn log(&self, level: Level, text: String) {
        self.with_state(|state| state.log(level, text));
    }

    /// Looks at or changes what interpreter and application share.
    pub(super) fn with_state<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.slot.borrow_mut().state)
    }

    /// Sends the switch a request and waits for its reply. Nothing else in the dialplan waits.
    pub(super) async fn ask<A: Ask>(&mut self, ask: A) -> Result<A::Reply, Interrupted> {
        Pending::<A> { slot: &self.slot, request: Some(ask.into_request()), sent: false, reply: PhantomData }.await
    }
}

/// A request under way.
struct Pending<'a, A: Ask> {
    slot: &'a RefCell<Slot>,
    request: Option<AppRequest>,
    sent: bool,
    reply: PhantomData<fn() -> A::Reply>,
}

impl<A: Ask> Future for Pending<'_, A> {
    type Output = Result<A::Reply, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = &mut *self;
        let mut slot = pending.slot.borrow_mut();
        if pending.sent {
            let reply = slot.reply.as_ref().and_then(A::reply).cloned();
            let result = reply.map(Ok).or_else(|| slot.interrupts(A::OUTLIVES_HANGUP).cloned().map(Err));
            let Some(result) = result else { return Poll::Pending };
            pending.sent = false;
            slot.clear();
            return Poll::Ready(result);
        }
        if let Some(ended) = slot.interrupts(A::OUTLIVES_HANGUP).cloned() {
            return Poll::Ready(Err(ended));
        }
        slot.outlives_hangup = A::OUTLIVES_HANGUP;
        slot.request = pending.request.take();
        slot.expects = Some(|reply| A::reply(reply).is_some());
        slot.reply = None;
        pending.sent = true;
        Poll::Pending
    }
}

impl<A: Ask> Drop for Pending<'_, A> {
    fn drop(&mut self) {
        if self.sent
            && let Ok(mut slot) = self.slot.try_borrow_mut()
        {
            slot.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::dial_options::DialOptions;
    use crate::dialplan::request::{DialStatus, Position};
    use crate::dialplan::state::CallerId;
    use std::task::Waker;

    fn channel() -> (Rc<RefCell<Slot>>, ChannelHandle) {
        let state = State::new("SIP/a-00000000", Position::new("a", "s", 1), CallerId::default());
        let slot = Rc::new(RefCell::new(Slot::new(state)));
        (Rc::clone(&slot), ChannelHandle::new(ChannelId(1), slot))
    }

    fn polled<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Has the future make its request, gives the reply, and returns both the request and the result.
    fn asked<F: Future>(slot: &RefCell<Slot>, future: F, reply: AppReply) -> (AppRequest, F::Output) {
        let mut future = Box::pin(future);
        assert!(polled(&mut future).is_pending());
        let request = slot.borrow_mut().request.take().unwrap();
        assert!(polled(&mut future).is_pending(), "no reply yet");
        slot.borrow_mut().put_reply(reply);
        let Poll::Ready(result) = polled(&mut future) else { panic!("{request:?} got no reply") };
        assert!(slot.borrow().is_clear(), "{:?}", slot.borrow());
        (request, result)
    }

    fn report() -> DialReport {
        DialReport {
            status: DialStatus::Busy,
            dialed: Duration::from_secs(3),
            answered: Duration::ZERO,
            peer_name: String::new(),
            peer_number: String::new(),
            hangup_cause: 17,
            callee_hung_up: false,
            reason: "busy".to_owned(),
            lines: Vec::new(),
        }
    }

    fn log(slot: &RefCell<Slot>) -> Vec<String> {
        slot.borrow_mut().state.take_log().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn every_verb_gets_the_reply_to_it() {
        let (slot, mut channel) = channel();
        let second = Duration::from_secs(1);
        assert_eq!(asked(&slot, channel.wait(second), AppReply::Waited), (AppRequest::Wait(second), Ok(())));
        let ringing = asked(&slot, channel.indicate(Tone::Ringing), AppReply::Indicated(Ok(())));
        assert_eq!(ringing, (AppRequest::Indicate(Tone::Ringing), Ok(())));
        let sounds = vec!["a".to_owned(), "b".to_owned()];
        for played in [Played::All, Played::Missing("b".to_owned()), Played::Failed("no port".to_owned())] {
            let (request, result) = asked(&slot, channel.play(sounds.clone()), AppReply::Played(played.clone()));
            let play = PlayRequest { sounds: sounds.clone(), ..PlayRequest::default() };
            assert_eq!((request, result), (AppRequest::Play(play), Ok(played)));
        }
        let none = AppReply::PlaysTone(Ok(()));
        let busy = AppRequest::PlayTone(Some("busy".to_owned()));
        assert_eq!(asked(&slot, channel.tone("busy"), none.clone()), (busy, Ok(Ok(()))));
        assert_eq!(asked(&slot, channel.stop_tone(), none), (AppRequest::PlayTone(None), Ok(())));
        let (request, result) = asked(&slot, channel.digit(second), AppReply::Digit(Some('5')));
        assert_eq!((request, result), (AppRequest::Digit(second), Ok(Some('5'))));
        let dial = DialRequest {
            targets: Vec::new(),
            timeout: None,
            options: DialOptions::default(),
            located: Default::default(),
        };
        let (request, result) = asked(&slot, channel.dial(dial.clone()), AppReply::Dialed(report()));
        assert_eq!((request, result), (AppRequest::Dial(dial), Ok(report())));
        assert_eq!(asked(&slot, channel.echo(), AppReply::Echoed), (AppRequest::Echo, Ok(())));
        assert!(log(&slot).is_empty());
    }

    #[test]
    fn an_answer_that_fails_is_logged_and_the_channel_stays_unanswered() {
        let (slot, mut channel) = channel();
        let failed = asked(&slot, channel.answer(), AppReply::Answered(Err("no codec".to_owned())));
        assert_eq!(failed, (AppRequest::Answer, Ok(())));
        assert!(!channel.is_answered());
        assert_eq!(log(&slot), ["no codec"]);
        assert_eq!(asked(&slot, channel.answer(), AppReply::Answered(Ok(()))), (AppRequest::Answer, Ok(())));
        assert!(channel.is_answered());
        assert_eq!(polled(&mut Box::pin(channel.answer())), Poll::Ready(Ok(())), "an answered channel asks nothing");
        assert!(slot.borrow().is_clear());
    }

    #[test]
    fn a_reply_to_another_kind_of_request_does_not_reach_the_application() {
        let (slot, mut channel) = channel();
        let mut play = Box::pin(channel.play(vec!["a".to_owned()]));
        assert!(polled(&mut play).is_pending());
        let others = [
            AppReply::Waited,
            AppReply::Digit(None),
            AppReply::Answered(Ok(())),
            AppReply::Indicated(Ok(())),
            AppReply::PlaysTone(Ok(())),
            AppReply::Dialed(report()),
            AppReply::Echoed,
        ];
        for other in others {
            slot.borrow_mut().put_reply(other.clone());
            assert!(!slot.borrow().can_continue() && polled(&mut play).is_pending(), "{other:?}");
            assert_eq!(log(&slot), [format!("Dropped a reply to another request than the pending one: {other:?}")]);
        }
        slot.borrow_mut().put_reply(AppReply::Played(Played::All));
        assert_eq!(polled(&mut play), Poll::Ready(Ok(Played::All)));
    }

    #[test]
    fn a_hangup_ends_the_pending_request_and_every_later_one() {
        let (slot, mut channel) = channel();
        let hangup = Interrupted::Hangup(Cause::NORMAL);
        let mut wait = Box::pin(channel.wait(Duration::from_secs(1)));
        assert!(polled(&mut wait).is_pending());
        slot.borrow_mut().ended = Some(hangup.clone());
        slot.borrow_mut().put_reply(AppReply::Waited);
        assert_eq!(polled(&mut wait), Poll::Ready(Err(hangup.clone())), "a reply after the hang-up is too late");
        drop(wait);
        assert!(slot.borrow().is_clear());
        assert_eq!(polled(&mut Box::pin(channel.echo())), Poll::Ready(Err(hangup)));
        assert!(slot.borrow().is_clear());
    }

    #[test]
    fn a_reply_before_the_hangup_counts() {
        let (slot, mut channel) = channel();
        let mut wait = Box::pin(channel.wait(Duration::from_secs(1)));
        assert!(polled(&mut wait).is_pending());
        slot.borrow_mut().put_reply(AppReply::Waited);
        slot.borrow_mut().ended = Some(Interrupted::Hangup(Cause::NORMAL));
        assert_eq!(polled(&mut wait), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_dropped_request_leaves_nothing() {
        let (slot, mut channel) = channel();
        let mut wait = Box::pin(channel.wait(Duration::from_secs(1)));
        assert!(polled(&mut wait).is_pending());
        assert!(!slot.borrow().is_clear());
        drop(wait);
        assert!(slot.borrow().is_clear());
        slot.borrow_mut().put_reply(AppReply::Waited);
        assert!(slot.borrow().is_clear(), "nobody waits for it");
        assert!(log(&slot).is_empty());
        assert_eq!(Rc::strong_count(&slot), 2);
    }
}
