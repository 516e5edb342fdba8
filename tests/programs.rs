//! Programs that run for calls, for real: commands, scripts in Python and shell, a FastAGI server, web pages; what they
//! print without end, how they refuse to end, and what is left of them.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;
#[path = "support/skip.rs"]
mod skip;

use exchange::{Exchange, PATIENCE};
use phones::Phones;
use skip::skip;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use strowger::dialplan::ChannelId;
use strowger::dialplan::outside::{
    AtHangup, Command, Exchange as Step, Fetch, NotOpened, Opening, OutsideReply, OutsideRequest, Speech, TalkEnd,
    TalkId,
};
use strowger::pbx::outside::{ErrandId, OutsideOrder, OutsideReport};
use strowger::programs::{Allowed, Programs, Settings};

/// The thread of programs alone, with scripts in a folder of its own.
struct Bench {
    folder: PathBuf,
    programs: Programs,
    reports: Receiver<OutsideReport>,
    errands: u64,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let folder = std::env::temp_dir().join(format!("strowger-programs-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let settings = Settings {
            allowed: Allowed { system: true, agi: true, speech: true, curl: true },
            script_folders: vec![folder.clone()],
            system_time: Duration::from_millis(1500),
            shell_time: Duration::from_millis(700),
            after_time: Duration::from_millis(700),
            ..Settings::default()
        };
        let programs = Programs::new(settings);
        let (sender, reports) = channel();
        programs.start(move |report| drop(sender.send(report))).unwrap();
        Bench { folder, programs, reports, errands: 0 }
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn begin(&mut self, channel: u64, request: OutsideRequest) {
        self.errands += 1;
        let (errand, channel) = (ErrandId(self.errands), ChannelId(channel));
        self.programs.send(OutsideOrder::Run { errand, channel, request });
    }

    fn report(&self) -> OutsideReport {
        self.reports.recv_timeout(PATIENCE).unwrap()
    }

    fn ask(&mut self, channel: u64, request: OutsideRequest) -> OutsideReply {
        self.begin(channel, request);
        self.report().reply
    }

    fn shell(&mut self, text: &str) -> (Result<i32, String>, String) {
        match self.ask(1, OutsideRequest::Command(Command { text: text.into(), wants_output: true })) {
            OutsideReply::Ran { status, output } => (status, output),
            other => panic!("{other:?}"),
        }
    }

    fn system(&mut self, text: &str) -> Result<i32, String> {
        match self.ask(1, OutsideRequest::Command(Command { text: text.into(), wants_output: false })) {
            OutsideReply::Ran { status, .. } => status,
            other => panic!("{other:?}"),
        }
    }

    fn open(&mut self, channel: u64, program: &str) -> TalkId {
        let first = "agi_request: x\n\n".to_owned();
        let opening = Opening { program: program.into(), arguments: vec!["one two".into()], first };
        match self.ask(channel, OutsideRequest::Open(opening)) {
            OutsideReply::Opened(Ok(talk)) => talk,
            other => panic!("{program}: {other:?}"),
        }
    }

    fn line(&mut self, channel: u64, talk: TalkId, tell: &str) -> Result<String, TalkEnd> {
        match self.ask(channel, step(talk, tell, false)) {
            OutsideReply::Line(line) => line,
            other => panic!("{other:?}"),
        }
    }

    fn close(&mut self, channel: u64, talk: TalkId) -> String {
        match self.ask(channel, OutsideRequest::Close { talk, signal: true }) {
            OutsideReply::Closed(said) => said,
            other => panic!("{other:?}"),
        }
    }
}

fn step(talk: TalkId, tell: &str, hung_up: bool) -> OutsideRequest {
    OutsideRequest::Exchange(Step {
        talk,
        tell: tell.to_owned(),
        hung_up,
        at_hangup: AtHangup { signal: true, end: false },
    })
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.programs.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Processes with these words in their command line.
fn running(words: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    all.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(words)).count()
}

fn none_is_left(words: &str) {
    let end = Instant::now() + PATIENCE;
    while running(words) > 0 {
        assert!(Instant::now() < end, "{words} runs still");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn commands_are_bounded_and_get_nothing_of_ours() {
    let mut bench = Bench::new("commands");
    assert_eq!(bench.shell("echo hello"), (Ok(0), "hello\n".to_owned()));
    assert_eq!(bench.system("exit 3"), Ok(3));
    assert_eq!(bench.system("no-such-command-here"), Ok(127));
    assert_eq!(bench.system("kill -9 $$"), Err("a signal ended it".to_owned()));
    let (status, output) = bench.shell("yes");
    assert!(status.unwrap_err().contains("more than 65536 bytes") && output.len() <= 65_537);
    let (status, _) = bench.shell("sleep 7101");
    assert_eq!(status, Err("it took more than 0.7 s and was stopped".to_owned()));
    assert_eq!(bench.system("sleep 7102; true"), Err("it took more than 1.5 s and was stopped".to_owned()));
    // Whoever holds the output does not hold the call.
    let (status, _) = bench.shell("sleep 7103 & echo done");
    assert!(status.is_err());
    for words in ["sleep 7101", "sleep 7102", "sleep 7103"] {
        none_is_left(words);
    }
    // A command may leave something behind that goes on.
    assert_eq!(bench.system("sleep 7104 >/dev/null 2>&1 &"), Ok(0));
    assert_eq!(running("sleep 7104"), 1);
    assert_eq!(bench.system("pkill -f 'sleep 710[4]'"), Ok(0));
    // None of our sockets and files, no blocked signals, few variables.
    let (_, descriptors) = bench.shell("ls /proc/self/fd | tr '\\n' ' '");
    // What whoever started this test lets its children have, and the folder that ls reads.
    let mut expected: Vec<u32> = vec![0, 1, 2];
    for entry in fs::read_dir("/proc/self/fdinfo").unwrap() {
        let path = entry.unwrap().path();
        let Ok(info) = fs::read_to_string(&path) else { continue };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        if u64::from_str_radix(flags.trim(), 8).unwrap() & 0o2_000_000 == 0 {
            expected.push(path.file_name().unwrap().to_str().unwrap().parse().unwrap());
        }
    }
    let own: Vec<u32> = descriptors.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert_eq!(own.iter().filter(|number| !expected.contains(number)).count(), 1, "{own:?} {expected:?}");
    let (_, signals) = bench.shell("grep SigBlk /proc/self/status; grep SigIgn /proc/self/status");
    // Beyond these are the C library's own, which whoever started this test may ignore.
    for line in signals.lines() {
        let set = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
        assert_eq!(set & 0x7fff_ffff, 0, "{signals}");
    }
    let (_, variables) = bench.shell(
        "env | grep -v -e ^PATH= -e ^HOME= -e ^LANG= -e ^TZ= -e ^USER= -e ^AST_ -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= -e ^STROWGER_RUN=",
    );
    assert_eq!(variables, "");
    // So many at once for one channel, and no more.
    for _ in 0..5 {
        bench.begin(9, OutsideRequest::Command(Command { text: "sleep 0.4".into(), wants_output: false }));
    }
    let replies: Vec<OutsideReply> = (0..5).map(|_| bench.report().reply).collect();
    assert_eq!(replies.iter().filter(|reply| matches!(reply, OutsideReply::Refused(_))).count(), 1);
}

#[test]
fn what_is_not_allowed_is_not_done_and_the_log_says_what_to_write() {
    let mut bench = Bench::new("refused");
    bench.programs.set(Settings { file: "/etc/strowger/strowger.toml".into(), ..Settings::default() });
    let command = OutsideRequest::Command(Command { text: "touch /tmp/strowger-refused".into(), wants_output: false });
    let OutsideReply::Refused(why) = bench.ask(1, command) else { panic!("not refused") };
    assert_eq!(
        why,
        "it is not allowed; to allow it, write 'system = true' below [programs] in /etc/strowger/strowger.toml"
    );
    let opening = Opening { program: "x".into(), arguments: Vec::new(), first: String::new() };
    assert!(matches!(bench.ask(1, OutsideRequest::Open(opening)), OutsideReply::Refused(_)));
    assert!(!PathBuf::from("/tmp/strowger-refused").exists());
}

fn speech(program: &str, text: &str, language: &str) -> OutsideRequest {
    OutsideRequest::Speak(Speech { text: text.into(), program: program.into(), language: language.into() })
}

fn folders_of_speech() -> usize {
    let own = format!("strowger-speech-{}-", std::process::id());
    let all = fs::read_dir(std::env::temp_dir()).unwrap().filter_map(Result::ok);
    all.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own)).count()
}

/// A program that only looks like one that speaks: what it is given, what it may do, and what is left of it.
#[test]
fn a_text_is_spoken_by_a_program_that_is_bounded() {
    let mut bench = Bench::new("speech");
    let folder = bench.folder.clone();
    let settings = |path: String| Settings {
        allowed: Allowed { speech: true, ..Allowed::default() },
        path,
        speech_time: Duration::from_secs(3),
        ..Settings::default()
    };
    // None of the machine's own synthesisers, but what the scripts need.
    for tool in ["cat", "cp", "sleep", "yes"] {
        std::os::unix::fs::symlink(format!("/bin/{tool}"), folder.join(tool)).unwrap();
    }
    let own = settings(folder.display().to_string());
    bench.programs.set(own.clone());
    let mut speak = |program: &str, text: &str, language: &str| match bench.ask(1, speech(program, text, language)) {
        OutsideReply::Spoken(spoken) => spoken.map(|sound| sound.samples()),
        other => panic!("{other:?}"),
    };
    let script = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let wav = folder.join("said.wav");
    fs::write(&wav, strowger::audio::wav::write(&[1000; 4000])).unwrap();
    let good = format!("cat \"$2\" > {0}/text; echo \"$@\" > {0}/words; cp {0}/said.wav \"$4\"\n", folder.display());
    script("flite", &good);
    let text = "$(touch pwned) `id`; \"quoted\" --version";
    assert_eq!(speak("flite", text, "en"), Ok(4000));
    assert_eq!(fs::read_to_string(folder.join("text")).unwrap(), text);
    assert!(fs::read_to_string(folder.join("words")).unwrap().starts_with("-f /"));
    assert_eq!(speak("", "x", ""), Ok(4000));
    let why = speak("flite", "x", "de").unwrap_err();
    assert!(why.contains("flite does not speak the language 'de'"), "{why}");
    script("espeak-ng", &good);
    assert_eq!(speak("", "x", "de_DE"), Ok(4000));
    assert!(fs::read_to_string(folder.join("words")).unwrap().ends_with(" -v de-de\n"));
    assert!(speak("", "x", "-w/etc/passwd").unwrap_err().contains("its language is none"));
    assert!(speak("", &"x".repeat(5000), "").unwrap_err().contains("longer than 4096 bytes"));
    for (does, why) in [
        ("sleep 7401", "it took more than 3 s and was stopped"),
        ("yes > \"$4\"", "it wrote more than 16777216 bytes and was stopped"),
        ("echo no voice >&2; exit 3", "flite: it ended with status 3: no voice"),
        ("kill -9 $$", "a signal ended it"),
        ("true", "flite wrote no sound that can be played"),
        ("echo RIFF > \"$4\"", "flite wrote no sound that can be played"),
    ] {
        script("flite", does);
        let said = speak("flite", "x", "").unwrap_err();
        assert!(said.contains(why), "{does}: {said}");
    }
    assert_eq!(folders_of_speech(), 0);
    none_is_left("sleep 7401");
    bench.programs.set(settings("/nowhere".to_owned()));
    for (program, package) in [("festival", "festival"), ("pico", "libttspico-utils"), ("", "flite, or espeak-ng")] {
        let OutsideReply::Spoken(Err(why)) = bench.ask(1, speech(program, "x", "")) else { panic!("spoken") };
        assert!(why.ends_with(&format!("installed: apt-get install {package}")), "{why}");
    }
    // A channel that is gone takes its program with it.
    script("flite", "sleep 7402");
    bench.programs.set(Settings { speech_time: PATIENCE, ..own });
    bench.begin(2, speech("flite", "x", ""));
    thread::sleep(Duration::from_millis(200));
    bench.programs.send(OutsideOrder::Forget(ChannelId(2)));
    none_is_left("sleep 7402");
    assert!(matches!(bench.report().reply, OutsideReply::Refused(_)));
    assert_eq!(folders_of_speech(), 0);
    bench.programs.set(Settings { file: "/etc/strowger/strowger.toml".into(), ..Settings::default() });
    let OutsideReply::Refused(why) = bench.ask(1, speech("", "x", "")) else { panic!("not refused") };
    assert!(why.contains("write 'speech = true' below [programs] in /etc/strowger/strowger.toml"), "{why}");
}

/// The real ones, those that are installed.
#[test]
fn installed_programs_speak() {
    let mut bench = Bench::new("speakers");
    for (program, file) in [("flite", "flite"), ("festival", "text2wave"), ("espeak", "espeak-ng")] {
        if !["/usr/bin", "/usr/local/bin"].iter().any(|folder| PathBuf::from(folder).join(file).exists()) {
            skip(&format!("a text spoken by {file}"), "it is not installed");
            continue;
        }
        match bench.ask(1, speech(program, "The time is ten past nine.", "en")) {
            OutsideReply::Spoken(Ok(sound)) => assert!(sound.samples() > 8_000, "{program}: {sound:?}"),
            other => panic!("{program}: {other:?}"),
        }
    }
}

#[test]
fn scripts_speak_line_by_line_and_come_to_an_end() {
    let mut bench = Bench::new("scripts");
    bench.script("polite.sh", "#!/bin/sh\nwhile read line && [ -n \"$line\" ]; do :; done\necho \"NOOP $1\"\nread answer\necho \"VERBOSE $answer\"\necho oops >&2\n");
    let talk = bench.open(1, "polite.sh");
    assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP one two"));
    assert_eq!(bench.line(1, talk, "200 result=0\n").as_deref(), Ok("VERBOSE 200 result=0"));
    assert_eq!(bench.line(1, talk, "200 result=1\n"), Err(TalkEnd::Silent));
    assert_eq!(bench.close(1, talk), "oops\n");
    // One that is told of the hang-up, and one that does not care.
    bench.script("endless.sh", "#!/bin/sh\necho NOOP\nsleep 7201\n");
    bench.script("stubborn.sh", "#!/bin/sh\ntrap '' HUP\necho NOOP\nsleep 7202\n");
    for (name, ends) in [("endless.sh", false), ("stubborn.sh", true)] {
        let talk = bench.open(1, name);
        assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP"));
        bench.begin(1, step(talk, "200 result=0\n", false));
        thread::sleep(Duration::from_millis(50));
        bench.programs.send(OutsideOrder::HungUp(ChannelId(1)));
        match bench.report().reply {
            OutsideReply::Line(Err(TalkEnd::Silent | TalkEnd::Stopped(_))) => {}
            other => panic!("{name}: {other:?}"),
        }
        bench.close(1, talk);
        let _ = ends;
    }
    none_is_left("sleep 7202");
    // A line of 100 MB; lines without end are slowed down; a closed input; an early death; a child that holds the output.
    bench.script("long.sh", "#!/bin/sh\nhead -c 100000000 /dev/zero | tr '\\0' x\n");
    let talk = bench.open(1, "long.sh");
    assert_eq!(bench.line(1, talk, ""), Err(TalkEnd::Stopped("its line is longer than 65536 bytes".into())));
    bench.close(1, talk);
    bench.script("flood.sh", "#!/bin/sh\nwhile :; do echo x; done\n");
    let talk = bench.open(1, "flood.sh");
    let start = Instant::now();
    for _ in 0..2_100 {
        assert_eq!(bench.line(1, talk, "").as_deref(), Ok("x"));
    }
    assert!(start.elapsed() > Duration::from_millis(1_500), "{:?}", start.elapsed());
    bench.close(1, talk);
    bench.script("deaf.sh", "#!/bin/sh\nexec 0<&-\necho NOOP\nsleep 0.1\necho DONE\n");
    let talk = bench.open(1, "deaf.sh");
    assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP"));
    assert_eq!(bench.line(1, talk, "200 result=0\n").as_deref(), Ok("DONE"));
    assert_eq!(bench.line(1, talk, "200 result=0\n"), Err(TalkEnd::Silent));
    bench.close(1, talk);
    bench.script("dies.sh", "#!/bin/sh\nkill -9 $$\n");
    let talk = bench.open(1, "dies.sh");
    assert_eq!(bench.line(1, talk, "x\n"), Err(TalkEnd::Silent));
    bench.close(1, talk);
    bench.script("forks.sh", "#!/bin/sh\nsleep 7203 &\necho NOOP\n");
    let talk = bench.open(1, "forks.sh");
    assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP"));
    bench.begin(1, step(talk, "200 result=0\n", true));
    assert!(matches!(bench.report().reply, OutsideReply::Line(Err(TalkEnd::Stopped(_)))));
    bench.close(1, talk);
    none_is_left("sleep 7203");
    // Children that left the script's group and session; those of another script stay.
    bench.script(
        "leaves.sh",
        "#!/bin/sh\ntrap '' HUP\nsetsid setsid sleep 7204 &\nsetsid sh -c 'sleep 7205; :' &\necho NOOP\nsleep 7206\n",
    );
    bench.script("stays.sh", "#!/bin/sh\nsetsid sleep 7207 &\necho NOOP\nread x\n");
    let other = bench.open(2, "stays.sh");
    assert_eq!(bench.line(2, other, "").as_deref(), Ok("NOOP"));
    let talk = bench.open(1, "leaves.sh");
    assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP"));
    bench.begin(1, step(talk, "200 result=0\n", true));
    assert!(matches!(bench.report().reply, OutsideReply::Line(Err(TalkEnd::Stopped(_)))));
    bench.close(1, talk);
    for words in ["sleep 7204", "sleep 7205", "sleep 7206"] {
        none_is_left(words);
    }
    assert_eq!(running("sleep 7207"), 1);
    bench.programs.send(OutsideOrder::Forget(ChannelId(2)));
    bench.close(2, other);
    assert_eq!(
        bench.system("pkill -f 'sleep 720[7]'"),
        Ok(0),
        "a script that ended by itself may leave something behind"
    );
}

/// Its channel was sent elsewhere, and has something new done while the old still runs.
#[test]
fn what_a_channel_left_ends_and_what_it_began_since_is_its_own() {
    let mut bench = Bench::new("left");
    bench.script("left.sh", "#!/bin/sh\ntrap 'echo told >&2; exit' HUP\necho NOOP\nread x\nsleep 7301\n");
    for is_asked in [false, true] {
        let talk = bench.open(1, "left.sh");
        if is_asked {
            assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP"));
            bench.begin(1, step(talk, "200 result=0\n", false));
        }
        bench.programs.send(OutsideOrder::Leave(ChannelId(1)));
        none_is_left("left.sh");
        if is_asked {
            // Nobody waits for it, and it is not kept.
            bench.report();
        }
        assert_eq!(bench.line(1, talk, ""), Err(TalkEnd::Silent));
    }
    // A command goes on to its own end, and one that begins meanwhile is another.
    bench.begin(1, OutsideRequest::Command(Command { text: "sleep 0.3; exit 4".into(), wants_output: false }));
    bench.programs.send(OutsideOrder::Leave(ChannelId(1)));
    assert_eq!(bench.system("exit 3"), Ok(3));
    assert_eq!(bench.report().reply, OutsideReply::Ran { status: Ok(4), output: String::new() });
    for text in ["sleep 7302; true", "sleep 7303; true"] {
        bench.begin(1, OutsideRequest::Command(Command { text: text.into(), wants_output: false }));
    }
    thread::sleep(Duration::from_millis(100));
    bench.programs.send(OutsideOrder::Forget(ChannelId(1)));
    none_is_left("sleep 7302");
    none_is_left("sleep 7303");
}

#[test]
fn scripts_that_are_not_there_say_where_they_were_looked_for() {
    let mut bench = Bench::new("missing");
    let mut why = |program: &str| {
        let opening = Opening { program: program.into(), arguments: Vec::new(), first: String::new() };
        match bench.ask(1, OutsideRequest::Open(opening)) {
            OutsideReply::Opened(Err(NotOpened::NotFound(why) | NotOpened::Failed(why))) => why,
            other => panic!("{program}: {other:?}"),
        }
    };
    assert!(why("none.sh").contains("there is no such script: looked for /"));
    assert!(why("../../bin/sh").contains("may not lead upwards"));
    assert!(why("agi://127.0.0.1:1/x").contains("127.0.0.1:1"));
    fs::write(bench.folder.join("plain"), "#!/bin/sh\n").unwrap();
    let mut why = |program: &str| {
        let opening = Opening { program: program.into(), arguments: Vec::new(), first: String::new() };
        match bench.ask(1, OutsideRequest::Open(opening)) {
            OutsideReply::Opened(Err(NotOpened::NotFound(why) | NotOpened::Failed(why))) => why,
            other => panic!("{program}: {other:?}"),
        }
    };
    assert!(why("plain").contains("chmod +x"));
    bench.script("lost.py", "#!/usr/bin/no-such-python\n");
    let opening = Opening { program: "lost.py".into(), arguments: Vec::new(), first: String::new() };
    let OutsideReply::Opened(Err(NotOpened::Failed(why))) = bench.ask(1, OutsideRequest::Open(opening)) else {
        panic!("started")
    };
    assert!(why.contains("is the program after '#!'"), "{why}");
}

/// Fifty at once, every other in Python, hung up in all their states.
#[test]
fn fifty_scripts_at_once_with_hang_ups() {
    let mut bench = Bench::new("fifty");
    let has_python = Process::new("python3").arg("-c").arg("").status().is_ok_and(|status| status.success());
    bench.script(
        "menu.py",
        "#!/usr/bin/env python3\nimport sys\nwhile sys.stdin.readline().strip(): pass\n\
         for n in range(3):\n    print('NOOP', n, flush=True)\n    sys.stdin.readline()\nsys.stdin.readline()\n",
    );
    bench.script(
        "menu.sh",
        "#!/bin/sh\nwhile read line && [ -n \"$line\" ]; do :; done\n\
         for n in 0 1 2; do echo NOOP $n; read answer; done\nread end\n",
    );
    let mut talks = Vec::new();
    for channel in 1..=50 {
        talks.push(bench.open(channel, if channel % 2 == 0 && has_python { "menu.py" } else { "menu.sh" }));
    }
    // The last ones may not have become what they are started as.
    let begun = Instant::now();
    while running("menu.") != 50 && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(running("menu."), 50);
    for round in 0..3 {
        for (channel, talk) in (1..).zip(&talks) {
            bench.begin(channel, step(*talk, if round == 0 { "" } else { "200 result=0\n" }, false));
        }
        for _ in 0..50 {
            let OutsideReport { reply, .. } = bench.report();
            assert_eq!(reply, OutsideReply::Line(Ok(format!("NOOP {round}"))));
        }
    }
    // Some end as their channel is hung up, some are forgotten with it, some are closed.
    for (channel, talk) in (1..).zip(&talks) {
        match channel % 3 {
            0 => bench.programs.send(OutsideOrder::Forget(ChannelId(channel))),
            1 => bench.begin(channel, step(*talk, "200 result=0\n", true)),
            _ => bench.begin(channel, OutsideRequest::Close { talk: *talk, signal: true }),
        }
    }
    for _ in 0..34 {
        bench.report();
    }
    for (channel, talk) in (1..).zip(&talks).filter(|(channel, _)| channel % 3 == 1) {
        bench.close(channel, *talk);
    }
    none_is_left("menu.");
    // There is room again.
    let talk = bench.open(1, "menu.sh");
    assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP 0"));
}

#[test]
fn a_stop_leaves_nothing_running() {
    let mut bench = Bench::new("stop");
    bench.script("endless.sh", "#!/bin/sh\ntrap '' HUP TERM\necho NOOP\nsleep 7301\n");
    let talk = bench.open(1, "endless.sh");
    assert_eq!(bench.line(1, talk, "").as_deref(), Ok("NOOP"));
    bench.begin(2, OutsideRequest::Command(Command { text: "sleep 7302".into(), wants_output: true }));
    thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    drop(bench);
    assert!(start.elapsed() < Duration::from_secs(5));
    none_is_left("sleep 730");
}

/// One connection that is answered with this, after what came was read to the empty line.
fn server(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut came = String::new();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        while lines.read_line(&mut came).unwrap_or(0) > 2 {}
        if let Some(length) = came.to_ascii_lowercase().split("content-length: ").nth(1) {
            let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
            lines.read_exact(&mut body).unwrap();
            came.push_str(&String::from_utf8(body).unwrap());
        }
        let _ = stream.write_all(answer.as_bytes());
        came
    });
    (at, thread)
}

fn fetch(url: String) -> Fetch {
    let second = Duration::from_secs(1);
    Fetch { url, post: None, connect: second, total: second, verify: true, redirects: 0, headers: Vec::new() }
}

#[test]
fn pages_are_fetched_and_bounded() {
    let mut bench = Bench::new("pages");
    let mut get = |fetch: Fetch| match bench.ask(1, OutsideRequest::Fetch(fetch)) {
        OutsideReply::Fetched(page) => page,
        other => panic!("{other:?}"),
    };
    let (at, came) = server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsunny");
    assert_eq!(get(fetch(format!("http://{at}/weather?x=1"))), Ok("sunny".to_owned()));
    let came = came.join().unwrap();
    assert!(came.starts_with("GET /weather?x=1 HTTP/1.1\r\n") && came.contains(&format!("host: {at}")), "{came}");
    let (at, came) = server("HTTP/1.0 200 OK\r\n\r\nok");
    let post = Some("a=1&b=2".to_owned());
    assert_eq!(get(Fetch { post, ..fetch(format!("{at}/form")) }), Ok("ok".to_owned()));
    let came = came.join().unwrap();
    assert!(came.starts_with("POST /form ") && came.ends_with("a=1&b=2"), "{came}");
    // Elsewhere only when that is wanted.
    let (there, _) = server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere");
    let moved: &'static str =
        format!("HTTP/1.1 302 Found\r\nLocation: http://{there}/\r\nContent-Length: 5\r\n\r\nmoved").leak();
    let (at, _) = server(moved);
    assert_eq!(get(fetch(format!("http://{at}/"))), Ok("moved".to_owned()));
    let (at, _) = server(moved);
    assert_eq!(get(Fetch { redirects: 1, ..fetch(format!("http://{at}/")) }), Ok("there".to_owned()));
    for (url, why) in [
        ("file:///etc/passwd", "nothing else is fetched"),
        ("ftp://127.0.0.1/x", "nothing else is fetched"),
        ("http://127.0.0.1:1/", "refused"),
        ("http://no-such-host.invalid/", "is not found"),
        ("http://", "is no address"),
    ] {
        let error = get(fetch(url.to_owned())).unwrap_err();
        assert!(error.contains(why), "{url}: {error}");
    }
    // One that never answers, and one that never stops.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = get(fetch(format!("http://{}/", listener.local_addr().unwrap()))).unwrap_err();
    assert!(error.contains("did not answer within 1 s"), "{error}");
    let (at, _) = server(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(300_000)).leak());
    assert_eq!(get(fetch(format!("http://{at}/"))), Err("the page is larger than 256 kB".to_owned()));
}

/// A server with a certificate that nobody signed, which answers one request.
fn secure_server() -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(std::sync::Arc::new(config)).unwrap();
        let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
        let mut came = String::new();
        // A client that does not trust it goes away.
        while stream.read_line(&mut came).unwrap_or(0) > 2 {}
        let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
    });
    format!("https://localhost:{port}/")
}

#[test]
fn a_certificate_that_nobody_signed_is_refused_unless_it_is_not_looked_at() {
    let mut bench = Bench::new("secure");
    let mut get = |verify: bool| match bench.ask(1, OutsideRequest::Fetch(Fetch { verify, ..fetch(secure_server()) })) {
        OutsideReply::Fetched(page) => page,
        other => panic!("{other:?}"),
    };
    assert_eq!(get(false), Ok("secret".to_owned()));
    let why = get(true).unwrap_err();
    assert!(why.contains("ertificate"), "{why}");
}

/// The fenced blocks of the guide, with the word behind the fence.
fn guide() -> Vec<(&'static str, &'static str)> {
    let mut parts = include_str!("../docs/guides/agi.md").split("```");
    let mut blocks = Vec::new();
    while let (Some(_), Some(block)) = (parts.next(), parts.next()) {
        blocks.push(block.split_once('\n').unwrap());
    }
    blocks
}

/// The guide's two scripts say what its transcript says they do.
#[test]
fn the_scripts_of_the_guide_do_what_it_tells() {
    let mut bench = Bench::new("guide");
    let blocks = guide();
    let (_, transcript) = blocks.iter().find(|(_, text)| text.starts_with("> agi_request")).unwrap();
    let mut scripts = vec![("sh", "ask.sh")];
    if Process::new("python3").arg("-c").arg("").status().is_ok_and(|status| status.success()) {
        scripts.push(("python", "ask.py"));
    } else {
        skip("the guide's script in Python", "python3 is not installed");
    }
    for (kind, name) in scripts {
        let (_, text) = blocks.iter().find(|(of, text)| *of == kind && text.contains("agi-bin/")).unwrap();
        assert!(text.contains(&format!("# agi-bin/{name}")), "{text}");
        bench.script(name, text);
        let (mut told, mut talk) = (String::new(), None);
        for line in transcript.lines() {
            if let Some(answer) = line.strip_prefix('>') {
                told.push_str(answer.trim());
                told.push('\n');
            } else if let Some(command) = line.strip_prefix("< ") {
                let id = *talk.get_or_insert_with(|| {
                    let opening = Opening { program: name.into(), arguments: Vec::new(), first: told.split_off(0) };
                    match bench.ask(1, OutsideRequest::Open(opening)) {
                        OutsideReply::Opened(Ok(talk)) => talk,
                        other => panic!("{name}: {other:?}"),
                    }
                });
                assert_eq!(bench.line(1, id, &told.split_off(0)).as_deref(), Ok(command), "{name}");
            }
        }
        let talk = talk.unwrap();
        let mut last = bench.line(1, talk, &told);
        if kind == "python" {
            assert_eq!(last.as_deref(), Ok("VERBOSE \"201 pressed 7\""));
            last = bench.line(1, talk, "200 result=1\n");
        }
        assert_eq!(last, Err(TalkEnd::Silent), "{name}");
        assert_eq!(bench.close(1, talk), "", "{name}");
    }
}

const UNIT: &str = include_str!("../conf/systemd/strowger.service");

/// As far as the unit's sandbox can be had without systemd: everything but the exchange's own folder and /dev is read
/// only, no memory is both written and run, no new privileges, and so many descriptors. Becomes the program that is named.
const SANDBOX: &str = r#"
import ctypes, mmap, os, resource, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
own = sys.argv[1].encode()
def must(failed, what):
    if failed:
        sys.exit(what + ": " + os.strerror(ctypes.get_errno()))
must(libc.unshare(0x20000), "a mount namespace")
must(libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None), "private mounts")
must(libc.mount(own, own, None, 0x1000, None), "the folder of the exchange")
places = [line.split()[4].encode().decode("unicode_escape").encode() for line in open("/proc/self/mountinfo")]
for place in places:
    if place != own and not place.startswith((b"/dev", b"/proc", b"/sys")):
        if libc.mount(None, place, None, 0x1000 | 0x20 | 1, None) and place == b"/":
            must(1, "a read-only root")
resource.setrlimit(resource.RLIMIT_NOFILE, (32768, 32768)) if resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 32768 else None
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.umask(0o077)
kept = set()
for limit, value, capability in ((resource.RLIMIT_RTPRIO, 5, 23), (resource.RLIMIT_MEMLOCK, resource.RLIM_INFINITY, 14)):
    try:
        resource.setrlimit(limit, (value, value))
    except ValueError:
        # Where root may raise no limit, it has the right itself instead.
        kept.add(capability)
for capability in set(range(64)) - kept:
    libc.prctl(24, capability, 0, 0, 0)
must(libc.prctl(38, 1, 0, 0, 0), "no new privileges")
if os.uname().machine == "x86_64":
    # @resources but for sched_setscheduler, and what of @privileged a program may have use for: EPERM, as the unit says.
    refused = [251, 237, 256, 279, 203, 314, 142, 238, 450, 141, 160, 165, 166, 161, 155, 105, 106, 113, 114, 116, 117, 119,
               122, 123, 126, 159, 227, 164, 169, 170, 171, 175, 176, 246, 313, 320, 163, 167, 168, 172, 173, 300, 301, 304, 321]
    code = [(0x20, 0, 0, 0)] + [step for number in refused for step in ((0x15, 0, 1, number), (0x06, 0, 0, 0x00050001))]
    code.append((0x06, 0, 0, 0x7fff0000))
    filters = b"".join(struct.pack("HBBI", *step) for step in code)
    buffer = ctypes.create_string_buffer(filters)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(buffer)))
    must(libc.prctl(22, 2, program, 0, 0), "a filter of system calls")
    try:
        os.nice(0); os.setpriority(os.PRIO_PROCESS, 0, 0)
        sys.exit("the filter lets everything pass")
    except PermissionError:
        pass
must(libc.prctl(65, 1, 0, 0, 0), "memory that is written or run")
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)
    sys.exit("memory may be written and run")
except OSError:
    pass
try:
    open("/usr/strowger-test", "w")
    sys.exit("/usr may be written to")
except OSError:
    pass
os.execv(sys.argv[2], sys.argv[2:])
"#;

/// Puts the program of a command into the sandbox.
fn confined(command: &mut Process) {
    let folder = PathBuf::from(command.get_args().nth(1).unwrap());
    let log = fs::OpenOptions::new().append(true).open(folder.join("log")).unwrap();
    fs::create_dir_all(folder.join("tmp")).unwrap();
    let mut whole = Process::new("python3");
    whole.arg("-c").arg(SANDBOX).arg(&folder).arg(command.get_program()).args(command.get_args());
    // A /tmp of its own.
    whole.env("TMPDIR", folder.join("tmp"));
    whole.stdin(std::process::Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    *command = whole;
}

/// Fifty calls at once, each steered by a script, that run commands, record, and hear a text that is spoken.
#[test]
fn fifty_scripts_commands_and_recordings_work_in_the_units_sandbox() {
    let story = "programs in the unit's sandbox";
    let filter = "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\nSystemCallFilter=sched_setscheduler";
    for line in [
        filter,
        "LimitRTPRIO=5",
        "LimitMEMLOCK=infinity",
        "RestrictRealtime=no",
        "TasksMax=512",
        "MemoryDenyWriteExecute=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
    ] {
        assert!(UNIT.contains(&format!("\n{line}\n")), "the sandbox below is another: {line}");
    }
    let own = std::env::temp_dir().join(format!("strowger-sandbox-{}", std::process::id()));
    fs::create_dir_all(&own).unwrap();
    let tried = Process::new("python3").arg("-c").arg(SANDBOX).arg(&own).arg("/bin/true").output();
    fs::remove_dir_all(&own).unwrap();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => return skip(story, String::from_utf8_lossy(&output.stderr).trim_end()),
        Err(error) => return skip(story, &format!("python3: {error}")),
    }
    let names: Vec<String> = (0..50).map(|number| format!("line{number}")).collect();
    let account = |name: &String| format!("[{name}]\ntype=friend\nhost=dynamic\nsecret=password\n");
    let accounts: String = names.iter().map(account).collect();
    let extensions = "[default]\nexten => _X.,1,Answer()\n same => n,AGI(${IF($[${EXTEN} % 2]?menu.py:menu.sh)})\n \
        same => n,System(echo ${X} > ${STATE}/wrote-${EXTEN})\n same => n,NoOp(system ${SYSTEMSTATUS})\n \
        same => n,System(echo no > /usr/strowger-test)\n same => n,NoOp(outside ${SYSTEMSTATUS})\n \
        same => n,Record(note-${EXTEN}.wav,0,1,qx)\n same => n,NoOp(recorded ${RECORD_STATUS})\n \
        same => n,SayText(ten past nine)\n same => n,NoOp(all done ${EXTEN})\n same => n,Wait(60)\n";
    let exchange = Exchange::start_as("sandbox", &accounts, extensions, confined);
    exchange.said("is ready.");
    let settings = exchange.told("core show settings");
    assert!(settings.contains("real-time priority 5"), "{settings}");
    let state = exchange.folder().join("state");
    let scripts = exchange.folder().join("agi-bin");
    fs::create_dir_all(&scripts).unwrap();
    for (name, text) in [
        (
            "menu.sh",
            "#!/bin/sh\nwhile read line && [ -n \"$line\" ]; do :; done\nfor command in 'WAIT FOR DIGIT 3000' \
             'SET VARIABLE X 5'; do echo \"$command\"; read answer; done\n",
        ),
        (
            "menu.py",
            "#!/usr/bin/env python3\nimport sys\nwhile sys.stdin.readline().strip(): pass\n\
             for command in ('WAIT FOR DIGIT 3000', 'SET VARIABLE X 5'):\n    print(command, flush=True)\n    \
             sys.stdin.readline()\n",
        ),
    ] {
        fs::write(scripts.join(name), text).unwrap();
        fs::set_permissions(scripts.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let programs = "[programs]\nsystem = true\nagi = true\nspeech = true\n";
    exchange.write("strowger.toml", &format!("[state]\nfolder = '{}'\n{programs}", state.display()));
    exchange.write("extensions.conf", &format!("[globals]\nSTATE={}\n{extensions}", state.display()));
    exchange.told("core reload");
    let mut phones = Phones::new(exchange.sip, &names);
    for line in 0..names.len() {
        phones.dial(line, &format!("{}", 100 + line));
    }
    let count = |words: &str| exchange.log().matches(words).count();
    let end = Instant::now() + 3 * PATIENCE;
    let most = std::cell::Cell::new(0);
    while count("\"all done ") < 50 {
        assert!(Instant::now() < end, "{}", exchange.log());
        most.set(most.get().max(running(&scripts.display().to_string())));
        phones.run(Duration::from_millis(100));
    }
    assert_eq!(count("\"system SUCCESS\""), 50, "{}", exchange.log());
    assert_eq!(count("\"outside APPERROR\""), 50, "{}", exchange.log());
    assert_eq!(count("\"recorded TIMEOUT\""), 50, "{}", exchange.log());
    assert!(most.get() > 25, "at most {} scripts ran at once", most.get());
    for number in 100..150 {
        assert_eq!(fs::read_to_string(state.join(format!("wrote-{number}"))).unwrap(), "5\n");
    }
    if exchange.log().contains("no program that speaks is installed") {
        skip("a text spoken in the unit's sandbox", "no program that speaks is installed");
    } else {
        assert!(!exchange.log().contains("SayText:"), "{}", exchange.log());
    }
    assert_eq!(fs::read_dir(exchange.folder().join("tmp")).unwrap().count(), 0);
    for line in 0..names.len() {
        phones.hang_up(line);
    }
    phones.run(Duration::from_millis(500));
}

/// The real exchange with a telephone: a script in shell, one on a server, and one after the hang-up.
#[test]
fn a_call_is_steered_by_scripts() {
    let accounts = "[a]\ntype=friend\nhost=dynamic\nsecret=password\n";
    let fastagi = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = fastagi.local_addr().unwrap();
    let extensions = format!(
        "[default]\nexten => 1,1,AGI(menu.sh,${{SHELL(echo one)}})\nexten => 1,2,AGI(agi://{at}/script)\n\
         exten => 1,3,NoOp(it goes on with ${{X}} and ${{AGISTATUS}})\nexten => 1,4,Wait(60)\n\
         exten => h,1,AGI(last.sh)\nexten => h,2,System(echo ${{AGISTATUS}} > /dev/null)\n\
         exten => h,3,NoOp(last of all ${{SYSTEMSTATUS}})\n"
    );
    let exchange = Exchange::start("steered", accounts, &extensions);
    exchange.said("is ready.");
    let folder = exchange.folder().join("agi-bin");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        (
            "menu.sh",
            "#!/bin/sh\nwhile read line && [ -n \"$line\" ]; do :; done\n\
             for command in ANSWER \"VERBOSE \\\"hello from $1\\\"\" 'EXEC Playback beep' 'SET VARIABLE X 5'; do\n\
             echo \"$command\"; read answer; echo \"$answer\" >&2; done\n",
        ),
        (
            "last.sh",
            "#!/bin/sh\nwhile read line && [ -n \"$line\" ]; do :; done\necho ANSWER; read answer\necho \"VERBOSE \\\"$answer\\\"\"; read answer\n",
        ),
    ] {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let server = thread::spawn(move || {
        let (mut stream, _) = fastagi.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut text = String::new();
        while lines.read_line(&mut text).unwrap() > 1 {}
        stream.write_all(b"GET VARIABLE X\n").unwrap();
        lines.read_line(&mut text).unwrap();
        text
    });
    let mut phones = Phones::new(exchange.sip, &["a".to_owned()]);
    // Nothing is allowed yet.
    phones.dial(0, "1");
    let toml = exchange.folder().join("strowger.toml").display().to_string();
    let waited = Instant::now();
    while !exchange.log().contains(&format!(
        "AGI(menu.sh): refused: it is not allowed; to allow it, write 'agi = true' below [programs] in {toml}"
    )) {
        assert!(waited.elapsed() < PATIENCE, "{}", exchange.log());
        phones.run(Duration::from_millis(20));
    }
    phones.hang_up(0);
    phones.run(Duration::from_millis(200));
    exchange.said("last of all FAILURE");
    let state = exchange.folder().join("state");
    exchange.write(
        "strowger.toml",
        &format!("[state]\nfolder = '{}'\n[programs]\nsystem = true\nagi = true\n", state.display()),
    );
    exchange.told("core reload");
    phones.dial(0, "1");
    let waited = Instant::now();
    while !exchange.log().contains("it goes on with 5 and SUCCESS") {
        assert!(waited.elapsed() < PATIENCE, "{}", exchange.log());
        phones.run(Duration::from_millis(20));
    }
    let log = exchange.log();
    assert!(log.contains("hello from one"), "{log}");
    assert!(log.contains("AGI(menu.sh) says: 200 result=0"), "{log}");
    let text = server.join().unwrap();
    assert!(
        text.contains("agi_network: yes\nagi_network_script: script\n") && text.ends_with("200 result=1 (5)\n"),
        "{text}"
    );
    phones.hang_up(0);
    let waited = Instant::now();
    while !exchange.log().contains("last of all SUCCESS") {
        assert!(waited.elapsed() < PATIENCE, "{}", exchange.log());
        phones.run(Duration::from_millis(20));
    }
    assert!(exchange.log().contains("511 Command Not Permitted on a dead channel"), "{}", exchange.log());
}

/// A script of the examples, copied for the bench with other words in the place of some.
fn example_script(bench: &Bench, name: &str, changes: &[(&str, &str)]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/examples/weather-and-news/agi-bin");
    let mut text = fs::read_to_string(folder.join(name)).unwrap();
    for (words, others) in changes {
        assert!(text.contains(words), "{name} has no '{words}'");
        text = text.replace(words, others);
    }
    bench.script(name, &text);
}

/// Runs a script as a call does, and gives back what it had the exchange do. `variables` are those of the dialplan;
/// applications answer with `exec`. What it printed besides comes last.
fn performed(bench: &mut Bench, name: &str, variables: &[(&str, &str)], exec: &str) -> Vec<String> {
    let talk = bench.open(1, name);
    let (mut tell, mut done) = (String::new(), Vec::new());
    loop {
        match bench.line(1, talk, &tell) {
            Ok(line) => {
                let variable = line.strip_prefix("GET VARIABLE ");
                tell = match variable.and_then(|name| variables.iter().find(|(its, _)| *its == name)) {
                    Some((_, value)) => format!("200 result=1 ({value})\n"),
                    None if line.starts_with("EXEC ") => format!("200 result={exec}\n"),
                    None => "200 result=0\n".to_owned(),
                };
                if variable.is_none() {
                    done.push(line);
                }
            }
            Err(TalkEnd::Silent) => break,
            Err(end) => panic!("{name}: {end:?}"),
        }
    }
    done.push(bench.close(1, talk));
    done
}

/// What is played, in one line.
fn spoken(done: &[String]) -> String {
    let words = done.iter().map(|line| {
        let word = line.strip_prefix("STREAM FILE ").or_else(|| line.strip_prefix("SAY NUMBER "));
        word.map_or(line.as_str(), |word| word.trim_end_matches(" \"\""))
    });
    words.collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn has_python() -> bool {
    Process::new("python3").arg("-c").arg("").status().is_ok_and(|status| status.success())
}

#[test]
fn the_weather_number_says_the_weather_or_that_there_is_none() {
    if !has_python() {
        return;
    }
    let mut bench = Bench::new("weather");
    example_script(&bench, "weather.py", &[("PATIENCE = 5", "PATIENCE = 1")]);
    let page = |code: u32, temperature: &str| {
        format!(
            "{{\"latitude\":52.5,\"current\":{{\"time\":\"2026-11-29T08:00\",\"temperature_2m\":{temperature},\
             \"relative_humidity_2m\":81,\"wind_speed_10m\":11.9,\"weather_code\":{code}}}}}"
        )
    };
    // From a server, and from files.
    let body = page(0, "-4.6");
    let (at, came) = server(format!("HTTP/1.0 200 OK\r\n\r\n{body}").leak());
    let url = format!("http://{at}/v1/forecast?latitude=52.52&current=temperature_2m,weather_code");
    let said = spoken(&performed(&mut bench, "weather.py", &[("WEATHER_URL", &url)], "0"));
    assert_eq!(
        said,
        "one-moment-please weather sunny temperature -5 degrees celsius humidity 81 percent wind 12 kilometers per hour goodbye"
    );
    assert!(came.join().unwrap().starts_with("GET /v1/forecast?latitude=52.52&current=temperature_2m,weather_code "));
    let file = bench.folder.join("page");
    let url = format!("file://{}", file.display());
    for (code, word) in [(3, "cloudy"), (61, "rain"), (73, "snow"), (86, "snow"), (95, "rain")] {
        fs::write(&file, page(code, "17.4")).unwrap();
        let said = spoken(&performed(&mut bench, "weather.py", &[("WEATHER_URL", &url)], "0"));
        assert!(said.starts_with(&format!("one-moment-please weather {word} temperature 17 ")), "{said}");
    }
    // Offline in every way: nobody there, nobody who answers, no address, no weather.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let never = format!("http://{}/", silent.local_addr().unwrap());
    for (url, text, why) in [
        ("http://127.0.0.1:1/", "", "refused"),
        (never.as_str(), "", "timed out"),
        ("", "", "unknown url type"),
        (url.as_str(), "<html>", "JSONDecodeError"),
        (url.as_str(), "{\"current\":{}}", "KeyError"),
        (url.as_str(), "[]", "TypeError"),
    ] {
        fs::write(&file, text).unwrap();
        let mut done = performed(&mut bench, "weather.py", &[("WEATHER_URL", url)], "0");
        let log = done.pop().unwrap();
        assert!(log.starts_with("no weather: ") && log.contains(why), "{url}: {log}");
        assert_eq!(
            spoken(&done),
            "one-moment-please im-sorry weather T-is-not-available please-try-call-later goodbye"
        );
    }
}

#[test]
fn the_news_number_has_the_headlines_read_or_says_that_nobody_can() {
    if !has_python() {
        return;
    }
    let mut bench = Bench::new("news");
    let file = bench.folder.join("feed");
    let url = format!("file://{}", file.display());
    let rss = "<rss version='2.0'><channel><title>All of it</title>\
               <item><title>One, ${SHELL(id)}: \"two\" &amp; 3.5 </title></item><item><title>It's so</title></item>\
               <item><title/></item></channel></rss>";
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title><entry><title>Third</title></entry></feed>";
    let variables = [("NEWS_URL", url.as_str()), ("NEWS_SPEAKER", "Flite")];
    // A synthesiser is there.
    let there = ("[\"flite\"]", "[\"sh\"]");
    example_script(&bench, "news.py", &[there, ("SHORTEST = 0.3", "SHORTEST = 0")]);
    fs::write(&file, rss).unwrap();
    let said = spoken(&performed(&mut bench, "news.py", &variables, "0"));
    assert_eq!(
        said,
        "one-moment-please there-are 2 new vm-messages EXEC Flite \"One SHELL id two 3.5\" EXEC Wait 0.5 \
         EXEC Flite \"Its so\" EXEC Wait 0.5 goodbye"
    );
    fs::write(&file, atom).unwrap();
    let said = spoken(&performed(&mut bench, "news.py", &variables, "0"));
    assert!(said.contains(" 1 new vm-messages EXEC Flite \"Third\" "), "{said}");
    // It fails, or the exchange has no such application.
    let said = spoken(&performed(&mut bench, "news.py", &variables, "-2"));
    let nobody =
        "one-moment-please there-are 1 new vm-messages EXEC Flite \"Third\" im-sorry there-is no operator goodbye";
    assert_eq!(said, nobody);
    // It spoke for no time at all: it is not allowed.
    example_script(&bench, "news.py", &[there, ("SHORTEST = 0.3", "SHORTEST = 60")]);
    assert_eq!(spoken(&performed(&mut bench, "news.py", &variables, "0")), nobody);
    // None is there: it is not even tried.
    example_script(&bench, "news.py", &[("[\"flite\"]", "[\"no-such-synthesiser\"]")]);
    let mut done = performed(&mut bench, "news.py", &variables, "0");
    assert_eq!(done.pop().unwrap(), "no program for Flite is installed\n");
    assert_eq!(spoken(&done), "one-moment-please there-are 1 new vm-messages im-sorry there-is no operator goodbye");
    // Offline, and what is no feed.
    for (url, text) in [
        ("http://127.0.0.1:1/", ""),
        (url.as_str(), "<rss><item>"),
        (url.as_str(), "<!DOCTYPE x [<!ENTITY a 'a'>]><rss/>"),
    ] {
        fs::write(&file, text).unwrap();
        let mut done = performed(&mut bench, "news.py", &[("NEWS_URL", url), ("NEWS_SPEAKER", "Flite")], "0");
        let log = done.pop().unwrap();
        assert!(log.starts_with("no news: "), "{log}");
        assert_eq!(spoken(&done), "one-moment-please im-sorry connection-failed please-try-call-later goodbye");
    }
}
