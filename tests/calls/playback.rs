//! Sounds that the dialplan plays: found, or missing, joined, slow to come, and cut off.

use crate::testbed::{SIP, Testbed};
use std::time::Duration;

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
