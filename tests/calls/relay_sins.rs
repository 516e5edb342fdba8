//! Sins that something between two lines can commit: each is planted in a proxy on the way from one line, and the report on that
//! line has to name it, and nothing else. What nobody can see who only passes packets on is planted, too: nothing is named then.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Time;
use strowger::pbx::media::Heard;
use strowger::rtp::header::Header;

/// A packet on its way.
#[derive(Clone)]
struct Packet {
    at: Duration,
    header: Header,
    sound: Vec<u8>,
}

const PER_PACKET: u32 = 160;

/// What a line sends: 20 ms of G.711 every 20 ms, on a way of 3 ms that jitters by a tenth of one; for so many seconds.
fn sent(seconds: u32) -> Vec<Packet> {
    let packet = |number: u32| Packet {
        at: Duration::from_micros(u64::from(number) * 20_000 + 3_000 + u64::from(number * 37 % 100)),
        header: Header {
            marker: number == 0,
            payload_type: 0,
            sequence: (number as u16).wrapping_add(65_000),
            timestamp: number.wrapping_mul(PER_PACKET).wrapping_add(u32::MAX - 100_000),
            ssrc: 0x5151_5151,
            length: 12,
        },
        sound: vec![0xd5; PER_PACKET as usize],
    };
    (0..seconds * 50).map(packet).collect()
}

/// Packets are numbered anew after one more or less of them.
fn renumber(packets: &mut [Packet], by: i32) {
    for packet in packets {
        packet.header.sequence = packet.header.sequence.wrapping_add_signed(by as i16);
        packet.header.timestamp = packet.header.timestamp.wrapping_add_signed(by * PER_PACKET as i32);
    }
}

fn later(packets: &mut [Packet], by: Duration) {
    packets.iter_mut().for_each(|packet| packet.at += by);
}

const MS: Duration = Duration::from_millis(1);

/// Events or gateway signals of another payload type in the place of four packets.
fn signal(packets: &mut [Packet], payload_type: u8) {
    let began = packets[700].header.timestamp;
    for packet in &mut packets[700..704] {
        packet.header.payload_type = payload_type;
        packet.header.timestamp = began;
        packet.sound = vec![3, 10, 1, 64];
    }
}

/// One sin: how it is committed, and what has to be named.
struct Sin {
    name: &'static str,
    commit: fn(&mut Vec<Packet>),
    named: &'static [&'static str],
}

const fn sin(name: &'static str, commit: fn(&mut Vec<Packet>), named: &'static [&'static str]) -> Sin {
    Sin { name, commit, named }
}

const SINS: [Sin; 28] = [
    sin("none", |_| {}, &[]),
    sin("a packet is lost", |all| drop(all.remove(700)), &["1 lost (0.07 %), once, at most 1 in a row"]),
    sin("a burst is lost", |all| drop(all.drain(700..712)), &["12 lost (0.80 %), once, at most 12 in a row"]),
    sin("a packet is doubled", |all| all.insert(701, all[700].clone()), &["1 came twice"]),
    sin("two packets change places", |all| all[700].at += 25 * MS, &["jitter", "1 came late, at most by 25.0 ms"]),
    sin("a packet comes much too late", |all| all[700].at += 250 * MS, &["jitter", "1 came late, at most by 250 ms"]),
    sin(
        "the way jitters",
        |all| (0u32..).zip(all.iter_mut()).for_each(|(at, packet)| packet.at += MS * (at * 7_919 % 15)),
        &["jitter"],
    ),
    sin(
        "all stands still for 300 ms",
        |all| {
            let goes_on = all[715].at;
            all[700..715].iter_mut().for_each(|packet| packet.at = goes_on);
        },
        &["jitter", "once none came for a while, at most for 320 ms (13 s after the first)"],
    ),
    sin("another SSRC", |all| all[700..].iter_mut().for_each(|p| p.header.ssrc = 9), &["its stream began anew once"]),
    sin(
        "numbers begin anew",
        |all| (0..).zip(&mut all[700..]).for_each(|(at, packet)| packet.header.sequence = 30_000 + at),
        &["its packets were numbered anew once"],
    ),
    sin(
        "the timestamp jumps ahead",
        |all| all[700..].iter_mut().for_each(|p| p.header.timestamp = p.header.timestamp.wrapping_add(8_000)),
        &["jitter", "its timestamps did not fit its sound once"],
    ),
    sin(
        "the timestamp is off by 3 samples",
        |all| all[1..].iter_mut().for_each(|p| p.header.timestamp = p.header.timestamp.wrapping_add(3)),
        &["its timestamps did not fit its sound once"],
    ),
    sin(
        "timestamps count another clock",
        |all| (0..).zip(all).for_each(|(at, p)| p.header.timestamp = p.header.timestamp.wrapping_add(at * 2)),
        &["its timestamps did not fit its sound 1499 times"],
    ),
    sin(
        "packets become longer",
        |all| {
            // 30 ms from the halfway on.
            let rest = all.split_off(750);
            (0..).zip(rest.into_iter().step_by(3)).for_each(|(at, mut packet)| {
                for half in 0..2u32 {
                    packet.sound = vec![0xd5; 240];
                    packet.header.sequence = all[749].header.sequence.wrapping_add(1 + at as u16 * 2 + half as u16);
                    all.push(packet.clone());
                    packet.at += 30 * MS;
                    packet.header.timestamp = packet.header.timestamp.wrapping_add(240);
                }
            });
        },
        &["packets of several lengths", "the length of its packets changed once"],
    ),
    sin(
        "two packets become one",
        |all| {
            all[700].sound.extend_from_slice(&[0xd5; 160]);
            all.remove(701);
            all[701..].iter_mut().for_each(|p| p.header.sequence = p.header.sequence.wrapping_sub(1));
        },
        &["the length of its packets changed twice"],
    ),
    sin(
        "a packet becomes two",
        |all| {
            let mut second = all[700].clone();
            all[700].sound.truncate(80);
            second.sound.truncate(80);
            second.at += 10 * MS;
            second.header.timestamp = second.header.timestamp.wrapping_add(80);
            all.insert(701, second);
            all[701..].iter_mut().for_each(|p| p.header.sequence = p.header.sequence.wrapping_add(1));
        },
        &["the length of its packets changed twice"],
    ),
    sin(
        "sound is converted",
        |all| all[750..].iter_mut().for_each(|packet| packet.header.payload_type = 8),
        &["beside its sound 750 of PCMA (8)"],
    ),
    sin(
        "silence is left out",
        |all| {
            all[760].header.marker = true;
            all.drain(700..760);
            all[700..].iter_mut().for_each(|p| p.header.sequence = p.header.sequence.wrapping_sub(60));
        },
        &["silence was left out once (1 s in all)"],
    ),
    sin(
        "comfort noise instead of silence",
        |all| {
            all.drain(701..760);
            all[700].header.payload_type = 13;
            all[700].sound = vec![70];
            all[701..].iter_mut().for_each(|p| p.header.sequence = p.header.sequence.wrapping_sub(59));
        },
        &["beside its sound 1 of "],
    ),
    sin(
        "a jitter buffer leaves 20 ms out",
        |all| {
            all.remove(700);
            renumber(&mut all[700..], -1);
        },
        &["a packet's length of sound was left out, and the rest numbered as if nothing were missing, once"],
    ),
    sin(
        "a jitter buffer repeats 20 ms",
        |all| {
            let again = all[700].clone();
            all.insert(701, again);
            renumber(&mut all[701..], 1);
        },
        &["a packet's length of sound came twice, and the rest was numbered as if it were new, once"],
    ),
    sin(
        "marks in mid-sound",
        |all| all[700..703].iter_mut().for_each(|packet| packet.header.marker = true),
        &["packets in mid-sound were marked as a beginning 3 times"],
    ),
    sin(
        "a key press is swallowed",
        |all| {
            signal(all, 101);
            all.drain(700..704);
        },
        &["4 lost (0.27 %), once, at most 4 in a row"],
    ),
    sin("signals of a gateway pass", |all| signal(all, 100), &["beside its sound 4 of "]),
    // What cannot be seen in packets.
    sin("a byte is changed", |all| all[700].sound[80] ^= 0x10, &[]),
    sin("all is louder", |all| all.iter_mut().flat_map(|p| &mut p.sound).for_each(|byte| *byte ^= 8), &[]),
    sin(
        "a key press is swallowed, and the rest numbered anew",
        |all| {
            signal(all, 101);
            all.drain(700..704);
            renumber(&mut all[700..], 0);
            all[700..].iter_mut().for_each(|p| p.header.sequence = p.header.sequence.wrapping_sub(4));
        },
        &[],
    ),
    sin("all comes 150 ms later", |all| later(all, 150 * MS), &[]),
];

/// What is told of a call in which this came from the client: the parts of the sentence on its line.
fn named(mut packets: Vec<Packet>) -> Vec<String> {
    packets.sort_by_key(|packet| packet.at);
    let mut heard = Heard::default();
    for Packet { at, header, sound } in &packets {
        heard.record(Time::from_start(*at), header);
        heard.irregular.record(Time::from_start(*at), header, sound.len());
    }
    let mut world = Testbed::ready(SIP, GUIDE);
    let at = world.look("client").rtp();
    world.media.heard.insert(at, heard);
    world.connect();
    world.run(Duration::from_secs(9));
    world.phone("isp").hangs_up();
    world.until_over();
    let told =
        world.lines.iter().map(|(_, text)| text).find(|text| text.starts_with("SIP/client") && text.contains("jitter"));
    let told = told.unwrap().split_once(": ").unwrap().1.to_owned();
    world.assert_nothing_left();
    told.split("; ").map(str::to_owned).filter(|part| !is_as_it_should_be(part)).collect()
}

fn is_as_it_should_be(part: &str) -> bool {
    // `jitter 0.1 ms, at most 0.2 ms`
    let most =
        part.strip_prefix("jitter ").and_then(|part| part.rsplit(' ').nth(1)).and_then(|ms| ms.parse::<f64>().ok());
    part == "packets of 20 ms" || part == "none lost" || most.is_some_and(|ms| ms < 1.5)
}

#[test]
fn every_sin_is_named_and_nothing_else() {
    for Sin { name, commit, named: expected } in SINS {
        let mut packets = sent(30);
        commit(&mut packets);
        let named = named(packets);
        let matches =
            named.len() == expected.len() && named.iter().zip(expected).all(|(said, wanted)| said.starts_with(wanted));
        assert!(matches, "{name}: {named:?} instead of {expected:?}");
    }
}
