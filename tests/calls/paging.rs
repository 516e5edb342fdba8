//! Paging: telephones answer by themselves and hear one, or each other.

use crate::media::Doing;
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::pbx::recording::{RecordingEnd, Sides};
use strowger::pbx::switch::orders::Order;
use strowger::sim::Change;

const CLIENT: &str = "192.0.2.20:16420";
const DESK: &str = "192.0.2.30:5004";
const CISCO: &str = "192.0.2.40:24598";

const PLAN: &str = "[default]\n\
    exten => 1,1,Page(SIP/desk&SIP/cisco&SIP/client)\n same => n,Verbose(1,the page is over)\n same => n,Wait(1)\n\
    exten => 2,1,Page(SIP/desk&SIP/cisco,dq)\n same => n,Verbose(1,the page is over)\n\
    exten => 3,1,Page(SIP/desk&SIP/cisco,s,5)\n same => n,Verbose(1,the page is over)\n\
    exten => 4,1,Page(SIP/desk,qA(dinner))\n\
    exten => 5,1,SIPAddHeader(Alert-Info: mine)\n same => n,Page(SIP/desk,qnrA(dinner)b(default^hdr^1))\n same => n,Wait(1)\n\
    exten => 6,1,Page(SIP/desk,qB(default^before^1)x)\n\
    exten => 7,1,Page(Local/8@default&SIP/nobody,q)\n same => n,Verbose(1,the page is over)\n\
    exten => 8,1,Dial(SIP/cisco,20)\n\
    exten => 9,1,Page(Local/10@default,q)\n same => n,Verbose(1,the page is over)\n\
    exten => 10,1,Answer()\n same => n,Wait(20)\n\
    exten => 11,1,Page(SIP/desk,i)\n same => n,Verbose(1,the page is over)\n\
    exten => 77,1,Wait(30)\n\
    exten => hdr,1,SIPAddHeader(X-Room: kitchen)\n same => n,Return()\n\
    exten => before,1,Verbose(1,before the page)\n same => n,Return()\n";

stories! {
    everybody_hears_who_pages(SIP, PLAN);
    everybody_hears_everybody(SIP, PLAN);
    it_is_over_when_nobody_is_left(SIP, PLAN);
    lines_that_talk_are_left_out(SIP, PLAN);
    each_hears_an_announcement_first(SIP, PLAN);
    a_page_is_recorded_and_has_its_own_headers(SIP, PLAN);
    something_runs_before_the_page(SIP, PLAN);
    a_line_is_paged_through_the_dialplan(SIP, PLAN);
    a_dialplan_that_answers_itself_is_no_telephone(SIP, PLAN);
    who_forwards_is_left_out(SIP, PLAN);
    whoever_pages_goes_on_elsewhere(SIP, PLAN);
    a_telephone_holds_and_comes_back(SIP, PLAN);
    a_modem_is_never_paged(modem(), PLAN);
}

fn modem() -> String {
    SIP.replace("[desk]\n", "[desk]\nline=modem\n")
}

fn with_sounds(world: &mut Testbed) {
    world.sounds.add("beep", Duration::from_millis(200));
    world.sounds.add("dinner", Duration::from_secs(2));
}

fn is_fed(world: &Testbed, rtp: &str) -> bool {
    matches!(world.media.doing(rtp), Some(Doing::Fed(source)) if Some(*source) == world.media.stream_of(CLIENT))
}

/// Is a telephone called with these words in the INVITE?
fn is_asked(world: &Testbed, name: &str, words: &str) -> bool {
    world.texts(name, &["INVITE"]).iter().any(|text| text.contains(words))
}

fn is_mixed(world: &Testbed, rtp: &str) -> bool {
    matches!(world.media.doing(rtp), Some(Doing::Mixed(0)))
}

fn is_over(world: &Testbed) -> bool {
    world.has_line("the page is over")
}

/// The desk's telephone is a Grandstream, the other a Cisco; each is asked in its way, and the beep is heard as soon as
/// the first is there. The page goes on while one that did not answer by itself rings.
fn everybody_hears_who_pages(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk") && w.is_called("cisco"));
    assert!(world.has_line("Page: 'SIP/client' is not paged: it is the one who pages"));
    let call_info = "Call-Info: <sip:192.0.2.1>;answer-after=0\r\n";
    assert!(is_asked(world, "desk", call_info) && is_asked(world, "cisco", call_info));
    assert!(!is_asked(world, "desk", "Answer-Mode") && !is_asked(world, "desk", "Alert-Info"));
    assert!(world.prompts.is_empty());
    world.phone("desk").answers();
    world.until(|w| w.is_played_to("client"));
    world.until(|w| is_fed(w, DESK));
    world.phone("cisco").answers();
    world.until(|w| is_fed(w, CISCO) && is_fed(w, DESK));
    world.run(Duration::from_secs(1));
    world.phone("client").hangs_up();
    world.until(|w| !w.is_talking("desk") && !w.is_talking("cisco"));
    world.until_over();
}

fn everybody_hears_everybody(world: &mut Testbed) {
    world.phone("client").dials("2");
    world.until(|w| w.is_called("desk") && w.is_called("cisco"));
    world.phone("desk").answers();
    world.phone("cisco").answers();
    world.until(|w| is_mixed(w, CLIENT) && is_mixed(w, DESK) && is_mixed(w, CISCO));
    assert!(world.prompts.is_empty(), "option q");
    // One leaves, and the others talk on.
    world.phone("desk").hangs_up();
    world.until(|w| !w.is_talking("desk"));
    world.run(Duration::from_secs(1));
    assert!(is_mixed(world, CLIENT) && is_mixed(world, CISCO));
    world.phone("client").hangs_up();
    world.until_over();
}

fn it_is_over_when_nobody_is_left(world: &mut Testbed) {
    with_sounds(world);
    // One refuses, the other one hangs up.
    world.phone("desk").habit(|habits| habits.refuse = Some(486));
    world.phone("client").dials("2");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| is_mixed(w, CISCO));
    assert!(!is_over(world));
    world.phone("cisco").hangs_up();
    world.until(is_over);
    world.until_over();
    // Nobody answers in time.
    world.lines.clear();
    world.phone("desk").habit(|habits| habits.refuse = None);
    world.phone("client").dials("3");
    world.until(|w| w.is_called("desk") && w.is_called("cisco"));
    world.until(|w| w.has_line("Page: no telephone is there to hear it"));
    world.until_over();
    // Whoever pages hangs up while they ring.
    world.phone("client").dials("2");
    world.until(|w| w.is_called("desk") && w.is_called("cisco"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn lines_that_talk_are_left_out(world: &mut Testbed) {
    with_sounds(world);
    world.phone("desk").dials("77");
    world.until(|w| !w.channels().is_empty());
    world.phone("client").dials("3");
    world.until(|w| w.is_called("cisco"));
    assert!(world.has_line("Page: 'SIP/desk' is not paged: it has a call (option s)"));
    world.phone("cisco").answers();
    world.until(|w| is_fed(w, CISCO));
    world.phone("client").hangs_up();
    world.phone("desk").hangs_up();
    world.until_over();
}

fn each_hears_an_announcement_first(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("4");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_played_to("desk") && w.is_played_to("client"));
    assert!(world.prompts.iter().all(|(_, names)| names == "dinner"), "{:?}", world.prompts);
    world.run(Duration::from_secs(1));
    assert!(!is_fed(world, DESK));
    world.until(|w| is_fed(w, DESK));
    world.phone("client").hangs_up();
    world.until_over();
    // It hangs up meanwhile.
    world.phone("client").dials("4");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_played_to("desk"));
    world.phone("desk").hangs_up();
    world.until_over();
}

fn a_page_is_recorded_and_has_its_own_headers(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("5");
    world.until(|w| w.is_called("desk"));
    assert!(is_asked(world, "desk", "Alert-Info: mine\r\n") && is_asked(world, "desk", "X-Room: kitchen\r\n"));
    assert!(!is_asked(world, "desk", "Call-Info"), "the dialplan said how");
    world.phone("desk").answers();
    world.until(|w| is_fed(w, DESK));
    assert!(!world.prompts.iter().any(|(stream, _)| Some(*stream) == world.media.stream_of(CLIENT)), "option n");
    let [(stream, _, plan)] = world.media.recordings.as_slice() else { panic!("{:?}", world.media.recordings) };
    assert_eq!(Some(*stream), world.media.stream_of(CLIENT));
    assert!(plan.files[0].path.starts_with("/state/recordings/page-SIP-client-") && plan.files[0].sides == Sides::Both);
    world.phone("desk").hangs_up();
    world.until(|w| w.media.recordings.is_empty());
    world.phone("client").hangs_up();
    world.until_over();
    world.end_recordings(&RecordingEnd::Stopped);
}

fn something_runs_before_the_page(world: &mut Testbed) {
    world.phone("client").dials("6");
    world.until(|w| w.is_called("desk"));
    assert!(world.has_line("before the page") && world.has_line("Page: there are no options 'x'"));
    world.phone("desk").answers();
    world.until(|w| is_fed(w, DESK));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_line_is_paged_through_the_dialplan(world: &mut Testbed) {
    world.phone("client").dials("7");
    world.until(|w| w.is_called("cisco"));
    assert!(is_asked(world, "cisco", "answer-after=0"));
    world.phone("cisco").answers();
    world.until(|w| is_fed(w, CISCO));
    world.phone("cisco").hangs_up();
    world.until(is_over);
    world.until_over();
}

fn a_dialplan_that_answers_itself_is_no_telephone(world: &mut Testbed) {
    world.phone("client").dials("9");
    world.until(|w| w.has_line("the dialplan has answered itself: telephones are paged"));
    world.until(is_over);
    world.until_over();
}

fn who_forwards_is_left_out(world: &mut Testbed) {
    world.phone("desk").habit(|habits| habits.refuse = Some(302));
    world.phone("client").dials("11");
    world.until(is_over);
    world.until_over();
    assert!(!world.is_called("cisco"));
}

fn whoever_pages_goes_on_elsewhere(world: &mut Testbed) {
    world.phone("client").dials("2");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| is_mixed(w, CLIENT) && is_mixed(w, DESK));
    let channel = world.channel_of("client");
    world.orders(&Order::Redirect(channel, "default,77,1".to_owned())).unwrap();
    world.until(|w| !w.is_talking("desk"));
    world.until(|w| matches!(w.media.doing(CLIENT), Some(Doing::Idle)));
    world.phone("client").hangs_up();
    world.until_over();
}

/// What it agrees on anew is told the media thread.
fn a_telephone_holds_and_comes_back(world: &mut Testbed) {
    world.phone("client").dials("2");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| is_mixed(w, CLIENT) && is_mixed(w, DESK));
    world.phone("desk").reoffers(Change::Hold);
    world.run(Duration::from_secs(2));
    world.phone("desk").reoffers(Change::Resume);
    world.run(Duration::from_secs(2));
    assert!(is_mixed(world, DESK) && is_mixed(world, CLIENT));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_modem_is_never_paged(world: &mut Testbed) {
    with_sounds(world);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("cisco"));
    assert!(world.has_line("Page: 'SIP/desk' is not paged: it has a modem (line=modem)"));
    world.phone("cisco").answers();
    world.until(|w| is_fed(w, CISCO));
    assert!(!world.is_called("desk"));
    world.phone("client").hangs_up();
    world.until_over();
}
