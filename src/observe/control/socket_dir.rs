//! The socket's file and its folder: made so that nobody but the owner ever comes in.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, AtFlags, FlockOperation, Mode};
use socket2::{Domain, SockAddr, Socket, Type};

/// The first place whose folder is fit to hold the socket, its folder made if need be. The error says for each place
/// why it is not.
pub fn choose(places: &[PathBuf]) -> Result<PathBuf, String> {
    let mut reasons = String::from("no place for the control socket:");
    for place in places {
        let folder = place.parent().unwrap_or(Path::new("."));
        match make(folder).map_err(|error| error.to_string()).and_then(|()| is_fit(folder)) {
            Ok(()) => return Ok(place.clone()),
            Err(why) => reasons += &format!("\n  {}: {why}", folder.display()),
        }
    }
    Err(reasons + "\nName one that this user may write to: [control] socket in strowger.toml, or --socket")
}

/// Makes the folder, and those above it, for the owner alone; one that exists stays as it is.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Waits, for a moment at most, until nobody else opens a socket in this folder; the turn ends with the value.
pub(super) async fn take_turn(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    for _ in 0..100 {
        if rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Some(folder);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// Binds and listens. The mode is set before the file exists: Linux gives the file the mode of the unbound socket.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(&SockAddr::unix(path)?)?;
    rustix::fs::chmod(path, Mode::RUSR | Mode::WUSR)?;
    socket.listen(64)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The folder belongs to us or root, we may write to it, and nobody else may.
fn is_fit(folder: &Path) -> Result<(), String> {
    let found = std::fs::metadata(folder).map_err(|error| error.to_string())?;
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own && found.uid() != 0 {
        return Err(format!("belongs to another user ({})", found.uid()));
    }
    if found.mode() & 0o022 != 0 {
        return Err(format!("others may write to it (mode {:04o})", found.mode() & 0o7777));
    }
    rustix::fs::accessat(rustix::fs::CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
        .map_err(|error| io::Error::from(error).to_string())
}
