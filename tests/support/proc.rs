//! What the system says of a process.

use std::fs;
use std::time::Duration;

/// Open descriptors.
pub fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

/// Threads.
pub fn threads(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/task")).unwrap().count()
}

/// The thread of this name.
pub fn thread(process: u32, name: &str) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let mut ids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    ids.find(|id| {
        fs::read_to_string(format!("/proc/{process}/task/{id}/comm")).is_ok_and(|comm| comm.trim_end() == name)
    })
}

/// Bytes of memory that are its own: what the program's file maps in is not counted, for the system may drop it.
pub fn resident(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Processor time spent, in steps of 10 ms.
pub fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = rest.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// UDP sockets it holds: SIP's, and those of calls.
pub fn udp_sockets(process: u32) -> usize {
    let table =
        fs::read_to_string("/proc/net/udp").unwrap() + &fs::read_to_string("/proc/net/udp6").unwrap_or_default();
    let inodes: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().nth(9)).collect();
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let targets = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok()?.to_str().map(str::to_owned));
    let sockets = targets
        .filter_map(|target| target.strip_prefix("socket:[").map(|inode| inode.trim_end_matches(']').to_owned()));
    sockets.filter(|inode| inodes.contains(&inode.as_str())).count()
}
