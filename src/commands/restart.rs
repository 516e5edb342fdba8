//! `core restart`: the program takes its own place, under the same process number, so that whoever started it (systemd, a
//! shell) sees it go on.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// How this process was started.
pub(super) struct Program {
    path: io::Result<PathBuf>,
    arguments: Vec<OsString>,
}

impl Program {
    /// To be asked for early: once an upgrade has put another file in the program's place, the system only says that ours is gone.
    pub(super) fn of_this_process() -> Program {
        Program { path: std::env::current_exe(), arguments: std::env::args_os().collect() }
    }

    /// Starts it again in this very process. Only a failure comes back; sockets and files of ours are closed by the system.
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
        command.args(arguments).exec()
    }
}
