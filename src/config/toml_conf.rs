//! strowger.toml: what Asterisk's files have no place for. Unknown keys are refused.

use super::diagnostic::{Diagnostic, Place};
use ipnetwork::IpNetwork;
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What strowger.toml says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TomlConf {
    /// The console's socket.
    pub control: Control,
    /// What must outlive a restart.
    pub state: State,
    /// What is said, and how much.
    pub log: Log,
    /// Which programs the dialplan may run.
    pub programs: Programs,
    /// Where sounds are.
    pub sounds: Sounds,
    /// How telephones get their configuration.
    pub provision: Provision,
    /// Telephones and adapters whose configuration is made here.
    pub device: Vec<DeviceRow>,
}

/// `[provision]`: how telephones get their configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provision {
    /// `ntp`: the time server that they are told; empty: none.
    pub ntp: String,
    /// `folder`: the user's own files for telephones, firmware among them; beside the configuration when it is not absolute. None:
    /// `provision` there.
    pub folder: Option<PathBuf>,
    /// `tftp`: files are served by TFTP; none: when a device is configured.
    pub tftp: Option<bool>,
    /// `tftp_listen`: where; none: port 69 of the address that SIP has, of every one when it has every one.
    pub tftp_listen: Option<SocketAddr>,
    /// `http`: files are served by HTTP; none: when a device is configured.
    pub http: Option<bool>,
    /// `http_listen`: where; none: port 8069 of the same address.
    pub http_listen: Option<SocketAddr>,
    /// `networks`: whose requests are answered; none: private networks.
    #[serde(deserialize_with = "networks")]
    pub networks: Option<Vec<IpNetwork>>,
}

fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<IpNetwork>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let parsed = |text: &String| {
        text.parse().map_err(|_| serde::de::Error::custom(format!("'{text}' is no network, such as 192.168.1.0/24")))
    };
    texts.iter().map(parsed).collect::<Result<_, _>>().map(Some)
}

/// `[[device]]`: a telephone or adapter with its lines, instead of `mac=` and `device=` in the peers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRow {
    /// `mac`: its hardware address.
    pub mac: String,
    /// `model`: what `device=` is in a peer.
    pub model: String,
    /// `lines`: the peers that are its lines, from the first; an empty name leaves one out.
    pub lines: Vec<String>,
    /// `label`: what it is called on its screen.
    #[serde(default)]
    pub label: String,
    /// The line of the file that it begins at.
    #[serde(skip)]
    pub line: u32,
}

/// `[control]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// `socket`: the path of the console's UNIX socket; none: the first usable of the usual places.
    pub socket: Option<PathBuf>,
}

/// `[state]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// `folder`: where registrations, records and generated files are kept; none: the usual place.
    pub folder: Option<PathBuf>,
}

/// `[sounds]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sounds {
    /// `folder`: sound files that are looked for here first; beside the configuration when it is not absolute. None: only
    /// in the usual places.
    pub folder: Option<PathBuf>,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `folder`: where the files of logger.conf lie, and call records as text (`cdr-csv/Master.csv`); none: the folder
    /// that the service manager gives, or the state folder.
    pub folder: Option<PathBuf>,
    /// `max_size_mib`: a file of the log that is larger, in MiB, becomes an old one.
    pub max_size_mib: u16,
    /// `verbose`: how much of a call's story is told, 0 (nothing) to 10.
    pub verbose: u8,
}

impl Default for Log {
    fn default() -> Log {
        Log { folder: None, max_size_mib: 10, verbose: 3 }
    }
}

/// `[programs]`: what the dialplan may have done outside of the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Programs {
    /// `system`: commands of the machine, by `System`, `TrySystem` and `SHELL()`.
    pub system: bool,
    /// `agi`: scripts and servers that steer a call, by `AGI`.
    pub agi: bool,
    /// `speech`: programs that speak a text.
    pub speech: bool,
    /// `curl`: pages fetched over http and https, by `CURL()`.
    pub curl: bool,
    /// `agi_folder`: where scripts are looked for first; then in `agi-bin` of the configuration folder and in
    /// `/var/lib/asterisk/agi-bin`.
    pub agi_folder: Option<PathBuf>,
}

impl Default for Programs {
    fn default() -> Programs {
        Programs { system: false, agi: false, speech: false, curl: true, agi_folder: None }
    }
}

/// Reads strowger.toml. `file` names it in diagnostics; what is wrong makes the whole file unusable.
pub fn parse(file: &str, text: &[u8]) -> (TomlConf, Vec<Diagnostic>) {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(_) => {
            let place = Place { file: file.into(), line: 0 };
            let said = Diagnostic::fatal(place, "the file is not UTF-8 text").hint("save it as UTF-8");
            return (TomlConf::default(), vec![said]);
        }
    };
    let why = match toml::from_str::<TomlConf>(text) {
        Ok(conf) if conf.log.verbose > MAX_VERBOSE => (String::from("'verbose' is above 10"), find(text, "verbose")),
        Ok(conf) if !SIZES.contains(&conf.log.max_size_mib) => {
            (String::from("'max_size_mib' is not from 1 to 1024"), find(text, "max_size_mib"))
        }
        Ok(mut conf) => {
            let heads = (1..).zip(text.lines()).filter(|(_, line)| line.trim_start().starts_with("[[device]]"));
            conf.device.iter_mut().zip(heads).for_each(|(row, (number, _))| row.line = number);
            return (conf, Vec::new());
        }
        Err(error) => {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            (error.message().replace('`', "'").replace('\n', ", "), line)
        }
    };
    let place = Place { file: file.into(), line: why.1 };
    let hint = "known: [control] socket; [state] folder; [log] folder, max_size_mib, verbose; [sounds] folder; \
                [programs] system, agi, speech, curl, agi_folder; \
                [provision] folder, http, http_listen, networks, ntp, tftp, tftp_listen; \
                [[device]] mac, model, lines, label";
    (TomlConf::default(), vec![Diagnostic::fatal(place, why.0).hint(hint)])
}

const MAX_VERBOSE: u8 = 10;
const SIZES: std::ops::RangeInclusive<u16> = 1..=1024;

fn line_of(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let ends = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(ends).unwrap_or(u32::MAX).saturating_add(1)
}

fn find(text: &str, word: &str) -> u32 {
    text.find(word).map_or(0, |offset| line_of(text, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting() {
        let text = "[control]\nsocket = '/run/x.ctl'\n[state]\nfolder = '/var/lib/x'\n[log]\nfolder = '/var/log/x'\nmax_size_mib = 1\nverbose = 7\n\
            [sounds]\nfolder = 'own'\n[programs]\nsystem = true\nagi = true\nspeech = true\ncurl = false\nagi_folder = '/x'\n";
        let (conf, diagnostics) = parse("strowger.toml", text.as_bytes());
        assert_eq!(diagnostics, []);
        assert_eq!(conf.control.socket, Some("/run/x.ctl".into()));
        assert_eq!(conf.state.folder, Some("/var/lib/x".into()));
        assert_eq!(conf.sounds.folder, Some("own".into()));
        assert_eq!(conf.log, Log { folder: Some("/var/log/x".into()), max_size_mib: 1, verbose: 7 });
        let programs = Programs { system: true, agi: true, speech: true, curl: false, agi_folder: Some("/x".into()) };
        assert_eq!(conf.programs, programs);
        assert_eq!(parse("strowger.toml", b""), (TomlConf::default(), Vec::new()));
    }

    #[test]
    fn how_telephones_get_their_files() {
        let text = "[provision]\nfolder = 'tftp'\ntftp = true\ntftp_listen = '192.168.1.1:69'\nhttp = false\n\
            http_listen = '[::]:8069'\nnetworks = ['192.168.1.0/24', 'fd00::/8']\n";
        let (conf, diagnostics) = parse("strowger.toml", text.as_bytes());
        assert_eq!(diagnostics, []);
        let provision = Provision {
            folder: Some("tftp".into()),
            tftp: Some(true),
            tftp_listen: "192.168.1.1:69".parse().ok(),
            http: Some(false),
            http_listen: "[::]:8069".parse().ok(),
            networks: Some(vec!["192.168.1.0/24".parse().unwrap(), "fd00::/8".parse().unwrap()]),
            ntp: String::new(),
        };
        assert_eq!(conf.provision, provision);
        let (_, diagnostics) = parse("strowger.toml", b"[provision]\nnetworks = ['here']\n");
        assert_eq!(diagnostics[0].message, "'here' is no network, such as 192.168.1.0/24");
        assert_eq!(diagnostics[0].place.line, 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |text: &str| {
            let (_, diagnostics) = parse("strowger.toml", text.as_bytes());
            diagnostics.iter().map(|d| (d.place.line, d.message.clone())).collect::<Vec<_>>()
        };
        let unknown = "unknown field 'sockte', expected 'socket'".to_string();
        assert_eq!(said("# c\n[control]\nsockte = 'x'\n"), [(3, unknown)]);
        assert_eq!(said("[log]\nverbose = 11\n"), [(2, "'verbose' is above 10".to_string())]);
        let size = "'max_size_mib' is not from 1 to 1024".to_string();
        assert_eq!(said("[log]\nmax_size_mib = 0\n"), [(2, size)]);
        assert_eq!(said("[log]\nverbose = 'x'\n")[0].0, 2);
        assert_eq!(said("[log\n")[0].0, 1);
        assert_eq!(said("[nothing]\n")[0].0, 1);
    }
}
