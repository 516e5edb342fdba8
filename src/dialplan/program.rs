//! One running program of one channel: the interpreter's state and the running application's future.

pub mod errand;
pub mod group;

use super::app::{App, AppCall, Args, Outcome, Target};
use super::apps;
use super::chore::ChoreReply;
use super::ending::{self, Fall, FinishNote};
use super::environment::Environment;
use super::handle::{ChannelHandle, Slot};
use super::journal::Journal;
use super::jumps;
use super::menu;
use super::place;
use super::record::RecordNotes;
use super::request::{AppReply, AppRequest, Cause, ChannelId, Interrupted, Position};
pub use super::special::Finish;
use super::special::{self, Trouble};
use super::state::{CallerId, State};
use super::substitute::{assign, evaluate, scope};
use super::suspension::{Evaluation, Running, Suspensions};
use super::tree::Priority;
use super::view::View;
use crate::clock::Time;
use crate::event::{CallEvent, Level, LogLine};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Maximum number of steps of `h`: it runs on a channel that has ended, and must end, too.
const MAX_STEPS_AFTER_HANGUP: u32 = 10_000;

/// How far a program has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It has a request: reply with `Program::answer`, then `advance` it again.
    Asks(AppRequest),
    /// Its budget of steps is used: `advance` it again in the next turn.
    Again,
    /// It still waits for the reply to its request.
    Waiting,
    /// It is over; an unanswered caller gets the SIP response for this cause.
    Finished(Cause),
}

/// The stage a program is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In the dialplan.
    Plan,
    /// `autofallthrough=no`: the last priority is behind it, and digits are waited for.
    OutOfPriorities,
    /// The end is decided; busy or congestion is shown for a while.
    FallingThrough,
    /// In `h`, with so many steps left. The cause was decided before.
    AfterHangup(Cause, u32),
    /// Over.
    Finished(Cause),
}

/// One running dialplan program.
pub struct Program {
    id: ChannelId,
    slot: Rc<RefCell<Slot>>,
    running: Option<Running>,
    suspended: Suspensions,
    stage: Stage,
    /// The application that was started last.
    latest: &'static str,
    finish: FinishNote,
    /// It is over when its subroutine, or its one application, is: without `h`, and without falling through.
    is_errand: bool,
}

impl Program {
    /// A program of the channel called `name` (`SIP/pap2t-client-00000000`), about to run from `start`.
    pub fn new(id: ChannelId, name: &str, start: Position, caller: CallerId) -> Program {
        let slot = Rc::new(RefCell::new(Slot::new(State::new(name, start, caller))));
        Program {
            id,
            slot,
            running: None,
            suspended: Suspensions::default(),
            stage: Stage::Plan,
            latest: "",
            finish: FinishNote::default(),
            is_errand: false,
        }
    }

    /// Runs until the program asks for something, has used `budget` steps, or is finished.
    pub fn advance(&mut self, environment: &dyn Environment, budget: u32) -> Progress {
        {
            let state = &mut self.slot.borrow_mut().state;
            state.view = Some(view(environment));
            state.now = environment.now();
            state.zones = Arc::clone(environment.dialplan().zones());
        }
        let progress = self.run(environment, budget);
        self.slot.borrow_mut().state.view = None;
        progress
    }

    fn run(&mut self, environment: &dyn Environment, budget: u32) -> Progress {
        for _ in 0..budget {
            if let Stage::Finished(cause) = self.stage {
                environment.globals().unlock_all(&self.slot.borrow().state.name);
                return Progress::Finished(cause);
            }
            if let Some(running) = &mut self.running {
                if !self.slot.borrow().can_continue() {
                    return Progress::Waiting;
                }
                match running.body.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Pending => {
                        let chore = self.slot.borrow_mut().chores.wanted.take();
                        if let Some(chore) = chore {
                            let mut slot = self.slot.borrow_mut();
                            self.suspended.perform(chore, &mut self.running, &mut slot, environment);
                            continue;
                        }
                        return self.slot.borrow_mut().request.take().map_or(Progress::Waiting, Progress::Asks);
                    }
                    Poll::Ready(result) => {
                        let evaluation = running.evaluation.take();
                        self.running = None;
                        match evaluation {
                            Some(evaluation) => self.evaluated(evaluation, result, environment),
                            None => self.conclude(result, environment),
                        }
                    }
                }
            } else {
                self.step(environment);
            }
        }
        match self.stage {
            Stage::Finished(_) => self.advance(environment, 1),
            Stage::Plan | Stage::OutOfPriorities | Stage::FallingThrough | Stage::AfterHangup(..) => Progress::Again,
        }
    }

    /// The switch's reply to the pending request; dropped when there is none, or when it is a reply to another kind of
    /// request.
    pub fn answer(&mut self, reply: AppReply) {
        self.slot.borrow_mut().put_reply(reply);
    }

    /// The channel is hung up: the pending request ends, the application unwinds, `h` runs. The first cause stays.
    pub fn hang_up(&mut self, cause: Cause) {
        let mut slot = self.slot.borrow_mut();
        if !matches!(slot.ended, Some(Interrupted::Hangup(_))) && !matches!(self.stage, Stage::Finished(_)) {
            slot.ended = Some(Interrupted::Hangup(cause));
        }
    }

    /// The channel continues elsewhere: the pending request ends, the application unwinds, the program runs from there.
    /// Without effect once the channel is hung up.
    pub fn redirect(&mut self, to: Position) {
        let mut slot = self.slot.borrow_mut();
        if !matches!(slot.ended, Some(Interrupted::Hangup(_)))
            && !matches!(self.stage, Stage::Finished(_) | Stage::AfterHangup(..))
        {
            slot.ended = Some(Interrupted::Redirect(to));
        }
    }

    /// When its call is over, as `TIMEOUT(absolute)` says; none once it is.
    pub fn deadline(&self) -> Option<Time> {
        if self.is_ending() { None } else { self.slot.borrow().state.timeouts.deadline }
    }

    /// Its call is over, as `TIMEOUT(absolute)` says: where it goes on, `T` or `e`, when one of them is there.
    pub fn time_over(&mut self, environment: &dyn Environment) -> Option<Position> {
        let mut slot = self.slot.borrow_mut();
        let state = &mut slot.state;
        state.timeouts.deadline = None;
        state.view = Some(view(environment));
        let context = state.position.context.clone();
        let to = special::place(state, &context, &Trouble::AbsoluteTimeout);
        state.view = None;
        to
    }

    /// The lines to log since the last call, oldest first.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.slot.borrow_mut().state.take_log()
    }

    /// What it told of and said of its record since the last call.
    pub fn take_notes(&mut self) -> (Vec<CallEvent>, RecordNotes) {
        let state = &mut self.slot.borrow_mut().state;
        (state.take_events(), state.record.clone())
    }

    /// The channel the program runs on.
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// Its position.
    pub fn position(&self) -> Position {
        self.slot.borrow().state.position.clone()
    }

    /// The application that runs, and its arguments.
    pub fn application(&self) -> Option<(&'static str, String)> {
        self.running.as_ref().map(|running| (running.app.name, running.args.clone()))
    }

    /// How it came to its end by itself, and where; none while it goes on, or when it was hung up.
    pub fn finish(&self) -> Option<(Finish, Position)> {
        self.finish.get()
    }

    /// Whether the end is decided: hung up, or over.
    pub fn is_ending(&self) -> bool {
        matches!(self.slot.borrow().ended, Some(Interrupted::Hangup(_))) || matches!(self.stage, Stage::Finished(_))
    }

    /// A channel variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.slot.borrow().state.variable(name)
    }

    /// All variables of the channel, by name.
    pub fn variables(&self) -> Vec<(String, String)> {
        self.slot.borrow().state.all_variables()
    }

    /// Sets a channel variable; `_NAME` and `__NAME` are inherited by channels this one creates.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.slot.borrow_mut().state.set_variable(name, value);
    }

    /// The variables a channel created by this one starts with: give each to its `set_variable`.
    pub fn inherited(&self) -> Vec<(String, String)> {
        self.slot.borrow().state.inherited()
    }

    /// Who calls, as the dialplan left it.
    pub fn caller(&self) -> CallerId {
        self.slot.borrow().state.caller.clone()
    }

    /// Says who calls.
    pub fn set_caller(&mut self, caller: CallerId) {
        self.slot.borrow_mut().state.caller = caller;
    }

    /// What is spoken to the channel; empty: the exchange's own language.
    pub fn language(&self) -> String {
        self.slot.borrow().state.language.clone()
    }

    /// Says what is spoken to the channel.
    pub fn set_language(&mut self, language: &str) {
        self.slot.borrow_mut().state.language = language.to_owned();
    }

    /// Says that the channel is answered, when it was not the program that asked for it.
    pub fn set_answered(&mut self) {
        self.slot.borrow_mut().state.answered = true;
    }

    /// One step: a pending hang-up or redirect, else the next priority.
    fn step(&mut self, environment: &dyn Environment) {
        if self.heed_latch(environment) {
            return;
        }
        if self.is_errand && self.slot.borrow().state.frames.is_empty() {
            self.stage = Stage::Finished(Cause::NORMAL);
            return;
        }
        match self.stage {
            Stage::AfterHangup(cause, 0) => {
                let text = format!("The extension h took {MAX_STEPS_AFTER_HANGUP} steps and was stopped");
                self.slot.borrow_mut().state.warn(text);
                self.stage = Stage::Finished(cause);
                return;
            }
            Stage::AfterHangup(cause, left) => self.stage = Stage::AfterHangup(cause, left.saturating_sub(1)),
            Stage::Plan => {}
            Stage::OutOfPriorities | Stage::FallingThrough | Stage::Finished(_) => {
                return self.end(Cause::NONE, environment);
            }
        }
        let (position, caller) = {
            let state = &mut self.slot.borrow_mut().state;
            state.trying = false;
            jumps::leave_macros(state, environment.globals());
            (state.position.clone(), state.caller.number.clone())
        };
        let Position { context, exten, priority } = &position;
        match environment.dialplan().find(context, exten, *priority, Some(&caller), environment.now().wall) {
            Some(found) => self.execute(found.priority, Journal::default(), environment),
            None if jumps::end_macro(&mut self.slot.borrow_mut().state, environment) => {}
            None if *priority == 1 => self.no_extension(&position, environment),
            None => self.fall_through(environment),
        }
    }

    /// A hang-up or redirect that came between applications; true when it took the step.
    fn heed_latch(&mut self, environment: &dyn Environment) -> bool {
        let ended = self.slot.borrow().ended.clone();
        match ended {
            Some(Interrupted::Hangup(_)) if matches!(self.stage, Stage::AfterHangup(..)) => false,
            Some(Interrupted::Hangup(cause)) => {
                self.end(cause, environment);
                true
            }
            Some(Interrupted::Redirect(to)) => {
                self.jump(to);
                true
            }
            None => false,
        }
    }

    /// Starts the application of a priority.
    fn execute(&mut self, priority: &Priority, mut journal: Journal, environment: &dyn Environment) {
        let args = {
            let state = &mut self.slot.borrow_mut().state;
            state.written.clone_from(&priority.args);
            evaluate(&priority.args, state, environment, &mut journal)
        };
        let Some(app) = apps::find(&priority.application) else {
            return self.no_application(&priority.application, Some(priority), environment);
        };
        let args = match args {
            Ok(args) => args,
            Err(wanted) => {
                let channel = ChannelHandle::new(self.id, Rc::clone(&self.slot));
                self.running = Some(Running::waiting(app, priority, journal, wanted, channel));
                return;
            }
        };
        let mut slot = self.slot.borrow_mut();
        slot.state.given.clone_from(&args);
        let text = format!(
            "Executing [{}] {}(\"{}\", \"{}\") in new stack",
            slot.state.position,
            app.name,
            slot.state.name,
            menu::shown(app.name, &args)
        );
        slot.state.log(Level::Verbose(3), text);
        drop(slot);
        self.start(app, args);
    }

    /// The answer that the arguments of a priority waited for is there.
    fn evaluated(
        &mut self,
        evaluation: Evaluation,
        result: Result<Outcome, Interrupted>,
        environment: &dyn Environment,
    ) {
        let Evaluation { priority, mut journal, answer } = evaluation;
        match (result, answer.take()) {
            (Ok(_), Some(answer)) => {
                self.slot.borrow_mut().clear();
                // Whoever hung up meanwhile does not want the application any more.
                if !self.heed_latch(environment) {
                    journal.put_answer(answer);
                    self.execute(&priority, journal, environment);
                }
            }
            (result, _) => self.conclude(result, environment),
        }
    }

    /// The application that waits for a subroutine goes on.
    fn unsuspend(&mut self, reply: ChoreReply) -> bool {
        self.running = self.suspended.leave(reply, &mut self.slot.borrow_mut());
        self.running.is_some()
    }

    fn start(&mut self, app: &'static App, args: String) {
        self.latest = app.name;
        let channel = ChannelHandle::new(self.id, Rc::clone(&self.slot));
        let body = (app.run)(channel, Args::new(&args).with_apps(apps::find));
        self.running = Some(Running { app, args: menu::shown(app.name, &args), body, evaluation: None });
    }

    /// What follows from how an application ended.
    fn conclude(&mut self, result: Result<Outcome, Interrupted>, environment: &dyn Environment) {
        self.slot.borrow_mut().clear();
        match result {
            Err(Interrupted::Hangup(cause)) => self.spawn_ended(cause, environment),
            Err(Interrupted::Redirect(to)) => self.jump(to),
            // What goes on elsewhere does not end, whatever was broken off for it thinks.
            Ok(Outcome::Stop(_)) if matches!(self.slot.borrow().ended, Some(Interrupted::Redirect(_))) => {}
            Ok(Outcome::Stop(_)) if self.slot.borrow_mut().state.take_trial() => self.slot.borrow_mut().state.next(),
            Ok(Outcome::Stop(cause)) => {
                self.finish.note(Finish::Application(self.latest), &self.slot.borrow());
                self.spawn_ended(cause, environment);
            }
            Ok(Outcome::Next) => self.slot.borrow_mut().state.next(),
            Ok(Outcome::Set(assignments)) => {
                for (name, value) in assignments {
                    assign(&name, &value, &mut scope(&mut self.slot.borrow_mut().state, environment));
                }
                self.slot.borrow_mut().state.next();
            }
            Ok(Outcome::Jump(target)) => self.go(&target, None, environment),
            Ok(Outcome::Call(target, args)) => self.go(&target, Some((&args, None)), environment),
            Ok(Outcome::CallThen(target, args, then)) => self.go(&target, Some((&args, Some(then))), environment),
            Ok(Outcome::Return(value)) => self.return_from(&value, environment),
            Ok(Outcome::Decide(decision, args)) => {
                let decided = decision(&mut scope(&mut self.slot.borrow_mut().state, environment), &args);
                self.conclude(Ok(decided), environment);
            }
            Ok(Outcome::Try(AppCall { name, args })) => {
                let app = apps::find(&name);
                self.slot.borrow_mut().state.begin_trial(app.is_some());
                match app {
                    Some(app) => self.start(app, args),
                    None => self.slot.borrow_mut().state.next(),
                }
            }
            Ok(Outcome::Exec(AppCall { name, args })) => match apps::find(&name) {
                Some(app) => self.start(app, args),
                None => self.no_application(&name, None, environment),
            },
        }
    }

    /// Jumps there, or calls a subroutine there with these arguments, which goes on with an application behind it.
    fn go(&mut self, target: &Target, call: Option<(&[String], Option<AppCall>)>, environment: &dyn Environment) {
        let mut slot = self.slot.borrow_mut();
        let state = &mut slot.state;
        let to = place::resolve(target.parts(), state, environment);
        let is_led = match (to, call) {
            (None, _) => false,
            (Some(to), Some((args, then))) => jumps::gosub(state, to, args, then),
            // A digit may have come behind the last priority.
            (Some(to), None) if self.stage == Stage::OutOfPriorities => {
                drop(slot);
                return self.jump(to);
            }
            (Some(to), None) => {
                state.position = to;
                self.is_errand &= !state.frames.is_empty();
                true
            }
        };
        drop(slot);
        if !is_led {
            self.led_nowhere(environment);
        }
    }

    fn return_from(&mut self, value: &str, environment: &dyn Environment) {
        if self.slot.borrow().state.innermost_gosub().is_some_and(|depth| self.suspended.waits_at(depth)) {
            self.unsuspend(ChoreReply::Done);
            return self.set_variable("GOSUB_RETVAL", value);
        }
        let returned = jumps::give_back(&mut self.slot.borrow_mut().state, value, environment.globals());
        match returned {
            Ok(Some((name, args))) => match apps::find(&name) {
                Some(app) => self.start(app, args),
                None => self.no_application(&name, None, environment),
            },
            Ok(None) => {}
            Err(()) => self.led_nowhere(environment),
        }
    }

    fn led_nowhere(&mut self, environment: &dyn Environment) {
        self.finish.note(Finish::Nowhere, &self.slot.borrow());
        self.spawn_ended(Cause::NONE, environment);
    }

    fn jump(&mut self, to: Position) {
        let mut slot = self.slot.borrow_mut();
        if slot.ended.take().is_some() {
            self.suspended.clear();
        }
        slot.state.position = to;
        drop(slot);
        self.finish = FinishNote::default();
        self.stage = Stage::Plan;
    }

    fn no_application(&mut self, name: &str, priority: Option<&Priority>, environment: &dyn Environment) {
        let place = priority.and_then(|priority| priority.place.as_ref()).map(|place| format!(" at {place}"));
        special::no_application(&mut self.slot.borrow_mut().state, name, &place.unwrap_or_default());
        self.finish.note(Finish::NoApplication(name.to_owned()), &self.slot.borrow());
        self.spawn_ended(Cause::NONE, environment);
    }

    /// A dialled extension that is not there: `i`, or the end.
    fn no_extension(&mut self, position: &Position, environment: &dyn Environment) {
        if !matches!(self.stage, Stage::AfterHangup(..)) {
            if ending::goes_to_invalid(&mut self.slot.borrow_mut().state, position) {
                return;
            }
            self.finish.note(Finish::Nowhere, &self.slot.borrow());
        }
        self.end(Cause::NONE, environment);
    }

    /// No next priority: the call ends as `DIALSTATUS` says, or digits are waited for.
    fn fall_through(&mut self, environment: &dyn Environment) {
        if matches!(self.stage, Stage::AfterHangup(..)) {
            return self.end(Cause::NONE, environment);
        }
        if self.is_errand {
            ending::log_unreturned(&mut self.slot.borrow_mut().state);
            return self.end(Cause::NONE, environment);
        }
        self.finish.note(Finish::RanOut, &self.slot.borrow());
        if !environment.dialplan().general().autofallthrough {
            self.stage = Stage::OutOfPriorities;
            return self.start(&apps::wait_exten::AFTER_THE_LAST, String::new());
        }
        let falls = ending::fall_through(&mut self.slot.borrow_mut().state);
        match falls {
            Fall::Shows(app) => {
                self.stage = Stage::FallingThrough;
                self.start(app, "10".to_owned());
            }
            Fall::Ends(cause) => self.end(cause, environment),
        }
    }

    /// An application ended the channel, or the channel ended under it.
    fn spawn_ended(&mut self, cause: Cause, environment: &dyn Environment) {
        // After a fall-through it is logged already.
        if self.stage != Stage::FallingThrough {
            ending::log_spawn_ended(&mut self.slot.borrow_mut().state);
        }
        self.end(cause, environment);
    }

    /// The program is over but for `h`, which runs once, on a channel that has ended: every request in it ends at once.
    fn end(&mut self, cause: Cause, environment: &dyn Environment) {
        if matches!(self.stage, Stage::AfterHangup(..)) && self.unsuspend(ChoreReply::Failed) {
            return;
        }
        if let Stage::AfterHangup(decided, _) | Stage::Finished(decided) = self.stage {
            self.stage = Stage::Finished(decided);
            return;
        }
        let mut slot = self.slot.borrow_mut();
        // The first cause stays.
        let cause = match slot.ended {
            Some(Interrupted::Hangup(latched)) => latched,
            Some(Interrupted::Redirect(_)) | None => cause,
        };
        slot.ended = Some(Interrupted::Hangup(cause));
        if !self.suspended.is_empty() {
            drop(slot);
            self.stage = Stage::Plan;
            self.unsuspend(ChoreReply::Failed);
            return;
        }
        slot.state.cause = cause;
        let goes_on = !self.is_errand && ending::goes_to_hangup(&mut slot.state, environment);
        self.stage = if goes_on { Stage::AfterHangup(cause, MAX_STEPS_AFTER_HANGUP) } else { Stage::Finished(cause) };
    }
}

/// Sets a variable to an address that a telephone wrote: a dial string made of it is not followed where it names more than
/// one line. Its host decides nothing of that.
pub fn set_foreign_variable(program: &mut Program, name: &str, value: &str) {
    let state = &mut program.slot.borrow_mut().state;
    let (user, rest) = value.split_once('@').unwrap_or((value, ""));
    let behind = rest.split_once([';', '?', '>']).map_or("", |(_, behind)| behind);
    [user, behind].into_iter().filter(|text| !text.is_empty()).for_each(|text| state.note_foreign(text));
    state.set_variable(name, value);
}

/// The class of music that a program's dialplan chose; empty: none.
pub fn music_class(program: &Program) -> String {
    program.slot.borrow().state.music_class.clone()
}

/// What applications see from now on.
fn view(environment: &dyn Environment) -> View {
    View { plan: Arc::clone(environment.dialplan()), peers: environment.peers(), now: environment.now().wall }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use crate::dialplan::database::Database;
    use crate::dialplan::environment::Globals;
    use crate::dialplan::load::document;
    use crate::dialplan::tree::Dialplan;

    struct Bare(Arc<Dialplan>, Globals, Database);

    impl Environment for Bare {
        fn now(&self) -> Now {
            Now::default()
        }
        fn dialplan(&self) -> &Arc<Dialplan> {
            &self.0
        }
        fn peer(&self, _: &str, _: &str) -> Option<String> {
            None
        }
        fn channel(&self, _: &str) -> Option<String> {
            None
        }
        fn globals(&self) -> &Globals {
            &self.1
        }
        fn database(&self) -> &Database {
            &self.2
        }
        fn random(&self) -> u64 {
            0
        }
    }

    fn begin() -> (Bare, Program) {
        let text = "[a]\nexten => s,1,Dial(SIP/x)\nexten => h,1,Wait(1)";
        let plan = crate::dialplan::parse(&document(text), "pbx_config").0;
        let environment = Bare(Arc::new(plan), Globals::new(), Database::new());
        let mut program = Program::new(ChannelId(1), "SIP/a-0", Position::new("a", "s", 1), CallerId::default());
        assert!(matches!(program.advance(&environment, 10), Progress::Asks(AppRequest::Dial(_))));
        assert_eq!(Rc::strong_count(&program.slot), 2, "the application holds the slot, too");
        (environment, program)
    }

    #[test]
    fn nothing_of_an_application_is_left_after_the_end() {
        let (environment, mut program) = begin();
        program.hang_up(Cause::NORMAL);
        assert_eq!(program.advance(&environment, 10), Progress::Finished(Cause::NORMAL));
        assert_eq!(Rc::strong_count(&program.slot), 1);
        assert!(program.slot.borrow().is_clear());
    }

    #[test]
    fn dropping_a_program_drops_its_application() {
        let (_, program) = begin();
        let slot = Rc::downgrade(&program.slot);
        drop(program);
        assert!(slot.upgrade().is_none());
    }
}
