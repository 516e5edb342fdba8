//! The options that have no effect: those accepted because nothing is lost, and those we know and do not support.

use super::option::{Effect, OptionRow, Scope};
use crate::config::value::{FALSE_WORDS, TRUE_WORDS};

/// Nothing fits: the option is always something ignored.
const NEVER: &[&str] = &[];

const fn accepted(scope: Scope, names: &'static [&'static str], why: &'static str) -> OptionRow {
    OptionRow { names, values: "", default: "", help: why, scope, effect: Effect::Accepted, guards: false }
}

/// `fits`: the values that ask for what happens anyway.
const fn unsupported(
    scope: Scope,
    names: &'static [&'static str],
    fits: &'static [&'static str],
    instead: &'static str,
) -> OptionRow {
    OptionRow { names, values: "", default: "", help: instead, scope, effect: Effect::Unsupported(fits), guards: false }
}

const fn refused(
    scope: Scope,
    names: &'static [&'static str],
    fits: &'static [&'static str],
    instead: &'static str,
) -> OptionRow {
    OptionRow { names, values: "", default: "", help: instead, scope, effect: Effect::Refused(fits), guards: true }
}

use Scope::{Both, General, Peer};

pub(super) const ROWS: &[OptionRow] = &[
    // Who may call.
    unsupported(
        General,
        &["alwaysauthreject"],
        TRUE_WORDS,
        "unknown names are always answered like wrong passwords, so that names cannot be guessed",
    ),
    unsupported(
        General,
        &["autocreatepeer"],
        FALSE_WORDS,
        "anyone could register as anything, and so nobody can: give each device a section with a secret",
    ),
    unsupported(
        General,
        &["dynamic_exclude_static", "dynamic_excludes_static"],
        FALSE_WORDS,
        "write 'contactdeny' lines for the addresses of static peers",
    ),
    unsupported(General, &["domainsasrealm"], FALSE_WORDS, "one realm serves all: set 'realm'"),
    accepted(General, &["auth_message_requests"], "text messages are challenged as calls are, whatever it says"),
    unsupported(Both, &["disallowed_methods"], NEVER, "methods we support are few: take the line out"),
    accepted(General, &["authfailureevents"], "there is no manager interface; the log tells failures"),
    // Transports.
    accepted(
        General,
        &["tlscapath", "tlscadir"],
        "the certificates of authorities are in one file: name it in 'tlscafile'",
    ),
    accepted(
        General,
        &["tlscipher", "tlsclientmethod", "tlsservercipherorder", "tlsdisablev1", "tlsdisablev11", "tlsdisablev12"],
        "TLS 1.2 and 1.3 with their safe ciphers are spoken, and nothing older",
    ),
    accepted(General, &["tlsverifyclient"], "devices prove themselves by their secret, not by a certificate"),
    accepted(General, &["websocket_enabled", "websocket_write_timeout"], "there are no web sockets; nothing listens"),
    // Addresses.
    accepted(
        General,
        &["subscribe_network_change_event"],
        "a change of our address is noticed and registered by itself",
    ),
    // Providers.
    unsupported(Peer, &["header"], NEVER, "extra headers are not sent"),
    // Registrations and subscriptions.
    unsupported(General, &["regextenonqualify"], FALSE_WORDS, "'regexten' follows registration only"),
    unsupported(Peer, &["hasvoicemail"], FALSE_WORDS, "there is no voice mail yet: 'mailbox' names a mailbox"),
    // The protocol.
    unsupported(General, &["pedantic"], TRUE_WORDS, "headers and tags are always read as RFC 3261 says"),
    unsupported(General, &["compactheaders"], FALSE_WORDS, "headers are written in full; short ones are understood"),
    unsupported(
        General,
        &["legacy_useroption_parsing"],
        FALSE_WORDS,
        "parameters in the user part are kept as they are",
    ),
    accepted(General, &["t1min"], "T1 is never lowered below 'timert1'"),
    accepted(General, &["qualifypeers"], "'qualifygap' spreads the requests one by one"),
    accepted(General, &["refer_addheaders"], "our own REFER has Referred-By and nothing else beside Refer-To"),
    unsupported(Both, &["use_q850_reason"], FALSE_WORDS, "no Reason header is sent"),
    unsupported(General, &["storesipcause"], FALSE_WORDS, "the log tells the response a call ended with"),
    unsupported(
        Both,
        &["allowoverlap"],
        &["yes", "true", "on", "no", "false", "off"],
        "a number is dialled as a whole",
    ),
    unsupported(Both, &["ignoresdpversion"], FALSE_WORDS, "every SDP whose content changed is followed"),
    unsupported(Both, &["snom_aoc_enabled"], FALSE_WORDS, "no advice of charge is sent"),
    accepted(Both, &["discard_remote_hold_retrieval"], "hold is passed on as it comes"),
    accepted(General, &["recordhistory", "dumphistory"], "'sip set debug on' shows messages as they come"),
    // Identity.
    unsupported(Both, &["rpid_update", "rpid_immediate"], FALSE_WORDS, "connected-line updates are not sent"),
    accepted(
        General,
        &["shrinkcallerid"],
        "'callerid' is told without brackets, dots, dashes and blanks; a device's own number as it sends it",
    ),
    unsupported(Peer, &["cid_tag", "trunkname"], NEVER, "write 'callerid' instead"),
    // Media.
    unsupported(General, &["directrtpsetup"], FALSE_WORDS, "direct media is arranged by re-INVITE: 'directmedia=yes'"),
    unsupported(General, &["prematuremedia"], EITHER, "early media is passed on as it comes"),
    accepted(Both, &["maxcallbitrate"], "the devices agree on video's bit rate among themselves"),
    unsupported(
        Both,
        &["preferred_codec_only"],
        FALSE_WORDS,
        "both sides' common codecs are offered: 'allow' one codec to force it",
    ),
    unsupported(
        Both,
        &["autoframing"],
        FALSE_WORDS,
        "packets pass as they come; ask for a packet time with 'allow=ulaw:20'",
    ),
    unsupported(Peer, &["ignore_requested_pref"], FALSE_WORDS, "the caller's codec order is kept"),
    unsupported(Both, &["g726nonstandard"], FALSE_WORDS, "G.726 passes as it comes"),
    unsupported(
        Both,
        &["rfc2833compensate"],
        FALSE_WORDS,
        "telephone events whose timestamp moves within one event are understood without it",
    ),
    unsupported(General, &["relaxdtmf"], FALSE_WORDS, "the limits for digits in the sound are fixed"),
    unsupported(
        Both,
        &["faxdetect"],
        FALSE_WORDS,
        "fax tones are not listened for, which modems need: give fax an extension of its own",
    ),
    unsupported(
        Both,
        &["t38pt_usertpsource"],
        FALSE_WORDS,
        "where T.38 comes from is learned of its own packets, as with sound: 'nat=comedia'",
    ),
    unsupported(Both, &["rtcp_mux"], FALSE_WORDS, "RTCP has a port of its own"),
    unsupported(
        Both,
        &["jbenable", "jbforce"],
        FALSE_WORDS,
        "packets pass at once, which modems need: the device's own jitter buffer does the work",
    ),
    accepted(
        General,
        &["jbmaxsize", "jbresyncthreshold", "jbimpl", "jbtargetextra", "jblog"],
        "there is no jitter buffer; 'jbenable' says so",
    ),
    accepted(General, &["tos_video", "tos_text"], "all media are marked as 'tos_audio' says"),
    accepted(General, &["cos_video", "cos_text"], "802.1p marks are the network card's"),
    unsupported(
        General,
        &["cos_sip", "cos_audio"],
        &["0"],
        "802.1p marks are the network card's: use 'tos_sip' and 'tos_audio'",
    ),
    // Encryption: whoever asks for it must not get unencrypted calls.
    refused(
        Peer,
        &["encryption"],
        FALSE_WORDS,
        "SRTP is not supported: write 'encryption=no' if calls may be heard on the network",
    ),
    unsupported(General, &["encryption"], FALSE_WORDS, "SRTP is not supported: calls can be heard on the network"),
    accepted(Both, &["encryption_taglen"], "SRTP is not supported; 'encryption' says so"),
    unsupported(
        Both,
        &["avpf", "force_avp", "icesupport", "dtlsenable"],
        FALSE_WORDS,
        "browsers (WebRTC) are not supported",
    ),
    accepted(
        Both,
        &[
            "dtlsverify",
            "dtlsrekey",
            "dtlscertfile",
            "dtlsprivatekey",
            "dtlscipher",
            "dtlscafile",
            "dtlscapath",
            "dtlssetup",
            "dtlsfingerprint",
            "dtlsautogeneratecert",
        ],
        "browsers (WebRTC) are not supported; 'dtlsenable' says so",
    ),
    unsupported(Peer, &["rtp_engine"], &["asterisk"], "there is one RTP engine"),
    // Counting.
    accepted(Both, &["callcounter"], "calls are always counted; 'call-limit' limits them"),
    unsupported(Both, &["recordonfeature", "recordofffeature"], NEVER, "recording from the phone is not supported"),
    unsupported(
        Peer,
        &["amaflags"],
        &["default", "omit", "billing", "documentation"],
        "call records carry no such mark",
    ),
    unsupported(Both, &["useclientcode"], FALSE_WORDS, "call records carry no client code"),
    unsupported(
        Peer,
        &[
            "cc_agent_policy",
            "cc_monitor_policy",
            "cc_offer_timer",
            "ccnr_available_timer",
            "ccbs_available_timer",
            "cc_recall_timer",
            "cc_max_agents",
            "cc_max_monitors",
            "cc_callback_macro",
            "cc_callback_sub",
            "cc_agent_dialstring",
        ],
        NEVER,
        "call completion is not supported",
    ),
    // Databases.
    unsupported(
        General,
        &["rtcachefriends", "rtsavesysname", "rtsavepath", "rtautoclear"],
        FALSE_WORDS,
        "peers come from files only",
    ),
    accepted(General, &["rtupdate", "ignoreregexpire"], "peers come from files only"),
];

/// Both values are accepted: the feature is missing and its default is on, so that naming it does not mean that it is
/// needed.
const EITHER: &[&str] = &["yes", "true", "y", "t", "1", "on", "no", "false", "n", "f", "0", "off"];
