//! `application/dialog-info+xml` (RFC 4235 4): one dialog element for all devices of an extension, which is what the lamp
//! keys of telephones expect of an exchange.

use super::lamp::{Lamp, rings};
use crate::event::DeviceState;
use crate::pbx::core::DeviceCall;
use crate::wording::xml::escape;
use std::fmt::Write;

/// What a document is about.
pub struct Document<'a> {
    /// The extension, which names the dialog in every document.
    pub exten: &'a str,
    /// The URI that was subscribed to.
    pub entity: &'a str,
    /// Where other extensions are: the host of their URIs.
    pub host: &'a str,
    /// It grows by one with each document of a subscription (RFC 4235 4.1.1).
    pub version: u32,
    /// Everything there is to say; else only what changed.
    pub is_full: bool,
}

/// The document. `call`: what may be told of the call that rings.
pub fn write(document: &Document<'_>, lamp: &Lamp, call: Option<&DeviceCall>) -> String {
    let Document { exten, entity, host, version, is_full } = *document;
    let (exten, entity) = (escape(exten), escape(entity));
    let state = if is_full { "full" } else { "partial" };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
         version=\"{version}\" state=\"{state}\" entity=\"{entity}\">\n<dialog id=\"{exten}\""
    );
    if let Some(name) = call.and_then(|call| call.pickup_name.as_ref()) {
        // A telephone takes the call by an INVITE whose Replaces names these three (RFC 3891). As with chan_sip, the
        // Call-ID alone says which call, so that telephones with the tags the other way round take it, too.
        let name = escape(name);
        let _ = write!(text, " call-id=\"{name}\" local-tag=\"{name}\" remote-tag=\"{name}\"");
    }
    if let Some(is_called) = lamp.is_called {
        let _ = write!(text, " direction=\"{}\"", if is_called { "recipient" } else { "initiator" });
    }
    let _ = write!(text, ">\n<state>{}</state>\n", word(lamp.state));
    if let Some(call) = call {
        let uri = format!("sip:{}@{host}", escape(&crate::pbx::uri_text::escape_user(&call.number)));
        let display = if call.name.is_empty() { &call.number } else { &call.name };
        if !call.number.is_empty() {
            let _ = write!(
                text,
                "<remote>\n<identity display=\"{}\">{uri}</identity>\n<target uri=\"{uri}\"/>\n</remote>\n",
                escape(display)
            );
        }
    }
    if call.is_some() || lamp.state == DeviceState::OnHold {
        // RFC 4235 4.1.6.2: it renders nothing while it holds the call.
        let held = match lamp.state {
            DeviceState::OnHold => "<param pname=\"+sip.rendering\" pval=\"no\"/>\n",
            _ => "",
        };
        let _ = write!(
            text,
            "<local>\n<identity>{entity}</identity>\n<target uri=\"{entity}\">\n{held}</target>\n</local>\n"
        );
    }
    text.push_str("</dialog>\n</dialog-info>\n");
    text
}

/// The state of the dialog (RFC 4235 3.7.1).
fn word(state: DeviceState) -> &'static str {
    match state {
        state if rings(state) => "early",
        DeviceState::InUse | DeviceState::Busy | DeviceState::OnHold => "confirmed",
        _ => "terminated",
    }
}
