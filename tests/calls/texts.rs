//! Text messages (MESSAGE, RFC 3428): from line to line, through the dialplan, kept for a line that is not there, and within
//! calls.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed, at};
use std::time::Duration;
use strowger::sim::PhoneEvent;

stories! {
    a_text_goes_from_line_to_line(SIP, GUIDE);
    a_text_waits_for_a_line_that_is_not_there(SIP, GUIDE);
    a_text_that_is_not_answered_is_kept_and_comes_again(SIP, GUIDE);
    texts_that_waited_come_once_beside_those_that_come_now(SIP, GUIDE);
    a_text_for_nobody_is_refused(SIP, GUIDE);
    a_number_with_a_hint_is_a_line(SIP, HINT);
    the_dialplan_decides(messages_in_dialplan(), PLAN);
    a_text_within_a_call_is_passed_on(SIP, GUIDE);
    the_dialplan_answers_a_call_with_a_text(SIP, SEND_TEXT);
}

const HINT: &str = "[default]\nexten => 700,hint,SIP/isp\nexten => _X.,1,Dial(SIP/isp)\n";
const PLAN: &str = "[default]\nexten => _X.,1,Dial(SIP/isp)\n\
    [texts]\nexten => 911,1,MessageSend(sip:isp,${MESSAGE(from)})\n same => n,Set(DB(sent/status)=${MESSAGE_SEND_STATUS})\n\
    \x20same => n,Set(MESSAGE(body)=You said: ${MESSAGE(body)})\n\
    \x20same => n,MessageSend(${MESSAGE(from)},sip:service)\n\
    exten => 912,1,MessageSend(sip:nobody)\n same => n,Set(DB(sent/status)=${MESSAGE_SEND_STATUS})\n\
    \x20same => n,MessageSend(xmpp:isp)\n same => n,Set(DB(sent/other)=${MESSAGE_SEND_STATUS})\n";
const SEND_TEXT: &str = "[default]\nexten => _X.,1,Answer()\n same => n,SendText(Welcome)\n\
    \x20same => n,Set(DB(sent/status)=${SENDTEXTSTATUS})\n same => n,Wait(30)\n";

fn messages_in_dialplan() -> String {
    SIP.replacen("[general]", "[general]\noutofcall_message_context=texts", 1)
}

/// The bodies of the MESSAGE requests a phone got, each once.
fn read(world: &Testbed, name: &str) -> Vec<String> {
    let mut seen: Vec<(String, String)> = Vec::new();
    for text in world.texts(name, &["MESSAGE sip:"]) {
        let call = text.lines().find(|line| line.starts_with("Call-ID: ")).unwrap_or_default().to_owned();
        let cseq = text.lines().find(|line| line.starts_with("CSeq: ")).unwrap_or_default();
        let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
        let key = format!("{call} {cseq}");
        if !seen.iter().any(|(known, _)| *known == key) {
            seen.push((key, body));
        }
    }
    seen.into_iter().map(|(_, body)| body).collect()
}

fn stored(world: &Testbed, family: &str) -> usize {
    let below = format!("/{family}/");
    world.switch.database().all().iter().filter(|(name, _)| name.starts_with(&below)).count()
}

fn value(world: &Testbed, name: &str) -> Option<String> {
    world.switch.database().get(name)
}

fn a_text_goes_from_line_to_line(world: &mut Testbed) {
    world.register_all();
    world.phone("client").texts("isp", "Hello, wörld");
    world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(202)) && !read(w, "isp").is_empty());
    assert_eq!(read(world, "isp"), ["Hello, wörld"]);
    let text = &world.texts("isp", &["MESSAGE sip:"])[0];
    assert!(text.contains("From: <sip:client@") && text.contains("Content-Type: text/plain\r\n"), "{text}");
    assert!(text.contains("\r\nDate: ") && text.contains("Max-Forwards: 69\r\n"), "{text}");
    world.run(Duration::from_secs(40));
    assert!(world.has_line("Text message from 'client' delivered to 'isp'"));
    assert_eq!(stored(world, "TextMessages"), 0);
    world.until_over();
}

fn a_text_waits_for_a_line_that_is_not_there(world: &mut Testbed) {
    world.register_all();
    world.phone("isp").unregisters();
    world.until(|w| w.saw("isp", &PhoneEvent::Unregistered));
    for text in ["one", "two", "three"] {
        let before = world.count("client", &PhoneEvent::TextAnswered(202));
        world.phone("client").texts("isp", text);
        world.until(|w| w.count("client", &PhoneEvent::TextAnswered(202)) > before);
    }
    assert_eq!(stored(world, "TextMessages"), 3);
    assert!(world.has_line("waits until 'isp' registers"));
    world.run(Duration::from_secs(60));
    world.phone("isp").registers();
    world.until(|w| read(w, "isp").len() == 3);
    assert_eq!(read(world, "isp"), ["one", "two", "three"]);
    world.run(Duration::from_secs(40));
    assert_eq!(stored(world, "TextMessages"), 0);
    world.until_over();
}

fn a_text_that_is_not_answered_is_kept_and_comes_again(world: &mut Testbed) {
    world.register_all();
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.phone("client").texts("isp", "are you there?");
    world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(202)));
    world.run(Duration::from_secs(40));
    assert_eq!(stored(world, "TextMessages"), 1);
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.phone("isp").registers();
    world.until(|w| w.has_line("Text message from 'client' delivered to 'isp'"));
    world.run(Duration::from_secs(40));
    assert!(read(world, "isp").iter().all(|text| text == "are you there?"));
    assert_eq!(stored(world, "TextMessages"), 0);
    world.until_over();
}

fn texts_that_waited_come_once_beside_those_that_come_now(world: &mut Testbed) {
    world.register_all();
    world.phone("isp").unregisters();
    world.until(|w| w.saw("isp", &PhoneEvent::Unregistered));
    assert_eq!(flood(world, "client", "isp", 5), [5, 0]);
    world.phone("isp").registers();
    world.until(|w| stored(w, "TextMessages") < 5);
    assert_eq!(flood(world, "desk", "isp", 5), [5, 0]);
    world.run(Duration::from_secs(60));
    let mut texts = read(world, "isp");
    let waited: Vec<&String> = texts.iter().filter(|text| text.starts_with("client")).collect();
    assert_eq!(waited, ["client 0", "client 1", "client 2", "client 3", "client 4"], "each once, in order");
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 10);
    world.until_over();
}

fn a_text_for_nobody_is_refused(world: &mut Testbed) {
    world.register_all();
    world.phone("client").texts("nobody", "Hello");
    world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(404)));
    let (_, line) = world.line("Text message from 'client' to 'nobody' refused (404)");
    assert!(line.contains("outofcall_message_context="), "{line}");
    world.until_over();
}

fn a_number_with_a_hint_is_a_line(world: &mut Testbed) {
    world.register_all();
    world.phone("client").texts("700", "Hello");
    world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(202)) && read(w, "isp") == ["Hello"]);
    world.run(Duration::from_secs(40));
    world.until_over();
}

fn the_dialplan_decides(world: &mut Testbed) {
    world.register_all();
    world.phone("client").texts("911", "help");
    world.until(|w| read(w, "isp") == ["help"] && read(w, "client") == ["You said: help"]);
    assert_eq!(value(world, "/sent/status").as_deref(), Some("SUCCESS"));
    world.run(Duration::from_secs(40));
    world.phone("client").texts("912", "nobody");
    world.until(|w| value(w, "/sent/other").is_some());
    assert_eq!(value(world, "/sent/status").as_deref(), Some("INVALID_URI"));
    assert_eq!(value(world, "/sent/other").as_deref(), Some("INVALID_PROTOCOL"));
    world.run(Duration::from_secs(40));
    world.phone("client").texts("913", "no such extension");
    world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(404)));
    world.run(Duration::from_secs(40));
    world.until_over();
}

fn a_text_within_a_call_is_passed_on(world: &mut Testbed) {
    world.connect();
    world.phone("client").texts_in_call("typed while talking");
    world.until(|w| read(w, "isp") == ["typed while talking"]);
    world.phone("isp").texts_in_call("and back");
    world.until(|w| read(w, "client") == ["and back"]);
    world.run(Duration::from_secs(5));
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_dialplan_answers_a_call_with_a_text(world: &mut Testbed) {
    world.register_all();
    world.phone("client").dials("100");
    world.until(|w| read(w, "client") == ["Welcome"]);
    world.until(|w| value(w, "/sent/status").as_deref() == Some("SUCCESS"));
    world.phone("client").hangs_up();
    world.until_over();
}

/// A text is sent on with its own Content-Type: one that a header of ours could not have is refused.
#[test]
fn a_kind_of_text_that_no_header_could_say_is_refused() {
    for (kind, status) in [("text/plain;charset=utf-8", 202), ("text/plain;x=\"\u{1b}[2J\"", 415), ("image/png", 415)] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.rewrite_head("client", "Content-Type: text/plain", &format!("Content-Type: {kind}"));
        world.phone("client").texts("isp", "Hello");
        world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(status)));
        world.run(Duration::from_secs(40));
        assert_eq!(read(&world, "isp").len(), usize::from(status == 202), "{kind}");
        world.until_over();
    }
}

/// Seven days, also for a line that never comes back: else it would take the room for ever.
#[test]
fn what_waits_for_a_line_that_never_comes_is_thrown_away() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("isp").unregisters();
    world.until(|w| w.saw("isp", &PhoneEvent::Unregistered));
    let today = at(world.now).wall.0;
    let eight_days_ago = today - 8 * 86_400_000;
    for (line, sent) in [("gone", eight_days_ago), ("isp", eight_days_ago), ("cisco", today)] {
        let text = format!("{sent}\n70 client\n\n\nclient\ntext/plain\nHello");
        world.switch.database().put(&format!("/TextMessages/{line}/{sent:015}-000001"), &text).unwrap();
    }
    assert_eq!(flood(&mut world, "client", "isp", 1), [1, 0]);
    assert_eq!(stored(&world, "TextMessages"), 2, "this one, and that of today");
    world.until_over();
}

/// Sends so many texts, one after another, and gives how often each status was the answer.
fn flood(world: &mut Testbed, from: &str, to: &str, count: usize) -> [usize; 2] {
    let answers = |w: &Testbed| [202, 480].map(|status| w.count(from, &PhoneEvent::TextAnswered(status)));
    let before = answers(world);
    for number in 0..count {
        let so_far: usize = answers(world).iter().sum();
        world.phone(from).texts(to, &format!("{from} {number}"));
        world.until(|w| answers(w).iter().sum::<usize>() > so_far);
    }
    let after = answers(world);
    [after[0] - before[0], after[1] - before[1]]
}

#[test]
fn whoever_sends_without_end_takes_nobody_elses_room_with_a_line_that_does_not_answer() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    // Twenty are on their way, and as many wait.
    assert_eq!(flood(&mut world, "client", "isp", 45), [40, 5]);
    assert!(world.has_line("are on their way already; and 20 messages of 'client' for 'isp' wait already"));
    assert_eq!(flood(&mut world, "desk", "isp", 1), [1, 0]);
    world.run(Duration::from_secs(40));
    let from_desk = |w: &Testbed| w.switch.database().all().iter().any(|(_, value)| value.ends_with("\ndesk 0"));
    assert!(from_desk(&world), "it waits until the line answers");
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.phone("isp").registers();
    world.until(|w| read(w, "isp").iter().any(|text| text == "desk 0") && stored(w, "TextMessages") == 0);
    world.until_over();
}

#[test]
fn a_line_that_is_away_keeps_room_for_others_than_the_one_who_writes_most() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("isp").unregisters();
    world.until(|w| w.saw("isp", &PhoneEvent::Unregistered));
    assert_eq!(flood(&mut world, "client", "isp", 25), [20, 5]);
    assert_eq!(flood(&mut world, "desk", "isp", 5), [5, 0]);
    // What a program sends for a line counts as that line's.
    assert_eq!(stored(&world, "TextMessages"), 25);
    world.until_over();
}

/// Who sends in the name of a line without a secret may be anybody: all of them have one share of the room.
#[test]
fn whoever_forges_the_addresses_of_lines_without_a_secret_leaves_room_for_others() {
    let open = |name: &str| format!("[{name}]\ntype=friend\nhost=dynamic\ncontext=default\n");
    let sip = format!(
        "{SIP}{}{}{}[other]\ntype=friend\nhost=dynamic\nsecret=password\n",
        open("open1"),
        open("open2"),
        open("open3")
    );
    let mut world = Testbed::ready(&sip, GUIDE);
    let forged = |number: u32| {
        format!(
            "MESSAGE sip:other@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKf{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:open{}@192.0.2.1>;tag={number}\r\nTo: <sip:other@192.0.2.1>\r\nCall-ID: f{number}\r\n\
             CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx",
            number % 3 + 1
        )
    };
    for number in 0..60 {
        world.inject_from("203.0.113.66:5060", &forged(number));
        world.run(Duration::from_secs(2));
    }
    assert_eq!(stored(&world, "TextMessages"), 20);
    assert!(world.has_line("20 messages of 'lines without a secret' for 'other' wait already"));
    assert_eq!(flood(&mut world, "client", "other", 1), [1, 0], "one that proves itself has room");
}

/// It was unreachable when it registered last: nothing could be sent. It comes when the line answers again.
#[test]
fn a_text_that_waits_comes_when_the_line_answers_again() {
    let sip = SIP.replace("[isp]\n", "[isp]\nqualify=yes\nqualifyfreq=30\n");
    assert_ne!(sip, SIP);
    let mut world = Testbed::ready(&sip, GUIDE);
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.until(|w| w.has_line("Peer 'isp' is now UNREACHABLE!"));
    world.phone("client").texts("isp", "are you there?");
    world.until(|w| w.saw("client", &PhoneEvent::TextAnswered(202)));
    world.phone("isp").registers();
    world.run(Duration::from_secs(60));
    assert_eq!(read(&world, "isp"), Vec::<String>::new());
    assert_eq!(stored(&world, "TextMessages"), 1);
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.until(|w| w.has_line("Peer 'isp' is now Reachable"));
    world.until(|w| !read(w, "isp").is_empty());
    world.run(Duration::from_secs(40));
    assert_eq!(read(&world, "isp"), ["are you there?"]);
    assert_eq!(stored(&world, "TextMessages"), 0);
}
