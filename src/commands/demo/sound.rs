//! G.711 between two lines, measured: what was sent, what came, from where, how late, and whether it was touched.

use super::phone::DemoPhone;
use crate::sim::{RtpSink, RtpSource, RtpSourceConfig};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long after the last packet one may still arrive.
const LATE: Duration = Duration::from_millis(300);

/// The measurement of one direction.
pub(super) struct Direction {
    /// From whom to whom.
    pub(super) name: String,
    /// Packets sent.
    pub(super) sent: u64,
    /// Packets received, each counted once.
    pub(super) received: u64,
    /// Packets that never came.
    pub(super) lost: u64,
    /// Came twice, out of order, changed, or from nowhere known.
    pub(super) blemishes: u64,
    /// The address packets came from, when it was one and the same.
    pub(super) source: Option<SocketAddr>,
    /// One-way delays, sorted.
    delays: Vec<Duration>,
}

impl Direction {
    /// Everything sent arrived once, in order, untouched.
    pub(super) fn is_perfect(&self) -> bool {
        self.sent > 0 && self.lost == 0 && self.blemishes == 0 && self.received == self.sent
    }

    /// The delay that `share` (0 to 1) of the packets did not exceed.
    pub(super) fn delay(&self, share: f64) -> Duration {
        let last = self.delays.len().saturating_sub(1);
        // Both are small: a demonstration sends hundreds of packets.
        let index = (last as f64 * share).round() as usize;
        self.delays.get(index).copied().unwrap_or_default()
    }
}

/// Sends audio from both phones at once, `packets` each, and measures both directions.
pub(super) fn talk(
    a: (&DemoPhone, SocketAddr),
    b: (&DemoPhone, SocketAddr),
    packets: u64,
) -> Result<[Direction; 2], String> {
    let (a_rtp, b_rtp) = (&a.0.rtp, &b.0.rtp);
    let (a_name, b_name) = (&a.0.name, &b.0.name);
    let (to_b, to_a) = (a.1, b.1);
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| {
            direction(format!("{a_name} -> {b_name}"), a_rtp, to_b, b_rtp, Stream { config: config(1), packets })
        });
        let two = scope.spawn(|| {
            direction(format!("{b_name} -> {a_name}"), b_rtp, to_a, a_rtp, Stream { config: config(2), packets })
        });
        (one.join(), two.join())
    });
    let gone = |_| "a thread of the demonstration failed".to_owned();
    Ok([one.map_err(gone)?, two.map_err(gone)?])
}

fn config(number: u32) -> RtpSourceConfig {
    RtpSourceConfig {
        seed: u64::from(number),
        ssrc: 0x5724_0000 + number,
        first_sequence: 1000,
        first_timestamp: 8000,
        payload_type: 0,
        ptime_ms: 30,
    }
}

/// The packets of one direction.
#[derive(Clone, Copy)]
struct Stream {
    config: RtpSourceConfig,
    packets: u64,
}

/// One direction: a thread sends, this one receives.
fn direction(name: String, sender: &UdpSocket, to: SocketAddr, receiver: &UdpSocket, stream: Stream) -> Direction {
    let Stream { config, packets } = stream;
    let times = Mutex::new(Vec::new());
    let finished = AtomicBool::new(false);
    let mut heard = RtpSink::new(config);
    let mut arrivals = Vec::new();
    let mut sources = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            speak(sender, to, config, packets, &times);
            finished.store(true, Ordering::Release);
        });
        listen(receiver, &finished, |packet, source| {
            arrivals.push((crate::rtp::header::Header::read(packet).map(|header| header.sequence), Instant::now()));
            heard.receive(packet);
            if !sources.contains(&source) {
                sources.push(source);
            }
        });
    });
    let times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut delays: Vec<Duration> = arrivals
        .iter()
        .filter_map(|(sequence, at)| {
            let number = sequence.as_ref().ok()?.wrapping_sub(config.first_sequence);
            Some(at.saturating_duration_since(*times.get(usize::from(number))?))
        })
        .collect();
    delays.sort_unstable();
    let sent = u64::try_from(times.len()).unwrap_or(u64::MAX);
    Direction {
        name,
        sent,
        received: heard.received(),
        lost: heard.lost(sent),
        blemishes: heard.duplicates + heard.reordered + heard.altered + heard.foreign,
        source: if sources.len() == 1 { sources.pop() } else { None },
        delays,
    }
}

/// A packet every 30 ms, each at its time whatever came before.
fn speak(socket: &UdpSocket, to: SocketAddr, config: RtpSourceConfig, packets: u64, times: &Mutex<Vec<Instant>>) {
    let mut talker = RtpSource::new(config);
    let start = Instant::now();
    for number in 0..packets {
        let due = start + Duration::from_millis(u64::from(config.ptime_ms).saturating_mul(number));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let packet = talker.next_packet();
        times.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        // A packet the system refuses counts as sent and lost.
        let _ = socket.send_to(&packet, to);
    }
}

fn listen(socket: &UdpSocket, finished: &AtomicBool, mut take: impl FnMut(&[u8], SocketAddr)) {
    let mut buffer = [0; 2048];
    let mut until: Option<Instant> = None;
    let _ = socket.set_read_timeout(Some(Duration::from_millis(50)));
    while until.is_none_or(|until| Instant::now() < until) {
        if finished.load(Ordering::Acquire) {
            until.get_or_insert(Instant::now() + LATE);
        }
        if let Ok((length, source)) = socket.recv_from(&mut buffer) {
            take(buffer.get(..length).unwrap_or_default(), source);
        }
    }
}
