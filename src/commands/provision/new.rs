//! `strowger provision new`: adds a telephone or adapter. It asks three questions, as far as they are not answered by options,
//! makes a password for each line, and writes the peers into a file of its own beside sip.conf.

use crate::check::everything;
use crate::cli::{Common, NewDevice};
use crate::clock::Wall;
use crate::commands::init;
use crate::commands::own_address::own_address;
use crate::config::Config;
use crate::config::load;
use crate::config::peer::LineKind;
use crate::daemon::clock::wall;
use crate::dialplan::Dialplan;
use crate::dialplan::tree::Existence;
use crate::provision::device::Model;
use crate::provision::{Mac, Stock};
use crate::wording::did_you_mean;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::Path;

/// The file beside sip.conf that peers are written into.
const FILE: &str = "sip-devices.conf";
/// The number of the first line, when there is none yet.
const FIRST_NUMBER: u32 = 201;

/// One line that is added.
struct Line {
    kind: LineKind,
    name: String,
}

/// Adds it; the text says what was written where, and what to do next. No password stands in it.
pub(super) fn run(common: &Common, wanted: &NewDevice) -> Result<String, String> {
    let place = init::existing(common).ok_or("there is no configuration: strowger init makes one")?;
    let loaded = load::load(&place);
    let (plan, _) = everything(&loaded);
    let (Some(config), Some(plan)) = (&loaded.config, &plan) else {
        return Err(format!("the configuration in {} cannot be used: strowger check says why", place.display()));
    };
    let (stock, _) = Stock::of(config, plan, Wall(0));
    let model = model(&stock, wanted.device.as_deref())?;
    let mac = mac(&stock, &model, wanted.mac.as_deref())?;
    let lines = lines(config, &model, wanted.lines.as_deref())?;
    let free = usize::from(model.lines).saturating_sub(taken(&stock, mac));
    if lines.len() > free {
        return Err(format!("{} lines are too many: a {} has {free} left", lines.len(), model.title));
    }
    let text = section(&model, mac, &lines).map_err(|error| format!("no password could be made: {error}"))?;
    let file = loaded.directory.join(FILE);
    write(&loaded.directory, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    let address = wanted.address.or_else(own_address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    Ok(told(&file, config, plan, &model, &lines, address))
}

/// The answer to a question: what an option says, or what is typed.
fn answer(given: Option<&str>, question: &str) -> Result<String, String> {
    if let Some(given) = given {
        return Ok(given.trim().to_owned());
    }
    eprint!("{question} ");
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err("nothing was answered; --device, --mac and --for answer without being asked".to_owned()),
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) => Err(format!("the answer cannot be read: {error}")),
    }
}

fn model(stock: &Stock, given: Option<&str>) -> Result<Model, String> {
    let names: Vec<&str> = stock.models().all().map(|model| model.name.as_str()).collect();
    let name = answer(given, &format!("Which device is it? ({})", names.join(", ")))?.to_ascii_lowercase();
    match stock.models().get(&name) {
        Some(model) => Ok(Model::clone(model)),
        None => Err(format!(
            "there is no model '{name}'.{} There are: {}",
            did_you_mean(&name, names.clone()),
            names.join(", ")
        )),
    }
}

/// Its address; a model that no files are made for needs none.
fn mac(stock: &Stock, model: &Model, given: Option<&str>) -> Result<Option<Mac>, String> {
    if given.is_none() && model.files.iter().all(|file| file.names.is_empty()) {
        return Ok(None);
    }
    let text = answer(given, "What is its hardware address (MAC)? It stands on its label:")?;
    let mac =
        Mac::parse(&text).ok_or_else(|| format!("'{text}' is no hardware address: it has 12 hexadecimal digits"))?;
    match stock.fleet().with_mac(mac) {
        Some(device) if device.model.name != model.name => Err(format!(
            "{mac} is a {} already: its lines are {}",
            device.model.title,
            device.peers().collect::<Vec<_>>().join(", ")
        )),
        _ => Ok(Some(mac)),
    }
}

fn taken(stock: &Stock, mac: Option<Mac>) -> usize {
    mac.and_then(|mac| stock.fleet().with_mac(mac)).map_or(0, |device| device.lines.len())
}

/// `modem 881, voice`: what each line is for, and its name; without one the next number that is free.
fn lines(config: &Config, model: &Model, given: Option<&str>) -> Result<Vec<Line>, String> {
    let most = if model.lines > 1 { format!(", up to {} with commas between", model.lines) } else { String::new() };
    let text = answer(given, &format!("What is on it? (modem, fax or voice, and its number: voice 201{most})"))?;
    let mut names: BTreeSet<String> = config.sip.peers.keys().cloned().collect();
    let mut lines = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let mut words = part.split_whitespace();
        let word = words.next().unwrap_or_default();
        let kind = LineKind::from_word(word).ok_or_else(|| format!("'{word}' is none of modem, fax and voice"))?;
        let name = match (words.next(), words.next()) {
            (Some(name), None) => name.to_owned(),
            (None, _) => next_number(config, &names),
            (Some(_), Some(_)) => return Err(format!("'{part}' has too many words: write 'voice 201'")),
        };
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err(format!("'{name}' cannot be a peer's name: use letters, digits and -"));
        }
        if !names.insert(name.clone()) {
            return Err(format!("there is a peer '{name}' already"));
        }
        lines.push(Line { kind, name });
    }
    if lines.is_empty() { Err("a device needs a line: write 'voice 201' or the like".to_owned()) } else { Ok(lines) }
}

/// One more than the highest number of three digits that there is, or the next one that is free.
fn next_number(config: &Config, names: &BTreeSet<String>) -> String {
    let three = config.sip.peers.keys().filter(|name| name.len() == 3).filter_map(|name| name.parse::<u32>().ok());
    let next = three.max().map_or(FIRST_NUMBER, |highest| highest.saturating_add(1));
    (next..).map(|number| number.to_string()).find(|name| !names.contains(name)).unwrap_or_default()
}

/// The peers as sip.conf has them, each with a new password.
fn section(model: &Model, mac: Option<Mac>, lines: &[Line]) -> io::Result<String> {
    let mut text = String::new();
    for line in lines {
        let (name, secret, kind, device) = (&line.name, init::fresh_secret()?, line.kind.name(), &model.name);
        let mac = mac.map(|mac| format!("mac={mac}\n")).unwrap_or_default();
        text += &format!("\n[{name}]\ntype=friend\nhost=dynamic\nsecret={secret}\nline={kind}\n{mac}device={device}\n");
    }
    Ok(text)
}

/// Appends to the file, which is made like sip.conf but for nobody else to read, and has sip.conf read it.
fn write(folder: &Path, text: &str) -> io::Result<()> {
    let (sip, file) = (folder.join("sip.conf"), folder.join(FILE));
    let about = fs::metadata(&sip)?;
    let is_new = !file.exists();
    let mut opened = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&file)?;
    if is_new {
        // Who may read sip.conf must read this: the user the exchange runs as.
        let me = fs::metadata(&file)?;
        if (me.uid(), me.gid()) != (about.uid(), about.gid()) {
            chown(&file, Some(about.uid()), Some(about.gid()))?;
        }
        let mode = if about.mode() & 0o040 == 0 { 0o600 } else { 0o640 };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        opened.write_all(
            b"; Lines of telephones and adapters, written by 'strowger provision new'. Change what you like.\n",
        )?;
    }
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    let written = fs::read(&sip)?;
    let is_included = |line: &str| line.trim_start().starts_with("#include") && line.contains(FILE);
    if !String::from_utf8_lossy(&written).lines().any(is_included) {
        let before = if written.ends_with(b"\n") || written.is_empty() { "" } else { "\n" };
        let mut opened = fs::OpenOptions::new().append(true).open(&sip)?;
        opened.write_all(format!("{before}\n#include \"{FILE}\"\n").as_bytes())?;
        opened.sync_all()?;
    }
    Ok(())
}

/// What was done, and what to do next.
fn told(file: &Path, config: &Config, plan: &Dialplan, model: &Model, lines: &[Line], address: IpAddr) -> String {
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let mut text = format!("{}: {} written, each with a password of its own\n", file.display(), names.join(", "));
    let context = &config.sip.general.defaults.context;
    let missing: Vec<&&str> =
        names.iter().filter(|name| plan.exists(context, name, None, wall()) != Existence::Yes).collect();
    text += "next:\n";
    if !missing.is_empty() {
        text += &format!("  in extensions.conf, [{context}]:\n");
        missing.iter().for_each(|name| text += &format!("    exten => {name},1,Dial(SIP/{name})\n"));
    }
    text += "  strowger reload\n";
    let first = names.first().copied().unwrap_or_default();
    if model.files.iter().all(|file| file.names.is_empty()) {
        return text + &format!("  strowger provision show {first} --secrets: what to type into it\n");
    }
    text += &format!("  strowger provision show {first}: what it will get\n");
    text += "  tell your DHCP server where the exchange is, once:\n";
    for (server, line) in dhcp(address) {
        text += &format!("    {server:<13} {line}\n");
    }
    text + "  plug the device in\n"
}

/// The lines that have DHCP servers name the exchange (options 66 and 150); docs/guides/telephones.md has them whole.
fn dhcp(address: IpAddr) -> Vec<(&'static str, String)> {
    vec![
        ("dnsmasq", format!("dhcp-option=66,\"{address}\" and dhcp-option=150,{address}")),
        (
            "OpenWrt",
            format!(
                "uci add_list dhcp.lan.dhcp_option='66,{address}'; the same with 150; uci commit dhcp; service dnsmasq restart"
            ),
        ),
        ("ISC dhcpd", format!("option tftp-server-name \"{address}\"; option option-150 {address};")),
        ("Kea", format!("{{ \"name\": \"tftp-server-name\", \"data\": \"{address}\" }}")),
        ("pfSense", format!("Services, DHCP Server, TFTP Server: {address}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("strowger-new-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("sip.conf"),
            "[general]\ncontext=default\n[200]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz",
        )
        .unwrap();
        fs::set_permissions(folder.join("sip.conf"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(folder.join("extensions.conf"), "[default]\nexten => _20X,1,Dial(SIP/${EXTEN})\n").unwrap();
        folder
    }

    fn add(folder: &Path, device: &str, mac: &str, lines: &str) -> Result<String, String> {
        let common = Common { config: Some(folder.to_owned()), ..Common::default() };
        let mac = Some(mac.to_owned()).filter(|mac| !mac.is_empty());
        let wanted = NewDevice {
            device: Some(device.into()),
            mac,
            lines: Some(lines.into()),
            address: Some("192.0.2.1".parse().unwrap()),
        };
        run(&common, &wanted)
    }

    #[test]
    fn a_device_is_added_with_passwords_that_nobody_is_shown() {
        let folder = folder("add");
        let said = add(&folder, "pap2t", "00:18:F8:AA:BB:CC", "modem 881, voice").unwrap();
        let file = folder.join(FILE);
        let written = fs::read_to_string(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let secrets: Vec<&str> = written.lines().filter_map(|line| line.strip_prefix("secret=")).collect();
        assert!(
            secrets.len() == 2 && secrets[0] != secrets[1] && secrets.iter().all(|secret| secret.len() == 12),
            "{written}"
        );
        assert!(secrets.iter().all(|secret| !said.contains(secret)), "{said}");
        assert!(
            written.contains("[881]\n") && written.contains("line=modem\nmac=0018F8AABBCC\ndevice=pap2t\n"),
            "{written}"
        );
        assert!(written.contains("[201]\n"), "the number behind 200: {written}");
        assert!(said.contains("exten => 881,1,Dial(SIP/881)\n") && !said.contains("exten => 201"), "{said}");
        assert!(said.contains("dhcp-option=150,192.0.2.1"), "{said}");
        let loaded = load::load(&folder);
        assert_eq!(everything(&loaded).1.iter().filter(|one| one.code.starts_with("device")).count(), 0);
        assert_eq!(loaded.config.unwrap().sip.peers.len(), 3);

        // A second one goes into the same file, which is included once.
        add(&folder, "generic", "", "voice phone-2").unwrap();
        let sip = fs::read_to_string(folder.join("sip.conf")).unwrap();
        assert_eq!(sip.matches("#include").count(), 1, "{sip}");
        assert!(load::load(&folder).config.unwrap().sip.peers.contains_key("phone-2"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_be_is_said_and_nothing_is_written() {
        let folder = folder("refuse");
        for (device, mac, lines, why) in [
            ("pap2", "0018F8AABBCC", "voice", "there is no model 'pap2'. Did you mean 'pap2t'?"),
            ("pap2t", "0018F8", "voice", "'0018F8' is no hardware address"),
            ("pap2t", "0018F8AABBCC", "phone 201", "'phone' is none of modem, fax and voice"),
            ("pap2t", "0018F8AABBCC", "voice 200", "there is a peer '200' already"),
            ("ht801", "000B82AABBCC", "voice, voice", "2 lines are too many: a Grandstream HT801 has 1 left"),
            ("pap2t", "0018F8AABBCC", "voice a/b", "'a/b' cannot be a peer's name"),
            ("pap2t", "0018F8AABBCC", " ", "a device needs a line"),
        ] {
            let said = add(&folder, device, mac, lines).unwrap_err();
            assert!(said.starts_with(why), "{said}");
        }
        assert!(!folder.join(FILE).exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
