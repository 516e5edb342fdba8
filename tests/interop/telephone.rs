//! Telephones played by other people's software: told what to do over their standard input, heard by what they record.
//! Each answers calls by itself and sends a tone of its own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::exchange::{Exchange, command, free_port, wait};
use crate::namespace::{ADDRESS, ADDRESS_V6};
use crate::{baresip, linphone, python, tone};

/// How SIP travels between a telephone and the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Udp,
    Tcp,
    Tls,
    /// TLS, and `sips:` wherever the others write `sip:`.
    Sips,
    Udp6,
    Tcp6,
}

impl Way {
    pub fn protocol(self) -> &'static str {
        match self {
            Way::Udp | Way::Udp6 => "udp",
            Way::Tcp | Way::Tcp6 => "tcp",
            Way::Tls | Way::Sips => "tls",
        }
    }

    /// A URI that is reached that way.
    pub fn uri(self, user_and_host: &str) -> String {
        match self {
            Way::Sips => format!("sips:{user_and_host}"),
            Way::Udp | Way::Tcp | Way::Tls | Way::Udp6 | Way::Tcp6 => {
                format!("sip:{user_and_host};transport={}", self.protocol())
            }
        }
    }

    pub fn is_v6(self) -> bool {
        matches!(self, Way::Udp6 | Way::Tcp6)
    }

    /// The address that the exchange and the telephones have.
    pub fn address(self) -> &'static str {
        if self.is_v6() { ADDRESS_V6 } else { ADDRESS }
    }
}

/// Whose software it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    Baresip,
    Linphone,
    Pjsua2,
    PyVoip,
}

impl Client {
    /// Why there is none of it here, if so.
    pub fn missing(self) -> Option<String> {
        let program = match self {
            Client::Baresip => "baresip",
            Client::Linphone => "linphonec",
            Client::Pjsua2 => return python::missing("pjsua2"),
            Client::PyVoip => return python::missing("pyVoIP"),
        };
        (!crate::installed(program)).then(|| format!("{program}: not installed"))
    }

    /// The tone it sends, in Hz: no two are alike, and none is a multiple of another.
    pub fn tone(self) -> u16 {
        match self {
            Client::Baresip => 440,
            Client::Linphone => 620,
            Client::Pjsua2 => 740,
            Client::PyVoip => 560,
        }
    }

    /// Whether it can put a call on hold.
    pub fn holds(self) -> bool {
        self != Client::PyVoip
    }

    /// Whether it answers OPTIONS: pyVoIP 1.6.8 does not, and gives up a call of its own that one comes across.
    pub fn answers_options(self) -> bool {
        self != Client::PyVoip
    }

    /// baresip 1.0.0 ends its recording with the first re-INVITE of a call; the sound goes on.
    pub fn records_after_hold(self) -> bool {
        self != Client::Baresip
    }

    /// What it says when a call of its own is refused with this status; `None` when it does not know what a refusal is.
    fn refusal(self, status: u16) -> Option<String> {
        match self {
            Client::Baresip => Some(format!("session closed: {status}")),
            Client::Linphone => Some("error.".to_owned()),
            Client::Pjsua2 => Some(format!("DISCONNECTED {status}")),
            Client::PyVoip => None,
        }
    }

    /// What it says before a digit that it gets; `None` when it says nothing.
    pub fn digit_words(self, by_info: bool) -> Option<&'static str> {
        match self {
            Client::Linphone => Some("Receiving tone "),
            Client::Pjsua2 => Some("digit "),
            Client::Baresip => Some("received DTMF: '").filter(|_| by_info),
            Client::PyVoip => None,
        }
    }

    /// What it says when a call is answered, and when one is over.
    fn begin_and_end(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Client::Baresip => ("Call established", &["terminated (duration", "terminate call", "session closed"]),
            Client::Linphone => ("connected.", &["ended (", "error."]),
            Client::Pjsua2 => ("CONFIRMED", &["DISCONNECTED"]),
            Client::PyVoip => ("ANSWERED", &["ENDED"]),
        }
    }

    /// The line that it is told by; `server` is where its numbers are.
    fn say(self, order: Order<'_>, server: &str, output: &str) -> String {
        match (self, order) {
            (Client::Baresip, Order::Call(number)) => format!("/dial {number}"),
            (Client::Baresip, Order::Hold) => "/hold".to_owned(),
            (Client::Baresip, Order::Resume) => "/resume".to_owned(),
            (Client::Baresip, Order::HangUp) => "/hangup".to_owned(),
            (Client::Baresip, Order::Quit) => "/quit".to_owned(),
            (Client::Baresip, Order::Transfer(number)) => format!("/transfer sip:{number}@{server}"),
            (Client::Baresip, Order::Ring) => "/answermode manual".to_owned(),
            (Client::Baresip, Order::Answer) => "/answermode auto".to_owned(),
            (Client::Baresip, Order::Text(_, words)) => format!("/message {words}"),
            (Client::Baresip | Client::Linphone, Order::Press(digit) | Order::PressByInfo(digit)) => digit.to_owned(),
            (_, Order::Press(digit)) => format!("press {digit}"),
            (_, Order::PressByInfo(digit)) => format!("info {digit}"),
            (Client::Linphone, Order::Hold) => "pause".to_owned(),
            (Client::Linphone, Order::HangUp) => "terminate all".to_owned(),
            (Client::Linphone, Order::Connect) => {
                let mut ids = output.rmatch_indices("assigned id ").map(|(at, words)| {
                    output[at + words.len()..].chars().take_while(char::is_ascii_digit).collect::<String>()
                });
                let (last, first) = (ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
                format!("transfer {first} --to-call {last}")
            }
            (Client::Linphone, Order::Ring) => "autoanswer disable".to_owned(),
            (Client::Linphone, Order::Answer) => "autoanswer enable".to_owned(),
            (Client::Linphone, Order::Text(number, words)) => format!("chat sip:{number}@{server} \"{words}\""),
            (_, Order::Call(number)) => format!("call {number}"),
            (_, Order::Ring) => "ring".to_owned(),
            (_, Order::Answer) => "answer".to_owned(),
            (_, Order::Transfer(number)) => format!("transfer {number}"),
            (_, Order::Connect) => "connect".to_owned(),
            (_, Order::Text(number, words)) => format!("text {number} {words}"),
            (_, Order::Hold) => "hold".to_owned(),
            (_, Order::Resume) => "resume".to_owned(),
            (_, Order::HangUp) => "hangup".to_owned(),
            (_, Order::Quit) => "quit".to_owned(),
        }
    }
}

/// What a telephone can be told.
#[derive(Clone, Copy)]
pub enum Order<'a> {
    Call(&'a str),
    Hold,
    Resume,
    HangUp,
    Quit,
    /// A digit, as a telephone event.
    Press(&'a str),
    /// A digit, by INFO (pjsua2 alone).
    PressByInfo(&'a str),
    /// Whoever it talks to is to go on at this number (REFER).
    Transfer(&'a str),
    /// Both whom it has calls with are to be connected (REFER with Replaces); baresip 1.0.0 cannot.
    Connect,
    /// Calls ring from now on, and are not answered.
    Ring,
    /// Calls are answered from now on, as at first.
    Answer,
    /// A text for this number; baresip has it go to its friend.
    Text(&'a str, &'a str),
}

/// Where a telephone registers and how.
pub struct Line<'a> {
    pub user: &'a str,
    pub secret: &'a str,
    pub way: Way,
    /// Its registrar's address with its port.
    pub server: String,
    /// A port of its own.
    pub port: u16,
    pub folder: PathBuf,
    /// The certificates it trusts, for TLS.
    pub authority: PathBuf,
    /// The number whose presence it watches; it asks for its messages then, too, if it can.
    pub friend: Option<&'a str>,
}

/// One that is running; ended with the value.
pub struct Telephone {
    pub client: Client,
    child: Child,
    folder: PathBuf,
    server: String,
}

impl Telephone {
    /// Starts one on a line of the exchange.
    pub fn start(exchange: &Exchange, client: Client, line: (&str, &str), way: Way) -> Telephone {
        Telephone::start_at(exchange, client, line, way, &exchange.server(way))
    }

    /// Starts one on a line of the exchange that watches this number.
    pub fn start_watching(exchange: &Exchange, client: Client, line: (&str, &str), friend: &str) -> Telephone {
        Telephone::start_as(exchange, client, line, Way::Udp, &exchange.server(Way::Udp), Some(friend))
    }

    /// Starts one that registers at `server`, through which it reaches the exchange.
    pub fn start_at(exchange: &Exchange, client: Client, line: (&str, &str), way: Way, server: &str) -> Telephone {
        Telephone::start_as(exchange, client, line, way, server, None)
    }

    fn start_as(
        exchange: &Exchange,
        client: Client,
        (user, secret): (&str, &str),
        way: Way,
        server: &str,
        friend: Option<&str>,
    ) -> Telephone {
        let port = free_port();
        let folder = exchange.folder.join(format!("{client:?}-{user}-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let (server, authority) = (server.to_owned(), exchange.folder.join("certificate.pem"));
        let line = Line { user, secret, way, server, port, folder: folder.clone(), authority, friend };
        let mut command = match client {
            Client::Baresip => baresip::command(exchange, &line, client.tone()),
            Client::Linphone => linphone::command(exchange, &line, client.tone()),
            Client::Pjsua2 => python::pjsua2(exchange, &line, client.tone()),
            Client::PyVoip => python::pyvoip(exchange, &line, client.tone()),
        };
        let output = std::fs::File::create(folder.join("output")).unwrap();
        command.env("HOME", &folder).stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut telephone = Telephone { client, child: command.spawn().unwrap(), folder, server: line.server };
        if client == Client::Linphone {
            linphone::use_files(&mut telephone);
        }
        telephone
    }

    /// Gives it an order.
    pub fn told(&mut self, order: Order<'_>) {
        self.type_in(&self.client.say(order, &self.server, &self.output()));
    }

    /// Waits until it says this, after the first `before` bytes of what it has said.
    pub fn says(&self, before: usize, words: &str, exchange: &Exchange) {
        let said =
            wait(Duration::from_secs(8), || self.output().get(before..).is_some_and(|text| text.contains(words)));
        assert!(said, "{:?} never says {words:?}:\n{}\n{}", self.client, self.output(), exchange.log());
    }

    pub fn type_in(&mut self, line: &str) {
        let written = self.child.stdin.as_mut().map(|stdin| writeln!(stdin, "{line}").and_then(|()| stdin.flush()));
        assert!(matches!(written, Some(Ok(()))), "{:?} does not listen: {written:?}\n{}", self.client, self.output());
    }

    /// From now on it answers by itself or lets calls ring; waits until it says so.
    pub fn answers(&mut self, does: bool, exchange: &Exchange) {
        let before = self.output().len();
        self.told(if does { Order::Answer } else { Order::Ring });
        let words = match (self.client, does) {
            (Client::Baresip, _) => "Answer mode changed to: ",
            (Client::Linphone, true) => "Auto answer enabled",
            (Client::Linphone, false) => "Auto answer disabled",
            (Client::Pjsua2 | Client::PyVoip, true) => "answers itself",
            (Client::Pjsua2 | Client::PyVoip, false) => "lets it ring",
        };
        self.says(before, words, exchange);
    }

    /// Waits until it has heard half a second more of the tone.
    pub fn hears(&self, frequency: u16, exchange: &Exchange) {
        let before = self.heard(frequency);
        let heard = wait(Duration::from_secs(8), || self.heard(frequency) >= before + 500);
        assert!(
            heard,
            "{:?} does not hear {frequency} Hz: {before} ms, then {} ms\n{}\n{}",
            self.client,
            self.heard(frequency),
            self.output(),
            exchange.log()
        );
    }

    /// Waits until it has heard these digits as tones, and no others.
    pub fn hears_digits(&self, digits: &str, exchange: &Exchange) {
        let is_told = wait(Duration::from_secs(8), || self.digits() == digits);
        let heard = self.digits();
        assert!(is_told, "{:?} hears {heard:?}, not {digits:?}\n{}\n{}", self.client, self.output(), exchange.log());
    }

    /// The digits that it has heard as tones so far.
    fn digits(&self) -> String {
        let mut recordings = self.recordings();
        recordings.sort();
        recordings.iter().map(|path| tone::digits(path)).collect()
    }

    /// Sends these digits as tones, a tenth of a second each, instead of its own tone. linphone mixes what it is told to play in
    /// a call with what it plays already: it is told before.
    pub fn sounds(&mut self, digits: &str) {
        let (path, name) = (self.folder.join("digits.wav"), self.folder.join("digits.wav").display().to_string());
        match self.client {
            // Its source has the form that it was told at its start.
            Client::Baresip => {
                tone::write_digits(&path, digits, 48_000, 2);
                self.type_in(&format!("/ausrc aufile,{name}"));
            }
            Client::Linphone => {
                tone::write_digits(&path, digits, 8_000, 1);
                self.type_in(&format!("play {name}"));
            }
            Client::Pjsua2 | Client::PyVoip => self.type_in(&format!("tones {digits}")),
        }
    }

    /// Waits until it hears no more of the tone.
    pub fn hears_no_more(&self, frequency: u16) {
        let silent = wait(Duration::from_secs(5), || {
            let before = self.heard(frequency);
            std::thread::sleep(Duration::from_millis(500));
            self.heard(frequency) == before
        });
        assert!(silent, "{:?} goes on hearing {frequency} Hz\n{}", self.client, self.output());
    }

    /// Calls a number and waits until it says that the call was refused with this status.
    pub fn is_refused(&mut self, number: &str, status: u16) {
        let Some(words) = self.client.refusal(status) else { return };
        let count = |telephone: &Telephone| telephone.output().matches(&words).count();
        let before = count(self);
        self.told(Order::Call(number));
        let said = wait(Duration::from_secs(5), || count(self) > before);
        assert!(said, "{:?} never says {words:?} of {number}:\n{}", self.client, self.output());
    }

    /// Waits until it knows of no call any more.
    pub fn is_idle(&self) {
        let (begin, ends) = self.client.begin_and_end();
        let idle = wait(Duration::from_secs(5), || {
            let output = self.output();
            let count = |words: &[&str]| words.iter().map(|words| output.matches(words).count()).sum::<usize>();
            match self.client {
                // It may have had several.
                Client::Linphone => count(&["assigned id "]) == count(ends),
                _ => ends.iter().any(|end| output.rfind(end) >= output.rfind(begin)),
            }
        });
        assert!(idle, "{:?} has a call still:\n{}", self.client, self.output());
    }

    /// For how many milliseconds it heard the tone so far, in all its calls.
    fn heard(&self, frequency: u16) -> usize {
        self.recordings().iter().map(|path| tone::tone_ms(path, frequency)).sum()
    }

    /// What it heard so far, in all its calls.
    pub fn recording(&self) -> Vec<f64> {
        self.recordings().iter().filter_map(|path| tone::read(path)).flatten().collect()
    }

    fn recordings(&self) -> Vec<PathBuf> {
        let recordings = std::fs::read_dir(&self.folder).unwrap().filter_map(|entry| Some(entry.ok()?.path()));
        let is_one = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name == "heard.wav" || name.ends_with("-dec.wav")
        };
        recordings.filter(is_one).collect()
    }

    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    pub fn output(&self) -> String {
        let bytes = std::fs::read(self.folder.join("output")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends it as its user would: it hangs up and gives its registration back.
    pub fn quits(mut self) {
        self.told(Order::Quit);
        let ended = wait(Duration::from_secs(8), || self.child.try_wait().is_ok_and(|status| status.is_some()));
        assert!(ended, "{:?} does not end\n{}", self.client, self.output());
    }
}

impl Drop for Telephone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program in the network of the exchange.
pub fn program(exchange: &Exchange, name: &str) -> Command {
    command(exchange.namespace(), name)
}
