//! Digits that telephones press, by telephone event, INFO or in their sound: heard by programs, sent by them, and carried
//! from one line to another of a different kind.

use crate::info::{answers, heard};
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::audio::g711::Law;
use strowger::pbx::media::{DigitForm, G711, WhileBridged};

const ECHO: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Echo()\n same => n,Verbose(1,the echo is over)\n \
    same => n,Wait(600)\n";
const MS: Duration = Duration::from_millis(1);

/// How a telephone presses a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Event,
    Tone,
    Relay,
    Short,
}

const ALL: [By; 4] = [By::Event, By::Tone, By::Relay, By::Short];

/// The accounts, with more options for one of them.
fn with(line: &str, options: &str) -> String {
    SIP.replace(&format!("[{line}]\n"), &format!("[{line}]\n{options}\n"))
}

/// Presses a key; says whether anybody at the exchange hears it.
fn presses(world: &mut Testbed, name: &str, by: By, key: char) -> bool {
    match by {
        By::Event => world.phone(name).sends_event(key),
        By::Tone => world.phone(name).sends_tone(key),
        By::Relay | By::Short => {
            if by == By::Short {
                world.rewrite_head(name, "Content-Type: application/dtmf-relay", "Content-Type: application/dtmf");
                world.rewrite(name, "Signal=", "       ");
                world.rewrite(name, "\r\nDuration=160", "              ");
            }
            let before = answers(world, name).len();
            world.phone(name).presses(key);
            world.run(Duration::from_secs(1));
            answers(world, name).iter().skip(before).any(|answer| answer == "200 OK")
        }
    }
}

/// The digits that a phone was sent in its RTP stream.
fn sent(world: &Testbed, name: &str) -> Vec<(char, u128, DigitForm)> {
    let at = world.look(name).rtp();
    let to_it = world.media.pressed.iter().filter(|(to, ..)| *to == at);
    to_it.map(|(_, digit, time, form)| (*digit, time.as_millis(), *form)).collect()
}

fn digits(sent: &[(char, u128, DigitForm)]) -> String {
    sent.iter().map(|(digit, ..)| *digit).collect()
}

fn over(world: &mut Testbed) {
    for name in ["client", "isp"] {
        if world.look(name).has_call() {
            world.phone(name).hangs_up();
        }
    }
    world.until_over();
    world.assert_nothing_left();
}

/// A line says nothing, or how it does it: what is heard of it while it talks to a program.
#[test]
fn an_echo_ends_at_a_hash_however_the_line_sends_it() {
    for (options, heard) in [
        ("", vec![By::Event, By::Relay, By::Short]),
        ("dtmfmode=info", vec![By::Event, By::Relay, By::Short]),
        ("dtmfmode=auto", vec![By::Event, By::Relay, By::Short]),
        // What it presses is in its sound: it is not to press it as an event instead.
        ("dtmfmode=inband", vec![By::Tone, By::Relay, By::Short]),
        // Of a modem nothing is ever looked for in the sound.
        ("dtmfmode=inband\nline=modem", vec![By::Relay, By::Short]),
    ] {
        for by in ALL {
            let mut world = Testbed::ready(&with("client", options), ECHO);
            world.phone("client").dials("1");
            world.until(|w| w.is_talking("client"));
            world.run(Duration::from_secs(1));
            assert_eq!(presses(&mut world, "client", by, '5'), heard.contains(&by), "{options} {by:?}");
            world.run(Duration::from_secs(1));
            assert!(!world.has_line("the echo is over"));
            presses(&mut world, "client", by, '#');
            world.run(Duration::from_secs(1));
            assert_eq!(world.has_line("the echo is over"), heard.contains(&by), "{options} {by:?}");
            over(&mut world);
        }
    }
}

/// A telephone that offers no telephone events: with `auto` its sound is listened to, without it is not.
#[test]
fn without_events_in_its_description_an_auto_line_is_heard_in_its_sound() {
    for (options, is_heard) in [("dtmfmode=auto", true), ("", false), ("dtmfmode=rfc2833", false)] {
        let mut world = Testbed::ready(&with("client", options), ECHO);
        world.rewrite("client", " 101\r\n", " 125\r\n");
        world.phone("client").dials("1");
        world.until(|w| w.is_talking("client"));
        world.run(Duration::from_secs(1));
        assert_eq!(presses(&mut world, "client", By::Tone, '#'), is_heard, "{options}");
        assert!(!presses(&mut world, "client", By::Event, '#'), "{options}");
        over(&mut world);
    }
}

/// The dialplan has not answered yet.
#[test]
fn a_digit_is_taken_before_the_answer_too() {
    let plan = "[default]\nexten => _X!,1,Progress()\n same => n,Echo()\n same => n,Verbose(1,the echo is over)\n same => n,Answer()\n same => n,Wait(9)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("1");
    world.until(|w| !w.texts("client", &["SIP/2.0 183"]).is_empty());
    world.run(Duration::from_secs(1));
    crate::info::sends_early_after(&mut world, "client", "183", "#");
    world.until(|w| w.is_talking("client"));
    assert!(world.has_line("the echo is over"));
    over(&mut world);
}

/// Lines that are alike are left alone: events pass without being looked at, INFO passes as it is.
#[test]
fn between_lines_that_are_alike_nothing_is_touched() {
    for (options, info) in [
        ("", true),
        ("dtmfmode=rfc2833", true),
        ("dtmfmode=info", true),
        ("dtmfmode=inband", true),
        ("dtmfmode=auto", true),
    ] {
        let sip = SIP.replace("type=friend", &format!("type=friend\n{options}"));
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        world.run(Duration::from_secs(1));
        for stream in world.media.streams.values() {
            assert_eq!(stream.listening.bridged, WhileBridged::Pass, "{options}");
        }
        for by in [By::Event, By::Tone] {
            assert!(!presses(&mut world, "client", by, '5'), "{options}");
        }
        assert_eq!(presses(&mut world, "client", By::Relay, '5'), info, "{options}");
        assert_eq!(heard(&world, "isp"), ["application/dtmf-relay: Signal=5 Duration=160"], "{options}");
        assert!(world.media.pressed.is_empty());
        over(&mut world);
    }
}

#[test]
fn events_of_one_line_are_info_to_a_line_of_that_kind_and_back() {
    for (mode, type_) in
        [("info", "application/dtmf-relay: Signal=7 Duration=120"), ("shortinfo", "application/dtmf: 7")]
    {
        // Their media would go directly, but then nobody could translate.
        let sip = with("isp", &format!("dtmfmode={mode}")).replace("directmedia=no", "directmedia=yes");
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        world.run(Duration::from_secs(1));
        world.assert_connected("client", "isp", true);
        assert!(presses(&mut world, "client", By::Event, '7'));
        world.run(Duration::from_secs(1));
        assert_eq!(heard(&world, "isp"), [type_]);
        assert!(presses(&mut world, "isp", By::Relay, '#'), "answered 200 here");
        assert_eq!(heard(&world, "client"), [""; 0]);
        assert_eq!(sent(&world, "client"), [('#', 160, DigitForm::Event(101))]);
        // What is no digit passes.
        world.rewrite_head("isp", "Content-Type: application/dtmf-relay", "Content-Type: application/hook-flash");
        world.phone("isp").presses('!');
        world.run(Duration::from_secs(1));
        assert!(heard(&world, "client")[0].starts_with("application/hook-flash"));
        over(&mut world);
    }
}

#[test]
fn on_a_call_with_a_modem_nothing_is_translated() {
    for modem in ["client", "isp"] {
        let sip = with("isp", "dtmfmode=info").replace(&format!("[{modem}]\n"), &format!("[{modem}]\nline=modem\n"));
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        world.run(Duration::from_secs(1));
        assert!(!presses(&mut world, "client", By::Event, '7'));
        assert!(presses(&mut world, "isp", By::Relay, '5'));
        assert_eq!(heard(&world, "client"), ["application/dtmf-relay: Signal=5 Duration=160"]);
        assert!(world.media.pressed.is_empty());
        over(&mut world);
    }
}

const ULAW: DigitForm = DigitForm::Tone { codec: G711 { payload_type: 0, law: Law::Mu }, ptime_ms: 20 };

/// After a prompt the caller has events, and the line that it calls then has none: they would be noise to it.
#[test]
fn events_are_tones_to_a_line_that_has_none_if_its_owner_says_so() {
    for (options, is_translated) in [("dtmfmode=inband", true), ("dtmfmode=auto", true), ("", false)] {
        let plan = "[default]\nexten => _X!,1,Answer()\n same => n,Playback(beep)\n same => n,Dial(SIP/isp,20)\n";
        let mut world = Testbed::ready(&with("isp", options), plan);
        world.rewrite("isp", " 101\r\n", " 125\r\n");
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("isp"));
        world.run(Duration::from_secs(1));
        assert_eq!(presses(&mut world, "client", By::Event, '4'), is_translated, "{options}");
        world.run(Duration::from_secs(1));
        let expected = if is_translated { vec![('4', 120, ULAW)] } else { vec![] };
        assert_eq!(
            sent(&world, "isp")
                .iter()
                .map(|(digit, time, form)| (*digit, *time, without_ptime(*form)))
                .collect::<Vec<_>>(),
            expected
        );
        over(&mut world);
    }
}

fn without_ptime(form: DigitForm) -> DigitForm {
    match form {
        DigitForm::Tone { codec, .. } => DigitForm::Tone { codec, ptime_ms: 20 },
        event @ DigitForm::Event(_) => event,
    }
}

/// With flash and pauses, in each kind; the program goes on when all is sent.
#[test]
fn a_program_sends_digits_in_the_way_of_the_line() {
    let plan = "[default]\nexten => _X!,1,Answer()\n same => n,SendDTMF(1w2#,100,80)\n same => n,Verbose(1,all is sent)\n same => n,Wait(9)\n";
    for (options, form) in [
        ("", Some(DigitForm::Event(101))),
        ("dtmfmode=auto", Some(DigitForm::Event(101))),
        ("dtmfmode=inband", Some(ULAW)),
        ("dtmfmode=info", None),
        ("dtmfmode=shortinfo", None),
    ] {
        let mut world = Testbed::ready(&with("client", options), plan);
        world.phone("client").dials("1");
        world.until(|w| w.is_talking("client"));
        let begun = world.now;
        world.until(|w| w.has_line("all is sent"));
        let took = world.now.since(begun);
        assert!((1_000 * MS..1_200 * MS).contains(&took), "{took:?}: three of 180 ms, and a pause of 500");
        match form {
            Some(form) => {
                let all: Vec<_> =
                    sent(&world, "client").into_iter().map(|(key, ms, form)| (key, ms, without_ptime(form))).collect();
                assert_eq!(all, [('1', 80, form), ('2', 80, form), ('#', 80, form)], "{options}");
            }
            None => {
                let short = options.ends_with("shortinfo");
                let said = |key: char| {
                    if short {
                        format!("application/dtmf: {key}")
                    } else {
                        format!("application/dtmf-relay: Signal={key} Duration=80")
                    }
                };
                world.run(Duration::from_secs(1));
                assert_eq!(heard(&world, "client"), ['1', '2', '#'].map(said));
            }
        }
        over(&mut world);
    }
}

#[test]
fn a_caller_that_leaves_in_the_midst_leaves_nothing() {
    for options in ["", "dtmfmode=info"] {
        let plan = "[default]\nexten => _X!,1,Answer()\n same => n,SendDTMF(12345678901234567890)\n";
        let mut world = Testbed::ready(&with("client", options), plan);
        world.phone("client").dials("1");
        world.until(|w| w.is_talking("client"));
        world.run(Duration::from_secs(2));
        over(&mut world);
        assert!(world.media.pressed.len() < 10);
    }
}

/// `D(called:calling:progress)`: the line is dialled on within the far exchange.
#[test]
fn a_dial_sends_digits_to_either_side() {
    for direct in ["no", "yes"] {
        let sip = SIP.replace("directmedia=no", &format!("directmedia={direct}"));
        let mut world = Testbed::ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp,20,D(12w3:9:*))\n");
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").indicates(183, true);
        world.run(Duration::from_secs(1));
        assert_eq!(digits(&sent(&world, "isp")), "*");
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        world.run(Duration::from_secs(3));
        assert_eq!((digits(&sent(&world, "isp")), digits(&sent(&world, "client"))), ("*123".into(), "9".into()));
        world.assert_connected("client", "isp", true);
        over(&mut world);
    }
    // Nobody asks for it on a call with a modem; who does is told.
    let sip = with("isp", "line=modem");
    let mut world = Testbed::ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp,20,D(12))\n");
    world.connect();
    world.run(Duration::from_secs(1));
    assert!(world.media.pressed.is_empty() && world.has_line("digits are not sent: 'isp' is line=modem"));
    over(&mut world);
}

/// What a caller presses goes to the dialplan that it was sent into by another.
#[test]
fn a_program_on_a_half_of_a_pair_is_pressed_to_and_sends() {
    let plan = "[default]\nexten => _X!,1,Dial(SIP/isp,20)\nexten => menu,1,Answer()\n same => n,Echo()\n \
        same => n,SendDTMF(5)\n same => n,Verbose(1,the echo is over)\n same => n,Wait(600)\n";
    for by in [By::Event, By::Relay] {
        let mut world = Testbed::ready(SIP, plan);
        crate::forwarding::forward(&mut world, "isp", 302, "sip:menu@192.0.2.1");
        world.phone("client").dials("1");
        world.until(|w| w.is_talking("client"));
        world.run(Duration::from_secs(1));
        assert!(presses(&mut world, "client", by, '#'), "{by:?}");
        world.run(Duration::from_secs(1));
        assert!(world.has_line("the echo is over"), "{by:?}");
        assert_eq!(digits(&sent(&world, "client")), "5");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn the_dialplan_says_how_the_digits_of_a_call_go() {
    let plan = "[default]\nexten => _X!,1,SIPDtmfMode(inband)\n same => n,Answer()\n same => n,SendDTMF(1)\n \
        same => n,SIPDtmfMode(info)\n same => n,SendDTMF(2)\n same => n,SIPDtmfMode(x)\n same => n,Wait(9)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("SIPDtmfMode: the modes are"));
    world.run(Duration::from_secs(1));
    assert_eq!(digits(&sent(&world, "client")), "1");
    assert!(matches!(sent(&world, "client")[0].2, DigitForm::Tone { .. }));
    assert_eq!(heard(&world, "client"), ["application/dtmf-relay: Signal=2 Duration=100"]);
    let answer = world.texts("client", &["SIP/2.0 200", "INVITE"]).remove(0);
    assert!(!answer.contains("telephone-event"), "{answer}");
    over(&mut world);
}

const BY_KEY: &str = "[default]\nexten => 1,1,Dial(SIP/isp,20,hH)\n same => n,Verbose(1,never here)\n\
    exten => 2,1,Dial(SIP/isp,20,gH)\n same => n,Verbose(1,it goes on)\n same => n,Wait(9)\n\
    exten => 3,1,Dial(SIP/isp,20)\n\
    exten => 4,1,Dial(Local/1@default,20)\n";

/// Options `h` and `H` of Dial, and with `g` the caller goes on in the dialplan.
#[test]
fn a_star_hangs_up_where_the_dial_says_so() {
    for (number, who, ends) in [
        ("1", "client", true),
        ("1", "isp", true),
        ("2", "client", true),
        ("2", "isp", false),
        ("3", "client", false),
        ("4", "client", true),
        ("4", "isp", true),
    ] {
        for by in [By::Event, By::Relay] {
            let mut world = Testbed::ready(&SIP.replace("directmedia=no", "directmedia=yes"), BY_KEY);
            world.phone("client").dials(number);
            world.until(|w| w.is_called("isp"));
            world.phone("isp").answers();
            world.until(|w| w.is_talking("client") && w.is_talking("isp"));
            world.run(Duration::from_secs(1));
            world.assert_connected("client", "isp", number != "3");
            presses(&mut world, who, by, '5');
            world.run(Duration::from_secs(1));
            assert!(world.is_talking("client") && world.is_talking("isp"), "{number} {who} {by:?}");
            presses(&mut world, who, by, '*');
            world.run(Duration::from_secs(1));
            let goes_on = number == "2" && ends;
            assert_eq!(world.is_talking("isp"), !ends, "{number} {who} {by:?}");
            assert_eq!(world.is_talking("client"), !ends || goes_on, "{number} {who} {by:?}");
            assert_eq!(world.has_line("it goes on"), goes_on, "{number} {who} {by:?}");
            assert!(!world.has_line("never here"));
            over(&mut world);
        }
    }
}

/// Nothing listens to the call of a modem, whoever asks for it.
#[test]
fn a_star_hangs_up_no_modem() {
    for modem in ["client", "isp"] {
        let mut world = Testbed::ready(&with(modem, "line=modem"), BY_KEY);
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        for letter in ["H", "h"] {
            let refused = format!("'{modem}' is line=modem: nothing listens to its call, not for Dial option {letter}");
            assert!(world.has_line(&refused), "{refused}");
        }
        for who in ["client", "isp"] {
            assert!(!presses(&mut world, who, By::Event, '*'));
            presses(&mut world, who, By::Relay, '*');
        }
        world.run(Duration::from_secs(1));
        assert!(world.is_talking("client") && world.is_talking("isp"));
        over(&mut world);
    }
}
