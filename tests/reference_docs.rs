//! The tables in `docs/reference/` are made from the program's own, so that they cannot drift from it.
//!
//! A table stands between `<!-- table NAME -->` and `<!-- end -->`. `STROWGER_BLESS=1` writes them anew, for reading
//! before they are committed.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

use std::fmt::Write as _;
use std::path::PathBuf;
use strowger::config::conf_row::ConfRow;
use strowger::config::sip_conf::option::{Effect, OptionRow, Scope};
use strowger::config::sip_conf::option_table::table;
use strowger::config::toml_conf;
use strowger::config::{features_conf, finding, parking_conf};
use strowger::dialplan::dial_options::{LETTERS, LetterStatus};
use strowger::dialplan::{apps, functions, not_yet_supported};
use strowger::observe::command::{ALIASES, TABLE};
use strowger::pbx::failure::FailureReason;
use strowger::provision::device::Models;
use strowger::provision::device::head::WORDS;
use strowger::provision::values::names;

#[test]
fn options_of_sip_conf() {
    keep(
        "sip-conf.md",
        &[
            ("general", options(|row| row.scope == Scope::General)),
            ("both", options(|row| row.scope == Scope::Both)),
            ("peer", options(|row| row.scope == Scope::Peer)),
            ("refused", others(|effect| matches!(effect, Effect::Refused(_)))),
            ("unsupported", others(|effect| matches!(effect, Effect::Unsupported(_)))),
            ("accepted", others(|effect| matches!(effect, Effect::Accepted))),
        ],
    );
}

#[test]
fn applications_and_functions() {
    let mut text = String::new();
    for app in apps::TABLE {
        write!(text, "### {}\n\n    {}\n\n{}. {}\n\n", app.name, app.syntax, app.synopsis, app.help).unwrap();
    }
    keep("applications.md", &[("applications", text)]);
    let mut text = String::from("| function | gives |\n|---|---|\n");
    for function in functions::TABLE {
        writeln!(text, "| `{}` | {} |", cell(function.syntax), cell(function.synopsis)).unwrap();
    }
    keep("extensions-conf.md", &[("functions", text)]);
}

#[test]
fn options_of_features_conf_and_res_parking_conf() {
    let missing = |rows: Vec<(&'static str, &'static str)>| {
        let mut text = String::from("| option | why |\n|---|---|\n");
        rows.into_iter().for_each(|(name, why)| writeln!(text, "| `{name}` | {} |", cell(why)).unwrap());
        text
    };
    keep(
        "features-conf.md",
        &[
            ("general", conf_rows(features_conf::GENERAL)),
            ("featuremap", conf_rows(features_conf::FEATURE_MAP)),
            ("lot", conf_rows(parking_conf::LOT)),
            ("unread", missing(features_conf::not_read().collect())),
            ("unread-lot", missing(parking_conf::not_read().collect())),
        ],
    );
}

fn conf_rows<T>(rows: &[ConfRow<T>]) -> String {
    let mut text = String::from("| option | values | without it | what it does |\n|---|---|---|---|\n");
    for row in rows {
        let (values, default, help) = (cell(row.values), cell(row.default), cell(row.help));
        writeln!(text, "| `{}` | {values} | {default} | {help} |", row.name).unwrap();
    }
    text
}

#[test]
fn models_and_names_of_templates() {
    let mut models =
        String::from("| `device=` | what it is | lines | the files made for it | not known |\n|---|---|---|---|---|\n");
    for model in Models::default().all() {
        let names = model.files.iter().filter_map(|file| file.names.first());
        let files: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        let files = if files.is_empty() { "none: what to type is shown".to_owned() } else { files.join(", ") };
        let row = format!("| `{}` | {} | {} | {files} | {} |", model.name, model.title, model.lines, model.note);
        writeln!(models, "{row}").unwrap();
    }
    let rows = |names: &[(&str, &str)]| {
        let mut text = String::from("| name | what it is |\n|---|---|\n");
        names.iter().for_each(|(name, help)| writeln!(text, "| `{name}` | {} |", cell(help)).unwrap());
        text
    };
    let tables = [
        ("models", models),
        ("device", rows(names::DEVICE)),
        ("line", rows(names::LINE)),
        ("others", rows(names::OTHERS)),
        ("head", rows(WORDS)),
    ];
    keep("devices.md", &tables);
}

#[test]
fn findings_of_check() {
    let mut text = String::from("| code | what is found | what comes of it | what to do |\n|---|---|---|---|\n");
    for row in finding::TABLE {
        writeln!(text, "| `{}` | {} | {} | {} |", row.code, cell(row.what), cell(row.why), cell(row.advice)).unwrap();
    }
    keep("check.md", &[("findings", text)]);
}

/// What of Asterisk 20 is there; its names stand in `tests/asterisk-20/`.
#[test]
fn coverage_of_asterisk_20() {
    let app = |name: &str| apps::find(name).is_some();
    let function = |name: &str| functions::find(name).is_some();
    let command = |name: &str| {
        let is = |words: &str| words == name;
        TABLE.iter().any(|row| is(row.words)) || ALIASES.iter().any(|(alias, _)| is(alias))
    };
    let (applications, functions_, commands) = (listed("applications"), listed("functions"), listed("commands"));
    let there = |list: &[String], is: &dyn Fn(&str) -> bool| list.iter().filter(|name| is(name)).count();
    let effect = |status: LetterStatus| LETTERS.iter().filter(|row| row.status == status).count();
    let mut text = String::from("| | of Asterisk 20 | there | beyond it |\n|---|---|---|---|\n");
    let beyond = |list: &[String], own: &mut dyn Iterator<Item = &str>| {
        own.filter(|name| !list.iter().any(|known| known.eq_ignore_ascii_case(name))).count()
    };
    let mut row = |what: &str, all: usize, there: usize, beyond: usize| {
        writeln!(text, "| {what} | {all} | {there} | {beyond} |").unwrap();
    };
    let own = beyond(&applications, &mut apps::TABLE.iter().map(|app| app.name));
    row("applications", applications.len(), there(&applications, &app), own);
    let own = beyond(&functions_, &mut functions::TABLE.iter().map(|one| one.name));
    row("functions", functions_.len(), there(&functions_, &function), own);
    row("option letters of `Dial`", LETTERS.len(), effect(LetterStatus::InEffect), 0);
    let own = beyond(&commands, &mut TABLE.iter().map(|one| one.words));
    row("console commands", commands.len(), there(&commands, &command), own);
    let missing = |list: &[String], is: &dyn Fn(&str) -> bool, why: &dyn Fn(&str) -> Option<&'static str>| {
        let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
        for name in list.iter().filter(|name| !is(name)) {
            let advice =
                why(name).unwrap_or_else(|| panic!("{name} is not there, and not_yet_supported.rs does not say so"));
            match groups.iter_mut().find(|(known, _)| *known == advice) {
                Some((_, group)) => group.push(format!("`{name}`")),
                None => groups.push((advice, vec![format!("`{name}`")])),
            }
        }
        let mut text = String::from("| not there | what instead |\n|---|---|\n");
        for (advice, group) in groups {
            writeln!(text, "| {} | {} |", group.join(", "), cell(advice)).unwrap();
        }
        text
    };
    let mut letters = String::from("| letter | what becomes of it |\n|---|---|\n");
    for row in LETTERS.iter().filter(|row| row.status != LetterStatus::InEffect) {
        writeln!(letters, "| `{}` | without effect: {} |", row.letter, cell(row.text)).unwrap();
    }
    let absent: Vec<String> = commands.iter().filter(|name| !command(name)).map(|name| format!("`{name}`")).collect();
    keep(
        "coverage.md",
        &[
            ("numbers", text),
            ("applications", missing(&applications, &app, &not_yet_supported::application)),
            ("functions", missing(&functions_, &function, &not_yet_supported::function)),
            ("letters", letters),
            ("commands", absent.join(", ")),
        ],
    );
}

/// One of the lists of Asterisk 20.
fn listed(list: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/asterisk-20").join(list).with_extension("txt");
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// The page is written by hand; what the program itself says it knows must all stand there.
#[test]
fn keys_of_strowger_toml() {
    let (_, said) = toml_conf::parse("strowger.toml", b"[nonsense]\n");
    let known = said[0].hint.clone().unwrap();
    let page = read("strowger-toml.md");
    let keys = known.strip_prefix("known: ").unwrap().split("; ");
    for (section, key) in keys.flat_map(|part| {
        let (section, keys) = part.split_once(' ').unwrap();
        keys.split(", ").map(move |key| (section, key))
    }) {
        assert!(
            page.contains(&format!("| `{section}` | `{key}` |")),
            "strowger-toml.md does not tell of {section} {key}"
        );
    }
}

#[test]
fn reasons_of_failed_calls() {
    let mut text = String::from(
        "| the log | the caller gets | `DIALSTATUS` | `HANGUPCAUSE` | what to do |\n|---|---|---|---|---|\n",
    );
    let or_none = |number: u16| if number == 0 { "-".to_owned() } else { number.to_string() };
    for row in FailureReason::ALL.iter().map(|why| why.row()) {
        let dial = row.dial.map_or("-", |status| status.name());
        let (sentence, advice) = (cell(row.text), cell(row.advice));
        writeln!(text, "| {sentence} | {} | {dial} | {} | {advice} |", or_none(row.status), or_none(row.cause))
            .unwrap();
    }
    keep("../fix/why-a-call-failed.md", &[("reasons", text)]);
}

fn in_effect() -> impl Iterator<Item = &'static OptionRow> {
    table().filter(|row| matches!(row.effect, Effect::General(_) | Effect::Settings(_) | Effect::Peer(_)))
}

fn options(wanted: impl Fn(&OptionRow) -> bool) -> String {
    let mut text = String::from("| option | accepts | without it | what it does |\n|---|---|---|---|\n");
    let mut rows: Vec<_> = in_effect().filter(|row| wanted(row)).collect();
    rows.sort_by_key(|row| row.names[0]);
    for row in rows {
        let (names, help) = (names(row), cell(row.help));
        writeln!(text, "| {names} | {} | {} | {help} |", cell(row.values), cell(row.default)).unwrap();
    }
    text
}

fn others(wanted: impl Fn(&Effect) -> bool) -> String {
    let mut text = String::from("| option | where | what happens instead |\n|---|---|---|\n");
    let mut rows: Vec<_> = table().filter(|row| wanted(&row.effect)).collect();
    rows.sort_by_key(|row| row.names[0]);
    for row in rows {
        let place = match row.scope {
            Scope::General => "`[general]`",
            Scope::Peer => "a peer",
            Scope::Both => "both",
        };
        writeln!(text, "| {} | {place} | {} |", names(row), cell(row.help)).unwrap();
    }
    text
}

fn names(row: &OptionRow) -> String {
    row.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn read(page: &str) -> String {
    std::fs::read_to_string(path(page)).unwrap()
}

fn path(page: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(page)
}

/// Compares the tables on a page with what they should be, or writes them.
fn keep(page: &str, tables: &[(&str, String)]) {
    let text = read(page);
    let mut wanted = text.clone();
    for (name, table) in tables {
        let begin = format!("<!-- table {name} -->\n");
        let (before, rest) = wanted.split_once(&begin).unwrap_or_else(|| panic!("{page} has no table {name}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{page}: table {name} has no end"));
        wanted = format!("{before}{begin}\n{}\n\n<!-- end -->{after}", table.trim_end());
    }
    if std::env::var_os("STROWGER_BLESS").is_some() {
        std::fs::write(path(page), &wanted).unwrap();
    } else {
        assert!(
            text == wanted,
            "docs/reference/{page} is not what the program's tables say: run this test with STROWGER_BLESS=1"
        );
    }
}
