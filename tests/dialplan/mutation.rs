//! Nothing a file or a caller writes makes reading, matching, evaluating or running panic or hang.

use super::bench::Bench;
use std::sync::LazyLock;
use strowger::datetime::zones::Zones;
use strowger::dialplan::handover::NotPickedUp;
use strowger::dialplan::outside::{OutsideReply, OutsideRequest, TalkEnd, TalkId};
use strowger::dialplan::pattern::{Name, digits};
use strowger::dialplan::recording::RecordReply;
use strowger::dialplan::spying::{Spied, SpyReply, SpyRequest};
use strowger::dialplan::test_signal::SignalReply;
use strowger::dialplan::text_message::NotSent;
use strowger::dialplan::{
    AppReply, AppRequest, CallerId, Cause, ChannelId, DialReport, DialStatus, PageReply, PinVerdict, Played,
    PlayedFrom, Position, Program, Progress, apps, expression, functions, timing::Timing,
};
use strowger::rng::Rng;

/// What is put in beside the names of all applications and functions.
const PIECES: &[&str] = &[
    "exten => ",
    "same => n,",
    "include => b",
    "[a]\n",
    "[b]\n",
    "\n",
    ",",
    "1,",
    "n,",
    "n(l),",
    "hint,",
    "_X.",
    "_[1-",
    "]",
    "!",
    "Dial(SIP/x&SIP/y,20,g)",
    "Goto(",
    "GotoIf($[",
    "Gosub(s,1(",
    "Return()",
    "Set(",
    "ExecIf(",
    "?",
    ":",
    "::",
    "${",
    "}",
    "$[",
    "]",
    "EXTEN",
    ":-3:2",
    "CALLERID(all)",
    "CUT(",
    "FILTER(",
    "MATH(",
    "STRFTIME(",
    "IFTIME(",
    "Macro(m,",
    "[macro-m]\n",
    "MacroExit()",
    "MacroExclusive(m)",
    "While(1)",
    "While(0)",
    "EndWhile()",
    "ExitWhile()",
    "ContinueWhile()",
    "GotoIfTime(*,*,*,*?",
    "TryExec(",
    "Exec(",
    "MSet(",
    "EVAL(",
    "SPRINTF(%05d,",
    "STRREPLACE(V,",
    "REPLACE(V,",
    "SORT(1:",
    "PUSH(V)=",
    "SHIFT(V)",
    "HASH(h,",
    "ARRAY(V,W)=",
    "URIDECODE(%",
    "BASE64_DECODE(",
    "CDR(",
    "ResetCDR(",
    "DEVICE_STATE(Custom:",
    "EXTENSION_STATE(",
    "STACK_PEEK(1,l",
    "LOCAL_PEEK(1,",
    "DB_KEYS(",
    "LOCK(",
    "StackPop()",
    "UserEvent(x,y:",
    "RAND(",
    "REGEX(\"",
    "\"",
    "\\",
    "(",
    ")",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=~",
    "~~",
    "||",
    "&&",
    "99999999999999999999",
    "-1",
    "0",
    "é",
    "\u{0}",
    "h",
    "s",
    "|",
    "/",
    "exten => i,1,",
    "exten => t,1,",
    "exten => T,1,",
    "exten => e,1,",
    "exten => [0-9*#]!,1,",
    "BackGround(menu&digits/1,mn,de,b)",
    "WaitExten(3,m(",
    "Read(V,beep,4,sin,3,",
    "ReadExten(V,,b,,5)",
    "Authenticate(/etc/pins,adjm,",
    "DISA(no-password,b,",
    "SayNumber(1000000,f)",
    "SayUnixTime(,Europe/Berlin,ABdY 'digits/at' IMp)",
    "ControlPlayback(beep,9223372036854775807,#,*,0",
    "Record(%d.wav,3,60,kqsx%)",
    "MixMonitor(x.wav,abv(-4)W(9),",
    "Playtones(!440/100,0/100+1)",
    "AGI(agi://localhost/x,",
    "System(",
    "${SHELL(",
    "${CURL(http://",
    "Originate(Local/s@b/n,exten,b,s,1",
    "Page(SIP/a&SIP/b&Local/s@b,drA(x)b(b^s^1)B(b^s^1),5",
    "ChanSpy(SIP,dXx(9)c(8)g(a:b)r(x)v(2)",
    "ExtenSpy(s@b,wE",
    "RetryDial(beep,1,2,SIP/x,,",
    "Dial(Local/s@b,20,aA(beep)D(1w2:3)F(b^s^1)G(a^s^1)L(9000:3000:1000)M(m^1)S(9)U(b^1)b(b^s^1)m(x)r(x)gHcCdefiIjnNoOpPQRsuz",
    "SendDTMF(1w#,0,99999",
    "SIPAddHeader(X: ",
    "TIMEOUT(absolute)=",
    "GROUP(a)=",
    "CHANNEL(language)=",
    "mon-fri,*,jan",
    "Europe/Berlin",
];

/// All of them.
static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let applications = apps::TABLE.iter().map(|app| format!("{}(", app.name));
    let read = functions::TABLE.iter().map(|function| format!("${{{}(", function.name));
    let written = functions::TABLE.iter().map(|function| format!("Set({}(V)=", function.name));
    PIECES.iter().map(|piece| (*piece).to_owned()).chain(applications).chain(read).chain(written).collect()
});

const SEED: &str = "[globals]\nA=${B}1\n[a]\ninclude => b,9:00-17:00,mon-fri,*,*\nexten => _X!,1,Dial(SIP/x, 20)\n\
    exten => s,1(l),Set(V=$[${EXTEN} + 1])\nsame => n,GotoIf($[\"${V:1:-1}\" : \"(.*)\"]?l:s,3)\nsame => n,Gosub(sub,1(${V},2))\n\
    same => n,ExecIf($[1 ? 2 :: 3]?Playback(a&b):Hangup(17))\nexten => sub,1,Return(${CUT(ARG1,-,1-)})\n\
    exten => h,1,Set(GLOBAL(X)=${STRFTIME(${EPOCH},,%c)})\n[b]\nexten => 9-1-1/_1X,hint,SIP/x\nexten => _[a-z12]X.,1,Wait(${MATH(1+2,int)})\n\
    exten => m,1,BackGround(a&b)\nsame => n,WaitExten(3)\nexten => i,1,Goto(m,1)\nexten => t,1,Read(V,a,2,,1,2)\nsame => n,SayDigits(${V})\n\
    exten => r,1,Record(a.wav,3,9)\nsame => n,MixMonitor(b.wav,b)\nsame => n,AGI(x,1)\n";

fn mutate(text: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=rng.below(4) {
        let at = usize::try_from(rng.below(letters.len() as u64 + 1)).unwrap();
        match rng.below(4) {
            0 if at < letters.len() => {
                letters.remove(at);
            }
            1 => {
                let to = (at + usize::try_from(rng.below(30)).unwrap()).min(letters.len());
                let part: Vec<char> = letters[at..to].to_vec();
                let there = usize::try_from(rng.below(letters.len() as u64 + 1)).unwrap();
                letters.splice(there..there, part);
            }
            _ => {
                let piece = &ALL[usize::try_from(rng.below(ALL.len() as u64)).unwrap()];
                letters.splice(at..at, piece.chars());
            }
        }
    }
    letters.into_iter().collect()
}

/// A reply to the request, or now and then to another one.
fn any_reply(request: Option<&AppRequest>, rng: &mut Rng) -> AppReply {
    match request.filter(|_| rng.below(8) != 0) {
        Some(request) => reply_to(request, rng),
        None => [AppReply::Waited, AppReply::Echoed, AppReply::Digit(None), AppReply::Played(Played::All)]
            [usize::try_from(rng.below(4)).unwrap()]
        .clone(),
    }
}

fn reply_to(request: &AppRequest, rng: &mut Rng) -> AppReply {
    let result = |rng: &mut Rng| if rng.below(2) == 0 { Ok(()) } else { Err("x".to_owned()) };
    let played = |rng: &mut Rng| match rng.below(4) {
        0 => Played::Missing("x".to_owned()),
        1 => Played::Failed("x".to_owned()),
        2 => Played::Digit('#'),
        _ => Played::All,
    };
    match request {
        AppRequest::Wait(_) => AppReply::Waited,
        AppRequest::Answer => AppReply::Answered(result(rng)),
        AppRequest::Indicate(_) => AppReply::Indicated(result(rng)),
        AppRequest::Play(_) | AppRequest::PlaySound(..) => AppReply::Played(played(rng)),
        AppRequest::PlayBeside(_) => {
            AppReply::PlaysBeside(if rng.below(2) == 0 { Ok(std::time::Duration::MAX) } else { Err("x".to_owned()) })
        }
        AppRequest::PlayFrom(..) => {
            AppReply::PlayedFrom(PlayedFrom { played: played(rng), position: std::time::Duration::MAX })
        }
        AppRequest::Digit(_) => AppReply::Digit([None, Some('1')][usize::try_from(rng.below(2)).unwrap()]),
        AppRequest::Pin(_) if rng.below(2) == 0 => AppReply::Pin(PinVerdict::Wrong),
        AppRequest::Pin(_) => AppReply::Pin(PinVerdict::Right(String::new())),
        AppRequest::Originate(_) => AppReply::Originated(strowger::dialplan::originate::OriginateStatus::Failed),
        AppRequest::HangUp(_) => AppReply::HungUp(0),
        AppRequest::LineStates(lines) => AppReply::LineStates(vec![1; lines.len()]),
        AppRequest::Outside(_) => AppReply::Outside(match rng.below(6) {
            0 => OutsideReply::Refused("x".to_owned()),
            1 => OutsideReply::Ran { status: Ok(0), output: "1".to_owned() },
            2 => OutsideReply::Opened(Ok(TalkId(1))),
            4 => OutsideReply::Spoken(Ok(strowger::audio::sound::Sound::of_samples(&[0; 80]))),
            3 => OutsideReply::Line(Ok("EXEC Goto 1".to_owned())),
            _ => OutsideReply::Line(Err(TalkEnd::Silent)),
        }),
        AppRequest::SendDigits(_) => AppReply::DigitsSent(result(rng)),
        AppRequest::Transfer(_) => AppReply::Transferred(Ok(rng.below(2) == 0)),
        AppRequest::DtmfMode(_) => AppReply::DtmfModeSet(result(rng)),
        AppRequest::SendText(_) | AppRequest::SendToCaller(_) => {
            let why = || NotSent { status: "FAILURE", reason: "x".to_owned() };
            AppReply::TextSent(result(rng).map_err(|_| why()))
        }
        AppRequest::Page(_) if rng.below(2) == 0 => AppReply::Paged(PageReply::Connected),
        AppRequest::Page(_) | AppRequest::TalkToPage => AppReply::Paged(PageReply::Over),
        AppRequest::Spy(request) => AppReply::Spied(match (request, rng.below(4)) {
            (SpyRequest::Find(..), 0) => SpyReply::Found(None),
            (SpyRequest::Find(_, behind), _) => {
                let (name, unique_id) = ("SIP/a-00000001".to_owned(), "1.1".to_owned());
                SpyReply::Found(Some(Spied { number: behind.saturating_add(1), name, unique_id }))
            }
            (SpyRequest::Listen(..), 0) => SpyReply::Over,
            (SpyRequest::Listen(..), 1) => SpyReply::Failed("x".to_owned()),
            (SpyRequest::Listen(..), _) => SpyReply::Digit(['#', '1', '*'][usize::try_from(rng.below(3)).unwrap()]),
            (SpyRequest::Stop, _) => SpyReply::Over,
        }),
        AppRequest::Record(_) => AppReply::Recorded(RecordReply::Max),
        AppRequest::Tap(_) => AppReply::Tapped(Err("x".to_owned())),
        AppRequest::Music(_) => AppReply::PlaysMusic(result(rng)),
        AppRequest::PlayTone(_) => AppReply::PlaysTone(result(rng)),
        AppRequest::Echo => AppReply::Echoed,
        AppRequest::TestSignal(_) => AppReply::SignalEnded(match rng.below(2) {
            0 => SignalReply::Digit('#'),
            _ => SignalReply::Failed("x".to_owned()),
        }),
        AppRequest::PickUp(_) => AppReply::NotPickedUp(NotPickedUp { why: "x".to_owned(), sound: String::new() }),
        AppRequest::Park(_) => AppReply::Parked(Err("x".to_owned())),
        AppRequest::WaitParked(_) => AppReply::Waited,
        AppRequest::FindParked(_) => AppReply::ParkedFound(None),
        AppRequest::Dial(_) | AppRequest::TakeParked(_) => AppReply::Dialed(DialReport {
            status: [DialStatus::Answer, DialStatus::Busy, DialStatus::NoAnswer]
                [usize::try_from(rng.below(3)).unwrap()],
            dialed: std::time::Duration::MAX,
            answered: std::time::Duration::MAX,
            peer_name: String::new(),
            peer_number: String::new(),
            hangup_cause: u16::MAX,
            callee_hung_up: rng.below(2) == 0,
            reason: String::new(),
            lines: Vec::new(),
        }),
    }
}

/// May it be asked for after the hang-up? Nothing that needs the caller.
fn outlives(request: &AppRequest) -> bool {
    matches!(
        request,
        AppRequest::Outside(_) | AppRequest::Originate(_) | AppRequest::LineStates(_) | AppRequest::Tap(_)
    )
}

fn short_run(bench: &Bench, context: &str, exten: &str, rng: &mut Rng) {
    let start = Position::new(context, exten, 1);
    let mut program = Program::new(ChannelId(1), "SIP/a-00000000", start, CallerId::default());
    let mut asked = None;
    for _ in 0..20 {
        match program.advance(bench, 20) {
            Progress::Asks(request) => {
                program.answer(any_reply(Some(&request), rng));
                asked = Some(request);
            }
            Progress::Waiting => program.answer(any_reply(asked.as_ref(), rng)),
            Progress::Again => {}
            Progress::Finished(_) => break,
        }
        if rng.below(20) == 0 {
            program.redirect(Position::new("a", "s", 1));
        }
    }
    program.hang_up(Cause(16));
    let mut end = program.advance(bench, 100_000);
    // Scripts and commands may take a while longer, and end with whoever runs them; `h` may begin others.
    for _ in 0..1_000 {
        let request = match (&end, &asked) {
            (Progress::Asks(request), _) => request,
            // It was asked for before, and had a reply of another kind.
            (Progress::Waiting, Some(request)) => request,
            _ => break,
        };
        assert!(outlives(request), "it goes on after the hang-up: {request:?}");
        let reply = match request {
            AppRequest::Outside(OutsideRequest::Exchange(_)) => {
                AppReply::Outside(OutsideReply::Line(Err(TalkEnd::Silent)))
            }
            request => reply_to(request, rng),
        };
        asked = Some(request.clone());
        program.answer(reply);
        end = program.advance(bench, 100_000);
    }
    assert!(matches!(end, Progress::Finished(_)), "a hang-up did not end it: {end:?}, {asked:?}");
    assert!(program.application().is_none());
}

#[test]
fn mutations_neither_panic_nor_hang() {
    let rounds: u64 = std::env::var("STROWGER_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let mut rng = Rng::from_number(2);
    let mut ran = 0u64;
    for round in 0..rounds {
        // The whole file is dearer than its parts: every tenth round.
        if round % 10 == 0 {
            let bench = Bench::new(&mutate(SEED, &mut rng));
            for exten in ["s", "5551234", "911", "l", ""] {
                bench.plan.exists("a", exten, Some("12"), super::bench::FRIDAY);
            }
            assert!(bench.plan.show(None).is_ok());
            strowger::check::findings(&strowger::config::Config::default(), &bench.plan);
            short_run(&bench, "a", "s", &mut rng);
            short_run(&bench, "b", ["m", "r", "t"][usize::try_from(rng.below(3)).unwrap()], &mut rng);
            ran += 1;
        } else {
            // Compiling regular expressions takes most of the time: now and then.
            let matched = if round % 8 == 1 { "=~ \"(.*)[0-9]\"" } else { "~~ abc" };
            let text = format!("\"${{V:1}}\" {matched} & 1 + 2 * -3 ? a :: POW(2, 0.5)");
            let text = mutate(&text, &mut rng);
            let _ = expression::evaluate(&text, &mut Vec::new());
            let (name, _) = Name::parse(&mutate("_[1-5a]X-Z.", &mut rng));
            let dialled = mutate("5551234", &mut rng);
            let _ = name.matches(&digits(&dialled));
            let _ = Timing::read(&mutate("9:00-17:00,mon-fri,1-31&3,jan,Europe/Berlin", &mut rng), &Zones::default());
        }
    }
    assert!(ran * 10 >= rounds, "{ran}");
}
