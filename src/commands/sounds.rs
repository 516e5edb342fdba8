//! `strowger sounds`: which sounds there are, what one of them is, and conversion for a telephone line.

use super::init;
use crate::audio::g711::{self, Law};
use crate::audio::recording::Kind;
use crate::audio::{RATE, wav};
use crate::cli::{Common, SoundsTask};
use crate::config::Config;
use crate::config::load;
use crate::sounds::{self, Found, Places};
use crate::wording::{outside, plural};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The line that gives a machine the human voice of Debian's packages.
pub const HUMAN_VOICE: &str = "apt-get install asterisk-core-sounds-en-wav";

/// The level of a full sine in mu-law, above 0 dBm0, in dB (G.711).
const OVERLOAD_DBM0: f64 = 3.17;

/// Does what is asked for; what cannot be done is said in a line, and ends with 1.
pub fn run(common: &Common, task: &SoundsTask) -> ExitCode {
    let places = places(common);
    let done = match task {
        SoundsTask::List { language, pattern } => Ok(list(&places, language.as_deref(), pattern.as_deref())),
        SoundsTask::Play { name, language, to } => play(&places, name, language, to.as_deref()),
        SoundsTask::Convert { input, output } => convert(input, output),
    };
    match done {
        Ok(text) => {
            // A closed pipe (`| head`) is not an error.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("strowger: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Where the exchange of this configuration looks for sounds.
fn places(common: &Common) -> Places {
    let config = init::existing(common).and_then(|place| load::load(&place).config);
    of_config(&config.unwrap_or_default(), common)
}

/// The same for a configuration that was read.
pub fn of_config(config: &Config, common: &Common) -> Places {
    let identity = crate::observe::socket_path::identity(common.config.as_deref());
    let state = super::doctor::state_folder(config, &identity);
    Places::of_this_program(config, Some(&state))
}

fn list(places: &Places, language: Option<&str>, pattern: Option<&str>) -> String {
    let mut text = String::new();
    for folder in places.folders() {
        let all = sounds::below(folder);
        let shown: Vec<&String> = all
            .iter()
            .filter(|name| language.is_none_or(|language| name.starts_with(language)))
            .filter(|name| pattern.is_none_or(|pattern| name.contains(pattern)))
            .collect();
        let state = match (folder.is_dir(), all.len()) {
            (false, _) => "not there".to_owned(),
            (true, count) => plural(count, "sound"),
        };
        text += &format!("{}: {state}\n", folder.display());
        let wanted = pattern.is_some() || language.is_some();
        shown.iter().filter(|_| wanted).for_each(|name| text += &format!("  {}\n", outside(name)));
    }
    text += "The first folder that has a name is the one that is played. A human voice, for English: ";
    text + HUMAN_VOICE + "\n"
}

fn play(places: &Places, name: &str, language: &str, to: Option<&Path>) -> Result<String, String> {
    let (samples, what, path) = match sounds::find(places, name, language) {
        Ok(found) => {
            let (samples, what) = sounds::samples(&found)?;
            (samples, what, found.path.display().to_string())
        }
        Err(why) => match crate::audio::sound::find(name) {
            Some(samples) => (samples, "made by the exchange".to_owned(), name.to_owned()),
            None => return Err(why),
        },
    };
    let mut text = format!("{path}: {what}; {}\n", measured(&samples));
    if let Some(to) = to {
        fs::write(to, wav::write(&heard(&samples))).map_err(|error| format!("{}: {error}", to.display()))?;
        text += &format!("{}: as a telephone line carries it\n", to.display());
    }
    Ok(text)
}

/// What is left of it behind mu-law.
fn heard(samples: &[i16]) -> Vec<i16> {
    g711::decode(&g711::encode(samples, Law::Mu), Law::Mu)
}

/// Length and level, in words.
fn measured(samples: &[i16]) -> String {
    let seconds = samples.len() as f64 / f64::from(RATE);
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default();
    if peak == 0 {
        return format!("{seconds:.1} s of silence");
    }
    let full = 32_124f64;
    let level = 10.0 * (power / (full * full / 2.0)).log10() + OVERLOAD_DBM0;
    let clipped = samples.iter().filter(|sample| sample.unsigned_abs() >= 32_700).count();
    let clipped = if clipped > 0 { format!(", {} at the limit", plural(clipped, "sample")) } else { String::new() };
    format!("{seconds:.1} s, mean level {level:.0} dBm0{clipped}")
}

/// Converts a file; what the ending of the other says is written: `.wav`, `.ulaw`, `.alaw` or `.sln`.
fn convert(input: &Path, output: &Path) -> Result<String, String> {
    let ending = |path: &Path| path.extension().and_then(|ending| Kind::of_ending(ending.to_str()?));
    let kind = ending(input).ok_or_else(|| format!("{}: an ending like .wav is needed", input.display()))?;
    let found = Found { path: PathBuf::from(input), kind };
    let (samples, what) = sounds::samples(&found)?;
    let bytes = match ending(output) {
        Some(Kind::G711(law)) => g711::encode(&samples, law).to_vec(),
        Some(Kind::Wav) => wav::write(&samples),
        Some(Kind::Linear(RATE)) => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
        _ => return Err(format!("{}: give it the ending .ulaw, .alaw, .wav or .sln", output.display())),
    };
    if output.exists() {
        return Err(format!("{} exists already; delete it first, or take another name", output.display()));
    }
    fs::write(output, bytes).map_err(|error| format!("{}: {error}", output.display()))?;
    Ok(format!("{}: {what}; {}\n{}: written\n", input.display(), measured(&samples), output.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_measured_and_converted() {
        let folder = std::env::temp_dir().join(format!("strowger-convert-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (input, output) = (folder.join("in.wav"), folder.join("out.ulaw"));
        drop(fs::remove_file(&output));
        fs::write(&input, wav::write(&crate::audio::tone::milliwatt())).unwrap();
        let said = convert(&input, &output).unwrap();
        assert!(said.contains("WAV, 8000 Hz, mono, 16 bit; 1.0 s, mean level 0 dBm0\n"), "{said}");
        assert_eq!(fs::read(&output).unwrap().len(), 8_000);
        assert!(convert(&input, &output).unwrap_err().contains("exists already"));
        assert!(convert(&input, &folder.join("out.mp3")).unwrap_err().contains(".ulaw, .alaw, .wav or .sln"));
        assert!(convert(&folder.join("in"), &output).unwrap_err().contains("an ending"));
        let pipe = folder.join("pipe.wav");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(convert(&pipe, &output).unwrap_err().contains("it is no ordinary file"));
        fs::remove_file(pipe).unwrap();
        let places = Places::new(vec![folder.clone()], "", true);
        let played = play(&places, "in", "", Some(&folder.join("heard.wav"))).unwrap();
        assert!(played.ends_with("heard.wav: as a telephone line carries it\n"), "{played}");
        assert!(list(&places, None, Some("in")).contains(": 3 sounds\n  in\n"));
        assert!(play(&places, "nobody", "", None).unwrap_err().starts_with("There is no sound 'nobody'"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
