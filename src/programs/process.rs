//! A process of a call: in a group of its own, with few variables, none of our descriptors, and an end.

use super::settings::Settings;
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, kill_process_group, pidfd_open, pidfd_send_signal,
};
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// What of our own surroundings a program may know.
const KEPT: &[&str] = &["HOME", "LANG", "TZ", "USER"];
/// The most that a command may print, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;

/// The variable that marks a program and whatever it starts, so that all of it is found again.
const MARK: &str = "STROWGER_RUN";
/// How often processes with the mark are looked for: one may start another meanwhile.
const SWEEPS: usize = 4;

/// A running process; dropped before its end, it is killed with its group.
pub(super) struct Process {
    pub(super) child: Child,
    group: Option<Pid>,
    /// `STROWGER_RUN=...`, as its environment has it.
    mark: String,
}

/// How a program begins: its surroundings, and no descriptors.
pub(super) fn command(program: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", &settings.path);
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(folder) = &settings.folder {
        command.env("AST_CONFIG_DIR", folder);
    }
    if let Some(folder) = settings.script_folders.first() {
        command.env("AST_AGI_DIR", folder);
    }
    command.current_dir("/").process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Process {
    /// Starts it.
    pub(super) fn spawn(mut command: Command) -> io::Result<Process> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let run = format!("{}-{}", getpid().as_raw_nonzero(), RUNS.fetch_add(1, Ordering::Relaxed));
        let child = command.env(MARK, &run).spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Process { child, group, mark: format!("{MARK}={run}") })
    }

    /// Waits for its end.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // From now on the number may be another's.
        self.group = None;
        status
    }

    /// Sends the process a signal, as long as it runs.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.group {
            let _ = kill_process(pid, signal);
        }
    }

    /// Ends it and its children, also those that left its group (`setsid`).
    pub(super) fn kill(&self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = (0..SWEEPS).find(|_| sweep(&self.mark, group) == 0);
        }
    }
}

/// Ends the processes that have this in their environment, but for the first of them, which is waited for; says how many.
/// One that has taken it out goes on.
fn sweep(mark: &str, first: Pid) -> usize {
    let numbers = std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
        let number: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(number).filter(|pid| *pid != first)
    });
    numbers.filter(|pid| end_marked(*pid, mark).is_some()).count()
}

fn end_marked(pid: Pid, mark: &str) -> Option<()> {
    // Another's environment cannot be read, and the number is held before it is looked at: it may not be another's then.
    let environment = || std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok();
    let is_marked = |all: &[u8]| all.split(|byte| *byte == 0).any(|one| one == mark.as_bytes());
    environment().filter(|all| is_marked(all))?;
    let held = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    environment().filter(|all| is_marked(all))?;
    pidfd_send_signal(&held, Signal::KILL).ok()
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command of the shell to its end; gives its status, and what it printed when that is wanted.
pub(super) async fn run(text: &str, wants_output: bool, settings: &Settings) -> (Result<i32, String>, String) {
    let mut shell = command(Path::new("/bin/sh"), settings);
    shell.arg("-c").arg(text);
    if wants_output {
        shell.stdout(Stdio::piped());
    }
    let mut process = match Process::spawn(shell) {
        Ok(process) => process,
        Err(error) => return (Err(format!("/bin/sh cannot be started: {error}")), String::new()),
    };
    let time = if wants_output { settings.shell_time } else { settings.system_time };
    let mut output = Vec::new();
    let ended = tokio::time::timeout(time, async {
        if let Some(stdout) = process.child.stdout.take() {
            // One byte more tells that there was more.
            let most = u64::try_from(MAX_OUTPUT).unwrap_or(u64::MAX).saturating_add(1);
            let _ = stdout.take(most).read_to_end(&mut output).await;
        }
        if output.len() > MAX_OUTPUT { None } else { Some(process.wait().await) }
    })
    .await;
    let status = match ended {
        Ok(Some(Ok(status))) => status.code().ok_or_else(|| "a signal ended it".to_owned()),
        Ok(Some(Err(error))) => Err(format!("its end was not seen: {error}")),
        Ok(None) => Err(format!("it printed more than {MAX_OUTPUT} bytes and was stopped")),
        Err(_) => Err(format!("it took more than {} and was stopped", seconds(time))),
    };
    if status.is_err() {
        process.kill();
        let _ = process.wait().await;
    }
    (status, String::from_utf8_lossy(&output).into_owned())
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
