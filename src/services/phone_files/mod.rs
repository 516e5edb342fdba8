//! The files of telephones: finds what one asks for, decides whether it gets it, and keeps who got what.
//!
//! A file with passwords is given only to the device whose it is, known by its hardware address in this machine's table of
//! neighbours (ARP), or to anybody while the user has opened a window for it (`docs/explain/security.md`).

mod board;
mod file_content;
mod folder;
mod neighbours;
mod networks;

pub use board::{Board, Entry};
pub use file_content::FileContent;
pub use networks::Networks;

use super::Publish;
use crate::event::provision::FileOutcome;
use crate::provision::file_name::MAX_NAME;
use crate::provision::{Found, Mac, Request, Shelf, Via};
use board::Asked;
use folder::Folder;
use neighbours::Neighbours;
use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Words of a hint that the folder's path takes the place of.
const FOLDER_WORDS: &str = "the provisioning folder";

/// What may be fetched, and from where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The files that are made.
    pub shelf: Shelf,
    /// The folder of the user's own.
    pub folder: PathBuf,
    /// Whose requests are answered.
    pub networks: Networks,
}

/// The files, shared by the protocols.
pub struct PhoneFiles {
    state: Mutex<State>,
    neighbours: Neighbours,
    board: Arc<Board>,
    publish: Publish,
}

struct State {
    shelf: Shelf,
    folder: Folder,
    networks: Networks,
}

/// Who asks, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The name, as it was asked for.
    pub name: &'a str,
    /// How.
    pub via: Via,
    /// Where from.
    pub peer: SocketAddr,
    /// The address of this machine that was asked.
    pub reached_at: IpAddr,
    /// What it says it is.
    pub user_agent: Option<&'a str>,
}

/// What a request gets. Whatever is not given has been logged.
pub enum Answer {
    /// This file. The entry is to be told how it went.
    Give(Box<Handed>),
    /// It is not there.
    Missing,
    /// It is not given.
    Refused,
}

/// A file that is given.
pub struct Handed {
    /// Its bytes.
    pub body: Body,
    /// How many they are.
    pub length: u64,
    /// The name it has, to tell its kind from.
    pub name: String,
    /// What it is, when it was made.
    pub what: Option<&'static str>,
    /// It has passwords in it.
    pub has_secret: bool,
    /// Where its progress is kept.
    pub entry: Entry,
}

/// The bytes of a file.
pub enum Body {
    /// These.
    Made(Vec<u8>),
    /// Those of this file.
    OnDisk(File),
}

impl PhoneFiles {
    /// Files of these settings. What happens is published, and kept on the board.
    pub fn new(settings: Settings, board: Arc<Board>, publish: Publish) -> PhoneFiles {
        let state = Mutex::new(State::of(settings));
        PhoneFiles { state, neighbours: Neighbours, board, publish }
    }

    /// Takes new settings, and reads the folder again.
    pub fn renew(&self, settings: Settings) {
        *self.state() = State::of(settings);
    }

    /// Is anybody at this address answered at all?
    pub fn serves(&self, address: IpAddr) -> bool {
        self.state().networks.have(address)
    }

    /// The board.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Looks for a file, and decides whether it is given.
    pub async fn ask(&self, asker: Asker<'_>) -> Answer {
        let address = asker.peer.ip().to_canonical();
        let mut mac = self.neighbours.mac_of(address);
        let mut found = self.find(&asker, mac);
        let depends_on_mac = match &found {
            Found::Made { has_secret, .. } => *has_secret,
            Found::OnDisk { device, .. } => device.is_some(),
            Found::Missing { .. } => true,
            Found::Refused(_) => false,
        };
        // A neighbour that was not heard for a while is not in the table: the system asks for it when it is sent something.
        if mac.is_none() && depends_on_mac && !self.board.is_open() {
            mac = self.neighbours.look_for(address).await;
            found = if mac.is_some() { self.find(&asker, mac) } else { found };
        }
        self.decide(&asker, address, mac, found)
    }

    fn find(&self, asker: &Asker<'_>, mac: Option<Mac>) -> Found {
        let Asker { name, via, peer, reached_at, .. } = *asker;
        let mut state = self.state();
        let State { shelf, folder, .. } = &mut *state;
        if let Some(files) = folder.changed() {
            shelf.set_files(files);
        }
        let address = peer.ip().to_canonical();
        let request = Request { name, via, mac, address, reached_at: reached_at.to_canonical() };
        match shelf.find(&request) {
            Found::OnDisk { name, device: None } => Found::OnDisk { device: folder.device_behind(&name), name },
            found => found,
        }
    }

    fn decide(&self, asker: &Asker<'_>, address: IpAddr, mac: Option<Mac>, found: Found) -> Answer {
        let entry = |name: &str| {
            let Asker { via, user_agent, .. } = *asker;
            let asked = Asked { mac, address, via, user_agent: user_agent.map(kept), file: kept(name) };
            Entry::new(self.board.clone(), self.publish.clone(), asked)
        };
        let may_have = |device: Option<Mac>| (device.is_some() && device == mac) || self.board.is_open();
        let withheld = |device: Option<Mac>| {
            let device = device.map(|device| device.to_string());
            entry(asker.name).end(FileOutcome::Withheld { device });
            Answer::Refused
        };
        match found {
            Found::Made { has_secret: true, device, .. } if !may_have(device) => withheld(device),
            Found::OnDisk { device: Some(device), .. } if !may_have(Some(device)) => withheld(Some(device)),
            Found::Made { bytes, has_secret, what, .. } => {
                let (length, name) = (bytes.len() as u64, asker.name.to_owned());
                let entry = entry(asker.name);
                Answer::Give(Box::new(Handed {
                    body: Body::Made(bytes),
                    length,
                    name,
                    what: Some(what),
                    has_secret,
                    entry,
                }))
            }
            Found::OnDisk { name, device } => {
                let entry = entry(asker.name);
                let opened = self.state().folder.open(&name);
                match opened {
                    Ok((file, length)) => {
                        let (body, has_secret) = (Body::OnDisk(file), device.is_some());
                        Answer::Give(Box::new(Handed { body, length, name, what: None, has_secret, entry }))
                    }
                    Err(why) => {
                        entry.end(FileOutcome::Refused(why));
                        Answer::Refused
                    }
                }
            }
            Found::Refused(why) => {
                entry(asker.name).end(FileOutcome::Refused(why.to_string()));
                Answer::Refused
            }
            Found::Missing { hint } => {
                let folder = self.state().folder.path().display().to_string();
                let hint = hint.map(|hint| hint.replace(FOLDER_WORDS, &folder));
                entry(asker.name).end(FileOutcome::Missing { hint });
                Answer::Missing
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As much of a text from outside as is kept and logged: of a name as much as is looked for.
fn kept(text: &str) -> String {
    text.char_indices().take_while(|(at, _)| *at < MAX_NAME).map(|(_, letter)| letter).collect()
}

impl State {
    fn of(settings: Settings) -> State {
        State { shelf: settings.shelf, folder: Folder::new(settings.folder), networks: settings.networks }
    }
}

#[cfg(test)]
mod tests;
