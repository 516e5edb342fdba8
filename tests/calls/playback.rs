//! Sounds that the dialplan plays: found, or missing, joined, slow to come, and cut off.

use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::pbx::effect::Input;
use strowger::pbx::media::MediaEvent;
use strowger::sdp::codec::Codec;
use strowger::sim::{Change, PhoneEvent};

const THREE: &str = "[default]\nexten => _X!,1,Playback(one&two & three)\n same => n,Verbose(1,status ${PLAYBACKSTATUS})\n \
    same => n,Echo()\n";

fn ready(extensions: &str, sounds: &[&str]) -> Testbed {
    let mut world = Testbed::ready(SIP, extensions);
    for name in sounds {
        world.sounds.add(name, Duration::from_millis(300));
    }
    world
}

/// The names that were played, each playing a line.
fn prompts(world: &Testbed) -> Vec<&str> {
    world.prompts.iter().map(|(_, names)| names.as_str()).collect()
}

#[test]
fn sounds_of_one_playback_are_ordered_together_and_played_without_a_gap() {
    let mut world = ready(THREE, &["one", "two", "three"]);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    let answered = world.now;
    world.until(|w| w.has_line("status SUCCESS"));
    assert!(world.now.since(answered) < Duration::from_millis(960), "{:?}", world.now.since(answered));
    assert_eq!(world.sounds.orders.len(), 1);
    assert_eq!(prompts(&world), ["one&two&three"]);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_missing_sound_is_logged_and_the_others_are_played() {
    let mut world = ready(THREE, &["one", "three"]);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("status FAILED"));
    assert!(world.has_line("There is no sound 'two'"));
    assert_eq!(prompts(&world), ["one&three"]);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn when_none_is_there_the_program_goes_on_at_once() {
    let mut world = ready(THREE, &[]);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("status FAILED"));
    assert_eq!(prompts(&world), [""; 0]);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_caller_who_leaves_while_the_disk_is_slow_leaves_nothing() {
    let mut world = ready(THREE, &["one", "two", "three"]);
    world.sounds.takes = Duration::from_secs(5);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client") && !w.sounds.orders.is_empty());
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(10));
    assert_eq!(prompts(&world), [""; 0]);
    world.assert_nothing_left();
}

#[test]
fn two_callers_hear_each_their_own_while_one_waits_for_the_disk() {
    let mut world = ready(THREE, &["one", "two", "three"]);
    world.sounds.takes = Duration::from_secs(2);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client") && !w.sounds.orders.is_empty());
    world.sounds.takes = Duration::from_millis(1);
    world.phone("desk").dials("1");
    world.until(|w| w.is_talking("desk"));
    world.until(|w| w.has_line("status SUCCESS"));
    assert_eq!(world.prompts.len(), 1);
    world.until(|w| w.prompts.len() == 2);
    assert_ne!(world.prompts[0].0, world.prompts[1].0);
    world.run(Duration::from_secs(2));
    world.phone("client").hangs_up();
    world.phone("desk").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

const CONTROLLED: &str = "[default]\nexten => _X!,1,Answer()\nsame => n,ControlPlayback(story,2000,6,4,5,8,0)\n\
    same => n,Verbose(1,${CPLAYBACKSTATUS} at ${CPLAYBACKOFFSET} by '${CPLAYBACKSTOPKEY}')\nsame => n,Echo()\n";

/// A digit of the telephone that hears something, as the media thread reports it.
fn presses(world: &mut Testbed, digit: char) {
    let stream = world.prompts.last().unwrap().0;
    let event = MediaEvent::Digit { stream, digit };
    let effects = world.switch.handle(crate::testbed::at(world.now), Input::Media(event));
    world.execute(effects);
    world.run(Duration::from_millis(10));
}

#[test]
fn a_listener_winds_pauses_and_stops_what_it_hears() {
    let mut world = ready(CONTROLLED, &[]);
    world.sounds.add("story", Duration::from_secs(20));
    world.phone("client").dials("1");
    world.until(|w| w.prompts.len() == 1);
    // 5 s, forward 2 s, 1 s, back 2 s twice, pause for 4 s, 1 s: at 5 s.
    world.run(Duration::from_secs(5));
    presses(&mut world, '6');
    world.run(Duration::from_secs(1));
    presses(&mut world, '4');
    presses(&mut world, '4');
    presses(&mut world, '8');
    let before = world.prompts.len();
    world.run(Duration::from_secs(4));
    assert_eq!((before, world.prompts.len()), (4, 4), "it is silent in the pause");
    presses(&mut world, '8');
    world.run(Duration::from_secs(1));
    presses(&mut world, '7');
    presses(&mut world, '5');
    world.run(Duration::from_secs(1));
    let line = world.lines.iter().rfind(|(_, line)| line.starts_with("USERSTOPPED")).unwrap().1.clone();
    let at: u32 = line.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!((4_950..5_150).contains(&at) && line.ends_with("by '5'"), "{line}");
    let left: Vec<usize> = world.media.played.iter().map(|bytes| bytes / 8_000).collect();
    assert_eq!(left, [20, 13, 13, 15, 15]);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_digit_cuts_off_at_once_what_is_played_and_what_is_not_yet_loaded() {
    let mut world = ready(CONTROLLED, &[]);
    world.sounds.add("story", Duration::from_secs(20));
    world.phone("client").dials("1");
    world.until(|w| w.prompts.len() == 1);
    world.sounds.takes = Duration::from_secs(3);
    presses(&mut world, '0');
    presses(&mut world, '5');
    assert!(world.has_line("USERSTOPPED at 0 by '5'"), "{:?}", world.lines.last());
    world.run(Duration::from_secs(5));
    assert_eq!(world.prompts.len(), 1, "what came too late is not played");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_sound_goes_on_in_the_codec_that_a_telephone_changes_to() {
    let plan =
        "[default]\nexten => _X!,1,Answer()\n same => n,Playback(long)\n same => n,Playback(one)\n same => n,Echo()\n";
    let mut world = ready(plan, &["one"]);
    world.sounds.add("long", Duration::from_secs(5));
    world.phone("client").dials("1");
    world.until(|w| w.is_played_to("client"));
    world.run(Duration::from_secs(1));
    let accepted = PhoneEvent::RenegotiationAccepted;
    world.phone("client").reoffers(Change::Refresh);
    world.until(|w| w.count("client", &accepted) == 1);
    assert_eq!(world.media.recoded, [], "nothing is another");
    world.phone("client").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.count("client", &accepted) == 2);
    assert_eq!(world.media.recoded, [(8, 30)]);
    world.phone("client").reoffers(Change::Codec(Codec::Ulaw));
    world.until(|w| w.count("client", &accepted) == 3);
    assert_eq!(world.media.recoded, [(8, 30), (0, 30)]);
    world.until(|w| w.media.played.len() == 2);
    assert_eq!(prompts(&world), ["long", "one"]);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
