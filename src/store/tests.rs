//! The store against files of every kind, without an exchange around it.

use super::*;
use crate::clock::Wall;
use crate::pbx::cdr::{Cdr, Disposition, HangupBy};
use crate::registrar::location::Binding;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::flow::OpensFor;
use crate::sip::header::NameAddr;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) fn a_call() -> Cdr {
    Cdr {
        account: String::new(),
        source: "100".to_owned(),
        caller_name: "Ada \"L\"".to_owned(),
        destination: "5551234".to_owned(),
        context: "default".to_owned(),
        channel: "SIP/a-00000000".to_owned(),
        called_channel: "SIP/b-00000001".to_owned(),
        application: "Dial".to_owned(),
        data: "SIP/b,20".to_owned(),
        start: Wall(1_794_996_800_000),
        answer: Some(Wall(1_794_996_805_000)),
        end: Wall(1_794_996_835_999),
        duration: Duration::from_millis(35_999),
        billed: Duration::from_millis(30_999),
        disposition: Disposition::Answered,
        ended_by: HangupBy::Caller,
        unique_id: "1795000000.0".to_owned(),
        caller_rtp: "192.0.2.1:5004".parse().ok(),
        called_rtp: None,
        codec: "ulaw".to_owned(),
        ama_flags: Default::default(),
        user_field: String::new(),
        reason: "the caller hung up".to_owned(),
    }
}

fn kept() -> Record {
    Record::Call(Box::new(a_call()))
}

/// A folder of its own, gone with the value.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("strowger-store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Place(folder)
    }

    fn places(&self) -> Places {
        Places { state: vec![self.0.clone()], log: None }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Lines = Arc<Mutex<Vec<LogLine>>>;

/// A sink, and what was logged to it.
fn log() -> (Sink, Lines) {
    let lines = Lines::default();
    let log = lines.clone();
    (Arc::new(move |line: &LogLine| log.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone())), lines)
}

fn open(place: &Place) -> (Store, Found, Lines) {
    let (sink, logged) = log();
    let (store, found) = Store::open(&place.places(), at(0), |_| crate::datetime::Zone::utc(), sink).unwrap();
    (store, found, logged)
}

fn at(seconds: u64) -> Now {
    Now { mono: Time::from_start(Duration::from_secs(seconds)), wall: Wall(1_795_000_000_000) }
}

fn binding(text: &str, now: Now) -> Binding {
    let contact = NameAddr::parse(text.as_bytes()).unwrap();
    let mut binding = Binding {
        contact: contact.uri,
        params: contact.params,
        q: 500,
        source: "192.0.2.7:1024".parse().unwrap(),
        flow: Flow {
            opens_for: OpensFor::Peer,
            ..Flow::udp("192.0.2.1:5060".parse().unwrap(), "[2001:db8::7]:5060".parse().unwrap())
        },
        granted: Duration::from_secs(3600),
        expires: Time::ZERO,
        expires_wall: Wall(0),
        call_id: "call'id; DROP TABLE binding".into(),
        cseq: u32::MAX,
        path: vec![bytes::Bytes::from_static(b"<sip:edge.example.com;lr>")],
        user_agent: Some("Linksys/PAP2T \u{1F4DE}".into()),
    };
    binding.renew(now);
    binding
}

fn orders(now: Now) -> Vec<StoreOrder> {
    let contacts =
        ["<sip:a@192.0.2.7:5060;transport=udp>;+sip.instance=\"<urn:uuid:1>\";q=0.5", "<sip:%41b@[2001:db8::7]>"];
    vec![
        StoreOrder::Bindings { peer: "a".into(), bindings: contacts.map(|text| binding(text, now)).to_vec() },
        StoreOrder::Bindings { peer: "b".into(), bindings: vec![binding("<sip:b@192.0.2.8>", now)] },
        StoreOrder::Value { path: "/cid/1".to_owned(), value: Some("Ada".to_owned()) },
        StoreOrder::Value { path: "/cid/2".to_owned(), value: Some("Bob".to_owned()) },
    ]
}

fn nothing() -> Vec<StoreOrder> {
    Vec::new()
}

#[test]
fn what_is_written_is_found_again_without_a_close() {
    let place = Place::new("found");
    let (mut store, found, logged) = open(&place);
    assert_eq!(found, Found::default());
    assert_eq!(store.write(at(5), orders(at(5)), nothing), None);
    let gone = [
        StoreOrder::Bindings { peer: "b".into(), bindings: Vec::new() },
        StoreOrder::Value { path: "/cid/2".to_owned(), value: None },
    ];
    store.write(at(6), gone.to_vec(), nothing);
    // Not dropped, so not closed: as after a kill.
    std::mem::forget(store);
    let (_store, found, again) = open(&place);
    let again: Vec<String> = again.lock().unwrap().iter().map(|line| line.text.clone()).collect();
    assert!(matches!(&again[..], [line] if line.starts_with("The exchange ended without being stopped")), "{again:?}");
    assert_eq!(found.values, [("/cid/1".to_owned(), "Ada".to_owned())]);
    assert_eq!(found.bindings.len(), 2);
    for (restored, order) in found.bindings.iter().zip(orders(at(5)).iter().take(1).flat_map(|order| match order {
        StoreOrder::Bindings { bindings, .. } => bindings.clone(),
        StoreOrder::Value { .. } | StoreOrder::Subscription { .. } | StoreOrder::Call(_) | StoreOrder::Line(_) => {
            Vec::new()
        }
    })) {
        assert_eq!(restored.peer, "a");
        assert_eq!(restored.binding, Binding { expires: Time::ZERO, ..order });
        let left = restored.left.unwrap();
        assert!(left <= Duration::from_secs(3610) && left > Duration::from_secs(3600), "{left:?}");
    }
    assert!(logged.lock().unwrap().is_empty(), "{logged:?}");
}

#[test]
fn the_nonce_key_stays() {
    let place = Place::new("key");
    let (store, _, _) = open(&place);
    assert_eq!(store.nonce_key([7; 32]), [7; 32]);
    assert_eq!(store.nonce_key([8; 32]), [7; 32]);
    std::fs::write(place.0.join("nonce.key"), "7".repeat(63) + "g").unwrap();
    assert_eq!(store.nonce_key([9; 32]), [9; 32], "what is no key is replaced");
    assert_eq!(store.nonce_key([1; 32]), [9; 32]);
}

#[test]
fn a_file_of_another_program_is_not_touched_but_moved_aside() {
    let place = Place::new("foreign");
    std::fs::create_dir_all(&place.0).unwrap();
    let other = rusqlite::Connection::open(place.0.join("state.db")).unwrap();
    other.execute_batch("PRAGMA application_id=7; CREATE TABLE t (x); INSERT INTO t VALUES (42)").unwrap();
    drop(other);
    let (_store, _, logged) = open(&place);
    assert!(logged.lock().unwrap()[0].text.contains("no state file of strowger"), "{logged:?}");
    let aside = std::fs::read_dir(&place.0).unwrap().flatten().map(|entry| entry.path());
    let aside = aside.into_iter().find(|path| path.to_string_lossy().contains(".damaged-")).unwrap();
    let kept: i64 =
        rusqlite::Connection::open(aside).unwrap().query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 42);
}

/// Version 1 had no columns for the transport and the proxies, and an account without proxies is as it was.
#[test]
fn a_file_of_version_1_is_read_and_made_one_of_today() {
    let place = Place::new("older");
    let (mut store, _, _) = open(&place);
    store.write(at(5), orders(at(5)), nothing);
    store.close();
    let file = rusqlite::Connection::open(place.0.join("state.db")).unwrap();
    file.execute_batch(
        "ALTER TABLE binding DROP COLUMN transport; ALTER TABLE binding DROP COLUMN path; PRAGMA user_version=1",
    )
    .unwrap();
    drop(file);
    for _ in 0..2 {
        let (store, found, logged) = open(&place);
        assert_eq!((found.bindings.len(), logged.lock().unwrap().len()), (3, 0), "{logged:?}");
        assert_eq!(found.bindings[0].binding.flow.transport, crate::sip::flow::Transport::Udp);
        store.close();
    }
}

/// Version 3 had no table of subscriptions: what it holds is kept, and subscriptions are from then on.
#[test]
fn a_file_of_version_3_is_read_and_made_one_of_today() {
    let place = Place::new("version3");
    let (mut store, _, _) = open(&place);
    store.write(at(5), orders(at(5)), nothing);
    store.close();
    let file = rusqlite::Connection::open(place.0.join("state.db")).unwrap();
    file.execute_batch("DROP TABLE subscription; PRAGMA user_version=3").unwrap();
    let counts = |file: &rusqlite::Connection| {
        let count = |table: &str| {
            file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        (count("binding"), count("astdb"))
    };
    let before = counts(&file);
    assert!(before.0 > 0 && before.1 > 0, "{before:?}");
    drop(file);
    let (mut store, found, logged) = open(&place);
    assert_eq!(logged.lock().unwrap().len(), 0, "{logged:?}");
    assert_eq!((found.bindings.len() as i64, found.values.len() as i64), before);
    assert!(found.subscriptions.is_empty());
    let one = StoreOrder::Subscription { tag: "t1".into(), text: Some("one".into()) };
    store.write(at(6), vec![one], nothing);
    store.close();
    let (_store, found, logged) = open(&place);
    assert_eq!((found.subscriptions, logged.lock().unwrap().len()), (vec![("t1".into(), "one".into())], 0));
    let file = rusqlite::Connection::open(place.0.join("state.db")).unwrap();
    assert_eq!(counts(&file), before);
    assert_eq!(file.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)), Ok(4));
}

#[test]
fn a_newer_file_is_left_alone() {
    let place = Place::new("newer");
    let (store, _, _) = open(&place);
    store.close();
    let file = rusqlite::Connection::open(place.0.join("state.db")).unwrap();
    file.execute_batch("PRAGMA user_version=99").unwrap();
    drop(file);
    let (mut store, _, logged) = open(&place);
    assert!(logged.lock().unwrap()[0].text.contains("newer strowger"), "{logged:?}");
    store.write(at(1), orders(at(1)), nothing);
    store.write(at(100), orders(at(1)), nothing);
    assert_eq!(logged.lock().unwrap().len(), 1, "logged once");
    let file = rusqlite::Connection::open(place.0.join("state.db")).unwrap();
    assert_eq!(file.query_row("SELECT count(*) FROM binding", [], |row| row.get::<_, i64>(0)), Ok(0));
}

/// Whatever stands in the file: the store opens, keeps what it is given, and finds it again.
#[test]
fn any_damage_is_survived() {
    let place = Place::new("mutation");
    let (mut store, _, _) = open(&place);
    store.write(at(1), orders(at(1)), nothing);
    store.close();
    let sound = std::fs::read(place.0.join("state.db")).unwrap();
    let mut rng = Rng::from_number(31);
    let mut asides = 0;
    for round in 0..60 {
        let mut bytes = sound.clone();
        let length = bytes.len() as u64;
        if round % 3 == 0 {
            bytes.truncate(rng.below(length) as usize);
        }
        for _ in 0..=rng.below(20) {
            let length = bytes.len() as u64;
            // The header of the file is hit as often as the rest.
            let most = if rng.below(2) == 0 { length.min(100) } else { length };
            if let Some(byte) = bytes.get_mut(rng.below(most.max(1)) as usize) {
                *byte = rng.bits() as u8;
            }
        }
        let _ = std::fs::remove_dir_all(&place.0);
        std::fs::create_dir_all(&place.0).unwrap();
        std::fs::write(place.0.join("state.db"), &bytes).unwrap();
        let (mut store, found, logged) = open(&place);
        assert!(found.bindings.len() <= 3 && found.values.len() <= 2, "round {round}: {found:?}");
        store.write(at(2), orders(at(2)), || orders(at(2)));
        let logged: Vec<String> = logged.lock().unwrap().iter().map(|line| line.text.clone()).collect();
        let is_newer = logged.iter().any(|line| line.contains("newer"));
        asides += usize::from(logged.iter().any(|line| line.contains("damaged")));
        drop(store);
        let (_store, found, _) = open(&place);
        assert!(is_newer || found.bindings.len() == 3, "round {round}: {logged:?}, then {found:?}");
    }
    assert!(asides > 8, "only {asides} files were damaged enough to notice");
}

#[test]
fn few_damaged_files_are_kept() {
    let place = Place::new("asides");
    std::fs::create_dir_all(&place.0).unwrap();
    for _ in 0..6 {
        std::fs::write(place.0.join("state.db"), "rubbish".repeat(1000)).unwrap();
        let (store, _, _) = open(&place);
        store.close();
    }
    let asides = std::fs::read_dir(&place.0).unwrap().flatten();
    assert_eq!(asides.filter(|entry| entry.file_name().to_string_lossy().contains(".damaged-")).count(), 3);
}

#[test]
fn what_could_not_be_opened_is_taken_in_later() {
    let place = Place::new("later");
    let (mut store, _, _) = open(&place);
    store.write(at(1), orders(at(1)), nothing);
    store.close();
    let away = place.0.with_extension("away");
    std::fs::rename(&place.0, &away).unwrap();
    std::fs::write(&place.0, "in the way").unwrap();
    let (mut store, found, logged) = open(&place);
    let kept =
        |logged: &Lines| logged.lock().unwrap().iter().filter(|line| line.text.contains("cannot be kept")).count();
    assert_eq!((found, kept(&logged)), (Found::default(), 1));
    assert_eq!(store.next_deadline(), Some(at(10).mono));
    std::fs::remove_file(&place.0).unwrap();
    std::fs::rename(&away, &place.0).unwrap();
    assert_eq!(store.write(at(9), Vec::new(), nothing), None, "not before it is time");
    let found = store.write(at(10), Vec::new(), nothing).unwrap();
    assert_eq!((found.bindings.len(), found.values.len()), (3, 2));
    let mut now = orders(at(10));
    now.truncate(1);
    assert_eq!(store.write(at(10), Vec::new(), || now), None);
    assert_eq!(store.next_deadline(), None);
    drop(store);
    let (_store, found, _) = open(&place);
    assert_eq!((found.bindings.len(), found.values.len()), (2, 0), "memory is the truth then");
}

#[test]
fn records_are_kept_up_to_a_number() {
    let place = Place::new("records");
    std::fs::create_dir_all(&place.0).unwrap();
    let mut calls = calls::Calls::new(&place.0);
    calls.write(&[kept()]).unwrap();
    let file = rusqlite::Connection::open(place.0.join("calls.db")).unwrap();
    file.execute("UPDATE call SET id = 1", []).unwrap();
    file.execute("INSERT INTO call SELECT ?1, start, answer, \"end\", duration_s, billed_s, disposition, reason, ended_by, account, source, caller_name, destination, context, channel, called_channel, application, data, unique_id, caller_rtp, called_rtp, codec FROM call", [calls::MAX_RECORDS]).unwrap();
    calls.write(&[kept()]).unwrap();
    let ids = |file: &rusqlite::Connection| {
        file.query_row("SELECT min(id) || ' ' || max(id) FROM call", [], |row| row.get::<_, String>(0))
    };
    assert_eq!(ids(&file), Ok(format!("{} {}", calls::MAX_RECORDS, calls::MAX_RECORDS + 1)), "the oldest made room");
    drop(file);
    drop(calls);
    std::fs::write(place.0.join("calls.db"), "rubbish".repeat(1000)).unwrap();
    let mut calls = calls::Calls::new(&place.0);
    calls.write(&[kept(), kept()]).unwrap();
    let file = rusqlite::Connection::open(place.0.join("calls.db")).unwrap();
    assert_eq!(ids(&file), Ok("1 2".to_owned()), "a damaged one is begun anew, with all that was to be written");
}

#[test]
fn a_file_of_an_earlier_strowger_has_no_lines_and_gets_them() {
    let place = Place::new("no-lines");
    std::fs::create_dir_all(&place.0).unwrap();
    assert_eq!(history::latest(&place.0, 9), Ok(Vec::new()), "no file yet");
    let mut calls = calls::Calls::new(&place.0);
    calls.write(&[kept()]).unwrap();
    let file = rusqlite::Connection::open(place.0.join("calls.db")).unwrap();
    file.execute_batch("DROP TABLE line").unwrap();
    drop((calls, file));
    let found = history::latest(&place.0, 9).unwrap();
    assert_eq!((found.len(), found[0].unique_id.as_str(), found[0].lines.len()), (1, "1795000000.0", 0));
    assert_eq!(history::one(&place.0, None), Ok(None));
    assert!(history::one(&place.0, Some("SIP/b-00000001")).unwrap().is_some(), "by its record");

    let mut calls = calls::Calls::new(&place.0);
    let line = |channel: &str| crate::event::LineQuality {
        call: "1795000000.0".to_owned(),
        channel: channel.to_owned(),
        ..Default::default()
    };
    let lines = ["SIP/a-00000000", "SIP/b-00000001"].map(|channel| Record::Line(Box::new(line(channel))));
    calls.write(&lines).unwrap();
    for of in [None, Some("SIP/a-00000000"), Some("SIP/b-00000001"), Some("1795000000.0")] {
        let found = history::one(&place.0, of).unwrap().unwrap();
        assert_eq!(found.lines, [line("SIP/a-00000000"), line("SIP/b-00000001")], "{of:?}");
    }
    assert_eq!(history::one(&place.0, Some("SIP/x-1")), Ok(None));
}
