//! The server on loopback: what one test on real sockets shows that the virtual clock does not.

use super::super::phone_files::{Board, Networks, Settings};
use super::*;
use crate::event::Event;
use crate::event::provision::FileOutcome;
use crate::provision::Shelf;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Events, channel as events_channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

struct Server {
    at: SocketAddr,
    files: Arc<PhoneFiles>,
    events: Events<FileOutcome>,
    folder: PathBuf,
    over: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start(name: &str) -> Server {
        let folder = std::env::temp_dir().join(format!("strowger-tftp-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("file"), vec![7; 1300]).unwrap();
        let (sender, events) = events_channel();
        let sender = Mutex::new(sender);
        let publish = Arc::new(move |event| {
            let Event::Provision(event) = event else { panic!("{event:?}") };
            let _ = sender.lock().unwrap().send(event.outcome);
        });
        let settings = Settings { shelf: Shelf::default(), folder: folder.clone(), networks: Networks::default() };
        let files = Arc::new(PhoneFiles::new(settings, Arc::<Board>::default(), publish));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = socket.local_addr().unwrap();
        let (over, is_over) = oneshot::channel();
        let served = files.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let local = LocalSet::new();
            local.block_on(&runtime, async move {
                tokio::select! {
                    () = serve(RequestSocket::new(socket).unwrap(), served) => {}
                    _ = is_over => {}
                }
            });
        });
        Server { at, files, events, folder, over: Some(over), thread: Some(thread) }
    }

    fn outcome(&self) -> FileOutcome {
        self.events.recv_timeout(Duration::from_secs(20)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.over.take());
        self.thread.take().unwrap().join().unwrap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Client(UdpSocket);

impl Client {
    fn new() -> Client {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Client(socket)
    }

    /// The next datagram, waited for as long as it takes, and who sent it.
    fn next(&self) -> (Vec<u8>, SocketAddr) {
        let begin = Instant::now();
        let mut buffer = [0; 2048];
        loop {
            if let Ok((length, from)) = self.0.recv_from(&mut buffer) {
                return (buffer[..length].to_vec(), from);
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "nothing came");
        }
    }
}

#[test]
fn each_transfer_has_a_port_of_its_own_and_ends_with_what_was_asked() {
    let server = Server::start("plain");
    let [one, two] = [Client::new(), Client::new()];
    one.0.send_to(b"\0\x01./FILE\0octet\0", server.at).unwrap();
    two.0.send_to(b"\0\x01file\0octet\0blksize\x001400\0tsize\x000\0", server.at).unwrap();
    let (first, from_one) = one.next();
    let (oack, from_two) = two.next();
    assert_eq!((first.len(), &first[..4]), (516, b"\0\x03\0\x01".as_slice()));
    assert_eq!(oack, b"\0\x06blksize\x001400\0tsize\x001300\0");
    assert!(from_one != from_two && from_one != server.at && from_two != server.at);
    // Somebody else's acknowledgement is not heeded.
    let stranger = Client::new();
    stranger.0.send_to(b"\0\x04\0\x01", from_one).unwrap();
    for number in 1..=3 {
        one.0.send_to(&[0, 4, 0, number], from_one).unwrap();
        if number < 3 {
            assert_eq!(one.next().0[3], number + 1);
        }
    }
    assert!(matches!(server.outcome(), FileOutcome::Given(given) if given.bytes == 1300 && given.repeated == 0));
    two.0.send_to(b"\0\x05\0\x08only the size\0", from_two).unwrap();
    assert!(matches!(server.outcome(), FileOutcome::Broken { bytes: 0, .. }));
    assert!(server.files.board().rows().transfers.iter().all(|row| row.state != "sending"));
}

#[test]
fn what_is_not_given_is_said_at_once() {
    let server = Server::start("refusals");
    let client = Client::new();
    for (request, answer) in [
        (b"\0\x01CTLSEP0014A9BC0001.tlv\0octet\0".as_slice(), b"\0\x05\0\x01File not found\0".as_slice()),
        (b"\0\x01../../etc/passwd\0octet\0", b"\0\x05\0\x02Access violation\0"),
        (b"\0\x02file\0octet\0", b"\0\x05\0\x02Read-only server\0"),
    ] {
        client.0.send_to(request, server.at).unwrap();
        assert_eq!(client.next().0, answer);
    }
    for nothing in [b"".as_slice(), b"\0\x04\0\x01", b"\0\x09", b"\0\x01x"] {
        client.0.send_to(nothing, server.at).unwrap();
    }
    // What came before was dealt with when this is answered.
    client.0.send_to(b"\0\x01x\0octet\0", server.at).unwrap();
    client.next();
    let drops = server.files.board().rows().drops;
    assert_eq!(
        drops,
        [("no packet of TFTP".to_owned(), 3), ("no request".to_owned(), 1), ("wanted to write".to_owned(), 1)]
    );
}

#[test]
fn a_request_that_comes_again_is_one_transfer_and_a_new_one_from_its_port_takes_its_place() {
    let server = Server::start("again");
    let client = Client::new();
    for _ in 0..2 {
        client.0.send_to(b"\0\x01file\0octet\0", server.at).unwrap();
    }
    let ((first, from), (second, from_second)) = (client.next(), client.next());
    assert_eq!((first, from), (second, from_second));
    client.0.send_to(&[0, 4, 0, 1], from).unwrap();
    assert_eq!(client.next().0[3], 2);
    client.0.send_to(b"\0\x01file\0octet\0", server.at).unwrap();
    let (anew, from_anew) = client.next();
    assert!(anew[3] == 1 && from_anew != from);
    assert!(matches!(server.outcome(), FileOutcome::Broken { .. }), "the one before is over");
}
