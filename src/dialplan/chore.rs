//! What an application has its own program do: evaluate a text, assign, jump, call a subroutine and come back. None of it
//! leaves the dialplan, and all of it works on a channel that is hung up, too.

use super::database;
use super::environment::Environment;
use super::journal::Journal;
use super::outcome::{Decision, Outcome, Target};
use super::outside::OutsideRequest;
use super::place::resolve;
use super::request::Position;
use super::state::State;
use super::substitute::{assign, evaluate, scope};
use crate::clock::Time;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Chore {
    /// Replace every name in a text. The journal: what was read and done of it before.
    Evaluate(String, Journal),
    /// Assign a variable or function.
    Assign(String, String),
    /// Decide how an application ends that only has something to decide.
    Decide(Decision, String),
    /// The program goes on there when the application has ended.
    Jump(Target),
    /// Run a subroutine until its `Return`.
    Call(Target, Vec<String>),
    /// Milliseconds of the exchange's clock.
    Clock,
    /// The folder where recordings with a relative name go.
    RecordingFolder,
    /// Look into the database.
    Get(String, String),
    /// Put into the database.
    Put(String, String, String),
    /// Delete an entry.
    Delete(String, String),
    /// Delete a family, or what lies below a key of it.
    DeleteTree(String, Option<String>),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum ChoreReply {
    /// The text, evaluated; the value that was found.
    Value(String),
    /// How the application ends.
    Decided(Outcome),
    /// It is done.
    Done,
    /// It could not be done; the log says why, when there is more to say.
    Failed,
    /// Something in the text has to be asked outside first; then evaluate again with this journal.
    Waits(Box<OutsideRequest>, Journal),
}

/// A chore under way.
#[derive(Debug, Default)]
pub(super) struct Chores {
    pub(super) wanted: Option<Chore>,
    pub(super) reply: Option<ChoreReply>,
}

/// What a chore led to.
pub(super) enum Performed {
    /// This is the reply.
    Replied(ChoreReply),
    /// A subroutine is to be run first.
    Enters(Position, Vec<String>),
}

/// Does it, or says which subroutine is to be run.
pub(super) fn perform(chore: Chore, state: &mut State, environment: &dyn Environment) -> Performed {
    let done = |is_done: bool| if is_done { ChoreReply::Done } else { ChoreReply::Failed };
    let database = environment.database();
    Performed::Replied(match chore {
        Chore::Evaluate(text, mut journal) => match evaluate(&text, state, environment, &mut journal) {
            Ok(value) => ChoreReply::Value(value),
            Err(wanted) => ChoreReply::Waits(Box::new(wanted), journal),
        },
        Chore::Assign(name, value) => {
            assign(&name, &value, &mut scope(state, environment));
            ChoreReply::Done
        }
        Chore::Decide(decision, args) => ChoreReply::Decided(decision(&mut scope(state, environment), &args)),
        Chore::Jump(place) => match resolve(place.parts(), state, environment) {
            Some(to) => {
                state.position = to;
                ChoreReply::Done
            }
            None => ChoreReply::Failed,
        },
        Chore::Call(place, args) => match resolve(place.parts(), state, environment) {
            Some(to) => return Performed::Enters(to, args),
            None => ChoreReply::Failed,
        },
        Chore::Clock => ChoreReply::Value(environment.now().mono.since(Time::ZERO).as_millis().to_string()),
        Chore::RecordingFolder => environment.recordings().map_or(ChoreReply::Failed, ChoreReply::Value),
        Chore::Get(family, key) => match database.get(&database::path(&family, &key)) {
            Some(value) => ChoreReply::Value(value),
            None => ChoreReply::Failed,
        },
        Chore::Put(family, key, value) => match database.put(&database::path(&family, &key), &value) {
            Ok(()) => ChoreReply::Done,
            Err(why) => {
                state.warn(format!("{why} (at {})", state.position));
                ChoreReply::Failed
            }
        },
        Chore::Delete(family, key) => done(database.delete(&database::path(&family, &key)).is_some()),
        Chore::DeleteTree(family, key) => {
            let path = key.map_or_else(|| format!("/{family}"), |key| database::path(&family, &key));
            done(database.delete_tree(&path) > 0)
        }
    })
}
