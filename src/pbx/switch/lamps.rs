//! Lamps: carries what happens to lines and calls to those who watch them. What a device does is known in one place,
//! [`DeviceTable`]; here it is asked.

use crate::config::lamps::hears_of_messages;
use crate::config::peer::{Nat, Peer};
use crate::dialplan::database;
use crate::dialplan::mailbox::{self, Messages};
use crate::event::{CallEvent, DeviceState, Event, LineEvent};
use crate::pbx::calls::device_table::DeviceTable;
use crate::pbx::calls::leg::{Arrival as LegArrival, Leg};
use crate::pbx::calls::{Calls, hint_lookup, take_changed_lines};
use crate::pbx::core::{Core, DeviceCall, Devices, Requester, SubscriptionId};
use crate::pbx::lines::Lines;
use crate::pbx::lines::mailboxes::{MailboxWatch, Notice};
use crate::pbx::request_gate::Secured;
use crate::pbx::subscriptions::notices::{self, Asked};
use crate::pbx::subscriptions::{
    Arrival, MAILBOX, Subscribe, Subscription, Subscriptions, read_summary, request, whereabouts,
};
use crate::registrar::register::Move;
use crate::sip::Flow;
use crate::sip::flow::OpensFor;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{Answer, ClientId, ServerId};
use crate::sip::validate::Essentials;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Lines and calls, as lamps see them.
pub(super) struct View<'a> {
    pub(super) lines: &'a Lines,
    pub(super) calls: &'a Calls,
}

impl View<'_> {
    fn table<'a>(&'a self, core: &'a Core) -> DeviceTable<'a> {
        let (parties, database) = (self.calls.parties(), &self.calls.shared().database);
        DeviceTable { parties, database, directory: self.lines, core }
    }
}

impl Devices for View<'_> {
    fn state(&self, core: &Core, device: &str) -> DeviceState {
        self.table(core).state(device)
    }

    fn call(&self, core: &Core, device: &str) -> Option<DeviceCall> {
        self.table(core).call(device)
    }

    fn messages(&self, _core: &Core, mailbox: &str) -> Option<Messages> {
        mailbox::messages(&self.calls.shared().database, mailbox)
    }

    fn hint(&self, core: &Core, context: &str, exten: &str) -> Option<Vec<String>> {
        if context.is_empty() {
            let peer = core.config.peers.get(exten).filter(|peer| hears_of_messages(peer))?;
            let is_told = peer.messages.mailboxes.iter().any(|mailbox| self.messages(core, mailbox).is_some());
            return is_told
                .then(|| peer.messages.mailboxes.iter().map(|mailbox| format!("{MAILBOX}{mailbox}")).collect());
        }
        hint_lookup::devices_of((context, exten), self.calls.parties(), self.calls.shared(), self.lines, core)
    }
}

/// What is known of the dialog that a request belongs to.
pub(super) struct KnownDialog {
    /// For whom a connection may be opened.
    pub(super) opens_for: OpensFor,
    /// How its peer is reached.
    pub(super) nat: Nat,
    /// Is it to stay on TLS?
    pub(super) secured: Secured,
}

impl KnownDialog {
    /// That of a leg.
    pub(super) fn of_leg(leg: &Leg) -> KnownDialog {
        let (opens_for, nat) = (leg.ua.flow.opens_for, leg.peer.settings.nat);
        KnownDialog { opens_for, nat, secured: Secured(leg.is_secure()) }
    }

    /// That of a mailbox of ours elsewhere.
    pub(super) fn of_mailbox(one: &MailboxWatch, core: &Core) -> KnownDialog {
        let nat = core.config.general.defaults.nat;
        KnownDialog { opens_for: one.opens_for(), nat, secured: Secured(false) }
    }

    /// That of a subscription.
    pub(super) fn of_subscription(one: &Subscription) -> KnownDialog {
        let (opens_for, nat) = (one.reached.flow.opens_for, one.peer.settings.nat);
        KnownDialog { opens_for, nat, secured: Secured(one.dialog.secure) }
    }
}

/// How a NOTIFY of ours ended.
pub(super) enum NoticeEnd<'a> {
    /// It was answered.
    Answered(&'a Answer<Requester>),
    /// There was no answer in time.
    TimedOut,
    /// It could not be sent, for this reason.
    NotSent(&'a str),
}

/// What lamps are made of.
pub(super) struct Lamps<'a> {
    pub(super) core: &'a mut Core,
    pub(super) lines: &'a mut Lines,
    pub(super) calls: &'a mut Calls,
    pub(super) subscriptions: &'a mut Subscriptions,
}

impl Lamps<'_> {
    /// A SUBSCRIBE outside of any dialog.
    pub(super) fn subscribe(self, asked: &Subscribe<'_>, peer: &Arc<Peer>) {
        let Lamps { core, lines, calls, subscriptions } = self;
        request::subscribe(subscriptions, asked, peer, &View { lines, calls }, core);
    }

    /// A line registered: what it watches follows it.
    pub(super) fn line_registered(self, line: &str, moves: &[Move], flow: Flow) {
        whereabouts::line_moved(self.subscriptions, line, moves, self.core);
        whereabouts::move_to_connection(self.subscriptions, line, flow, self.core);
    }

    /// A NOTIFY was answered, or is over without an answer: `why`, when it could not be sent.
    pub(super) fn notified(self, id: SubscriptionId, client: ClientId, end: NoticeEnd<'_>) {
        let Lamps { core, lines, calls, subscriptions } = self;
        let view = View { lines, calls };
        let is_final = !matches!(&end, NoticeEnd::Answered(answer) if answer.response.status < 200);
        let asked = Asked { table: &view, directory: lines };
        if is_final && notices::unasked_is_over(subscriptions, (id, client), &asked, core) {
            return;
        }
        match end {
            NoticeEnd::Answered(answer) => notices::answered(subscriptions, id, answer, core),
            NoticeEnd::TimedOut => notices::timed_out(subscriptions, id, client, core),
            NoticeEnd::NotSent(why) => notices::not_sent(subscriptions, id, client, why, core),
        }
    }

    /// A provider tells how many messages wait, by a NOTIFY outside of any dialog from its own address.
    pub(super) fn provider_tells(mut self, server: ServerId, request: &Request, peer: &Peer) {
        self.core.respond(server, Response::for_request(request, 200, None));
        let Some(mailbox) = &peer.messages.unsolicited else { return };
        self.count(mailbox, &request.body);
    }

    /// The same within a subscription of ours (`mwi =>`).
    pub(super) fn mailbox_tells(mut self, server: ServerId, request: &Request, essentials: &Essentials) {
        let Some(one) = self.lines.mailboxes.of_request_mut(essentials) else { return };
        let notice = match request.method {
            Method::Notify => one.notified(request, essentials, self.core),
            _ => Notice::Refused(405),
        };
        let status = if let Notice::Refused(status) = notice { status } else { 200 };
        self.core.respond(server, Response::for_request(request, status, None));
        if let Notice::Counts(mailbox) = notice
            && let Some(messages) = self.count(&mailbox, &request.body)
            && let Some(one) = self.lines.mailboxes.of_request_mut(essentials)
        {
            one.told((messages.new, messages.old), self.core);
        }
        self.lines.mailboxes.settle();
    }

    /// Keeps what a summary says of a mailbox.
    fn count(&mut self, mailbox: &str, body: &[u8]) -> Option<Messages> {
        let Some(messages) = read_summary(body) else {
            self.core.count_drop("message summary that cannot be read");
            return None;
        };
        let path = database::path(mailbox::FAMILY, mailbox);
        // A full database says so itself where it is written by hand.
        if self.calls.shared().database.put(&path, &messages.text()).is_err() {
            self.core.count_drop("count of a mailbox that the full database has no room for");
        }
        Some(messages)
    }

    /// Takes back what was subscribed to before a restart.
    pub(super) fn restore(self, texts: Vec<(String, String)>) {
        let Lamps { core, lines, calls, subscriptions } = self;
        subscriptions.restore(texts, &View { lines, calls }, core);
    }

    /// A new configuration is in force.
    pub(super) fn reload(self) {
        let Lamps { core, lines, calls, subscriptions } = self;
        subscriptions.reload(&View { lines, calls }, core);
    }

    /// Tells those who watch of every device on which something happened since this was done last. `values`: the names of
    /// what changed in the database.
    pub(super) fn announce<'v>(self, values: impl Iterator<Item = &'v str>) {
        let Lamps { core, lines, calls, subscriptions } = self;
        let busy = take_changed_lines(calls);
        let registered: Vec<Arc<Peer>> = core
            .out
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Line(LineEvent::Registered { line, .. }) => core.config.peers.get(line).cloned(),
                _ => None,
            })
            .collect();
        let values: Vec<&str> = values.collect();
        let counted = format!("/{}/", mailbox::FAMILY);
        let view = View { lines, calls };
        let asked = Asked { table: &view, directory: lines };
        for peer in registered {
            notices::registered(subscriptions, &peer, &asked, core);
        }
        for mailbox in values.iter().filter_map(|path| path.strip_prefix(counted.as_str())) {
            notices::mailbox_changed(subscriptions, mailbox, &asked, core);
            subscriptions.device_changed(&format!("{MAILBOX}{mailbox}"), &view, core);
        }
        if subscriptions.is_empty() {
            return;
        }
        let mut devices: BTreeSet<String> = busy.iter().map(|line| format!("SIP/{line}")).collect();
        let moved = core
            .out
            .events
            .iter()
            .filter_map(|event| if let Event::Line(event) = event { line_of(event) } else { None });
        devices.extend(moved.map(|line| format!("SIP/{line}")));
        let custom = values.iter().filter_map(|path| path.strip_prefix("/CustomDevstate/"));
        devices.extend(custom.map(|name| format!("Custom:{name}")));
        let parking = &core.config.parking;
        let places = core.out.events.iter().filter_map(|event| match event {
            Event::Call(CallEvent::Handover(handed)) => handed.place(),
            _ => None,
        });
        devices.extend(
            places.filter_map(|(lot, slot)| parking.get(lot).map(|(_, lot)| format!("park:{slot}@{}", lot.context))),
        );
        for device in devices {
            subscriptions.device_changed(&device, &view, core);
        }
    }
}

/// How a subscriber is reached, by how its request came.
pub(super) fn arrival(came: LegArrival) -> Arrival {
    Arrival { flow: came.flow, behind_nat: came.behind_nat }
}

/// The line that is there now and was not, or the other way round.
fn line_of(event: &LineEvent) -> Option<&str> {
    match event {
        LineEvent::Registered { line, .. }
        | LineEvent::Expired { line, .. }
        | LineEvent::Unregistered { line }
        | LineEvent::RegistrationDropped { line, .. }
        | LineEvent::Qualified { line, .. }
        | LineEvent::Moved { line, .. } => Some(line),
        _ => None,
    }
}
