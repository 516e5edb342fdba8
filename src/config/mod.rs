//! Configuration: Asterisk's file dialect read with the file and line of every value, into typed settings.

pub mod acl;
pub mod diagnostic;
pub mod general;
pub mod ini;
pub mod nearest;
pub mod peer;
pub mod rtp_conf;
pub mod secret;
pub mod sip_conf;
pub mod toml_conf;
pub mod value;

use ini::Document;
use rtp_conf::RtpConf;
use sip_conf::SipConf;
use std::path::PathBuf;
use toml_conf::TomlConf;

/// The whole configuration, as the exchange runs on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// sip.conf.
    pub sip: SipConf,
    /// extensions.conf as read: the dialplan makes contexts of it.
    pub extensions: Document,
    /// rtp.conf.
    pub rtp: RtpConf,
    /// strowger.toml.
    pub toml: TomlConf,
    /// Where it came from.
    pub source: Source,
}

/// Where a configuration came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Text that came with the program (the demonstration, tests).
    #[default]
    Texts,
    /// This directory.
    Directory(PathBuf),
}
