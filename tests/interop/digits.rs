//! Stories of digits: each telephone presses them into the dialplan in every way it can, and gets them from there.

use crate::clients::{network, over};
use crate::exchange::{ALICE, Exchange, Wishes, wait};
use crate::sipp::Phone;
use crate::telephone::Client::{self, Baresip, Linphone, Pjsua2};
use crate::telephone::{Order, Telephone, Way};
use crate::uninterrupted::uninterrupted;
use crate::{can, skip};
use std::net::UdpSocket;
use std::time::Duration;

#[test]
fn baresip_and_the_dialplan_press_digits() {
    presses_and_is_pressed_to(Baresip);
}

#[test]
fn linphone_and_the_dialplan_press_digits() {
    presses_and_is_pressed_to(Linphone);
}

#[test]
fn pjsua2_and_the_dialplan_press_digits() {
    presses_and_is_pressed_to(Pjsua2);
}

#[test]
fn baresip_presses_digits_in_its_sound() {
    presses_in_its_sound(Baresip);
}

#[test]
fn linphone_presses_digits_in_its_sound() {
    presses_in_its_sound(Linphone);
}

#[test]
fn pjsua2_presses_digits_in_its_sound() {
    presses_in_its_sound(Pjsua2);
}

/// The line has `dtmfmode=inband`: 620 reads four digits, none of them twice, and answers by tones.
fn presses_in_its_sound(client: Client) {
    let Some(namespace) = network(&format!("{client:?} presses digits in its sound"), &[client]) else { return };
    let wishes = Wishes {
        address: Way::Udp.address(),
        namespace: Some(&namespace.name),
        line: "dtmfmode=inband\n",
        ..Wishes::default()
    };
    let exchange = Exchange::start(&format!("tones-{client:?}"), &wishes);
    let mut telephone = Telephone::start(&exchange, client, ALICE, Way::Udp);
    exchange.said("Registered SIP 'alice'");
    if client == Linphone {
        telephone.sounds("440*");
    }
    telephone.told(Order::Call("620"));
    exchange.said("620 reads");
    exchange.ask_until("core show channels", "1 active channel");
    if client != Linphone {
        telephone.sounds("440*");
    }
    exchange.said("620 has read 440*");
    telephone.hears_digits("159#", &exchange);
    telephone.told(Order::HangUp);
    over(&exchange, &[&telephone]);
    telephone.quits();
    exchange.stop();
}

/// SIPp sends them as packets that it made itself, and takes them at a socket of ours.
#[test]
fn sipp_presses_digits_and_is_pressed_to() {
    // Its packets leave by a raw socket.
    if !can("SIPp presses digits", &["sipp"]) || !std::fs::read_to_string("/proc/self/status").is_ok_and(is_root) {
        skip("SIPp presses digits", "only root may send such packets");
        return;
    }
    let exchange = Exchange::start("digits-sipp", &Wishes::default());
    let alice = Phone::new(&exchange, ALICE).registered().hanging_up_after(4_000);
    let calling = alice.calling("caller-digits.xml", "620");
    exchange.said("620 has read 440*");
    exchange.said("620 has pressed");
    calling.succeeds();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(12))).unwrap();
    // Nobody presses there, and 620 goes on after nine seconds.
    let alice = alice.with_rtp(socket.local_addr().unwrap().port()).hanging_up_after(13_000);
    let calling = alice.calling("caller.xml", "620");
    let (mut got, mut packet, mut last) = (String::new(), [0u8; 1500], None);
    while got.len() < 4 {
        let size = uninterrupted(|| socket.recv(&mut packet))
            .unwrap_or_else(|why| panic!("only {got} came: {why}\n{}", exchange.log()));
        // All packets of an event have its first timestamp (RFC 4733 2.2.2).
        if size == 16
            && packet[1] & 0x7f == 101
            && last.replace(packet[4..8].to_vec()).as_deref() != Some(&packet[4..8])
        {
            got.extend("0123456789*#ABCD".chars().nth(packet[12].into()));
        }
    }
    assert_eq!(got, "159#");
    calling.succeeds();
    exchange.stop();
}

fn is_root(status: String) -> bool {
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// How a client is told to press digits.
type Pressing = fn(&str) -> Order<'_>;

/// 620 reads four digits and presses 1, 5, 9 and #; 621 does so by INFO.
fn presses_and_is_pressed_to(client: Client) {
    let Some(namespace) = network(&format!("{client:?} presses digits"), &[client]) else { return };
    let wishes = Wishes { address: Way::Udp.address(), namespace: Some(&namespace.name), ..Wishes::default() };
    let exchange = Exchange::start(&format!("digits-{client:?}"), &wishes);
    let mut telephone = Telephone::start(&exchange, client, ALICE, Way::Udp);
    exchange.said("Registered SIP 'alice'");
    let orders: &[(&str, Pressing, &str)] = match client {
        Pjsua2 => &[
            ("620", |digits| Order::Press(digits), "by event"),
            ("621", |digits| Order::PressByInfo(digits), "by INFO"),
        ],
        _ => &[("620", |digits| Order::Press(digits), "by event"), ("621", |digits| Order::Press(digits), "by event")],
    };
    for (number, order, how) in orders {
        let before = telephone.output().len();
        telephone.told(Order::Call(number));
        exchange.ask_until("core show channels", "1 active channel");
        exchange.said(&format!("{number} reads"));
        std::thread::sleep(Duration::from_millis(500));
        // Equal ones, too, and one that no number has.
        for digit in ["4", "4", "0", "*"] {
            telephone.told(order(digit));
            std::thread::sleep(Duration::from_millis(500));
        }
        exchange.said(&format!("{number} has read 440*"));
        exchange.said(&format!("{number} has pressed"));
        if let Some(words) = client.digit_words(*number == "621") {
            let got = |telephone: &Telephone| {
                let output = telephone.output();
                let after = output.get(before..).unwrap_or_default();
                let found = after.match_indices(words).filter_map(|(at, _)| after[at + words.len()..].chars().next());
                found.collect::<String>()
            };
            let is_told = wait(Duration::from_secs(3), || got(&telephone) == "159#");
            assert!(
                is_told,
                "{client:?} at {number} ({how}) got {:?}\n{}\n{}",
                got(&telephone),
                telephone.output(),
                exchange.log()
            );
        }
        telephone.told(Order::HangUp);
        over(&exchange, &[&telephone]);
    }
    telephone.quits();
    exchange.stop();
}
