//! What we prove ourselves with to somebody who asks us for a password: a user and a secret, perhaps for one realm alone.

use super::secret::{Credential, Secret};

/// Credentials of ours at a provider or another exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name of the digest.
    pub user: String,
    /// The password, or its hash.
    pub proof: Credential,
}

/// A line `auth=USER:SECRET@REALM`: credentials for one realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmLogin {
    /// The realm, compared exactly.
    pub realm: String,
    /// What it is given.
    pub login: Login,
}

impl RealmLogin {
    /// Reads `user:secret@realm` or `user#md5@realm`, where `md5` is the hexadecimal MD5 of `user:realm:secret`. The
    /// realm begins behind the last `@`, the secret behind the first `:`.
    ///
    /// # Errors
    /// What is missing of it; the secret is not named.
    pub fn parse(text: &str) -> Result<RealmLogin, &'static str> {
        let (login, realm) = text.rsplit_once('@').ok_or("there is no '@' with a realm behind it")?;
        let realm = realm.trim().trim_matches('"');
        if realm.is_empty() {
            return Err("there is no realm behind the '@'");
        }
        let (user, proof) = match login.find([':', '#']) {
            Some(at) if login.get(at..).is_some_and(|rest| rest.starts_with('#')) => {
                let digits = login.get(at.saturating_add(1)..).unwrap_or_default();
                if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err("behind '#' there are no 32 hexadecimal digits (the MD5 of user:realm:secret)");
                }
                (login.get(..at).unwrap_or_default(), Credential::Ha1(Secret::new(digits.to_ascii_lowercase())))
            }
            Some(at) => {
                let secret = login.get(at.saturating_add(1)..).unwrap_or_default();
                (login.get(..at).unwrap_or_default(), Credential::Password(Secret::new(secret)))
            }
            None => (login, Credential::Password(Secret::new(""))),
        };
        if user.is_empty() {
            return Err("there is no user before the secret");
        }
        Ok(RealmLogin { realm: realm.into(), login: Login { user: user.into(), proof } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String, String), &'static str> {
        RealmLogin::parse(text).map(|RealmLogin { realm, login }| {
            let proof = match &login.proof {
                Credential::Password(secret) => format!("password {}", secret.reveal()),
                Credential::Ha1(secret) => format!("md5 {}", secret.reveal()),
            };
            (login.user, proof, realm)
        })
    }

    #[test]
    fn a_line_has_a_user_a_secret_and_a_realm() {
        let three = |user: &str, proof: &str, realm: &str| Ok((user.to_owned(), proof.to_owned(), realm.to_owned()));
        assert_eq!(read("bob:pa:ss@rd@sip.example"), three("bob", "password pa:ss@rd", "sip.example"));
        assert_eq!(read("bob:a#b@\"my realm\""), three("bob", "password a#b", "my realm"));
        assert_eq!(read("bob@r"), three("bob", "password ", "r"));
        let md5 = "0123456789ABCDEF0123456789abcdef";
        assert_eq!(read(&format!("bob#{md5}@r")), three("bob", &format!("md5 {}", md5.to_lowercase()), "r"));
        for wrong in ["bob:secret", "bob:secret@", ":secret@r", "@r", "bob#12@r"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
