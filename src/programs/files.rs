//! Files that the dialplan reads and writes, off every thread that must not wait: `FILE()` and its like.

use super::settings::Settings;
use crate::dialplan::files::{Applied, FileAction, FileRequest, MAX_FILE};
use crate::wording::outside;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a file may take: one on a disk of the net may never answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most files in a folder that the dialplan writes to.
const MAX_FILES: usize = 10_000;

/// One change at a time: what two calls write to the same file is not mixed.
static CHANGES: Mutex<()> = Mutex::new(());

/// Does what is asked for; the answer, or why there is none.
pub(super) async fn act(request: FileRequest, settings: &Settings) -> Result<String, String> {
    let path = place(&request, settings)?;
    let work = tokio::task::spawn_blocking(move || {
        let name = outside(&path.display().to_string()).to_string();
        carried_out(&request, &path).map_err(|why| format!("the file '{name}': {why}"))
    });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err("it could not be done: please report it".to_owned()),
        Err(_) => Err(format!("the disk did not answer for {} s", PATIENCE.as_secs())),
    }
}

/// Where the file is, and whether it may be changed.
fn place(request: &FileRequest, settings: &Settings) -> Result<PathBuf, String> {
    let (name, path) = (outside(&request.path), Path::new(&request.path));
    let own = settings.files.as_ref();
    let path = match own {
        _ if path.is_absolute() => path.to_owned(),
        Some(own) => own.join(path),
        None => {
            return Err(format!("the file '{name}' has no folder: the exchange keeps no state; write its full name"));
        }
    };
    let folders: Vec<&PathBuf> = own.into_iter().chain(&settings.recordings).collect();
    if request.writes() && !folders.iter().any(|folder| path.starts_with(folder)) {
        let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        return Err(match places.is_empty() {
            true => format!("'{name}' is not written: the exchange keeps no state, and writes nowhere"),
            false => format!("'{name}' is not written: files are written below {} only", places.join(" and ")),
        });
    }
    Ok(path)
}

fn carried_out(request: &FileRequest, path: &Path) -> Result<String, String> {
    if let FileAction::Stat(flag) = request.action {
        return Ok(fs::metadata(path).map_or("0".to_owned(), |known| stat(flag, &known)));
    }
    if request.action == FileAction::Delete {
        return fs::remove_file(path).map(|()| String::new()).map_err(plain);
    }
    let _one = if request.writes() { Some(CHANGES.lock().unwrap_or_else(PoisonError::into_inner)) } else { None };
    let content = if request.needs_content() { content(path, request.writes())? } else { Vec::new() };
    match request.applied(&content) {
        Applied::Value(text) => return Ok(text),
        Applied::Append(text) => append(path, &text)?,
        Applied::Content(bytes) => replace(path, &bytes)?,
    }
    Ok(String::new())
}

/// The content of a file; none of one that is about to be made.
fn content(path: &Path, is_made: bool) -> Result<Vec<u8>, String> {
    // A pipe or a device would be waited for without end.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = match OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        Err(error) if is_made && error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(plain)?,
    };
    let known = file.metadata().map_err(plain)?;
    if !known.is_file() {
        return Err("it is no file with a content".to_owned());
    }
    let mut content = Vec::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    // One byte more tells that there is more.
    file.take(most.saturating_add(1)).read_to_end(&mut content).map_err(plain)?;
    if content.len() > MAX_FILE { Err(too_large()) } else { Ok(content) }
}

fn append(path: &Path, text: &str) -> Result<(), String> {
    let size = fs::symlink_metadata(path).map_or(0, |known| known.len());
    let added = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if size.saturating_add(added) > u64::try_from(MAX_FILE).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut file = opened(path, OpenOptions::new().append(true))?;
    file.write_all(text.as_bytes()).map_err(plain)
}

fn replace(path: &Path, content: &[u8]) -> Result<(), String> {
    if content.len() > MAX_FILE {
        return Err(too_large());
    }
    let mut file = opened(path, OpenOptions::new().write(true).truncate(true))?;
    file.write_all(content).map_err(plain)
}

/// Opens a file to write to it, and makes it, and the folder it is in, when they are not there.
fn opened(path: &Path, options: &mut OpenOptions) -> Result<File, String> {
    if let Some(folder) = path.parent().filter(|_| fs::symlink_metadata(path).is_err()) {
        let made = if folder.exists() { Ok(()) } else { fs::create_dir(folder) };
        made.map_err(|error| format!("its folder is not there, and is not made: {}", plain(error)))?;
        let full = fs::read_dir(folder).map_err(plain)?.take(MAX_FILES).count() >= MAX_FILES;
        if full {
            return Err(format!("its folder holds {MAX_FILES} files already: delete some"));
        }
    }
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = options.create(true).mode(0o640).custom_flags(i32::try_from(flags.bits()).unwrap_or(0)).open(path);
    let file = file.map_err(plain)?;
    let is_file = file.metadata().map_err(plain)?.is_file();
    if is_file { Ok(file) } else { Err("it is no file with a content".to_owned()) }
}

fn stat(flag: char, known: &Metadata) -> String {
    let yes = |is: bool| u8::from(is).to_string();
    match flag {
        'd' => yes(known.is_dir()),
        'e' => yes(true),
        'f' => yes(known.is_file()),
        's' => known.len().to_string(),
        'm' => format!("{:o}", known.mode()),
        'A' => known.atime().to_string(),
        'C' => known.ctime().to_string(),
        _ => known.mtime().to_string(),
    }
}

fn too_large() -> String {
    format!("it has, or would have, more than {MAX_FILE} bytes: an AGI script can work with it")
}

fn plain(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "the exchange may not open it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("strowger-files-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        fn does(&self, request: Result<FileRequest, String>) -> Result<String, String> {
            let settings = Settings { files: Some(self.0.join("files")), ..Settings::default() };
            let request = request?;
            let path = place(&request, &settings)?;
            carried_out(&request, &path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_made_changed_and_read() {
        let folder = Folder::new("made");
        assert!(folder.does(FileRequest::read("notes")).unwrap_err().contains("not there"));
        assert_eq!(folder.does(FileRequest::stat("e,notes")), Ok("0".to_owned()));
        folder.does(FileRequest::write("notes,,,al", "one")).unwrap();
        folder.does(FileRequest::write("notes,,,al", "two")).unwrap();
        folder.does(FileRequest::write("notes,0,1,l", "first")).unwrap();
        assert_eq!(folder.does(FileRequest::read("notes")), Ok("first\ntwo\n".to_owned()));
        assert_eq!(folder.does(FileRequest::count("notes")), Ok("2".to_owned()));
        assert_eq!(folder.does(FileRequest::stat("s,notes")), Ok("10".to_owned()));
        let mode = folder.does(FileRequest::stat("m,notes")).unwrap();
        assert!(mode.starts_with("100") && !mode.ends_with('7'), "{mode}");
    }

    #[test]
    fn nothing_is_written_elsewhere_and_nothing_without_end_is_read() {
        let folder = Folder::new("elsewhere");
        let refused = folder.does(FileRequest::write("/etc/strowger-test", "x")).unwrap_err();
        assert!(refused.contains("files are written below"), "{refused}");
        assert!(folder.does(FileRequest::read("/dev/zero")).unwrap_err().contains("no file"));
        fs::create_dir_all(folder.0.join("files")).unwrap();
        std::os::unix::fs::symlink("/tmp/strowger-elsewhere", folder.0.join("files/link")).unwrap();
        assert!(folder.does(FileRequest::write("link", "x")).is_err());
        fs::write(folder.0.join("files/large"), vec![b'x'; MAX_FILE + 1]).unwrap();
        assert!(folder.does(FileRequest::read("large")).unwrap_err().contains("more than"));
        assert!(folder.does(FileRequest::write("large,,,a", "x")).unwrap_err().contains("more than"));
        let nowhere = place(&FileRequest::write("/x/y", "x").unwrap(), &Settings::default()).unwrap_err();
        assert!(nowhere.contains("keeps no state"), "{nowhere}");
    }
}
