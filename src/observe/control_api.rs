//! What a console command may see and ask of the exchange. The daemon implements it over the switch.

use std::net::IpAddr;

use super::feature_rows::FeatureRows;
use super::provision_rows::PhoneControl;
use super::quality_rows::SoundReports;
use super::snapshot::{
    Accounts, ChannelDetail, ChannelRow, ConnectionRow, CoreSettings, Counters, HintRow, InUse, ManualPage, PeerDetail,
    PeerRow, Settings, SipChannelRow, SubscriptionRow, SystemCounts, Uptime, UserRow, Version,
};

/// Whose SIP messages go to the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SipDebug {
    /// Nobody's.
    Off,
    /// Everybody's.
    On,
    /// Those from and to one address; every port when none is named.
    Address(IpAddr, Option<u16>),
    /// Those from and to a peer, wherever it registers.
    Peer(String),
}

/// Whose RTP packets go to the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtpDebug {
    /// Nobody's.
    Off,
    /// Everybody's.
    On,
    /// Those from and to one address; every port when none is named.
    Address(IpAddr, Option<u16>),
}

/// A command to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOrder {
    /// List its targets.
    Show,
    /// Rotate every file.
    Rotate,
    /// Read logger.conf again, and reopen every file.
    Reload,
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// At once; the calls that exist get a BYE.
    Now,
    /// When the last call has ended; no new one is taken.
    Gracefully,
}

/// What follows when the exchange has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    End,
    /// It starts again.
    Restart,
}

/// What a console asked to reload. All of the configuration is, whatever was asked for: its files are checked together.
/// It decides the first line of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    /// Everything.
    All,
    /// sip.conf.
    Sip,
    /// extensions.conf.
    Dialplan,
    /// What a module of Asterisk reads.
    Module(String),
}

/// What the dialplan is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manual {
    /// Its applications.
    Applications,
    /// Its functions.
    Functions,
}

/// What a call has that a console begins, when it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginateGoal {
    /// One application, with its arguments.
    Application(String, String),
    /// An extension, and its context.
    Extension(String, String),
}

/// What a console orders that is done at once or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleOrder {
    /// Begin a call.
    Originate {
        /// Whom to call, `SIP/kitchen`.
        target: String,
        /// What it has then.
        goal: OriginateGoal,
    },
    /// Set a global variable of the dialplan.
    SetGlobal {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Take back a graceful stop or restart.
    AbortStop,
}

/// The outcome of a hang-up request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// The channel exists and was asked to end.
    Requested,
    /// There is no such channel.
    Unknown,
}

/// The outcome of sending a channel elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// It goes on there.
    Done,
    /// There is no such channel.
    Unknown,
    /// It cannot go there: why.
    Failed(String),
}

/// The outcome of qualifying a peer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualify {
    /// The request was sent.
    Asked,
    /// It has no `qualify=`.
    NotMonitored,
    /// It is not registered, and no address of it is configured.
    NoAddress,
    /// There is no such peer.
    Unknown,
}

/// The outcome of notifying a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// It was sent.
    Sent,
    /// It is not registered, and no address of it is configured.
    NoAddress,
    /// There is no such peer.
    UnknownPeer,
    /// There is no such type.
    UnknownType,
}

/// The outcome of removing a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unregister {
    /// It was registered, and is not any more.
    Done,
    /// It was not registered.
    NotRegistered,
    /// There is no such peer.
    Unknown,
}

/// The exchange as a console command sees it. No call waits: each returns what the switch knows at that moment.
pub trait ControlApi {
    /// All peers, in any order.
    fn peers(&self) -> Vec<PeerRow>;
    /// One peer; `None` when none has that name.
    fn peer(&self, name: &str) -> Option<PeerDetail>;
    /// Our accounts elsewhere: registrations and mailboxes.
    fn accounts(&self) -> Accounts;
    /// All channels, newest first.
    fn channels(&self) -> Vec<ChannelRow>;
    /// One channel; `None` when none has that name.
    fn channel(&self, name: &str) -> Option<ChannelDetail>;
    /// The TCP and TLS connections, oldest first.
    fn connections(&self) -> Vec<ConnectionRow>;
    /// The SIP dialogs of calls, oldest first.
    fn sip_channels(&self) -> Vec<SipChannelRow>;
    /// The peers that may place calls to us, in any order.
    fn users(&self) -> Vec<UserRow>;
    /// How many channels each peer has, in any order.
    fn in_use(&self) -> Vec<InUse>;
    /// The subscriptions, oldest first.
    fn subscriptions(&self) -> Vec<SubscriptionRow>;
    /// The hints of the dialplan, by context and extension.
    fn hints(&self) -> Vec<HintRow>;
    /// The codes in mid-call, and the lots with the calls that wait in them.
    fn features(&self) -> FeatureRows;
    /// How the sound of calls comes, and what tests of lines found.
    fn sound(&self) -> Box<dyn SoundReports + '_>;
    /// Telephones that fetch their files.
    fn phones(&self) -> &dyn PhoneControl;
    /// The dialplan's applications or its functions, by name.
    fn manual(&self, of: Manual) -> Vec<ManualPage>;
    /// The process, and since when it runs.
    fn core_settings(&self) -> CoreSettings;
    /// The names of the dialplan's contexts, for completion.
    fn contexts(&self) -> Vec<String>;
    /// The global variables of the dialplan, by name.
    fn globals(&self) -> Vec<(String, String)>;
    /// How many channels and calls there are and were.
    fn counts(&self) -> SystemCounts;
    /// How long it has been running.
    fn uptime(&self) -> Uptime;
    /// Which program this is.
    fn version(&self) -> Version;
    /// The settings of `[general]`.
    fn settings(&self) -> Settings;
    /// What was dropped, and why.
    fn counters(&self) -> Counters;
    /// The configuration is read, the ports are bound, calls are taken.
    fn is_fully_booted(&self) -> bool;
    /// The dialplan as `dialplan show` prints it: all of it, one context, or what `number@context` meets.
    /// The error is the line that says what does not exist.
    fn dialplan(&self, filter: Option<&str>) -> Result<String, String>;
    /// Sets whose SIP messages are shown; returns whether any were before. The peer named exists.
    fn set_sip_debug(&mut self, what: SipDebug) -> bool;
    /// Sets whose RTP packets are shown.
    fn set_rtp_debug(&mut self, what: RtpDebug);
    /// Commands the log. Disks may be slow: the output of the line is the outcome, when it is there, and not that of
    /// the command.
    fn log(&mut self, what: LogOrder);
    /// Asks a channel to end.
    fn hang_up(&mut self, channel: &str) -> HangUp;
    /// Has a channel go on at `[[context,]extension,]priority`.
    fn redirect(&mut self, channel: &str, place: &str) -> Redirect;
    /// The key/value database: full names (`/family/key`) and values, in order; registrations stand in `/SIP/Registry`.
    fn database(&self) -> Vec<(String, String)>;
    /// Sets an entry of it. The error is the reason.
    fn database_put(&mut self, path: &str, value: &str) -> Result<(), String>;
    /// Deletes entries of it: the one of that name, or with `below` it and everything below; returns how many there
    /// were.
    fn database_delete(&mut self, path: &str, below: bool) -> usize;
    /// The types of `sip notify`, by name.
    fn notify_types(&self) -> Vec<String>;
    /// Sends a peer the NOTIFY of a type.
    fn notify(&mut self, kind: &str, peer: &str) -> Notify;
    /// Qualifies a peer now.
    fn qualify(&mut self, peer: &str) -> Qualify;
    /// Removes the registration of a peer.
    fn unregister(&mut self, peer: &str) -> Unregister;
    /// Carries out an order. The error is the reason why it is not.
    fn order(&mut self, order: ConsoleOrder) -> Result<(), String>;
    /// Asks the exchange to end, and what is to be then.
    fn stop(&mut self, when: Stop, then: Then);
    /// Requests a reload. The output of the line is the outcome, when it is there, and not that of the command.
    fn reload(&mut self, what: Reload);
}
