//! Callers must not write commands: whoever calls himself `x; reboot` is not to have that run where an owner wrote
//! `System(notify ${CALLERID(name)})`.

use super::dialled::{count, fragment};

/// Why a command is not run that callers have a part in.
pub(super) const CALLERS: &str = "something in it that the shell acts upon was chosen by the caller; write ${FILTER(0-9,...)}, or hand it to an AGI script as an argument";

/// What a shell acts upon wherever it stands, single quotes aside, which nobody is trusted to have set right.
const ANYWHERE: [char; 3] = ['`', '$', '\\'];
/// What ends one command and begins another, or leads to a file, outside of quotes.
const OUTSIDE_OF_QUOTES: [char; 7] = [';', '&', '|', '<', '>', '\n', '\r'];

/// Does something that the shell acts upon come from one of these texts, which callers decide? `written`: the arguments as
/// the owner wrote them, before substitution; `command`: what the shell is to read. A quotation mark is looked for where
/// the owner has set some, since it would end his.
pub(crate) fn is_commanded(written: &str, command: &str, texts: &[&str]) -> bool {
    // What only names a value is not the shell's.
    let own = written.replace("${", "").replace("$[", "").replace("^{", "");
    let (own_bare, bare) = (outside_of_quotes(&own), outside_of_quotes(command));
    texts.iter().any(|text| {
        text.char_indices().any(|(at, letter)| {
            let (within, own) = match letter {
                _ if ANYWHERE.contains(&letter) => (command, own.as_str()),
                '"' | '\'' if own.contains(letter) => (command, own.as_str()),
                _ if OUTSIDE_OF_QUOTES.contains(&letter) => (bare.as_str(), own_bare.as_str()),
                _ => return false,
            };
            let more = |piece: &str| count(within, piece) > count(own, piece);
            more(fragment(text, at)) && more(letter.encode_utf8(&mut [0; 4]))
        })
    })
}

/// A command without what stands in quotes.
fn outside_of_quotes(command: &str) -> String {
    let (mut bare, mut quote) = (String::with_capacity(command.len()), None);
    for letter in command.chars() {
        match quote {
            Some(mark) if letter == mark => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None => bare.push(letter),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_acts_upon_is_the_owners_alone() {
        for (written, name, found) in [
            ("notify ${NAME}", "Anna", false),
            ("notify ${NAME}", "x; reboot", true),
            ("notify ${NAME};", "x", false),
            ("notify ${NAME}; log", "x; reboot", true),
            ("notify ${NAME}", "$(reboot)", true),
            ("notify ${NAME}", "`reboot`", true),
            ("notify ${NAME} >> /tmp/calls", "Anna", false),
            ("notify ${NAME} >> /tmp/calls", "> /etc/passwd", true),
            ("notify ${NAME} | mail root", "x|sh", true),
            ("notify \"${NAME}\"", "Smith & Sons; Ltd.", false),
            ("notify ${NAME}", "Smith & Sons", true),
            ("notify \"${NAME}\"", "O'Brien", false),
            ("notify '${NAME}'", "O'Brien", true),
            ("notify \"${NAME}\"", "x\"; reboot; \"", true),
            ("notify \"${NAME}\" && log \"${NAME}\"", "x\\", true),
            ("notify \"${NAME}\" && log", "a & b", false),
            ("notify ${NAME}", "two\nlines", true),
            ("notify $[1 + 1]", "5$6", false),
        ] {
            let command = written.replace("${NAME}", name).replace("$[1 + 1]", "2");
            assert_eq!(is_commanded(written, &command, &[name]), found, "{written} {name}");
        }
        assert!(!is_commanded("notify ${FILTER(0-9,${NAME})}", "notify 5", &["5;x"]), "it is not used there");
        assert!(is_commanded("notify ${NUMBER:1}", "notify ;x", &["5;x"]), "cut");
    }
}
