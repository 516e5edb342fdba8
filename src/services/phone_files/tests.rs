//! Who gets a file with passwords, and what is kept of it.

use super::*;
use crate::event::provision::{BrokenOff, Given};
use crate::event::{Event, ProvisionEvent};
use std::time::Duration;

const DEVICE: &str = "0014A9BC0001";

struct Bench {
    files: PhoneFiles,
    events: Arc<Mutex<Vec<ProvisionEvent>>>,
    folder: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn bench(name: &str) -> Bench {
    let folder = std::env::temp_dir().join(format!("strowger-phone-files-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("RINGLIST.DAT"), "x").unwrap();
    std::fs::write(folder.join(format!("SIP{DEVICE}.cnf")), "line1_password: secret").unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = events.clone();
    let publish: Publish = Arc::new(move |event| {
        let Event::Provision(event) = event else { panic!("{event:?}") };
        kept.lock().unwrap().push(event);
    });
    let settings = Settings { shelf: Shelf::default(), folder: folder.clone(), networks: Networks::default() };
    Bench { files: PhoneFiles::new(settings, Arc::default(), publish), events, folder }
}

impl Bench {
    fn asks(&self, mac: Option<&str>, name: &str) -> Answer {
        let peer = "192.168.1.20:50000".parse().unwrap();
        let reached_at = "192.168.1.1".parse().unwrap();
        let asker = Asker { name, via: Via::Tftp, peer, reached_at, user_agent: Some("Test") };
        let mac = mac.and_then(Mac::parse);
        let found = self.files.find(&asker, mac);
        self.files.decide(&asker, asker.peer.ip(), mac, found)
    }

    fn last(&self) -> FileOutcome {
        self.events.lock().unwrap().last().unwrap().outcome.clone()
    }
}

#[test]
fn a_file_with_passwords_is_given_to_its_device_alone_or_while_the_window_is_open() {
    let bench = bench("gate");
    let own = format!("./sip{DEVICE}.cnf");
    let withheld = FileOutcome::Withheld { device: Some(DEVICE.to_owned()) };
    for other in [None, Some("0014A9BC0002")] {
        assert!(matches!(bench.asks(other, &own), Answer::Refused));
        assert_eq!(bench.last(), withheld);
    }
    assert!(matches!(bench.asks(Some(DEVICE), &own), Answer::Give(handed) if handed.has_secret));
    assert!(matches!(bench.asks(None, "ringlist.dat"), Answer::Give(handed) if !handed.has_secret));
    let board = bench.files.board();
    board.open(Some(Duration::from_millis(30)));
    assert!(matches!(bench.asks(None, &own), Answer::Give(_)));
    std::thread::sleep(Duration::from_millis(40));
    assert!(!board.is_open(), "it ends by itself");
    assert!(matches!(bench.asks(None, &own), Answer::Refused));
    board.open(Some(Duration::from_secs(60)));
    board.open(None);
    assert!(matches!(bench.asks(None, &own), Answer::Refused));
}

#[test]
fn a_link_to_a_devices_file_is_treated_as_that_file() {
    let bench = bench("link");
    std::os::unix::fs::symlink(format!("SIP{DEVICE}.cnf"), bench.folder.join("kitchen.cnf")).unwrap();
    assert!(matches!(bench.asks(Some("0014A9BC0002"), "kitchen.cnf"), Answer::Refused));
    assert_eq!(bench.last(), FileOutcome::Withheld { device: Some(DEVICE.to_owned()) });
    assert!(matches!(bench.asks(Some(DEVICE), "kitchen.cnf"), Answer::Give(handed) if handed.has_secret));
}

#[test]
fn of_a_very_long_name_as_much_is_kept_as_is_looked_for() {
    let bench = bench("long");
    assert!(matches!(bench.asks(None, &"é".repeat(4000)), Answer::Refused));
    assert_eq!(bench.events.lock().unwrap()[0].file.as_received().len(), 256);
    assert_eq!(bench.files.board().rows().devices[0].last.len(), 256);
}

#[test]
fn one_network_of_ipv6_does_not_push_the_telephones_off_the_board() {
    let bench = bench("prefix");
    bench.asks(Some(DEVICE), "RINGLIST.DAT");
    for number in 0..2000 {
        let peer: SocketAddr = format!("[fd00::{number:x}]:69").parse().unwrap();
        let asker = Asker { name: "none", via: Via::Tftp, peer, reached_at: peer.ip(), user_agent: None };
        let found = bench.files.find(&asker, None);
        bench.files.decide(&asker, peer.ip(), None, found);
    }
    let rows = bench.files.board().rows();
    assert_eq!(rows.devices.len(), 33, "32 of that network");
    assert!(rows.devices.iter().any(|row| row.mac == DEVICE));
    assert!(rows.devices.iter().any(|row| row.address == "fd00::7cf".parse::<IpAddr>().unwrap()), "the latest");
}

#[test]
fn what_became_of_each_request_is_kept_and_told_once() {
    let bench = bench("board");
    assert!(matches!(bench.asks(None, "none"), Answer::Missing));
    assert!(matches!(bench.asks(None, "../x"), Answer::Refused));
    let Answer::Give(handed) = bench.asks(Some(DEVICE), &format!("SIP{DEVICE}.cnf")) else { panic!() };
    handed.entry.progress(5);
    let rows = bench.files.board().rows();
    assert_eq!((rows.transfers[0].state, rows.transfers[0].bytes), ("sending", 5));
    assert_eq!(rows.transfers[0].mac, DEVICE);
    handed.entry.end(FileOutcome::Given(Given { bytes: 22, has_secret: true, ..Given::default() }));
    let Answer::Give(handed) = bench.asks(None, "RINGLIST.DAT") else { panic!() };
    drop(handed);
    let silent = FileOutcome::Broken { bytes: 0, reason: BrokenOff::Silent };
    assert_eq!(bench.last(), silent);
    let rows = bench.files.board().rows();
    let states: Vec<_> = rows.transfers.iter().map(|row| row.state).collect();
    assert_eq!(states, ["broken off", "given", "refused", "not there"]);
    assert_eq!(rows.devices.len(), 2);
    let device = rows.devices.iter().find(|row| row.mac == DEVICE).unwrap();
    assert_eq!((device.asked, device.got, device.secrets_ago.is_some()), (1, 1, true));
    assert_eq!((&*device.user_agent, &*device.last), ("Test", "SIP0014A9BC0001.cnf"));
    assert_eq!(bench.events.lock().unwrap().len(), 4);
}

#[test]
fn one_address_fills_neither_the_log_nor_the_memory() {
    let bench = bench("flood");
    for number in 0..300 {
        bench.asks(None, &format!("none{number}"));
    }
    assert_eq!(bench.events.lock().unwrap().len(), 120);
    let rows = bench.files.board().rows();
    assert_eq!((rows.transfers.len(), rows.devices.len()), (200, 1));
    assert!(rows.drops.iter().any(|(why, count)| why.contains("not logged") && *count == 180));
}
