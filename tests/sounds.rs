//! The sounds that are shipped: all there that the list names and nothing else, as they were made, and fit to be heard. Nothing is
//! synthesised here.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use strowger::audio::g711::{self, Law};

/// Samples a second.
const RATE: usize = 8_000;
/// 20 ms.
const FRAME: usize = 160;
/// RMS of a sine wave at full scale, which is at 3.17 dBm0.
const FULL_SCALE_SINE: f64 = 22_715.0;
/// No sample of a prompt is larger: full scale is 32,124.
const PEAK: u16 = 29_000;
/// All prompts together, in bytes: what a clone and a package have to carry.
const ALL: usize = 12_000_000;

struct Row {
    bytes: usize,
    sha256: String,
    words: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds")
}

fn lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn manifest() -> BTreeMap<String, Row> {
    let row = |line: &String| match line.split('\t').collect::<Vec<_>>()[..] {
        [name, bytes, sha256, words] => {
            (name.to_owned(), Row { bytes: bytes.parse().unwrap(), sha256: sha256.to_owned(), words: words.to_owned() })
        }
        _ => panic!("manifest.tsv: {line}"),
    };
    lines("manifest.tsv").iter().map(row).collect()
}

fn files(folder: &Path, below: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            files(&path, &name, found);
        } else {
            found.push(name);
        }
    }
}

fn samples(name: &str) -> Vec<i16> {
    let bytes = fs::read(folder().join(format!("{name}.ulaw"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    g711::decode(&bytes, Law::Mu)
}

fn rms(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// RMS, in dBm0, of those frames that are within 20 dB of the loudest: `level` of sounds/audio.py.
fn level(samples: &[i16]) -> f64 {
    let frames: Vec<f64> = samples.chunks_exact(FRAME).map(rms).collect();
    let loudest = frames.iter().copied().fold(1.0, f64::max);
    let loud: Vec<f64> = frames.into_iter().filter(|frame| *frame > loudest / 10.0).collect();
    let mean = loud.iter().map(|frame| frame * frame).sum::<f64>() / loud.len().max(1) as f64;
    20.0 * (mean.sqrt() / FULL_SCALE_SINE).log10() + 3.17
}

/// Milliseconds before and after what is louder than 54 dB below the loudest 5 ms.
fn silence_at_the_ends(samples: &[i16]) -> (usize, usize) {
    let frames: Vec<f64> = samples.chunks(40).map(rms).collect();
    let loudest = frames.iter().copied().fold(1.0, f64::max);
    let loud = |frame: &f64| *frame > loudest / 500.0;
    let before = frames.iter().position(loud).unwrap_or(0);
    let after = frames.iter().rev().position(loud).unwrap_or(0);
    (before * 5, after * 5)
}

fn is_speech(words: &str) -> bool {
    !words.starts_with('(')
}

#[test]
fn every_prompt_of_the_list_is_there_and_no_other() {
    let manifest = manifest();
    let mut listed: Vec<(String, String)> = lines("prompts.tsv")
        .iter()
        .map(|line| line.split_once('\t').unwrap_or_else(|| panic!("prompts.tsv: {line}")))
        .map(|(name, words)| (format!("en/{name}"), words.to_owned()))
        .collect();
    listed.sort();
    assert!(listed.len() >= 400);
    let prompts = manifest.iter().filter(|(name, _)| name.starts_with("en/"));
    let known: Vec<(String, String)> = prompts.map(|(name, row)| (name.clone(), row.words.clone())).collect();
    assert_eq!(known, listed, "sounds/make.py manifest has to be run");

    let mut found = Vec::new();
    files(&folder().join("en"), "en", &mut found);
    files(&folder().join("moh"), "moh", &mut found);
    found.sort();
    let mut names: Vec<String> = manifest.keys().map(|name| format!("{name}.ulaw")).collect();
    names.sort();
    assert_eq!(found, names);
}

#[test]
fn every_file_is_the_one_that_was_made() {
    let mut all = 0;
    for (name, row) in manifest() {
        let bytes = fs::read(folder().join(format!("{name}.ulaw"))).unwrap();
        assert_eq!(bytes.len(), row.bytes, "{name}");
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, row.sha256, "{name}: recorded anew? sounds/make.py manifest");
        all += bytes.len();
    }
    assert!(all < ALL, "{all} bytes");
}

#[test]
fn all_prompts_are_equally_loud_and_none_is_clipped() {
    for (name, row) in manifest() {
        let samples = samples(&name);
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        assert!(peak < PEAK, "{name}: a sample of {peak}");
        let mean = samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / samples.len() as f64;
        assert!(mean.abs() < 100.0, "{name}: DC of {mean}");
        let level = level(&samples);
        let wanted = match (name.starts_with("moh/"), is_speech(&row.words)) {
            (true, _) => -24.0..-20.0,
            (false, true) => -17.0..-15.0,
            (false, false) => -18.0..-12.0,
        };
        assert!(wanted.contains(&level), "{name}: {level:.1} dBm0");
    }
}

#[test]
fn no_prompt_begins_or_ends_with_long_silence() {
    for name in manifest().keys().filter(|name| name.starts_with("en/")) {
        let (before, after) = silence_at_the_ends(&samples(name));
        // An f or th at the end is hardly louder than silence: the ends were cut before the sound was made narrow.
        let (most_before, most_after) = (60, 100);
        assert!(before <= most_before && after <= most_after, "{name}: {before} ms before, {after} ms after");
    }
}

#[test]
fn a_prompt_lasts_as_long_as_its_words() {
    for (name, row) in manifest().iter().filter(|(name, row)| name.starts_with("en/") && is_speech(&row.words)) {
        let seconds = row.bytes as f64 / RATE as f64;
        let letters = row.words.chars().filter(|letter| letter.is_alphanumeric()).count() as f64;
        let (least, most) = (0.08 + 0.03 * letters, 0.9 + 0.11 * letters);
        assert!((least..most).contains(&seconds), "{name}: {seconds:.2} s for \"{}\"", row.words);
    }
}

#[test]
fn the_music_goes_round_without_a_seam() {
    let samples = samples("moh/default");
    assert!((30 * RATE..=60 * RATE).contains(&samples.len()));
    let step = |a: i16, b: i16| (i32::from(a) - i32::from(b)).abs();
    let largest = samples.windows(2).map(|pair| step(pair[0], pair[1])).max().unwrap();
    let seam = step(samples[0], samples[samples.len() - 1]);
    assert!(seam <= largest, "a step of {seam} at the seam, {largest} elsewhere");
    // As loud at the seam as a second from it: no fade.
    let (end, begin) = (&samples[samples.len() - RATE..], &samples[..RATE]);
    assert!((rms(end) / rms(begin)).log10().abs() < 0.3);
}

#[test]
fn the_package_installs_every_folder() {
    let cargo = fs::read_to_string(folder().join("../Cargo.toml")).unwrap();
    for name in manifest().keys() {
        let (below, _) = name.rsplit_once('/').unwrap();
        let asset = format!(r#"["sounds/{below}/*.ulaw", "usr/share/strowger/sounds/{below}/", "644"]"#);
        assert!(cargo.contains(&asset), "Cargo.toml installs no sounds/{below}");
    }
}

/// What Cisco's telephones take: raw mu-law at 8 kHz, 240 to 16,080 bytes and a multiple of 240, silent at both ends.
#[test]
fn the_ring_tones_are_those_that_were_made_and_telephones_take_them() {
    let made = [
        ("american", 16_080, "8766ae5d442bd06b820a0f29f7914b040051b325e7bacb6dadabb2626284d826"),
        ("british", 8_400, "683608f2aa5887bb878a4c4e1015339c0363749b5d02af97b13a94ac87ef0c1b"),
        ("french", 12_480, "aa34163909f05ddcfea7b4dc789e27af1ce920914a944f0c9b69d1f6e1b6369c"),
        ("german", 8_400, "24c08e6b4291142fc8139668ce054484ca4b5bd40d267c842e29d4f9284c1134"),
    ];
    let mut found = Vec::new();
    files(&folder().join("ring"), "ring", &mut found);
    found.retain(|name| name.ends_with(".raw"));
    found.sort();
    assert_eq!(found, made.map(|(name, ..)| format!("ring/{name}.raw")));
    for (name, length, hash) in made {
        let bytes = fs::read(folder().join(format!("ring/{name}.raw"))).unwrap();
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((bytes.len(), sum.as_str()), (length, hash), "{name}: made anew? sounds/ring/make.py");
        assert!((240..=16_080).contains(&length) && length % 240 == 0, "{name}");
        let samples = g711::decode(&bytes, Law::Mu);
        let ends = [samples.first().unwrap(), samples.last().unwrap()].map(|sample| sample.unsigned_abs());
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(
            ends.iter().all(|end| *end < 50) && (14_000..=PEAK).contains(&peak),
            "{name}: {ends:?}, a sample of {peak}"
        );
    }
}
