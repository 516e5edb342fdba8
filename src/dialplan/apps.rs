//! THE table of dialplan applications.

pub mod absolute_timeout;
pub mod agi;
pub mod answer;
pub mod append_cdr_user_field;
pub mod authenticate;
pub mod background;
pub mod background_detect;
pub mod busy;
pub mod chan_is_avail;
pub mod chan_spy;
pub mod change_monitor;
pub mod clear_hash;
pub mod congestion;
pub mod continue_while;
pub mod control_playback;
pub mod date_time;
pub mod db_del;
pub mod db_deltree;
pub mod db_get;
pub mod db_put;
pub mod dead_agi;
pub mod dial;
pub mod digit_timeout;
pub mod disa;
pub mod dump_chan;
pub mod eagi;
pub mod echo;
pub mod end_while;
pub mod espeak;
pub mod exec;
pub mod exec_if;
pub mod exec_if_time;
pub mod exit_while;
pub mod exten_spy;
pub mod festival;
pub mod flite;
pub mod fork_cdr;
pub mod gosub;
pub mod gosub_if;
pub mod goto;
pub mod goto_if;
pub mod goto_if_time;
pub mod hangup;
pub mod import_var;
pub mod incomplete;
pub mod line_test;
pub mod log;
pub mod lookup_blacklist;
pub mod lookup_cid_name;
pub mod m_set;
pub mod macro_;
pub mod macro_exclusive;
pub mod macro_exit;
pub mod macro_if;
pub mod message_send;
pub mod milliwatt;
pub mod mix_monitor;
pub mod monitor;
pub mod morsecode;
pub mod music_on_hold;
pub mod no_cdr;
pub mod noop;
pub mod originate;
pub mod page;
pub mod park;
pub mod park_and_announce;
pub mod parked_call;
pub mod pause_monitor;
pub mod pickup;
pub mod pickup_chan;
pub mod pico_tts;
pub mod playback;
pub mod playtones;
pub mod progress;
pub mod raise_exception;
pub mod random;
pub mod read;
pub mod read_exten;
pub mod record;
pub mod reset_cdr;
pub mod response_timeout;
pub mod retry_dial;
pub mod return_;
pub mod ringing;
pub mod say_alpha;
pub mod say_alpha_case;
pub mod say_counted_adj;
pub mod say_counted_noun;
pub mod say_digits;
pub mod say_money;
pub mod say_number;
pub mod say_ordinal;
pub mod say_phonetic;
pub mod say_text;
pub mod say_unix_time;
pub mod send_dtmf;
pub mod send_text;
pub mod set;
pub mod set_account;
pub mod set_ama_flags;
pub mod set_caller_id;
pub mod set_caller_pres;
pub mod set_cdr_user_field;
pub mod set_cid_name;
pub mod set_cid_num;
pub mod set_global_var;
pub mod set_language;
pub mod set_music_on_hold;
pub mod sip_dtmf_mode;
pub mod sip_header;
pub mod soft_hangup;
pub mod stack_pop;
pub mod start_music_on_hold;
pub mod stop_mix_monitor;
pub mod stop_monitor;
pub mod stop_music_on_hold;
pub mod stop_playtones;
pub mod system;
pub mod transfer;
pub mod try_exec;
pub mod try_system;
pub mod unpause_monitor;
pub mod user_event;
pub mod verbose;
pub mod wait;
pub mod wait_digit;
pub mod wait_exten;
pub mod wait_for_noise;
pub mod wait_for_silence;
pub mod wait_music_on_hold;
pub mod wait_until;
pub mod while_;
pub mod zapateller;

use super::app::App;

/// Every application, by name.
pub static TABLE: &[App] = &[
    agi::APP,
    absolute_timeout::APP,
    answer::APP,
    append_cdr_user_field::APP,
    authenticate::APP,
    background::APP,
    background_detect::APP,
    busy::APP,
    chan_is_avail::APP,
    chan_spy::APP,
    change_monitor::APP,
    clear_hash::APP,
    congestion::APP,
    continue_while::APP,
    control_playback::APP,
    db_del::APP,
    db_deltree::APP,
    db_get::APP,
    db_put::APP,
    disa::APP,
    date_time::APP,
    dead_agi::APP,
    dial::APP,
    digit_timeout::APP,
    dump_chan::APP,
    eagi::APP,
    echo::APP,
    end_while::APP,
    espeak::APP,
    exec::APP,
    exec_if::APP,
    exec_if_time::APP,
    exit_while::APP,
    exten_spy::APP,
    festival::APP,
    flite::APP,
    fork_cdr::APP,
    gosub::APP,
    gosub_if::APP,
    goto::APP,
    goto_if::APP,
    goto_if_time::APP,
    hangup::APP,
    import_var::APP,
    incomplete::APP,
    line_test::APP,
    log::APP,
    lookup_blacklist::APP,
    lookup_cid_name::APP,
    m_set::APP,
    macro_::APP,
    macro_exclusive::APP,
    macro_exit::APP,
    macro_if::APP,
    message_send::APP,
    milliwatt::APP,
    mix_monitor::APP,
    monitor::APP,
    morsecode::APP,
    music_on_hold::APP,
    no_cdr::APP,
    noop::APP,
    originate::APP,
    page::APP,
    park::APP,
    park_and_announce::APP,
    parked_call::APP,
    pause_monitor::APP,
    pickup::APP,
    pickup_chan::APP,
    pico_tts::APP,
    playtones::APP,
    playback::APP,
    progress::APP,
    raise_exception::APP,
    random::APP,
    read::APP,
    read_exten::APP,
    record::APP,
    reset_cdr::APP,
    response_timeout::APP,
    retry_dial::APP,
    return_::APP,
    ringing::APP,
    sip_header::ADD,
    sip_dtmf_mode::APP,
    sip_header::REMOVE,
    say_alpha::APP,
    say_alpha_case::APP,
    say_counted_adj::APP,
    say_counted_noun::APP,
    say_digits::APP,
    say_money::APP,
    say_number::APP,
    say_ordinal::APP,
    say_phonetic::APP,
    say_text::APP,
    say_unix_time::APP,
    send_dtmf::APP,
    send_text::APP,
    set::APP,
    set_ama_flags::APP,
    set_account::APP,
    set_cdr_user_field::APP,
    set_cid_name::APP,
    set_cid_num::APP,
    set_caller_id::APP,
    set_caller_pres::APP,
    set_global_var::APP,
    set_language::APP,
    set_music_on_hold::APP,
    soft_hangup::APP,
    stack_pop::APP,
    start_music_on_hold::APP,
    stop_mix_monitor::APP,
    stop_monitor::APP,
    stop_music_on_hold::APP,
    stop_playtones::APP,
    system::APP,
    transfer::APP,
    try_exec::APP,
    try_system::APP,
    unpause_monitor::APP,
    user_event::APP,
    verbose::APP,
    wait::APP,
    wait_digit::APP,
    wait_exten::APP,
    wait_for_noise::APP,
    wait_for_silence::APP,
    wait_music_on_hold::APP,
    wait_until::APP,
    while_::APP,
    zapateller::APP,
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
