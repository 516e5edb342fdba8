//! Applications that run, and those that wait: for an answer from outside before they begin, and for the `Return` of a
//! subroutine that they called.

use super::app::{App, Body, Outcome};
use super::chore::{self, Chore, ChoreReply, Performed};
use super::environment::Environment;
use super::handle::{ChannelHandle, Slot};
use super::journal::Journal;
use super::jumps;
use super::outside::{OutsideReply, OutsideRequest};
use super::tree::Priority;
use std::cell::RefCell;
use std::rc::Rc;

/// Maximum number of applications that wait for subroutines within each other.
const MAX_SUSPENDED: usize = 8;

/// An application that runs.
pub(super) struct Running {
    pub(super) app: &'static App,
    pub(super) args: String,
    pub(super) body: Body,
    /// It has not begun: something in its arguments waits for an answer from outside.
    pub(super) evaluation: Option<Evaluation>,
}

/// Arguments of which something waits.
pub(super) struct Evaluation {
    pub(super) priority: Priority,
    pub(super) journal: Journal,
    pub(super) answer: Rc<RefCell<Option<OutsideReply>>>,
}

impl Running {
    /// An application whose arguments wait for an answer.
    pub(super) fn waiting(
        app: &'static App,
        priority: &Priority,
        journal: Journal,
        wanted: OutsideRequest,
        channel: ChannelHandle,
    ) -> Running {
        let answer = Rc::default();
        let body = ask_outside(channel, wanted, Rc::clone(&answer));
        let evaluation = Some(Evaluation { priority: priority.clone(), journal, answer });
        Running { app, args: priority.args.clone(), body, evaluation }
    }
}

/// Waits for an answer from outside in the place of an application.
fn ask_outside(mut channel: ChannelHandle, request: OutsideRequest, answer: Rc<RefCell<Option<OutsideReply>>>) -> Body {
    Box::pin(async move {
        let reply = channel.outside(request).await?;
        *answer.borrow_mut() = Some(reply);
        Ok(Outcome::Next)
    })
}

/// Applications that wait for subroutines, the latest last, with the number of frames beneath each one's subroutine.
#[derive(Default)]
pub(super) struct Suspensions(Vec<(Running, usize)>);

impl Suspensions {
    /// Does what the running application wants of its program. A subroutine that it calls is run first.
    pub(super) fn perform(
        &mut self,
        chore: Chore,
        running: &mut Option<Running>,
        slot: &mut Slot,
        environment: &dyn Environment,
    ) {
        let (to, args) = match chore::perform(chore, &mut slot.state, environment) {
            Performed::Replied(reply) => {
                slot.chores.reply = Some(reply);
                return;
            }
            Performed::Enters(to, args) => (to, args),
        };
        let (back, depth) = (slot.state.position.clone(), slot.state.frames.len());
        if self.0.len() >= MAX_SUSPENDED || !jumps::push_gosub(&mut slot.state, back, &args) {
            slot.state.warn(format!("Gosub is nested too deep at {}", slot.state.position));
            slot.chores.reply = Some(ChoreReply::Failed);
        } else if let Some(running) = running.take() {
            slot.state.position = to;
            self.0.push((running, depth));
        }
    }

    /// Does a `Return` lead back to an application: are these the frames beneath its subroutine?
    pub(super) fn waits_at(&self, depth: usize) -> bool {
        self.0.last().is_some_and(|(_, waits)| *waits == depth)
    }

    /// The application that waits for the subroutine, which is over: it goes on.
    pub(super) fn leave(&mut self, reply: ChoreReply, slot: &mut Slot) -> Option<Running> {
        let (running, depth) = self.0.pop()?;
        // What the subroutine did not return from is left with it.
        let depth = depth.min(slot.state.frames.len());
        let first = slot.state.frames.drain(depth..).next();
        if let Some(frame) = first {
            slot.state.position = frame.back;
        }
        slot.chores.reply = Some(reply);
        Some(running)
    }

    /// Does none wait?
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// None is waited for any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
