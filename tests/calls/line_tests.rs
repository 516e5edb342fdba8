//! Measuring a line: the milliwatt, and the line test.

use crate::network::Quality;
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::datetime::moment;
use strowger::linetest;
use strowger::pbx::switch::line_tests;
use strowger::sim::line::LineFaults;

const MILLIWATT: &str = "[default]\nexten => 1,1,Answer()\n same => n,Milliwatt()\n\
    exten => 2,1,Answer()\n same => n,Milliwatt(m)\nexten => 3,1,Milliwatt(o)\nexten => 4,1,Milliwatt()\n";

const TEST: &str = "[default]\nexten => 5,1,LineTest()\n same => n,Verbose(1,the menu is over)\n\
    exten => 6,1,LineTest(echo&slips,qs(4))\n\
    same => n,Verbose(1,${LINETEST_RESULT}: ${LINETEST_ECHO_LEVEL} dB at ${LINETEST_ECHO_DELAY} ms and ${LINETEST_SLIPS} slips)\n\
    exten => 7,1,LineTest(loop&echo&slips,s(4))\n same => n,Verbose(1,${LINETEST_JSON})\n\
    exten => 8,1,LineTest(loudness)\n same => n,Verbose(1,result ${LINETEST_RESULT})\n";

stories! {
    a_menu_leads_to_the_test_of_a_telephone(SIP, TEST);
    a_test_sets_variables(SIP, TEST);
    a_slip_of_a_loop_is_told(SIP, TEST);
    what_was_measured_is_told_though_the_test_was_cut_short(SIP, TEST);
    a_line_with_a_modem_is_measured_when_it_dials_the_test(with_modem(), TEST);
    the_milliwatt_sounds_until_the_hang_up(SIP, MILLIWATT);
}

/// Each of its forms, as long as one turn is; only `o` answers.
fn the_milliwatt_sounds_until_the_hang_up(world: &mut Testbed) {
    for (number, turn, answered) in [("1", 8_000, true), ("2", 80_000, true), ("3", 8, true), ("4", 8_000, false)] {
        let before = world.media.played.len();
        world.phone("client").dials(number);
        world.until(|w| w.media.played.len() > before);
        assert_eq!(world.media.played.last(), Some(&turn), "{number}");
        world.run(Duration::from_secs(30));
        assert!(world.media.is_playing(), "{number}: it has ended");
        assert_eq!(world.is_talking("client"), answered, "{number}");
        world.phone("client").hangs_up();
        world.until_over();
    }
}

/// An ATA with its telephone: an echo after 43 ms, a little noise.
fn telephone() -> LineFaults {
    LineFaults { echoes: vec![(344, -18.0)], noise: Some(-65.0), ..LineFaults::default() }
}

fn plug_in(world: &mut Testbed, faults: LineFaults) {
    let at = world.look("client").rtp();
    world.media.lines.insert(at, faults);
    world.sounds.has_all = true;
}

fn has_heard(world: &Testbed, word: &str) -> bool {
    world.prompts.iter().any(|(_, names)| names.split('&').any(|name| name == format!("linetest/{word}")))
}

fn a_menu_leads_to_the_test_of_a_telephone(world: &mut Testbed) {
    plug_in(world, telephone());
    world.phone("client").dials("5");
    world.until(|w| has_heard(w, "menu"));
    world.hears_key("client", '2');
    world.until(|w| has_heard(w, "quiet") && w.media.played.last() == Some(&8_000));
    world.run(Duration::from_secs(20));
    world.hears_key("client", '#');
    world.run(Duration::from_millis(100));
    world.hears_key("client", '4');
    world.until(|w| has_heard(w, "good-for-modems"));
    for word in ["begin", "done", "noise", "echo-at", "canceller-off", "slips", "drop-outs"] {
        assert!(has_heard(world, word), "{word}: {:?}", world.prompts);
    }
    assert!(world.has_line("SIP/client-00000000: the line is good for modems: "));
    assert!(
        world.has_line("echo at 43.0 ms, -1") && world.has_line("the ATA's echo canceller is off, as it should be")
    );
    world.run(Duration::from_secs(10));
    world.hears_key("client", '*');
    world.until(|w| w.has_line("the menu is over"));
    world.until_over();
}

fn a_test_sets_variables(world: &mut Testbed) {
    plug_in(world, LineFaults { slips: vec![(37_000, 160)], ..telephone() });
    world.phone("client").dials("6");
    world.until(|w| w.has_line("BAD: -1") && w.has_line(" dB at 43.0 ms and 1 slips"));
    assert!(world.has_line("1 slip in 4 s, the first of 160 samples left out: clocks differ"));
    assert!(world.prompts.iter().all(|(_, names)| names.is_empty()), "it is quiet");
    world.until_over();
    world.phone("client").dials("8");
    world.until(|w| w.has_line("result FAILED"));
    assert!(world.has_line("LineTest measures no 'loudness': menu, full, loop, milliwatt, quiet, noise"));
    world.until_over();
}

fn a_slip_of_a_loop_is_told(world: &mut Testbed) {
    plug_in(world, LineFaults { echoes: vec![(160, 0.0)], slips: vec![(37_000, -80)], ..LineFaults::default() });
    world.phone("client").dials("7");
    world.until(|w| has_heard(w, "bad-for-modems"));
    assert!(has_heard(world, "loop-begin") && has_heard(world, "round-trip"));
    world.until(|w| w.has_line("\"mode\":\"loop\",\"verdict\":\"bad\""));
    assert!(world.has_line("the first of 80 samples too many"));
    assert!(world.has_line("every sample came back as it was sent"));
    world.until_over();
}

/// By a digit, and by the hang-up.
fn what_was_measured_is_told_though_the_test_was_cut_short(world: &mut Testbed) {
    plug_in(world, telephone());
    for ends_by_digit in [true, false] {
        let before = world.lines.len();
        world.phone("client").dials("6");
        world.until(|w| w.media.is_playing());
        world.run(Duration::from_secs(7));
        match ends_by_digit {
            true => world.hears_key("client", '#'),
            false => world.phone("client").hangs_up(),
        }
        let words = "good for modems: echo at 43.0 ms";
        world.until(|w| w.lines.iter().skip(before).any(|(_, text)| text.contains(words)));
        world.until_over();
    }
}

fn with_modem() -> String {
    SIP.replace("[client]\n", "[client]\nline=modem\n")
}

fn a_line_with_a_modem_is_measured_when_it_dials_the_test(world: &mut Testbed) {
    plug_in(world, telephone());
    world.phone("client").dials("6");
    world.until(|w| w.has_line("GOOD: -1") && w.has_line(" dB at 43.0 ms and 0 slips"));
    world.until_over();
}

/// What the page on the line test shows of an ATA is what the example's number says of one.
#[test]
fn the_page_shows_what_the_console_shows() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (sip, extensions) = (read("conf/examples/line-test/sip.conf"), read("conf/examples/line-test/extensions.conf"));
    let mut world = Testbed::of(&sip, &extensions, Quality::PERFECT, 1);
    let at = world.look("line1").rtp();
    world.media.lines.insert(at, telephone());
    world.sounds.has_all = true;
    world.phone("line1").dials("705");
    world.until(|w| has_heard(w, "good-for-modems"));
    let report = line_tests(&world.switch).next().unwrap().clone();
    world.until_over();
    let page = read("docs/guides/line-test.md");
    let (_, block) = page.split_once("```line\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let shown = format!("{}, {}\n{}\n", report.channel, moment(report.at), linetest::lines(&report).join("\n"));
    let wanted: Vec<&str> = block.lines().skip(1).collect();
    assert_eq!(shown.lines().skip(1).collect::<Vec<_>>(), wanted.get(1..).unwrap_or_default(), "{shown}");
    assert!(wanted[0].starts_with("SIP/line1-00000000, "), "{shown}");
    world.assert_nothing_left();
}
