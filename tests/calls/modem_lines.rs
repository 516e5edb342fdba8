//! Nothing of ours disturbs the call of a `line=modem`: no re-INVITE after the first exchange for direct media, no T.38,
//! whatever else the configuration asks for.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sdp::MediaKind;
use strowger::sim::{Change, PhoneEvent};

const BOTH: [&str; 2] = ["client", "isp"];
const LONG: Duration = Duration::from_secs(600);

/// Both lines have a modem, and the owner asks for all that would disturb it.
fn modems() -> String {
    let general = "[general]\nsession-timers=originate\nsession-expires=90\nt38pt_udptl=yes\n";
    let sip = SIP.replacen("[general]\n", general, 1);
    BOTH.iter().fold(sip, |sip, line| sip.replace(&format!("[{line}]\n"), &format!("[{line}]\nline=modem\n")))
}

fn direct() -> String {
    modems().replace("directmedia=no", "directmedia=yes")
}

stories! {
    a_modem_is_refreshed_by_update_or_not_at_all(modems(), GUIDE);
    fax_is_refused_to_a_modem_whatever_is_set(modems(), GUIDE);
    after_the_first_exchange_for_direct_media_there_is_no_other(direct(), GUIDE);
}

/// The called one's 200 has an Allow with UPDATE, the caller's INVITE has none.
fn a_modem_is_refreshed_by_update_or_not_at_all(world: &mut Testbed) {
    world.add_header("client", "Supported: timer\r\nSession-Expires: 90;refresher=uas");
    world.connect();
    let answer = world.texts("client", &["200 OK", "INVITE"]).remove(0);
    assert!(!answer.contains("Session-Expires"), "{answer}");
    world.run(LONG);
    assert!(world.is_talking("client") && world.is_talking("isp"));
    if world.is_perfect() {
        assert_eq!(world.texts("client", &["INVITE sip:"]).len() + world.texts("client", &["UPDATE sip:"]).len(), 0);
        let asked = world.texts("isp", &["INVITE sip:"]);
        assert!(asked.len() == 1 && !asked[0].contains("Session-Expires"), "{asked:?}");
        assert_eq!(world.texts("isp", &["UPDATE sip:"]).len(), 13, "every 45 s");
        world.assert_connected("client", "isp", true);
    }
    world.phone("isp").hangs_up();
    world.until_over();
}

fn fax_is_refused_to_a_modem_whatever_is_set(world: &mut Testbed) {
    for name in BOTH {
        world.phone(name).habit(|habits| habits.secondary_media = vec![MediaKind::Image]);
    }
    world.connect();
    for (who, other) in [("isp", "client"), ("client", "isp")] {
        let before = world.texts(other, &["INVITE sip:"]).len();
        world.phone(who).reoffers(Change::T38);
        world.until(|w| w.saw(who, &PhoneEvent::RenegotiationRefused(488)));
        assert_eq!(world.texts(other, &["INVITE sip:"]).len(), before, "it is not even asked");
        world.assert_agreed("client", "isp", true);
    }
    assert!(world.has_line("is line=modem: its call stays sound, and no T.38 fax"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn after_the_first_exchange_for_direct_media_there_is_no_other(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", false);
    let sent = |world: &Testbed| BOTH.map(|name| world.texts(name, &["INVITE sip:"]).len());
    let before = sent(world);
    world.run(LONG);
    assert_eq!(sent(world), before);
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!(sent(world), before, "not at its end, either");
}
