//! Kamailio as a provider, after `provider.cfg`: a trunk registers there, calls go out and come in, and it asks for the
//! password at REGISTER, INVITE and BYE.

use crate::clients::{network, over};
use crate::exchange::{ALICE, BOB, Exchange, Wishes, free_port};
use crate::kamailio::Kamailio;
use crate::namespace::{ADDRESS, PROXY};
use crate::skip;
use crate::telephone::Client::Baresip;
use crate::telephone::{Order, Telephone, Way};

/// Alice calls a number; the trunk carries it to the provider, who sends it back to where the trunk is registered: at
/// the extension of the `register` line, which rings bob.
#[test]
fn a_trunk_at_kamailio_registers_calls_out_and_in() {
    let story = "a trunk at Kamailio";
    if !crate::installed("kamailio") {
        skip(story, "kamailio: not installed");
        return;
    }
    let Some(namespace) = network(story, &[Baresip]) else { return };
    let port = free_port();
    let general = format!(
        "register => 4711:\"its@pass:word\"@{PROXY}:{port}/4930\nregistertimeout=2\n\
         [trunk]\ntype=peer\nhost={PROXY}:{port}\ndefaultuser=4711\nfromuser=4711\nremotesecret=its@pass:word\n\
         insecure=port,invite\ncontext=from-trunk\ndisallow=all\nallow=ulaw\n"
    );
    let extensions = "exten => _0X.,1,Dial(SIP/trunk/${EXTEN:1},20)\n\
         [from-trunk]\nexten => 4930,1,Dial(SIP/bob,20)\n";
    let wishes = Wishes {
        address: ADDRESS,
        namespace: Some(&namespace.name),
        general: &general,
        extensions,
        ..Wishes::default()
    };
    let exchange = Exchange::start("trunk-at-kamailio", &wishes);
    exchange.ask("sip set debug on");
    let before = exchange.descriptors();
    let kamailio = Kamailio::start_as(&exchange, "provider.cfg", &format!("{PROXY}:{port}"));
    let mut a = Telephone::start(&exchange, Baresip, ALICE, Way::Udp);
    let mut b = Telephone::start(&exchange, Baresip, BOB, Way::Udp);
    exchange.said("Registered SIP 'alice'");
    exchange.said("Registered SIP 'bob'");
    exchange.said("Outbound Registration: Expiry for 4711@");
    let shown = exchange.ask_until("sip show registry", "Registered");
    assert!(shown.contains(&format!("{PROXY}:{port}")) && shown.contains("1 SIP registrations."), "{shown}");

    // The exchange is at both ends of the trunk, and sends no sound to its own ports: this is about the calls.
    for hangs_up_first in [true, false] {
        a.told(Order::Call("0123"));
        exchange.ask_until("core show channels", "4 active channels");
        exchange.ask_until("core show channels", "2 active calls");
        exchange.said("answered SIP/alice");
        if hangs_up_first {
            a.told(Order::HangUp)
        } else {
            b.told(Order::HangUp)
        }
        over(&exchange, &[&a, &b]);
    }
    let log = exchange.log();
    for method in ["INVITE", "BYE", "REGISTER"] {
        let proven = log.split("Transmitting to").filter(|text| {
            let head = text.split("\n\n").next().unwrap_or_default();
            head.contains(&format!("{method} sip:")) && head.contains("uthorization: Digest")
        });
        assert!(proven.count() > 0, "no {method} was sent again with a password");
    }
    assert!(!log.contains("Failed to authenticate"), "{log}");
    for telephone in [a, b] {
        telephone.quits();
    }
    exchange.said("Unregistered SIP 'alice'");
    exchange.said("Unregistered SIP 'bob'");
    exchange.assert_nothing_left(before);
    exchange.ask("core stop gracefully");
    exchange.said("Registration for '4711@");
    exchange.stop();
    drop(kamailio);
}
