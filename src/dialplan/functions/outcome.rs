//! How the channels ended that `Dial` called: `HANGUPCAUSE`, `HANGUPCAUSE_KEYS`.

use crate::dialplan::arguments::{Split, split};
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

pub(super) static HANGUPCAUSE: Function = Function {
    name: "HANGUPCAUSE",
    synopsis: "How a channel ended that the latest Dial called: what its telephone answered (tech), or the number of the cause (ast)",
    syntax: "HANGUPCAUSE(channel[,tech|ast])",
    read: Some(read),
    write: None,
};

pub(super) static HANGUPCAUSE_KEYS: Function = Function {
    name: "HANGUPCAUSE_KEYS",
    synopsis: "The channels that the latest Dial called and that have ended, with commas between them",
    syntax: "HANGUPCAUSE_KEYS()",
    read: Some(|scope, _| {
        let names: Vec<&str> = scope.state.called.iter().map(|line| line.channel.as_str()).collect();
        Ok(names.join(","))
    }),
    write: None,
};

fn read(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = Split(split(args));
    let (channel, kind) = (args.trimmed(0), args.trimmed(1));
    let found = scope.state.called.iter().find(|line| line.channel == channel);
    let line = found.ok_or_else(|| format!("HANGUPCAUSE: the latest Dial called no '{}'", outside(channel)))?;
    match kind {
        "" | "tech" if line.said.is_empty() => Ok(String::new()),
        "" | "tech" => Ok(format!("SIP {}", line.said)),
        "ast" => Ok(line.cause.to_string()),
        other => Err(format!("HANGUPCAUSE knows tech and ast, and not '{}'", outside(other))),
    }
}
