//! What a caller's INVITE says: `SIP_HEADER`, `SIP_HEADERS`, `SIPCHANINFO`.

use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

pub(super) static SIP_HEADER: Function = Function {
    name: "SIP_HEADER",
    synopsis: "A header field of the INVITE that this call came with; empty when it has none",
    syntax: "SIP_HEADER(name[,number])",
    read: Some(header),
    write: None,
};

pub(super) static SIP_HEADERS: Function = Function {
    name: "SIP_HEADERS",
    synopsis: "The names of the header fields of the INVITE that this call came with, those that begin so",
    syntax: "SIP_HEADERS([prefix])",
    read: Some(headers),
    write: None,
};

pub(super) static SIPCHANINFO: Function = Function {
    name: "SIPCHANINFO",
    synopsis: "A property of this channel's telephone",
    syntax: "SIPCHANINFO(peerip|recvip|from|uri|useragent|peername|t38passthrough)",
    read: Some(channel_info),
    write: None,
};

fn header(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let name = args.trimmed(0);
    if name.is_empty() {
        return Err("SIP_HEADER needs the name of a header field".to_owned());
    }
    let number = match args.trimmed(1) {
        "" => 1,
        text => text
            .parse::<usize>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("SIP_HEADER: '{}' is no number from 1 on", outside(text)))?,
    };
    let found = scope.environment.sip_headers().into_iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let value = found.map(|(_, value)| value).nth(number.saturating_sub(1)).unwrap_or_default();
    // A caller wrote it: `Dial` must be able to know it again.
    scope.state.note_foreign(&value);
    Ok(value)
}

fn headers(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let prefix = args.trim().to_ascii_lowercase();
    let mut names: Vec<String> = Vec::new();
    for (name, _) in scope.environment.sip_headers() {
        if name.to_ascii_lowercase().starts_with(&prefix)
            && !names.iter().any(|known| known.eq_ignore_ascii_case(&name))
        {
            names.push(name);
        }
    }
    Ok(names.join(","))
}

fn channel_info(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let item = args.trim().to_ascii_lowercase();
    let known = ["peerip", "recvip", "from", "uri", "useragent", "peername", "t38passthrough"];
    if !known.contains(&item.as_str()) {
        return Err(format!("SIPCHANINFO: there is no '{}'", outside(args)));
    }
    Ok(scope.environment.channel(&item).unwrap_or_default())
}
