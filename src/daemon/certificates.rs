//! Diagnostics about the files of `tlscertfile=`, `tlsprivatekey=` and `tlscafile=`: missing, wrong, expired, expiring.

use crate::clock::Wall;
use crate::config::Source;
use crate::config::diagnostic::Diagnostic;
use crate::config::finding::{self, Finding};
use crate::config::load::Loaded;
use crate::config::transport::Tls;
use crate::datetime;
use crate::net::stream::tls::{self, Files, Problem, TlsFile};
use std::path::Path;

/// How many days before it expires a certificate is reported.
const AHEAD_DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 3_600_000;

/// Where the files are.
pub(super) fn files(source: &Source, tls: &Tls) -> Files {
    let directory = match source {
        Source::Texts => Path::new(""),
        Source::Directory(directory) => directory,
    };
    Files {
        certificate: directory.join(&tls.certificate),
        key: directory.join(tls.key.as_ref().unwrap_or(&tls.certificate)),
        authorities: tls.authorities.as_ref().map(|file| directory.join(file)),
        verify_server: tls.verify_server,
    }
}

/// The problems of the files, at the lines that name them; none when TLS is off.
pub fn findings(loaded: &Loaded, now: Wall) -> Vec<Diagnostic> {
    let Some(config) = &loaded.config else { return Vec::new() };
    let Some(tls) = &config.sip.general.streams.tls else { return Vec::new() };
    let ahead = Wall(now.0.saturating_add(AHEAD_DAYS.saturating_mul(DAY_MS)));
    let diagnostic = |problem: Problem| {
        let (option, place) = match problem.file() {
            TlsFile::Certificate => ("tlscertfile", &tls.place),
            TlsFile::Key if tls.key.is_none() => ("tlscertfile", &tls.place),
            TlsFile::Key => ("tlsprivatekey", &tls.key_place),
            TlsFile::Authorities => ("tlscafile", &tls.authorities_place),
        };
        let (kind, what, hint): (&'static Finding, String, String) = match problem {
            Problem::Unusable(_, why) => (&finding::TLS_UNUSABLE, why, "TLS stays off until it is repaired".into()),
            Problem::Expired(end) => {
                let what = format!("the certificate expired on {}", day(end));
                (&finding::TLS_EXPIRED, what, "put a new one in its place, and reload".into())
            }
            Problem::Early => {
                let hint = format!("today is {} for this machine: is its clock right?", day(now));
                (&finding::TLS_EXPIRED, "the certificate is not valid yet".into(), hint)
            }
            Problem::Expiring(end) => {
                let what = format!("the certificate expires on {}", day(end));
                (&finding::TLS_EXPIRING, what, "put a new one in its place, and reload".into())
            }
            Problem::Open(file) => {
                let hint = format!("chmod o= {file}");
                (&finding::TLS_KEY_OPEN, format!("everyone on this machine can read the key in {file}"), hint)
            }
        };
        kind.at(place, format!("'{option}': {what}")).hint(hint)
    };
    tls::inspect(&files(&config.source, tls), now, ahead).into_iter().map(diagnostic).collect()
}

/// A day, as `2030-01-31`.
fn day(at: Wall) -> String {
    datetime::iso(at).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    /// 2026-06-15.
    const NOW: Wall = Wall(1_781_481_600_000);

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("strowger-cert-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("extensions.conf"), "[default]\n").unwrap();
            Folder(folder)
        }

        fn write(&self, name: &str, text: &str, mode: u32) {
            fs::write(self.0.join(name), text).unwrap();
            fs::set_permissions(self.0.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }

        /// What is said, as `code line message`.
        fn said(&self, lines: &str) -> Vec<String> {
            self.write("sip.conf", &format!("[general]\ntlsenable=yes\n{lines}"), 0o600);
            let loaded = load::load(&self.0);
            let place = format!("{}/", self.0.display());
            let found = findings(&loaded, NOW);
            found
                .iter()
                .map(|one| format!("{} {} {}", one.code, one.place.line, one.message.replace(&place, "")))
                .collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A certificate that is good from one year to a day of 2026 or another year, and its key.
    fn pair(from: i32, to: (i32, u8, u8)) -> (String, String) {
        let mut params = rcgen::CertificateParams::new(["pbx.home".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn what_is_good_is_not_spoken_of() {
        let folder = Folder::new("good");
        let (certificate, key) = pair(2026, (2027, 1, 1));
        folder.write("both.pem", &(key.clone() + &certificate), 0o640);
        folder.write("cert.pem", &certificate, 0o644);
        folder.write("key.pem", &key, 0o600);
        assert_eq!(folder.said("tlscertfile=both.pem\n"), [""; 0]);
        assert_eq!(folder.said("tlscertfile=cert.pem\ntlsprivatekey=key.pem\ntlscafile=cert.pem\n"), [""; 0]);
        assert_eq!(folder.said("tlsenable=no\ntlscertfile=missing.pem\n"), [""; 0], "TLS is off");
    }

    #[test]
    fn each_fault_is_said_where_its_file_is_named() {
        let folder = Folder::new("faults");
        let (certificate, key) = pair(2026, (2027, 1, 1));
        folder.write("cert.pem", &certificate, 0o644);
        folder.write("key.pem", &key, 0o600);
        folder.write("other.pem", &pair(2026, (2027, 1, 1)).1, 0o600);
        folder.write("open.pem", &key, 0o644);
        folder.write("none.pem", "no certificate", 0o600);
        let said = |lines: &str| folder.said(lines).join("\n");
        assert_eq!(
            said("tlscertfile=gone.pem\ntlsprivatekey=key.pem\n"),
            "tls-unusable 3 'tlscertfile': gone.pem: no certificate can be read: I/O error: No such file or directory (os error 2)"
        );
        assert_eq!(
            said("tlscertfile=none.pem\ntlsprivatekey=key.pem\n"),
            "tls-unusable 3 'tlscertfile': none.pem: there is no certificate in it (-----BEGIN CERTIFICATE-----)"
        );
        assert!(
            said("tlscertfile=cert.pem\n")
                .starts_with("tls-unusable 3 'tlscertfile': cert.pem: no private key can be read")
        );
        assert!(
            said("tlscertfile=cert.pem\n\ntlsprivatekey=none.pem\n")
                .starts_with("tls-unusable 5 'tlsprivatekey': none.pem: no")
        );
        assert_eq!(
            said("tlscertfile=cert.pem\ntlsprivatekey=other.pem\n"),
            "tls-unusable 4 'tlsprivatekey': other.pem: it is not the key of the certificate in cert.pem"
        );
        assert_eq!(
            said("tlscertfile=cert.pem\ntlsprivatekey=open.pem\n"),
            "tls-key-open 4 'tlsprivatekey': everyone on this machine can read the key in open.pem"
        );
        assert!(
            said("tlscertfile=cert.pem\ntlsprivatekey=key.pem\ntlscafile=gone.pem\n")
                .starts_with("tls-unusable 5 'tlscafile': gone.pem")
        );
    }

    #[test]
    fn a_certificate_that_is_over_or_nearly_or_not_yet_is_said_with_its_day() {
        let folder = Folder::new("days");
        for (from, to, expected) in [
            (2020, (2026, 6, 14), "tls-expired 3 'tlscertfile': the certificate expired on 2026-06-14"),
            (2020, (2026, 7, 14), "tls-expiring 3 'tlscertfile': the certificate expires on 2026-07-14"),
            (2027, (2028, 1, 1), "tls-expired 3 'tlscertfile': the certificate is not valid yet"),
        ] {
            let (certificate, key) = pair(from, to);
            folder.write("both.pem", &(key + &certificate), 0o600);
            assert_eq!(folder.said("tlscertfile=both.pem\n"), [expected]);
        }
        let (certificate, key) = pair(2020, (2026, 7, 16));
        folder.write("both.pem", &(key + &certificate), 0o600);
        assert_eq!(folder.said("tlscertfile=both.pem\n"), [""; 0], "31 days are enough");
    }
}
