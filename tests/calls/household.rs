//! The example of a household, from its files: transfer by codes, parking, pickup, lamps, texts.

use crate::helpers::{over, presses, prompted, talk, together};
use crate::network::Quality;
use crate::testbed::{AND_FEATURES, AND_PARKING, Testbed};
use std::path::Path;
use std::time::Duration;
use strowger::sim::PhoneEvent;

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/examples/household-features");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// Plays a story in the household, on a perfect network and on bad ones.
fn play(story: impl Fn(&mut Testbed)) {
    let (plan, codes, lot) = (read("extensions.conf"), read("features.conf"), read("res_parking.conf"));
    let plan = format!("{plan}{AND_FEATURES}{codes}{AND_PARKING}{lot}");
    let rough = (0..crate::stories::seeds()).map(|seed| (Quality::ROUGH, seed));
    for (quality, seed) in std::iter::once((Quality::PERFECT, 1)).chain(rough) {
        let mut world = Testbed::of(&read("sip.conf"), &plan, quality, seed);
        world.sounds.add("moh/a", Duration::from_secs(1));
        for name in ["pbx-transfer", "digits/7", "digits/0", "digits/1"] {
            world.sounds.add(name, Duration::from_millis(300));
        }
        story(&mut world);
        world.assert_nothing_left();
    }
}

#[test]
fn a_caller_sends_the_other_one_elsewhere_by_a_code() {
    play(|world| {
        talk(world, "kitchen", "22", "workshop");
        presses(world, "kitchen", "#1");
        world.until(|w| prompted(w, "pbx-transfer"));
        presses(world, "kitchen", "23");
        world.until(|w| w.is_called("office") && !w.look("kitchen").has_call());
        world.phone("office").answers();
        together(world, "workshop", "office");
        over(world, "office");
    });
}

#[test]
fn a_call_is_parked_by_a_code_and_taken_elsewhere() {
    play(|world| {
        let lamp = world.phone("office").watches("701", "dialog");
        world.until(|w| w.watching("office", lamp).is_active());
        talk(world, "kitchen", "22", "workshop");
        presses(world, "workshop", "#7");
        world.until(|w| w.has_line("is parked at 701 of lot 'default'"));
        world.until(|w| w.lamp("office", lamp) == "confirmed" && w.is_played_to("kitchen"));
        world.until(|w| !w.look("workshop").has_call());
        world.phone("office").dials("701");
        together(world, "kitchen", "office");
        world.until(|w| w.lamp("office", lamp) == "terminated");
        over(world, "kitchen");
        world.phone("office").watches_as(strowger::sim::Watching::new("701", "dialog", 0));
        world.until(|w| w.switch.lamps().subscriptions.is_empty());
    });
}

#[test]
fn a_call_is_picked_up_where_it_does_not_ring() {
    for code in ["*8", "**22"] {
        play(|world| {
            world.phone("kitchen").dials("22");
            world.until(|w| w.is_called("workshop"));
            world.phone("office").dials(code);
            together(world, "kitchen", "office");
            assert!(!world.is_called("workshop"));
            over(world, "kitchen");
        });
    }
}

#[test]
fn all_ring_and_one_that_does_not_is_heard_too() {
    play(|world| {
        world.phone("kitchen").dials("20");
        world.until(|w| w.is_called("workshop") && w.is_called("office"));
        world.phone("office").answers();
        together(world, "kitchen", "office");
        world.until(|w| !w.is_called("workshop"));
        over(world, "office");
        // Nothing rings: it says so.
        world.phone("office").dials("**20");
        world.until(|w| !w.look("office").has_call());
    });
}

#[test]
fn a_text_arrives_at_the_telephone_of_a_number() {
    play(|world| {
        world.phone("kitchen").texts("23", "dinner is ready");
        world.until(|w| w.saw("kitchen", &PhoneEvent::TextAnswered(202)));
        world.until(|w| w.has_line("Text message from '21' delivered to 'office'"));
        world.run(Duration::from_secs(40));
    });
}
