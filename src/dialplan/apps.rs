//! THE table of dialplan applications.

pub mod absolute_timeout;
pub mod answer;
pub mod authenticate;
pub mod background;
pub mod busy;
pub mod chan_is_avail;
pub mod congestion;
pub mod date_time;
pub mod dial;
pub mod digit_timeout;
pub mod disa;
pub mod echo;
pub mod exec_if;
pub mod gosub;
pub mod gosub_if;
pub mod goto;
pub mod goto_if;
pub mod hangup;
pub mod noop;
pub mod originate;
pub mod playback;
pub mod progress;
pub mod raise_exception;
pub mod read;
pub mod read_exten;
pub mod response_timeout;
pub mod retry_dial;
pub mod return_;
pub mod ringing;
pub mod say_alpha;
pub mod say_alpha_case;
pub mod say_counted_adj;
pub mod say_counted_noun;
pub mod say_digits;
pub mod say_number;
pub mod say_ordinal;
pub mod say_phonetic;
pub mod say_unix_time;
pub mod set;
pub mod sip_header;
pub mod verbose;
pub mod wait;
pub mod wait_exten;

use super::app::App;

/// Every application, by name.
pub static TABLE: &[App] = &[
    absolute_timeout::APP,
    answer::APP,
    authenticate::APP,
    background::APP,
    busy::APP,
    chan_is_avail::APP,
    congestion::APP,
    disa::APP,
    date_time::APP,
    dial::APP,
    digit_timeout::APP,
    echo::APP,
    exec_if::APP,
    gosub::APP,
    gosub_if::APP,
    goto::APP,
    goto_if::APP,
    hangup::APP,
    noop::APP,
    originate::APP,
    playback::APP,
    progress::APP,
    raise_exception::APP,
    read::APP,
    read_exten::APP,
    response_timeout::APP,
    retry_dial::APP,
    return_::APP,
    ringing::APP,
    sip_header::ADD,
    sip_header::REMOVE,
    say_alpha::APP,
    say_alpha_case::APP,
    say_counted_adj::APP,
    say_counted_noun::APP,
    say_digits::APP,
    say_number::APP,
    say_ordinal::APP,
    say_phonetic::APP,
    say_unix_time::APP,
    set::APP,
    verbose::APP,
    wait::APP,
    wait_exten::APP,
];

/// The application of that name.
pub fn find(name: &str) -> Option<&'static App> {
    TABLE.iter().find(|app| app.name.eq_ignore_ascii_case(name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert!(TABLE.windows(2).all(|pair| matches!(pair, [a, b] if a.name < b.name)));
        for app in TABLE {
            assert!(
                !app.synopsis.is_empty() && app.syntax.starts_with(app.name) && !app.help.is_empty(),
                "{}",
                app.name
            );
        }
        assert!(find("gOtOiF").is_some() && find("Gotoif ").is_some() && find("Nonsense").is_none());
    }
}
