//! Reads a configuration directory: the only place of the core that opens files.

mod glob;
mod last_good;

use super::diagnostic::{self, Counts, Diagnostic, Place, render};
use super::ini::{self, Document, IncludeRequest, IncludedFile, no_includes};
use super::logger_conf::{self, LoggerConf};
use super::parking_conf::RES_PARKING_CONF;
use super::phone_book::{PHONE_BOOK_CSV, PHONE_BOOK_TOML};
use super::pin_files::{self, PinFiles};
use super::toml_conf;
use super::{
    ACL_CONF, ASTERISK_CONF, Config, EXTENSIONS_CONF, FEATURES_CONF, Files, INDICATIONS_CONF, LOGGER_CONF,
    MUSICONHOLD_CONF, RTP_CONF, SIP_CONF, SIP_NOTIFY_CONF, Source, TOML,
};
use crate::datetime::zones::{MAX_ZONES, TimeZone, Zones};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub use last_good::LastGood;

/// Templates of devices' files, of the configuration directory.
const TEMPLATES: &str = "devices/*.template";
/// Where zoneinfo lies, on one system or the other.
const ZONEINFO: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];
/// A larger file describes no time zone, in bytes.
const MAX_ZONE_FILE: u64 = 64 * 1024;
/// A larger file is no configuration, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// A configuration as loaded, with what is to be said of it.
pub struct Loaded {
    /// The configuration; none when a diagnostic is fatal.
    pub config: Option<Config>,
    /// What is wrong with it, in the order of file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// The directory it was read from.
    pub directory: PathBuf,
    texts: BTreeMap<String, SourceText>,
}

/// A file's text with where its lines begin, so that each is found at once.
struct SourceText {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl SourceText {
    fn new(bytes: Vec<u8>) -> SourceText {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at.saturating_add(1))).collect();
        SourceText { bytes, starts }
    }

    /// A line from 0, without its end.
    fn line(&self, number: usize) -> Option<&[u8]> {
        let start = *self.starts.get(number)?;
        let end = self.starts.get(number.saturating_add(1)).map_or(self.bytes.len(), |next| next.saturating_sub(1));
        self.bytes.get(start..end)
    }
}

impl Loaded {
    /// Every diagnostic with its source line, fit for a terminal.
    pub fn report(&self) -> String {
        render(&self.diagnostics, &|file, line| self.source_line(file, line))
    }

    /// The files that it was read from, to be kept; none when it cannot be used.
    pub fn kept(&self) -> Option<LastGood> {
        self.config.as_ref()?;
        Some(LastGood::new(self.texts.iter().map(|(name, text)| (name.clone(), text.bytes.clone()))))
    }

    /// A line of one of the files read, from 1.
    pub fn source_line(&self, file: &str, line: u32) -> Option<String> {
        let line = self.texts.get(file)?.line(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

/// Loads the configuration of a directory, or of the one that an `asterisk.conf` names: its `astetcdir`, or else the
/// one it stands in.
pub fn load(path: &Path) -> Loaded {
    let mut reader = Reader::default();
    reader.find(path);
    let config = if reader.diagnostics.is_empty() { reader.config() } else { None };
    reader.loaded(config)
}

/// Loads what was kept of a configuration, as if it stood in that place. What else it names (files of PINs, an
/// `asterisk.conf`) is read where it is.
pub fn load_last_good(path: &Path, kept: LastGood) -> Loaded {
    let mut reader = Reader::default();
    reader.find(path);
    // That the directory or its files cannot be read now is known, and no reason.
    reader.diagnostics.clear();
    reader.kept = Some(kept);
    let config = reader.config();
    reader.loaded(config)
}

/// `[state] folder` of strowger.toml alone, in a configuration that cannot be used otherwise.
pub fn state_folder(path: &Path) -> Option<PathBuf> {
    let mut reader = Reader::default();
    reader.find(path);
    let text = reader.file(TOML, None);
    toml_conf::parse(TOML, &text).0.state.folder
}

/// Loads `logger.conf` alone, from the same place: `logger reload` looks at no other file. None when a diagnostic is
/// fatal.
pub fn load_logger(path: &Path) -> (Option<LoggerConf>, Loaded) {
    let mut reader = Reader::default();
    reader.find(path);
    let text = reader.file(LOGGER_CONF, None);
    // Unlike at a start, something better than the defaults is in force: a file that cannot be read changes nothing.
    let (document, said) = ini::parse(LOGGER_CONF, &text, &mut |request| reader.include(request));
    reader.diagnostics.extend(said);
    let (logger, said) = logger_conf::parse(&document);
    reader.diagnostics.extend(said);
    let logger = (Counts::of(&reader.diagnostics).fatals == 0).then_some(logger);
    (logger, reader.loaded(None))
}

#[derive(Default)]
struct Reader {
    directory: PathBuf,
    diagnostics: Vec<Diagnostic>,
    texts: BTreeMap<String, SourceText>,
    /// The text of an asterisk.conf that was named.
    asterisk: Option<Vec<u8>>,
    /// Files that everyone on the machine can read.
    open: BTreeSet<String>,
    /// The files are those that were kept.
    kept: Option<LastGood>,
}

impl Reader {
    fn find(&mut self, path: &Path) {
        if path.is_dir() {
            self.directory = path.into();
            // Once, and not for each of its files, some of which may not even be there.
            if let Err(error) = path.join(SIP_CONF).symlink_metadata()
                && error.kind() == io::ErrorKind::PermissionDenied
            {
                let say = format!("nothing in this directory can be read: {error}");
                let hint = "try again as root (sudo) or as the user the exchange runs as";
                self.fatal(&path.display().to_string(), &say, hint);
            }
        } else {
            self.asterisk_conf(path);
        }
    }

    fn loaded(mut self, config: Option<Config>) -> Loaded {
        diagnostic::tidy(&mut self.diagnostics);
        let Reader { diagnostics, directory, texts, .. } = self;
        Loaded { config, diagnostics, directory, texts }
    }

    fn asterisk_conf(&mut self, path: &Path) {
        let name = path.display().to_string();
        self.directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).into();
        let text = match read(path) {
            Ok((text, _)) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.directory = path.into();
                let hint = "name the configuration directory, or the path of an asterisk.conf, with '-C'; \
                            'strowger init DIR' makes a first configuration";
                return self.fatal(&name, "there is no such directory", hint);
            }
            Err(error) => {
                let say = format!("cannot be read: {error}");
                let hint = "give '-C' a configuration directory, or the path of an asterisk.conf";
                return self.fatal(&name, &say, hint);
            }
        };
        let (document, _) = ini::parse(&name, &text, &mut no_includes);
        self.asterisk = Some(text.clone());
        let entry =
            document.section("directories").and_then(|section| section.entries.iter().find(|e| e.is("astetcdir")));
        let Some(entry) = entry.filter(|entry| !entry.value.is_empty()) else { return };
        self.directory = self.directory.join(&entry.value);
        if !self.directory.is_dir() {
            let say = format!("'{}' is not a directory", entry.value);
            let hint = "correct 'astetcdir', or give '-C' the configuration directory itself";
            self.diagnostics.push(Diagnostic::fatal(entry.place.clone(), say).hint(hint));
            self.texts.insert(name, SourceText::new(text));
        }
    }

    fn config(&mut self) -> Option<Config> {
        let directory = self.directory.display().to_string();
        let hint = format!("make it in {directory}, or start without '-C' for the built-in configuration");
        let sip = self.file(SIP_CONF, Some(&hint));
        let extensions = self.file(EXTENSIONS_CONF, Some(&hint));
        let others = [
            RTP_CONF,
            ACL_CONF,
            LOGGER_CONF,
            INDICATIONS_CONF,
            MUSICONHOLD_CONF,
            SIP_NOTIFY_CONF,
            FEATURES_CONF,
            RES_PARKING_CONF,
            TOML,
            PHONE_BOOK_CSV,
            PHONE_BOOK_TOML,
        ];
        let [rtp, acl, logger, indications, music, notify, features, parking, toml, book_csv, book_toml] =
            others.map(|name| self.file(name, None));
        // Nothing in it is needed: one that cannot be read is none.
        let asterisk = self.asterisk.take().or_else(|| Some(read(&self.directory.join(ASTERISK_CONF)).ok()?.0));
        let asterisk = asterisk.unwrap_or_default();
        let files = Files {
            sip: (SIP_CONF, &sip),
            extensions: (EXTENSIONS_CONF, &extensions),
            rtp: (RTP_CONF, &rtp),
            acl: (ACL_CONF, &acl),
            logger: (LOGGER_CONF, &logger),
            indications: (INDICATIONS_CONF, &indications),
            music: (MUSICONHOLD_CONF, &music),
            notify: (SIP_NOTIFY_CONF, &notify),
            features: (FEATURES_CONF, &features),
            parking: (RES_PARKING_CONF, &parking),
            toml: (TOML, &toml),
            asterisk: (ASTERISK_CONF, &asterisk),
            book_csv: (PHONE_BOOK_CSV, &book_csv),
            book_toml: (PHONE_BOOK_TOML, &book_toml),
        };
        let is_usable = self.diagnostics.is_empty();
        let source = Source::Directory(self.directory.clone());
        let (config, said) = Config::from_files(files, source, &mut |request| self.include(request));
        self.diagnostics.extend(said);
        if let Some(config) = &config {
            self.readable_secrets(config);
        }
        let config = config.filter(|_| is_usable)?;
        let templates = self.templates();
        Some(Config { zones: Arc::new(zones()), pins: self.pins(&config.extensions), templates, ..config })
    }

    /// The templates of devices' files; one that cannot be read is said, and ours is used.
    fn templates(&mut self) -> Vec<(String, String)> {
        let place = Place { file: TEMPLATES.into(), line: 0 };
        match self.include(IncludeRequest { pattern: TEMPLATES, place: &place, optional: true }) {
            Ok(files) => {
                let text = |file: IncludedFile| (file.name, String::from_utf8_lossy(&file.text).into_owned());
                files.into_iter().map(text).collect()
            }
            Err(why) => {
                let say = format!("the templates cannot be read: {why}");
                let hint = "make them readable to the user the exchange runs as; those that came with it are used";
                self.diagnostics.push(Diagnostic::warning(place, say).hint(hint));
                Vec::new()
            }
        }
    }

    /// The files of PINs that the dialplan names; one that cannot be read is said, and lets nobody in.
    fn pins(&mut self, extensions: &Document) -> PinFiles {
        let mut pins = PinFiles::default();
        for (path, place) in pin_files::named(extensions) {
            match read(Path::new(&path)) {
                Ok((text, _)) => pins.insert(&path, &String::from_utf8_lossy(&text)),
                Err(error) => {
                    let say = format!("the file of PINs '{path}' cannot be read: {error}");
                    let hint = "make it readable to the user the exchange runs as; until then nobody gets past this";
                    self.diagnostics.push(Diagnostic::warning(place, say).hint(hint));
                }
            }
        }
        pins
    }

    /// The text of a file of the directory; empty when it is missing, which is fatal when `needed` has a hint for it.
    fn file(&mut self, name: &str, needed: Option<&str>) -> Vec<u8> {
        match self.read(name, &self.directory.join(name)) {
            Ok(text) => return text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(hint) = needed {
                    self.fatal(name, "the file is missing", hint);
                }
            }
            Err(error) => {
                let say = format!("the file cannot be read: {error}");
                self.fatal(name, &say, "make it readable to the user the exchange runs as");
            }
        }
        Vec::new()
    }

    fn read(&mut self, name: &str, path: &Path) -> io::Result<Vec<u8>> {
        let (text, is_open) = match &self.kept {
            Some(kept) => (kept.file(name).ok_or(io::ErrorKind::NotFound)?.to_vec(), false),
            None => read(path)?,
        };
        self.texts.insert(name.into(), SourceText::new(text.clone()));
        if is_open {
            self.open.insert(name.into());
        }
        Ok(text)
    }

    fn include(&mut self, request: IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> {
        let mut files = Vec::new();
        let paths = match &self.kept {
            Some(kept) => kept.matching(&self.directory, request.pattern).into_iter().map(PathBuf::from).collect(),
            None => expand(&self.directory.join(request.pattern)),
        };
        for path in paths {
            let name = path.strip_prefix(&self.directory).unwrap_or(&path).display().to_string();
            match self.read(&name, &path) {
                Ok(text) => files.push(IncludedFile { name, text }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{name}: {error}")),
            }
        }
        Ok(files)
    }

    /// Once per file: a password that everyone on the machine can read is none.
    fn readable_secrets(&mut self, config: &Config) {
        let secret = config.sip.peers.values().filter(|peer| peer.credential.is_some());
        let files: BTreeSet<String> = secret.map(|peer| peer.place.file.to_string()).collect();
        for file in files.intersection(&self.open) {
            let place = Place { file: file.as_str().into(), line: 0 };
            let say = "everyone on this machine can read the secrets in this file";
            let hint = format!("chmod o= {}", self.directory.join(file).display());
            self.diagnostics.push(Diagnostic::warning(place, say).hint(hint));
        }
    }

    fn fatal(&mut self, file: &str, say: &str, hint: &str) {
        let place = Place { file: file.into(), line: 0 };
        self.diagnostics.push(Diagnostic::fatal(place, say).hint(hint));
    }
}

/// The time zones of this machine: its own (`TZ`, else /etc/localtime), and every one of zoneinfo by its name.
pub fn zones() -> Zones {
    let mut zones = Zones::new(TimeZone::from_jiff(jiff::tz::TimeZone::system()));
    let folder = ZONEINFO.iter().map(Path::new).find(|folder| folder.join("Etc").is_dir());
    let mut same: BTreeMap<Vec<u8>, Arc<[u8]>> = BTreeMap::new();
    let mut waiting: Vec<(PathBuf, String)> =
        folder.map(|folder| (folder.to_owned(), String::new())).into_iter().collect();
    while let Some((folder, above)) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten().take(MAX_ZONES) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            // The same again, with and without leap seconds, and what is no zone.
            let is_zone = name.starts_with(|letter: char| letter.is_ascii_uppercase()) && !name.contains('.');
            let name = format!("{above}{name}");
            match fs::metadata(entry.path()) {
                Ok(about) if is_zone && about.is_dir() && above.matches('/').count() < 3 => {
                    waiting.push((entry.path(), format!("{name}/")));
                }
                Ok(about) if is_zone && about.is_file() && about.len() < MAX_ZONE_FILE => {
                    let Ok(data) = fs::read(entry.path()) else { continue };
                    let data = same.entry(data).or_insert_with_key(|data| data.as_slice().into());
                    zones.insert(&name, Arc::clone(data));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    zones
}

/// A file's bytes, and whether everyone may read it.
fn read(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    // Asked before opening: to open a pipe would wait for its other end.
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("it is not an ordinary file"));
    }
    if is_made_up(&about) {
        return Err(io::Error::other("it is not an ordinary file: the kernel makes it up"));
    }
    let file = File::open(path)?;
    let is_open = file.metadata()?.permissions().mode() & 0o004 != 0;
    let mut text = Vec::new();
    let length = file.take(MAX_FILE).read_to_end(&mut text)?;
    if u64::try_from(length).unwrap_or(u64::MAX) >= MAX_FILE {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE} bytes")));
    }
    Ok((text, is_open))
}

/// Does it lie where the kernel makes files up? They look like ordinary ones and need not have an end: /proc/kmsg waits for the
/// next message.
fn is_made_up(about: &Metadata) -> bool {
    let is_there = |folder: &str| fs::metadata(folder).is_ok_and(|folder| folder.dev() == about.dev());
    ["/proc", "/sys", "/sys/kernel/tracing", "/sys/kernel/debug"].into_iter().any(is_there) && !is_there("/")
}

/// The paths a pattern stands for, sorted; a path without a pattern stands for itself.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let text = component.as_os_str().to_string_lossy();
        let is_pattern = matches!(component, Component::Normal(_)) && glob::is_pattern(&text);
        if !is_pattern {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        }
        let mut deeper = Vec::new();
        for path in found {
            let here = if path.as_os_str().is_empty() { Path::new(".") } else { &path };
            let entries = fs::read_dir(here).into_iter().flatten().flatten();
            let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
            names.retain(|name| glob::matches(&text, &name.to_string_lossy()));
            names.sort();
            deeper.extend(names.iter().map(|name| path.join(name)));
        }
        found = deeper;
    }
    found
}

#[cfg(test)]
mod tests;
