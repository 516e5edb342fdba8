//! Our own registrations at a provider: asked, granted, refused, lost, renewed and removed; calls out and in.

use crate::network::Quality;
use crate::provider::{Provider, Registrar};
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::clock::Wall;
use strowger::pbx::switch::{RegistrationState, Stopping, registrations};
use strowger::sim::{DeviceProfile, PhoneEvent};
use strowger::sip::method::Method;

const AT: &str = "198.51.100.7:5060";
const TRUNK: &str = "[trunk]\ntype=peer\nhost=198.51.100.7\ndefaultuser=4711\nremotesecret=its:pass@word\ninsecure=port,invite\ncontext=in\n";
const LINE: &str = "register => 4711:\"its:pass@word\"@198.51.100.7/4930\n";
const PLAN: &str = "[default]\nexten => _0X.,1,Dial(SIP/trunk/${EXTEN:1},20)\n\
    [in]\nexten => 4930,1,Dial(SIP/client,20)\n";

/// The four lines, a trunk, and this in [general].
fn conf(general: &str) -> String {
    format!("{SIP}{TRUNK}").replacen("[general]\n", &format!("[general]\n{general}"), 1)
}

/// The provider asks for the password by every method, and registers for two minutes.
fn opens(world: &mut Testbed) {
    let mut provider = Provider::new("itsp", "4711", "its:pass@word");
    provider.registrar = Some(Registrar::default());
    world.add_with_account("far", "far", "x", (AT, "198.51.100.7:7000"), DeviceProfile::Grandstream);
    world.providers.insert(AT.parse().unwrap(), vec![provider]);
}

/// An exchange with its lines registered and this in [general], and the provider.
fn world(general: &str) -> Testbed {
    let mut world = Testbed::ready(&conf(general), PLAN);
    opens(&mut world);
    world
}

fn provider(world: &mut Testbed) -> &mut Provider {
    &mut world.providers.get_mut(&AT.parse().unwrap()).unwrap()[0]
}

fn registrar(world: &mut Testbed) -> &mut Registrar {
    provider(world).registrar.as_mut().unwrap()
}

fn state(world: &Testbed) -> RegistrationState {
    registrations(&world.switch).next().unwrap().state
}

fn registers(world: &Testbed) -> Vec<String> {
    world.texts_at(AT, &["REGISTER sip:"])
}

fn of<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

stories! {
    a_trunk_registers_and_calls_go_out_and_in(conf(LINE), PLAN);
    a_registration_is_renewed_through_loss(conf(LINE), PLAN);
}

fn a_trunk_registers_and_calls_go_out_and_in(world: &mut Testbed) {
    opens(world);
    world.until(|w| state(w) == RegistrationState::Registered);
    world.phone("client").dials("01234");
    world.until(|w| w.is_called("far"));
    world.phone("far").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("far"));
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("far").dials("4930");
    world.until(|w| w.is_called("client"));
    world.phone("client").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("far"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_registration_is_renewed_through_loss(world: &mut Testbed) {
    opens(world);
    world.until(|w| state(w) == RegistrationState::Registered);
    world.run(Duration::from_secs(1200));
    world.until(|w| state(w) == RegistrationState::Registered);
    assert!(registrar(world).granted >= 10, "{}", registrar(world).granted);
}

/// asterisk.md 1.10: Call-ID and From tag stay, the number grows; renewed 15 s before the end, with the nonce that is known.
#[test]
fn a_registration_keeps_its_call_id_and_tag_and_is_renewed_in_time() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(400));
    let all = registers(&world);
    let first = &all[0];
    assert!(first.starts_with("REGISTER sip:198.51.100.7 SIP/2.0\r\n"), "{first}");
    assert_eq!(of(first, "To: "), "<sip:4711@198.51.100.7>");
    assert_eq!(of(first, "Contact: "), "<sip:4930@192.0.2.1:5060>;expires=120");
    assert_eq!(of(first, "Expires: "), "120");
    let mut last = 0;
    for text in &all {
        assert_eq!((of(text, "Call-ID: "), of(text, "From: ")), (of(first, "Call-ID: "), of(first, "From: ")));
        let number: u32 = of(text, "CSeq: ").split(' ').next().unwrap().parse().unwrap();
        assert!(number >= last);
        last = number;
    }
    assert_eq!(provider(&mut world).asked["REGISTER"], 1, "the nonce is known from then on");
    let sent: Vec<u64> = registrar(&mut world).at.iter().map(|at| at.as_secs()).collect();
    let apart: Vec<u64> = sent.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(apart.len() >= 3 && apart.iter().all(|apart| *apart == 105), "{sent:?}");
    assert!(world.has_line(
        "Outbound Registration: Expiry for 4711@198.51.100.7 (198.51.100.7:5060) is 120 sec (Scheduling reregistration in 105 s)"
    ));
    world.assert_nothing_left();
}

#[test]
fn every_form_registers() {
    for (line, section, domain, user) in [
        ("register => 4711:\"its:pass@word\"@198.51.100.7", "", "198.51.100.7", "s"),
        ("register => 4711@sip.itsp.example:\"its:pass@word\":4711@198.51.100.7/1~300", "", "sip.itsp.example", "1"),
        ("register => trunk?4711@198.51.100.7/2", "", "198.51.100.7", "2"),
        ("register => 4711@trunk/3", "", "198.51.100.7", "3"),
        ("register => me:x@198.51.100.7/4", "[authentication]\nauth=4711:its:pass@word@itsp\n", "198.51.100.7", "4"),
        ("register => me:x@198.51.100.7:5060/5", "auth=4711:its:pass@word@itsp\n", "198.51.100.7:5060", "5"),
    ] {
        let mut world = Testbed::ready(&(conf(&format!("{line}\n")) + section), PLAN);
        opens(&mut world);
        world.run(Duration::from_secs(5));
        assert_eq!(state(&world), RegistrationState::Registered, "{line}");
        let first = registers(&world).remove(0);
        assert!(first.starts_with(&format!("REGISTER sip:{domain} SIP/2.0\r\n")), "{first}");
        assert!(of(&first, "To: ").ends_with(&format!("@{}>", domain.trim_end_matches(":5060"))), "{first}");
        assert!(of(&first, "Contact: ").starts_with(&format!("<sip:{user}@192.0.2.1:5060>")), "{first}");
        world.assert_nothing_left();
    }
}

#[test]
fn callbackextension_registers_as_the_peer_says() {
    let sip = conf("").replace("context=in\n", "context=in\ncallbackextension=4930\n");
    let mut world = Testbed::ready(&sip, PLAN);
    opens(&mut world);
    world.run(Duration::from_secs(5));
    assert_eq!(state(&world), RegistrationState::Registered);
    assert!(of(&registers(&world)[0], "Contact: ").starts_with("<sip:4930@192.0.2.1:5060>"));
    world.assert_nothing_left();
}

/// RFC 3261 10.2.8: asked for as long as the registrar wants, unless that is more than `maxexpiry=`.
#[test]
fn a_time_that_is_too_brief_is_raised() {
    for (least, expected) in [(600, RegistrationState::Registered), (7200, RegistrationState::Rejected)] {
        let mut world = world(LINE);
        registrar(&mut world).least = least;
        world.run(Duration::from_secs(10));
        assert_eq!(state(&world), expected, "{least}");
        let last = registers(&world).pop().unwrap();
        assert_eq!(of(&last, "Expires: "), if least == 600 { "600" } else { "120" });
        assert!(world.has_line(&format!(
            "Got 423 Interval too brief for service 4711@198.51.100.7, minimum is {least} seconds"
        )));
        assert_eq!(world.has_line(": that is more than maxexpiry= allows, giving up"), least == 7200);
        world.run(Duration::from_secs(100));
        assert_eq!(registers(&world).pop().unwrap(), last, "nothing more is sent");
        world.assert_nothing_left();
    }
    // RFC 3261 21.4.17: it "MUST contain a Min-Expires", and this one does not.
    let mut world = world(LINE);
    registrar(&mut world).refuses(&[423]);
    world.run(Duration::from_secs(10));
    assert_eq!(state(&world), RegistrationState::Rejected);
    assert!(world.has_line("minimum is 0 seconds: it does not say how long it wants it, giving up"));
    world.assert_nothing_left();
}

#[test]
fn who_is_forbidden_stops_unless_it_may_go_on() {
    for (general, stops) in [("", true), ("register_retry_403=yes\n", false)] {
        let mut world = world(&format!("{LINE}{general}"));
        registrar(&mut world).refuses(&[403]);
        world.run(Duration::from_secs(10));
        assert_eq!(state(&world), RegistrationState::NoAuthentication);
        let words = "Forbidden - wrong password on authentication for REGISTER for '4711' to '198.51.100.7', ";
        assert!(world.line(words).1.contains(if stops { "giving up" } else { "trying again in 1" }));
        world.run(Duration::from_secs(600));
        let expected = if stops { RegistrationState::NoAuthentication } else { RegistrationState::Registered };
        assert_eq!(state(&world), expected);
        world.assert_nothing_left();
    }
}

#[test]
fn what_is_refused_for_good_is_not_asked_again_and_the_rest_is() {
    for (status, for_good) in
        [(400, true), (404, true), (414, true), (493, true), (500, false), (503, false), (480, false), (600, false)]
    {
        let mut world = world(LINE);
        registrar(&mut world).refuses(&[status]);
        world.run(Duration::from_secs(8));
        let expected = if for_good { RegistrationState::Rejected } else { RegistrationState::Failed };
        assert_eq!(state(&world), expected, "{status}");
        world.run(Duration::from_secs(60));
        assert_eq!(state(&world) == RegistrationState::Registered, !for_good, "{status}");
        world.assert_nothing_left();
    }
}

#[test]
fn a_time_that_the_registrar_names_is_waited_for() {
    let mut world = world(LINE);
    registrar(&mut world).refuses(&[503]);
    registrar(&mut world).retry_after = Some("90 (maintenance)");
    world.run(Duration::from_secs(85));
    assert_eq!(state(&world), RegistrationState::Failed);
    world.run(Duration::from_secs(15));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

/// A password that is never taken: given once for each try, and the tries become few.
#[test]
fn a_password_that_is_refused_is_tried_less_and_less() {
    let mut world = world(LINE);
    provider(&mut world).password = "another";
    world.run(Duration::from_secs(3600));
    assert_eq!(state(&world), RegistrationState::NoAuthentication);
    let sent = registers(&world).len();
    assert!((10..30).contains(&sent), "{sent} in an hour");
    assert!(world.has_line("Failed to authenticate on REGISTER to '4711@198.51.100.7/4930' at 198.51.100.7:5060 (401, realm 'itsp'): it refuses the password of user '4711': check the user (defaultuser=) and the line at sip.conf:"));
    provider(&mut world).password = "its:pass@word";
    world.run(Duration::from_secs(1900));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

/// Nobody answers for an hour; then the registration is back within five minutes.
#[test]
fn a_provider_that_is_silent_is_found_when_it_returns() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(10));
    registrar(&mut world).is_silent = true;
    world.run(Duration::from_secs(3600));
    assert_eq!(state(&world), RegistrationState::Timeout);
    assert!(world.has_line("Registration for '4711@198.51.100.7' timed out, trying again in "));
    registrar(&mut world).is_silent = false;
    world.run(Duration::from_secs(320));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

#[test]
fn tries_have_an_end_where_one_is_set() {
    let mut world = world(&format!("{LINE}registerattempts=3\nregistertimeout=5\n"));
    registrar(&mut world).is_silent = true;
    world.run(Duration::from_secs(600));
    assert!(world.has_line("timed out, giving up (Attempt #3)"));
    let sent = registers(&world).len();
    world.run(Duration::from_secs(600));
    assert_eq!(registers(&world).len(), sent);
    world.assert_nothing_left();
}

#[test]
fn a_reload_keeps_what_did_not_change_and_removes_what_is_gone() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(10));
    let before = registers(&world).len();
    world.reload(&conf(&format!("{LINE}qualify=yes\n")), PLAN);
    world.run(Duration::from_secs(10));
    assert_eq!(registers(&world).len(), before, "nothing changed for it");
    // Another extension is another Contact: the old one goes.
    world.reload(&conf(&LINE.replace("/4930", "/4931")), PLAN);
    world.run(Duration::from_secs(10));
    let sent = registers(&world).split_off(before);
    assert_eq!(of(&sent[0], "Contact: "), "<sip:4930@192.0.2.1:5060>;expires=0");
    assert!(sent.iter().any(|text| of(text, "Contact: ").starts_with("<sip:4931@192.0.2.1:5060>;expires=120")));
    world.reload(&conf(""), PLAN);
    world.run(Duration::from_secs(10));
    assert_eq!(of(&registers(&world).pop().unwrap(), "Expires: "), "0");
    assert!(world.has_line("Registration for '4711@198.51.100.7' is removed"));
    assert_eq!(registrations(&world.switch).count(), 0);
    world.run(Duration::from_secs(200));
    assert_eq!(of(&registers(&world).pop().unwrap(), "Expires: "), "0");
    world.assert_nothing_left();
}

#[test]
fn whoever_was_given_up_is_tried_again_by_a_reload() {
    let mut world = world(LINE);
    registrar(&mut world).refuses(&[403]);
    world.run(Duration::from_secs(600));
    assert_eq!(state(&world), RegistrationState::NoAuthentication);
    world.reload(&conf(LINE), PLAN);
    world.run(Duration::from_secs(10));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

#[test]
fn an_exchange_that_stops_is_registered_no_more() {
    for how in [Stopping::Gracefully, Stopping::Now] {
        let mut world = world(LINE);
        world.run(Duration::from_secs(10));
        let now = strowger::clock::Now { mono: world.now, wall: Wall(0) };
        let effects = world.switch.stop(now, how);
        world.execute(effects);
        assert!(!world.switch.is_stopped(), "it waits for the answer");
        world.run(Duration::from_secs(1));
        assert!(world.switch.is_stopped());
        assert_eq!(of(&registers(&world).pop().unwrap(), "Expires: "), "0");
        assert!(registrar(&mut world).removed);
    }
}

#[test]
fn a_restart_registers_again() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(10));
    let before = registers(&world).len();
    world.restart(&conf(LINE), PLAN, None, Wall(1_800_000_000_000));
    world.run(Duration::from_secs(10));
    assert_eq!(state(&world), RegistrationState::Registered);
    assert!(registers(&world).len() > before);
    world.assert_nothing_left();
}

/// The name leads elsewhere while the registrar is being asked: what it still says to the question of before, nobody
/// waits for, and nothing is said of a password that is not given.
#[test]
fn a_challenge_to_a_question_of_before_is_not_heeded() {
    let sip = conf("register => 4711:\"its:pass@word\"@sip.itsp.example/4930\n")
        .replace("host=198.51.100.7", "host=sip.itsp.example");
    let mut world = Testbed::ready(&sip, PLAN);
    opens(&mut world);
    world.names(&[("sip.itsp.example", "198.51.100.7:5060")]);
    world.until(|w| !registers(w).is_empty());
    world.names(&[("sip.itsp.example", "198.51.100.8:5060")]);
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts_at("192.0.2.1:5060", &["SIP/2.0 401", "REGISTER"]).len(), 1);
    assert_eq!(world.texts_at("198.51.100.8:5060", &["REGISTER sip:"]).len(), 2, "sent, and sent again");
    assert!(!world.has_line("Failed to authenticate"), "{:?}", world.lines);
    world.names(&[("sip.itsp.example", "198.51.100.7:5060")]);
    world.run(Duration::from_secs(60));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

/// A host name that leads nowhere is waited for, and one that leads elsewhere is followed.
#[test]
fn a_host_name_is_followed() {
    let sip = conf("register => 4711:\"its:pass@word\"@sip.itsp.example/4930\n")
        .replace("host=198.51.100.7", "host=sip.itsp.example");
    let mut world = Testbed::ready(&sip, PLAN);
    opens(&mut world);
    world.run(Duration::from_secs(60));
    assert_eq!(state(&world), RegistrationState::Unregistered);
    let said = world.lines.iter().filter(|(_, line)| line.contains("the host name leads to no address")).count();
    assert_eq!(said, 1, "once");
    world.names(&[("sip.itsp.example", "198.51.100.7:5060")]);
    world.run(Duration::from_secs(5));
    assert_eq!(state(&world), RegistrationState::Registered);
    assert!(registers(&world)[0].starts_with("REGISTER sip:sip.itsp.example SIP/2.0"));
    // It moves.
    world.names(&[("sip.itsp.example", "198.51.100.8:5060")]);
    world.run(Duration::from_secs(1));
    let moved = world.texts_at("198.51.100.8:5060", &["REGISTER sip:"]);
    assert_eq!(of(&moved[0], "Call-ID: "), of(&registers(&world)[0], "Call-ID: "));
    assert!(!moved[0].contains("uthorization"), "nobody there has asked for a password yet");
    world.names(&[("sip.itsp.example", "198.51.100.7:5060")]);
    world.run(Duration::from_secs(60));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

/// RFC 3263 4.3: a server that is silent or says 503 is followed by the next of the same name.
#[test]
fn another_server_of_the_name_is_tried_when_one_fails() {
    for is_silent in [true, false] {
        let sip = conf("register => 4711:\"its:pass@word\"@sip.itsp.example/4930\n")
            .replace("host=198.51.100.7", "host=sip.itsp.example");
        let mut world = Testbed::ready(&sip, PLAN);
        opens(&mut world);
        let mut dead = provider(&mut world).clone();
        let registrar = dead.registrar.as_mut().unwrap();
        registrar.is_silent = is_silent;
        registrar.refuses(&[503, 503, 503]);
        world.providers.insert("198.51.100.6:5060".parse().unwrap(), vec![dead]);
        world.names(&[("sip.itsp.example", "198.51.100.6:5060, 198.51.100.7:5060")]);
        world.run(Duration::from_secs(25));
        assert_eq!(state(&world), RegistrationState::Registered, "{is_silent}");
        assert!(!world.texts_at("198.51.100.6:5060", &["REGISTER sip:"]).is_empty());
        world.assert_nothing_left();
    }
}

/// RFC 3608: calls go by the proxies that the registrar names.
#[test]
fn a_service_route_is_on_the_way_of_calls() {
    let mut world = world(LINE);
    registrar(&mut world).service_route = Some("<sip:198.51.100.7;lr>, <sip:core.itsp.example;lr>");
    world.run(Duration::from_secs(5));
    world.phone("client").dials("01234");
    world.until(|w| w.is_called("far"));
    let invite = world.texts_at(AT, &["INVITE sip:"]).remove(0);
    assert!(invite.starts_with("INVITE sip:1234@198.51.100.7:5060 SIP/2.0\r\n"), "{invite}");
    let routes: Vec<&str> = invite.lines().filter_map(|line| line.strip_prefix("Route: ")).collect();
    assert_eq!(routes, ["<sip:198.51.100.7;lr>", "<sip:core.itsp.example;lr>"]);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A proxy before the registrar gets the REGISTER, with a Route, and asks for the password; also when `[general]` names it.
#[test]
fn a_registration_goes_by_the_outbound_proxy() {
    let of_trunk =
        (String::from(LINE), TRUNK.replace("host=198.51.100.7", "host=203.0.113.9\noutboundproxy=198.51.100.7"));
    let of_name = (
        String::from(LINE),
        TRUNK.replace("host=198.51.100.7", "host=sip.itsp.example\noutboundproxy=proxy.itsp.example"),
    );
    let of_general = (format!("outboundproxy=198.51.100.7\n{LINE}"), String::new());
    let of_named = (format!("outboundproxy=proxy.itsp.example\n{LINE}"), String::new());
    let renounced =
        (format!("outboundproxy=198.51.100.8\n{LINE}"), TRUNK.replace("context", "outboundproxy=\ncontext"));
    for (number, (general, trunk)) in [of_trunk, of_name, of_general, of_named, renounced].into_iter().enumerate() {
        let line = match number {
            0 | 2 | 3 => general.replace("@198.51.100.7", "@203.0.113.9"),
            1 => general.replace("@198.51.100.7", "@sip.itsp.example"),
            _ => general,
        };
        let sip = format!("{SIP}{trunk}").replacen("[general]\n", &format!("[general]\n{line}"), 1);
        let mut world = Testbed::ready(&sip, PLAN);
        opens(&mut world);
        world.names(&[("proxy.itsp.example", AT), ("sip.itsp.example", "203.0.113.9:5060")]);
        world.run(Duration::from_secs(5));
        assert_eq!(state(&world), RegistrationState::Registered, "{number}: {:?}", world.lines);
        let (domain, route) = match number {
            0 | 2 => ("203.0.113.9", "<sip:198.51.100.7:5060;lr>"),
            1 => ("sip.itsp.example", "<sip:proxy.itsp.example;lr>"),
            3 => ("203.0.113.9", "<sip:proxy.itsp.example;lr>"),
            _ => ("198.51.100.7", ""),
        };
        for text in registers(&world) {
            assert!(text.starts_with(&format!("REGISTER sip:{domain} SIP/2.0\r\n")), "{text}");
            assert_eq!(of(&text, "Route: "), route, "{number}");
            assert_eq!(of(&text, "To: "), format!("<sip:4711@{domain}>"));
        }
        world.assert_nothing_left();
    }
}

/// A reload that names a proxy, or another: registered again by that one.
#[test]
fn a_registration_moves_to_a_new_outbound_proxy() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(5));
    let sip = conf(LINE).replace("context=in\n", "context=in\noutboundproxy=198.51.100.6\n");
    world.reload(&sip, PLAN);
    world.run(Duration::from_secs(5));
    let sent = world.texts_at("198.51.100.6:5060", &["REGISTER sip:"]);
    assert_eq!((of(&sent[0], "Route: "), of(&sent[0], "Expires: ")), ("<sip:198.51.100.6:5060;lr>", "120"));
    world.reload(&conf(LINE), PLAN);
    world.run(Duration::from_secs(60));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

/// Two accounts with one provider: the extension of each plain `register` line says whose a call is.
#[test]
fn of_two_accounts_the_one_is_called_whose_line_names_the_extension() {
    let account = |name: &str, user: &str, context: &str| {
        format!(
            "[{name}]\ntype=peer\nhost=198.51.100.7\ndefaultuser={user}\nremotesecret=its:pass@word\ninsecure=port,invite\ncontext={context}\n"
        )
    };
    let line = |user: &str, exten: &str| format!("register => {user}:\"its:pass@word\"@198.51.100.7/{exten}\n");
    let accounts = account("a-work", "4712", "work") + &account("b-home", "4711", "home");
    let general = line("4711", "4930") + &line("4712", "4931");
    let sip = format!("{SIP}{accounts}").replacen("[general]\n", &format!("[general]\n{general}"), 1);
    let plan = "[home]\nexten => 4930,1,Dial(SIP/client,20)\n[work]\nexten => 4931,1,Dial(SIP/isp,20)\n";
    let mut world = Testbed::ready(&sip, plan);
    opens(&mut world);
    world.run(Duration::from_secs(5));
    for (number, called) in [("4930", "client"), ("4931", "isp")] {
        world.phone("far").dials(number);
        world.until(|w| w.is_called(called));
        world.phone("far").hangs_up();
        world.until_over();
    }
    world.assert_nothing_left();
}

/// The provider's call comes in without a password, from its address alone.
#[test]
fn a_call_comes_in_at_the_extension_of_the_line() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(5));
    world.phone("far").dials("4930");
    world.until(|w| w.is_called("client"));
    world.phone("far").hangs_up();
    world.until_over();
    world.phone("far").dials("4999");
    world.until(|w| w.stations["far"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(404))));
    world.until_over();
    world.assert_nothing_left();
}

/// Each method that is asked for a password each time anew; also UPDATE, INFO and re-INVITE of a call through a trunk.
#[test]
fn a_trunk_that_asks_for_every_request_is_answered() {
    let mut world = world(LINE);
    provider(&mut world).uses = 1;
    provider(&mut world).methods = vec![Method::Invite, Method::Bye, Method::Register];
    world.run(Duration::from_secs(5));
    world.phone("client").dials("01234");
    world.until(|w| w.is_called("far"));
    world.phone("far").answers();
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    let taken = provider(&mut world).taken.clone();
    assert_eq!((taken["INVITE"], taken["BYE"]), (1, 1));
    world.run(Duration::from_secs(300));
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}

#[test]
fn over_tcp_the_contact_says_so_and_a_closed_connection_is_replaced() {
    let sip = conf(&format!("tcpenable=yes\n{}", LINE.replace("=> ", "=> tcp://")));
    let mut world = Testbed::new(&sip, PLAN, Quality::PERFECT, 1);
    world.listeners.insert(AT.parse().unwrap());
    world.register_all();
    opens(&mut world);
    world.connects("far", strowger::sip::flow::Transport::Tcp);
    world.run(Duration::from_secs(60));
    assert_eq!(state(&world), RegistrationState::Registered);
    let before = registers(&world).len();
    assert_eq!(of(&registers(&world)[0], "Contact: "), "<sip:4930@192.0.2.1:5060;transport=tcp>;expires=120");
    world.cut("far");
    world.run(Duration::from_secs(5));
    assert!(registers(&world).len() > before, "registered again at once");
    assert_eq!(state(&world), RegistrationState::Registered);
    world.assert_nothing_left();
}
