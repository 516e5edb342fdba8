//! Which destinations of media an SDP may name: the peer's own address, and never the exchange itself, a broadcast or
//! multicast address, or a program of this machine.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::net::SocketAddr;
use std::time::Duration;
use strowger::sdp::MediaKind;

/// A call whose caller says it is at `addr` (as long as its own, `192.0.2.20`) and `port` (five digits).
fn call(addr: &str, port: &str) -> Testbed {
    let mut world =
        Testbed::ready(&SIP.replace("[general]\n", "[general]\nmedia_address=192.0.9.1\nvideosupport=yes\n"), GUIDE);
    for name in ["client", "isp"] {
        world.phone(name).habit(|habits| habits.secondary_media = vec![MediaKind::Video]);
    }
    world.rewrite("client", "c=IN IP4 192.0.2.20", &format!("c=IN IP4 {addr}"));
    world.rewrite("client", "m=audio 16420", &format!("m=audio {port}"));
    world.rewrite("client", "m=video 16520", &format!("m=video {port}"));
    world.connect();
    world.run(Duration::from_secs(1));
    world
}

/// Where the exchange sends what comes for the caller: each of its streams.
fn sent_to(world: &Testbed) -> Vec<Option<SocketAddr>> {
    let isp = world.look("isp");
    let others = [isp.rtp(), isp.secondary_rtp(MediaKind::Video)];
    let remotes = world.media.streams.values().map(|stream| stream.remote.and_then(|remote| remote.rtp));
    remotes.filter(|remote| remote.is_none_or(|at| !others.contains(&at))).collect()
}

fn end(mut world: Testbed) {
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn nothing_is_sent_where_nothing_may_be() {
    for (addr, port) in [
        // Nobody, everybody, a group, and names.
        ("0.0.0.0   ", "16420"),
        ("224.0.0.20", "16420"),
        ("239.9.9.99", "16420"),
        ("phone.home", "16420"),
        // This machine's own programs, and the exchange's own SIP.
        ("127.0.0.10", "16420"),
        ("127.0.0.1 ", "00053"),
        ("192.0.2.1 ", "05060"),
        // The exchange as its peers are told it, behind a translator; on its own address the media ring knows its
        // ports.
        ("192.0.9.1 ", "10000"),
        ("192.0.9.1 ", "10001"),
        ("192.0.9.1 ", "10002"),
    ] {
        let world = call(addr, port);
        assert_eq!(sent_to(&world), [None, None], "{addr}:{port}");
        let said = world.said.iter().filter(|line| line.text.contains("nothing is sent there")).count();
        let is_ours = ["127.", "192.0.2.1 ", "192.0.9.1 "].iter().any(|start| addr.starts_with(start));
        assert_eq!(said, usize::from(is_ours), "{addr}:{port}");
        end(world);
    }
}

/// A third party is believed, as SIP has it (a gateway's media may come from another machine than its SIP); but then
/// only what comes from there is the caller's, and nothing that the exchange receives elsewhere.
#[test]
fn whoever_is_named_is_sent_to_and_heard_and_nobody_else() {
    let world = call("192.0.2.99", "16000");
    let there = "192.0.2.99:16000".parse().unwrap();
    assert_eq!(sent_to(&world), [Some(there); 2]);
    let target = world.media.streams.values().next().unwrap().rtp;
    assert_eq!(world.media.forward(world.look("client").rtp(), target, 0), None, "its own address is a stranger's now");
    assert!(world.media.forward(there, target, 0).is_some());
    end(world);
}

/// Payload types and ports that are none: refused or passed over, and the next call is as good as ever.
#[test]
fn numbers_that_are_none_break_nothing() {
    for (words, others) in [
        ("RTP/AVP 0 2 4 8 18 96 97 98 100 101", "RTP/AVP 0 4294967296 4294967295 99 "),
        ("RTP/AVP 0 2 4 8 18 96 97 98 100 101", "RTP/AVP 128 255 256 18446744073709551"),
        ("RTP/AVP 0 2 4 8 18 96 97 98 100 101", "RTP/AVP -1 +0 0x0 00000000000000000"),
        ("m=audio 16420 RTP/AVP", "m=audio 99999 RTP/AVP"),
        ("m=audio 16420 RTP/AVP", "m=audio -6420 RTP/AVP"),
        ("m=audio 16420 RTP/AVP", "m=audio           0  "),
        ("a=fmtp:101 0-15", "a=fmtp:999999 0"),
        ("a=rtpmap:0 PCMU/8000", "a=rtpmap:0 PCMU/////"),
        ("a=ptime:30", "a=ptime:-1"),
    ] {
        let (words, others) = match others.len().cmp(&words.len()) {
            std::cmp::Ordering::Less => (words.to_owned(), format!("{others:<width$}", width = words.len())),
            std::cmp::Ordering::Equal => (words.to_owned(), others.to_owned()),
            std::cmp::Ordering::Greater => (words.to_owned(), others[..words.len()].to_owned()),
        };
        let mut world = Testbed::ready(SIP, GUIDE);
        world.rewrite("client", &words, &others);
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp") || !w.look("client").has_call());
        if world.is_called("isp") {
            world.phone("isp").answers();
            world.until(|w| w.is_talking("isp"));
            world.phone("isp").hangs_up();
        }
        world.until_over();
        world.phone("desk").dials("2");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("desk") && w.is_talking("isp"));
        world.assert_connected("desk", "isp", true);
        world.phone("isp").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}
