//! The control socket: an owner-only UNIX socket that takes console lines, returns their output, and sends consoles
//! the log.
//!
//! It does not know the switch: lines go into a bounded queue, and each reply comes back by its own channel.

mod connection;
mod log_subscription;
mod socket_dir;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::log_stream::LogStream;
pub use connection::{Limits, Request};
pub use socket_dir::choose;

/// Why there is no control socket.
#[derive(Debug)]
pub enum OpenError {
    /// Another exchange listens there; its process, if known.
    AlreadyRunning(PathBuf, Option<i32>),
    /// Something that is no socket has that name.
    NotASocket(PathBuf),
    /// The system refused a step.
    Refused(&'static str, PathBuf, io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::AlreadyRunning(path, pid) => {
                let pid = pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
                write!(
                    f,
                    "another strowger{pid} already runs with this configuration, with its socket at {}. Stop it with \
                     'core stop now', or start this one with another directory (-C)",
                    path.display()
                )
            }
            OpenError::NotASocket(path) => write!(
                f,
                "{} is in the way of the control socket and is not a socket: remove it, or name another place \
                 ([control] socket in strowger.toml)",
                path.display()
            ),
            OpenError::Refused(step, path, error) => write!(
                f,
                "cannot {step} {}: {error}. Give this user the right to write there, or name another place \
                 ([control] socket in strowger.toml)",
                path.display()
            ),
        }
    }
}

impl std::error::Error for OpenError {}

/// The open socket. Its file goes away with it.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    inode: Option<(u64, u64)>,
}

impl ControlSocket {
    /// Opens the socket with mode 0600, in a folder made with mode 0700 if there is none. What a dead exchange left
    /// is replaced; one that lives is left alone. Must be called inside a tokio runtime.
    pub async fn open(path: &Path) -> Result<ControlSocket, OpenError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        socket_dir::make(folder).map_err(|error| OpenError::Refused("make the folder", folder.to_path_buf(), error))?;
        // Two that start at once must not remove each other's socket between the look and the bind.
        let _turn = socket_dir::take_turn(folder).await;
        clear(path).await?;
        let listener = socket_dir::bind(path).map_err(|error| OpenError::Refused("open", path.to_path_buf(), error))?;
        let listener = UnixListener::from_std(listener)
            .map_err(|error| OpenError::Refused("listen at", path.to_path_buf(), error))?;
        Ok(ControlSocket { listener, path: path.to_path_buf(), inode: inode(path) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves consoles until the receiver of `requests` is closed; then replies under way are still delivered.
    /// Lines of `log` go to the consoles that asked for them.
    pub async fn serve(self, requests: mpsc::Sender<Request>, log: LogStream, limits: Limits) {
        let room = Arc::new(Semaphore::new(limits.connections));
        let admittance = Admittance { requests: requests.clone(), log, limits, room };
        let mut consoles = JoinSet::new();
        loop {
            tokio::select! {
                () = requests.closed() => break,
                Some(_) = consoles.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => admittance.admit(stream, &mut consoles),
                    // Out of descriptors, most likely: the consoles that are open go on.
                    Err(_) => tokio::time::sleep(limits.again).await,
                },
            }
        }
        let _ = tokio::time::timeout(limits.farewell, async { while consoles.join_next().await.is_some() {} }).await;
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Only our own file: a successor may have put its socket there.
        if self.inode.is_some() && inode(&self.path) == self.inode {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What a new console needs, and whether there is room for one.
struct Admittance {
    requests: mpsc::Sender<Request>,
    log: LogStream,
    limits: Limits,
    room: Arc<Semaphore>,
}

impl Admittance {
    fn admit(&self, stream: UnixStream, consoles: &mut JoinSet<()>) {
        let own = rustix::process::geteuid().as_raw();
        if !stream.peer_cred().is_ok_and(|peer| is_allowed(peer.uid(), own)) {
            return connection::turn_away(&stream, "the control socket serves only its owner and root");
        }
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            let text = format!("{} consoles are connected already; close one of them", self.limits.connections);
            return connection::turn_away(&stream, &text);
        };
        let (requests, log, limits) = (self.requests.clone(), self.log.clone(), self.limits);
        consoles.spawn(async move {
            connection::attend(stream, requests, log, limits).await;
            drop(place);
        });
    }
}

/// Who connected, as the kernel says (SO_PEERCRED), must be the owner or root.
fn is_allowed(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

/// Makes the place free, unless somebody alive has it.
async fn clear(path: &Path) -> Result<(), OpenError> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(OpenError::Refused("look at", path.to_path_buf(), error)),
    };
    if !found.file_type().is_socket() {
        return Err(OpenError::NotASocket(path.to_path_buf()));
    }
    match UnixStream::connect(path).await {
        Ok(stream) => {
            let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
            Err(OpenError::AlreadyRunning(path.to_path_buf(), pid))
        }
        // Its queue is full: it exists, and is busy or stopped.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(OpenError::AlreadyRunning(path.to_path_buf(), None))
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)
            .map_err(|error| OpenError::Refused("remove the old socket", path.to_path_buf(), error)),
        Err(error) => Err(OpenError::Refused("find out who listens at", path.to_path_buf(), error)),
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
