//! The examples, from their files: `check` finds nothing but their placeholders, and they do what their pages say.

use crate::network::Quality;
use crate::testbed::Testbed;
use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strowger::check;
use strowger::config::load;
use strowger::sim::PhoneEvent;

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

/// The placeholders are named, one for each peer, and nothing else: a copy with good secrets loads without errors or
/// warnings.
#[test]
fn nothing_is_wrong_with_them_but_their_placeholders() {
    let mut seen = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let example = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(path.join("README.md").exists(), "{example} has no page");
        assert!(read("", "README.md").contains(&format!("({example}/README.md)")), "{example} is not in the list");
        let copy = Copy::of(&path);
        let loaded = load::load(&copy.0);
        let (plan, said) = check::everything(&loaded);
        let peers = loaded.config.unwrap().sip.peers.len();
        let wanted = if example == "guide" { "secret-weak" } else { "secret-placeholder" };
        assert!(plan.is_some() && said.iter().all(|one| one.code == wanted), "{example}: {said:#?}");
        assert_eq!(said.len(), peers, "{example}");
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} examples were found");
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
