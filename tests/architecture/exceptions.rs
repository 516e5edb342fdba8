//! What breaks a rule of the house today. The list may only shrink: a row that is not needed any more, or whose number
//! is not the one measured, fails the test, and the fault prints the row as it should be. To read what is wrong with
//! one, and where, take its row away and run the test.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The rules that have exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Lines of a file, without its tests.
    Lines,
    /// Methods of a type.
    Methods,
    /// Files with `impl` blocks of a type.
    ImplFiles,
    /// Files of a room that name each other in a circle.
    Circle,
}

impl Rule {
    /// What its number counts.
    fn counts(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Methods => "methods",
            Self::ImplFiles => "files with `impl` blocks",
            Self::Circle => "files in a circle",
        }
    }
}

/// One row: what may break a rule, and by how much.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    rule: Rule,
    /// The file, the type, or the room of the circle.
    what: &'static str,
    /// The files of the circle.
    files: &'static [&'static str],
    measured: usize,
}

#[allow(dead_code)] // No file is over the limit now.
const fn lines(file: &'static str, measured: usize) -> Exception {
    Exception { rule: Rule::Lines, what: file, files: &[], measured }
}

const fn methods(type_: &'static str, measured: usize) -> Exception {
    Exception { rule: Rule::Methods, what: type_, files: &[], measured }
}

const fn impl_files(type_: &'static str, measured: usize) -> Exception {
    Exception { rule: Rule::ImplFiles, what: type_, files: &[], measured }
}

const fn circle(room: &'static str, files: &'static [&'static str]) -> Exception {
    Exception { rule: Rule::Circle, what: room, files, measured: files.len() }
}

/// The list. No row may be added, and no number may grow: mend what the fault names instead.
pub const EXCEPTIONS: &[Exception] = &[
    impl_files("sdp::description::Sdp", 3),
    circle("config", &["config/acl.rs", "config/acl_conf.rs"]),
    circle("sip", &["sip/digest.rs", "sip/header/auth.rs"]),
    circle(
        "sip",
        &["sip/flow.rs", "sip/header.rs", "sip/header/param.rs", "sip/header/via.rs", "sip/route.rs", "sip/uri.rs"],
    ),
    circle("sip", &["sip/message.rs", "sip/parse.rs"]),
    circle("sip", &["sip/transaction/client_table.rs", "sip/transaction/server_table.rs", "sip/transaction/table.rs"]),
    circle("sdp", &["sdp/local_media.rs", "sdp/media_kind.rs", "sdp/relay_sdp.rs"]),
];

/// Something that breaks a rule, whether or not the list allows it.
#[derive(Debug, Clone)]
pub struct Excess {
    pub rule: Rule,
    /// The file, the type, or the room of the circle.
    pub what: String,
    /// The files of the circle in their order; empty for the other rules.
    pub files: Vec<String>,
    pub measured: usize,
    /// What is wrong and what to do.
    pub fault: String,
}

/// The faults: every excess that the list does not allow exactly, and every row that allows what is not there.
pub fn judged(found: &[Excess], list: &[Exception]) -> Vec<String> {
    let allowing = |excess: &Excess| list.iter().position(|row| allows(row, excess));
    let used: BTreeSet<usize> = found.iter().filter_map(allowing).collect();
    let unused: Vec<&Exception> =
        list.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, row)| row).collect();
    let faults = found.iter().filter_map(|excess| match allowing(excess).and_then(|at| list.get(at)) {
        Some(row) => compared(excess, row.measured),
        None => Some(unlisted(excess, &unused)),
    });
    let not_needed = unused.iter().map(|unused| {
        let row = row(unused.rule, unused.what, unused.files, unused.measured);
        format!("tests/architecture/exceptions.rs: this row is not needed any more, remove it:\n{row}")
    });
    faults.chain(not_needed).collect()
}

/// Whether the row is about this excess. What is left of a circle that was cut is a circle of some of its files.
fn allows(row: &Exception, excess: &Excess) -> bool {
    let is_meant = row.rule == excess.rule && row.what == excess.what;
    is_meant && excess.files.iter().all(|file| row.files.contains(&file.as_str()))
}

/// What is wrong with an excess of which the list allows so much.
fn compared(excess: &Excess, allowed: usize) -> Option<String> {
    let Excess { rule, what, measured, fault, .. } = excess;
    match measured.cmp(&allowed) {
        Ordering::Equal => None,
        Ordering::Greater => {
            Some(format!("{fault}\n  The list of exceptions allows {allowed}, and no number in it may grow"))
        }
        Ordering::Less => {
            let (counts, row) = (rule.counts(), row_of(excess));
            let down = format!("{counts} of `{what}` are down from {allowed} to {measured}");
            Some(format!("tests/architecture/exceptions.rs: {down}: write the row anew:\n{row}"))
        }
    }
}

/// The fault of an excess that has no row. A row that is not needed any more may be about it under an old name, or
/// about a circle that it grew out of.
fn unlisted(excess: &Excess, unused: &[&Exception]) -> String {
    let mut fault = excess.fault.clone();
    let same_rule = || unused.iter().filter(|row| row.rule == excess.rule);
    let is_in = |row: &Exception, file: &str| row.files.contains(&file);
    if let Some(row) = same_rule().find(|row| excess.files.iter().any(|file| is_in(row, file))) {
        let new: Vec<&str> = excess.files.iter().map(String::as_str).filter(|file| !is_in(row, file)).collect();
        fault += &format!("\n  New in a circle of the list, which may not grow: {}", new.join(", "));
    }
    if same_rule().next().is_some() {
        let row = row_of(excess);
        fault +=
            &format!("\n  Only where a row of the list is about it under an old name, write that row anew:\n{row}");
    }
    fault
}

fn row_of(excess: &Excess) -> String {
    let files: Vec<&str> = excess.files.iter().map(String::as_str).collect();
    row(excess.rule, &excess.what, &files, excess.measured)
}

/// The row as it is written in the list, as rustfmt wants it.
fn row(rule: Rule, what: &str, files: &[&str], measured: usize) -> String {
    match rule {
        Rule::Lines => format!("    lines(\"{what}\", {measured}),"),
        Rule::Methods => format!("    methods(\"{what}\", {measured}),"),
        Rule::ImplFiles => format!("    impl_files(\"{what}\", {measured}),"),
        Rule::Circle => circle_row(what, files),
    }
}

fn circle_row(room: &str, files: &[&str]) -> String {
    const WIDTH: usize = 120;
    let quoted: Vec<String> = files.iter().map(|file| format!("\"{file}\"")).collect();
    let list = quoted.join(", ");
    let in_one_line = format!("    circle(\"{room}\", &[{list}]),");
    if in_one_line.len() <= WIDTH {
        return in_one_line;
    }
    let mut list = format!("        &[{list}],");
    if list.len() > WIDTH {
        let lines: String = quoted.iter().map(|file| format!("            {file},\n")).collect();
        list = format!("        &[\n{lines}        ],");
    }
    format!("    circle(\n        \"{room}\",\n{list}\n    ),")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[Exception] = &[
        methods("pbx::Switch", 60),
        impl_files("pbx::Switch", 5),
        circle("pbx", &["pbx/a.rs", "pbx/b.rs", "pbx/c.rs", "pbx/d.rs"]),
    ];

    fn excess(rule: Rule, what: &str, measured: usize) -> Excess {
        let fault = format!("{measured} are too many: split it");
        Excess { rule, what: what.to_owned(), files: Vec::new(), measured, fault }
    }

    fn ring(files: &[&str]) -> Excess {
        let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
        let plain = excess(Rule::Circle, "pbx", files.len());
        Excess { files, ..plain }
    }

    fn as_listed() -> Vec<Excess> {
        vec![
            excess(Rule::Methods, "pbx::Switch", 60),
            excess(Rule::ImplFiles, "pbx::Switch", 5),
            ring(&["pbx/a.rs", "pbx/b.rs", "pbx/c.rs", "pbx/d.rs"]),
        ]
    }

    fn only(found: &[Excess]) -> String {
        let wrong = judged(found, LIST);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        wrong.concat()
    }

    #[test]
    fn what_is_measured_as_it_is_listed_is_allowed() {
        assert_eq!(judged(&as_listed(), LIST), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_in_the_list_is_a_fault() {
        let mut found = as_listed();
        found.push(excess(Rule::Methods, "sim::Switch", 41));
        assert_eq!(only(&found), "41 are too many: split it");
        found.pop();
        found.push(excess(Rule::Lines, "pbx::Switch", 601));
        assert_eq!(only(&found), "601 are too many: split it");
    }

    #[test]
    fn no_number_may_grow() {
        let mut found = as_listed();
        found[0].measured = 61;
        assert!(only(&found).ends_with("allows 60, and no number in it may grow"));
    }

    #[test]
    fn a_number_that_shrank_is_written_anew() {
        let mut found = as_listed();
        found[0].measured = 59;
        assert!(only(&found).ends_with("down from 60 to 59: write the row anew:\n    methods(\"pbx::Switch\", 59),"));
    }

    #[test]
    fn a_row_that_is_not_needed_is_removed() {
        let mut found = as_listed();
        found.remove(1);
        assert!(only(&found).ends_with("not needed any more, remove it:\n    impl_files(\"pbx::Switch\", 5),"));
    }

    #[test]
    fn a_circle_may_shrink_and_be_cut_in_two() {
        let mut found = as_listed();
        found[2] = ring(&["pbx/a.rs", "pbx/b.rs"]);
        assert!(only(&found).ends_with("write the row anew:\n    circle(\"pbx\", &[\"pbx/a.rs\", \"pbx/b.rs\"]),"));
        found.push(ring(&["pbx/c.rs", "pbx/d.rs"]));
        let wrong = judged(&found, LIST);
        assert!(wrong.iter().all(|fault| fault.contains("write the row anew")) && wrong.len() == 2, "{wrong:?}");
    }

    #[test]
    fn a_circle_may_not_take_in_another_file() {
        let mut found = as_listed();
        found[2] = ring(&["pbx/a.rs", "pbx/b.rs", "pbx/c.rs", "pbx/e.rs"]);
        let wrong = judged(&found, LIST);
        assert!(wrong[0].starts_with("4 are too many: split it"), "{wrong:?}");
        assert!(wrong[0].contains("New in a circle of the list, which may not grow: pbx/e.rs\n"), "{wrong:?}");
        assert!(wrong[1].contains("not needed any more"), "{wrong:?}");
    }

    #[test]
    fn a_row_with_an_old_name_is_shown_with_the_new_one() {
        let mut found = as_listed();
        found[0].what = "pbx::switch::Switch".to_owned();
        let wrong = judged(&found, LIST);
        assert!(wrong[0].ends_with("write that row anew:\n    methods(\"pbx::switch::Switch\", 60),"), "{wrong:?}");
        assert!(wrong[1].ends_with("remove it:\n    methods(\"pbx::Switch\", 60),"), "{wrong:?}");
    }

    #[test]
    fn a_long_row_is_written_one_file_a_line() {
        let names: Vec<String> = (0..9).map(|n| format!("pbx/a_file_with_a_name_{n}.rs")).collect();
        let files: Vec<&str> = names.iter().map(String::as_str).collect();
        let row = row(Rule::Circle, "pbx", &files, 9);
        assert!(
            row.starts_with(
                "    circle(\n        \"pbx\",\n        &[\n            \"pbx/a_file_with_a_name_0.rs\",\n"
            )
        );
        assert!(row.ends_with("            \"pbx/a_file_with_a_name_8.rs\",\n        ],\n    ),"), "{row}");
    }
}
