//! Dialplans as written, run call by call. `tests/dialplan/*.case`: a configuration, a line of `=`, then what is
//! dialled and what must come of it, one statement a line:
//!
//! ```text
//! diagnostic TEXT                        a line of what loading said holds the text; all must be named
//! exists 123@ctx yes|more|no             is there such a number
//! global NAME VALUE                      a global variable's value now
//! call 123@ctx [from 200]                a call begins; the one before must be over, every step of it named
//! step [ext@ctx:prio] App("args")        the next priority executed
//! ask Wait 0.5 | Dial SIP/x&SIP/y 20 g   what the program asks of the switch
//! reply done | pressed 5 | wrong | locked | right BESIDE | missing X | failed WHY | dialled STATUS cause N [callee] [after S]
//! ask Shell|System|Fetch|Open|Exchange|Close ...  what it has done outside; replies: printed, status, refused, fetched, spoken, unspoken,
//!                                        opened, notfound, failed, line, silent, hungup, closed
//! hangup N, redirect ctx,ext,prio        from outside
//! var NAME VALUE                         a channel variable's value now
//! log TEXT                               a later line of the log holds the text
//! finished N                             it is over with that cause
//! ```

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "dialplan/bench.rs"]
mod bench;
#[path = "dialplan/mutation.rs"]
mod mutation;
#[path = "dialplan/programs.rs"]
mod programs;
#[path = "dialplan/script.rs"]
mod script;

#[test]
fn every_case_goes_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dialplan");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "case"))
        .collect();
    names.sort();
    assert!(names.len() >= 8, "the cases are gone from {folder}");
    for name in names {
        script::run(&name.file_name().unwrap().to_string_lossy(), &std::fs::read_to_string(&name).unwrap());
    }
}
