//! Options of sip.conf, each seen on the wire: what is in the table as in effect must be obeyed.

use crate::world::{SIP, World};

/// The accounts of every story, with lines added to `[general]` and to the line that is called.
fn conf(general: &str, isp: &str) -> String {
    let text = SIP.replace("[client]", &format!("{general}\n[client]"));
    text.replace("[isp]\ntype=friend", &format!("[isp]\ntype=friend\n{isp}"))
}

#[test]
fn sdpsession_and_sdpowner_are_what_our_own_descriptions_say() {
    let mut world =
        World::ready(&conf("sdpsession=The club\nsdpowner=desk", ""), "[default]\nexten => _X!,1,Answer()\n");
    world.phone("client").dials("1");
    world.until_over();
    let answer = &world.texts("client", &["200 OK", "INVITE"])[0];
    assert!(answer.contains("\ns=The club\r\n") && answer.contains("\no=desk "), "{answer}");
    world.assert_nothing_left();
}
