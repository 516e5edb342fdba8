//! Numbers: `MATH`, `RAND`, `ABS`, `MIN`, `MAX`.

use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

pub(super) static MATH: Function = Function {
    name: "MATH",
    synopsis: "The result of one operation on two numbers",
    syntax: "MATH(number op number[,float|int|hex|char])",
    read: Some(math),
    write: None,
};

pub(super) static RAND: Function = Function {
    name: "RAND",
    synopsis: "A random integer from a range, both ends included",
    syntax: "RAND([min][,max])",
    read: Some(rand),
    write: None,
};

pub(super) static ABS: Function = Function {
    name: "ABS",
    synopsis: "A number without its sign",
    syntax: "ABS(number)",
    read: Some(|_, args| Ok(shown(numbers("ABS", args)?.0.abs()))),
    write: None,
};

pub(super) static MIN: Function = Function {
    name: "MIN",
    synopsis: "The smaller one of two numbers",
    syntax: "MIN(number,number)",
    read: Some(|_, args| numbers("MIN", args).map(|(a, b)| shown(b.map_or(a, |b| a.min(b))))),
    write: None,
};

pub(super) static MAX: Function = Function {
    name: "MAX",
    synopsis: "The larger one of two numbers",
    syntax: "MAX(number,number)",
    read: Some(|_, args| numbers("MAX", args).map(|(a, b)| shown(b.map_or(a, |b| a.max(b))))),
    write: None,
};

/// One number or two; an empty one is left out.
fn numbers(who: &str, args: &str) -> Result<(f64, Option<f64>), String> {
    let mut found = Vec::new();
    for text in arguments::split(args).iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        found.push(number.ok_or_else(|| format!("{who}: '{}' is no number", outside(text)))?);
    }
    let mut found = found.into_iter();
    let first = found.next().ok_or_else(|| format!("{who} needs a number"))?;
    Ok((first, found.next()))
}

/// A whole number without a point.
fn shown(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { format!("{number:.6}") }
}

/// Longer ones first.
const OPERATORS: &[&str] =
    &["<<", ">>", "<=", ">=", "==", "AND", "XOR", "OR", "MOD", "^", "+", "-", "*", "/", "%", "<", ">"];

fn math(_: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let text = args.trimmed(0);
    let bad = || format!("MATH: '{}' is not an operation on two numbers", outside(text));
    // A sign before the first number is none of the operators.
    let (at, operator) = text
        .char_indices()
        .skip(1)
        .find_map(|(at, _)| {
            let rest = text.get(at..)?;
            OPERATORS.iter().find(|operator| rest.starts_with(**operator)).map(|operator| (at, *operator))
        })
        .ok_or_else(bad)?;
    let read = |part: Option<&str>| part.and_then(|part| part.trim().parse::<f64>().ok()).filter(|it| it.is_finite());
    let a = read(text.get(..at)).ok_or_else(bad)?;
    let b = read(text.get(at.saturating_add(operator.len())..)).ok_or_else(bad)?;
    let truth = |holds: bool| Ok(if holds { "TRUE" } else { "FALSE" }.to_owned());
    let (whole_a, whole_b) = (a as i64, b as i64);
    let shift = u32::try_from(whole_b).unwrap_or(u32::MAX);
    let result = match operator {
        "<" => return truth(a < b),
        ">" => return truth(a > b),
        "<=" => return truth(a <= b),
        ">=" => return truth(a >= b),
        "==" => return truth((a - b).abs() < f64::EPSILON),
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" | "%" | "MOD" if b == 0.0 => return Err("MATH: division by zero".to_owned()),
        "/" => a / b,
        "%" | "MOD" => a % b,
        "^" => a.powf(b),
        "AND" => (whole_a & whole_b) as f64,
        "OR" => (whole_a | whole_b) as f64,
        "XOR" => (whole_a ^ whole_b) as f64,
        "<<" => whole_a.checked_shl(shift).unwrap_or(0) as f64,
        _ => whole_a.checked_shr(shift).unwrap_or(0) as f64,
    };
    Ok(match args.trimmed(1).to_ascii_lowercase().as_str() {
        "i" | "int" => (result as i64).to_string(),
        "h" | "hex" => format!("{:x}", result as i64),
        "c" | "char" => char::from(result as u8).to_string(),
        _ => format!("{result:.6}"),
    })
}

fn rand(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let read = |place, otherwise: i32| match args.trimmed(place) {
        "" => Ok(otherwise),
        text => text.parse::<i32>().map_err(|_| format!("RAND: '{}' is not a whole number", outside(text))),
    };
    let (min, max) = (i64::from(read(0, 0)?), i64::from(read(1, i32::MAX)?));
    if max < min {
        return Err(format!("RAND: {min} is above {max}"));
    }
    let span = u64::try_from(max - min).unwrap_or(0).saturating_add(1);
    let offset = i64::try_from(scope.environment.random() % span).unwrap_or(0);
    Ok((min + offset).to_string())
}
