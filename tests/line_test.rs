//! The real program measures the way to another one: it calls the number where that one sends everything back. The page on the line
//! test shows what it says then.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/exchange.rs"]
mod exchange;

use exchange::Exchange;
use std::path::Path;

/// Measures a loop of the other exchange; what the console shows.
fn measured() -> String {
    let loops = "[default]\nexten => 706,1,Answer()\n same => n,Echo()\n";
    let other = Exchange::start("line-test-loop", "allowguest=yes\n", loops);
    let peer = format!("[other]\ntype=peer\nhost=127.0.0.1\nport={}\ndisallow=all\nallow=ulaw\n", other.sip.port());
    let own = Exchange::start("line-test", &peer, "[default]\nexten => s,1,Hangup()\n");
    own.told("channel originate SIP/other/706 application LineTest loop&echo&slips,qs(2)");
    own.said("SIP/other-00000000: the line is ");
    own.told("linetest show other")
}

/// Figures differ from run to run; words do not.
fn without_figures(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            letter => out.push(letter),
        }
    }
    out.replace("#.#", "#").replace("-#", "#")
}

#[test]
fn a_loop_at_another_exchange_is_measured_from_the_console() {
    // A machine that is held up says so, and is asked again.
    let shown = (0..3).map(|_| measured()).find(|text| !text.contains("this machine was held up")).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/line-test.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```loop\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let wanted: Vec<String> = block.lines().skip(2).map(without_figures).collect();
    let found: Vec<String> = shown.lines().map(without_figures).collect();
    assert_eq!(found, wanted, "{shown}");
    for sure in ["The line is good for modems.", "every sample came back as it was sent", "0 slips, 0 drop-outs"] {
        assert!(shown.contains(sure), "{sure}: {shown}");
    }
}
