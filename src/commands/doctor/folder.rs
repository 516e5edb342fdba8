//! Folders: who may read the configuration, who may write the state, and how much room is left.

use super::finding::Finding;
use crate::config::Config;
use crate::observe::socket_path::{self, Surroundings};
use rustix::fs::{Access, AtFlags, StatVfsMountFlags};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Less room than this, in bytes, is soon used up by records and the log.
const LITTLE_ROOM: u64 = 64 * 1024 * 1024;
const FILES: [&str; 5] = ["sip.conf", "extensions.conf", "rtp.conf", "acl.conf", "strowger.toml"];

/// The user an exchange runs as, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The owner of the state folder, which is the service's user; else this user.
    pub(super) fn of(state: &Path) -> User {
        let own = User { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
        fs::metadata(state).map_or(own, |found| User { uid: found.uid(), gid: found.gid() })
    }

    /// Whether these three bits (4 read, 2 write, 1 look into) are granted to this user. Further groups are not known.
    fn may(self, bits: u32, found: &Metadata) -> bool {
        granted(self, bits, found.mode(), User { uid: found.uid(), gid: found.gid() })
    }
}

fn granted(user: User, bits: u32, mode: u32, owner: User) -> bool {
    let class = if user.uid == owner.uid {
        mode >> 6
    } else if user.gid == owner.gid {
        mode >> 3
    } else {
        mode
    };
    user.uid == 0 || class & bits == bits
}

/// Where an exchange with the configuration of this name, started by this user, keeps its state: what it is told, else
/// the first of its usual places that can be written to, or made.
pub(in crate::commands) fn state_folder(config: &Config, identity: &Path) -> PathBuf {
    if let Some(told) = &config.toml.state.folder {
        return identity.join(told);
    }
    let around = Surroundings::of_this_process();
    let usual = socket_path::state_places(&around, identity);
    let first = usual.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    usual.into_iter().find(|folder| is_usable(folder)).unwrap_or(first)
}

/// Where recordings with a relative name go, and whether the exchange can write there. Nothing is made.
pub(super) fn recordings(config: &Config, state: &Path, user: User) -> Finding {
    let may_write = |folder: &Path| {
        let nearest = folder.ancestors().find_map(|above| fs::metadata(above).ok());
        nearest.is_some_and(|found| found.is_dir() && user.may(3, &found))
    };
    let spool = config.asterisk.spool.as_deref().map(|spool| spool.join("monitor"));
    let own = state.join("recordings");
    match spool {
        Some(spool) if may_write(&spool) => Finding::fine("recordings", format!("they go into {}", spool.display())),
        Some(spool) if may_write(&own) => Finding::note(
            "recordings",
            format!(
                "{} (astspooldir) cannot be written by the user of the exchange: they go into {}",
                spool.display(),
                own.display()
            ),
        ),
        None if may_write(&own) => Finding::fine("recordings", format!("they go into {}", own.display())),
        Some(_) | None => Finding::todo(
            "recordings",
            format!("{} cannot be written by the user of the exchange", own.display()),
            "give that folder to the user that owns the state folder (chown)",
        ),
    }
}

/// Whether this user can write to the folder, or make it. Nothing is made.
fn is_usable(folder: &Path) -> bool {
    let Some(there) = folder.ancestors().find(|place| fs::symlink_metadata(place).is_ok()) else { return false };
    let access = Access::WRITE_OK | Access::EXEC_OK;
    there.is_dir() && rustix::fs::accessat(rustix::fs::CWD, there, access, AtFlags::EACCESS).is_ok()
}

/// The configuration folder: readable to the exchange, and its secrets to nobody else.
pub(super) fn configuration(folder: &Path, user: User) -> Vec<Finding> {
    let shown = folder.display();
    let at = match fs::metadata(folder) {
        Ok(at) => at,
        Err(error) => {
            let advice = "run the doctor as root, or name another folder with -C";
            return vec![Finding::todo("config", format!("{shown} cannot be looked into: {error}"), advice)];
        }
    };
    let mut findings = Vec::new();
    if at.mode() & 0o002 != 0 {
        findings.push(Finding::todo("config", format!("everyone may change {shown}"), format!("chmod o-w {shown}")));
    }
    if !user.may(5, &at) {
        let what = format!("the exchange's user ({}) may not look into {shown}", user.uid);
        findings.push(Finding::todo("config", what, format!("chgrp {} {shown}; chmod 2750 {shown}", user.gid)));
    }
    for path in FILES.iter().map(|name| folder.join(name)) {
        let Ok(found) = fs::metadata(&path) else { continue };
        let shown = path.display();
        if !user.may(4, &found) {
            let what = format!("the exchange's user ({}) may not read {shown}", user.uid);
            findings.push(Finding::todo("config", what, format!("chgrp {} {shown}; chmod 0640 {shown}", user.gid)));
        }
        // A folder that strangers cannot enter keeps its files from them, whatever their own modes.
        if path.ends_with("sip.conf") && found.mode() & 0o004 != 0 && at.mode() & 0o001 != 0 {
            let what = format!("everyone on this machine can read the secrets in {shown}");
            findings.push(Finding::todo("config", what, format!("chmod o= {shown}")));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fine("config", format!("{shown} is readable to the exchange, and closed to others")));
    }
    findings
}

/// The state folder: the exchange's own, and closed to others.
pub(super) fn state(folder: &Path, user: User) -> Vec<Finding> {
    let shown = folder.display();
    match fs::metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            vec![Finding::note("state", format!("{shown} does not exist yet: the first start makes it"))]
        }
        Err(error) => {
            let advice = "run the doctor as root, or name another with [state] folder in strowger.toml";
            vec![Finding::todo("state", format!("{shown} cannot be looked into: {error}"), advice)]
        }
        Ok(found) if !found.is_dir() => {
            let advice = "remove it, or name another with [state] folder in strowger.toml";
            vec![Finding::todo("state", format!("{shown} is not a folder"), advice)]
        }
        Ok(found) if !user.may(7, &found) => {
            let what = format!("the exchange's user ({}) may not write to {shown}", user.uid);
            vec![Finding::todo("state", what, format!("chown {} {shown}; chmod 0700 {shown}", user.uid))]
        }
        Ok(found) if found.mode() & 0o007 != 0 => {
            let what = format!("others may look into {shown}, where secrets and call records are");
            vec![Finding::todo("state", what, format!("chmod o= {shown}"))]
        }
        Ok(_) => vec![Finding::fine("state", format!("{shown} is the exchange's own"))],
    }
}

/// Room where the state is, or will be.
pub(super) fn disk(folder: &Path) -> Finding {
    let there = folder.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let shown = folder.display();
    match rustix::fs::statvfs(there) {
        Ok(disk) => judged_disk(
            &shown.to_string(),
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_files == 0 || disk.f_favail > 0,
            disk.f_flag.contains(StatVfsMountFlags::RDONLY),
        ),
        Err(error) => Finding::note("disk", format!("the room left for {shown} is not known: {error}")),
    }
}

fn judged_disk(shown: &str, free: u64, has_inodes: bool, is_read_only: bool) -> Finding {
    let elsewhere = "or move the state: [state] folder in strowger.toml";
    let megabytes = free / (1024 * 1024);
    if is_read_only {
        let advice = format!("mount it for writing (a worn SD card becomes read-only: dmesg says so), {elsewhere}");
        return Finding::todo("disk", format!("the disk of {shown} is read-only"), advice);
    }
    if !has_inodes {
        let advice = format!("remove files nobody needs, {elsewhere}");
        return Finding::todo("disk", format!("the disk of {shown} cannot hold another file"), advice);
    }
    if free < LITTLE_ROOM {
        let advice = format!("remove what nobody needs (journalctl --vacuum-size=100M), {elsewhere}");
        return Finding::todo("disk", format!("only {megabytes} MB are left for {shown}"), advice);
    }
    Finding::fine("disk", format!("{megabytes} MB are left for {shown}"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn access_is_the_first_class_that_fits() {
        let (ann, ben) = (User { uid: 1, gid: 1 }, User { uid: 2, gid: 1 });
        let root = User { uid: 0, gid: 0 };
        assert!(granted(ann, 4, 0o640, ann) && granted(ben, 4, 0o640, ann) && !granted(ben, 2, 0o640, ann));
        assert!(!granted(ann, 4, 0o077, ann) && !granted(User { uid: 3, gid: 3 }, 4, 0o640, ann));
        assert!(granted(root, 6, 0o000, ann));
    }

    #[test]
    fn what_is_open_or_closed_too_far_is_said() {
        let folder = std::env::temp_dir().join(format!("strowger-doctor-{}", std::process::id()));
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("sip.conf"), "").unwrap();
        let found = fs::metadata(&folder).unwrap();
        let own = User { uid: found.uid(), gid: found.gid() };
        // Nobody's: neither owner nor group, and never root.
        let other = User { uid: own.uid.wrapping_add(4711), gid: own.gid.wrapping_add(4711) };

        mode(&folder, 0o750);
        mode(&folder.join("sip.conf"), 0o644);
        assert_eq!(configuration(&folder, own)[0].state, State::Fine);
        let todo = configuration(&folder, other);
        assert!(todo[0].what.contains("may not look into") && todo.len() == 1, "{todo:?}");
        mode(&folder, 0o757);
        let todo = configuration(&folder, other);
        assert!(todo[0].what.starts_with("everyone may change") && todo[1].what.contains("secrets"), "{todo:?}");
        mode(&folder.join("sip.conf"), 0o600);
        assert!(configuration(&folder, other).iter().any(|found| found.what.contains("may not read")));

        mode(&folder, 0o700);
        assert_eq!(state(&folder, own)[0].state, State::Fine);
        assert!(state(&folder, other)[0].what.contains("may not write"));
        mode(&folder, 0o705);
        assert!(state(&folder, own)[0].advice.starts_with("chmod o= "));
        assert!(state(&folder.join("sip.conf"), own)[0].what.ends_with("is not a folder"));
        assert_eq!(state(&folder.join("missing"), own)[0].state, State::Note);
        fs::remove_dir_all(&folder).unwrap();
        assert!(configuration(&folder, own)[0].is_todo());
    }

    #[test]
    fn room() {
        assert_eq!(judged_disk("/x", LITTLE_ROOM, true, false).state, State::Fine);
        assert!(judged_disk("/x", LITTLE_ROOM - 1, true, false).what.contains("63 MB"));
        assert!(judged_disk("/x", LITTLE_ROOM, false, false).is_todo());
        assert!(judged_disk("/x", LITTLE_ROOM, true, true).what.contains("read-only"));
        // The folder above one that does not exist yet is the one that is asked.
        assert!(disk(&std::env::temp_dir().join("strowger-none/state")).what.contains("strowger-none/state"));
    }
}
