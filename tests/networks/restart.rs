//! The exchange ends as by `kill -9`, and is started again: what was registered and watched goes on.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::phones::Phones;
use crate::place::{Place, network};
use strowger::sim::{PhoneEvent, Watching};

const SERVER: &str = "203.0.113.1:5060";
const PROVIDER: &str = "203.0.113.30:5060";

fn watched(phones: &Phones, line: usize) -> &Watching {
    phones.lines[line].phone.lamps.watching().next().unwrap()
}

#[test]
fn what_was_registered_and_watched_goes_on_after_a_kill() {
    let made = network("a killed exchange", &[], || {
        let wire = Place::wire(None)?;
        let house = Place::on(&wire, &["203.0.113.1/24"])?;
        let outside = Place::on(&wire, &["203.0.113.30/24", "203.0.113.20/24"])?;
        Ok((wire, house, outside))
    });
    let Some((_wire, house, outside)) = made else { return };
    let line = "[line](!)\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\ndirectmedia=no\n";
    let provider = outside.exchange(
        "killed-provider",
        PROVIDER,
        &format!("[general]\nudpbindaddr={PROVIDER}\n{line}[4711](line)\n[555](line)\n"),
        "[default]\nexten => _X!,1,Dial(SIP/${EXTEN},20)\n",
    );
    provider.told("sip set debug on");
    let sip = format!(
        "[general]\nudpbindaddr={SERVER}\nregister => 4711:password@203.0.113.30/202\n{line}[201](line)\n[202](line)\n\
         [203](line)\n[provider]\ntype=peer\nhost=203.0.113.30\ndefaultuser=4711\nfromuser=4711\nremotesecret=password\n\
         insecure=invite\ncontext=default\ndirectmedia=no\n"
    );
    let plan = "[default]\nexten => _20X,1,Dial(SIP/${EXTEN},20)\nexten => 555,1,Dial(SIP/555@provider,20)\n\
        exten => 600,1,Answer()\n same => n,Echo()\nexten => 202,hint,SIP/202\n";
    let mut exchange = house.exchange("killed", SERVER, &sip, plan);
    let mut phones = Phones::none();
    let [watcher, lamp, other] =
        ["201", "202", "203"].map(|name| outside.phone(&mut phones, "203.0.113.20", name, exchange.sip));
    let customer = outside.phone(&mut phones, "203.0.113.20", "555", provider.sip);
    phones.register();
    provider.said("Registered SIP '4711' at 203.0.113.1:5060");
    phones.act(watcher, |phone, now| {
        strowger::sim::phone::watch(phone, now, Watching::new("202", "dialog", 600));
    });
    phones.until("the lamp is told", |phones| watched(phones, watcher).is_active());
    phones.connect(other, "555", customer);

    exchange.kill();
    phones.run(Duration::from_millis(500));
    for line in &mut phones.lines {
        line.events.clear();
    }
    let notices = watched(&phones, watcher).notices;
    house.run(&mut exchange);
    phones.run(Duration::from_millis(500));
    let shown = exchange.told("sip show subscriptions");
    assert!(shown.contains("1 active SIP subscription") && shown.contains("202@default"), "{shown}");
    exchange.said("Restored 3 registrations");
    exchange.said("The exchange ended without being stopped (killed, a crash, a power cut): its calls are cut off");
    // The trunk registers at once, as another one would: its Call-ID is of this start (RFC 3261 10.2.4).
    provider.said_times("Contact: <sip:202@203.0.113.1:5060>;expires=120", 4);
    let shown = exchange.told("sip show registry");
    assert!(shown.contains("Registered"), "{shown}");

    // Called from outside at once, over the trunk; and its lamp is told.
    phones.hang_up(customer);
    phones.hang_up(other);
    phones.until("the call of before is over for both", |phones| {
        !phones.lines[customer].phone.has_call() && !phones.lines[other].phone.has_call()
    });
    // Whoever still had one is told so (481), and has it no more.
    assert!(phones.saw(customer, &PhoneEvent::Ended) && phones.saw(other, &PhoneEvent::Ended));
    phones.connect(customer, "4711", lamp);
    phones.until("the lamp is on", |phones| watched(phones, watcher).body.contains("confirmed"));
    phones.hang_up(customer);
    phones.until("the lamp is off", |phones| watched(phones, watcher).body.contains("terminated"));
    let watching = watched(&phones, watcher);
    assert!(watching.notices > notices && watching.disordered == 0 && watching.refused.is_none(), "{watching:?}");
    assert!(
        !phones.lines.iter().any(|line| line.events.iter().any(|event| matches!(event, PhoneEvent::Registered { .. })))
    );
    let log = provider.log();
    let calls: BTreeSet<&str> = log
        .split("REGISTER sip:")
        .skip(1)
        .filter_map(|text| text.split("<---").next())
        .filter(|text| text.contains("Contact: <sip:202@203.0.113.1:5060>"))
        .filter_map(|text| text.split("Call-ID: ").nth(1)?.lines().next())
        .collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
}
