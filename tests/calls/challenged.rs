//! Requests of ours that are asked for a password (401, 407; RFC 3261 22): sent again with it, to whom it belongs and
//! nobody else.

use crate::network::Quality;
use crate::provider::{Provider, algorithm_of};
use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, DeviceProfile, PhoneEvent};
use strowger::sip::digest::Algorithm;
use strowger::sip::method::Method;

const ISP: &str = "192.0.2.20:5061";

/// The line `isp` asks for its own password, by all methods.
fn asks(world: &mut Testbed) {
    world.providers.insert(ISP.parse().unwrap(), vec![Provider::new("isp.example", "isp", "password")]);
}

fn provider(world: &Testbed) -> &Provider {
    &world.providers[&ISP.parse().unwrap()][0]
}

fn cseqs(texts: &[String]) -> Vec<String> {
    texts.iter().filter_map(|text| text.lines().find_map(|line| line.strip_prefix("CSeq: "))).map(Into::into).collect()
}

stories! {
    a_call_is_challenged_and_ended_by_the_caller(SIP, GUIDE);
    a_call_is_challenged_and_ended_by_the_callee(SIP, GUIDE);
    a_caller_gives_up_a_challenged_call(SIP, GUIDE);
    a_challenged_call_is_refused(SIP, GUIDE);
    a_challenged_call_is_held_and_goes_on(SIP, GUIDE);
    every_nonce_is_good_for_one_request_alone(SIP, GUIDE);
}

fn a_call_is_challenged_and_ended_by_the_caller(world: &mut Testbed) {
    asks(world);
    world.connect();
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    assert!(provider(world).taken["INVITE"] >= 1);
}

fn a_call_is_challenged_and_ended_by_the_callee(world: &mut Testbed) {
    asks(world);
    world.connect();
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_caller_gives_up_a_challenged_call(world: &mut Testbed) {
    asks(world);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("client").hangs_up();
    world.until_over();
    assert!(!world.is_talking("isp"));
}

fn a_challenged_call_is_refused(world: &mut Testbed) {
    asks(world);
    world.phone("isp").habit(|habits| habits.refuse = Some(486));
    world.phone("client").dials("88567682");
    world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(486))));
    world.until_over();
}

/// A hold by the caller is a re-INVITE of ours to the line, which asks for the password again or takes the next count.
fn a_challenged_call_is_held_and_goes_on(world: &mut Testbed) {
    asks(world);
    world.connect();
    world.assert_agreed("client", "isp", true);
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_secs(20));
    world.phone("client").reoffers(Change::Resume);
    world.run(Duration::from_secs(20));
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn every_nonce_is_good_for_one_request_alone(world: &mut Testbed) {
    asks(world);
    let provider = &mut world.providers.get_mut(&ISP.parse().unwrap()).unwrap()[0];
    (provider.uses, provider.says_stale) = (1, false);
    a_challenged_call_goes_its_way(world);
}

fn a_challenged_call_goes_its_way(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", true);
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_secs(20));
    world.phone("client").hangs_up();
    world.until_over();
}

/// The next number, a branch of its own, the same Call-ID and From; CANCEL and ACK follow the later one, and what comes
/// later in the call has the next count of the nonce.
#[test]
fn what_is_sent_again_is_the_same_request_with_the_next_number() {
    let mut world = Testbed::ready(SIP, GUIDE);
    asks(&mut world);
    world.connect();
    let invites = world.texts("isp", &["INVITE sip:"]);
    assert_eq!(cseqs(&invites), ["102 INVITE", "103 INVITE"]);
    let of = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    for name in ["Call-ID: ", "From: ", "To: ", "Contact: "] {
        assert_eq!(of(&invites[0], name), of(&invites[1], name), "{name}");
    }
    assert_ne!(of(&invites[0], "Via: "), of(&invites[1], "Via: "));
    assert!(!invites[0].contains("uthorization"));
    let acks = world.texts("isp", &["ACK "]);
    assert_eq!(cseqs(&acks), ["102 ACK", "103 ACK"]);
    // RFC 3261 13.2.2.4: the ACK of the 2xx has the credentials of its INVITE.
    assert_eq!(of(&acks[1], "Authorization: "), of(&invites[1], "Authorization: "));
    world.phone("client").hangs_up();
    world.until_over();
    let byes = world.texts("isp", &["BYE sip:"]);
    assert_eq!(cseqs(&byes), ["104 BYE"], "the nonce is known: no round trip for it");
    assert!(byes[0].contains("nc=00000002") && byes[0].contains("opaque=\"kept\""), "{}", byes[0]);
    world.assert_nothing_left();
}

/// Over a nonce that is good once, the BYE is asked for the password, too, and what it is answered then counts.
#[test]
fn a_bye_is_challenged_and_sent_again() {
    let mut world = Testbed::ready(SIP, GUIDE);
    asks(&mut world);
    world.providers.get_mut(&ISP.parse().unwrap()).unwrap()[0].uses = 1;
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!(cseqs(&world.texts("isp", &["BYE sip:"])), ["104 BYE", "105 BYE"]);
    assert!(world.saw("isp", &PhoneEvent::Ended));
    world.assert_nothing_left();
}

#[test]
fn the_strongest_algorithm_that_is_known_is_taken() {
    for (algorithms, qop, expected) in [
        (vec!["MD5"], None, Some(Algorithm::Md5)),
        (vec!["MD5"], Some("auth-int,auth"), Some(Algorithm::Md5)),
        (vec!["MD5", "SHA-256"], Some("auth"), Some(Algorithm::Sha256)),
        (vec!["SHA-512-256", "SHA-256", "MD5"], Some("auth"), Some(Algorithm::Sha256)),
        (vec!["SHA-256"], None, Some(Algorithm::Sha256)),
        (vec!["MD5-sess"], None, None),
        (vec!["MD5"], Some("auth-int"), None),
    ] {
        let mut world = Testbed::ready(SIP, GUIDE);
        asks(&mut world);
        let provider = &mut world.providers.get_mut(&ISP.parse().unwrap()).unwrap()[0];
        (provider.algorithms, provider.qop) = (algorithms.clone(), qop);
        world.phone("client").dials("88567682");
        world.run(Duration::from_secs(1));
        let sent = world.texts("isp", &["INVITE sip:"]);
        assert_eq!(sent.last().and_then(|text| algorithm_of(text)), expected, "{algorithms:?} {qop:?}");
        assert_eq!(world.has_line("nothing of what it asks for is known here"), expected.is_none());
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// RFC 7616 3.4.2: of a `-sess` algorithm the first client nonce counts for every answer to a nonce.
#[test]
fn an_algorithm_of_a_session_is_answered() {
    for algorithm in ["MD5-sess", "SHA-256-sess"] {
        let mut world = Testbed::ready(SIP, GUIDE);
        asks(&mut world);
        world.providers.get_mut(&ISP.parse().unwrap()).unwrap()[0].algorithms = vec![algorithm];
        world.connect();
        world.phone("client").hangs_up();
        world.until_over();
        let taken = &provider(&world).taken;
        assert_eq!((taken["INVITE"], taken["BYE"]), (1, 1), "{algorithm}");
        let bye = world.texts("isp", &["BYE sip:"]).pop().unwrap();
        assert!(bye.contains("nc=00000002") && bye.contains(&format!("algorithm={algorithm}")), "{bye}");
        world.assert_nothing_left();
    }
}

/// A proxy asks (407), and behind it the provider (401): both are answered in the second request.
#[test]
fn two_on_the_way_ask_one_after_the_other() {
    let mut world = Testbed::ready(SIP, GUIDE);
    asks(&mut world);
    let mut proxy = Provider::new("proxy.example", "isp", "password");
    proxy.is_proxy = true;
    world.providers.get_mut(&ISP.parse().unwrap()).unwrap().insert(0, proxy);
    world.connect();
    let invites = world.texts("isp", &["INVITE sip:"]);
    assert_eq!(cseqs(&invites), ["102 INVITE", "103 INVITE", "104 INVITE"]);
    assert!(invites[2].contains("\r\nProxy-Authorization: ") && invites[2].contains("\r\nAuthorization: "));
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!(world.texts("isp", &["BYE sip:"]).len(), 1);
    world.assert_nothing_left();
}

#[test]
fn a_wrong_password_is_given_once_and_said() {
    let sip = SIP.replace(
        "[isp]\ntype=friend\nhost=dynamic\nsecret=password",
        "[isp]\ntype=friend\nhost=dynamic\nsecret=password\nremotesecret=other",
    );
    let mut world = Testbed::ready(&sip, GUIDE);
    asks(&mut world);
    world.phone("client").dials("88567682");
    world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
    assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), 2);
    let (_, line) =
        world.line("Failed to authenticate on INVITE to 'isp' at 192.0.2.20:5061 (401, realm 'isp.example')");
    assert!(
        line.contains("it refuses the password of user 'isp'") && line.contains("remotesecret= in [isp], sip.conf:"),
        "{line}"
    );
    assert!(!line.contains("other"), "the password is not said");
    world.assert_nothing_left();
}

#[test]
fn who_always_asks_is_answered_twice_at_most() {
    for says_stale in [true, false] {
        let mut world = Testbed::ready(SIP, GUIDE);
        asks(&mut world);
        let provider = &mut world.providers.get_mut(&ISP.parse().unwrap()).unwrap()[0];
        (provider.uses, provider.says_stale) = (0, says_stale);
        world.phone("client").dials("88567682");
        world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
        let sent = if says_stale { 3 } else { 2 };
        assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), sent, "stale {says_stale}");
        let words = if says_stale { "answered twice already" } else { "it refuses the password" };
        assert!(world.has_line(words));
        world.assert_nothing_left();
    }
}

const TRUNK: &str =
    "[trunk]\ntype=peer\nhost=198.51.100.7\ndefaultuser=4711\nsecret=itspass word\ninsecure=port,invite\ncontext=in\n";
const OUT: &str = "[default]\nexten => _0X.,1,Dial(SIP/trunk/${EXTEN:1},20)\n[in]\nexten => _X.,1,Dial(SIP/client)\n";
const AT: &str = "198.51.100.7:5060";

/// A trunk with a fixed address and a phone behind it, beside the lines of the guide.
fn trunk(sip: &str, realm: &'static str, user: &'static str, password: &'static str) -> Testbed {
    let mut world = Testbed::ready(&format!("{SIP}{sip}"), OUT);
    world.add_with_account("far", "far", "x", (AT, "198.51.100.7:7000"), DeviceProfile::Grandstream);
    world.providers.insert(AT.parse().unwrap(), vec![Provider::new(realm, user, password)]);
    world
}

fn calls_out(world: &mut Testbed) -> bool {
    world.phone("client").dials("01234");
    world.until(|w| {
        w.is_called("far") || w.stations["client"].events.iter().any(|(_, e)| matches!(e, PhoneEvent::Failed(_)))
    });
    let is_called = world.is_called("far");
    if is_called {
        world.phone("client").hangs_up();
    }
    world.until_over();
    world.assert_nothing_left();
    is_called
}

/// Which user and password a trunk is given, by what its section and [general] say.
#[test]
fn a_trunk_is_given_what_its_section_says() {
    for (sip, user, password) in [
        (TRUNK.to_owned(), "4711", "itspass word"),
        (format!("{TRUNK}remotesecret=ours\n"), "4711", "ours"),
        (format!("{TRUNK}auth=me:mine@itsp\n"), "me", "mine"),
        (format!("{TRUNK}auth=me:mine@other\n"), "4711", "itspass word"),
        (format!("{TRUNK}[authentication]\nauth=all:theirs@itsp\n"), "all", "theirs"),
        (TRUNK.replace("defaultuser", "fromuser"), "4711", "itspass word"),
        (TRUNK.replace("defaultuser=4711\n", ""), "trunk", "itspass word"),
    ] {
        let mut world = trunk(&sip, "itsp", user, password);
        assert!(calls_out(&mut world), "{sip}");
    }
    let mut world = trunk(&TRUNK.replace("secret=itspass word\n", ""), "itsp", "4711", "itspass word");
    assert!(!calls_out(&mut world));
    let (_, line) = world.line("Failed to authenticate on INVITE to 'trunk'");
    assert!(line.contains("write 'remotesecret=' or 'secret=' in [trunk], sip.conf:"), "{line}");
}

/// What a challenge says is kept and sent again, so a provider that means ill may not make it as long as it likes.
#[test]
fn a_challenge_of_any_length_is_not_answered() {
    for (length, is_answered) in [(300, true), (3_000, false)] {
        let realm: &'static str = "r".repeat(length).leak();
        let mut world = trunk(TRUNK, realm, "4711", "itspass word");
        assert_eq!(calls_out(&mut world), is_answered, "{length}");
        assert_eq!(world.has_line("what it asks with is longer than 2048 bytes"), !is_answered);
    }
}

/// An answer that asks for a password from another address than the request went to is not answered, whoever knows
/// the branch.
#[test]
fn a_challenge_from_elsewhere_is_not_answered() {
    let mut world = trunk(TRUNK, "itsp", "4711", "itspass word");
    world.providers.clear();
    world.unplug("far");
    world.phone("client").dials("01234");
    world.run(Duration::from_millis(200));
    let invite = world.texts_at(AT, &["INVITE sip:"]).remove(0);
    let copied: Vec<&str> = invite
        .lines()
        .filter(|l| ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "].iter().any(|n| l.starts_with(n)))
        .collect();
    let forged = format!(
        "SIP/2.0 401 Unauthorized\r\n{};tag=x\r\nWWW-Authenticate: Digest realm=\"itsp\", nonce=\"1\"\r\nContent-Length: 0\r\n\r\n",
        copied.join("\r\n").replace("\r\nCSeq", "\r\nX-CSeq").replace("X-CSeq", "CSeq")
    );
    let forged = forged.replacen(&format!("{};tag=x", copied.last().unwrap()), copied.last().unwrap(), 1);
    world.inject_from("203.0.113.66:5060", &forged);
    world.until(|w| w.stations["client"].events.iter().any(|(_, e)| matches!(e, PhoneEvent::Failed(_))));
    assert!(world.texts_at(AT, &["INVITE sip:"]).iter().all(|text| !text.contains("uthorization")));
    assert!(world.has_line("the request was sent to 198.51.100.7:5060, and nobody else is given a password"));
    world.until_over();
    world.assert_nothing_left();
}

/// A dialog whose Contact lies elsewhere: the trunk's realm is answered there, another is not.
#[test]
fn where_a_contact_leads_only_a_realm_of_the_trunk_is_answered() {
    for (realm, is_answered) in [("itsp", true), ("other", false)] {
        let mut world = trunk(TRUNK, "itsp", "4711", "itspass word");
        world.add_with_account(
            "media",
            "far",
            "x",
            ("203.0.113.9:5060", "203.0.113.9:7000"),
            DeviceProfile::Grandstream,
        );
        world.providers.insert("203.0.113.9:5060".parse().unwrap(), vec![Provider::new(realm, "4711", "itspass word")]);
        world.relay("203.0.113.9:5060", "far");
        world.rewrite_head("far", "Contact: <sip:far@198.51.100.7:5060", "Contact: <sip:far@203.0.113.9:5060");
        world.phone("client").dials("01234");
        world.until(|w| w.is_called("far"));
        world.phone("far").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("far"));
        world.phone("client").hangs_up();
        world.run(Duration::from_secs(2));
        let byes = world.texts_at("203.0.113.9:5060", &["BYE sip:"]);
        assert_eq!(byes.last().is_some_and(|text| text.contains("uthorization")), is_answered, "{realm}: {byes:?}");
        assert_eq!(world.has_line("write 'auth=USER:SECRET@REALM' in [trunk]"), !is_answered);
        world.silent = true;
        world.phone("far").hangs_up();
        world.run(Duration::from_secs(40));
        world.stations.remove("media");
        world.assert_nothing_left();
    }
}

/// OPTIONS, INFO and UPDATE, as the other requests.
#[test]
fn qualify_is_satisfied_by_the_question_and_answers_it_all_the_same() {
    let sip = SIP.replace("[isp]\n", "[isp]\nqualify=yes\n");
    let mut world = Testbed::new(&sip, GUIDE, Quality::PERFECT, 1);
    asks(&mut world);
    world.register_all();
    world.run(Duration::from_secs(1));
    assert!(world.has_line("Peer 'isp' is now Reachable. (20ms / 2000ms)"), "by the first answer");
    assert_eq!(provider(&world).taken["OPTIONS"], 1);
    world.assert_nothing_left();
}

#[test]
fn a_refresh_by_update_is_challenged_and_goes_on() {
    for (method, allow) in [
        (Method::Update, "Allow: INVITE, ACK, BYE, CANCEL, UPDATE"),
        (Method::Invite, "Allow: INVITE, ACK, BYE, CANCEL"),
    ] {
        let sip = SIP.replace("[isp]\n", "[isp]\nsession-timers=originate\nsession-expires=100\n");
        let mut world = Testbed::ready(&sip, GUIDE);
        asks(&mut world);
        world.providers.get_mut(&ISP.parse().unwrap()).unwrap()[0].uses = 1;
        world.add_to("isp", "SIP/2.0 200", allow);
        world.connect();
        world.run(Duration::from_secs(55));
        assert!(provider(&world).taken.contains_key(&method.to_string()), "{method}");
        assert!(world.is_talking("isp"));
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// A provider that takes no nonce twice, by 401 or 407: whatever is sent to it is asked for a password and sent again.
#[test]
fn a_provider_that_challenges_everything_gets_info_refer_message_and_bye() {
    for is_proxy in [false, true] {
        let plan = "[default]\nexten => _0X.,1,Dial(SIP/trunk/${EXTEN:1},20)\n\
            [in]\nexten => 5,1,Answer()\n same => n,Wait(1)\n same => n,Transfer(SIP/4930)\n";
        let mut world = Testbed::ready(&format!("{SIP}{TRUNK}dtmfmode=info\n"), plan);
        world.add_with_account("far", "far", "x", (AT, "198.51.100.7:7000"), DeviceProfile::Grandstream);
        let mut provider = Provider::new("itsp", "4711", "itspass word");
        (provider.uses, provider.is_proxy) = (1, is_proxy);
        world.providers.insert(AT.parse().unwrap(), vec![provider]);
        // A call out, with a digit, a text and the BYE.
        world.phone("client").dials("01234");
        world.until(|w| w.is_called("far"));
        world.phone("far").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("far"));
        world.phone("client").presses('7');
        world.until(|w| taken(w, "INFO") == 1);
        world.phone("client").texts_in_call("hello");
        world.until(|w| taken(w, "MESSAGE") == 1);
        world.phone("client").hangs_up();
        world.until_over();
        assert_eq!((taken(&world, "INVITE"), taken(&world, "BYE")), (1, 1), "{is_proxy}");
        // A text outside of calls.
        world.phone("client").texts("trunk", "hello again");
        world.until(|w| w.has_line("Text message from 'client' delivered to 'trunk'"));
        assert_eq!(taken(&world, "MESSAGE"), 2);
        // A call in that is sent on.
        world.phone("far").dials("5");
        world.until(|w| taken(w, "REFER") == 1);
        world.run(Duration::from_secs(2));
        world.phone("far").hangs_up();
        world.until_over();
        let provider = &world.providers[&AT.parse().unwrap()][0];
        for (method, count) in &provider.taken {
            assert!(provider.asked[method] >= *count, "{method} was not challenged");
        }
        world.assert_nothing_left();
    }
}

/// How many requests of a method the trunk's provider took.
fn taken(world: &Testbed, method: &str) -> u32 {
    world.providers[&AT.parse().unwrap()][0].taken.get(method).copied().unwrap_or_default()
}
