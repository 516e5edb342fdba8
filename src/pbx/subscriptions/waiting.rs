//! Message waiting that nobody subscribed to (RFC 3842 is silent on it, chan_sip does it, and telephones and ATAs expect
//! it): a line with `mailbox=` is sent a NOTIFY when it registers and when the count changes, to each of its telephones.
//! One at a time: while any is under way the next waits, and tells the latest.

use super::message_summary::{CONTENT_TYPE, write};
use crate::config::lamps::hears_of_messages;
use crate::config::peer::Peer;
use crate::dialplan::mailbox::{Messages, full_name};
use crate::pbx::core::{Core, Devices, Directory, Requester, SubscriptionId, Target, add_request_headers};
use crate::pbx::uri_text::{contact, escape_user, host, to_uri};
use crate::sip::Flow;
use crate::sip::dialog::routed;
use crate::sip::header::HeaderName;
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::transaction::{Account, ClientId, Sending};
use bytes::Bytes;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Whom is asked what devices do, and where lines are.
pub struct Asked<'a> {
    /// Knows devices and mailboxes.
    pub table: &'a dyn Devices,
    /// Knows where lines are.
    pub directory: &'a dyn Directory,
}

/// Does a telephone of a line, at this address, subscribe to the same? It is told by that alone.
pub type Subscribed<'a> = &'a dyn Fn(&str, SocketAddr) -> bool;

/// What lines were told of their mailboxes.
#[derive(Debug, Default)]
pub struct Waiting {
    lines: BTreeMap<SmolStr, Told>,
    /// Whose NOTIFY is under way.
    notices: BTreeMap<SubscriptionId, (SmolStr, ClientId)>,
}

#[derive(Debug, Default)]
struct Told {
    under_way: BTreeSet<SubscriptionId>,
    is_wanted: bool,
    messages: Option<Messages>,
}

/// How many messages wait for a line, all its mailboxes together; none: nobody has told, or it is to hear of none.
pub fn messages_of(peer: &Peer, table: &dyn Devices, core: &Core) -> Option<Messages> {
    if !hears_of_messages(peer) {
        return None;
    }
    let known = peer.messages.mailboxes.iter().filter_map(|mailbox| table.messages(core, mailbox));
    known.reduce(|one, other| Messages {
        new: one.new.saturating_add(other.new),
        old: one.old.saturating_add(other.old),
    })
}

/// The account of a mailbox, where it is listened to (`vmexten`).
pub fn account(peer: &Peer, flow: Flow) -> String {
    let at = flow.advertised;
    format!("sip:{}@{}:{}", escape_user(&peer.settings.vm_exten), host(at.ip()), at.port())
}

impl Waiting {
    /// A line registered: it may have forgotten what it was told.
    pub fn registered(&mut self, peer: &Arc<Peer>, asked: &Asked<'_>, subscribed: Subscribed<'_>, core: &mut Core) {
        if !hears_of_messages(peer) || peer.messages.only_subscribed {
            return;
        }
        let told = self.lines.entry(peer.name.as_str().into()).or_default();
        (told.is_wanted, told.messages) = (true, None);
        self.flush(peer, asked, subscribed, core);
    }

    /// A mailbox has another count.
    pub fn changed(&mut self, mailbox: &str, asked: &Asked<'_>, subscribed: Subscribed<'_>, core: &mut Core) {
        let peers = core.config.peers.clone();
        let has_it = |peer: &&Arc<Peer>| peer.messages.mailboxes.iter().any(|one| full_name(one) == mailbox);
        for peer in
            peers.values().filter(has_it).filter(|peer| hears_of_messages(peer) && !peer.messages.only_subscribed)
        {
            self.lines.entry(peer.name.as_str().into()).or_default().is_wanted = true;
            self.flush(peer, asked, subscribed, core);
        }
    }

    /// After a new configuration: lines that are not configured any more are forgotten.
    pub fn reload(&mut self, core: &Core) {
        self.lines.retain(|name, _| core.config.peers.contains_key(name.as_str()));
    }

    fn flush(&mut self, peer: &Arc<Peer>, asked: &Asked<'_>, subscribed: Subscribed<'_>, core: &mut Core) {
        let Some(messages) = messages_of(peer, asked.table, core) else { return };
        let Some(told) = self.lines.get_mut(peer.name.as_str()) else { return };
        if !told.under_way.is_empty() || !std::mem::take(&mut told.is_wanted) || told.messages == Some(messages) {
            return;
        }
        // A line that is nowhere is told when it registers.
        let Ok(mut targets) = asked.directory.targets(core, peer, None) else { return };
        told.messages = Some(messages);
        targets.retain(|target| !subscribed(&peer.name, target.flow.remote));
        for target in targets {
            let id = SubscriptionId(core.fresh_id());
            let request = notify(peer, &target, messages, core);
            let how = Sending::Tuned { t1: peer.settings.timer_t1, give_up: None, late: Duration::ZERO };
            let account = Account::Peer(peer.name.as_str().into());
            let client = core.request(request, target.flow, how, Requester::Subscription(id), account);
            told.under_way.insert(id);
            self.notices.insert(id, (peer.name.as_str().into(), client));
        }
    }

    /// Is a NOTIFY one of these, and awaited?
    pub fn awaits(&self, (id, client): (SubscriptionId, ClientId)) -> bool {
        self.notices.get(&id).is_some_and(|(_, sent)| *sent == client)
    }

    /// A NOTIFY of these is over, however: it is not sent again, and the next may go. False: it is none of these.
    pub fn over(
        &mut self,
        (id, client): (SubscriptionId, ClientId),
        asked: &Asked<'_>,
        subscribed: Subscribed<'_>,
        core: &mut Core,
    ) -> bool {
        if !self.awaits((id, client)) {
            return false;
        }
        let Some((line, _)) = self.notices.remove(&id) else { return false };
        if let Some(told) = self.lines.get_mut(&line) {
            told.under_way.remove(&id);
        }
        if let Some(peer) = core.config.peers.get(line.as_str()).cloned() {
            self.flush(&peer, asked, subscribed, core);
        }
        true
    }
}

/// The NOTIFY outside of any dialog.
fn notify(peer: &Peer, target: &Target, messages: Messages, core: &mut Core) -> Request {
    let Target { flow, uri, route, .. } = target;
    let (own_host, options) = (host(flow.advertised.ip()), core.config.general.lamps.clone());
    let default_user = &core.config.general.caller_id;
    let user = options.mwi_from.as_ref().or(peer.from_user.as_ref()).unwrap_or(default_user);
    let domain = peer.from_domain.as_ref().unwrap_or(&own_host);
    let from = format!("<sip:{}@{domain}>", escape_user(user));
    let mut request = routed(Method::Notify, uri, route);
    let contact = contact(default_user, *flow, binds_request(&request));
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, peer.settings.max_forwards.to_string());
    headers.push(HeaderName::From, format!("{from};tag={}", core.rng.hex(16)));
    headers.push(HeaderName::To, format!("<{}>", to_uri(uri)));
    headers.push(HeaderName::CallId, format!("{}@{own_host}", core.rng.hex(32)));
    headers.push(HeaderName::CSeq, Bytes::from_static(b"102 NOTIFY"));
    headers.push(HeaderName::Contact, contact);
    headers.push(HeaderName::Event, Bytes::from_static(b"message-summary"));
    headers.push(HeaderName::ContentType, options.mime.unwrap_or_else(|| CONTENT_TYPE.to_owned()));
    add_request_headers(&mut request, &core.config.product);
    request.body = Bytes::from(write(&account(peer, *flow), messages, peer.settings.buggy_mwi));
    request
}
