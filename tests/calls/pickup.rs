//! Pickup: a telephone answers a call that rings at another.

use crate::helpers::over;
use crate::stories::stories;
use crate::testbed::{AND_FEATURES, SIP, Testbed};
use std::time::Duration;
use strowger::pbx::effect::StoreOrder;
use strowger::sim::PhoneEvent;

const PLAN: &str = "[default]\n\
    exten => 201,1,Dial(SIP/desk,20)\n\
    exten => 202,1,Set(__PICKUPMARK=door)\n same => n,Dial(SIP/desk&SIP/isp,20)\n\
    exten => 203,1,Dial(Local/201@default,20)\n\
    exten => 204,1,Dial(SIP/desk,20,U(never))\n\
    exten => _*98X.,1,Pickup(${EXTEN:3}@default)\n same => n,Verbose(1,nothing was picked up)\n same => n,Congestion()\n\
    exten => *97,1,Pickup(door@PICKUPMARK)\n\
    exten => *96,1,PickupChan(SIP/desk)\n\
    exten => *95,1,PickupChan(SIP/des,p)\n\
    exten => *94,1,Answer()\n same => n,Pickup(199@default&201@default)\n\
    [never]\nexten => s,1,Verbose(1,the gosub ran)\n same => n,Return()\n";

stories! {
    a_call_is_picked_up_by_its_extension(SIP, PLAN);
    whoever_hangs_up_first_ends_it(SIP, PLAN);
    a_call_is_picked_up_by_its_mark_and_the_others_ring_no_more(SIP, PLAN);
    a_call_is_picked_up_by_its_line(SIP, PLAN);
    a_call_is_picked_up_behind_a_local(SIP, PLAN);
    an_answered_caller_picks_up_too(SIP, PLAN);
    the_line_that_picks_up_has_what_the_dial_wants_done(SIP, PLAN);
    so_has_one_that_makes_no_offer(SIP, PLAN);
    nothing_rings(SIP, PLAN);
    the_group_picks_up(in_groups(), PLAN);
    a_group_that_is_not_the_callers(in_groups(), PLAN);
    nothing_rings_in_the_group(in_groups(), with_sound());
    a_line_without_groups_has_no_code(SIP, PLAN);
    both_are_modems(modems(), PLAN);
    who_picks_up_hears_it(in_groups(), with_pickup_sound());
    a_lamp_key_picks_up(told(), watched());
    a_lamp_key_of_another_context(elsewhere(), watched());
}

fn in_groups() -> String {
    SIP.replace("[desk]\n", "[desk]\ncallgroup=1,3-5\n")
        .replace("[cisco]\n", "[cisco]\npickupgroup=2,4\n")
        .replace("[isp]\n", "[isp]\nnamedcallgroup=shop\npickupgroup=7\n")
}

/// Lamps tell of the call that rings, so that another telephone can take it.
fn told() -> String {
    SIP.replace("[general]\n", "[general]\nnotifycid=yes\n")
}

/// The same for a line that may take the call by its group alone.
fn elsewhere() -> String {
    let sip = in_groups().replace("[general]\n", "[general]\nnotifycid=ignore-context\n");
    let sip = sip.replace("[cisco]\n", "[cisco]\nsubscribecontext=default\n");
    let own = sip.rfind("\ncontext=default\n").unwrap();
    format!("{}\ncontext=other\n{}", &sip[..own], &sip[own + "\ncontext=default\n".len()..])
}

fn watched() -> String {
    let plan = PLAN.replace("[default]\n", "[default]\nexten => 201,hint,SIP/desk\n");
    format!("{plan}[other]\nexten => 1,1,Hangup()\n")
}

fn with_pickup_sound() -> String {
    format!("{PLAN}{AND_FEATURES}[general]\npickupsound=beep\n")
}

fn modems() -> String {
    ["client", "desk", "cisco"]
        .iter()
        .fold(SIP.to_owned(), |text, line| text.replace(&format!("[{line}]\n"), &format!("[{line}]\nline=modem\n")))
}

fn with_sound() -> String {
    format!("{PLAN}{AND_FEATURES}[general]\npickupexten=*7\npickupfailsound=beeperr\n")
}

fn ringing(world: &mut Testbed, number: &str) {
    world.phone("client").dials(number);
    // A bad network may lose that it rings.
    world.until(|w| w.is_called("desk") && (!w.is_perfect() || w.saw("client", &PhoneEvent::Ringing)));
}

fn picked_up(world: &mut Testbed, code: &str) {
    world.phone("cisco").dials(code);
    world.until(|w| w.is_talking("cisco") && w.is_talking("client") && !w.is_called("desk"));
    world.run(Duration::from_secs(1));
    world.assert_agreed("client", "cisco", true);
    assert!(world.has_line("SIP/cisco-") && world.has_line(" picked up the call at SIP/"));
}

fn cancels(world: &Testbed, line: &str) -> Vec<String> {
    world.texts(line, &["CANCEL sip:"])
}

fn a_call_is_picked_up_by_its_extension(world: &mut Testbed) {
    ringing(world, "201");
    picked_up(world, "*98201");
    let cancels = cancels(world, "desk");
    assert!(cancels.iter().all(|text| text.contains("Reason: SIP;cause=200;text=\"Call completed elsewhere\"")));
    assert!(!cancels.is_empty() && world.messages("exchange", "cisco", &["INVITE sip:"]).is_empty());
    over(world, "client");
    let mut records: Vec<(String, String, String)> = Vec::new();
    for order in &world.kept {
        if let StoreOrder::Call(record) = order {
            records.push((record.source.clone(), record.destination.clone(), record.called_channel.clone()));
        }
    }
    assert_eq!(records.len(), 2, "{records:?}");
    let call = records.iter().find(|(_, exten, _)| exten == "201").unwrap();
    assert!(call.0 == "client" && call.2.starts_with("SIP/cisco-"), "{call:?}");
    assert!(records.iter().any(|(number, exten, _)| number == "cisco" && exten == "*98201"));
}

fn whoever_hangs_up_first_ends_it(world: &mut Testbed) {
    for by in ["cisco", "client"] {
        ringing(world, "201");
        picked_up(world, "*98201");
        over(world, by);
    }
    ringing(world, "201");
    world.phone("client").hangs_up();
    world.phone("cisco").dials("*98201");
    world.until_over();
}

fn a_call_is_picked_up_by_its_mark_and_the_others_ring_no_more(world: &mut Testbed) {
    ringing(world, "202");
    world.until(|w| w.is_called("isp"));
    picked_up(world, "*97");
    world.until(|w| !w.is_called("isp"));
    for line in ["desk", "isp"] {
        assert!(cancels(world, line).iter().all(|text| text.contains("Call completed elsewhere")));
        assert!(!cancels(world, line).is_empty());
    }
    over(world, "cisco");
}

fn a_call_is_picked_up_by_its_line(world: &mut Testbed) {
    for code in ["*96", "*95"] {
        ringing(world, "201");
        picked_up(world, code);
        over(world, "client");
    }
}

fn a_call_is_picked_up_behind_a_local(world: &mut Testbed) {
    ringing(world, "203");
    picked_up(world, "*98201");
    over(world, "cisco");
}

fn an_answered_caller_picks_up_too(world: &mut Testbed) {
    ringing(world, "201");
    picked_up(world, "*94");
    over(world, "client");
}

fn the_line_that_picks_up_has_what_the_dial_wants_done(world: &mut Testbed) {
    ringing(world, "204");
    picked_up(world, "*98204");
    assert!(world.has_line("the gosub ran"));
    over(world, "client");
}

/// What is to be done before it is connected is over before its ACK has come.
fn so_has_one_that_makes_no_offer(world: &mut Testbed) {
    world.phone("cisco").habit(|habits| habits.offerless = true);
    ringing(world, "204");
    picked_up(world, "*96");
    assert!(world.has_line("the gosub ran"));
    over(world, "client");
}

fn nothing_rings(world: &mut Testbed) {
    world.phone("cisco").dials("*98201");
    world.until(|w| w.has_line("nothing was picked up"));
    world.until_over();
    assert!(world.has_line("Nothing rings there that could be picked up"));
}

fn the_group_picks_up(world: &mut Testbed) {
    ringing(world, "201");
    picked_up(world, "*8");
    over(world, "client");
    let own = |order: &StoreOrder| matches!(order, StoreOrder::Call(record) if record.destination == "*8");
    assert_eq!(world.kept.iter().filter(|order| own(order)).count(), 1);
}

fn a_group_that_is_not_the_callers(world: &mut Testbed) {
    ringing(world, "201");
    world.phone("isp").dials("*8");
    world.until(|w| w.has_line("Nothing rings there that could be picked up"));
    world.run(Duration::from_secs(1));
    assert!(world.is_called("desk") && !world.is_talking("isp"));
    over(world, "client");
}

fn nothing_rings_in_the_group(world: &mut Testbed) {
    world.sounds.add("beeperr", Duration::from_millis(300));
    world.phone("cisco").dials("*7");
    world.until(|w| w.prompts.iter().any(|(_, names)| names == "beeperr"));
    world.until_over();
    world.phone("cisco").dials("*8");
    world.until(|w| w.has_line("'*8'") || w.has_line("extension '*8'") || w.has_line("*8"));
    world.until_over();
}

fn a_line_without_groups_has_no_code(world: &mut Testbed) {
    ringing(world, "201");
    world.phone("cisco").dials("*8");
    world.run(Duration::from_secs(2));
    assert!(world.is_called("desk") && !world.is_talking("cisco"));
    assert!(world.texts("cisco", &["404"]).iter().any(|text| text.contains("SIP/2.0 404")));
    over(world, "client");
}

/// A modem may be picked up by a modem: nothing is played into either, and nothing is re-negotiated.
fn both_are_modems(world: &mut Testbed) {
    ringing(world, "201");
    picked_up(world, "*98201");
    assert!(world.prompts.is_empty());
    for line in ["client", "cisco"] {
        assert!(world.messages("exchange", line, &["INVITE sip:"]).is_empty());
    }
    over(world, "client");
}

fn who_picks_up_hears_it(world: &mut Testbed) {
    world.sounds.add("beep", Duration::from_millis(300));
    ringing(world, "201");
    world.phone("cisco").dials("*8");
    world.until(|w| w.is_played_to("cisco"));
    assert!(!world.is_played_to("client"));
    world.until(|w| !w.media.is_playing());
    world.run(Duration::from_secs(1));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
    assert_eq!(world.prompts.len(), 1);
    ringing(world, "201");
    picked_up(world, "*98201");
    assert_eq!(world.prompts.len(), 1, "only by the code");
    over(world, "client");
}

/// What a document tells of the dialog that rings: its Call-ID, the tag of the telephone, and ours. None where the network
/// lost what the telephone said of it.
fn dialog_told(world: &mut Testbed) -> Option<[String; 3]> {
    world.until(|w| w.lamp("cisco", 0) == "early");
    world.run(Duration::from_secs(3));
    let body = world.watching("cisco", 0).body.clone();
    if !body.contains("call-id") {
        assert!(!world.is_perfect(), "{body}");
        return None;
    }
    Some(["call-id", "local-tag", "remote-tag"].map(|name| {
        let from = body.find(&format!("{name}=\"")).unwrap_or_else(|| panic!("{body}")) + name.len() + 2;
        body[from..].split('"').next().unwrap().to_owned()
    }))
}

/// As the lamp keys of Snom, Yealink and others do it (RFC 3891, RFC 4235): an INVITE with Replaces of the early dialog.
fn takes_by_lamp(world: &mut Testbed, is_swapped: bool) {
    world.phone("client").dials("201");
    world.until(|w| w.is_called("desk"));
    let Some([call_id, theirs, ours]) = dialog_told(world) else { return over(world, "client") };
    let (to, from) = if is_swapped { (theirs, ours) } else { (ours, theirs) };
    world.add_header(
        "cisco",
        &format!("Replaces: {call_id};to-tag={to};from-tag={from};early-only\r\nRequire: replaces"),
    );
    world.phone("cisco").dials("201");
    world.until(|w| w.is_talking("cisco") && w.is_talking("client") && !w.is_called("desk"));
    world.run(Duration::from_secs(1));
    world.assert_agreed("client", "cisco", true);
    assert!(cancels(world, "desk").iter().all(|text| text.contains("Call completed elsewhere")));
    over(world, "cisco");
    world.until(|w| w.lamp("cisco", 0) == "terminated");
}

fn a_lamp_key_picks_up(world: &mut Testbed) {
    world.phone("cisco").watches("201", "dialog");
    for is_swapped in [false, true] {
        takes_by_lamp(world, is_swapped);
    }
    // Whoever comes too late is told so, and the call goes on.
    world.phone("client").dials("201");
    world.until(|w| w.is_called("desk"));
    let Some([call_id, theirs, ours]) = dialog_told(world) else { return over(world, "client") };
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("client"));
    world.add_header("cisco", &format!("Replaces: {call_id};to-tag={ours};from-tag={theirs};early-only"));
    world.phone("cisco").dials("201");
    world.until(|w| w.stations["cisco"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn a_lamp_key_of_another_context(world: &mut Testbed) {
    world.phone("cisco").watches("201", "dialog");
    takes_by_lamp(world, false);
}
