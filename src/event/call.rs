//! What happens on calls.

use super::log::Level;
use std::net::SocketAddr;
use std::time::Duration;

/// What a stream's ports counted until they were closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamTotals {
    /// RTP packets accepted from the peer.
    pub received: u64,
    /// RTP packets sent to the peer.
    pub sent: u64,
    /// RTP packets missing in the peer's sequence.
    pub lost: u64,
    /// Packets dropped because they came from elsewhere.
    pub strangers: u64,
}

/// Something that happened on a call. `channel`, `caller`, `callee` are channel names (`SIP/kitchen-0000002a`), `line` the name of
/// a peer.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// A call was refused before the dialplan.
    Rejected {
        /// Whose call.
        line: String,
        /// Where it came from.
        source: SocketAddr,
        /// The number dialled.
        exten: String,
        /// Who should see it.
        level: Level,
        /// Why.
        reason: String,
    },
    /// `Dial` sent an INVITE.
    Called {
        /// What was dialled, `SIP/name`.
        target: String,
    },
    /// `Dial` cannot call a target.
    NotCalled {
        /// What was dialled.
        target: String,
        /// Why.
        reason: String,
    },
    /// The caller's side is secured by TLS (`sips:`), the called line's is not (RFC 5630 5.1.1.3).
    NotSecured {
        /// What was dialled.
        target: String,
        /// What carries its signalling.
        transport: String,
    },
    /// A called line rings.
    Ringing {
        /// Its channel.
        channel: String,
    },
    /// A called line sends early media, which the caller hears.
    Progress {
        /// The called line's channel.
        channel: String,
        /// The caller's channel.
        caller: String,
    },
    /// A called line's early media cannot be passed on.
    ProgressNotPassed {
        /// The called line's channel.
        channel: String,
        /// Why.
        reason: String,
    },
    /// A called line sends the call elsewhere (3xx).
    Redirected {
        /// Its channel.
        channel: String,
        /// Where to: a URI.
        target: String,
        /// Its status.
        status: u16,
        /// Its own words.
        words: String,
    },
    /// A called line did not take the call.
    NotTaken {
        /// Its channel.
        channel: String,
        /// The Q.850 cause.
        cause: u16,
        /// Why.
        reason: String,
    },
    /// Another line answered first.
    AnsweredElsewhere {
        /// The channel that rang in vain.
        channel: String,
        /// Why it rings no more, with the channel that answered.
        reason: String,
    },
    /// A called line answered.
    Answered {
        /// Its channel.
        callee: String,
        /// The caller's channel.
        caller: String,
    },
    /// Nobody answered within the time that `Dial` was given.
    NobodyAnswered {
        /// How long it rang.
        after: Duration,
    },
    /// Every line of a `Dial` failed.
    AllFailed {
        /// None was busy, congested or unavailable: they just did not answer.
        no_answer: bool,
        /// Lines tried, busy, congested, unavailable.
        counts: [u32; 4],
    },
    /// Media goes directly between two lines now.
    MediaDirect {
        /// The first channel.
        a: String,
        /// The second channel.
        b: String,
    },
    /// Both lines answer each new offer from another port: their media stays on the relay.
    MediaChased {
        /// The first channel.
        a: String,
        /// The second channel.
        b: String,
    },
    /// A line refused direct media: the call stays on the relay.
    DirectMediaRefused {
        /// The whole sentence of the table of reasons.
        reason: String,
    },
    /// A bridge between two channels ended.
    BridgeEnded {
        /// The first channel.
        a: String,
        /// The second channel.
        b: String,
        /// How long it lasted.
        after: Duration,
        /// Media was direct at its end.
        direct: bool,
    },
    /// A new offer in mid-call is refused; the call goes on as it was.
    OfferRefused {
        /// Who made it.
        channel: String,
        /// It was to be passed on to the other line.
        forwarded: bool,
        /// Why.
        reason: String,
    },
    /// Its peer hung up.
    HungUp {
        /// The channel.
        channel: String,
    },
    /// A call that failed, or ended badly, is over.
    Ended {
        /// The caller's line.
        line: String,
        /// The number dialled.
        exten: String,
        /// It had been answered.
        answered: bool,
        /// Who should see it.
        level: Level,
        /// Why.
        reason: String,
    },
    /// Strict RTP settled on a source.
    SourceLearned {
        /// The channel.
        channel: String,
        /// The source.
        source: SocketAddr,
    },
    /// A line asks for media at an address to which nothing is sent.
    UnroutableMedia {
        /// Its channel.
        channel: String,
        /// The line.
        line: String,
        /// The address.
        address: SocketAddr,
    },
    /// There are no ports for a medium beside voice: the call goes on without it.
    NoPortsForMedium {
        /// The channel.
        channel: String,
        /// Which medium.
        medium: &'static str,
        /// Why.
        reason: String,
    },
    /// A line from which media was expected never sent any.
    NoMedia {
        /// Its channel.
        channel: String,
        /// The sentence of the table of reasons.
        reason: String,
    },
    /// A stream's ports are closed.
    StreamClosed {
        /// Its channel.
        channel: String,
        /// What it counted.
        totals: StreamTotals,
    },
    /// The exchange could not play to a channel.
    NotPlayed {
        /// Why, with the channel.
        reason: String,
    },
}
