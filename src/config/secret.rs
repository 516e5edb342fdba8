//! A password that cannot be printed by accident.

/// A secret from the configuration. `Debug` and `Display` show nothing of it, not even its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What proves that a request is the peer's (RFC 2617 and RFC 8760 digest).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `secret`: the password.
    Password(Secret),
    /// `md5secret`: 32 hexadecimal digits in lower case, MD5 of `name:realm:password` (HA1); never with
    /// `auth_algorithm=sha256`.
    Ha1(Secret),
}

impl Secret {
    /// Takes the text as the secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself: for computing a digest, never for printing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "<secret> <secret> Some(<secret>)");
        assert_eq!(secret.reveal(), "hunter2");
    }
}
