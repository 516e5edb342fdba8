//! extensions.conf: read, checked, searched, shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::clock::Wall;
use strowger::config::{Config, ini};
use strowger::{check, dialplan};

fuzz_target!(|text: &[u8]| {
    let (document, _) = ini::parse("extensions.conf", text, &mut ini::no_includes);
    let (plan, _) = dialplan::parse(&document, "pbx_config");
    for exten in ["s", "5551234", "1", ""] {
        let _ = plan.exists("default", exten, Some("12"), Wall(1_795_000_000_000));
    }
    let _ = plan.show(None);
    let _ = check::findings(&Config::default(), &plan);
});
