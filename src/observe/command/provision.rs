//! `provision ...`: telephones that fetch their files.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape;
use crate::observe::provision_rows::{AskerRow, ProvisionRows, TransferRow};
use std::time::Duration;

/// The longest time files with passwords are given to whoever asks.
const LONGEST: Duration = Duration::from_secs(60 * 60);

pub(super) fn open(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [time] = arguments else { return Reply::Usage };
    let Some(time) = duration(time) else { return Reply::Usage };
    if time > LONGEST {
        return Reply::Failed("One hour is the longest: it is to be forgotten safely.\n".to_owned());
    }
    exchange.phones().open(Some(time));
    Reply::Done(format!(
        "For {} files with passwords are given to whoever asks for them. Restart the phones now; 'provision close' ends it earlier.\n",
        words(time)
    ))
}

pub(super) fn close(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    exchange.phones().open(None);
    Reply::Done("Files with passwords are given to their devices only.\n".to_owned())
}

pub(super) fn devices(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let rows = exchange.phones().rows();
    let mut text = head(&rows);
    let line = |cells: [&str; 7]| {
        let [mac, address, asked, got, last, secrets, file] = cells;
        format!("{mac:<12}  {address:<15}  {asked:>5}  {got:>5}  {last:>8}  {secrets:>9}  {file}\n")
    };
    text += &line(["Phone", "Address", "Asked", "Got", "Last", "Passwords", "Last file, and what it says it is"]);
    for AskerRow { mac, address, user_agent, asked, got, ago, last, secrets_ago } in &rows.devices {
        let agent = if user_agent.is_empty() { String::new() } else { format!(" ({})", escape::line(user_agent)) };
        text += &line([
            if mac.is_empty() { "not known" } else { mac },
            &address.to_string(),
            &asked.to_string(),
            &got.to_string(),
            &words(*ago),
            &secrets_ago.map_or("never".to_owned(), words),
            &format!("{}{agent}", escape::line(last)),
        ]);
    }
    Reply::Done(text)
}

pub(super) fn transfers(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let rows = exchange.phones().rows();
    let mut text = head(&rows);
    let line = |cells: [&str; 7]| {
        let [mac, address, via, ago, bytes, state, file] = cells;
        format!("{mac:<12}  {address:<15}  {via:<4}  {ago:>8}  {bytes:>8}  {state:<12}  {file}\n")
    };
    text += &line(["Phone", "Address", "By", "Asked", "Bytes", "State", "File"]);
    for TransferRow { mac, address, via, file, ago, bytes, state } in &rows.transfers {
        text += &line([
            if mac.is_empty() { "not known" } else { mac },
            &address.to_string(),
            via,
            &words(*ago),
            &bytes.to_string(),
            state,
            &escape::line(file),
        ]);
    }
    for (why, count) in &rows.drops {
        text += &format!("dropped: {why}: {count}\n");
    }
    Reply::Done(text)
}

fn head(rows: &ProvisionRows) -> String {
    let mut text: String = rows.services.iter().map(|line| format!("{}\n", escape::line(line))).collect();
    if !rows.folder.is_empty() {
        text += &format!("Your own files: {}\n", escape::line(&rows.folder));
    }
    text += &match rows.open_for {
        Some(left) => format!("Files with passwords: to whoever asks, for {} more\n\n", words(left)),
        None => "Files with passwords: to their devices only\n\n".to_owned(),
    };
    text
}

/// `90s`, `10m`, `1h`; a number alone is minutes.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.char_indices().find(|(_, letter)| !letter.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, "m"),
    };
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// `12 s`, `3 min`, `5 h`.
fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_type_them() {
        let seconds = |text| duration(text).map(|time| time.as_secs());
        assert_eq!(["10m", "10", "90s", "1h"].map(seconds), [Some(600), Some(600), Some(90), Some(3600)]);
        assert_eq!(
            ["", "0m", "m", "10d", "-1m", "99999999999999999999h", "9999999999999999999h"].map(seconds),
            [None; 7]
        );
    }
}
