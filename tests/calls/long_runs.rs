//! What 200,000 random scripts found, each as a story of its own.

use crate::helpers::{over, refer, second, talk, told};
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sdp::{Codec, MediaKind};
use strowger::sim::{Change, PhoneEvent};

const PLAN: &str = "[default]\n\
    exten => 1,1,Dial(SIP/client,20)\n\
    exten => 2,1,Dial(SIP/isp,20)\n\
    exten => 3,1,Dial(SIP/desk,20)\n\
    exten => 4,1,Dial(SIP/desk&SIP/isp,20)\n\
    exten => 23,1,Answer()\n same => n,Dial(SIP/isp,20,A(hello))\n\
    exten => 24,1,Answer()\n same => n,Wait(2)\n same => n,Dial(SIP/isp,20)\n\
    exten => 30,1,PickupChan(SIP/isp)\n";

fn video() -> String {
    SIP.replace("[general]\n", "[general]\nvideosupport=yes\n")
}

stories! {
    a_line_that_leaves_the_codec_while_it_is_played_to_is_heard(SIP, PLAN);
    two_that_are_about_to_talk_do_not_leave_each_others_codecs(SIP, PLAN);
    who_is_picked_up_by_another_holds_it_too(SIP, PLAN);
    a_caller_that_holds_before_it_dials_holds_nobody_who_rings(SIP, PLAN);
    a_key_waits_until_the_caller_knows_that_it_is_answered(SIP, PLAN);
    a_text_waits_until_the_caller_knows_that_it_is_answered(SIP, PLAN);
    video_that_the_caller_has_no_more_is_taken_back_from_who_answers(video(), PLAN);
    a_line_that_is_taken_by_replaces_is_said_to_be_picked_up(SIP, PLAN);
}

/// Somebody answers the call to the isp and is played something before it is connected.
fn is_played_to(world: &mut Testbed) {
    world.sounds.add("hello", Duration::from_secs(30));
    world.phone("client").dials("23");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_played_to("isp"));
}

/// The isp speaks PCMA alone from now on; so the caller, who was answered with PCMU, is asked to.
fn a_line_that_leaves_the_codec_while_it_is_played_to_is_heard(world: &mut Testbed) {
    is_played_to(world);
    world.phone("isp").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.saw("isp", &PhoneEvent::RenegotiationAccepted));
    world.run(Duration::from_secs(50));
    assert_eq!([8, 8], ["client", "isp"].map(|name| world.look(name).payload_type().unwrap()));
    world.assert_agreed("client", "isp", true);
    over(world, "client");
}

/// Both leave all codecs but one, and not the same: whoever comes second is refused, and stays with what it had.
fn two_that_are_about_to_talk_do_not_leave_each_others_codecs(world: &mut Testbed) {
    is_played_to(world);
    world.phone("isp").reoffers(Change::Codec(Codec::Ulaw));
    world.until(|w| w.saw("isp", &PhoneEvent::RenegotiationAccepted));
    world.phone("client").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationRefused(488)));
    world.run(Duration::from_secs(50));
    world.assert_agreed("client", "isp", true);
    over(world, "client");
}

/// The caller holds already when it is picked up: whoever picks up is answered at once, and told of the hold then.
fn who_is_picked_up_by_another_holds_it_too(world: &mut Testbed) {
    holds_and_dials(world);
    world.phone("desk").dials("30");
    world.until(|w| w.is_talking("desk") && w.saw("desk", &PhoneEvent::OnHold));
    world.run(Duration::from_secs(20));
    assert_eq!(world.look("desk").media(), None);
    over(world, "client");
}

/// A caller holds while the dialplan waits, and the isp rings.
fn holds_and_dials(world: &mut Testbed) {
    world.phone("client").dials("24");
    world.until(|w| w.is_talking("client"));
    world.phone("client").reoffers(Change::Hold);
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.until(|w| w.is_called("isp"));
}

/// Its INVITE says nothing of a hold, which is told after the answer.
fn a_caller_that_holds_before_it_dials_holds_nobody_who_rings(world: &mut Testbed) {
    holds_and_dials(world);
    let invite = world.texts("isp", &["INVITE sip:"]).remove(0);
    assert!(invite.contains("a=sendrecv") && !invite.contains("a=sendonly"), "{invite}");
    world.phone("isp").answers();
    world.until(|w| w.saw("isp", &PhoneEvent::OnHold));
    world.run(Duration::from_secs(5));
    world.phone("client").reoffers(Change::Resume);
    world.until(|w| w.look("isp").media().is_some());
    world.run(Duration::from_secs(20));
    world.assert_agreed("client", "isp", true);
    over(world, "client");
}

/// The 200 of the caller is lost, and the called telephone speaks first: by INFO, MESSAGE. To the caller there is no call
/// yet that this could belong to, and it would say so (481): that cost the call.
fn speaks_first(world: &mut Testbed, speaks: fn(&mut Testbed)) {
    world.phone("client").dials("3");
    world.until(|w| w.is_called("desk"));
    world.loses_to("client", "SIP/2.0 200");
    world.phone("desk").answers();
    world.until(|w| w.saw("desk", &PhoneEvent::Answered));
    speaks(world);
    world.run(Duration::from_millis(300));
    assert!(!world.is_talking("client"));
    world.loses_nothing();
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(20));
    assert!(world.sent_by("client", &["SIP/2.0 481"]).is_empty());
    world.assert_agreed("client", "desk", true);
}

fn a_key_waits_until_the_caller_knows_that_it_is_answered(world: &mut Testbed) {
    speaks_first(world, |w| w.phone("desk").presses('5'));
    assert!(!world.sent_by("client", &["SIP/2.0 200", "INFO"]).is_empty(), "the key arrived");
    over(world, "client");
}

fn a_text_waits_until_the_caller_knows_that_it_is_answered(world: &mut Testbed) {
    speaks_first(world, |w| w.phone("desk").texts_in_call("hello"));
    assert!(world.saw("client", &PhoneEvent::TextReceived("hello".to_owned())));
    over(world, "client");
}

/// Our offer and then a key go to the isp; the key comes first, and so the offer is out of order (500).
#[test]
fn an_offer_that_a_later_request_overtook_is_made_again() {
    let mut world = Testbed::ready(SIP, PLAN);
    let world = &mut world;
    talk(world, "client", "2", "isp");
    world.loses_to("isp", "INVITE ");
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_millis(100));
    world.phone("client").presses('5');
    world.run(Duration::from_millis(100));
    world.loses_nothing();
    world.until(|w| w.saw("isp", &PhoneEvent::OnHold));
    world.run(Duration::from_secs(20));
    assert!(world.saw("client", &PhoneEvent::RenegotiationAccepted));
    assert!(!world.sent_by("isp", &["SIP/2.0 500", "INVITE"]).is_empty());
    over(world, "client");
    world.assert_nothing_left();
}

/// The same the other way round.
#[test]
fn a_key_that_a_later_request_overtook_is_passed_on_again() {
    let mut world = Testbed::ready(SIP, PLAN);
    let world = &mut world;
    talk(world, "client", "2", "isp");
    world.loses_to("isp", "INFO ");
    world.phone("client").presses('5');
    world.run(Duration::from_millis(100));
    world.phone("client").reoffers(Change::Hold);
    world.until(|w| w.saw("isp", &PhoneEvent::OnHold));
    world.loses_nothing();
    world.run(Duration::from_secs(20));
    assert!(!world.sent_by("isp", &["SIP/2.0 500", "INFO"]).is_empty());
    assert!(!world.sent_by("isp", &["SIP/2.0 200", "INFO"]).is_empty(), "the key arrived");
    over(world, "client");
    world.assert_nothing_left();
}

/// The NOTIFY that says how a transfer went comes after a new offer: it is told again under a later number.
#[test]
fn what_becomes_of_a_transfer_is_told_again_when_it_was_overtaken() {
    let mut world = Testbed::ready(SIP, PLAN);
    let world = &mut world;
    talk(world, "client", "3", "desk");
    world.loses_to("desk", "NOTIFY ");
    refer(world, "desk", "<sip:9@192.0.2.1>");
    world.until(|w| w.has_line("failed with 404"));
    world.phone("client").reoffers(Change::Hold);
    world.until(|w| w.saw("desk", &PhoneEvent::OnHold));
    world.loses_nothing();
    world.run(Duration::from_secs(20));
    let refused = world.sent_by("desk", &["SIP/2.0 500", "NOTIFY"]);
    let taken = world.sent_by("desk", &["SIP/2.0 200", "NOTIFY"]);
    assert!(!refused.is_empty());
    assert!(!taken.is_empty() && told(world, "desk").contains(&404), "{:?}", told(world, "desk"));
    over(world, "client");
    world.assert_nothing_left();
}

/// The isp's early media has no video, and the caller's is closed; the desk answers with video, and is told that there is
/// none.
fn video_that_the_caller_has_no_more_is_taken_back_from_who_answers(world: &mut Testbed) {
    for name in ["client", "desk"] {
        world.phone(name).habit(|habits| habits.secondary_media = vec![MediaKind::Video]);
    }
    world.phone("client").dials("4");
    world.until(|w| w.is_called("isp") && w.is_called("desk"));
    world.phone("isp").sounds();
    world.run(Duration::from_secs(3));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("client"));
    world.run(Duration::from_secs(20));
    let has_video = |name: &str| world.look(name).secondary_media(MediaKind::Video).is_some();
    assert_eq!(has_video("client"), has_video("desk"));
    assert!(!has_video("desk") || !world.is_perfect());
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

/// The desk's other telephone takes the call over while the exchange still waits for the answer. The log says why the first
/// one's call ends.
fn a_line_that_is_taken_by_replaces_is_said_to_be_picked_up(world: &mut Testbed) {
    second(world);
    world.phone("client").dials("3");
    world.until(|w| w.is_called("desk"));
    world.run(Duration::from_secs(1));
    let replaces = crate::helpers::called(world, "desk", "SIP/2.0 180");
    world.add_header("desk2", &format!("Replaces: {replaces}"));
    world.phone("desk2").dials("3");
    world.until(|w| w.is_talking("desk2") && w.is_talking("client") && !w.is_called("desk"));
    assert!(world.has_line("SIP/desk-00000002 picked up the call at SIP/desk-00000001"));
    over(world, "client");
}
