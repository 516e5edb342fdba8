use super::places::DEBIAN;
use super::*;
use crate::audio::g711::Law;
use crate::audio::wav;
use std::path::PathBuf;

/// Two folders with sounds, gone at the end.
struct Folders(PathBuf);

impl Folders {
    fn new(name: &str) -> Folders {
        let folder = std::env::temp_dir().join(format!("strowger-sounds-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Folders(folder)
    }

    /// Writes a sound of so many samples.
    fn put(&self, path: &str, samples: usize) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let samples = vec![1_000; samples];
        let bytes = match path.extension().and_then(|ending| ending.to_str()) {
            Some("wav") => wav::write(&samples),
            Some("ulaw") => samples.iter().map(|sample| Law::Mu.encode(*sample)).collect(),
            _ => vec![0; samples.len()],
        };
        fs::write(path, bytes).unwrap();
    }

    fn places(&self, language: &str, prefix: bool) -> Places {
        Places::new(vec![self.0.join("own"), self.0.join("debian"), self.0.join("ours")], language, prefix)
    }

    fn found(&self, name: &str, language: &str) -> String {
        match find(&self.places("", true), name, language) {
            Ok(found) => found.path.strip_prefix(&self.0).unwrap().display().to_string(),
            Err(why) => why,
        }
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_name_is_found_in_the_calls_language_then_in_none_then_in_english() {
    let folders = Folders::new("languages");
    for path in [
        "own/hello.wav",
        "own/en/own.wav",
        "debian/en_US_f_Allison/hello.wav",
        "debian/en_US_f_Allison/digits/1.wav",
        "debian/en_US_f_Allison/own.wav",
        "debian/fr_CA_f_June/own.wav",
        "debian/fr_CA_f_June/digits/1.wav",
        "ours/en/digits/1.ulaw",
        "ours/en/ours.ulaw",
        "ours/en/both.wav",
        "ours/en/both.ulaw",
        "ours/en_GB/both.wav",
    ] {
        folders.put(path, 80);
    }
    for (name, language, found) in [
        ("hello", "", "own/hello.wav"),
        ("digits/1", "", "debian/en_US_f_Allison/digits/1.wav"),
        ("digits/1", "fr", "debian/fr_CA_f_June/digits/1.wav"),
        ("own", "fr", "debian/fr_CA_f_June/own.wav"),
        ("own", "en", "own/en/own.wav"),
        ("ours", "de", "ours/en/ours.ulaw"),
        ("both", "en", "ours/en/both.ulaw"),
        ("both", "en_GB", "ours/en_GB/both.wav"),
        ("ours", "en_GB", "ours/en/ours.ulaw"),
        ("ours", "../..", "ours/en/ours.ulaw"),
    ] {
        assert_eq!(folders.found(name, language), found, "{name} {language}");
    }
    folders.put("own/custom/fr/late.wav", 80);
    folders.put("own/custom/late.wav", 80);
    let late = find(&folders.places("fr", false), "custom/late", "").unwrap().path;
    assert!(late.ends_with("custom/fr/late.wav"), "{late:?}");
    let absolute = folders.0.join("own/custom/late");
    let late = find(&folders.places("fr", true), absolute.to_str().unwrap(), "").unwrap().path;
    assert!(late.ends_with("custom/fr/late.wav"), "{late:?}");
}

#[test]
fn nothing_leads_out_of_the_folders_and_a_missing_one_says_where_it_was_looked_for() {
    let folders = Folders::new("missing");
    folders.put("own/en/hello.wav", 80);
    folders.put("secret.wav", 80);
    for name in ["../secret", "en/../../secret", "", "a\0b", "x/", "./hello"] {
        assert!(folders.found(name, "").contains("is no name of a sound"), "{name}: {}", folders.found(name, ""));
    }
    assert!(folders.found(&"x".repeat(600), "").contains("very long"));
    let own = folders.0.join("own").display().to_string();
    assert_eq!(folders.found("nobody", ""), format!("There is no sound 'nobody' (language en) in {own}"));
    assert!(folders.found("hello.wav", "").ends_with(": a name is written without its ending, 'hello'"));
    let none = Places::new(vec![PathBuf::from("/nonexistent")], "", true);
    assert!(find(&none, "x", "").unwrap_err().contains("no folder with sounds is installed"));
    assert!(find(&none, "/nonexistent/x", "").unwrap_err().contains("at that path"));
}

#[test]
fn a_file_is_read_once_until_it_changes() {
    let folders = Folders::new("cache");
    folders.put("own/en/hello.wav", 80);
    let library = Library::new(folders.places("", true));
    let hear = |name: &str| {
        let wanted = Wanted::Names { names: vec![name.to_owned()], language: String::new() };
        library.load(&wanted).remove(0)
    };
    let first = hear("hello").unwrap();
    assert_eq!(first.samples(), 80);
    assert!(std::sync::Arc::ptr_eq(first.in_law(Law::Mu), hear("hello").unwrap().in_law(Law::Mu)));
    folders.put("own/en/hello.wav", 160);
    assert_eq!(hear("hello").unwrap().samples(), 160);
    fs::remove_file(folders.0.join("own/en/hello.wav")).unwrap();
    assert!(hear("hello").is_err());
    folders.put("own/en/hello.wav", 80);
    assert!(hear("hello").is_err(), "a missing one is not looked for again at once");
    assert_eq!((hear("beep").unwrap().samples(), hear("silence/2").unwrap().samples()), (1_600, 16_000));
    folders.put("own/en/beep.wav", 8);
    folders.put("own/en/silence/1.wav", 8);
    assert_eq!((hear("beep").unwrap().samples(), hear("silence/1").unwrap().samples()), (8, 8_000));
    assert!(hear("silence/99").is_err());
}

#[test]
fn what_cannot_be_played_is_named_with_what_to_do() {
    let folders = Folders::new("unsupported");
    folders.put("own/en/old.gsm", 33);
    folders.put("own/en/broken.wav", 0);
    fs::write(folders.0.join("own/en/broken.wav"), "no wave").unwrap();
    let library = Library::new(folders.places("", true));
    let names = ["old", "broken"].map(str::to_owned).to_vec();
    let why: Vec<String> =
        library.load(&Wanted::Names { names, language: "en".into() }).into_iter().map(Result::unwrap_err).collect();
    assert!(
        why[0].ends_with("old.gsm cannot be played: GSM is not read; convert it: sox FILE -r 8000 -c 1 -b 16 NAME.wav")
    );
    assert!(why[1].contains("it does not begin as a WAV file does"), "{}", why[1]);
    folders.put("debian/en/old.wav", 80);
    assert_eq!(folders.found("old", ""), "debian/en/old.wav", "what can be played goes before what cannot");
}

#[test]
fn music_is_every_sound_of_a_folder_by_name() {
    let folders = Folders::new("music");
    for (path, samples) in [("moh/b.wav", 80), ("moh/a.wav", 160), ("moh/a.ulaw", 240), ("moh/c.gsm", 33)] {
        folders.put(path, samples);
    }
    fs::write(folders.0.join("moh/readme.txt"), "x").unwrap();
    fs::create_dir_all(folders.0.join("own")).unwrap();
    let library = Library::new(folders.places("", true));
    let lengths = |folder: &str| {
        let all = library.load(&Wanted::Folder(folder.into()));
        all.into_iter().map(|sound| sound.map(|sound| sound.samples())).collect::<Vec<_>>()
    };
    assert_eq!(lengths("moh"), [Ok(240), Ok(80)]);
    assert_eq!(lengths(folders.0.join("moh").to_str().unwrap()), [Ok(240), Ok(80)]);
    assert!(matches!(lengths("nowhere").as_slice(), [Err(_)]));
    assert!(matches!(lengths("../moh").as_slice(), [Err(_)]));
}

/// As installed by `tests/run.sh`; elsewhere there is nothing to test.
#[test]
fn debians_human_voice_is_found_and_read_where_its_package_puts_it() {
    let debian = Path::new(DEBIAN).join("sounds");
    if !debian.join("en_US_f_Allison/vm-goodbye.wav").exists() {
        eprintln!("skipped: asterisk-core-sounds-en-wav is not installed");
        return;
    }
    let folders = Folders::new("debian");
    folders.put("ours/en/vm-goodbye.ulaw", 80);
    let places = Places::new(vec![debian.clone(), folders.0.join("ours")], "", true);
    let found = find(&places, "vm-goodbye", "en_GB").unwrap();
    let real = fs::canonicalize(&found.path).unwrap();
    assert!(real.ends_with("en_US_f_Allison/vm-goodbye.wav"), "{real:?}");
    let names = ["vm-goodbye", "digits/1", "letters/a", "phonetic/a_p"].map(str::to_owned).to_vec();
    let heard = Library::new(places).load(&Wanted::Names { names, language: String::new() });
    for sound in heard {
        let sound = sound.unwrap();
        assert!(sound.samples() > 2_000 && sound.in_law(Law::Mu).iter().any(|byte| *byte & 0x70 == 0), "{sound:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_of_the_kernel_is_not_waited_for() {
    let folders = Folders::new("kernel");
    folders.put("own/en/empty.ulaw", 0);
    // Who reads it waits until the kernel has something to say.
    std::os::unix::fs::symlink("/proc/kmsg", folders.0.join("own/en/kernel.ulaw")).unwrap();
    for name in ["empty", "kernel"] {
        let why = missing_when_read(&folders, name);
        // Some machines do not let it be opened at all.
        assert!(why.contains("it is empty; record or convert it again") || why.contains("ermi"), "{why}");
    }
}

#[cfg(target_os = "linux")]
fn missing_when_read(folders: &Folders, name: &str) -> String {
    samples(&find(&folders.places("", true), name, "").unwrap()).unwrap_err()
}
