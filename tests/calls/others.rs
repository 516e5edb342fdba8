//! Calls that end or know other calls: `SoftHangup`, locks, `ImportVar`; and what a program sees of the exchange.

use crate::testbed::{SIP, Testbed};
use std::time::Duration;

/// What a text is to a program of `client`.
fn seen(sip: &str, text: &str) -> String {
    let plan = format!("[default]\nexten => 1,1,Answer()\n same => n,Log(NOTICE,seen={text}=)\n same => n,Wait(1)\n");
    let mut world = Testbed::ready(sip, &plan);
    world.phone("client").dials("1");
    world.until_over();
    let is_it = |line: &&strowger::event::LogLine| line.text.contains("seen=") && !line.text.contains("Executing");
    let line = world.said.iter().find(is_it).unwrap().text.clone();
    line.split("seen=").nth(1).unwrap().trim_end_matches('=').to_owned()
}

#[test]
fn the_environment_the_domains_and_properties_of_channels_and_peers() {
    assert_eq!(seen(SIP, "${ENV(HOME)}${ENV(NONE)}"), "/home/ada");
    let sip = SIP.replacen("[general]\n", "[general]\ndomain=example.com\nautodomain=yes\n", 1);
    assert_eq!(seen(&sip, "${CHECKSIPDOMAIN(Example.com)}.${CHECKSIPDOMAIN(other.org)}."), "Example.com..");
    assert_eq!(
        seen(SIP, "${CHANNEL(audioreadformat)}.${CHANNEL(secure_signaling)}.${CHANNEL(secure_media)}."),
        "ulaw..."
    );
    assert_eq!(seen(SIP, "${CHANNEL(rtpdest)}"), "192.0.2.20:16420");
    assert_eq!(
        seen(SIP, "${SIPPEER(isp,maxforwards)} ${SIPPEER(isp,codec[0])} ${SIPPEER(isp,codec[9])}."),
        "70 ulaw ."
    );
}

#[test]
fn a_program_hangs_up_the_calls_of_another_line() {
    let plan = "[default]\nexten => 1,1,Answer()\n same => n,Wait(100)\n\
                exten => 2,1,SoftHangup(SIP/client)\n same => n,Wait(1)\n same => n,SoftHangup(SIP/client,a)\n same => n,Wait(5)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("1");
    world.run(Duration::from_secs(2));
    assert!(world.is_talking("client"));
    world.phone("isp").dials("2");
    world.run(Duration::from_millis(500));
    assert!(!world.is_talking("client"), "the other call is over");
    world.until_over();
}
