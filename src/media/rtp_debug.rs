//! `rtp set debug`: RTP packets shown as they are received and sent.

use crate::clock::Time;
use crate::rtp::header::Header;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Packets shown within [`PERIOD`] at most: those of five calls. A line takes longer than the packet.
const MAX_SHOWN: u32 = 500;
const PERIOD: Duration = Duration::from_secs(1);

/// Shows RTP packets.
pub struct PacketTrace {
    only: Option<(IpAddr, Option<u16>)>,
    sink: Box<dyn Fn(String) + Send>,
    began: Time,
    shown: u32,
    left_out: u64,
}

impl PacketTrace {
    /// Shows all packets, or only those of an address and, if one is named, a port. `sink` takes a line, and must not
    /// wait.
    pub fn new(only: Option<(IpAddr, Option<u16>)>, sink: Box<dyn Fn(String) + Send>) -> PacketTrace {
        PacketTrace { only, sink, began: Time::ZERO, shown: 0, left_out: 0 }
    }

    /// A packet came.
    pub(super) fn received(&mut self, now: Time, source: SocketAddr, packet: &[u8]) {
        self.packet(now, "Got  RTP packet from    ", source, packet);
    }

    /// A packet went, as it stands now.
    pub(super) fn sent(&mut self, now: Time, to: SocketAddr, packet: &[u8]) {
        self.packet(now, "Sent RTP packet to      ", to, packet);
    }

    fn packet(&mut self, now: Time, what: &str, remote: SocketAddr, packet: &[u8]) {
        let is_meant = |(ip, port): (IpAddr, Option<u16>)| {
            ip == remote.ip().to_canonical() && port.is_none_or(|port| port == remote.port())
        };
        if !self.only.is_none_or(is_meant) {
            return;
        }
        if now.since(self.began) >= PERIOD {
            let left_out = std::mem::take(&mut self.left_out);
            if left_out > 0 {
                (self.sink)(format!("{left_out} RTP packets are not shown: more than {MAX_SHOWN} a second"));
            }
            self.began = now;
            self.shown = 0;
        }
        if self.shown >= MAX_SHOWN {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let Ok(header) = Header::read(packet) else { return };
        self.shown = self.shown.saturating_add(1);
        (self.sink)(format!(
            "{what}{}:{} (type {:02}, seq {:06}, ts {:06}, len {:06})",
            shown(remote.ip().to_canonical()),
            remote.port(),
            header.payload_type,
            header.sequence,
            header.timestamp,
            packet.len().saturating_sub(header.length)
        ));
    }
}

fn shown(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const PACKET: &[u8] = &[0x80, 0x80, 0, 42, 0, 0, 0, 160, 1, 2, 3, 4, 0xff, 0xff];

    #[test]
    fn packets_are_shown_as_asterisk_shows_them_and_not_too_many() {
        let (say, said) = channel();
        let mut trace = PacketTrace::new(None, Box::new(move |line| say.send(line).unwrap()));
        let (a, b) = ("192.0.2.7:16384".parse().unwrap(), "[2001:db8::7]:4000".parse().unwrap());
        trace.received(Time::ZERO, a, PACKET);
        trace.sent(Time::ZERO, b, PACKET);
        let lines: Vec<String> = said.try_iter().collect();
        assert_eq!(
            lines,
            [
                "Got  RTP packet from    192.0.2.7:16384 (type 00, seq 000042, ts 000160, len 000002)",
                "Sent RTP packet to      [2001:db8::7]:4000 (type 00, seq 000042, ts 000160, len 000002)",
            ]
        );
        for _ in 0..1000 {
            trace.received(Time::ZERO, a, PACKET);
        }
        assert_eq!(said.try_iter().count(), 498);
        trace.received(Time::from_start(PERIOD), a, PACKET);
        assert_eq!(said.try_iter().next().unwrap(), "502 RTP packets are not shown: more than 500 a second");
        assert_eq!(said.try_iter().count(), 1);
    }

    #[test]
    fn one_address_is_told_from_the_others() {
        let (say, said) = channel();
        let only = Some(("192.0.2.7".parse().unwrap(), Some(4000)));
        let mut trace = PacketTrace::new(only, Box::new(move |line| say.send(line).unwrap()));
        for remote in ["192.0.2.7:4002", "192.0.2.8:4000", "[::ffff:192.0.2.7]:4000"] {
            trace.received(Time::ZERO, remote.parse().unwrap(), PACKET);
        }
        assert_eq!(said.try_iter().count(), 1);
    }
}
