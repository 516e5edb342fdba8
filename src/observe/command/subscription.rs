//! `sip show subscriptions`: who watches what.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;
use crate::wording::plural;

pub(super) fn show_subscriptions(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let head = ["Peer", "User", "Call ID", "Extension", "Last state", "Type", "Mailbox", "Expiry"];
    let mut text = row(head);
    let subscriptions = exchange.subscriptions();
    for one in &subscriptions {
        let expiry = format!("{:06}", one.expiry_s);
        let fields = [&one.host, &one.line, &one.call_id, &one.exten, &one.state, &one.kind, &one.mailbox, &expiry];
        let fields = fields.map(|field| line(field));
        text += &row(fields.each_ref().map(String::as_str));
    }
    Reply::Done(text + &plural(subscriptions.len() as u64, "active SIP subscription") + "\n")
}

fn row([peer, user, call, exten, state, kind, mailbox, expiry]: [&str; 8]) -> String {
    format!(
        "{peer:<15.15}  {user:<15.15}  {call:<15.15}  {exten:<15.15}  {state:<13.13}  {kind:<15.15} {mailbox:<10.10} {expiry:<6.6}\n"
    )
}
