//! `sip ...`: the peers in a table, debugging and counters.

use std::net::SocketAddr;

use super::pattern::regex;
use super::reply::Reply;
use super::sip_text::{address, nat, shown, status};
use super::{sip_peer, sip_settings};
use crate::observe::control_api::{ControlApi, SipDebug};
use crate::observe::escape::line;
use crate::observe::snapshot::{PeerRow, PeerStatus};
use crate::wording::did_you_mean;

pub(super) fn show_peers(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let mut peers = match arguments {
        [] => exchange.peers(),
        [word, pattern] if word.eq_ignore_ascii_case("like") => match regex(pattern) {
            Ok(pattern) => exchange.peers().into_iter().filter(|peer| pattern.is_match(&peer.name)).collect(),
            Err(why) => return Reply::Failed(why),
        },
        _ => return Reply::Usage,
    };
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    Reply::Done(peer_table(&peers))
}

pub(super) fn show_peer(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let name = match arguments {
        [name] => name,
        [name, word] if word.eq_ignore_ascii_case("load") => name,
        _ => return Reply::Usage,
    };
    Reply::Done(match exchange.peer(name) {
        Some(peer) => sip_peer::detail(&peer),
        // What scripts look for stands in a line of its own.
        None => match near_peer(name, exchange).trim_start() {
            "" => format!("Peer {} not found.\n", line(name)),
            near => format!("Peer {} not found.\n{near}\n", line(name)),
        },
    })
}

/// ` Did you mean 'x'?` when a peer has nearly this name.
pub(super) fn near_peer(name: &str, exchange: &dyn ControlApi) -> String {
    let names: Vec<String> = exchange.peers().iter().map(|peer| line(&peer.name)).collect();
    did_you_mean(name, names.iter().map(String::as_str))
}

pub(super) fn show_settings(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    Reply::Done(sip_settings::settings(&exchange.settings()))
}

pub(super) fn show_counters(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let mut text = format!("{:<50} {:>10}\n", "Dropped because", "Count");
    let drops = exchange.counters().drops;
    for (reason, count) in &drops {
        text += &format!("{:<50.50} {count:>10}\n", line(reason));
    }
    let total = drops.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
    Reply::Done(text + &format!("{total} dropped since the start\n"))
}

pub(super) fn debug_on(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let was_on = exchange.set_sip_debug(SipDebug::On);
    Reply::Done(format!("SIP Debugging {}\n", if was_on { "re-enabled" } else { "enabled" }))
}

pub(super) fn debug_off(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    exchange.set_sip_debug(SipDebug::Off);
    Reply::Done("SIP Debugging Disabled\n".to_owned())
}

pub(super) fn debug_ip(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [text] = arguments else { return Reply::Usage };
    let (ip, port) = match address(text) {
        Ok(address) => address,
        Err(why) => return Reply::Failed(why),
    };
    exchange.set_sip_debug(SipDebug::Address(ip, port));
    Reply::Done(format!("SIP Debugging Enabled for IP: {}\n", shown(ip, port)))
}

pub(super) fn debug_peer(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [name] = arguments else { return Reply::Usage };
    let Some(peer) = exchange.peer(name) else {
        let near = near_peer(name, exchange);
        return Reply::Failed(format!("No such peer '{}'.{near} 'sip show peers' lists them.\n", line(name)));
    };
    let Some(ip) = peer.row.host else {
        return Reply::Failed(format!("Peer '{}' has no address: it is not registered.\n", line(name)));
    };
    exchange.set_sip_debug(SipDebug::Peer(peer.row.name));
    Reply::Done(format!("SIP Debugging Enabled for IP: {}\n", SocketAddr::new(ip, peer.row.port)))
}

fn peer_table(peers: &[PeerRow]) -> String {
    let row = |field: [&str; 9]| {
        let [name, host, dynamic, force_rport, comedia, acl, port, status, description] = field;
        // The blank at the end stood before a column we do not have (Realtime); scripts count on the width.
        format!(
            "{name:<25.25} {host:<39.39} {dynamic:<3.3} {force_rport:<10.10} {comedia:<10.10} {acl:<3.3} {port:<8} \
             {status:<11} {description:<32.32} \n"
        )
    };
    let mut text =
        row(["Name/username", "Host", "Dyn", "Forcerport", "Comedia", "ACL", "Port", "Status", "Description"]);
    for peer in peers {
        let name =
            if peer.username.is_empty() { peer.name.clone() } else { format!("{}/{}", peer.name, peer.username) };
        text += &row([
            &line(&name),
            &peer.host.map_or("(Unspecified)".to_owned(), |host| host.to_string()),
            if peer.dynamic { " D " } else { "" },
            nat(peer.force_rport),
            nat(peer.comedia),
            if peer.acl { " A " } else { "" },
            &peer.host.map_or(0, |_| peer.port).to_string(),
            &status(peer.status),
            &line(&peer.description),
        ]);
    }
    text + &peer_footer(peers)
}

fn peer_footer(peers: &[PeerRow]) -> String {
    let [mut online, mut offline, mut unmonitored_online, mut unmonitored_offline] = [0u32; 4];
    for peer in peers {
        let counter = match (peer.status, peer.host) {
            (PeerStatus::Ok(_) | PeerStatus::Lagged(_), _) => &mut online,
            (PeerStatus::Unknown | PeerStatus::Unreachable, _) => &mut offline,
            (PeerStatus::Unmonitored, Some(_)) => &mut unmonitored_online,
            (PeerStatus::Unmonitored, None) => &mut unmonitored_offline,
        };
        *counter = counter.saturating_add(1);
    }
    format!(
        "{} sip peers [Monitored: {online} online, {offline} offline Unmonitored: {unmonitored_online} online, \
         {unmonitored_offline} offline]\n",
        peers.len()
    )
}
