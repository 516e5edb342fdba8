//! Providers: fail-over from one to the next, what a trunk may cost, whose call it is when two share an address.

use crate::forwarding::forward;
use crate::network::Quality;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

/// The accounts, with `isp` and `desk` as the providers `one` and `two`.
fn providers(one: &str, two: &str) -> String {
    let trunk = |name: &str, host: &str, lines: &str| {
        format!("[{name}]\ntype=peer\nhost={host}\ninsecure=port,invite\n{lines}\n")
    };
    let phone = |name: &str| format!("[{name}]\ntype=friend\nhost=dynamic\nsecret=password");
    SIP.replace(&phone("isp"), &trunk("one", "192.0.2.20:5061", one))
        .replace(&phone("desk"), &trunk("two", "192.0.2.30:5060", two))
}

/// Both phones of the house are registered.
fn ready(sip: &str, plan: &str) -> Testbed {
    let mut world = Testbed::new(sip, plan, Quality::PERFECT, 1);
    for name in ["client", "cisco"] {
        world.phone(name).registers();
    }
    world.until(|w| ["client", "cisco"].iter().all(|name| w.look(name).is_registered()));
    world
}

fn failed(world: &Testbed, phone: &str) -> Vec<u16> {
    let events = world.stations[phone].events.iter();
    events.filter_map(|(_, event)| if let PhoneEvent::Failed(status) = event { Some(*status) } else { None }).collect()
}

fn dial_and_fail(world: &mut Testbed, phone: &str, number: &str) -> Option<u16> {
    let before = failed(world, phone).len();
    world.phone(phone).dials(number);
    world.until(|w| failed(w, phone).len() > before);
    failed(world, phone).last().copied()
}

fn talk(world: &mut Testbed, phone: &str, provider: &str, number: &str) {
    world.phone(phone).dials(number);
    world.until(|w| w.is_called(provider));
    world.phone(provider).answers();
    world.until(|w| w.is_talking(phone) && w.is_talking(provider));
}

fn hang_up(world: &mut Testbed, phone: &str) {
    world.phone(phone).hangs_up();
    world.until(|w| !w.look(phone).has_call());
    world.run(Duration::from_secs(1));
}

const ONE_THEN_TWO: &str = "[default]\nexten => _X!,1,Dial(SIP/${EXTEN}@one)\nsame => n,NoOp(one ${DIALSTATUS} ${HANGUPCAUSE})\n\
                            same => n,Dial(SIP/${EXTEN}@two)\nsame => n,NoOp(two ${DIALSTATUS})\n";

#[test]
fn what_a_provider_answers_decides_the_status_and_the_next_one_is_tried() {
    for (status, told) in [
        (503, "one CONGESTION 34"),
        (500, "one CONGESTION 38"),
        (504, "one CONGESTION 102"),
        (403, "one CHANUNAVAIL 21"),
        (404, "one CHANUNAVAIL 1"),
        (480, "one NOANSWER 19"),
        (486, "one BUSY 17"),
        (600, "one BUSY 17"),
        (603, "one CHANUNAVAIL 21"),
    ] {
        let mut world = ready(&providers("", ""), ONE_THEN_TWO);
        world.phone("isp").habit(|habits| habits.refuse = Some(status));
        talk(&mut world, "client", "desk", "0301234");
        assert!(world.has_line(told), "{status}: {:?}", world.lines);
        hang_up(&mut world, "client");
        world.assert_nothing_left();
    }
}

#[test]
fn a_provider_that_is_dead_gives_way_to_the_next_one() {
    // It answers nothing at all.
    let mut world = ready(&providers("", ""), ONE_THEN_TWO);
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.phone("client").dials("0301234");
    world.until(|w| w.is_called("desk"));
    assert!(world.has_line("one CHANUNAVAIL 18"), "{:?}", world.lines);
    hang_up(&mut world, "client");
    // Its network is gone.
    let mut world = ready(&providers("", ""), ONE_THEN_TWO);
    world.no_route.insert("192.0.2.20:5061".parse().unwrap());
    talk(&mut world, "client", "desk", "0301234");
    assert!(world.has_line("one CHANUNAVAIL 27"), "{:?}", world.lines);
    hang_up(&mut world, "client");
    world.assert_nothing_left();
}

#[test]
fn two_providers_in_one_dial_are_both_tried_and_the_worst_told_of_both() {
    let plan = "[default]\nexten => _X!,1,Dial(SIP/${EXTEN}@one&SIP/${EXTEN}@two)\nsame => n,GotoIf($[\"${DIALSTATUS}\"=\"CONGESTION\"]?full)\n\
                same => n,NoOp(other ${DIALSTATUS})\nsame => n,Hangup()\nsame => n(full),NoOp(full)\nsame => n,Congestion(1)\n";
    let mut world = ready(&providers("", ""), plan);
    world.phone("isp").habit(|habits| habits.refuse = Some(503));
    talk(&mut world, "client", "desk", "0301234");
    hang_up(&mut world, "client");
    world.phone("desk").habit(|habits| habits.refuse = Some(403));
    dial_and_fail(&mut world, "client", "0301234");
    assert!(world.has_line("\"full\""), "{:?}", world.lines);
    world.phone("desk").habit(|habits| habits.refuse = Some(486));
    dial_and_fail(&mut world, "client", "0301234");
    assert!(world.has_line("other BUSY"), "{:?}", world.lines);
    world.assert_nothing_left();
}

#[test]
fn a_trunk_has_so_many_calls_at_once_and_says_so() {
    for (lines, option) in [("max_outgoing=1", "max_outgoing"), ("call-limit=1", "call-limit")] {
        let mut world = ready(&providers(lines, ""), ONE_THEN_TWO);
        talk(&mut world, "client", "isp", "0301234");
        // The second goes by the other provider.
        talk(&mut world, "cisco", "desk", "0305678");
        let why = format!("all 1 calls that 'one' may have are in progress ({option}=)");
        assert!(world.has_line(&why) && world.has_line("one CONGESTION 34"), "{:?}", world.lines);
        hang_up(&mut world, "client");
        hang_up(&mut world, "cisco");
        talk(&mut world, "cisco", "isp", "0305678");
        hang_up(&mut world, "cisco");
        world.assert_nothing_left();
    }
}

/// Both targets of one Dial count, and calls that come in do not.
#[test]
fn max_outgoing_counts_what_is_placed_alone() {
    let plan = "[default]\nexten => 1,1,Dial(SIP/1@one&SIP/2@one)\nexten => 200,1,Dial(SIP/cisco)\nexten => _0X.,1,Dial(SIP/${EXTEN}@one)\n";
    let mut world = ready(&providers("max_outgoing=1", ""), plan);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    assert_eq!(world.texts("isp", &["INVITE"]).len(), 1);
    hang_up(&mut world, "client");
    talk(&mut world, "isp", "cisco", "200");
    world.phone("client").dials("0301234");
    world.run(Duration::from_secs(1));
    assert!(!world.has_line("max_outgoing=): ") && world.texts("isp", &["INVITE sip:0301234"]).len() == 1);
}

#[test]
fn numbers_are_permitted_by_their_beginnings_and_an_emergency_call_always_is() {
    let plan =
        "[default]\nexten => _X!,1,Dial(SIP/${EXTEN}@one)\nsame => n,NoOp(${EXTEN} ${DIALSTATUS} ${HANGUPCAUSE})\n";
    let mut world = ready(
        &providers("allow_numbers=0\nforbid_numbers=0900, 00\ncall-limit=1\nmax_outgoing=1\nmax_minutes=1", ""),
        plan,
    );
    for number in ["0900123", "0044123", "5123"] {
        assert_eq!(dial_and_fail(&mut world, "client", number), Some(503));
        assert!(world.has_line(&format!("{number} may not be called by 'one'")), "{number}");
        assert!(world.has_line(&format!("{number} CHANUNAVAIL 52")), "{number}");
    }
    assert!(world.texts("isp", &["INVITE"]).is_empty());
    // 112 begins with nothing that is allowed.
    talk(&mut world, "client", "isp", "112");
    assert!(world.has_line("Emergency call to 112 by 'one' all the same: 112 may not be called"), "{:?}", world.lines);
    world.run(Duration::from_secs(120));
    // Every minute is spent, and the line has its one call.
    world.phone("cisco").dials("112");
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts("isp", &["INVITE sip:112@"]).len(), 2);
    world.phone("cisco").hangs_up();
    hang_up(&mut world, "client");
    assert_eq!(dial_and_fail(&mut world, "client", "0301234"), Some(503));
    assert!(world.has_line("'one' has had its 1 minute of calls for today"), "{:?}", world.lines);
}

#[test]
fn a_line_that_has_its_calls_can_still_call_for_help() {
    let sip = providers("", "").replace("[client]\ntype=friend", "[client]\ntype=friend\ncall-limit=1");
    let sip = sip.replace("[general]\n", "[general]\nemergency_numbers=112,9112\n");
    let mut world = ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/${EXTEN:-3}@one)\n");
    world.add_with_account(
        "second",
        "client",
        "password",
        ("192.0.2.21:5060", "192.0.2.21:16420"),
        strowger::sim::DeviceProfile::Pap2t,
    );
    talk(&mut world, "client", "isp", "5112");
    assert_eq!(dial_and_fail(&mut world, "second", "911"), Some(480), "not an emergency number here");
    world.phone("second").dials("9112");
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts("isp", &["INVITE sip:112@"]).len(), 2);
}

#[test]
fn minutes_are_counted_over_calls_over_a_restart_and_for_one_day() {
    let sip = providers("max_minutes=5", "");
    let mut world = ready(&sip, ONE_THEN_TWO);
    talk(&mut world, "client", "isp", "0301234");
    world.run(Duration::from_secs(200));
    hang_up(&mut world, "client");
    let value = |w: &Testbed| w.switch.database().get("/TrunkSeconds/one").unwrap_or_default();
    let (day, seconds) =
        value(&world).split_once(' ').map(|(day, of)| (day.to_owned(), of.parse::<u64>().unwrap())).unwrap();
    assert!((200..203).contains(&seconds), "{seconds}");
    // A call that is up counts as it goes on, and is not cut off.
    talk(&mut world, "client", "isp", "0301234");
    world.run(Duration::from_secs(110));
    talk(&mut world, "cisco", "desk", "0305678");
    assert!(
        world.has_line("'one' has had its 5 minutes of calls for today (max_minutes=)")
            && world.has_line("one CONGESTION 34")
    );
    assert!(world.is_talking("client"));
    hang_up(&mut world, "cisco");
    hang_up(&mut world, "client");
    // Nothing is forgotten by a restart; its owner gives the day back.
    let stored = value(&world);
    assert!(stored.starts_with(&day));
    world.switch.database().put("/TrunkSeconds/one", &format!("{day} 299")).unwrap();
    let effects = world.switch.take_effects();
    world.execute(effects);
    talk(&mut world, "client", "isp", "0301234");
    hang_up(&mut world, "client");
    world.switch.database().delete("/TrunkSeconds/one");
    let effects = world.switch.take_effects();
    world.execute(effects);
    talk(&mut world, "client", "isp", "0301234");
    hang_up(&mut world, "client");
    world.assert_nothing_left();
}

#[test]
fn early_media_of_a_provider_comes_through_and_stays_when_it_rings_after() {
    let mut world = ready(&providers("", ""), ONE_THEN_TWO);
    world.phone("isp").habit(|habits| habits.auto_ring = false);
    world.phone("client").dials("0301234");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").sounds();
    world.until(|w| w.look("client").media().is_some());
    world.run(Duration::from_secs(1));
    assert_eq!(world.sound_from("isp").map(|sound| sound.to), Some("client".to_owned()));
    world.phone("isp").rings();
    world.run(Duration::from_secs(1));
    assert_eq!(
        world.sound_from("isp").map(|sound| sound.to),
        Some("client".to_owned()),
        "a 180 after a 183 ends nothing"
    );
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_connected("client", "isp", true);
    hang_up(&mut world, "client");
    world.assert_nothing_left();
}

#[test]
fn a_provider_that_redirects_is_followed_where_allowed_and_not_round_and_round() {
    // To the other provider's address, as one of two servers does.
    let mut world = ready(&providers("promiscredir=yes", ""), ONE_THEN_TWO);
    forward(&mut world, "isp", 302, "<sip:0301234@192.0.2.30:5060>");
    talk(&mut world, "client", "desk", "0301234");
    assert!(world.texts("desk", &["INVITE sip:0301234@192.0.2.30"]).len() == 1, "it was redirected, not failed over");
    hang_up(&mut world, "client");
    world.assert_nothing_left();
    // To itself, for ever.
    for status in [300, 301, 302] {
        let mut world = ready(&providers("promiscredir=yes", ""), ONE_THEN_TWO);
        forward(&mut world, "isp", status, "<sip:0301234@192.0.2.20:5061>");
        talk(&mut world, "client", "desk", "0301234");
        assert_eq!(world.texts("isp", &["INVITE"]).len(), 2, "once more, and no third time");
        assert!(world.has_line("one CHANUNAVAIL 20"), "{:?}", world.lines);
        hang_up(&mut world, "client");
        world.assert_nothing_left();
    }
    // 305 and 380 without a Contact that is followed are refusals, and the next provider is called.
    for status in [305, 380] {
        let mut world = ready(&providers("", ""), ONE_THEN_TWO);
        world.phone("isp").habit(|habits| habits.refuse = Some(status));
        talk(&mut world, "client", "desk", "0301234");
        hang_up(&mut world, "client");
        world.assert_nothing_left();
    }
}

#[test]
fn a_session_timer_that_a_provider_wants_longer_is_asked_for_again_once() {
    let mut world = ready(&providers("session-timers=originate\nsession-expires=90", ""), ONE_THEN_TWO);
    world.add_to("isp", "SIP/2.0 422", "Min-SE: 1800");
    world.phone("isp").habit(|habits| habits.refuse = Some(422));
    world.phone("client").dials("0301234");
    world.until(|w| !w.messages("isp", "exchange", &["422"]).is_empty());
    world.phone("isp").habit(|habits| habits.refuse = None);
    world.until(|w| w.is_called("isp"));
    let asked = world.texts("isp", &["INVITE sip"]);
    assert!(asked[0].contains("Session-Expires: 90") && asked[1].contains("Session-Expires: 1800"), "{asked:?}");
    assert!(asked[1].contains("Min-SE: 1800\r\n"), "{}", asked[1]);
    hang_up(&mut world, "client");
    world.assert_nothing_left();
}

/// Two accounts with one provider: what the call names them by decides in which context it begins.
#[test]
fn of_two_accounts_at_one_address_the_one_is_called_that_the_call_names() {
    let at = "type=peer\nhost=192.0.2.20:5061\ninsecure=port,invite";
    let sip = format!(
        "{SIP}[alpha]\n{at}\ncontext=a\ndefaultuser=4711\n[beta]\n{at}\ncontext=b\ndefaultuser=4712\nfromdomain=b.example\n"
    );
    let plan = "[a]\nexten => _X!,1,NoOp(is of alpha)\nsame => n,Busy(1)\n[b]\nexten => _X!,1,NoOp(is of beta)\nsame => n,Busy(1)\n\
                [default]\nexten => 1,1,Hangup()\n";
    for (number, from, of) in [
        ("4711", "<sip:030@192.0.2.20>", "alpha"),
        ("4712", "<sip:030@192.0.2.20>", "beta"),
        ("9", "<sip:4712@192.0.2.20>", "beta"),
        ("9", "<sip:030@b.example>", "beta"),
        ("9", "<sip:030@192.0.2.20>", "alpha"),
    ] {
        let mut world = ready(&sip, plan);
        world.from("isp", from);
        dial_and_fail(&mut world, "isp", number);
        assert!(world.has_line(&format!("is of {of}")), "{number} {from}: {:?}", world.lines);
    }
}

/// A loop between exchanges ends by the hops that are left.
#[test]
fn a_call_that_goes_on_has_one_hop_less() {
    let mut world = ready(
        &providers("", "maxforwards=20"),
        "[default]\nexten => _1X,1,Dial(SIP/${EXTEN}@one)\nexten => _2X,1,Dial(SIP/${EXTEN}@two)\n",
    );
    world.rewrite("client", "Max-Forwards: 70", "Max-Forwards: 31");
    for (number, provider, hops) in [("10", "isp", "Max-Forwards: 30\r\n"), ("20", "desk", "Max-Forwards: 20\r\n")] {
        world.phone("client").dials(number);
        world.until(|w| w.is_called(provider));
        let invite = world.texts(provider, &["INVITE sip"]).pop().unwrap();
        assert!(invite.contains(hops), "{invite}");
        hang_up(&mut world, "client");
    }
    world.rewrite("client", "Max-Forwards: 31", "Max-Forwards: 00");
    assert_eq!(dial_and_fail(&mut world, "client", "10"), Some(483));
    assert!(
        world.has_line("rejected because it has passed through as many exchanges as it may (Max-Forwards: 0)"),
        "{:?}",
        world.lines
    );
}
