use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("strowger-load-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const PEER: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=s\n";

fn said(loaded: &Loaded) -> Vec<String> {
    loaded.diagnostics.iter().map(Diagnostic::to_string).collect()
}

#[test]
fn a_directory() {
    let rtp = ("rtp.conf", "[general]\nrtpstart=12000\n");
    let toml = ("strowger.toml", "[log]\nverbose=5\n");
    let folder =
        Folder::new(&[("sip.conf", PEER), ("extensions.conf", "[default]\nexten => 1,1,Answer()\n"), rtp, toml]);
    let loaded = load(&folder.0);
    assert_eq!(said(&loaded), [""; 0]);
    let config = loaded.config.unwrap();
    assert_eq!(config.sip.peers.len(), 1);
    assert_eq!(config.extensions.sections[0].entries[0].value, "1,1,Answer()");
    assert_eq!((config.rtp.port_first, config.toml.log.verbose), (12000, 5));
    assert_eq!(config.source, Source::Directory(folder.0.clone()));
}

#[test]
fn missing_files_are_all_said() {
    let folder = Folder::new(&[("rtp.conf", "[general]\nx\n"), ("strowger.toml", "[x]\n")]);
    let loaded = load(&folder.0);
    assert!(loaded.config.is_none());
    let text = said(&loaded);
    assert_eq!(text[0], "extensions.conf: fatal: the file is missing");
    assert_eq!(text[1], "rtp.conf:2: warning: there is no '=' in this line: it is ignored");
    assert_eq!(text[2], "sip.conf: fatal: the file is missing");
    assert!(text[3].starts_with("strowger.toml:1: fatal: unknown field 'x'"), "{text:?}");
    assert!(load(&folder.0.join("nothing")).config.is_none());
}

#[test]
fn an_asterisk_conf_names_the_directory() {
    let dialplan = ("etc/extensions.conf", "");
    let folder = Folder::new(&[
        ("etc/sip.conf", PEER),
        dialplan,
        ("asterisk.conf", "[directories]\nastetcdir => etc\n"),
        ("etc/asterisk.conf", "[directories](!)\nastetcdir => /nowhere\n"),
        ("wrong.conf", "[directories]\nastetcdir => /nowhere\n"),
    ]);
    for name in ["asterisk.conf", "etc/asterisk.conf"] {
        let loaded = load(&folder.0.join(name));
        assert!(loaded.config.is_some(), "{name}: {:?}", said(&loaded));
    }
    let loaded = load(&folder.0.join("wrong.conf"));
    assert!(loaded.config.is_none());
    assert!(
        loaded.report().contains(":2: fatal: '/nowhere' is not a directory\n    astetcdir => /nowhere\n    "),
        "{}",
        loaded.report()
    );
}

#[test]
fn includes_count_from_the_directory_and_patterns_are_sorted() {
    let folder = Folder::new(&[
        ("sip.conf", "[general]\n#include sub/inner.conf\n#include peers.d/*.conf\n#tryinclude none*.conf\n"),
        ("sub/inner.conf", "realm=x\n#include sub/deeper.conf\n"),
        ("sub/deeper.conf", "[zero]\nbad line\ntype=friend\nhost=dynamic\nsecret=s\n"),
        ("peers.d/2.conf", "[two]\ntype=friend\nhost=dynamic\nsecret=s\nqualfy=1\n"),
        ("peers.d/1.conf", "[one]\ntype=friend\nhost=dynamic\nsecret=s\n"),
        ("peers.d/.3.conf", "[hidden]\n"),
        ("extensions.conf", ""),
    ]);
    let loaded = load(&folder.0);
    assert_eq!(
        said(&loaded),
        [
            "peers.d/2.conf:5: warning: unknown option 'qualfy' (did you mean 'qualify'?)",
            "sub/deeper.conf:2: warning: there is no '=' in this line: it is ignored",
        ]
    );
    assert!(loaded.report().contains("    qualfy=1\n    ^^^^^^\n"));
    let config = loaded.config.unwrap();
    assert_eq!(config.sip.general.realm, "x");
    assert_eq!(config.sip.peers.keys().collect::<Vec<_>>(), ["one", "two", "zero"]);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = Folder::new(&[
        (
            "sip.conf",
            "[general]\n#include /dev/zero\n#include gone.conf\n#include peers.d\n#include /proc/kmsg\n#include /proc/self/status\n",
        ),
        ("extensions.conf", ""),
    ]);
    fs::create_dir_all(folder.0.join("peers.d")).unwrap();
    let loaded = load(&folder.0);
    assert!(loaded.config.is_none());
    assert_eq!(loaded.diagnostics.iter().map(|d| d.place.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
}

#[test]
fn secrets_that_everyone_can_read_are_said() {
    let folder = Folder::new(&[("sip.conf", PEER), ("extensions.conf", "")]);
    fs::set_permissions(folder.0.join("sip.conf"), fs::Permissions::from_mode(0o644)).unwrap();
    let loaded = load(&folder.0);
    assert_eq!(said(&loaded), ["sip.conf: warning: everyone on this machine can read the secrets in this file"]);
    assert!(loaded.config.is_some());
}

#[test]
fn the_machines_time_zones_are_read_once_for_each_content() {
    let zones = zones();
    let Some(_) = ZONEINFO.iter().find(|folder| Path::new(folder).join("Europe/Berlin").exists()) else { return };
    let berlin = zones.find("Europe/Berlin").unwrap();
    assert_eq!(berlin.at(crate::clock::Wall(1_774_746_000_000)).name, "CEST");
    for name in ["America/Argentina/Ushuaia", "america/new_york", "Asia/Kolkata", "EST5EDT", "GB", "Pacific/Chatham"] {
        assert!(zones.find(name).is_ok(), "{name}");
    }
    for name in ["posix/Europe/Berlin", "right/Europe/Berlin", "../passwd", "zone.tab", "leapseconds"] {
        assert!(zones.find(name).is_err(), "{name}");
    }
}

#[test]
fn files_of_pins_are_read_and_missing_ones_said() {
    let folder = Folder::new(&[("sip.conf", PEER), ("pins", "4711\n")]);
    let pins = folder.0.join("pins").display().to_string();
    let plan = format!("[a]\nexten => 1,1,Authenticate({pins})\nexten => 2,1,DISA(/nowhere/pins,a)\n");
    fs::write(folder.0.join("extensions.conf"), plan).unwrap();
    let loaded = load(&folder.0);
    let config = loaded.config.as_ref().unwrap();
    assert_eq!(config.pins.get(&pins).map(|text| text.to_string()).as_deref(), Some("4711\n"));
    let text = said(&loaded);
    assert!(
        text.iter().any(|line| line.starts_with("extensions.conf:3: warning: the file of PINs '/nowhere/pins'")),
        "{text:?}"
    );
    assert!(!text.iter().any(|line| line.contains("4711")), "{text:?}");
}
