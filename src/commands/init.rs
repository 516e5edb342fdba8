//! Which configuration the exchange takes, and the one it begins with: ten extensions with fresh secrets.

use crate::cli::Common;
use crate::config::builtin::{self, EXTENSIONS};
use crate::observe::socket_path::{self, Surroundings};
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `strowger init`: writes the first configuration into a folder (/etc/strowger unless named) that has no sip.conf. Its
/// sip.conf is for the owner alone; a file that exists is left as it is. 0 also when there was nothing to do.
pub fn init(folder: Option<&Path>) -> ExitCode {
    let folder = folder.unwrap_or(Path::new(socket_path::DEFAULT_CONFIG));
    match write_first(folder) {
        Ok(_) => {
            let sip = folder.join("sip.conf");
            println!("strowger: ten telephones, 101 to 110, made in {}: it holds the secret of each", sip.display());
            println!("{}", next_step(folder));
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            println!("strowger: {} has a sip.conf already: nothing is changed", folder.display());
            println!("{}", next_step(folder));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!(
                "strowger: cannot make a configuration in {}: {error}; name a folder that this user may write to",
                folder.display()
            );
            ExitCode::FAILURE
        }
    }
}

/// What to type next. The usual directory needs no name.
fn next_step(folder: &Path) -> String {
    let usual = socket_path::identity(None);
    let named = if socket_path::identity(Some(folder)) == usual {
        String::new()
    } else {
        format!(" -C {}", shell_word(&folder.display().to_string()))
    };
    format!("next: strowger{named} runs it, strowger{named} check looks at it first")
}

/// A word as a shell takes it.
pub(super) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=~".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Which configuration to run: the one given; else /etc/strowger; else the one made at the first start. Says whether it
/// was made just now.
///
/// # Errors
/// There is none, and none could be made: where, and why not.
pub fn configuration(common: &Common) -> Result<(PathBuf, bool), String> {
    let found = existing(common);
    let is_unasked = common.config.is_none() && found.as_deref() != Some(Path::new(socket_path::DEFAULT_CONFIG));
    if is_unasked && Path::new("/etc/asterisk/sip.conf").exists() {
        eprintln!(
            "strowger: there is a configuration of Asterisk: strowger -C /etc/asterisk runs it (strowger check -C /etc/asterisk looks first)."
        );
    }
    if let Some(found) = found {
        return Ok((found, false));
    }
    let mut failures = Vec::new();
    for folder in Surroundings::of_this_process().state_folders() {
        let place = folder.join("conf");
        match write_first(&place) {
            Ok(secrets) => {
                show_first(&place, &secrets);
                return Ok((place, true));
            }
            Err(error) => failures.push(format!("{}: {error}", place.display())),
        }
    }
    Err(format!("no configuration given (-C DIR), and none could be made: {}", failures.join("; ")))
}

/// The configuration that would be run, when there is one: given, in /etc/strowger, or made by an earlier start.
pub fn existing(common: &Common) -> Option<PathBuf> {
    if let Some(place) = &common.config {
        return Some(place.clone());
    }
    let usual = PathBuf::from(socket_path::DEFAULT_CONFIG);
    // One that this user may not look into is there all the same: another beside it would be run by mistake.
    if is_there(&usual.join("sip.conf")) {
        return Some(usual);
    }
    let folders = Surroundings::of_this_process().state_folders();
    folders.into_iter().map(|folder| folder.join("conf")).find(|place| place.join("sip.conf").exists())
}

/// Whether a file exists, or is in a folder that this user may not look into.
fn is_there(file: &Path) -> bool {
    file.try_exists().unwrap_or_else(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Writes the first configuration with fresh secrets, readable by its owner alone. `AlreadyExists` when there is a
/// sip.conf; other files that exist are kept.
fn write_first(place: &Path) -> io::Result<[String; EXTENSIONS]> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(place)?;
    let mut secrets = std::array::from_fn(|_| String::new());
    for secret in &mut secrets {
        *secret = fresh_secret()?;
    }
    let texts = builtin::generate(&secrets);
    write_new(&place.join("sip.conf"), &texts.sip)?;
    match write_new(&place.join("extensions.conf"), &texts.extensions) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(secrets),
    }
}

/// All of it or nothing: a full disk must not leave half a configuration.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(path)))
}

/// Twelve characters that are told apart on paper and typed on any phone: 60 bits.
pub(super) fn fresh_secret() -> io::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31))).map(|letter| char::from(*letter)).collect())
}

fn show_first(place: &Path, secrets: &[String; EXTENSIONS]) {
    eprintln!(
        "strowger: first start: ten extensions made in {} (shown once; sip.conf there keeps them):",
        place.display()
    );
    for (number, secret) in (101..).zip(secrets) {
        eprintln!("  user {number}   secret {secret}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, load};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_a_package_puts_beside_it_changes_nothing() {
        let secrets = std::array::from_fn(|n| format!("k3vw9m2xq8t{n}"));
        let texts = builtin::generate(&secrets);
        let rtp = include_str!("../../conf/install/rtp.conf");
        let toml = include_str!("../../conf/install/strowger.toml");
        let (config, said) = Config::from_texts(&texts.sip, &texts.extensions, rtp, toml);
        assert_eq!(said, []);
        assert_eq!(config, Config::from_texts(&texts.sip, &texts.extensions, "", "").0);
    }

    #[test]
    fn the_first_configuration_is_made_once_and_keeps_what_is_there() {
        let folder = std::env::temp_dir().join(format!("strowger-first-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let plan = "[internal]\nexten => 1,1,Answer()\n";
        fs::write(folder.join("extensions.conf"), plan).unwrap();
        let secrets = write_first(&folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("extensions.conf")).unwrap(), plan);
        let sip = fs::read_to_string(folder.join("sip.conf")).unwrap();
        assert_eq!(fs::metadata(folder.join("sip.conf")).unwrap().permissions().mode() & 0o777, 0o600);
        let mut unlike = secrets.to_vec();
        unlike.sort();
        unlike.dedup();
        assert_eq!(unlike.len(), EXTENSIONS);
        assert!(secrets.iter().all(|secret| secret.len() == 12 && sip.contains(&format!("secret={secret}\n"))));
        assert_eq!(load::load(&folder).diagnostics, []);

        assert_eq!(write_first(&folder).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(folder.join("sip.conf")).unwrap(), sip);
        fs::remove_dir_all(&folder).unwrap();
    }
}
