//! The socket on a temporary folder, with real consoles: parallel, stalled, oversized, late.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::JoinHandle;

use super::*;
use crate::observe::command::{Output, SetVerbose};
use crate::observe::log_stream::ConsoleLine;
use crate::observe::wire::{Head, Kind, LINE_LIMIT};

const SHORT: Limits = Limits {
    connections: 4,
    line: Duration::from_millis(500),
    write: Duration::from_secs(1),
    again: Duration::from_millis(10),
    farewell: Duration::from_secs(2),
};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("strowger-control-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Folder(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("x.ctl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An exchange of the test: `big` answers with 8 MB, `boot` only once it is booted, anything else with itself.
async fn start(path: &Path, booted: Arc<AtomicBool>) -> (JoinHandle<()>, JoinHandle<()>) {
    start_live(path, booted, LogStream::default()).await
}

/// The same; `loud N` sets the console's verbosity.
async fn start_live(path: &Path, booted: Arc<AtomicBool>, live: LogStream) -> (JoinHandle<()>, JoinHandle<()>) {
    let socket = ControlSocket::open(path).await.unwrap();
    let (send, mut receive) = mpsc::channel::<Request>(8);
    let serving = tokio::spawn(socket.serve(send, live, SHORT));
    let answering = tokio::spawn(async move {
        while let Some(Request { line, reply }) = receive.recv().await {
            let output = match line.as_str() {
                "big" => Output { text: "x".repeat(8 << 20), ..Output::default() },
                "boot" if !booted.load(Ordering::Relaxed) => Output { not_yet: true, ..Output::default() },
                "loud 0" | "loud 3" | "loud 4" => {
                    let level = line.bytes().last().unwrap_or_default() - b'0';
                    let verbose = Some(SetVerbose { level, at_least: false, silent: false });
                    Output { verbose, ..Output::default() }
                }
                "bad" => Output::failed("no\n".to_owned()),
                "stop" => {
                    let _ = reply.send(Output { text: "bye\n".to_owned(), ..Output::default() });
                    return;
                }
                line => Output { text: format!("{line}!\n"), ..Output::default() },
            };
            let _ = reply.send(output);
        }
    });
    (serving, answering)
}

struct Console(BufReader<UnixStream>);

impl Console {
    async fn new(path: &Path) -> Console {
        Console(BufReader::new(UnixStream::connect(path).await.unwrap()))
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    async fn hear(&mut self) -> (bool, String) {
        let mut head = String::new();
        self.0.read_line(&mut head).await.unwrap();
        let head = Head::parse(&head).unwrap_or_else(|| panic!("{head:?}"));
        let mut text = vec![0; head.length];
        self.0.read_exact(&mut text).await.unwrap();
        (head.kind == Kind::Failed, String::from_utf8(text).unwrap())
    }

    async fn ask(&mut self, line: &str) -> (bool, String) {
        self.send(format!("{line}\n").as_bytes()).await;
        self.hear().await
    }

    async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(5), self.0.read_to_end(&mut rest)).await.is_ok() && rest.is_empty()
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn booted() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(true))
}

#[tokio::test]
async fn lines_are_answered_in_order_on_one_connection() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut console = Console::new(&folder.socket()).await;
    assert_eq!(console.ask("a b").await, (false, "a b!\n".to_owned()));
    assert_eq!(console.ask("bad").await, (true, "no\n".to_owned()));
    console.send(b"one\ntwo\r\n\nth").await;
    assert_eq!(console.hear().await.1, "one!\n");
    assert_eq!(console.hear().await.1, "two\r!\n");
    assert_eq!(console.hear().await.1, "!\n");
    console.send(b"ree\n").await;
    assert_eq!(console.hear().await.1, "three!\n");
    console.send(b"\xff\n").await;
    assert_eq!(console.hear().await, (true, "That line is not UTF-8.\n".to_owned()));
    assert_eq!(console.ask("still here").await.1, "still here!\n");
}

#[tokio::test]
async fn only_the_owner_may_come_in() {
    let folder = Folder::new();
    let deep = folder.0.join("made").join("for-it").join("x.ctl");
    let socket = ControlSocket::open(&deep).await.unwrap();
    assert_eq!(mode(&deep), 0o600);
    assert_eq!(mode(deep.parent().unwrap()), 0o700);
    drop(socket);
    assert!(!deep.exists(), "the file goes away with the socket");
    assert!(is_allowed(7, 7) && is_allowed(0, 7) && !is_allowed(8, 7) && !is_allowed(7, 0));
}

#[tokio::test]
async fn what_a_dead_exchange_left_is_replaced() {
    let folder = Folder::new();
    drop(std::os::unix::net::UnixListener::bind(folder.socket()).unwrap());
    assert!(folder.socket().exists());
    let _tasks = start(&folder.socket(), booted()).await;
    assert_eq!(Console::new(&folder.socket()).await.ask("x").await.1, "x!\n");
    assert_eq!(mode(&folder.socket()), 0o600);
}

#[tokio::test]
async fn a_living_exchange_is_left_alone() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let error = ControlSocket::open(&folder.socket()).await.unwrap_err().to_string();
    let expected = format!("another strowger (pid {}) already runs with this configuration", std::process::id());
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(Console::new(&folder.socket()).await.ask("x").await.1, "x!\n");
}

#[tokio::test]
async fn of_two_that_start_at_once_one_lives() {
    let folder = Folder::new();
    drop(std::os::unix::net::UnixListener::bind(folder.socket()).unwrap());
    let path = folder.socket();
    let (a, b) = tokio::join!(ControlSocket::open(&path), ControlSocket::open(&path));
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|is_ok| **is_ok).count(), 1, "{a:?} {b:?}");
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn what_is_no_socket_is_not_removed() {
    let folder = Folder::new();
    std::fs::write(folder.socket(), "mine").unwrap();
    let error = ControlSocket::open(&folder.socket()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotASocket(_)), "{error}");
    assert_eq!(std::fs::read_to_string(folder.socket()).unwrap(), "mine");
}

#[tokio::test]
async fn a_successors_file_is_not_removed() {
    let folder = Folder::new();
    let old = ControlSocket::open(&folder.socket()).await.unwrap();
    std::fs::remove_file(folder.socket()).unwrap();
    let _new = ControlSocket::open(&folder.socket()).await.unwrap();
    drop(old);
    assert!(folder.socket().exists());
}

#[tokio::test]
async fn a_console_that_stalls_harms_nobody_and_is_dropped() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut stalled = Console::new(&folder.socket()).await;
    stalled.send(b"big\n").await;
    let mut other = Console::new(&folder.socket()).await;
    let begun = Instant::now();
    for turn in 0..50 {
        assert_eq!(other.ask(&turn.to_string()).await.1, format!("{turn}!\n"));
    }
    assert!(begun.elapsed() < SHORT.write, "the other one had to wait");
    tokio::time::sleep(SHORT.write * 3 / 2).await;
    let mut got = Vec::new();
    stalled.0.read_to_end(&mut got).await.unwrap();
    assert!(got.len() < 8 << 20, "it was not dropped");
}

#[tokio::test]
async fn a_slow_reader_gets_everything() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut slow = UnixStream::connect(folder.socket()).await.unwrap();
    slow.write_all(b"big\n").await.unwrap();
    let mut got = 0;
    let mut part = vec![0; 1 << 20];
    while got < 8 << 20 {
        tokio::time::sleep(SHORT.write / 30).await;
        got += slow.read(&mut part).await.unwrap().max(1);
    }
}

#[tokio::test]
async fn a_line_too_long_is_refused_and_the_longest_is_not() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut console = Console::new(&folder.socket()).await;
    let longest = "x".repeat(LINE_LIMIT - 1);
    assert_eq!(console.ask(&longest).await, (false, longest + "!\n"));
    console.send(&[b'x'; LINE_LIMIT + 1]).await;
    assert_eq!(console.hear().await, (true, "That line is longer than 8192 bytes.\n".to_owned()));
    assert!(console.0.get_mut().write_all(&vec![b'x'; 1 << 20]).await.is_err(), "a line without end was taken");
}

#[tokio::test]
async fn a_line_that_does_not_end_is_not_waited_for() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut console = Console::new(&folder.socket()).await;
    tokio::time::sleep(SHORT.line * 2).await;
    console.send(b"sip sho").await;
    assert!(console.is_closed().await);
}

#[tokio::test]
async fn one_too_many_is_told_so_and_a_free_place_is_used_again() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut consoles = Vec::new();
    for _ in 0..SHORT.connections {
        let mut console = Console::new(&folder.socket()).await;
        assert_eq!(console.ask("in").await.1, "in!\n");
        consoles.push(console);
    }
    let mut late = Console::new(&folder.socket()).await;
    let expected = "4 consoles are connected already; close one of them.\n";
    assert_eq!(late.hear().await, (true, expected.to_owned()));
    assert!(late.is_closed().await);
    consoles.pop();
    for _ in 0..100 {
        let mut next = Console::new(&folder.socket()).await;
        next.send(b"in\n").await;
        if next.hear().await.1 == "in!\n" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the free place was not used again");
}

#[tokio::test]
async fn waiting_for_the_start_blocks_nobody_and_is_given_up_with_its_console() {
    let folder = Folder::new();
    let is_booted = Arc::new(AtomicBool::new(false));
    let _tasks = start(&folder.socket(), Arc::clone(&is_booted)).await;
    let mut waiting = Console::new(&folder.socket()).await;
    waiting.send(b"boot\nnext\n").await;
    // These leave while they wait: their places must be free again.
    for _ in 0..SHORT.connections * 3 {
        let mut leaving = Console::new(&folder.socket()).await;
        leaving.send(b"boot\n").await;
        drop(leaving);
        tokio::time::sleep(SHORT.again * 3).await;
    }
    assert_eq!(Console::new(&folder.socket()).await.ask("x").await.1, "x!\n");
    is_booted.store(true, Ordering::Relaxed);
    assert_eq!(waiting.hear().await.1, "boot!\n");
    assert_eq!(waiting.hear().await.1, "next!\n");
}

#[tokio::test]
async fn the_last_answer_is_delivered_before_the_end() {
    let folder = Folder::new();
    let (serving, answering) = start(&folder.socket(), booted()).await;
    let mut idle = Console::new(&folder.socket()).await;
    assert_eq!(idle.ask("x").await.1, "x!\n");
    let mut console = Console::new(&folder.socket()).await;
    assert_eq!(console.ask("stop").await.1, "bye\n");
    answering.await.unwrap();
    serving.await.unwrap();
    assert!(idle.is_closed().await && console.is_closed().await);
    assert!(!folder.socket().exists());
}

#[tokio::test]
async fn parallel_consoles_get_their_own_answers() {
    let folder = Folder::new();
    let _tasks = start(&folder.socket(), booted()).await;
    let mut consoles = JoinSet::new();
    for number in 0..SHORT.connections {
        let path = folder.socket();
        consoles.spawn(async move {
            let mut console = Console::new(&path).await;
            for turn in 0..100 {
                let line = format!("{number} {turn}");
                assert_eq!(console.ask(&line).await.1, format!("{line}!\n"));
            }
        });
    }
    consoles.join_all().await;
}

#[test]
fn the_first_fit_folder_is_chosen() {
    let folder = Folder::new();
    let open = folder.0.join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.0.join("file");
    std::fs::write(&file, "").unwrap();
    let good = folder.0.join("new").join("x.ctl");
    let unfit = [open.join("x.ctl"), file.join("x.ctl")];
    let places = [unfit.as_slice(), std::slice::from_ref(&good)].concat();
    assert_eq!(choose(&places), Ok(good.clone()));
    assert_eq!(mode(good.parent().unwrap()), 0o700);
    let why = choose(&unfit).unwrap_err();
    assert!(why.contains("open: others may write to it (mode 0777)"), "{why}");
}

fn story(level: u8, text: String) -> ConsoleLine {
    ConsoleLine { kind: Kind::Story, level, text }
}

/// The next frame, whatever it is.
async fn frame(console: &mut Console) -> (Kind, String) {
    let mut head = String::new();
    console.0.read_line(&mut head).await.unwrap();
    let head = Head::parse(&head).unwrap_or_else(|| panic!("{head:?}"));
    let mut text = vec![0; head.length];
    console.0.read_exact(&mut text).await.unwrap();
    (head.kind, String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn each_console_hears_the_log_at_its_own_verbosity_and_one_that_never_asked_hears_nothing() {
    let folder = Folder::new();
    let live = LogStream::default();
    let _tasks = start_live(&folder.socket(), booted(), live.clone()).await;
    let mut consoles = [Console::new(&folder.socket()).await, Console::new(&folder.socket()).await];
    let mut deaf = Console::new(&folder.socket()).await;
    assert_eq!(consoles[0].ask("loud 3").await.1, "Console verbose was 0 and is now 3.\n");
    assert_eq!(consoles[1].ask("loud 4").await.1, "Console verbose was 0 and is now 4.\n");
    assert_eq!(consoles[1].ask("loud 4").await.1, "Console verbose is still 4.\n");
    live.publish(story(4, "deep".to_owned()));
    live.publish(ConsoleLine { kind: Kind::Warning, level: 0, text: "careful".to_owned() });
    live.publish(story(3, "told".to_owned()));
    assert_eq!(frame(&mut consoles[0]).await, (Kind::Warning, "careful".to_owned()));
    assert_eq!(frame(&mut consoles[0]).await, (Kind::Story, "told".to_owned()));
    assert_eq!(frame(&mut consoles[1]).await.1, "deep");
    // 0: only what was asked for by name.
    assert_eq!(consoles[0].ask("loud 0").await.1, "Console verbose was 3 and is now 0.\n");
    live.publish(story(1, "no".to_owned()));
    live.publish(story(0, "<--- SIP read --->".to_owned()));
    assert_eq!(frame(&mut consoles[0]).await.1, "<--- SIP read --->");
    assert_eq!(deaf.ask("x").await.1, "x!\n");
}

#[tokio::test]
async fn a_line_may_be_typed_while_the_log_goes_by() {
    let folder = Folder::new();
    let live = LogStream::default();
    let _tasks = start_live(&folder.socket(), booted(), live.clone()).await;
    let mut console = Console::new(&folder.socket()).await;
    console.ask("loud 3").await;
    console.send(b"hel").await;
    // The connection must have seen the half line before the log interrupts it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    live.publish(story(1, "between".to_owned()));
    assert_eq!(frame(&mut console).await.1, "between");
    console.send(b"lo\n").await;
    assert_eq!(console.hear().await.1, "hello!\n");
}

#[tokio::test]
async fn a_console_that_does_not_read_the_log_is_told_how_much_it_missed_and_delays_nobody() {
    let folder = Folder::new();
    let live = LogStream::default();
    let _tasks = start_live(&folder.socket(), booted(), live.clone()).await;
    let mut stalled = Console::new(&folder.socket()).await;
    let mut other = Console::new(&folder.socket()).await;
    stalled.ask("loud 3").await;
    let begun = Instant::now();
    for number in 0..20_000 {
        live.publish(story(1, format!("{number} {}", "x".repeat(200))));
        if number % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(other.ask("x").await.1, "x!\n");
    assert!(begun.elapsed() < SHORT.write * 5, "the speaker or the other console had to wait");
    tokio::time::sleep(SHORT.write * 2).await;
    live.publish(story(1, "end".to_owned()));
    let (mut heard, mut missed) = (0, 0);
    loop {
        let (kind, text) = tokio::time::timeout(Duration::from_secs(10), frame(&mut stalled)).await.unwrap();
        if text == "end" {
            break;
        }
        match kind {
            Kind::Warning => missed += text.split(' ').nth(8).unwrap().parse::<u64>().unwrap(),
            _ => heard += 1,
        }
    }
    assert_eq!(heard + missed, 20_000);
    assert!(missed > 0);
    assert_eq!(stalled.ask("still here").await.1, "still here!\n");
}
