//! Stories of telephones with a will of their own: two of them, of different makers, on one exchange.

use crate::exchange::{ALICE, BOB, Exchange, TONE, Wishes};
use crate::namespace::Namespace;
use crate::skip;
use crate::telephone::Client::{self, Baresip, Linphone, Pjsua2, PyVoip};
use crate::telephone::{Order, Telephone, Way};

#[test]
fn baresip_and_linphone_over_udp() {
    converse(Baresip, Linphone, Way::Udp);
}

#[test]
fn linphone_and_pjsua2_over_udp() {
    converse(Linphone, Pjsua2, Way::Udp);
}

#[test]
fn pjsua2_and_baresip_over_udp() {
    converse(Pjsua2, Baresip, Way::Udp);
}

#[test]
fn pyvoip_and_baresip_over_udp() {
    converse(PyVoip, Baresip, Way::Udp);
}

#[test]
fn baresip_and_linphone_over_tcp() {
    converse(Baresip, Linphone, Way::Tcp);
}

#[test]
fn pjsua2_and_baresip_over_tcp() {
    converse(Pjsua2, Baresip, Way::Tcp);
}

#[test]
fn baresip_and_linphone_over_tls() {
    converse(Baresip, Linphone, Way::Tls);
}

#[test]
fn linphone_and_pjsua2_over_tls() {
    converse(Linphone, Pjsua2, Way::Tls);
}

#[test]
fn linphone_and_pjsua2_over_sips() {
    converse(Linphone, Pjsua2, Way::Sips);
}

/// baresip 1.0.0 knows no `sips:`; over TLS it speaks with those that do.
#[test]
fn pjsua2_over_sips_and_baresip_over_tls() {
    converse_each(Pjsua2, Way::Sips, Baresip, Way::Tls);
}

#[test]
fn linphone_and_baresip_over_udp_and_ipv6() {
    converse(Linphone, Baresip, Way::Udp6);
}

#[test]
fn baresip_and_linphone_over_tcp_and_ipv6() {
    converse(Baresip, Linphone, Way::Tcp6);
}

/// A network for a story with these programs, unless the story is skipped.
pub fn network(story: &str, clients: &[Client]) -> Option<Namespace> {
    let missing = clients.iter().find_map(|client| client.missing());
    let missing = missing.or_else(|| (!crate::installed("ip")).then(|| "ip: not installed".to_owned()));
    let made = missing.map_or_else(|| Namespace::new().map_err(|why| format!("no network namespace: {why}")), Err);
    made.map_err(|why| skip(story, &why)).ok()
}

fn converse(first: Client, second: Client, way: Way) {
    converse_each(first, way, second, way);
}

/// Both call each other, hear each other, put each other on hold, and hang up; each calls what only the exchange
/// answers.
fn converse_each(first: Client, way: Way, second: Client, other_way: Way) {
    let story = if way == other_way {
        format!("{first:?} and {second:?} over {way:?}")
    } else {
        format!("{first:?} over {way:?} and {second:?} over {other_way:?}")
    };
    let Some(namespace) = network(&story, &[first, second]) else { return };
    let qualify = if first.answers_options() && second.answers_options() { "2000" } else { "no" };
    let wishes = Wishes { qualify, address: way.address(), namespace: Some(&namespace.name), way, ..Wishes::default() };
    let exchange = Exchange::start(&story.replace(' ', "-"), &wishes);
    let before = exchange.descriptors();
    let mut a = Telephone::start(&exchange, first, ALICE, way);
    let mut b = Telephone::start(&exchange, second, BOB, other_way);
    for user in ["alice", "bob"] {
        exchange.said(&format!("Registered SIP '{user}'"));
        if qualify != "no" {
            exchange.said(&format!("Peer '{user}' is now Reachable"));
        }
    }

    calls_and_is_heard(&exchange, &mut a, &mut b, "200");
    holds_and_resumes(&exchange, &mut b, &mut a);
    b.told(Order::HangUp);
    over(&exchange, &[&a, &b]);
    calls_and_is_heard(&exchange, &mut b, &mut a, "100");
    holds_and_resumes(&exchange, &mut a, &mut b);
    a.told(Order::HangUp);
    over(&exchange, &[&a, &b]);

    for telephone in [&mut a, &mut b] {
        speaks_with_the_exchange(&exchange, telephone);
    }
    for telephone in [a, b] {
        telephone.quits();
    }
    exchange.said("Unregistered SIP 'alice'");
    exchange.said("Unregistered SIP 'bob'");
    exchange.assert_nothing_left(before);
    exchange.stop();
}

/// What only the exchange answers, and what nobody does.
fn speaks_with_the_exchange(exchange: &Exchange, telephone: &mut Telephone) {
    telephone.told(Order::Call("600"));
    telephone.hears(telephone.client.tone(), exchange);
    exchange.ask("channel request hangup all");
    over(exchange, &[telephone]);
    telephone.told(Order::Call("601"));
    telephone.hears(TONE, exchange);
    telephone.told(Order::HangUp);
    over(exchange, &[telephone]);
    telephone.is_refused("602", 486);
    telephone.is_refused("999", 404);
    over(exchange, &[telephone]);
}

/// The call is over for everyone.
pub fn over(exchange: &Exchange, telephones: &[&Telephone]) {
    exchange.ask_until("core show channels", "0 active channels");
    for telephone in telephones {
        telephone.is_idle();
    }
}

/// Sound both ways, also after the caller has put the callee on hold.
pub fn calls_and_is_heard(exchange: &Exchange, caller: &mut Telephone, callee: &mut Telephone, number: &str) {
    caller.told(Order::Call(number));
    exchange.ask_until("core show channels", "2 active channels");
    caller.hears(callee.client.tone(), exchange);
    callee.hears(caller.client.tone(), exchange);
    holds_and_resumes(exchange, caller, callee);
}

/// No sound to either while one holds, and again when it has resumed; nothing with one that cannot hold.
fn holds_and_resumes(exchange: &Exchange, holder: &mut Telephone, other: &mut Telephone) {
    if !holder.client.holds() {
        return;
    }
    holder.told(Order::Hold);
    holder.hears_no_more(other.client.tone());
    other.hears_no_more(holder.client.tone());
    holder.told(Order::Resume);
    for (ear, mouth) in [(&*holder, &*other), (&*other, &*holder)] {
        if ear.client.records_after_hold() {
            ear.hears(mouth.client.tone(), exchange);
        }
    }
}

#[test]
fn a_wrong_secret_registers_nobody() {
    for client in [Baresip, Linphone, Pjsua2, PyVoip] {
        let Some(namespace) = network(&format!("{client:?} with a wrong secret"), &[client]) else { continue };
        let wishes = Wishes { address: Way::Udp.address(), namespace: Some(&namespace.name), ..Wishes::default() };
        let exchange = Exchange::start(&format!("wrong-secret-{client:?}"), &wishes);
        let telephone = Telephone::start(&exchange, client, ("alice", "pear"), Way::Udp);
        exchange.said("SecurityEvent=\"InvalidPassword\"");
        let peers = exchange.ask("sip show peers");
        assert!(peers.lines().any(|line| line.starts_with("alice") && line.contains("(Unspecified)")), "{peers}");
        drop(telephone);
        exchange.stop();
    }
}
