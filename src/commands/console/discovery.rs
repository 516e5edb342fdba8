//! Which exchanges run on this machine: for a console that was not told which one it means, and for its messages.

use super::client::{Client, Failure};
use super::exchange::Exchange;
use crate::observe::command::CONFIGURATION;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Exchanges that are looked at; a machine has one, rarely a handful.
const MAX_EXCHANGES: usize = 32;
/// The flag of a socket that listens, in /proc/net/unix (`__SO_ACCEPTCON` of the kernel).
const LISTENS: u32 = 0x1_0000;

/// The exchanges of this machine that answer this user, by their sockets; and what keeps this user from another one.
pub(super) fn look() -> (Vec<Exchange>, Option<Failure>) {
    let mut found = Vec::new();
    let mut forbidden = None;
    for socket in sockets().into_iter().take(MAX_EXCHANGES) {
        match Client::connect(std::slice::from_ref(&socket)) {
            Ok(client) => found.extend(exchange(client, socket)),
            Err(failure @ Failure::Forbidden(..)) => forbidden = Some(failure),
            Err(Failure::NotRunning(looked)) => {
                let owner = looked.first().and_then(|looked| looked.closed_by);
                forbidden = owner.map(|owner| Failure::Forbidden(socket, owner)).or(forbidden);
            }
            // It ended just now.
            Err(_) => {}
        }
    }
    found.sort_by(|one, other| one.socket.cmp(&other.socket));
    (found, forbidden)
}

fn exchange(mut client: Client, socket: PathBuf) -> Option<Exchange> {
    let pid = client.pid();
    let settings = client.ask("core show settings").ok().filter(|reply| !reply.failed)?;
    Some(Exchange { socket, pid, directory: directory(&settings.text) })
}

fn directory(settings: &str) -> Option<PathBuf> {
    let value = settings.lines().find_map(|line| line.trim_start().strip_prefix(CONFIGURATION))?.trim();
    Some(PathBuf::from(value)).filter(|path| path.is_absolute())
}

/// The control sockets that somebody listens at: by the name they usually have, or by the program that has them.
fn sockets() -> BTreeSet<PathBuf> {
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let held = held();
    let all = listening(&text).into_iter();
    all.filter(|(inode, path)| has_usual_name(path) || held.contains(inode)).map(|(_, path)| path).collect()
}

fn has_usual_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix("strowger-").is_some_and(|rest| rest.ends_with(".ctl"))
}

/// The sockets with a path that listen (proc(5)): their numbers and paths.
fn listening(text: &str) -> Vec<(u64, PathBuf)> {
    let socket = |line: &str| {
        let mut fields = line.split_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let inode: u64 = fields.nth(2)?.parse().ok()?;
        // A path may hold blanks; it is the rest of the line.
        let path = line.get(line.find(" /")?.checked_add(1)?..)?;
        (flags & LISTENS != 0).then(|| (inode, PathBuf::from(path)))
    };
    text.lines().filter_map(socket).collect()
}

/// The numbers of the sockets that other processes of this program have, as far as this user may see.
fn held() -> BTreeSet<u64> {
    let own = std::process::id();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).filter(|pid| *pid != own);
    let is_ours =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "strowger");
    let links = pids.filter(is_ours).flat_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten());
    let targets = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
    targets.filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_listen_are_read_from_proc() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/strowger/strowger-b993d99f.ctl\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 4712 /run/strowger/strowger-b993d99f.ctl\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 4713 /tmp/a b/x.ctl\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 4714 @abstract\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 4715\nx\n";
        let expected = [(4711, "/run/strowger/strowger-b993d99f.ctl"), (4713, "/tmp/a b/x.ctl")];
        assert_eq!(listening(text), expected.map(|(inode, path)| (inode, PathBuf::from(path))));
        assert!(has_usual_name(Path::new("/x/strowger-b993d99f.ctl")) && !has_usual_name(Path::new("/x/asterisk.ctl")));
    }

    #[test]
    fn the_directory_is_read_from_what_core_show_settings_prints() {
        let text = "\nPBX Core settings\n  Configuration directory:     /etc/my exchange\n  Startup time:  x\n";
        assert_eq!(directory(text), Some(PathBuf::from("/etc/my exchange")));
        assert_eq!(directory(&text.replace("/etc/my exchange", "none")), None);
        let exchange = Exchange { socket: "/x.ctl".into(), pid: Some(7), directory: directory(text) };
        assert_eq!(exchange.to_string(), "-C /etc/my exchange   (pid 7)");
        assert_eq!(Exchange { directory: None, pid: None, ..exchange }.to_string(), "--socket /x.ctl");
    }
}
