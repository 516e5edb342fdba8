//! Real packets on the loopback: what a phone sends is what the other one gets.

use super::{Media, MediaSettings, PacketTrace};
use crate::pbx::media::{MediaCommand, MediaEvent, PayloadMap, Remote, StreamCounts, StreamId, StreamKind};
use crate::rng::Rng;
use crate::rtp::header::Header;
use crate::rtp::strict::Strictness;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

mod connected;
mod digits;
mod mixing;
mod quality;
mod recording;
mod remap;
mod reports;
mod silence;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const A: StreamId = StreamId(1);
const B: StreamId = StreamId(2);

/// Long enough for a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for a packet that must not come.
const QUIET: Duration = Duration::from_millis(50);

struct Rig {
    media: Media,
    events: Receiver<MediaEvent>,
}

impl Rig {
    fn new(ports: RangeInclusive<u16>) -> Rig {
        let (sender, events) = channel();
        let settings = MediaSettings { ports, dscp: Some(46), seed: [7; 32] };
        let media = Media::new(settings, move |event| drop(sender.send(event))).unwrap();
        media.start().unwrap();
        Rig { media, events }
    }

    fn event(&self) -> MediaEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn reserve(&self, stream: StreamId, local: IpAddr) -> SocketAddr {
        self.reserve_for(stream, local, StreamKind::Rtp)
    }

    fn reserve_for(&self, stream: StreamId, local: IpAddr, kind: StreamKind) -> SocketAddr {
        self.media.send(MediaCommand::Reserve { stream, local, kind });
        loop {
            match self.event() {
                MediaEvent::Reserved { stream: named, rtp } if named == stream => return rtp,
                MediaEvent::Learned { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn remote(&self, stream: StreamId, remote: Remote) {
        self.media.send(MediaCommand::Remote { stream, remote });
    }

    fn bridge(&self, a_to_b: PayloadMap, b_to_a: PayloadMap) {
        self.media.send(MediaCommand::Bridge { a: A, b: B, a_to_b, b_to_a });
    }

    /// All that was reported until the stream was released, and its counts.
    fn release(&self, stream: StreamId) -> (Vec<MediaEvent>, StreamCounts) {
        self.media.send(MediaCommand::Release { stream });
        let mut before = Vec::new();
        loop {
            match self.event() {
                MediaEvent::Released { stream: named, counts, .. } if named == stream => return (before, counts),
                other => before.push(other),
            }
        }
    }

    /// Two phones, bridged.
    fn call(&self) -> (Phone, Phone) {
        let mut phones = (Phone::new(LOCAL), Phone::new(LOCAL));
        phones.0.exchange = Some(self.reserve(A, LOCAL));
        phones.1.exchange = Some(self.reserve(B, LOCAL));
        self.remote(A, phones.0.remote());
        self.remote(B, phones.1.remote());
        self.bridge(PayloadMap::identity(), PayloadMap::identity());
        phones
    }
}

/// A phone's two sockets.
struct Phone {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    exchange: Option<SocketAddr>,
}

impl Phone {
    fn new(local: IpAddr) -> Phone {
        let bind = || {
            let socket = UdpSocket::bind((local, 0)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        };
        Phone { rtp: bind(), rtcp: bind(), exchange: None }
    }

    fn remote(&self) -> Remote {
        Remote {
            rtp: Some(self.rtp.local_addr().unwrap()),
            rtcp: Some(self.rtcp.local_addr().unwrap()),
            signalling: Some(LOCAL),
            symmetric: false,
            strictness: Strictness::Strict,
        }
    }

    fn send(&self, packet: &[u8]) {
        self.rtp.send_to(packet, self.exchange.unwrap()).unwrap();
    }

    fn send_rtcp(&self, packet: &[u8]) {
        let mut to = self.exchange.unwrap();
        to.set_port(to.port() + 1);
        self.rtcp.send_to(packet, to).unwrap();
    }

    fn receive(&self) -> Vec<u8> {
        received(&self.rtp).expect("a packet")
    }

    fn hears_nothing(&self) -> bool {
        [&self.rtp, &self.rtcp].into_iter().all(|socket| {
            socket.set_read_timeout(Some(QUIET)).unwrap();
            let heard = received(socket);
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            heard.is_none()
        })
    }
}

fn received(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut buffer = [0; 9_000];
    let length = loop {
        match socket.recv(&mut buffer) {
            // The machine was stopped and goes on (signal(7)).
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            received => break received.ok()?,
        }
    };
    Some(buffer[..length].to_vec())
}

fn packet(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc, length: 12 };
    [&header.write()[..], payload].concat()
}

/// Any size, payload type, marker; CSRC, extension and padding bits as far as they are true.
fn wild_packet(rng: &mut Rng, sequence: u16) -> Vec<u8> {
    let csrc = rng.below(3) as u8;
    let extended = rng.below(4) == 0;
    // 192 to 223 would be RTCP.
    let second = Some(rng.bits() as u8).filter(|byte| !(192..=223).contains(byte)).unwrap_or(0x80);
    let mut packet = vec![0x80 | u8::from(extended) << 4 | csrc, second];
    packet.extend(sequence.to_be_bytes());
    packet.extend((rng.bits() as u32).to_be_bytes());
    packet.extend(0xfeed_beefu32.to_be_bytes());
    packet.extend((0..csrc * 4).map(|_| rng.bits() as u8));
    if extended {
        packet.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    }
    let length = if rng.below(10) == 0 { rng.below(1_700) } else { rng.below(330) };
    packet.extend((0..length).map(|_| rng.bits() as u8));
    packet
}

/// Sends `packets` one way and the other, ten under way at a time, and returns what came of them.
fn exchange(from: &Phone, to: &Phone, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    for burst in packets.chunks(10) {
        burst.iter().for_each(|packet| from.send(packet));
        heard.extend(burst.iter().map(|_| to.receive()));
    }
    heard
}

#[test]
fn a_thousand_packets_of_all_kinds_arrive_byte_for_byte() {
    let rig = Rig::new(20_000..=20_099);
    let (a, b) = rig.call();
    let mut rng = Rng::from_number(5);
    let packets: Vec<Vec<u8>> = (65_300..65_800u32).map(|n| wild_packet(&mut rng, n as u16)).collect();
    std::thread::scope(|scope| {
        let there = scope.spawn(|| exchange(&a, &b, &packets));
        // The other way at the same time. Each phone's socket hears only the other.
        let back = scope.spawn(|| exchange(&b, &a, &packets));
        assert_eq!(there.join().unwrap(), packets);
        assert_eq!(back.join().unwrap(), packets);
    });
    let (events, counts) = rig.release(A);
    assert_eq!(counts, StreamCounts { received: 500, sent: 500, ..StreamCounts::default() });
    let learned = |phone: &Phone, stream| MediaEvent::Learned { stream, source: phone.rtp.local_addr().unwrap() };
    assert_eq!(events.len(), 2);
    assert!(events.contains(&learned(&a, A)) && events.contains(&learned(&b, B)));
}

#[test]
fn packets_are_shown_while_somebody_wants_to_see_them() {
    let rig = Rig::new(20_800..=20_899);
    let (a, b) = rig.call();
    let (say, said) = channel();
    let shown = |packets: &[Vec<u8>]| {
        assert_eq!(exchange(&a, &b, packets), packets);
        said.recv_timeout(QUIET).into_iter().chain(said.try_iter()).collect::<Vec<String>>()
    };
    assert!(shown(&[packet(1, 7, &[0; 160])]).is_empty());
    let only = Some((LOCAL, Some(b.rtp.local_addr().unwrap().port())));
    rig.media.show(Some(PacketTrace::new(only, Box::new(move |line| say.send(line).unwrap()))));
    let to = b.rtp.local_addr().unwrap();
    let line = format!("Sent RTP packet to      {to} (type 00, seq 000008, ts 001280, len 000160)");
    assert_eq!(shown(&[packet(1, 8, &[0; 160])]), [line]);
    rig.media.show(None);
    assert!(shown(&[packet(1, 9, &[0; 160])]).is_empty());
}

#[test]
fn late_doubled_and_missing_packets_are_forwarded_as_they_came() {
    let rig = Rig::new(20_100..=20_199);
    let (a, b) = rig.call();
    let packets: Vec<_> = [1, 2, 2, 5, 3, 9, 9, 8].map(|n| packet(1, n, &[n as u8; 160])).into();
    assert_eq!(exchange(&a, &b, &packets), packets);
    assert_eq!(rig.release(A).1.lost, 3);
}

#[test]
fn payload_types_are_mapped_where_they_differ_and_the_marker_stays() {
    let rig = Rig::new(20_200..=20_299);
    let (a, b) = rig.call();
    let mut there = PayloadMap::identity();
    there.0[101] = 96;
    let mut back = PayloadMap::identity();
    back.0[96] = 101;
    rig.bridge(there, back);
    for (first, second) in [(101, 96), (101 | 0x80, 96 | 0x80), (0x80, 0x80), (96, 96)] {
        let mut packet = packet(1, u16::from(first), b"event");
        packet[1] = first;
        a.send(&packet);
        packet[1] = second;
        assert_eq!(b.receive(), packet);
    }
    let mut packet = packet(2, 1, b"event");
    packet[1] = 96;
    b.send(&packet);
    packet[1] = 101;
    assert_eq!(a.receive(), packet);
}

/// A phone answers a new offer before it has sent its last packets of the old codec, and perhaps from its old port:
/// they end and disturb nothing, and strict RTP stays as strict as it was.
#[test]
fn packets_of_the_old_codec_pass_after_a_renegotiation() {
    let rig = Rig::new(21_700..=21_799);
    let (mut a, b) = rig.call();
    let of = |payload: u8, sequence: u16| {
        let mut packet = packet(1, sequence, &[payload; 160]);
        packet[1] = payload;
        packet
    };
    assert_eq!(exchange(&a, &b, &[of(0, 1), of(0, 2)]), [of(0, 1), of(0, 2)]);
    // Now alaw, which the other side calls 97.
    let alaw = |rig: &Rig, a: &Phone| {
        rig.remote(A, a.remote());
        rig.remote(B, b.remote());
        let (mut there, mut back) = (PayloadMap::identity(), PayloadMap::identity());
        (there.0[8], back.0[97]) = (97, 8);
        rig.bridge(there, back);
    };
    alaw(&rig, &a);
    let sent = [of(0, 3), of(8, 5), of(0, 4), of(8, 6), of(0, 4)];
    let mut heard = sent.clone();
    (heard[1][1], heard[3][1]) = (97, 97);
    assert_eq!(exchange(&a, &b, &sent), heard);
    // And now from another port: the old one's last packets pass until the new one is heard.
    let moved = Phone { exchange: a.exchange, ..Phone::new(LOCAL) };
    alaw(&rig, &moved);
    assert_eq!(exchange(&a, &b, &[of(0, 7)]), [of(0, 7)]);
    assert_eq!(exchange(&moved, &b, &[of(0, 8), of(0, 9)]), [of(0, 8), of(0, 9)]);
    a.send(&of(0, 10));
    assert!(b.hears_nothing());
    assert_eq!(exchange(&moved, &b, &[of(0, 11)]), [of(0, 11)]);
    a = moved;
    assert_eq!(exchange(&b, &a, &[of(0, 1)]), [of(0, 1)]);
    let counts = rig.release(A).1;
    assert_eq!((counts.received, counts.strangers, counts.malformed, counts.undelivered), (11, 0, 0, 0));
}

#[test]
fn rtcp_goes_through_untouched_and_what_is_none_does_not() {
    let rig = Rig::new(20_300..=20_399);
    let (a, b) = rig.call();
    // A receiver report, and something encrypted behind a sender report's header: both are RTCP.
    for packet in [vec![0x80, 201, 0, 1, 0, 0, 0, 7], vec![0x81, 200, 9, 9, 1, 2, 3, 4, 5, 6, 7]] {
        a.send_rtcp(&packet);
        assert_eq!(received(&b.rtcp).unwrap(), packet);
    }
    a.send_rtcp(b"\x00\x01\x00\x00\x21\x12\xa4\x42");
    a.send(b"\x00\x01\x00\x00\x21\x12\xa4\x42 a STUN binding request");
    a.send(&[0x80; 11]);
    a.send(&vec![0x80; 5_000]);
    a.send(&[]);
    assert!(b.hears_nothing());
    let counts = rig.release(A).1;
    assert_eq!((counts.malformed, counts.received, counts.undelivered), (5, 0, 0));
    assert_eq!(rig.release(B).1.rtcp_sent, 2);
}

/// Of another SSRC in the midst of a call: NSE, a key press, a report at the wrong port, one packet of nobody knows
/// what. The voice around it arrives byte for byte, and nothing is told as lost.
#[test]
fn a_stray_packet_moves_no_other() {
    let mut event = packet(0xeeee, 40_000, &[5, 0, 0, 160]);
    event[1] = 101;
    let mut nse = packet(0xabcd, 7, &[192, 10, 0, 0]);
    nse[1] = 100;
    let report = [&[0x80, 200, 0, 6][..], &7u32.to_be_bytes(), &[0; 20]].concat();
    let strays = [vec![nse.clone()], vec![event; 3], vec![report], vec![nse.clone(), packet(1, 1, b"x"), nse]];
    for (n, strays) in (0u16..).zip(strays) {
        let first = 22_800 + n * 20;
        let rig = Rig::new(first..=first + 19);
        let (a, b) = rig.call();
        let voice = |from: u16, to: u16| (from..to).map(|n| packet(7, n, &[n as u8; 160])).collect::<Vec<_>>();
        for (before, after) in [(&a, &b), (&b, &a)] {
            let sent = [voice(0, 50), strays.clone(), voice(50, 150)].concat();
            assert_eq!(exchange(before, after, &sent), sent);
        }
        for stream in [A, B] {
            let counts = rig.release(stream).1;
            assert_eq!((counts.lost, counts.malformed, counts.undelivered, counts.strangers), (0, 0, 0, 0));
            assert_eq!(counts.received + counts.rtcp_sent, 150 + strays.len() as u64);
        }
    }
}

/// A sender that takes another SSRC goes on in the line, and its reports with it.
#[test]
fn a_sender_that_takes_another_ssrc_goes_on_in_the_line() {
    let rig = Rig::new(22_900..=22_999);
    let (a, b) = rig.call();
    let voice = |ssrc, from: u16| (from..from + 20).map(|n| packet(ssrc, n, &[n as u8; 160])).collect::<Vec<_>>();
    assert_eq!(exchange(&a, &b, &voice(7, 0)), voice(7, 0));
    std::thread::sleep(Duration::from_millis(220));
    let heard = exchange(&a, &b, &voice(8, 5_000));
    assert_eq!(heard[..3], voice(8, 5_000)[..3], "three packets do not persist");
    let headers: Vec<Header> = heard[3..].iter().map(|packet| Header::read(packet).unwrap()).collect();
    for (n, header) in (20u16..).zip(&headers) {
        assert_eq!((header.ssrc, header.sequence), (7, n));
    }
    assert!(headers.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) == 160));
    // What it says of itself, at either port, is said of the line; what it says of the SSRC it left is not passed on.
    for ssrc in [7u32, 8] {
        let report = [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes()].concat();
        a.send_rtcp(&report);
        a.send(&report);
    }
    let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
    assert_eq!((received(&b.rtcp).unwrap(), b.receive()), (report.to_vec(), report.to_vec()));
    assert!(b.hears_nothing());
    // And a report of the other side on the line is one on whom it hears.
    b.send_rtcp(&[&[0x81, 201, 0, 7, 0, 0, 0, 99, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 36][..], &[0; 12]].concat());
    let back = received(&a.rtcp).unwrap();
    assert_eq!((&back[8..12], &back[16..20]), (&[0, 0, 0, 8][..], &5_019u32.to_be_bytes()[..]));
}

#[test]
fn a_stranger_hears_nothing_injects_nothing_and_costs_nothing() {
    let rig = Rig::new(20_400..=20_419);
    let a_rtp = rig.reserve(A, LOCAL);
    let b_rtp = rig.reserve(B, LOCAL);
    let stranger = Phone::new("127.0.0.2".parse().unwrap());
    let mut sequence = 0u16;
    let mut spray = || {
        for port in 20_400..=20_419u16 {
            for _ in 0..4 {
                sequence = sequence.wrapping_add(1);
                stranger.rtp.send_to(&packet(666, sequence, b"injected"), (LOCAL, port)).unwrap();
            }
            stranger.rtcp.send_to(&[0x80, 201, 0, 1, 0, 0, 2, 154], (LOCAL, port)).unwrap();
        }
    };
    spray();
    let (mut a, mut b) = (Phone::new(LOCAL), Phone::new(LOCAL));
    (a.exchange, b.exchange) = (Some(a_rtp), Some(b_rtp));
    let signalling = Some(LOCAL);
    rig.remote(A, Remote { signalling, symmetric: true, ..a.remote() });
    rig.remote(B, Remote { signalling, symmetric: true, ..b.remote() });
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    // A round trip through the worker, so that the commands have been carried out.
    rig.reserve(A, LOCAL);
    for n in 0..50 {
        spray();
        let sent = packet(1, n, b"from a");
        a.send(&sent);
        assert_eq!(b.receive(), sent, "from its first packet");
        spray();
        let sent = packet(2, n, b"from b");
        b.send(&sent);
        assert_eq!(a.receive(), sent);
    }
    assert!(stranger.hears_nothing());
    assert!(a.hears_nothing() && b.hears_nothing());
    let counts = rig.release(A).1;
    assert_eq!((counts.received, counts.sent, counts.lost), (50, 50, 0));
    // Until the line was there; from then on they came no farther than the system.
    assert!((4..404).contains(&counts.strangers), "{counts:?}");
}

#[test]
fn a_first_packet_that_overtakes_the_answer_is_not_lost() {
    let rig = Rig::new(20_500..=20_599);
    let (mut a, mut b) = (Phone::new(LOCAL), Phone::new(LOCAL));
    a.exchange = Some(rig.reserve(A, LOCAL));
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(A, a.remote());
    let first = packet(2, 1, b"hello");
    b.send(&first);
    b.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 7]);
    rig.remote(B, b.remote());
    // The worker may well see to the one order before the other comes.
    rig.reserve(B, LOCAL);
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    assert_eq!(a.receive(), first);
    assert!(received(&a.rtcp).is_some());
}

#[test]
fn what_waited_too_long_for_the_answer_is_not_forwarded_in_a_burst() {
    let rig = Rig::new(20_600..=20_699);
    let (mut a, mut b) = (Phone::new(LOCAL), Phone::new(LOCAL));
    a.exchange = Some(rig.reserve(A, LOCAL));
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(A, a.remote());
    (0..20).for_each(|n| b.send(&packet(2, n, b"stale")));
    std::thread::sleep(Duration::from_millis(300));
    rig.remote(B, b.remote());
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    rig.reserve(B, LOCAL);
    let fresh = packet(2, 20, b"fresh");
    b.send(&fresh);
    assert_eq!(a.receive(), fresh);
    let counts = rig.release(B).1;
    assert_eq!((counts.early, counts.undelivered), (20, 0));
}

/// What a stranger sent while it rang is no measure of what the line sends when it answers.
#[test]
fn strangers_while_it_rings_cost_the_line_none_of_its_first_packets() {
    for number in [1, 4_000u16] {
        assert!((0..20).any(|_| strangers_cost_nothing(number)), "this machine was never quick enough");
    }
}

/// False: the machine was too busy to ring and answer in the time in which first packets are kept, which proves nothing.
fn strangers_cost_nothing(number: u16) -> bool {
    let rig = Rig::new(23_000..=23_019);
    let (mut a, mut b) = (Phone::new(LOCAL), Phone::new(LOCAL));
    a.exchange = Some(rig.reserve(A, LOCAL));
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(A, a.remote());
    let stranger = Phone { exchange: b.exchange, ..Phone::new("127.0.0.2".parse().unwrap()) };
    (0..number).for_each(|n| stranger.send(&packet(9, n, &[9; 1_200])));
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(300));
    if begun.elapsed() > Duration::from_millis(330) {
        return false;
    }
    let begun = Instant::now();
    stranger.send(&packet(9, number, b"again"));
    let first: Vec<_> = (0..5).map(|n| packet(2, n, b"hello")).collect();
    first.iter().for_each(|packet| b.send(packet));
    stranger.send(&packet(9, number + 1, b"and again"));
    rig.remote(B, b.remote());
    // The worker may well see to the one order before the other comes.
    rig.reserve(B, LOCAL);
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    rig.reserve(B, LOCAL);
    if begun.elapsed() > Duration::from_millis(100) {
        return false;
    }
    for packet in first {
        assert_eq!(a.receive(), packet);
    }
    // What it sent last may still wait in the socket.
    let begun = Instant::now();
    loop {
        rig.media.send(MediaCommand::Count { stream: B });
        let MediaEvent::Counted { report, .. } = rig.event() else { continue };
        if report.counts.strangers >= 3 || begun.elapsed() > PATIENCE {
            break;
        }
    }
    let counts = rig.release(B).1;
    assert_eq!((counts.received, counts.early, counts.undelivered, counts.lost), (5, 0, 0, 0));
    assert!(counts.strangers >= 3, "{counts:?}");
    true
}

/// The line itself sent for a second while it rang: of that the last moment is passed on, the rest is told.
#[test]
fn of_what_the_line_itself_sent_too_early_each_packet_is_judged_by_its_age() {
    let rig = Rig::new(23_020..=23_039);
    let (mut a, mut b) = (Phone::new(LOCAL), Phone::new(LOCAL));
    a.exchange = Some(rig.reserve(A, LOCAL));
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(A, a.remote());
    for burst in 0..3u16 {
        (0..5).for_each(|n| b.send(&packet(2, burst * 5 + n, b"early")));
        if burst < 2 {
            std::thread::sleep(Duration::from_millis(250));
        }
    }
    rig.remote(B, b.remote());
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    for n in 10..15 {
        assert_eq!(a.receive(), packet(2, n, b"early"));
    }
    rig.reserve(B, LOCAL);
    let counts = rig.release(B).1;
    assert_eq!((counts.early, counts.received, counts.lost, counts.strangers), (10, 5, 0, 0));
}

/// What is known of a stream while it is there: counts, whom it believes, whom not, and what the system refuses.
#[test]
fn a_stream_says_what_it_has_counted() {
    let rig = Rig::new(23_060..=23_079);
    let (a, b) = rig.call();
    let stranger = Phone { exchange: a.exchange, ..Phone::new("127.0.0.2".parse().unwrap()) };
    stranger.send(&packet(9, 1, b"x"));
    assert_eq!(exchange(&a, &b, &[packet(1, 1, b"x")]), [packet(1, 1, b"x")]);
    // A port of IPv4 sends nothing to an IPv6 address.
    rig.remote(B, Remote { rtp: Some("[::1]:9".parse().unwrap()), ..b.remote() });
    rig.reserve(B, LOCAL);
    a.send(&packet(1, 2, b"x"));
    std::thread::sleep(QUIET * 4);
    let report = |stream| {
        rig.media.send(MediaCommand::Count { stream });
        loop {
            if let MediaEvent::Counted { stream: named, report } = rig.event() {
                assert_eq!(named, stream);
                return report;
            }
        }
    };
    let of_a = report(A);
    assert_eq!((of_a.counts.received, of_a.counts.strangers), (2, 1));
    assert_eq!((of_a.source, of_a.stranger), (a.rtp.local_addr().ok(), stranger.rtp.local_addr().ok()));
    assert_eq!(of_a.refused, None);
    let of_b = report(B);
    assert_eq!((of_b.counts.sent, of_b.counts.undelivered, of_b.source), (1, 1, None));
    let (number, why) = of_b.refused.clone().unwrap();
    assert!(number == 1 && why.contains("family"), "{why}");
    // One that is not there says nothing.
    rig.media.send(MediaCommand::Count { stream: StreamId(99) });
    assert_eq!(rig.release(A).0, []);
}

/// Nobody answered: what came all the same is told.
#[test]
fn what_came_to_a_line_that_never_answered_is_counted() {
    let rig = Rig::new(23_040..=23_059);
    let mut b = Phone::new(LOCAL);
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(B, Remote { rtp: None, rtcp: None, ..b.remote() });
    let stranger = Phone { exchange: b.exchange, ..Phone::new("127.0.0.2".parse().unwrap()) };
    (0..3).for_each(|n| b.send(&packet(2, n, b"early")));
    stranger.send(&packet(9, 1, b"x"));
    std::thread::sleep(Duration::from_millis(100));
    let counts = rig.release(B).1;
    assert_eq!((counts.early, counts.strangers, counts.received), (3, 1, 0));
}

#[test]
fn before_the_bridge_sources_are_learned_all_the_same() {
    let rig = Rig::new(21_700..=21_799);
    let mut b = Phone::new(LOCAL);
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(B, b.remote());
    b.send(&packet(2, 1, b"nobody listens yet"));
    assert_eq!(rig.event(), MediaEvent::Learned { stream: B, source: b.rtp.local_addr().unwrap() });
    assert_eq!(rig.release(B).1, StreamCounts { received: 1, undelivered: 1, ..StreamCounts::default() });
}

#[test]
fn a_peer_behind_nat_is_learned_and_followed() {
    let rig = Rig::new(20_700..=20_799);
    let (a, b) = rig.call();
    // Its SDP names an address nobody answers at; its packets come from where its signalling comes from.
    let private = Some("127.9.9.9:4000".parse().unwrap());
    rig.release(B);
    let exchange = rig.reserve(B, LOCAL);
    let b = Phone { exchange: Some(exchange), ..b };
    rig.remote(B, Remote { rtp: private, rtcp: None, symmetric: true, ..b.remote() });
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    for n in 0..3 {
        b.send(&packet(2, n, b"probation"));
    }
    let fourth = packet(2, 3, b"fourth");
    b.send(&fourth);
    assert_eq!(a.receive(), fourth);
    assert_eq!(rig.event(), MediaEvent::Learned { stream: B, source: b.rtp.local_addr().unwrap() });
    let answer = packet(1, 1, b"to the learned source");
    a.send(&answer);
    assert_eq!(b.receive(), answer);
    // RTCP follows to where RTCP came from.
    b.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 2]);
    assert!(received(&a.rtcp).is_some());
    a.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1]);
    assert!(received(&b.rtcp).is_some());
    // The same offer again (a refresh) changes nothing.
    rig.remote(B, Remote { rtp: private, rtcp: None, symmetric: true, ..b.remote() });
    let after = packet(1, 2, b"after the refresh");
    a.send(&after);
    assert_eq!(b.receive(), after);
    b.send(&packet(2, 4, b"fifth"));
    a.receive();
    assert_eq!(rig.release(B).1.strangers, 3);
}

#[test]
fn without_nat_packets_go_to_the_address_of_the_sdp_wherever_the_peer_sends_from() {
    let rig = Rig::new(20_800..=20_899);
    let (a, b) = rig.call();
    let other = Phone { exchange: b.exchange, ..Phone::new(LOCAL) };
    (0..4).for_each(|n| other.send(&packet(2, n, b"from another port")));
    assert_eq!(a.receive(), packet(2, 3, b"from another port"));
    let sent = packet(1, 1, b"x");
    a.send(&sent);
    assert_eq!(b.receive(), sent);
    assert!(other.hears_nothing());
}

#[test]
fn a_hold_sends_nothing_and_afterwards_the_stream_is_the_same() {
    let rig = Rig::new(20_900..=20_999);
    let (a, b) = rig.call();
    assert_eq!(exchange(&a, &b, &[packet(1, 1, b"x")]), [packet(1, 1, b"x")]);
    rig.remote(B, Remote { rtp: None, rtcp: None, ..b.remote() });
    rig.reserve(B, LOCAL);
    a.send(&packet(1, 2, b"x"));
    assert!(b.hears_nothing());
    rig.remote(B, b.remote());
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    rig.reserve(B, LOCAL);
    assert_eq!(exchange(&a, &b, &[packet(1, 3, b"x")]), [packet(1, 3, b"x")]);
    let counts = rig.release(B).1;
    assert_eq!((counts.sent, counts.undelivered), (2, 1));
}

#[test]
fn an_echo_gives_back_what_it_gets() {
    let rig = Rig::new(21_000..=21_099);
    let (a, _) = rig.call();
    rig.media.send(MediaCommand::Echo { stream: A });
    rig.reserve(A, LOCAL);
    let mut rng = Rng::from_number(6);
    let packets: Vec<Vec<u8>> = (0..100).map(|n| wild_packet(&mut rng, n)).collect();
    assert_eq!(exchange(&a, &a, &packets), packets);
    let counts = rig.release(A).1;
    assert_eq!((counts.received, counts.sent), (100, 100));
}

/// As in a call: an echo to where the sound comes from would promise what a call does not keep.
#[test]
fn an_echo_goes_to_where_the_line_wants_its_sound() {
    for symmetric in [false, true] {
        let rig = Rig::new(if symmetric { 24_700..=24_799 } else { 24_800..=24_899 });
        let (a, b) = rig.call();
        rig.remote(A, Remote { symmetric, ..b.remote() });
        rig.media.send(MediaCommand::Echo { stream: A });
        rig.reserve(A, LOCAL);
        let packets: Vec<Vec<u8>> = (0..6).map(|n| packet(1, n, b"hello")).collect();
        let (reached, other) = if symmetric { (&a, &b) } else { (&b, &a) };
        packets.iter().for_each(|packet| a.send(packet));
        // The first three teach where its own comes from.
        let heard: Vec<Vec<u8>> = (0..3).map(|_| reached.receive()).collect();
        assert_eq!(heard, packets[3..], "{symmetric}");
        assert!(other.hears_nothing());
    }
}

#[test]
fn a_sound_is_played_in_its_time_and_the_bridge_after_it_goes_on_with_its_line() {
    let rig = Rig::new(21_100..=21_199);
    let (a, b) = rig.call();
    let sound: Vec<u8> = (0..1_000u32).map(|n| n as u8).collect();
    let started = Instant::now();
    rig.media.send(MediaCommand::Play {
        stream: B,
        play: 42,
        sounds: vec![sound.as_slice().into()],
        skip: 0,
        repeat: false,
        payload_type: 0,
        ptime_ms: 20,
    });
    let heard: Vec<Vec<u8>> = (0..7).map(|_| b.receive()).collect();
    assert_eq!(rig.event(), MediaEvent::Played { stream: B, play: 42 });
    assert!(started.elapsed() >= Duration::from_millis(140), "{:?}", started.elapsed());
    let headers: Vec<Header> = heard.iter().map(|packet| Header::read(packet).unwrap()).collect();
    for (n, header) in headers.iter().enumerate() {
        assert_eq!(header.marker, n == 0);
        assert_eq!(header.ssrc, headers[0].ssrc);
        assert_eq!(header.sequence, headers[0].sequence.wrapping_add(n as u16));
        assert_eq!(header.timestamp, headers[0].timestamp.wrapping_add(n as u32 * 160));
    }
    let payload: Vec<u8> = heard.iter().flat_map(|packet| packet[12..].to_vec()).collect();
    assert_eq!(payload[..1_000], sound);
    assert_eq!(payload[1_000..], [0xff; 120]);

    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    rig.reserve(B, LOCAL);
    // Before A has sent RTP, its RTCP would speak of a stream B has never heard.
    a.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1]);
    let sent: Vec<Vec<u8>> = (500..520).map(|n| packet(1, n, &[n as u8; 160])).collect();
    let heard = exchange(&a, &b, &sent);
    let last = headers[6];
    let first = Header::read(&heard[0]).unwrap();
    assert_eq!((first.ssrc, first.sequence), (last.ssrc, last.sequence.wrapping_add(1)));
    let advance = first.timestamp.wrapping_sub(last.timestamp);
    assert!(advance >= 160 && advance.is_multiple_of(160) && advance < 8_000 * 30, "{advance}");
    for (sent, heard) in sent.iter().zip(&heard) {
        let (sent_header, heard_header) = (Header::read(sent).unwrap(), Header::read(heard).unwrap());
        assert_eq!(heard_header.ssrc, last.ssrc);
        assert_eq!(heard_header.sequence.wrapping_sub(first.sequence), sent_header.sequence - 500);
        assert_eq!(heard_header.timestamp.wrapping_sub(first.timestamp), sent_header.timestamp - 80_000);
        assert_eq!(sent[12..], heard[12..]);
        assert_eq!(sent[..2], heard[..2]);
    }
    // RTCP speaks of the stream as B knows it, and of B's as A knows it: that one is untouched.
    a.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1]);
    let report = received(&b.rtcp).unwrap();
    assert_eq!(report[4..], last.ssrc.to_be_bytes());
    let back = packet(2, 9, b"back");
    b.send(&back);
    assert_eq!(a.receive(), back);
    let counts = rig.release(B).1;
    assert_eq!((counts.sent, counts.rtcp_sent, counts.undelivered), (27, 1, 1));
}

#[test]
fn a_tone_repeats_until_another_verb_and_a_second_sound_takes_the_place_of_the_first() {
    let rig = Rig::new(21_200..=21_299);
    let (_, b) = rig.call();
    let play = |play, repeat| MediaCommand::Play {
        stream: B,
        play,
        sounds: vec![vec![1, 2, 3].into()],
        skip: 0,
        repeat,
        payload_type: 8,
        ptime_ms: 10,
    };
    rig.media.send(play(1, true));
    let heard: Vec<Vec<u8>> = (0..5).map(|_| b.receive()).collect();
    assert!(heard.iter().all(|packet| packet.len() == 92 && packet[1] & 0x7f == 8));
    rig.media.send(play(2, false));
    assert_eq!(rig.event(), MediaEvent::Played { stream: B, play: 1 });
    assert_eq!(rig.event(), MediaEvent::Played { stream: B, play: 2 });
    rig.media.send(play(3, true));
    rig.media.send(MediaCommand::Idle { stream: B });
    assert_eq!(rig.event(), MediaEvent::Played { stream: B, play: 3 });
    // One line from the first packet to the last, whoever played.
    rig.reserve(B, LOCAL);
    b.rtp.set_read_timeout(Some(QUIET)).unwrap();
    let rest: Vec<Vec<u8>> = std::iter::from_fn(|| received(&b.rtp)).collect();
    let headers: Vec<Header> = heard.iter().chain(&rest).map(|packet| Header::read(packet).unwrap()).collect();
    for pair in headers.windows(2) {
        assert_eq!((pair[1].ssrc, pair[1].sequence), (pair[0].ssrc, pair[0].sequence.wrapping_add(1)));
        assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp).is_multiple_of(80));
    }
    // Nobody to play to: the end is reported all the same.
    rig.media.send(MediaCommand::Play {
        stream: StreamId(99),
        play: 4,
        sounds: vec![vec![1].into()],
        skip: 0,
        repeat: true,
        payload_type: 0,
        ptime_ms: 20,
    });
    assert_eq!(rig.event(), MediaEvent::Played { stream: StreamId(99), play: 4 });
}

#[test]
fn when_one_of_a_bridge_goes_the_other_is_idle() {
    let rig = Rig::new(21_300..=21_399);
    let (a, b) = rig.call();
    assert_eq!(exchange(&a, &b, &[packet(1, 1, b"x")]), [packet(1, 1, b"x")]);
    rig.release(B);
    a.send(&packet(1, 2, b"x"));
    assert!(b.hears_nothing());
    // A new stream in the place of the old one is nobody's partner.
    rig.reserve(StreamId(3), LOCAL);
    rig.remote(StreamId(3), b.remote());
    rig.reserve(StreamId(3), LOCAL);
    a.send(&packet(1, 3, b"x"));
    assert!(b.hears_nothing());
    assert_eq!(rig.release(A).1.undelivered, 2);
    // Released twice, or never there.
    assert_eq!(rig.release(A).1, StreamCounts::default());
}

#[test]
fn a_range_that_is_used_up_says_so_and_a_port_given_back_rests() {
    let rig = Rig::new(21_400..=21_405);
    let ports = [1, 2, 3].map(|n| rig.reserve(StreamId(n), LOCAL).port());
    let mut sorted = ports;
    sorted.sort_unstable();
    assert_eq!(sorted, [21_400, 21_402, 21_404]);
    rig.media.send(MediaCommand::Reserve { stream: StreamId(4), local: LOCAL, kind: StreamKind::Rtp });
    match rig.event() {
        MediaEvent::NoPorts { stream: StreamId(4), why } => assert!(why.contains("widen rtpstart/rtpend"), "{why}"),
        other => panic!("{other:?}"),
    }
    rig.release(StreamId(1));
    rig.release(StreamId(2));
    // The one given back first is the one that has rested longest.
    assert_eq!(rig.reserve(StreamId(5), LOCAL).port(), ports[0]);
    assert_eq!(rig.reserve(StreamId(6), LOCAL).port(), ports[1]);
}

#[test]
fn ipv6_is_carried_too_also_between_the_two() {
    let local = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
    if UdpSocket::bind((local, 0)).is_err() {
        eprintln!("skipped: no IPv6 on this machine");
        return;
    }
    let rig = Rig::new(21_500..=21_599);
    let (mut a, mut b) = (Phone::new(local), Phone::new(LOCAL));
    a.exchange = Some(rig.reserve(A, local));
    b.exchange = Some(rig.reserve(B, LOCAL));
    rig.remote(A, Remote { signalling: Some(local), ..a.remote() });
    rig.remote(B, b.remote());
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    rig.reserve(A, local);
    assert_eq!(exchange(&a, &b, &[packet(1, 1, b"x")]), [packet(1, 1, b"x")]);
    assert_eq!(exchange(&b, &a, &[packet(2, 1, b"y")]), [packet(2, 1, b"y")]);
}

/// Other tests open and close descriptors in the same process: only sockets bound to ports of this range are counted.
fn open_in(range: &RangeInclusive<u16>) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/udp").unwrap();
    let ports = table.lines().filter_map(|line| line.split_whitespace().nth(1)?.rsplit_once(':'));
    ports.filter_map(|(_, port)| u16::from_str_radix(port, 16).ok()).filter(|port| range.contains(port)).count()
}

#[test]
fn ports_are_kept_ready_while_there_are_calls_and_closed_after_the_last() {
    let range = 19_100..=19_189u16;
    let rig = Rig::new(range.clone());
    let becomes = |wanted: usize| {
        let begun = Instant::now();
        while open_in(&range) != wanted && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(open_in(&range), wanted);
    };
    for n in 0..3 {
        rig.reserve(StreamId(n), LOCAL);
    }
    becomes(6);
    rig.reserve(StreamId(3), LOCAL);
    becomes(8 + 8);
    // One of those that were ready, and another one is.
    rig.reserve(StreamId(4), LOCAL);
    becomes(10 + 8);
    (0..5).for_each(|n| drop(rig.release(StreamId(n))));
    becomes(0);
}

#[test]
fn what_was_opened_is_closed() {
    // Too few for some to be kept ready.
    let range = 21_600..=21_655u16;
    let open = || open_in(&range);
    let rig = Rig::new(range.clone());
    assert_eq!(open(), 0);
    (0..20).for_each(|n| assert!(range.contains(&rig.reserve(StreamId(n), LOCAL).port())));
    assert_eq!(open(), 40);
    (0..15).for_each(|n| drop(rig.release(StreamId(n))));
    assert_eq!(open(), 10);
    rig.media.stop();
    assert_eq!(open(), 0);
}

/// A turn of the switch wakes the worker once; an order that comes after it looked wakes it again.
#[test]
fn the_worker_is_signalled_once_until_it_has_looked() {
    let wakeup = super::Wakeup::new().unwrap();
    let count = || {
        let mut count = [0u8; 8];
        rustix::io::read(&wakeup.eventfd, &mut count).map_or(0, |_| u64::from_ne_bytes(count))
    };
    (0..3).for_each(|_| wakeup.signal());
    assert_eq!(count(), 1);
    wakeup.signal();
    assert_eq!(count(), 0, "the worker has not looked since the first");
    wakeup.clear();
    wakeup.signal();
    assert_eq!(count(), 1);
}

/// Anything at all: T.38 as it is, but also what would be STUN, RTP, RTCP, or nothing.
fn datagrams() -> Vec<Vec<u8>> {
    let mut rng = Rng::from_number(38);
    let mut all = vec![
        vec![],
        vec![0],
        b"\x00\x01\x00\x00\x21\x12\xa4\x42".to_vec(),
        b"\x00\x05\x06\xc0\x01\x80\x00\x00\xff".to_vec(),
        vec![0x80, 200, 0, 6, 1, 2, 3, 4],
        packet(7, 9, &[0; 160]),
        vec![0xff; 1_400],
    ];
    all.extend((0..300u64).map(|n| (0..rng.below(1 + n * 4)).map(|_| rng.bits() as u8).collect()));
    all
}

fn fax(rig: &Rig) -> (Phone, Phone) {
    let mut phones = (Phone::new(LOCAL), Phone::new(LOCAL));
    phones.0.exchange = Some(rig.reserve_for(A, LOCAL, StreamKind::Udptl));
    phones.1.exchange = Some(rig.reserve_for(B, LOCAL, StreamKind::Udptl));
    rig.remote(A, Remote { rtcp: None, ..phones.0.remote() });
    rig.remote(B, Remote { rtcp: None, ..phones.1.remote() });
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    phones
}

#[test]
fn a_fax_arrives_byte_for_byte_whatever_it_is() {
    let rig = Rig::new(21_800..=21_899);
    let (a, b) = fax(&rig);
    let all = datagrams();
    assert_eq!(exchange(&a, &b, &all), all);
    assert_eq!(exchange(&b, &a, &all), all);
    // Nothing is read on the odd port.
    a.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 7]);
    a.send(&vec![1; 5_000]);
    assert!(a.hears_nothing() && b.hears_nothing());
    let number = all.len() as u64;
    let counts = StreamCounts { received: number, sent: number, ..StreamCounts::default() };
    assert_eq!(rig.release(A).1, StreamCounts { malformed: 1, ..counts });
    assert_eq!(rig.release(B).1, counts);
}

#[test]
fn a_strangers_datagrams_are_no_part_of_a_fax_and_do_not_move_it() {
    let rig = Rig::new(21_900..=21_999);
    let (a, b) = fax(&rig);
    let stranger = Phone::new("127.0.0.2".parse().unwrap());
    let spray = || {
        for at in [a.exchange.unwrap(), b.exchange.unwrap()] {
            (0..20).for_each(|_| drop(stranger.rtp.send_to(b"\x00\x01injected", at)));
        }
    };
    for n in 0..20u8 {
        spray();
        a.send(&[0, n, 1]);
        assert_eq!(b.receive(), [0, n, 1]);
        spray();
        b.send(&[0, n, 2]);
        assert_eq!(a.receive(), [0, n, 2]);
    }
    assert!(stranger.hears_nothing() && a.hears_nothing() && b.hears_nothing());
    let (events, counts) = rig.release(A);
    assert_eq!((counts.received, counts.sent), (20, 20));
    assert!((20..400).contains(&counts.strangers), "until it is learned: {counts:?}");
    assert_eq!(events.len(), 2, "each side was learned once: {events:?}");
}

/// Its translator chose another port than the one it names: believed after four, and followed when it is asked to be.
#[test]
fn a_fax_from_another_port_of_the_same_host_is_learned() {
    let rig = Rig::new(22_000..=22_099);
    let (a, b) = fax(&rig);
    let elsewhere = UdpSocket::bind((LOCAL, 0)).unwrap();
    elsewhere.set_read_timeout(Some(PATIENCE)).unwrap();
    rig.remote(A, Remote { symmetric: true, rtcp: None, ..a.remote() });
    for n in 0..6u8 {
        elsewhere.send_to(&[0, n, 7], a.exchange.unwrap()).unwrap();
    }
    for n in 3..6u8 {
        assert_eq!(b.receive(), [0, n, 7], "the fourth is the first that is believed");
    }
    b.send(b"back");
    assert_eq!(received(&elsewhere).unwrap(), b"back");
    assert!(a.hears_nothing());
}

/// Whatever number a packet comes with, and whatever was agreed in the meantime: it passes, and nothing else of it
/// changes.
#[test]
fn every_payload_type_passes_before_and_after_a_new_agreement() {
    let rig = Rig::new(22_100..=22_199);
    let (a, b) = rig.call();
    let numbers = || (0..192u8).chain(224..=255);
    let every = |first: u16| -> Vec<Vec<u8>> {
        let with = |(sequence, number): (u16, u8)| {
            let mut packet = packet(1, first + sequence, b"one payload");
            packet[1] = number;
            packet
        };
        (0..).zip(numbers()).map(with).collect()
    };
    assert_eq!(exchange(&a, &b, &every(0)), every(0));
    // A new offer and answer: another codec, and key presses under another number.
    rig.remote(A, a.remote());
    rig.remote(B, b.remote());
    let mut there = PayloadMap::identity();
    there.0[101] = 96;
    rig.bridge(there, PayloadMap::identity());
    let mut expected = every(224);
    for (number, mapped) in [(101, 96), (229, 224)] {
        expected[numbers().position(|other| other == number).unwrap()][1] = mapped;
    }
    assert_eq!(exchange(&a, &b, &every(224)), expected);
    assert_eq!(exchange(&b, &a, &every(0)), every(0));
    let counts = rig.release(A).1;
    assert_eq!((counts.received, counts.malformed, counts.lost), (448, 0, 0));
}

/// Two descriptions that name the exchange's own ports would send one packet round and round for ever.
#[test]
fn the_exchange_sends_nothing_to_itself() {
    for kind in [StreamKind::Rtp, StreamKind::Udptl] {
        let rig = Rig::new(22_200..=22_203);
        let (a, b) = (rig.reserve_for(A, LOCAL, kind), rig.reserve_for(B, LOCAL, kind));
        rig.remote(A, described_at(b));
        rig.remote(B, described_at(a));
        rig.bridge(PayloadMap::identity(), PayloadMap::identity());
        let phone = Phone::new(LOCAL);
        for n in 0..20 {
            phone.rtp.send_to(&packet(1, n, b"round"), a).unwrap();
            phone.rtp.send_to(&packet(1, n, b"round"), b).unwrap();
        }
        assert!(phone.hears_nothing());
        assert_eq!([A, B].map(|stream| rig.release(stream).1.sent), [0, 0], "{kind:?}");
    }
}

/// Nothing of ours is bound there: it would be another program's, were the address not this machine's.
#[test]
fn nothing_is_sent_to_ports_of_ours_at_another_address_of_the_machine() {
    let elsewhere: IpAddr = "127.0.0.2".parse().unwrap();
    for (own, sent) in [(vec![], 10), (vec![elsewhere], 0)] {
        let rig = Rig::new(22_310..=22_319);
        rig.media.set_addresses(own.into_iter().collect());
        let (a, b) = (rig.reserve(A, LOCAL), rig.reserve(B, LOCAL));
        let (far, near) = (Phone::new(LOCAL), SocketAddr::new(elsewhere, a.port()));
        let far = Phone { exchange: Some(b), ..far };
        rig.remote(A, described_at(near));
        rig.remote(B, far.remote());
        rig.bridge(PayloadMap::identity(), PayloadMap::identity());
        (0..10).for_each(|n| far.send(&packet(2, n, b"round")));
        assert!(far.hears_nothing());
        assert_eq!((rig.release(B).1.received, rig.release(A).1.sent), (10, sent));
    }
}

/// The same with a port that becomes ours only after it was named.
#[test]
fn nothing_is_sent_to_a_port_that_has_become_ours() {
    let rig = Rig::new(22_300..=22_305);
    let (a, b) = (rig.reserve(A, LOCAL), rig.reserve(B, LOCAL));
    let free = (22_300..22_306).step_by(2).find(|port| *port != a.port() && *port != b.port());
    let (mut far, third) = (Phone::new(LOCAL), SocketAddr::new(LOCAL, free.unwrap()));
    far.exchange = Some(b);
    rig.remote(A, described_at(third));
    rig.remote(B, far.remote());
    rig.bridge(PayloadMap::identity(), PayloadMap::identity());
    assert_eq!(rig.reserve(StreamId(3), LOCAL), third);
    (0..10).for_each(|n| far.send(&packet(2, n, b"round")));
    assert!(far.hears_nothing());
    let counts = rig.release(B).1;
    assert_eq!((counts.received, rig.release(A).1.sent), (10, 0));
}

fn described_at(rtp: SocketAddr) -> Remote {
    let rtcp = Some(SocketAddr::new(LOCAL, rtp.port() + 1));
    Remote { rtp: Some(rtp), rtcp, ..Phone::new(LOCAL).remote() }
}
