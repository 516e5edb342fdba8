//! rtp.conf, typed.

use super::diagnostic::Diagnostic;
use super::ini::{Document, Entry};
use super::small_files::{self, Ignored};
use super::value;
use crate::rtp::strict::Strictness;

/// What rtp.conf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpConf {
    /// `rtpstart`: the lowest port for media; even.
    pub port_first: u16,
    /// `rtpend`: the highest port for media; at least one above `port_first`.
    pub port_last: u16,
    /// `strictrtp`.
    pub strictness: Strictness,
}

impl Default for RtpConf {
    fn default() -> RtpConf {
        RtpConf { port_first: 10_000, port_last: 20_000, strictness: Strictness::Strict }
    }
}

/// Options that are read; the others we know are in `IGNORED`.
const KNOWN: &[&str] = &["rtpstart", "rtpend", "strictrtp"];

const IGNORED: &[Ignored] = &[
    ("rtcpinterval", &["5000"], "reports pass as the lines send them, and the exchange makes none of its own"),
    ("rtptimeout", &["0", ""], "set it in sip.conf, in [general] or for a peer"),
    ("rtpholdtimeout", &["0", ""], "set it in sip.conf, in [general] or for a peer"),
    ("rtpkeepalive", &["0", ""], "set it in sip.conf, in [general] or for a peer"),
    ("rtpchecksums", value::TRUE_WORDS, "the system computes UDP checksums"),
    ("dtmftimeout", &["1200"], "a digit counts when it begins, so that none waits for an end that is lost"),
    ("probation", &["4"], "a source is learned after four packets in sequence"),
    ("icesupport", value::FALSE_WORDS, "browsers (WebRTC) are not supported"),
    ("srtpreplayprotection", value::TRUE_WORDS, "SRTP is not supported"),
    (
        "stunaddr",
        &[""],
        "it finds candidates for ICE, which is not spoken: set 'stunaddr' in sip.conf for the address outside",
    ),
    ("turnaddr", &[""], "set 'externaddr' in sip.conf"),
    ("turnport", &[""], "TURN is not supported"),
    ("turnusername", &[""], "TURN is not supported"),
    ("turnpassword", &[""], "TURN is not supported"),
    ("dtls_mtu", &[""], "browsers (WebRTC) are not supported"),
    ("ice_deny", &[""], "browsers (WebRTC) are not supported"),
    ("ice_permit", &[""], "browsers (WebRTC) are not supported"),
    ("ice_acl", &[""], "browsers (WebRTC) are not supported"),
    ("stun_deny", &[""], "set 'externaddr' in sip.conf"),
    ("stun_permit", &[""], "set 'externaddr' in sip.conf"),
    ("stun_acl", &[""], "set 'externaddr' in sip.conf"),
];

/// Reads the settings of a document.
pub fn parse(document: &Document) -> (RtpConf, Vec<Diagnostic>) {
    let mut conf = RtpConf::default();
    let mut diagnostics = Vec::new();
    diagnostics.extend(small_files::without(document, "rtp.conf", &["general"], "the defaults hold"));
    let Some(section) = document.section("general") else { return (conf, diagnostics) };
    for entry in &section.entries {
        if let Err(diagnostic) = apply(&mut conf, entry) {
            diagnostics.push(diagnostic);
        }
    }
    // RTP has the even port, RTCP the odd one above it (RFC 3550 11).
    let (first, last) = (conf.port_first.saturating_add(conf.port_first % 2), conf.port_last);
    if last <= first {
        let usual = RtpConf::default();
        let say = format!(
            "'rtpstart' ({}) and 'rtpend' ({last}) leave no pair of ports: {} to {} are used",
            conf.port_first, usual.port_first, usual.port_last
        );
        let hint = "make 'rtpend' larger: each line in a call needs two ports";
        diagnostics.push(Diagnostic::warning(section.place.clone(), say).hint(hint));
        return (RtpConf { port_first: usual.port_first, port_last: usual.port_last, ..conf }, diagnostics);
    }
    conf.port_first = first;
    (conf, diagnostics)
}

fn apply(conf: &mut RtpConf, entry: &Entry) -> Result<(), Diagnostic> {
    let bad = |accepted: &str| small_files::bad(entry, accepted);
    match entry.name.to_ascii_lowercase().as_str() {
        "rtpstart" => conf.port_first = port(&entry.value).ok_or_else(|| bad(PORT))?,
        "rtpend" => conf.port_last = port(&entry.value).ok_or_else(|| bad(PORT))?,
        "strictrtp" => {
            conf.strictness = match value::boolean(&entry.value) {
                Some(false) => Strictness::Open,
                Some(true) => Strictness::Strict,
                None if entry.value.eq_ignore_ascii_case("seqno") => Strictness::Strict,
                None => return Err(bad("yes, no, seqno")),
            }
        }
        _ => return small_files::ignored(entry, KNOWN, IGNORED),
    }
    Ok(())
}

const PORT: &str = "a port from 1024 to 65535";

fn port(text: &str) -> Option<u16> {
    value::port(text).filter(|port| *port >= 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostic::Severity;
    use crate::config::ini;

    fn read(text: &str) -> (RtpConf, Vec<String>) {
        let (document, none) = ini::parse("rtp.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (conf, diagnostics) = parse(&document);
        (conf, diagnostics.iter().map(|d| format!("{}: {}", d.place, d.message)).collect())
    }

    #[test]
    fn every_setting() {
        let (conf, said) = read(
            "[general]\nrtpstart=10001\nRtpEnd=10100\nstrictrtp=no\nrtcpinterval=5000\nprobation=4\nrtptimeout=0\n",
        );
        assert!(said.is_empty(), "{said:?}");
        assert_eq!((conf.port_first, conf.port_last), (10002, 10100));
        assert_eq!(conf.strictness, Strictness::Open);
        assert_eq!(read(""), (RtpConf::default(), Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (conf, said) = read(
            "[general]\nrtpstart=80\nstrictrtp=maybe\nstunaddr=x\nrtpstrat=1\nrtptimeout=60\n[ice_host_candidates]\na=b",
        );
        assert_eq!(
            said,
            [
                "rtp.conf:2: '80' is not a valid value of 'rtpstart': the line is ignored",
                "rtp.conf:3: 'maybe' is not a valid value of 'strictrtp': the line is ignored",
                "rtp.conf:4: 'stunaddr' is not supported and is ignored",
                "rtp.conf:5: unknown option 'rtpstrat' (did you mean 'rtpstart'?)",
                "rtp.conf:6: 'rtptimeout' is not supported and is ignored",
            ]
        );
        assert_eq!(conf, RtpConf::default());
        assert_eq!(
            read("[general]\nrtpstart=30000").1,
            ["rtp.conf:1: 'rtpstart' (30000) and 'rtpend' (20000) leave no pair of ports: 10000 to 20000 are used"]
        );
        assert_eq!(read("[general]\nrtpstart=65535\nrtpend=65535").1.len(), 1);
    }

    #[test]
    fn without_its_section_the_defaults_hold_with_a_warning() {
        let usual = RtpConf::default();
        let (conf, said) = read("[rtp]\nrtpstart=12000\n");
        assert_eq!(conf, usual);
        assert_eq!(said, ["rtp.conf: there is no section [general] in this file: the defaults hold"]);
        for empty in ["", "; nothing\n"] {
            assert_eq!(read(empty), (usual.clone(), Vec::new()));
        }
    }

    #[test]
    fn lines_without_a_section_do_not_keep_the_exchange_from_starting() {
        for text in
            ["rtpstart=12000\nrtpend=12100\n", "[general](nobody)\nrtpstart=12000\n", "[general\n", "#include gone\n"]
        {
            let (config, said) = crate::config::Config::from_texts("", "", text, "");
            assert_eq!(config.unwrap().rtp, RtpConf::default(), "{text}");
            let said: Vec<&Diagnostic> = said.iter().filter(|one| &*one.place.file == "rtp.conf").collect();
            assert_eq!(said.len(), 1, "{text}: {said:?}");
            assert_eq!(said[0].severity, Severity::Warning, "{text}");
        }
    }

    /// No value of any option keeps the exchange from starting.
    #[test]
    fn every_option_with_every_value_starts() {
        for option in KNOWN.iter().chain(IGNORED.iter().map(|(name, ..)| name)) {
            for value in ["", "nonsense", "-1", "99999999999999999999", "0", "1", "65535", "a,b", ","] {
                let (document, _) =
                    ini::parse("rtp.conf", format!("[general]\n{option}={value}\n").as_bytes(), &mut ini::no_includes);
                let (conf, said) = parse(&document);
                assert!(conf.port_last > conf.port_first, "{option}={value}");
                assert!(said.iter().all(|one| one.severity == Severity::Warning), "{option}={value}: {said:?}");
            }
        }
    }
}
