//! The files that are made: of the configuration, for whoever asks for them.

mod facts;
mod filling;
mod firmware;

use super::device::shared::{self, FIRST_PROFILE, RINGS, SharedFile};
use super::device::{Family, FileKind, Models};
use super::fleet::{Device, Fleet};
use super::mac::Mac;
use super::numbers::{self, Number};
use super::phone_pages;
use super::request::{Found, Request};
use super::template::{Filled, Format, Passwords, Template};
use super::values::{Values, names};
use super::zone::ZoneRule;
use crate::clock::Wall;
use crate::config::Config;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::finding::DEVICE_TEMPLATE;
use crate::config::phone_book::PhoneBook;
use crate::dialplan::Dialplan;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use facts::{Facts, MadeFile, TFTP_PORT};
pub use firmware::DEFAULT_IMAGE;

/// What is needed to make every file: the devices, the numbers that can be dialled, the time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    models: Arc<Models>,
    fleet: Fleet,
    /// The user's templates for one device.
    own_templates: BTreeMap<Mac, Template>,
    /// The numbers of each context that a line begins in.
    numbers: BTreeMap<String, Vec<Number>>,
    /// Those of each device with a dial plan for all of its lines.
    of_device: BTreeMap<Mac, Vec<Number>>,
    zone: ZoneRule,
    sip_port: u16,
    /// `[provision] ntp`.
    ntp: String,
    phone_book: PhoneBook,
}

impl Stock {
    /// The stock of a configuration, with what is wrong with its devices and templates. `now`: from when on the time zone's
    /// rule is looked at.
    pub fn of(config: &Config, plan: &Dialplan, now: Wall) -> (Stock, Vec<Diagnostic>) {
        let mut said = Vec::new();
        let (mut models, mut own_templates) = (Models::default(), BTreeMap::new());
        for (file, text) in &config.templates {
            let stem = file.rsplit('/').next().unwrap_or(file);
            let stem = stem.strip_suffix(".template").unwrap_or(stem);
            let read = match Mac::parse(stem) {
                Some(mac) => Template::parse(text, &names::is_known).map(|own| drop(own_templates.insert(mac, own))),
                None => models.add(stem, text),
            };
            if let Err(fault) = read {
                let place = Place { file: file.as_str().into(), line: fault.line };
                let hint = "docs/reference/devices.md has the names that a template may have";
                said.push(
                    DEVICE_TEMPLATE.at(&place, format!("{}: the template is not used", fault.message)).hint(hint),
                );
            }
        }
        let (fleet, wrong) = Fleet::of(config, &models);
        said.extend(wrong);
        let context = |peer: &crate::config::peer::Peer| peer.settings.context.clone();
        let contexts: BTreeSet<String> =
            fleet.devices().iter().flat_map(|device| device.lines.values()).map(|peer| context(peer)).collect();
        let numbers: BTreeMap<String, Vec<Number>> = contexts
            .into_iter()
            .map(|context| (context.clone(), numbers::of_contexts(plan, &BTreeSet::from([context.as_str()]))))
            .collect();
        let whole =
            fleet.devices().iter().filter(|device| device.model.family == Family::Cisco79xx).filter_map(|device| {
                let contexts = device.lines.values().map(|peer| peer.settings.context.as_str()).collect();
                Some((device.mac?, numbers::of_contexts(plan, &contexts)))
            });
        let stock = Stock {
            of_device: whole.collect(),
            zone: ZoneRule::of(config.zones.local(), now),
            sip_port: config.sip.general.bind.port(),
            ntp: config.toml.provision.ntp.clone(),
            phone_book: config.phone_book.clone(),
            models: Arc::new(models),
            fleet,
            own_templates,
            numbers,
        };
        (stock, said)
    }

    /// The devices.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The models.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// Every file that a device asks for, in the order in which it does, those of all devices of its make among them.
    pub fn files_of(&self, device: &Device, facts: &Facts, passwords: Passwords) -> Vec<MadeFile> {
        let shared = shared::FILES.iter().filter(|file| file.family == device.model.family);
        let own = device.model.files.iter().map(|kind| {
            let name = kind.names.first().map(|name| with_mac(name, device.mac)).unwrap_or_default();
            self.own_file(device, kind, name, facts, passwords)
        });
        let mut files: Vec<MadeFile> = own.collect();
        files.extend(shared.filter_map(|file| self.shared_file(file, facts, Some(device))));
        if device.model.family == Family::Cisco79xx {
            files.extend(rings());
        }
        files
    }

    /// The devices that were there before and whose files were others then.
    pub fn changed_since<'a>(&'a self, before: &Stock) -> Vec<&'a Device> {
        let facts = Facts::of_nobody();
        let is_changed = |device: &&Device| {
            let known = device.mac.and_then(|mac| before.fleet.with_mac(mac));
            let files = |stock: &Stock, device: &Device| stock.files_of(device, &facts, Passwords::Written);
            known.is_some_and(|known| files(before, known) != files(self, device))
        };
        self.fleet.devices().iter().filter(is_changed).collect()
    }

    /// What there is for a request whose name has been made clean; `None` when it is no file of ours.
    pub fn find(&self, name: &str, request: &Request<'_>, facts: &Facts) -> Option<Found> {
        let asked = name.to_lowercase();
        if let Some(page) = self.page(&asked, facts) {
            return Some(found(page, None));
        }
        if let Some(mac) = Mac::in_name(name)
            && let Some(device) = self.fleet.with_mac(mac)
        {
            if let Some(file) = self.named(device, &asked, facts) {
                return Some(found(file, device.mac));
            }
            return firmware::usually_missing(&asked).map(missing);
        }
        let asker = request.mac.and_then(|mac| self.fleet.with_mac(mac));
        self.shared_or_first(&asked, asker, facts).or_else(|| self.not_there(&asked, facts))
    }

    /// A page that telephones show; by HTTP alone they can be asked for.
    fn page(&self, asked: &str, facts: &Facts) -> Option<MadeFile> {
        let http = filling::http(facts).filter(|_| !self.phone_book.is_empty())?;
        let (text, what) = if asked == "services.xml" {
            (phone_pages::services(&http), "the list of services")
        } else {
            (phone_pages::directory(&self.phone_book, phone_pages::directory_page(asked)?, &http)?, "the phone book")
        };
        Some(MadeFile { name: asked.to_owned(), what, bytes: text.into_bytes(), has_secret: false })
    }

    /// A device's own file of this name.
    fn named(&self, device: &Device, asked: &str, facts: &Facts) -> Option<MadeFile> {
        let kind =
            device.model.files.iter().find(|kind| {
                kind.names.iter().any(|name| is_like(&with_mac(name, device.mac).to_lowercase(), asked))
            })?;
        Some(self.own_file(device, kind, asked.to_owned(), facts, Passwords::Written))
    }

    /// A file of a device: of the user's template for it, when it is the one with its lines.
    fn own_file(
        &self,
        device: &Device,
        kind: &FileKind,
        name: String,
        facts: &Facts,
        passwords: Passwords,
    ) -> MadeFile {
        let is_main = device.model.files.last() == Some(kind);
        let own = device.mac.and_then(|mac| self.own_templates.get(&mac)).filter(|_| is_main);
        let filled = own.unwrap_or(&kind.template).fill(&self.values(device, facts), kind.format, passwords);
        let file = made(name, kind.what, filled);
        // A template of the user's may have a password that no name in it stands for, such as that of the device's own page.
        MadeFile { has_secret: file.has_secret || is_main, ..file }
    }

    /// A file of all devices of a make, or what a new device is given.
    fn shared_or_first(&self, asked: &str, asker: Option<&Device>, facts: &Facts) -> Option<Found> {
        let has = |family: Family| self.fleet.devices().iter().any(|device| device.model.family == family);
        if has(Family::Cisco79xx) {
            let of_cisco = asker.filter(|device| device.model.family == Family::Cisco79xx);
            let shared = shared::FILES.iter().find(|file| file.name.eq_ignore_ascii_case(asked));
            if let Some(file) = shared.and_then(|file| self.shared_file(file, facts, of_cisco)) {
                return Some(found(file, None));
            }
            if let Some(file) = rings().into_iter().find(|file| file.name.eq_ignore_ascii_case(asked)) {
                return Some(found(file, None));
            }
        }
        let is_first = |device: &&Device| device.model.first_names.iter().any(|name| name == asked);
        if let Some(device) = asker.filter(is_first)
            && let Some(kind) = device.model.files.first()
        {
            let file = self.own_file(device, kind, asked.to_owned(), facts, Passwords::Written);
            return Some(found(file, device.mac));
        }
        let first = self.fleet.devices().iter().find(is_first)?;
        if first.model.family != Family::Sipura {
            return None;
        }
        let template = Template::parse(FIRST_PROFILE, &names::is_known).ok()?;
        let filled = template.fill(&self.exchange_values(facts), Format::Xml, Passwords::Written);
        Some(found(made(asked.to_owned(), "where its own configuration is", filled), None))
    }

    fn shared_file(&self, file: &SharedFile, facts: &Facts, device: Option<&Device>) -> Option<MadeFile> {
        let template = Template::parse(file.template, &names::is_known).ok()?;
        let mut values = self.exchange_values(facts);
        values.list("dial_rules", super::dial_plan::cisco(self.cisco_numbers(device)));
        let filled = template.fill(&values, file.format, Passwords::Written);
        Some(made(file.name.to_owned(), file.what, filled))
    }

    /// The numbers that a Cisco's dial plan has: those of its lines; of a telephone that is not known, of the first one.
    fn cisco_numbers(&self, device: Option<&Device>) -> &[Number] {
        let own = device.and_then(|device| self.of_device.get(&device.mac?));
        own.or_else(|| self.of_device.values().next()).map(Vec::as_slice).unwrap_or_default()
    }

    /// What to say of a file that is not there.
    fn not_there(&self, asked: &str, facts: &Facts) -> Option<Found> {
        if let Some(hint) = firmware::usually_missing(asked).or_else(|| firmware::hint(asked, &self.image(facts))) {
            return Some(missing(hint));
        }
        let mac = Mac::in_name(asked)?;
        Some(missing(format!(
            "no device of that address is configured: write 'mac={mac}' and 'device=' with its model into a peer of sip.conf"
        )))
    }

    /// The firmware that Cisco's telephones are told to run.
    fn image(&self, facts: &Facts) -> String {
        firmware::newest(&facts.own_files).unwrap_or_else(|| DEFAULT_IMAGE.to_owned())
    }
}

fn missing(hint: String) -> Found {
    Found::Missing { hint: Some(hint) }
}

fn found(file: MadeFile, device: Option<Mac>) -> Found {
    Found::Made { bytes: file.bytes, has_secret: file.has_secret, device, what: file.what }
}

fn made(name: String, what: &'static str, filled: Filled) -> MadeFile {
    MadeFile { name, what, bytes: filled.text.into_bytes(), has_secret: filled.has_secret }
}

/// The ring tones and their list.
fn rings() -> Vec<MadeFile> {
    let list = MadeFile {
        name: "RINGLIST.DAT".into(),
        what: "the list of ring tones",
        bytes: shared::ring_list().into_bytes(),
        has_secret: false,
    };
    let tones = RINGS.iter().map(|(_, name, bytes)| MadeFile {
        name: (*name).to_owned(),
        what: "a ring tone",
        bytes: bytes.to_vec(),
        has_secret: false,
    });
    std::iter::once(list).chain(tones).collect()
}

/// The name of a device's file.
fn with_mac(name: &str, mac: Option<Mac>) -> String {
    match mac {
        Some(mac) => name.replace("{MAC}", &mac.to_string()).replace("{mac}", &mac.lower()),
        None => name.to_owned(),
    }
}

/// Whether a name is asked for; one `*` in it stands for anything.
fn is_like(name: &str, asked: &str) -> bool {
    match name.split_once('*') {
        None => name == asked,
        Some((before, after)) => {
            asked.len() >= before.len().saturating_add(after.len())
                && asked.starts_with(before)
                && asked.ends_with(after)
        }
    }
}

/// The values that a device's own files are filled with.
impl Stock {
    fn values(&self, device: &Device, facts: &Facts) -> Values {
        let mut values = self.exchange_values(facts);
        let contexts: BTreeSet<&str> = self
            .fleet
            .devices()
            .iter()
            .filter(|device| device.model.family == Family::Cisco79xx)
            .flat_map(|device| device.lines.values())
            .map(|peer| peer.settings.context.as_str())
            .collect();
        filling::device(&mut values, device, &self.numbers, contexts.len() > 1);
        if device.model.family == Family::Cisco79xx {
            values.list("dial_rules", super::dial_plan::cisco(self.cisco_numbers(Some(device))));
        }
        values
    }

    fn exchange_values(&self, facts: &Facts) -> Values {
        let mut values = Values::default();
        filling::exchange(&mut values, facts, self.sip_port, &self.ntp, !self.phone_book.is_empty());
        filling::zone(&mut values, &self.zone);
        let image = self.image(facts);
        values.set("image_universal", firmware::universal(&image));
        values.set("image", image);
        values
    }
}

#[cfg(test)]
mod tests;
