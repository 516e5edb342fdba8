//! Menus: what digits do while something is played and when nothing is, PINs, and how long a call may last.

use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::clock::Time;
use strowger::pbx::effect::Input;
use strowger::pbx::media::{MediaEvent, StreamId};

const MENU: &str = "[default]\nexten => 100,1,Answer()\n same => n,BackGround(silence/10&silence/10)\n same => n,WaitExten(4)\n\
    exten => 1,1,Dial(SIP/isp,20)\nexten => 12,1,Dial(SIP/desk,20)\nexten => i,1,Playback(beep)\n same => n,Goto(100,2)\n\
    exten => t,1,Hangup()\n";

impl Testbed {
    /// The caller's stream.
    fn stream_of(&self, name: &str) -> StreamId {
        let rtp = self.look(name).rtp();
        let of_it = |stream: &crate::media::Stream| stream.remote.and_then(|remote| remote.rtp) == Some(rtp);
        *self.media.streams.iter().find(|(_, stream)| of_it(stream)).unwrap_or_else(|| panic!("{name} has no stream")).0
    }

    /// The telephone presses a key, and the media thread tells of it at once.
    fn keys(&mut self, name: &str, keys: &str) {
        let stream = self.stream_of(name);
        for digit in keys.chars() {
            let event = MediaEvent::Digit { stream, digit };
            let effects = self.switch.handle(crate::testbed::at(self.now), Input::Media(event));
            self.execute(effects);
        }
    }

    fn calls(&mut self, number: &str) {
        self.phone("client").dials(number);
        self.until(|w| w.is_talking("client"));
        self.run(Duration::from_millis(100));
    }

    fn ends(&mut self) {
        self.phone("client").hangs_up();
        self.until_over();
        self.assert_nothing_left();
    }
}

#[test]
fn a_digit_stops_the_sound_at_the_moment_it_comes() {
    let mut world = Testbed::ready(SIP, MENU);
    world.calls("100");
    world.run(Duration::from_secs(3));
    assert!(world.is_played_to("client"));
    let before: Time = world.now;
    world.keys("client", "1");
    // No time has passed, and nothing else was handled.
    assert_eq!(world.now, before);
    assert!(!world.is_played_to("client"), "the sound goes on");
    // 1 could become 12: the digit timeout is waited for, and no longer.
    world.until(|w| w.is_called("isp"));
    let waited = world.now.since(before);
    assert!(waited >= Duration::from_secs(5) && waited < Duration::from_millis(5_200), "{waited:?}");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.assert_agreed("client", "isp", true);
    world.ends();
}

#[test]
fn an_extension_that_can_become_no_longer_one_is_dialled_at_once() {
    let mut world = Testbed::ready(SIP, MENU);
    world.calls("100");
    world.keys("client", "12");
    let pressed = world.now;
    world.until(|w| w.is_called("desk"));
    assert!(world.now.since(pressed) < Duration::from_millis(200), "faster than any timer");
    world.ends();
}

#[test]
fn keys_pressed_before_the_menu_begins_are_not_lost() {
    let plan = "[default]\nexten => 100,1,Answer()\n same => n,NoOp()\n same => n,Read(A,silence/10,2)\n same => n,Read(B,silence/10,2)\n\
        same => n,Verbose(1,read ${A} ${B})\n same => n,Wait(60)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.calls("100");
    // All at one moment: the third and the fourth come while the program is between two waits.
    world.keys("client", "1234");
    world.run(Duration::from_millis(200));
    assert!(world.has_line("read 12 34"));
    world.ends();
}

#[test]
fn who_dials_what_is_not_there_hears_so_and_may_try_again() {
    let mut world = Testbed::ready(SIP, MENU);
    world.calls("100");
    world.keys("client", "9");
    world.until(|w| w.media.played.ends_with(&[1600]));
    world.run(Duration::from_secs(1));
    assert!(world.is_played_to("client"), "the menu is played again");
    assert!(world.has_line("Invalid extension '9' in context 'default' on SIP/client-00000000, going to 'i'"));
    world.keys("client", "12");
    world.until(|w| w.is_called("desk"));
    world.ends();
}

#[test]
fn who_presses_nothing_is_hung_up_on_after_the_sounds_and_the_wait() {
    let mut world = Testbed::ready(SIP, MENU);
    world.calls("100");
    let began = world.now;
    world.until_over();
    let lasted = world.now.since(began).as_secs_f64();
    assert!((23.5..25.0).contains(&lasted), "20 s of sound and 4 s of silence, and not {lasted}");
    assert!(world.has_line("Timeout on SIP/client-00000000, going to 't'"));
    world.assert_nothing_left();
}

#[test]
fn the_caller_leaves_in_the_middle_of_a_number() {
    let mut world = Testbed::ready(SIP, MENU);
    world.calls("100");
    world.keys("client", "1");
    world.run(Duration::from_secs(2));
    world.ends();
    assert!(!world.is_called("isp"));
}

#[test]
fn a_menu_before_the_answer_is_early_media() {
    let plan = MENU.replace("1,Answer()", "1,NoOp()").replace("silence/10)", "silence/10,n)");
    let mut world = Testbed::ready(SIP, &plan);
    world.phone("client").dials("100");
    world.until(|w| !w.media.played.is_empty());
    world.run(Duration::from_secs(1));
    assert!(!world.is_talking("client"));
    world.keys("client", "12");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.assert_agreed("client", "desk", true);
    world.ends();
}

#[test]
fn a_menu_that_a_call_was_forwarded_to_hears_its_digits() {
    // The call to 7 rings isp, whose telephone forwards it to the menu.
    let plan = format!("{MENU}exten => 7,1,Dial(SIP/isp,20)\n");
    let mut world = Testbed::ready(SIP, &plan);
    world.add_to("isp", "SIP/2.0 302", "Contact: <sip:100@192.0.2.1>");
    world.phone("isp").habit(|habits| habits.refuse = Some(302));
    world.phone("client").dials("7");
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(1));
    world.keys("client", "12");
    world.until(|w| w.is_called("desk"));
    world.ends();
}

#[test]
fn a_reload_in_the_middle_of_a_menu_counts_at_the_next_digit() {
    let mut world = Testbed::ready(SIP, MENU);
    world.calls("100");
    world.keys("client", "1");
    world.run(Duration::from_secs(1));
    // 12 is gone; 13 is there, and leads to cisco.
    world.reload(SIP, &MENU.replace("exten => 12,1,Dial(SIP/desk,20)", "exten => 13,1,Dial(SIP/cisco,20)"));
    world.keys("client", "3");
    world.until(|w| w.is_called("cisco"));
    world.ends();
}

#[test]
fn without_a_next_priority_digits_are_waited_for() {
    let plan = "[general]\nautofallthrough=no\n[default]\nexten => 100,1,Answer()\nexten => 12,1,Dial(SIP/desk,20)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.calls("100");
    world.run(Duration::from_secs(8));
    world.keys("client", "1");
    world.run(Duration::from_secs(3));
    world.keys("client", "2");
    world.until(|w| w.is_called("desk"));
    world.ends();
    // And when none comes, it is over.
    world.calls("100");
    let began = world.now;
    world.until_over();
    assert!((world.now.since(began).as_secs_f64() - 10.0).abs() < 1.0);
}

const LIMITED: &str = "[default]\nexten => 100,1,Set(TIMEOUT(absolute)=30)\n same => n,Dial(SIP/isp,20)\n\
    exten => 200,1,Set(TIMEOUT(absolute)=30)\n same => n,Answer()\n same => n,Echo()\n\
    exten => 300,1,Goto(with,300,1)\n\
    [with]\nexten => 300,1,Set(TIMEOUT(absolute)=5)\n same => n,Dial(SIP/isp,20)\nexten => T,1,Playback(beep)\n same => n,Verbose(1,time is up)\n same => n,Hangup()\n";

#[test]
fn a_bridged_call_ends_when_its_time_is_over() {
    let mut world = Testbed::ready(SIP, LIMITED);
    world.phone("client").dials("100");
    let began = world.now;
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.until_over();
    let lasted = world.now.since(began).as_secs_f64();
    assert!((30.0..31.0).contains(&lasted), "{lasted}");
    assert!(world.has_line("SIP/client-00000000 has lasted as long as TIMEOUT(absolute) allows"));
    world.assert_nothing_left();
    world.calls("200");
    let began = world.now;
    world.until_over();
    assert!((world.now.since(began).as_secs_f64() - 30.0).abs() < 1.0);
    world.assert_nothing_left();
}

#[test]
fn the_extension_for_it_may_say_that_the_time_is_over() {
    for answered in [true, false] {
        let mut world = Testbed::ready(SIP, LIMITED);
        world.phone("client").dials("300");
        world.until(|w| w.is_called("isp"));
        if answered {
            world.phone("isp").answers();
            world.until(|w| w.is_talking("isp") && w.is_talking("client"));
        }
        world.until(|w| w.media.played == [1600]);
        assert!(!world.look("isp").has_call() || world.settles(), "the called line is let go");
        world.until_over();
        assert!(world.has_line("time is up"));
        world.assert_nothing_left();
    }
}

const PIN: &str = "[default]\nexten => 100,1,Authenticate(4711)\n same => n,Dial(SIP/isp,20)\n\
    exten => 200,1,DISA(4711,inside)\n[inside]\nexten => _5X,1,Dial(SIP/desk,20)\n";

fn plan_without_prompts() -> String {
    // There are no sounds of these names here: what is said of them is not the story.
    PIN.replace("Authenticate(4711)", "Authenticate(4711,,,silence/10)")
}

#[test]
fn the_right_pin_lets_on() {
    let mut world = Testbed::ready(SIP, &plan_without_prompts());
    world.calls("100");
    world.keys("client", "4711#");
    world.until(|w| w.is_called("isp"));
    assert!(!world.has_line("4711"), "the log knows no PIN");
    world.ends();
}

#[test]
fn three_wrong_pins_end_the_call_and_lock_the_caller_out() {
    let mut world = Testbed::ready(SIP, &plan_without_prompts());
    world.calls("100");
    for _ in 0..3 {
        world.keys("client", "1234#");
        world.run(Duration::from_millis(300));
    }
    world.until_over();
    assert!(world.has_line("wrong PIN; no PIN is looked at for 30 s"));
    // The right one does not help now, neither here nor there.
    for number in ["100", "200"] {
        world.calls(number);
        if world.is_talking("client") {
            world.keys("client", "4711#");
        }
        world.run(Duration::from_secs(1));
        assert!(!world.is_called("isp") && !world.is_called("desk"));
        if world.is_talking("client") {
            world.phone("client").hangs_up();
        }
        world.until_over();
    }
    assert!(world.has_line("locked out after wrong PINs for another"));
    world.run(Duration::from_secs(30));
    world.calls("100");
    world.keys("client", "4711#");
    world.until(|w| w.is_called("isp"));
    world.ends();
}

#[test]
fn a_lock_out_outlives_a_restart() {
    let plan = plan_without_prompts();
    let mut world = Testbed::ready(SIP, &plan);
    world.calls("100");
    for _ in 0..3 {
        world.keys("client", "1234#");
        world.run(Duration::from_millis(300));
    }
    world.until_over();
    let wall = crate::testbed::at(world.now).wall;
    world.restart(SIP, &plan, Some(Duration::from_secs(3000)), wall);
    world.calls("100");
    world.run(Duration::from_secs(1));
    assert!(world.has_line("locked out after wrong PINs for another") && !world.is_called("isp"));
    world.until_over();
}

#[test]
fn a_caller_from_outside_dials_as_if_from_inside() {
    let mut world = Testbed::ready(SIP, PIN);
    world.calls("200");
    assert!(world.is_played_to("client"), "the dial tone");
    world.keys("client", "4");
    assert!(!world.is_played_to("client"));
    world.keys("client", "711#");
    world.run(Duration::from_millis(300));
    assert!(world.is_played_to("client"), "the dial tone again");
    world.keys("client", "55");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk"));
    world.ends();
}

#[test]
fn a_wrong_pin_and_a_wrong_number_hear_congestion() {
    let mut world = Testbed::ready(SIP, PIN);
    for keys in ["1#", "4711#99"] {
        world.calls("200");
        for key in keys.chars() {
            world.keys("client", &key.to_string());
            world.run(Duration::from_millis(100));
        }
        let refused = world.now;
        world.until_over();
        assert!((9.0..11.0).contains(&world.now.since(refused).as_secs_f64()), "{keys}");
        assert!(!world.is_called("desk"));
        world.assert_nothing_left();
    }
    assert!(world.has_line("DISA: there is no extension '9' in context 'inside'"));
}

#[test]
fn a_pin_in_the_database_may_count_once() {
    let plan = "[default]\nexten => 100,1,Authenticate(/pins,dra,4,silence/1)\n same => n,Verbose(1,account ${ACCOUNTCODE})\n same => n,Dial(SIP/isp,20)\n\
        exten => 200,1,Set(DB(pins/4711)=1)\n same => n,Hangup()\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("200");
    world.until(|w| w.has_line("DB(pins/4711)=1"));
    world.until_over();
    for expected in [true, false] {
        world.calls("100");
        // Four digits are all: no # is needed.
        world.keys("client", "4711");
        world.run(Duration::from_secs(1));
        assert_eq!(world.is_called("isp"), expected);
        world.ends();
    }
    assert!(world.has_line("account 4711"));
}

#[test]
fn a_menu_that_is_called_as_local_hears_its_digits_before_the_answer_and_after_it() {
    for answer in ["Answer()", "NoOp()"] {
        let plan = MENU.replace("1,Answer()", &format!("1,{answer}")).replace("silence/10)", "silence/10,n)");
        let plan = format!("{plan}exten => 7,1,Dial(Local/100@default,60)\n");
        let mut world = Testbed::ready(SIP, &plan);
        world.phone("client").dials("7");
        world.until(|w| w.is_played_to("client"));
        world.run(Duration::from_secs(1));
        world.keys("client", "1");
        assert!(!world.is_played_to("client"), "{answer}: the sound goes on");
        world.run(Duration::from_secs(1));
        world.keys("client", "2");
        world.until(|w| w.is_called("desk"));
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("desk"));
        world.ends();
    }
}

#[test]
fn the_time_of_a_call_into_the_dialplan_ends_as_well() {
    // 301 has a T, which says that the time is over; 302 has none.
    let plan = "[default]\nexten => 7,1,Dial(Local/301@with,60,g)\nexten => 8,1,Dial(Local/302@without,60)\n\
        [with]\nexten => 301,1,Set(TIMEOUT(absolute)=5)\n same => n,Answer()\n same => n,Playback(silence/10)\n\
        exten => T,1,Playback(beep)\n same => n,Verbose(1,time is up)\n same => n,Hangup()\n\
        [without]\nexten => 302,1,Set(TIMEOUT(absolute)=5)\n same => n,Dial(SIP/isp,20)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("7");
    world.until(|w| w.has_line("time is up"));
    world.until_over();
    world.assert_nothing_left();
    world.phone("client").dials("8");
    let began = world.now;
    world.until(|w| w.is_called("isp"));
    world.until_over();
    assert!((world.now.since(began).as_secs_f64() - 5.0).abs() < 0.5);
    world.assert_nothing_left();
}
