//! Music on hold: while a caller waits, instead of ringing, and how it ends.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::path::Path;
use std::time::Duration;
use strowger::pbx::sounds::Wanted;

const FOR_A_WHILE: &str = "[default]\nexten => _X!,1,Answer()\n same => n,MusicOnHold(,3)\n same => n,Verbose(1,it is over)\n\
    same => n,Wait(5)\n";
const BESIDE: &str = "[default]\nexten => _X!,1,Answer()\n same => n,StartMusicOnHold(sales)\n same => n,Wait(2)\n\
    same => n,Playback(hello)\n same => n,Wait(3)\n";
const DIGITS: &str = "[default]\nexten => _X!,1,Answer()\n same => n,WaitExten(20,m)\n\
    exten => 5,1,Verbose(1,five was chosen)\n same => n,Wait(3)\n";
const DIAL: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20,m)\n same => n,Verbose(1,nobody)\n same => n,Wait(3)\n";
const TONE: &str = "[default]\nexten => _X!,1,Answer()\n same => n,StartMusicOnHold()\n same => n,PlayTones(dial)\n\
    same => n,StopMusicOnHold()\n same => n,Wait(3)\n";

stories! {
    music_is_played_for_a_while(SIP, FOR_A_WHILE);
    music_ends_when_the_caller_hangs_up(SIP, FOR_A_WHILE);
    music_ends_at_the_next_prompt(SIP, BESIDE);
    a_digit_ends_the_music_of_a_menu(SIP, DIGITS);
    music_instead_of_ringing_until_the_answer(SIP, DIAL);
    music_of_a_dial_ends_without_an_answer(SIP, DIAL);
    without_music_a_dial_rings(SIP, DIAL);
    a_modem_hears_no_music(modem(), FOR_A_WHILE);
    a_modem_that_dials_hears_ringing(modem(), DIAL);
    a_tone_ends_music_that_is_not_there_yet(SIP, TONE);
}

fn modem() -> String {
    SIP.replace("[client]\n", "[client]\nline=modem\n")
}

fn with_music(world: &mut Testbed) {
    world.sounds.add("moh/a", Duration::from_secs(1));
    world.sounds.add("moh/b", Duration::from_secs(1));
    world.sounds.add("hello", Duration::from_millis(300));
}

fn prompts(world: &Testbed) -> Vec<&str> {
    world.prompts.iter().map(|(_, names)| names.as_str()).collect()
}

fn music_is_played_for_a_while(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.media.is_playing());
    let begun = world.now;
    assert_eq!(prompts(world), ["moh/a&moh/b"]);
    assert!(matches!(&world.sounds.orders[0].wanted, Wanted::Folder(folder) if folder == Path::new("moh")));
    world.until(|w| !w.media.is_playing());
    let lasted = world.now.since(begun);
    assert!(lasted > Duration::from_millis(2_900) && lasted < Duration::from_millis(3_100), "{lasted:?}");
    world.until(|w| w.has_line("it is over"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn music_ends_when_the_caller_hangs_up(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.media.is_playing());
    world.phone("client").hangs_up();
    world.until_over();
    assert!(!world.has_line("it is over"));
}

fn music_ends_at_the_next_prompt(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("there is no class of music 'sales': 'default' is played"));
    world.until(|w| w.prompts.len() == 2);
    assert_eq!(prompts(world), ["moh/a&moh/b", "hello"]);
    world.until(|w| w.media.is_playing());
    world.run(Duration::from_millis(500));
    assert!(!world.media.is_playing(), "it does not come back");
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_digit_ends_the_music_of_a_menu(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client") && w.media.is_playing());
    world.run(Duration::from_secs(3));
    assert!(world.media.is_playing(), "it is played again and again");
    world.hears_key("client", '5');
    world.until(|w| w.has_line("five was chosen"));
    assert!(!world.media.is_playing());
    world.phone("client").hangs_up();
    world.until_over();
}

fn music_instead_of_ringing_until_the_answer(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.is_played_to("client"));
    assert!(!world.is_talking("client"));
    world.phone("isp").rings();
    world.run(Duration::from_secs(3));
    assert!(world.is_played_to("client"));
    assert_eq!((prompts(world), world.media.tones.len()), (vec!["moh/a&moh/b"], 0));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.run(Duration::from_secs(1));
    assert!(!world.media.is_playing());
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn music_of_a_dial_ends_without_an_answer(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.is_played_to("client"));
    world.phone("isp").refuses(486);
    world.until(|w| w.has_line("nobody"));
    assert!(!world.media.is_playing());
    world.phone("client").hangs_up();
    world.until_over();
}

fn without_music_a_dial_rings(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.has_line("Dial rings instead of music"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    assert!(world.prompts.is_empty());
}

fn a_modem_hears_no_music(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("MusicOnHold: 'client' has a modem (line=modem): it is played no music"));
    world.until(|w| w.has_line("it is over"));
    assert!(world.prompts.is_empty());
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_modem_that_dials_hears_ringing(world: &mut Testbed) {
    with_music(world);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    assert!(world.has_line("Dial rings instead of music: 'client' has a modem"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    assert!(world.prompts.is_empty());
    world.phone("isp").hangs_up();
    world.until_over();
}

/// What is loaded too late is not played into what came after it.
fn a_tone_ends_music_that_is_not_there_yet(world: &mut Testbed) {
    with_music(world);
    world.sounds.takes = Duration::from_secs(1);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client") && w.media.is_playing());
    world.run(Duration::from_secs(2));
    assert!(world.prompts.is_empty() && world.media.is_playing(), "the tone goes on");
    world.phone("client").hangs_up();
    world.until_over();
}
