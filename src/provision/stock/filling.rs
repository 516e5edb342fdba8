//! The values that templates are filled with, of the exchange, the time zone, a device and its lines.

use super::facts::{Facts, TFTP_PORT};
use crate::config::peer::{Credential, DtmfMode, LineKind, Peer};
use crate::config::secret::Secret;
use crate::provision::device::{Family, sipura};
use crate::provision::dial_plan;
use crate::provision::fleet::Device;
use crate::provision::numbers::Number;
use crate::provision::values::{Entry, Values};
use crate::provision::zone::ZoneRule;
use crate::sdp::Codec;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// SIP's port (RFC 3261 19.1.2): that of a device's first line.
const FIRST_PORT: u16 = 5060;
/// The letters that fit beside a key of a Cisco 7960.
const LABEL: usize = 31;

/// What is the same for every device.
pub(super) fn exchange(values: &mut Values, facts: &Facts, sip_port: u16, ntp: &str, has_phone_book: bool) {
    let host = host(facts.address);
    let http = http(facts).unwrap_or_default();
    let tftp_host = if facts.tftp_port == TFTP_PORT { host } else { format!("{host}:{}", facts.tftp_port) };
    let fetch = if http.is_empty() { format!("tftp://{tftp_host}") } else { http.clone() };
    values.set("fetch_host", fetch.split_once("://").map_or("", |(_, host)| host));
    values.set("fetch", fetch);
    values.set("address", facts.address.to_string());
    values.set("sip_port", sip_port.to_string());
    values.set("ntp", ntp);
    let page = |name: &str, is_there: bool| {
        if http.is_empty() || !is_there { String::new() } else { format!("{http}/{name}") }
    };
    values.set("directory_url", page("directory.xml", has_phone_book));
    values.set("services_url", page("services.xml", has_phone_book));
    values.set("logo_url", page("logo.bmp", facts.own_files.contains("logo.bmp")));
    values.set("http", http);
}

/// Where files and pages come from by HTTP.
pub(super) fn http(facts: &Facts) -> Option<String> {
    Some(format!("http://{}:{}", host(facts.address), facts.http_port?))
}

/// An address as it stands in a URL.
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// The time zone.
pub(super) fn zone(values: &mut Values, zone: &ZoneRule) {
    values.set("utc_offset", zone.offset());
    values.set("zone_posix", zone.posix());
    values.set("zone_cisco", zone.cisco());
    let is_american = ["PST", "MST", "CST", "EST", "AST"].contains(&zone.cisco().as_str());
    values.set("date_format", if is_american { "M/D/Y" } else { "D/M/Y" });
    let Some(saving) = &zone.saving else {
        for name in ["dst", "dst_sipura"] {
            values.set(name, "");
        }
        return;
    };
    values.set("dst", "yes");
    values.set("dst_hours", saving.hours().to_string());
    values.set("dst_sipura", saving.sipura());
    values.set("dst_start_month", saving.start.month_name());
    values.set("dst_start_day", saving.start.day_name());
    values.set("dst_start_week", saving.start.cisco_week().to_string());
    values.set("dst_start_time", saving.start.time());
    values.set("dst_stop_month", saving.stop.month_name());
    values.set("dst_stop_day", saving.stop.day_name());
    values.set("dst_stop_week", saving.stop.cisco_week().to_string());
    values.set("dst_stop_time", saving.stop.time());
}

/// A device and its lines. `many_plans`: telephones of its make do not all have the same dial plan.
pub(super) fn device(values: &mut Values, device: &Device, numbers: &BTreeMap<String, Vec<Number>>, many_plans: bool) {
    let first = device.lines.values().next().map(AsRef::as_ref);
    let mac = device.mac.map(|mac| mac.to_string()).unwrap_or_default();
    values.set("mac", mac.to_ascii_lowercase());
    values.set("dial_template", if many_plans { format!("dialplan-{mac}") } else { "dialplan".to_owned() });
    values.set("MAC", mac);
    values.set("model_title", device.model.title.as_str());
    values.set("model_number", device.model.number.as_str());
    let label = if device.label.is_empty() { first.map(name_of).unwrap_or_default() } else { device.label.clone() };
    values.set("label", cut(&label, LABEL));
    let codec = first.map_or(Codec::Ulaw, codec_of);
    values.set("codec_cisco", if codec == Codec::Alaw { "g711alaw" } else { "g711ulaw" });
    let is_inband = first.is_some_and(|peer| peer.settings.dtmf_mode == DtmfMode::Inband);
    values.set("dtmf_cisco", if is_inband { "none" } else { "avt" });
    let mailbox = first.filter(|peer| !peer.messages.mailboxes.is_empty());
    let voicemail = mailbox.map(|peer| peer.settings.vm_exten.clone()).filter(|number| is_number(number));
    values.set("voicemail", voicemail.unwrap_or_default());
    let is_modem = device.lines.values().any(|peer| kind_of(peer) != LineKind::Voice);
    values.set("packet_s", if is_modem && device.model.name == "spa2102" { "0.030" } else { "0.020" });
    let of_peer = |peer: &Peer| numbers.get(&peer.settings.context).map(Vec::as_slice).unwrap_or_default();
    let all: Vec<Number> = device.lines.values().flat_map(|peer| of_peer(peer)).cloned().collect();
    let has_star = all.iter().any(|number| number.keys.first().is_some_and(|keys| keys.has('*')));
    values.set("star_numbers", if has_star { "yes" } else { "" });
    if device.model.family == Family::Sipura {
        values.list("codes", sipura::codes(&all));
    }
    let count = if device.model.files.iter().all(|file| file.names.is_empty()) {
        device.lines.keys().next_back().copied().unwrap_or(0)
    } else {
        device.model.lines
    };
    let lines = (1..=count).map(|number| line(number, device.lines.get(&number).map(AsRef::as_ref), &of_peer));
    values.list("lines", lines.collect());
}

/// One line of a device; without a peer it is not used.
fn line<'a>(number: u8, peer: Option<&Peer>, numbers: &dyn Fn(&Peer) -> &'a [Number]) -> Entry {
    let entry = Entry::default()
        .text("n", number.to_string())
        .text("local_port", FIRST_PORT.saturating_add(u16::from(number)).saturating_sub(1).to_string())
        .flag("used", peer.is_some());
    let Some(peer) = peer else {
        return ["user", "name", "number", "label", "secret"]
            .into_iter()
            .fold(entry, |entry, name| entry.text(name, ""));
    };
    let (kind, codec, dtmf) = (kind_of(peer), codec_of(peer), peer.settings.dtmf_mode);
    let is_alaw = codec == Codec::Alaw;
    let secret = match &peer.credential {
        Some(Credential::Password(secret)) => secret.clone(),
        Some(Credential::Ha1(_)) | None => Secret::new(""),
    };
    let number = peer.caller_id.number.clone();
    entry
        .text("user", peer.name.as_str())
        .secret("secret", secret)
        .text("name", cut(&name_of(peer), LABEL))
        .text("label", cut(number.as_deref().unwrap_or(&peer.name), LABEL))
        .text("number", number.as_deref().unwrap_or(&peer.name))
        .flag("modem", kind == LineKind::Modem)
        .flag("fax", kind == LineKind::Fax)
        .flag("voice", kind == LineKind::Voice)
        .flag("t38", peer.settings.t38.is_some())
        .text("codec_sip", if is_alaw { "PCMA" } else { "PCMU" })
        .text("codec_number", if is_alaw { "8" } else { "0" })
        .text("codec_sipura", if is_alaw { "G711a" } else { "G711u" })
        .text("dtmf_sipura", dtmf_of_sipura(dtmf))
        .text("dtmf_grandstream", dtmf_of_grandstream(dtmf))
        .text("dtmf_words", dtmf_in_words(dtmf))
        .text("dialplan_sipura", dial_plan::sipura(numbers(peer)))
        .text("dialplan_grandstream", dial_plan::grandstream(numbers(peer)))
}

/// What a line carries; one that does not say is set up for a modem.
fn kind_of(peer: &Peer) -> LineKind {
    peer.settings.line.unwrap_or(LineKind::Modem)
}

/// The first codec of its list that is G.711.
fn codec_of(peer: &Peer) -> Codec {
    let allowed = peer.settings.codecs.entries.iter().map(|(codec, _)| *codec);
    allowed.into_iter().find(|codec| matches!(codec, Codec::Ulaw | Codec::Alaw)).unwrap_or(Codec::Ulaw)
}

/// Its name, else its number.
fn name_of(peer: &Peer) -> String {
    let id = &peer.caller_id;
    id.name.clone().or_else(|| id.number.clone()).unwrap_or_else(|| peer.name.clone())
}

fn dtmf_of_sipura(mode: DtmfMode) -> &'static str {
    match mode {
        DtmfMode::Rfc2833 => "AVT",
        DtmfMode::Inband => "InBand",
        DtmfMode::Info | DtmfMode::ShortInfo => "INFO",
        DtmfMode::Auto => "Auto",
    }
}

fn dtmf_of_grandstream(mode: DtmfMode) -> &'static str {
    match mode {
        DtmfMode::Rfc2833 | DtmfMode::Auto => "101",
        DtmfMode::Inband => "100",
        DtmfMode::Info | DtmfMode::ShortInfo => "102",
    }
}

fn dtmf_in_words(mode: DtmfMode) -> &'static str {
    match mode {
        DtmfMode::Rfc2833 | DtmfMode::Auto => "telephone events, RFC 2833 or 4733",
        DtmfMode::Inband => "as sound, in band",
        DtmfMode::Info | DtmfMode::ShortInfo => "SIP INFO",
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | '+'))
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}
