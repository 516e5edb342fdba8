//! What an application holds of its channel: a desk on which it lays its questions and finds the answers.

use super::ask::{Ask, ChannelId, Ended, Level, Reply, Tone};
use super::state::State;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What interpreter, application and switch share. Never borrowed across a poll.
#[derive(Debug)]
pub(super) struct Desk {
    /// Laid down by the application, not yet taken by the switch.
    pub(super) ask: Option<Ask>,
    /// An application waits for an answer.
    pub(super) waiting: bool,
    /// The switch's answer.
    pub(super) answer: Option<Reply>,
    /// The latch: once set, every ask without an answer ends with it.
    pub(super) ended: Option<Ended>,
    /// Variables, caller ID, log: what applications and interpreter both reach.
    pub(super) state: State,
}

impl Desk {
    pub(super) fn new(state: State) -> Desk {
        Desk { ask: None, waiting: false, answer: None, ended: None, state }
    }

    /// Whether polling the application would get it any further.
    pub(super) fn can_go_on(&self) -> bool {
        !self.waiting || self.answer.is_some() || self.ended.is_some()
    }
}

/// An application's end of the desk.
pub struct Line {
    id: ChannelId,
    desk: Rc<RefCell<Desk>>,
}

impl Line {
    pub(super) fn new(id: ChannelId, desk: Rc<RefCell<Desk>>) -> Line {
        Line { id, desk }
    }

    /// The channel the application runs on.
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// Asks the switch and waits for its answer. The only thing in the dialplan that waits.
    ///
    /// # Errors
    /// The channel was hung up or redirected: unwind with `?`.
    pub async fn ask(&mut self, ask: Ask) -> Result<Reply, Ended> {
        Asking { desk: &self.desk, ask: Some(ask), laid: false }.await
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn wait(&mut self, time: Duration) -> Result<(), Ended> {
        self.ask(Ask::Wait(time)).await.map(|_| ())
    }

    /// Shows the caller how the call stands.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn indicate(&mut self, tone: Tone) -> Result<(), Ended> {
        let reply = self.ask(Ask::Indicate(tone)).await?;
        self.complain(reply);
        Ok(())
    }

    /// Answers the channel unless it is answered already.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn answer(&mut self) -> Result<(), Ended> {
        if self.is_answered() {
            return Ok(());
        }
        match self.ask(Ask::Answer).await? {
            Reply::Done => self.with_state(|state| state.answered = true),
            other => self.complain(other),
        }
        Ok(())
    }

    /// Whether the channel is answered.
    pub fn is_answered(&self) -> bool {
        self.desk.borrow().state.answered
    }

    /// A channel variable's value; empty when it is not set.
    pub fn variable(&self, name: &str) -> String {
        self.desk.borrow().state.variable(name).unwrap_or_default()
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
        look(&mut self.desk.borrow_mut().state)
    }

    fn complain(&self, reply: Reply) {
        if let Reply::Failed(why) = reply {
            self.log(Level::Warning, why);
        }
    }
}

/// One question on its way.
struct Asking<'a> {
    desk: &'a RefCell<Desk>,
    ask: Option<Ask>,
    laid: bool,
}

impl Future for Asking<'_> {
    type Output = Result<Reply, Ended>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let asking = &mut *self;
        let mut desk = asking.desk.borrow_mut();
        if asking.laid {
            if let Some(reply) = desk.answer.take() {
                asking.laid = false;
                desk.waiting = false;
                return Poll::Ready(Ok(reply));
            }
            if let Some(ended) = desk.ended.clone() {
                asking.laid = false;
                desk.ask = None;
                desk.waiting = false;
                return Poll::Ready(Err(ended));
            }
            return Poll::Pending;
        }
        if let Some(ended) = desk.ended.clone() {
            return Poll::Ready(Err(ended));
        }
        desk.ask = asking.ask.take();
        desk.answer = None;
        desk.waiting = true;
        asking.laid = true;
        Poll::Pending
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.laid
            && let Ok(mut desk) = self.desk.try_borrow_mut()
        {
            desk.ask = None;
            desk.answer = None;
            desk.waiting = false;
        }
    }
}
