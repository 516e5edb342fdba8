//! The INVITE server transaction: RFC 3261 17.2.1 with the state that RFC 6026 7.1 adds.

use super::{Action, Actions, Class, Timer, TimerValues};
use smallvec::smallvec;
use std::time::Duration;

/// How long the exchange may go without a response before the 100 is sent for it (RFC 3261 17.2.1).
const TRYING_AFTER: Duration = Duration::from_millis(200);

/// Its state (the figure of RFC 6026 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No final response yet.
    Proceeding {
        /// Whether any response was sent: a retransmitted INVITE gets it again.
        answered: bool,
    },
    /// Answered with a 2xx, which its leg retransmits itself.
    Accepted,
    /// Refused; the ACK is to come.
    Completed {
        /// The current retransmission interval of the refusal.
        interval: Duration,
    },
    /// The refusal is acknowledged; retransmitted ACKs are absorbed.
    Confirmed,
    /// Over: to be removed.
    Terminated,
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The INVITE came again.
    Invite,
    /// An ACK came in this transaction.
    Ack,
    /// The exchange responds.
    Respond(Class),
    /// A timer went off.
    Timer(Timer),
    /// The network refused a message of ours.
    TransportError,
}

/// RFC 3261 17.2.1: the request is passed; a 100 follows unless the exchange responds within 200 ms.
pub fn start(_values: &TimerValues) -> (State, Actions) {
    (State::Proceeding { answered: false }, smallvec![Action::Pass, Action::Start(Timer::Trying, TRYING_AFTER)])
}

/// The next state, and the actions that lead to it.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Actions) {
    match state {
        State::Proceeding { answered } => proceeding(answered, input, values),
        State::Accepted => accepted(input),
        State::Completed { interval } => completed(interval, input, values),
        State::Confirmed => confirmed(input),
        State::Terminated => (State::Terminated, Actions::new()),
    }
}

fn proceeding(answered: bool, input: Input, values: &TimerValues) -> (State, Actions) {
    let stay = State::Proceeding { answered };
    let stop = Action::Stop(Timer::Trying);
    match input {
        // RFC 3261 17.2.1: a retransmission gets the latest provisional response again.
        Input::Invite if answered => (stay, smallvec![Action::SendResponse]),
        Input::Invite => (stay, Actions::new()),
        // RFC 3261 17.2.1: a 100 unless the user responds within 200 ms.
        Input::Timer(Timer::Trying) => (State::Proceeding { answered: true }, smallvec![Action::SendTrying]),
        // RFC 3261 17.2.1: any number of provisional responses is sent.
        Input::Respond(Class::Provisional) => {
            (State::Proceeding { answered: true }, smallvec![stop, Action::SendResponse])
        }
        // RFC 6026 7.1: a 2xx is sent, and timer L started.
        Input::Respond(Class::Success) => {
            (State::Accepted, smallvec![stop, Action::SendResponse, Action::Start(Timer::L, values.life())])
        }
        // RFC 3261 17.2.1: a refusal is sent, with timer H and, unless the transport is reliable, timer G.
        Input::Respond(Class::Refusal) => {
            let mut actions = smallvec![stop, Action::SendResponse];
            if !values.reliable {
                actions.push(Action::Start(Timer::G, values.t1));
            }
            actions.push(Action::Start(Timer::H, values.life()));
            (State::Completed { interval: values.t1 }, actions)
        }
        // RFC 6026 8.8: a transport error does not change the state. An ACK before a final response is ignored.
        Input::TransportError | Input::Ack | Input::Timer(_) => (stay, Actions::new()),
    }
}

fn accepted(input: Input) -> (State, Actions) {
    match input {
        // RFC 6026 7.1: the exchange's own retransmissions of the 2xx are sent.
        Input::Respond(Class::Success) => (State::Accepted, smallvec![Action::SendResponse]),
        // RFC 6026 7.1: an ACK is passed, never absorbed.
        Input::Ack => (State::Accepted, smallvec![Action::Pass]),
        Input::Timer(Timer::L) => (State::Terminated, Actions::new()),
        // RFC 6026 7.1: a retransmitted INVITE is absorbed without a response.
        Input::Invite
        | Input::Respond(Class::Provisional | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Accepted, Actions::new()),
    }
}

fn completed(interval: Duration, input: Input, values: &TimerValues) -> (State, Actions) {
    let stay = State::Completed { interval };
    match input {
        // RFC 3261 17.2.1: a retransmission gets the refusal again.
        Input::Invite => (stay, smallvec![Action::SendResponse]),
        // RFC 3261 17.2.1: the ACK ends the retransmissions; timer I absorbs further ones.
        Input::Ack => {
            let wait = values.linger(values.t4);
            (State::Confirmed, smallvec![Action::Stop(Timer::G), Action::Stop(Timer::H), Action::Start(Timer::I, wait)])
        }
        // RFC 3261 17.2.1: after T1, 2 T1, 4 T1 and so on, at most T2.
        Input::Timer(Timer::G) => {
            let interval = values.back_off(interval);
            (State::Completed { interval }, smallvec![Action::SendResponse, Action::Start(Timer::G, interval)])
        }
        // RFC 3261 17.2.1: the ACK never came, and this is reported to the user.
        Input::Timer(Timer::H) => (State::Terminated, smallvec![Action::Stop(Timer::G), Action::NotAcked]),
        // RFC 3261 17.2.1: other final responses of the user are discarded. RFC 6026 8.8: errors change nothing.
        Input::Respond(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (stay, Actions::new()),
    }
}

fn confirmed(input: Input) -> (State, Actions) {
    match input {
        // RFC 3261 17.2.1.
        Input::Timer(Timer::I) => (State::Terminated, Actions::new()),
        // RFC 3261 17.2.1: further ACKs, and late INVITEs, are absorbed.
        Input::Ack
        | Input::Invite
        | Input::Respond(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Confirmed, Actions::new()),
    }
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
        inputs.extend(Class::ALL.map(Input::Respond));
        inputs.extend([Input::Invite, Input::Ack, Input::TransportError]);
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

    const SILENT: State = State::Proceeding { answered: false };
    const ANSWERED: State = State::Proceeding { answered: true };
    const COMPLETED: State = State::Completed { interval: Duration::from_millis(500) };
    const PROVISIONAL: Input = Input::Respond(Class::Provisional);
    const SUCCESS: Input = Input::Respond(Class::Success);
    const REFUSAL: Input = Input::Respond(Class::Refusal);
    const STOP: Action = Stop(Timer::Trying);
    const ACCEPT: [Action; 3] = [STOP, SendResponse, Start(Timer::L, Duration::from_secs(32))];
    const REFUSE: [Action; 4] =
        [STOP, SendResponse, Start(Timer::G, Duration::from_millis(500)), Start(Timer::H, Duration::from_secs(32))];

    /// 17.2.1: "The server transaction MUST generate a 100 (Trying) response unless it knows that the TU will generate
    /// a provisional or final response within 200 ms".
    #[test]
    fn a_100_is_due_after_200_ms() {
        assert_eq!(start(&udp()), (SILENT, smallvec![Pass, Start(Timer::Trying, ms(200))]));
    }

    #[test]
    fn proceeding_does_what_figure_7_and_rfc_6026_say_and_nothing_else() {
        check(
            SILENT,
            &[
                (Input::Timer(Timer::Trying), ANSWERED, &[SendTrying]),
                (PROVISIONAL, ANSWERED, &[STOP, SendResponse]),
                (SUCCESS, State::Accepted, &ACCEPT),
                (REFUSAL, COMPLETED, &REFUSE),
            ],
        );
    }

    /// 17.2.1: "If a request retransmission is received while in the "Proceeding" state, the most recent provisional
    /// response that was received from the TU MUST be passed to the transport layer for retransmission."
    #[test]
    fn a_retransmission_gets_the_latest_provisional_response() {
        check(
            ANSWERED,
            &[
                (Input::Invite, ANSWERED, &[SendResponse]),
                (Input::Timer(Timer::Trying), ANSWERED, &[SendTrying]),
                (PROVISIONAL, ANSWERED, &[STOP, SendResponse]),
                (SUCCESS, State::Accepted, &ACCEPT),
                (REFUSAL, COMPLETED, &REFUSE),
            ],
        );
    }

    /// RFC 6026 7.1: retransmitted INVITEs are absorbed, the user's 2xx are sent, ACKs are passed, and timer L ends it.
    #[test]
    fn accepted_absorbs_invites_sends_2xx_and_passes_acks() {
        check(
            State::Accepted,
            &[
                (SUCCESS, State::Accepted, &[SendResponse]),
                (Input::Ack, State::Accepted, &[Pass]),
                (Input::Timer(Timer::L), State::Terminated, &[]),
            ],
        );
    }

    /// 17.2.1: "If an ACK is received while the server transaction is in the "Completed" state, the server transaction
    /// MUST transition to the "Confirmed" state." And of timer H: the transaction "MUST indicate to the TU that a
    /// transaction failure has occurred".
    #[test]
    fn completed_repeats_the_refusal_until_the_ack_or_timer_h() {
        let confirm = [Stop(Timer::G), Stop(Timer::H), Start(Timer::I, ms(5_000))];
        check(
            COMPLETED,
            &[
                (Input::Invite, COMPLETED, &[SendResponse]),
                (Input::Ack, State::Confirmed, &confirm),
                (
                    Input::Timer(Timer::G),
                    State::Completed { interval: ms(1_000) },
                    &[SendResponse, Start(Timer::G, ms(1_000))],
                ),
                (Input::Timer(Timer::H), State::Terminated, &[Stop(Timer::G), NotAcked]),
            ],
        );
    }

    /// 17.2.1: timer G is reset with MIN(2*T1, T2), then doubled again up to T2.
    #[test]
    fn the_interval_of_timer_g_doubles_up_to_t2() {
        let mut state = COMPLETED;
        for interval in [1_000, 2_000, 4_000, 4_000] {
            let (next, actions) = step(state, Input::Timer(Timer::G), &udp());
            assert_eq!(actions.as_slice(), [SendResponse, Start(Timer::G, ms(interval))]);
            state = next;
        }
    }

    /// 17.2.1: "The purpose of the "Confirmed" state is to absorb any additional ACK messages that arrive".
    #[test]
    fn confirmed_absorbs_everything_until_timer_i() {
        check(State::Confirmed, &[(Input::Timer(Timer::I), State::Terminated, &[])]);
    }

    /// 17.2.1: timer G is for unreliable transports, and timer I is "zero seconds for reliable transports".
    #[test]
    fn a_reliable_transport_repeats_nothing_and_waits_for_nothing() {
        assert_eq!(step(SILENT, REFUSAL, &tcp()).1.as_slice(), [STOP, SendResponse, Start(Timer::H, ms(32_000))]);
        let confirm = [Stop(Timer::G), Stop(Timer::H), Start(Timer::I, ms(0))];
        assert_eq!(step(COMPLETED, Input::Ack, &tcp()), (State::Confirmed, confirm.as_slice().into()));
    }

    #[test]
    fn terminated_stays_so() {
        check(State::Terminated, &[]);
    }
}
