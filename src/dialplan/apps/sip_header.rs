//! `SIPAddHeader` and `SIPRemoveHeader`: header fields for the INVITEs that a later `Dial` sends.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// `SIPAddHeader`.
pub const ADD: App = App {
    name: "SIPAddHeader",
    synopsis: "Adds a header field to the INVITEs that Dial sends",
    syntax: "SIPAddHeader(Header: value)",
    help: "It is kept in the variable SIPADDHEADERnn, for every Dial that follows; with Dial's option b it is added for one \
           called line alone. A field that the exchange itself writes (Via, From, To, Contact, Content-Type, ...) is not \
           added, nor one with a line end in it. Write `\\;` where a `;` belongs to the value.",
    arity: 1,
    run: |channel, args| Box::pin(add(channel, args)),
};

/// `SIPRemoveHeader`.
pub const REMOVE: App = App {
    name: "SIPRemoveHeader",
    synopsis: "Takes back header fields that SIPAddHeader added",
    syntax: "SIPRemoveHeader([Header])",
    help: "Those of that name, or all of them.",
    arity: 0,
    run: |channel, args| Box::pin(remove(channel, args)),
};

/// Before the number in the names of the variables.
pub const VARIABLE: &str = "SIPADDHEADER";
/// Maximum number of header fields on one channel.
const MAX_HEADERS: usize = 50;

async fn add(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let text = args.text().trim();
    let name = text.split(':').next().unwrap_or_default().trim();
    if !text.contains(':') || name.is_empty() {
        channel.log(Level::Warning, format!("SIPAddHeader: '{}' is not 'Header: value'", outside(text)));
        return Ok(Outcome::Next);
    }
    let free = (1..=MAX_HEADERS).map(|number| format!("{VARIABLE}{number:02}"));
    match free.into_iter().find(|name| channel.variable(name).is_empty()) {
        Some(variable) => channel.set_variable(&format!("_{variable}"), text),
        None => channel.log(
            Level::Warning,
            format!("SIPAddHeader: there are {MAX_HEADERS} already; '{}' is not added", outside(name)),
        ),
    }
    Ok(Outcome::Next)
}

async fn remove(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let wanted = args.text().trim().trim_end_matches(':');
    for variable in (1..=MAX_HEADERS).map(|number| format!("{VARIABLE}{number:02}")) {
        let value = channel.variable(&variable);
        let name = value.split(':').next().unwrap_or_default().trim();
        if !value.is_empty() && (wanted.is_empty() || name.eq_ignore_ascii_case(wanted)) {
            channel.set_variable(&variable, "");
        }
    }
    Ok(Outcome::Next)
}
