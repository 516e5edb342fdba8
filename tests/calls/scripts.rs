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
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn random_scripts() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (from, count) = (number("STROWGER_SCRIPTS_FROM").unwrap_or(0), number("STROWGER_SCRIPTS").unwrap_or(1500));
    let (seen, failure) = play_all(from, from + count);
    if let Some((seed, why)) = failure {
        fail(Script::random(seed), &why);
    }
    println!("{count} scripts from {from}: {seen}");
    // What a generator is worth is what it reaches.
    assert!(count < 1000 || seen.amiss(count).is_empty(), "{:?}", seen.amiss(count));
}

/// Plays the scripts of these numbers, on every processor there is; what was seen, and the first that failed.
fn play_all(from: u64, end: u64) -> (Seen, Option<(u64, String)>) {
    let (next, failure) = (AtomicU64::new(from), Mutex::new(None));
    let play_some = || {
        let mut seen = Seen::default();
        while failure.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            match attempt(&Script::random(seed)) {
                Ok(what) => seen.add(&what),
                Err(why) => {
                    let mut first = failure.lock().unwrap();
                    if first.as_ref().is_none_or(|(other, _)| seed < *other) {
                        *first = Some((seed, why));
                    }
                }
            }
        }
        seen
    };
    let count = std::thread::available_parallelism().map_or(1, |count| count.get());
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        let players: Vec<_> = (0..count).map(|_| scope.spawn(play_some)).collect();
        players.into_iter().for_each(|player| seen.add(&player.join().unwrap()));
    });
    (seen, failure.into_inner().unwrap())
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
