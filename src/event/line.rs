//! What happens to lines: their registrations, whether they answer, and the ways to them.

use crate::wording::Outside;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How a line answered when it was asked whether it is there (`qualify=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachability {
    /// In time: milliseconds.
    Reachable(u32),
    /// Too late: milliseconds.
    Lagged(u32),
    /// Not at all.
    Unreachable,
    /// It is asked no more, or was not yet.
    Unknown,
}

/// Why a REGISTER that asked for something the configuration does not allow was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterRefusal {
    /// The line is configured at a fixed address.
    NotDynamic {
        /// That address, or its host name.
        home: String,
        /// Where its section stands.
        section: String,
    },
    /// Calls were to go through a proxy (Path) that is not configured.
    PathNotAllowed,
    /// A `sips:` contact, and something on the way to it is not secured by TLS (RFC 5630).
    NotSecured {
        /// The contact.
        contact: Outside,
        /// What is not.
        reason: &'static str,
    },
    /// The address of the contact is excluded by `contactpermit` and `contactdeny`.
    ContactDenied {
        /// The address.
        address: IpAddr,
    },
    /// The address of the contact cannot be that of a telephone.
    UnusableContact {
        /// The address.
        address: IpAddr,
        /// Why not.
        reason: &'static str,
    },
}

/// Something that happened to a line. `line` is the name of its peer.
#[derive(Debug, Clone, PartialEq)]
pub enum LineEvent {
    /// A telephone answered `sip notify`, or did not.
    Notified {
        /// Which.
        line: String,
        /// Its status; none: it did not answer.
        status: Option<u16>,
    },
    /// A line registered where it was not registered before.
    Registered {
        /// Which.
        line: String,
        /// Where it is called.
        address: SocketAddr,
    },
    /// Two telephones take one account from each other: each registers, and so the other is not called any more.
    Contested {
        /// Whose.
        line: String,
        /// The one that is registered now: where its REGISTER came from, and its User-Agent.
        registered: (SocketAddr, Outside),
        /// The one it displaced.
        displaced: (SocketAddr, Outside),
        /// How often that happened since the last report; none for the first.
        repeated: Option<u64>,
    },
    /// A line registered and asks to be called over another transport, which is not done.
    TransportNotUsed {
        /// Which.
        line: String,
        /// Where its REGISTER came from.
        source: SocketAddr,
        /// The transport it asks for.
        transport: Outside,
        /// The URI that names it.
        uri: Outside,
        /// Why it is not used.
        reason: &'static str,
    },
    /// A REGISTER was refused.
    RegisterRefused {
        /// Whose.
        line: String,
        /// Where it came from.
        source: SocketAddr,
        /// Why.
        reason: RegisterRefusal,
    },
    /// A registration ran out.
    Expired {
        /// Whose.
        line: String,
        /// Where it was.
        address: SocketAddr,
        /// For how long it had been granted.
        granted: Duration,
    },
    /// A line whose registration ran out is registered again.
    Returned {
        /// Which.
        line: String,
        /// How long it was away.
        away: Duration,
    },
    /// A line has no registration any more: it removed its own, or the console did.
    Unregistered {
        /// Whose.
        line: String,
    },
    /// Registrations from before a restart are in force again.
    Restored {
        /// How many.
        registrations: usize,
    },
    /// A registration was removed because the new configuration has no place for it.
    RegistrationDropped {
        /// Whose.
        line: String,
        /// Where it was.
        address: SocketAddr,
        /// The line has a fixed address now; otherwise it is not configured any more.
        is_fixed: bool,
    },
    /// A line that is asked whether it is there changed its state.
    Qualified {
        /// Which.
        line: String,
        /// Its state now.
        now: Reachability,
        /// The limit that `qualify=` sets, in milliseconds.
        limit_ms: u32,
        /// The latest round trip before, in milliseconds.
        last_ms: u32,
        /// How long it had been unreachable, when it is no more.
        away: Option<Duration>,
        /// Where it was asked.
        address: Option<SocketAddr>,
        /// How many OPTIONS it left unanswered before it was given up.
        attempts: u32,
    },
    /// A line is called though it is slow to answer.
    Lagged {
        /// Which.
        line: String,
        /// Its latest round trip, in milliseconds.
        ms: u32,
        /// The limit that `qualify=` sets, in milliseconds.
        limit_ms: u64,
    },
    /// The server of a line that has several does not answer `qualify=`: the next one is used.
    ServerFailed {
        /// Which line.
        line: String,
        /// The one that does not answer.
        server: String,
        /// The one used now.
        next: String,
    },
    /// The host name of a line resolves to another address now.
    Moved {
        /// Which.
        line: String,
        /// The address.
        address: SocketAddr,
    },
    /// A line came over a transport that its `transport=` leaves out.
    TransportRefused {
        /// Which.
        line: String,
        /// Where it came from.
        address: SocketAddr,
        /// What it came over.
        transport: String,
        /// Where its section stands.
        section: String,
    },
    /// An extension of `regexten=` appeared.
    ExtensionAdded {
        /// The extension.
        exten: String,
        /// Its context.
        context: String,
    },
    /// An extension of `regexten=` is gone.
    ExtensionRemoved {
        /// The extension.
        exten: String,
        /// Its context.
        context: String,
    },
    /// Nothing can be sent to an address.
    NotSent {
        /// Where to.
        address: SocketAddr,
        /// Over what.
        transport: String,
        /// Why.
        reason: String,
    },
    /// A connection is closed.
    ConnectionClosed {
        /// With whom.
        address: SocketAddr,
        /// What carried it.
        transport: String,
        /// Why.
        reason: Outside,
        /// The lines that were registered over it, each with where it is called instead; none: out of reach.
        lines: Vec<(String, Option<SocketAddr>)>,
    },
    /// A new configuration is in force.
    Reloaded {
        /// Peers there are now.
        peers: usize,
        /// Peers that are new.
        added: usize,
        /// Peers that are gone.
        removed: usize,
        /// Contexts there are now.
        contexts: usize,
    },
}
