//! The names that a template may have, with what each is filled with.

/// A name, and what it is.
pub type Name = (&'static str, &'static str);

/// Those of a device and of the exchange.
pub const DEVICE: &[Name] = &[
    ("MAC", "the device's hardware address, 12 digits in upper case"),
    ("mac", "the same in lower case"),
    ("model_title", "the model as people call it"),
    ("model_number", "the model's number: 7960, PAP2T"),
    (
        "label",
        "of a device: its label in [[device]], else the name or number of its first line; within 'lines': the line's number, else its user",
    ),
    ("address", "the exchange's address as this device reaches it"),
    ("sip_port", "the exchange's SIP port"),
    ("http", "where files come from by HTTP, 'http://ADDRESS:PORT'; empty: they do not"),
    ("fetch", "where files come from: as 'http', else 'tftp://ADDRESS'"),
    ("fetch_host", "the same without the protocol before it"),
    ("ntp", "the time server: '[provision] ntp'; empty: none"),
    ("utc_offset", "how far the time zone is ahead in winter: +01:00"),
    ("zone_posix", "the time zone as POSIX writes it: CET-1CEST,M3.5.0/2,M10.5.0/3"),
    ("zone_cisco", "the time zone as Cisco's telephones know it: CET, +05/30"),
    ("date_format", "D/M/Y, or M/D/Y in American time zones"),
    ("dst", "'yes' where there is daylight saving"),
    ("dst_hours", "how many hours the clocks are ahead then"),
    ("dst_start_month", "the month's name; the same of dst_stop_month"),
    ("dst_start_day", "the weekday in three letters"),
    ("dst_start_week", "which such day of the month: 1 to 4, 8 for the last"),
    ("dst_start_time", "02:00"),
    ("dst_stop_month", "when it ends, as when it begins"),
    ("dst_stop_day", ""),
    ("dst_stop_week", ""),
    ("dst_stop_time", ""),
    ("dst_sipura", "the rule as Sipura's adapters write it: start=3/-1/7/2:0:0;..."),
    ("image", "the SIP firmware of Cisco's telephones: P0S3-8-12-00, or the newest in the provisioning folder"),
    ("image_universal", "the same as OS79XX.TXT names it: P003-8-12-00"),
    ("codec_cisco", "the first line's codec: g711ulaw or g711alaw"),
    ("dtmf_cisco", "avt, or none where the first line has dtmfmode=inband"),
    ("voicemail", "the number that mailboxes are heard at (vmexten=), where the first line has a mailbox"),
    ("dial_template", "the name of the telephone's dial plan, without .xml"),
    ("directory_url", "where the phone book is; empty: there is none, or no HTTP"),
    ("services_url", "where the telephone's services are; empty: no HTTP"),
    ("logo_url", "where logo.bmp is; empty: there is none, or no HTTP"),
    ("packet_s", "seconds of sound in a packet: 0.020, 0.030"),
    ("star_numbers", "'yes' where the dialplan has numbers that begin with *"),
    ("dial_rules", "a list: the numbers of the dialplan as dialplan.xml writes them"),
    ("codes", "a list: the codes that a Sipura keeps for itself"),
    ("lines", "a list: every line that the model has"),
];

/// Those of one line, within `lines`.
pub const LINE: &[Name] = &[
    ("n", "the line's number, from 1"),
    ("used", "'yes' where a peer is this line"),
    ("user", "the peer's name: the user it registers as and proves itself as"),
    ("secret", "its password"),
    ("name", "the name in its callerid=, else as 'label'"),
    ("number", "the number in its callerid=, else its user"),
    ("modem", "'yes' for line=modem, and where the peer says nothing"),
    ("fax", "'yes' for line=fax"),
    ("voice", "'yes' for line=voice"),
    ("t38", "'yes' where t38pt_udptl= is on"),
    ("codec_sip", "PCMU or PCMA: the first that allow= has"),
    ("codec_number", "0 or 8"),
    ("codec_sipura", "G711u or G711a"),
    ("dtmf_sipura", "AVT, InBand, INFO or Auto, as dtmfmode= says"),
    ("dtmf_grandstream", "101, 100 or 102"),
    ("dtmf_words", "as dtmfmode= says, in words"),
    ("local_port", "the port that the line receives SIP at: 5060 for the first, one more for each other"),
    ("dialplan_sipura", "the numbers of its context as a Sipura's Dial_Plan"),
    ("dialplan_grandstream", "the same for a Grandstream"),
];

/// Those of one rule, within `dial_rules`, and of one code, within `codes`.
pub const OTHERS: &[Name] = &[
    ("match", "within dial_rules: what is dialled"),
    ("timeout", "within dial_rules: seconds to wait for another key; 0: none"),
    ("setting", "within codes: the setting's name"),
    ("code", "within codes: the code as the adapter comes, or nothing where the dialplan has such a number"),
];

/// Every name.
pub fn all() -> impl Iterator<Item = &'static Name> {
    DEVICE.iter().chain(LINE).chain(OTHERS)
}

/// Whether a template may have this name.
pub fn is_known(name: &str) -> bool {
    all().any(|(known, _)| *known == name)
}
