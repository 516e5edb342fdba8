//! What has to be asked outside of the exchange: `SHELL`, `CURL`, and how `CURL` is done, `CURLOPT`.

use crate::dialplan::arguments;
use crate::dialplan::commanded::CALLERS;
use crate::dialplan::function::Function;
use crate::dialplan::outside::{Command, Fetch, OutsideReply, OutsideRequest};
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;
use std::time::Duration;

pub(super) static SHELL: Function = Function {
    name: "SHELL",
    synopsis: "What a command prints, when strowger.toml allows commands",
    syntax: "SHELL(command)",
    read: Some(shell),
    write: None,
};

pub(super) static CURL: Function = Function {
    name: "CURL",
    synopsis: "What a web server gives for an http or https address",
    syntax: "CURL(url[,post-data])",
    read: Some(curl),
    write: None,
};

pub(super) static CURLOPT: Function = Function {
    name: "CURLOPT",
    synopsis: "How CURL is done on this channel: conntimeout, httptimeout, ssl_verifypeer, followlocation, httpheader, hashcompat",
    syntax: "CURLOPT(option)",
    read: Some(|scope, option| Ok(option_of(scope, &option.trim().to_ascii_lowercase()).unwrap_or_default())),
    write: Some(set_option),
};

/// The options of `CURLOPT` that have an effect.
const OPTIONS: &[&str] =
    &["conntimeout", "httptimeout", "ssl_verifypeer", "followlocation", "maxredirs", "httpheader", "hashcompat"];
/// The longest a fetch may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How long one takes by itself.
const USUAL: Duration = Duration::from_secs(10);

fn shell(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    if args.trim().is_empty() {
        return Err("SHELL needs a command".to_owned());
    }
    if scope.state.is_commanded(args) {
        return Err(format!("SHELL is refused: {CALLERS}: {}", outside(args)));
    }
    let command = Command { text: args.to_owned(), wants_output: true };
    match scope.outside(OutsideRequest::Command(command)) {
        None => Ok(String::new()),
        Some(OutsideReply::Ran { status: Ok(_), output }) => Ok(bounded(&output)),
        Some(OutsideReply::Ran { status: Err(why), .. }) => Err(format!("SHELL: {why}")),
        Some(OutsideReply::Refused(why)) => Err(format!("SHELL is refused: {why}")),
        Some(_) => Err("SHELL got no answer".to_owned()),
    }
}

fn curl(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let mut parts = arguments::pieces(args, ',', 2).into_iter();
    let (url, post) = (parts.next().unwrap_or_default(), parts.next());
    let url = arguments::unquote(url.trim());
    if url.is_empty() {
        return Err("CURL needs an address".to_owned());
    }
    let seconds = |scope: &Scope<'_>, option, usual: Duration| {
        let given = option_of(scope, option).and_then(|text| text.trim().parse::<u64>().ok());
        given.filter(|seconds| *seconds > 0).map_or(usual, Duration::from_secs).min(LONGEST)
    };
    let total = seconds(scope, "httptimeout", USUAL);
    let redirects = option_of(scope, "followlocation").is_some_and(|text| is_yes(&text));
    let fetch = Fetch {
        url,
        post: post.map(|post| arguments::unquote(post.trim())).filter(|post| !post.is_empty()),
        connect: seconds(scope, "conntimeout", total).min(total),
        total,
        verify: option_of(scope, "ssl_verifypeer").is_none_or(|text| is_yes(&text)),
        redirects: if redirects {
            option_of(scope, "maxredirs").and_then(|text| text.trim().parse().ok()).unwrap_or(5).min(10)
        } else {
            0
        },
        headers: option_of(scope, "httpheader")
            .map(|all| all.split('\n').map(str::to_owned).collect())
            .unwrap_or_default(),
    };
    let hash = option_of(scope, "hashcompat").filter(|text| is_yes(text) || text.trim() == "legacy");
    match scope.outside(OutsideRequest::Fetch(fetch)) {
        None => Ok(String::new()),
        Some(OutsideReply::Fetched(Ok(text))) => {
            let text = text.trim_end();
            Ok(if hash.is_some() { fields(scope, text) } else { bounded(text) })
        }
        Some(OutsideReply::Fetched(Err(why))) => Err(format!("CURL: {why}")),
        Some(OutsideReply::Refused(why)) => Err(format!("CURL is refused: {why}")),
        Some(_) => Err("CURL got no answer".to_owned()),
    }
}

/// `a=1&b=2` as the values `1,2`, with the names `a,b` where `HASH` looks for them.
fn fields(scope: &mut Scope<'_>, text: &str) -> String {
    let pairs = text.lines().next().unwrap_or_default().split('&').take(100);
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        names.push(decoded(name).replace(',', "\\,"));
        values.push(decoded(value).replace(',', "\\,"));
    }
    scope.state.set_variable("~ODBCFIELDS~", &names.join(","));
    bounded(&values.join(","))
}

/// Without percent-encoding; `+` is a blank.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0usize;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at.saturating_add(1)..at.saturating_add(3)).filter(|_| *byte == b'%');
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        plain.push(value.unwrap_or(if *byte == b'+' { b' ' } else { *byte }));
        at = at.saturating_add(if value.is_some() { 3 } else { 1 });
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn set_option(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let option = args.trim().to_ascii_lowercase();
    if !OPTIONS.contains(&option.as_str()) {
        return Err(format!("CURLOPT has no effect on '{}'; there are {}", outside(args), OPTIONS.join(", ")));
    }
    let name = format!("CURLOPT({option})");
    // As elsewhere, a header is added to those that are there.
    match option_of(scope, &option).filter(|_| option == "httpheader") {
        Some(before) => scope.state.set_variable(&name, &format!("{before}\n{value}")),
        None => scope.state.set_variable(&name, value),
    }
    Ok(())
}

fn is_yes(text: &str) -> bool {
    ["1", "yes", "true", "on", "y", "t"].iter().any(|yes| text.trim().eq_ignore_ascii_case(yes))
}

/// An option is kept as a variable that has a name no variable can be given.
fn option_of(scope: &Scope<'_>, option: &str) -> Option<String> {
    scope.state.variable(&format!("CURLOPT({option})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        assert_eq!(decoded("a+b%20c%2Cd%zz%4"), "a b c,d%zz%4");
    }
}
