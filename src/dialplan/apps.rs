//! THE table of dialplan applications.

pub mod answer;
pub mod busy;
pub mod congestion;
pub mod dial;
pub mod echo;
pub mod exec_if;
pub mod gosub;
pub mod gosub_if;
pub mod goto;
pub mod goto_if;
pub mod hangup;
pub mod noop;
pub mod playback;
pub mod playtones;
pub mod progress;
pub mod return_;
pub mod ringing;
pub mod set;
pub mod stop_playtones;
pub mod verbose;
pub mod wait;

use super::app::App;

/// Every application, by name.
pub static TABLE: &[App] = &[
    answer::APP,
    busy::APP,
    congestion::APP,
    dial::APP,
    echo::APP,
    exec_if::APP,
    gosub::APP,
    gosub_if::APP,
    goto::APP,
    goto_if::APP,
    hangup::APP,
    noop::APP,
    playtones::APP,
    playback::APP,
    progress::APP,
    return_::APP,
    ringing::APP,
    set::APP,
    stop_playtones::APP,
    verbose::APP,
    wait::APP,
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
