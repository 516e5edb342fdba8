//! What programs may do, and where they are.

use super::locator::Locator;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What strowger.toml allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Commands of the dialplan: `System`, `TrySystem`, `SHELL()`.
    pub system: bool,
    /// Scripts and servers that steer calls: `AGI`.
    pub agi: bool,
    /// Programs that speak a text.
    pub speech: bool,
    /// Pages fetched by `CURL()`.
    pub curl: bool,
}

/// What programs may do, where they are, and how long they may take.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is allowed.
    pub allowed: Allowed,
    /// The file that says so, for whoever wants to change it.
    pub file: String,
    /// The folder of the configuration.
    pub folder: Option<PathBuf>,
    /// Where scripts are looked for, in order.
    pub script_folders: Vec<PathBuf>,
    /// Where files with a relative name are, which the dialplan may write; none: the exchange keeps no state.
    pub files: Option<PathBuf>,
    /// Where recordings are, which it may write, too.
    pub recordings: Option<PathBuf>,
    /// The folders where programs are found, with a `:` between them.
    pub path: String,
    /// How long `System` may take.
    pub system_time: Duration,
    /// How long `SHELL()` may take.
    pub shell_time: Duration,
    /// How long a script may go on after its call has ended, or after its last word.
    pub after_time: Duration,
    /// How long it may take to speak a text.
    pub speech_time: Duration,
    /// Who finds the servers of hosts; none: nobody does.
    pub locator: Option<Arc<dyn Locator>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            allowed: Allowed { curl: true, ..Allowed::default() },
            file: "strowger.toml".to_owned(),
            folder: None,
            script_folders: vec![PathBuf::from("/var/lib/asterisk/agi-bin")],
            files: None,
            recordings: None,
            path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            system_time: Duration::from_secs(60),
            shell_time: Duration::from_secs(10),
            after_time: Duration::from_secs(60),
            speech_time: Duration::from_secs(20),
            locator: None,
        }
    }
}

impl Settings {
    /// What is to be done about something that is not allowed.
    pub fn advice(&self, key: &str) -> String {
        format!("it is not allowed; to allow it, write '{key} = true' below [programs] in {}", self.file)
    }
}
