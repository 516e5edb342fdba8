//! Text messages outside of calls (MESSAGE, RFC 3428): from a line to a line, kept while that one is not there.

use super::core::servers::retry_after;
use super::core::{Core, Directory, Requester, Target, add_request_headers};
pub use super::text_delivery::Delivery;
use super::text_room::{KEPT, Load, ON_THEIR_WAY, counted_as};
use super::uri_text::{escape_user, host, quote, to_uri};
use crate::clock::Wall;
use crate::config::peer::{Kind, Peer};
use crate::datetime;
use crate::dialplan::Existence;
use crate::dialplan::database::{Database, path};
use crate::dialplan::text_message::{self, MAX_BODY, NotSent, PLAIN, TextMessage, TextTarget};
use crate::event::{LineEvent, TextEvent};
use crate::names::Server;
use crate::sip::dialog::routed;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{Account, Sending};
use crate::sip::validate::Essentials;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest text that is kept: with its head it has to fit a value of the database.
const MAX_KEPT_BODY: usize = MAX_BODY - 500;
/// The longest Content-Type, and whatever else stands in the head of one that is kept.
const MAX_FIELD: usize = 100;
/// How long one waits for its line, in milliseconds.
const KEPT_FOR: i64 = 7 * 24 * 3_600_000;
/// Times that a message goes from exchange to exchange at most (RFC 3261 8.1.1.6).
const MAX_FORWARDS: u8 = 70;

/// What is done with a MESSAGE.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is answered with this status, and why, for the log.
    Refused(u16, String),
    /// It goes straight to a line.
    Line(Delivery),
    /// The dialplan decides: the context, the extension, the message.
    Dialplan(String, String, TextMessage),
}

/// One that is on its way.
struct OnItsWay {
    delivery: Delivery,
    /// Where it lies in the database, when it waited there.
    kept_at: Option<String>,
    /// Where it was sent.
    server: Server,
    /// The other servers of its line, which have not got it yet.
    rest: Vec<Target>,
}

/// The messages that are on their way. Those that wait for their line lie in the database.
#[derive(Default)]
pub struct TextMessages {
    sending: BTreeMap<u64, OnItsWay>,
}

/// The family of the database that messages wait in: `/TextMessages/LINE/NUMBER`.
const FAMILY: &str = "TextMessages";

/// What to do with a MESSAGE of a line, that came to our address `own`.
pub fn take(request: &Request, essentials: &Essentials, peer: &Peer, core: &Core) -> Taken {
    let general = &core.config.general;
    if !general.accept_messages {
        return Taken::Refused(405, "accept_outofcall_message=no".to_owned());
    }
    let content_type = request.headers.text(HeaderName::ContentType).unwrap_or_default().trim().to_owned();
    if !content_type.is_empty() && !content_type.to_ascii_lowercase().starts_with("text/") {
        return Taken::Refused(415, "it is no text".to_owned());
    }
    if content_type.len() > MAX_FIELD || content_type.chars().any(char::is_control) {
        return Taken::Refused(415, "what kind of text it is cannot be said to others".to_owned());
    }
    if request.body.len() > MAX_BODY {
        return Taken::Refused(413, format!("it has more than {MAX_BODY} bytes"));
    }
    let Ok(body) = String::from_utf8(request.body.to_vec()) else {
        return Taken::Refused(415, "its text is not UTF-8".to_owned());
    };
    let Some(exten) = request.uri().ok().and_then(|uri| uri.user_text().map(|user| user.into_owned())) else {
        return Taken::Refused(404, "it names nobody".to_owned());
    };
    let hops = essentials.max_forwards.unwrap_or(MAX_FORWARDS).saturating_sub(1);
    let from = sender(peer, essentials);
    let context = &peer.settings.message_context;
    if context.is_empty() {
        return match line_of(&exten, peer, core) {
            Some(line) => Taken::Line(Delivery {
                target: TextTarget { line, user: None },
                sender: counted_as(peer).to_owned(),
                from,
                content_type,
                body,
                sent: core.now.wall,
                hops,
            }),
            None => Taken::Refused(
                404,
                format!(
                    "no line and no hint of context '{}' has that name; outofcall_message_context= lets the dialplan decide",
                    peer.settings.context
                ),
            ),
        };
    }
    let caller = Some(from.1.as_str());
    if core.config.dialplan.exists(context, &exten, caller, core.now.wall) != Existence::Yes {
        return Taken::Refused(404, format!("context '{context}' (outofcall_message_context=) has no such extension"));
    }
    let uri = request.uri().map(|uri| uri.to_string()).unwrap_or_default();
    let names = [HeaderName::Subject, HeaderName::UserAgent, HeaderName::CallId, HeaderName::Date];
    let header = |name: HeaderName| {
        let value = request.headers.text(name.clone())?.into_owned();
        Some((String::from_utf8_lossy(name.as_bytes()).to_ascii_lowercase(), value))
    };
    let message = TextMessage {
        to: uri,
        from: from_header(&from, &own_host(core)),
        body,
        content_type,
        data: names.into_iter().filter_map(header).collect(),
    };
    Taken::Dialplan(context.clone(), exten, message)
}

/// Who sends a line's messages: as its calls show it.
fn sender(peer: &Peer, essentials: &Essentials) -> (String, String) {
    let user = essentials.from.uri.user_text().map(|user| user.into_owned());
    let (from_name, from_number) = match peer.speaks_for_others() {
        true => (essentials.from.display.clone(), user),
        false => (None, Some(peer.name.clone())),
    };
    let name = peer.caller_id.name.clone().or(from_name.map(Into::into)).unwrap_or_default();
    (name, peer.caller_id.number.clone().or(from_number).unwrap_or_default())
}

/// The line that a number is for: the one of that name, else the one that the number's hint names.
fn line_of(exten: &str, peer: &Peer, core: &Core) -> Option<String> {
    let is_line = |name: &str| core.config.peers.get(name).is_some_and(|peer| peer.kind != Kind::User);
    if is_line(exten) {
        return Some(exten.to_owned());
    }
    let hint = core.config.dialplan.hint(&peer.settings.context, exten, core.now.wall)?;
    hint.priority.application.split('&').find_map(|device| {
        let (technology, line) = device.trim().split_once('/')?;
        (technology.eq_ignore_ascii_case("sip") && is_line(line)).then(|| line.to_owned())
    })
}

/// Reads what `MessageSend` is to send, in a program that the line `sender` began.
///
/// # Errors
/// It names nobody, or is too long.
pub fn read(message: &TextMessage, sender: &str, core: &Core) -> Result<Delivery, NotSent> {
    let is_line = |name: &str| core.config.peers.contains_key(name);
    let own = own_host(core);
    let is_ours = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == own || name == "localhost" || core.config.general.domains.contains_key(&name)
    };
    let target = TextTarget::parse(&message.to, is_line, is_ours)?;
    Ok(Delivery {
        target,
        sender: sender.to_owned(),
        from: text_message::name_and_number(&message.from),
        content_type: message.content_type.clone(),
        body: message.body.clone(),
        sent: core.now.wall,
        hops: MAX_FORWARDS,
    })
}

fn own_host(core: &Core) -> String {
    host(core.config.listening.udp.ip())
}

fn from_header((name, number): &(String, String), domain: &str) -> String {
    let shown = if name.is_empty() { String::new() } else { format!("{} ", quote(name)) };
    match number.is_empty() {
        true => format!("{shown}<sip:{domain}>"),
        false => format!("{shown}<sip:{}@{domain}>", escape_user(number)),
    }
}

impl TextMessages {
    /// Delivers a message, or keeps it for its line.
    ///
    /// # Errors
    /// There is no room to keep it in.
    pub fn deliver(
        &mut self,
        delivery: Delivery,
        directory: &dyn Directory,
        database: &Database,
        core: &mut Core,
    ) -> Result<(), String> {
        match self.send(delivery, None, directory, core) {
            Ok(()) => Ok(()),
            Err(kept) => {
                let (delivery, why) = *kept;
                keep(&delivery, why, database, core)
            }
        }
    }

    /// How many are on their way.
    pub fn count(&self) -> usize {
        self.sending.len()
    }

    fn send(
        &mut self,
        delivery: Delivery,
        kept_at: Option<String>,
        directory: &dyn Directory,
        core: &mut Core,
    ) -> Result<(), Box<(Delivery, String)>> {
        if let Some(full) =
            ON_THEIR_WAY.refusal(load(&delivery), self.sending.values().map(|sent| load(&sent.delivery)))
        {
            return Err(Box::new((delivery, format!("{full} are on their way already"))));
        }
        let Some(peer) = core.config.peers.get(&delivery.target.line).cloned() else {
            return Err(Box::new((delivery, "it is not configured any more".to_owned())));
        };
        let target = match directory.targets(core, &peer, delivery.target.user.as_deref()) {
            Ok(targets) => targets.into_iter().next(),
            Err(failure) => return Err(Box::new((delivery, failure.text))),
        };
        let Some(target) = target else { return Err(Box::new((delivery, "it is nowhere".to_owned()))) };
        self.transmit(delivery, kept_at, target, core);
        Ok(())
    }

    fn transmit(&mut self, delivery: Delivery, kept_at: Option<String>, mut target: Target, core: &mut Core) {
        let rest = std::mem::take(&mut target.alternates);
        let id = core.fresh_id();
        let request = request(&delivery, &target, core);
        let account = Account::Peer(target.peer.name.as_str().into());
        core.request(request, target.flow, Sending::Reliably, Requester::Text(id), account);
        self.sending.insert(id, OnItsWay { delivery, kept_at, server: Server::of(target.flow), rest });
    }

    /// RFC 3263 4.3: a server did not take it (503, no answer, or it cannot be reached), and the next one of the line gets it.
    /// Gives it back when there is none.
    fn by_next_server(
        &mut self,
        mut sent: OnItsWay,
        retry_after: Option<Duration>,
        core: &mut Core,
    ) -> Option<OnItsWay> {
        if sent.rest.is_empty() {
            return Some(sent);
        }
        let alternates = sent.rest.split_off(1);
        let Some(next) = sent.rest.pop() else { return Some(sent) };
        core.failed_servers.note(sent.server, retry_after, core.now.mono);
        let (line, server, following) = (next.peer.name.clone(), sent.server, Server::of(next.flow));
        core.emit(LineEvent::ServerFailed { line, server: server.to_string(), next: following.to_string() });
        self.transmit(sent.delivery, sent.kept_at, Target { alternates, ..next }, core);
        None
    }

    /// A line's response.
    pub fn answered(
        &mut self,
        id: u64,
        response: &Response,
        directory: &dyn Directory,
        database: &Database,
        core: &mut Core,
    ) {
        if response.status < 200 {
            return;
        }
        let Some(sent) = self.sending.remove(&id) else { return };
        let sent = match response.status {
            503 => match self.by_next_server(sent, retry_after(&response.headers), core) {
                Some(sent) => sent,
                None => return,
            },
            _ => sent,
        };
        let line = sent.delivery.target.line.clone();
        let from = shown(&sent.delivery);
        let reason = format!("{} {}", response.status, String::from_utf8_lossy(&response.reason));
        match response.status {
            200..=299 => {
                drop_kept(&sent, database);
                core.emit(TextEvent::Delivered { line: line.clone(), from });
                self.next(&line, directory, database, core);
            }
            408 | 480 | 486 | 500 | 503 | 600 => self.failed(sent, reason, database, core),
            _ => {
                drop_kept(&sent, database);
                core.emit(TextEvent::Lost { line: line.clone(), from, reason: format!("it answered {reason}") });
                self.next(&line, directory, database, core);
            }
        }
    }

    /// A line did not answer, or could not be reached.
    pub fn unanswered(&mut self, id: u64, reason: &str, database: &Database, core: &mut Core) {
        let Some(sent) = self.sending.remove(&id) else { return };
        if let Some(sent) = self.by_next_server(sent, None, core) {
            self.failed(sent, reason.to_owned(), database, core);
        }
    }

    /// It waits, or waits on, for its line.
    fn failed(&mut self, sent: OnItsWay, reason: String, database: &Database, core: &mut Core) {
        if sent.kept_at.is_some() {
            return;
        }
        if let Err(reason) = keep(&sent.delivery, reason, database, core) {
            let (line, from) = (sent.delivery.target.line.clone(), shown(&sent.delivery));
            core.emit(TextEvent::Lost { line, from, reason });
        }
    }

    /// A line is there: what waits for it goes, one after another.
    pub fn line_is_there(&mut self, line: &str, directory: &dyn Directory, database: &Database, core: &mut Core) {
        self.next(line, directory, database, core);
    }

    /// Sends the oldest that waits for a line, unless one of them is on its way: it lies there until it is taken.
    fn next(&mut self, line: &str, directory: &dyn Directory, database: &Database, core: &mut Core) {
        if self.sending.values().any(|sent| sent.kept_at.is_some() && sent.delivery.target.line == line) {
            return;
        }
        for (at, value) in kept(database, line) {
            let Some(delivery) = parse(line, &value).filter(|one| !has_waited_too_long(one.sent, core.now.wall)) else {
                database.delete(&at);
                continue;
            };
            // It stays where it lies when the line is not there after all.
            let _ = self.send(delivery, Some(at), directory, core);
            return;
        }
    }
}

fn shown(delivery: &Delivery) -> crate::wording::Outside {
    delivery.from.1.clone().into()
}

fn drop_kept(sent: &OnItsWay, database: &Database) {
    if let Some(at) = &sent.kept_at {
        database.delete(at);
    }
}

/// The MESSAGE that carries it.
fn request(delivery: &Delivery, target: &Target, core: &mut Core) -> Request {
    let peer: &Arc<Peer> = &target.peer;
    let own = host(target.flow.advertised.ip());
    let domain = peer.from_domain.clone().unwrap_or_else(|| own.clone());
    let from = match &peer.from_user {
        Some(user) => (delivery.from.0.clone(), user.clone()),
        None => delivery.from.clone(),
    };
    let mut request = routed(Method::Message, &target.uri, &target.route);
    let kind = if delivery.content_type.is_empty() { PLAIN } else { &delivery.content_type };
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, delivery.hops.min(peer.settings.max_forwards).to_string());
    headers.push(HeaderName::From, format!("{};tag={}", from_header(&from, &domain), core.rng.hex(16)));
    headers.push(HeaderName::To, format!("<{}>", to_uri(&target.uri)));
    headers.push(HeaderName::CallId, format!("{}@{own}", core.rng.hex(32)));
    headers.push(HeaderName::CSeq, Bytes::from_static(b"102 MESSAGE"));
    headers.push(HeaderName::ContentType, kind.to_owned());
    // RFC 3428 9: when it was sent, for it may have waited.
    headers.push(HeaderName::Date, datetime::header_date(delivery.sent));
    add_request_headers(&mut request, &core.config.product);
    request.body = Bytes::from(delivery.body.clone());
    request
}

/// Those that wait for a line, oldest first: where they lie, and what lies there.
fn kept(database: &Database, line: &str) -> Vec<(String, String)> {
    let below = format!("{}/", path(FAMILY, line));
    database.beginning(&below)
}

/// Throws away what has waited too long, of lines that never registered and of those that are there no more, too.
fn forget_old(database: &Database, now: Wall) {
    let old: Vec<String> = database.look_at(&format!("/{FAMILY}/"), |kept| {
        let is_old = |value: &str| {
            let sent = value.split('\n').next().and_then(|text| text.parse().ok()).map(Wall);
            sent.is_none_or(|sent| has_waited_too_long(sent, now))
        };
        kept.filter(|(_, value)| is_old(value)).map(|(path, _)| path.to_owned()).collect()
    });
    for path in old {
        database.delete(&path);
    }
}

fn has_waited_too_long(sent: Wall, now: Wall) -> bool {
    now.0.saturating_sub(sent.0) > KEPT_FOR
}

/// Keeps a message until its line is there.
fn keep(delivery: &Delivery, why: String, database: &Database, core: &mut Core) -> Result<(), String> {
    let line = &delivery.target.line;
    forget_old(database, core.now.wall);
    let full = database.look_at(&format!("/{FAMILY}/"), |others| {
        KEPT.refusal(load(delivery), others.filter_map(|(path, value)| load_of_kept(path, value)))
    });
    if let Some(full) = full {
        return Err(format!("{why}; and {full} wait already"));
    }
    if delivery.body.len() > MAX_KEPT_BODY {
        return Err(format!("{why}; and it is too long to be kept"));
    }
    let at = path(FAMILY, &format!("{line}/{:015}-{:06}", delivery.sent.0, core.fresh_id() % 1_000_000));
    database.put(&at, &written(delivery)).map_err(|full| format!("{why}; and it cannot be kept: {full}"))?;
    core.emit(TextEvent::Kept { line: line.clone(), from: shown(delivery), reason: why });
    Ok(())
}

fn load(delivery: &Delivery) -> Load<'_> {
    Load { sender: &delivery.sender, line: &delivery.target.line }
}

/// The same of one that lies in the database.
fn load_of_kept<'a>(path: &'a str, value: &'a str) -> Option<Load<'a>> {
    let (line, _) = path.strip_prefix('/')?.strip_prefix(FAMILY)?.strip_prefix('/')?.rsplit_once('/')?;
    let (_, sender) = value.split('\n').nth(1)?.split_once(' ').unwrap_or_default();
    Some(Load { sender, line })
}

/// A message as it lies in the database: six lines of head, then the text.
fn written(delivery: &Delivery) -> String {
    let plain =
        |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_FIELD).collect::<String>();
    format!(
        "{}\n{} {}\n{}\n{}\n{}\n{}\n{}",
        delivery.sent.0,
        delivery.hops,
        plain(&delivery.sender),
        plain(delivery.target.user.as_deref().unwrap_or_default()),
        plain(&delivery.from.0),
        plain(&delivery.from.1),
        plain(&delivery.content_type),
        delivery.body
    )
}

fn parse(line: &str, value: &str) -> Option<Delivery> {
    let mut lines = value.splitn(7, '\n');
    let sent = Wall(lines.next()?.parse().ok()?);
    let (hops, sender) = lines.next()?.split_once(' ')?;
    let hops = hops.parse().ok()?;
    let user = Some(lines.next()?.to_owned()).filter(|user| !user.is_empty());
    let from = (lines.next()?.to_owned(), lines.next()?.to_owned());
    let content_type = lines.next()?.to_owned();
    let body = lines.next()?;
    Some(Delivery {
        target: TextTarget { line: line.to_owned(), user },
        sender: sender.to_owned(),
        from,
        content_type,
        body: body.to_owned(),
        sent,
        hops,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let delivery = Delivery {
            target: TextTarget { line: "isp".to_owned(), user: None },
            sender: "anna 2".to_owned(),
            from: ("An\nna".to_owned(), "200".to_owned()),
            content_type: String::new(),
            body: "one\n\ntwo\n".to_owned(),
            sent: Wall(1_000),
            hops: 7,
        };
        let from = ("An na".to_owned(), "200".to_owned());
        let user = TextTarget { line: "isp".to_owned(), user: Some("5".to_owned()) };
        for target in [delivery.target.clone(), user] {
            let delivery = Delivery { target, ..delivery.clone() };
            let expected = Delivery { from: from.clone(), ..delivery.clone() };
            let text = written(&delivery);
            assert_eq!(parse("isp", &text), Some(expected));
            let load = Load { sender: "anna 2", line: "isp" };
            assert_eq!(load_of_kept("/TextMessages/isp/000001-000002", &text), Some(load));
        }
        for spoilt in ["", "1\n2 a\n", "x\n1 a\n\n\n\n\n", "1\n999 a\n\n\n\n\nx", "1\n9\n\n\n\n\nx"] {
            assert_eq!(parse("isp", spoilt), None, "{spoilt:?}");
        }
    }
}
