//! The INVITE server transaction: RFC 3261 17.2.1 with the state that RFC 6026 7.1 adds.

use super::{Action, Class, Timer, TimerValues};
use std::time::Duration;

/// How long the exchange may think before the 100 is sent for it (RFC 3261 17.2.1).
const TRYING_AFTER: Duration = Duration::from_millis(200);

/// Where it stands (RFC 6026 7.1, its figure).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not finally answered.
    Proceeding {
        /// Whether any response has gone out, which a retransmitted INVITE gets again.
        answered: bool,
    },
    /// Answered with a 2xx, which its leg retransmits itself.
    Accepted,
    /// Refused; the ACK is awaited.
    Completed {
        /// After how long the refusal was sent again last, or will be for the first time.
        interval: Duration,
    },
    /// The refusal is acknowledged; retransmitted ACKs are absorbed.
    Confirmed,
    /// Over: to be forgotten.
    Terminated,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The INVITE came again.
    Invite,
    /// An ACK came in this transaction.
    Ack,
    /// The exchange answers.
    Respond(Class),
    /// A timer went off.
    Timer(Timer),
    /// The network refused a message of ours.
    TransportError,
}

/// RFC 3261 17.2.1: the request is passed; a 100 follows unless the exchange answers within 200 ms.
pub fn start(_values: &TimerValues) -> (State, Vec<Action>) {
    (State::Proceeding { answered: false }, vec![Action::Pass, Action::Start(Timer::Trying, TRYING_AFTER)])
}

/// The next state, and what to do on the way.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match state {
        State::Proceeding { answered } => proceeding(answered, input, values),
        State::Accepted => accepted(input),
        State::Completed { interval } => completed(interval, input, values),
        State::Confirmed => confirmed(input),
        State::Terminated => (State::Terminated, Vec::new()),
    }
}

fn proceeding(answered: bool, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    let stay = State::Proceeding { answered };
    let stop = Action::Stop(Timer::Trying);
    match input {
        // RFC 3261 17.2.1: a retransmission gets the latest provisional response again.
        Input::Invite if answered => (stay, vec![Action::SendResponse]),
        Input::Invite => (stay, Vec::new()),
        // RFC 3261 17.2.1: a 100 unless the user answers within 200 ms.
        Input::Timer(Timer::Trying) => (State::Proceeding { answered: true }, vec![Action::SendTrying]),
        // RFC 3261 17.2.1: any number of provisional responses is sent.
        Input::Respond(Class::Provisional) => (State::Proceeding { answered: true }, vec![stop, Action::SendResponse]),
        // RFC 6026 7.1: a 2xx is sent, and timer L started.
        Input::Respond(Class::Success) => {
            (State::Accepted, vec![stop, Action::SendResponse, Action::Start(Timer::L, values.life())])
        }
        // RFC 3261 17.2.1: a refusal is sent, with timer H and, unless the transport is reliable, timer G.
        Input::Respond(Class::Refusal) => {
            let mut actions = vec![stop, Action::SendResponse];
            if !values.reliable {
                actions.push(Action::Start(Timer::G, values.t1));
            }
            actions.push(Action::Start(Timer::H, values.life()));
            (State::Completed { interval: values.t1 }, actions)
        }
        // RFC 6026 8.8: an error of the transport leaves the state as it is. An ACK of nothing means nothing.
        Input::TransportError | Input::Ack | Input::Timer(_) => (stay, Vec::new()),
    }
}

fn accepted(input: Input) -> (State, Vec<Action>) {
    match input {
        // RFC 6026 7.1: the exchange's own retransmissions of the 2xx are sent.
        Input::Respond(Class::Success) => (State::Accepted, vec![Action::SendResponse]),
        // RFC 6026 7.1: an ACK is passed, never absorbed.
        Input::Ack => (State::Accepted, vec![Action::Pass]),
        Input::Timer(Timer::L) => (State::Terminated, Vec::new()),
        // RFC 6026 7.1: a retransmitted INVITE is absorbed without an answer.
        Input::Invite
        | Input::Respond(Class::Provisional | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Accepted, Vec::new()),
    }
}

fn completed(interval: Duration, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    let stay = State::Completed { interval };
    match input {
        // RFC 3261 17.2.1: a retransmission gets the refusal again.
        Input::Invite => (stay, vec![Action::SendResponse]),
        // RFC 3261 17.2.1: the ACK ends the retransmissions; timer I absorbs further ones.
        Input::Ack => {
            let wait = values.linger(values.t4);
            (State::Confirmed, vec![Action::Stop(Timer::G), Action::Stop(Timer::H), Action::Start(Timer::I, wait)])
        }
        // RFC 3261 17.2.1: after T1, 2 T1, 4 T1 and so on, at most T2.
        Input::Timer(Timer::G) => {
            let interval = values.back_off(interval);
            (State::Completed { interval }, vec![Action::SendResponse, Action::Start(Timer::G, interval)])
        }
        // RFC 3261 17.2.1: the ACK never came, and the user is told.
        Input::Timer(Timer::H) => (State::Terminated, vec![Action::Stop(Timer::G), Action::NotAcked]),
        // RFC 3261 17.2.1: other final responses of the user are discarded. RFC 6026 8.8: errors change nothing.
        Input::Respond(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (stay, Vec::new()),
    }
}

fn confirmed(input: Input) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.2.1.
        Input::Timer(Timer::I) => (State::Terminated, Vec::new()),
        // RFC 3261 17.2.1: further ACKs, and INVITEs that were late, are absorbed.
        Input::Ack
        | Input::Invite
        | Input::Respond(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Confirmed, Vec::new()),
    }
}
