//! The option letters of Dial, each in a call.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};

const PLAN: &str = "[default]\n\
    exten => 10,1,Dial(SIP/desk,20,U(screen^ok))\n\
    exten => 11,1,Dial(SIP/desk,20,U(screen^BUSY))\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Hangup()\n\
    exten => 12,1,Dial(SIP/desk,20,M(screen^CONTINUE))\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Answer()\n\
     same => n,Wait(1)\n\
    exten => 13,1,Dial(SIP/desk,20,U(screen^ABORT))\n same => n,Verbose(1,never here)\n\
    exten => 14,1,Dial(SIP/desk,20,U(elsewhere))\n\
    exten => 15,1,Dial(SIP/desk,20,A(beep)a)\n\
    exten => 38,1,Dial(SIP/desk,20,A(beep:beep))\n\
    exten => 16,1,Dial(SIP/desk&SIP/isp,20,b(header^s^1(one))cQ(17))\n\
    exten => 17,1,Set(BEFORE=no)\n same => n,Dial(SIP/desk,20,B(own^s^1(two))g)\n same => n,Verbose(1,it was ${GOT})\n\
    exten => 18,1,Dial(SIP/desk,20,S(3))\n\
    exten => 19,1,Dial(SIP/desk,20,L(4000:1000))\n\
    exten => 20,1,Dial(SIP/desk,20,F(default^31^1))\n\
    exten => 21,1,Dial(SIP/desk,20,F)\n same => n,Verbose(1,${CHANNEL} goes on)\n same => n,Wait(1)\n\
    exten => 22,1,Dial(SIP/desk,20,G(default^32^1))\n\
    exten => 23,1,Dial(SIP/desk,20,e)\n\
    exten => 24,1,Set(EXITCONTEXT=exits)\n same => n,Dial(SIP/desk,20,d)\n\
    exten => 25,1,Dial(SIP/isp,20,i)\n same => n,Verbose(1,after ${DIALSTATUS})\n\
    exten => 26,1,Dial(SIP/isp,3,z)\n\
    exten => 27,1,Dial(SIP/desk,20,u(prohib))\n\
    exten => 28,1,Dial(SIP/desk,20,o(4711)U(whoami))\n\
    exten => 29,1,Dial(SIP/isp,20,f(0800))\n\
    exten => 30,1,Verbose(1,went there)\n same => n,Answer()\n same => n,Wait(1)\n\
    exten => 31,1,Verbose(1,${CHANNEL} stays)\n same => n,Wait(1)\n\
    exten => 32,1,Verbose(1,apart ${CHANNEL})\n same => n,Wait(1)\n same => n,Hangup()\n\
    exten => 33,1,SIPAddHeader(X-One: 1)\n same => n,SIPAddHeader(Via: forged)\n same => n,SIPAddHeader(X-Two: 2)\n\
     same => n,SIPRemoveHeader(X-Two)\n same => n,Verbose(1,came with ${SIP_HEADER(X-Test)} of ${SIPCHANINFO(peername)} to ${SIPDOMAIN}.)\n\
     same => n,Dial(SIP/desk,20)\n\
    exten => 34,1,RetryDial(beep,1,2,SIP/desk,2)\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Hangup()\n\
    exten => 35,1,ChanIsAvail(SIP/nobody&SIP/desk)\n same => n,Verbose(1,${AVAILORIGCHAN} is ${AVAILSTATUS})\n\
    exten => 36,1,Set(GROUP(line)=out)\n same => n,Verbose(1,there are ${GROUP_COUNT(out@line)} and ${GROUP_LIST()})\n\
     same => n,Set(OUTBOUND_GROUP=called)\n same => n,Dial(SIP/desk,20)\n\
    exten => 37,1,Verbose(1,called ${GROUP_COUNT(called)} all ${GROUP_MATCH_COUNT(o.*@line)})\n\
    exten => 39,1,Dial(SIP/desk,20,U(asks))\n\
    exten => 40,1,Dial(SIP/desk,20,U(lasts))\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Wait(1)\n\
    exten => 41,1,Dial(SIP/desk,20,U(hangs))\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Wait(1)\n\
    exten => 42,1,Dial(Local/43@default,20,U(asks))\n\
    exten => 43,1,Dial(SIP/desk,20,eU(screen^ok))\n\
    exten => 44,1,Dial(Local/45@default,20,U(counts))\n same => n,Verbose(1,after ${DIALSTATUS})\n\
    exten => 45,1,Dial(SIP/desk,20,D(12))\n\
    exten => 46,1,Dial(SIP/desk,20,U(runsout))\n\
    exten => 47,1,Dial(SIP/desk,20,U(hangs^17))\n same => n,Verbose(1,after ${DIALSTATUS} ${HANGUPCAUSE})\n same => n,Wait(1)\n\
    exten => 48,1,Dial(SIP/desk,20,U(screen^CHANUNAVAIL))\n same => n,Verbose(1,after ${DIALSTATUS} ${GOSUB_RETVAL})\n same => n,Wait(1)\n\
    exten => 60,1,Answer()\n same => n,Dial(SIP/desk,20,P)\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Hangup()\n\
    exten => 61,1,Dial(SIP/desk,20,p)\n same => n,Verbose(1,after ${DIALSTATUS})\n same => n,Hangup()\n\
    exten => 62,1,Dial(SIP/desk,20,pN)\n\
    exten => 63,1,Dial(SIP/desk,20,L(10000:6000:4000))\n\
    exten => 64,1,Set(LIMIT_WARNING_FILE=beep)\n same => n,Set(LIMIT_TIMEOUT_FILE=beep)\n same => n,Set(LIMIT_PLAYAUDIO_CALLEE=yes)\n\
     same => n,Dial(SIP/desk,20,L(5000:3000))\n\
    exten => 65,1,Dial(Local/66@default,20)\n\
    exten => 66,1,Dial(SIP/desk,20,G(default^31^1))\n same => n,Verbose(1,never)\n\
    exten => 67,1,Dial(Local/68@default,20)\n\
    exten => 68,1,Dial(SIP/desk,20,F(default^31^1))\n\
    exten => h,1,Verbose(1,h of ${CHANNEL})\n\
    [counts]\n\
    exten => s,1,Verbose(1,counting)\n same => n,Wait(2)\n same => n,Return()\n\
    [runsout]\n\
    exten => s,1,Verbose(1,running out)\n\
    [screen]\n\
    exten => s,1,Verbose(1,screening ${CHANNEL} with ${ARG1})\n same => n,Playback(beep)\n\
     same => n,Set(GOSUB_RESULT=${ARG1})\n same => n,Return(back)\n\
    [asks]\n\
    exten => s,1,Verbose(1,asking)\n same => n,Read(x,,1)\n same => n,Verbose(1,pressed ${x})\n same => n,Return()\n\
    [lasts]\n\
    exten => s,1,Set(TIMEOUT(absolute)=5)\n same => n,Wait(60)\n same => n,Return()\n\
    [hangs]\n\
    exten => s,1,Hangup(${ARG1})\n\
    [elsewhere]\n\
    exten => s,1,Set(GOSUB_RESULT=GOTO:default^30^1)\n same => n,Return()\n\
    [macro-screen]\n\
    exten => s,1,Set(MACRO_RESULT=${ARG1})\n\
    [header]\n\
    exten => s,1,SIPAddHeader(X-Arg: ${ARG1})\n same => n,Return()\n\
    [own]\n\
    exten => s,1,Set(GOT=${ARG1})\n same => n,Return()\n\
    [whoami]\n\
    exten => s,1,Verbose(1,called by ${CALLERID(num)})\n same => n,Return()\n\
    [exits]\n\
    exten => 5,1,Verbose(1,left by 5)\n same => n,Answer()\n same => n,Wait(1)\n\
    [forwarded]\n\
    exten => 201,1,Verbose(1,forwarded by ${CALLERID(num)})\n same => n,Wait(4)\n same => n,Dial(SIP/desk,20)\n";

stories! {
    a_gosub_runs_on_the_line_before_it_is_connected(SIP, PLAN);
    what_the_gosub_says_is_done(SIP, PLAN);
    whoever_hangs_up_meanwhile_ends_it(SIP, PLAN);
    a_gosub_on_the_line_gets_its_digits(SIP, PLAN);
    each_dial_on_the_way_has_its_gosub(SIP, PLAN);
    digits_of_a_dial_on_the_way_come_before_the_gosub(SIP, PLAN);
    a_gosub_that_runs_out_connects_the_line(SIP, PLAN);
    the_gosub_says_how_its_line_ended(SIP, PLAN);
    the_caller_goes_on_when_the_gosub_ends_the_line(SIP, PLAN);
    an_announcement_is_played_to_the_line_that_answered(SIP, PLAN);
    a_gosub_before_the_call_adds_a_header_and_others_learn_why_they_ring_no_more(SIP, PLAN);
    a_gosub_on_the_own_channel_comes_first(SIP, PLAN);
    a_call_has_its_limit(SIP, PLAN);
    the_called_line_goes_on(SIP, PLAN);
    both_go_on_apart(SIP, PLAN);
    h_runs_for_the_called_line_too(SIP, PLAN);
    forwarding_lines(SIP.replacen("context=default\ndirectmedia=no\nnat=no\n[desk]", "context=forwarded\ndirectmedia=no\nnat=no\n[desk]", 1), PLAN);
    who_is_said_to_call(SIP, PLAN);
    header_fields_come_and_go(SIP, PLAN);
    again_and_again(SIP, PLAN);
    groups_count_calls(SIP, PLAN);
    whoever_answers_decides_and_is_remembered(SIP, PLAN);
    nobody_is_screened_twice_or_without_reason(SIP, PLAN);
    a_call_is_warned_of_its_end(SIP, PLAN);
    a_modem_is_not_warned(modem(), PLAN);
    letters_within_a_local(SIP, PLAN);
}

fn dials(world: &mut Testbed, number: &str) {
    world.lines.clear();
    world.stations.values_mut().for_each(|station| station.events.clear());
    world.phone("client").dials(number);
}

fn answered(world: &mut Testbed, number: &str) {
    dials(world, number);
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
}

/// Was a message with this method and all these words sent to a line?
fn was_sent(world: &Testbed, line: &str, method: &str, words: &str) -> bool {
    world.texts(line, &[method]).iter().any(|text| text.starts_with(method) && text.contains(words))
}

fn talking(world: &mut Testbed, number: &str) {
    answered(world, number);
    world.until(|w| w.is_talking("desk") && w.is_talking("client"));
}

fn over(world: &mut Testbed) {
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_gosub_runs_on_the_line_before_it_is_connected(world: &mut Testbed) {
    answered(world, "10");
    world.until(|w| w.has_line("screening SIP/desk-"));
    assert!(!world.is_talking("client"), "it still rings");
    world.until(|w| w.is_talking("client"));
    assert!(world.media.played.contains(&1600));
    world.assert_agreed("client", "desk", true);
    over(world);
}

fn what_the_gosub_says_is_done(world: &mut Testbed) {
    for (number, line) in [("11", "after BUSY"), ("12", "after ANSWER"), ("14", "went there")] {
        answered(world, number);
        world.until(|w| w.has_line(line));
        world.until(|w| !w.is_talking("desk"));
        over(world);
    }
    answered(world, "13");
    world.until(|w| w.has_line("with ABORT"));
    world.until_over();
    assert!(!world.has_line("never here"));
}

fn whoever_hangs_up_meanwhile_ends_it(world: &mut Testbed) {
    for who in ["client", "desk"] {
        answered(world, "10");
        world.until(|w| w.has_line("screening SIP/desk-"));
        world.phone(who).hangs_up();
        world.until(|w| !w.is_talking("desk"));
        over(world);
    }
}

fn a_gosub_on_the_line_gets_its_digits(world: &mut Testbed) {
    answered(world, "39");
    world.until(|w| w.has_line("asking") && w.is_talking("desk"));
    world.phone("desk").presses('1');
    world.until(|w| w.has_line("pressed 1"));
    world.until(|w| w.is_talking("client"));
    over(world);
}

fn each_dial_on_the_way_has_its_gosub(world: &mut Testbed) {
    answered(world, "42");
    world.until(|w| w.has_line("screening SIP/desk-"));
    world.until(|w| w.has_line("asking") && w.is_talking("desk"));
    assert!(!world.has_line("does nothing"));
    world.run(Duration::from_secs(1));
    assert!(!world.is_talking("client"), "the outer Dial asks first");
    world.phone("desk").presses('1');
    world.until(|w| w.is_talking("client"));
    over(world);
}

fn digits_of_a_dial_on_the_way_come_before_the_gosub(world: &mut Testbed) {
    answered(world, "44");
    world.until(|w| w.has_line("counting"));
    let sent: Vec<char> = world.media.pressed.iter().map(|pressed| pressed.1).collect();
    assert_eq!(sent, ['1', '2']);
    assert!(!world.is_talking("client"));
    world.until(|w| w.is_talking("client"));
    world.assert_agreed("client", "desk", true);
    over(world);
    // Whoever leaves meanwhile leaves nothing.
    for who in ["desk", "client"] {
        world.media.pressed.clear();
        answered(world, "44");
        world.until(|w| w.media.pressed.len() == 1);
        world.phone(who).hangs_up();
        world.until(|w| !w.is_talking("desk"));
        over(world);
        assert!(!world.has_line("counting"), "{who}");
    }
}

/// As with Asterisk, which takes it for a line that is accepted, too, and says so.
fn a_gosub_that_runs_out_connects_the_line(world: &mut Testbed) {
    answered(world, "46");
    world.until(|w| w.has_line("the subroutine ran out at s@runsout:2 without Return"));
    world.until(|w| w.is_talking("client"));
    world.assert_agreed("client", "desk", true);
    over(world);
}

fn the_gosub_says_how_its_line_ended(world: &mut Testbed) {
    for (number, line) in [("47", "after BUSY 17"), ("48", "after CHANUNAVAIL back")] {
        answered(world, number);
        world.until(|w| w.has_line(line));
        world.until(|w| !w.is_talking("desk"));
        over(world);
    }
}

fn the_caller_goes_on_when_the_gosub_ends_the_line(world: &mut Testbed) {
    for number in ["40", "41"] {
        answered(world, number);
        world.until(|w| w.has_line("after NOANSWER"));
        world.until(|w| !w.is_talking("desk"));
        assert!(!world.is_talking("client"));
        over(world);
    }
}

fn an_announcement_is_played_to_the_line_that_answered(world: &mut Testbed) {
    answered(world, "15");
    world.until(|w| w.is_talking("client"));
    world.until(|w| w.media.played.contains(&1600));
    world.run(Duration::from_secs(1));
    world.assert_agreed("client", "desk", true);
    over(world);
    let before = world.media.played.len();
    answered(world, "38");
    world.until(|w| w.is_played_to("desk") && w.is_played_to("client"));
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(1));
    assert_eq!(world.media.played.len(), before + 2);
    world.assert_agreed("client", "desk", true);
    over(world);
}

fn a_gosub_before_the_call_adds_a_header_and_others_learn_why_they_ring_no_more(world: &mut Testbed) {
    dials(world, "16");
    world.until(|w| w.is_called("desk") && w.is_called("isp"));
    for line in ["desk", "isp"] {
        assert!(was_sent(world, line, "INVITE", "X-Arg: one"), "{line}");
    }
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(1));
    let reason = "cause=200;text=\"Call completed elsewhere\", Q.850;cause=17";
    assert!(was_sent(world, "isp", "CANCEL", reason), "{:?}", world.texts("isp", &["CANCEL"]));
    over(world);
}

fn a_gosub_on_the_own_channel_comes_first(world: &mut Testbed) {
    talking(world, "17");
    world.phone("desk").hangs_up();
    world.until(|w| w.has_line("it was two"));
    over(world);
}

fn a_call_has_its_limit(world: &mut Testbed) {
    for (number, seconds) in [("18", 3), ("19", 4)] {
        answered(world, number);
        let when = |w: &Testbed, words: &str| w.lines.iter().find(|(_, line)| line.contains(words)).map(|(at, _)| *at);
        world.until(|w| when(w, "has lasted as long as Dial allows").is_some());
        let lasted = when(world, "has lasted").unwrap().since(when(world, "answered SIP/client-").unwrap());
        assert_eq!(lasted, Duration::from_secs(seconds));
        world.until_over();
    }
    answered(world, "18");
    world.until(|w| w.has_line("answered SIP/client-"));
    over(world);
}

fn the_called_line_goes_on(world: &mut Testbed) {
    for (number, line) in [("20", "stays"), ("21", "goes on")] {
        talking(world, number);
        world.phone("client").hangs_up();
        world.until(|w| w.has_line(line));
        assert!(world.has_line("SIP/desk-"));
        world.run(Duration::from_millis(300));
        assert!(world.is_talking("desk"), "{number}");
        world.until_over();
    }
    talking(world, "20");
    world.phone("desk").hangs_up();
    world.until_over();
    assert!(!world.has_line("stays"), "it was not the caller");
}

fn both_go_on_apart(world: &mut Testbed) {
    answered(world, "22");
    world.until(|w| w.has_line("apart SIP/client-") && w.has_line("h of SIP/desk-"));
    world.until(|w| !w.is_talking("desk") && !w.is_talking("client"));
    world.until_over();
}

fn h_runs_for_the_called_line_too(world: &mut Testbed) {
    for who in ["client", "desk"] {
        talking(world, "23");
        world.phone(who).hangs_up();
        world.until_over();
        assert!(world.has_line("h of SIP/desk-") && world.has_line("h of SIP/client-"), "{who}");
    }
}

fn forwarding_lines(world: &mut Testbed) {
    dials(world, "24");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").sounds();
    world.run(Duration::from_millis(300));
    world.hears_key("client", '4');
    world.hears_key("client", '5');
    world.until(|w| w.has_line("left by 5"));
    over(world);
    world.add_to("isp", "SIP/2.0 302", "Contact: <sip:201@192.0.2.1>");
    world.phone("isp").habit(|habits| habits.refuse = Some(302));
    dials(world, "25");
    world.until(|w| w.has_line("after "));
    assert!(!world.has_line("forwarded by"));
    over(world);
    dials(world, "29");
    world.until(|w| w.has_line("forwarded by 0800"));
    over(world);
    dials(world, "26");
    world.until(|w| w.has_line("forwarded by"));
    world.until(|w| w.is_called("desk"));
    over(world);
}

fn who_is_said_to_call(world: &mut Testbed) {
    dials(world, "27");
    world.until(|w| w.is_called("desk"));
    assert!(was_sent(world, "desk", "INVITE", "anonymous"));
    over(world);
    answered(world, "28");
    world.until(|w| w.has_line("called by 4711"));
    world.until(|w| w.is_talking("client"));
    over(world);
}

fn header_fields_come_and_go(world: &mut Testbed) {
    world.add_header("client", "X-Test: from the client");
    dials(world, "33");
    world.until(|w| w.is_called("desk"));
    assert!(world.has_line("came with from the client of client to 192.0.2.1."));
    assert!(was_sent(world, "desk", "INVITE", "X-One: 1"));
    assert!(!was_sent(world, "desk", "INVITE", "forged") && world.has_line("is not added to the INVITE"));
    assert!(!was_sent(world, "desk", "INVITE", "X-Two"));
    over(world);
}

fn again_and_again(world: &mut Testbed) {
    dials(world, "34");
    world.until(|w| w.has_line("after NOANSWER"));
    assert!(world.lines.iter().filter(|(_, line)| line.contains("Called SIP/desk")).count() == 2);
    world.until_over();
    dials(world, "35");
    world.until(|w| w.has_line("SIP/desk is 1"));
    over(world);
}

fn groups_count_calls(world: &mut Testbed) {
    dials(world, "36");
    world.until(|w| w.is_called("desk"));
    assert!(world.has_line("there are 1 and out@line"));
    world.phone("cisco").dials("37");
    world.until(|w| w.has_line("called 1 all 1"));
    world.phone("cisco").hangs_up();
    over(world);
    dials(world, "37");
    world.until(|w| w.has_line("called 0 all 0"));
    over(world);
}

/// Random script 8817: the line holds the call while a sound is played to it, before it is connected to a caller that was
/// answered by the dialplan.
#[test]
fn a_line_that_holds_during_its_announcement_holds_the_caller() {
    let plan = "[default]\nexten => _X.,1,Answer()\n same => n,Dial(SIP/desk,20,A(beep&beep&beep&beep))\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("100");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk"));
    world.phone("desk").reoffers(Change::Hold);
    world.until(|w| w.saw("desk", &PhoneEvent::RenegotiationAccepted));
    world.until(|w| w.saw("client", &PhoneEvent::OnHold));
    world.run(Duration::from_secs(5));
    world.phone("desk").reoffers(Change::Resume);
    world.until(|w| w.look("client").media().is_some());
    world.run(Duration::from_secs(5));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

fn modem() -> String {
    SIP.replace("[desk]\n", "[desk]\nline=modem\n")
}

/// The caller says a name, whoever answers hears it and presses a key; the next time the database knows.
fn whoever_answers_decides_and_is_remembered(world: &mut Testbed) {
    world.files = Some(std::collections::BTreeMap::new());
    world.sounds.has_all = true;
    let asked = |world: &mut Testbed, key: char| {
        dials(world, "60");
        world.until(|w| !w.media.recordings.is_empty());
        let (_, _, plan) = &world.media.recordings[0];
        assert_eq!(plan.files[0].path, "/state/recordings/priv-callerintros/client.wav");
        world.end_recordings(&strowger::pbx::recording::RecordingEnd::Until);
        world.until(|w| w.is_called("desk"));
        world.phone("desk").answers();
        world.until(|w| {
            w.prompts.last().is_some_and(|(_, names)| names.contains("priv-callee-options")) && w.is_talking("desk")
        });
        assert!(world.prompts.last().unwrap().1.starts_with("priv-callpending&priv-callerintros/client&"));
        world.phone("desk").presses(key);
    };
    asked(world, '4');
    world.until(|w| w.has_line("after DONTCALL"));
    world.until_over();
    dials(world, "60");
    world.until(|w| w.has_line("after DONTCALL"));
    assert!(!world.is_called("desk"), "the database says so");
    world.until_over();
    world.switch.database().put("/privacy/60/client", "").unwrap();
    asked(world, '1');
    world.until(|w| w.has_line("answered SIP/client-"));
    world.run(Duration::from_millis(500));
    world.assert_agreed("client", "desk", true);
    over(world);
    assert_eq!(world.switch.database().get("/privacy/60/client").as_deref(), Some("allow"));
    talking(world, "60");
    over(world);
}

fn nobody_is_screened_twice_or_without_reason(world: &mut Testbed) {
    world.files = Some(std::collections::BTreeMap::new());
    world.sounds.has_all = true;
    // Who is not answered says no name, and is asked for all the same.
    answered(world, "61");
    assert!(world.has_line("says no name"));
    world.until(|w| {
        w.prompts.last().is_some_and(|(_, names)| names == "priv-callpending&screen-callee-options")
            && w.is_talking("desk")
    });
    world.phone("desk").presses('2');
    world.until(|w| w.has_line("after NOANSWER"));
    world.until_over();
    talking(world, "62");
    over(world);
    answered(world, "61");
    world.until(|w| w.prompts.len() > 1 && w.is_talking("desk"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_call_is_warned_of_its_end(world: &mut Testbed) {
    world.sounds.has_all = true;
    talking(world, "63");
    let before = world.prompts.len();
    let since = world.lines.iter().find(|(_, line)| line.contains("answered SIP/client-")).unwrap().0;
    let heard = |w: &Testbed| w.prompts.iter().skip(before).map(|(_, names)| names.clone()).collect::<Vec<_>>();
    // The warning lasts from 4 s to 5.5 s, the second one from 8 s on.
    world.run(Duration::from_secs(7) - world.now.since(since));
    assert_eq!(heard(world), ["vm-youhave&digits/6&queue-seconds"]);
    world.assert_connected("client", "desk", true);
    world.until(|w| w.has_line("has lasted as long as Dial allows"));
    assert_eq!(heard(world)[1..], ["vm-youhave&digits/2&queue-seconds"]);
    world.until_over();
    talking(world, "64");
    let before = world.prompts.len();
    world.until(|w| w.has_line("has lasted as long as Dial allows"));
    let heard: Vec<&str> = world.prompts.iter().skip(before).map(|(_, names)| names.as_str()).collect();
    assert_eq!(heard, ["beep"; 4], "both hear the warning, and the end");
    world.until_over();
    talking(world, "63");
    world.run(Duration::from_millis(4_100));
    world.phone("desk").hangs_up();
    world.until_over();
}

fn a_modem_is_not_warned(world: &mut Testbed) {
    world.sounds.has_all = true;
    talking(world, "63");
    let before = world.prompts.len();
    world.until(|w| w.has_line("has lasted as long as Dial allows"));
    assert!(world.prompts.len() == before && world.has_line("nothing is played into it (Dial option L)"));
    world.until_over();
}

fn letters_within_a_local(world: &mut Testbed) {
    answered(world, "65");
    world.until(|w| w.has_line("stays") && !w.has_line("never"));
    world.until_over();
    talking(world, "67");
    world.phone("client").hangs_up();
    world.until(|w| w.has_line("SIP/desk-00000") && w.has_line("stays"));
    assert!(world.is_talking("desk"));
    world.until_over();
    dials(world, "42");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.has_line("asking") && w.is_talking("desk"));
    world.phone("desk").presses('1');
    world.until(|w| w.is_talking("client"));
    world.phone("desk").hangs_up();
    world.until_over();
    assert!(world.has_line("h of SIP/desk-"));
}
