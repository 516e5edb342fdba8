//! Modems of spandsp (V.22bis, 2400 bit/s) that call each other through the exchange, and count every bit.

use crate::exchange::{ALICE, BOB, Exchange, Wishes};
use crate::sipp::Phone;
use crate::skip;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is said of one modem at the end.
type Said = BTreeMap<String, u64>;

/// Why modems cannot be tried here, if so.
fn missing() -> Option<String> {
    let library = "import ctypes; ctypes.CDLL('libspandsp.so.2')";
    let mut command = Command::new("python3");
    command.args(["-c", library]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    (!there).then(|| "python3, libspandsp2: not installed".to_owned())
}

/// A minute in CI, ten with `STROWGER_LONG=1`.
fn is_long() -> bool {
    std::env::var_os("STROWGER_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

const LINES: &str = "[modem](!)\ntype=friend\nhost=dynamic\ncontext=default\ndisallow=all\nallow=ulaw\nline=modem\n\
    [relay1](modem)\nsecret=a\ndirectmedia=no\n[relay2](modem)\nsecret=b\ndirectmedia=no\n\
    [direct1](modem)\nsecret=a\ndirectmedia=yes\n[direct2](modem)\nsecret=b\ndirectmedia=yes\n\
    [slip1](modem)\nsecret=a\ndirectmedia=no\n[slip2](modem)\nsecret=b\ndirectmedia=no\n";

const PLAN: &str = "exten => _70X,1,Goto(${EXTEN:2}-,1)\n\
    exten => 1-,1,Dial(SIP/relay2,20)\nexten => 2-,1,Dial(SIP/direct2,20)\nexten => 3-,1,Dial(SIP/slip2,20)\n";

/// Three pairs at once: the exchange relays, the sound goes directly, a proxy beside the caller repeats a sample every ten
/// seconds; and a pair without an exchange. In the second half two hundred calls and busy processors (not with
/// `STROWGER_LOAD=0`).
pub fn exchange_data() {
    if let Some(why) = missing() {
        skip("modems exchange data", &why);
        return;
    }
    let seconds: u32 = if is_long() { 600 } else { 50 };
    let exchange = Exchange::start("modems", &Wishes { general: LINES, extensions: PLAN, ..Wishes::default() });
    let before = exchange.descriptors();
    let mut child = Command::new("python3")
        .arg(format!("{}/tests/interop/clients/v22bis_modems.py", env!("CARGO_MANIFEST_DIR")))
        .args(["127.0.0.1", &exchange.port.to_string(), &seconds.to_string(), "wire"])
        .args(["relay1:a:relay2:b:701", "direct1:a:direct2:b:702", "slip1:a:slip2:b:703:slip"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("all exchange data"), "{}", exchange.log());
    std::thread::sleep(Duration::from_secs(u64::from(seconds) / 2));
    let is_loaded = std::env::var_os("STROWGER_LOAD").is_none_or(|value| value != "0");
    if is_loaded {
        under_load(&exchange, Duration::from_secs(u64::from(seconds) / 10));
    }
    let said: BTreeMap<String, Said> = lines.inspect(|line| eprintln!("{line}")).map(|line| parsed(&line)).collect();
    assert!(child.wait().unwrap().success(), "{said:?}\n{}", exchange.log());
    let settings = exchange.ask("core show settings");
    let priority = settings.lines().find(|line| line.contains("Thread of the sound")).unwrap_or_default();
    eprintln!("{priority}");
    // Where the system allows no more than ordinary priority, a packet may wait longer than a buffer has sound for.
    let has_priority = priority.contains("real-time priority 5");

    for pair in ["wire", "relay1", "direct1"] {
        for end in ["calls", "answers"] {
            let modem = &said[&format!("{pair}-{end}")];
            let all = format!("{pair}: {modem:?}\n{}", exchange.log());
            assert_eq!((modem["trained"], modem["rate"]), (1, 2_400), "{all}");
            // Python looks at its clock every 20 ms: a frame or two more or less.
            assert!(modem["bits"] > u64::from(seconds) * 2_400 - 400, "{all}");
            for fault in ["retrains", "missing", "changed"] {
                assert_eq!(modem[fault], 0, "{fault} of {all}");
            }
            assert!(modem["late"] == 0 || (pair == "relay1" && !has_priority), "{all}");
            assert!(modem["errors"] == 0 || modem["late"] > 0, "{all}");
            // The sound led to the exchange, and where that is wished for then to the other line.
            assert_eq!(modem["moves"], if pair == "direct1" { 2 } else { 1 }, "{all}");
        }
    }
    // Such a line is one that does not carry a modem, and this test sees it.
    let hears = &said["slip1-answers"];
    assert!(hears["errors"] > 100 && hears["retrains"] > 0, "{hears:?}");

    let log = exchange.log();
    let of = |line: &str| log.lines().find(|text| text.contains(line) && text.contains(" jitter ")).unwrap_or_default();
    for line in ["SIP/relay1-", "SIP/relay2-"] {
        let said = of(line);
        assert!(said.contains("packets of 20 ms; ") && said.contains("none lost"), "{said}\n{log}");
        let is_silent = ["anew once", "did not fit", "changed", "marked", "beside its sound"];
        assert!(is_silent.iter().all(|fault| !said.contains(fault)), "{said}\n{log}");
    }
    exchange.assert_nothing_left(before);
    exchange.stop();
}

/// Calls come and go as fast as SIPp makes them, and every processor has something to do all the time.
fn under_load(exchange: &Exchange, time: Duration) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        if crate::can("calls beside modems", &["sipp"]) {
            let bob = Phone::new(exchange, BOB).registered().calls(200, 200);
            let alice = Phone::new(exchange, ALICE).registered().calls(200, 20).hanging_up_after(100);
            let answering = bob.listens("callee.xml");
            alice.calling("caller.xml", "200").succeeds();
            answering.succeeds();
        }
        std::thread::sleep(time);
        is_over.store(true, Ordering::Relaxed);
    });
}

/// `NAME KEY=VALUE...`
fn parsed(line: &str) -> (String, Said) {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let values = words.filter_map(|word| word.split_once('='));
    (name, values.map(|(key, value)| (key.to_owned(), value.parse().unwrap())).collect())
}
