//! The folder of the user's own files: what is in it, and no way out of it.

use crate::provision::Mac;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a list of the folder is good for: firmware that was just copied is found when the telephone asks next.
const FRESH: Duration = Duration::from_secs(2);
/// Files that are listed at most.
const MAX_FILES: usize = 10_000;
/// Folders within folders.
const MAX_DEPTH: usize = 4;
/// Where this lies, the configuration does, with its passwords.
const CONFIGURATION: &str = "sip.conf";

/// The folder. It need not exist.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    listed: Option<Instant>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Folder {
        Folder { path, listed: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the files, unless they were listed a moment ago.
    pub(super) fn changed(&mut self) -> Option<Vec<String>> {
        if self.listed.is_some_and(|listed| listed.elapsed() < FRESH) {
            return None;
        }
        self.listed = Some(Instant::now());
        let mut names = Vec::new();
        if let Err(error) = fs::read_dir(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            // Such as that no descriptor is left: what is there is no less there.
            return None;
        }
        list(&self.path, "", MAX_DEPTH, &mut names);
        names.sort();
        Some(names)
    }

    /// The device whose file a link leads to: by another name it is no less its file.
    pub(super) fn device_behind(&self, name: &str) -> Option<Mac> {
        let folder = self.path.canonicalize().ok()?;
        let path = folder.join(name).canonicalize().ok()?;
        Mac::in_name(path.strip_prefix(&folder).ok()?.to_str()?)
    }

    /// Opens a file of it, with its length. A link may lead to another file of the folder, and not out of it.
    ///
    /// # Errors
    /// Why it cannot be given, as the rest of a sentence.
    pub(super) fn open(&self, name: &str) -> Result<(File, u64), String> {
        let text = |error: std::io::Error| error.to_string();
        let folder = self.path.canonicalize().map_err(text)?;
        let path = folder.join(name).canonicalize().map_err(text)?;
        if !path.starts_with(&folder) {
            return Err("the file is a link that leads out of the folder: copy the file instead".to_owned());
        }
        let mut above = path.ancestors().skip(1).take_while(|above| above.starts_with(&folder));
        if let Some(configuration) = above.find(|above| above.join(CONFIGURATION).exists()) {
            return Err(format!(
                "{CONFIGURATION} lies in {}, so what lies there has passwords in it: give the files of telephones a folder of their own",
                configuration.display()
            ));
        }
        // Before it is opened: to open a pipe would wait for who writes to it.
        if !fs::metadata(&path).map_err(text)?.is_file() {
            return Err("it is no ordinary file".to_owned());
        }
        let file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                format!("the exchange may not read {}: give its group leave (chmod g+r)", path.display())
            }
            _ => error.to_string(),
        })?;
        let length = file.metadata().map_err(text)?.len();
        Ok((file, length))
    }
}

/// Hidden files are left out; a link to a folder is not followed.
fn list(folder: &Path, before: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if names.len() >= MAX_FILES {
            return;
        }
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        let full = format!("{before}{name}");
        if kind.is_dir() && depth > 1 {
            list(&entry.path(), &format!("{full}/"), depth.saturating_sub(1), names);
        } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
            names.push(full);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_are_listed_and_opened_and_nothing_outside() {
        let root = std::env::temp_dir().join(format!("strowger-phone-folder-{}", std::process::id()));
        let inside = root.join("inside");
        fs::create_dir_all(inside.join("sub")).unwrap();
        fs::write(root.join("secret"), "outside").unwrap();
        fs::write(inside.join("a.cfg"), "abc").unwrap();
        fs::write(inside.join("sub/b.cfg"), "b").unwrap();
        fs::write(inside.join(".hidden"), "").unwrap();
        symlink(root.join("secret"), inside.join("out")).unwrap();
        symlink(inside.join("a.cfg"), inside.join("in")).unwrap();
        symlink(&root, inside.join("up")).unwrap();
        let mut folder = Folder::new(inside);
        assert_eq!(folder.changed().unwrap(), ["a.cfg", "in", "out", "sub/b.cfg"]);
        assert_eq!(folder.changed(), None);
        let read = |name: &str| {
            let (mut file, length) = folder.open(name)?;
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text.len() as u64, length);
            Ok::<String, String>(text)
        };
        assert_eq!(
            (read("a.cfg").unwrap(), read("in").unwrap(), read("sub/b.cfg").unwrap()),
            ("abc".into(), "abc".into(), "b".into())
        );
        assert!(read("out").unwrap_err().contains("leads out of the folder"));
        assert!(read("../secret").unwrap_err().contains("leads out of the folder"));
        assert!(read("up/secret").unwrap_err().contains("leads out of the folder"));
        assert!(read("/etc/hostname").unwrap_err().contains("leads out of the folder"));
        assert!(read("sub").unwrap_err().contains("no ordinary file"));
        assert!(read("none").is_err());
        assert_eq!((folder.device_behind("a.cfg"), folder.device_behind("none")), (None, None));
        fs::write(folder.path().join("SIP0014A9BC0001.cnf"), "").unwrap();
        symlink("SIP0014A9BC0001.cnf", folder.path().join("kitchen.cnf")).unwrap();
        assert_eq!(folder.device_behind("kitchen.cnf"), Mac::parse("0014A9BC0001"));
        // The folder of the configuration, or one above it, is no folder for this.
        fs::write(folder.path().join("sub/sip.conf"), "secret=").unwrap();
        assert_eq!(read("a.cfg").unwrap(), "abc");
        for name in ["sub/sip.conf", "sub/b.cfg"] {
            assert!(read(name).unwrap_err().contains("a folder of their own"), "{name}");
        }
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(Folder::new(root).changed(), Some(Vec::new()));
    }
}
