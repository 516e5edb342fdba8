//! Parking: calls that wait in a lot, and who takes them.

use crate::helpers::{over, second};
use crate::stories::stories;
use crate::testbed::{AND_FEATURES, SIP, Testbed};
use std::time::Duration;
use strowger::event::DeviceState;
use strowger::sip::method::Method;

const PLAN: &str = "[default]\ninclude => parkedcalls\n\
    exten => 201,1,Dial(SIP/desk,20)\n\
    exten => 80,1,Park(,s)\n same => n,Verbose(1,not parked)\n\
    exten => 81,1,Park(,st(5)c(default^90^1))\n\
    exten => 82,1,Set(PARKINGEXTEN=705)\n same => n,Park(,s)\n same => n,Verbose(1,not parked)\n same => n,Hangup()\n\
    exten => 83,1,Set(BLINDTRANSFER=SIP/desk-00000007)\n same => n,Park(,t(5))\n\
    exten => 84,1,ParkAndAnnounce(,t(5),beep:PARKED,SIP/desk)\n\
    exten => 85,1,Park(nowhere)\n same => n,Verbose(1,went on)\n same => n,Hangup()\n\
    exten => 86,1,ParkedCall()\n\
    exten => 87,1,Park(,sr)\n\
    exten => 90,1,Verbose(1,back with ${PARKINGSLOT} of ${PARKINGLOT})\n same => n,Wait(1)\n same => n,Hangup()\n\
    exten => 91,1,Verbose(1,state ${DEVICE_STATE(park:701@parkedcalls)} ${EXTENSION_STATE(701@parkedcalls)})\n\
    exten => h,1,Verbose(1,h of ${CHANNEL})\n\
    [parkedcallstimeout]\nexten => SIP_desk,1,Verbose(1,${PARKER} did not answer)\n same => n,Wait(1)\n\
    exten => s,1,Verbose(1,nobody took it)\n same => n,Wait(1)\n";

stories! {
    a_call_waits_and_is_taken(SIP, PLAN);
    whoever_hangs_up_first_ends_it(SIP, PLAN);
    the_place_is_said_to_who_parks_itself(SIP, PLAN);
    a_call_is_taken_while_its_place_is_said(SIP, PLAN);
    places_are_given_in_order(SIP, PLAN);
    nobody_takes_it(SIP, PLAN);
    it_comes_back_to_who_parked_it(SIP, PLAN);
    it_goes_on_where_who_parked_it_does_not_answer(SIP, PLAN);
    a_line_is_told_where_it_is(SIP, PLAN);
    nothing_waits_there(SIP, PLAN);
    a_lot_that_is_not_there(SIP, PLAN);
    a_wished_place(SIP, PLAN);
    a_lot_of_ones_own(SIP.replace("[client]\n", "[client]\nparkinglot=shop\n"), own_lot());
    a_small_lot_fills_up(SIP, small());
    no_line_fills_a_lot(SIP, two_places());
    a_telephone_parks_by_its_transfer_key(SIP, PLAN);
    a_modem_waits_in_silence(SIP.replace("[client]\n", "[client]\nline=modem\n"), PLAN);
}

fn own_lot() -> String {
    format!(
        "{PLAN}{AND_FEATURES}[parkinglot_shop]\nparkext=800\nparkpos=801-802\nfindslot=next\ncourtesytone=beep\nparkingtime=5\n\
         comebackcontext=nowhere\n"
    )
}

fn small() -> String {
    format!("{PLAN}{AND_FEATURES}[general]\nparkpos=701-701\n")
}

fn two_places() -> String {
    format!("{PLAN}{AND_FEATURES}[general]\nparkpos=701-702\n")
}

fn with_sounds(world: &mut Testbed) {
    world.sounds.add("moh/a", Duration::from_secs(1));
    for name in ["digits/7", "digits/0", "digits/1", "beep", "pbx-invalidpark", "pbx-parkingfailed"] {
        world.sounds.add(name, Duration::from_millis(300));
    }
}

fn prompts(world: &Testbed) -> Vec<&str> {
    world.prompts.iter().map(|(_, names)| names.as_str()).collect()
}

fn parks(world: &mut Testbed, who: &str, number: &str, words: &str) {
    world.phone(who).dials(number);
    world.until(|w| w.is_talking(who) && w.has_line(words));
}

fn waits(world: &mut Testbed, number: &str) {
    with_sounds(world);
    parks(world, "client", number, "is parked at 701 of lot 'default'");
    world.until(|w| w.is_played_to("client"));
}

fn talk(world: &mut Testbed, a: &str, b: &str) {
    world.until(|w| w.is_talking(a) && w.is_talking(b));
    world.run(Duration::from_secs(1));
    world.assert_agreed(a, b, true);
    assert!(!world.is_played_to(a) && !world.is_played_to(b));
}

fn state(world: &Testbed) -> DeviceState {
    world.switch.lamps().device_state("park:701@parkedcalls")
}

fn a_call_waits_and_is_taken(world: &mut Testbed) {
    assert_eq!(state(world), DeviceState::Idle);
    waits(world, "80");
    assert_eq!((prompts(world), state(world)), (vec!["moh/a"], DeviceState::InUse));
    world.phone("cisco").dials("701");
    world.until(|w| w.has_line(" from 701 of lot 'default'"));
    assert_eq!(state(world), DeviceState::Idle);
    talk(world, "client", "cisco");
    world.phone("isp").dials("91");
    world.until(|w| w.has_line("state NOT_INUSE NOT_INUSE"));
    over(world, "client");
    world.until(|w| w.has_line("h of SIP/client-"));
}

fn whoever_hangs_up_first_ends_it(world: &mut Testbed) {
    for by in ["cisco", "client"] {
        world.forgets();
        waits(world, "80");
        world.phone("cisco").dials("86");
        talk(world, "client", "cisco");
        over(world, by);
        world.until(|w| w.has_line("h of SIP/client-") && w.has_line("h of SIP/cisco-"));
    }
    world.forgets();
    waits(world, "80");
    over(world, "client");
    world.until(|w| w.has_line("h of SIP/client-"));
    assert_eq!(state(world), DeviceState::Idle);
}

fn the_place_is_said_to_who_parks_itself(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("700");
    world.until(|w| w.prompts.len() == 2);
    assert_eq!(prompts(world), ["digits/7&digits/0&digits/1", "moh/a"]);
    over(world, "client");
}

fn a_call_is_taken_while_its_place_is_said(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("700");
    world.until(|w| w.has_line("is parked at 701") && w.is_played_to("client"));
    world.phone("cisco").dials("701");
    talk(world, "client", "cisco");
    assert_eq!(prompts(world).first(), Some(&"digits/7&digits/0&digits/1"));
    over(world, "cisco");
}

fn places_are_given_in_order(world: &mut Testbed) {
    with_sounds(world);
    parks(world, "client", "80", "is parked at 701");
    parks(world, "desk", "80", "is parked at 702");
    over_one(world, "client");
    parks(world, "isp", "80", "is parked at 701");
    // The one that waits longest.
    world.run(Duration::from_secs(1));
    world.phone("cisco").dials("86");
    talk(world, "desk", "cisco");
    over_one(world, "desk");
    over(world, "isp");
}

fn over_one(world: &mut Testbed, who: &str) {
    world.lines.clear();
    let name = who.to_owned();
    world.phone(who).hangs_up();
    world.until(move |w| w.has_line(&format!("h of SIP/{name}-")));
}

fn nobody_takes_it(world: &mut Testbed) {
    waits(world, "81");
    let begun = world.now;
    world.until(|w| w.has_line("Nobody took SIP/client-"));
    assert!(world.now.since(begun) <= Duration::from_secs(5));
    world.until(|w| w.has_line("back with 701 of default"));
    assert!(!world.media.is_playing());
    assert_eq!(state(world), DeviceState::Idle);
    world.until_over();
}

fn it_comes_back_to_who_parked_it(world: &mut Testbed) {
    waits(world, "83");
    assert!(world.has_line("is parked at 701 of lot 'default', by SIP/desk"));
    assert_eq!(prompts(world), ["moh/a"], "the place is not said to who was transferred");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    talk(world, "client", "desk");
    over(world, "desk");
}

fn it_goes_on_where_who_parked_it_does_not_answer(world: &mut Testbed) {
    waits(world, "83");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").refuses(486);
    world.until(|w| w.has_line("SIP/desk did not answer"));
    over(world, "client");
}

fn a_line_is_told_where_it_is(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("84");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.prompts.iter().any(|(_, names)| names == "beep&digits/7&digits/0&digits/1"));
    world.phone("cisco").dials("701");
    world.until(|w| w.is_talking("cisco") && !w.is_talking("desk"));
    talk(world, "client", "cisco");
    over(world, "client");
}

fn nothing_waits_there(world: &mut Testbed) {
    with_sounds(world);
    world.phone("cisco").dials("701");
    world.until(|w| w.prompts.iter().any(|(_, names)| names == "pbx-invalidpark"));
    world.until_over();
    assert!(world.has_line("no call waits there"));
}

fn a_lot_that_is_not_there(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("85");
    world.until(|w| w.has_line("went on"));
    assert_eq!(prompts(world), ["pbx-parkingfailed"]);
    assert!(world.has_line("there is no lot 'nowhere' in res_parking.conf"));
    world.until_over();
}

fn a_wished_place(world: &mut Testbed) {
    with_sounds(world);
    parks(world, "client", "82", "is parked at 705");
    world.phone("desk").dials("82");
    world.until(|w| w.has_line("the place 705 of lot 'default' is not free"));
    world.until(|w| w.has_line("not parked") && !w.is_talking("desk"));
    over(world, "client");
}

fn a_lot_of_ones_own(world: &mut Testbed) {
    with_sounds(world);
    parks(world, "client", "80", "is parked at 801 of lot 'shop'");
    over_one(world, "client");
    parks(world, "client", "80", "is parked at 802 of lot 'shop'");
    world.phone("cisco").dials("802");
    world.until(|w| prompts(w).contains(&"beep"));
    talk(world, "client", "cisco");
    over(world, "cisco");
    parks(world, "client", "80", "is parked at 801 of lot 'shop'");
    world.until(|w| w.has_line("where it could go on: it is ended"));
    world.until_over();
}

fn a_small_lot_fills_up(world: &mut Testbed) {
    with_sounds(world);
    parks(world, "client", "80", "is parked at 701");
    world.phone("desk").dials("80");
    world.until(|w| w.has_line("every place of lot 'default' (701-701) is taken"));
    world.until(|w| w.has_line("not parked") && !w.is_talking("desk"));
    over(world, "client");
}

/// One line has half of the places at most: another finds one.
fn no_line_fills_a_lot(world: &mut Testbed) {
    with_sounds(world);
    second(world);
    parks(world, "desk", "80", "is parked at 701");
    world.phone("desk2").dials("80");
    world.until(|w| w.has_line("'SIP/desk' has 1 of the 2 places of lot 'default', the most for one line: "));
    world.until(|w| w.has_line("not parked") && !w.is_talking("desk2"));
    parks(world, "client", "80", "is parked at 702");
    world.phone("desk").hangs_up();
    over(world, "client");
}

/// REFER to 700: the telephone is told that it is done as soon as the call waits.
fn a_telephone_parks_by_its_transfer_key(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("201");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    talk(world, "client", "desk");
    let fields = [("Refer-To", "<sip:700@192.0.2.1>"), ("Contact", "<sip:desk@192.0.2.30:5060>")];
    world.phone("desk").requests(Method::Refer, &fields);
    world.until(|w| w.has_line("is parked at 701 of lot 'default', by SIP/desk") && w.is_played_to("client"));
    world.until(|w| w.texts("desk", &["NOTIFY "]).iter().any(|text| text.contains("\r\nSIP/2.0 200")));
    world.phone("desk").hangs_up();
    world.until(|w| !w.look("desk").has_call());
    assert_eq!(prompts(world), ["moh/a"]);
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    talk(world, "client", "desk");
    over(world, "desk");
}

fn a_modem_waits_in_silence(world: &mut Testbed) {
    with_sounds(world);
    parks(world, "client", "87", "is parked at 701");
    world.run(Duration::from_secs(2));
    over_one(world, "client");
    parks(world, "client", "80", "is parked at 701");
    world.run(Duration::from_secs(2));
    assert!(world.prompts.is_empty() && !world.media.is_playing());
    assert!(world.has_line("it is played no music"));
    world.phone("cisco").dials("701");
    talk(world, "client", "cisco");
    over(world, "client");
}
