//! Requests of ours.

use super::*;
use crate::sip::flow::{ConnectionId, Transport};
use crate::sip::transaction::Account;
use std::collections::BTreeSet;

fn name_of(method: &Method) -> Requester {
    match method {
        Method::Invite => "INVITE",
        Method::Options => "OPTIONS",
        Method::Bye => "BYE",
        method => panic!("{method} is not sent in these tests"),
    }
}

struct Client {
    table: Transactions<Requester>,
    rng: Rng,
    out: Vec<Transmit>,
}

impl Client {
    fn new() -> Client {
        Client { table: transactions(), rng: Rng::from_number(1), out: Vec::new() }
    }

    fn request(&mut self, method: Method, how: Sending) -> ClientId {
        self.send(method, flow(), how)
    }

    /// The requester is the method's name, so that it is seen whose a response is.
    fn send(&mut self, method: Method, flow: Flow, how: Sending) -> ClientId {
        let requester = name_of(&method);
        let request = ClientRequest { request: ours(method), flow, how, requester, account: Account::Nobody };
        self.table.request(at(0), request, &mut self.rng, &mut self.out)
    }

    fn invite(&mut self) -> (ClientId, Request) {
        let id = self.request(Method::Invite, Sending::Reliably);
        self.out.clear();
        (id, self.table.request_of(id).unwrap().into_owned())
    }

    /// The peer answers `request`; what comes up is the status and the id.
    fn answer(&mut self, now: u64, request: &Request, status: u16, tag: &str) -> Option<(u16, ClientId)> {
        let (response, essentials) = answer(request, status, tag);
        self.receive(now, response, essentials)
    }

    fn receive(&mut self, now: u64, response: Response, essentials: Essentials) -> Option<(u16, ClientId)> {
        let from = flow();
        let answer = self.table.receive_response(at(now), response, essentials, from, &mut self.out)?;
        assert_eq!(answer.flow, from);
        let expected = match answer.essentials.cseq.method {
            // It has the requester of the INVITE it cancels.
            Method::Cancel => "INVITE",
            method => name_of(&method),
        };
        assert_eq!(answer.requester, expected);
        Some((answer.response.status, answer.id))
    }

    fn text(&mut self) -> String {
        assert_eq!(self.out.len(), 1);
        String::from_utf8_lossy(&self.out.remove(0).bytes).into_owned()
    }
}

#[test]
fn our_via_has_rport_and_a_branch_of_its_own() {
    let mut client = Client::new();
    let mut branches = BTreeSet::new();
    for _ in 0..50 {
        let id = client.request(Method::Options, Sending::Reliably);
        let via = client.table.request_of(id).unwrap().headers.get(HeaderName::Via).unwrap().clone();
        let text = String::from_utf8_lossy(&via).into_owned();
        assert!(text.starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"), "{text}");
        let via = Via::parse(&via).unwrap();
        assert_eq!(via.rport, Some(None));
        branches.insert(via.branch.unwrap());
    }
    assert_eq!(branches.len(), 50);
    assert!(branches.iter().all(|branch| branch.len() == 7 + 16));
}

#[test]
fn an_unanswered_invite_is_sent_seven_times_and_given_up_at_32_s() {
    let mut client = Client::new();
    let id = client.request(Method::Invite, Sending::Reliably);
    assert_eq!(sent(&mut client.out), ["INVITE sip:881@192.0.2.20:5062 SIP/2.0"]);
    let (lines, ends) = run(&mut client.table, at(60_000));
    assert_eq!(times(&lines), [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(ends, [(32_000, Expired::Timeout(id, "INVITE"))]);
    assert!(client.table.is_empty() && client.table.request_of(id).is_none());
}

#[test]
fn an_unanswered_bye_is_sent_eleven_times_and_given_up_at_32_s() {
    let mut client = Client::new();
    let id = client.request(Method::Bye, Sending::Reliably);
    let (lines, ends) = run(&mut client.table, at(60_000));
    assert_eq!(times(&lines), [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(ends, [(32_000, Expired::Timeout(id, "BYE"))]);
}

#[test]
fn a_qualify_is_sent_once_and_its_late_answer_is_a_stray() {
    let mut client = Client::new();
    let id = client.request(Method::Options, Sending::Once { give_up: ms(1_300) });
    let request = client.table.request_of(id).unwrap().into_owned();
    assert_eq!(client.out.len(), 1);
    assert_eq!(run(&mut client.table, at(60_000)), (vec![], vec![(1_300, Expired::Timeout(id, "OPTIONS"))]));
    assert_eq!(client.answer(1_400, &request, 200, "x"), None);
    assert!(client.table.is_empty());
    let id = client.request(Method::Options, Sending::Once { give_up: ms(1_300) });
    let request = client.table.request_of(id).unwrap().into_owned();
    assert_eq!(client.answer(20, &request, 404, "x"), Some((404, id)));
    assert_eq!(run(&mut client.table, at(60_000)), (vec![], vec![]));
    assert!(client.table.is_empty());
}

#[test]
fn a_peers_own_values_raise_t1_and_shorten_timer_b() {
    let mut client = Client::new();
    let id = client.request(Method::Invite, Sending::Tuned { t1: ms(100), give_up: Some(ms(6_000)), late: ms(0) });
    let (lines, ends) = run(&mut client.table, at(60_000));
    assert_eq!((times(&lines), ends), (vec![500, 1_500, 3_500], vec![(6_000, Expired::Timeout(id, "INVITE"))]));
    let id = client.request(Method::Invite, Sending::Tuned { t1: ms(800), give_up: None, late: ms(0) });
    let (lines, ends) = run(&mut client.table, at(90_000));
    assert_eq!(times(&lines), [800, 2_400, 5_600, 12_000, 24_800, 50_400]);
    assert_eq!(ends, [(51_200, Expired::Timeout(id, "INVITE"))]);
}

const LATE: Sending = Sending::Tuned { t1: ms(500), give_up: Some(ms(2_000)), late: ms(180_000) };

/// RFC 3261 17.1.1.2, 9.1, 13.2.2.4: nothing is sent after timer B, and what comes late can still be ended.
#[test]
fn a_late_response_to_an_invite_that_timed_out_is_passed_and_what_it_tells_of_can_be_cancelled() {
    for status in [180, 200, 486] {
        let mut client = Client::new();
        let id = client.request(Method::Invite, LATE);
        let invite = client.table.request_of(id).unwrap().into_owned();
        client.out.clear();
        let (lines, ends) = run(&mut client.table, at(100_000));
        assert_eq!((times(&lines), ends), (vec![500, 1_500], vec![(2_000, Expired::Timeout(id, "INVITE"))]));
        assert_eq!(client.table.cancel(at(100_000), id, None, &mut client.out), None, "there is nothing to cancel");
        assert_eq!(client.answer(101_000, &invite, status, "a"), Some((status, id)));
        let cancel = client.table.cancel(at(101_000), id, None, &mut client.out);
        assert_eq!(cancel.is_some(), status == 180);
        run(&mut client.table, at(400_000));
        assert!(client.table.is_empty(), "{status}");
    }
    let mut client = Client::new();
    client.request(Method::Invite, LATE);
    run(&mut client.table, at(181_999));
    assert!(!client.table.is_empty());
    run(&mut client.table, at(182_000));
    assert!(client.table.is_empty(), "nobody waits for ever");
}

#[test]
fn a_given_up_invite_is_sent_no_more_and_one_that_got_a_response_is_left_alone() {
    let mut client = Client::new();
    let id = client.request(Method::Invite, LATE);
    client.table.give_up(at(600), id);
    assert_eq!(run(&mut client.table, at(10_000)), (vec![], vec![]));
    let (id, invite) = client.invite();
    client.answer(10, &invite, 180, "a");
    client.table.give_up(at(20), id);
    assert!(client.table.cancel(at(30), id, None, &mut client.out).is_some());
}

#[test]
fn silent_invites_are_bounded() {
    let mut client = Client::new();
    for _ in 0..1_100 {
        client.request(Method::Invite, LATE);
    }
    run(&mut client.table, at(10_000));
    assert_eq!(client.table.counts(), (1_000, 0));
}

/// RFC 3261 17.1.1.3.
#[test]
fn a_refusal_is_acknowledged_in_the_transaction_and_passed_once() {
    let mut client = Client::new();
    let (id, invite) = client.invite();
    assert_eq!(client.answer(10, &invite, 183, "a"), Some((183, id)));
    assert_eq!(client.answer(20, &invite, 180, "a"), Some((180, id)));
    assert!(client.out.is_empty());
    assert_eq!(client.answer(30, &invite, 486, "a"), Some((486, id)));
    let via = invite.headers.text(HeaderName::Via).unwrap().into_owned();
    let expected = |tag: &str| {
        format!(
            "ACK sip:881@192.0.2.20:5062 SIP/2.0\r\nVia: {via}\r\nFrom: <sip:882@192.0.2.1>;tag=ours\r\n\
             To: <sip:881@192.0.2.20>;tag={tag}\r\nCall-ID: d@192.0.2.1\r\nCSeq: 102 ACK\r\n\
             Route: <sip:192.0.2.99;lr>, <sip:192.0.2.98;lr>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    };
    assert_eq!(client.text(), expected("a"));
    assert_eq!(client.answer(40, &invite, 486, "b"), None);
    assert_eq!(client.text(), expected("b"));
    assert_eq!(client.answer(50, &invite, 200, "a"), None);
    assert_eq!(run(&mut client.table, at(32_030)), (vec![], vec![]));
    assert!(client.table.is_empty());
}

/// RFC 3261 13.2.2.4.
#[test]
fn every_retransmission_of_a_2xx_gets_its_own_ack() {
    let mut client = Client::new();
    let (id, invite) = client.invite();
    assert_eq!(client.answer(10, &invite, 200, "a"), Some((200, id)));
    assert_eq!(client.answer(11, &invite, 200, "a"), None, "not acknowledged yet, but no news");
    assert!(client.out.is_empty());
    for tag in ["a", "b"] {
        let mut ack = ours(Method::Ack);
        ack.headers.set(HeaderName::To, format!("<sip:881@192.0.2.20>;tag={tag}"));
        if tag == "b" {
            assert_eq!(client.answer(20, &invite, 200, "b"), Some((200, id)), "another end answered too");
        }
        client.table.acknowledge(id, ack, flow(), &mut client.rng, &mut client.out);
    }
    let acks: Vec<Transmit> = client.out.drain(..).collect();
    let branch = |bytes: &Bytes| match parsed(bytes) {
        Message::Request(ack) => Via::parse(ack.headers.get(HeaderName::Via).unwrap()).unwrap().branch,
        Message::Response(_) => None,
    };
    assert_eq!(acks.iter().filter_map(|ack| branch(&ack.bytes)).collect::<BTreeSet<_>>().len(), 2);
    for (now, tag, ack) in [(500, "b", 1), (1_500, "a", 0), (31_500, "b", 1)] {
        assert_eq!(client.answer(now, &invite, 200, tag), None);
        assert_eq!(client.out.pop().as_ref(), acks.get(ack));
    }
    assert_eq!(run(&mut client.table, at(32_010)), (vec![], vec![]));
    assert!(client.table.is_empty());
    client.table.acknowledge(id, ours(Method::Ack), flow(), &mut client.rng, &mut client.out);
    assert_eq!((client.out.len(), client.table.is_empty()), (1, true), "a late ACK goes out and is not kept");
}

#[test]
fn an_invite_that_forks_without_end_is_bounded() {
    let mut client = Client::new();
    let (_, invite) = client.invite();
    let passed = (0..100).filter(|n| client.answer(10, &invite, 200, &format!("t{n}")).is_some()).count();
    assert_eq!(passed, 16);
}

/// RFC 3261 9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent".
#[test]
fn a_cancel_waits_for_a_provisional_response_and_repeats_the_invites_branch() {
    let mut client = Client::new();
    let (id, invite) = client.invite();
    assert_eq!(client.table.cancel(at(5), id, None, &mut client.out), None);
    client.answer(10, &invite, 180, "a");
    let cancel = client.table.cancel(at(20), id, None, &mut client.out).unwrap();
    let via = invite.headers.text(HeaderName::Via).unwrap().into_owned();
    assert_eq!(
        client.text(),
        format!(
            "CANCEL sip:881@192.0.2.20:5062 SIP/2.0\r\nVia: {via}\r\nFrom: <sip:882@192.0.2.1>;tag=ours\r\n\
             To: <sip:881@192.0.2.20>\r\nCall-ID: d@192.0.2.1\r\nCSeq: 102 CANCEL\r\n\
             Route: <sip:192.0.2.99;lr>, <sip:192.0.2.98;lr>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    );
    assert_eq!(client.table.cancel(at(21), id, None, &mut client.out), None, "once");
    let request = client.table.request_of(cancel).unwrap().into_owned();
    assert_eq!(client.answer(30, &request, 200, "a"), Some((200, cancel)));
    assert_eq!(client.answer(40, &invite, 487, "a"), Some((487, id)));
    assert_eq!(sent(&mut client.out), ["ACK sip:881@192.0.2.20:5062 SIP/2.0"]);
    assert_eq!(run(&mut client.table, at(60_000)), (vec![], vec![]));
    assert!(client.table.is_empty());
}

/// RFC 3261 9.1: "If there is no final response for the original request in 64*T1 seconds [...] the client SHOULD then
/// consider the original transaction cancelled".
#[test]
fn a_cancelled_invite_without_a_final_answer_is_given_up() {
    let mut client = Client::new();
    let (id, invite) = client.invite();
    client.answer(10, &invite, 180, "a");
    let cancel = client.table.cancel(at(1_000), id, None, &mut client.out).unwrap();
    let (_, ends) = run(&mut client.table, at(90_000));
    assert_eq!(ends, [(33_000, Expired::Timeout(cancel, "INVITE")), (33_000, Expired::Timeout(id, "INVITE"))]);
    assert!(client.table.is_empty());
}

/// A peer that hung up may never answer the INVITE it began to answer.
#[test]
fn an_abandoned_invite_is_given_up_whenever_its_provisional_comes() {
    for provisional_first in [true, false] {
        let mut client = Client::new();
        let (id, invite) = client.invite();
        if provisional_first {
            client.answer(10, &invite, 100, "a");
            client.table.abandon(at(20), id);
        } else {
            client.table.abandon(at(10), id);
            client.answer(20, &invite, 100, "a");
        }
        let (_, ends) = run(&mut client.table, at(90_000));
        assert_eq!(ends, [(32_020, Expired::Timeout(id, "INVITE"))]);
        assert!(client.table.is_empty());
    }
}

/// A 2xx that crosses the CANCEL is passed, so that it can be acknowledged and ended.
#[test]
fn a_2xx_that_crosses_the_cancel_is_passed() {
    let mut client = Client::new();
    let (id, invite) = client.invite();
    client.answer(10, &invite, 180, "a");
    assert!(client.table.cancel(at(20), id, None, &mut client.out).is_some());
    assert_eq!(client.answer(30, &invite, 200, "a"), Some((200, id)));
    assert_eq!(client.table.cancel(at(40), id, None, &mut client.out), None);
}

/// RFC 3261 17.1.3, 18.1.2, 8.1.3.3.
#[test]
fn a_response_that_is_not_for_us_is_dropped() {
    let mut client = Client::new();
    let (id, invite) = client.invite();
    let (good, essentials) = answer(&invite, 180, "a");
    let twist = |change: &dyn Fn(&mut Response, &mut Essentials)| {
        let (mut response, mut essentials) = (good.clone(), essentials.clone());
        change(&mut response, &mut essentials);
        (response, essentials)
    };
    let strays = [
        twist(&|_, e| e.via.branch = Some("z9hG4bK0000000000000000".into())),
        twist(&|_, e| e.via.branch = None),
        twist(&|_, e| e.cseq.method = Method::Bye),
        twist(&|_, e| e.via.host = crate::sip::Host::from(address("192.0.2.3:1").ip())),
        twist(&|_, e| e.via.port = Some(5070)),
        twist(&|r, _| r.headers.push(HeaderName::Via, "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx")),
    ];
    for (response, essentials) in strays {
        assert_eq!(client.receive(10, response, essentials), None);
    }
    // 5060 is what a Via without a port means.
    let (response, essentials) = twist(&|_, e| e.via.port = None);
    assert_eq!(client.receive(20, response, essentials), Some((180, id)));
}

/// RFC 3261 17.1.4.
#[test]
fn an_error_of_the_network_ends_what_waits_there_and_nothing_else() {
    let mut client = Client::new();
    let (invite, _) = client.invite();
    let (ringing, request) = client.invite();
    let options = client.request(Method::Options, Sending::Reliably);
    client.answer(10, &request, 180, "a");
    let elsewhere = Flow { remote: address("192.0.2.21:5060"), ..flow() };
    client.send(Method::Bye, elsewhere, Sending::Reliably);
    assert_eq!(client.table.transport_failed(at(20), flow()), [(invite, "INVITE"), (options, "OPTIONS")]);
    assert_eq!((client.table.counts(), client.table.request_of(ringing).is_some()), ((2, 0), true));
}

/// RFC 3261 17.1.1.2, 17.1.2.2 and 18.1.1: over TCP and TLS nothing is sent twice, and Via names the transport.
#[test]
fn over_a_connection_nothing_is_sent_again_and_via_names_the_transport() {
    for (transport, word) in [(Transport::Tcp, "TCP"), (Transport::Tls, "TLS")] {
        let mut client = Client::new();
        let over = Flow { transport, connection: Some(ConnectionId(1)), ..flow() };
        let how = Sending::Tuned { t1: Duration::from_millis(500), give_up: None, late: ms(0) };
        for method in [Method::Invite, Method::Bye] {
            let id = client.send(method, over, how);
            let via = client.table.request_of(id).unwrap().headers.text(HeaderName::Via).unwrap().into_owned();
            assert!(
                via.starts_with(&format!("SIP/2.0/{word} 192.0.2.1:5060;branch=")) && !via.contains("rport"),
                "{via}"
            );
        }
        let (lines, ends) = run(&mut client.table, at(60_000));
        assert_eq!((lines.len(), ends.len()), (0, 2));
    }
}

#[test]
fn what_a_refusal_asks_to_be_sent_again_is_handed_back_whole() {
    let mut client = Client::new();
    for (status, again) in [(401, true), (407, true), (422, true), (486, false), (200, false)] {
        let (_, sent) = client.invite();
        let (response, essentials) = answer(&sent, status, "t");
        let answer = client.table.receive_response(at(10), response, essentials, flow(), &mut client.out).unwrap();
        assert_eq!(answer.refused.as_deref().map(|refused| &refused.request), again.then_some(&sent), "{status}");
    }
}

/// A peer's address behind a translator has changed: what waits for its answer goes there, and what is derived from it.
#[test]
fn what_is_redirected_goes_elsewhere_with_its_cancel_and_its_acks() {
    let elsewhere = Flow { remote: address("198.51.100.3:1024"), ..flow() };
    let to = |out: &mut Vec<Transmit>| out.drain(..).map(|transmit| transmit.flow).collect::<Vec<_>>();
    let mut client = Client::new();
    let (_, invite) = client.invite();
    client.request(Method::Options, Sending::Reliably);
    client.out.clear();
    client.table.redirect(|requester| *requester == "INVITE", flow(), elsewhere);
    client.table.expire(at(500), &mut client.out);
    let mut both = to(&mut client.out);
    both.sort();
    let mut expected = [elsewhere, flow()];
    expected.sort();
    assert_eq!(both, expected, "the INVITE there, what another has sent where it was");
    // The CANCEL, and the ACK of the refusal.
    let (id, _) = client.answer(600, &invite, 180, "t").map(|(_, id)| (id, ())).unwrap();
    client.table.cancel(at(700), id, None, &mut client.out).unwrap();
    client.answer(800, &invite, 487, "t");
    assert_eq!(to(&mut client.out), [elsewhere, elsewhere]);

    // The ACK of a 2xx that comes again; where nothing was, nothing is moved.
    let mut client = Client::new();
    let (id, invite) = client.invite();
    client.answer(100, &invite, 200, "t");
    let mut ack = ours(Method::Ack);
    ack.headers.set(HeaderName::To, "<sip:881@192.0.2.20>;tag=t");
    client.table.acknowledge(id, ack, flow(), &mut client.rng, &mut client.out);
    client.out.clear();
    client.table.redirect(|_| true, elsewhere, Flow { remote: address("203.0.113.9:9"), ..flow() });
    client.answer(200, &invite, 200, "t");
    assert_eq!(to(&mut client.out), [flow()]);
    client.table.redirect(|_| true, flow(), elsewhere);
    client.answer(300, &invite, 200, "t");
    assert_eq!(to(&mut client.out), [elsewhere]);
}
