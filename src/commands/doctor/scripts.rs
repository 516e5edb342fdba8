//! Programs of the dialplan: what may be run, and what the service manager forbids it.

use super::finding::Finding;
use crate::config::Config;
use std::path::Path;

/// Where the package puts the unit.
const UNITS: [&str; 2] = ["/etc/systemd/system/strowger.service", "/lib/systemd/system/strowger.service"];

/// What the dialplan may run here. Nothing is said when it may run nothing.
pub(super) fn scripts(config: &Config) -> Option<Finding> {
    let is_unit_there = UNITS.iter().any(|unit| Path::new(unit).exists());
    judged(config, is_unit_there)
}

fn judged(config: &Config, is_unit_there: bool) -> Option<Finding> {
    let allowed = &config.toml.programs;
    let named: Vec<&str> = [
        (allowed.system, "commands (System, SHELL)"),
        (allowed.agi, "scripts (AGI)"),
        (allowed.speech, "programs that speak (SayText)"),
    ]
    .into_iter()
    .filter_map(|(is, name)| is.then_some(name))
    .collect();
    let named = match named.as_slice() {
        [] => return None,
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    Some(if is_unit_there {
        Finding::note(
            "scripts",
            format!(
                "{named} are allowed; the unit lets them write to /var/lib/strowger, /var/log/strowger and a /tmp of their \
                 own, and forbids sudo, ping, /home, devices, netlink (ip) and code made while it runs (Node.js): \
                 docs/guides/agi.md says how to allow more"
            ),
        )
    } else {
        Finding::note("scripts", format!("{named} are allowed, with all that the exchange's user may do"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_what_may_not_run() {
        let mut config = Config::default();
        assert_eq!(judged(&config, true), None);
        config.toml.programs.agi = true;
        let found = judged(&config, true).unwrap();
        assert!(found.what.starts_with("scripts (AGI) are allowed; the unit lets them"), "{}", found.what);
        config.toml.programs.system = true;
        config.toml.programs.speech = true;
        let found = judged(&config, true).unwrap();
        let all = "commands (System, SHELL), scripts (AGI) and programs that speak (SayText) are allowed";
        assert!(found.what.starts_with(all), "{}", found.what);
        assert!(judged(&config, false).unwrap().what.ends_with("all that the exchange's user may do"));
    }
}
