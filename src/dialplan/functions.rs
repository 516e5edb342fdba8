//! THE table of dialplan functions: `${NAME(args)}` and `Set(NAME(args)=value)`.

mod caller;
mod cipher;
mod database;
mod device;
mod dial_group;
mod edit;
mod encode;
mod exchange;
mod file;
mod group;
mod list;
mod logic;
mod lookup;
mod mailbox;
mod message;
mod number;
mod outcome;
mod outside;
mod record;
mod saying;
mod sip;
mod text;
mod time;
mod timeout;
mod variable;

use super::function::Function;

/// Every function, by name.
pub static TABLE: &[&Function] = &[
    &number::ABS,
    &cipher::AES_DECRYPT,
    &cipher::AES_ENCRYPT,
    &list::ARRAY,
    &encode::BASE64_DECODE,
    &encode::BASE64_ENCODE,
    &file::BASENAME,
    &lookup::BLACKLIST,
    &caller::CALLERID,
    &caller::CALLERPRES,
    &record::CDR,
    &record::CDR_PROP,
    &exchange::CHANNEL,
    &exchange::CHECKSIPDOMAIN,
    &caller::CONNECTEDLINE,
    &edit::CSV_QUOTE,
    &outside::CURL,
    &outside::CURLOPT,
    &text::CUT,
    &database::DB,
    &database::DB_DELETE,
    &database::DB_EXISTS,
    &lookup::DB_KEYCOUNT,
    &lookup::DB_KEYS,
    &variable::DEC,
    &variable::DELETE,
    &device::DEVICE_STATE,
    &dial_group::DIALGROUP,
    &exchange::DIALPLAN_EXISTS,
    &file::DIRNAME,
    &exchange::ENV,
    &edit::EVAL,
    &timeout::EXCEPTION,
    &logic::EXISTS,
    &device::EXTENSION_STATE,
    &list::FIELDNUM,
    &text::FIELDQTY,
    &file::FILE,
    &file::FILE_COUNT_LINE,
    &file::FILE_FORMAT,
    &text::FILTER,
    &variable::GLOBAL,
    &variable::GLOBAL_DELETE,
    &variable::GLOBAL_EXISTS,
    &group::GROUP,
    &group::GROUP_COUNT,
    &group::GROUP_LIST,
    &group::GROUP_MATCH_COUNT,
    &outcome::HANGUPCAUSE,
    &outcome::HANGUPCAUSE_KEYS,
    &list::HASH,
    &list::HASHKEYS,
    &device::HINT,
    &logic::IF,
    &logic::IFTIME,
    &lookup::IMPORT,
    &variable::INC,
    &logic::ISNULL,
    &encode::KEYPADHASH,
    &text::LEN,
    &list::LISTFILTER,
    &variable::LOCAL,
    &lookup::LOCAL_PEEK,
    &lookup::LOCK,
    &edit::LTRIM,
    &mailbox::MAILBOX_EXISTS,
    &number::MATH,
    &number::MAX,
    &encode::MD5,
    &message::MESSAGE,
    &message::MESSAGE_DATA,
    &number::MIN,
    &edit::PASSTHRU,
    &list::POP,
    &list::PUSH,
    &edit::QUOTE,
    &number::RAND,
    &caller::REDIRECTING,
    &text::REGEX,
    &edit::REPLACE,
    &edit::RTRIM,
    &saying::SAYFILES,
    &variable::SET,
    &encode::SHA1,
    &list::SHIFT,
    &outside::SHELL,
    &sip::SIPCHANINFO,
    &exchange::SIPPEER,
    &sip::SIP_HEADER,
    &sip::SIP_HEADERS,
    &list::SORT,
    &edit::SPRINTF,
    &lookup::STACK_PEEK,
    &file::STAT,
    &edit::STRBETWEEN,
    &time::STRFTIME,
    &edit::STRREPLACE,
    &timeout::TIMEOUT,
    &text::TOLOWER,
    &text::TOUPPER,
    &edit::TRIM,
    &lookup::TRYLOCK,
    &lookup::UNLOCK,
    &list::UNSHIFT,
    &encode::URIDECODE,
    &encode::URIENCODE,
    &lookup::VALID_EXTEN,
    &lookup::VERSION,
    &mailbox::VM_INFO,
];

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    TABLE.iter().find(|function| function.name.eq_ignore_ascii_case(name.trim())).copied()
}

#[cfg(test)]
mod tests;
