//! Mailboxes elsewhere (`mwi =>`): subscribed to with the password, renewed, ended; what a provider tells reaches telephones.

use crate::provider::{MailServer, Provider};
use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Wall;
use strowger::pbx::switch::{Stopping, mailboxes_elsewhere};
use strowger::sim::DeviceProfile;

const AT: &str = "198.51.100.7:5060";
const LINE: &str = "mwi => 4711:\"its:pass@word\"@198.51.100.7/100\n";

/// The four lines, of which `client` has the mailbox, and this in [general].
fn conf(general: &str) -> String {
    SIP.replacen("[general]\n", &format!("[general]\n{general}"), 1).replacen(
        "[client]\n",
        "[client]\nmailbox=100@SIP_Remote\n",
        1,
    )
}

/// The provider asks for the password, and tells of mailboxes.
fn opens(world: &mut Testbed) {
    let mut provider = Provider::new("itsp", "4711", "its:pass@word");
    provider.mailboxes = Some(MailServer::default());
    world.add_with_account("far", "far", "x", (AT, "198.51.100.7:7000"), DeviceProfile::Grandstream);
    world.providers.insert(AT.parse().unwrap(), vec![provider]);
}

fn world(general: &str) -> Testbed {
    let mut world = Testbed::ready(&conf(general), GUIDE);
    opens(&mut world);
    world
}

fn server(world: &mut Testbed) -> &mut MailServer {
    world.providers.get_mut(&AT.parse().unwrap()).unwrap()[0].mailboxes.as_mut().unwrap()
}

fn is_subscribed(world: &Testbed) -> bool {
    mailboxes_elsewhere(&world.switch).next().unwrap().is_subscribed
}

fn subscribes(world: &Testbed) -> Vec<String> {
    let mut all = world.texts_at(AT, &["SUBSCRIBE sip:"]);
    // Each once, however often it was repeated.
    all.dedup();
    all
}

fn of<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

/// A proxy in front of the mailboxes asks for the password (407): it gets it in its own header, with each renewal, too.
#[test]
fn a_proxy_that_asks_gets_the_password() {
    let mut world = world(&format!("{LINE}mwiexpiry=120\n"));
    let provider = &mut world.providers.get_mut(&AT.parse().unwrap()).unwrap()[0];
    (provider.is_proxy, provider.uses) = (true, 1);
    world.until(is_subscribed);
    world.run(Duration::from_secs(300));
    assert!(is_subscribed(&world));
    let (asked, given): (Vec<_>, Vec<_>) =
        subscribes(&world).into_iter().partition(|text| of(text, "Proxy-Authorization: ").is_empty());
    assert!(given.len() >= 3, "{} of {}", given.len(), asked.len() + given.len());
    assert!(given.iter().all(|text| of(text, "Authorization: ").is_empty()));
    assert!(world.providers[&AT.parse().unwrap()][0].taken["SUBSCRIBE"] >= 3);
    world.assert_nothing_left();
}

/// A NOTIFY of the provider within the subscription of this SUBSCRIBE.
fn notify(subscribe: &str, number: u32, state: &str, body: &str) -> String {
    let (call, from) = (of(subscribe, "Call-ID: "), of(subscribe, "From: "));
    format!(
        "NOTIFY sip:4711@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {AT};branch=z9hG4bKn{number}{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:4711@198.51.100.7>;tag=mail\r\nTo: {from}\r\nCall-ID: {call}\r\nCSeq: {number} NOTIFY\r\n\
         Contact: <sip:mail@{AT}>\r\nEvent: message-summary\r\nSubscription-State: {state}\r\n\
         Content-Type: application/simple-message-summary\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// How the exchange answered NOTIFYs.
fn answers(world: &Testbed) -> Vec<String> {
    let texts = world.texts_at(AT, &["SIP/2.0 ", "NOTIFY"]);
    texts.iter().map(|text| text.lines().next().unwrap().trim_start_matches("SIP/2.0 ").to_owned()).collect()
}

stories! {
    a_mailbox_elsewhere_is_told_of_here(conf(LINE), GUIDE);
    a_subscription_to_a_mailbox_is_renewed_through_loss(conf(&format!("{LINE}mwiexpiry=120\n")), GUIDE);
}

fn a_mailbox_elsewhere_is_told_of_here(world: &mut Testbed) {
    opens(world);
    world.until(is_subscribed);
    let subscribe = subscribes(world).pop().unwrap();
    for (number, counts, body) in
        [(1, "2/1", "Messages-Waiting: yes\r\nVoice-Message: 2/1 (0/0)\r\n"), (2, "0/3", "Voice-Message: 0/3\r\n")]
    {
        let text = notify(&subscribe, number, "active;expires=3600", body);
        world.inject_from(AT, &text);
        world.until(|w| w.switch.database().get("/MessageWaiting/100@SIP_Remote").as_deref() == Some(counts));
        world.until(|w| {
            w.texts("client", &["NOTIFY sip:"]).iter().any(|text| text.contains(&format!("Voice-Message: {counts}")))
        });
        world.run(Duration::from_secs(5));
    }
    world.run(Duration::from_secs(40));
    world.until_over();
}

fn a_subscription_to_a_mailbox_is_renewed_through_loss(world: &mut Testbed) {
    opens(world);
    world.until(is_subscribed);
    world.run(Duration::from_secs(1200));
    world.until(is_subscribed);
    assert!(server(world).granted >= 8, "{}", server(world).granted);
}

/// RFC 6665 4.1.2, RFC 3842 3: what is asked for; renewed in the same dialog with the nonce that is known.
#[test]
fn a_mailbox_is_subscribed_to_with_the_password_and_renewed_in_its_dialog() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(3700));
    let all = subscribes(&world);
    let first = &all[0];
    assert!(first.starts_with("SUBSCRIBE sip:4711@198.51.100.7 SIP/2.0\r\n"), "{first}");
    assert_eq!((of(first, "To: "), of(first, "Contact: ")), ("<sip:4711@198.51.100.7>", "<sip:4711@192.0.2.1:5060>"));
    assert_eq!((of(first, "Event: "), of(first, "Expires: ")), ("message-summary", "3600"));
    assert_eq!(of(first, "Accept: "), "application/simple-message-summary");
    assert_eq!(all.len(), 3, "asked, with the password, renewed");
    let renewed = &all[2];
    assert!(renewed.starts_with("SUBSCRIBE sip:mail@198.51.100.7:5060 SIP/2.0\r\n"), "{renewed}");
    assert_eq!((of(renewed, "Call-ID: "), of(renewed, "From: ")), (of(first, "Call-ID: "), of(first, "From: ")));
    assert!(of(renewed, "To: ").ends_with(";tag=mail") && renewed.contains("nc=00000002"), "{renewed}");
    assert!(
        world.has_line("Mailbox of '4711@198.51.100.7' (198.51.100.7:5060) is watched for 1 h"),
        "{:?}",
        world.lines
    );
    world.assert_nothing_left();
}

#[test]
fn what_the_provider_ends_or_forgets_is_begun_anew() {
    let mut world = world(&format!("{LINE}mwiexpiry=120\n"));
    world.run(Duration::from_secs(5));
    let first = subscribes(&world).pop().unwrap();
    // RFC 6665 4.1.3: at once, or after a while, as the reason has it.
    world.inject_from(AT, &notify(&first, 1, "terminated;reason=deactivated", ""));
    world.run(Duration::from_secs(5));
    assert!(is_subscribed(&world));
    let second = subscribes(&world).pop().unwrap();
    assert_ne!(of(&first, "Call-ID: "), of(&second, "Call-ID: "));
    world.inject_from(AT, &notify(&second, 1, "terminated;reason=rejected;retry-after=300", ""));
    world.run(Duration::from_secs(250));
    assert!(!is_subscribed(&world));
    world.run(Duration::from_secs(60));
    assert!(is_subscribed(&world));
    assert_eq!(answers(&world), ["200 OK", "200 OK"]);
    // It has forgotten the dialog.
    server(&mut world).refuses(&[481]);
    let third = subscribes(&world).pop().unwrap();
    world.run(Duration::from_secs(120));
    assert!(is_subscribed(&world));
    assert_ne!(of(&third, "Call-ID: "), of(&subscribes(&world).pop().unwrap(), "Call-ID: "));
    world.assert_nothing_left();
}

#[test]
fn a_provider_that_refuses_or_is_silent_is_asked_again_less_and_less() {
    let mut world = world(LINE);
    server(&mut world).is_silent = true;
    world.run(Duration::from_secs(3600));
    let sent = subscribes(&world).len();
    assert!(!is_subscribed(&world) && world.has_line("cannot be watched: nobody answers; trying again in"));
    server(&mut world).is_silent = false;
    server(&mut world).refuses(&[489, 403]);
    world.run(Duration::from_secs(360));
    assert!(world.has_line("is not shown to us (489 Bad Event): check the line at sip.conf:"), "{:?}", world.lines);
    world.run(Duration::from_secs(3700));
    assert!(is_subscribed(&world), "{sent}");
    // RFC 6665 4.2.1.1: it wants longer.
    server(&mut world).least = 7200;
    world.run(Duration::from_secs(3600));
    assert_eq!(of(&subscribes(&world).pop().unwrap(), "Expires: "), "7200");
    world.assert_nothing_left();
}

#[test]
fn what_is_no_notify_of_ours_changes_nothing() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(5));
    let subscribe = subscribes(&world).pop().unwrap();
    let body = "Voice-Message: 9/9\r\n";
    let good = notify(&subscribe, 5, "active", body);
    let wrongs = [
        (good.replace(of(&subscribe, "From: ").split(";tag=").nth(1).unwrap(), "forged"), "481"),
        (good.replace("tag=mail", "tag=other"), "481"),
        (good.replace("Event: message-summary", "Event: dialog"), "489"),
        (good.replace("NOTIFY", "INFO"), "405"),
    ];
    for (number, (wrong, status)) in wrongs.into_iter().enumerate() {
        world.inject_from(AT, &wrong.replace("z9hG4bKn5", &format!("z9hG4bKw{number}")));
        world.run(Duration::from_secs(1));
        let answers = world.texts_at(AT, &["SIP/2.0 4"]);
        assert!(answers.last().unwrap().starts_with(&format!("SIP/2.0 {status}")), "{number}: {answers:?}");
        assert_eq!(world.switch.database().get("/MessageWaiting/100@SIP_Remote"), None);
    }
    world.inject_from(AT, &good);
    world.run(Duration::from_secs(1));
    assert_eq!(world.switch.database().get("/MessageWaiting/100@SIP_Remote").as_deref(), Some("9/9"));
    // RFC 3261 12.2.2: an older one comes late.
    world.inject_from(AT, &notify(&subscribe, 4, "active", "Voice-Message: 1/1\r\n"));
    world.run(Duration::from_secs(40));
    assert_eq!(world.switch.database().get("/MessageWaiting/100@SIP_Remote").as_deref(), Some("9/9"));
    assert_eq!(answers(&world).last().unwrap(), "500 Server Internal Error");
    world.assert_nothing_left();
}

/// RFC 6665 4.4.1: the first NOTIFY may overtake the 2xx.
#[test]
fn a_notify_that_comes_before_the_2xx_is_taken() {
    let mut world = world(LINE);
    server(&mut world).is_silent = true;
    world.run(Duration::from_secs(2));
    let subscribe = subscribes(&world).pop().unwrap();
    world.inject_from(AT, &notify(&subscribe, 1, "active", "Voice-Message: 1/0\r\n"));
    world.run(Duration::from_secs(1));
    assert_eq!(world.switch.database().get("/MessageWaiting/100@SIP_Remote").as_deref(), Some("1/0"));
    server(&mut world).is_silent = false;
    world.run(Duration::from_secs(60));
    assert!(is_subscribed(&world));
    world.assert_nothing_left();
}

#[test]
fn a_line_that_is_gone_is_ended_there_and_so_is_all_when_the_exchange_stops() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(5));
    let before = subscribes(&world).len();
    world.reload(&conf(&format!("{LINE}qualify=yes\n")), GUIDE);
    world.run(Duration::from_secs(5));
    assert_eq!(subscribes(&world).len(), before, "nothing changed for it");
    world.reload(&conf(""), GUIDE);
    world.run(Duration::from_secs(5));
    let last = subscribes(&world).pop().unwrap();
    assert_eq!((of(&last, "Expires: "), of(&last, "To: ").contains("tag=mail")), ("0", true));
    assert!(world.has_line("Mailbox of '4711@198.51.100.7' is not watched any more"));
    assert_eq!(mailboxes_elsewhere(&world.switch).count(), 0);
    world.assert_nothing_left();
    world.reload(&conf(LINE), GUIDE);
    world.run(Duration::from_secs(5));
    assert!(is_subscribed(&world));
    let now = strowger::clock::Now { mono: world.now, wall: Wall(0) };
    let effects = world.switch.stop(now, Stopping::Gracefully);
    world.execute(effects);
    assert!(!world.switch.is_stopped(), "it waits for the answer");
    world.run(Duration::from_secs(1));
    assert!(world.switch.is_stopped());
    assert_eq!(of(&subscribes(&world).pop().unwrap(), "Expires: "), "0");
}

#[test]
fn a_restart_subscribes_again_and_the_counts_stay() {
    let mut world = world(LINE);
    world.run(Duration::from_secs(5));
    let before = subscribes(&world).len();
    world.restart(&conf(LINE), GUIDE, None, Wall(1_800_000_000_000));
    world.run(Duration::from_secs(5));
    assert!(is_subscribed(&world) && subscribes(&world).len() > before);
    world.assert_nothing_left();
}
