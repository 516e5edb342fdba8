//! The examples, from their files: `check` finds nothing but their placeholders, and they do what their pages say.

use crate::network::Quality;
use crate::provider::{Provider, Registrar};
use crate::testbed::{Testbed, at};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strowger::audio::sound::Sound;
use strowger::check;
use strowger::clock::Wall;
use strowger::config::load;
use strowger::dialplan::outside::{OutsideReply, OutsideRequest};
use strowger::pbx::effect::Input;
use strowger::pbx::outside::{OutsideOrder, OutsideReport};
use strowger::pbx::switch::{RegistrationState, registrations};
use strowger::sim::line::LineFaults;
use strowger::sim::{DeviceProfile, PhoneEvent};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/examples")
}

fn read(example: &str, file: &str) -> String {
    fs::read_to_string(folder().join(example).join(file)).unwrap()
}

/// Plays a story in an example, on a perfect network and on bad ones.
fn play(example: &str, story: impl Fn(&mut Testbed)) {
    let (sip, extensions) = (read(example, "sip.conf"), read(example, "extensions.conf"));
    let rough = (0..crate::stories::seeds()).map(|seed| (Quality::ROUGH, seed));
    for (quality, seed) in std::iter::once((Quality::PERFECT, 1)).chain(rough) {
        let mut world = Testbed::of(&sip, &extensions, quality, seed);
        story(&mut world);
        world.assert_nothing_left();
    }
}

/// The same where the prompts of our own voice are there, each as long as a short word.
fn play_aloud(example: &str, story: impl Fn(&mut Testbed)) {
    let names = prompts();
    play(example, |world| {
        world.sounds.sounds = names.clone();
        story(world);
        assert!(!world.has_line("There is no sound"), "a prompt is missing");
    });
}

/// The names of our own voice's prompts.
fn prompts() -> BTreeMap<String, Sound> {
    let list = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds/prompts.tsv")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split('\t').next()).filter(|name| !name.is_empty());
    names.map(|name| (name.to_owned(), Sound::of_samples(&[1000; 2_400]))).collect()
}

/// How often was this played?
fn heard(world: &Testbed, words: &str) -> usize {
    world.prompts.iter().filter(|(_, names)| names.contains(words)).count()
}

/// A telephone dials and hears this.
fn hears(world: &mut Testbed, caller: &str, number: &str, words: &str) {
    let before = heard(world, words);
    world.phone(caller).dials(number);
    world.until(|w| heard(w, words) > before);
}

/// A telephone presses keys while it hears something.
fn presses(world: &mut Testbed, name: &str, keys: &str) {
    for key in keys.chars() {
        world.hears_key(name, key);
        world.run(Duration::from_millis(100));
    }
}

/// A telephone is called, answers, and all hang up.
fn is_reached(world: &mut Testbed, called: &str, caller: &str) {
    world.until(|w| w.is_called(called));
    world.phone(called).answers();
    world.until(|w| w.is_talking(called) && w.is_talking(caller));
    part(world, &[called]);
}

/// One dials, another rings and answers.
fn connect(world: &mut Testbed, caller: &str, number: &str, called: &str) {
    world.phone(caller).dials(number);
    world.until(|w| w.is_called(called));
    world.phone(called).answers();
    world.until(|w| w.is_talking(caller) && w.is_talking(called));
}

fn part(world: &mut Testbed, who: &[&str]) {
    for name in who {
        world.phone(name).hangs_up();
    }
    world.until_over();
}

fn fails(world: &mut Testbed, caller: &str, number: &str, status: u16) {
    let before = world.count(caller, &PhoneEvent::Failed(status));
    world.phone(caller).dials(number);
    world.until(|w| w.count(caller, &PhoneEvent::Failed(status)) > before);
    world.until_over();
}

/// A page to those who are free, everybody talking, the intercom, and the three ring groups.
#[test]
fn a_house_is_paged_and_rung_in_groups() {
    play_aloud("household-paging", |world| {
        world.phone("hall").dials("80");
        world.until(|w| ["kitchen", "study", "workshop"].iter().all(|name| w.is_called(name)));
        for name in ["kitchen", "study", "workshop"] {
            world.phone(name).answers();
        }
        world.until(|w| heard(w, "beep") == 1 && w.is_talking("kitchen") && w.is_talking("workshop"));
        part(world, &["hall"]);
        // Intercom.
        world.phone("hall").dials("8202");
        world.until(|w| w.is_called("study"));
        let asked = world.texts("study", &["INVITE"]);
        assert!(asked.iter().all(|text| text.contains(";answer-after=0\r\n")));
        world.phone("study").answers();
        world.until(|w| w.is_talking("study") && w.is_talking("hall"));
        part(world, &["study"]);
        // One after the other: the second answers.
        world.phone("hall").dials("31");
        world.until(|w| w.is_called("kitchen"));
        world.until(|w| w.is_called("study") && !w.is_called("kitchen"));
        is_reached(world, "study", "hall");
        // More and more: the one of the second round answers.
        world.phone("hall").dials("32");
        world.until(|w| w.is_called("kitchen"));
        is_reached(world, "study", "hall");
        // All at once.
        world.phone("kitchen").dials("30");
        world.until(|w| w.is_called("hall") && w.is_called("workshop"));
        is_reached(world, "workshop", "kitchen");
    });
}

/// The placeholders are named, one for each peer, and nothing else: a copy with good secrets loads without errors or
/// warnings.
#[test]
fn nothing_is_wrong_with_them_but_their_placeholders() {
    let (mut seen, mut folders) = (0, Vec::new());
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let example = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(path.join("README.md").exists(), "{example} has no page");
        assert!(read("", "README.md").contains(&format!("({example}/README.md)")), "{example} is not in the list");
        // Several exchanges have a folder each.
        let parts: Vec<_> = fs::read_dir(&path).unwrap().map(|part| part.unwrap().path()).collect();
        let parts = parts.into_iter().filter(|part| part.join("sip.conf").exists());
        folders.extend(parts.map(|part| (format!("{example}/{}", part.file_name().unwrap().to_str().unwrap()), part)));
        if path.join("sip.conf").exists() {
            folders.push((example, path));
        }
    }
    for (example, path) in folders {
        let copy = Copy::of(&path);
        let loaded = load::load(&copy.0);
        let (plan, said) = check::everything(&loaded);
        let peers = loaded.config.unwrap().sip.peers.len();
        let mut wanted = vec![if example == "guide" { "secret-weak" } else { "secret-placeholder" }; peers];
        // What a provider gives us is not judged.
        if example == "provider-trunk" {
            wanted.pop();
        }
        // Guests are what it is about.
        wanted.extend((example == "auto-attendant").then_some("guests-allowed"));
        let mut codes: Vec<&str> = said.iter().map(|one| one.code).collect();
        wanted.sort_unstable();
        codes.sort_unstable();
        assert!(plan.is_some() && codes == wanted, "{example}: {said:#?}");
        let named = read(&example, "extensions.conf").lines().take(4).any(|line| line.contains("[programs]"));
        assert!(named, "{example} does not say what has to be allowed");
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} examples were found");
}

/// The configuration files of an example, readable by their owner alone as its page says.
struct Copy(PathBuf);

impl Copy {
    fn of(example: &Path) -> Copy {
        let name = example.file_name().unwrap().to_str().unwrap();
        let copy = Copy(std::env::temp_dir().join(format!("strowger-example-{}-{name}", std::process::id())));
        fs::create_dir_all(&copy.0).unwrap();
        for entry in fs::read_dir(example).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue; // scripts, which nothing reads here
            }
            let to = copy.0.join(path.file_name().unwrap());
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).unwrap();
            std::io::Write::write_all(&mut file, &fs::read(&path).unwrap()).unwrap();
        }
        copy
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn guide_whatever_is_dialled_rings_the_servers_modem() {
    play("guide", |world| {
        connect(world, "pap2t-client", "88567682", "pap2t-ispmodem");
        part(world, &["pap2t-client"]);
        world.phone("pap2t-ispmodem").habit(|habits| habits.refuse = Some(486));
        fails(world, "pap2t-client", "1", 486);
    });
}

#[test]
fn modem_pool_the_next_modem_rings_when_one_is_taken() {
    play("modem-pool", |world| {
        connect(world, "caller1", "555", "modem1");
        connect(world, "caller2", "555", "modem2");
        // The second call never reached the modem that is taken: the exchange knows.
        if world.is_perfect() {
            assert_eq!(world.messages("exchange", "modem1", &["INVITE sip"]).len(), 1);
        }
        assert!(world.has_line("Call to peer 'modem1' rejected due to usage limit of 1"));
        part(world, &["caller1", "caller2"]);
    });
}

#[test]
fn modem_pool_a_modem_that_says_busy_itself_is_passed_over() {
    play("modem-pool", |world| {
        world.phone("modem1").habit(|habits| habits.refuse = Some(486));
        connect(world, "caller1", "555", "modem2");
        part(world, &["modem2"]);
    });
}

#[test]
fn modem_pool_when_all_are_busy_the_caller_is_told() {
    play("modem-pool", |world| {
        for modem in ["modem1", "modem2", "modem3"] {
            world.phone(modem).habit(|habits| habits.refuse = Some(486));
        }
        fails(world, "caller1", "555", 486);
        assert!(!world.saw("caller1", &PhoneEvent::Answered));
        fails(world, "caller1", "553", 486);
    });
}

#[test]
fn modem_pool_a_modem_that_is_not_there_or_does_not_pick_up_is_passed_over() {
    play("modem-pool", |world| {
        world.phone("modem1").unregisters();
        world.until(|w| !w.look("modem1").is_registered());
        world.phone("caller1").dials("555");
        world.until(|w| w.is_called("modem2"));
        let then = world.now;
        world.until(|w| w.is_called("modem3"));
        if world.is_perfect() {
            assert_eq!(world.now.since(then).as_secs(), 15);
        }
        world.phone("modem3").answers();
        world.until(|w| w.is_talking("caller1") && w.is_talking("modem3"));
        part(world, &["caller1"]);
    });
}

#[test]
fn modem_pool_a_modem_calls_nobody() {
    play("modem-pool", |world| {
        fails(world, "modem1", "555", 404);
        fails(world, "modem1", "552", 404);
    });
}

#[test]
fn two_modems_each_calls_the_other_by_any_number() {
    play("two-modems", |world| {
        for (caller, called) in [("client", "isp"), ("isp", "client")] {
            connect(world, caller, "88567682", called);
            part(world, &[caller]);
        }
        connect(world, "isp", "882", "client");
        part(world, &["client"]);
        connect(world, "client", "881", "isp");
        part(world, &["isp"]);
    });
}

#[test]
fn two_modems_a_line_that_calls_itself_is_busy() {
    play("two-modems", |world| {
        fails(world, "isp", "881", 486);
        fails(world, "client", "882", 486);
        assert!(!world.is_called("isp") && !world.is_called("client"));
        // Nothing of it is left: both lines are free again.
        connect(world, "client", "1", "isp");
        part(world, &["client"]);
    });
}

/// Only where it is sure who comes first.
#[test]
fn two_modems_when_both_dial_at_once_the_first_is_busy_and_then_called() {
    let (sip, extensions) = (read("two-modems", "sip.conf"), read("two-modems", "extensions.conf"));
    let mut world = Testbed::of(&sip, &extensions, Quality::PERFECT, 1);
    world.phone("isp").dials("882");
    world.phone("client").dials("881");
    world.until(|w| w.saw("isp", &PhoneEvent::Failed(486)) && w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    part(&mut world, &["client"]);
    world.assert_nothing_left();
}

#[test]
fn two_phones_call_each_other_and_themselves() {
    play("two-phones", |world| {
        connect(world, "kitchen", "22", "study");
        part(world, &["study"]);
        connect(world, "study", "21", "kitchen");
        part(world, &["study"]);
        fails(world, "kitchen", "21", 486);
        fails(world, "study", "22", 486);
        fails(world, "study", "23", 404);
    });
}

#[test]
fn self_configuring_devices_call_each_other() {
    play("self-configuring", |world| {
        connect(world, "desk", "881", "modem");
        part(world, &["desk"]);
        connect(world, "modem", "202", "workshop");
        part(world, &["workshop"]);
        connect(world, "workshop", "201", "desk");
        part(world, &["workshop"]);
    });
}

#[test]
fn lamps_show_the_reception_what_the_others_do() {
    play("lamps", |world| {
        let [office, both, night] =
            ["22", "20", "*50"].map(|number| world.phone("reception").watches(number, "dialog"));
        world.until(|w| [office, both, night].iter().all(|lamp| w.watching("reception", *lamp).is_active()));
        world.phone("workshop").dials("22");
        world.until(|w| w.lamp("reception", office) == "early" && w.is_called("office"));
        world.phone("office").answers();
        world.until(|w| w.lamp("reception", office) == "confirmed" && w.lamp("reception", both) == "confirmed");
        world.until(|w| w.is_talking("workshop"));
        part(world, &["workshop"]);
        world.until(|w| w.lamp("reception", office) == "terminated" && w.lamp("reception", both) == "terminated");
        world.phone("office").dials("*50");
        world.until(|w| w.lamp("reception", night) == "confirmed");
        world.until_over();
        for number in ["22", "20", "*50"] {
            world.phone("reception").watches_as(strowger::sim::Watching::new(number, "dialog", 0));
        }
        world.until(|w| w.switch.lamps().subscriptions.is_empty());
    });
}

#[test]
fn two_phones_hear_an_echo_and_a_tone() {
    play("two-phones", |world| {
        world.phone("kitchen").dials("*43");
        world.until(|w| w.is_talking("kitchen"));
        world.run(Duration::from_secs(1));
        let sound = world.sound_from("kitchen").unwrap();
        assert_eq!((sound.to.as_str(), sound.relayed), ("kitchen", true));
        part(world, &["kitchen"]);
        world.phone("study").dials("*44");
        world.until(|w| w.is_talking("study"));
        world.until_over();
        assert_eq!(world.prompts.last().unwrap().1, "beep&silence/1&tone/milliwatt&beep");
    });
}

#[test]
fn modem_pool_who_shall_not_take_all_is_told_when_there_is_none() {
    play_aloud("modem-pool", |world| {
        connect(world, "caller1", "556", "modem1");
        connect(world, "caller2", "556", "modem2");
        hears(world, "caller3", "556", "all-circuits-busy-now");
        world.until(|w| w.saw("caller3", &PhoneEvent::Failed(486)));
        assert!(!world.saw("caller3", &PhoneEvent::Answered) && !world.is_called("modem3"));
        connect(world, "caller3", "555", "modem3");
        part(world, &["caller1", "caller2", "caller3"]);
    });
}

const GREETING: &str = "basic-pbx-ivr-main";

/// It is a Monday afternoon.
#[test]
fn day_and_night_a_caller_from_outside_chooses() {
    play_aloud("day-and-night", |world| {
        for (key, called) in [("1", "sales"), ("2", "support"), ("0", "operator")] {
            hears(world, "gateway", "5551234", GREETING);
            presses(world, "gateway", key);
            is_reached(world, called, "gateway");
        }
        // Who presses nothing gets the operator.
        hears(world, "gateway", "5551234", GREETING);
        is_reached(world, "operator", "gateway");
        // So does who presses what is not there three times.
        hears(world, "gateway", "5551234", GREETING);
        for count in 1..=3 {
            let before = heard(world, GREETING);
            presses(world, "gateway", "7");
            if count < 3 {
                world.until(|w| heard(w, GREETING) > before);
            }
        }
        assert_eq!(heard(world, "option-is-invalid"), 2);
        is_reached(world, "operator", "gateway");
        // Nobody is there.
        world.phone("sales").habit(|habits| habits.refuse = Some(486));
        world.phone("support").habit(|habits| habits.refuse = Some(480));
        for key in ["1", "2"] {
            let before = heard(world, "vm-nobodyavail");
            hears(world, "gateway", "5551234", GREETING);
            presses(world, "gateway", key);
            world.until(|w| heard(w, "vm-nobodyavail") > before);
            world.until_over();
        }
        // Nobody switches from outside.
        fails(world, "gateway", "*82", 404);
    });
}

#[test]
fn day_and_night_a_telephone_of_the_house_switches() {
    play_aloud("day-and-night", |world| {
        hears(world, "sales", "*8", "system&is-set-to&time");
        world.until_over();
        hears(world, "sales", "*82", "office&is-closed");
        world.until_over();
        hears(world, "gateway", "5551234", "office&is-closed&silence/1&for&emergency&press-1");
        presses(world, "gateway", "1");
        is_reached(world, "watch", "gateway");
        // A wrong key: the same again. No key: it is over.
        hears(world, "gateway", "5551234", "emergency");
        let before = heard(world, "emergency");
        presses(world, "gateway", "2");
        world.until(|w| heard(w, "emergency") > before);
        world.until_over();
        hears(world, "sales", "*80", "system&is-set-to&time");
        world.until_over();
        hears(world, "gateway", "5551234", GREETING);
        part(world, &["gateway"]);
        hears(world, "sales", "100", GREETING);
        part(world, &["sales"]);
    });
}

/// Half a day passes: where the clock is the story, the network is a good one.
#[test]
fn day_and_night_the_clock_decides() {
    let (sip, extensions) = (read("day-and-night", "sip.conf"), read("day-and-night", "extensions.conf"));
    let mut world = Testbed::of(&sip, &extensions, Quality::PERFECT, 1);
    world.sounds.sounds = prompts();
    hears(&mut world, "gateway", "1", GREETING);
    part(&mut world, &["gateway"]);
    // 14:13 and four hours.
    world.run(Duration::from_hours(4));
    hears(&mut world, "gateway", "1", "emergency");
    part(&mut world, &["gateway"]);
    hears(&mut world, "sales", "*81", "office&is-open");
    world.until_over();
    hears(&mut world, "gateway", "1", GREETING);
    part(&mut world, &["gateway"]);
    hears(&mut world, "sales", "*80", "system&is-set-to&time");
    world.until_over();
    hears(&mut world, "gateway", "1", "emergency");
    part(&mut world, &["gateway"]);
    world.assert_nothing_left();
}

fn passers_by(world: &mut Testbed) {
    for number in 1..=3 {
        let (sip, rtp) = (format!("198.51.100.{number}:5060"), format!("198.51.100.{number}:5004"));
        world.add(&format!("guest{number}"), "", &sip, &rtp, DeviceProfile::Grandstream);
    }
}

const WELCOME: &str = "welcome&if-u-know-ext-dial&for&operator&press-0";

#[test]
fn auto_attendant_a_guest_reaches_who_is_in_the_list() {
    play_aloud("auto-attendant", |world| {
        passers_by(world);
        for (address, keys, called) in [("101", "102", "bob"), ("alice", "101", "alice"), ("s", "0", "reception")] {
            hears(world, "guest1", address, WELCOME);
            assert!(!world.is_called("alice"), "an address alone rings nobody");
            presses(world, "guest1", keys);
            is_reached(world, called, "guest1");
        }
        hears(world, "alice", "9", WELCOME);
        presses(world, "alice", "102");
        is_reached(world, "bob", "alice");
        connect(world, "bob", "100", "reception");
        part(world, &["bob"]);
    });
}

#[test]
fn auto_attendant_a_guest_gets_nowhere_else() {
    play_aloud("auto-attendant", |world| {
        passers_by(world);
        // What is not in the list, and whom the list has and who is busy.
        world.phone("bob").habit(|habits| habits.refuse = Some(486));
        hears(world, "guest1", "inside", WELCOME);
        presses(world, "guest1", "9");
        world.until(|w| heard(w, "pbx-invalid") == 1);
        world.until(|w| heard(w, WELCOME) == 2);
        presses(world, "guest1", "102");
        world.until(|w| heard(w, "line-busy") == 1);
        // Then nothing: it is over.
        world.until(|w| heard(w, WELCOME) == 3);
        world.until(|w| heard(w, "goodbye") == 1);
        world.until_over();
        fails(world, "guest1", "*82", 404);
        assert!(!world.is_called("alice") && !world.is_called("reception"));
    });
}

/// On a good network: what refuses a stranger is sent once and not again.
#[test]
fn auto_attendant_two_guests_are_enough() {
    let (sip, extensions) = (read("auto-attendant", "sip.conf"), read("auto-attendant", "extensions.conf"));
    let mut world = Testbed::of(&sip, &extensions, Quality::PERFECT, 1);
    world.sounds.sounds = prompts();
    passers_by(&mut world);
    hears(&mut world, "guest1", "info", WELCOME);
    presses(&mut world, "guest1", "101");
    world.until(|w| w.is_called("alice"));
    world.phone("alice").answers();
    world.until(|w| w.is_talking("alice"));
    hears(&mut world, "guest2", "info", WELCOME);
    world.phone("guest3").dials("info");
    world.until(|w| w.saw("guest3", &PhoneEvent::Failed(486)));
    part(&mut world, &["guest1", "guest2"]);
    hears(&mut world, "guest3", "info", WELCOME);
    part(&mut world, &["guest3"]);
    world.assert_nothing_left();
}

/// The moment on the wall, in seconds and what is left of one.
fn wall(world: &Testbed) -> (i64, i64) {
    let Wall(ms) = at(world.now).wall;
    (ms.div_euclid(1000), ms.rem_euclid(1000))
}

/// Every number of the line test: the modem's line by the menu and in full, the tones, the loop.
#[test]
fn a_line_is_measured_by_its_numbers() {
    play_aloud("line-test", |world| {
        let at = world.look("line1").rtp();
        let ata = LineFaults { echoes: vec![(344, -18.0)], noise: Some(-65.0), ..LineFaults::default() };
        world.media.lines.insert(at, ata);
        for (number, turn) in [("701", 8_000), ("702", 80_000), ("703", 8_000)] {
            let before = world.media.played.len();
            world.phone("line1").dials(number);
            world.until(|w| w.media.played.len() > before && w.media.played.last() == Some(&turn));
            part(world, &["line1"]);
            // The exchange may hear of it later.
            world.run(Duration::from_secs(10));
        }
        hears(world, "line1", "700", "linetest/menu");
        presses(world, "line1", "1");
        world.until(|w| w.media.played.last() == Some(&8_000));
        part(world, &["line1"]);
        world.run(Duration::from_secs(10));
        hears(world, "line1", "705", "linetest/good-for-modems");
        world.until(|w| w.has_line("21 is GOOD: echo -1") && w.has_line(" dB at 43.0 ms"));
        world.until_over();
        hears(world, "line1", "707", "linetest/level");
        world.until_over();
        world.phone("line1").dials("706");
        world.until(|w| matches!(w.media.doing(&at.to_string()), Some(crate::media::Doing::Echo)));
        part(world, &["line1"]);
        connect(world, "line2", "21", "line1");
        part(world, &["line2"]);
    });
}

#[test]
fn speaking_clock_the_third_pip_is_the_time() {
    play_aloud("speaking-clock", |world| {
        for number in ["119", "118"] {
            let (told, pips) = (world.prompts.len(), world.media.tones.len());
            world.phone("kitchen").dials(number);
            for count in 1..=7 {
                world.until(|w| w.media.tones.len() == pips + count);
                // Two seconds before: 100 ms of tone, 900 of silence, twice, and the third.
                let (second, left) = wall(world);
                assert!((second + 2) % 15 == 0 && left < 50, "{second}.{left:03}");
                assert_eq!(world.media.tones.last(), Some(&(8 * 2_100, None)));
                let said: Vec<&str> = world.prompts[told..].iter().map(|(_, names)| names.as_str()).collect();
                let time = said.iter().rev().find(|names| names.contains("digits/p-m")).unwrap();
                let (minute, seconds) = ((second + 2) / 60 % 60, (second + 2) % 60);
                assert!(time.starts_with("digits/2&"), "{time}");
                let words = match seconds {
                    0 => "digits/p-m".to_owned(),
                    45 => "digits/p-m&digits/and&digits/40&digits/5&seconds".to_owned(),
                    one => format!("digits/p-m&digits/and&digits/{one}&seconds"),
                };
                assert!(time.ends_with(&words), "{time} is not {seconds} s");
                assert!((13..20).contains(&minute) && time.contains(&format!("&digits/{minute}&")), "{time}");
            }
            world.until_over();
            assert_eq!(heard(world, "goodbye"), if number == "119" { 1 } else { 2 });
        }
    });
}

/// The scripts themselves run in `tests/programs.rs`.
#[test]
fn weather_and_news_a_script_steers_the_call_or_the_caller_is_told() {
    play_aloud("weather-and-news", |world| {
        for (number, script) in [("721", "weather.py"), ("722", "news.py")] {
            world.phone("kitchen").dials(number);
            world.until(|w| w.is_talking("kitchen") && !w.outside.is_empty());
            let order = world.outside.remove(0);
            let OutsideOrder::Run { errand, channel, request: OutsideRequest::Open(opening) } = order else {
                panic!("{order:?}")
            };
            assert_eq!(opening.program, script);
            let reply = OutsideReply::Refused("it is not allowed".into());
            let report = OutsideReport { errand, channel, reply };
            let before = heard(world, "an-error-has-occurred");
            let effects = world.switch.handle(at(world.now), Input::Outside(report));
            world.execute(effects);
            world.until(|w| heard(w, "an-error-has-occurred") > before);
            world.until_over();
            world.outside.clear();
        }
        connect(world, "kitchen", "22", "study");
        part(world, &["study"]);
    });
}

#[test]
fn provider_trunk_registers_and_calls_go_out_and_come_in() {
    play("provider-trunk", |world| {
        let mut provider = Provider::new("itsp", "4711", "change-me-3");
        provider.registrar = Some(Registrar::default());
        world.add_with_account(
            "far",
            "far",
            "x",
            ("198.51.100.7:5060", "198.51.100.7:7000"),
            DeviceProfile::Grandstream,
        );
        world.providers.insert("198.51.100.7:5060".parse().unwrap(), vec![provider]);
        world.names(&[("sip.itsp.example", "198.51.100.7:5060")]);
        let is_registered =
            |w: &Testbed| registrations(&w.switch).all(|one| one.state == RegistrationState::Registered);
        world.until(is_registered);
        world.phone("kitchen").dials("00301234");
        is_reached(world, "far", "kitchen");
        assert!(world.texts("far", &["INVITE sip:0301234@sip.itsp.example"]).len() >= 2);
        part(world, &["kitchen", "far"]);
        world.phone("study").dials("112");
        is_reached(world, "far", "study");
        part(world, &["far", "study"]);
        world.phone("far").dials("4930");
        world.until(|w| w.is_called("kitchen") && w.is_called("study"));
        is_reached(world, "study", "far");
        part(world, &["far", "study"]);
        // Whoever calls from outside calls nobody outside.
        fails(world, "far", "00301234", 404);
    });
}
