//! Calls that change hands at the worst moment: while somebody hangs up, holds, transfers, too; twice; to where it cannot
//! go. Whatever happens, nothing is left and whoever stays is heard.

use crate::helpers::{called, connect, is_answered, over, presses, prompted, refer, replaces, second, talk};
use crate::helpers::{together, told};
use crate::stories::stories;
use crate::testbed::{AND_FEATURES, SIP, Testbed};
use std::time::Duration;
use strowger::pbx::switch::orders::Order;
use strowger::sim::{Change, PhoneEvent};
use strowger::sip::method::Method;

const PLAN: &str = "[default]\ninclude => parkedcalls\n\
    exten => 1,1,Dial(SIP/desk,20)\n\
    exten => 2,1,Dial(SIP/cisco,20)\n\
    exten => 3,1,Dial(SIP/client,20)\n\
    exten => 4,1,Answer()\n same => n,Verbose(1,an echo for ${CHANNEL})\n same => n,Echo()\n\
    exten => 5,1,Dial(SIP/desk,20,L(60000:50000:4000))\n\
    exten => 6,1,Dial(Local/4@default,20)\n\
    exten => 7,1,Dial(Local/1@default,20)\n\
    exten => 8,1,Dial(SIP/desk,20,Tt)\n\
    exten => 9,1,Dial(SIP/client,20,L(80000))\n\
    exten => 10,1,Dial(SIP/${CUT(SIPREFERREDBYHDR,@,1):5},20)\n\
    exten => 80,1,Park(,s)\n\
    exten => 81,1,Set(TIMEOUT(absolute)=45)\n same => n,Dial(SIP/desk,20,Tt)\n\
    exten => h,1,Verbose(1,h of ${CHANNEL})\n";

fn with(lines: &[&str], words: &str) -> String {
    lines.iter().fold(SIP.to_owned(), |sip, line| sip.replace(&format!("[{line}]\n"), &format!("[{line}]\n{words}\n")))
}

fn features() -> String {
    format!("{PLAN}{AND_FEATURES}[featuremap]\nblindxfer=#1\natxfer=#2\n")
}

stories! {
    the_second_call_of_a_modem_is_left_alone(with(&["cisco"], "line=modem"), PLAN);
    a_prompt_does_not_take_the_call_of_a_modem(with(&["cisco"], "line=modem"), PLAN);
    the_call_of_a_modem_is_not_taken_over(with(&["client"], "line=modem"), PLAN);
    a_second_call_that_is_over_is_not_connected(SIP, PLAN);
    a_call_is_not_connected_with_itself(SIP, PLAN);
    the_two_ends_of_a_call_are_not_connected(SIP, PLAN);
    both_transfer_at_once(SIP, PLAN);
    a_second_refer_waits_for_the_first(SIP, PLAN);
    refer_and_bye_come_together(SIP, PLAN);
    refer_meets_the_bye_of_the_other(SIP, PLAN);
    refer_while_it_asks_for_hold(SIP, PLAN);
    refer_while_the_other_asks_for_hold(SIP, PLAN);
    a_call_is_transferred_to_who_transfers_it(SIP, PLAN);
    warnings_of_a_limit_end_with_the_transfer(SIP, PLAN);
    a_limit_stays_with_the_line_that_was_called(SIP, PLAN);
    a_limit_stays_with_a_line_that_is_sent_elsewhere(SIP, PLAN);
    music_ends_when_two_calls_are_connected(with(&["client", "cisco"], "line=voice"), PLAN);
    a_call_that_was_parked_is_transferred(SIP, PLAN);
    there_is_nobody_to_transfer_in_a_dialplan(SIP, PLAN);
    a_call_behind_a_local_is_transferred(SIP, PLAN);
    who_waits_for_a_code_is_sent_elsewhere(SIP, features());
    who_pressed_a_code_is_sent_elsewhere(SIP, features());
    who_consults_transfers_by_its_key(SIP, features());
    who_waits_transfers_by_its_key(SIP, features());
    whoever_transfers_does_not_decide_how_many_are_called(SIP, PLAN);
    a_bye_with_also_transfers(SIP, PLAN);
    a_bye_with_also_that_leads_nowhere_ends_the_call(SIP, PLAN);
    who_may_not_transfer_hangs_up_by_its_also(with(&["desk"], "allowtransfer=no"), PLAN);
    a_bye_with_also_connects_two_calls(SIP, PLAN);
    a_time_limit_holds_while_a_code_runs(SIP, features());
}

/// The client talks to the desk, whose second telephone talks to the cisco.
fn two_calls(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    talk(world, "desk2", "2", "cisco");
}

fn the_second_call_of_a_modem_is_left_alone(world: &mut Testbed) {
    two_calls(world);
    connect(world);
    world.until(|w| told(w, "desk") == [100, 603]);
    assert!(world.has_line("'cisco' is line=modem"));
    world.assert_agreed("client", "desk", true);
    world.assert_agreed("desk2", "cisco", true);
    world.phone("desk2").hangs_up();
    over(world, "client");
}

/// The telephone is with an application, and its second call with a modem.
fn a_prompt_does_not_take_the_call_of_a_modem(world: &mut Testbed) {
    second(world);
    world.phone("desk").dials("4");
    world.until(|w| w.is_talking("desk"));
    talk(world, "desk2", "2", "cisco");
    connect(world);
    world.until(|w| told(w, "desk") == [100, 603]);
    world.assert_agreed("desk2", "cisco", true);
    world.phone("desk2").hangs_up();
    over(world, "desk");
}

fn the_call_of_a_modem_is_not_taken_over(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    let ids = called(world, "desk", "200 OK");
    world.add_header("desk2", &format!("Replaces: {ids}"));
    world.phone("desk2").dials("x");
    world.until(|w| w.saw("desk2", &PhoneEvent::Failed(603)));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn a_second_call_that_is_over_is_not_connected(world: &mut Testbed) {
    two_calls(world);
    world.phone("cisco").hangs_up();
    world.until(|w| !w.look("desk2").has_call());
    connect(world);
    world.until(|w| told(w, "desk") == [100, 481]);
    world.run(Duration::from_secs(3));
    assert!(!world.look("cisco").has_call(), "nobody is called instead");
    world.assert_agreed("client", "desk", true);
    over(world, "desk");
}

fn a_call_is_not_connected_with_itself(world: &mut Testbed) {
    talk(world, "desk", "2", "cisco");
    let to = format!("<sip:2@192.0.2.1?Replaces={}>", replaces(world, "desk"));
    refer(world, "desk", &to);
    world.until(|w| told(w, "desk") == [100, 403]);
    world.assert_agreed("desk", "cisco", true);
    over(world, "cisco");
}

/// A line that has called its own other telephone.
fn the_two_ends_of_a_call_are_not_connected(world: &mut Testbed) {
    second(world);
    world.phone("desk2").registers();
    world.until(|w| w.look("desk2").is_registered());
    talk(world, "desk", "1", "desk2");
    let ids = called(world, "desk2", "200 OK").replace(';', "%3B").replace('=', "%3D").replace('@', "%40");
    refer(world, "desk", &format!("<sip:1@192.0.2.1?Replaces={ids}>"));
    world.until(|w| told(w, "desk") == [100, 403]);
    world.assert_agreed("desk", "desk2", true);
    over(world, "desk");
}

fn both_transfer_at_once(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "client", "<sip:2@192.0.2.1>");
    refer(world, "desk", "<sip:4@192.0.2.1>");
    world.until(|w| w.is_called("cisco") || w.has_line("an echo for SIP/client-"));
    if world.is_called("cisco") {
        world.until(|w| told(w, "desk") == [100, 603] || is_answered(w, "desk", "481"));
        world.phone("cisco").answers();
        together(world, "desk", "cisco");
        world.until(|w| !w.look("client").has_call());
        return over(world, "cisco");
    }
    assert!(!world.is_perfect());
    world.until(|w| !w.look("desk").has_call());
    over(world, "client");
}

fn a_second_refer_waits_for_the_first(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    refer(world, "desk", "<sip:4@192.0.2.1>");
    world.until(|w| is_answered(w, "desk", "491") || w.has_line("an echo for SIP/client-"));
    if world.has_line("an echo for SIP/client-") {
        // The second overtook the first, whose number is an old one then.
        assert!(!world.is_perfect());
        world.until(|w| !w.look("desk").has_call());
        return over(world, "client");
    }
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    over(world, "client");
}

fn refer_and_bye_come_together(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.phone("desk").hangs_up();
    world.until(|w| !w.look("desk").has_call());
    world.until(|w| w.is_called("cisco") || !w.is_talking("client"));
    if world.is_called("cisco") {
        world.phone("cisco").answers();
        together(world, "client", "cisco");
        world.phone("client").hangs_up();
    }
    world.until_over();
}

fn refer_meets_the_bye_of_the_other(world: &mut Testbed) {
    for first in ["client", "desk"] {
        talk(world, "client", "1", "desk");
        if first == "client" {
            world.phone("client").hangs_up();
        }
        refer(world, "desk", "<sip:2@192.0.2.1>");
        if first == "desk" {
            world.phone("client").hangs_up();
        }
        world.until_over();
        world.assert_nothing_left();
    }
}

fn refer_while_it_asks_for_hold(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    world.phone("desk").reoffers(Change::Hold);
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    over(world, "cisco");
}

fn refer_while_the_other_asks_for_hold(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.phone("client").reoffers(Change::Hold);
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.run(Duration::from_secs(5));
    world.phone("client").reoffers(Change::Resume);
    world.run(Duration::from_secs(5));
    together(world, "client", "cisco");
    over(world, "cisco");
}

fn a_call_is_transferred_to_who_transfers_it(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:1@192.0.2.1>");
    world.until(|w| told(w, "desk") == [100, 486]);
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

/// The line that the limit was for is still there when a warning is due; who was transferred talks to somebody else.
fn warnings_of_a_limit_end_with_the_transfer(world: &mut Testbed) {
    world.sounds.add("vm-youhave", Duration::from_millis(500));
    talk(world, "client", "5", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    world.run(Duration::from_secs(12));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    world.run(Duration::from_secs(60));
    world.assert_agreed("client", "cisco", true);
    // Its sounds are not even looked for.
    assert!(!world.has_line("queue-seconds") && world.prompts.is_empty(), "{:?}", world.prompts);
    over(world, "client");
}

fn a_limit_stays_with_the_line_that_was_called(world: &mut Testbed) {
    second(world);
    talk(world, "desk", "9", "client");
    talk(world, "desk2", "2", "cisco");
    connect(world);
    world.until(|w| told(w, "desk") == [100, 200]);
    together(world, "client", "cisco");
    world.until(|w| w.has_line("the call has lasted as long as Dial allows"));
    world.until_over();
}

/// Who dials may not take the limit off a call by sending it elsewhere.
fn a_limit_stays_with_a_line_that_is_sent_elsewhere(world: &mut Testbed) {
    talk(world, "desk", "9", "client");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    world.until(|w| w.has_line("the call has lasted as long as Dial allows"));
    world.until_over();
}

fn music_ends_when_two_calls_are_connected(world: &mut Testbed) {
    world.sounds.add("moh/a", Duration::from_secs(1));
    two_calls(world);
    world.phone("desk").reoffers(Change::Hold);
    world.phone("desk2").reoffers(Change::Hold);
    world.until(|w| w.is_played_to("client") && w.is_played_to("cisco"));
    connect(world);
    world.until(|w| told(w, "desk") == [100, 200]);
    together(world, "client", "cisco");
    assert!(!world.media.is_playing());
    over(world, "client");
}

fn a_call_that_was_parked_is_transferred(world: &mut Testbed) {
    world.sounds.add("moh/a", Duration::from_secs(1));
    for by in ["cisco", "client"] {
        world.forgets();
        world.phone("client").dials("80");
        world.until(|w| w.has_line("is parked at 701 of lot 'default'"));
        world.phone("cisco").dials("701");
        together(world, "client", "cisco");
        refer(world, by, "<sip:1@192.0.2.1>");
        let stays = if by == "cisco" { "client" } else { "cisco" };
        world.until(|w| w.is_called("desk"));
        world.phone("desk").answers();
        together(world, stays, "desk");
        assert!(!world.media.is_playing());
        over(world, "desk");
        world.assert_nothing_left();
    }
}

fn there_is_nobody_to_transfer_in_a_dialplan(world: &mut Testbed) {
    world.phone("client").dials("6");
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(1));
    refer(world, "client", "<sip:2@192.0.2.1>");
    world.until(|w| told(w, "client") == [100, 403]);
    world.run(Duration::from_secs(3));
    assert!(world.is_talking("client") && !world.look("cisco").has_call());
    over(world, "client");
}

fn a_call_behind_a_local_is_transferred(world: &mut Testbed) {
    for by in ["client", "desk"] {
        world.forgets();
        talk(world, "client", "7", "desk");
        refer(world, by, "<sip:2@192.0.2.1>");
        world.until(|w| w.is_called("cisco"));
        world.phone("cisco").answers();
        together(world, if by == "desk" { "client" } else { "desk" }, "cisco");
        over(world, "cisco");
        world.assert_nothing_left();
    }
}

fn with_sounds(world: &mut Testbed) {
    for (name, time) in [("pbx-transfer", 400), ("pbx-invalid", 400), ("moh/a", 1000)] {
        world.sounds.add(name, Duration::from_millis(time));
    }
}

fn redirect(world: &mut Testbed, line: &str, place: &str) {
    let channel = world.channel_of(line);
    world.orders(&Order::Redirect(channel, place.to_owned())).unwrap();
}

fn who_waits_for_a_code_is_sent_elsewhere(world: &mut Testbed) {
    for who in ["client", "desk"] {
        world.forgets();
        with_sounds(world);
        talk(world, "client", "8", "desk");
        let other = if who == "client" { "desk" } else { "client" };
        presses(world, who, "#1");
        world.until(|w| prompted(w, "pbx-transfer"));
        redirect(world, other, "default,4,1");
        world.until(|w| w.has_line(&format!("an echo for SIP/{other}-")));
        world.until(|w| !w.look(who).has_call());
        world.run(Duration::from_secs(8));
        assert!(world.is_talking(other), "it is in Echo");
        over(world, other);
        world.assert_nothing_left();
    }
}

fn who_pressed_a_code_is_sent_elsewhere(world: &mut Testbed) {
    for who in ["client", "desk"] {
        world.forgets();
        with_sounds(world);
        talk(world, "client", "8", "desk");
        let other = if who == "client" { "desk" } else { "client" };
        presses(world, who, "#1");
        world.until(|w| prompted(w, "pbx-transfer"));
        redirect(world, who, "default,4,1");
        world.until(|w| w.has_line(&format!("an echo for SIP/{who}-")));
        world.until(|w| !w.look(other).has_call());
        assert!(world.is_talking(who), "it is in Echo");
        over(world, who);
        world.assert_nothing_left();
    }
}

fn consults(world: &mut Testbed, by: &str) {
    with_sounds(world);
    talk(world, "client", "8", "desk");
    presses(world, by, "#2");
    world.until(|w| prompted(w, "pbx-transfer"));
    presses(world, by, "2");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    together(world, by, "cisco");
}

/// It sends away the line that it consults, and then has no call but the first one.
fn who_consults_transfers_by_its_key(world: &mut Testbed) {
    consults(world, "client");
    refer(world, "client", "<sip:4@192.0.2.1>");
    world.until(|w| told(w, "client") == [100, 200]);
    world.until(|w| w.has_line("an echo for SIP/cisco-"));
    world.phone("client").hangs_up();
    world.until(|w| !w.look("client").has_call() && !w.look("desk").has_call());
    over(world, "cisco");
}

fn who_waits_transfers_by_its_key(world: &mut Testbed) {
    consults(world, "client");
    refer(world, "desk", "<sip:4@192.0.2.1>");
    world.until(|w| told(w, "desk") == [100, 603]);
    world.run(Duration::from_secs(2));
    world.phone("client").hangs_up();
    together(world, "desk", "cisco");
    over(world, "cisco");
}

/// Referred-By is what a telephone writes: a dial string made of it names one line.
fn whoever_transfers_does_not_decide_how_many_are_called(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    let fields = |by: &'static str| [("Refer-To", "<sip:10@192.0.2.1>"), ("Referred-By", by)];
    world.phone("desk").requests(Method::Refer, &fields("<sip:cisco&SIP/isp@192.0.2.1>"));
    world.until(|w| told(w, "desk").last().is_some_and(|status| *status >= 400));
    assert!(world.has_line("a part of it that decides whom to call"));
    assert!(!world.look("isp").has_call() && !world.look("cisco").has_call());
    together(world, "client", "desk");
    world.phone("desk").requests(Method::Refer, &fields("<sip:cisco@192.0.2.1>"));
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    over(world, "client");
}

/// As telephones asked for a transfer before there was REFER: in the BYE.
fn says_also(world: &mut Testbed, who: &str, to: &str) {
    world.add_to(who, "BYE ", &format!("Also: {to}"));
    world.phone(who).hangs_up();
    world.until(|w| !w.look(who).has_call());
}

fn a_bye_with_also_transfers(world: &mut Testbed) {
    for by in ["desk", "client"] {
        world.forgets();
        talk(world, "client", "1", "desk");
        says_also(world, by, "<sip:2@192.0.2.1>");
        world.until(|w| w.is_called("cisco"));
        world.phone("cisco").answers();
        let stays = if by == "desk" { "client" } else { "desk" };
        together(world, stays, "cisco");
        over(world, stays);
        world.assert_nothing_left();
    }
}

fn a_bye_with_also_that_leads_nowhere_ends_the_call(world: &mut Testbed) {
    for to in ["<sip:77@192.0.2.1>", "<tel:2>", "<", "<sip:2@192.0.2.1?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"] {
        world.forgets();
        talk(world, "client", "1", "desk");
        says_also(world, "desk", to);
        world.until_over();
        assert!(world.has_line("transfer by BYE with Also failed"), "{to}");
        world.assert_nothing_left();
    }
}

fn who_may_not_transfer_hangs_up_by_its_also(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    says_also(world, "desk", "<sip:2@192.0.2.1>");
    world.until_over();
    assert!(world.has_line("transfer by BYE with Also failed: allowtransfer=no"));
}

/// The old attended transfer: its second call is named in the BYE of the first.
fn a_bye_with_also_connects_two_calls(world: &mut Testbed) {
    two_calls(world);
    let to = format!("<sip:2@192.0.2.1?Replaces={}>", replaces(world, "desk2"));
    says_also(world, "desk", &to);
    world.until(|w| !w.look("desk2").has_call());
    together(world, "client", "cisco");
    over(world, "client");
}

/// A code keeps nobody longer than the dialplan allows.
fn a_time_limit_holds_while_a_code_runs(world: &mut Testbed) {
    consults(world, "client");
    world.phone("client").hangs_up();
    together(world, "desk", "cisco");
    over(world, "desk");
    world.forgets();
    talk(world, "client", "81", "desk");
    let since = world.now;
    presses(world, "client", "#1");
    world.until(|w| prompted(w, "pbx-invalid"));
    together(world, "client", "desk");
    world.until(|w| !w.look("client").has_call());
    assert!(world.has_line("has lasted as long as TIMEOUT(absolute) allows"));
    assert!(world.now.since(since) < Duration::from_secs(60));
    world.until_over();
    world.forgets();
    talk(world, "client", "81", "desk");
    presses(world, "client", "#2");
    world.until(|w| prompted(w, "pbx-transfer"));
    presses(world, "client", "2");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    world.until(|w| !w.look("client").has_call());
    assert!(world.has_line("has lasted as long as TIMEOUT(absolute) allows"));
    world.phone("desk").hangs_up();
    world.until_over();
}
