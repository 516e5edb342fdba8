//! The devices of a configuration: which peers are lines of which telephone or adapter.

use super::device::{Model, Models};
use super::mac::Mac;
use crate::config::Config;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::finding::{self, DEVICE_LINE, DEVICE_MODEL, DEVICE_PEER, Finding};
use crate::config::peer::{Credential, Peer, PeerAddress};
use crate::wording::did_you_mean;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One telephone or adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its hardware address; none: a device that files are only shown of.
    pub mac: Option<Mac>,
    /// Which it is.
    pub model: Arc<Model>,
    /// What it is called on its screen; empty: as its first line.
    pub label: String,
    /// Its lines by number, from 1.
    pub lines: BTreeMap<u8, Arc<Peer>>,
    /// Where it is first spoken of.
    pub place: Place,
}

impl Device {
    /// The names of its peers, by line.
    pub fn peers(&self) -> impl Iterator<Item = &str> {
        self.lines.values().map(|peer| peer.name.as_str())
    }
}

/// All devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fleet {
    devices: Vec<Device>,
}

/// A device while it is read: what is said of it, and its peers with the line each asks for.
struct Draft {
    mac: Option<Mac>,
    model: Option<(String, Place)>,
    label: String,
    place: Place,
    peers: Vec<(Option<u8>, Arc<Peer>, Place)>,
}

impl Fleet {
    /// The devices of a configuration, with what is wrong with them. A device that is wrong is left out, a line that is
    /// wrong is left out of its device.
    pub fn of(config: &Config, models: &Models) -> (Fleet, Vec<Diagnostic>) {
        let mut said = Vec::new();
        let mut drafts = drafts(config, &mut said);
        drafts.sort_by(|one, other| one.place.cmp(&other.place));
        let devices = drafts.into_iter().filter_map(|draft| draft.finish(models, &mut said)).collect();
        (Fleet { devices }, said)
    }

    /// Every device, in the order of the files.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The device of that address.
    pub fn with_mac(&self, mac: Mac) -> Option<&Device> {
        self.devices.iter().find(|device| device.mac == Some(mac))
    }

    /// The device that has this peer as a line.
    pub fn of_peer(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.peers().any(|peer| peer == name))
    }
}

fn drafts(config: &Config, said: &mut Vec<Diagnostic>) -> Vec<Draft> {
    let (mut by_mac, mut alone): (BTreeMap<Mac, Draft>, Vec<Draft>) = (BTreeMap::new(), Vec::new());
    for peer in config.sip.peers.values() {
        let about = &peer.device;
        let Some(place) = about.place.clone() else { continue };
        let fresh =
            || Draft { mac: about.mac, model: None, label: String::new(), place: place.clone(), peers: Vec::new() };
        let draft = match about.mac {
            Some(mac) => by_mac.entry(mac).or_insert_with(fresh),
            None if about.model.as_deref() == Some(GENERIC) => {
                alone.push(fresh());
                let Some(draft) = alone.last_mut() else { continue };
                draft
            }
            None => {
                let say =
                    format!("peer '{}' is a line of a device without an address: no files are made for it", peer.name);
                said.push(DEVICE_MODEL.at(&place, say).hint("write 'mac=' as the label of the device has it"));
                continue;
            }
        };
        draft.place = draft.place.clone().min(place.clone());
        match (&draft.model, &about.model) {
            (Some((known, at)), Some(other)) if known != other => {
                let mac = about.mac.map(|mac| mac.to_string()).unwrap_or_default();
                let say =
                    format!("device {mac} is 'device={other}' here and 'device={known}' in {at}: the latter is taken");
                said.push(DEVICE_MODEL.at(&place, say).hint("let all of its lines name the same"));
            }
            (None, Some(model)) => draft.model = Some((model.clone(), place.clone())),
            _ => {}
        }
        draft.peers.push((about.line, Arc::clone(peer), place));
    }
    for row in &config.toml.device {
        let place = Place { file: "strowger.toml".into(), line: row.line };
        let mut draft = Draft {
            mac: Mac::parse(&row.mac),
            model: Some((row.model.clone(), place.clone())),
            label: row.label.clone(),
            place: place.clone(),
            peers: Vec::new(),
        };
        for (number, name) in (1_u8..).zip(&row.lines) {
            if name.is_empty() {
                continue;
            }
            match config.sip.peers.get(name) {
                Some(peer) => draft.peers.push((Some(number), Arc::clone(peer), place.clone())),
                None => {
                    let near = did_you_mean(name, config.sip.peers.keys().map(String::as_str));
                    let say = format!("line {number} of this device is peer '{name}', which sip.conf does not have");
                    let hint = format!("write the name of a section of sip.conf.{near}");
                    said.push(DEVICE_LINE.at(&place, say).hint(hint));
                }
            }
        }
        match draft.mac {
            None => {
                let say = format!("'{}' is no hardware address: the device is left out", row.mac);
                said.push(DEVICE_MODEL.at(&place, say).hint("write its 12 hexadecimal digits"));
            }
            Some(mac) if by_mac.contains_key(&mac) => {
                let say = format!("device {mac} stands elsewhere, too: this one is left out");
                let hint = "let it stand in strowger.toml or in the peers of sip.conf, once";
                said.push(DEVICE_LINE.at(&place, say).hint(hint));
            }
            Some(mac) => {
                by_mac.insert(mac, draft);
            }
        }
    }
    by_mac.into_values().chain(alone).collect()
}

/// The model that needs no address.
const GENERIC: &str = "generic";

impl Draft {
    fn finish(mut self, models: &Models, said: &mut Vec<Diagnostic>) -> Option<Device> {
        let what = self.mac.map_or_else(|| "a device".to_owned(), |mac| format!("device {mac}"));
        let Some((name, at)) = &self.model else {
            let say = format!("{what} has no model: no files are made for it");
            said.push(DEVICE_MODEL.at(&self.place, say).hint(known_models(models)));
            return None;
        };
        let Some(model) = models.get(name) else {
            let near = did_you_mean(name, models.all().map(|model| model.name.as_str()));
            let say = format!("there is no model '{name}'.{near} No files are made for {what}");
            said.push(DEVICE_MODEL.at(at, say).hint(known_models(models)));
            return None;
        };
        // Those that name their line first, then in the order of the file.
        self.peers.sort_by_key(|(line, _, place)| (line.is_none(), place.clone()));
        let mut device = Device {
            mac: self.mac,
            model: Arc::clone(model),
            label: self.label,
            lines: BTreeMap::new(),
            place: self.place,
        };
        for (line, peer, place) in self.peers {
            let free = || (1..=model.lines).find(|number| !device.lines.contains_key(number));
            let fault = match line.or_else(free) {
                None => Some((format!("{what} has no line left for peer '{}'", peer.name), model.lines)),
                Some(line) if line > model.lines => Some((
                    format!("peer '{}' is line {line} of {what}, which has no such line", peer.name),
                    model.lines,
                )),
                Some(line) => match device.lines.get(&line) {
                    Some(other) => {
                        let say = format!("peers '{}' and '{}' are both line {line} of {what}", other.name, peer.name);
                        said.push(DEVICE_LINE.at(&place, say).hint("give each its own 'device_line='"));
                        continue;
                    }
                    None => {
                        said.extend(unfit(&peer, model, &place));
                        device.lines.insert(line, peer);
                        None
                    }
                },
            };
            if let Some((say, lines)) = fault {
                let hint = format!("a {} has {}", model.title, crate::wording::plural(u32::from(lines), "line"));
                said.push(DEVICE_LINE.at(&place, say).hint(hint));
            }
        }
        Some(device)
    }
}

fn known_models(models: &Models) -> String {
    let names: Vec<&str> = models.all().map(|model| model.name.as_str()).collect();
    format!("write 'device=' with one of {}", names.join(", "))
}

/// What keeps a peer from working on a device although it can be told it.
fn unfit(peer: &Peer, model: &Model, place: &Place) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let mut say =
        |finding: &'static Finding, message: String, hint: &str| said.push(finding.at(place, message).hint(hint));
    let name = &peer.name;
    if peer.host != PeerAddress::Dynamic {
        let message = format!("peer '{name}' is a line of a device that registers, and has no 'host=dynamic'");
        say(&DEVICE_PEER, message, "write 'host=dynamic'");
    }
    let password = match &peer.credential {
        Some(Credential::Password(secret)) => secret.reveal(),
        Some(Credential::Ha1(_)) => {
            let message = format!("peer '{name}' has its password as 'md5secret' alone: its device cannot be told it");
            say(&DEVICE_PEER, message, "write 'secret=' instead");
            ""
        }
        None => "",
    };
    let longest = model.longest;
    for (what, text) in [("name", name.as_str()), ("secret", password)] {
        if text.chars().count() > longest {
            let message = format!(
                "the {what} of peer '{name}' is longer than the {longest} letters that a {} takes",
                model.title
            );
            say(&DEVICE_PEER, message, "make it shorter");
        } else if text.contains('"') {
            let message = format!("the {what} of peer '{name}' has a double quote, which its device may not take");
            say(&DEVICE_PEER, message, "use letters and digits");
        }
    }
    if model.lines <= 2
        && model.family != super::device::Family::Other
        && peer.settings.line.is_none()
        && is_adapter(model)
    {
        let message =
            format!("peer '{name}' does not say what is behind its {}: it is set up for a modem", model.title);
        say(&finding::DEVICE_KIND, message, "write 'line=modem', 'line=fax' or 'line=voice'");
    }
    said
}

fn is_adapter(model: &Model) -> bool {
    use super::device::Family;
    matches!(model.family, Family::Sipura | Family::Grandstream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(sip: &str, toml: &str) -> (Fleet, Vec<String>) {
        let (config, said) = Config::from_texts(sip, "", "", toml);
        assert_eq!(said.iter().filter(|one| !one.code.is_empty()).count(), 0, "{said:?}");
        let (fleet, said) = Fleet::of(&config.unwrap(), &Models::default());
        (fleet, said.iter().map(|one| format!("{}: [{}] {}", one.place, one.code, one.message)).collect())
    }

    fn peer(name: &str, lines: &str) -> String {
        format!("[{name}]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\nline=voice\n{lines}\n")
    }

    fn shown(fleet: &Fleet) -> Vec<String> {
        let lines = |device: &Device| {
            let all: Vec<String> = device.lines.iter().map(|(n, peer)| format!("{n}={}", peer.name)).collect();
            all.join(" ")
        };
        fleet.devices().iter().map(|device| format!("{} {}", device.model.name, lines(device))).collect()
    }

    const MAC: &str = "mac=00:14:a9:bc:00:01\n";

    #[test]
    fn peers_of_one_address_are_the_lines_of_one_device() {
        let sip = peer("b", &format!("{MAC}device=cisco-7960\n"))
            + &peer("a", MAC)
            + &peer("c", &format!("{MAC}device_line=2"));
        let (fleet, said) = fleet(&sip, "");
        assert_eq!((shown(&fleet), said), (vec!["cisco-7960 1=b 2=c 3=a".to_owned()], Vec::new()));
        assert_eq!(fleet.of_peer("a").and_then(|device| device.mac), Mac::parse("0014a9bc0001"));
        assert!(fleet.of_peer("d").is_none());
    }

    #[test]
    fn the_same_may_stand_in_strowger_toml() {
        let sip = peer("a", "") + &peer("b", "");
        let toml = "[[device]]\nmac = '0014A9BC0001'\nmodel = 'pap2t'\nlines = ['', 'a']\n\n[[device]]\nmac='0014A9BC0002'\nmodel='ht801'\nlines=['x']\nlabel='Hall'\n";
        let (fleet, said) = fleet(&sip, toml);
        assert_eq!(shown(&fleet), ["pap2t 2=a", "ht801 "]);
        assert_eq!(
            said,
            ["strowger.toml:6: [device-line] line 1 of this device is peer 'x', which sip.conf does not have"]
        );
    }

    #[test]
    fn what_cannot_be_is_said_with_its_line() {
        let said = |sip: &str| fleet(sip, "").1;
        let twice =
            peer("a", &format!("{MAC}device=pap2t\ndevice_line=1")) + &peer("b", &format!("{MAC}device_line=1"));
        assert_eq!(
            said(&twice),
            ["sip.conf:14: [device-line] peers 'a' and 'b' are both line 1 of device 0014A9BC0001"]
        );
        let beyond = peer("a", &format!("{MAC}device=pap2t\ndevice_line=3"));
        assert_eq!(
            said(&beyond),
            ["sip.conf:6: [device-line] peer 'a' is line 3 of device 0014A9BC0001, which has no such line"]
        );
        let many = peer("a", &format!("{MAC}device=ht801")) + &peer("b", MAC);
        assert_eq!(said(&many), ["sip.conf:13: [device-line] device 0014A9BC0001 has no line left for peer 'b'"]);
        let unknown = peer("a", &format!("{MAC}device=cisco-7690"));
        assert_eq!(
            said(&unknown),
            [
                "sip.conf:6: [device-model] there is no model 'cisco-7690'. Did you mean 'cisco-7960'? No files are made for device 0014A9BC0001"
            ]
        );
        assert_eq!(
            said(&peer("a", MAC)),
            ["sip.conf:6: [device-model] device 0014A9BC0001 has no model: no files are made for it"]
        );
        assert_eq!(
            said(&peer("a", "device=pap2t")),
            ["sip.conf:6: [device-model] peer 'a' is a line of a device without an address: no files are made for it"]
        );
        let two = peer("a", &format!("{MAC}device=pap2t")) + &peer("b", &format!("{MAC}device=spa112"));
        assert_eq!(
            said(&two),
            [
                "sip.conf:13: [device-model] device 0014A9BC0001 is 'device=spa112' here and 'device=pap2t' in sip.conf:6: the latter is taken"
            ]
        );
        let fixed = peer("a", &format!("{MAC}device=pap2t\nhost=192.0.2.1"));
        assert_eq!(
            said(&fixed),
            ["sip.conf:6: [device-peer] peer 'a' is a line of a device that registers, and has no 'host=dynamic'"]
        );
        let long = peer("a", &format!("{MAC}device=cisco-7960\nsecret={}", "x".repeat(32)));
        assert_eq!(
            said(&long),
            ["sip.conf:6: [device-peer] the secret of peer 'a' is longer than the 31 letters that a Cisco 7960 takes"]
        );
        let kind = peer("a", &format!("{MAC}device=pap2t\nline="));
        assert_eq!(
            said(&kind),
            [
                "sip.conf:6: [device-kind] peer 'a' does not say what is behind its Linksys PAP2T: it is set up for a modem"
            ]
        );
        assert_eq!(shown(&fleet(&peer("a", "device=generic"), "").0), ["generic 1=a"]);
    }
}
