//! The call as a script has it: what its commands are made of.

use crate::dialplan::app::{AppCall, Args, Outcome, Target};
use crate::dialplan::chore::{Chore, ChoreReply};
use crate::dialplan::evaluating;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Applications that may follow from each other in one `EXEC`.
const MAX_IN_TURN: usize = 8;

/// A command under way: the answer, without `200 `.
pub(super) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + 'a>>;

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// `200 result=...`
    Result(String),
    /// It was not written as it should be.
    Usage,
    /// There is no such command here: why, for the log.
    Unknown(String),
}

impl Answer {
    /// A number as the result.
    pub(super) fn number(number: i32) -> Answer {
        Answer::Result(number.to_string())
    }

    /// `1 (value)`.
    pub(super) fn value(value: &str) -> Answer {
        Answer::Result(format!("1 ({value})"))
    }
}

/// What a talk works on.
pub(super) struct Talk {
    /// The call.
    pub(super) channel: ChannelHandle,
    /// What `AGI` was started with.
    pub(super) args: Args,
    /// The channel was hung up before the talk began.
    pub(super) was_dead: bool,
    /// The program was sent somewhere: it goes on there, not behind it.
    pub(super) has_jumped: bool,
}

impl Talk {
    /// Why the channel is hung up, when it is.
    pub(super) fn is_dead(&self) -> bool {
        self.channel.hung_up().is_some()
    }

    /// Replaces every name in a text.
    pub(super) async fn evaluate(&mut self, text: &str) -> Result<String, Interrupted> {
        evaluating::evaluate(&mut self.channel, text).await
    }

    /// Does a chore; true: it is done.
    pub(super) async fn does(&mut self, chore: Chore) -> bool {
        matches!(self.channel.chore(chore).await, ChoreReply::Done)
    }

    /// Milliseconds since some moment.
    pub(super) async fn clock(&mut self) -> u64 {
        evaluating::clock(&mut self.channel).await
    }

    /// The program goes on at this place when the script has ended.
    pub(super) async fn jump(&mut self, place: Target) -> bool {
        let done = self.does(Chore::Jump(place)).await;
        self.has_jumped |= done;
        done
    }

    /// Runs a subroutine; true when it came back.
    pub(super) async fn call(&mut self, target: Target, args: Vec<String>) -> bool {
        self.does(Chore::Call(target, args)).await
    }

    /// Is there such an application?
    pub(super) fn has_app(&self, name: &str) -> bool {
        self.args.app(name).is_some()
    }

    /// Runs an application within this one. `None`: there is none of that name. True: it went well.
    pub(super) async fn exec(&mut self, name: &str, args: &str) -> Result<Option<bool>, Interrupted> {
        let mut next = AppCall { name: name.to_owned(), args: args.to_owned() };
        for _ in 0..MAX_IN_TURN {
            let Some(app) = self.args.app(&next.name) else { return Ok(None) };
            let text = format!("AGI Script Executing Application: ({}) Options: ({})", app.name, outside(&next.args));
            self.channel.log(Level::Verbose(3), text);
            let outcome = (app.run)(self.channel.again(), self.args.again(&next.args)).await?;
            match self.decided(outcome).await {
                Outcome::Exec(call) | Outcome::Try(call) => next = call,
                Outcome::CallThen(target, args, call) if self.call(target.clone(), args.clone()).await => next = call,
                other => return self.conclude(other).await.map(Some),
            }
        }
        Ok(Some(false))
    }

    /// How an application ends that only had something to decide.
    async fn decided(&mut self, outcome: Outcome) -> Outcome {
        let Outcome::Decide(decision, args) = outcome else { return outcome };
        match self.channel.chore(Chore::Decide(decision, args)).await {
            ChoreReply::Decided(outcome) => outcome,
            ChoreReply::Value(_) | ChoreReply::Done | ChoreReply::Failed | ChoreReply::Waits(..) => Outcome::Next,
        }
    }

    /// What follows from how an application ended that ran within this one.
    async fn conclude(&mut self, outcome: Outcome) -> Result<bool, Interrupted> {
        Ok(match outcome {
            Outcome::Next => true,
            Outcome::Set(assignments) => {
                for (name, value) in assignments {
                    self.does(Chore::Assign(name, value)).await;
                }
                true
            }
            Outcome::Jump(target) => self.jump(target).await,
            Outcome::Call(target, args) => self.call(target, args).await,
            Outcome::CallThen(..) => false,
            Outcome::Stop(cause) => {
                self.channel.end(cause);
                false
            }
            // Neither means anything within an application.
            Outcome::Return(_) | Outcome::Exec(_) | Outcome::Try(_) | Outcome::Decide(..) => {
                self.channel.log(Level::Warning, "A script cannot return from a subroutine".to_owned());
                false
            }
        })
    }

    /// How long it took, as a position in a sound of 8 kHz.
    pub(super) async fn samples_since(&mut self, start: u64) -> u64 {
        self.clock().await.saturating_sub(start).saturating_mul(8)
    }
}

/// Milliseconds as a script gives them: below 1 for ever, as far as a call goes.
pub(super) fn milliseconds(text: &str) -> Option<Duration> {
    let number: i64 = text.trim().parse().ok()?;
    Some(u64::try_from(number).map_or(FOR_EVER, Duration::from_millis).min(FOR_EVER))
}

/// As long as anything is waited for.
pub(super) const FOR_EVER: Duration = Duration::from_secs(24 * 3600);
