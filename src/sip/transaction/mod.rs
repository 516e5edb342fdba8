//! Transactions (RFC 3261 17, RFC 6026): four state machines without messages, and the table that connects them to
//! messages.

mod client_table;
mod derive;
mod given;
pub mod invite_client;
pub mod invite_server;
mod key;
pub mod non_invite_client;
pub mod non_invite_server;
mod reference;
mod server_table;
pub mod table;
mod timers;

use super::Flow;
use smallvec::SmallVec;
use std::time::Duration;

pub use given::{Given, GivenProof};
pub use reference::{Reference, ReferenceChange};
pub use table::{
    Account, Answer, ClientId, ClientRequest, Expired, Incoming, Refused, Sending, ServerId, Transactions, Transmit,
};

/// The durations of RFC 3261 17 (its table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerValues {
    /// T1, the estimated round-trip time: the first retransmission interval.
    pub t1: Duration,
    /// T2, the longest interval between retransmissions of anything but an INVITE request.
    pub t2: Duration,
    /// T4, the longest a message may stay in the network.
    pub t4: Duration,
    /// Timer B: how long an INVITE may stay without any response.
    pub invite_timeout: Duration,
    /// How long a response to an INVITE that got none in time is still heard: a telephone whose every response was lost
    /// may ring. Nothing is sent again meanwhile.
    pub late: Duration,
    /// Timer F: how long another request may stay without a final response.
    pub non_invite_timeout: Duration,
    /// Timer D: how long retransmitted refusals of an INVITE are acknowledged.
    pub acknowledge: Duration,
    /// A reliable transport (TCP, TLS): nothing is retransmitted, and retransmissions are not waited for.
    pub reliable: bool,
}

impl TimerValues {
    /// The values that follow from T1 on an unreliable transport.
    pub fn with_t1(t1: Duration) -> TimerValues {
        TimerValues {
            t1,
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            invite_timeout: t1.saturating_mul(64),
            late: Duration::ZERO,
            non_invite_timeout: t1.saturating_mul(64),
            acknowledge: Duration::from_secs(32),
            reliable: false,
        }
    }

    /// The same values over this flow: TCP and TLS are reliable.
    fn over(self, flow: Flow) -> TimerValues {
        TimerValues { reliable: self.reliable || flow.transport.is_reliable(), ..self }
    }

    /// 64 × T1, the lifetime of a transaction (timers H, J, L and M).
    pub fn life(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// A wait that only serves an unreliable transport: nothing on a reliable one (timers D, I, J, K).
    fn linger(&self, wait: Duration) -> Duration {
        if self.reliable { Duration::ZERO } else { wait }
    }

    /// Twice the interval, at most T2 (timers E and G).
    fn back_off(&self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.t2)
    }
}

impl Default for TimerValues {
    /// RFC 3261 17.1.1.1: T1 is 500 ms.
    fn default() -> TimerValues {
        TimerValues::with_t1(Duration::from_millis(500))
    }
}

/// The timers of a transaction, by the letters of RFC 3261 17 and RFC 6026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// INVITE request again.
    A,
    /// INVITE request unanswered.
    B,
    /// End of the wait for retransmitted refusals of an INVITE.
    D,
    /// Other request again.
    E,
    /// Other request unanswered.
    F,
    /// Refusal of an INVITE again.
    G,
    /// Refusal of an INVITE not acknowledged.
    H,
    /// End of the wait for retransmitted ACKs.
    I,
    /// End of the wait for retransmitted requests.
    J,
    /// End of the wait for retransmitted responses.
    K,
    /// End of an accepted INVITE at its server (RFC 6026).
    L,
    /// End of an accepted INVITE at its client (RFC 6026).
    M,
    /// 200 ms without a response of the exchange: the 100 is due (RFC 3261 17.2.1, which gives it no letter).
    Trying,
    /// A cancelled INVITE without a final response (RFC 3261 9.1, no letter either).
    Cancelled,
    /// End of the wait for late responses to an INVITE that got none in time (no letter either).
    Late,
}

/// What a step of a state machine requires, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the request, or send it again.
    SendRequest,
    /// Acknowledge the response just received, a refusal of our INVITE (RFC 3261 17.1.1.3).
    SendAck,
    /// Send the latest response, for the first time or again.
    SendResponse,
    /// Make a 100 and send it.
    SendTrying,
    /// Start this timer, or start it anew.
    Start(Timer, Duration),
    /// Stop this timer.
    Stop(Timer),
    /// Pass the message just received to the transaction user.
    Pass,
    /// Report to the user that no response came in time.
    Timeout,
    /// Report to the user that the request could not be sent.
    Failed,
    /// Report to the user that our refusal was never acknowledged.
    NotAcked,
}

/// The actions of one step: seldom more than three.
pub type Actions = SmallVec<[Action; 4]>;

/// The class of a response: all that the state machines need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 300 to 699.
    Refusal,
}

impl Class {
    /// The class of a status.
    pub fn of(status: u16) -> Class {
        match status {
            0..=199 => Class::Provisional,
            200..=299 => Class::Success,
            300.. => Class::Refusal,
        }
    }
}

#[cfg(test)]
impl Timer {
    const ALL: [Timer; 15] = [
        Timer::A,
        Timer::B,
        Timer::D,
        Timer::E,
        Timer::F,
        Timer::G,
        Timer::H,
        Timer::I,
        Timer::J,
        Timer::K,
        Timer::L,
        Timer::M,
        Timer::Trying,
        Timer::Cancelled,
        Timer::Late,
    ];
}

#[cfg(test)]
impl Class {
    const ALL: [Class; 3] = [Class::Provisional, Class::Success, Class::Refusal];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3261 17.1.1.1, 17.1.2.2 and table 4.
    #[test]
    fn the_default_values_are_those_of_the_rfc() {
        let values = TimerValues::default();
        assert_eq!((values.t1, values.t2, values.t4), (ms(500), ms(4_000), ms(5_000)));
        assert_eq!(
            (values.invite_timeout, values.non_invite_timeout, values.life()),
            (ms(32_000), ms(32_000), ms(32_000))
        );
        assert_eq!(values.acknowledge, ms(32_000));
    }

    #[test]
    fn a_response_belongs_to_its_class() {
        let classes = [100, 183, 199, 200, 299, 300, 699].map(Class::of);
        use Class::{Provisional as P, Refusal as R, Success as S};
        assert_eq!(classes, [P, P, P, S, S, R, R]);
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}
