//! The option letters of `Dial`: THE table of them, and the letters that one `Dial` was given, read.

use super::arguments;
use crate::config::presentation::Presentation;
use std::time::Duration;

/// What becomes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterStatus {
    /// It does what it is for.
    InEffect,
    /// It is accepted and changes nothing: why.
    WithoutEffect,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// The letter.
    pub letter: char,
    /// Its argument, as it is written behind it.
    pub argument: &'static str,
    /// What becomes of it.
    pub status: LetterStatus,
    /// What it does, or why it does nothing.
    pub text: &'static str,
}

macro_rules! letters {
    (@mark InEffect) => { "" };
    (@mark WithoutEffect) => { "accepted, without effect: " };
    ($intro:literal $($letter:literal $argument:literal $status:ident $text:literal;)*) => {
        /// Every option letter of `Dial`.
        pub static LETTERS: &[Letter] = &[$(Letter {
            letter: $letter, argument: $argument, status: LetterStatus::$status, text: $text,
        },)*];

        /// How to use `Dial`, the letters included.
        pub const HELP: &str = concat!(
            $intro, "\n", $("\n- `", $letter, $argument, "`: ", letters!(@mark $status), $text, ".",)*
        );
    };
}

letters! {
    "All ring at once, for timeout seconds. A target is `SIP/name`, `SIP/number@name`, `SIP/name/number`, \
     `SIP/name/number/host` (sent to that host), `SIP/user:password@host` where host is no peer but has a dot (it is looked up), or `Local/extension@context`, which calls the dialplan; the line that answers there takes the place of the pair in \
     between. Without an answer the dialplan continues, and DIALSTATUS says why: CHANUNAVAIL, CONGESTION, NOANSWER, \
     BUSY, CANCEL; DIALREASON says it in words. Also sets DIALEDTIME, ANSWEREDTIME, DIALEDPEERNAME, DIALEDPEERNUMBER, \
     HANGUPCAUSE. A target in which `&` or `/` came from the dialled number is refused (INVALIDARGS). The option \
     letters:"
    'a' "" InEffect "the caller is answered as soon as the called line is, before an announcement (`A`) or a program (`M`, `U`) on that line ends";
    'A' "(x:y)" InEffect "the sound x is played to the line that answered before it is connected; not to a line with `line=modem`. The caller is played y meanwhile, and what is left of it when x ends is not; y alone is not played";
    'b' "(context^exten^priority(arguments))" InEffect "a Gosub on each called line's own channel before it is called; `SIPAddHeader` there adds to its INVITE alone";
    'B' "(context^exten^priority(arguments))" InEffect "a Gosub on the caller's channel before any line is called";
    'c' "" InEffect "lines that are given up are told that the call was answered elsewhere (`Reason:` in the CANCEL), even when it was not";
    'C' "" InEffect "the call record begins anew";
    'd' "" InEffect "while it rings the caller may press one digit: the call goes on at that extension of the context in EXITCONTEXT, or of its own";
    'D' "(called:calling:progress)" InEffect "digits that are sent at the answer to the called line and to the caller, and with its first early media to the called line; written as for `SendDTMF`; not on a call with a `line=modem`";
    'e' "" InEffect "`h` runs for the called line, too, when the call ends";
    'f' "(x)" InEffect "where a called line forwards the call, x is the number it comes from; without x it is the number that was dialled";
    'F' "(context^exten^priority)" InEffect "when the caller hangs up, the called line goes on in the dialplan: there, or without an argument at the next priority";
    'g' "" InEffect "the dialplan goes on after the called line has hung up";
    'G' "(context^exten^priority)" InEffect "after the answer the caller goes on there, and the called line at the next priority, instead of being connected";
    'h' "" InEffect "the called line may hang up by `*` (`disconnect` of features.conf), as a telephone event or INFO (not in its sound); the call's sound stays on the relay. Refused with a warning on a call with a `line=modem`; all letters that let codes be pressed (`h k t w x` and their capitals) are so";
    'H' "" InEffect "the caller may hang up by `*`, in the same way; with `g` only the called line is hung up, and the dialplan goes on";
    'i' "" InEffect "a called line that forwards the call (3xx) counts as one that refused it";
    'I' "" WithoutEffect "no updates of who is connected are sent in any case";
    'j' "" WithoutEffect "media are offered as both lines allow them";
    'k' "" InEffect "the called line may park the caller by the code `parkcall` of features.conf; it hears the place, and is hung up";
    'K' "" InEffect "the caller may park the called line in the same way";
    'L' "(ms[:left[:repeat]])" InEffect "the call is ended ms milliseconds after the answer; a warning is played when left milliseconds are left, and every repeat milliseconds from then on: to the caller (LIMIT_PLAYAUDIO_CALLER=no: not), to the called line with LIMIT_PLAYAUDIO_CALLEE=yes. LIMIT_WARNING_FILE is the sound (else the time that is left is said), LIMIT_CONNECT_FILE is played at the beginning, LIMIT_TIMEOUT_FILE at the end. Neither hears the other meanwhile. The call's sound stays on the relay. No sound on a call with a `line=modem`, which is logged";
    'm' "(class)" InEffect "the caller hears music on hold until the answer instead of ringing, and nothing of what a called line sends before it; ringing where there is no music, to a `line=modem`, and in a dialplan that was called as `Local/` and has not answered";
    'M' "(macro^arguments)" InEffect "the macro runs on the line that answered before it is connected; its MACRO_RESULT may be ABORT, CONGESTION, BUSY, CONTINUE or GOTO:context^exten^priority";
    'n' "" InEffect "with `p` or `P`: the name that the caller said is not kept";
    'N' "" InEffect "with `p` or `P`: a caller with a number is not screened";
    'o' "(x)" InEffect "a program on the called line's channel (`b`, `M`, `U`) sees x as the number of the caller; without x it sees the caller's own";
    'O' "(mode)" WithoutEffect "for operator's positions on DAHDI lines";
    'p' "" InEffect "screening: an answered caller says a name (kept in priv-callerintros below the recordings), and whoever answers hears it and presses 1 (connect), 2 (NOANSWER), 3 (TORTURE) or 4 (DONTCALL). Not asked of a `line=modem`";
    'P' "(x)" InEffect "the same with a memory: what is pressed (5: connect from the next time on) stands in the database as privacy/x/caller (x: the extension): allow, deny, torture or kill, and who has an entry is not screened again";
    'Q' "(cause)" InEffect "the cause (a name or number of Q.850, or NONE) that lines are given which ring in vain; without it 26, answered elsewhere";
    'r' "(tone)" InEffect "the caller hears ringing until the answer, and nothing of what a called line sends before it. With tone: that of the line's tone zone, or a list of tones, as early media; behind a `Local/` target ringing";
    'R' "" InEffect "the caller hears ringing at once, until a called line sends something";
    's' "(x)" WithoutEffect "a caller ID tag is no part of SIP";
    'S' "(x)" InEffect "the call is ended x seconds after the answer";
    't' "" InEffect "the called line may transfer the caller by the codes `blindxfer` (`#`) and `atxfer` of features.conf, to a number in TRANSFER_CONTEXT or in the context of its line";
    'T' "" InEffect "the caller may transfer the called line in the same way";
    'u' "(x)" InEffect "whether the called lines may see the caller: x as in CALLERID(pres)";
    'U' "(context^arguments)" InEffect "a Gosub on the line that answered before it is connected; GOSUB_RESULT as with `M`";
    'w' "" InEffect "the called line may begin and end a recording by the code `automon` of features.conf, into one file; TOUCH_MONITOR names it";
    'W' "" InEffect "the caller may do the same";
    'x' "" InEffect "the called line may begin and end a recording by the code `automixmon`; TOUCH_MIXMONITOR names it";
    'X' "" InEffect "the caller may do the same";
    'z' "" InEffect "the timeout ends when a called line forwards the call";
}

/// The row of a letter.
pub fn letter(letter: char) -> Option<&'static Letter> {
    LETTERS.iter().find(|row| row.letter == letter)
}

/// What whoever answers is asked, and where the answer is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Screening {
    /// The key of the database, `extension/caller`; none: nothing is remembered.
    pub key: Option<String>,
    /// The sound in which the caller says a name; empty: none.
    pub intro: String,
    /// It is not kept.
    pub is_passing: bool,
}

impl Screening {
    /// The arguments of what is run on the line that answered.
    pub fn arguments(&self) -> String {
        format!("{},{}", self.intro, self.key.as_deref().unwrap_or_default())
    }
}

/// The option letters of one `Dial`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DialOptions {
    /// `g`: the dialplan goes on after the callee has hung up.
    pub continue_after: bool,
    /// `r`, `m`: ringing at once, or music, and no early media is let through.
    pub ringing: bool,
    /// `R`: show ringing at once, until there is early media.
    pub ringing_until_media: bool,
    /// `p`, `P`: what whoever answers is asked.
    pub screening: Option<Screening>,
    /// Every letter given, with its argument in parentheses, in order.
    pub letters: Vec<(char, Option<String>)>,
}

/// A subroutine that `Dial` runs on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subroutine {
    /// Where it begins: `[[context,]exten,]priority`.
    pub place: String,
    /// ARG1 and so on.
    pub args: Vec<String>,
}

impl DialOptions {
    /// Reads the third argument of `Dial`.
    pub fn read(text: &str) -> DialOptions {
        let letters = arguments::options(text);
        let given = |wanted: char| letters.iter().any(|(letter, _)| *letter == wanted);
        DialOptions {
            continue_after: given('g'),
            ringing: given('r') || given('m'),
            ringing_until_media: given('R'),
            screening: None,
            letters,
        }
    }

    /// Whether the letter was given.
    pub fn has(&self, letter: char) -> bool {
        self.letters.iter().any(|(given, _)| *given == letter)
    }

    /// What stands in the parentheses behind a letter; none without that letter, empty without parentheses.
    pub fn argument(&self, letter: char) -> Option<&str> {
        let found = self.letters.iter().find(|(given, _)| *given == letter)?;
        Some(found.1.as_deref().unwrap_or_default().trim())
    }

    /// `m`: without a class in parentheses it is this one.
    pub fn complete_music(&mut self, class: &str) {
        let without = |(letter, argument): &&mut (char, Option<String>)| {
            *letter == 'm' && argument.as_deref().unwrap_or_default().trim().is_empty()
        };
        if let Some((_, argument)) = self.letters.iter_mut().find(without) {
            *argument = Some(class.to_owned());
        }
    }

    /// The letters that no exchange has.
    pub fn unknown(&self) -> String {
        self.letters.iter().map(|(given, _)| *given).filter(|given| letter(*given).is_none()).collect()
    }

    /// `b`, `B`: `[[context^]exten^]priority[(argument^argument)]`.
    pub fn gosub(&self, letter: char) -> Option<Subroutine> {
        let text = self.argument(letter)?;
        let (place, args) = text.split_once('(').unwrap_or((text, ""));
        let args = args.rfind(')').and_then(|end| args.get(..end)).unwrap_or(args);
        let args = if args.is_empty() { Vec::new() } else { args.split(['^', ',']).map(str::to_owned).collect() };
        Some(Subroutine { place: place_of(place)?, args })
    }

    /// `U(context^argument...)` and `M(macro^argument...)`: `s` of that context, or of the macro's.
    pub fn on_answer(&self, letter: char) -> Option<Subroutine> {
        let text = self.argument(letter).filter(|text| !text.is_empty())?;
        let mut parts = text.split(['^', ',']).map(str::to_owned);
        let name = parts.next()?;
        let context = if letter == 'M' { format!("macro-{name}") } else { name };
        Some(Subroutine { place: format!("{context},s,1"), args: parts.collect() })
    }

    /// `F`, `G`: `[[context,]exten,]priority`; none without an argument.
    pub fn place(&self, letter: char) -> Option<String> {
        place_of(self.argument(letter)?)
    }

    /// `L`, `S`: how long after the answer the call is ended.
    pub fn limit(&self) -> Option<Duration> {
        let ms = self.argument('L').and_then(|text| text.split(':').next()?.trim().parse::<u64>().ok());
        let by_l = ms.filter(|ms| *ms > 0).map(Duration::from_millis);
        let by_s = self.argument('S').and_then(arguments::seconds).filter(|time| !time.is_zero());
        by_l.into_iter().chain(by_s).min()
    }

    /// `L`: how much is left of the call when it is warned of its end, and how often again.
    pub fn warnings(&self) -> Option<(Duration, Option<Duration>)> {
        let mut times = self.argument('L')?.split(':').skip(1).map(|text| text.trim().parse::<u64>().unwrap_or(0));
        let mut time = || times.next().filter(|ms| *ms > 0).map(Duration::from_millis);
        Some((time()?, time()))
    }

    /// `u`: how the caller is shown, when that is to change.
    pub fn presentation(&self) -> Option<Presentation> {
        self.argument('u').and_then(Presentation::parse)
    }

    /// `f`: the number that a forwarded call comes from; `dialled`: what was dialled until then.
    pub fn forwarder(&self, dialled: &str) -> Option<String> {
        let number = self.argument('f')?;
        Some(if number.is_empty() { dialled.to_owned() } else { number.to_owned() })
    }

    /// `Q`: the Q.850 cause that lines get which ring in vain; 0 for none.
    pub fn cause_of_others(&self) -> u16 {
        match self.argument('Q') {
            None | Some("") => ANSWERED_ELSEWHERE,
            Some(text) if text.eq_ignore_ascii_case("NONE") => 0,
            Some(text) => text.parse().ok().or_else(|| named_cause(text)).unwrap_or(ANSWERED_ELSEWHERE),
        }
    }
}

/// Q.850 26, as chan_sip's users know it: non-selected user clearing.
const ANSWERED_ELSEWHERE: u16 = 26;

fn named_cause(name: &str) -> Option<u16> {
    let names = [
        ("NO_ANSWER", 19),
        ("NOANSWER", 19),
        ("USER_BUSY", 17),
        ("BUSY", 17),
        ("CALL_REJECTED", 21),
        ("NORMAL_CLEARING", 16),
        ("NORMAL", 16),
        ("CONGESTION", 34),
        ("ANSWERED_ELSEWHERE", ANSWERED_ELSEWHERE),
    ];
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, cause)| *cause)
}

fn place_of(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.replace('^', ","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_asterisk_20_has_one_row_and_its_reason() {
        for wanted in "aAbBcCdDeEfFgGhHiIjkKLmMnNoOpPQrRsStTuUwWxXz".chars().filter(|letter| *letter != 'E') {
            assert_eq!(LETTERS.iter().filter(|row| row.letter == wanted).count(), 1, "{wanted}");
        }
        assert!(LETTERS.iter().all(|row| !row.text.is_empty() && !row.text.ends_with('.')));
        assert!(HELP.contains("\n- `g`: the dialplan goes on") && HELP.contains("`p`: screening"));
    }

    #[test]
    fn arguments_read() {
        let options =
            DialOptions::read("gU(sub^a^b)M(screen^1)b(hdr^s^1(x^y))B(1)F(ctx^s^1)L(60000:1:2)S(30)Q(17)f()u(prohib)");
        let gosub = options.on_answer('U').unwrap();
        assert_eq!((gosub.place.as_str(), gosub.args), ("sub,s,1", vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(options.on_answer('M').unwrap().place, "macro-screen,s,1");
        let before = options.gosub('b').unwrap();
        assert_eq!((before.place.as_str(), before.args), ("hdr,s,1", vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(options.gosub('B').unwrap().place, "1");
        assert_eq!(options.place('F').as_deref(), Some("ctx,s,1"));
        assert_eq!(options.limit(), Some(Duration::from_secs(30)), "the shorter of both");
        assert_eq!((options.cause_of_others(), DialOptions::read("Q(NONE)").cause_of_others()), (17, 0));
        assert!(options.presentation().unwrap().is_hidden());
        assert_eq!(DialOptions::read("F").place('F'), None);
        assert_eq!(DialOptions::read("gyt").unknown(), "y");
        assert_eq!((options.forwarder("200").as_deref(), DialOptions::read("g").forwarder("200")), (Some("200"), None));
    }
}
