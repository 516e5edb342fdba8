//! What several stories about calls that change hands do, and look at.

use crate::testbed::Testbed;
use std::time::Duration;
use strowger::sim::{DeviceProfile, PhoneEvent};
use strowger::sip::method::Method;

/// One dials a number, the other answers, and both know it.
pub fn talk(world: &mut Testbed, caller: &str, number: &str, callee: &str) {
    world.phone(caller).dials(number);
    world.until(|w| w.is_called(callee));
    world.phone(callee).answers();
    world.until(|w| w.is_talking(caller) && w.is_talking(callee));
    world.run(Duration::from_secs(1));
}

/// Both talk, and hear each other over the relay.
pub fn together(world: &mut Testbed, a: &str, b: &str) {
    world.until(|w| w.is_talking(a) && w.is_talking(b));
    world.run(Duration::from_secs(2));
    world.assert_agreed(a, b, true);
}

/// One hangs up, and nobody has a call any more.
pub fn over(world: &mut Testbed, by: &str) {
    world.phone(by).hangs_up();
    world.until_over();
}

/// Another call of a line that has one: the account's second telephone stands for the second line key.
pub fn second(world: &mut Testbed) {
    let at = ("192.0.2.31:5060", "192.0.2.31:5004");
    world.add_with_account("desk2", "desk", "password", at, DeviceProfile::Grandstream);
}

/// A telephone asks by REFER that whom it talks to calls there.
pub fn refer(world: &mut Testbed, name: &str, to: &str) {
    let contact = format!("<sip:{name}@192.0.2.30:5060>");
    let by = format!("<sip:{name}@192.0.2.1>");
    world.phone(name).requests(Method::Refer, &[("Refer-To", to), ("Referred-By", &by), ("Contact", &contact)]);
}

/// What a telephone was told of its transfer, in order and each once.
pub fn told(world: &Testbed, name: &str) -> Vec<u16> {
    let mut found: Vec<(u32, u16)> = Vec::new();
    for text in world.texts(name, &["NOTIFY "]) {
        let number =
            text.lines().find_map(|line| line.strip_prefix("CSeq: ")?.split(' ').next()?.parse().ok()).unwrap();
        let status = text.lines().find_map(|line| line.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()).unwrap();
        assert!(text.contains("Event: refer;id=") && text.contains("Content-Type: message/sipfrag"), "{text}");
        assert_eq!(text.contains("Subscription-State: terminated"), status >= 200, "{text}");
        if !found.contains(&(number, status)) {
            found.push((number, status));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, status)| status).collect()
}

/// Was a telephone's REFER answered with this status?
pub fn is_answered(world: &Testbed, name: &str, status: &str) -> bool {
    !world.messages("exchange", name, &[status, "REFER"]).is_empty()
}

/// The Call-ID and the two tags of a message, that of From first.
fn names_of(text: &str) -> (String, String, String) {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let tag = |name: &str| field(name).split(";tag=").nth(1).unwrap().to_owned();
    (field("Call-ID:"), tag("From:"), tag("To:"))
}

/// What Replaces says of the call that a telephone began, as it is escaped in a URI.
pub fn replaces(world: &Testbed, name: &str) -> String {
    let is_tagged = |text: &String| ["SIP/2.0 18", "SIP/2.0 200"].iter().any(|start| text.starts_with(start));
    let text = world.texts(name, &["SIP/2.0 ", "INVITE"]).into_iter().rfind(is_tagged).unwrap();
    let (call_id, from, to) = names_of(&text);
    format!("{}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}", call_id.replace('@', "%40"))
}

/// What Replaces says of the call that the exchange began with a telephone, which it answered with that status.
pub fn called(world: &Testbed, name: &str, status: &str) -> String {
    let text = world.sent_by(name, &[status, "INVITE"]).pop().unwrap();
    let (call_id, from, to) = names_of(&text);
    format!("{call_id};to-tag={from};from-tag={to}")
}

/// The REFER of a telephone that names its second call, which the account's other telephone has.
pub fn connect(world: &mut Testbed) {
    let to = format!("<sip:2@192.0.2.1?Replaces={}>", replaces(world, "desk2"));
    refer(world, "desk", &to);
}

/// Presses digits as telephone events; the exchange hears each.
pub fn presses(world: &mut Testbed, who: &str, digits: &str) {
    for digit in digits.chars() {
        assert!(world.phone(who).sends_event(digit), "nobody hears {digit} of {who}");
        world.run(Duration::from_millis(150));
    }
}

/// What a telephone was sent of digits.
pub fn got(world: &Testbed, who: &str) -> String {
    let at = world.look(who).rtp();
    world.media.pressed.iter().filter(|(to, ..)| *to == at).map(|(_, digit, ..)| *digit).collect()
}

/// Was this sound ordered?
pub fn prompted(world: &Testbed, name: &str) -> bool {
    world.prompts.iter().any(|(_, names)| names == name)
}

/// The other telephone of a hold has settled: told of it, or the network lost an ACK (491) and it was given up.
pub fn is_hold_settled(world: &Testbed, holder: &str, held: &str) -> bool {
    let is_refused = |event: &PhoneEvent| matches!(event, PhoneEvent::RenegotiationRefused(_));
    world.saw(held, &PhoneEvent::OnHold) || world.stations[holder].events.iter().any(|(_, event)| is_refused(event))
}
