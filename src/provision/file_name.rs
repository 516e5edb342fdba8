//! The names telephones ask for, made comparable: one folder, no way out of it.

use super::request::Why;

/// Longest name that is looked for, in bytes.
pub const MAX_NAME: usize = 255;

/// A name as it is asked for, without what does not belong to it: a leading `/` or `./` (Cisco telephones ask for
/// `./SIP0014A9BC0001.cnf`), doubled `/`, `.` in between; `\` counts as `/`.
///
/// # Errors
/// It leads out of the folder (`..`), names nothing, is too long, or has characters that no file of a telephone has.
pub fn clean(asked: &str) -> Result<String, Why> {
    if asked.len() > MAX_NAME {
        return Err(Why::TooLong);
    }
    if asked.chars().any(char::is_control) {
        return Err(Why::Characters);
    }
    let parts: Vec<&str> = asked.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(Why::OutsideTheFolder);
    }
    if parts.is_empty() { Err(Why::NoName) } else { Ok(parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_the_folder() {
        for (asked, name) in [
            ("SIPDefault.cnf", "SIPDefault.cnf"),
            ("./SIP0014A9BC0001.cnf", "SIP0014A9BC0001.cnf"),
            ("/spa2102.cfg", "spa2102.cfg"),
            ("a//b/./c", "a/b/c"),
            ("a\\b", "a/b"),
            ("...", "..."),
        ] {
            assert_eq!(clean(asked).as_deref(), Ok(name), "{asked}");
        }
        for (asked, why) in [
            ("../x", Why::OutsideTheFolder),
            ("a/../b", Why::OutsideTheFolder),
            ("a\\..\\b", Why::OutsideTheFolder),
            ("/..", Why::OutsideTheFolder),
            ("", Why::NoName),
            ("./", Why::NoName),
            ("a\nb", Why::Characters),
            ("a\0b", Why::Characters),
        ] {
            assert_eq!(clean(asked), Err(why), "{asked}");
        }
        assert_eq!(clean(&"x".repeat(256)), Err(Why::TooLong));
    }
}
