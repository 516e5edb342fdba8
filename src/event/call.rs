//! What happens on calls.

use super::handover::Handover;
use super::log::Level;
use super::quality::{LineQuality, TwoClocks};
use crate::linetest::report::Report;
use crate::wording::Outside;
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
    /// RTP packets of the peer dropped because they came too long before its answer.
    pub early: u64,
}

/// How many lines of a `Dial` failed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DialCounts {
    /// Lines tried.
    pub tried: u32,
    /// Busy.
    pub busy: u32,
    /// No way through.
    pub congested: u32,
    /// Not there, refused, or not reachable.
    pub unavailable: u32,
}

/// Something that happened on a call. `channel`, `caller`, `callee` are channel names (`SIP/kitchen-0000002a`), `line`
/// the name of a peer.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// A call was refused before the dialplan.
    Rejected {
        /// Whose call.
        line: String,
        /// Where it came from.
        source: SocketAddr,
        /// The number dialled.
        exten: Outside,
        /// Who should see it.
        level: Level,
        /// Why.
        reason: String,
    },
    /// `Dial` sent an INVITE.
    Called {
        /// The caller's channel.
        caller: String,
        /// What was dialled, `SIP/name`.
        target: Outside,
        /// Which of its servers is called, when it has several.
        server: Option<String>,
    },
    /// A server of a line that has several does not take a call: the next is called.
    ServerFailed(ServerFailure),
    /// `Dial` cannot call a target.
    NotCalled {
        /// The caller's channel.
        caller: String,
        /// What was dialled.
        target: Outside,
        /// Why.
        reason: String,
    },
    /// The caller's side is secured by TLS (`sips:`), the called line's is not (RFC 5630 5.1.1.3).
    NotSecured {
        /// The caller's channel.
        caller: String,
        /// What was dialled.
        target: Outside,
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
    /// A call that the exchange began has begun, or has not.
    Originated {
        /// Which, as whoever asked for it names it.
        ticket: u64,
        /// `ORIGINATE_STATUS`.
        status: &'static str,
    },
    /// A called line sends the call elsewhere (3xx).
    Redirected {
        /// Its channel.
        channel: String,
        /// Where to: a URI.
        target: Outside,
        /// Its status.
        status: u16,
        /// Its own words.
        words: Outside,
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
        /// The channel that answered.
        by: String,
    },
    /// A call is picked up, parked, or taken back.
    Handover(Handover),
    /// A called line answered.
    Answered {
        /// Its channel.
        callee: String,
        /// The caller's channel.
        caller: String,
    },
    /// Nobody answered within the time that `Dial` was given.
    NobodyAnswered {
        /// The caller's channel.
        caller: String,
        /// How long it rang.
        after: Duration,
    },
    /// Every line of a `Dial` failed.
    AllFailed {
        /// The caller's channel.
        caller: String,
        /// None was busy, congested or unavailable: they just did not answer.
        no_answer: bool,
        /// How many lines failed, and how.
        counts: DialCounts,
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
        /// Who refused.
        channel: String,
        /// Its status.
        status: u16,
        /// The first channel.
        a: String,
        /// The second channel.
        b: String,
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
    /// A line sent a text message within a call (MESSAGE).
    Text {
        /// Its channel.
        channel: String,
        /// The channel it is for; none when there is nobody.
        to: Option<String>,
        /// The status it was refused with; none when it was passed on.
        refused: Option<u16>,
    },
    /// A line sent information in mid-call (INFO): a digit, a hook flash.
    Info {
        /// Its channel.
        channel: String,
        /// The channel it is for; none when there is nobody.
        to: Option<String>,
        /// The type of what it sent.
        kind: Outside,
        /// The status it was refused with; none when it was passed on.
        refused: Option<u16>,
    },
    /// A line was measured (`LineTest`).
    LineTested(Box<Report>),
    /// The dialplan tells of something of its own (`UserEvent`).
    User {
        /// The channel it runs on.
        channel: String,
        /// The event's name.
        name: Outside,
        /// What belongs to it: keys and values.
        fields: Vec<(Outside, Outside)>,
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
        exten: Outside,
        /// It had been answered.
        answered: bool,
        /// Who should see it.
        level: Level,
        /// Why.
        reason: String,
    },
    /// A telephone is reached elsewhere in mid-call: by a REGISTER, or a request of the call, from there.
    Moved {
        /// Its channel.
        channel: String,
        /// The line.
        line: String,
        /// Where it was.
        before: SocketAddr,
        /// Where it is.
        address: SocketAddr,
    },
    /// The keys of a telephone cannot be heard, or do not reach the line it talks to.
    DigitFault {
        /// Its channel.
        channel: String,
        /// Why, and the cure.
        reason: String,
    },
    /// A telephone was to be sent digits and was not.
    DigitsNotSent {
        /// Its channel.
        channel: String,
        /// Why.
        reason: String,
    },
    /// A modem takes part in a call: what a line's options ask for when RTP does not come or go is not done.
    ModemSpared {
        /// Whose options.
        channel: String,
        /// The options, as sip.conf has them.
        options: String,
        /// The line with the modem.
        modem: String,
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
        /// The line.
        line: String,
        /// How long the call was up.
        after: Duration,
        /// Where its media was to come from.
        source: SocketAddr,
        /// Packets that came from elsewhere.
        strangers: u64,
    },
    /// The sound of a line does not arrive, in one direction or both.
    SoundFault {
        /// Its channel.
        channel: String,
        /// The line.
        line: String,
        /// What is wrong, and the cure.
        reason: String,
    },
    /// A stream's ports are closed.
    StreamClosed {
        /// Its channel.
        channel: String,
        /// Which medium, when it is not voice.
        medium: Option<&'static str>,
        /// What it counted.
        totals: StreamTotals,
        /// How its sound came; none when none did, or it was no sound.
        quality: Option<Box<LineQuality>>,
    },
    /// The clocks of two lines that talked are known.
    Clocks(TwoClocks),
    /// The exchange could not play to a channel.
    NotPlayed {
        /// The channel.
        channel: String,
        /// Why, in a sentence that names the channel.
        reason: String,
    },
}

/// How a server of a line failed that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFailure {
    /// The channel at the one that failed.
    pub channel: String,
    /// That server.
    pub server: String,
    /// Why.
    pub reason: Outside,
    /// The one that is called now.
    pub next: String,
}
