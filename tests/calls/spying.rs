//! Listening to calls: ChanSpy and ExtenSpy, whispering and barging in.

use crate::media::Doing;
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::pbx::mixing::SpyPlan;
use strowger::pbx::recording::Sides;
use strowger::pbx::switch::orders::Order;

const CLIENT: &str = "192.0.2.20:16420";
const DESK: &str = "192.0.2.30:5004";
const CISCO: &str = "192.0.2.40:24598";

/// The desk listens; the client calls the cisco telephone.
const PLAN: &str = "[default]\n\
    exten => 201,1,Dial(SIP/cisco,20)\n\
    exten => 202,1,Set(__SPYGROUP=house:kitchen)\n same => n,Dial(SIP/cisco,20)\n\
    exten => 77,1,Answer()\n same => n,Wait(60)\n\
    exten => 1,1,ChanSpy(SIP/client,q)\n same => n,Verbose(1,the spying is over)\n\
    exten => 2,1,ChanSpy(,qwSEr(heard))\n same => n,Verbose(1,the spying is over)\n\
    exten => 3,1,ChanSpy(SIP,qBx(9))\n same => n,Verbose(1,the spying is over)\n\
    exten => 4,1,ChanSpy(SIP,qdobv(-1)z)\n\
    exten => 5,1,ChanSpy(SIP,s)\n\
    exten => 6,1,ChanSpy(SIP,qg(attic:kitchen)S)\n same => n,Verbose(1,the spying is over)\n\
    exten => 7,1,ChanSpy(SIP,qe(SIP/cisco:SIP/isp)X)\n\
    exten => 8,1,ExtenSpy(201,qWc(7))\n\
    exten => 9,1,ChanSpy(all,qSn)\n same => n,Verbose(1,the spying is over)\n";

stories! {
    a_call_is_listened_to(SIP, PLAN);
    nobody_is_there_yet(SIP, PLAN);
    whispered_to_and_recorded(SIP, PLAN);
    both_hear_who_barges_in(SIP, PLAN);
    digits_choose_how_and_how_loud(SIP, PLAN);
    digits_choose_whom(SIP, PLAN);
    names_are_spelled_and_a_beep_is_heard(SIP, PLAN);
    groups_say_who_may_be_heard(SIP, PLAN);
    only_these_lines_and_a_way_out(SIP, PLAN);
    the_channels_of_an_extension(SIP, PLAN);
    nobody_at_all(SIP, PLAN);
    who_is_listened_to_goes_on_elsewhere(SIP, PLAN);
    a_direct_call_comes_back_to_the_relay(direct(), PLAN);
    a_modem_is_heard_and_not_disturbed(modem(""), PLAN);
    a_modems_direct_call_is_left_alone(modem("directmedia=yes"), PLAN);
    a_modem_that_is_called_later_ends_the_whispering(modem(""), PLAN);
}

fn direct() -> String {
    SIP.replace("directmedia=no", "directmedia=yes")
}

fn modem(more: &str) -> String {
    let sip = SIP.replace("[cisco]\n", "[cisco]\nline=modem\n");
    if more.is_empty() { sip } else { sip.replace("directmedia=no", more) }
}

/// The client talks to the cisco telephone.
fn talk(world: &mut Testbed, number: &str) {
    world.phone("client").dials(number);
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("cisco"));
    world.run(Duration::from_secs(2));
}

/// How the one at this address is listened to; none: it is not.
fn plan(world: &Testbed, rtp: &str) -> Option<SpyPlan> {
    let stream = world.media.stream_of(rtp)?;
    world.media.spied.iter().find(|((of, _), _)| *of == stream).map(|(_, plan)| plan.clone())
}

fn is_heard(world: &Testbed, rtp: &str) -> bool {
    plan(world, rtp).is_some()
}

fn volume(world: &Testbed) -> Option<i8> {
    match world.media.doing(DESK) {
        Some(Doing::Mixed(gain)) => Some(*gain),
        _ => None,
    }
}

fn press(world: &mut Testbed, keys: &str) {
    for key in keys.chars() {
        world.hears_key("desk", key);
        world.run(Duration::from_millis(200));
    }
}

fn is_over(world: &Testbed) -> bool {
    world.has_line("the spying is over")
}

fn all_hang_up(world: &mut Testbed) {
    for name in ["client", "desk", "cisco"] {
        world.phone(name).hangs_up();
    }
    world.until(|w| w.channels().is_empty() && w.media.spied.is_empty());
}

fn a_call_is_listened_to(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("1");
    world.until(|w| is_heard(w, CLIENT));
    let heard = plan(world, CLIENT).unwrap();
    assert_eq!((heard.hears, heard.whispers, heard.barges), (Some(Sides::Both), false, false));
    assert_eq!(volume(world), Some(0));
    // Those who talk notice nothing.
    world.assert_agreed("client", "cisco", true);
    // The call ends, and the listener waits for the next one.
    world.phone("cisco").hangs_up();
    world.until(|w| w.media.spied.is_empty() && volume(w).is_none());
    world.run(Duration::from_secs(3));
    assert!(world.is_talking("desk") && !is_over(world));
    talk(world, "201");
    world.until(|w| is_heard(w, CLIENT));
    world.phone("desk").hangs_up();
    world.until(|w| w.media.spied.is_empty());
    assert!(world.is_talking("client"));
    all_hang_up(world);
}

fn nobody_is_there_yet(world: &mut Testbed) {
    world.phone("desk").dials("1");
    world.until(|w| w.is_talking("desk"));
    world.run(Duration::from_secs(3));
    talk(world, "201");
    world.until(|w| is_heard(w, CLIENT));
    all_hang_up(world);
}

fn whispered_to_and_recorded(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("2");
    world.until(|w| is_heard(w, CLIENT));
    let heard = plan(world, CLIENT).unwrap();
    assert_eq!((heard.hears, heard.whispers, heard.barges), (Some(Sides::Both), true, false));
    let [(stream, _, plan)] = world.media.recordings.as_slice() else { panic!("{:?}", world.media.recordings) };
    assert_eq!(Some(*stream), world.media.stream_of(DESK));
    assert!(plan.files[0].path.starts_with("/state/recordings/heard-") && plan.files[0].sides == Sides::ToPeer);
    // Option E.
    world.phone("client").hangs_up();
    world.until(is_over);
    all_hang_up(world);
}

fn both_hear_who_barges_in(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("3");
    world.until(|w| is_heard(w, CLIENT));
    let heard = plan(world, CLIENT).unwrap();
    assert!(heard.whispers && heard.barges);
    press(world, "5");
    assert!(!is_over(world));
    press(world, "9");
    world.until(is_over);
    world.until(|w| w.media.spied.is_empty());
    all_hang_up(world);
}

fn digits_choose_how_and_how_loud(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("4");
    world.until(|w| is_heard(w, CLIENT));
    assert!(world.has_line("ChanSpy: there are no options 'z'"));
    let of = |world: &Testbed| plan(world, CLIENT).map(|plan| (plan.hears, plan.whispers, plan.barges)).unwrap();
    assert_eq!((of(world), volume(world)), ((Some(Sides::FromPeer), false, false), Some(-1)));
    press(world, "5");
    assert_eq!(of(world), (Some(Sides::FromPeer), true, false));
    press(world, "6");
    assert_eq!(of(world), (Some(Sides::FromPeer), true, true));
    press(world, "4");
    assert_eq!(of(world), (Some(Sides::FromPeer), false, false));
    press(world, "#####");
    assert_eq!(volume(world), Some(4));
    press(world, "#");
    assert_eq!(volume(world), Some(-4));
    all_hang_up(world);
}

/// One after the other with `*`, and around; the listener itself is none of them.
fn digits_choose_whom(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("4");
    world.until(|w| is_heard(w, CLIENT));
    press(world, "*");
    world.until(|w| is_heard(w, CISCO) && !is_heard(w, CLIENT));
    press(world, "*");
    world.until(|w| is_heard(w, CLIENT) && !is_heard(w, CISCO));
    all_hang_up(world);
}

fn names_are_spelled_and_a_beep_is_heard(world: &mut Testbed) {
    for name in
        ["beep", "letters/c", "letters/i", "letters/s", "letters/o", "letters/l", "letters/e", "letters/n", "letters/t"]
    {
        world.sounds.add(name, Duration::from_millis(200));
    }
    talk(world, "201");
    world.phone("desk").dials("5");
    world.until(|w| is_heard(w, CLIENT));
    let names: Vec<&str> = world.prompts.iter().map(|(_, names)| names.as_str()).collect();
    assert_eq!(names, ["beep", "letters/c&letters/l&letters/i&letters/e&letters/n&letters/t"]);
    press(world, "*");
    world.until(|w| is_heard(w, CISCO));
    all_hang_up(world);
}

fn groups_say_who_may_be_heard(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("6");
    world.until(is_over);
    all_hang_up(world);
    talk(world, "202");
    world.phone("desk").dials("6");
    world.until(|w| is_heard(w, CLIENT));
    all_hang_up(world);
}

fn only_these_lines_and_a_way_out(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("7");
    world.until(|w| is_heard(w, CISCO));
    press(world, "*");
    world.run(Duration::from_secs(1));
    assert!(is_heard(world, CISCO) && !is_heard(world, CLIENT));
    // Option X: 8 is an extension here.
    press(world, "8");
    world.until(|w| plan(w, CLIENT).is_some_and(|plan| plan.hears.is_none() && plan.whispers));
    all_hang_up(world);
}

fn the_channels_of_an_extension(world: &mut Testbed) {
    world.phone("isp").dials("77");
    talk(world, "201");
    world.phone("desk").dials("8");
    world.until(|w| is_heard(w, CLIENT));
    press(world, "7");
    world.run(Duration::from_secs(2));
    assert!(is_heard(world, CLIENT) && world.media.spied.len() == 1, "no other channel is at that extension");
    world.phone("isp").hangs_up();
    all_hang_up(world);
}

fn nobody_at_all(world: &mut Testbed) {
    world.phone("desk").dials("9");
    world.until(is_over);
    assert!(world.has_line("ChanSpy: the options 'n' are without effect here"));
    all_hang_up(world);
}

fn who_is_listened_to_goes_on_elsewhere(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("1");
    world.until(|w| is_heard(w, CLIENT));
    let channel = world.channel_of("client");
    world.orders(&Order::Redirect(channel, "default,77,1".to_owned())).unwrap();
    world.until(|w| !w.is_talking("cisco"));
    world.run(Duration::from_secs(2));
    assert!(is_heard(world, CLIENT), "its stream goes on");
    // So does the listener.
    let channel = world.channel_of("desk");
    world.orders(&Order::Redirect(channel, "default,77,1".to_owned())).unwrap();
    world.until(|w| w.media.spied.is_empty() && volume(w).is_none());
    all_hang_up(world);
}

fn a_direct_call_comes_back_to_the_relay(world: &mut Testbed) {
    talk(world, "201");
    world.assert_agreed("client", "cisco", false);
    world.phone("desk").dials("1");
    world.until(|w| is_heard(w, CLIENT));
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "cisco", true);
    all_hang_up(world);
}

fn a_modem_is_heard_and_not_disturbed(world: &mut Testbed) {
    talk(world, "201");
    world.phone("desk").dials("3");
    world.until(|w| is_heard(w, CLIENT));
    let heard = plan(world, CLIENT).unwrap();
    assert_eq!((heard.hears, heard.whispers, heard.barges), (Some(Sides::Both), false, false));
    assert!(world.has_line("nobody whispers there: 'cisco' has a modem (line=modem)"));
    press(world, "*");
    world.until(|w| is_heard(w, CISCO));
    assert!(!plan(world, CISCO).unwrap().whispers);
    all_hang_up(world);
}

fn a_modems_direct_call_is_left_alone(world: &mut Testbed) {
    talk(world, "201");
    world.assert_agreed("client", "cisco", false);
    world.phone("desk").dials("1");
    world.until(|w| w.has_line("is not listened to: its sound goes direct, and a modem (line=modem) takes part"));
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "cisco", false);
    assert!(world.media.spied.is_empty());
    all_hang_up(world);
}

/// The client is whispered to while it waits, and calls the modem later.
fn a_modem_that_is_called_later_ends_the_whispering(world: &mut Testbed) {
    world.phone("client").dials("77");
    world.until(|w| w.is_talking("client"));
    world.phone("desk").dials("3");
    world.until(|w| plan(w, CLIENT).is_some_and(|plan| plan.whispers));
    let channel = world.channel_of("client");
    world.orders(&Order::Redirect(channel, "default,201,1".to_owned())).unwrap();
    world.until(|w| w.is_called("cisco"));
    assert!(plan(world, CLIENT).unwrap().whispers);
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.until(|w| plan(w, CLIENT).is_some_and(|plan| !plan.whispers && !plan.barges));
    assert!(world.has_line("nobody whispers there any more: 'cisco' has a modem (line=modem)"));
    all_hang_up(world);
}
