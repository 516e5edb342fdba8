//! The client transaction of every request but INVITE and ACK: RFC 3261 17.1.2.

use super::{Action, Actions, Class, Timer, TimerValues};
use smallvec::smallvec;
use std::time::Duration;

/// Its state (RFC 3261 figure 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sent, no response yet.
    Trying {
        /// The current retransmission interval.
        interval: Duration,
    },
    /// A provisional response came.
    Proceeding,
    /// The final response came; its retransmissions are absorbed.
    Completed,
    /// Over: to be removed.
    Terminated,
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A response came.
    Response(Class),
    /// A timer went off.
    Timer(Timer),
    /// The network refused the request.
    TransportError,
}

/// RFC 3261 17.1.2.2: the request goes out, with timer F and, unless the transport is reliable, timer E.
pub fn start(values: &TimerValues) -> (State, Actions) {
    let mut actions = smallvec![Action::SendRequest];
    if !values.reliable {
        actions.push(Action::Start(Timer::E, values.t1));
    }
    actions.push(Action::Start(Timer::F, values.non_invite_timeout));
    (State::Trying { interval: values.t1 }, actions)
}

/// The next state, and the actions that lead to it.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Actions) {
    match state {
        State::Trying { interval } => trying(interval, input, values),
        State::Proceeding => proceeding(input, values),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Actions::new()),
    }
}

fn trying(interval: Duration, input: Input, values: &TimerValues) -> (State, Actions) {
    match input {
        // RFC 3261 17.1.2.2: passed; timers E and F run on, E at T2 from its next turn.
        Input::Response(Class::Provisional) => (State::Proceeding, smallvec![Action::Pass]),
        Input::Response(Class::Success | Class::Refusal) => answered(values),
        // RFC 3261 17.1.2.2: after T1, 2 T1, 4 T1 and so on, at most T2.
        Input::Timer(Timer::E) => {
            let interval = values.back_off(interval);
            (State::Trying { interval }, smallvec![Action::SendRequest, Action::Start(Timer::E, interval)])
        }
        Input::Timer(Timer::F) => (State::Terminated, smallvec![Action::Stop(Timer::E), Action::Timeout]),
        Input::TransportError => failed(),
        Input::Timer(_) => (State::Trying { interval }, Actions::new()),
    }
}

fn proceeding(input: Input, values: &TimerValues) -> (State, Actions) {
    match input {
        // RFC 3261 figure 6: passed.
        Input::Response(Class::Provisional) => (State::Proceeding, smallvec![Action::Pass]),
        Input::Response(Class::Success | Class::Refusal) => answered(values),
        // RFC 3261 17.1.2.2: in this state the interval is T2.
        Input::Timer(Timer::E) => {
            (State::Proceeding, smallvec![Action::SendRequest, Action::Start(Timer::E, values.t2)])
        }
        Input::Timer(Timer::F) => (State::Terminated, smallvec![Action::Stop(Timer::E), Action::Timeout]),
        Input::TransportError => failed(),
        Input::Timer(_) => (State::Proceeding, Actions::new()),
    }
}

fn completed(input: Input) -> (State, Actions) {
    match input {
        // RFC 3261 17.1.2.2.
        Input::Timer(Timer::K) => (State::Terminated, Actions::new()),
        // RFC 3261 17.1.2.2: this state is there to absorb retransmitted responses.
        Input::Response(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Completed, Actions::new()),
    }
}

/// RFC 3261 17.1.2.2: a final response is passed, and timer K absorbs its retransmissions.
fn answered(values: &TimerValues) -> (State, Actions) {
    let actions = smallvec![
        Action::Stop(Timer::E),
        Action::Stop(Timer::F),
        Action::Start(Timer::K, values.linger(values.t4)),
        Action::Pass,
    ];
    (State::Completed, actions)
}

/// RFC 3261 17.1.4.
fn failed() -> (State, Actions) {
    (State::Terminated, smallvec![Action::Stop(Timer::E), Action::Stop(Timer::F), Action::Failed])
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;

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
        inputs.extend(Class::ALL.map(Input::Response));
        inputs.push(Input::TransportError);
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

    const TRYING: State = State::Trying { interval: Duration::from_millis(500) };
    const PROVISIONAL: Input = Input::Response(Class::Provisional);
    const ANSWERED: [Action; 4] = [Stop(Timer::E), Stop(Timer::F), Start(Timer::K, Duration::from_secs(5)), Pass];
    const FAILED: [Action; 3] = [Stop(Timer::E), Stop(Timer::F), Failed];

    /// 17.1.2.2: timer F is set to 64*T1, and "If an unreliable transport is in use, the client transaction MUST set
    /// timer E to fire in T1 seconds."
    #[test]
    fn timer_e_starts_for_an_unreliable_transport_only_and_timer_f_for_any() {
        assert_eq!(
            start(&udp()),
            (TRYING, smallvec![SendRequest, Start(Timer::E, ms(500)), Start(Timer::F, ms(32_000))])
        );
        assert_eq!(start(&tcp()), (TRYING, smallvec![SendRequest, Start(Timer::F, ms(32_000))]));
    }

    /// 17.1.2.2: "This results in intervals of 500 ms, 1 s, 2 s, 4 s, 4 s, 4 s, etc."
    #[test]
    fn the_interval_of_timer_e_doubles_up_to_t2() {
        let mut state = TRYING;
        for interval in [1_000, 2_000, 4_000, 4_000, 4_000] {
            let (next, actions) = step(state, Input::Timer(Timer::E), &udp());
            assert_eq!(actions.as_slice(), [SendRequest, Start(Timer::E, ms(interval))]);
            state = next;
        }
    }

    #[test]
    fn trying_does_what_figure_6_says_and_nothing_else() {
        check(
            TRYING,
            &[
                (PROVISIONAL, State::Proceeding, &[Pass]),
                (Input::Response(Class::Success), State::Completed, &ANSWERED),
                (Input::Response(Class::Refusal), State::Completed, &ANSWERED),
                (
                    Input::Timer(Timer::E),
                    State::Trying { interval: ms(1_000) },
                    &[SendRequest, Start(Timer::E, ms(1_000))],
                ),
                (Input::Timer(Timer::F), State::Terminated, &[Stop(Timer::E), Timeout]),
                (Input::TransportError, State::Terminated, &FAILED),
            ],
        );
    }

    /// 17.1.2.2: "If Timer E fires while in the "Proceeding" state, the request MUST be passed to the transport layer
    /// for retransmission, and Timer E MUST be reset with a value of T2 seconds."
    #[test]
    fn proceeding_does_what_figure_6_says_and_nothing_else() {
        check(
            State::Proceeding,
            &[
                (PROVISIONAL, State::Proceeding, &[Pass]),
                (Input::Response(Class::Success), State::Completed, &ANSWERED),
                (Input::Response(Class::Refusal), State::Completed, &ANSWERED),
                (Input::Timer(Timer::E), State::Proceeding, &[SendRequest, Start(Timer::E, ms(4_000))]),
                (Input::Timer(Timer::F), State::Terminated, &[Stop(Timer::E), Timeout]),
                (Input::TransportError, State::Terminated, &FAILED),
            ],
        );
    }

    /// 17.1.2.2: the state exists "to buffer any additional response retransmissions that may be received".
    #[test]
    fn completed_absorbs_everything_until_timer_k() {
        check(State::Completed, &[(Input::Timer(Timer::K), State::Terminated, &[])]);
    }

    /// 17.1.2.2: timer K is "T4 seconds for unreliable transports, and zero seconds for reliable transports".
    #[test]
    fn timer_k_is_zero_on_a_reliable_transport() {
        let (_, actions) = step(TRYING, Input::Response(Class::Success), &tcp());
        assert_eq!(actions.as_slice(), [Stop(Timer::E), Stop(Timer::F), Start(Timer::K, ms(0)), Pass]);
    }

    #[test]
    fn terminated_stays_so() {
        check(State::Terminated, &[]);
    }
}
