//! Speaks a text: has an installed program make a sound file of it, and reads that.

use super::process::{self, Process};
use super::settings::Settings;
use crate::audio::recording::{self, Kind};
use crate::audio::sound::Sound;
use crate::dialplan::outside::Speech;
use crate::wording::outside;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// The longest text, in bytes.
const MAX_TEXT: usize = 4_096;
/// The largest file that a program may write, in bytes: six minutes at 22,050 samples a second.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// How often it is looked at how large the file is.
const LOOK: Duration = Duration::from_millis(50);
/// What is kept of a program's standard error, in bytes.
const MAX_ERRORS: u64 = 2_048;

/// A program that speaks.
struct Synthesiser {
    /// Its file.
    program: &'static str,
    /// By which the dialplan means it.
    name: &'static str,
    /// Debian's package.
    package: &'static str,
    form: Form,
}

/// How a program is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Flite,
    Pico,
    Festival,
    Espeak,
}

/// All of them, those that are understood best first (docs/explain/voices.md).
const SYNTHESISERS: &[Synthesiser] = &[
    Synthesiser { program: "flite", name: "flite", package: "flite", form: Form::Flite },
    Synthesiser { program: "pico2wave", name: "pico", package: "libttspico-utils", form: Form::Pico },
    Synthesiser { program: "text2wave", name: "festival", package: "festival", form: Form::Festival },
    Synthesiser { program: "espeak-ng", name: "espeak", package: "espeak-ng", form: Form::Espeak },
    Synthesiser { program: "espeak", name: "espeak", package: "espeak-ng", form: Form::Espeak },
];

/// The languages of pico2wave, the usual one of each first.
const PICO_LANGUAGES: &[&str] = &["en-US", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT"];

/// The sound of a text; an error says why there is none.
pub(super) async fn speak(speech: &Speech, settings: &Settings) -> Result<Sound, String> {
    if speech.text.len() > MAX_TEXT {
        return Err(format!("the text is longer than {MAX_TEXT} bytes"));
    }
    let language = speech.language.replace('_', "-").to_ascii_lowercase();
    if !language.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') || language.starts_with('-') {
        return Err("its language is none: letters, digits and '-' make one".to_owned());
    }
    let (path, form) = find(&speech.program, &language, settings)?;
    let folder = Folder::new().map_err(|error| format!("there is no folder for what it speaks: {error}"))?;
    let (input, output) = (folder.0.join("text"), folder.0.join("speech.wav"));
    let written = File::create_new(&input).and_then(|mut file| file.write_all(speech.text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", input.display()))?;
    run(&path, arguments(form, &language, &speech.text, [&input, &output]), &output, settings).await?;
    // It may be long, and others wait for this thread.
    let read = tokio::task::spawn_blocking(move || read(&output, &path)).await;
    read.unwrap_or_else(|_| Err("what it spoke could not be read: please report it".to_owned()))
}

/// The program to take, and how it is called.
fn find(wanted: &str, language: &str, settings: &Settings) -> Result<(PathBuf, Form), String> {
    let named = |each: &&Synthesiser| wanted.is_empty() || each.name == wanted;
    let place = |program: &str| settings.path.split(':').map(|folder| Path::new(folder).join(program)).find(runs);
    let mut other = None;
    for each in SYNTHESISERS.iter().filter(named) {
        if let Some(path) = place(each.program) {
            // Which voices Festival has, its own configuration says, and whoever names it knows.
            if each.form.speaks(language) || (each.form == Form::Festival && !wanted.is_empty()) {
                return Ok((path, each.form));
            }
            other.get_or_insert(each.program);
        }
    }
    if let Some(program) = other {
        return Err(format!("{program} does not speak the language '{language}': espeak-ng does, perhaps"));
    }
    Err(match SYNTHESISERS.iter().find(named).filter(|_| !wanted.is_empty()) {
        Some(each) => format!("{} is not installed: apt-get install {}", each.program, each.package),
        None => "no program that speaks is installed: apt-get install flite, or espeak-ng".to_owned(),
    })
}

fn runs(path: &PathBuf) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

impl Form {
    fn speaks(self, language: &str) -> bool {
        match self {
            Form::Flite | Form::Festival => language.is_empty() || primary(language) == "en",
            Form::Pico => pico_language(language).is_some(),
            Form::Espeak => true,
        }
    }
}

fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or_default()
}

fn pico_language(language: &str) -> Option<&'static str> {
    let language = if language.is_empty() { "en" } else { language };
    let whole = PICO_LANGUAGES.iter().find(|known| known.eq_ignore_ascii_case(language));
    whole.or_else(|| PICO_LANGUAGES.iter().find(|known| known.starts_with(primary(language)))).copied()
}

/// The program's arguments. No shell reads them; what is from outside is in a file, or cannot be taken for an option.
fn arguments(form: Form, language: &str, text: &str, [input, output]: [&Path; 2]) -> Vec<OsString> {
    match form {
        Form::Flite => vec!["-f".into(), input.into(), "-o".into(), output.into()],
        Form::Pico => {
            let language = pico_language(language).unwrap_or("en-US");
            // It reads no file.
            vec!["-w".into(), output.into(), "-l".into(), language.into(), format!(" {text}").into()]
        }
        Form::Festival => vec![input.into(), "-o".into(), output.into()],
        Form::Espeak => {
            let mut all: Vec<OsString> = vec!["-f".into(), input.into(), "-w".into(), output.into()];
            if !language.is_empty() {
                all.extend(["-v".into(), language.into()]);
            }
            all
        }
    }
}

/// Runs the program to its end.
async fn run(path: &Path, arguments: Vec<OsString>, output: &Path, settings: &Settings) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut command = process::command(path, settings);
    command.args(arguments).stderr(Stdio::piped());
    let mut process = Process::spawn(command).map_err(|error| format!("{name} cannot be started: {error}"))?;
    let errors = process.child.stderr.take();
    let mut said = Vec::new();
    let ends = async {
        if let Some(errors) = errors {
            // More is not read: then it cannot write it either.
            let _ = errors.take(MAX_ERRORS).read_to_end(&mut said).await;
        }
        process.wait().await
    };
    let why = tokio::select! {
        ended = ends => match ended {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => status.code().map_or("a signal ended it".to_owned(), |code| format!("it ended with status {code}")),
            Err(error) => format!("its end was not seen: {error}"),
        },
        () = grown(output) => format!("it wrote more than {MAX_FILE} bytes and was stopped"),
        () = tokio::time::sleep(settings.speech_time) => {
            format!("it took more than {} s and was stopped", settings.speech_time.as_secs_f64())
        }
    };
    process.kill();
    let _ = process.wait().await;
    let said = String::from_utf8_lossy(&said);
    let said = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let said = if said.is_empty() { String::new() } else { format!(": {}", outside(said)) };
    Err(format!("{name}: {why}{said}"))
}

/// Comes back when the program has written more than it may. A limit of the system would need a call that the unit of the
/// package may forbid.
async fn grown(output: &Path) {
    while fs::metadata(output).map_or(0, |found| found.len()) <= MAX_FILE {
        tokio::time::sleep(LOOK).await;
    }
}

fn read(output: &Path, program: &Path) -> Result<Sound, String> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let refused = |why: String| format!("{name} wrote no sound that can be played: {why}");
    let file = File::open(output).map_err(|error| refused(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| refused(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(refused(format!("it has more than {MAX_FILE} bytes")));
    }
    let (samples, _) = recording::read(Kind::Wav, &bytes).map_err(|why| refused(why.to_string()))?;
    Ok(Sound::of_samples(&samples))
}

/// A folder that nobody else may look into, and that goes with what is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let place = std::env::temp_dir();
        // What is left of an earlier process of this number is passed over.
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = place.join(format!("strowger-speech-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {}
                made => return made.map(|()| Folder(path)),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_gets_the_language_as_it_knows_it_and_the_text_as_no_option() {
        let shown = |form, language, text| {
            let all = arguments(form, language, text, [Path::new("in"), Path::new("out")]);
            all.into_iter().map(|each| each.into_string().unwrap()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(shown(Form::Flite, "en", "--version"), "-f|in|-o|out");
        assert_eq!(shown(Form::Festival, "", "x"), "in|-o|out");
        assert_eq!(shown(Form::Espeak, "pt-br", "x"), "-f|in|-w|out|-v|pt-br");
        assert_eq!(shown(Form::Espeak, "", "x"), "-f|in|-w|out");
        assert_eq!(shown(Form::Pico, "de", "-l fr"), "-w|out|-l|de-DE| -l fr");
        assert_eq!(shown(Form::Pico, "en-gb", "x"), "-w|out|-l|en-GB| x");
        assert!(
            !Form::Festival.speaks("de")
                && !Form::Pico.speaks("ru")
                && !Form::Flite.speaks("de")
                && Form::Flite.speaks("en-gb")
        );
    }
}
