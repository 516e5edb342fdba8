//! What operators do to texts and numbers.

use crate::wording::outside;
use regex::RegexBuilder;
use std::cmp::Ordering;

/// The most memory a compiled regular expression of a dialplan may take.
const REGEX_BYTES: usize = 1 << 18;

/// The text without the double quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Empty and 0 are false.
pub(super) fn is_true(text: &str) -> bool {
    let text = unquoted(text);
    !text.is_empty() && number(text) != Some(0.0)
}

pub(super) fn truth(holds: bool) -> String {
    if holds { "1" } else { "0" }.to_owned()
}

/// What looks like a number: sign, digits, fraction.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = unquoted(text).trim();
    let looks = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    if looks { text.parse().ok() } else { None }
}

/// Both numbers: by value; otherwise as texts.
pub(super) fn compare(one: &str, two: &str) -> Ordering {
    match (number(one), number(two)) {
        (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => unquoted(one).cmp(unquoted(two)),
    }
}

/// `+ - * / %`: exact for whole numbers, else in floating point. A text that is no number is refused.
pub(super) fn arithmetic(operator: &str, one: &str, two: &str) -> Result<String, String> {
    let (one, two) = (unquoted(one).trim(), unquoted(two).trim());
    if let (Ok(a), Ok(b)) = (one.parse::<i64>(), two.parse::<i64>())
        && let Some(whole) = whole(operator, i128::from(a), i128::from(b))
    {
        return Ok(whole.to_string());
    }
    let read = |text: &str| match number(text) {
        Some(number) => Ok(number),
        None => Err(format!("'{}' is not a number", outside(text))),
    };
    let (a, b) = (read(one)?, read(two)?);
    if b == 0.0 && matches!(operator, "/" | "%") {
        return Err("division by zero".to_owned());
    }
    Ok(shown(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        _ => a % b,
    }))
}

fn whole(operator: &str, a: i128, b: i128) -> Option<i128> {
    match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" => (b != 0 && a.checked_rem(b)? == 0).then(|| a.checked_div(b))?,
        _ => a.checked_rem(b),
    }
}

/// A number with up to 15 significant digits and no superfluous zeros.
pub(super) fn shown(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "nan"
        } else if number > 0.0 {
            "inf"
        } else {
            "-inf"
        }
        .to_owned();
    }
    let scientific = format!("{number:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        if text == "-0" { "0".to_owned() } else { text.to_owned() }
    };
    if (-5..15).contains(&exponent) {
        let decimals = usize::try_from(14 - exponent).unwrap_or(0);
        trim(&format!("{number:.decimals$}"))
    } else {
        format!("{}e{}{:02}", trim(mantissa), if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }
}

/// `:` (anchored) and `=~`: the first group, or without one how many letters matched.
pub(super) fn matched(text: &str, pattern: &str, anchored: bool) -> Result<String, String> {
    let (text, pattern) = (unquoted(text), unquoted(pattern));
    let source = if anchored { format!("^(?:{pattern})") } else { pattern.to_owned() };
    let regex = RegexBuilder::new(&source)
        .size_limit(REGEX_BYTES)
        .build()
        .map_err(|_| format!("'{}' is not a regular expression", outside(pattern)))?;
    let groups = regex.captures_len() > 1;
    Ok(match regex.captures(text) {
        Some(found) if groups => found.get(1).map_or("", |group| group.as_str()).to_owned(),
        Some(found) => found.get(0).map_or(0, |all| all.as_str().chars().count()).to_string(),
        None if groups => String::new(),
        None => "0".to_owned(),
    })
}

/// The mathematical functions.
pub(super) fn function(name: &str, args: &[String]) -> Result<String, String> {
    let read = |place: usize| {
        let text =
            args.get(place).ok_or_else(|| format!("{} needs {} numbers", outside(name), place.saturating_add(1)))?;
        number(text).ok_or_else(|| format!("{}: '{}' is not a number", outside(name), outside(text)))
    };
    let x = read(0)?;
    Ok(shown(match name.to_ascii_uppercase().as_str() {
        "COS" => x.cos(),
        "SIN" => x.sin(),
        "TAN" => x.tan(),
        "ACOS" => x.acos(),
        "ASIN" => x.asin(),
        "ATAN" => x.atan(),
        "ATAN2" => x.atan2(read(1)?),
        "POW" => x.powf(read(1)?),
        "SQRT" => x.sqrt(),
        "FLOOR" => x.floor(),
        "CEIL" => x.ceil(),
        "ROUND" => x.round(),
        "RINT" => x.round_ties_even(),
        "TRUNC" => x.trunc(),
        "EXP" => x.exp(),
        "EXP2" => x.exp2(),
        "EXP10" => 10f64.powf(x),
        "LOG" => x.ln(),
        "LOG2" => x.log2(),
        "LOG10" => x.log10(),
        "REMAINDER" => {
            let y = read(1)?;
            x - y * (x / y).round_ties_even()
        }
        "ABS" => x.abs(),
        _ => return Err(format!("there is no function '{}'", outside(name))),
    }))
}
