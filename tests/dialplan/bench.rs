//! A small world for programs to run in.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use strowger::clock::{Now, Time, Wall};
use strowger::config::diagnostic::{Diagnostic, Place};
use strowger::config::ini::{Document, Entry, Section};
use strowger::dialplan::database::Database;
use strowger::dialplan::{Dialplan, Environment, Globals, parse};
use strowger::event::DeviceState;

/// Friday 2024-03-15 14:30:00 UTC.
pub const FRIDAY: Wall = Wall(1_710_513_000_000);

pub struct Bench {
    pub plan: Arc<Dialplan>,
    pub said: Vec<Diagnostic>,
    globals: Globals,
    database: Database,
    rng: Cell<u64>,
    pub looked_up: RefCell<Vec<String>>,
}

impl Bench {
    pub fn new(configuration: &str) -> Bench {
        let (plan, said) = parse(&document(configuration), "pbx_config");
        let globals = Globals::new();
        globals.load(&plan);
        Bench {
            plan: Arc::new(plan),
            said,
            globals,
            database: Database::new(),
            rng: Cell::new(7),
            looked_up: RefCell::new(Vec::new()),
        }
    }
}

impl Environment for Bench {
    fn now(&self) -> Now {
        Now { mono: Time::ZERO, wall: FRIDAY }
    }
    fn dialplan(&self) -> &Arc<Dialplan> {
        &self.plan
    }
    fn peer(&self, name: &str, item: &str) -> Option<String> {
        self.looked_up.borrow_mut().push(format!("{name}/{item}"));
        (name == "pap2t" && item == "ip").then(|| "192.0.2.7".to_owned())
    }
    fn channel(&self, item: &str) -> Option<String> {
        (item == "uniqueid").then(|| "1710513000.0".to_owned())
    }
    fn device_state(&self, device: &str) -> DeviceState {
        if device == "SIP/pap2t" { DeviceState::Idle } else { DeviceState::Invalid }
    }
    fn globals(&self) -> &Globals {
        &self.globals
    }
    fn database(&self) -> &Database {
        &self.database
    }
    fn random(&self) -> u64 {
        self.rng.set(self.rng.get() + 1);
        self.rng.get()
    }
}

/// A document from plain lines: comments whole lines only.
pub fn document(text: &str) -> Document {
    let mut document = Document::default();
    for (line, text) in (1u32..).zip(text.lines()) {
        let place = Place { file: "extensions.conf".into(), line };
        let text = text.trim();
        if text.starts_with(';') {
            continue;
        }
        if let Some(name) = text.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            document.sections.push(Section { name: name.to_owned(), place, entries: Vec::new() });
        } else if let (Some((name, value)), Some(section)) = (text.split_once('='), document.sections.last_mut()) {
            let value = value.strip_prefix('>').unwrap_or(value).trim().replace("\\;", ";");
            section.entries.push(Entry { name: name.trim().to_owned(), value, place });
        }
    }
    document
}
