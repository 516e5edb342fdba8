//! THE table of dialplan functions: `${NAME(args)}` and `Set(NAME(args)=value)`.

mod caller;
mod database;
mod exchange;
mod group;
mod logic;
mod number;
mod sip;
mod text;
mod time;
mod timeout;
mod variable;

use super::function::Function;

/// Every function, by name.
pub static TABLE: &[&Function] = &[
    &caller::CALLERID,
    &caller::CALLERPRES,
    &exchange::CHANNEL,
    &text::CUT,
    &database::DB,
    &database::DB_DELETE,
    &database::DB_EXISTS,
    &variable::DEC,
    &exchange::DIALPLAN_EXISTS,
    &timeout::EXCEPTION,
    &logic::EXISTS,
    &text::FIELDQTY,
    &text::FILTER,
    &variable::GLOBAL,
    &group::GROUP,
    &group::GROUP_COUNT,
    &group::GROUP_LIST,
    &group::GROUP_MATCH_COUNT,
    &logic::IF,
    &logic::IFTIME,
    &variable::INC,
    &logic::ISNULL,
    &text::LEN,
    &variable::LOCAL,
    &number::MATH,
    &number::RAND,
    &text::REGEX,
    &variable::SET,
    &sip::SIPCHANINFO,
    &exchange::SIPPEER,
    &sip::SIP_HEADER,
    &sip::SIP_HEADERS,
    &time::STRFTIME,
    &timeout::TIMEOUT,
    &text::TOLOWER,
    &text::TOUPPER,
];

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    TABLE.iter().find(|function| function.name.eq_ignore_ascii_case(name.trim())).copied()
}

#[cfg(test)]
mod tests;
