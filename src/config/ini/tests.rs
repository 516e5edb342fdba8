use super::*;
use crate::config::diagnostic::Severity;

fn read(text: &str) -> (Document, Vec<Diagnostic>) {
    parse("x.conf", text.as_bytes(), &mut no_includes)
}

fn good(text: &str) -> String {
    let (document, diagnostics) = read(text);
    assert_eq!(diagnostics, []);
    show(&document)
}

/// One line per section: `name: a=b c=d`.
fn show(document: &Document) -> String {
    let entries =
        |section: &Section| section.entries.iter().map(|e| format!(" {}={}", e.name, e.value)).collect::<String>();
    document.sections.iter().map(|section| format!("{}:{}\n", section.name, entries(section))).collect()
}

fn said(diagnostics: &[Diagnostic]) -> Vec<(Severity, u32)> {
    diagnostics.iter().map(|d| (d.severity, d.place.line)).collect()
}

#[test]
fn both_equal_signs_and_verbatim_values() {
    let text = "[A b]\n x = 1\ny=>2\n z => \"a\" = b, c \\; d ; e\nempty=\n\tu=> >v";
    assert_eq!(good(text), "A b: x=1 y=2 z=\"a\" = b, c ; d empty= u=>v\n");
}

#[test]
fn windows_line_ends_mark_and_latin_1() {
    let (document, diagnostics) =
        parse("x.conf", b"\xef\xbb\xbf[a]\r\nb=c\r\nname=J\xf6rg\r\nother=J\xc3\xb6rg", &mut no_includes);
    assert_eq!(diagnostics, []);
    assert_eq!(show(&document), "a: b=c name=J\u{f6}rg other=J\u{f6}rg\n");
}

#[test]
fn templates_give_their_entries_first_and_are_not_seen() {
    let text = "[t](!)\na=1\nb=2\n[u](!,t)\nc=3\n[p](u)\nb=4\n[q](p,t)\n";
    assert_eq!(good(text), "p: a=1 b=2 c=3 b=4\nq: a=1 b=2 c=3 b=4 a=1 b=2\n");
}

#[test]
fn plus_adds_to_a_section() {
    assert_eq!(good("[a]\nx=1\n[b]\ny=1\n[a](+)\nz=2\n[c]\n[a]\nw=1"), "a: x=1 z=2\nb: y=1\nc:\na: w=1\n");
    assert_eq!(good("[a]\ntype=x\n[a]\ntype=y\n[a](+type=y)\nz=2"), "a: type=x\na: type=y z=2\n");
}

#[test]
fn plus_equals_appends_to_the_last_value_of_the_name() {
    assert_eq!(good("[a]\nx=1\nx=2\ny=3\nx += 4,5\nz+=6"), "a: x=1 x=24,5 y=3 z=6\n");
}

#[test]
fn a_backslash_protects_a_name() {
    assert_eq!(good("[a]\n\\#x=1\n\\[y=2"), "a: #x=1 [y=2\n");
}

#[test]
fn every_error_is_reported_at_once() {
    let text = "early = 1\nearlier = 2\n[a\nx=1\n[b](nope)\n[c](!, b)\n[d](+)\n[e](b\n[f](late)\n[late](!)\n[g]\nnothing\n=x\n#foo\n#exec y";
    let (document, diagnostics) = read(text);
    use Severity::*;
    let expected = [
        (Fatal, 1),
        (Fatal, 3),
        (Fatal, 5),
        (Fatal, 6),
        (Fatal, 7),
        (Fatal, 8),
        (Fatal, 9),
        (Warning, 12),
        (Warning, 13),
        (Warning, 14),
        (Warning, 15),
    ];
    assert_eq!(said(&diagnostics), expected);
    assert_eq!(diagnostics[6].hint.as_deref(), Some("it is defined only later, at x.conf:10: move it above this line"));
    assert_eq!(show(&document), "g:\n", "broken sections are left out");
}

#[test]
fn a_parenthesis_behind_a_blank_is_ignored_aloud() {
    let (document, diagnostics) = read("[t](!)\na=1\n[b] (t)\n");
    assert_eq!(said(&diagnostics), [(Severity::Warning, 3)]);
    assert_eq!(show(&document), "b:\n");
}

#[test]
fn an_unterminated_block_eats_the_rest() {
    let (document, diagnostics) = read("[a]\nb=1\n;-- c\nd=2\n");
    assert_eq!(said(&diagnostics), [(Severity::Warning, 3)]);
    assert_eq!(show(&document), "a: b=1\n");
}

#[test]
fn a_line_too_long_is_left_out() {
    let (document, diagnostics) = read(&format!("[a]\nb={}\nc={}\n", "x".repeat(8189), "x".repeat(8190)));
    assert_eq!(said(&diagnostics), [(Severity::Error, 3)]);
    assert_eq!(document.sections[0].entries.len(), 1);
}

#[test]
fn included_lines_belong_to_the_open_section_until_a_new_one() {
    let mut files = |request: IncludeRequest<'_>| {
        let text: &[u8] = match request.pattern {
            "one.conf" => b"x=1\n[b]\ny=2\n",
            "two two.conf" => b"z=3\n",
            "bad.conf" => return Err("permission denied".into()),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![IncludedFile { name: request.pattern.into(), text: text.into() }])
    };
    let text =
        b"[a]\n#include one.conf\nv=4\n#INCLUDE \"two two.conf\"\n#tryinclude <two two.conf>\n#tryinclude gone.conf";
    let (document, diagnostics) = parse("x.conf", text, &mut files);
    assert_eq!(diagnostics, []);
    assert_eq!(show(&document), "a: x=1\nb: y=2 v=4 z=3 z=3\n");
    assert_eq!(document.sections[0].entries[0].place.to_string(), "one.conf:1");

    let text = b"[a]\n#include gone.conf\n#include bad.conf\n#tryinclude bad.conf\n#include";
    let (_, diagnostics) = parse("x.conf", text, &mut files);
    use Severity::*;
    assert_eq!(said(&diagnostics), [(Fatal, 2), (Fatal, 3), (Warning, 4), (Warning, 5)]);
}

#[test]
fn a_file_that_includes_itself_ends() {
    let mut files = |_: IncludeRequest<'_>| {
        let file = || IncludedFile { name: "self.conf".into(), text: b"[a]\n#include *.conf\n".into() };
        Ok(vec![file(), file(), file()])
    };
    let (_, diagnostics) = parse("self.conf", b"#include *.conf", &mut files);
    assert!(diagnostics.iter().all(|d| d.severity == Severity::Fatal));
    assert!(diagnostics.iter().any(|d| d.message.contains("more than 1000 files")));
}

#[test]
fn templates_that_multiply_end() {
    let mut text = String::from("[t0](!)\na=1\n");
    for n in 1..40 {
        text.push_str(&format!("[t{n}](!,t{0},t{0})\n", n - 1));
    }
    let (_, diagnostics) = read(&text);
    assert_eq!(said(&diagnostics).len(), 1);
    assert_eq!(diagnostics[0].severity, Severity::Fatal);
}
