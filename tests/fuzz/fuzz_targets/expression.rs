//! What stands in `$[ ]`, patterns and times.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::dialplan::expression;
use strowger::dialplan::pattern::Name;
use strowger::dialplan::timing::Timing;

fuzz_target!(|text: &str| {
    let _ = expression::evaluate(text, &mut Vec::new());
    let (name, _) = Name::parse(text);
    let _ = Timing::parse(&text.split(',').collect::<Vec<_>>());
    let _ = name;
});
