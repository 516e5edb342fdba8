//! Lamps: who subscribes to an extension is told what its telephones do (RFC 6665, RFC 4235).

use crate::network::Quality;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::clock::Wall;
use strowger::pbx::effect::StoreOrder;
use strowger::sim::{Change, DeviceProfile, PhoneEvent, Watching};

/// The server's modem and the desk as extensions with hints.
const PLAN: &str = "[default]\nexten => 601,hint,SIP/isp\nexten => 602,hint,SIP/isp&SIP/client\n\
    exten => _7XX,hint,SIP/${DB(lines/${EXTEN})}\nexten => 609,hint,Custom:night\n\
    exten => 500,1,Set(DEVICE_STATE(Custom:night)=INUSE)\nsame => n,Hangup()\n\
    exten => 501,1,Set(DEVICE_STATE(Custom:night)=NOT_INUSE)\nsame => n,Hangup()\n\
    exten => _8X!,1,Dial(SIP/isp,20)\nexten => 200,1,Dial(SIP/desk,20)\n";

fn worlds(sip: &str) -> Vec<Testbed> {
    let rough = (1..4).map(|seed| Testbed::rough(sip, PLAN, seed));
    [Testbed::ready(sip, PLAN), Testbed::connected(&sip.replace("[general]\n", "[general]\ntcpenable=yes\n"), PLAN)]
        .into_iter()
        .chain(rough)
        .collect()
}

#[test]
fn a_lamp_follows_the_call_of_the_line_it_watches_on_every_network() {
    for mut world in worlds(SIP) {
        let lamp = world.phone("desk").watches("601", "dialog");
        world.until(|w| w.watching("desk", lamp).is_active());
        assert_eq!(world.lamp("desk", lamp), "terminated");
        assert!(world.watching("desk", lamp).body.contains("state=\"full\""));
        world.phone("client").dials("88567682");
        world.until(|w| w.lamp("desk", lamp) == "early");
        assert!(world.watching("desk", lamp).body.contains("direction=\"recipient\""));
        assert!(!world.watching("desk", lamp).body.contains("client"), "notifycid=no");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.lamp("desk", lamp) == "confirmed");
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        world.phone("client").hangs_up();
        world.until_over();
        world.until(|w| w.lamp("desk", lamp) == "terminated");
        assert_eq!(world.watching("desk", lamp).disordered, 0);
        world.phone("desk").watches_as(Watching::new("601", "dialog", 0));
        world.until(|w| w.watching("desk", lamp).state.starts_with("terminated"));
        world.assert_nothing_left();
        assert!(world.switch.lamps().subscriptions.is_empty());
    }
}

/// RFC 4235 4.1.1: "The version number [...] MUST be incremented by one" with every NOTIFY, and starts at zero.
#[test]
fn documents_are_numbered_from_zero_the_first_is_full_and_those_after_it_partial() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("desk").watches_as(Watching::new("601", "dialog", 600));
    world.run(Duration::from_secs(1));
    let documents: Vec<(u32, bool)> = world
        .texts("desk", &["NOTIFY"])
        .iter()
        .filter_map(|text| {
            let version = text.split_once("dialog-info\" version=\"")?.1.split_once('"')?.0.parse().ok()?;
            Some((version, text.contains("state=\"full\"")))
        })
        .collect();
    assert_eq!(documents, [(0, true), (1, false), (2, false), (3, false), (4, true)]);
    let cseqs: Vec<String> = world.texts("desk", &["NOTIFY"]).iter().map(|text| header(text, "CSeq")).collect();
    assert_eq!(cseqs, ["102 NOTIFY", "103 NOTIFY", "104 NOTIFY", "105 NOTIFY", "106 NOTIFY"]);
    world.assert_nothing_left();
}

fn header(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_default().to_owned()
}

/// RFC 6665 4.2.2: one at a time. What happens while a NOTIFY is under way is told by the next.
#[test]
fn states_that_pass_while_a_notify_is_under_way_are_folded_into_the_next() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    world.loses("desk", "SIP/2.0 200");
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(1));
    assert_eq!(world.watching("desk", 0).notices, 2, "the one that says early");
    world.loses_nothing();
    world.run(Duration::from_secs(5));
    assert_eq!((world.lamp("desk", 0).as_str(), world.watching("desk", 0).notices), ("terminated", 3));
    world.assert_nothing_left();
}

#[test]
fn a_hint_of_several_devices_shows_them_together() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("602", "dialog");
    world.run(Duration::from_secs(1));
    world.phone("client").dials("200");
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "confirmed", "the client calls");
    assert!(world.watching("desk", 0).body.contains("direction=\"initiator\""));
    world.phone("client").hangs_up();
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "terminated");
    world.assert_nothing_left();
}

#[test]
fn a_pattern_serves_each_of_its_extensions_with_variables_replaced() {
    let plan = format!("{PLAN}exten => 502,1,Set(DB(lines/701)=isp)\nsame => n,Hangup()\n");
    let mut world = Testbed::ready(SIP, &plan);
    world.phone("client").dials("502");
    world.until_over();
    world.phone("desk").watches("701", "dialog");
    world.phone("desk").watches("702", "dialog");
    world.run(Duration::from_secs(1));
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    assert_eq!((world.lamp("desk", 0).as_str(), world.lamp("desk", 1).as_str()), ("early", "terminated"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_custom_device_is_a_lamp_that_the_dialplan_switches() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("609", "dialog");
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "terminated", "never set");
    for (number, state) in [("500", "confirmed"), ("501", "terminated")] {
        world.phone("client").dials(number);
        world.until_over();
        world.run(Duration::from_secs(1));
        assert_eq!(world.lamp("desk", 0), state);
    }
    world.assert_nothing_left();
}

#[test]
fn who_calls_is_told_with_notifycid_in_the_same_context_and_never_of_who_hides() {
    let with = |cid: &str| SIP.replace("[general]\n", &format!("[general]\nnotifycid={cid}\n"));
    let elsewhere = |sip: String| sip.replace("[desk]\n", "[desk]\nsubscribecontext=lamps\n");
    let plan = format!("{PLAN}[lamps]\nexten => 601,hint,SIP/isp\n");
    let hides = "[client]\ncallingpres=prohib\n";
    for (sip, told) in [
        (with("yes"), true),
        (elsewhere(with("yes")), false),
        (elsewhere(with("ignore-context")), true),
        (with("no"), false),
        (with("yes").replace("[client]\n", hides), false),
    ] {
        let mut world = Testbed::ready(&sip, &plan);
        world.phone("desk").watches("601", "dialog");
        world.run(Duration::from_secs(1));
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("isp"));
        world.run(Duration::from_secs(1));
        let body = world.watching("desk", 0).body.clone();
        assert_eq!(body.contains("sip:client@192.0.2.1"), told, "{sip}\n{body}");
        assert_eq!(world.lamp("desk", 0), "early");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn hold_and_ringing_are_shown_as_the_options_say() {
    for (options, held) in [("", false), ("notifyhold=yes\n", true)] {
        let mut world = Testbed::ready(&SIP.replace("[general]\n", &format!("[general]\n{options}")), PLAN);
        world.phone("desk").watches("601", "dialog");
        world.connect();
        world.phone("isp").reoffers(Change::Hold);
        world.run(Duration::from_secs(2));
        assert_eq!(world.watching("desk", 0).body.contains("+sip.rendering"), held);
        assert_eq!(world.lamp("desk", 0), "confirmed");
        world.phone("isp").reoffers(Change::Resume);
        world.run(Duration::from_secs(2));
        assert!(!world.watching("desk", 0).body.contains("+sip.rendering"));
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
    let mut world = Testbed::ready(&SIP.replace("[general]\n", "[general]\nnotifyringing=no\n"), PLAN);
    world.phone("desk").watches("601", "dialog");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    assert_eq!(world.watching("desk", 0).notices, 1);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_subscription_is_refused_with_what_to_do_next() {
    let watching = |number: &str, package: &str, expires| Watching::new(number, package, expires);
    let accepts = Watching { accept: Some("text/plain".into()), ..watching("601", "dialog", 3600) };
    for (sip, wanted, status, said) in [
        (SIP.to_owned(), watching("601", "conference", 3600), 489, ""),
        (SIP.to_owned(), watching("699", "dialog", 3600), 404, "extension '699' has no hint in context 'default'"),
        (SIP.to_owned(), watching("601", "dialog", 10), 423, ""),
        (SIP.to_owned(), accepts, 406, ""),
        (
            SIP.replace("[desk]\n", "[desk]\nallowsubscribe=no\n"),
            watching("601", "dialog", 3600),
            403,
            "allowsubscribe=no",
        ),
        (SIP.replace("[desk]\n", "[desk]\nsubscribecontext=x\n"), watching("601", "dialog", 3600), 404, "context 'x'"),
    ] {
        let mut world = Testbed::ready(&sip, PLAN);
        world.phone("desk").watches_as(wanted);
        world.run(Duration::from_secs(1));
        assert_eq!(world.watching("desk", 0).refused, Some(status));
        assert!(said.is_empty() || world.has_line(said), "{said}");
        let answer = world.texts("desk", &[&status.to_string()]).pop().unwrap();
        assert!(status != 423 || answer.contains("Min-Expires: 60"), "{answer}");
        assert!(status != 489 || answer.contains("Allow-Events: dialog"), "{answer}");
        world.assert_nothing_left();
    }
}

#[test]
fn nobody_subscribes_without_a_password() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.inject_from(
        "192.0.2.66:5060",
        "SUBSCRIBE sip:601@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bK1\r\n\
         From: <sip:desk@192.0.2.1>;tag=1\r\nTo: <sip:601@192.0.2.1>\r\nCall-ID: x\r\nCSeq: 1 SUBSCRIBE\r\n\
         Event: dialog\r\nContact: <sip:x@192.0.2.66>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    );
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts_at("192.0.2.66:5060", &["401"]).len(), 1);
    assert!(world.switch.lamps().subscriptions.is_empty());
    world.assert_nothing_left();
}

/// A line without a secret may be anybody: what is told would go to whoever has the address.
#[test]
fn who_may_be_forged_is_told_nothing() {
    let sip =
        SIP.replace("[desk]\ntype=friend\nhost=dynamic\nsecret=password\n", "[desk]\ntype=friend\nhost=dynamic\n");
    let mut world = Testbed::ready(&sip, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    assert_eq!(world.watching("desk", 0).refused, Some(403));
    assert!(world.has_line("it has no secret"));
    world.assert_nothing_left();
}

#[test]
fn a_subscription_is_refreshed_and_one_that_is_not_ends_with_a_word() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches_as(Watching::new("601", "dialog", 120));
    world.run(Duration::from_secs(600));
    assert!(world.watching("desk", 0).is_active());
    assert!(world.watching("desk", 0).notices > 4, "each refresh is told the state (RFC 6665 4.2.1.2)");
    world.loses("desk", "SUBSCRIBE");
    world.run(Duration::from_secs(200));
    let last = world.texts("desk", &["NOTIFY"]).pop().unwrap();
    assert_eq!(header(&last, "Subscription-State"), "terminated;reason=timeout");
    assert!(world.switch.lamps().subscriptions.is_empty());
    world.loses_nothing();
    world.assert_nothing_left();
}

/// RFC 6665 4.4.3.
#[test]
fn who_asks_for_no_time_at_all_is_told_once() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches_as(Watching::new("601", "dialog", 0));
    world.run(Duration::from_secs(1));
    let watching = world.watching("desk", 0);
    assert_eq!((watching.notices, watching.state.as_str()), (1, "terminated;reason=timeout"));
    assert_eq!(world.lamp("desk", 0), "terminated");
    assert!(world.switch.lamps().subscriptions.is_empty());
    world.assert_nothing_left();
}

#[test]
fn a_telephone_that_is_gone_is_told_no_more() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    let config = world.look("desk").config().clone();
    world.unplug("desk");
    world.phone("client").dials("88567682");
    world.run(Duration::from_secs(40));
    assert!(world.switch.lamps().subscriptions.is_empty());
    assert!(world.has_line("'desk' is told no more of '601' (dialog): it does not answer"));
    // It comes back, and knows nothing of what was.
    world.plug_in(config);
    world.phone("desk").registers();
    world.phone("desk").watches("601", "dialog");
    world.until(|w| w.watching("desk", 0).is_active());
    world.until_over();
    world.assert_nothing_left();
}

/// It has another Call-ID after a power cut, and the same Contact: two subscriptions would be told twice.
#[test]
fn a_telephone_that_was_switched_off_replaces_what_it_had_subscribed_to() {
    let mut world = Testbed::ready(SIP, PLAN);
    for extension in ["601", "602"] {
        world.phone("desk").watches(extension, "dialog");
    }
    world.run(Duration::from_secs(1));
    let config = world.look("desk").config().clone();
    world.unplug("desk");
    world.plug_in(config);
    world.phone("desk").registers();
    for extension in ["601", "602"] {
        world.phone("desk").watches(extension, "dialog");
    }
    world.run(Duration::from_secs(1));
    assert_eq!(world.switch.lamps().subscriptions.len(), 2);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    assert_eq!((world.lamp("desk", 0).as_str(), world.lamp("desk", 1).as_str()), ("early", "early"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// An answer that says that there is no such subscription ends it at once (RFC 6665 4.2.2, RFC 5057).
#[test]
fn who_answers_that_it_knows_nothing_of_it_is_told_no_more() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    let config = world.look("desk").config().clone();
    world.unplug("desk");
    world.plug_in(config);
    world.phone("client").dials("88567682");
    world.run(Duration::from_secs(1));
    assert!(world.switch.lamps().subscriptions.is_empty());
    assert!(world.has_line("it answers 481"));
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_telephone_behind_an_address_translator_is_told_at_its_source_and_followed() {
    let sip = SIP.replace("nat=no", "nat=force_rport,comedia");
    let mut world = Testbed::new(&sip, PLAN, Quality::PERFECT, 1);
    world.remap("desk", "198.51.100.7:40000");
    world.register_all();
    world.phone("desk").watches("601", "dialog");
    world.until(|w| w.watching("desk", 0).is_active());
    // The translator forgets, and gives another port; the telephone registers from there.
    world.remap("desk", "198.51.100.7:40001");
    world.phone("desk").registers();
    world.run(Duration::from_secs(1));
    world.phone("client").dials("88567682");
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "early");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn over_a_connection_that_was_cut_the_lamp_is_told_when_the_telephone_is_back() {
    let sip = SIP.replace("[general]\n", "[general]\ntcpenable=yes\n");
    let mut world = Testbed::connected(&sip, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    world.cut("desk");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(2));
    assert_eq!(world.lamp("desk", 0), "terminated", "nobody can be told");
    world.phone("desk").registers();
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "early");
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "terminated");
    world.assert_nothing_left();
}

#[test]
fn a_reload_ends_what_is_not_there_any_more_and_tells_what_changed() {
    let mut world = Testbed::ready(SIP, PLAN);
    for extension in ["601", "602"] {
        world.phone("desk").watches(extension, "dialog");
    }
    world.phone("cisco").watches("601", "dialog");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    let sip = SIP.replace("[cisco]\n", "[cisco]\nallowsubscribe=no\n");
    let plan =
        PLAN.replace("601,hint,SIP/isp", "601,hint,SIP/desk").replace("exten => 602,hint,SIP/isp&SIP/client\n", "");
    world.reload(&sip, &plan);
    world.run(Duration::from_secs(1));
    assert_eq!(world.lamp("desk", 0), "terminated", "the desk does nothing");
    assert_eq!(world.watching("desk", 1).state, "terminated;reason=noresource");
    assert_eq!(world.watching("cisco", 0).state, "terminated;reason=rejected");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_line_that_goes_away_or_comes_is_shown() {
    let sip = SIP.replace("nat=no", "nat=no\nqualify=yes");
    let mut world = Testbed::ready(&sip, PLAN);
    let state = |world: &Testbed| world.switch.lamps().device_state("SIP/isp").word();
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    assert_eq!(state(&world), "NOT_INUSE");
    world.phone("isp").unregisters();
    world.run(Duration::from_secs(1));
    assert_eq!(state(&world), "UNAVAILABLE");
    world.phone("isp").registers();
    world.run(Duration::from_secs(2));
    assert_eq!(state(&world), "NOT_INUSE");
    world.assert_nothing_left();
}

/// A hundred lamps on one telephone, and a thousand watchers of ten lines: a burst of calls tells each of what it
/// watches and nobody else.
#[test]
fn a_hundred_lamps_on_one_telephone_and_a_thousand_watchers() {
    let (mut sip, mut plan) =
        ("[general]\nudpbindaddr=192.0.2.1\ncontext=default\n".to_owned(), String::from("[default]\n"));
    for line in 0..110 {
        sip += &format!("[l{line}]\ntype=friend\nhost=dynamic\nsecret=password\nnat=no\n");
        plan += &format!("exten => 1{line:03},hint,SIP/l{line}\nexten => 1{line:03},1,Dial(SIP/l{line},20)\n");
    }
    let mut world = Testbed::new(&sip, &plan, Quality::PERFECT, 1);
    world.stations.clear();
    for line in 0..110 {
        let (sip, rtp) = (format!("192.168.1.{line}:5060"), format!("192.168.1.{line}:16420"));
        world.add(&format!("l{line}"), "password", &sip, &rtp, DeviceProfile::Grandstream);
    }
    world.register_all();
    for line in 0..100 {
        world.phone("l109").watches(&format!("1{line:03}"), "dialog");
    }
    for watcher in 0..100 {
        for line in 100..109 {
            world.phone(&format!("l{watcher}")).watches(&format!("1{line:03}"), "dialog");
        }
    }
    world.run(Duration::from_secs(5));
    assert_eq!(world.switch.lamps().subscriptions.len(), 1_000);
    world.forgets();
    for line in 0..50 {
        world.phone(&format!("l{line}")).dials(&format!("1{:03}", line + 50));
    }
    world.until(|w| (50..100).all(|line| w.is_called(&format!("l{line}"))));
    world.run(Duration::from_secs(1));
    let states = |world: &Testbed| -> Vec<String> { (0..100).map(|index| world.lamp("l109", index)).collect() };
    let rings = states(&world);
    assert!(rings[..50].iter().all(|state| state == "confirmed") && rings[50..].iter().all(|state| state == "early"));
    let told: usize = (0..110).map(|line| world.messages("exchange", &format!("l{line}"), &["NOTIFY"]).len()).sum();
    assert!((100..=200).contains(&told), "{told}");
    for line in 0..50 {
        world.phone(&format!("l{line}")).hangs_up();
    }
    world.until_over();
    world.run(Duration::from_secs(1));
    assert!(states(&world).iter().all(|state| state == "terminated"));
    assert!(!world.saw("l109", &PhoneEvent::Ended));
    world.assert_nothing_left();
}

/// What one line may watch has a bound.
#[test]
fn one_line_watches_so_much_and_no_more() {
    let mut plan = PLAN.to_owned();
    (0..260).for_each(|number| plan += &format!("exten => 3{number:03},hint,SIP/isp\n"));
    let mut world = Testbed::ready(SIP, &plan);
    for number in 0..260 {
        world.phone("desk").watches(&format!("3{number:03}"), "dialog");
    }
    world.run(Duration::from_secs(3));
    assert_eq!(world.switch.lamps().subscriptions.len(), strowger::pbx::subscriptions::MAX_OF_LINE);
    let refused = (0..260).filter(|index| world.watching("desk", *index).refused == Some(503)).count();
    assert_eq!(refused, 260 - strowger::pbx::subscriptions::MAX_OF_LINE);
    world.assert_nothing_left();
}

/// RFC 3863, and the form before it, by what the telephone accepts.
#[test]
fn presence_is_told_in_the_form_that_is_accepted() {
    let mut world = Testbed::ready(SIP, PLAN);
    let old = Watching { accept: Some("application/xpidf+xml".into()), ..Watching::new("601", "presence", 3600) };
    world.phone("desk").watches("601", "presence");
    world.phone("cisco").watches_as(old);
    world.run(Duration::from_secs(1));
    assert!(world.watching("desk", 0).body.contains("<basic>open</basic>"));
    assert!(world.watching("desk", 0).body.contains("<note>Ready</note>"));
    assert!(world.watching("cisco", 0).body.contains("<status status=\"open\"/>"));
    let told = world.texts("desk", &["NOTIFY"]).pop().unwrap();
    assert_eq!(header(&told, "Content-Type"), "application/pidf+xml");
    assert_eq!(header(&told, "Event"), "presence");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    assert!(world.watching("desk", 0).body.contains("<note>Ringing</note>"));
    assert!(world.watching("cisco", 0).body.contains("<status status=\"inuse\"/>"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The exchange is killed and comes back: each is told the state as it is now, in its dialog, and goes on to be told.
#[test]
fn lamps_survive_a_restart_of_the_exchange_whatever_its_clock_says() {
    for wall in [Wall(0), Wall(1_790_000_100_000), Wall(1_890_000_000_000), Wall(-5)] {
        let mut world = Testbed::ready(SIP, PLAN);
        world.phone("desk").watches("601", "dialog");
        world.phone("desk").watches("609", "presence");
        world.connect();
        world.phone("client").dials("500");
        world.run(Duration::from_secs(1));
        assert_eq!(world.lamp("desk", 0), "confirmed");
        // Whoever talked hears nothing of it; their calls are gone with the exchange.
        for name in ["client", "isp"] {
            let config = world.look(name).config().clone();
            world.unplug(name);
            world.plug_in(config);
        }
        let notices = world.watching("desk", 0).notices;
        world.restart(SIP, PLAN, Some(Duration::from_secs(3000)), wall);
        world.run(Duration::from_secs(2));
        assert_eq!(world.switch.lamps().subscriptions.len(), 2);
        assert_eq!((world.lamp("desk", 0).as_str(), world.watching("desk", 0).notices), ("terminated", notices + 1));
        assert!(world.watching("desk", 0).body.contains("state=\"full\""));
        assert_eq!(world.watching("desk", 0).disordered, 0);
        world.phone("client").registers();
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("isp"));
        world.run(Duration::from_secs(1));
        assert_eq!(world.lamp("desk", 0), "early");
        world.phone("client").hangs_up();
        world.until_over();
        // It is refreshed in the dialog that it always had.
        world.phone("desk").watches_as(Watching::new("601", "dialog", 600));
        world.run(Duration::from_secs(1));
        assert_eq!((world.watching("desk", 0).refused, world.watching("desk", 0).is_active()), (None, true));
        world.assert_nothing_left();
    }
}

/// What is stored is not written for each NOTIFY, and never names a number that was used.
#[test]
fn a_subscription_is_written_once_in_a_hundred_notifies() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("609", "dialog");
    world.run(Duration::from_secs(1));
    world.kept.clear();
    for turn in 0..240 {
        world.phone("client").dials(if turn % 2 == 0 { "500" } else { "501" });
        world.until_over();
    }
    world.run(Duration::from_secs(1));
    assert_eq!(world.watching("desk", 0).notices, 241);
    let is_written = |order: &&StoreOrder| matches!(order, StoreOrder::Subscription { text: Some(_), .. });
    assert_eq!(world.kept.iter().filter(is_written).count(), 2);
    world.assert_nothing_left();
}

/// What is over is not taken up again.
#[test]
fn what_ended_is_forgotten_by_the_store_too() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    world.phone("desk").watches_as(Watching::new("601", "dialog", 0));
    world.run(Duration::from_secs(1));
    world.restart(SIP, PLAN, Some(Duration::from_secs(3000)), Wall(0));
    assert!(world.switch.lamps().subscriptions.is_empty());
    world.phone("desk").watches("602", "dialog");
    world.run(Duration::from_secs(1));
    // A line that may watch no more does not after the restart either.
    let sip = SIP.replace("[desk]\n", "[desk]\nallowsubscribe=no\n");
    world.restart(&sip, PLAN, Some(Duration::from_secs(3000)), Wall(0));
    assert!(world.switch.lamps().subscriptions.is_empty());
    let forgotten = world.kept.iter().any(|order| matches!(order, StoreOrder::Subscription { text: None, .. }));
    assert!(forgotten);
    world.assert_nothing_left();
}

/// What a lamp says of a call that rings, as Replaces names it (RFC 4235 4.1.2, RFC 3891): local is to-tag.
fn replaces(body: &str) -> String {
    let field = |name: &str| body.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap();
    format!("{};to-tag={};from-tag={}", field("call-id"), field("local-tag"), field("remote-tag"))
}

#[test]
fn who_watches_a_line_that_rings_takes_its_call_and_learns_nothing_to_speak_within_it_by() {
    let mut world = Testbed::ready(&SIP.replace("[general]\n", "[general]\nnotifycid=yes\n"), PLAN);
    world.phone("desk").watches("601", "dialog");
    world.run(Duration::from_secs(1));
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.until(|w| w.lamp("desk", 0) == "early");
    let body = world.watching("desk", 0).body.clone();
    let ringing = world.sent_by("isp", &["180", "INVITE"]).pop().unwrap();
    for name in ["Call-ID: ", "From: ", "To: "] {
        let field = ringing.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let secret = field.split(";tag=").last().unwrap();
        assert!(!body.contains(secret), "{name}{secret}\n{body}");
    }
    let wanted = replaces(&body);
    world.add_header("desk", &format!("Replaces: {wanted}"));
    world.phone("desk").dials("601");
    world.until(|w| w.is_talking("desk") && w.is_talking("client"));
    world.until(|w| !w.look("isp").has_call());
    world.run(Duration::from_secs(2));
    assert!(!world.watching("desk", 0).body.contains("pickup-"), "nothing rings any more");
    // Once it is answered, the name is good for nothing.
    world.add_header("cisco", &format!("Replaces: {wanted}"));
    world.phone("cisco").dials("601");
    world.until(|w| w.saw("cisco", &PhoneEvent::Failed(481)));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
