//! The file of sins, on the virtual clock: what users of Asterisk's chan_sip complained about, each with the story of what
//! happens here instead. The others, for which the real program is needed, are in `tests/sins.rs`; the page
//! `docs/explain/old-complaints.md` lists both.

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::net::SocketAddr;
use std::time::Duration;
use strowger::clock::Wall;
use strowger::event::Level;
use strowger::pbx::media::{StreamCounts, StreamReport, WhileBridged};
use strowger::pbx::switch::PeerStatus;
use strowger::sim::{DeviceProfile, PhoneEvent};

const SECOND: Duration = Duration::from_secs(1);

fn with(line: &str, options: &str) -> String {
    SIP.replace(&format!("[{line}]\n"), &format!("[{line}]\n{options}\n"))
}

fn over(world: &mut Testbed) {
    for name in ["client", "isp"] {
        if world.stations.get(name).is_some_and(|station| station.phone.has_call()) {
            world.phone(name).hangs_up();
        }
    }
    world.until_over();
    world.run(SECOND);
    world.assert_nothing_left();
}

/// "The call fails at once though the telephone is registered": a round trip above `qualify=200` made it LAGGED, and
/// chan_sip called no such line and did not say so. Here it is called, and the line of the log has both times.
#[test]
fn a_call_fails_at_once_though_the_telephone_is_registered() {
    let slow = Quality { delay: (175, 175), ..Quality::PERFECT };
    let mut world = Testbed::new(&with("isp", "qualify=200"), GUIDE, slow, 1);
    world.register_all();
    world.run(SECOND);
    assert_eq!(world.status("isp"), PeerStatus::Lagged(350));
    world.connect();
    let (level, line) = world.line("LAGGED");
    assert_eq!(level, Level::Warning);
    assert_eq!(line, "'isp' is LAGGED (350 ms of 200 ms allowed by qualify=); called all the same");
    over(&mut world);
    // One that answers nothing is not called, and the call itself says why and since when.
    world.unplug("isp");
    world.run(Duration::from_secs(120));
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    let (_, line) = world.line("Call from 'client' to '1' failed: ");
    assert!(
        line.contains("'isp' has been UNREACHABLE for ") && line.ends_with("it answers no OPTIONS (qualify=)"),
        "{line}"
    );
    over(&mut world);
}

/// "UNREACHABLE, Reachable, UNREACHABLE": chan_sip gave a telephone up after twice the limit, which with `qualify=200` is
/// before it asks a second time; one lost packet did it. Here a round asks three times.
#[test]
fn one_lost_packet_makes_a_line_unreachable() {
    let mut world = Testbed::ready(&with("isp", "qualify=200"), GUIDE);
    world.run(SECOND);
    assert_eq!(world.status("isp"), PeerStatus::Ok(20));
    let asked = |world: &Testbed| world.texts("isp", &["OPTIONS"]).len();
    // The answers to the first two questions of each of five rounds are lost.
    for _ in 0..5 {
        let before = asked(&world);
        world.loses("isp", "SIP/2.0 200");
        world.until(|w| asked(w) == before + 2);
        world.run(Duration::from_millis(50));
        world.loses_nothing();
        world.until(|w| asked(w) == before + 3);
        world.run(SECOND);
        assert_eq!(world.status("isp"), PeerStatus::Ok(20));
    }
    assert!(!world.has_line("UNREACHABLE") && !world.has_line("Lagged"), "{:?}", world.lines);
    // Three in a row are no accident.
    world.loses("isp", "SIP/2.0 200");
    world.until(|w| w.status("isp") == PeerStatus::Unreachable);
    world.loses_nothing();
    world.assert_nothing_left();
}

/// "I hear nothing, and Asterisk shows nothing": here what each line sent and got is said at the hang-up, and in mid-call
/// which address is wrong and what to write.
#[test]
fn sound_goes_one_way_and_nobody_says_why() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let wants: SocketAddr = "10.0.22.20:16420".parse().unwrap();
    world.rewrite("client", "c=IN IP4 192.0.2.20", "c=IN IP4 10.0.22.20");
    let counts = StreamCounts { received: 397, sent: 390, strangers: 3, ..StreamCounts::default() };
    let source = Some("192.0.2.20:16420".parse().unwrap());
    world.media.reports.insert(wants, StreamReport { counts, source, ..StreamReport::default() });
    world.connect();
    world.run(Duration::from_secs(7));
    let (level, line) = world.line("no sound reaches 'client'");
    assert_eq!(level, Level::Warning);
    let words = [
        "it wants it at 10.0.22.20:16420",
        "speaks to us from 192.0.2.20",
        "write nat=force_rport,comedia into [client]",
    ];
    assert!(words.iter().all(|words| line.contains(words)), "{line}");
    world.phone("client").hangs_up();
    world.until_over();
    world.run(SECOND);
    for line in ["SIP/client-00000000: ", "SIP/isp-00000001: "] {
        let told = |(_, text): &&(_, String)| text.starts_with(line) && text.contains(" packets received, ");
        assert_eq!(world.lines.iter().filter(told).count(), 1, "{:?}", world.lines);
    }
    world.assert_nothing_left();
}

/// "The call drops after 32 seconds": nothing in Asterisk's log but a timeout. Here it says what did not come, where the
/// answer went, the telephone's Contact and ours.
#[test]
fn the_call_drops_after_32_seconds() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").habit(|habits| habits.never_acks = true);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    world.until_over();
    let (level, line) = world.line("no ACK");
    assert_eq!(level, Level::Warning);
    assert_eq!(
        line,
        "Call from 'client' to '1' ended: no ACK from 'client' in 32 s: our 200 OK was sent to 192.0.2.20:5060, the \
         Contact of the telephone is sip:client@192.0.2.20:5060, and its ACK should come to <sip:1@192.0.2.1:5060> (NAT, a \
         wrong Contact, a firewall?)"
    );
    world.run(SECOND);
    world.assert_nothing_left();
}

/// "After a restart of the server no telephone can be called for an hour": here registrations are stored, whatever the
/// machine's clock says afterwards.
#[test]
fn after_a_reboot_of_the_server_nobody_is_registered() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let registered = world.sent_by("isp", &["REGISTER"]).len();
    world.restart(SIP, GUIDE, None, Wall(0));
    world.connect();
    assert_eq!(world.sent_by("isp", &["REGISTER"]).len(), registered, "it was called without registering again");
    over(&mut world);
}

/// "CHANUNAVAIL, for five different reasons": the dialplan is told each in words, `${DIALREASON}`, and so is the log.
#[test]
fn chanunavail_says_nothing() {
    let plan = "[default]\nexten => 1,1,Dial(SIP/nobody)\nexten => 2,1,Dial(SIP/isp)\nexten => 3,1,Dial(SIP/desk)\n\
        exten => 4,1,Dial(SIP/cisco)\nexten => 5,1,Dial(IAX2/isp)\nexten => 6,1,Dial(SIP/lost)\n\
        exten => h,1,Verbose(1,told ${DIALSTATUS}: ${DIALREASON})\n";
    let sip = with("cisco", "qualify=200") + "[lost]\ntype=friend\nhost=lost.example\n";
    let mut world = Testbed::new(&sip, plan, Quality::PERFECT, 1);
    for name in ["client", "desk", "cisco"] {
        world.phone(name).registers();
    }
    world.run(SECOND);
    world.unplug("cisco");
    world.run(Duration::from_secs(90));
    world.phone("desk").habit(|habits| habits.refuse = Some(603));
    let mut reasons = Vec::new();
    for number in ["1", "2", "3", "4", "5", "6"] {
        world.said.clear();
        world.phone("client").dials(number);
        world.until(|w| !w.look("client").has_call());
        world.run(SECOND);
        let reason = world.said.iter().find_map(|line| line.text.strip_prefix("told CHANUNAVAIL: ")).map(str::to_owned);
        let reason = reason.unwrap_or_else(|| panic!("{number}: {:?}", world.said));
        assert!(world.has_line(&reason), "the log says it, too: {reason}");
        reasons.push(reason);
    }
    let words = [
        "no peer 'nobody'",
        "is not registered",
        "declined the call",
        "UNREACHABLE",
        "no 'IAX2' here",
        "does not resolve",
    ];
    for (reason, words) in reasons.iter().zip(words) {
        assert!(reason.contains(words), "{reasons:#?}");
    }
    world.assert_nothing_left();
}

/// "A re-INVITE right after the answer breaks my adapter": `directmedia=yes` was the default. Here media is relayed, and a
/// telephone is offered nothing new in mid-call, unless both sections ask for it.
#[test]
fn a_reinvite_breaks_the_adapter() {
    let offers =
        |world: &Testbed| world.texts("client", &["INVITE sip:"]).len() + world.texts("isp", &["INVITE sip:"]).len();
    let unsaid = SIP.replace("directmedia=no\n", "");
    let one = with("isp", "directmedia=yes").replace("directmedia=no\n", "");
    let both = SIP.replace("directmedia=no", "directmedia=yes");
    for (sip, is_relayed) in [(unsaid, true), (one, true), (both, false)] {
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        world.assert_agreed("client", "isp", is_relayed);
        world.run(Duration::from_secs(60));
        assert_eq!(offers(&world) == 1, is_relayed, "the call itself, and no more");
        over(&mut world);
    }
}

/// "Digits come twice, or not at all": two lines that are alike are left alone, so that nothing is made into tones beside
/// the events; and where telephones and `dtmfmode=` do not fit, the log says so with the cure.
#[test]
fn digits_are_doubled_or_lost() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.run(SECOND);
    assert!(world.media.streams.values().all(|stream| stream.listening.bridged == WhileBridged::Pass));
    assert!(world.media.pressed.is_empty());
    assert!(!world.has_line("keys of"), "{:?}", world.lines);
    over(&mut world);

    // A menu waits for keys of a telephone that describes no telephone events: said once.
    let menu = "[default]\nexten => _X!,1,Answer()\n same => n,WaitExten(2)\n same => n,WaitExten(2)\n";
    let mut world = Testbed::ready(SIP, menu);
    world.rewrite("client", " 101\r\n", " 125\r\n");
    world.phone("client").dials("1");
    world.until_over();
    let (level, line) = world.line("keys of 'client' are heard only");
    assert_eq!(level, Level::Notice);
    let words =
        ["offers no telephone events, which dtmfmode=rfc2833 expects", "write dtmfmode=auto into [client] (sip.conf:"];
    assert!(words.iter().all(|words| line.contains(words)), "{line}");
    world.assert_nothing_left();
    // Nobody listens to a modem, and with the cure nothing is wrong.
    for options in ["line=modem", "dtmfmode=auto", "dtmfmode=info"] {
        let mut world = Testbed::ready(&with("client", options), menu);
        world.rewrite("client", " 101\r\n", " 125\r\n");
        world.phone("client").dials("1");
        world.until_over();
        assert!(!world.has_line("keys of"), "{options}: {:?}", world.lines);
        world.assert_nothing_left();
    }

    // After a prompt the caller has events; the line that it calls then has none.
    let plan = "[default]\nexten => _X!,1,Answer()\n same => n,Playback(beep)\n same => n,Dial(SIP/isp,20)\n";
    for (options, is_said) in [("", true), ("dtmfmode=auto", false), ("line=modem", false)] {
        let mut world = Testbed::ready(&with("isp", options), plan);
        world.rewrite("isp", " 101\r\n", " 125\r\n");
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("isp"));
        world.run(SECOND);
        assert_eq!(world.has_line("keys of 'client' do not reach 'isp'"), is_said, "{options}");
        if is_said {
            let (_, line) = world.line("keys of 'client'");
            assert!(line.contains("write dtmfmode=auto into [isp] (sip.conf:"), "{line}");
        }
        over(&mut world);
    }
}

/// "Somebody in another country calls at my cost": `allowguest=yes` was the default, and `[default]` had the trunk. Here
/// nobody without a line gets anywhere unless it is asked for. (Limits of guesses: `tests/strangers.rs`; the audit at the
/// start: `tests/sins.rs`.)
#[test]
fn a_stranger_calls_at_my_cost() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.add("passer-by", "guess", "192.0.2.77:5060", "192.0.2.77:5004", DeviceProfile::Grandstream);
    for number in ["1", "0044123456789", "911"] {
        world.phone("passer-by").dials(number);
        world.until(|w| !w.look("passer-by").has_call());
        world.run(SECOND);
    }
    assert!(!world.is_called("isp"));
    assert!(world.texts("isp", &["INVITE"]).is_empty() && world.channels().is_empty());
    assert!(!world.saw("passer-by", &PhoneEvent::Answered), "{:?}", world.stations["passer-by"].events);
    world.assert_nothing_left();
}

/// "pjsip changes the Request-URI, and my Cisco does not ring": such telephones want the Contact that they registered, to
/// the letter, port and parameters too.
#[test]
fn a_cisco_rings_only_for_the_contact_it_registered() {
    let plan = "[default]\nexten => _X!,1,Dial(SIP/cisco,20)\n";
    let mut world = Testbed::new(SIP, plan, Quality::PERFECT, 1);
    world.rewrite_head(
        "cisco",
        "<sip:cisco@192.0.2.40:5060;user=phone;transport=udp>",
        "<sip:4f7a-0c@192.0.2.40:5060;transport=udp;x-line=2>",
    );
    world.register_all();
    world.phone("client").dials("1");
    world.until(|w| !w.texts("cisco", &["INVITE"]).is_empty());
    let invite = world.texts("cisco", &["INVITE"]).swap_remove(0);
    assert!(invite.starts_with("INVITE sip:4f7a-0c@192.0.2.40:5060;transport=udp;x-line=2 SIP/2.0\r\n"), "{invite}");
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(40));
}

/// "`fromuser`, `fromdomain`, `insecure` have no counterpart in PJSIP": a trunk's section is obeyed as it was written.
#[test]
fn the_options_of_a_trunk_have_no_counterpart() {
    let trunk = "[isp]\ntype=peer\nhost=192.0.2.20\nport=5061\ninsecure=port,invite\nfromuser=4930123\nfromdomain=sip.example\ncontext=from-outside\n";
    let sip = SIP.replace("[isp]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n", trunk);
    let plan =
        "[default]\nexten => _X!,1,Dial(SIP/${EXTEN}@isp,20)\n[from-outside]\nexten => 4930123,1,Dial(SIP/client,20)\n";
    let mut world = Testbed::new(&sip, plan, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    world.phone("client").dials("0301234");
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE"]).swap_remove(0);
    assert!(invite.starts_with("INVITE sip:0301234@192.0.2.20:5061 "), "{invite}");
    assert!(invite.contains("<sip:4930123@sip.example>;tag="), "{invite}");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    over(&mut world);
    // It calls without a password, by its address alone.
    let asked = world.texts("isp", &["SIP/2.0 401"]).len();
    world.phone("isp").dials("4930123");
    world.until(|w| w.is_called("client"));
    assert_eq!(world.texts("isp", &["SIP/2.0 401"]).len(), asked);
    world.phone("client").answers();
    world.until(|w| w.is_talking("isp"));
    over(&mut world);
}
