//! `core restart`: the program takes its own place, under the same process number, so that whoever started it (systemd,
//! a shell) sees it go on.

use crate::daemon::systemd::Activation;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// How this process was started.
pub(super) struct Program {
    path: io::Result<PathBuf>,
    arguments: Vec<OsString>,
    /// Sockets that systemd opened for it.
    activation: Activation,
}

impl Program {
    /// Call it early: once an upgrade has replaced the program's file, the system only reports that ours was deleted.
    pub(super) fn of_this_process() -> Program {
        let activation = Activation::from_environment();
        Program { path: std::env::current_exe(), arguments: std::env::args_os().collect(), activation }
    }

    /// Sockets that systemd opened for it.
    pub(super) fn activation(&self) -> &Activation {
        &self.activation
    }

    /// Starts it again in this process. Returns only on failure; the system closes our sockets and files, but
    /// for those that systemd opened.
    pub(super) fn execute(self) -> io::Error {
        let path = match self.path {
            Ok(path) => path,
            Err(error) => return error,
        };
        let mut command = Command::new(path);
        let mut arguments = self.arguments.into_iter();
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        match self.activation.hand_on(command.args(arguments)) {
            Ok(()) => command.exec(),
            Err(error) => error,
        }
    }
}
