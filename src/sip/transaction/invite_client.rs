//! The INVITE client transaction: RFC 3261 17.1.1 with the state that RFC 6026 7.2 adds.

use super::{Action, Actions, Class, Timer, TimerValues};
use smallvec::smallvec;
use std::time::Duration;

/// Its state (the figure of RFC 6026 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sent, no response yet.
    Calling {
        /// The current retransmission interval.
        interval: Duration,
    },
    /// No response came in time, which the user knows. Nothing is sent any more; a late response is still passed, so
    /// that what it tells of can be ended (RFC 3261 9.1, 13.2.2.4).
    Silent,
    /// A provisional response came.
    Proceeding,
    /// A 2xx came; further ones may follow.
    Accepted,
    /// Refused and acknowledged; retransmitted refusals may follow.
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
    /// We sent a CANCEL for it.
    Cancelled,
    /// Nobody wants it any more, and it got no response: it is not sent again.
    GivenUp,
    /// The network refused a message of ours.
    TransportError,
}

/// RFC 3261 17.1.1.2: the request goes out, with timer B and, unless the transport is reliable, timer A.
pub fn start(values: &TimerValues) -> (State, Actions) {
    let mut actions = smallvec![Action::SendRequest];
    if !values.reliable {
        actions.push(Action::Start(Timer::A, values.t1));
    }
    actions.push(Action::Start(Timer::B, values.invite_timeout));
    (State::Calling { interval: values.t1 }, actions)
}

/// The next state, and the actions that lead to it.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Actions) {
    match state {
        State::Calling { interval } => calling(interval, input, values),
        State::Silent => silent(input, values),
        State::Proceeding => proceeding(input, values),
        State::Accepted => accepted(input),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Actions::new()),
    }
}

fn calling(interval: Duration, input: Input, values: &TimerValues) -> (State, Actions) {
    let stop = [Action::Stop(Timer::A), Action::Stop(Timer::B)];
    match input {
        // RFC 3261 17.1.1.2: a provisional response ends the retransmissions, and timer B with them.
        Input::Response(Class::Provisional) => (State::Proceeding, joined(&stop, &[Action::Pass])),
        // RFC 6026 7.2: a 2xx is passed and timer M started.
        Input::Response(Class::Success) => {
            (State::Accepted, joined(&stop, &[Action::Start(Timer::M, values.life()), Action::Pass]))
        }
        // RFC 3261 17.1.1.2: a refusal is acknowledged and passed, and timer D started.
        Input::Response(Class::Refusal) => (State::Completed, joined(&stop, &refused(values))),
        // RFC 3261 17.1.1.2: retransmitted after T1, 2 T1, 4 T1 and so on, without an upper limit.
        Input::Timer(Timer::A) => {
            let interval = interval.saturating_mul(2);
            (State::Calling { interval }, smallvec![Action::SendRequest, Action::Start(Timer::A, interval)])
        }
        // RFC 3261 17.1.1.2: the timeout is reported to the user; no ACK is sent.
        Input::Timer(Timer::B) if values.late.is_zero() => {
            (State::Terminated, smallvec![Action::Stop(Timer::A), Action::Timeout])
        }
        Input::Timer(Timer::B) => {
            (State::Silent, smallvec![Action::Stop(Timer::A), Action::Start(Timer::Late, values.late), Action::Timeout])
        }
        Input::GivenUp => (State::Silent, joined(&stop, &[Action::Start(Timer::Late, values.late)])),
        // RFC 3261 17.1.4.
        Input::TransportError => (State::Terminated, joined(&stop, &[Action::Failed])),
        // RFC 3261 9.1: nothing is cancelled before a provisional response.
        Input::Timer(_) | Input::Cancelled => (State::Calling { interval }, Actions::new()),
    }
}

fn silent(input: Input, values: &TimerValues) -> (State, Actions) {
    let stop = Action::Stop(Timer::Late);
    match input {
        Input::Response(Class::Provisional) => (State::Proceeding, smallvec![stop, Action::Pass]),
        Input::Response(Class::Success) => {
            (State::Accepted, smallvec![stop, Action::Start(Timer::M, values.life()), Action::Pass])
        }
        Input::Response(Class::Refusal) => (State::Completed, joined(&[stop], &refused(values))),
        Input::Timer(Timer::Late) => (State::Terminated, Actions::new()),
        Input::TransportError => (State::Terminated, smallvec![stop]),
        Input::Timer(_) | Input::Cancelled | Input::GivenUp => (State::Silent, Actions::new()),
    }
}

fn proceeding(input: Input, values: &TimerValues) -> (State, Actions) {
    let stop = Action::Stop(Timer::Cancelled);
    match input {
        // RFC 3261 17.1.1.2: any further provisional responses are passed.
        Input::Response(Class::Provisional) => (State::Proceeding, smallvec![Action::Pass]),
        // RFC 6026 7.2.
        Input::Response(Class::Success) => {
            (State::Accepted, smallvec![stop, Action::Start(Timer::M, values.life()), Action::Pass])
        }
        // RFC 3261 17.1.1.2.
        Input::Response(Class::Refusal) => (State::Completed, joined(&[stop], &refused(values))),
        // RFC 3261 9.1: without a final response 64 × T1 after the CANCEL the transaction is given up.
        Input::Cancelled => (State::Proceeding, smallvec![Action::Start(Timer::Cancelled, values.life())]),
        Input::Timer(Timer::Cancelled) => (State::Terminated, smallvec![Action::Timeout]),
        // RFC 3261 figure 5: nothing of ours is under way in this state, and no timer but the user's own runs.
        Input::Timer(_) | Input::TransportError | Input::GivenUp => (State::Proceeding, Actions::new()),
    }
}

fn accepted(input: Input) -> (State, Actions) {
    match input {
        // RFC 6026 7.2: every 2xx is passed, whether a retransmission or from another fork.
        Input::Response(Class::Success) => (State::Accepted, smallvec![Action::Pass]),
        // RFC 6026 7.2.
        Input::Timer(Timer::M) => (State::Terminated, Actions::new()),
        // The figure of RFC 6026 7.2: everything else is ignored.
        Input::Response(Class::Provisional | Class::Refusal)
        | Input::Timer(_)
        | Input::Cancelled
        | Input::GivenUp
        | Input::TransportError => (State::Accepted, Actions::new()),
    }
}

fn completed(input: Input) -> (State, Actions) {
    match input {
        // RFC 3261 17.1.1.2: a retransmitted refusal is acknowledged again and not passed.
        Input::Response(Class::Refusal) => (State::Completed, smallvec![Action::SendAck]),
        // RFC 3261 17.1.1.2.
        Input::Timer(Timer::D) => (State::Terminated, Actions::new()),
        // RFC 3261 17.1.1.2: the ACK could not be sent.
        Input::TransportError => (State::Terminated, smallvec![Action::Stop(Timer::D), Action::Failed]),
        Input::Response(Class::Provisional | Class::Success) | Input::Timer(_) | Input::Cancelled | Input::GivenUp => {
            (State::Completed, Actions::new())
        }
    }
}

fn refused(values: &TimerValues) -> [Action; 3] {
    [Action::SendAck, Action::Start(Timer::D, values.linger(values.acknowledge)), Action::Pass]
}

fn joined(first: &[Action], then: &[Action]) -> Actions {
    first.iter().chain(then).copied().collect()
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
        inputs.extend([Input::Cancelled, Input::GivenUp, Input::TransportError]);
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

    const CALLING: State = State::Calling { interval: Duration::from_millis(500) };
    const PROVISIONAL: Input = Input::Response(Class::Provisional);
    const SUCCESS: Input = Input::Response(Class::Success);
    const REFUSAL: Input = Input::Response(Class::Refusal);

    /// 17.1.1.2: "If an unreliable transport is being used, the client transaction MUST start timer A with a value of
    /// T1. [...] For any transport, the client transaction MUST start timer B with a value of 64*T1 seconds".
    #[test]
    fn timer_a_starts_for_an_unreliable_transport_only_and_timer_b_for_any() {
        assert_eq!(
            start(&udp()),
            (CALLING, smallvec![SendRequest, Start(Timer::A, ms(500)), Start(Timer::B, ms(32_000))])
        );
        assert_eq!(start(&tcp()), (CALLING, smallvec![SendRequest, Start(Timer::B, ms(32_000))]));
        let early = TimerValues { invite_timeout: ms(6_000), ..udp() };
        assert_eq!(start(&early).1.last(), Some(&Start(Timer::B, ms(6_000))));
    }

    /// 17.1.1.2: "When timer A fires, the client transaction MUST retransmit the request [...] and MUST reset the timer
    /// with a value of 2*T1. [...] When timer A fires 2*T1 seconds later, the request MUST be retransmitted again".
    #[test]
    fn the_interval_of_timer_a_doubles_without_an_upper_limit() {
        let mut state = CALLING;
        for interval in [1_000, 2_000, 4_000, 8_000, 16_000] {
            let (next, actions) = step(state, Input::Timer(Timer::A), &udp());
            assert_eq!(actions.as_slice(), [SendRequest, Start(Timer::A, ms(interval))]);
            state = next;
        }
    }

    #[test]
    fn calling_does_what_figure_5_and_rfc_6026_say_and_nothing_else() {
        let (a, b) = (Stop(Timer::A), Stop(Timer::B));
        check(
            CALLING,
            &[
                (PROVISIONAL, State::Proceeding, &[a, b, Pass]),
                (SUCCESS, State::Accepted, &[a, b, Start(Timer::M, ms(32_000)), Pass]),
                (REFUSAL, State::Completed, &[a, b, SendAck, Start(Timer::D, ms(32_000)), Pass]),
                (
                    Input::Timer(Timer::A),
                    State::Calling { interval: ms(1_000) },
                    &[SendRequest, Start(Timer::A, ms(1_000))],
                ),
                (Input::Timer(Timer::B), State::Terminated, &[a, Timeout]),
                (Input::GivenUp, State::Silent, &[a, b, Start(Timer::Late, ms(0))]),
                (Input::TransportError, State::Terminated, &[a, b, Failed]),
            ],
        );
    }

    /// 17.1.1.2: "If the client transaction is still in the "Calling" state when timer B fires, the client transaction
    /// SHOULD inform the TU that a timeout has occurred. The client transaction MUST NOT generate an ACK."
    #[test]
    fn what_got_no_response_in_time_is_sent_no_more_and_a_late_response_is_passed() {
        let values = TimerValues { late: ms(180_000), ..udp() };
        let late = [Stop(Timer::A), Start(Timer::Late, ms(180_000)), Timeout];
        assert_eq!(step(CALLING, Input::Timer(Timer::B), &values), (State::Silent, late.into_iter().collect()));
        let stop = Stop(Timer::Late);
        check(
            State::Silent,
            &[
                (PROVISIONAL, State::Proceeding, &[stop, Pass]),
                (SUCCESS, State::Accepted, &[stop, Start(Timer::M, ms(32_000)), Pass]),
                (REFUSAL, State::Completed, &[stop, SendAck, Start(Timer::D, ms(32_000)), Pass]),
                (Input::Timer(Timer::Late), State::Terminated, &[]),
                (Input::TransportError, State::Terminated, &[stop]),
            ],
        );
    }

    #[test]
    fn proceeding_does_what_figure_5_and_rfc_6026_say_and_nothing_else() {
        let stop = Stop(Timer::Cancelled);
        check(
            State::Proceeding,
            &[
                (PROVISIONAL, State::Proceeding, &[Pass]),
                (SUCCESS, State::Accepted, &[stop, Start(Timer::M, ms(32_000)), Pass]),
                (REFUSAL, State::Completed, &[stop, SendAck, Start(Timer::D, ms(32_000)), Pass]),
                (Input::Cancelled, State::Proceeding, &[Start(Timer::Cancelled, ms(32_000))]),
                (Input::Timer(Timer::Cancelled), State::Terminated, &[Timeout]),
            ],
        );
    }

    /// RFC 6026 7.2: the state exists to pass 2xx responses to the user until timer M fires.
    #[test]
    fn accepted_passes_every_2xx_and_ends_with_timer_m() {
        check(
            State::Accepted,
            &[(SUCCESS, State::Accepted, &[Pass]), (Input::Timer(Timer::M), State::Terminated, &[])],
        );
    }

    /// 17.1.1.2: "Any retransmissions of the final response that are received while in the "Completed" state MUST cause
    /// the ACK to be re-passed to the transport layer for retransmission, but the newly received response MUST NOT be
    /// passed up to the TU."
    #[test]
    fn completed_acknowledges_again_and_passes_nothing_up() {
        check(
            State::Completed,
            &[
                (REFUSAL, State::Completed, &[SendAck]),
                (Input::Timer(Timer::D), State::Terminated, &[]),
                (Input::TransportError, State::Terminated, &[Stop(Timer::D), Failed]),
            ],
        );
    }

    /// 17.1.1.2: timer D is "at least 32 seconds for unreliable transports, and a value of zero seconds for reliable
    /// transports".
    #[test]
    fn timer_d_is_zero_on_a_reliable_transport() {
        let (_, actions) = step(State::Proceeding, REFUSAL, &tcp());
        assert_eq!(actions.as_slice(), [Stop(Timer::Cancelled), SendAck, Start(Timer::D, ms(0)), Pass]);
    }

    #[test]
    fn terminated_stays_so() {
        check(State::Terminated, &[]);
    }
}
