//! What a telephone recorded: for how long one tone, and nothing else, was in it.

use std::path::Path;

/// How much sound is judged at once, in a second's parts.
const WINDOWS_A_SECOND: usize = 25;
/// The least loudness that counts, as the mean square of a sample: some 40 dB below full scale.
const LEAST_POWER: f64 = 100_000.0;
/// The part of a window's power that the tone has to have.
const MAX_OF_IT: f64 = 0.8;

/// For how many milliseconds a recording holds the tone of `frequency` Hz; 0 when there is none yet. A file still being
/// written is read as far as it goes, whatever length its header says.
pub fn tone_ms(recording: &Path, frequency: u16) -> usize {
    let Some((samples, rate)) = std::fs::read(recording).ok().and_then(|bytes| samples(&bytes)) else { return 0 };
    let windows = samples.chunks_exact(rate / WINDOWS_A_SECOND);
    windows.filter(|window| holds(window, f64::from(frequency) / rate as f64)).count() * 1_000 / WINDOWS_A_SECOND
}

/// The samples of a recording, 8,000 a second; none when there is none, or another number of them.
pub fn read(recording: &Path) -> Option<Vec<f64>> {
    let (samples, rate) = samples(&std::fs::read(recording).ok()?)?;
    (rate == 8_000).then_some(samples)
}

/// The frequencies of digits (ITU-T Q.23), and the digits, row by row.
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const DIGITS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];

/// So many windows without a digit part two of the same.
const LEAST_PAUSE: usize = 3;

/// The digits that a recording holds as tones.
pub fn digits(recording: &Path) -> String {
    let Some((samples, rate)) = std::fs::read(recording).ok().and_then(|bytes| samples(&bytes)) else {
        return String::new();
    };
    let (mut all, mut pause) = (String::new(), LEAST_PAUSE);
    for window in samples.chunks_exact(rate / WINDOWS_A_SECOND) {
        let Some(digit) = digit(window, rate as f64) else {
            pause += 1;
            continue;
        };
        // A telephone that slips leaves a short gap in a digit.
        if pause >= LEAST_PAUSE || !all.ends_with(digit) {
            all.push(digit);
        }
        pause = 0;
    }
    all
}

fn digit(window: &[f64], rate: f64) -> Option<char> {
    let all = window.iter().map(|sample| sample * sample).sum::<f64>() / window.len() as f64;
    let strongest = |frequencies: &[f64; 4]| {
        let powers = frequencies.map(|frequency| power(window, frequency / rate));
        (0..4).max_by(|one, two| powers[*one].total_cmp(&powers[*two])).map(|at| (at, powers[at]))
    };
    let ((row, low), (column, high)) = (strongest(&ROWS)?, strongest(&COLUMNS)?);
    let is_one = all > LEAST_POWER && low + high > MAX_OF_IT * all && low.min(high) > 0.1 * all;
    is_one.then(|| DIGITS[row].chars().nth(column)).flatten()
}

/// Writes a WAV file of digits as tones, a tenth of a second each and twice that between them, after a second and a half of silence
/// and before twenty.
pub fn write_digits(path: &Path, digits: &str, rate: u32, channels: u16) {
    let spec =
        hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    let silence = |file: &mut hound::WavWriter<std::io::BufWriter<std::fs::File>>, parts: u32| {
        (0..rate * parts / 10 * u32::from(channels)).for_each(|_| file.write_sample(0_i16).unwrap());
    };
    silence(&mut file, 15);
    for digit in digits.chars() {
        let row = DIGITS.iter().position(|row| row.contains(digit)).unwrap();
        let column = DIGITS[row].find(digit).unwrap();
        for at in 0..rate / 10 {
            let wave = |hz: f64| (std::f64::consts::TAU * hz * f64::from(at) / f64::from(rate)).sin() * 6_000.0;
            let sample = (wave(ROWS[row]) + wave(COLUMNS[column])) as i16;
            (0..channels).for_each(|_| file.write_sample(sample).unwrap());
        }
        silence(&mut file, 2);
    }
    silence(&mut file, 200);
    file.finalize().unwrap();
}

/// Is a window of sound this frequency (in cycles a sample), and nothing else?
fn holds(window: &[f64], frequency: f64) -> bool {
    let all = window.iter().map(|sample| sample * sample).sum::<f64>() / window.len() as f64;
    all > LEAST_POWER && power(window, frequency) > MAX_OF_IT * all
}

/// Goertzel's algorithm: the power at one frequency.
fn power(window: &[f64], frequency: f64) -> f64 {
    let step = 2.0 * (std::f64::consts::TAU * frequency).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in window {
        (last, before) = (sample + step * last - before, last);
    }
    let count = window.len() as f64;
    2.0 * (last * last + before * before - step * last * before) / (count * count)
}

/// The first channel of a WAV file as 16-bit samples, and how many there are in a second. linphone writes the header,
/// which is that of our lines' sound, when all is over; until then there are zeros.
fn samples(bytes: &[u8]) -> Option<(Vec<f64>, usize)> {
    let after = |name: &[u8]| Some(bytes.windows(4).take(200).position(|word| word == name)? + 8);
    let number = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let (data, channels, rate, bits) = match (after(b"fmt "), after(b"data")) {
        (Some(format), Some(data)) => (data, number(format + 2)?, number(format + 4)?, number(format + 14)?),
        _ => (44, 1, 8_000, 16),
    };
    let frame = usize::from(channels) * usize::from(bits / 8);
    let samples = bytes.get(data..)?.chunks_exact(frame.max(1)).map(|frame| match bits {
        8 => (f64::from(frame[0]) - 128.0) * 256.0,
        _ => f64::from(i16::from_le_bytes([frame[0], frame[1]])),
    });
    Some((samples.collect(), usize::from(rate)))
}

/// Writes a WAV file of 8,000 Hz with one tone.
pub fn write(path: &Path, frequency: u16, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for at in 0..seconds * 8_000 {
        let angle = std::f64::consts::TAU * f64::from(frequency) * f64::from(at) / 8_000.0;
        file.write_sample((angle.sin() * 8_000.0) as i16).unwrap();
    }
    file.finalize().unwrap();
}

#[test]
fn a_tone_is_told_from_another_and_from_silence() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tone.wav");
    write(&path, 620, 1);
    assert_eq!((tone_ms(&path, 620), tone_ms(&path, 440), tone_ms(&path, 700)), (1_000, 0, 0));
    assert_eq!(digits(&path), "");
    write(&path, 0, 1);
    assert_eq!(tone_ms(&path, 620), 0);
    write_digits(&path, "440*D", 8_000, 1);
    assert_eq!(digits(&path), "440*D");
}
