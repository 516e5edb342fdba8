//! Transfer: blind and attended by REFER, a call taken over by INVITE with Replaces, and `Transfer()`.

use crate::helpers::{called, connect, is_answered, over, refer, replaces, second, talk, told};
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::sync::LazyLock;
use std::time::Duration;
use strowger::pbx::cdr::HangupBy;
use strowger::pbx::effect::StoreOrder;
use strowger::sdp::Codec;
use strowger::sim::{Change, PhoneEvent};
use strowger::sip::method::Method;

const PLAN: &str = "[default]\n\
    exten => 1,1,Set(__KEPT=yes)\n same => n,Dial(SIP/desk,20)\n\
    exten => 2,1,Verbose(1,from ${BLINDTRANSFER:0:9} in ${SIPREFERRINGCONTEXT}: ${KEPT} ${SIPTRANSFER})\n \
    same => n,Dial(SIP/cisco,20)\n\
    exten => 3,1,Set(__TRANSFER_CONTEXT=other)\n same => n,Dial(SIP/desk,20)\n\
    exten => 4,1,Answer()\n same => n,Echo()\n\
    exten => 5,1,Transfer(SIP/2)\n same => n,Verbose(1,it was ${TRANSFERSTATUS})\n\
    exten => 6,1,Answer()\n same => n,Wait(1)\n same => n,Transfer(2@192.0.2.99)\n \
    same => n,Verbose(1,it was ${TRANSFERSTATUS})\n same => n,Hangup()\n\
    exten => 7,1,Dial(SIP/isp,20)\n\
    exten => 8,1,Dial(SIP/client,20)\n\
    exten => 11,1,Wait(400)\n same => n,Hangup()\n\
    [other]\nexten => 9,1,Dial(SIP/cisco,20)\n";

static DIRECT: LazyLock<String> = LazyLock::new(|| SIP.replace("directmedia=no", "directmedia=yes"));
static CLOSED: LazyLock<String> = LazyLock::new(|| SIP.replace("[desk]\n", "[desk]\nallowtransfer=no\n"));
static MODEM: LazyLock<String> = LazyLock::new(|| SIP.replace("[client]\n", "[client]\nline=modem\n"));

stories! {
    a_called_line_transfers_blindly(SIP, PLAN);
    a_caller_transfers_blindly(SIP, PLAN);
    the_call_of_a_number_that_is_not_there_stays(SIP, PLAN);
    the_call_of_a_busy_line_comes_back(SIP, PLAN);
    the_call_of_a_caller_comes_back(SIP, PLAN);
    who_hangs_up_at_once_is_not_missed(SIP, PLAN);
    who_never_hangs_up_is_hung_up(SIP, PLAN);
    who_is_transferred_gives_up(SIP, PLAN);
    who_transfers_does_not_wait_for_ever(SIP, PLAN);
    where_to_is_looked_up_where_the_caller_said(SIP, PLAN);
    a_transfer_into_an_application_is_done(SIP, PLAN);
    a_direct_call_is_transferred(DIRECT, PLAN);
    nobody_is_told_who_does_not_want_to_be(SIP, PLAN);
    two_calls_are_connected(SIP, PLAN);
    two_direct_calls_are_connected(DIRECT, PLAN);
    who_was_held_is_not_when_its_own_offer_met_ours(SIP, PLAN);
    two_calls_in_two_codecs_are_connected_in_the_one_that_both_speak(SIP, PLAN);
    a_call_is_connected_with_one_that_rings(SIP, PLAN);
    a_call_is_connected_with_an_application(SIP, PLAN);
    a_call_that_is_not_its_own_is_not_connected(SIP, PLAN);
    who_may_not_is_declined(CLOSED, PLAN);
    the_call_of_a_modem_is_left_alone(MODEM, PLAN);
    what_cannot_be_read_is_refused(SIP, PLAN);
    a_call_is_taken_over(SIP, PLAN);
    a_call_that_rings_is_picked_up(SIP, PLAN);
    what_may_not_be_taken_over_is_not(SIP, PLAN);
    a_program_sends_a_caller_elsewhere(SIP, PLAN);
    a_program_learns_how_that_went(SIP, PLAN);
    two_called_lines_have_a_record_of_their_own(SIP, PLAN);
}

fn a_called_line_transfers_blindly(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    world.phone("desk").reoffers(Change::Hold);
    world.run(Duration::from_secs(3));
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco") && told(w, "desk").contains(&180));
    assert!(world.has_line("from SIP/desk- in default: yes yes"));
    assert!(world.is_talking("desk"), "until it is known how it goes the call is still there");
    let invite = world.texts("cisco", &["INVITE "]).pop().unwrap();
    assert!(invite.contains("Referred-By: <sip:desk@192.0.2.1>"), "{invite}");
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco") && told(w, "desk") == [100, 180, 200]);
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

fn a_caller_transfers_blindly(world: &mut Testbed) {
    talk(world, "desk", "2", "cisco");
    refer(world, "desk", "sip:4@192.0.2.1");
    world.until(|w| told(w, "desk") == [100, 200]);
    world.phone("desk").hangs_up();
    world.until(|w| !w.look("desk").has_call());
    world.run(Duration::from_secs(2));
    assert!(world.is_talking("cisco"), "it is in Echo");
    over(world, "cisco");
}

fn the_call_of_a_number_that_is_not_there_stays(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:77@192.0.2.1>");
    world.until(|w| told(w, "desk") == [100, 404]);
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "desk", true);
    // And another one may follow.
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco") && told(w, "desk").ends_with(&[200]));
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(1));
    over(world, "client");
}

fn the_call_of_a_busy_line_comes_back(world: &mut Testbed) {
    world.phone("cisco").habit(|habits| habits.refuse = Some(486));
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| told(w, "desk") == [100, 486]);
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "desk", true);
    over(world, "desk");
}

fn the_call_of_a_caller_comes_back(world: &mut Testbed) {
    world.phone("cisco").habit(|habits| habits.refuse = Some(486));
    talk(world, "client", "1", "desk");
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_secs(3));
    refer(world, "client", "<sip:2@192.0.2.1>");
    world.until(|w| told(w, "client") == [100, 486]);
    world.phone("client").reoffers(Change::Resume);
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn who_hangs_up_at_once_is_not_missed(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| is_answered(w, "desk", "202"));
    world.phone("desk").hangs_up();
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

fn who_never_hangs_up_is_hung_up(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:4@192.0.2.1>");
    world.until(|w| !w.look("desk").has_call());
    assert_eq!(told(world, "desk"), [100, 200]);
    world.run(Duration::from_secs(1));
    over(world, "client");
}

fn who_is_transferred_gives_up(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    over(world, "client");
    assert!(!world.is_perfect() || told(world, "desk").last() == Some(&487));
}

/// Where the call goes nobody answers, and nothing is played: after three minutes the telephone is told that it is done, and
/// whom it transferred waits on.
fn who_transfers_does_not_wait_for_ever(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:11@192.0.2.1>");
    world.run(Duration::from_secs(170));
    assert!(world.look("desk").has_call() && told(world, "desk").iter().all(|status| *status == 100));
    world.until(|w| {
        w.has_line("SIP/desk-00000001 waits no longer for where it transferred SIP/client-00000000: nobody has")
    });
    world.until(|w| told(w, "desk").contains(&200) && !w.look("desk").has_call());
    world.run(Duration::from_secs(60));
    assert!(world.is_talking("client"));
    over(world, "client");
}

fn where_to_is_looked_up_where_the_caller_said(world: &mut Testbed) {
    talk(world, "client", "3", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| told(w, "desk") == [100, 404]);
    refer(world, "desk", "<sip:9@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    world.phone("desk").hangs_up();
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    over(world, "cisco");
}

fn a_transfer_into_an_application_is_done(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "client", "<sip:4@192.0.2.1>");
    world.until(|w| told(w, "client") == [100, 200]);
    world.phone("client").hangs_up();
    world.until(|w| !w.look("client").has_call());
    assert!(world.is_talking("desk"));
    over(world, "desk");
}

fn a_direct_call_is_transferred(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    world.run(Duration::from_secs(5));
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(15));
    world.assert_agreed("client", "cisco", false);
    over(world, "client");
}

fn nobody_is_told_who_does_not_want_to_be(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    let fields = [("Refer-To", "<sip:4@192.0.2.1>"), ("Refer-Sub", "false"), ("Require", "norefersub")];
    world.phone("desk").requests(Method::Refer, &fields);
    world.until(|w| is_answered(w, "desk", "202"));
    world.until(|w| !w.look("desk").has_call());
    assert!(world.texts("desk", &["202", "REFER"])[0].contains("Refer-Sub: false"));
    assert!(told(world, "desk").is_empty());
    over(world, "client");
}

fn two_calls_are_connected(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    world.phone("desk").reoffers(Change::Hold);
    world.run(Duration::from_secs(2));
    talk(world, "desk2", "2", "cisco");
    connect(world);
    world.until(|w| told(w, "desk") == [100, 200] && !w.look("desk2").has_call());
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "cisco", true);
    over(world, "cisco");
}

fn two_direct_calls_are_connected(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    talk(world, "desk2", "2", "cisco");
    world.run(Duration::from_secs(5));
    connect(world);
    world.until(|w| told(w, "desk") == [100, 200] && !w.look("desk2").has_call());
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(15));
    world.assert_agreed("client", "cisco", false);
    over(world, "cisco");
}

/// The re-INVITE that takes it off hold is refused with 491, and somebody answers before it is made again.
fn who_was_held_is_not_when_its_own_offer_met_ours(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    world.phone("desk").reoffers(Change::Hold);
    world.run(Duration::from_secs(3));
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.phone("client").reoffers(Change::T38);
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco") && told(w, "desk").last() == Some(&200));
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

/// RFC 3264 8.3.2: whoever offers one codec alone speaks no other from then on.
fn two_calls_in_two_codecs_are_connected_in_the_one_that_both_speak(world: &mut Testbed) {
    second(world);
    talk(world, "desk", "2", "cisco");
    talk(world, "desk2", "7", "isp");
    world.phone("cisco").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.look("cisco").payload_type() == Some(8));
    world.run(Duration::from_secs(3));
    let to = format!("<sip:2@192.0.2.1?Replaces={}>", replaces(world, "desk"));
    refer(world, "desk2", &to);
    world.until(|w| told(w, "desk2") == [100, 200] && !w.look("desk").has_call());
    world.phone("desk2").hangs_up();
    world.run(Duration::from_secs(8));
    world.assert_agreed("isp", "cisco", true);
    over(world, "isp");
}

fn a_call_is_connected_with_one_that_rings(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    world.phone("desk2").dials("2");
    world.until(|w| w.is_called("cisco"));
    world.run(Duration::from_secs(2));
    if !world.saw("desk2", &PhoneEvent::Ringing) {
        // The network lost that: then the telephone knows of no call that it could connect.
        world.phone("client").hangs_up();
        world.phone("desk2").hangs_up();
        return world.until_over();
    }
    connect(world);
    world.until(|w| told(w, "desk") == [100, 200] && !w.look("desk2").has_call());
    assert!(world.is_called("cisco"), "it rings on");
    world.phone("desk").hangs_up();
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

fn a_call_is_connected_with_an_application(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    world.phone("desk2").dials("4");
    world.until(|w| w.is_talking("desk2"));
    world.run(Duration::from_secs(1));
    let to = format!("<sip:4@192.0.2.1?Replaces={}>", replaces(world, "desk2"));
    refer(world, "desk", &to);
    world.until(|w| told(w, "desk") == [100, 200] && !w.look("desk2").has_call());
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(5));
    let echo = world.media.streams.values().find(|it| matches!(it.doing, crate::media::Doing::Echo)).unwrap();
    assert_eq!(echo.remote.and_then(|remote| remote.rtp), Some(world.look("client").rtp()));
    over(world, "client");
}

fn a_call_that_is_not_its_own_is_not_connected(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    talk(world, "isp", "2", "cisco");
    let to = format!("<sip:2@192.0.2.1?Replaces={}>", replaces(world, "isp"));
    refer(world, "desk", &to);
    world.until(|w| told(w, "desk") == [100, 603]);
    world.assert_agreed("client", "desk", true);
    world.assert_agreed("isp", "cisco", true);
    world.phone("client").hangs_up();
    over(world, "isp");
}

fn who_may_not_is_declined(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| is_answered(w, "desk", "603 Declined (policy)"));
    assert!(world.has_line("transfer refused with 603"));
    over(world, "client");
}

fn the_call_of_a_modem_is_left_alone(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:2@192.0.2.1>");
    world.until(|w| is_answered(w, "desk", "603"));
    assert!(world.has_line("'client' is line=modem: its calls are not transferred"));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn what_cannot_be_read_is_refused(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    for (to, status) in [
        ("<tel:+15551234>", "603"),
        ("<sip:2@192.0.2.1;method=BYE>", "603"),
        ("<sip:2@192.0.2.1?Replaces=x>", "400"),
        ("\"", "400"),
    ] {
        let before = world.messages("exchange", "desk", &[status, "REFER"]).len();
        refer(world, "desk", to);
        world.until(|w| w.messages("exchange", "desk", &[status, "REFER"]).len() > before);
    }
    world.phone("desk").requests(Method::Refer, &[]);
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn a_call_is_taken_over(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    let ids = called(world, "desk", "200 OK");
    world.add_header("desk2", &format!("Replaces: {ids}\r\nRequire: replaces"));
    world.phone("desk2").dials("x");
    world.until(|w| w.is_talking("desk2") && !w.look("desk").has_call());
    world.run(Duration::from_secs(5));
    world.assert_agreed("client", "desk2", true);
    over(world, "client");
}

fn a_call_that_rings_is_picked_up(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk"));
    world.run(Duration::from_secs(1));
    let ids = called(world, "desk", "180");
    world.add_header("isp", &format!("Replaces: {ids};early-only"));
    world.phone("isp").dials("x");
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.until(|w| !w.look("desk").has_call());
    world.run(Duration::from_secs(5));
    world.assert_agreed("client", "isp", true);
    over(world, "isp");
}

fn what_may_not_be_taken_over_is_not(world: &mut Testbed) {
    second(world);
    talk(world, "client", "1", "desk");
    let ids = called(world, "desk", "200 OK");
    for (who, fields, status) in [
        ("isp", format!("Replaces: {ids}"), 403),
        ("desk2", format!("Replaces: {ids};early-only"), 486),
        ("desk2", "Replaces: a@b;to-tag=1;from-tag=2".to_owned(), 481),
        ("desk2", "Replaces: a@b;to-tag=1".to_owned(), 400),
    ] {
        world.add_header(who, &fields);
        world.phone(who).dials("x");
        world.until(|w| w.saw(who, &PhoneEvent::Failed(status)));
    }
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn a_program_sends_a_caller_elsewhere(world: &mut Testbed) {
    world.phone("client").dials("5");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(302)));
    let moved = world.texts("client", &["302"]).pop().unwrap();
    assert!(moved.contains("Contact: <sip:2@192.0.2.1:5060>"), "{moved}");
    world.until_over();
    world.phone("client").dials("6");
    world.until(|w| w.has_line("it was FAILURE"));
    let refer = world.texts("client", &["REFER "]).pop().unwrap();
    assert!(refer.contains("Refer-To: <sip:2@192.0.2.99>"), "{refer}");
    world.until_over();
}

fn a_program_learns_how_that_went(world: &mut Testbed) {
    for (outcome, word) in [(200, "SUCCESS"), (486, "FAILURE")] {
        world.forgets();
        world.phone("client").habit(|habits| habits.refer_outcome = Some(outcome));
        world.phone("client").dials("6");
        world.until(|w| w.has_line(&format!("it was {word}")));
        world.until_over();
    }
}

/// The desk has called both, and is gone: who of them hung up stands in their own record.
fn two_called_lines_have_a_record_of_their_own(world: &mut Testbed) {
    second(world);
    for (by, ended_by) in [("cisco", HangupBy::Callee), ("client", HangupBy::Caller)] {
        world.forgets();
        talk(world, "desk", "8", "client");
        talk(world, "desk2", "2", "cisco");
        connect(world);
        world.until(|w| told(w, "desk").last() == Some(&200) && !w.look("desk2").has_call());
        world.phone("desk").hangs_up();
        world.run(Duration::from_secs(20));
        over(world, by);
        world.assert_nothing_left();
        let records = world.kept.iter().filter_map(|order| match order {
            StoreOrder::Call(record) => {
                Some((record.source.clone(), record.destination.clone(), record.as_ref().clone()))
            }
            _ => None,
        });
        let records: Vec<_> = records.collect();
        assert_eq!(records.len(), 3, "{records:?}");
        let own = &records.iter().find(|(source, to, _)| source == "client" && to == "cisco").unwrap().2;
        assert!(own.called_channel.starts_with("SIP/cisco-") && own.channel.starts_with("SIP/client-"));
        assert_eq!((own.application.as_str(), own.ended_by), ("Transfer", ended_by));
        assert_eq!(own.billed, own.duration);
        assert!((20..30).contains(&own.billed.as_secs()) || !world.is_perfect(), "{:?}", own.billed);
        assert!(own.codec == "ulaw" && own.called_rtp.is_some() && own.caller_rtp.is_some());
    }
}
