//! What callers in a menu cost the calls beside them: 200 calls are relayed all the time, and in every other phase 50
//! more callers hear prompts and press digits. How long the relayed packets take, with and without them, and how long
//! others take that the load sends to itself: that is its own part, and the machine's.
//!
//! `cargo bench --bench menu`; `STROWGER_LONG=1` makes it ten rounds of ten seconds. As a test
//! (`cargo test --benches`) it is short, and measures nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement is a test

#[path = "../tests/support/exchange.rs"]
mod exchange;
#[path = "menu/load.rs"]
mod load;
#[path = "../tests/support/proc.rs"]
#[allow(dead_code)] // it says more than is asked for here
mod proc;
#[path = "menu/signalling.rs"]
mod signalling;

use exchange::Exchange;
use load::{Delays, Kind, Load, Voice};
use signalling::Office;
use std::sync::atomic::Ordering;
use std::time::Duration;

const PLAN: &str = "[default]\nexten => 100,1,Dial(SIP/callee)\nexten => 200,1,Goto(menu,s,1)\n\
    [menu]\nexten => s,1,Answer()\n same => n(again),BackGround(demo-congrats)\n same => n,WaitExten(5)\n\
    exten => _[1-9],1,Verbose(1,pressed ${EXTEN})\n same => n,BackGround(digits/${EXTEN}&please-try-again)\n\
    \x20same => n,SayDigits(105)\n same => n,Goto(s,again)\nexten => t,1,Goto(s,again)\n";

/// The size of it.
struct Form {
    calls: usize,
    callers: usize,
    rounds: usize,
    phase: Duration,
}

fn form() -> Form {
    let is_long = std::env::var_os("STROWGER_LONG").is_some_and(|value| !value.is_empty() && value != "0");
    let (calls, callers) = (200, 50);
    if !std::env::args().any(|arg| arg == "--bench") {
        return Form { calls: 4, callers: 2, rounds: 1, phase: Duration::from_secs(1) };
    }
    let (rounds, seconds) = if is_long { (10, 10) } else { (4, 4) };
    Form { calls, callers, rounds, phase: Duration::from_secs(seconds) }
}

/// The middle one, the one in a hundred and the one in a thousand, in microseconds.
fn percentiles(delays: &mut [u32]) -> [f64; 3] {
    delays.sort_unstable();
    [0.5, 0.99, 0.999].map(|part| {
        let at = ((delays.len() as f64 * part) as usize).min(delays.len().saturating_sub(1));
        delays.get(at).map_or(f64::NAN, |delay| f64::from(*delay) / 1e3)
    })
}

/// One phase's figures: relayed, direct, and the exchange's share of a processor.
struct Row {
    with: bool,
    relayed: [f64; 3],
    direct: [f64; 3],
    busy: f64,
}

fn shown([p50, p99, p999]: [f64; 3]) -> String {
    format!("{p50:7.0} {p99:7.0} {p999:7.0}")
}

fn summary(rows: &[Row], with: bool) {
    let middle = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let (low, high) = (values.first().copied(), values.last().copied());
        format!("{:.0} ({:.0}-{:.0})", values[values.len() / 2], low.unwrap(), high.unwrap())
    };
    let of = |figure: &dyn Fn(&Row) -> f64| {
        middle(&mut rows.iter().filter(|row| row.with == with).map(figure).collect::<Vec<f64>>())
    };
    let name = if with { "with" } else { "without" };
    for (kind, at) in [("relayed", 0), ("direct", 1)] {
        let [p50, p99, p999] = [0, 1, 2].map(|place| of(&|row| [row.relayed, row.direct][at][place]));
        println!("{name:8} {kind:8} p50 {p50} us, p99 {p99} us, p99.9 {p999} us");
    }
    println!("{name:8} the exchange works {} % of a processor's time", of(&|row| row.busy));
}

fn main() {
    let form = form();
    let mut office = Office::open();
    let exchange = Exchange::start("menu-bench", &office.accounts(), PLAN);
    office.reaches(exchange.sip);
    let kinds = [(Kind::Relayed, 2 * form.calls), (Kind::Direct, 16), (Kind::Menu, form.callers)];
    let voices = kinds.iter().flat_map(|(kind, count)| (0..*count).map(|_| Voice::new(*kind))).collect();
    let load = Load::new(voices, 2 * form.rounds);
    let (relayed, rest) = load.voices.split_at(2 * form.calls);
    let (direct, menus) = rest.split_at(16);
    let mut dialogs = Vec::new();
    for pair in relayed.chunks_exact(2) {
        let dialog = office.call("100", pair[0].address(), pair[1].address());
        pair[0].sends_to(Some(dialog.caller_sends_to));
        pair[1].sends_to(dialog.callee_sends_to);
        dialogs.push(dialog);
    }
    for pair in direct.chunks_exact(2) {
        pair[0].sends_to(Some(pair[1].address()));
    }
    let rows = std::thread::scope(|threads| {
        threads.spawn(|| load.listen(&[Kind::Relayed, Kind::Direct]));
        threads.spawn(|| load.listen(&[Kind::Menu]));
        threads.spawn(|| load.speak());
        // Whatever happens: the threads are waited for.
        let _end = load.ends();
        let rows = run(&form, &load, menus, &mut office, &exchange);
        for voice in &load.voices {
            voice.sends_to(None);
        }
        std::thread::sleep(Duration::from_millis(300));
        rows
    });
    for dialog in &dialogs {
        office.hang_up(dialog);
    }
    let (sent, received) = (load.sent.load(Ordering::Relaxed), load.received.load(Ordering::Relaxed));
    println!("{sent} packets sent to be relayed, {received} received");
    assert!(received * 100 >= sent * 99, "more than one in a hundred was lost");
    summary(&rows, false);
    summary(&rows, true);
}

/// The rounds: in each a phase without callers in the menu and one with them, in turn first.
fn run(form: &Form, load: &Load, menus: &[Voice], office: &mut Office, exchange: &Exchange) -> Vec<Row> {
    let mut rows = Vec::new();
    std::thread::sleep(Duration::from_millis(500));
    println!("round            relayed: p50     p99   p99.9 us    direct: p50     p99   p99.9 us   busy %");
    for round in 0..form.rounds {
        for with in [round % 2 == 1, round % 2 == 0] {
            let row = phase(form, load, (rows.len() + 1, with), menus, office, exchange);
            println!(
                "{:5} {:8} {:>12} {:>29}    {:6.1}",
                round + 1,
                if with { "with" } else { "without" },
                shown(row.relayed),
                shown(row.direct),
                row.busy
            );
            rows.push(row);
        }
    }
    rows
}

fn phase(
    form: &Form,
    load: &Load,
    (number, with): (usize, bool),
    menus: &[Voice],
    office: &mut Office,
    exchange: &Exchange,
) -> Row {
    let pressed = || load.pressed.load(Ordering::Relaxed);
    let heard = || exchange.log().matches("\"1,pressed ").count() as u64;
    let before = (pressed(), heard());
    let mut dialogs = Vec::new();
    for menu in menus.iter().filter(|_| with) {
        let dialog = office.call("200", menu.address(), menu.address());
        menu.sends_to(Some(dialog.caller_sends_to));
        dialogs.push(dialog);
    }
    std::thread::sleep(Duration::from_millis(500));
    let (played, worked) = (load.from_menus.load(Ordering::Relaxed), proc::cpu(exchange.process()));
    let Delays { mut relayed, mut direct } = load.measure(number, form.phase);
    let played = load.from_menus.load(Ordering::Relaxed) - played;
    let worked = proc::cpu(exchange.process()) - worked;
    for menu in menus {
        menu.sends_to(None);
    }
    std::thread::sleep(Duration::from_millis(200));
    for dialog in &dialogs {
        office.hang_up(dialog);
    }
    let (pressed, heard) = (pressed() - before.0, heard() - before.1);
    if with {
        // Prompts all the time, and every key but one that a call began or ended in the middle of.
        let wanted = form.callers as f64 * 50.0 * form.phase.as_secs_f64();
        assert!(played as f64 > 0.8 * wanted, "the menus sent {played} packets of {wanted}");
        assert!(
            heard + 2 * form.callers as u64 >= pressed && heard <= pressed + form.callers as u64,
            "{heard} of {pressed}"
        );
    }
    let busy = worked.as_secs_f64() / form.phase.as_secs_f64() * 100.0;
    Row { with, relayed: percentiles(&mut relayed), direct: percentiles(&mut direct), busy }
}
