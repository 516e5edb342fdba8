//! The other programs of this machine, as far as this user may see them.

use super::proc::socket_inode;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;

/// A running program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Its name, cut by the kernel after 15 bytes.
    pub(super) name: String,
}

impl Process {
    pub(super) fn is_strowger(&self) -> bool {
        self.name == "strowger"
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' (pid {})", self.name, self.pid)
    }
}

/// All programs but this one.
pub(super) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let others = pids.filter(|pid| *pid != std::process::id());
    let mut found: Vec<Process> = others.filter_map(named).collect();
    found.sort();
    found
}

/// Which programs hold these sockets. Other users' are seen by root alone.
pub(super) fn holders(processes: &[Process], inodes: &BTreeSet<u64>) -> BTreeMap<u64, Process> {
    let mut found = BTreeMap::new();
    for process in processes {
        for entry in fs::read_dir(format!("/proc/{}/fd", process.pid)).into_iter().flatten().flatten() {
            let link = fs::read_link(entry.path()).ok();
            let inode = link.as_deref().and_then(|link| socket_inode(link.to_str()?));
            if let Some(inode) = inode.filter(|inode| inodes.contains(inode)) {
                found.entry(inode).or_insert_with(|| process.clone());
            }
        }
    }
    found
}

fn named(pid: u32) -> Option<Process> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(Process { pid, name: name.trim_end().to_owned() })
}
