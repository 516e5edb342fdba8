//! The server transaction of every request but INVITE and ACK: RFC 3261 17.2.2.

use super::{Action, Class, Timer, TimerValues};

/// Where it stands (RFC 3261 figure 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing answered.
    Trying,
    /// A provisional response went out.
    Proceeding,
    /// Finally answered; retransmitted requests get the answer again.
    Completed,
    /// Over: to be forgotten.
    Terminated,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The request came again.
    Request,
    /// The exchange answers.
    Respond(Class),
    /// A timer went off.
    Timer(Timer),
    /// The network refused a message of ours.
    TransportError,
}

/// RFC 3261 17.2.2: the request is passed.
pub fn start(_values: &TimerValues) -> (State, Vec<Action>) {
    (State::Trying, vec![Action::Pass])
}

/// The next state, and what to do on the way.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match state {
        State::Trying => trying(input, values),
        State::Proceeding => proceeding(input, values),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Vec::new()),
    }
}

fn trying(input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.2.2.
        Input::Respond(Class::Provisional) => (State::Proceeding, vec![Action::SendResponse]),
        Input::Respond(Class::Success | Class::Refusal) => answered(values),
        // RFC 3261 17.2.2: retransmissions are discarded in this state.
        Input::Request | Input::Timer(_) | Input::TransportError => (State::Trying, Vec::new()),
    }
}

fn proceeding(input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.2.2: a retransmission gets the latest provisional response again.
        Input::Request | Input::Respond(Class::Provisional) => (State::Proceeding, vec![Action::SendResponse]),
        Input::Respond(Class::Success | Class::Refusal) => answered(values),
        Input::Timer(_) | Input::TransportError => (State::Proceeding, Vec::new()),
    }
}

fn completed(input: Input) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.2.2: a retransmission gets the final response again.
        Input::Request => (State::Completed, vec![Action::SendResponse]),
        Input::Timer(Timer::J) => (State::Terminated, Vec::new()),
        // RFC 3261 17.2.2: any other final response of the user is discarded.
        Input::Respond(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Completed, Vec::new()),
    }
}

/// RFC 3261 17.2.2: the final response is sent, and timer J keeps it for retransmitted requests.
fn answered(values: &TimerValues) -> (State, Vec<Action>) {
    (State::Completed, vec![Action::SendResponse, Action::Start(Timer::J, values.linger(values.life()))])
}
