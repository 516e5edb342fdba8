//! What relaying a packet costs, and how long it takes, beside a forwarder that does nothing else ([`forwarder`]): the same
//! load goes through the one and the other in turn, both at the same priority, on the same processor.
//!
//! `cargo bench --bench relay`; `STROWGER_LONG=1`: from 1 to 1,500 calls, quiet and beside a storm of registrations, calls and
//! reloads. `STROWGER_PROGRAM=/path` measures that program in place of this one. As a test (`cargo test --benches`) it is
//! short, and measures nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement is a test

#[path = "../tests/support/exchange.rs"]
mod exchange;
#[path = "relay/forwarder.rs"]
mod forwarder;
#[path = "menu/load.rs"]
#[allow(dead_code)] // it says more than is asked for here
mod load;
#[path = "../tests/support/proc.rs"]
#[allow(dead_code)] // it says more than is asked for here
mod proc;
#[path = "menu/signalling.rs"]
mod signalling;
#[path = "relay/storm.rs"]
mod storm;

use exchange::Exchange;
use forwarder::Forwarder;
use load::{Kind, Load, Voice};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use signalling::Office;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use storm::Storm;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

const PLAN: &str = "[default]\nexten => 100,1,Dial(SIP/callee)\nexten => 101,1,Dial(SIP/storm-callee)\n";

/// The size of it.
struct Form {
    calls: &'static [usize],
    rounds: usize,
    phase: Duration,
    storm: bool,
}

fn form() -> Form {
    let is_long = std::env::var_os("STROWGER_LONG").is_some_and(|value| !value.is_empty() && value != "0");
    if !std::env::args().any(|arg| arg == "--bench") {
        return Form { calls: &[2], rounds: 1, phase: Duration::from_millis(300), storm: true };
    }
    match is_long {
        true => Form { calls: &[1, 20, 200, 500, 1_000, 1_500], rounds: 5, phase: Duration::from_secs(5), storm: true },
        false => Form { calls: &[20, 200], rounds: 3, phase: Duration::from_secs(3), storm: false },
    }
}

/// What one phase showed: processor time of a packet, and the delays of the middle one, one in a hundred, one in a thousand; all
/// in microseconds, and the share that was lost.
#[derive(Clone, Copy, Default)]
struct Row {
    cost: f64,
    delays: [f64; 3],
    lost: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Exchange,
    Forwarder,
}

/// Who relays, in which thread of which process.
struct Relay {
    process: u32,
    thread: u32,
    /// Where each voice sends.
    ports: Vec<SocketAddr>,
}

/// Processor time of a thread, to the nanosecond: what the scheduler counted, no ticks of a clock.
fn worked(relay: &Relay) -> Duration {
    let path = format!("/proc/{}/task/{}/schedstat", relay.process, relay.thread);
    let line = std::fs::read_to_string(path).unwrap();
    Duration::from_nanos(line.split(' ').next().unwrap().parse().unwrap())
}

/// Keeps a thread (0: the calling one) on one processor, where there are several.
fn keep_on(processor: usize, thread: u32) {
    if std::thread::available_parallelism().map_or(1, usize::from) > processor {
        let mut one = CpuSet::new();
        one.set(processor);
        let _ = sched_setaffinity(Pid::from_raw(thread.cast_signed()), &one);
    }
}

/// The priority that the exchange's thread asks for, too; refused to the one, it is refused to the other.
fn go_first() {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let level = ThreadPriority::Crossplatform(strowger::media::LEVEL.try_into().unwrap());
    let _ = set_thread_priority_and_policy(thread_native_id(), level, policy);
}

fn percentiles(delays: &mut [u32]) -> [f64; 3] {
    delays.sort_unstable();
    [0.5, 0.99, 0.999].map(|part| {
        let at = ((delays.len() as f64 * part) as usize).min(delays.len().saturating_sub(1));
        delays.get(at).map_or(f64::NAN, |delay| f64::from(*delay) / 1e3)
    })
}

fn phase(load: &Load, number: usize, voices: &[Voice], relay: &Relay, time: Duration) -> Row {
    for (voice, port) in voices.iter().zip(&relay.ports) {
        voice.sends_to(Some(*port));
    }
    std::thread::sleep(Duration::from_millis(300).min(time));
    let counts = || (load.sent.load(Ordering::Relaxed), load.received.load(Ordering::Relaxed));
    let (before, began) = (counts(), worked(relay));
    let mut delays = load.measure(number, time);
    let (after, ended) = (counts(), worked(relay));
    for voice in voices {
        voice.sends_to(None);
    }
    // What is under way.
    std::thread::sleep(Duration::from_millis(200));
    let (sent, received) = (after.0 - before.0, after.1 - before.1);
    Row {
        cost: (ended - began).as_secs_f64() * 1e6 / received.max(1) as f64,
        delays: percentiles(&mut delays.relayed),
        lost: 1.0 - received as f64 / sent.max(1) as f64,
    }
}

/// The middle of a figure over the rounds, with the least and the greatest.
fn middle(rows: &[Row], figure: impl Fn(&Row) -> f64) -> (f64, f64, f64) {
    let mut all: Vec<f64> = rows.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[0], all[all.len() - 1])
}

fn show(calls: usize, weather: &str, by_exchange: &[Row], by_forwarder: &[Row]) {
    for (name, rows) in [("exchange", by_exchange), ("forwarder", by_forwarder)] {
        let (cost, least, most) = middle(rows, |row| row.cost);
        let delays = [0, 1, 2].map(|place| {
            let (delay, least, most) = middle(rows, |row| row.delays[place]);
            format!("{delay:6.0} ({least:.0}-{most:.0})")
        });
        let (lost, ..) = middle(rows, |row| row.lost);
        println!(
            "{calls:5} {weather:6} {name:9} {cost:6.2} ({least:.2}-{most:.2}) us   {}   lost {:.3} %",
            delays.join("  "),
            lost.max(0.0) * 100.0
        );
    }
    let ratio = |figure: &dyn Fn(&Row) -> f64| middle(by_exchange, figure).0 / middle(by_forwarder, figure).0;
    let [p50, p99, p999] = [0, 1, 2].map(|place| ratio(&|row: &Row| row.delays[place]));
    println!(
        "{calls:5} {weather:6} ratio     {:6.2}   p50 {p50:.2}  p99 {p99:.2}  p99.9 {p999:.2}",
        ratio(&|row| row.cost)
    );
}

fn start(accounts: &str) -> Exchange {
    let free = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut exchange = Exchange::prepare("relay-bench", free);
    exchange.write("rtp.conf", "[general]\nrtpstart=20000\nrtpend=32000\n");
    exchange.write_sip(accounts);
    exchange.write("extensions.conf", PLAN);
    if std::env::var_os("STROWGER_PROGRAM").is_some() {
        exchange.wrapper = ["sh", "-c", "shift; exec \"$STROWGER_PROGRAM\" \"$@\"", "sh"].map(str::to_owned).into();
    }
    exchange.run(|_| {});
    exchange
}

fn main() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let form = form();
    println!("calls                  CPU a packet          delay p50 us      p99 us        p99.9 us");
    for calls in form.calls {
        measure(&form, *calls);
    }
}

fn measure(form: &Form, calls: usize) {
    let (mut office, mut visitors) = (Office::open(), Office::open_as("storm-"));
    let exchange = start(&(office.accounts() + &visitors.accounts() + &storm::accounts()));
    office.reaches(exchange.sip);
    visitors.reaches(exchange.sip);
    let weathers = if form.storm { 2 } else { 1 };
    let load = Load::new((0..2 * calls).map(|_| Voice::new(Kind::Relayed)).collect(), 2 * form.rounds * weathers);
    let mut dialogs = Vec::new();
    let mut ports = Vec::new();
    for pair in load.voices.chunks_exact(2) {
        let dialog = office.call("100", pair[0].address(), pair[1].address());
        ports.extend([dialog.caller_sends_to, dialog.callee_sends_to.unwrap()]);
        dialogs.push(dialog);
    }
    let addresses: Vec<SocketAddr> = load.voices.iter().map(Voice::address).collect();
    let forwarder = Forwarder::new(&addresses);
    let to_forwarder = (0..addresses.len()).map(|number| forwarder.address(number)).collect();
    let storm = Storm::default();
    let process = exchange.process();
    let by_exchange = Relay { process, thread: proc::thread(process, "media").unwrap(), ports };
    keep_on(0, by_exchange.thread);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            forwarder.run(|| {
                keep_on(0, 0);
                go_first();
            })
        });
        threads.spawn(|| {
            keep_on(1, 0);
            load.listen(&[Kind::Relayed])
        });
        threads.spawn(|| {
            keep_on(1, 0);
            load.speak()
        });
        if form.storm {
            threads.spawn(|| storm.reload(&exchange));
            threads.spawn(|| storm.register(exchange.sip));
            threads.spawn(|| storm.call(visitors, "101"));
        }
        // Whatever happens: the threads are waited for.
        let _end = (
            load.ends(),
            Ends(|| {
                forwarder.end();
                storm.end();
            }),
        );
        let began = Instant::now();
        while forwarder.thread() == 0 && began.elapsed() < exchange::PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let by_forwarder = Relay { process: std::process::id(), thread: forwarder.thread(), ports: to_forwarder };
        for (weather, blows) in [("quiet", false), ("storm", true)].into_iter().take(weathers) {
            storm.blow(blows);
            let mut rows = [Vec::new(), Vec::new()];
            for round in 0..form.rounds {
                let order = if round % 2 == 0 { [By::Exchange, By::Forwarder] } else { [By::Forwarder, By::Exchange] };
                for by in order {
                    let relay = if by == By::Exchange { &by_exchange } else { &by_forwarder };
                    let number = 1 + usize::from(blows) * 2 * form.rounds + rows[0].len() + rows[1].len();
                    rows[usize::from(by == By::Forwarder)].push(phase(&load, number, &load.voices, relay, form.phase));
                }
            }
            let [by_exchange, by_forwarder] = rows;
            show(calls, weather, &by_exchange, &by_forwarder);
        }
        if form.storm {
            let [reloads, registered, made] =
                [&storm.reloads, &storm.registered, &storm.calls].map(|count| count.load(Ordering::Relaxed));
            println!("{calls:5} the storm: {reloads} reloads, {registered} registrations, {made} calls");
            assert!(reloads > 0 && registered > 0 && made > 0, "it did not storm");
        }
    });
    for dialog in &dialogs {
        office.hang_up(dialog);
    }
    let (sent, received) = (load.sent.load(Ordering::Relaxed), load.received.load(Ordering::Relaxed));
    assert!(received > 0 && sent > 0);
}

/// Does something at the end of its life.
struct Ends<F: FnMut()>(F);

impl<F: FnMut()> Drop for Ends<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
