//! The hardware address of a telephone (MAC, EUI-48): what its files are named after.

use std::fmt;

/// A hardware address. Printed as the files of Cisco telephones are named: twelve digits in upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

/// Digits of a hardware address.
const DIGITS: usize = 12;
/// The same with a sign between each two.
const PAIRS: usize = 17;

impl Mac {
    /// Reads `0014A9BC0001`, `00:14:a9:bc:00:01`, `00-14-A9-BC-00-01` or `0014.a9bc.0001`. None: it is none of these, or
    /// an address that no single device has (all zeros, or a group's: RFC 7042 2.1).
    pub fn parse(text: &str) -> Option<Mac> {
        let is_plain = |every: usize, mark: u8| {
            let bytes = text.as_bytes();
            bytes.iter().enumerate().all(|(at, byte)| (at % (every + 1) == every) == (*byte == mark))
        };
        let is_shaped = match text.len() {
            12 => true,
            14 => is_plain(4, b'.'),
            17 => is_plain(2, b':') || is_plain(2, b'-'),
            _ => false,
        };
        let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b':' | b'-' | b'.')).collect();
        if is_shaped { Mac::of_digits(&digits) } else { None }
    }

    /// These six bytes. None: no single device has that address.
    pub fn of_bytes(bytes: [u8; 6]) -> Option<Mac> {
        let is_group = bytes.first().is_some_and(|first| first & 1 == 1);
        if is_group || bytes == [0; 6] { None } else { Some(Mac(bytes)) }
    }

    /// The address in the name of a file: `SIP0014A9BC0001.cnf`, `cfg000b82aabbcc.xml`, `spa0018f8aabbcc.cfg`. It is the last
    /// twelve of a row of hexadecimal digits at whose ends the name goes on with something else (`spacfg...` may
    /// have an `a` or `f` before it). Else six pairs with `-` or `:` between them: `00-14-A9-BC-00-01.cfg`.
    pub fn in_name(name: &str) -> Option<Mac> {
        let bytes = name.as_bytes();
        let row = bytes
            .split(|byte| !byte.is_ascii_hexdigit())
            .filter_map(|row| row.get(row.len().checked_sub(DIGITS)?..))
            .find_map(Mac::of_digits);
        let pairs = || bytes.windows(PAIRS).find_map(|window| Mac::parse(std::str::from_utf8(window).ok()?));
        row.or_else(pairs)
    }

    fn of_digits(digits: &[u8]) -> Option<Mac> {
        if digits.len() != DIGITS {
            return None;
        }
        let mut bytes = [0; 6];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().try_fold(0_u8, |sum, digit| {
                let value = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
                Some((sum << 4) | value)
            })?;
        }
        Mac::of_bytes(bytes)
    }

    /// Its six bytes.
    pub fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// `0014a9bc0001`: as the files of ATAs are named.
    pub fn lower(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `00:14:a9:bc:00:01`: as other programs write it.
    pub fn with_colons(self) -> String {
        self.0.map(|byte| format!("{byte:02x}")).join(":")
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_way_to_write_it_is_read() {
        let mac = Mac::parse("0014a9Bc0001").unwrap();
        for same in ["0014A9BC0001", "00:14:a9:bc:00:01", "00-14-A9-BC-00-01", "0014.a9bc.0001"] {
            assert_eq!(Mac::parse(same), Some(mac), "{same}");
        }
        assert_eq!(mac.to_string(), "0014A9BC0001");
        assert_eq!((mac.lower(), mac.with_colons()), ("0014a9bc0001".into(), "00:14:a9:bc:00:01".into()));
        for none in [
            "",
            "0014A9BC000",
            "0014A9BC000g",
            "00:14:a9:bc:00-01",
            "0:014:a9:bc:00:01",
            "000000000000",
            "0114A9BC0001",
            "ffffffffffff",
        ] {
            assert_eq!(Mac::parse(none), None, "{none}");
        }
    }

    #[test]
    fn the_name_of_a_file_has_it() {
        let found = |name: &str| Mac::in_name(name).map(Mac::lower);
        let mac = Some(String::from("0014a9bc0001"));
        for name in [
            "SIP0014A9BC0001.cnf",
            "SEP0014A9BC0001.cnf.xml",
            "CTLSEP0014A9BC0001.tlv",
            "cfg0014a9bc0001",
            "spa0014a9bc0001.cfg",
            "0014a9bc0001.cfg",
            "phone-00-14-A9-BC-00-01.cfg",
            "00:14:a9:bc:00:01/settings.xml",
        ] {
            assert_eq!(found(name), mac, "{name}");
        }
        for none in ["SIPDefault.cnf", "P0S3-8-12-00.loads", "spa2102.cfg", "", "0014a9bc000.cfg"] {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
