//! Random scripts of two and three parties and more: whatever they do, on whatever network, all sides agree in the end and
//! nothing is left.
//!
//! A script is made from a number, and does not look at what becomes of it: so it can be told, and steps can be left
//! out of it. A script that fails is cut down to the steps it needs and told as a ladder, from which a story can be
//! made. `STROWGER_SCRIPTS` says how many, `STROWGER_SCRIPTS_FROM` with which number they begin.
//!
//! `script` says what a script is, `plan` what its telephones may dial, `pen` writes one, `play` plays it, `agree` says what
//! must be so in the end, `seen` counts. What belongs to one subject (transfers, lamps, texts, a trunk) stands together in
//! its own file: the scenes, what is done in them, and what must be so.

mod agree;
mod lamps;
mod pen;
mod plan;
mod play;
mod script;
mod seen;
mod texts;
mod transfers;
mod trunk;

use script::Script;
use seen::Seen;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn random_scripts() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (from, count) = (number("STROWGER_SCRIPTS_FROM").unwrap_or(0), number("STROWGER_SCRIPTS").unwrap_or(1500));
    let mut seen = Seen::default();
    for seed in from..from + count {
        let script = Script::random(seed);
        match attempt(&script) {
            Ok(what) => seen.add(&what),
            Err(why) => fail(script, &why),
        }
    }
    println!("{count} scripts from {from}: {seen}");
    // What a generator is worth is what it reaches.
    assert!(count < 1000 || seen.amiss(count).is_empty(), "{:?}", seen.amiss(count));
}

/// Plays a script; what went wrong, if anything did.
fn attempt(script: &Script) -> Result<Seen, String> {
    let played = catch_unwind(AssertUnwindSafe(|| play::play(script, true)));
    played.unwrap_or_else(|why| {
        let text = why.downcast_ref::<String>().cloned();
        let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// Leaves out every step, and every trait of the world, that the failure does not need, and tells the rest.
fn fail(script: Script, why: &str) {
    let (mut least, mut why) = (script, why.to_owned());
    let mut tries = 0;
    loop {
        let smaller = least.smaller().into_iter().find_map(|smaller| {
            tries += 1;
            attempt(&smaller).err().map(|why| (smaller, why))
        });
        match smaller {
            Some((smaller, its)) if tries < 3000 => (least, why) = (smaller, its),
            Some(_) | None => break,
        }
    }
    println!("{least}\n{why}");
    let told = play::play(&least, false);
    panic!("script {} fails: {why} ({told:?})", least.seed);
}
