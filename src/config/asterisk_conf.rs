//! asterisk.conf: of its many directories and options, those that say where sounds are, and where recordings go.

use super::ini::Document;
use std::path::PathBuf;

/// What asterisk.conf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsteriskConf {
    /// `astdatadir`, then `astvarlibdir`: the folders whose `sounds` are looked into.
    pub data: Vec<PathBuf>,
    /// `astspooldir`: recordings go into its `monitor`, and call files are looked for in its `outgoing`.
    pub spool: Option<PathBuf>,
    /// `languageprefix`: the language's folder stands before the others of a sound's name (`en/digits/1`), not behind
    /// them (`digits/en/1`).
    pub language_prefix: bool,
    /// `defaultlanguage`: what is spoken to calls that have no language of their own; empty: English.
    pub default_language: String,
}

impl Default for AsteriskConf {
    fn default() -> AsteriskConf {
        AsteriskConf { data: Vec::new(), spool: None, language_prefix: true, default_language: String::new() }
    }
}

/// Reads asterisk.conf.
pub fn parse(document: &Document) -> AsteriskConf {
    let value = |section: &str, name: &str| {
        let entries = document.section(section).into_iter().flat_map(|section| &section.entries);
        entries.filter(|entry| entry.is(name) && !entry.value.is_empty()).map(|entry| entry.value.clone()).next_back()
    };
    let data = ["astdatadir", "astvarlibdir"].into_iter().filter_map(|name| value("directories", name));
    let is_no = |text: String| ["no", "n", "false", "f", "0", "off"].contains(&text.to_ascii_lowercase().as_str());
    AsteriskConf {
        data: data.map(PathBuf::from).collect(),
        spool: value("directories", "astspooldir").map(PathBuf::from),
        language_prefix: !value("options", "languageprefix").is_some_and(is_no),
        default_language: value("options", "defaultlanguage").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini::{self, no_includes};

    #[test]
    fn where_sounds_are() {
        let parsed = |text: &str| parse(&ini::parse("asterisk.conf", text.as_bytes(), &mut no_includes).0);
        assert_eq!(parsed(""), AsteriskConf::default());
        let conf = parsed(
            "[directories]\nastetcdir => /etc/asterisk\nastvarlibdir => /var/lib/asterisk\n\
             astdatadir => /usr/share/asterisk\nastspooldir => /var/spool/asterisk\n[options]\nlanguageprefix = no\ndefaultlanguage = de\n",
        );
        assert_eq!(conf.data, [PathBuf::from("/usr/share/asterisk"), "/var/lib/asterisk".into()]);
        assert_eq!(conf.spool, Some("/var/spool/asterisk".into()));
        assert!(!conf.language_prefix && conf.default_language == "de");
    }
}
