//! Transfers on a virtual clock and a wire that loses, repeats and delays.

use super::super::content::{Bytes, Netascii};
use super::super::packet::{Mode, RequestPacket, data};
use super::*;
use crate::rng::Rng;
use std::collections::BTreeMap;

const MS: Duration = Duration::from_millis(1);

fn at(ms: u64) -> Time {
    Time::from_start(Duration::from_millis(ms))
}

fn ack(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    vec![0, 4, high, low]
}

fn file(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

fn agreed(options: &[(&str, &str)], length: usize) -> Agreed {
    let options = options.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Agreed::of(&RequestPacket { name: "x".into(), mode: Mode::Octet, options }, Some(length as u64))
}

fn plain(length: usize) -> (Transfer<Bytes>, Turn) {
    Transfer::start(at(0), agreed(&[], length), Bytes::new(file(length)))
}

fn sent(packets: &[&[u8]]) -> Turn {
    Turn { send: packets.iter().map(|packet| packet.to_vec()).collect(), end: None }
}

#[test]
fn without_options_each_block_follows_the_acknowledgement_of_the_one_before() {
    let bytes = file(1024);
    let (mut transfer, turn) = plain(1024);
    assert_eq!(turn, sent(&[&data(1, &bytes[..512])]));
    assert_eq!(transfer.receive(at(1), &ack(1)), sent(&[&data(2, &bytes[512..])]));
    // RFC 1350 6: the length is a multiple of 512, so an empty block ends it.
    assert_eq!(transfer.receive(at(2), &ack(2)), sent(&[&data(3, b"")]));
    assert_eq!(transfer.receive(at(3), &ack(3)), Turn { send: vec![], end: Some(Ending::Done) });
    assert_eq!(transfer.progress(), Progress { bytes: 1024, repeated: 0, ignored: 0 });
}

#[test]
fn an_empty_file_is_one_empty_block() {
    let (mut transfer, turn) = plain(0);
    assert_eq!(turn, sent(&[&data(1, b"")]));
    assert_eq!(transfer.receive(at(1), &ack(1)).end, Some(Ending::Done));
}

/// RFC 2347: the first packet is the OACK, and block 1 follows ACK 0.
#[test]
fn options_are_acknowledged_before_the_first_block() {
    let (mut transfer, turn) =
        Transfer::start(at(0), agreed(&[("blksize", "1024"), ("tsize", "0")], 1500), Bytes::new(file(1500)));
    assert_eq!(turn, sent(&[b"\0\x06blksize\x001024\0tsize\x001500\0"]));
    assert_eq!(transfer.receive(at(1), &ack(1)), Turn::default(), "nothing has that number yet");
    assert_eq!(transfer.receive(at(2), &ack(0)).send[0].len(), 4 + 1024);
    assert_eq!(transfer.receive(at(3), &ack(1)).send[0].len(), 4 + 476);
    assert_eq!(transfer.receive(at(4), &ack(2)).end, Some(Ending::Done));
}

/// RFC 1123 4.2.3.1: an acknowledgement that comes twice sends nothing twice.
#[test]
fn the_sorcerers_apprentice_is_not_fed() {
    let (mut transfer, _) = plain(5000);
    assert_eq!(transfer.receive(at(1), &ack(1)).send.len(), 1);
    for again in 2..10 {
        assert_eq!(transfer.receive(at(again), &ack(1)), Turn::default());
    }
    assert_eq!(transfer.receive(at(11), &ack(2)).send.len(), 1);
    assert_eq!(transfer.progress(), Progress { bytes: 1024, repeated: 0, ignored: 8 });
}

/// A request that is never acknowledged gets three packets, each later than the one before, whatever the window.
#[test]
fn an_address_that_never_answers_gets_three_packets() {
    for options in [&[][..], &[("windowsize", "16"), ("blksize", "1448")][..]] {
        let (mut transfer, turn) = Transfer::start(at(0), agreed(options, 100_000), Bytes::new(file(100_000)));
        let (mut packets, mut bytes) = (turn.send.len(), turn.send.iter().map(Vec::len).sum::<usize>());
        let mut times = vec![0];
        let end = loop {
            let now = transfer.deadline();
            let turn = transfer.tick(now);
            packets += turn.send.len();
            bytes += turn.send.iter().map(Vec::len).sum::<usize>();
            if let Some(end) = turn.end {
                break (end, now);
            }
            times.push(now.since_start().as_millis());
        };
        assert_eq!((end, packets), ((Ending::NeverAcknowledged, at(7000)), 3));
        assert_eq!(times, [0, 1000, 3000]);
        assert!(bytes <= 3 * 516, "{bytes}");
    }
}

#[test]
fn a_request_that_comes_again_is_answered_again_within_the_three_packets() {
    let (mut transfer, turn) = plain(5000);
    assert_eq!(transfer.asked_again(at(500)), turn);
    assert_eq!(transfer.asked_again(at(600)), turn);
    for more in 700..710 {
        assert_eq!(transfer.asked_again(at(more)), Turn::default());
    }
    assert_eq!(transfer.tick(transfer.deadline()).end, Some(Ending::NeverAcknowledged));
    let (mut transfer, _) = plain(5000);
    transfer.receive(at(1), &ack(1));
    assert_eq!(transfer.asked_again(at(2)), Turn::default(), "it has gone on since");
}

#[test]
fn a_client_that_falls_silent_is_waited_for_longer_and_longer_and_given_up() {
    let (mut transfer, _) = plain(5000);
    transfer.receive(at(100), &ack(1));
    let mut waits = Vec::new();
    let mut last = at(100);
    let end = loop {
        let now = transfer.deadline();
        waits.push(now.since(last).as_millis());
        last = now;
        if let Some(end) = transfer.tick(now).end {
            break end;
        }
    };
    assert_eq!(end, Ending::Silent);
    assert_eq!(waits[..5], [400, 800, 1600, 3200, 4000]);
    assert!((30_000..35_000).contains(&last.since(at(100)).as_millis()), "{waits:?}");
}

#[test]
fn the_clients_timeout_is_kept() {
    let (mut transfer, _) = Transfer::start(at(0), agreed(&[("timeout", "5")], 600), Bytes::new(file(600)));
    assert_eq!(transfer.deadline(), at(5000));
    transfer.receive(at(10), &ack(0));
    assert_eq!(transfer.deadline(), at(5010));
    transfer.tick(at(5010));
    assert_eq!(transfer.deadline(), at(10_010), "it said five seconds");
}

#[test]
fn a_request_that_asks_for_long_waits_holds_its_place_no_longer_before_it_has_acknowledged() {
    let (mut transfer, _) = Transfer::start(at(0), agreed(&[("timeout", "255")], 600), Bytes::new(file(600)));
    let mut end = transfer.tick(transfer.deadline()).end;
    while end.is_none() {
        end = transfer.tick(transfer.deadline()).end;
    }
    assert_eq!((end, transfer.deadline()), (Some(Ending::NeverAcknowledged), at(15_000)));
    let (mut transfer, _) = Transfer::start(at(0), agreed(&[("timeout", "255")], 600), Bytes::new(file(600)));
    transfer.receive(at(10), &ack(0));
    assert_eq!(transfer.deadline(), at(255_010), "then it waits as it was asked to");
}

#[test]
fn many_clients_close_at_the_last_block() {
    let (mut transfer, _) = plain(600);
    assert_eq!(transfer.receive(at(1), &ack(1)).send.len(), 1);
    assert_eq!(transfer.refused().end, Some(Ending::LastNotAcknowledged));
    let (mut transfer, _) = plain(6000);
    transfer.receive(at(1), &ack(1));
    assert_eq!(transfer.refused().end, Some(Ending::Silent));
    // The last block, and nothing ever came: whoever is there may not have asked.
    let (mut transfer, _) = plain(60);
    assert_eq!(transfer.refused().end, Some(Ending::Silent));
}

#[test]
fn a_client_that_wanted_the_size_alone_ends_it() {
    let (mut transfer, _) = Transfer::start(at(0), agreed(&[("tsize", "0")], 9), Bytes::new(file(9)));
    let end = Ending::Aborted(8, "thanks".into());
    assert_eq!(transfer.receive(at(1), b"\0\x05\0\x08thanks\0").end, Some(end));
}

#[test]
fn what_is_no_acknowledgement_is_ignored() {
    let (mut transfer, _) = plain(5000);
    for bytes in [b"".as_slice(), b"\0\x03\0\x01x", b"\0\x01x\0octet\0", b"\0\x04\0", &ack(2), &ack(60_000)] {
        assert_eq!(transfer.receive(at(1), bytes), Turn::default());
    }
    assert!(!transfer.is_proven());
    assert_eq!(transfer.progress().ignored, 6);
}

#[test]
fn a_file_that_cannot_be_read_on_is_said_to_the_client() {
    struct Broken;
    impl Content for Broken {
        fn read(&mut self, _: usize) -> Result<Vec<u8>, super::super::content::ReadError> {
            Err(super::super::content::ReadError("gone".into()))
        }
    }
    let (_, turn) = Transfer::start(at(0), agreed(&[], 1), Broken);
    assert_eq!(
        turn,
        Turn { send: vec![b"\0\x05\0\0Read error\0".to_vec()], end: Some(Ending::Unreadable("gone".into())) }
    );
}

/// RFC 7440 4: a window at a time; what was not acknowledged of it comes again with the next.
#[test]
fn a_window_slides_and_what_was_lost_of_it_is_sent_again() {
    let (mut transfer, _) = Transfer::start(at(0), agreed(&[("windowsize", "4")], 512 * 9), Bytes::new(file(512 * 9)));
    let numbers = |turn: &Turn| turn.send.iter().map(|packet| packet[3]).collect::<Vec<_>>();
    let turn = transfer.receive(at(1), &ack(0));
    assert_eq!(numbers(&turn), [1, 2, 3, 4]);
    let turn = transfer.receive(at(2), &ack(4));
    assert_eq!(numbers(&turn), [5, 6, 7, 8]);
    let turn = transfer.receive(at(3), &ack(6));
    assert_eq!(numbers(&turn), [7, 8, 9, 10]);
    // The first of the window was lost: the block before it is acknowledged again. That is heeded once.
    let turn = transfer.receive(at(4), &ack(6));
    assert_eq!(numbers(&turn), [7, 8, 9, 10]);
    assert_eq!(transfer.receive(at(5), &ack(6)), Turn::default());
    assert_eq!(transfer.receive(at(6), &ack(10)).end, Some(Ending::Done));
    assert_eq!(transfer.progress(), Progress { bytes: 512 * 9, repeated: 6, ignored: 1 });
}

/// What a client of ours has got: it acknowledges every window in order, and says again what it had when nothing comes.
struct Client {
    got: Vec<u8>,
    next: u64,
    block: usize,
    window: u64,
    since_ack: u64,
    last: Option<Vec<u8>>,
    complete: bool,
}

impl Client {
    fn receive(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        if packet[1] == 6 {
            return (self.next == 1).then(|| self.acknowledge(0));
        }
        assert_eq!(packet[1], 3);
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        if number != low_bits(self.next) {
            // RFC 7440 4: out of order. Blocks that it has are acknowledged once more, as RFC 1350 has it.
            self.since_ack = 0;
            return Some(self.acknowledge(self.next - 1));
        }
        self.got.extend_from_slice(&packet[4..]);
        self.next += 1;
        self.since_ack += 1;
        self.complete = packet.len() - 4 < self.block;
        if self.complete || self.since_ack == self.window {
            self.since_ack = 0;
            return Some(self.acknowledge(self.next - 1));
        }
        None
    }

    fn acknowledge(&mut self, number: u64) -> Vec<u8> {
        let packet = ack(low_bits(number));
        self.last = Some(packet.clone());
        packet
    }
}

/// A transfer over a wire that loses, doubles and delays so much of a hundred packets; how it ended, and how long it took.
fn over_a_wire(length: usize, options: &[(&str, &str)], bad: u64, seed: u64) -> (Ending, Duration, Progress) {
    let bytes = file(length);
    let agreed = agreed(options, length);
    let (block, window) = (agreed.block, agreed.window as u64);
    let mut client = Client { got: vec![], next: 1, block, window, since_ack: 0, last: None, complete: false };
    let mut rng = Rng::from_number(seed);
    // What is on its way, by when it arrives: to the client or to the server.
    let mut wire: BTreeMap<(Time, u64), (bool, Vec<u8>)> = BTreeMap::new();
    let mut count = 0;
    let mut put = |wire: &mut BTreeMap<_, _>, now: Time, to_client: bool, packet: Vec<u8>| {
        for _ in 0..=u32::from(rng.below(100) < bad) {
            if rng.below(100) >= bad {
                count += 1;
                let delay = if rng.below(100) < bad { 30 } else { 1 };
                wire.insert((now + MS * delay, count), (to_client, packet.clone()));
            }
        }
    };
    let (mut transfer, turn) = Transfer::start(at(0), agreed, Bytes::new(bytes.clone()));
    turn.send.into_iter().for_each(|packet| put(&mut wire, at(0), true, packet));
    let mut clients_patience = at(2000);
    loop {
        let arrival = wire.first_key_value().map(|(at, _)| at.0);
        let now = arrival.into_iter().chain([transfer.deadline(), clients_patience]).min().unwrap();
        let turn = match wire.first_entry().filter(|_| arrival == Some(now)).map(|entry| entry.remove()) {
            Some((true, packet)) => {
                clients_patience = now + MS * 2000;
                let answer = client.receive(&packet);
                answer.into_iter().for_each(|packet| put(&mut wire, now, false, packet));
                Turn::default()
            }
            Some((false, packet)) => transfer.receive(now, &packet),
            None if now == clients_patience => {
                clients_patience = now + MS * 2000;
                client.last.clone().into_iter().for_each(|packet| put(&mut wire, now, false, packet));
                Turn::default()
            }
            None => transfer.tick(now),
        };
        if let Some(end) = turn.end {
            if matches!(end, Ending::Done | Ending::LastNotAcknowledged) {
                assert!(client.complete && client.got == bytes, "{} of {length} bytes", client.got.len());
            }
            return (end, now.since_start(), transfer.progress());
        }
        turn.send.into_iter().for_each(|packet| put(&mut wire, now, true, packet));
        assert!(now < at(3_600_000), "it does not end");
    }
}

#[test]
fn a_file_arrives_whole_over_a_wire_that_loses_doubles_and_delays() {
    for seed in 0..20 {
        for options in
            [&[][..], &[("blksize", "1448"), ("windowsize", "8")][..], &[("windowsize", "3"), ("tsize", "0")][..]]
        {
            let (end, took, _) = over_a_wire(30_000, options, 10, seed);
            let may_be = [Ending::Done, Ending::LastNotAcknowledged, Ending::NeverAcknowledged];
            assert!(may_be.contains(&end), "{seed} {options:?}: {end:?} after {took:?}");
        }
    }
    // Nothing is sent twice over a good one.
    let (end, _, progress) = over_a_wire(30_000, &[("windowsize", "8")], 0, 1);
    assert_eq!((end, progress), (Ending::Done, Progress { bytes: 30_000, repeated: 0, ignored: 0 }));
}

#[test]
fn the_numbers_of_blocks_begin_anew_after_65535() {
    let length = 65_540 * 8 + 3;
    for options in [&[("blksize", "8")][..], &[("blksize", "8"), ("windowsize", "16")][..]] {
        let (end, _, progress) = over_a_wire(length, options, 1, 7);
        assert!(matches!(end, Ending::Done | Ending::LastNotAcknowledged), "{end:?}");
        assert!(progress.bytes >= length as u64 - 8);
    }
}

#[test]
fn netascii_is_repeated_as_it_was_sent() {
    let text = b"line\n".repeat(400);
    let netascii = Netascii::new(Bytes::new(text));
    let (mut transfer, first) = Transfer::start(at(0), agreed(&[], 0), netascii);
    assert_eq!(transfer.tick(at(1000)), first);
    assert_eq!(&first.send[0][4..10], b"line\r\n");
    let mut length = first.send[0].len() - 4;
    for number in 1.. {
        let turn = transfer.receive(at(1000), &ack(number));
        if turn.end == Some(Ending::Done) {
            break;
        }
        length += turn.send[0].len() - 4;
    }
    assert_eq!(length, 400 * 6);
}
