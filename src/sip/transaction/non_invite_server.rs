//! The server transaction of every request but INVITE and ACK: RFC 3261 17.2.2.

use super::{Action, Actions, Class, Timer, TimerValues};
use smallvec::smallvec;

/// Its state (RFC 3261 figure 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No response yet.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// The final response was sent; retransmitted requests get it again.
    Completed,
    /// Over: to be removed.
    Terminated,
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The request came again.
    Request,
    /// The exchange responds.
    Respond(Class),
    /// A timer went off.
    Timer(Timer),
    /// The network refused a message of ours.
    TransportError,
}

/// RFC 3261 17.2.2: the request is passed.
pub fn start(_values: &TimerValues) -> (State, Actions) {
    (State::Trying, smallvec![Action::Pass])
}

/// The next state, and the actions that lead to it.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Actions) {
    match state {
        State::Trying => trying(input, values),
        State::Proceeding => proceeding(input, values),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Actions::new()),
    }
}

fn trying(input: Input, values: &TimerValues) -> (State, Actions) {
    match input {
        // RFC 3261 17.2.2.
        Input::Respond(Class::Provisional) => (State::Proceeding, smallvec![Action::SendResponse]),
        Input::Respond(Class::Success | Class::Refusal) => answered(values),
        // RFC 3261 17.2.2: retransmissions are discarded in this state.
        Input::Request | Input::Timer(_) | Input::TransportError => (State::Trying, Actions::new()),
    }
}

fn proceeding(input: Input, values: &TimerValues) -> (State, Actions) {
    match input {
        // RFC 3261 17.2.2: a retransmission gets the latest provisional response again.
        Input::Request | Input::Respond(Class::Provisional) => (State::Proceeding, smallvec![Action::SendResponse]),
        Input::Respond(Class::Success | Class::Refusal) => answered(values),
        Input::Timer(_) | Input::TransportError => (State::Proceeding, Actions::new()),
    }
}

fn completed(input: Input) -> (State, Actions) {
    match input {
        // RFC 3261 17.2.2: a retransmission gets the final response again.
        Input::Request => (State::Completed, smallvec![Action::SendResponse]),
        Input::Timer(Timer::J) => (State::Terminated, Actions::new()),
        // RFC 3261 17.2.2: any other final response of the user is discarded.
        Input::Respond(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Completed, Actions::new()),
    }
}

/// RFC 3261 17.2.2: the final response is sent, and timer J keeps it for retransmitted requests.
fn answered(values: &TimerValues) -> (State, Actions) {
    (State::Completed, smallvec![Action::SendResponse, Action::Start(Timer::J, values.linger(values.life()))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use std::time::Duration;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn udp() -> TimerValues {
        TimerValues::default()
    }

    fn tcp() -> TimerValues {
        TimerValues { reliable: true, ..TimerValues::default() }
    }

    fn inputs() -> Vec<Input> {
        let mut inputs: Vec<Input> = Timer::ALL.map(Input::Timer).to_vec();
        inputs.extend(Class::ALL.map(Input::Respond));
        inputs.extend([Input::Request, Input::TransportError]);
        inputs
    }

    /// Checks every input in `state`: the listed ones do what is listed, and all others nothing.
    fn check(state: State, moves: &[(Input, State, &[Action])]) {
        for input in inputs() {
            let (next, actions) = moves
                .iter()
                .find(|(at, ..)| *at == input)
                .map_or((state, &[][..]), |(_, next, actions)| (*next, *actions));
            assert_eq!(step(state, input, &udp()), (next, actions.into()), "{state:?} {input:?}");
        }
    }

    const ANSWERED: [Action; 2] = [SendResponse, Start(Timer::J, Duration::from_secs(32))];

    #[test]
    fn a_request_is_passed() {
        assert_eq!(start(&udp()), (State::Trying, smallvec![Pass]));
    }

    /// 17.2.2: "Once in the "Trying" state, any further request retransmissions are discarded."
    #[test]
    fn trying_discards_retransmissions_and_sends_what_the_user_answers() {
        check(
            State::Trying,
            &[
                (Input::Respond(Class::Provisional), State::Proceeding, &[SendResponse]),
                (Input::Respond(Class::Success), State::Completed, &ANSWERED),
                (Input::Respond(Class::Refusal), State::Completed, &ANSWERED),
            ],
        );
    }

    /// 17.2.2: "If a retransmission of the request is received while in the "Proceeding" state, the most recently sent
    /// provisional response MUST be passed to the transport layer for retransmission."
    #[test]
    fn proceeding_repeats_the_latest_provisional_response() {
        check(
            State::Proceeding,
            &[
                (Input::Request, State::Proceeding, &[SendResponse]),
                (Input::Respond(Class::Provisional), State::Proceeding, &[SendResponse]),
                (Input::Respond(Class::Success), State::Completed, &ANSWERED),
                (Input::Respond(Class::Refusal), State::Completed, &ANSWERED),
            ],
        );
    }

    /// 17.2.2: "While in the "Completed" state, the server transaction MUST pass the final response to the transport
    /// layer for retransmission whenever a retransmission of the request is received. Any other final responses passed
    /// by the TU to the server transaction MUST be discarded".
    #[test]
    fn completed_repeats_the_final_response_until_timer_j() {
        check(
            State::Completed,
            &[(Input::Request, State::Completed, &[SendResponse]), (Input::Timer(Timer::J), State::Terminated, &[])],
        );
    }

    /// 17.2.2: timer J is "64*T1 seconds for unreliable transports, and zero seconds for reliable transports".
    #[test]
    fn timer_j_is_zero_on_a_reliable_transport() {
        let (_, actions) = step(State::Trying, Input::Respond(Class::Success), &tcp());
        assert_eq!(actions.as_slice(), [SendResponse, Start(Timer::J, ms(0))]);
    }

    #[test]
    fn terminated_stays_so() {
        check(State::Terminated, &[]);
    }
}
