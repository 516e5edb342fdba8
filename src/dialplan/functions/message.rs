//! The text message a program runs for, or is about to send: `MESSAGE`, `MESSAGE_DATA`.

use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;

/// The most fields of `MESSAGE_DATA()` that a program may set.
const MAX_DATA: usize = 50;

pub(super) static MESSAGE: Function = Function {
    name: "MESSAGE",
    synopsis: "The text message that the dialplan runs for, or that MessageSend is to send",
    syntax: "MESSAGE(to|from|body|content_type)",
    read: Some(|scope, part| {
        let message = &scope.state.message;
        Ok(match part.trim().to_ascii_lowercase().as_str() {
            "to" => message.to.clone(),
            "from" => message.from.clone(),
            "body" => message.body.clone(),
            "content_type" => message.content_type.clone(),
            _ => return Err(unknown(part)),
        })
    }),
    write: Some(|scope, part, value| {
        let message = &mut scope.state.message;
        let place = match part.trim().to_ascii_lowercase().as_str() {
            "to" => &mut message.to,
            "from" => &mut message.from,
            "body" => &mut message.body,
            "content_type" => &mut message.content_type,
            _ => return Err(unknown(part)),
        };
        *place = bounded(value);
        Ok(())
    }),
};

pub(super) static MESSAGE_DATA: Function = Function {
    name: "MESSAGE_DATA",
    synopsis: "A header field of the text message that the dialplan runs for, or a note of your own beside it",
    syntax: "MESSAGE_DATA(name)",
    read: Some(|scope, name| {
        let name = name.trim().to_ascii_lowercase();
        let found = scope.state.message.data.iter().find(|(known, _)| *known == name);
        Ok(found.map(|(_, value)| value.clone()).unwrap_or_default())
    }),
    write: Some(write_data),
};

fn unknown(part: &str) -> String {
    format!("MESSAGE: there is no '{}'; there are to, from, body, content_type", outside(part))
}

fn write_data(scope: &mut Scope<'_>, name: &str, value: &str) -> Result<(), String> {
    let data = &mut scope.state.message.data;
    let name = name.trim().to_ascii_lowercase();
    if let Some((_, place)) = data.iter_mut().find(|(known, _)| *known == name) {
        *place = bounded(value);
        return Ok(());
    }
    if data.len() >= MAX_DATA {
        return Err(format!("MESSAGE_DATA: a message holds at most {MAX_DATA} fields"));
    }
    data.push((name, bounded(value)));
    Ok(())
}
