//! `strowger provision`: the files that are made for telephones and adapters, as the exchange of this configuration makes them.

mod new;

use super::own_address::own_address;
use super::{console, init};
use crate::cli::{Common, ProvisionTask};
use crate::config::load;
use crate::daemon::provision::shelf_of;
use crate::observe::socket_path;
use crate::provision::fleet::Device;
use crate::provision::stock::MadeFile;
use crate::provision::template::Passwords;
use crate::provision::{Mac, Shelf, Stock};
use crate::wording::did_you_mean;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Does what is asked for; what cannot be done is said in a line, and ends with 1.
pub fn run(common: &Common, task: &ProvisionTask) -> ExitCode {
    let done = match task {
        ProvisionTask::Show { device, secrets, address } => show(common, device, *secrets, *address),
        ProvisionTask::New(wanted) => new::run(common, wanted).map(String::into_bytes),
        ProvisionTask::Push { peer } => match push(common, peer) {
            Ok(command) => return console::run(common, Some(&command)),
            Err(why) => Err(why),
        },
    };
    match done {
        Ok(bytes) => {
            // A closed pipe (`| head`) is not an error.
            let _ = std::io::stdout().lock().write_all(&bytes);
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("strowger: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What is made of the configuration that would be run, and the names of the user's own files.
fn shelf(common: &Common) -> Result<Shelf, String> {
    let place = init::existing(common).unwrap_or_else(|| PathBuf::from(socket_path::DEFAULT_CONFIG));
    let loaded = load::load(&place);
    let Some(config) = &loaded.config else {
        return Err(format!("the configuration in {} cannot be used: strowger check says why", place.display()));
    };
    let (mut shelf, folder) = shelf_of(config);
    let names =
        fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    shelf.set_files(names);
    Ok(shelf)
}

/// What is made of the configuration.
fn stock(shelf: &Shelf) -> Result<&Stock, String> {
    shelf.stock().ok_or_else(|| "there is nothing that files could be made of".to_owned())
}

/// The device of that peer or that address.
fn find<'a>(stock: &'a Stock, name: &str) -> Result<&'a Device, String> {
    let fleet = stock.fleet();
    let by_mac = || fleet.with_mac(Mac::parse(name)?);
    if let Some(device) = fleet.of_peer(name).or_else(by_mac) {
        return Ok(device);
    }
    let peers: Vec<&str> = fleet.devices().iter().flat_map(Device::peers).collect();
    if peers.is_empty() {
        return Err("no peer is a line of a device: write 'mac=' and 'device=' into its section of sip.conf".to_owned());
    }
    let near = did_you_mean(name, peers.iter().copied());
    Err(format!("'{name}' is a line of no device.{near} Lines of devices are: {}", peers.join(", ")))
}

fn show(common: &Common, name: &str, secrets: bool, address: Option<IpAddr>) -> Result<Vec<u8>, String> {
    let shelf = shelf(common)?;
    let stock = stock(&shelf)?;
    let device = find(stock, name)?;
    let address = address.or_else(own_address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let facts = shelf.facts(address);
    let passwords = if secrets { Passwords::Written } else { Passwords::Masked };
    let mut text = head(device).into_bytes();
    for file in stock.files_of(device, &facts, passwords) {
        let is_own = facts.own_files.contains(&file.name.to_lowercase());
        text.extend(if is_own {
            format!("\n==> {}: your own file takes its place\n", file.name).into_bytes()
        } else {
            shown(&file)
        });
    }
    Ok(text)
}

/// `Linksys PAP2T 0018F8AABB01: line 1 is 881, line 2 is 203`.
fn head(device: &Device) -> String {
    let mac = device.mac.map(|mac| format!(" {mac}")).unwrap_or_default();
    let lines: Vec<String> = device.lines.iter().map(|(line, peer)| format!("line {line} is {}", peer.name)).collect();
    let note = &device.model.note;
    let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
    format!("{}{mac}: {}{note}\n", device.model.title, lines.join(", "))
}

/// A file under its name; of sound its length.
fn shown(file: &MadeFile) -> Vec<u8> {
    let name = if file.name.is_empty() { String::new() } else { format!("{}: ", file.name) };
    let mut text = format!("\n==> {name}{}\n", file.what).into_bytes();
    if std::str::from_utf8(&file.bytes).is_ok() {
        text.extend(&file.bytes);
        if !file.bytes.ends_with(b"\n") {
            text.push(b'\n');
        }
    } else {
        text.extend(format!("({} bytes)\n", file.bytes.len()).bytes());
    }
    text
}

/// The console's command that has the device of this peer fetch its files anew.
fn push(common: &Common, peer: &str) -> Result<String, String> {
    let shelf = shelf(common)?;
    let device = find(stock(&shelf)?, peer)?;
    let Some(push) = &device.model.push else {
        return Err(format!("a {} cannot be told to fetch its files: restart it by hand", device.model.title));
    };
    // Any line that is registered will do; the one that was named is asked first.
    let name = device.peers().find(|name| *name == peer).or_else(|| device.peers().next()).unwrap_or(peer);
    Ok(format!("sip notify {push} {name}"))
}
