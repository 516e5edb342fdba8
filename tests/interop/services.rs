//! Stories of what telephones ask of an exchange besides calls: texts, lamps, messages that wait, and being told to read
//! their configuration.

use crate::clients::{network, over};
use crate::exchange::{ALICE, BOB, CAROL, Exchange, Wishes, wait};
use crate::sipp::Phone;
use crate::telephone::Client::{Baresip, Linphone, Pjsua2};
use crate::telephone::{Order, Telephone, Way};
use std::time::Duration;

const PLAN: &str = "exten => 100,hint,SIP/alice\nexten => 200,hint,SIP/bob\nexten => 300,hint,SIP/carol\n";

/// 100 is pjsua2, and watches 200, which is linphone, and watches 300, which is baresip, and watches 100.
///
/// pjsua2 2.15.1 does not answer a NOTIFY that it knows nothing of, and linphonec says nothing of messages that wait. None of
/// them shows dialogs: SIPp does, as the lamp of a telephone.
#[test]
fn texts_lamps_and_mailboxes() {
    let Some(namespace) = network("texts, lamps and mailboxes", &[Pjsua2, Linphone, Baresip]) else { return };
    if !crate::can("texts, lamps and mailboxes", &["sipp"]) {
        return;
    }
    let wishes = Wishes {
        address: Way::Udp.address(),
        namespace: Some(&namespace.name),
        general: "[dave]\ntype=friend\nhost=dynamic\nsecret=date\ncontext=default\n",
        line: "mailbox=77\n",
        extensions: PLAN,
        ..Wishes::default()
    };
    let exchange = Exchange::start("services", &wishes);
    // A mailbox of which nobody has told cannot be subscribed to.
    exchange.ask("mailbox set 77 0 0");
    let before = exchange.descriptors();

    // Texts wait for who is not there.
    let mut a = Telephone::start_watching(&exchange, Pjsua2, ALICE, "200");
    exchange.said("Registered SIP 'alice'");
    a.told(Order::Text("200", "kept for bob"));
    a.told(Order::Text("300", "kept for carol"));
    exchange.said("waits until 'bob' registers");
    exchange.said("waits until 'carol' registers");
    let mut b = Telephone::start_watching(&exchange, Linphone, BOB, "300");
    let mut c = Telephone::start_watching(&exchange, Baresip, CAROL, "100");
    b.says(0, "Message received from sip:alice@192.0.2.1: kept for bob", &exchange);
    c.says(0, "\"kept for carol\"", &exchange);
    a.type_in("watch 200");
    a.type_in("mailbox");

    a.told(Order::Text("200", "text for bob"));
    b.says(0, "text for bob", &exchange);
    b.told(Order::Text("300", "text for carol"));
    c.says(0, "text for carol", &exchange);
    c.told(Order::Text("100", "text for alice"));
    a.says(0, "text for alice", &exchange);
    b.told(Order::Text("100", "another for alice"));
    a.says(0, "another for alice", &exchange);

    // Lamps.
    let lamp = Phone::new(&exchange, ("dave", "date")).hanging_up_after(4_000).calling("subscriber.xml", "200");
    lamp.said("lamp terminated");
    let marks = [&a, &b, &c].map(|telephone| telephone.output().len());
    a.told(Order::Call("200"));
    a.hears(b.client.tone(), &exchange);
    lamp.said("lamp confirmed");
    a.says(marks[0], "watched sip:200@", &exchange);
    a.says(marks[0], "On the phone", &exchange);
    a.type_in("reply within the call");
    b.says(marks[1], "within the call", &exchange);
    a.told(Order::HangUp);
    over(&exchange, &[&a, &b]);
    c.says(marks[2], "changed status from", &exchange);
    b.told(Order::Call("300"));
    b.says(marks[1], "is On the phone", &exchange);
    b.told(Order::HangUp);
    over(&exchange, &[&a, &b, &c]);
    b.says(marks[1], "is Online", &exchange);

    // Messages that wait: a telephone that subscribed and one that did not.
    let marks = [&a, &b, &c].map(|telephone| telephone.output().len());
    exchange.ask("mailbox set 77 2 1");
    a.says(marks[0], "Voice-Message: 2/1", &exchange);
    c.says(marks[2], "Voice-Message: 2/1", &exchange);

    exchange.ask("sip notify snom-check-cfg bob carol");
    exchange.said("'bob' took the NOTIFY");
    exchange.said("'carol' refused the NOTIFY (481)");

    let log = lamp.succeeds();
    let states: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("lamp ")).collect();
    assert_eq!(states[..4], ["terminated", "early", "confirmed", "terminated"], "{log}");
    // Whoever quits has given his subscriptions back.
    for telephone in [a, b, c] {
        telephone.quits();
    }
    let shown = || exchange.ask("sip show subscriptions");
    assert!(wait(Duration::from_secs(5), || shown().contains("0 active SIP subscriptions")), "{}", shown());
    exchange.assert_nothing_left(before);
    exchange.stop();
}
