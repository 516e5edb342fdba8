//! Simulated lines with known faults: each is found, and none is invented.

use super::report::{Echoes, Found, Measured, Report, Response, Steadiness, Unmeasured};
use super::{Decibel, Frame, Grade, Measurement, Part, Plan, json, lines, summary, verdict};
use crate::audio::g711::Law;
use crate::clock::{Time, Wall};
use crate::rng::Rng;
use crate::sim::line::{LineFaults, answer};
use std::time::Duration;

/// 43 ms.
const DELAY: usize = 344;

/// Measures a part of a simulated line, which is sent ulaw.
fn measured(part: Part, seconds: u64, faults: &LineFaults, seed: u64) -> Measured {
    let mut rng = Rng::from_number(seed);
    let lasting = part.length(Duration::from_secs(seconds));
    let length = usize::try_from(lasting.as_millis()).unwrap() * 8;
    let signal = part.signal();
    let sent: Vec<u8> = signal.iter().cycle().take(length).map(|sample| Law::Mu.encode(*sample)).collect();
    let heard: Vec<i16> = sent.iter().map(|byte| Law::Mu.decode(*byte)).collect();
    let start = Time::from_start(Duration::from_secs(1_000));
    let mut measurement = Measurement::new(Plan { part, lasting }, start);
    // What is sent, 20 ms each, then what comes: either direction is in the order of its own.
    for (number, payload) in (0u32..).zip(sent.chunks(160)) {
        measurement.put(&Frame {
            is_sent: true,
            at: start + Duration::from_millis(20 * u64::from(number)),
            ssrc: 1,
            sequence: number as u16,
            timestamp: number * 160,
            payload_type: 0,
            law: Some(Law::Mu),
            payload,
        });
    }
    for packet in answer(&heard, faults, &mut rng) {
        measurement.put(&Frame {
            is_sent: false,
            at: start + packet.at.since(Time::ZERO),
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            payload_type: packet.payload_type,
            law: Law::of_payload_type(packet.payload_type),
            payload: &packet.payload,
        });
    }
    measurement.finish()
}

fn report(parts: Vec<Measured>, is_loop: bool) -> Report {
    Report { channel: "SIP/ata-00000001".to_owned(), at: Wall(1_796_000_000_000), is_loop, parts }
}

fn echoes(faults: &LineFaults, seed: u64) -> Echoes {
    let Found::Echoes(found) = measured(Part::Echo, 0, faults, seed).found else { panic!("{faults:?}") };
    found
}

fn steadiness(faults: &LineFaults, seed: u64) -> Steadiness {
    match measured(Part::Steadiness, 4, faults, seed).found {
        Found::Steadiness(found) => found,
        other => panic!("{other:?}: {faults:?}"),
    }
}

fn response(faults: &LineFaults) -> Response {
    let Found::Response(found) = measured(Part::Response, 0, faults, 1).found else { panic!("{faults:?}") };
    found
}

fn near(level: Decibel, wanted: f64, within: f64) -> bool {
    (level.value() - wanted).abs() <= within
}

/// A telephone on a hybrid.
fn telephone() -> LineFaults {
    LineFaults { echoes: vec![(DELAY, -18.0)], noise: Some(-65.0), ..LineFaults::default() }
}

/// A loop without a fault.
fn looped() -> LineFaults {
    LineFaults { echoes: vec![(DELAY, 0.0)], ..LineFaults::default() }
}

#[test]
fn an_echo_is_found_with_its_delay_and_level_whatever_the_line_speaks() {
    for (law, ptime_ms, lost_per_mille, jitter) in [
        (Law::Mu, 20, 0, 0),
        (Law::A, 20, 0, 0),
        (Law::Mu, 10, 0, 4_000),
        (Law::Mu, 30, 0, 9_000),
        (Law::A, 40, 0, 2_000),
        (Law::Mu, 20, 10, 15_000),
    ] {
        let faults = LineFaults { law, ptime_ms, lost_per_mille, jitter, ..telephone() };
        let found = echoes(&faults, 5);
        let echo = found.loudest().unwrap();
        // The fastest of some two hundred packets tells the delay.
        let off = echo.delay.as_secs_f64() * 1e3 - 43.0;
        assert!((-1e-6..=0.13 + jitter as f64 / 20_000.0).contains(&off), "{off}: {faults:?}");
        assert!(near(echo.level, -18.0, 0.4), "{echo:?}: {faults:?}");
        assert_eq!((found.echoes.len(), found.fades()), (1, false), "{found:?}");
    }
}

#[test]
fn faint_echoes_are_found_and_two_are_told_apart() {
    let faults = LineFaults { echoes: vec![(80, -45.0)], noise: Some(-60.0), ..LineFaults::default() };
    let found = echoes(&faults, 1);
    assert!(near(found.loudest().unwrap().level, -45.0, 1.0), "{found:?}");
    let faults = LineFaults { echoes: vec![(160, -15.0), (2_400, -25.0)], ..telephone() };
    let found = echoes(&faults, 1).echoes;
    let delays: Vec<u128> = found.iter().map(|echo| echo.delay.as_millis()).collect();
    assert_eq!(delays, [20, 300]);
    assert!(near(found[0].level, -15.0, 0.3) && near(found[1].level, -25.0, 0.5), "{found:?}");
    // Nearly a second there and back.
    let faults = LineFaults { echoes: vec![(8_000, -20.0)], ..LineFaults::default() };
    assert_eq!(echoes(&faults, 1).loudest().unwrap().delay, Duration::from_secs(1));
}

/// What a slip shifts is no second echo.
#[test]
fn a_slip_makes_no_echo_of_its_own() {
    for at in [6_000, 10_000, 12_000, 15_000, 19_000, 21_000, 30_000] {
        let faults = LineFaults { slips: vec![(at, 80)], ..telephone() };
        let found = echoes(&faults, 7);
        assert_eq!(found.echoes.len(), 1, "{at}: {found:?}");
        let delay = found.echoes[0].delay.as_millis();
        assert!([33, 43].contains(&delay) && near(found.echoes[0].level, -18.0, 1.2), "{at}: {found:?}");
    }
}

#[test]
fn an_echo_canceller_is_seen_at_work() {
    let faults = LineFaults { cancelled: Some((4_000, 30.0)), ..telephone() };
    let found = echoes(&faults, 3);
    assert!(found.fades() && near(found.at_first.unwrap().level, -18.0, 1.0), "{found:?}");
    let verdict = verdict(&report(vec![measured(Part::Echo, 0, &faults, 3)], false));
    assert_eq!(verdict.grade, Grade::Fair);
    assert!(verdict.findings[0].text.contains("echo canceller is on"), "{verdict:?}");
}

#[test]
fn where_nothing_comes_back_none_is_found() {
    for seed in 0..seeds() {
        let faults = LineFaults { noise: Some(-50.0 - seed as f64), ..LineFaults::default() };
        let found = echoes(&faults, seed);
        assert!(found.echoes.is_empty() && !found.fades(), "{seed}: {found:?}");
        let parts = [Part::Response, Part::Steadiness].map(|part| measured(part, 2, &faults, seed));
        for part in &parts {
            assert_eq!(part.found, Found::Unmeasured(Unmeasured::NothingBack), "{seed}");
        }
        let verdict = verdict(&report(parts.to_vec(), true));
        assert_eq!(verdict.grade, Grade::Unknown, "{verdict:?}");
    }
    assert_eq!(
        measured(Part::Echo, 0, &LineFaults { lost_per_mille: 1_000, ..looped() }, 1).found,
        Found::Unmeasured(Unmeasured::NoPackets)
    );
}

#[test]
fn a_loop_that_is_untouched_is_told_from_one_that_is_converted() {
    let found = echoes(&looped(), 1);
    assert_eq!(found.same_per_mille, Some(1_000));
    assert!(near(found.loudest().unwrap().level, 0.0, 0.1));
    let found = echoes(&LineFaults { converted: Some(Law::A), ..looped() }, 1);
    assert!(found.same_per_mille.unwrap() < 900, "{found:?}");
}

/// A loop, and a hybrid: every slip there is, where it is and by how much, and nothing else.
#[test]
fn slips_are_found_with_their_size_and_their_moment() {
    for by in [160, -160, 80, -240, 1, -1, 3, 480, -800] {
        for line in [looped(), telephone()] {
            let faults = LineFaults { slips: vec![(12_000, by), (24_000, by)], ..line };
            let found = steadiness(&faults, 9);
            let slips: Vec<i32> = found.slips.iter().map(|slip| slip.samples).collect();
            assert_eq!(slips, [by, by], "{faults:?}: {found:?}");
            assert_eq!((found.slip_count, found.drop_outs, found.phase_hits, found.level_changes), (2, 0, 0, 0));
            let apart = found.slips[1].at.saturating_sub(found.slips[0].at).as_millis();
            assert!((1_400..=1_520).contains(&apart), "{apart}");
        }
    }
}

#[test]
fn drop_outs_are_counted_with_their_length_and_are_no_slips() {
    for length in [160, 320, 800] {
        for line in [looped(), telephone()] {
            let faults = LineFaults { drop_outs: vec![(9_000, length), (20_011, length)], ..line };
            let found = steadiness(&faults, 2);
            assert_eq!((found.drop_outs, found.slip_count, found.phase_hits), (2, 0, 0), "{length}: {found:?}");
            let longest = found.longest_drop_out.as_millis() as usize * 8;
            assert!(longest <= length && longest + 80 > length, "{length}: {found:?}");
        }
    }
}

#[test]
fn packets_lost_on_the_way_in_are_lost_packets_and_nothing_else() {
    for seed in 0..seeds() {
        let faults = LineFaults { lost_per_mille: 20, jitter: 5_000, ..looped() };
        let Measured { found: Found::Steadiness(found), packets, .. } = measured(Part::Steadiness, 6, &faults, seed)
        else {
            panic!()
        };
        assert!(found.is_steady() && found.noise_hits == 0, "{seed}: {found:?}");
        assert!(packets.lost > 0, "{seed}: {packets:?}");
    }
}

#[test]
fn a_gain_that_changes_is_no_slip() {
    let faults = LineFaults { louder: Some((15_000, 6.0)), ..telephone() };
    let found = steadiness(&faults, 1);
    assert_eq!((found.level_changes, found.slip_count, found.drop_outs, found.phase_hits), (1, 0, 0, 0), "{found:?}");
}

/// Clean lines of every kind, with noise, jitter, both laws: nothing is invented.
#[test]
fn a_clean_line_has_no_fault() {
    for seed in 0..seeds() {
        let mut rng = Rng::from_number(seed);
        let faults = LineFaults {
            echoes: vec![(usize::try_from(rng.below(4_000)).unwrap(), -(rng.below(25) as f64))],
            noise: Some(-62.0 - rng.below(20) as f64),
            law: [Law::Mu, Law::A][usize::try_from(rng.below(2)).unwrap()],
            ptime_ms: [10, 20, 30, 40][usize::try_from(rng.below(4)).unwrap()],
            jitter: rng.below(20_000),
            ..LineFaults::default()
        };
        let found = steadiness(&faults, seed);
        assert!(found.is_steady() && found.noise_hits == 0, "{seed}: {found:?} {faults:?}");
        let (delay, level) = faults.echoes[0];
        assert!(near(found.level.unwrap(), level, 0.5), "{seed}: {found:?} {faults:?}");
        let echo = echoes(&faults, seed);
        assert_eq!(echo.echoes.len(), 1, "{seed}: {echo:?} {faults:?}");
        let late = echo.echoes[0].delay.as_secs_f64() * 8_000.0 - delay as f64;
        assert!((-1.0..=60.0).contains(&late), "{seed}: {late} {faults:?}");
        let noise = measured(Part::Noise, 0, &faults, seed);
        let Found::Noise(heard) = noise.found else { panic!("{noise:?}") };
        // What is softer than the smallest steps of G.711 (-66 dBm0 in A-law) comes as those, or not at all.
        let wanted = faults.noise.unwrap().max(-66.0);
        let level = heard.level.value();
        assert!(level < wanted + 2.5 && (wanted < -63.0 || level > wanted - 2.5), "{seed}: {heard:?} {faults:?}");
        assert!(heard.hum.is_none(), "{seed}: {heard:?}");
        assert_eq!((noise.packets.lost, noise.packets.leaves_out_silence()), (0, false));
    }
}

#[test]
fn the_response_of_a_loop_is_flat_clear_and_not_clipped() {
    for law in [Law::Mu, Law::A] {
        let found = response(&LineFaults { law, noise: Some(-70.0), ..looped() });
        let (top, low) = found.spread(304, 3_404).unwrap();
        assert!(near(top, 0.0, 0.2) && near(low, 0.0, 0.2), "{found:?}");
        assert!(found.clearness >= Decibel::whole(32), "{found:?}");
        assert!(
            near(found.compression.unwrap(), 0.0, 0.3) && found.harmonics.unwrap() < Decibel::whole(-35),
            "{found:?}"
        );
        let verdict = verdict(&report(vec![measured(Part::Response, 0, &looped(), 1)], true));
        assert_eq!(verdict.grade, Grade::Good, "{verdict:?}");
    }
}

#[test]
fn a_line_that_tilts_is_seen_to() {
    let found = response(&LineFaults { tilt: 6.0, ..looped() });
    let fall = found.at(3_404).unwrap().above(found.at(304).unwrap());
    assert!(near(fall, -5.0, 2.5), "{fall}");
    assert!(found.points.windows(2).all(|pair| pair[1].1.0 <= pair[0].1.0 + 1), "{found:?}");
    let steep = response(&LineFaults { tilt: 30.0, ..looped() });
    assert!(steep.at(3_404).unwrap().above(steep.at(304).unwrap()) < Decibel::whole(-9), "{steep:?}");
}

#[test]
fn clipping_and_noise_are_found_where_they_are() {
    let clipped = response(&LineFaults { clip: Some(-6.0), ..looped() });
    assert!(clipped.compression.unwrap() >= Decibel::whole(3), "{clipped:?}");
    assert!(clipped.harmonics.unwrap() > Decibel::whole(-20), "{clipped:?}");
    let verdict =
        verdict(&report(vec![measured(Part::Response, 0, &LineFaults { clip: Some(-6.0), ..looped() }, 1)], true));
    assert!(verdict.findings.iter().any(|found| found.text.contains("clipped")), "{verdict:?}");
    // Of tones of -13.2 dBm0, noise of -38 dBm0 lies 25 dB below.
    let noisy = response(&LineFaults { noise: Some(-38.0), ..looped() });
    assert!(near(noisy.clearness, 24.8, 1.0), "{noisy:?}");
}

#[test]
fn noise_hum_and_silence_that_is_left_out_are_told() {
    let noise = |faults: &LineFaults| {
        let found = measured(Part::Noise, 0, faults, 4);
        let Found::Noise(noise) = found.found else { panic!("{found:?}") };
        (noise, found.packets)
    };
    let (quiet, packets) = noise(&LineFaults::default());
    assert!(quiet.level <= Decibel::whole(-80) && !packets.leaves_out_silence(), "{quiet:?}");
    let (loud, _) = noise(&LineFaults { noise: Some(-45.0), ..LineFaults::default() });
    assert!(near(loud.level, -45.0, 0.7) && loud.hum.is_none(), "{loud:?}");
    for mains in [50.0, 60.0] {
        let faults = LineFaults { tone: Some((mains, -48.0)), noise: Some(-60.0), ..LineFaults::default() };
        let (humming, _) = noise(&faults);
        assert_eq!(humming.hum.map(f64::from), Some(mains), "{humming:?}");
    }
    let faults = LineFaults { silence: Some(-50.0), noise: Some(-65.0), ..LineFaults::default() };
    let (_, packets) = noise(&faults);
    assert!(packets.leaves_out_silence(), "{packets:?}");
    let verdict = verdict(&report(vec![measured(Part::Noise, 0, &faults, 4)], false));
    assert_eq!(verdict.grade, Grade::Bad);
}

#[test]
fn what_comes_by_itself_is_a_tone_or_is_none() {
    let level = |faults: &LineFaults| {
        let Found::Level(level) = measured(Part::Level, 0, faults, 6).found else { panic!("{faults:?}") };
        level
    };
    let found = level(&LineFaults { tone: Some((1_004.0, -13.0)), noise: Some(-60.0), ..LineFaults::default() });
    assert!(near(found.level, -13.0, 0.2) && found.tone.unwrap().abs_diff(10_040) <= 2, "{found:?}");
    let found = level(&LineFaults { noise: Some(-30.0), ..LineFaults::default() });
    assert!(near(found.level, -30.0, 0.5) && found.tone.is_none(), "{found:?}");
}

/// What the issue asks for, word for word.
#[test]
fn the_verdict_names_what_is_as_it_should_be() {
    let parts =
        [Part::Noise, Part::Echo, Part::Response, Part::Steadiness].map(|part| measured(part, 4, &telephone(), 1));
    let report = report(parts.to_vec(), false);
    assert_eq!(verdict(&report).grade, Grade::Good);
    let summary = summary(&report);
    assert!(summary.starts_with("the line is good for modems: "), "{summary}");
    let echo = summary.split("; ").find(|part| part.starts_with("echo")).unwrap();
    let (before, after) = echo.split_once(" ms, ").unwrap();
    assert_eq!(before, "echo at 43.0");
    assert!(after.starts_with("-18") || after.starts_with("-17"), "{echo}");
    assert!(after.ends_with(" dB: the ATA's echo canceller is off, as it should be"), "{echo}");
}

#[test]
fn the_json_has_every_part_and_balances() {
    let faults = LineFaults { slips: vec![(12_000, 160)], ..looped() };
    let report = report(Part::ALL.map(|part| measured(part, 3, &faults, 1)).to_vec(), true);
    let json = json(&report);
    for part in Part::ALL {
        assert!(json.contains(&format!("{{\"part\":\"{}\"", part.name())), "{json}");
    }
    assert!(json.contains("\"verdict\":\"bad\"") && json.contains("\"samples_left_out\":160}"), "{json}");
    for (open, close) in [('{', '}'), ('[', ']')] {
        assert_eq!(json.matches(open).count(), json.matches(close).count(), "{json}");
    }
}

/// What this machine did not send is no silence that the line leaves out.
#[test]
fn a_stall_of_our_own_is_told_as_one() {
    let plan = Plan { part: Part::Steadiness, lasting: Duration::from_secs(4) };
    let mut measurement = Measurement::new(plan, Time::ZERO);
    let sent: Vec<u8> = Part::Steadiness.signal().iter().map(|sample| Law::Mu.encode(*sample)).collect();
    for (number, payload) in (0u32..).zip(sent.repeat(4).chunks(160)) {
        // After two seconds, half a second of time is left out.
        let timestamp = number * 160 + if number >= 100 { 4_000 } else { 0 };
        for is_sent in [true, false] {
            measurement.put(&Frame {
                is_sent,
                at: Time::from_start(Duration::from_micros(u64::from(timestamp) * 125)),
                ssrc: 1,
                sequence: number as u16,
                timestamp,
                payload_type: 0,
                law: Some(Law::Mu),
                payload,
            });
        }
    }
    let measured = measurement.finish();
    assert_eq!((measured.packets.stalls, measured.packets.pauses), (1, 0), "{measured:?}");
    let verdict = verdict(&report(vec![measured], true));
    assert!(verdict.findings.iter().any(|found| found.text.contains("this machine was held up")), "{verdict:?}");
    assert!(verdict.findings.iter().all(|found| !found.text.contains("silence suppression")), "{verdict:?}");
}

/// Whatever comes, nothing is kept beyond its bound, and it ends.
#[test]
fn packets_of_any_kind_are_taken() {
    let mut rng = Rng::from_number(8);
    for round in 0..40u64 {
        let part = Part::ALL[usize::try_from(round % 5).unwrap()];
        let plan = Plan { part, lasting: Duration::from_secs(5) };
        let mut measurement = Measurement::new(plan, Time::from_start(Duration::from_secs(9)));
        for _ in 0..300 {
            let payload: Vec<u8> = (0..rng.below(300)).map(|_| rng.bits() as u8).collect();
            measurement.put(&Frame {
                is_sent: rng.below(2) == 0,
                at: Time::from_start(Duration::from_millis(rng.below(30_000))),
                ssrc: rng.below(3) as u32,
                sequence: rng.bits() as u16,
                timestamp: if rng.below(4) == 0 { rng.bits() as u32 } else { rng.below(40_000) as u32 },
                payload_type: rng.below(128) as u8,
                law: [None, Some(Law::Mu), Some(Law::A)][usize::try_from(rng.below(3)).unwrap()],
                payload: &payload,
            });
        }
        let measured = measurement.finish();
        let report = report(vec![measured], round % 2 == 0);
        assert!(!summary(&report).is_empty() && !json(&report).is_empty() && !lines(&report).is_empty());
    }
}

/// So many seeds, more when there is time.
fn seeds() -> u64 {
    if std::env::var_os("STROWGER_LONG").is_some() { 200 } else { 3 }
}
