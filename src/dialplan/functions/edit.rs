//! Texts made of others: `REPLACE`, `STRREPLACE`, `STRBETWEEN`, `QUOTE`, `CSV_QUOTE`, `EVAL`, `PASSTHRU`, `SPRINTF`, `TRIM` and kin.

use crate::dialplan::arguments::{Split, pieces, split, unquote};
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::{MAX_TEXT, bounded};
use crate::wording::outside;

/// How deep evaluated texts may evaluate others.
const MAX_DEPTH: usize = 15;

pub(super) static REPLACE: Function = Function {
    name: "REPLACE",
    synopsis: "The value of a variable with every one of some characters replaced by another, or left out",
    syntax: "REPLACE(name,characters[,replacement])",
    read: Some(replace),
    write: None,
};

pub(super) static STRREPLACE: Function = Function {
    name: "STRREPLACE",
    synopsis: "The value of a variable with a text in it replaced by another, at most so many times",
    syntax: "STRREPLACE(name,text[,replacement[,most]])",
    read: Some(replace_text),
    write: None,
};

pub(super) static STRBETWEEN: Function = Function {
    name: "STRBETWEEN",
    synopsis: "The value of a variable with a text between each two characters, as w for a pause between digits",
    syntax: "STRBETWEEN(name,text)",
    read: Some(between),
    write: None,
};

pub(super) static QUOTE: Function = Function {
    name: "QUOTE",
    synopsis: "The text in double quotes, with those in it escaped",
    syntax: "QUOTE(text)",
    read: Some(|_, text| Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))),
    write: None,
};

pub(super) static CSV_QUOTE: Function = Function {
    name: "CSV_QUOTE",
    synopsis: "The text in double quotes, with those in it doubled",
    syntax: "CSV_QUOTE(text)",
    read: Some(|_, text| Ok(format!("\"{}\"", text.replace('"', "\"\"")))),
    write: None,
};

pub(super) static PASSTHRU: Function = Function {
    name: "PASSTHRU",
    synopsis: "The text as it is: for what takes a function and no text",
    syntax: "PASSTHRU(text)",
    read: Some(|_, text| Ok(text.to_owned())),
    write: None,
};

pub(super) static EVAL: Function = Function {
    name: "EVAL",
    synopsis: "The text with the variables and functions replaced that its own value names",
    syntax: "EVAL(text)",
    read: Some(eval),
    write: None,
};

pub(super) static SPRINTF: Function = Function {
    name: "SPRINTF",
    synopsis: "The values in a format: %s, %d, %x, %o, %c, %f, %e, %g, with width and precision",
    syntax: "SPRINTF(format,value1[,value2[,...]])",
    read: Some(sprintf),
    write: None,
};

pub(super) static TRIM: Function = Function {
    name: "TRIM",
    synopsis: "The text without blanks at its ends",
    syntax: "TRIM(text)",
    read: Some(|_, text| Ok(text.trim().to_owned())),
    write: None,
};

pub(super) static LTRIM: Function = Function {
    name: "LTRIM",
    synopsis: "The text without blanks at its beginning",
    syntax: "LTRIM(text)",
    read: Some(|_, text| Ok(text.trim_start().to_owned())),
    write: None,
};

pub(super) static RTRIM: Function = Function {
    name: "RTRIM",
    synopsis: "The text without blanks at its end",
    syntax: "RTRIM(text)",
    read: Some(|_, text| Ok(text.trim_end().to_owned())),
    write: None,
};

fn replace(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let parts = Split(split(args));
    let value = scope.variable(parts.trimmed(0)).unwrap_or_default();
    if parts.get(1).is_empty() {
        return Err("REPLACE needs the characters to look for".to_owned());
    }
    let other = parts.get(2).chars().next();
    let pick = |letter: char| if parts.get(1).contains(letter) { other } else { Some(letter) };
    Ok(value.chars().filter_map(pick).collect())
}

fn replace_text(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let parts = Split(split(args));
    let value = scope.variable(parts.trimmed(0)).unwrap_or_default();
    if parts.get(1).is_empty() {
        return Err("STRREPLACE needs a text to look for".to_owned());
    }
    let most = parts.trimmed(3).parse::<usize>().ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
    let mut done = String::new();
    let mut rest = value.as_str();
    for _ in 0..most {
        let Some((before, behind)) = rest.split_once(parts.get(1)).filter(|_| done.len() <= MAX_TEXT) else { break };
        done.push_str(before);
        done.push_str(parts.get(2));
        rest = behind;
    }
    done.push_str(rest);
    Ok(bounded(&done))
}

fn between(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let parts = Split(split(args));
    let value = scope.variable(parts.trimmed(0)).unwrap_or_default();
    let mut done = String::new();
    for letter in value.chars() {
        if !done.is_empty() {
            done.push_str(parts.get(1));
        }
        done.push(letter);
        if done.len() > MAX_TEXT {
            break;
        }
    }
    Ok(bounded(&done))
}

/// Evaluated texts may evaluate others: only so deep.
fn eval(scope: &mut Scope<'_>, text: &str) -> Result<String, String> {
    if scope.state.evaluating >= MAX_DEPTH {
        return Err(format!("EVAL is nested more than {MAX_DEPTH} deep"));
    }
    scope.state.evaluating = scope.state.evaluating.saturating_add(1);
    let value = (scope.expand)(text, scope);
    scope.state.evaluating = scope.state.evaluating.saturating_sub(1);
    Ok(value)
}

fn sprintf(_: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let mut parts = pieces(args, ',', usize::MAX).into_iter().map(|piece| unquote(&piece));
    let format = parts.next().unwrap_or_default();
    let mut letters = format.chars().peekable();
    let mut done = String::new();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            done.push(letter);
            continue;
        }
        let mut spec = String::new();
        while let Some(more) = letters.next_if(|more| more.is_ascii_digit() || "-+ #0.".contains(*more)) {
            spec.push(more);
        }
        while letters.next_if(|more| "hlLqjzt".contains(*more)).is_some() {}
        match letters.next() {
            Some('%') => done.push('%'),
            Some(kind) => {
                let value = parts.next().ok_or_else(|| "SPRINTF: there are fewer values than % in it".to_owned())?;
                done.push_str(&shown(kind, &spec, &value)?);
            }
            None => return Err("SPRINTF: the format ends with %".to_owned()),
        }
        if done.len() > MAX_TEXT {
            return Ok(bounded(&done));
        }
    }
    Ok(done)
}

/// One value as its letter, flags, width and precision ask for it.
fn shown(kind: char, spec: &str, value: &str) -> Result<String, String> {
    let flags: String = spec.chars().take_while(|letter| "-+ #0".contains(*letter)).collect();
    let (width, precision) = match spec.get(flags.len()..).unwrap_or_default().split_once('.') {
        Some((width, precision)) => (width, Some(precision.parse::<usize>().unwrap_or(0).min(MAX_TEXT))),
        None => (spec.get(flags.len()..).unwrap_or_default(), None),
    };
    let width = width.parse::<usize>().unwrap_or(0).min(MAX_TEXT);
    let no_number = || format!("SPRINTF: '{}' is not a number for %{kind}", outside(value));
    let whole = || -> Result<i64, String> {
        let text = value.trim();
        let hexadecimal = text.strip_prefix("0x").map(|digits| i64::from_str_radix(digits, 16));
        hexadecimal.unwrap_or_else(|| text.parse()).map_err(|_| no_number())
    };
    let real = || value.trim().parse::<f64>().map_err(|_| no_number());
    let signed = |text: String| match text.starts_with('-') {
        false if flags.contains('+') => format!("+{text}"),
        false if flags.contains(' ') => format!(" {text}"),
        _ => text,
    };
    let digits = precision.unwrap_or(6);
    let text = match kind {
        's' => value.chars().take(precision.unwrap_or(usize::MAX)).collect(),
        'c' => value.chars().take(1).collect(),
        'd' | 'i' => signed(whole()?.to_string()),
        'u' => (whole()? as u64).to_string(),
        'x' => format!("{:x}", whole()?),
        'X' => format!("{:X}", whole()?),
        'o' => format!("{:o}", whole()?),
        'f' | 'F' => signed(format!("{:.digits$}", real()?)),
        'e' | 'E' => signed(exponential(real()?, digits, kind)),
        'g' | 'G' => signed(real()?.to_string()),
        other => return Err(format!("SPRINTF: there is no %{other}")),
    };
    let missing = width.saturating_sub(text.chars().count());
    let is_number = !matches!(kind, 's' | 'c');
    Ok(if flags.contains('-') {
        text + &" ".repeat(missing)
    } else if flags.contains('0') && is_number {
        let sign = text.chars().take_while(|letter| "+- ".contains(*letter)).count();
        let (sign, rest) = text.split_at_checked(sign).unwrap_or(("", &text));
        format!("{sign}{}{rest}", "0".repeat(missing))
    } else {
        " ".repeat(missing) + &text
    })
}

/// `1.500000e+03`: the exponent has a sign and two digits at least.
fn exponential(value: f64, digits: usize, kind: char) -> String {
    let text = format!("{value:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{kind}{sign}{:02}", exponent.unsigned_abs())
}
