//! Session timers (RFC 4028) in both roles, and the hops a call may take.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

const MINUTE: Duration = Duration::from_secs(60);

/// The accounts of every story with a line more in `[general]`.
fn with(line: &str) -> String {
    SIP.replacen("[general]\n", &format!("[general]\n{line}\n"), 1)
}

fn asks() -> String {
    with("session-timers=originate\nsession-expires=90")
}

stories! {
    a_caller_wants_us_to_refresh(SIP, GUIDE);
    we_refresh_who_knows_no_timers(asks(), GUIDE);
    a_refresh_meets_a_phone_that_is_gone(asks(), GUIDE);
}

/// The caller asks for 90 s and leaves it to us: every 45 s a refresh that changes nothing, on its leg alone. Whether
/// it takes UPDATE its INVITE does not say, but its 200 to the first re-INVITE does.
fn a_caller_wants_us_to_refresh(world: &mut Testbed) {
    world.add_header("client", "Supported: timer\r\nSession-Expires: 90;refresher=uas");
    world.connect();
    let answer = world.texts("client", &["200 OK", "INVITE"]).remove(0);
    // RFC 4028 9: it knows timers, and is to notice when no refresh comes.
    let says = ["Session-Expires: 90;refresher=uas\r\n", "\r\nRequire: timer\r\n"];
    assert!(says.iter().all(|line| answer.contains(line)), "{answer}");
    world.run(MINUTE * 5);
    assert!(world.is_talking("client") && world.is_talking("isp"));
    let asked = world.texts("client", &["INVITE sip:"]);
    assert!(asked[0].contains("Session-Expires: 90;refresher=uac\r\n"), "{}", asked[0]);
    assert!(world.texts("isp", &["INVITE sip:"]).iter().all(|text| !text.contains("Session-Expires")));
    if world.is_perfect() {
        assert_eq!((asked.len(), world.texts("client", &["UPDATE sip:"]).len()), (1, 5), "every 45 s");
        assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), 1, "the other leg has nothing of it");
        world.assert_connected("client", "isp", true);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

/// `session-timers=originate`: neither phone has heard of it, so we refresh both, by UPDATE where Allow names it.
fn we_refresh_who_knows_no_timers(world: &mut Testbed) {
    world.connect();
    let asked = world.texts("isp", &["INVITE sip:"]).remove(0);
    assert!(asked.contains("Supported: replaces, timer\r\n"), "{asked}");
    assert!(asked.contains("Session-Expires: 90;refresher=uas\r\n") && asked.contains("Min-SE: 90\r\n"), "{asked}");
    world.run(MINUTE * 5);
    assert!(world.is_talking("client") && world.is_talking("isp"));
    if world.is_perfect() {
        // The called phone's 200 has an Allow with UPDATE; the caller's INVITE has none.
        assert_eq!(world.messages("exchange", "isp", &["UPDATE sip:"]).len(), 6);
        assert_eq!(world.messages("exchange", "client", &["INVITE sip:"]).len(), 1);
        assert_eq!(world.messages("exchange", "client", &["UPDATE sip:"]).len(), 5);
        world.assert_connected("client", "isp", true);
    }
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_refresh_meets_a_phone_that_is_gone(world: &mut Testbed) {
    world.connect();
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    // 45 s to the refresh, 32 s until it is given up; the BYE goes unanswered, too.
    world.run(Duration::from_secs(80));
    world.until(|w| !w.look("client").has_call());
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.phone("isp").hangs_up();
    world.until_over();
}

/// RFC 4028 10: at 60 of 90 s without a refresh the call is given up.
#[test]
fn a_caller_that_was_to_refresh_and_does_not_loses_its_call() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.add_header("client", "Supported: timer\r\nSession-Expires: 90;refresher=uac");
    world.connect();
    let answer = world.texts("client", &["200 OK", "INVITE"]).remove(0);
    assert!(answer.contains("Session-Expires: 90;refresher=uac\r\n") && answer.contains("Require: timer\r\n"));
    let began = world.now;
    world.until(|w| w.saw("isp", &PhoneEvent::Ended));
    let lasted = world.now.since(began).as_millis();
    assert!((59_900..60_100).contains(&lasted), "{lasted}");
    assert!(world.has_line("did not refresh the call"));
    world.until_over();
    world.assert_nothing_left();
}

/// A refresh of the peer's starts the time anew; one without Session-Expires ends it (RFC 4028 9).
#[test]
fn a_callers_refresh_is_answered_with_the_time_that_begins() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.add_header("client", "Supported: timer\r\nSession-Expires: 90;refresher=uac");
    world.connect();
    for _ in 0..4 {
        world.run(Duration::from_secs(45));
        world.phone("client").reoffers(strowger::sim::Change::Refresh);
    }
    world.run(Duration::from_secs(1));
    assert!(world.is_talking("client"));
    let answers = world.texts("client", &["200 OK", "INVITE"]);
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|text| text.contains("Session-Expires: 90;refresher=uac\r\n")));
    world.add_header("client", "");
    world.phone("client").reoffers(strowger::sim::Change::Refresh);
    world.run(MINUTE * 5);
    assert!(world.is_talking("client"), "nobody refreshes any more, as nobody asked for it");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// RFC 4028 9: the smaller of what is asked for and `session-expires=`, never below the caller's Min-SE; who refreshes,
/// and a caller that is to watch, is told by Require, in the 200 to the INVITE and to each refresh.
#[test]
fn the_smaller_interval_is_granted_and_required() {
    for (asked, granted, required) in [
        ("Supported: timer\r\nSession-Expires: 250;refresher=uac", "199;refresher=uac", true),
        ("Supported: timer\r\nSession-Expires: 250", "199;refresher=uas", true),
        ("Supported: timer\r\nSession-Expires: 250;refresher=uac\r\nMin-SE: 220", "220;refresher=uac", true),
        ("Supported: timer\r\nSession-Expires: 150;refresher=uac", "150;refresher=uac", true),
        ("Session-Expires: 250;refresher=uac", "199;refresher=uas", false),
    ] {
        let mut world = Testbed::ready(&with("session-expires=199"), GUIDE);
        world.add_header("client", asked);
        world.connect();
        let mut answers = vec![world.texts("client", &["200 OK", "INVITE"]).remove(0)];
        world.phone("client").reoffers(strowger::sim::Change::Hold);
        world.run(Duration::from_secs(1));
        answers.extend(world.texts("client", &["200 OK", "CSeq: 3 INVITE"]));
        for answer in answers {
            assert!(answer.contains(&format!("\r\nSession-Expires: {granted}\r\n")), "{asked}: {answer}");
            assert_eq!(answer.contains("\r\nRequire: timer\r\n"), required, "{asked}: {answer}");
        }
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn an_interval_below_session_minse_is_422_and_a_required_timer_that_is_off_420() {
    let mut world = Testbed::ready(&with("session-minse=120"), GUIDE);
    world.add_header("client", "Supported: timer\r\nSession-Expires: 119");
    world.phone("client").dials("88567682");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(422)));
    assert!(world.texts("client", &["422"])[0].contains("Min-SE: 120\r\n"));
    world.assert_nothing_left();

    let mut world = Testbed::ready(&with("session-timers=refuse"), GUIDE);
    world.add_header("client", "Require: timer");
    world.phone("client").dials("88567682");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(420)));
    assert!(world.texts("client", &["420"])[0].contains("Unsupported: timer\r\n"));
    world.add_header("client", "Supported: timer\r\nSession-Expires: 90;refresher=uac");
    world.connect();
    world.run(MINUTE * 5);
    assert!(world.is_talking("client"), "refused: as if it had not been asked for");
    assert!(!world.texts("client", &["200 OK", "INVITE"])[0].contains("Session-Expires"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// RFC 4028 7.3: the called phone wants a longer interval, and gets it; one that is never content is given up.
#[test]
fn a_called_phone_raises_the_interval() {
    let mut world = Testbed::ready(&asks(), GUIDE);
    world.add_to("isp", "SIP/2.0 422", "Min-SE: 600");
    world.phone("isp").habit(|habits| habits.refuse = Some(422));
    world.phone("client").dials("88567682");
    world.until(|w| !w.texts("isp", &["INVITE sip:"]).is_empty());
    world.run(Duration::from_millis(15));
    world.phone("isp").habit(|habits| habits.refuse = None);
    world.until(|w| w.is_called("isp"));
    let asked = world.texts("isp", &["INVITE sip:"]);
    assert_eq!(asked.len(), 2);
    assert!(asked[1].contains("CSeq: 103 INVITE\r\n") && asked[1].contains("Min-SE: 600\r\n"), "{}", asked[1]);
    assert!(asked[1].contains("Session-Expires: 600;refresher=uas\r\n"), "{}", asked[1]);
    let call_id = |text: &str| text.lines().find(|line| line.starts_with("Call-ID")).map(str::to_owned);
    assert_eq!(call_id(&asked[0]), call_id(&asked[1]));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();

    world.phone("isp").habit(|habits| habits.refuse = Some(422));
    world.phone("client").dials("88567682");
    world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
    assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), 2 + 3, "twice more, and no oftener");
    world.assert_nothing_left();
}

/// RFC 3261 16.6 and RFC 7332: who calls on is no beginning. Two exchanges that call each other end with 483.
#[test]
fn a_call_carries_its_hops_on() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    assert!(world.texts("isp", &["INVITE sip:"])[0].contains("Max-Forwards: 69\r\n"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    // A line may allow fewer hops than there are left, but never more.
    let mut world = Testbed::ready(&SIP.replace("[isp]\n", "[isp]\nmaxforwards=5\n"), GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    assert!(world.texts("isp", &["INVITE sip:"])[0].contains("Max-Forwards: 5\r\n"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The number leads back to the exchange itself (RFC 3261 16.3): every round has one hop less, until there is none.
#[test]
fn a_call_that_goes_in_circles_ends() {
    let circle = "[circle]\ntype=friend\nhost=192.0.2.1\nfromuser=circle\ninsecure=port,invite\ncontext=default\n";
    let mut world =
        Testbed::ready(&format!("{SIP}{circle}"), "[default]\nexten => _X!,1,Dial(SIP/circle/${EXTEN},60)\n");
    world.phone("client").dials("88567682");
    world.until(|w| !w.look("client").has_call());
    assert!(world.has_line("refused the call (483 Too Many Hops)"), "the last round was refused");
    let rounds = world.lines.iter().filter(|(_, line)| line.starts_with("Called SIP/circle")).count();
    assert_eq!(rounds, 70);
    world.assert_nothing_left();
}

/// RFC 4028 9: only who says `timer` knows a 422. An interval too short that a proxy asked for in its name is no reason
/// to refuse its call.
#[test]
fn a_phone_that_knows_no_timers_is_never_told_422() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.add_header("client", "Session-Expires: 60");
    world.connect();
    let answer = world.texts("client", &["200 OK", "INVITE"]).remove(0);
    assert!(answer.contains("Session-Expires: 90;refresher=uas\r\n") && !answer.contains("Require:"), "{answer}");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// Phones whose Allow does not name UPDATE are refreshed by re-INVITE.
fn refreshed_by_invite(sip: &str, seed: u64) -> Testbed {
    let mut world = Testbed::new(sip, GUIDE, crate::network::Quality::PERFECT, seed);
    for name in ["client", "isp"] {
        world.rewrite(name, ", UPDATE\r\n", ", SOMETH\r\n");
    }
    world.register_all();
    world
}

/// The called line's new offers that name the caller's own address.
fn direct_offers(world: &Testbed) -> usize {
    world.texts("isp", &["INVITE sip:"]).iter().filter(|text| text.contains("c=IN IP4 192.0.2.20\r\n")).count()
}

/// Direct media had to wait for a refresh: it is tried when that is over, though nothing changed by it.
#[test]
fn direct_media_that_met_a_refresh_is_tried_after_it() {
    for (refused, seed) in [None, Some(603)].into_iter().flat_map(|refused| (1..6).map(move |seed| (refused, seed))) {
        let mut world = refreshed_by_invite(&asks().replace("directmedia=no", "directmedia=yes"), seed);
        world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(491));
        // So that all it ever says of its media are answers, each like the last.
        world.phone("client").habit(|habits| habits.offerless = true);
        world.connect();
        // While the called line is busy with itself, the caller hears nothing of its refresh.
        world.run(Duration::from_secs(40));
        world.phone("client").habit(|habits| habits.ignores_everything = true);
        world.until(|w| !w.texts("client", &["INVITE sip:"]).is_empty());
        // A round is eight offers, 2.1 to 4 s apart, and is over before the refresh is given up (32 s); the next one
        // waits.
        world.until(|w| direct_offers(w).is_multiple_of(8));
        let tries = direct_offers(&world);
        world.run(Duration::from_millis(200));
        assert_eq!(
            direct_offers(&world),
            tries,
            "the round is over, and none begins while the caller's refresh is under way"
        );
        world.phone("isp").habit(|habits| habits.refuse_reinvite = None);
        world.phone("client").habit(|habits| {
            habits.ignores_everything = false;
            habits.refuse_reinvite = refused;
        });
        let answers = world.messages("client", "exchange", &["CSeq", "INVITE"]).len();
        world.until(|w| w.messages("client", "exchange", &["CSeq", "INVITE"]).len() > answers);
        world.phone("client").habit(|habits| habits.refuse_reinvite = None);
        world.run(Duration::from_secs(1));
        assert_eq!(direct_offers(&world), tries + 1, "tried at once");
        world.assert_connected("client", "isp", false);
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// Who refuses every refresh is there: the call goes on, and it is asked no oftener than a refresh is due.
#[test]
fn a_phone_that_refuses_every_refresh_is_not_asked_all_the_time() {
    for status in [491, 500, 503, 405] {
        let mut world = refreshed_by_invite(&asks(), 1);
        world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(status));
        world.connect();
        world.run(MINUTE * 20);
        let asked = world.messages("exchange", "isp", &["INVITE sip:"]).len();
        assert!((20..40).contains(&asked), "{status}: asked {asked} times");
        assert!(world.is_talking("client") && world.is_talking("isp"));
        // It takes one again: the count begins anew.
        world.phone("isp").habit(|habits| habits.refuse_reinvite = None);
        world.run(MINUTE * 2);
        world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(status));
        let before = world.messages("exchange", "isp", &["INVITE sip:"]).len();
        world.run(MINUTE);
        let asked = world.messages("exchange", "isp", &["INVITE sip:"]).len() - before;
        assert!((2..9).contains(&asked), "{status}: asked {asked} times in a minute");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// The caller answers our refresh with the one codec in use, of the many it had offered: that is no news for the called
/// line.
#[test]
fn a_refresh_by_invite_is_no_news_for_the_other_side() {
    let sip = asks().replace("[isp]\n", "[isp]\ndisallow=all\nallow=alaw\n");
    let mut world = refreshed_by_invite(&sip, 1);
    world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(488));
    world.connect();
    world.run(MINUTE * 2);
    assert!(world.texts("client", &["INVITE sip:"]).len() >= 2, "it is refreshed");
    assert!(world.texts("isp", &["INVITE sip:"]).len() <= 3, "called, and asked twice to refresh its own leg");
    world.assert_connected("client", "isp", true);
    assert_eq!(world.look("client").payload_type(), Some(8));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
