//! Why a call was refused, not answered, or ended badly: THE table of reasons, each with what the caller's telephone
//! and the dialplan are told, and the sentence for people. The switch says it once, when the call is over, and keeps it
//! in the record.

use super::cause;
use crate::dialplan::DialStatus;
use crate::event::Level;
use crate::wording::outside;

/// One row of the table.
pub struct Row {
    /// Which.
    pub reason: FailureReason,
    /// `HANGUPCAUSE` (Q.850); 0: as the line's own status, or the dialplan, has it.
    pub cause: u16,
    /// The SIP status a caller gets who was not answered, when the dialplan does nothing else; 0: as `cause`, or none.
    pub status: u16,
    /// `DIALSTATUS`; none: no Dial was concerned, or as `cause`.
    pub dial: Option<DialStatus>,
    /// Who should see the line.
    pub level: Level,
    /// The sentence: each `{word}` is filled in.
    pub text: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

macro_rules! reasons {
    ($($reason:ident $cause:literal $status:literal $dial:expr, $level:expr, $text:literal, $advice:literal;)*) => {
        /// The reasons; [`FailureReason::row`] has what is known of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum FailureReason {
            $(#[doc = $text] $reason,)*
        }

        impl FailureReason {
            /// Every reason, in the order of the table.
            pub const ALL: &[FailureReason] = &[$(FailureReason::$reason,)*];

            /// Its row.
            pub fn row(self) -> Row {
                match self {
                    $(FailureReason::$reason => Row {
                        reason: self, cause: $cause, status: $status, dial: $dial, level: $level, text: $text, advice: $advice,
                    },)*
                }
            }
        }
    };
}

const BUSY: Option<DialStatus> = Some(DialStatus::Busy);
const UNAVAILABLE: Option<DialStatus> = Some(DialStatus::ChanUnavail);
/// How calls end every day: part of the story, no fault of anything.
const EVERYDAY: Level = Level::Verbose(3);

reasons! {
    // Refused before the dialplan.
    NoSuchExtension 1 404 None, Level::Notice, "the extension was not found in context '{context}'.{nearest}",
        "`dialplan show CONTEXT` lists what that context has; `context=` of the caller's section says which context it dials in";
    Incomplete 28 484 None, EVERYDAY, "the number is not complete in context '{context}'",
        "the telephone may go on dialling";
    CallerLimit 44 480 None, Level::Notice, "call-limit={limit} reached",
        "end another call of it (`core show channels`), or raise `call-limit=`";
    Stopping 41 503 None, Level::Notice, "the exchange is stopping",
        "wait until it has started again";
    TooMany 34 503 None, Level::Warning, "{number} lines are busy already, as many as there may be",
        "`core show channels` tells whose they are";
    HopsSpent 25 483 None, Level::Notice, "it has passed through as many exchanges as it may (Max-Forwards: 0); do they pass it round in a ring?",
        "no dialplan may send a call back to an exchange that it came through; `maxforwards=` of a trunk says how many a call may pass";
    Unreadable 95 488 None, Level::Notice, "its media description cannot be read: {error}",
        "update the telephone; `sip set debug on` shows what it sent";
    UnfitBody 79 0 None, Level::Notice, "its body or its Accept is of no use here ({status}, '{kind}')",
        "the telephone must describe its call by SDP (application/sdp), and mark what else it sends as optional";
    // For want of something to speak.
    NoVoice 58 488 UNAVAILABLE, Level::Notice, "'{line}' offers no voice stream (an m=audio line with RTP/AVP, a port and a format)",
        "turn SRTP off in the telephone; a call begins with voice, and changes to fax by T.38 later";
    NoCodec 58 488 UNAVAILABLE, Level::Notice, "no codec in common: offered {codecs}; {allows}",
        "the exchange converts nothing: set the telephones to G.711 (ulaw; in Europe alaw), or `allow=` what is offered in the sections of both";
    NoPorts 34 503 Some(DialStatus::Congestion), Level::Warning,
        "no RTP ports are left ({error}); rtpstart= and rtpend= in rtp.conf set how many there are",
        "make the range wider: a call takes four ports, and four more each for video, text and fax; `core show channels` tells of calls that hang";
    // Dial finds nobody to ring.
    NoTechnology 66 503 UNAVAILABLE, Level::Notice, "there is no '{technology}' here, only SIP and Local",
        "write `SIP/name` in Dial()";
    NoSuchPeer 20 503 UNAVAILABLE, Level::Notice, "there is no peer '{line}' in sip.conf{nearest}",
        "correct the name in Dial(), or add the section; a section left out with an error is not there (`strowger check`)";
    NotCallable 20 503 UNAVAILABLE, Level::Notice, "'{line}' is type=user: it may call, not be called",
        "`type=friend` lets it do both";
    NeverRegistered 20 503 UNAVAILABLE, Level::Notice, "'{line}' is not registered, and was not since the exchange started at {time}",
        "see [a telephone does not register](phone-does-not-register.md)";
    Expired 20 503 UNAVAILABLE, Level::Notice, "'{line}' is not registered: its registration ran out {span} ago, at {time}",
        "is it switched on and on the network? See [a telephone does not register](phone-does-not-register.md)";
    SignedOff 20 503 UNAVAILABLE, Level::Notice, "'{line}' is not registered: it was unregistered {span} ago, at {time}",
        "the telephone did so itself (many do when they are restarted), or `sip unregister` did";
    NoHost 20 503 UNAVAILABLE, Level::Notice, "'{line}' has no address: its section of sip.conf has no host= that can be read",
        "`host=dynamic` for a telephone that registers, or its address";
    NoAddress 20 503 UNAVAILABLE, Level::Notice, "host name {host} of '{line}' does not resolve",
        "is `host=` right? `getent hosts NAME` asks this machine's resolver the same";
    Unreachable 20 503 UNAVAILABLE, Level::Notice, "'{line}' has been UNREACHABLE for {span}, since {time}: it answers no OPTIONS (qualify=)",
        "is it switched on, has it another address now? If it is only slow, raise `qualify=` (`yes` is 2000 ms); if it never answers OPTIONS, `qualify=no`";
    LocalNowhere 20 503 UNAVAILABLE, Level::Notice, "there is no extension {exten} in context '{context}' for Local/",
        "`dialplan show CONTEXT` lists what that context has; without `@context` it is `default`";
    LocalLoop 20 503 UNAVAILABLE, Level::Warning, "Local/{exten}@{context} calls itself over and over",
        "an extension that dials `Local/` must not lead back to itself";
    CalleeLimit 17 486 BUSY, Level::Notice, "Call to peer '{line}' rejected due to usage limit of {limit} (call-limit=)",
        "`core show channels` shows its calls; raise `call-limit=` if it can take more";
    HostUnknown 20 503 UNAVAILABLE, Level::Notice, "host {host} has no section in sip.conf, and is not found: {error}",
        "is the name right? `getent hosts NAME` asks this machine's resolver the same; a peer with `host=` is looked up beforehand, with SRV";
    HostRefused 20 503 UNAVAILABLE, Level::Warning, "host {host} ({address}) is not called: {why}",
        "another host in Dial()";
    TrunkFull 34 503 Some(DialStatus::Congestion), Level::Notice, "all {number} calls that '{line}' may have are in progress ({option}=)",
        "`core show channels` shows them; raise the limit if the provider takes more, or dial the next one: `Dial(SIP/${EXTEN}@two)` behind it";
    MinutesSpent 34 503 Some(DialStatus::Congestion), Level::Warning, "'{line}' has had its {minutes} of calls for today (max_minutes=)",
        "`database show TrunkSeconds` tells how long the calls of today were; `database del TrunkSeconds NAME` gives the day back";
    NumberForbidden 52 503 UNAVAILABLE, Level::Notice, "{number} may not be called by '{line}' (allow_numbers=, forbid_numbers=)",
        "the longest beginning of the number that one of both names decides";
    // A line that was called did not take it.
    Busy 17 486 BUSY, EVERYDAY, "'{line}' is busy ({status})",
        "the line itself says so: off hook, or a modem that did not hang up";
    Declined 21 503 UNAVAILABLE, EVERYDAY, "'{line}' declined the call ({status})",
        "somebody pressed a key, or do-not-disturb is on";
    Refused 0 0 None, Level::Notice, "'{line}' refused the call ({status})",
        "403, 404: is the user in its Contact the one it expects? 480: do-not-disturb, no line. 488: it wants another codec. 500: its own log";
    ForwardLoop 20 503 UNAVAILABLE, Level::Notice, "'{line}' forwards the call to {place}, where it was forwarded before, or once too often ({count} times until then)",
        "two telephones forward to each other, or one to itself: look at the forwarding set in the telephone";
    ForwardNowhere 20 503 UNAVAILABLE, Level::Notice, "'{line}' forwards the call to {exten}, which is not in context '{context}'",
        "the number set in the telephone is looked up in the context of its own line, as if it had dialled it";
    NoAnswer 19 480 Some(DialStatus::NoAnswer), EVERYDAY, "nobody picked up {lines} within {span}",
        "the second argument of Dial() is how long it rings. A modem: does it answer (`ATS0=1`)?";
    NoResponse 18 503 UNAVAILABLE, Level::Notice, "'{line}' at {address} did not answer the call at all for {span}",
        "it was switched off or its address changed since it registered; `qualify=yes` notices such lines before somebody calls";
    Unsendable 27 503 UNAVAILABLE, Level::Notice, "nothing can be sent to '{line}' at {address}: {error}",
        "the network of this machine: `ip route get ADDRESS`, a cable, a firewall here";
    NoDescription 58 488 UNAVAILABLE, Level::Notice, "'{line}' answered without a media description that can be read",
        "update the telephone; `sip set debug on` shows what it sent";
    HungUpEarly 16 603 Some(DialStatus::NoAnswer), Level::Notice, "'{line}' hung up before it answered",
        "look at the telephone's own log";
    ByConsole 16 603 None, EVERYDAY, "hung up from the console",
        "nothing";
    AnsweredElsewhere 26 0 None, EVERYDAY, "answered elsewhere, by {line}",
        "nothing: of several that ring, one answered";
    // The call as a whole.
    CallerGaveUp 16 487 Some(DialStatus::Cancel), EVERYDAY, "the caller hung up before the answer",
        "nothing, unless the caller's telephone is impatient";
    NotAcked 18 0 None, Level::Warning,
        "no ACK from '{line}' in 32 s: our 200 OK was sent to {address}, the Contact of the telephone is {contact}, and its ACK should come to {ours} (NAT, a wrong Contact, a firewall?)",
        "see [a call drops after 32 seconds](call-drops-after-32-seconds.md)";
    Undescribed 58 0 None, Level::Notice,
        "'{line}' left the offer to the exchange, and acknowledged it without an answer that can be used: there is nowhere to send sound",
        "update the telephone, or have it offer in its INVITE; `sip set debug on` shows what its ACK says";
    Gone 18 0 None, Level::Notice, "'{line}' does not know the call any more",
        "it was restarted in mid-call, or another telephone has its address now";
    NotRefreshed 102 0 None, Level::Notice, "'{line}' did not refresh the call (session timer): it is ended",
        "it vanished in mid-call, or its refresh does not arrive here; `session-timers=refuse` asks for none";
    NoRtp 44 0 None, Level::Notice, "nothing was heard of '{line}' for {span} ({option}=): the call is ended",
        "it vanished in mid-call, or its sound does not arrive here (`rtp set debug on`); a line that is silent on purpose needs a longer time, or 0";
    Vanished 27 0 None, Level::Notice,
        "{lines} cannot be reached any more (UNREACHABLE, or not registered), and nothing was heard of the call for {span}: it is ended",
        "the telephones were switched off or lost their network in mid-call, or this machine did";
    RanOut 0 603 None, Level::Notice, "the dialplan came to its end at {place} without an answer",
        "`dialplan show` that extension: after Dial(), what shall happen when nobody answers?";
    ByDialplan 0 0 None, EVERYDAY, "{application}() in the dialplan ended it, at {place}",
        "as the dialplan has it";
    NoApplication 0 603 None, Level::Notice, "there is no application '{application}', at {place}",
        "`core show applications` lists those there are; `strowger check` finds such lines beforehand";
    Nowhere 0 603 None, Level::Notice, "the dialplan leads nowhere at {place}",
        "the warning before it says which extension, priority or label is missing";
    // What is said of a call besides.
    NoSound 0 0 None, Level::Warning,
        "no sound ever came from '{line}' in {span}: it said it would come from {address}{strangers}",
        "NAT or a firewall between: `nat=force_rport,comedia` in its section; see [no sound](one-way-or-no-audio.md)";
    SoundToPrivate 0 0 None, Level::Warning,
        "no sound reaches '{line}': it wants it at {address}, which is good only in its own network, and speaks to us from {host}; write nat=force_rport,comedia into {section}",
        "that line into the section named; see [no sound](one-way-or-no-audio.md)";
    SoundElsewhere 0 0 None, Level::Warning,
        "'{line}' may hear nothing: it wants its sound at {address}, but its own comes from {source}; write nat=force_rport,comedia into {section} to send it there",
        "that line into the section named, or the telephone's own NAT settings; see [no sound](one-way-or-no-audio.md)";
    SoundUnsent 0 0 None, Level::Warning,
        "{number} packets of sound to '{line}' at {address} could not be sent: {error}",
        "the machine's routes and firewall, or the address in the telephone; see [no sound](one-way-or-no-audio.md)";
    SoundRefused 0 0 None, Level::Warning,
        "no sound comes from '{line}': it was to come from {address}, and {number} packets from elsewhere, the last from {source}, were dropped; if they are its own, write nat=force_rport,comedia into {section}",
        "`nat=` where the line is behind a router; else the telephone names an address that is not its own; see [no sound](one-way-or-no-audio.md)";
    SoundMissing 0 0 None, Level::Warning,
        "no sound comes from '{line}' {span} after the answer, neither from {address} nor from elsewhere: let a firewall pass UDP from it to the ports of rtp.conf (rtpstart to rtpend)",
        "a firewall here or there, or a telephone that is muted; the exchange behind a router needs `externaddr=`; see [no sound](one-way-or-no-audio.md)";
    KeysUnheard 0 0 None, Level::Notice,
        "keys of '{line}' are heard only if it sends them by INFO: its telephone offers no telephone events, which dtmfmode=rfc2833 expects; switch them on in the telephone (AVT, RFC 2833), or write dtmfmode=auto into {section}",
        "one of the two that it names; see [digits](../explain/digits.md)";
    KeysLost 0 0 None, Level::Notice,
        "keys of '{line}' do not reach '{other}': they come as telephone events, which that telephone does not take; write dtmfmode=auto into {section} to have them sent as tones",
        "that line into the section named; see [digits](../explain/digits.md)";
    Lagged 0 0 None, Level::Warning, "'{line}' is LAGGED ({ms} ms of {limit} ms allowed by qualify=); called all the same",
        "no reason for a failure; raise `qualify=` to be rid of the warning";
    DirectRefused 0 0 None, EVERYDAY, "{channel} refused direct media ({status}): '{caller}' and '{line}' stay on the relay",
        "nothing: the call goes on; `directmedia=no` does not ask";
}

/// A reason as it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub reason: FailureReason,
    /// The Q.850 cause.
    pub cause: u16,
    /// What the called line answered, `486 Busy Here`; empty when it was not a line that said so.
    pub said: String,
    /// The sentence, filled in; what comes from outside stands in it as [`outside()`] has it.
    pub text: String,
}

impl FailureReason {
    /// The reason, its sentence filled with these values in their order: those from outside as [`outside()`] has them.
    pub fn with(self, values: &[&str]) -> Failure {
        let row = self.row();
        Failure { reason: self, cause: row.cause, said: String::new(), text: fill(row.text, values) }
    }
}

impl Failure {
    /// A called line's final answer to the INVITE.
    pub fn of_status(line: &str, status: u16, words: &str) -> Failure {
        let said = format!("{status} {words}");
        let reason = match status {
            486 | 600 => FailureReason::Busy,
            603 => FailureReason::Declined,
            _ => FailureReason::Refused,
        };
        let said = said.trim_end();
        Failure { cause: cause::from_status(status), said: said.to_owned(), ..reason.with(&[line, &outside(said)]) }
    }

    /// Who should see it.
    pub fn level(&self) -> Level {
        self.reason.row().level
    }
}

/// Maximum number of reasons of one call that are told one by one.
const MAX_TOLD: usize = 5;

/// Several reasons as one text.
pub fn join_texts(failures: &[Failure]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for failure in failures {
        if !texts.contains(&failure.text.as_str()) {
            texts.push(&failure.text);
        }
    }
    match texts.len().checked_sub(MAX_TOLD) {
        None | Some(0) => texts.join("; "),
        Some(more) => format!("{}; and {more} more", texts.get(..MAX_TOLD).unwrap_or_default().join("; ")),
    }
}

/// Puts each value in the place of the next `{word}`.
fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len());
    let (mut rest, mut values) = (text, values.iter());
    while let Some((before, word)) = rest.split_once('{') {
        let Some((_, after)) = word.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(values.next().copied().unwrap_or("?"));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_filled_in_order() {
        assert_eq!(FailureReason::Busy.with(&["isp", "486 Busy Here"]).text, "'isp' is busy (486 Busy Here)");
        assert_eq!(fill("{a}b{c}", &["{c}", "{a}"]), "{c}b{a}", "what is filled in is not looked at again");
        assert_eq!(fill("{a} {b", &[]), "? {b");
    }

    #[test]
    fn the_table_and_the_numbers_of_q850_agree() {
        for row in FailureReason::ALL
            .iter()
            .map(|why| why.row())
            .filter(|row| row.dial.is_none() && row.cause != 0 && row.status != 0)
        {
            let known = [row.status, 480, 503, 400].contains(&cause::to_status(row.cause));
            assert!(known || cause::to_status(row.cause) == 603, "{:?}", row.reason);
        }
        for row in FailureReason::ALL.iter().map(|why| why.row()).filter(|row| row.dial == BUSY) {
            assert_eq!((row.cause, row.status), (cause::BUSY, 486));
        }
    }

    #[test]
    fn the_reasons_of_a_hunt_are_told_together_and_bounded() {
        let reasons: Vec<Failure> =
            (0..7).map(|n| Failure::of_status(&format!("m{}", n % 6), 486, "Busy Here")).collect();
        let text = join_texts(&reasons);
        assert!(text.starts_with("'m0' is busy (486 Busy Here); 'm1'") && text.ends_with("; and 1 more"), "{text}");
        assert_eq!(join_texts(&reasons[..1]), reasons[0].text);
        assert_eq!(join_texts(&[]), "");
    }
}
