fn evaluate(text: &str) -> Result<String, String> {
    super::evaluate(text, &mut Vec::new())
}

fn value(text: &str) -> String {
    let mut complaints = Vec::new();
    let value = super::evaluate(text, &mut complaints).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!(complaints, Vec::<String>::new(), "{text}");
    value
}

#[test]
fn precedence_is_as_documented() {
    for (text, result) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 2 - 3", "5"),
        ("7 % 4 * 2", "6"),
        ("1 + 1 = 2", "1"),
        ("1 = 1 & 2 = 2", "1"),
        ("0 | 0 & 1", "0"),
        ("3 | 0", "3"),
        ("0 | 4", "4"),
        ("5 & 6", "5"),
        ("!0 + 1", "2"),
        ("-3 + 5", "2"),
        ("2 - -3", "5"),
        ("1 ? 2 :: 3", "2"),
        ("0 ? 2 :: 0 ? 3 :: 4", "4"),
        ("1 || 0 && 0", "1"),
    ] {
        assert_eq!(value(text), result, "{text}");
    }
}

#[test]
fn numbers_are_exact_where_they_can_be() {
    for (text, result) in [
        ("0.1 + 0.2", "0.3"),
        ("1 / 4", "0.25"),
        ("8 / 4", "2"),
        ("9007199254740993 + 0", "9007199254740993"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("1.50 * 2", "3"),
        ("5551234 + 1", "5551235"),
        ("FLOOR(2.7) + CEIL(2.1)", "5"),
        ("POW(2, 10)", "1024"),
        ("ROUND(-2.5)", "-3"),
        ("0 - 0", "0"),
    ] {
        assert_eq!(value(text), result, "{text}");
    }
}

#[test]
fn comparisons_are_numeric_when_both_look_it() {
    for (text, result) in [
        ("10 > 9", "1"),
        ("\"10\" > \"9\"", "1"),
        ("\"10a\" > \"9\"", "0"),
        ("\"1.0\" = 1", "1"),
        ("\"\" = \"\"", "1"),
        ("\"a b\" = \"a b\"", "1"),
        ("abc != abd", "1"),
        ("\"BUSY\" = \"BUSY\" | \"BUSY\" = \"NOANSWER\"", "1"),
        ("a < b", "1"),
    ] {
        assert_eq!(value(text), result, "{text}");
    }
}

#[test]
fn regular_expressions_give_group_or_length() {
    for (text, result) in [
        ("\"5551234\" : \"555\"", "3"),
        ("\"5551234\" : \"555(....)\"", "1234"),
        ("\"5551234\" : \"1234\"", "0"),
        ("\"5551234\" =~ \"1234\"", "4"),
        ("\"5551234\" =~ \"^5+([0-9])\"", "1"),
        ("\"x\" =~ \"(y)\"", ""),
        ("\"ab\" ~~ \"cd\"", "abcd"),
    ] {
        assert_eq!(value(text), result, "{text}");
    }
}

#[test]
fn nonsense_is_an_error() {
    for text in ["=1", "1 +", "1 2", "(1", "1)", "\"a", "1 ? 2", "\"x\" : \"(\"", "NOSUCH(1)", "* 97"] {
        assert!(evaluate(text).is_err(), "{text}");
    }
    assert_eq!(value(""), "");
    assert_eq!(value("  "), "");
    assert_eq!(value("abc"), "abc");
}

#[test]
fn what_is_no_number_makes_0() {
    for text in ["a + 1", "1 / 0", "-x", "5 % 0"] {
        let mut complaints = Vec::new();
        assert_eq!(super::evaluate(text, &mut complaints), Ok("0".to_owned()), "{text}");
        assert_eq!(complaints.len(), 1, "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    for text in [format!("{}1{}", "(".repeat(4000), ")".repeat(4000)), "- ".repeat(4000) + "1", "1 ? ".repeat(4000)] {
        assert!(evaluate(&text).is_err());
    }
    assert!(evaluate(&vec!["1"; 2000].join(" + ")).is_ok());
}
