//! Requests of peers.

use super::*;

const PAP2T: &str = "192.0.2.20:5062;branch=z9hG4bK-ca5addb1";

fn receive(
    table: &mut Transactions<Requester>,
    now: u64,
    message: &(Request, Essentials),
    out: &mut Vec<Transmit>,
) -> Incoming {
    table.receive_request(at(now), &message.0, &message.1, flow(), out)
}

fn opened(incoming: Incoming) -> ServerId {
    match incoming {
        Incoming::New(id) | Incoming::Cancel { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

fn respond(table: &mut Transactions<Requester>, now: u64, id: ServerId, status: u16, out: &mut Vec<Transmit>) {
    // After a final response the table has forgotten the request; a leg keeps what it repeats.
    let forgotten = from_peer("INVITE", PAP2T, "").0;
    let response = Response::for_request(table.server_request(id).unwrap_or(&forgotten), status, Some("us"));
    table.respond(at(now), id, response, out);
}

#[test]
fn a_retransmission_is_absorbed_and_gets_the_latest_response_again() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let options = from_peer("OPTIONS", PAP2T, "");
    assert!(!table.is_known(&options.0, &options.1));
    let id = opened(receive(&mut table, 0, &options, &mut out));
    assert!(table.is_known(&options.0, &options.1));
    assert_eq!(receive(&mut table, 10, &options, &mut out), Incoming::Absorbed);
    assert!(out.is_empty());
    assert_eq!((table.server_flow(id), table.server_request(id)), (Some(flow()), Some(&options.0)));
    respond(&mut table, 20, id, 200, &mut out);
    let first = out.pop();
    assert_eq!(first.as_ref().map(|t| t.flow), Some(flow()));
    assert_eq!(receive(&mut table, 30, &options, &mut out), Incoming::Absorbed);
    assert_eq!(out.pop(), first);
    respond(&mut table, 40, id, 404, &mut out);
    assert!(out.is_empty(), "another final response is discarded");
    assert_eq!(table.next_deadline(), Some(at(32_020)), "timer J");
    assert!(table.expire(at(32_020), &mut out).is_empty());
    assert!(table.is_empty());
    respond_late(&mut table, id, &mut out);
}

fn respond_late(table: &mut Transactions<Requester>, id: ServerId, out: &mut Vec<Transmit>) {
    let options = from_peer("OPTIONS", PAP2T, "");
    table.respond(at(40_000), id, Response::for_request(&options.0, 200, None), out);
    assert!(out.is_empty() && table.is_empty());
}

#[test]
fn a_100_goes_out_after_200_ms_of_thinking_and_only_then() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let invite = from_peer("INVITE", PAP2T, "");
    let slow = opened(receive(&mut table, 0, &invite, &mut out));
    let quick = from_peer("INVITE", "192.0.2.20:5062;branch=z9hG4bK-2", "");
    let quick = opened(receive(&mut table, 0, &quick, &mut out));
    respond(&mut table, 100, quick, 180, &mut out);
    assert_eq!(sent(&mut out), ["SIP/2.0 180 Ringing"]);
    assert_eq!(run(&mut table, at(10_000)).0, [(200, "SIP/2.0 100 Trying".to_owned())]);
    assert_eq!(receive(&mut table, 10_000, &invite, &mut out), Incoming::Absorbed);
    assert_eq!(sent(&mut out), ["SIP/2.0 100 Trying"]);
    assert_ne!(slow, quick);
}

/// RFC 3261 17.2.1: timers G and H.
#[test]
fn a_refusal_is_repeated_until_timer_h_and_then_reported() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let id = opened(receive(&mut table, 0, &from_peer("INVITE", PAP2T, ""), &mut out));
    respond(&mut table, 0, id, 486, &mut out);
    assert_eq!(sent(&mut out), ["SIP/2.0 486 Busy Here"]);
    let (lines, ends) = run(&mut table, at(60_000));
    assert_eq!(times(&lines), [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(ends, [(32_000, Expired::NotAcked(id))]);
    assert!(table.is_empty());
}

/// RFC 3261 17.2.3: "the method of the request matches the one that created the transaction, except for ACK, where the
/// method of the request that created the transaction is INVITE."
#[test]
fn the_ack_of_a_refusal_is_absorbed_and_ends_its_retransmissions() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let id = opened(receive(&mut table, 0, &from_peer("INVITE", PAP2T, ""), &mut out));
    respond(&mut table, 0, id, 486, &mut out);
    out.clear();
    let ack = from_peer("ACK", PAP2T, ";tag=us");
    assert!(table.is_known(&ack.0, &ack.1));
    assert_eq!(receive(&mut table, 100, &ack, &mut out), Incoming::Absorbed);
    assert_eq!(receive(&mut table, 200, &ack, &mut out), Incoming::Absorbed);
    assert_eq!(run(&mut table, at(60_000)), (vec![], vec![]));
    assert!(table.is_empty() && out.is_empty());
    assert_eq!(receive(&mut table, 60_000, &ack, &mut out), Incoming::Ack(None), "it can only be a dialog's now");
}

/// RFC 6026 7.1: the leg repeats its 2xx through the transaction, and ACKs pass, whichever branch they have.
#[test]
fn a_2xx_is_sent_as_often_as_its_leg_gives_it_until_timer_l() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let invite = from_peer("INVITE", PAP2T, "");
    let id = opened(receive(&mut table, 0, &invite, &mut out));
    for now in [0, 500, 1_500] {
        respond(&mut table, now, id, 200, &mut out);
    }
    assert_eq!(sent(&mut out), ["SIP/2.0 200 OK"; 3]);
    assert_eq!(receive(&mut table, 1_600, &invite, &mut out), Incoming::Absorbed);
    respond(&mut table, 1_700, id, 486, &mut out);
    assert!(out.is_empty());
    for (via, of) in [(PAP2T, Some(id)), ("192.0.2.20:5062;branch=z9hG4bK-new", None)] {
        let ack = from_peer("ACK", via, ";tag=us");
        assert_eq!(receive(&mut table, 2_000, &ack, &mut out), Incoming::Ack(of));
    }
    assert_eq!(run(&mut table, at(31_999)), (vec![], vec![]));
    assert_eq!(table.counts(), (0, 1));
    assert_eq!(run(&mut table, at(32_000)), (vec![], vec![]));
    assert!(table.is_empty());
}

/// RFC 3261 9.2: matched as in 17.2.3, "as if" the method were the INVITE's.
#[test]
fn a_cancel_finds_its_invite_by_branch_and_sent_by() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let invite = opened(receive(&mut table, 0, &from_peer("INVITE", PAP2T, ""), &mut out));
    for (via, expected) in [
        ("192.0.2.20:5062;branch=z9hG4bK-other", None),
        ("192.0.2.20:5063;branch=z9hG4bK-ca5addb1", None),
        ("192.0.2.21:5062;branch=z9hG4bK-ca5addb1", None),
        ("192.0.2.20:5062;branch=z9hG4bK-ca5addb1;received=192.0.2.20;rport=5062", Some(invite)),
    ] {
        let cancel = from_peer("CANCEL", via, "");
        let Incoming::Cancel { id, invite } = receive(&mut table, 10, &cancel, &mut out) else { panic!("{via}") };
        assert_eq!(invite, expected, "{via}");
        assert_eq!(receive(&mut table, 20, &cancel, &mut out), Incoming::Absorbed);
        respond(&mut table, 30, id, 200, &mut out);
    }
    respond(&mut table, 40, invite, 487, &mut out);
    assert_eq!(sent(&mut out).last().map(String::as_str), Some("SIP/2.0 487 Request Terminated"));
}

/// RFC 3261 9.2: a CANCEL has no effect on anything but an INVITE.
#[test]
fn a_cancel_of_another_request_names_nothing() {
    let (mut table, mut out) = (transactions(), Vec::new());
    receive(&mut table, 0, &from_peer("OPTIONS", PAP2T, ""), &mut out);
    let incoming = receive(&mut table, 0, &from_peer("CANCEL", PAP2T, ""), &mut out);
    assert!(matches!(incoming, Incoming::Cancel { invite: None, .. }));
}

/// RFC 3261 17.2.3: sent-by is part of the key "because there could be accidental or malicious duplication of branch
/// parameters from different clients".
#[test]
fn the_same_branch_from_another_host_is_another_request() {
    let (mut table, mut out) = (transactions(), Vec::new());
    for via in ["a.example:5060;branch=z9hG4bK1", "b.example;branch=z9hG4bK1", "192.0.2.7;branch=z9hG4bK1"] {
        assert!(matches!(receive(&mut table, 0, &from_peer("OPTIONS", via, ""), &mut out), Incoming::New(_)), "{via}");
    }
    let same = from_peer("OPTIONS", "A.EXAMPLE;branch=z9hG4bK1", "");
    assert_eq!(receive(&mut table, 0, &same, &mut out), Incoming::Absorbed, "case and default port make no difference");
}

#[test]
fn a_device_that_never_changes_its_branch_is_understood() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let invite = opened(receive(&mut table, 0, &from_peer("INVITE", PAP2T, ""), &mut out));
    respond(&mut table, 0, invite, 200, &mut out);
    let (request, mut essentials) = from_peer("INVITE", PAP2T, ";tag=us");
    essentials.cseq.number = 8;
    assert!(matches!(receive(&mut table, 10, &(request, essentials), &mut out), Incoming::New(_)));
}

/// RFC 3261 8.2.2.2.
#[test]
fn a_copy_that_came_another_way_is_merged_and_a_retransmission_is_not() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let first = from_peer("INVITE", PAP2T, "");
    assert!(!table.is_merged(&first.1));
    let id = opened(receive(&mut table, 0, &first, &mut out));
    assert!(!table.is_merged(&first.1));
    let copy = from_peer("INVITE", "192.0.2.66;branch=z9hG4bKproxy", "");
    assert!(table.is_merged(&copy.1), "asked before");
    let copy_id = opened(receive(&mut table, 5, &copy, &mut out));
    assert!(table.is_merged(&copy.1), "and asked after it was taken in");
    let inside = from_peer("INVITE", "192.0.2.66;branch=z9hG4bKproxy", ";tag=us");
    assert!(!table.is_merged(&inside.1), "a request with a To tag belongs to a dialog");
    let other = from_peer("OPTIONS", "192.0.2.66;branch=z9hG4bKproxy", "");
    assert!(!table.is_merged(&other.1));
    for id in [id, copy_id] {
        respond(&mut table, 10, id, 486, &mut out);
    }
    run(&mut table, at(60_000));
    assert!(table.is_empty() && !table.is_merged(&copy.1));
}

/// RFC 3261 17.2.3, the rules for requests whose branch lacks the magic.
#[test]
fn an_rfc_2543_invite_is_known_by_everything_but_its_branch() {
    for branch in ["", ";branch=1", ";branch=z9hG4b"] {
        let (mut table, mut out) = (transactions(), Vec::new());
        let via = format!("192.0.2.20:5062{branch}");
        let invite = from_peer("INVITE", &via, "");
        let id = opened(receive(&mut table, 0, &invite, &mut out));
        assert_eq!(receive(&mut table, 1, &invite, &mut out), Incoming::Absorbed);
        let cancel = from_peer("CANCEL", &via, "");
        assert!(
            matches!(receive(&mut table, 2, &cancel, &mut out), Incoming::Cancel { invite, .. } if invite == Some(id))
        );
        let mut elsewhere = from_peer("INVITE", &via, "");
        elsewhere.0.target = Bytes::from_static(b"sip:999@192.0.2.1");
        assert!(matches!(receive(&mut table, 3, &elsewhere, &mut out), Incoming::New(_)));
        respond(&mut table, 4, id, 486, &mut out);
        let wrong = from_peer("ACK", &via, ";tag=somebody");
        assert_eq!(
            receive(&mut table, 5, &wrong, &mut out),
            Incoming::Ack(None),
            "the To tag must be that of our response"
        );
        let ack = from_peer("ACK", &via, ";tag=us");
        assert!(table.is_known(&ack.0, &ack.1));
        assert_eq!(receive(&mut table, 6, &ack, &mut out), Incoming::Absorbed);
        assert_eq!(receive(&mut table, 7, &invite, &mut out), Incoming::Absorbed);
    }
}

/// The same inside a dialog, where the INVITE had our tag already.
#[test]
fn an_rfc_2543_ack_of_a_refused_re_invite_is_found_by_the_invites_own_tag() {
    let (mut table, mut out) = (transactions(), Vec::new());
    let id = opened(receive(&mut table, 0, &from_peer("INVITE", "192.0.2.20:5062", ";tag=us"), &mut out));
    respond(&mut table, 0, id, 488, &mut out);
    assert_eq!(receive(&mut table, 6, &from_peer("ACK", "192.0.2.20:5062", ";tag=us"), &mut out), Incoming::Absorbed);
}

#[test]
fn a_full_table_remembers_nothing_more_and_recovers() {
    let mut table = Transactions::<Requester>::new(TimerValues::default(), 3, &mut Rng::from_number(1));
    let mut out = Vec::new();
    let via = |n: u64| format!("192.0.2.20:5062;branch=z9hG4bK{n}");
    for n in 0..3 {
        let id = opened(receive(&mut table, 0, &from_peer("OPTIONS", &via(n), ""), &mut out));
        respond(&mut table, 0, id, 200, &mut out);
    }
    for n in 3..1_000 {
        let method = if n % 2 == 0 { "CANCEL" } else { "INVITE" };
        assert_eq!(receive(&mut table, 1, &from_peer(method, &via(n), ""), &mut out), Incoming::Full);
    }
    assert_eq!(receive(&mut table, 2, &from_peer("OPTIONS", &via(0), ""), &mut out), Incoming::Absorbed);
    assert_eq!(table.counts(), (0, 3));
    run(&mut table, at(32_000));
    assert!(table.is_empty());
    let last = opened(receive(&mut table, 40_000, &from_peer("OPTIONS", &via(0), ""), &mut out));
    assert_eq!(last, ServerId(4), "identifiers are not used again");
}

#[test]
fn on_a_reliable_transport_an_answered_request_is_forgotten_at_once() {
    let mut table = Transactions::<Requester>::new(
        TimerValues { reliable: true, ..TimerValues::default() },
        10,
        &mut Rng::from_number(1),
    );
    let mut out = Vec::new();
    let id = opened(receive(&mut table, 5, &from_peer("OPTIONS", PAP2T, ""), &mut out));
    respond(&mut table, 5, id, 200, &mut out);
    assert_eq!(table.next_deadline(), Some(at(5)));
    table.expire(at(5), &mut out);
    assert!(table.is_empty());
}
