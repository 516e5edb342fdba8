//! `SAYFILES`: the sounds that the Say applications would play.

use crate::dialplan::arguments::{Split, pieces, unquote};
use crate::dialplan::function::Function;
use crate::dialplan::say::{self, Gender, letters};
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;

pub(super) static SAYFILES: Function = Function {
    name: "SAYFILES",
    synopsis: "The names of the sounds that a Say application would play, with & between them: alpha, digits, money, number, ordinal, phonetic",
    syntax: "SAYFILES(value[,kind])",
    read: Some(sounds),
    write: None,
};

fn sounds(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = Split(pieces(args, ',', 2));
    let value = unquote(args.trimmed(0));
    let language = say::language(&scope.state.language);
    let number = || value.parse::<i64>().ok();
    let words = match args.trimmed(1).to_ascii_lowercase().as_str() {
        "" | "alpha" => Some(letters::spelled(&value, letters::Case::None)),
        "digits" => Some(letters::digits(&value)),
        "phonetic" => Some(letters::phonetic(&value)),
        "money" => say::cents(&value).and_then(|cents| language.money(cents)),
        "number" => number().and_then(|number| language.number(number, Gender::default())),
        "ordinal" => number().and_then(|number| language.ordinal(number, Gender::default())),
        kind => {
            return Err(format!(
                "SAYFILES: '{}' is none of alpha, digits, money, number, ordinal, phonetic",
                outside(kind)
            ));
        }
    };
    let words = words.ok_or_else(|| format!("SAYFILES: '{}' cannot be said so", outside(&value)))?;
    Ok(bounded(&words.join("&")))
}
