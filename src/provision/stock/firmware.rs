//! Cisco's firmware, which is the user's to supply: which there is, and what is said when a telephone asks for what is not there.

use crate::provision::mac::Mac;
use std::collections::BTreeSet;

/// The last SIP firmware of the 7940 and 7960.
pub const DEFAULT_IMAGE: &str = "P0S3-8-12-00";
/// What SIP firmware of the 7940 and 7960 is called.
const SIP: &str = "p0s3-";
/// What the part of it is called that any firmware begins with.
const UNIVERSAL: &str = "p003-";
/// Endings of firmware.
const ENDINGS: [&str; 4] = [".loads", ".sb2", ".bin", ".sbn"];
/// Files that only SCCP firmware asks for.
const SCCP: [&str; 4] = ["sepdefault.cnf", "7960-", "sccp-", "p0030"];

/// The newest SIP firmware among these files (names in lower case), as its `.loads` file names it.
pub(super) fn newest(files: &BTreeSet<String>) -> Option<String> {
    let loads = files.iter().filter_map(|name| name.strip_suffix(ENDINGS[0])).filter(|name| name.starts_with(SIP));
    loads.max_by_key(|name| version(name)).map(str::to_ascii_uppercase)
}

/// `p0s3-8-12-00` as numbers: 8, 12, 0.
fn version(name: &str) -> Vec<u32> {
    name.split('-').skip(1).map(|part| part.parse().unwrap_or(0)).collect()
}

/// What a firmware is called in OS79XX.TXT.
pub(super) fn universal(image: &str) -> String {
    image.replacen("P0S3", "P003", 1)
}

/// What to say of a file that every device of its make asks for and does without.
pub(super) fn usually_missing(asked: &str) -> Option<String> {
    if asked.ends_with(".tlv") || asked.starts_with("ctlsep") {
        return Some("which is as it should be: the telephone goes on without it".to_owned());
    }
    // Grandstream's old form, which is not text.
    let is_old = asked.strip_prefix("cfg").is_some_and(|mac| mac.len() == 12 && Mac::parse(mac).is_some());
    is_old.then(|| format!("which is as it should be: it asks for {asked}.xml next"))
}

/// What to say of firmware that is not there.
pub(super) fn hint(asked: &str, image: &str) -> Option<String> {
    let needed = || {
        let universal = universal(image);
        format!("{image}.loads, {image}.sb2, {universal}.bin and {universal}.sbn")
    };
    if SCCP.iter().any(|begin| asked.starts_with(begin)) {
        let files = needed();
        return Some(format!(
            "the telephone runs SCCP firmware, which the exchange does not speak: put Cisco's SIP firmware ({files}) into the provisioning \
             folder and restart the telephone"
        ));
    }
    let is_firmware = ENDINGS.iter().any(|ending| asked.ends_with(ending))
        && (asked.starts_with(SIP) || asked.starts_with(UNIVERSAL));
    is_firmware.then(|| format!("put Cisco's firmware ({}) into the provisioning folder", needed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_firmware_is_that_of_the_highest_version() {
        let files = ["p0s3-8-12-00.loads", "p0s3-8-2-00.loads", "p0s3-8-9-00.loads", "p0s3-9-0.sb2", "x.loads"];
        let files: BTreeSet<String> = files.map(String::from).into();
        assert_eq!(newest(&files).as_deref(), Some("P0S3-8-12-00"));
        assert_eq!(newest(&BTreeSet::new()), None);
        assert_eq!(universal("P0S3-8-12-00"), "P003-8-12-00");
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        let said = |asked: &str| hint(asked, DEFAULT_IMAGE);
        let files = "P0S3-8-12-00.loads, P0S3-8-12-00.sb2, P003-8-12-00.bin and P003-8-12-00.sbn";
        assert_eq!(
            said("p0s3-8-12-00.loads"),
            Some(format!("put Cisco's firmware ({files}) into the provisioning folder"))
        );
        assert!(said("sepdefault.cnf").is_some_and(|hint| hint.starts_with("the telephone runs SCCP firmware")));
        assert!(said("p00308000700.bin").is_some_and(|hint| hint.starts_with("the telephone runs SCCP firmware")));
        assert_eq!(said("nothing.txt"), None);
        assert!(
            usually_missing("ctlsep0014a9bc0001.tlv").is_some() && usually_missing("sip0014a9bc0001.cnf").is_none()
        );
        let old = usually_missing("cfg000b82aabb04");
        assert_eq!(old.as_deref(), Some("which is as it should be: it asks for cfg000b82aabb04.xml next"));
        assert_eq!(usually_missing("cfg000b82aabb04.xml"), None);
    }
}
