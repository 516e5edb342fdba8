//! How a telephone is asked to answer by itself: THE table of header fields by the makes of telephones. What a
//! telephone calls itself when it registers (`User-Agent`) says which make it is.

use crate::sip::header::HeaderName;

/// What a make understands.
struct Family {
    /// Its name, for people.
    name: &'static str,
    /// Words of which one is in its User-Agent, in small letters.
    agents: &'static [&'static str],
    /// The header fields, with `HOST` for our address.
    headers: &'static [(&'static str, &'static str)],
}

const CALL_INFO: (&str, &str) = ("Call-Info", "<sip:HOST>;answer-after=0");
const ALERT_INFO: (&str, &str) = ("Alert-Info", "<http://HOST>;info=alert-autoanswer;delay=0");

/// The makes; the first that fits counts.
static FAMILIES: &[Family] = &[
    // Their manuals: "Auto Answer Page".
    Family {
        name: "Linksys, Sipura, Cisco SPA",
        agents: &["linksys", "sipura", "cisco/spa", "cisco-spa", "spa-"],
        headers: &[CALL_INFO],
    },
    // The 7940 and 7960 (SIP load) understand none; the multiplatform phones do.
    Family { name: "Cisco IP Phone", agents: &["cisco", "csco"], headers: &[CALL_INFO] },
    Family { name: "Grandstream", agents: &["grandstream"], headers: &[CALL_INFO] },
    Family {
        name: "Yealink",
        agents: &["yealink", "t20p", "t22p", "t26p", "t28p"],
        headers: &[("Alert-Info", "info=alert-autoanswer"), CALL_INFO],
    },
    Family { name: "Polycom", agents: &["polycom", "poly/"], headers: &[("Alert-Info", "Ring Answer")] },
    Family { name: "Snom", agents: &["snom"], headers: &[CALL_INFO, ALERT_INFO] },
    Family {
        name: "Aastra, Mitel",
        agents: &["aastra", "mitel"],
        headers: &[("Alert-Info", "info=alert-autoanswer;delay=0"), CALL_INFO],
    },
    Family { name: "Panasonic", agents: &["panasonic"], headers: &[("Alert-Info", "Intercom")] },
    Family { name: "Digium, Sangoma", agents: &["digium", "sangoma"], headers: &[("Alert-Info", "ring-answer")] },
];

/// For all others: what most understand, and RFC 5373.
static OTHERS: Family =
    Family { name: "all others", agents: &[], headers: &[CALL_INFO, ALERT_INFO, ("Answer-Mode", "Auto")] };

/// The names of those of which one decides that a telephone answers by itself.
const DECIDING: &[&str] = &["Alert-Info", "Call-Info", "Answer-Mode", "Priv-Answer-Mode"];

fn family(user_agent: Option<&str>) -> &'static Family {
    let agent = user_agent.unwrap_or_default().to_ascii_lowercase();
    let fits = |family: &&Family| family.agents.iter().any(|word| agent.contains(word));
    FAMILIES.iter().find(fits).unwrap_or(&OTHERS)
}

/// Adds to the header fields of an INVITE what has a telephone answer by itself, unless the dialplan did. `host`: ours.
/// Says as which make it is asked.
pub(super) fn add(headers: &mut Vec<(HeaderName, String)>, user_agent: Option<&str>, host: &str) -> &'static str {
    let decides = |name: &HeaderName| DECIDING.iter().any(|deciding| name.as_str().eq_ignore_ascii_case(deciding));
    if headers.iter().any(|(name, _)| decides(name)) {
        return "as the dialplan says";
    }
    let family = family(user_agent);
    headers.extend(family.headers.iter().map(|(name, value)| {
        let known = HeaderName::known(name.as_bytes()).unwrap_or_else(|| HeaderName::Other((*name).into()));
        (known, value.replace("HOST", host))
    }));
    family.name
}

/// The table as the guide shows it.
#[cfg(test)]
fn rows() -> Vec<String> {
    let row = |family: &Family| {
        let headers = family.headers.iter().map(|(name, value)| format!("`{name}: {value}`"));
        format!("| {} | {} |", family.name, headers.collect::<Vec<_>>().join(", "))
    };
    FAMILIES.iter().chain([&OTHERS]).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(agent: Option<&str>, before: &[&'static str]) -> Vec<String> {
        let mut headers: Vec<(HeaderName, String)> =
            before.iter().map(|name| (HeaderName::Other((*name).into()), "x".to_owned())).collect();
        add(&mut headers, agent, "192.0.2.1");
        headers.iter().skip(before.len()).map(|(name, value)| format!("{}: {value}", name.as_str())).collect()
    }

    #[test]
    fn each_make_is_asked_in_its_own_way() {
        let call_info = "Call-Info: <sip:192.0.2.1>;answer-after=0";
        for agent in
            ["Linksys/SPA942-6.1.5(a)", "Sipura/SPA2000-3.1.5", "Cisco/SPA504G-7.6.2", "Grandstream GXP2160 1.0.11.1"]
        {
            assert_eq!(added(Some(agent), &[]), [call_info], "{agent}");
        }
        assert_eq!(added(Some("PolycomSoundPointIP-SPIP_550-UA/4.0.9"), &[]), ["Alert-Info: Ring Answer"]);
        assert_eq!(added(Some("Yealink SIP-T46G 28.81.0.110"), &[]), ["Alert-Info: info=alert-autoanswer", call_info]);
        let alert_info = "Alert-Info: <http://192.0.2.1>;info=alert-autoanswer;delay=0";
        assert_eq!(added(Some("snom370/8.7.3.25"), &[]), [call_info, alert_info]);
        for agent in [None, Some("baresip v1.0.0")] {
            assert_eq!(added(agent, &[]), [call_info, alert_info, "Answer-Mode: Auto"]);
        }
    }

    #[test]
    fn what_the_dialplan_has_set_itself_counts() {
        assert!(added(Some("snom370"), &["alert-info"]).is_empty() && added(None, &["X", "Answer-Mode"]).is_empty());
        assert_eq!(added(Some("Grandstream"), &["X-Other"]).len(), 1);
    }

    /// The guide has the same table.
    #[test]
    fn the_guide_shows_the_table() {
        let guide = include_str!("../../../docs/guides/paging.md");
        for row in rows() {
            assert!(guide.contains(&row), "docs/guides/paging.md lacks:\n{row}");
        }
    }
}
