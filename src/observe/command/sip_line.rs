//! `sip show users|channels|inuse|registry|mwi`, `sip qualify peer`, `sip unregister`: lines, and what is done to one.

use super::reply::Reply;
use super::sip::near_peer;
use super::sip_text::nat;
use crate::observe::control_api::{ControlApi, Notify, Qualify, Unregister};
use crate::observe::escape::{line, yes_no};
use crate::wording::plural;

pub(super) fn show_users(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let row = |name: &str, secret: &str, account: &str, context: &str, acl: &str, force_rport: &str| {
        format!("{name:<25.25}  {secret:<15.15}  {account:<15.15}  {context:<15.15}  {acl:<5.5}{force_rport:<10.10}\n")
    };
    let mut text = row("Username", "Secret", "Accountcode", "Def.Context", "ACL", "Forcerport");
    let mut users = exchange.users();
    users.sort_by(|a, b| a.name.cmp(&b.name));
    for user in users {
        // Asterisk prints the secret itself here.
        let secret = if user.secret_set { "<Set>" } else { "<Not set>" };
        let [name, account, context] = [&user.name, &user.account, &user.context].map(|field| line(field));
        text += &row(&name, secret, &account, &context, yes_no(user.acl), nat(user.force_rport));
    }
    Reply::Done(text)
}

pub(super) fn show_channels(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let mut text = format!(
        "{:<15.15}  {:<15.15}  {:<15.15}  {:<15.15}  {:<7.7}  {:<15.15} {:<10.10} {:<10.10}\n",
        "Peer", "User/ANR", "Call ID", "Format", "Hold", "Last Message", "Expiry", "Peer"
    );
    let channels = exchange.sip_channels();
    for channel in &channels {
        let host = channel.host.map(|host| host.to_string()).unwrap_or_default();
        let format = if channel.codecs.is_empty() { "(nothing)".to_owned() } else { channel.codecs.join("|") };
        let format = if channel.codecs.is_empty() { format } else { format!("({format})") };
        text += &format!(
            "{host:<15.15}  {:<15.15}  {:<15.15}  {format:<15.15}  {:<3.3} {:<3.3}  {:<15.15} {:<10.10} {:<10.10}\n",
            line(&channel.user),
            line(&channel.call_id),
            yes_no(channel.on_hold),
            "",
            line(&channel.last_message),
            "",
            line(&channel.peer),
        );
    }
    Reply::Done(text + &plural(channels.len() as u64, "active SIP dialog") + "\n")
}

pub(super) fn show_tcp(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let row = |address: &str, transport: &str, kind: &str, auth: &str, age: &str| {
        format!("{address:<47.47} {transport:>9.9} {kind:>6.6} {auth:>6.6} {age:>8.8}\n")
    };
    let mut text = row("Address", "Transport", "Type", "Auth", "Age");
    let connections = exchange.connections();
    for one in &connections {
        let (kind, authenticated) = (if one.outgoing { "Client" } else { "Server" }, yes_no(one.authenticated));
        text += &row(&one.remote.to_string(), &one.transport, kind, authenticated, &format!("{} s", one.age_s));
    }
    Reply::Done(text + &plural(connections.len() as u64, "connection") + "\n")
}

pub(super) fn show_inuse(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let all = match arguments {
        [] => false,
        [word] if word.eq_ignore_ascii_case("all") => true,
        _ => return Reply::Usage,
    };
    let mut text = format!("{:<25.25} {:<15.15} {:<15.15}\n", "* Peer name", "In use", "Limit");
    let mut lines = exchange.in_use();
    lines.sort_by(|a, b| a.name.cmp(&b.name));
    for line_in_use in lines.iter().filter(|line| all || line.limit > 0) {
        let limit = if line_in_use.limit == 0 { "N/A".to_owned() } else { line_in_use.limit.to_string() };
        let counts = format!("{}/{}/{}", line_in_use.in_use, line_in_use.ringing, line_in_use.on_hold);
        text += &format!("{:<25.25} {counts:<15.15} {limit:<15.15}\n", line(&line_in_use.name));
    }
    Reply::Done(text)
}

pub(super) fn show_registry(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let mut text = format!(
        "{:<39.39} {:<6.6} {:<12.12}  {:>8.8} {:<20.20} {:<25.25}\n",
        "Host", "dnsmgr", "Username", "Refresh", "State", "Reg.Time"
    );
    let all = exchange.accounts().registrations;
    for row in &all {
        // Names are always looked up again: that is what chan_sip's dnsmgr does where it is on.
        let is_name = !row.host.starts_with(|c: char| c.is_ascii_digit() || c == '[');
        text += &format!(
            "{:<39.39} {:<6.6} {:<12.12}  {:>8} {:<20.20} {:<25.25}\n",
            line(&row.host),
            if is_name { "Y" } else { "N" },
            line(&row.username),
            row.refresh_s,
            line(&row.state),
            line(&row.registered)
        );
    }
    Reply::Done(text + &format!("{} SIP registrations.\n", all.len()))
}

pub(super) fn show_mwi(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let shown = |host: &str, username: &str, mailbox: &str, subscribed: &str| {
        format!("{host:<30.30}  {username:<12.12}  {mailbox:<10.10}  {subscribed:<10.10}\n")
    };
    let mut text = shown("Host", "Username", "Mailbox", "Subscribed");
    for row in exchange.accounts().mailboxes {
        let subscribed = if row.is_subscribed { "Yes" } else { "No" };
        text += &shown(&line(&row.host), &line(&row.username), &line(&row.mailbox), subscribed);
    }
    Reply::Done(text)
}

pub(super) fn qualify_peer(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let name = match arguments {
        [name] => name,
        [name, word] if word.eq_ignore_ascii_case("load") => name,
        _ => return Reply::Usage,
    };
    let shown = line(name);
    match exchange.qualify(name) {
        Qualify::Asked => {
            Reply::Done(format!("Qualifying peer '{shown}'; 'sip show peer {shown}' shows the result.\n"))
        }
        Qualify::NotMonitored => {
            Reply::Failed(format!("Peer '{shown}' is not monitored: set qualify=yes in its section of sip.conf.\n"))
        }
        Qualify::NoAddress => Reply::Failed(format!("Peer '{shown}' has no address: it is not registered.\n")),
        Qualify::Unknown => {
            let near = near_peer(name, exchange);
            Reply::Failed(format!("Peer '{shown}' not found.{near} 'sip show peers' lists them.\n"))
        }
    }
}

pub(super) fn notify(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [kind, peers @ ..] = arguments else { return Reply::Usage };
    let types = exchange.notify_types();
    if !types.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        let types = types.join(", ");
        return Reply::Failed(format!("Unable to find notify type '{}'. There are: {types}\n", line(kind)));
    }
    if peers.is_empty() {
        return Reply::Usage;
    }
    let (mut text, mut failed) = (String::new(), false);
    for name in peers {
        let shown = line(name);
        let sent = exchange.notify(kind, name);
        failed |= sent != Notify::Sent;
        text.push_str(&match sent {
            Notify::Sent => {
                format!("Sending NOTIFY of type '{}' to '{shown}'; the log says what it answers\n", line(kind))
            }
            Notify::NoAddress => format!("Could not create address for '{shown}': it is not registered\n"),
            Notify::UnknownPeer | Notify::UnknownType => {
                format!("Could not create address for '{shown}': there is no such peer{}\n", near_peer(name, exchange))
            }
        });
    }
    if failed { Reply::Failed(text) } else { Reply::Done(text) }
}

pub(super) fn unregister(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [name] = arguments else { return Reply::Usage };
    let shown = line(name);
    Reply::Done(match exchange.unregister(name) {
        Unregister::Done => format!("Unregistered peer '{shown}'\n"),
        Unregister::NotRegistered => format!("Peer {shown} not registered\n"),
        Unregister::Unknown => {
            format!("Peer unknown: '{shown}'. Not unregistered.{}\n", near_peer(name, exchange))
        }
    })
}
