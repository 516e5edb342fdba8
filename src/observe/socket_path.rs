//! Where the control socket lies: which places the exchange tries, and which a console has to look in.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The configuration directory when none is named.
pub const DEFAULT_CONFIG: &str = "/etc/strowger";

/// What of the surroundings decides the place, as values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `$RUNTIME_DIRECTORY`: set by systemd for the service alone; may hold several, separated by colons.
    pub runtime_directory: Option<OsString>,
    /// `$STATE_DIRECTORY`: likewise.
    pub state_directory: Option<OsString>,
    /// `$LOGS_DIRECTORY`: likewise.
    pub logs_directory: Option<OsString>,
    /// `$XDG_RUNTIME_DIR`.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `$XDG_STATE_HOME`.
    pub xdg_state_home: Option<PathBuf>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// The users the exchange may run as: ourselves, and who called sudo.
    pub users: Vec<u32>,
}

impl Surroundings {
    /// Reads the process's environment.
    pub fn of_this_process() -> Surroundings {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut users = vec![rustix::process::geteuid().as_raw()];
        users.extend(std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse::<u32>().ok()));
        Surroundings {
            runtime_directory: std::env::var_os("RUNTIME_DIRECTORY"),
            state_directory: std::env::var_os("STATE_DIRECTORY"),
            logs_directory: std::env::var_os("LOGS_DIRECTORY"),
            xdg_runtime_dir: path("XDG_RUNTIME_DIR"),
            xdg_state_home: path("XDG_STATE_HOME"),
            home: path("HOME"),
            users,
        }
    }

    /// The folder that the service manager gives for logs.
    pub fn log_folder(&self) -> Option<PathBuf> {
        listed(self.logs_directory.as_ref()).into_iter().next()
    }

    /// The folders that may hold the exchange's state, best first.
    pub fn state_folders(&self) -> Vec<PathBuf> {
        let mut folders = listed(self.state_directory.as_ref());
        folders.push(PathBuf::from("/var/lib/strowger"));
        let own = self.xdg_state_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/state")));
        folders.extend(own.map(|folder| folder.join("strowger")));
        unique(folders)
    }
}

/// The socket's file name: the same for the same configuration, and for no other.
/// The path has to be absolute, with its links resolved ([`identity`]).
pub fn socket_name(config: &Path) -> String {
    let digest = Sha256::digest(config.as_os_str().as_encoded_bytes());
    let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("strowger-{hex}.ctl")
}

/// The configuration directory that `-C` means, absolute and with its links resolved: a file (an `asterisk.conf`)
/// means the directory it is in. It need not exist.
pub fn identity(config: Option<&Path>) -> PathBuf {
    let given = config.unwrap_or(Path::new(DEFAULT_CONFIG));
    let whole = given.canonicalize().or_else(|_| std::path::absolute(given)).unwrap_or_else(|_| given.to_path_buf());
    match whole.parent() {
        Some(folder) if whole.is_file() => folder.to_path_buf(),
        _ => whole,
    }
}

/// Where the exchange may put its socket, best first: the configured place alone, or one in each folder it could use.
pub fn exchange_places(around: &Surroundings, config: &Path, configured: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = configured {
        return vec![config.join(path)];
    }
    let mut folders = listed(around.runtime_directory.as_ref());
    folders.push(PathBuf::from("/run/strowger"));
    folders.extend(around.xdg_runtime_dir.as_ref().map(|folder| folder.join("strowger")));
    folders.extend(around.state_folders());
    named(folders, config)
}

/// Where a console has to look: every place an exchange with this configuration could have chosen, also one that
/// was started in other surroundings (by systemd, in a login of the same user, before sudo).
pub fn console_places(around: &Surroundings, config: &Path, configured: Option<&Path>) -> Vec<PathBuf> {
    let mut places = exchange_places(around, config, configured);
    if configured.is_none() {
        let logins = around.users.iter().map(|user| PathBuf::from(format!("/run/user/{user}/strowger")));
        places.extend(named(logins.collect(), config));
    }
    unique(places)
}

/// Where the exchange may keep its state, best first: of its own in each folder it could use, so that two exchanges
/// never share it. That of [`DEFAULT_CONFIG`] is the folder itself.
pub fn state_places(around: &Surroundings, config: &Path) -> Vec<PathBuf> {
    let name = socket_name(config);
    let own = |folder: PathBuf| {
        if config == Path::new(DEFAULT_CONFIG) { folder } else { folder.join(name.trim_end_matches(".ctl")) }
    };
    around.state_folders().into_iter().map(own).collect()
}

fn listed(value: Option<&OsString>) -> Vec<PathBuf> {
    let Some(value) = value else { return Vec::new() };
    std::env::split_paths(value).filter(|folder| folder.is_absolute()).collect()
}

fn named(folders: Vec<PathBuf>, config: &Path) -> Vec<PathBuf> {
    let name = socket_name(config);
    unique(folders.into_iter().map(|folder| folder.join(&name)).collect())
}

fn unique(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    paths.into_iter().filter(|path| seen.insert(path.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "/etc/strowger";

    fn folders(places: &[PathBuf]) -> Vec<String> {
        places.iter().map(|p| p.parent().unwrap().display().to_string()).collect()
    }

    #[test]
    fn the_name_never_changes_and_tells_configurations_apart() {
        // A new release must find the socket of the old one: sha256("/etc/strowger") starts so.
        assert_eq!(socket_name(Path::new(CONFIG)), "strowger-b993d99f.ctl");
        assert_ne!(socket_name(Path::new(CONFIG)), socket_name(Path::new("/etc/asterisk")));
    }

    #[test]
    fn a_configured_place_is_the_only_one() {
        let around = Surroundings { users: vec![7], ..Surroundings::default() };
        let absolute = Some(Path::new("/srv/x.ctl"));
        assert_eq!(exchange_places(&around, Path::new(CONFIG), absolute), [PathBuf::from("/srv/x.ctl")]);
        assert_eq!(console_places(&around, Path::new(CONFIG), absolute), [PathBuf::from("/srv/x.ctl")]);
        let beside = Some(Path::new("x.ctl"));
        assert_eq!(exchange_places(&around, Path::new(CONFIG), beside), [PathBuf::from("/etc/strowger/x.ctl")]);
    }

    #[test]
    fn the_order_is_service_system_login_state() {
        let around = Surroundings {
            runtime_directory: Some("/run/a:/run/b:relative".into()),
            state_directory: Some("/var/lib/private/strowger".into()),
            xdg_runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/ann".into()),
            users: vec![7],
            ..Surroundings::default()
        };
        let places = exchange_places(&around, Path::new(CONFIG), None);
        let expected = [
            "/run/a",
            "/run/b",
            "/run/strowger",
            "/run/user/7/strowger",
            "/var/lib/private/strowger",
            "/var/lib/strowger",
            "/home/ann/.local/state/strowger",
        ];
        assert_eq!(folders(&places), expected);
        assert!(places.iter().all(|p| p.ends_with(socket_name(Path::new(CONFIG)))));
    }

    #[test]
    fn a_console_under_sudo_or_cron_looks_where_the_exchange_was_started() {
        let service = Surroundings { runtime_directory: Some("/run/strowger".into()), ..Surroundings::default() };
        let login = Surroundings { xdg_runtime_dir: Some("/run/user/7".into()), ..Surroundings::default() };
        let console = Surroundings { users: vec![0, 7], ..Surroundings::default() };
        let looked = console_places(&console, Path::new(CONFIG), None);
        for exchange in [service, login] {
            let chosen = exchange_places(&exchange, Path::new(CONFIG), None);
            assert!(chosen.iter().any(|place| looked.contains(place)), "{chosen:?}");
            assert!(looked.contains(chosen.first().unwrap()));
        }
    }

    #[test]
    fn no_two_exchanges_share_their_state() {
        let around = Surroundings { home: Some("/home/ann".into()), ..Surroundings::default() };
        let places = |config: &str| state_places(&around, Path::new(config));
        let usual = ["/var/lib/strowger", "/home/ann/.local/state/strowger"].map(PathBuf::from);
        assert_eq!(places(CONFIG), usual);
        let name = socket_name(Path::new("/etc/asterisk")).replace(".ctl", "");
        assert_eq!(places("/etc/asterisk"), usual.map(|folder| folder.join(&name)));
        assert_ne!(places("/etc/asterisk"), places("/etc/other"));
    }

    #[test]
    fn a_file_means_the_directory_it_is_in() {
        let folder = std::env::temp_dir().join(format!("strowger-place-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("asterisk.conf");
        std::fs::write(&file, "").unwrap();
        assert_eq!(identity(Some(&file)), identity(Some(&folder)));
        assert_eq!(identity(Some(&folder.join("."))), identity(Some(&folder)));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(identity(Some(&folder)).is_absolute());
    }
}
