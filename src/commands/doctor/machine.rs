//! The machine itself: its clock, its timers, what it permits.

use super::finding::Finding;
use super::proc;
use super::process::Process;
use crate::clock::Wall;
use crate::config::Config;
use crate::datetime;
use crate::media::LEVEL;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::time::{Duration, Instant};

/// 2024-01-01, in milliseconds since 1970: no clock that was ever set since this program exists is before it.
const OLDEST: Wall = Wall(1_704_067_200_000);
/// Time between two packets of sound.
const BEAT: Duration = Duration::from_millis(20);
/// This many ticks are about a second.
const BEATS: usize = 50;
/// Packets later than this are audible, and make a modem lose its carrier.
const LATE: Duration = Duration::from_millis(5);
/// Descriptors the exchange needs besides those of calls.
const OWN_DESCRIPTORS: u64 = 100;
/// Sockets of a call whose sound is relayed: RTP and RTCP towards each of the two lines.
const SOCKETS_PER_CALL: u64 = 4;
/// More calls at once than this are not expected in a home.
const MANY_CALLS: u64 = 50;

/// Whether the clock can be right.
pub(super) fn clock(now: Wall) -> Finding {
    let time = datetime::iso(now);
    if now < OLDEST {
        return Finding::todo(
            "clock",
            format!("it cannot be {time}: the clock was never set (a Raspberry Pi has none of its own)"),
            "let it be set from the network (timedatectl set-ntp true), or add a real-time clock; times in the log are wrong until then",
        );
    }
    Finding::fine("clock", format!("it is {time}"))
}

/// How late a thread is woken that wants to be woken every 20 ms, for about a second.
pub(super) fn beats() -> Vec<Duration> {
    let start = Instant::now();
    let mut late = Vec::with_capacity(BEATS);
    for beat in 1u32.. {
        if late.len() >= BEATS {
            break;
        }
        let due = start + BEAT * beat;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        late.push(Instant::now().saturating_duration_since(due));
    }
    late
}

/// The finding about these delays.
pub(super) fn jitter(mut late: Vec<Duration>) -> Finding {
    late.sort();
    let at = |percent: usize| late.get(late.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
    let (p50, p99, max) = (at(50), at(99), at(100));
    let ms = |lateness: Duration| format!("{:.2} ms", lateness.as_secs_f64() * 1000.0);
    let what = format!("a timer of 20 ms is late by {} (p50), {} (p99), {} (max)", ms(p50), ms(p99), ms(max));
    if p99 > LATE {
        let advice = "look for what keeps the processor busy (top), and do not let it sleep deeply (cpupower frequency-set -g performance)";
        return Finding::todo("jitter", what, advice);
    }
    if max > LATE { Finding::note("jitter", what + ": once") } else { Finding::fine("jitter", what) }
}

/// Whether the exchange may open as many sockets as its calls need: the one that runs, or one started like this.
pub(super) fn descriptors(config: &Config, exchange: Option<&Process>) -> Finding {
    let limit = match exchange {
        Some(process) => {
            fs::read_to_string(format!("/proc/{}/limits", process.pid)).ok().and_then(|text| proc::open_files(&text))
        }
        None => getrlimit(Resource::Nofile).current,
    };
    let pairs = u64::from(config.rtp.port_last - config.rtp.port_first).div_ceil(2);
    judged_descriptors(limit, pairs / 2, exchange.is_some())
}

fn judged_descriptors(limit: Option<u64>, calls: u64, is_running: bool) -> Finding {
    let whose = if is_running { "the exchange that runs" } else { "an exchange started from here" };
    let Some(limit) = limit else {
        return Finding::fine("descriptors", format!("{whose} may have any number of files and sockets open"));
    };
    let enough_for = limit.saturating_sub(OWN_DESCRIPTORS) / SOCKETS_PER_CALL;
    let what = format!(
        "{whose} may have {limit} files and sockets open: enough for {} relayed calls of the {calls} that the RTP ports allow",
        enough_for.min(calls)
    );
    if enough_for < calls.min(MANY_CALLS) {
        Finding::todo(
            "descriptors",
            what,
            "raise it: LimitNOFILE=32768 in the unit, or ulimit -n 32768 before the start",
        )
    } else {
        Finding::fine("descriptors", what)
    }
}

/// Whether the thread that forwards sound may go before others: that of the exchange that runs, or of one started like this.
pub(super) fn real_time(exchange: Option<&Process>) -> Finding {
    match exchange {
        Some(process) => judged_policies(&policies(process.pid)),
        None => judged_limit(getrlimit(Resource::Rtprio).current, rustix::process::geteuid().is_root()),
    }
}

/// The scheduling policies of its threads (proc(5), field 41 of `stat`): 1 is SCHED_FIFO.
fn policies(pid: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.filter_map(|stat| proc::policy(&stat)).collect()
}

fn judged_policies(policies: &[String]) -> Finding {
    if policies.iter().any(|policy| policy == "1") {
        return Finding::fine("realtime", "the thread that forwards sound has real-time priority");
    }
    Finding::note(
        "realtime",
        format!("the thread that forwards sound has ordinary priority: sound waits when the machine is busy ({MORE})"),
    )
}

fn judged_limit(limit: Option<u64>, is_root: bool) -> Finding {
    let is_enough = limit.is_none_or(|limit| limit >= u64::from(LEVEL));
    match is_enough || is_root {
        true => Finding::fine("realtime", "the thread that forwards sound may have real-time priority"),
        false => Finding::note(
            "realtime",
            format!("real-time priority is not permitted here: sound waits when the machine is busy ({MORE})"),
        ),
    }
}

/// How to get real-time priority.
const MORE: &str = "LimitRTPRIO=5 in the unit, or ulimit -r 5, allows more";

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_clock_that_was_never_set() {
        assert!(clock(Wall(3_600_000)).is_todo() && clock(Wall(-1)).is_todo());
        assert!(clock(Wall(0)).what.contains("1970-01-01"));
        assert_eq!(clock(OLDEST).state, State::Fine);
    }

    #[test]
    fn lateness_is_judged_by_its_tail() {
        let ms = Duration::from_millis;
        let mut late = vec![ms(1); 100];
        assert_eq!(jitter(late.clone()).state, State::Fine);
        late[3] = ms(90);
        let once = jitter(late.clone());
        assert_eq!(once.state, State::Note);
        assert!(once.what.contains("1.00 ms (p99), 90.00 ms (max)"), "{once:?}");
        late[7] = ms(91);
        assert_eq!(jitter(late).state, State::Todo);
        assert_eq!(jitter(Vec::new()).state, State::Fine);
    }

    #[test]
    fn the_thread_of_the_sound_goes_first_or_the_way_to_it_is_named() {
        let of = |policies: &[&str]| {
            judged_policies(&policies.iter().map(|policy| (*policy).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["0", "1", "0"]).state, State::Fine);
        assert_eq!(of(&["0", "0"]).state, State::Note);
        assert_eq!(judged_limit(Some(0), true).state, State::Fine);
        assert_eq!(judged_limit(Some(5), false).state, State::Fine);
        assert!(MORE.contains(&format!("LimitRTPRIO={LEVEL}")) && judged_limit(Some(4), false).what.contains(MORE));
    }

    #[test]
    fn descriptors_for_the_calls_the_ports_allow() {
        assert_eq!(judged_descriptors(Some(1024), 2500, false).state, State::Fine);
        assert_eq!(judged_descriptors(Some(256), 2500, false).state, State::Todo);
        assert_eq!(judged_descriptors(Some(256), 20, true).state, State::Fine);
        assert_eq!(judged_descriptors(Some(0), 2500, true).state, State::Todo);
        assert_eq!(judged_descriptors(None, 2500, true).state, State::Fine);
    }
}
