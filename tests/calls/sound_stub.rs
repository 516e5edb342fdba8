//! The loader of sounds as the switch sees it: a table of names. What a story does not put there is missing, but for the
//! sounds that need no file.

use std::collections::BTreeMap;
use std::time::Duration;
use strowger::audio::sound::{self, Sound};
use strowger::pbx::sounds::{SoundOrder, SoundReply, Wanted};

/// See the module.
pub struct SoundStub {
    /// The sounds there are, by name or `language/name`.
    pub sounds: BTreeMap<String, Sound>,
    /// Every other name is a sound of half a second, unless it begins with `no-`.
    pub has_all: bool,
    /// How long an order takes.
    pub takes: Duration,
    /// What was ordered, in order.
    pub orders: Vec<SoundOrder>,
    /// The names of what was given out, by the address of the bytes.
    names: BTreeMap<usize, String>,
}

impl SoundStub {
    pub fn new() -> SoundStub {
        SoundStub {
            sounds: BTreeMap::new(),
            has_all: false,
            takes: Duration::from_millis(1),
            orders: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// There is a sound of this name from now on, so long.
    pub fn add(&mut self, name: &str, length: Duration) {
        let samples = vec![1000; length.as_millis() as usize * 8];
        self.sounds.insert(name.to_owned(), Sound::of_samples(&samples));
    }

    /// What an order gets. Music of a folder: every sound whose name begins with the folder's.
    pub fn load(&mut self, order: SoundOrder) -> SoundReply {
        let sounds = match &order.wanted {
            Wanted::Names { names, language } => names.iter().map(|name| self.find(name, language)).collect(),
            Wanted::Folder(folder) => {
                let start = format!("{}/", folder.display());
                let names: Vec<String> = self.sounds.keys().filter(|name| name.starts_with(&start)).cloned().collect();
                names.iter().map(|name| self.find(name, "")).collect()
            }
        };
        let reply = SoundReply { channel: order.channel, order: order.order, sounds };
        self.orders.push(order);
        reply
    }

    fn find(&mut self, name: &str, language: &str) -> Result<Sound, String> {
        let own = self.sounds.get(&format!("{language}/{name}")).or_else(|| self.sounds.get(name)).cloned();
        let found = own.or_else(|| sound::find(name).map(|samples| Sound::of_samples(&samples)));
        let any = (self.has_all && !name.starts_with("no-")).then(|| Sound::of_samples(&[1000; 4000]));
        let found = found.or(any).ok_or_else(|| format!("There is no sound '{name}'"))?;
        for law in [strowger::audio::g711::Law::Mu, strowger::audio::g711::Law::A] {
            self.names.insert(found.in_law(law).as_ptr() as usize, name.to_owned());
        }
        Ok(found)
    }

    /// The name under which these bytes were given out; empty: a tone of the exchange's own.
    pub fn name(&self, bytes: &[u8]) -> &str {
        self.names.get(&(bytes.as_ptr() as usize)).map_or("", String::as_str)
    }
}
