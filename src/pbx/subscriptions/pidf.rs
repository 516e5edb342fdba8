//! Presence: `application/pidf+xml` (RFC 3863, with the activities of RFC 4480), and the older `application/xpidf+xml`
//! that some telephones still want.

use super::lamp::Lamp;
use crate::event::DeviceState;
use crate::wording::xml::escape;

/// What is said of a state: is it open for calls, what it is doing (RFC 4480 3.2), and in words.
struct Said {
    is_open: bool,
    activity: Option<&'static str>,
    note: &'static str,
    /// As xpidf has it, and Microsoft's addition to that.
    old: (&'static str, &'static str),
}

fn said(state: DeviceState) -> Said {
    let busy = ("inuse", "onthephone");
    let (is_open, activity, note, old) = match state {
        DeviceState::Ringing | DeviceState::InUseRinging => (true, Some("on-the-phone"), "Ringing", busy),
        DeviceState::InUse => (true, Some("on-the-phone"), "On the phone", busy),
        DeviceState::Busy => (true, Some("busy"), "On the phone", busy),
        DeviceState::OnHold => (true, Some("on-the-phone"), "On hold", busy),
        DeviceState::Unavailable | DeviceState::Invalid => (false, Some("away"), "Unavailable", ("closed", "offline")),
        DeviceState::Idle | DeviceState::Unknown => (true, None, "Ready", ("open", "online")),
    };
    Said { is_open, activity, note, old }
}

/// The state of an extension as RFC 3863 has it; `entity` is the URI that was subscribed to.
pub fn pidf(exten: &str, entity: &str, lamp: &Lamp) -> String {
    let Said { is_open, activity, note, .. } = said(lamp.state);
    let (id, entity) = (id_of(exten), escape(entity));
    let basic = if is_open { "open" } else { "closed" };
    let activities = match activity {
        Some(activity) => format!("<rpid:activities><rpid:{activity}/></rpid:activities>"),
        None => "<rpid:activities/>".to_owned(),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
         xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" \
         entity=\"{entity}\">\n<tuple id=\"{id}\">\n<status><basic>{basic}</basic></status>\n\
         <contact priority=\"1\">{entity}</contact>\n<note>{note}</note>\n</tuple>\n\
         <dm:person id=\"p{id}\">{activities}<dm:note>{note}</dm:note></dm:person>\n</presence>\n"
    )
}

/// The same in the older form.
pub fn xpidf(exten: &str, entity: &str, lamp: &Lamp) -> String {
    let Said { old: (status, substatus), .. } = said(lamp.state);
    let (id, entity) = (id_of(exten), escape(entity));
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE presence PUBLIC \"-//IETF//DTD RFCxxxx XPIDF 1.0//EN\" \"xpidf.dtd\">\n<presence>\n\
         <presentity uri=\"{entity};method=SUBSCRIBE\"/>\n<atom id=\"{id}\">\n\
         <address uri=\"{entity};user=ip\" priority=\"0.800000\">\n<status status=\"{status}\"/>\n\
         <msnsubstatus substatus=\"{substatus}\"/>\n</address>\n</atom>\n</presence>\n"
    )
}

/// An extension as the `id` of an element, which begins with a letter and has few other signs (XML 1.0 3.3.1).
fn id_of(exten: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("t{}", exten.chars().map(sign).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lamp(state: DeviceState) -> Lamp {
        Lamp { state, is_called: None, call: None, messages: None }
    }

    #[test]
    fn who_is_there_is_open_and_says_what_it_does() {
        for (state, basic, activity, note) in [
            (DeviceState::Idle, "open", "<rpid:activities/>", "Ready"),
            (DeviceState::Ringing, "open", "<rpid:on-the-phone/>", "Ringing"),
            (DeviceState::InUse, "open", "<rpid:on-the-phone/>", "On the phone"),
            (DeviceState::Busy, "open", "<rpid:busy/>", "On the phone"),
            (DeviceState::OnHold, "open", "<rpid:on-the-phone/>", "On hold"),
            (DeviceState::Unavailable, "closed", "<rpid:away/>", "Unavailable"),
        ] {
            let text = pidf("*50", "sip:*50@192.0.2.1", &lamp(state));
            for part in
                [&format!("<basic>{basic}</basic>"), activity, note, "id=\"t-50\"", "entity=\"sip:*50@192.0.2.1\""]
            {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[test]
    fn the_older_form_says_the_same() {
        for (state, status) in
            [("open", DeviceState::Idle), ("inuse", DeviceState::InUse), ("closed", DeviceState::Unavailable)]
                .map(|(status, state)| (state, status))
        {
            let text = xpidf("100", "sip:100@192.0.2.1", &lamp(state));
            assert!(text.contains(&format!("<status status=\"{status}\"/>")), "{text}");
        }
    }
}
