//! The rows of the table of commands whose first word is `sip`.

use super::row::{Command, Completion};
use super::{quality, reload, sip, sip_line, sip_objects, subscription};

/// `sip notify`.
pub(super) const NOTIFY: Command = Command {
    words: "sip notify",
    arguments: "TYPE PEER [PEER...]",
    synopsis: "Have telephones restart or read their configuration",
    help: "Sends each peer the NOTIFY of a type: one of sip_notify.conf, or one that is built in\n\
           (linksys-check-cfg, cisco-check-cfg, snom-reboot ...; an unknown type lists them).",
    complete: &[Completion::NotifyType, Completion::Peer],
    run: sip_line::notify,
};

/// `sip qualify peer`.
pub(super) const QUALIFY_PEER: Command = Command {
    words: "sip qualify peer",
    arguments: "NAME [load]",
    synopsis: "Qualify a peer now",
    help: "Sends OPTIONS to the peer at once, as qualify= does at intervals.\n\
           'load' is accepted, and changes nothing.",
    complete: &[Completion::Peer, Completion::Word("load")],
    run: sip_line::qualify_peer,
};

/// `sip reload`.
pub(super) const RELOAD: Command = Command {
    words: "sip reload",
    arguments: "",
    synopsis: "Reload the configuration",
    help: "As 'core reload'.",
    complete: &[],
    run: reload::sip,
};

/// `sip set debug ip`.
pub(super) const SET_DEBUG_IP: Command = Command {
    words: "sip set debug ip",
    arguments: "ADDRESS[:PORT]",
    synopsis: "Show the SIP messages of one address",
    help: "Shows every SIP message from and to that address.\n\
           Put an IPv6 address with a port in brackets.",
    complete: &[],
    run: sip::debug_ip,
};

/// `sip set debug off`.
pub(super) const SET_DEBUG_OFF: Command = Command {
    words: "sip set debug off",
    arguments: "",
    synopsis: "Stop showing SIP messages",
    help: "Ends what 'sip set debug on', 'ip' or 'peer' started.",
    complete: &[],
    run: sip::debug_off,
};

/// `sip set debug on`.
pub(super) const SET_DEBUG_ON: Command = Command {
    words: "sip set debug on",
    arguments: "",
    synopsis: "Show all SIP messages",
    help: "Shows every SIP message received or sent.\n\
           There are many; 'sip set debug off' ends it.",
    complete: &[],
    run: sip::debug_on,
};

/// `sip set debug peer`.
pub(super) const SET_DEBUG_PEER: Command = Command {
    words: "sip set debug peer",
    arguments: "NAME",
    synopsis: "Show the SIP messages of one peer",
    help: "Shows every SIP message from and to the address that peer has registered.",
    complete: &[Completion::Peer],
    run: sip::debug_peer,
};

/// `sip show channels`.
pub(super) const SHOW_CHANNELS: Command = Command {
    words: "sip show channels",
    arguments: "",
    synopsis: "Show the SIP dialogs of calls",
    help: "Lists the current SIP dialogs.",
    complete: &[],
    run: sip_line::show_channels,
};

/// `sip show channelstats`.
pub(super) const SHOW_CHANNELSTATS: Command = Command {
    words: "sip show channelstats",
    arguments: "[--json]",
    synopsis: "Show packets, losses and jitter of calls",
    help: "Lists for each channel what came from its line, and what its line reports by RTCP of what it\n\
           was sent. Packets beyond 100,000 are shown in thousands (K), jitter in seconds.\n\
           'rtp show quality' says more. --json: all of it, for programs, a channel a line.",
    complete: &[],
    run: quality::channel_stats,
};

/// `sip show counters`.
pub(super) const SHOW_COUNTERS: Command = Command {
    words: "sip show counters",
    arguments: "",
    synopsis: "Show dropped messages by reason",
    help: "Lists how many messages were dropped since the start, for each reason.",
    complete: &[],
    run: sip::show_counters,
};

/// `sip show domains`.
pub(super) const SHOW_DOMAINS: Command = Command {
    words: "sip show domains",
    arguments: "",
    synopsis: "Show the SIP domains that are ours",
    help: "Lists domain= of sip.conf, and our addresses with autodomain=yes.",
    complete: &[],
    run: sip_objects::domains,
};

/// `sip show inuse`.
pub(super) const SHOW_INUSE: Command = Command {
    words: "sip show inuse",
    arguments: "[all]",
    synopsis: "Show how many calls each peer has",
    help: "Lists the peers with a call-limit: channels in use, ringing and on hold, and the limit.\n\
           'all' lists the other peers, too.",
    complete: &[Completion::Word("all")],
    run: sip_line::show_inuse,
};

/// `sip show objects`.
pub(super) const SHOW_OBJECTS: Command = Command {
    words: "sip show objects",
    arguments: "",
    synopsis: "Show the peers and dialogs as objects",
    help: "Lists the peers, those with an address, and the dialogs, each with how often it is in use.",
    complete: &[],
    run: sip_objects::objects,
};

/// `sip show peer`.
pub(super) const SHOW_PEER: Command = Command {
    words: "sip show peer",
    arguments: "NAME [load]",
    synopsis: "Show one peer in detail",
    help: "Shows the settings and the state of a peer. 'load' is accepted, and changes nothing.",
    complete: &[Completion::Peer, Completion::Word("load")],
    run: sip::show_peer,
};

/// `sip show peers`.
pub(super) const SHOW_PEERS: Command = Command {
    words: "sip show peers",
    arguments: "[like REGEX]",
    synopsis: "Show the peers",
    help: "Lists the peers with their address and status.\n\
           'like' takes a regular expression for the name.",
    complete: &[Completion::Word("like")],
    run: sip::show_peers,
};

/// `sip show registry`.
pub(super) const SHOW_REGISTRY: Command = Command {
    words: "sip show registry",
    arguments: "",
    synopsis: "Show our registrations with other servers",
    help: "Lists our own registrations (register=, callbackextension=) with their state.\n\
           Refresh: in how many seconds each is renewed; Reg.Time: when it was granted last.",
    complete: &[],
    run: sip_line::show_registry,
};

/// `sip show mwi`.
pub(super) const SHOW_MWI: Command = Command {
    words: "sip show mwi",
    arguments: "",
    synopsis: "Show the mailboxes elsewhere that we have ourselves told of",
    help: "Lists the mailboxes of 'mwi =>' lines, and whether their host tells us of them.\n\
           The name of a mailbox is cut at ten letters, as in Asterisk: 'mailbox show' has it whole.",
    complete: &[],
    run: sip_line::show_mwi,
};

/// `sip show settings`.
pub(super) const SHOW_SETTINGS: Command = Command {
    words: "sip show settings",
    arguments: "",
    synopsis: "Show the general SIP settings",
    help: "Shows what [general] of sip.conf sets.",
    complete: &[],
    run: sip::show_settings,
};

/// `sip show subscriptions`.
pub(super) const SHOW_SUBSCRIPTIONS: Command = Command {
    words: "sip show subscriptions",
    arguments: "",
    synopsis: "Show who watches what",
    help: "Lists the subscriptions: where each telephone is, what it watches, the state it\nwas told, and for how many seconds it lasts.",
    complete: &[],
    run: subscription::show_subscriptions,
};

/// `sip show tcp`.
pub(super) const SHOW_TCP: Command = Command {
    words: "sip show tcp",
    arguments: "",
    synopsis: "Show the TCP and TLS connections",
    help: "Lists the connections: Server are those others opened, Client those we opened.",
    complete: &[],
    run: sip_line::show_tcp,
};

/// `sip show users`.
pub(super) const SHOW_USERS: Command = Command {
    words: "sip show users",
    arguments: "",
    synopsis: "Show the peers that may place calls",
    help: "Lists the peers of type user and friend. Shows whether a secret is set, never which.",
    complete: &[],
    run: sip_line::show_users,
};

/// `sip unregister`.
pub(super) const UNREGISTER: Command = Command {
    words: "sip unregister",
    arguments: "NAME",
    synopsis: "Remove a peer's registration",
    help: "Removes the registration of a peer until it registers again. Its calls continue.",
    complete: &[Completion::Peer],
    run: sip_line::unregister,
};
