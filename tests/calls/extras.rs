//! More than voice: video, text, and fax by T.38, carried as the lines may and refused otherwise, with the voice going
//! on.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::event::Level;
use strowger::pbx::effect::StoreOrder;
use strowger::sdp::MediaKind;
use strowger::sim::{Change, PhoneEvent};

/// Everybody may fax by T.38.
fn fax() -> String {
    SIP.replace("[general]\n", "[general]\nt38pt_udptl=yes,redundancy\n")
}

/// Everybody may have video and text.
fn video() -> String {
    SIP.replace("[general]\n", "[general]\nvideosupport=yes\ntextsupport=yes\n")
}

fn both() -> String {
    fax().replace("[general]\n", "[general]\nvideosupport=yes\n")
}

/// The exchange refreshes every call.
fn refreshed(sip: &str) -> String {
    sip.replace("[general]\n", "[general]\nsession-timers=originate\nsession-expires=90\n")
}

fn direct(sip: &str) -> String {
    sip.replace("directmedia=no", "directmedia=yes")
}

/// Only the client may.
fn one_sided() -> String {
    SIP.replace("[client]\n", "[client]\nt38pt_udptl=yes\nvideosupport=always\n")
}

const FORK: &str = "[default]\nexten => _X!,1,Dial(SIP/isp&SIP/desk,20)\n";
const GOES_ON: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20,g)\n same => n,Echo()\n";
const PROMPT: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Playback(beep)\n same => n,Dial(SIP/isp,20)\n";
const ECHO: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Echo()\n";

stories! {
    the_callee_goes_to_fax_and_back(fax(), GUIDE);
    the_caller_goes_to_fax_and_back(fax(), GUIDE);
    fax_takes_the_place_of_voice(fax(), GUIDE);
    they_hang_up_in_the_fax(fax(), GUIDE);
    the_other_phone_refuses_fax(fax(), GUIDE);
    the_other_phone_accepts_fax_without_a_port(fax(), GUIDE);
    the_other_line_may_not_fax(one_sided(), GUIDE);
    nobody_faxes_with_the_exchange(fax(), ECHO);
    both_go_to_fax_at_once(fax(), GUIDE);
    fax_goes_over_the_exchange_and_voice_past_it(direct(&fax()), GUIDE);
    refused_fax_leaves_voice_direct(direct(&fax()), GUIDE);
    useless_fax_leaves_voice_direct(direct(&fax()), GUIDE);
    they_hang_up_while_fax_is_asked_for(fax(), GUIDE);
    the_caller_of_a_fax_goes_on_alone(fax(), GOES_ON);
    a_fax_is_refreshed(fax(), GUIDE);
    after_a_prompt_they_may_ask_for_all_of_it(both(), PROMPT);
    without_ports_there_is_no_fax(fax(), GUIDE);
    a_video_call(video(), GUIDE);
    a_video_call_stays_on_the_relay(direct(&video()), GUIDE);
    video_is_held_and_resumed(video(), GUIDE);
    video_ends_and_begins_in_mid_call(video(), GUIDE);
    video_that_the_other_line_may_not_have(one_sided(), GUIDE);
    video_that_the_other_phone_does_not_know(video(), GUIDE);
    the_first_of_two_to_answer_gets_the_video(video(), FORK);
    video_before_the_answer(video(), GUIDE);
    video_is_refreshed(video(), GUIDE);
    video_turned_down_is_not_offered_by_a_refresh(refreshed(&video()), GUIDE);
    without_ports_there_is_no_video(video(), GUIDE);
    they_give_up_while_ports_are_bound(video(), GUIDE);
    a_caller_of_video_goes_on_alone_with_an_offer_under_way(video(), GOES_ON);
}

const BOTH: [&str; 2] = ["client", "isp"];

fn can(world: &mut Testbed, names: &[&str], extras: &[MediaKind]) {
    for name in names {
        world.phone(name).habit(|habits| habits.secondary_media = extras.to_vec());
    }
}

fn accepted(world: &mut Testbed, who: &str, change: Change) {
    let before = world.count(who, &PhoneEvent::RenegotiationAccepted);
    world.phone(who).reoffers(change);
    world.until(|w| w.count(who, &PhoneEvent::RenegotiationAccepted) > before);
}

fn refused(world: &mut Testbed, who: &str, change: Change) {
    let before = world.count(who, &PhoneEvent::RenegotiationRefused(488));
    world.phone(who).reoffers(change);
    world.until(|w| w.count(who, &PhoneEvent::RenegotiationRefused(488)) > before);
}

/// So many pairs of ports are in use once everything has settled.
fn assert_streams(world: &mut Testbed, number: usize) {
    if world.is_perfect() {
        world.run(Duration::from_secs(1));
        assert_eq!(world.media.streams.len(), number);
    }
}

/// On a bad network the last answer may still be on its way.
fn assert_fax(world: &mut Testbed) {
    world.run(Duration::from_secs(if world.is_perfect() { 1 } else { 30 }));
    world.assert_shares("client", "isp", MediaKind::Image);
    assert_eq!((world.look("client").media(), world.look("isp").media()), (None, None), "voice is off");
}

fn there_and_back(world: &mut Testbed, who: &str, change: Change) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    assert_streams(world, 2);
    for round in 0..2 {
        accepted(world, who, change);
        assert_fax(world);
        assert_streams(world, 4);
        let back = BOTH[round % 2];
        accepted(world, back, Change::Voice);
        world.assert_agreed("client", "isp", true);
        assert_eq!(world.extra_from("client", MediaKind::Image), None);
        assert_streams(world, 2);
    }
    world.phone("isp").hangs_up();
    world.until_over();
}

fn the_callee_goes_to_fax_and_back(world: &mut Testbed) {
    there_and_back(world, "isp", Change::T38);
    if world.is_perfect() {
        let told = &world.texts("client", &["INVITE sip"])[0];
        let media: Vec<&str> = told.lines().filter(|line| line.starts_with("m=") || line.contains("T38")).collect();
        assert!(media[0].starts_with("m=audio 0 RTP/AVP ") && media[1].starts_with("m=image 1"), "{told}");
        assert_eq!(
            media[2..],
            [
                "a=T38FaxVersion:0",
                "a=T38MaxBitRate:14400",
                "a=T38FaxRateManagement:transferredTCF",
                "a=T38FaxMaxDatagram:400",
                "a=T38FaxUdpEC:t38UDPRedundancy"
            ]
        );
    }
}

fn the_caller_goes_to_fax_and_back(world: &mut Testbed) {
    there_and_back(world, "client", Change::T38);
}

/// RFC 3264 8.3.3: the one line changes its medium.
fn fax_takes_the_place_of_voice(world: &mut Testbed) {
    there_and_back(world, "isp", Change::T38Alone);
    if world.is_perfect() {
        for text in world.texts("client", &["INVITE sip"]) {
            assert_eq!(text.matches("\r\nm=").count(), 1, "{text}");
        }
    }
}

fn they_hang_up_in_the_fax(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    accepted(world, "isp", Change::T38);
    assert_fax(world);
    world.phone("client").hangs_up();
    world.until_over();
    let record = world.kept.iter().find_map(|order| match order {
        StoreOrder::Call(record) => Some(record),
        StoreOrder::Bindings { .. }
        | StoreOrder::Value { .. }
        | StoreOrder::Subscription { .. }
        | StoreOrder::Line(_) => None,
    });
    let record = record.expect("a record");
    assert_eq!((record.codec.as_str(), record.caller_rtp), ("ulaw", Some(world.look("client").rtp())));
}

fn the_other_phone_refuses_fax(world: &mut Testbed) {
    world.connect();
    for (who, other) in [("isp", "client"), ("client", "isp")] {
        for status in [488, 415, 606, 503] {
            world.phone(other).habit(|habits| habits.refuse_reinvite = Some(status));
            refused(world, who, Change::T38);
            world.assert_agreed("client", "isp", true);
            assert_streams(world, 2);
        }
    }
    world.phone("client").hangs_up();
    world.until_over();
}

/// It says 200, and no to each medium: it is told of voice again, and who asked hears 488.
fn the_other_phone_accepts_fax_without_a_port(world: &mut Testbed) {
    world.connect();
    world.phone("client").habit(|habits| habits.empty_fax = true);
    refused(world, "isp", Change::T38);
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "isp", true);
    assert_streams(world, 2);
    accepted(world, "isp", Change::MovePort(20_000));
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_other_line_may_not_fax(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    for who in BOTH {
        refused(world, who, Change::T38);
        world.assert_agreed("client", "isp", true);
    }
    assert_streams(world, 2);
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "client", &["INVITE sip"]).len(), 0, "it is not even asked");
        assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), 1);
        assert!(world.has_line("T.38 fax needs 't38pt_udptl=yes' in sip.conf, not set for 'isp'"));
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn nobody_faxes_with_the_exchange(world: &mut Testbed) {
    can(world, &["client"], &[MediaKind::Image]);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    refused(world, "client", Change::T38);
    assert_streams(world, 1);
    world.phone("client").hangs_up();
    world.until_over();
}

fn both_go_to_fax_at_once(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    world.run(Duration::from_secs(1));
    for name in BOTH {
        world.phone(name).reoffers(Change::T38);
    }
    world.until(|w| BOTH.iter().all(|name| w.saw(name, &PhoneEvent::RenegotiationAccepted)));
    assert_fax(world);
    world.phone("client").hangs_up();
    world.until_over();
}

fn fax_goes_over_the_exchange_and_voice_past_it(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    world.assert_agreed("client", "isp", false);
    for (who, back) in [("isp", "isp"), ("client", "isp")] {
        accepted(world, who, Change::T38);
        assert_fax(world);
        accepted(world, back, Change::Voice);
        world.assert_agreed("client", "isp", false);
        assert_streams(world, 2);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn refused_fax_leaves_voice_direct(world: &mut Testbed) {
    can(world, &["isp"], &[MediaKind::Image]);
    world.connect();
    world.assert_agreed("client", "isp", false);
    refused(world, "isp", Change::T38);
    world.assert_agreed("client", "isp", false);
    assert_streams(world, 2);
    world.phone("client").hangs_up();
    world.until_over();
}

fn useless_fax_leaves_voice_direct(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", false);
    world.phone("client").habit(|habits| habits.empty_fax = true);
    refused(world, "isp", Change::T38);
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "isp", false);
    world.phone("client").hangs_up();
    world.until_over();
}

fn they_hang_up_while_fax_is_asked_for(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    world.phone("isp").reoffers(Change::T38);
    let after = world.seed() % 8 * 7;
    world.run(Duration::from_millis(10 + after));
    world.phone(BOTH[world.seed() as usize % 2]).hangs_up();
    world.until_over();
}

/// The callee of a fax hung up: the dialplan goes on with the caller, and that by voice.
fn the_caller_of_a_fax_goes_on_alone(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    accepted(world, "isp", Change::T38);
    assert_fax(world);
    world.phone("isp").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    world.until(|w| w.look("client").media().is_some());
    world.run(Duration::from_secs(if world.is_perfect() { 1 } else { 30 }));
    assert_eq!(world.sound_from("client").map(|sound| sound.to).as_deref(), Some("client"), "it hears its echo");
    assert_streams(world, 1);
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_fax_is_refreshed(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    accepted(world, "isp", Change::T38);
    assert_fax(world);
    for who in BOTH {
        accepted(world, who, Change::Refresh);
        assert_fax(world);
    }
    assert_streams(world, 4);
    world.phone("client").hangs_up();
    world.until_over();
}

/// The exchange has answered by voice alone before it put the call through.
fn after_a_prompt_they_may_ask_for_all_of_it(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Video, MediaKind::Image]);
    world.connect();
    world.assert_agreed("client", "isp", true);
    assert_eq!(world.extra_from("client", MediaKind::Video), None);
    accepted(world, "isp", Change::With(MediaKind::Video));
    world.assert_agreed("client", "isp", true);
    world.assert_shares("client", "isp", MediaKind::Video);
    accepted(world, "isp", Change::T38);
    assert_fax(world);
    assert_streams(world, 4);
    world.phone("client").hangs_up();
    world.until_over();
}

fn without_ports_there_is_no_fax(world: &mut Testbed) {
    can(world, &BOTH, &[MediaKind::Image]);
    world.connect();
    for left in [0, 1] {
        world.media.ports = left;
        refused(world, "isp", Change::T38);
        world.assert_agreed("client", "isp", true);
        assert_streams(world, 2);
    }
    world.media.ports = 2;
    accepted(world, "isp", Change::T38);
    assert_fax(world);
    world.phone("client").hangs_up();
    world.until_over();
    if world.is_perfect() {
        let said = world.said.iter().filter(|line| line.text.contains("its T.38 fax is refused and its voice goes on"));
        let levels: Vec<Level> = said.map(|line| line.level).collect();
        assert_eq!(levels, [Level::Warning; 3], "twice without any, once with one of two");
    }
}

const SEEN: [MediaKind; 2] = [MediaKind::Video, MediaKind::Text];

/// The client calls with video, and the isp answers.
fn video_call(world: &mut Testbed) {
    can(world, &BOTH, &SEEN);
    world.connect();
    world.run(Duration::from_secs(if world.is_perfect() { 1 } else { 30 }));
}

fn assert_video(world: &mut Testbed) {
    world.assert_agreed("client", "isp", true);
    for extra in SEEN {
        world.assert_shares("client", "isp", extra);
    }
}

fn a_video_call(world: &mut Testbed) {
    video_call(world);
    assert_video(world);
    assert_streams(world, 6);
    if world.is_perfect() {
        let offered = &world.texts("isp", &["INVITE sip"])[0];
        let port = |medium: &str| -> u16 {
            let line = offered.lines().find(|line| line.starts_with(medium)).unwrap();
            line.split(' ').nth(1).unwrap().parse().unwrap()
        };
        let ports = [port("m=audio"), port("m=video"), port("m=text")];
        assert!(ports.iter().all(|port| (10_000..20_000).contains(port) && port % 2 == 0), "{ports:?}");
        assert!(offered.contains(" RTP/AVP 99\r\nc=IN IP4 192.0.2.1\r\na=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=42e01f\r\na=X-camera:front\r\n"), "{offered}");
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_video_call_stays_on_the_relay(world: &mut Testbed) {
    video_call(world);
    assert_video(world);
    world.phone("isp").reoffers(Change::Without(MediaKind::Video));
    world.phone("isp").reoffers(Change::Without(MediaKind::Text));
    world.until(|w| w.count("isp", &PhoneEvent::RenegotiationAccepted) >= 2);
    world.assert_agreed("client", "isp", false);
    // And back again from there.
    accepted(world, "client", Change::With(MediaKind::Video));
    world.run(Duration::from_secs(if world.is_perfect() { 1 } else { 30 }));
    world.assert_shares("client", "isp", MediaKind::Video);
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn video_is_held_and_resumed(world: &mut Testbed) {
    video_call(world);
    for (who, other) in [("client", "isp"), ("isp", "client")] {
        accepted(world, who, Change::Hold);
        world.until(|w| w.look(other).media().is_none());
        accepted(world, who, Change::Resume);
        world.until(|w| w.look(other).media().is_some());
        assert_video(world);
    }
    assert_streams(world, 6);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn video_ends_and_begins_in_mid_call(world: &mut Testbed) {
    video_call(world);
    for who in BOTH {
        accepted(world, who, Change::Without(MediaKind::Video));
        world.assert_agreed("client", "isp", true);
        world.assert_shares("client", "isp", MediaKind::Text);
        assert_eq!(world.extra_from("client", MediaKind::Video), None);
        assert_streams(world, 4);
        accepted(world, who, Change::With(MediaKind::Video));
        assert_video(world);
        assert_streams(world, 6);
    }
    if world.is_perfect() {
        for name in BOTH {
            let told = world.texts(name, &["INVITE"]).into_iter().filter(|text| text.contains("\r\nm="));
            let media: Vec<Vec<String>> = told.map(|text| media_of(&text)).collect();
            assert!(media.iter().all(|lines| *lines == ["audio", "video", "text"]), "{name}: {media:?}");
        }
    }
    world.phone("isp").hangs_up();
    world.until_over();
}

fn media_of(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("m="));
    lines.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

fn video_that_the_other_line_may_not_have(world: &mut Testbed) {
    video_call(world);
    world.assert_agreed("client", "isp", true);
    assert_eq!(world.extra_from("client", MediaKind::Video), None);
    assert_streams(world, 2);
    if world.is_perfect() {
        assert_eq!(media_of(&world.texts("isp", &["INVITE sip"])[0]), ["audio"]);
        let told = world.texts("client", &["200 OK", "INVITE"]).pop().unwrap();
        assert!(told.contains("\r\nm=video 0 RTP/AVP 99\r\nm=text 0 RTP/AVP 98\r\n"), "{told}");
    }
    // A later offer to the caller has the lines it began with.
    accepted(world, "isp", Change::MovePort(20_000));
    world.assert_agreed("client", "isp", true);
    if world.is_perfect() {
        assert_eq!(media_of(&world.texts("client", &["INVITE sip"])[0]), ["audio", "video", "text"]);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn video_that_the_other_phone_does_not_know(world: &mut Testbed) {
    can(world, &["client"], &SEEN);
    world.connect();
    world.assert_agreed("client", "isp", true);
    assert_eq!(world.extra_from("client", MediaKind::Video), None);
    assert_streams(world, 2);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_first_of_two_to_answer_gets_the_video(world: &mut Testbed) {
    can(world, &["client", "isp", "desk"], &SEEN);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.run(Duration::from_secs(if world.is_perfect() { 1 } else { 30 }));
    for extra in SEEN {
        world.assert_shares("client", "desk", extra);
    }
    assert_streams(world, 6);
    world.phone("desk").hangs_up();
    world.until_over();
}

fn video_before_the_answer(world: &mut Testbed) {
    can(world, &BOTH, &SEEN);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").sounds();
    if world.is_perfect() {
        world.until(|w| w.saw("client", &PhoneEvent::Progress));
        assert_video(world);
    }
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    assert_video(world);
    world.phone("client").hangs_up();
    world.until_over();
}

fn video_is_refreshed(world: &mut Testbed) {
    video_call(world);
    for who in BOTH {
        for change in [Change::Refresh, Change::NoSdp] {
            accepted(world, who, change);
            assert_video(world);
        }
    }
    assert_streams(world, 6);
    world.phone("client").hangs_up();
    world.until_over();
}

/// Its ports are closed by then, or another call's.
fn video_turned_down_is_not_offered_by_a_refresh(world: &mut Testbed) {
    world.rewrite("isp", ", UPDATE\r\n", ", SOMETH\r\n");
    can(world, &["client"], &SEEN);
    world.connect();
    assert_streams(world, 2);
    can(world, &BOTH, &SEEN);
    let asked = world.texts("isp", &["INVITE sip"]).len();
    world.until(|w| w.texts("isp", &["INVITE sip"]).len() > asked);
    world.run(Duration::from_secs(5));
    let refresh = world.texts("isp", &["INVITE sip"]).pop().unwrap();
    assert!(refresh.contains("m=video 0 ") && refresh.contains("m=text 0 "), "{refresh}");
    assert_eq!(BOTH.map(|name| world.look(name).secondary_media(MediaKind::Video)), [None, None]);
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

/// Two pairs for voice, and not enough for what is beside it.
fn without_ports_there_is_no_video(world: &mut Testbed) {
    for left in [2, 3] {
        world.media.ports = left;
        video_call(world);
        world.assert_agreed("client", "isp", true);
        assert_eq!(world.extra_from("client", MediaKind::Video), None);
        assert_streams(world, 2);
        world.phone("client").hangs_up();
        world.until_over();
        world.run(Duration::from_secs(1));
        assert_eq!(world.media.ports, left);
    }
    if world.is_perfect() {
        assert!(world.has_line("its video is refused and its voice goes on: no RTP ports are left (all are in use)"));
    }
}

fn they_give_up_while_ports_are_bound(world: &mut Testbed) {
    can(world, &BOTH, &SEEN);
    world.phone("client").dials("1");
    let after = world.seed() % 8 * 5;
    world.run(Duration::from_millis(10 + after));
    world.phone("client").hangs_up();
    world.until_over();
}

/// The callee hangs up before it answers what the caller wants anew: the exchange answers that, by voice alone.
fn a_caller_of_video_goes_on_alone_with_an_offer_under_way(world: &mut Testbed) {
    video_call(world);
    world.phone("client").reoffers(Change::MovePort(20_000));
    world.phone("isp").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    world.run(Duration::from_secs(if world.is_perfect() { 1 } else { 30 }));
    assert_eq!(world.extra_from("client", MediaKind::Video), None);
    assert_streams(world, 1);
    world.phone("client").hangs_up();
    world.until_over();
}
