//! The files that are made for telephones and adapters: compared with those of `tests/devices/`, letter for letter, and read by
//! a reader that is not ours (`roxmltree` for everything that is XML; for Cisco's `.cnf`, `RINGLIST.DAT` and `OS79XX.TXT` there is
//! none that anybody else wrote).
//!
//! `STROWGER_BLESS=1` writes them anew, for reading before they are committed.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use strowger::clock::Wall;
use strowger::config::Config;
use strowger::datetime::zones::Zones;
use strowger::dialplan;
use strowger::provision::Stock;
use strowger::provision::stock::{Facts, MadeFile};
use strowger::provision::template::Passwords;

/// 2026-11-30.
const NOW: Wall = Wall(1_796_000_000_000);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/devices")
}

/// The house of `tests/devices/`, in a time zone.
fn stock(zone: &str) -> Stock {
    let text = |name: &str| std::fs::read_to_string(folder().join(name)).unwrap();
    let files = ["sip.conf", "extensions.conf", "strowger.toml", "phonebook.csv"].map(|name| (name, text(name)));
    let named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (config, mut said) = Config::from_named(&named);
    // Nobody tells of the mailbox in this house; the telephone has a key for it all the same.
    said.retain(|one| !one.message.contains("there is no voice mail yet"));
    assert_eq!(said, []);
    let mut config = config.unwrap();
    config.zones = Arc::new(Zones::new(Zones::default().find(zone).unwrap()));
    let plan = dialplan::parse_in(&config.extensions, "test", &config.zones).0;
    let (stock, said) = Stock::of(&config, &plan, NOW);
    assert_eq!(said, []);
    stock
}

fn facts() -> Facts {
    let own_files = BTreeSet::from(["logo.bmp".to_owned()]);
    Facts { address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), tftp_port: 69, http_port: Some(8069), own_files }
}

fn all() -> Vec<(String, MadeFile)> {
    let stock = stock("CET-1CEST,M3.5.0,M10.5.0/3");
    let mut files = Vec::new();
    for device in stock.fleet().devices() {
        for file in stock.files_of(device, &facts(), Passwords::Written) {
            let name = if file.name.is_empty() { "to-type.txt" } else { &file.name };
            files.push((format!("{}/{name}", device.model.name), file));
        }
    }
    files
}

#[test]
fn every_file_is_as_it_was() {
    let made = folder().join("made");
    let mut names = BTreeSet::new();
    for (name, file) in all().iter().filter(|(name, _)| !name.ends_with(".raw")) {
        let path = made.join(name);
        names.insert(name.clone());
        if std::env::var_os("STROWGER_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &file.bytes).unwrap();
        }
        let kept = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (kept, made) = (String::from_utf8(kept).unwrap(), String::from_utf8(file.bytes.clone()).unwrap());
        assert_eq!(kept, made, "{name}: if it is meant to change, run this test with STROWGER_BLESS=1");
    }
    for model in std::fs::read_dir(&made).unwrap() {
        let model = model.unwrap();
        for file in std::fs::read_dir(model.path()).unwrap() {
            let name =
                format!("{}/{}", model.file_name().to_string_lossy(), file.unwrap().file_name().to_string_lossy());
            assert!(names.contains(&name), "tests/devices/made/{name} is made no more");
        }
    }
}

#[test]
fn what_is_xml_is_read_by_another_reader() {
    let mut read = 0;
    for (name, file) in all() {
        if !name.ends_with(".xml") && !name.contains("/spa") {
            continue;
        }
        let text = std::str::from_utf8(&file.bytes).unwrap();
        let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        assert!(text.is_ascii(), "{name}");
        let root = document.root_element().tag_name().name();
        let roots = ["device", "Default", "DIALTEMPLATE", "SYNCINFO", "flat-profile", "gs_provision", "settings"];
        assert!(roots.contains(&root), "{name}: {root}");
        read += 1;
    }
    assert!(read >= 12, "{read}");
}

/// What is odd in a name reaches the device as it is.
#[test]
fn a_value_arrives_as_it_was_written() {
    let files = all();
    let value = |file: &str, element: &str| {
        let (_, file) = files.iter().find(|(name, _)| name == file).unwrap();
        let document = roxmltree::Document::parse(std::str::from_utf8(&file.bytes).unwrap()).unwrap();
        let found = document.descendants().find(|node| node.has_tag_name(element)).unwrap();
        found.text().unwrap_or_default().to_owned()
    };
    assert_eq!(value("pap2t/spa0018f8aabb01.cfg", "Display_Name_1_"), "Zoë & <Bo>");
    assert_eq!(value("pap2t/spa0018f8aabb01.cfg", "Password_1_"), "a&b<c>d'efgh");
    assert_eq!(value("ht801/cfg000b82aabb04.xml", "P34"), "k3vw9m2xq804");
    assert_eq!(value("snom/000413aabb06.xml", "user_pass"), "k3vw9m2xq806");
    let (_, cnf) = files.iter().find(|(name, _)| name == "cisco-7960/SIP0014A9BC0001.cnf").unwrap();
    let cnf = String::from_utf8(cnf.bytes.clone()).unwrap();
    // key: "value", the whole line; no value has a double quote.
    for line in cnf.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(": \"").unwrap_or_else(|| panic!("{line}"));
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{line}");
        assert_eq!(value.find('"'), Some(value.len() - 1), "{line}");
    }
}
