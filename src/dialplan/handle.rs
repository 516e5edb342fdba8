//! Handle through which a dialplan application sends requests to the switch and awaits replies.

use super::request::{AppReply, AppRequest, ChannelId, Interrupted, Tone};
use super::state::State;
use crate::event::Level;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What interpreter, application and switch share. Never borrowed across a poll.
#[derive(Debug)]
pub(super) struct Slot {
    /// Made by the application, not yet taken by the switch.
    pub(super) ask: Option<AppRequest>,
    /// An application waits for a reply.
    pub(super) waiting: bool,
    /// The switch's reply.
    pub(super) answer: Option<AppReply>,
    /// Once set, it stays, and ends every request that has no reply.
    pub(super) ended: Option<Interrupted>,
    /// Variables, caller ID, log: what applications and interpreter share.
    pub(super) state: State,
}

impl Slot {
    pub(super) fn new(state: State) -> Slot {
        Slot { ask: None, waiting: false, answer: None, ended: None, state }
    }

    /// Whether polling the application would make progress.
    pub(super) fn can_continue(&self) -> bool {
        !self.waiting || self.answer.is_some() || self.ended.is_some()
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

    /// Sends the switch a request and waits for its reply. Nothing else in the dialplan waits.
    ///
    /// # Errors
    /// The channel was hung up or redirected: unwind with `?`.
    pub async fn ask(&mut self, ask: AppRequest) -> Result<AppReply, Interrupted> {
        Pending { slot: &self.slot, ask: Some(ask), sent: false }.await
    }

    /// Waits.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn wait(&mut self, time: Duration) -> Result<(), Interrupted> {
        self.ask(AppRequest::Wait(time)).await.map(|_| ())
    }

    /// Indicates the state of the call to the caller.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn indicate(&mut self, tone: Tone) -> Result<(), Interrupted> {
        let reply = self.ask(AppRequest::Indicate(tone)).await?;
        self.log_failure(reply);
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
            other => self.log_failure(other),
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

    fn log_failure(&self, reply: AppReply) {
        if let AppReply::Failed(why) = reply {
            self.log(Level::Warning, why);
        }
    }
}

/// A request under way.
struct Pending<'a> {
    slot: &'a RefCell<Slot>,
    ask: Option<AppRequest>,
    sent: bool,
}

impl Future for Pending<'_> {
    type Output = Result<AppReply, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = &mut *self;
        let mut slot = pending.slot.borrow_mut();
        if pending.sent {
            if let Some(reply) = slot.answer.take() {
                pending.sent = false;
                slot.waiting = false;
                return Poll::Ready(Ok(reply));
            }
            if let Some(ended) = slot.ended.clone() {
                pending.sent = false;
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
        pending.sent = true;
        Poll::Pending
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.sent
            && let Ok(mut slot) = self.slot.try_borrow_mut()
        {
            slot.ask = None;
            slot.answer = None;
            slot.waiting = false;
        }
    }
}
