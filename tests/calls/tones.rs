//! Tones that the dialplan plays: by name in the caller's country, and as lists.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;

const DIAL_TONE: &str = "[default]\nexten => _X!,1,Answer()\n same => n,PlayTones(dial)\n same => n,Wait(2)\n\
    same => n,StopPlayTones()\n same => n,Wait(5)\n";
const LIST: &str = "[default]\nexten => _X!,1,PlayTones(!950/330,!1400/330,!1800/330,0/1000)\n same => n,Wait(2)\n\
    same => n,Dial(SIP/isp,20)\n";
const WRONG: &str = "[default]\nexten => _X!,1,Answer()\n same => n,PlayTones(nonsense)\n same => n,Wait(2)\n";
const INSTEAD: &str = "[default]\nexten => 1,1,Dial(SIP/isp,20,r(busy))\n\
    exten => 2,1,Dial(SIP/isp,20,r(nonsense))\n";
const BUSY: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Busy(2)\n";

const HALF: &str = "[default]\nexten => 1,1,Answer()\n same => n,Dial(Local/2@default,20)\n same => n,Verbose(1,back)\n\
    same => n,Wait(5)\n\
    exten => 2,1,Answer()\n same => n,PlayTones(dial)\n same => n,Wait(2)\n same => n,Hangup()\n\
    exten => 3,1,Answer()\n same => n,Dial(Local/2@default,20,g)\n same => n,Verbose(1,back)\n same => n,Wait(5)\n";

stories! {
    a_tone_ends_with_the_dialplan_that_plays_it(SIP, HALF);
    a_dial_tone_sounds_while_the_program_goes_on(SIP, DIAL_TONE);
    a_list_of_tones_is_early_media(SIP, LIST);
    what_is_no_tone_is_told(SIP, WRONG);
    a_line_hears_the_tones_of_its_country(german(), BUSY);
    a_dial_lets_another_tone_sound_than_that_of_ringing(german(), INSTEAD);
}

fn german() -> String {
    SIP.replace("[client]\n", "[client]\ntonezone=de\n")
}

fn a_dial_tone_sounds_while_the_program_goes_on(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.until(|w| w.media.is_playing());
    assert_eq!(world.media.tones, [(8_000, Some(0))]);
    world.run(Duration::from_secs(1));
    assert!(world.media.is_playing());
    world.until(|w| !w.media.is_playing());
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_list_of_tones_is_early_media(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.media.is_playing());
    assert_eq!(world.media.tones, [(3 * 2_640 + 8_000, Some(3 * 2_640))]);
    assert!(!world.is_talking("client"));
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn what_is_no_tone_is_told(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until_over();
    assert!(world.has_line("The tone 'nonsense' is not played: 'nonsense' is no frequency below 4000 Hz"));
    assert!(world.media.tones.is_empty());
}

fn a_line_hears_the_tones_of_its_country(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.until(|w| w.media.is_playing());
    assert_eq!(world.media.tones, [(960 * 8, Some(0))], "480 ms of each");
    world.until_over();
}

/// `r(tone)`: as early media, in the caller's tone zone; what is no tone is told once, and it rings.
fn a_dial_lets_another_tone_sound_than_that_of_ringing(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.media.is_playing());
    assert_eq!(world.media.tones, [(960 * 8, Some(0))], "480 ms of each");
    assert!(!world.is_talking("client"));
    world.until(|w| w.is_called("isp"));
    world.phone("isp").rings();
    world.run(Duration::from_secs(1));
    assert_eq!(world.media.tones.len(), 1, "it goes on");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    world.phone("client").dials("2");
    world.until(|w| w.has_line("The tone 'nonsense' is not played") || w.has_line("'nonsense' is no frequency"));
    world.until(|w| w.is_called("isp"));
    world.phone("client").hangs_up();
    world.until_over();
}

/// A half of a call into the dialplan has a tone sound on the caller's telephone, and ends.
fn a_tone_ends_with_the_dialplan_that_plays_it(world: &mut Testbed) {
    world.phone("client").dials("3");
    world.until(|w| w.media.is_playing());
    world.until(|w| w.has_line("back"));
    assert!(!world.media.is_playing(), "it sounds on");
    assert!(world.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
}
