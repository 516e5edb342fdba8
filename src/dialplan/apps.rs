//! THE table of dialplan applications.

pub mod absolute_timeout;
pub mod answer;
pub mod background;
pub mod busy;
pub mod congestion;
pub mod date_time;
pub mod dial;
pub mod digit_timeout;
pub mod echo;
pub mod exec_if;
pub mod gosub;
pub mod gosub_if;
pub mod goto;
pub mod goto_if;
pub mod hangup;
pub mod mix_monitor;
pub mod monitor;
pub mod noop;
pub mod pause_monitor;
pub mod playback;
pub mod playtones;
pub mod progress;
pub mod raise_exception;
pub mod read;
pub mod read_exten;
pub mod record;
pub mod response_timeout;
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
pub mod stop_mix_monitor;
pub mod stop_monitor;
pub mod stop_playtones;
pub mod unpause_monitor;
pub mod verbose;
pub mod wait;
pub mod wait_exten;
pub mod wait_for_noise;
pub mod wait_for_silence;

use super::app::App;

/// Every application, by name.
pub static TABLE: &[App] = &[
    absolute_timeout::APP,
    answer::APP,
    background::APP,
    busy::APP,
    congestion::APP,
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
    mix_monitor::APP,
    monitor::APP,
    noop::APP,
    pause_monitor::APP,
    playtones::APP,
    playback::APP,
    progress::APP,
    raise_exception::APP,
    read::APP,
    read_exten::APP,
    record::APP,
    response_timeout::APP,
    return_::APP,
    ringing::APP,
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
    stop_mix_monitor::APP,
    stop_monitor::APP,
    stop_playtones::APP,
    unpause_monitor::APP,
    verbose::APP,
    wait::APP,
    wait_exten::APP,
    wait_for_noise::APP,
    wait_for_silence::APP,
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
