//! The head of a template that is a model by itself: lines that begin with `#:` and say what a model's file in this folder
//! would. One such template adds a family.

use super::model::{Family, FileKind, Model};
use crate::config::device_line::MAX_LINES;
use crate::provision::template::{Fault, Format, Template};
use crate::provision::values::names::is_known;

/// What begins a line of a head.
const MARK: &str = "#:";
/// The longest name and password of a line, where the head says nothing.
const LONGEST: usize = 63;

/// The words of a head, with what each says.
pub const WORDS: &[(&str, &str)] = &[
    ("model", "the word of 'device=': letters, digits, '-'"),
    ("title", "what people call it"),
    ("lines", "how many lines it has"),
    (
        "file",
        "the name of the file it asks for, with {mac} or {MAC} for its address and * for anything; may be repeated",
    ),
    ("first", "a name without an address that it asks for when it is new; may be repeated"),
    ("format", "xml or text"),
    ("push", "the type of 'sip notify' that has it fetch its file anew"),
    ("longest", "the longest name and password of a line that it takes"),
    ("number", "what {{model_number}} is"),
    ("note", "what is not known of it"),
];

/// Whether a text begins with a head.
pub fn has_one(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Reads a template with its head.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn read(text: &str) -> Result<Model, Fault> {
    let mut model = Model {
        name: String::new(),
        title: String::new(),
        lines: 0,
        family: Family::Other,
        push: None,
        longest: LONGEST,
        number: String::new(),
        first_names: Vec::new(),
        files: Vec::new(),
        note: String::new(),
    };
    let (mut names, mut format, mut body, mut number) = (Vec::new(), None, text, 0_u32);
    while let Some(rest) = body.strip_prefix(MARK) {
        number = number.saturating_add(1);
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        body = after;
        let fault = |message: String| Fault { line: number, message };
        let line = line.trim();
        let (word, value) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(word, value)| (word, value.trim()));
        if value.is_empty() {
            return Err(fault(format!("'{word}' says nothing")));
        }
        match word {
            "model" if is_name(value) => model.name = value.to_owned(),
            "title" => model.title = value.to_owned(),
            "lines" => {
                let count = value.parse().ok().filter(|count| (1..=MAX_LINES).contains(count));
                model.lines = count.ok_or_else(|| fault(format!("'{value}' is no number of lines")))?;
            }
            "file" => names.push(value.to_owned()),
            "first" => model.first_names.push(value.to_ascii_lowercase()),
            "format" if value == "xml" => format = Some(Format::Xml),
            "format" if value == "text" => format = Some(Format::Text),
            "push" => model.push = Some(value.to_owned()),
            "longest" => {
                model.longest = value.parse().map_err(|_| fault(format!("'{value}' is no number of letters")))?;
            }
            "number" => model.number = value.to_owned(),
            "note" => model.note = value.to_owned(),
            "model" | "format" => return Err(fault(format!("'{value}' is not a '{word}'"))),
            _ => {
                let near = crate::wording::did_you_mean(word, WORDS.iter().map(|(known, _)| *known));
                return Err(fault(format!("'{word}' is no word of a head.{near}")));
            }
        }
    }
    let missing = |what: &str| Fault { line: number, message: format!("the head lacks '{what}'") };
    let format = format.ok_or_else(|| missing("format"))?;
    for (what, is_there) in [
        ("model", !model.name.is_empty()),
        ("title", !model.title.is_empty()),
        ("lines", model.lines > 0),
        ("file", !names.is_empty()),
    ] {
        if !is_there {
            return Err(missing(what));
        }
    }
    let template =
        Template::parse(body, &is_known).map_err(|fault| Fault { line: fault.line.saturating_add(number), ..fault })?;
    model.files.push(FileKind { names, format, what: "its configuration", template });
    Ok(model)
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_head_lacks_or_misspells_is_said() {
        let fault = |text: &str| read(text).map(|model| model.name).map_err(|fault| (fault.line, fault.message));
        let good = "#: model a\n#: title A\n#: lines 1\n#: file {mac}.cfg\n#: format text\n";
        assert_eq!(fault(&format!("{good}x")), Ok("a".into()));
        assert_eq!(fault(&format!("{good}x\n{{{{y}}}}")), Err((7, "there is no 'y' to fill in".into())));
        assert_eq!(
            fault("#: model a\n#: modle b\n"),
            Err((2, "'modle' is no word of a head. Did you mean 'model'?".into()))
        );
        assert_eq!(fault("#: model A\n"), Err((1, "'A' is not a 'model'".into())));
        assert_eq!(fault("#: lines 0\n"), Err((1, "'0' is no number of lines".into())));
        assert_eq!(fault("#: lines\n"), Err((1, "'lines' says nothing".into())));
        assert_eq!(
            fault("#: format text\n#: model a\n#: title A\n#: lines 1\n"),
            Err((4, "the head lacks 'file'".into()))
        );
        assert_eq!(fault("#: model a\n"), Err((1, "the head lacks 'format'".into())));
    }
}
