//! Runs one case.

use super::bench::{Bench, FRIDAY};
use std::collections::VecDeque;
use std::time::Duration;
use strowger::audio::sound::Sound;
use strowger::dialplan::handover::{NotPickedUp, ParkedAt};
use strowger::dialplan::originate::OriginateStatus;
use strowger::dialplan::outside::{
    Command, Exchange, Fetch, NotOpened, Opening, OutsideReply, OutsideRequest, TalkEnd, TalkId,
};
use strowger::dialplan::recording::{RecordReply, Tapped};
use strowger::dialplan::spying::SpyReply;
use strowger::dialplan::test_signal::SignalReply;
use strowger::dialplan::{
    AppReply, AppRequest, CallerId, Cause, ChannelId, DialReport, DialStatus, DialedDigit, Existence, LineEnd,
    PageReply, PinVerdict, Played, PlayedFrom, Position, Program, Progress, UNTIL_HANGUP,
};

const CHANNEL: &str = "SIP/caller-00000000";

struct Call {
    program: Program,
    /// Executed priorities not yet named.
    steps: VecDeque<String>,
    /// Other lines of the log not yet looked for.
    log: VecDeque<String>,
    asked: Option<AppRequest>,
    finished: Option<Cause>,
}

pub fn run(name: &str, text: &str) {
    let (configuration, statements) = text.split_once("\n=====\n").unwrap_or_else(|| panic!("{name}: no line of ="));
    let bench = Bench::new(configuration);
    let mut said: VecDeque<String> =
        bench.said.iter().map(|one| format!("{}: {}", one.place.line, one.message)).collect();
    let mut call: Option<Call> = None;
    let first = configuration.lines().count() + 2;
    for (line, statement) in (first..).zip(statements.lines()) {
        let at = format!("{name}:{line}: {statement}");
        let (word, rest) = statement.split_once(' ').unwrap_or((statement, ""));
        match word {
            "" | ";" => {}
            "diagnostic" => {
                let next = said.pop_front().unwrap_or_else(|| panic!("{at}: nothing more was said"));
                assert!(next.contains(rest), "{at}: said was {next}");
            }
            "exists" => {
                let (number, expected) = rest.split_once(' ').unwrap();
                let (exten, context) = number.rsplit_once('@').unwrap();
                let found = match bench.plan.exists(context, exten, Some("200"), FRIDAY) {
                    Existence::Yes => "yes",
                    Existence::MoreDigits => "more",
                    Existence::No => "no",
                };
                assert_eq!(found, expected, "{at}");
            }
            "global" => {
                let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                let globals = strowger::dialplan::Environment::globals(&bench);
                assert_eq!(globals.get(name).unwrap_or_default(), value, "{at}");
            }
            "call" => {
                over(call.take(), &at);
                let mut new = begin(rest);
                new.go_on(&bench);
                call = Some(new);
            }
            _ => call.as_mut().unwrap_or_else(|| panic!("{at}: no call")).state(word, rest, &at, &bench),
        }
    }
    over(call, name);
    assert!(said.is_empty(), "{name}: also said: {said:#?}");
}

fn over(call: Option<Call>, at: &str) {
    if let Some(call) = call {
        assert!(call.finished.is_some(), "{at}: the call before is not over, it asks {:?}", call.asked);
        assert!(call.steps.is_empty(), "{at}: the call before also took {:#?}", call.steps);
        assert!(call.program.application().is_none(), "{at}: an application is left");
    }
}

fn begin(rest: &str) -> Call {
    let (number, from) = rest.split_once(" from ").unwrap_or((rest, "200"));
    let (exten, context) = number.rsplit_once('@').unwrap();
    let caller = CallerId { name: "Ada".to_owned(), number: from.to_owned(), ..CallerId::default() };
    let program = Program::new(ChannelId(1), CHANNEL, Position::new(context, exten, 1), caller);
    Call { program, steps: VecDeque::new(), log: VecDeque::new(), asked: None, finished: None }
}

impl Call {
    fn go_on(&mut self, bench: &Bench) {
        let before = self.asked.take();
        for _ in 0..10_000 {
            match self.program.advance(bench, 3) {
                Progress::Asks(ask) => {
                    self.asked = Some(ask);
                    break;
                }
                Progress::Again => {}
                Progress::Waiting => {
                    assert!(matches!(before, Some(AppRequest::Outside(_))), "it waits for an answer it has");
                    self.asked = before;
                    break;
                }
                Progress::Finished(cause) => {
                    self.finished = Some(cause);
                    break;
                }
            }
        }
        for line in self.program.take_log() {
            match line.text.strip_prefix("Executing ") {
                Some(step) => {
                    let step = step.strip_suffix(" in new stack").unwrap();
                    self.steps.push_back(step.replacen(&format!("\"{CHANNEL}\", "), "", 1));
                }
                None => self.log.push_back(line.text),
            }
        }
    }

    fn state(&mut self, word: &str, rest: &str, at: &str, bench: &Bench) {
        match word {
            "step" => {
                let step =
                    self.steps.pop_front().unwrap_or_else(|| panic!("{at}: no further step; log {:#?}", self.log));
                assert_eq!(step, rest, "{at}");
            }
            "ask" => {
                let asked = self.asked.as_ref().unwrap_or_else(|| panic!("{at}: it asks nothing; log {:#?}", self.log));
                assert_eq!(shown(asked), rest, "{at}");
            }
            "reply" => {
                let asked = self.asked.as_ref().unwrap_or_else(|| panic!("{at}: it asked nothing"));
                self.program.answer(reply(asked, rest));
                self.go_on(bench);
            }
            "hangup" => {
                self.program.hang_up(Cause(rest.parse().unwrap()));
                self.go_on(bench);
            }
            "redirect" => {
                let mut parts = rest.split(',');
                let (context, exten) = (parts.next().unwrap(), parts.next().unwrap());
                self.program.redirect(Position::new(context, exten, parts.next().unwrap().parse().unwrap()));
                self.go_on(bench);
            }
            "var" => {
                let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                assert_eq!(self.program.variable(name).unwrap_or_default(), value, "{at}");
            }
            "log" => loop {
                let line = self.log.pop_front().unwrap_or_else(|| panic!("{at}: no such line"));
                if line.contains(rest) {
                    break;
                }
            },
            "finished" => assert_eq!(self.finished, Some(Cause(rest.parse().unwrap())), "{at}: asks {:?}", self.asked),
            _ => panic!("{at}: what is that?"),
        }
    }
}

fn shown(ask: &AppRequest) -> String {
    match ask {
        AppRequest::Wait(time) if *time == UNTIL_HANGUP => "Wait forever".to_owned(),
        AppRequest::Wait(time) => format!("Wait {}", time.as_secs_f64()),
        AppRequest::Answer => "Answer".to_owned(),
        AppRequest::Indicate(tone) => format!("Indicate {tone:?}"),
        AppRequest::Play(play) => format!("Play {}", play.sounds.join("&")),
        AppRequest::PlaySound(sound, stop_on) => {
            let digits: String = "0123456789*#ABCD".chars().filter(|digit| stop_on.contains(*digit)).collect();
            format!("PlaySound {} {digits}", sound.samples()).trim_end().to_owned()
        }
        AppRequest::PlayBeside(play) => format!("PlayBeside {}", play.sounds.join("&")),
        AppRequest::PlayFrom(play, from) => format!("Play {} from {} ms", play.sounds.join("&"), from.as_millis()),
        AppRequest::Digit(time) => format!("Digit {}", time.as_secs_f64()),
        AppRequest::Dial(request) => {
            let targets: Vec<String> = request.targets.iter().map(ToString::to_string).collect();
            let time = request.timeout.map_or("forever".to_owned(), |time| time.as_secs_f64().to_string());
            let letters: String = request.options.letters.iter().map(|(letter, _)| *letter).collect();
            format!("Dial {} {time} {letters}", targets.join("&")).trim_end().to_owned()
        }
        AppRequest::SendDigits(request) => {
            let digit = |digit: &DialedDigit| match digit {
                DialedDigit::Press(digit) => digit.to_string(),
                DialedDigit::Flash => "f".to_owned(),
                DialedDigit::Pause(time) => format!("({})", time.as_millis()),
            };
            let row = &request.row;
            let digits: String = row.digits.iter().map(digit).collect();
            let to = request.channel.as_deref().unwrap_or_default();
            format!("SendDigits {digits} {} {} {to}", row.pressed.as_millis(), row.gap.as_millis())
                .trim_end()
                .to_owned()
        }
        AppRequest::Transfer(to) => format!("Transfer {to}"),
        AppRequest::DtmfMode(mode) => format!("DtmfMode {mode}"),
        AppRequest::SendText(text) => format!("SendText {} {}: {}", text.to, text.from, text.body),
        AppRequest::SendToCaller(text) => format!("SendToCaller {text}"),
        AppRequest::Pin(pin) => format!("Pin {}", pin.typed.as_deref().unwrap_or("?")),
        AppRequest::Echo => "Echo".to_owned(),
        AppRequest::TestSignal(signal) => format!("TestSignal {}", signal.sound.samples()),
        AppRequest::Outside(request) => shown_outside(request),
        AppRequest::Originate(request) => format!("Originate {}", request.target),
        AppRequest::HangUp(request) => format!("HangUp {}{}", request.name, if request.all { " all" } else { "" }),
        AppRequest::LineStates(lines) => {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            format!("LineStates {}", lines.join("&"))
        }
        AppRequest::Spy(request) => format!("Spy {request:?}"),
        AppRequest::Record(record) => format!("Record {}", record.file.as_deref().unwrap_or("nothing")),
        AppRequest::Tap(tap) => format!("{tap:?}"),
        AppRequest::Music(class) => format!("Music {}", class.as_deref().unwrap_or("none")),
        AppRequest::PlayTone(tone) => format!("PlayTone {}", tone.as_deref().unwrap_or("none")),
        AppRequest::PickUp(targets) => format!("PickUp {targets:?}"),
        AppRequest::Page(page) => format!("Page {:?} {}", page.targets, page.duplex),
        AppRequest::TalkToPage => "TalkToPage".to_owned(),
        AppRequest::Park(park) => format!("Park ({}) {:?} {}", park.lot, park.slot, park.is_random),
        AppRequest::WaitParked(time) => format!("WaitParked {}", time.as_secs_f64()),
        AppRequest::FindParked(place) => format!("FindParked ({}) {:?}", place.lot, place.slot),
        AppRequest::TakeParked(place) => format!("TakeParked ({}) {:?}", place.lot, place.slot),
    }
}

fn shown_outside(request: &OutsideRequest) -> String {
    match request {
        OutsideRequest::Command(Command { text, wants_output: true }) => format!("Shell {text}"),
        OutsideRequest::Command(Command { text, wants_output: false }) => format!("System {text}"),
        OutsideRequest::Fetch(Fetch { url, post, total, .. }) => {
            format!("Fetch {url} {} {}", post.as_deref().unwrap_or("-"), total.as_secs())
        }
        OutsideRequest::File(file) => format!("File {file:?}"),
        OutsideRequest::Speak(speech) => format!("Speak ({}) ({}) {}", speech.program, speech.language, speech.text),
        OutsideRequest::Locate(query) => format!("Locate {}", query.host),
        OutsideRequest::Open(Opening { program, arguments, .. }) => {
            let arguments: String = arguments.iter().map(|argument| format!(" ({argument})")).collect();
            format!("Open {program}{arguments}")
        }
        OutsideRequest::Exchange(Exchange { tell, hung_up, at_hangup, .. }) => {
            let (ends, hung_up) = (if at_hangup.end { " ends" } else { "" }, if *hung_up { " hungup" } else { "" });
            format!("Exchange{ends}{hung_up} {}", tell.trim_end().replace('\n', "|")).trim_end().to_owned()
        }
        OutsideRequest::Close { signal, .. } => format!("Close{}", if *signal { " signal" } else { "" }),
    }
}

/// The reply to what is done outside; none: it is another's.
fn outside_reply(text: &str) -> Option<OutsideReply> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.to_owned();
    Some(match word {
        "printed" => OutsideReply::Ran { status: Ok(0), output: rest },
        "status" => OutsideReply::Ran { status: Ok(rest.parse().unwrap()), output: String::new() },
        "refused" => OutsideReply::Refused(rest),
        "fetched" => OutsideReply::Fetched(Ok(rest)),
        "opened" => OutsideReply::Opened(Ok(TalkId(1))),
        "notfound" => OutsideReply::Opened(Err(NotOpened::NotFound(rest))),
        "failed" => OutsideReply::Opened(Err(NotOpened::Failed(rest))),
        "spoken" => OutsideReply::Spoken(Ok(Sound::of_samples(&[0; 800]))),
        "unspoken" => OutsideReply::Spoken(Err(rest)),
        "line" => OutsideReply::Line(Ok(rest)),
        "silent" => OutsideReply::Line(Err(TalkEnd::Silent)),
        "hungup" => OutsideReply::Line(Err(TalkEnd::HungUp)),
        "closed" => OutsideReply::Closed(rest),
        _ => return None,
    })
}

fn reply(asked: &AppRequest, text: &str) -> AppReply {
    if let (AppRequest::Outside(_), Some(reply)) = (asked, outside_reply(text)) {
        return AppReply::Outside(reply);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let after = |word: &str| words.iter().skip_while(|one| **one != word).nth(1);
    match words.as_slice() {
        ["done"] => match asked {
            AppRequest::Wait(_) => AppReply::Waited,
            AppRequest::Answer => AppReply::Answered(Ok(())),
            AppRequest::Indicate(_) => AppReply::Indicated(Ok(())),
            AppRequest::Play(_) | AppRequest::PlaySound(..) => AppReply::Played(Played::All),
            AppRequest::PlayBeside(_) => AppReply::PlaysBeside(Ok(Duration::from_secs(2))),
            AppRequest::PlayFrom(_, from) => AppReply::PlayedFrom(PlayedFrom { played: Played::All, position: *from }),
            AppRequest::Digit(_) => AppReply::Digit(None),
            AppRequest::Pin(_) => AppReply::Pin(PinVerdict::Right(String::new())),
            AppRequest::Echo => AppReply::Echoed,
            AppRequest::TestSignal(_) => AppReply::SignalEnded(SignalReply::Failed("no telephone".to_owned())),
            AppRequest::SendDigits(_) => AppReply::DigitsSent(Ok(())),
            AppRequest::Page(_) | AppRequest::TalkToPage => AppReply::Paged(PageReply::Over),
            AppRequest::Transfer(_) => AppReply::Transferred(Ok(true)),
            AppRequest::DtmfMode(_) => AppReply::DtmfModeSet(Ok(())),
            AppRequest::SendText(_) | AppRequest::SendToCaller(_) => AppReply::TextSent(Ok(())),
            AppRequest::Originate(_) => AppReply::Originated(OriginateStatus::Success),
            AppRequest::HangUp(_) => AppReply::HungUp(1),
            AppRequest::LineStates(lines) => AppReply::LineStates(vec![1; lines.len()]),
            AppRequest::Spy(_) => AppReply::Spied(SpyReply::Over),
            AppRequest::Record(_) => AppReply::Recorded(RecordReply::Max),
            AppRequest::Tap(_) => AppReply::Tapped(Ok(Tapped::default())),
            AppRequest::Music(_) => AppReply::PlaysMusic(Ok(())),
            AppRequest::PlayTone(_) => AppReply::PlaysTone(Ok(())),
            AppRequest::PickUp(_) => {
                AppReply::NotPickedUp(NotPickedUp { why: "Nothing rings".to_owned(), sound: String::new() })
            }
            AppRequest::Park(park) => AppReply::Parked(Ok(Box::new(ParkedAt {
                lot: "default".to_owned(),
                slot: park.slot.unwrap_or(701),
                parker: "SIP/desk".to_owned(),
                time: Duration::from_secs(45),
                music: String::new(),
                comes_back_to_parker: true,
                comeback_time: Duration::from_secs(30),
                comeback_context: "back".to_owned(),
            }))),
            AppRequest::WaitParked(_) => AppReply::Waited,
            AppRequest::FindParked(_) => AppReply::ParkedFound(Some(String::new())),
            AppRequest::Dial(_) | AppRequest::TakeParked(_) => panic!("a Dial ends with a report: dialled STATUS"),
            AppRequest::Outside(_) => panic!("what is done outside gives something"),
        },
        ["pressed", digit] => match asked {
            AppRequest::Play(_) => AppReply::Played(Played::Digit(digit.parse().unwrap())),
            AppRequest::PlayFrom(_, from) => AppReply::PlayedFrom(PlayedFrom {
                played: Played::Digit(digit.parse().unwrap()),
                position: *from + std::time::Duration::from_secs(5),
            }),
            AppRequest::PlaySound(..) => AppReply::Played(Played::Digit(digit.parse().unwrap())),
            AppRequest::Record(_) => AppReply::Recorded(RecordReply::Digit(digit.parse().unwrap())),
            AppRequest::TestSignal(_) => AppReply::SignalEnded(SignalReply::Digit(digit.parse().unwrap())),
            _ => AppReply::Digit(Some(digit.parse().unwrap())),
        },
        ["wrong"] => AppReply::Pin(PinVerdict::Wrong),
        ["locked"] => AppReply::Pin(PinVerdict::Locked(Duration::from_secs(30))),
        ["right", beside] => AppReply::Pin(PinVerdict::Right((*beside).to_owned())),
        ["missing", name] if matches!(asked, AppRequest::PlayFrom(..)) => {
            AppReply::PlayedFrom(PlayedFrom { played: Played::Missing((*name).to_owned()), position: Duration::ZERO })
        }
        ["missing", name] => AppReply::Played(Played::Missing((*name).to_owned())),
        ["dialled", status, ..] => {
            let all = [
                DialStatus::Answer,
                DialStatus::NoAnswer,
                DialStatus::Busy,
                DialStatus::Congestion,
                DialStatus::ChanUnavail,
                DialStatus::Cancel,
                DialStatus::InvalidArgs,
            ];
            let status = *all.iter().find(|one| one.name() == *status).unwrap();
            let answered = Duration::from_secs(after("after").map_or(0, |seconds| seconds.parse().unwrap()));
            AppReply::Dialed(DialReport {
                status,
                dialed: answered + Duration::from_millis(2500),
                answered,
                peer_name: "SIP/callee-00000001".to_owned(),
                peer_number: "callee".to_owned(),
                hangup_cause: after("cause").map_or(0, |cause| cause.parse().unwrap()),
                callee_hung_up: words.contains(&"callee"),
                reason: format!("it was {}", status.name()),
                lines: vec![LineEnd {
                    channel: "SIP/callee-00000001".to_owned(),
                    cause: 17,
                    said: "486 Busy Here".to_owned(),
                }],
            })
        }
        _ => panic!("no reply: {text}"),
    }
}
