//! What a registration costs as their number grows, without sockets: `cargo bench --bench registrations`. As a test
//! (`cargo test --benches`) it takes few steps, and measures nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement is a test

mod exchange;

use exchange::{Exchange, register, source};
use std::time::{Duration, Instant};

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Microseconds of a challenge and of the registration that follows, with all lines registered, the mean of so many;
/// bytes a binding.
fn measure(lines: usize, measured: usize) -> (f64, f64, usize) {
    let mut exchange = Exchange::new(lines, "qualify=yes");
    let before = resident_kib();
    for line in 0..lines {
        let request = exchange.authorized(line, 1);
        exchange.take(source(line), &request);
        exchange.received(source(line), "SIP/2.0 200 ");
    }
    // Transactions and nonces are forgotten again; what stays is a binding and its qualify.
    exchange.pass(Duration::from_secs(40));
    let bytes = resident_kib().saturating_sub(before).saturating_mul(1024) / lines;
    let (mut asked, mut served) = (Duration::ZERO, Duration::ZERO);
    // A stride that meets every line in no order.
    for round in 0..measured {
        let (line, cseq) = (round * 7919 % lines, 10 + round * 2);
        let bare = register(line, cseq + 100_000, "");
        let began = Instant::now();
        exchange.take(source(line), &bare);
        asked += began.elapsed();
        exchange.received(source(line), "SIP/2.0 401 ");
        let request = exchange.authorized(line, cseq);
        let began = Instant::now();
        exchange.take(source(line), &request);
        served += began.elapsed();
        exchange.received(source(line), "SIP/2.0 200 ");
        if round % 10_000 == 9_999 {
            exchange.pass(Duration::from_secs(40));
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / measured as f64;
    (each(asked), each(served), bytes)
}

/// 100,000 bindings cost a registration hardly more than ten: what is looked up is in trees.
fn main() {
    let is_measurement = std::env::args().any(|arg| arg == "--bench");
    let (sizes, measured): (&[usize], usize) =
        if is_measurement { (&[10, 1_000, 100_000], 20_000) } else { (&[10, 100], 100) };
    let mut costs = Vec::new();
    for lines in sizes {
        let (challenge, registration, bytes) = measure(*lines, measured);
        println!(
            "{lines:>7} bindings: challenge {challenge:.1} us, registration {registration:.1} us, together {:.0} a second on one CPU; \
             {bytes} bytes a binding with its qualify",
            1e6 / (challenge + registration)
        );
        costs.push(challenge + registration);
    }
    let (first, last) = (costs[0], costs[costs.len() - 1]);
    assert!(!is_measurement || last < first * 4.0, "{costs:?}");
}
