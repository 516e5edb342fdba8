//! Two phones without an exchange: each is the other's.

use super::*;
use crate::sim::DeviceProfile;
use crate::sip::header::{HeaderName, Via};
use crate::sip::message::Message;
use crate::sip::validate;
use std::time::Duration;

fn phone(user: &str, own: &str, other: &str, profile: DeviceProfile) -> Phone {
    let config = PhoneConfig {
        user: user.into(),
        secret: "secret".into(),
        sip: own.parse().unwrap(),
        exchange: other.parse().unwrap(),
        rtp: format!("{}:16420", own.split(':').next().unwrap()).parse().unwrap(),
        profile,
        expires: 60,
    };
    Phone::new(config, Rng::from_number(u64::from(own.len() as u32) + user.len() as u64))
}

fn pair() -> (Phone, Phone) {
    let a = phone("a", "192.0.2.1:5060", "192.0.2.2:5060", DeviceProfile::Plain);
    let b = phone("bb", "192.0.2.2:5060", "192.0.2.1:5060", DeviceProfile::Pap2t);
    (a, b)
}

/// Carries everything between the two until nothing is on its way.
fn settle(now: Time, a: &mut Phone, b: &mut Phone) {
    loop {
        let (from_a, from_b) = (a.take_datagrams(), b.take_datagrams());
        if from_a.is_empty() && from_b.is_empty() {
            return;
        }
        for (_, bytes) in from_a {
            b.receive(now, &bytes, a.config().sip);
        }
        for (_, bytes) in from_b {
            a.receive(now, &bytes, b.config().sip);
        }
    }
}

fn run(a: &mut Phone, b: &mut Phone, until: Time) {
    while let Some(at) = [a.next_deadline(), b.next_deadline()].into_iter().flatten().min().filter(|at| *at <= until) {
        a.tick(at);
        b.tick(at);
        settle(at, a, b);
    }
}

const AT: Time = Time::from_start(Duration::from_secs(1));
const LATER: Time = Time::from_start(Duration::from_secs(100));

#[test]
fn a_call_is_made_held_resumed_and_ended() {
    let (mut a, mut b) = pair();
    b.behaviour_mut().auto_ring = true;
    a.dial(AT, "88567682");
    settle(AT, &mut a, &mut b);
    assert_eq!(b.take_events(), [PhoneEvent::Called { from: "a".into(), number: "88567682".into() }]);
    assert_eq!(a.take_events(), [PhoneEvent::Ringing]);
    b.answer(AT);
    settle(AT, &mut a, &mut b);
    let media = |phone: &Phone| PhoneEvent::MediaAt(phone.rtp());
    assert_eq!(a.take_events(), [media(&b), PhoneEvent::Answered]);
    assert_eq!(b.take_events(), [media(&a), PhoneEvent::Answered]);
    assert_eq!((a.payload_type(), b.payload_type()), (Some(0), Some(0)));
    a.renegotiate(AT, Change::Hold);
    settle(AT, &mut a, &mut b);
    assert_eq!(b.take_events(), [PhoneEvent::OnHold, PhoneEvent::Renegotiated]);
    assert_eq!(a.take_events().last(), Some(&PhoneEvent::RenegotiationAccepted));
    b.renegotiate(AT, Change::NoSdp);
    a.renegotiate(AT, Change::Resume);
    settle(AT, &mut a, &mut b);
    run(&mut a, &mut b, AT + Duration::from_secs(10));
    assert_eq!((a.media(), b.media()), (Some(b.rtp()), Some(a.rtp())));
    b.hang_up(AT + Duration::from_secs(10));
    settle(AT + Duration::from_secs(10), &mut a, &mut b);
    assert!(!a.has_call() && !b.has_call());
    run(&mut a, &mut b, LATER);
    assert!(a.is_idle() && b.is_idle(), "{} {}", a.leftovers(), b.leftovers());
}

#[test]
fn who_hangs_up_before_the_answer_cancels() {
    let (mut a, mut b) = pair();
    a.dial(AT, "1");
    // Nothing was heard yet, so the CANCEL has to wait.
    a.hang_up(AT);
    settle(AT, &mut a, &mut b);
    assert!(b.is_called() && a.has_call());
    run(&mut a, &mut b, AT + Duration::from_secs(1));
    assert_eq!(a.take_events(), [PhoneEvent::Ended]);
    assert_eq!(b.take_events().last(), Some(&PhoneEvent::Ended));
    run(&mut a, &mut b, LATER);
    assert!(a.is_idle() && b.is_idle(), "{} {}", a.leftovers(), b.leftovers());
}

#[test]
fn a_2xx_is_sent_again_until_it_is_given_up() {
    let (mut a, mut b) = pair();
    a.behaviour_mut().never_acks = true;
    b.behaviour_mut().auto_answer_after = Some(Duration::ZERO);
    a.dial(AT, "1");
    settle(AT, &mut a, &mut b);
    b.tick(AT);
    let mut oks = Vec::new();
    let mut last = AT;
    while b.has_call() {
        for (_, bytes) in b.take_datagrams() {
            oks.push((last.since(AT), bytes.starts_with(b"SIP/2.0 200")));
        }
        last = b.next_deadline().unwrap();
        b.tick(last);
    }
    assert_eq!(last.since(AT), Duration::from_secs(32));
    let seconds: Vec<f64> = oks.iter().filter(|(_, is_ok)| *is_ok).map(|(at, _)| at.as_secs_f64()).collect();
    assert_eq!(seconds, [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]);
}

#[test]
fn a_pap2t_asks_for_no_rport_and_a_plain_phone_does() {
    for (profile, asks) in
        [(DeviceProfile::Pap2t, false), (DeviceProfile::Cisco7960, false), (DeviceProfile::Plain, true)]
    {
        let mut phone = phone("a", "192.0.2.1:5060", "192.0.2.2:5060", profile);
        phone.register(AT);
        let sent = phone.take_datagrams();
        let Ok(Message::Request(request)) = Message::parse(&sent[0].1) else { panic!("{sent:?}") };
        let via = Via::parse(request.headers.get(HeaderName::Via).unwrap()).unwrap();
        assert_eq!(via.rport.is_some(), asks, "{profile:?}");
        validate::request(&request).unwrap();
    }
}
