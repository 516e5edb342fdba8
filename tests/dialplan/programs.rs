//! Programs from outside: budgets, the latch, what is left.

use super::bench::Bench;
use std::time::Duration;
use strowger::dialplan::{
    AppReply, AppRequest, CallerId, Cause, ChannelId, PlayRequest, Played, Position, Program, Progress, Tone,
};
use strowger::event::Level;

fn program(bench: &Bench, exten: &str) -> Program {
    assert!(bench.said.is_empty(), "{:?}", bench.said);
    Program::new(ChannelId(1), "SIP/a-00000000", Position::new("a", exten, 1), CallerId::default())
}

#[test]
fn a_loop_uses_its_budget_and_no_more() {
    let bench = Bench::new("[a]\nexten => s,1,Goto(s,1)\n");
    let mut program = program(&bench, "s");
    for _ in 0..100 {
        assert_eq!(program.advance(&bench, 50), Progress::Again);
        assert!(program.take_log().len() <= 50);
    }
    program.hang_up(Cause(16));
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(16)));
}

#[test]
fn a_loop_in_h_comes_to_an_end() {
    let bench = Bench::new("[a]\nexten => s,1,Wait(5)\nexten => h,1,Goto(h,1)\n");
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Wait(Duration::from_secs(5))));
    program.hang_up(Cause(16));
    assert_eq!(program.advance(&bench, 1_000), Progress::Again);
    assert_eq!(program.advance(&bench, 1_000_000), Progress::Finished(Cause(16)));
    assert!(program.take_log().iter().any(|line| line.level == Level::Notice && line.text.contains("left out")));
}

#[test]
fn subroutines_that_call_themselves_come_to_an_end() {
    let bench = Bench::new("[a]\nexten => s,1,Gosub(s,1)\n");
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 1_000), Progress::Finished(Cause(0)));
    let log = program.take_log();
    assert!(log.iter().any(|line| line.level == Level::Warning && line.text.contains("nested too deep")));
    assert!(log.len() < 200);
}

#[test]
fn the_log_is_bounded() {
    let bench = Bench::new("[a]\nexten => s,1,NoOp()\nexten => s,n,Goto(1)\n");
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 100_000), Progress::Again);
    assert_eq!(program.take_log().len(), 1001);
    assert!(program.take_log().is_empty());
}

#[test]
fn an_ask_is_handed_out_once_and_waits_for_its_answer() {
    let bench = Bench::new("[a]\nexten => s,1,Ringing()\nexten => s,n,Echo()\n");
    let mut program = program(&bench, "s");
    program.answer(AppReply::Indicated(Ok(())));
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Indicate(Tone::Ringing)));
    assert_eq!(program.application(), Some(("Ringing", String::new())));
    assert_eq!(program.advance(&bench, 50), Progress::Waiting);
    program.answer(AppReply::Indicated(Ok(())));
    program.answer(AppReply::Indicated(Err("the second answer is nobody's".to_owned())));
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Echo));
    assert_eq!(program.position(), Position::new("a", "s", 2));
    assert_eq!(program.advance(&bench, 50), Progress::Waiting);
    assert_eq!(program.advance(&bench, 0), Progress::Again);
}

#[test]
fn a_reply_to_another_kind_of_request_is_dropped_and_logged() {
    let bench = Bench::new("[a]\nexten => s,1,Playback(x,noanswer)\n");
    let mut program = program(&bench, "s");
    let play = PlayRequest { sounds: vec!["x".to_owned()], ..PlayRequest::default() };
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Play(play)));
    program.answer(AppReply::Waited);
    assert_eq!(program.advance(&bench, 50), Progress::Waiting);
    assert!(program.take_log().iter().any(|line| line.level == Level::Warning && line.text.contains("Waited")));
    program.answer(AppReply::Played(Played::All));
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(0)));
    assert_eq!(program.variable("PLAYBACKSTATUS").as_deref(), Some("SUCCESS"));
}

#[test]
fn after_a_hangup_every_later_ask_ends_at_once() {
    // Playback would answer, then play: neither is asked any more.
    let bench = Bench::new(
        "[a]\nexten => s,1,Wait(5)\nexten => h,1,NoOp(${HANGUPCAUSE})\nexten => h,n,Playback(x)\nexten => h,n,NoOp(never)\n",
    );
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Wait(Duration::from_secs(5))));
    program.hang_up(Cause(31));
    program.hang_up(Cause(16));
    program.redirect(Position::new("a", "s", 1));
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(31)));
    let log: Vec<String> = program.take_log().into_iter().map(|line| line.text).collect();
    assert!(
        log.iter().any(|line| line == "Executing [h@a:1] NoOp(\"SIP/a-00000000\", \"31\") in new stack"),
        "{log:#?}"
    );
    assert!(!log.iter().any(|line| line.contains("never")), "{log:#?}");
    assert!(program.application().is_none());
    program.answer(AppReply::Waited);
    program.redirect(Position::new("a", "s", 1));
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(31)));
}

#[test]
fn an_answer_given_before_the_hangup_is_heard() {
    let bench = Bench::new("[a]\nexten => s,1,Answer()\nexten => s,n,NoOp(not reached)\n");
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Answer));
    program.answer(AppReply::Answered(Ok(())));
    program.hang_up(Cause(16));
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(16)));
    assert!(!program.take_log().iter().any(|line| line.text.contains("not reached")));
}

#[test]
fn a_redirect_takes_the_program_elsewhere() {
    let bench = Bench::new("[a]\nexten => s,1,Echo()\nexten => t,1,Wait(1)\n");
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Echo));
    program.redirect(Position::new("a", "t", 1));
    assert_eq!(program.advance(&bench, 50), Progress::Asks(AppRequest::Wait(Duration::from_secs(1))));
    assert!(!program.is_ending());
    program.redirect(Position::new("a", "t", 1));
    program.hang_up(Cause(16));
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(16)));
}

#[test]
fn what_a_caller_dials_forges_no_line_of_the_log() {
    let bench = Bench::new("[a]\nexten => _X!,1,Verbose(${EXTEN})\n");
    let mut program = program(&bench, "1\r\n\u{1b}[31mNOTICE: forged");
    assert!(matches!(program.advance(&bench, 50), Progress::Finished(_)));
    for line in program.take_log() {
        assert!(!line.text.chars().any(char::is_control), "{:?}", line.text);
    }
}

#[test]
fn variables_are_bounded_and_inherited_as_marked() {
    let bench = Bench::new("[a]\nexten => s,1,Set(_ONE=1)\nsame => n,Set(__ALL=2)\nsame => n,Set(NONE=3)\n");
    let mut program = program(&bench, "s");
    assert_eq!(program.advance(&bench, 50), Progress::Finished(Cause(0)));
    let handed = [("__ALL", "2"), ("ONE", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(program.inherited(), handed);
    for number in 0..2_000 {
        program.set_variable(&format!("V{number}"), "x");
    }
    assert_eq!(program.variable("V10").as_deref(), Some("x"));
    assert_eq!(program.variable("V1999"), None);
    program.set_variable("V10", &"y".repeat(100_000));
    assert_eq!(program.variable("V10").unwrap().len(), 8191);
}
