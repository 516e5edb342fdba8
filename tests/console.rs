//! The program's console, as a process of its own: at a terminal (a pty) and at a pipe, against a real socket.

#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests are not seen as tests

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use strowger::observe::command::{Output, SetVerbose};
use strowger::observe::control::{ControlSocket, Limits, Request};
use strowger::observe::log_stream::{ConsoleLine, LogStream};
use strowger::observe::wire::{COMPLETE, Kind};

const PATIENCE: Duration = Duration::from_secs(10);

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("strowger-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
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

/// An exchange that answers each line with itself; dropped, it is gone.
struct Exchange {
    _runtime: tokio::runtime::Runtime,
    live: LogStream,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Exchange {
    fn start(path: &Path) -> Exchange {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let socket = runtime.block_on(ControlSocket::open(path)).unwrap();
        let (send, mut receive) = tokio::sync::mpsc::channel::<Request>(8);
        let (live, asked) = (LogStream::default(), Arc::new(Mutex::new(Vec::new())));
        runtime.spawn(socket.serve(send, live.clone(), Limits::default()));
        let seen = Arc::clone(&asked);
        runtime.spawn(async move {
            while let Some(Request { line, reply }) = receive.recv().await {
                seen.lock().unwrap().push(line.clone());
                let _ = reply.send(answer(&line));
                if line == "core stop now" {
                    return;
                }
            }
        });
        Exchange { _runtime: runtime, live, asked }
    }

    fn asked(&self, line: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.as_str() == line).count()
    }

    fn say(&self, kind: Kind, text: &str) {
        self.live.publish(ConsoleLine { kind, level: 3, text: text.to_owned() });
    }
}

fn answer(line: &str) -> Output {
    let verbose = line.strip_prefix("core set verbose ").map(|rest| {
        let level = rest.split(' ').find_map(|word| word.parse().ok()).unwrap();
        SetVerbose { level, at_least: rest.starts_with("atleast"), silent: rest.ends_with("silent") }
    });
    let text = match line {
        _ if verbose.is_some() => String::new(),
        "core show version" => "strowger 9.9 on a test\n".to_owned(),
        _ if line.starts_with(COMPLETE) => "peers\n".to_owned(),
        line => format!("<{line}>\n"),
    };
    Output { text, verbose, ..Output::default() }
}

fn console(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.arg("--socket").arg(folder.socket()).args(arguments);
    command.env("XDG_STATE_HOME", folder.0.join("state")).env("TERM", "xterm").env("SHELL", "/bin/sh");
    command.env_remove("NO_COLOR");
    command
}

/// Both ends of a terminal: the window's, and the program's.
fn pty() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (File::from(master), slave)
}

/// A console at a terminal of its own.
struct Terminal {
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    child: Child,
}

impl Terminal {
    fn open(command: &mut Command) -> Terminal {
        let (keyboard, slave) = pty();
        let child =
            command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave).spawn().unwrap();
        // What the command still holds of the terminal would keep it open.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut reading, seen) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            // A terminal without a console reads as an error: the end.
            while let Ok(length @ 1..) = reading.read(&mut part) {
                seen.lock().unwrap().extend_from_slice(&part[..length]);
            }
        });
        Terminal { keyboard, screen, child }
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.screen().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "{text:?} does not come: {:?}", self.screen());
            sleep(Duration::from_millis(5));
        }
    }

    fn ends(&mut self) -> i32 {
        ends(&mut self.child)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a console to end; one that does not is the failure.
fn ends(child: &mut Child) -> i32 {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        sleep(Duration::from_millis(5));
    }
}

/// The processor time a process has used, in hundredths of a second.
fn processor_time(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_terminal_gets_a_prompt_answers_completion_the_log_and_a_history() {
    let folder = Folder::new("terminal");
    let exchange = Exchange::start(&folder.socket());
    let mut terminal = Terminal::open(&mut console(&folder, &["-rvvvv"]));
    terminal.wait_for("Connected to strowger 9.9 on a test, pid ");
    terminal.wait_for("strowger*CLI> ");
    assert_eq!(exchange.asked("core set verbose atleast 4 silent"), 1);
    // The log comes in the midst of a line, above it, and the line goes on.
    terminal.type_in("sip show p");
    terminal.wait_for("sip show p");
    exchange.say(Kind::Story, "    -- Called SIP/ann");
    terminal.wait_for("    -- Called SIP/ann\r\n");
    exchange.say(Kind::Warning, "careful");
    terminal.wait_for("\x1b[33mcareful\x1b[0m");
    terminal.type_in("\t\r");
    terminal.wait_for("<sip show peers>");
    terminal.type_in("!echo out$((40+2))\r");
    terminal.wait_for("out42");
    terminal.type_in("exit\r");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(exchange.asked("exit"), 0);
    let history = folder.0.join("state/strowger/console_history");
    assert_eq!(std::fs::read_to_string(&history).unwrap(), "sip show peers \n!echo out$((40+2))\nexit\n");
    assert_eq!(std::fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    // The next console finds it with the arrow keys: up twice.
    let mut next = Terminal::open(console(&folder, &["-r"]).env("NO_COLOR", "1"));
    next.wait_for("strowger*CLI> ");
    exchange.say(Kind::Warning, "plain");
    next.wait_for("plain");
    assert!(!next.screen().contains("\x1b[33m"), "{}", next.screen());
    next.type_in("\x1b[A\x1b[A\x1b[A\r");
    next.wait_for("<sip show peers>");
    next.type_in("\x04");
    assert_eq!(next.ends(), 0);
}

#[test]
fn two_consoles_are_told_apart_and_both_survive_a_restart() {
    let folder = Folder::new("restart");
    let exchange = Exchange::start(&folder.socket());
    let mut quiet = Terminal::open(&mut console(&folder, &["-r"]));
    let mut loud = Terminal::open(&mut console(&folder, &["-r"]));
    for terminal in [&mut quiet, &mut loud] {
        terminal.wait_for("strowger*CLI> ");
    }
    quiet.type_in("core set verbose 0\r");
    loud.type_in("x\r");
    loud.wait_for("<x>");
    let begun = Instant::now();
    while exchange.asked("core set verbose 0") == 0 && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(100));
    exchange.say(Kind::Notice, "for the loud one");
    loud.wait_for("for the loud one");
    quiet.type_in("unfinis");
    quiet.wait_for("unfinis");
    drop(exchange);
    for terminal in [&quiet, &loud] {
        terminal.wait_for("Disconnected: the exchange has ended.");
    }
    loud.type_in("lost\r");
    loud.wait_for("Not connected");
    let before = processor_time(&loud.child);
    sleep(Duration::from_secs(1));
    let used = processor_time(&loud.child) - before;
    assert!(used < 20, "a console that waits used {used}/100 s in a second");
    let exchange = Exchange::start(&folder.socket());
    for terminal in [&quiet, &loud] {
        terminal.wait_for("Connected again: strowger 9.9 on a test");
    }
    assert_eq!((exchange.asked("core set verbose 0 silent"), exchange.asked("lost")), (1, 0));
    exchange.say(Kind::Story, "after the restart");
    loud.wait_for("after the restart");
    quiet.type_in("hed\r");
    quiet.wait_for("<unfinished>");
    assert!(!quiet.screen().contains("after the restart") && !quiet.screen().contains("for the loud one"));
}

#[test]
fn a_terminal_that_goes_away_and_an_input_that_ends_end_the_console_and_nothing_is_sent() {
    let folder = Folder::new("ends");
    let exchange = Exchange::start(&folder.socket());
    let terminal = Terminal::open(&mut console(&folder, &["-r"]));
    terminal.wait_for("strowger*CLI> ");
    let before = exchange.asked.lock().unwrap().len();
    // A window that is closed: nothing can be read or written any more.
    let (mut window, slave) = pty();
    let mut command = console(&folder, &["-r"]);
    command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
    let mut closed = command.spawn().unwrap();
    drop(command);
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"CLI> ") {
        window.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    drop(window);
    ends(&mut closed);
    let greeted = 2;
    assert_eq!(exchange.asked.lock().unwrap().len(), before + greeted);
    let mut pipe = console(&folder, &["-rv"]);
    let mut pipe = pipe.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(ends(&mut pipe), 0);
    assert_eq!(exchange.asked.lock().unwrap().len(), before + 2 * greeted, "only the greeting and the verbosity");
    let idle = processor_time(&terminal.child);
    sleep(Duration::from_millis(500));
    assert!(processor_time(&terminal.child) - idle < 10, "an idle console works");
    let mut terminal = terminal;
    // Ctrl-C clears the line and stays.
    terminal.type_in("abc\x03");
    terminal.wait_for("'exit' or Ctrl-D");
    terminal.type_in("\x04");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(exchange.asked.lock().unwrap().len(), before + 2 * greeted);
}

#[test]
fn a_pipe_gets_answers_alone_and_the_log_only_if_it_asks() {
    let folder = Folder::new("pipe");
    let exchange = Exchange::start(&folder.socket());
    let run = |arguments: &[&str], input: &str| {
        let mut child = console(&folder, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    };
    assert_eq!(run(&["-r"], "a\n\n b c \nquit\nnever\n"), (0, "<a>\n<b c>\n".to_owned()));
    assert_eq!(run(&["-rx", "a"], ""), (0, "<a>\n".to_owned()));
    let mut tail = console(&folder, &["-rvvv"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while exchange.asked("core set verbose atleast 3 silent") == 0 && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(100));
    exchange.say(Kind::Story, "    -- hello");
    let mut line = [0; 13];
    tail.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"    -- hello\n");
    // Told to stop, it ends with the exchange, and that is no failure; the one that reads along has lost it.
    assert_eq!(run(&["-r"], "core stop now\n"), (0, "<core stop now>\n".to_owned()));
    assert_eq!(ends(&mut tail), 1);
    assert_eq!(run(&["-r"], "a\n").0, 1);
}

/// A configuration that disturbs nobody, for the real exchange.
fn configuration(folder: &Folder) {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.0.join(name), text).unwrap();
        std::fs::set_permissions(folder.0.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("sip.conf", &format!("[general]\nudpbindaddr={free}\n"));
    write("extensions.conf", "[default]\nexten => 1,1,Answer()\n");
    write("strowger.toml", "[state]\nfolder = 'kept'\n");
}

/// Asks the real exchange; the answer once there is one.
fn asked(folder: &Folder, line: &str) -> String {
    let begun = Instant::now();
    loop {
        let out = console(folder, &["-rx", line]).output().unwrap();
        if out.status.success() {
            return String::from_utf8(out.stdout).unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "{out:?}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_is_typed_into_the_exchange_in_the_foreground_is_a_console_command() {
    let folder = Folder::new("foreground");
    configuration(&folder);
    let directory = folder.0.display().to_string();
    for arguments in [&["-C", &directory][..], &["-C", &directory, "-vvvvc"], &["run", &directory, "-f"]] {
        let mut terminal = Terminal::open(&mut console(&folder, arguments));
        terminal.wait_for("may be typed here");
        terminal.type_in("core show version\r");
        terminal.wait_for(concat!("strowger ", env!("CARGO_PKG_VERSION"), " on a "));
        terminal.type_in("sip show pears\r");
        terminal.wait_for("No such command 'sip show pears'");
        terminal.type_in("core set verbose 1\rcore set verbose atleast 2\r");
        terminal.wait_for(" and is now 1.");
        terminal.wait_for("Console verbose was 1 and is now 2.");
        terminal.type_in("!echo out$((40+2))\r");
        terminal.wait_for("out42");
        terminal.type_in(if arguments.len() == 2 { "core stop now\r" } else { "exit\r" });
        terminal.wait_for("Stopping.");
        assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
    }
    // The end of the input ends nothing.
    let mut terminal = Terminal::open(&mut console(&folder, &["-c", "-C", &directory]));
    terminal.wait_for("may be typed here");
    terminal.type_in("\x04");
    terminal.wait_for("the exchange goes on");
    assert_eq!(asked(&folder, "core stop now"), "Stopping.\n");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_pipe_is_a_console_only_when_it_is_asked_for_and_its_end_ends_nothing() {
    let folder = Folder::new("foreground-pipe");
    configuration(&folder);
    let directory = folder.0.display().to_string();
    for (arguments, shown) in [(&["-C", &directory, "-fc"][..], true), (&["-C", &directory, "-f"], false)] {
        let mut child = console(&folder, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"core waitfullybooted\ncore show calls\n").unwrap();
        assert_eq!(asked(&folder, "core waitfullybooted"), "strowger has fully booted.\n");
        if shown {
            let mut text = [0; 27];
            child.stdout.as_mut().unwrap().read_exact(&mut text).unwrap();
            assert_eq!(&text, b"strowger has fully booted.\n");
        }
        assert_eq!(asked(&folder, "core stop now"), "Stopping.\n");
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success());
        let said = String::from_utf8(out.stdout).unwrap();
        assert_eq!(said, if shown { "0 active calls\n0 calls processed\n" } else { "" });
    }
}
