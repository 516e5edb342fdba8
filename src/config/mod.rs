//! Configuration: Asterisk's file dialect read with the file and line of every value, into typed settings.

pub mod acl;
pub mod acl_conf;
pub mod asterisk_conf;
pub mod builtin;
pub mod conf_row;
pub mod device_line;
pub mod diagnostic;
pub mod digest;
pub mod features_conf;
pub mod finding;
pub mod general;
pub mod groups;
pub mod indications_conf;
pub mod ini;
pub mod lamps;
pub mod limits;
pub mod load;
pub mod logger_conf;
pub mod login;
pub mod mac;
pub mod mailbox_line;
pub mod message_waiting;
pub mod musiconhold_conf;
pub mod parking_conf;
pub mod peer;
pub mod peer_address;
pub mod phone_book;
pub mod pin_files;
pub mod presentation;
pub mod register_line;
pub mod rtp_conf;
pub mod secret;
pub mod sip_conf;
pub mod sip_notify_conf;
mod small_files;
pub mod suggest;
pub mod t38;
pub mod toml_conf;
pub mod transport;
pub mod value;
pub mod weak_secret;

use crate::datetime::zones::Zones;
use asterisk_conf::AsteriskConf;
use diagnostic::{Counts, Diagnostic};
use features_conf::Features;
use indications_conf::Indications;
use ini::{Document, Includer, no_includes};
use logger_conf::LoggerConf;
use musiconhold_conf::MusicClasses;
use parking_conf::{ParkingLots, RES_PARKING_CONF};
use phone_book::{PHONE_BOOK_CSV, PHONE_BOOK_TOML, PhoneBook};
use pin_files::PinFiles;
use rtp_conf::RtpConf;
use sip_conf::SipConf;
use sip_notify_conf::NotifyTypes;
use std::path::PathBuf;
use std::sync::Arc;
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
    /// logger.conf.
    pub logger: LoggerConf,
    /// indications.conf.
    pub indications: Indications,
    /// musiconhold.conf.
    pub music: MusicClasses,
    /// sip_notify.conf.
    pub notify_types: NotifyTypes,
    /// features.conf: codes in mid-call, and pickup.
    pub features: Features,
    /// res_parking.conf, and what features.conf has of it: lots for calls that wait.
    pub parking: ParkingLots,
    /// strowger.toml.
    pub toml: TomlConf,
    /// asterisk.conf.
    pub asterisk: AsteriskConf,
    /// The phone book.
    pub phone_book: PhoneBook,
    /// Templates of devices' files, `devices/*.template`: each file's name and its text.
    pub templates: Vec<(String, String)>,
    /// The time zones that the dialplan's times may name, and the machine's own; UTC alone when the configuration came
    /// from texts.
    pub zones: Arc<Zones>,
    /// Files of PINs that the dialplan names.
    pub pins: PinFiles,
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

/// The text of a configuration's files, each with the name it has in diagnostics.
#[derive(Clone, Copy)]
struct Files<'a> {
    sip: (&'a str, &'a [u8]),
    extensions: (&'a str, &'a [u8]),
    rtp: (&'a str, &'a [u8]),
    acl: (&'a str, &'a [u8]),
    logger: (&'a str, &'a [u8]),
    indications: (&'a str, &'a [u8]),
    music: (&'a str, &'a [u8]),
    notify: (&'a str, &'a [u8]),
    features: (&'a str, &'a [u8]),
    parking: (&'a str, &'a [u8]),
    toml: (&'a str, &'a [u8]),
    asterisk: (&'a str, &'a [u8]),
    book_csv: (&'a str, &'a [u8]),
    book_toml: (&'a str, &'a [u8]),
}

impl Config {
    /// Reads a configuration from text that includes no files: the demonstration's, a test's. Empty texts stand for
    /// files that are not there. The configuration is `None` when a diagnostic is fatal.
    pub fn from_texts(sip: &str, extensions: &str, rtp: &str, toml: &str) -> (Option<Config>, Vec<Diagnostic>) {
        Config::from_named(&[(SIP_CONF, sip), (EXTENSIONS_CONF, extensions), (RTP_CONF, rtp), (TOML, toml)])
    }

    /// The same of any of the files, by name; those that are not named are not there.
    pub fn from_named(texts: &[(&str, &str)]) -> (Option<Config>, Vec<Diagnostic>) {
        let text = |name: &'static str| {
            let found = texts.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text);
            (name, found.as_bytes())
        };
        let files = Files {
            sip: text(SIP_CONF),
            extensions: text(EXTENSIONS_CONF),
            rtp: text(RTP_CONF),
            acl: text(ACL_CONF),
            logger: text(LOGGER_CONF),
            indications: text(INDICATIONS_CONF),
            music: text(MUSICONHOLD_CONF),
            notify: text(SIP_NOTIFY_CONF),
            features: text(FEATURES_CONF),
            parking: text(RES_PARKING_CONF),
            toml: text(TOML),
            asterisk: text(ASTERISK_CONF),
            book_csv: text(PHONE_BOOK_CSV),
            book_toml: text(PHONE_BOOK_TOML),
        };
        Config::from_files(files, Source::Texts, &mut no_includes)
    }

    fn from_files(files: Files<'_>, source: Source, include: &mut Includer<'_>) -> (Option<Config>, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let (lists, said) = ini::parse(files.acl.0, files.acl.1, include);
        diagnostics.extend(said);
        let (lists, said) = acl_conf::parse(&lists);
        diagnostics.extend(said);
        let (sip, said) = ini::parse(files.sip.0, files.sip.1, include);
        diagnostics.extend(said);
        let (sip, said) = sip_conf::parse(&sip, &lists.into());
        diagnostics.extend(said);
        let (mut extensions, said) = ini::parse(files.extensions.0, files.extensions.1, include);
        diagnostics.extend(said);
        let (rtp, mut said) = ini::parse(files.rtp.0, files.rtp.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        let (rtp, said) = rtp_conf::parse(&rtp);
        diagnostics.extend(said);
        let (logger, mut said) = ini::parse(files.logger.0, files.logger.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        let (logger, said) = logger_conf::parse(&logger);
        diagnostics.extend(said);
        let (indications, mut said) = ini::parse(files.indications.0, files.indications.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        let (indications, said) = indications_conf::parse(&indications);
        diagnostics.extend(said);
        let (music, mut said) = ini::parse(files.music.0, files.music.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        let (music, said) = musiconhold_conf::parse(&music);
        diagnostics.extend(said);
        let (notify, mut said) = ini::parse(files.notify.0, files.notify.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        let (notify_types, said) = sip_notify_conf::parse(&notify);
        diagnostics.extend(said);
        let (features, mut said) = ini::parse(files.features.0, files.features.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        let (features, mut parking, said) = features_conf::parse(&features);
        diagnostics.extend(said);
        let (lots, mut said) = ini::parse(files.parking.0, files.parking.1, include);
        small_files::spare(&mut said);
        diagnostics.extend(said);
        diagnostics.extend(parking_conf::parse(&lots, &mut parking));
        parking.add_extensions(&mut extensions);
        let (toml, said) = toml_conf::parse(files.toml.0, files.toml.1);
        diagnostics.extend(said);
        let (asterisk, _) = ini::parse(files.asterisk.0, files.asterisk.1, include);
        let asterisk = asterisk_conf::parse(&asterisk);
        let (phone_book, said) = phone_book::parse(files.book_csv.1, files.book_toml.1);
        diagnostics.extend(said);
        diagnostic::tidy(&mut diagnostics);
        let is_usable = Counts::of(&diagnostics).fatals == 0;
        let (zones, pins) = (Arc::default(), PinFiles::default());
        let config = Config {
            sip,
            extensions,
            rtp,
            logger,
            indications,
            music,
            notify_types,
            features,
            parking,
            toml,
            asterisk,
            phone_book,
            templates: Vec::new(),
            zones,
            pins,
            source,
        };
        (is_usable.then_some(config), diagnostics)
    }
}

const SIP_CONF: &str = "sip.conf";
const EXTENSIONS_CONF: &str = "extensions.conf";
const RTP_CONF: &str = "rtp.conf";
const ACL_CONF: &str = "acl.conf";
const LOGGER_CONF: &str = "logger.conf";
/// The file that Asterisk does not have.
pub const TOML: &str = "strowger.toml";
const ASTERISK_CONF: &str = "asterisk.conf";
const INDICATIONS_CONF: &str = "indications.conf";
const MUSICONHOLD_CONF: &str = "musiconhold.conf";
const SIP_NOTIFY_CONF: &str = "sip_notify.conf";
const FEATURES_CONF: &str = "features.conf";
