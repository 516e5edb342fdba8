//! Just enough SIP to set calls up and end them: one socket for all who call, one for all who are called.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call that is up.
pub struct Dialog {
    number: usize,
    to: String,
    contact: String,
    /// Where its caller sends sound.
    pub caller_sends_to: SocketAddr,
    /// Where the called one does; none: a program of the exchange is talked to.
    pub callee_sends_to: Option<SocketAddr>,
}

/// Both sockets.
pub struct Office {
    name: &'static str,
    caller: UdpSocket,
    callee: UdpSocket,
    exchange: SocketAddr,
    calls: usize,
    /// What the called side answered to each INVITE, by its Call-ID: it may come twice.
    answers: BTreeMap<String, String>,
}

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let value = |line: &'m str| line.split_once(':').filter(|(found, _)| found.eq_ignore_ascii_case(name));
    message.lines().find_map(value).map_or("", |(_, value)| value.trim())
}

/// Where the description in a message wants sound sent to.
fn media(message: &str) -> SocketAddr {
    let after = |start: &str| message.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    let port = after("m=audio ").split(' ').next().unwrap_or_default();
    format!("{}:{port}", after("c=IN IP4 ")).parse().unwrap_or_else(|_| panic!("no sound in {message}"))
}

fn sdp(rtp: SocketAddr) -> String {
    let (ip, port) = (rtp.ip(), rtp.port());
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
    );
    format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn answer(request: &str, contact: SocketAddr, rest: &str) -> String {
    let vias = request.lines().filter(|line| line.to_ascii_lowercase().starts_with("via:"));
    let vias: String = vias.map(|line| format!("{line}\r\n")).collect();
    let [from, to, id, cseq] = ["From", "To", "Call-ID", "CSeq"].map(|name| header(request, name));
    let tag = if to.contains("tag=") { "" } else { ";tag=callee" };
    format!(
        "SIP/2.0 200 OK\r\n{vias}From: {from}\r\nTo: {to}{tag}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\n\
         Contact: <sip:callee@{contact}>\r\n{rest}"
    )
}

fn receive(socket: &UdpSocket) -> Option<(String, SocketAddr)> {
    let mut buffer = [0; 8_192];
    let (length, from) = socket.recv_from(&mut buffer).ok()?;
    Some((String::from_utf8_lossy(&buffer[..length]).into_owned(), from))
}

impl Office {
    /// Opens the sockets; where the exchange is, is told when there is one ([`Office::reaches`]).
    pub fn open() -> Office {
        Office::open_as("")
    }

    /// Another one beside it: its lines have this name in front of theirs.
    pub fn open_as(name: &'static str) -> Office {
        let open = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let exchange = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Office { name, caller: open(), callee: open(), exchange, calls: 0, answers: BTreeMap::new() }
    }

    /// The exchange is there.
    pub fn reaches(&mut self, exchange: SocketAddr) {
        self.exchange = exchange;
    }

    /// Their lines: known by their addresses.
    pub fn accounts(&self) -> String {
        let line = |name: &str, socket: &UdpSocket| {
            let (of, port) = (self.name, socket.local_addr().unwrap().port());
            format!(
                "[{of}{name}]\ntype=peer\nhost=127.0.0.1\nport={port}\ncontext=default\ninsecure=invite\nqualify=no\n"
            )
        };
        line("caller", &self.caller) + &line("callee", &self.callee)
    }

    /// Calls a number and waits until it is answered; `callee` is where the called side wants its sound.
    pub fn call(&mut self, number: &str, caller: SocketAddr, callee: SocketAddr) -> Dialog {
        self.calls += 1;
        let call = self.calls;
        let target = format!("sip:{number}@{}", self.exchange);
        self.ask(("INVITE", 1), call, (&target, &format!("<{target}>")), &sdp(caller));
        let mut called = None;
        let answered = self.until(&format!("call {call} is answered"), |office| {
            called = called.or(office.serve(callee));
            let (message, _) = receive(&office.caller)?;
            let is_it = header(&message, "Call-ID") == office.id(call) && header(&message, "CSeq").ends_with("INVITE");
            assert!(!is_it || message.starts_with("SIP/2.0 1") || message.starts_with("SIP/2.0 200"), "{message}");
            (is_it && message.starts_with("SIP/2.0 200")).then_some(message)
        });
        let contact = header(&answered, "Contact").trim_matches(['<', '>']).to_owned();
        let to = header(&answered, "To").to_owned();
        self.ask(("ACK", 1), call, (&contact, &to), "Content-Length: 0\r\n\r\n");
        Dialog { number: call, to, contact, caller_sends_to: media(&answered), callee_sends_to: called }
    }

    /// The caller hangs up.
    pub fn hang_up(&mut self, dialog: &Dialog) {
        self.ask(("BYE", 2), dialog.number, (&dialog.contact, &dialog.to), "Content-Length: 0\r\n\r\n");
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        self.until(&format!("call {} is over", dialog.number), |office| {
            office.serve(nowhere);
            let (message, _) = receive(&office.caller)?;
            (header(&message, "Call-ID") == office.id(dialog.number) && header(&message, "CSeq") == "2 BYE")
                .then_some(())
        });
    }

    fn ask(&self, (method, cseq): (&str, usize), call: usize, (target, to): (&str, &str), rest: &str) {
        let at = self.caller.local_addr().unwrap();
        let message = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{call}-{cseq}-{method}\r\n\
             From: <sip:{}caller@{at}>;tag=c{call}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
             Max-Forwards: 70\r\nContact: <sip:caller@{at}>\r\n{rest}",
            self.name,
            self.id(call)
        );
        self.caller.send_to(message.as_bytes(), self.exchange).unwrap();
    }

    /// The called side answers what it is asked; where it is to send its sound, when it was called.
    fn serve(&mut self, rtp: SocketAddr) -> Option<SocketAddr> {
        let (request, from) = receive(&self.callee)?;
        if request.starts_with("SIP/2.0") || request.starts_with("ACK") {
            return None;
        }
        let at = self.callee.local_addr().unwrap();
        let is_call = request.starts_with("INVITE");
        let fresh = answer(&request, at, &if is_call { sdp(rtp) } else { "Content-Length: 0\r\n\r\n".to_owned() });
        let reply = match is_call {
            true => self.answers.entry(header(&request, "Call-ID").to_owned()).or_insert(fresh).clone(),
            false => fresh,
        };
        self.callee.send_to(reply.as_bytes(), from).unwrap();
        is_call.then(|| media(&request))
    }

    fn id(&self, call: usize) -> String {
        format!("bench-{}{call}", self.name)
    }

    fn until<T>(&mut self, what: &str, mut is_so: impl FnMut(&mut Office) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = is_so(self) {
                return found;
            }
            assert!(Instant::now() < end, "it did not come to pass that {what}");
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}
