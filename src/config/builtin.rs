//! The configuration the exchange begins with when it is given none: ten extensions with secrets of their own.

/// How many extensions it has, and so how many secrets it takes.
pub const EXTENSIONS: usize = 10;

/// The files of a configuration, as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Texts {
    /// sip.conf; holds the secrets.
    pub sip: String,
    /// extensions.conf.
    pub extensions: String,
}

/// Writes the files, one secret for each of the extensions 101 to 110. The same secrets give the same text. Secrets
/// must be letters and digits: what has a meaning in the file (`;`) is not escaped.
pub fn generate(secrets: &[String; EXTENSIONS]) -> Texts {
    let mut sip = String::from(SIP_HEAD);
    for (number, secret) in (101u32..).zip(secrets) {
        sip.push_str(&format!(
            "[{number}](phone)\nsecret={secret}\ncallerid=\"Extension {number}\" <{number}>\nregexten={number}\n\n"
        ));
    }
    Texts { sip, extensions: EXTENSIONS_CONF.into() }
}

const SIP_HEAD: &str = include_str!("../../conf/default/sip.conf.head");
const EXTENSIONS_CONF: &str = include_str!("../../conf/default/extensions.conf");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::peer::DirectMedia;

    fn secrets() -> [String; EXTENSIONS] {
        std::array::from_fn(|n| format!("xxxxxxxxxxxxxxx{n}"))
    }

    #[test]
    fn it_loads_without_a_word_and_serves_only_private_networks() {
        let texts = generate(&secrets());
        let (config, diagnostics) = Config::from_texts(&texts.sip, &texts.extensions, "", "");
        assert_eq!(diagnostics, []);
        let config = config.unwrap();
        assert_eq!(config.sip.peers.len(), EXTENSIONS);
        for (peer, number) in config.sip.peers.values().zip(101..) {
            assert_eq!(peer.name, number.to_string());
            assert_eq!(peer.settings.context, "internal");
            assert_eq!(peer.settings.direct_media, DirectMedia::Relay);
            assert!(peer.credential.is_some());
            for address in
                ["192.168.1.2", "10.0.0.1", "172.31.0.1", "127.0.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"]
            {
                assert!(peer.acl.allows(address.parse().unwrap()), "{address}");
            }
            for address in ["192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1"] {
                assert!(!peer.acl.allows(address.parse().unwrap()), "{address}");
            }
        }
    }

    #[test]
    fn no_secret_is_in_the_files_of_the_program() {
        assert!(!SIP_HEAD.lines().any(|line| line.trim_start().starts_with("secret")));
    }
}
