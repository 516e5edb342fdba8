//! What an application holds of its channel: a desk on which it lays its questions and finds the answers.

use super::request::{AppReply, AppRequest, ChannelId, Interrupted, Level, Tone};
use super::state::State;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What interpreter, application and switch share. Never borrowed across a poll.
#[derive(Debug)]
pub(super) struct Slot {
    /// Laid down by the application, not yet taken by the switch.
    pub(super) ask: Option<AppRequest>,
    /// An application waits for an answer.
    pub(super) waiting: bool,
    /// The switch's answer.
    pub(super) answer: Option<AppReply>,
    /// The latch: once set, every ask without an answer ends with it.
    pub(super) ended: Option<Interrupted>,
    /// Variables, caller ID, log: what applications and interpreter both reach.
    pub(super) state: State,
}

impl Slot {
    pub(super) fn new(state: State) -> Slot {
        Slot { ask: None, waiting: false, answer: None, ended: None, state }
    }

    /// Whether polling the application would get it any further.
    pub(super) fn can_go_on(&self) -> bool {
        !self.waiting || self.answer.is_some() || self.ended.is_some()
    }
}

/// An application's end of the desk.
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

    /// Asks the switch and waits for its answer. The only thing in the dialplan that waits.
    ///
    /// # Errors
    /// The channel was hung up or redirected: unwind with `?`.
    pub async fn ask(&mut self, ask: AppRequest) -> Result<AppReply, Interrupted> {
        Pending { slot: &self.slot, ask: Some(ask), laid: false }.await
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn wait(&mut self, time: Duration) -> Result<(), Interrupted> {
        self.ask(AppRequest::Wait(time)).await.map(|_| ())
    }

    /// Shows the caller how the call stands.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn indicate(&mut self, tone: Tone) -> Result<(), Interrupted> {
        let reply = self.ask(AppRequest::Indicate(tone)).await?;
        self.complain(reply);
        Ok(())
    }

    /// Answers the channel unless it is answered already.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn answer(&mut self) -> Result<(), Interrupted> {
        if self.is_answered() {
            return Ok(());
        }
        match self.ask(AppRequest::Answer).await? {
            AppReply::Done => self.with_state(|state| state.answered = true),
            other => self.complain(other),
        }
        Ok(())
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

    fn complain(&self, reply: AppReply) {
        if let AppReply::Failed(why) = reply {
            self.log(Level::Warning, why);
        }
    }
}

/// One question on its way.
struct Pending<'a> {
    slot: &'a RefCell<Slot>,
    ask: Option<AppRequest>,
    laid: bool,
}

impl Future for Pending<'_> {
    type Output = Result<AppReply, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = &mut *self;
        let mut slot = pending.slot.borrow_mut();
        if pending.laid {
            if let Some(reply) = slot.answer.take() {
                pending.laid = false;
                slot.waiting = false;
                return Poll::Ready(Ok(reply));
            }
            if let Some(ended) = slot.ended.clone() {
                pending.laid = false;
                slot.ask = None;
                slot.waiting = false;
                return Poll::Ready(Err(ended));
            }
            return Poll::Pending;
        }
        if let Some(ended) = slot.ended.clone() {
            return Poll::Ready(Err(ended));
        }
        slot.ask = pending.ask.take();
        slot.answer = None;
        slot.waiting = true;
        pending.laid = true;
        Poll::Pending
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.laid
            && let Ok(mut slot) = self.slot.try_borrow_mut()
        {
            slot.ask = None;
            slot.answer = None;
            slot.waiting = false;
        }
    }
}
