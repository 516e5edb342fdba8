use super::*;
use crate::rng::Rng;

fn at(ms: u64) -> Time {
    Time::from_start(Duration::from_millis(ms))
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn expected(rtp: &str) -> Expected {
    Expected { rtp: Some(address(rtp)), ..Expected::default() }
}

/// Sends `count` packets in sequence, 20 ms apart, and returns how many were accepted.
fn stream(learner: &mut Learner, from_ms: u64, source: &str, first: u16, count: u16) -> usize {
    (0..count)
        .filter(|n| {
            let now = at(from_ms + u64::from(*n) * 20);
            learner.judge(now, address(source), first.wrapping_add(*n)) != Verdict::Drop
        })
        .count()
}

#[test]
fn the_address_of_the_sdp_is_believed_from_its_first_packet() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(learner.judge(at(0), address("10.0.0.1:4000"), 9), Verdict::AcceptAndLock);
    assert_eq!(learner.judge(at(1), address("10.0.0.1:4000"), 700), Verdict::Accept);
    assert_eq!(stream(&mut learner, 5_000, "10.0.0.1:4002", 0, 100), 0);
}

#[test]
fn another_port_of_the_host_is_believed_with_the_fourth_packet_in_sequence() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    let source = address("10.0.0.1:5000");
    for (sequence, verdict) in [
        (65_534, Verdict::Drop),
        (65_535, Verdict::Drop),
        (0, Verdict::Drop),
        (1, Verdict::AcceptAndLock),
        (2, Verdict::Accept),
    ] {
        assert_eq!(learner.judge(at(0), source, sequence), verdict, "{sequence}");
    }
    assert_eq!(learner.source(), Some(source));
    assert_eq!(stream(&mut learner, 9_000, "10.0.0.1:5002", 0, 100), 0);
}

#[test]
fn a_gap_begins_the_probation_again() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    for sequence in [1, 2, 3, 5, 6, 7] {
        assert_eq!(learner.judge(at(0), address("10.0.0.1:5000"), sequence), Verdict::Drop);
    }
    assert_eq!(learner.judge(at(0), address("10.0.0.1:5000"), 8), Verdict::AcceptAndLock);
}

#[test]
fn behind_nat_the_host_of_the_signalling_is_learned_and_no_other() {
    let mut learner =
        Learner::new(Expected { signalling: Some("203.0.113.9".parse().unwrap()), ..expected("192.168.1.5:4000") });
    assert_eq!(stream(&mut learner, 0, "198.51.100.1:4000", 0, 50), 0);
    assert_eq!(stream(&mut learner, 0, "203.0.113.9:61000", 0, 50), 47);
    assert_eq!(stream(&mut learner, 9_000, "203.0.113.9:61001", 0, 50), 0);
}

#[test]
fn the_address_of_the_sdp_takes_the_lock_back_when_it_speaks_up() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:666", 0, 10), 7);
    assert_eq!(learner.judge(at(100), address("10.0.0.1:4000"), 1), Verdict::AcceptAndLock);
    assert_eq!(stream(&mut learner, 10_000, "10.0.0.1:666", 10, 10), 0);
}

#[test]
fn a_stranger_gets_nothing_at_any_time_and_costs_the_caller_no_packet() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    let mut sequence = 0u16;
    let mut spray = |learner: &mut Learner, now: Time| {
        for port in 1000..1100 {
            sequence = sequence.wrapping_add(1);
            for source in ["10.0.0.2", "10.9.9.9"] {
                let source = SocketAddr::new(source.parse().unwrap(), port);
                assert_eq!(learner.judge(now, source, sequence), Verdict::Drop);
                assert_eq!(learner.judge(now, SocketAddr::new(source.ip(), 4000), sequence), Verdict::Drop);
                assert!(!learner.judge_rtcp(now, source));
            }
        }
    };
    spray(&mut learner, at(0));
    // The caller sends from another port: the forged packets between its own do not disturb the probation.
    for n in 0..50u16 {
        let verdict = learner.judge(at(20 * u64::from(n)), address("10.0.0.1:5000"), n);
        assert_eq!(verdict == Verdict::Drop, n < 3);
        spray(&mut learner, at(20 * u64::from(n) + 1));
    }
}

#[test]
fn a_repeated_offer_keeps_the_learned_source_without_a_lost_packet() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:5000", 0, 10), 7);
    learner.reset(at(200), expected("10.0.0.1:4000"));
    assert_eq!(learner.source(), Some(address("10.0.0.1:5000")));
    assert_eq!(learner.judge(at(200), address("10.0.0.1:5000"), 10), Verdict::Accept);
    // And it is locked again.
    assert_eq!(stream(&mut learner, 9_000, "10.0.0.1:5002", 0, 10), 0);
}

#[test]
fn after_a_repeated_offer_a_source_that_is_gone_can_be_replaced() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:5000", 0, 10), 7);
    learner.reset(at(200), expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 1_000, "10.0.0.1:5002", 0, 10), 7);
}

#[test]
fn a_hold_without_an_address_changes_nothing() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:5000", 0, 10), 7);
    learner.reset(at(200), Expected::default());
    assert_eq!(learner.judge(at(200), address("10.0.0.1:5000"), 10), Verdict::Accept);
    learner.reset(at(300), expected("10.0.0.1:4000"));
    assert_eq!(learner.judge(at(320), address("10.0.0.1:5000"), 11), Verdict::Accept);
}

#[test]
fn an_offer_of_another_port_loses_nothing_of_either_and_then_locks() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:4000", 0, 10), 10);
    learner.reset(at(200), expected("10.0.0.1:6000"));
    assert_eq!(learner.judge(at(210), address("10.0.0.1:4000"), 10), Verdict::Accept);
    assert_eq!(learner.source(), None, "sending goes to the new address at once");
    assert_eq!(learner.judge(at(220), address("10.0.0.1:6000"), 11), Verdict::AcceptAndLock);
    assert_eq!(stream(&mut learner, 9_000, "10.0.0.1:4000", 12, 10), 0);
}

#[test]
fn a_host_the_new_offer_no_longer_names_is_accepted_for_two_seconds_more() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:4000", 0, 10), 10);
    learner.reset(at(200), expected("10.0.0.7:6000"));
    assert_eq!(learner.judge(at(300), address("10.0.0.1:4000"), 10), Verdict::Accept);
    assert!(learner.judge_rtcp(at(300), address("10.0.0.1:4001")));
    assert_eq!(stream(&mut learner, 2_200, "10.0.0.1:4000", 11, 10), 0);
    assert!(!learner.judge_rtcp(at(2_200), address("10.0.0.1:4001")));
}

#[test]
fn while_the_old_source_speaks_no_candidate_is_learned() {
    let mut learner = Learner::new(expected("10.0.0.1:4000"));
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:4000", 0, 10), 10);
    learner.reset(at(200), expected("10.0.0.1:6000"));
    for n in 0..50u16 {
        let now = at(200 + 20 * u64::from(n));
        assert_eq!(learner.judge(now, address("10.0.0.1:4000"), 10 + n), Verdict::Accept);
        for extra in 0..5 {
            assert_eq!(learner.judge(now, address("10.0.0.1:666"), n * 5 + extra), Verdict::Drop);
        }
    }
}

#[test]
fn open_takes_any_source_after_four_but_not_from_one_that_speaks() {
    let mut learner = Learner::new(Expected { strictness: Strictness::Open, ..expected("10.0.0.1:4000") });
    assert_eq!(stream(&mut learner, 0, "192.0.2.8:99", 0, 10), 7);
    assert_eq!(learner.judge(at(190), address("192.0.2.9:99"), 0), Verdict::Drop);
    assert_eq!(stream(&mut learner, 1_000, "192.0.2.9:99", 50, 10), 7);
    assert_eq!(stream(&mut learner, 1_300, "10.0.0.1:4000", 50, 10), 10);
}

fn followed(rtp: &str, signalling: &str) -> Expected {
    Expected { signalling: Some(signalling.parse().unwrap()), symmetric: true, ..expected(rtp) }
}

#[test]
fn a_followed_peer_is_learned_anew_when_its_mapping_changes_and_nobody_else_is() {
    let mut learner = Learner::new(followed("192.168.1.5:4000", "203.0.113.9"));
    assert_eq!(stream(&mut learner, 0, "203.0.113.9:61000", 0, 10), 7);
    // The last packet came at 180 ms: for two seconds nothing else is believed, from wherever it comes.
    assert_eq!(stream(&mut learner, 200, "203.0.113.9:62000", 10, 98), 0);
    assert_eq!(stream(&mut learner, 2_180, "198.51.100.1:62000", 0, 50), 0, "not the signalling's address");
    assert_eq!(stream(&mut learner, 2_180, "192.168.1.5:5000", 0, 50), 0, "nor the host of the description");
    let gaps = (0..50u16).filter(|n| learner.judge(at(4_000), address("203.0.113.9:9"), n * 2) != Verdict::Drop);
    assert_eq!(gaps.count(), 0, "nor what is in no sequence");
    assert_eq!(stream(&mut learner, 5_000, "203.0.113.9:62000", 200, 10), 7);
    assert_eq!(learner.source(), Some(address("203.0.113.9:62000")));
    assert_eq!(stream(&mut learner, 5_200, "203.0.113.9:61000", 300, 10), 0, "the new one is locked");
    // While the peer speaks nothing is learned, however long.
    for n in 0..1000u16 {
        let now = at(6_000 + 20 * u64::from(n));
        assert_eq!(learner.judge(now, address("203.0.113.9:62000"), n), Verdict::Accept);
        assert_eq!(learner.judge(now, address("203.0.113.9:63000"), n), Verdict::Drop);
    }
}

#[test]
fn who_is_not_followed_is_not_learned_anew_by_silence() {
    let mut learner = Learner::new(Expected { symmetric: false, ..followed("192.168.1.5:4000", "203.0.113.9") });
    assert_eq!(stream(&mut learner, 0, "203.0.113.9:61000", 0, 10), 7);
    assert_eq!(stream(&mut learner, 10_000, "203.0.113.9:62000", 0, 50), 0);
}

#[test]
fn after_the_signalling_has_moved_its_new_host_is_learned() {
    let mut learner = Learner::new(followed("192.168.1.5:4000", "203.0.113.9"));
    assert_eq!(stream(&mut learner, 0, "203.0.113.9:61000", 0, 10), 7);
    learner.reset(at(200), followed("192.168.1.5:4000", "203.0.113.77"));
    assert_eq!(stream(&mut learner, 200, "203.0.113.9:61000", 10, 5), 5, "what is under way");
    assert_eq!(stream(&mut learner, 600, "203.0.113.77:4500", 15, 10), 7);
    assert_eq!(stream(&mut learner, 3_000, "203.0.113.9:61000", 30, 10), 0);
}

/// IPv6 translators are rare, and there are some.
#[test]
fn a_remapped_peer_is_learned_over_ipv6_too() {
    let mut learner = Learner::new(followed("[fd00::5]:4000", "2001:db8::9"));
    assert_eq!(stream(&mut learner, 0, "[2001:db8::9]:61000", 0, 10), 7);
    assert_eq!(stream(&mut learner, 2_180, "[2001:db8::a]:62000", 0, 50), 0);
    assert_eq!(stream(&mut learner, 4_000, "[2001:db8::9]:62000", 0, 10), 7);
}

#[test]
fn without_an_address_strict_believes_nobody() {
    let mut learner = Learner::new(Expected { signalling: Some("10.0.0.1".parse().unwrap()), ..Expected::default() });
    assert_eq!(stream(&mut learner, 0, "10.0.0.1:4000", 0, 20), 0);
    assert!(!learner.judge_rtcp(at(0), address("10.0.0.1:4001")));
}

#[test]
fn rtcp_is_believed_from_the_locked_host_or_the_very_address_given() {
    let mut learner = Learner::new(Expected {
        rtcp: Some(address("10.0.0.3:7001")),
        signalling: Some("203.0.113.9".parse().unwrap()),
        ..expected("192.168.1.5:4000")
    });
    assert!(learner.judge_rtcp(at(0), address("192.168.1.5:4001")));
    assert!(!learner.judge_rtcp(at(0), address("203.0.113.9:4001")));
    assert_eq!(stream(&mut learner, 0, "203.0.113.9:61000", 0, 5), 2);
    assert!(learner.judge_rtcp(at(100), address("203.0.113.9:61001")));
    assert!(!learner.judge_rtcp(at(100), address("192.168.1.5:4001")));
    assert!(learner.judge_rtcp(at(100), address("10.0.0.3:7001")));
    assert!(!learner.judge_rtcp(at(100), address("10.0.0.3:7003")));
}

#[test]
fn whatever_comes_in_whatever_order_only_allowed_hosts_are_accepted() {
    let mut rng = Rng::from_number(24);
    let hosts: Vec<IpAddr> =
        ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].iter().map(|host| host.parse().unwrap()).collect();
    let mut learner = Learner::new(Expected::default());
    let (mut now, mut offers, mut locks) = (0u64, Vec::<(u64, Expected)>::new(), 0u32);
    let mut sequence = 0u16;
    for _ in 0..200_000 {
        now += rng.below(60);
        let pick = |rng: &mut Rng| hosts[rng.below(4) as usize];
        if rng.below(500) == 0 {
            let rtp = (rng.below(5) != 0).then(|| SocketAddr::new(pick(&mut rng), 4000));
            let signalling = (rng.below(2) == 0).then(|| pick(&mut rng));
            let expected = Expected { rtp, signalling, ..Expected::default() };
            learner.reset(at(now), expected);
            if rtp.is_some() {
                offers.push((now, expected));
            } else if let Some(last) = offers.last().copied() {
                // A hold keeps the address; the host of the signalling may have changed.
                offers.push((now, Expected { rtp: last.1.rtp, ..expected }));
            }
        }
        let source = SocketAddr::new(pick(&mut rng), 4000 + 2 * rng.below(3) as u16);
        sequence = if rng.below(8) == 0 { rng.bits() as u16 } else { sequence.wrapping_add(1) };
        let verdict = learner.judge(at(now), source, sequence);
        locks += u32::from(verdict == Verdict::AcceptAndLock);
        if verdict != Verdict::Drop {
            let ever = offers.iter().any(|(_, offer)| {
                offer.rtp.is_some_and(|rtp| rtp.ip() == source.ip()) || offer.signalling == Some(source.ip())
            });
            assert!(ever);
        }
        if verdict == Verdict::AcceptAndLock {
            let (_, offer) = offers.last().unwrap();
            let named = offer.rtp.is_some_and(|rtp| rtp.ip() == source.ip()) || offer.signalling == Some(source.ip());
            assert!(named, "{source} is not what {offer:?} allows");
        }
    }
    assert!(locks > 100, "{locks}");
}
