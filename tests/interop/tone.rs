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

/// Goertzel's algorithm: the power at one frequency (in cycles a sample) against the power of all.
fn holds(window: &[f64], frequency: f64) -> bool {
    let step = 2.0 * (std::f64::consts::TAU * frequency).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in window {
        (last, before) = (sample + step * last - before, last);
    }
    let count = window.len() as f64;
    let at_tone = 2.0 * (last * last + before * before - step * last * before) / (count * count);
    let all = window.iter().map(|sample| sample * sample).sum::<f64>() / count;
    all > LEAST_POWER && at_tone > MAX_OF_IT * all
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
    write(&path, 0, 1);
    assert_eq!(tone_ms(&path, 620), 0);
}
