//! Simulated telephones on real sockets, all moved by one thread.

#![allow(dead_code)] // not every test asks for everything

use crate::exchange::PATIENCE;
use bytes::Bytes;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use strowger::clock::Time;
use strowger::daemon::clock::Clock;
use strowger::rng::Rng;
use strowger::sim::{DeviceProfile, Phone, PhoneConfig, PhoneEvent, RtpSink, RtpSource, RtpSourceConfig};

const PACKET: Duration = Duration::from_millis(20);

/// A telephone and its two sockets.
pub struct Line {
    pub phone: Phone,
    pub events: Vec<PhoneEvent>,
    /// Datagrams of SIP that came.
    pub received: usize,
    sip: UdpSocket,
    rtp: UdpSocket,
    mouth: Option<(RtpSource, Instant)>,
    ear: Option<RtpSink>,
    /// What it hears, for as long as it is to be kept.
    tape: Option<Vec<Vec<u8>>>,
}

/// What one end said, and the other heard.
#[derive(Debug)]
pub struct Heard {
    pub mouth: usize,
    pub ear: usize,
    pub made: u64,
    pub sink: RtpSink,
}

/// Telephones side by side.
pub struct Phones {
    pub lines: Vec<Line>,
    clock: Clock,
}

impl Phones {
    /// One telephone for each account, all with the secret `password`, that ring and answer by themselves. All
    /// register.
    pub fn new(exchange: SocketAddr, accounts: &[String]) -> Phones {
        Phones::at(Ipv4Addr::LOCALHOST, exchange, accounts)
    }

    /// The same at this address.
    pub fn at(own: Ipv4Addr, exchange: SocketAddr, accounts: &[String]) -> Phones {
        let mut phones = Phones::none();
        phones.lines =
            (1..).zip(accounts).map(|(seed, account)| Line::new((own, 0), account, exchange, seed)).collect();
        phones.register();
        phones
    }

    /// Not a telephone yet.
    pub fn none() -> Phones {
        Phones { lines: Vec::new(), clock: Clock::start() }
    }

    /// All register, and wait until that is done.
    pub fn register(&mut self) {
        let phones = self;
        for line in 0..phones.lines.len() {
            phones.act(line, |phone, now| phone.register(now));
        }
        phones.until("all are registered", |phones| phones.lines.iter().all(|line| line.phone.is_registered()));
    }

    /// Has a telephone do something.
    pub fn act(&mut self, line: usize, act: impl FnOnce(&mut Phone, Time)) {
        let now = self.clock.now().mono;
        act(&mut self.lines[line].phone, now);
        self.step();
    }

    pub fn dial(&mut self, line: usize, number: &str) {
        self.act(line, |phone, now| phone.dial(now, number));
    }

    pub fn hang_up(&mut self, line: usize) {
        self.act(line, |phone, now| phone.hang_up(now));
    }

    /// Lets time pass until something is so.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Phones) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            if Instant::now() >= end {
                let events: Vec<_> = self.lines.iter().map(|line| (&line.phone.config().user, &line.events)).collect();
                panic!("it did not come to pass that {what}: {events:?}");
            }
            self.step();
        }
    }

    pub fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step();
        }
    }

    pub fn saw(&self, line: usize, event: &PhoneEvent) -> bool {
        self.lines[line].events.contains(event)
    }

    /// Both talk to each other.
    pub fn connect(&mut self, caller: usize, number: &str, callee: usize) {
        self.dial(caller, number);
        self.until("both talk", |phones| {
            [caller, callee].iter().all(|line| {
                let phone = &phones.lines[*line].phone;
                phone.is_talking() && phone.media().is_some()
            })
        });
    }

    /// Every telephone begins to send sound, and to listen to the one it is paired with.
    pub fn talk(&mut self, pairs: &[(usize, usize)]) {
        for (one, other) in pairs {
            for (mouth, ear) in [(*one, *other), (*other, *one)] {
                let number = u32::try_from(mouth).unwrap();
                let config = RtpSourceConfig {
                    seed: u64::from(number),
                    ssrc: 0x5724_0000 + number,
                    first_sequence: 65_500,
                    first_timestamp: 8000,
                    payload_type: 0,
                    ptime_ms: 20,
                };
                self.lines[mouth].mouth = Some((RtpSource::new(config), Instant::now()));
                self.lines[ear].ear = Some(RtpSink::new(config));
            }
        }
    }

    /// Ends the sound, waits for the last packets, and says how many were sent. Panics when any was lost, repeated or
    /// bent.
    pub fn fall_silent(&mut self, pairs: &[(usize, usize)]) -> u64 {
        let mut sent = 0;
        for Heard { mouth, ear, made, sink } in self.hush(pairs) {
            assert!(sink.is_clean(), "{mouth} to {ear}: {sink:?}");
            assert_eq!(sink.lost(made), 0, "{mouth} to {ear}: of {made}");
            sent += made;
        }
        sent
    }

    /// Ends the sound, waits for the last packets, and says what was heard: two of each pair.
    pub fn hush(&mut self, pairs: &[(usize, usize)]) -> Vec<Heard> {
        let mut talkers: Vec<Option<RtpSource>> =
            self.lines.iter_mut().map(|line| line.mouth.take().map(|(talker, _)| talker)).collect();
        self.run(Duration::from_millis(300));
        let both = pairs.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
        let mut heard = |(mouth, ear): (usize, usize)| {
            let made = talkers[mouth].take()?.made();
            Some(Heard { mouth, ear, made, sink: self.lines[ear].ear.take()? })
        };
        both.filter_map(&mut heard).collect()
    }

    /// How many packets of whom it listens to a telephone has heard.
    pub fn heard(&self, line: usize) -> u64 {
        self.lines[line].ear.as_ref().map_or(0, RtpSink::received)
    }

    /// A telephone in a call sends these packets, one every 20 ms; what the other one gets.
    pub fn pass(&mut self, from: usize, to: usize, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
        self.lines[to].tape = Some(Vec::new());
        for packet in packets {
            let line = &self.lines[from];
            line.rtp.send_to(packet, line.phone.media().unwrap()).unwrap();
            self.run(PACKET);
        }
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end && self.lines[to].tape.as_ref().is_some_and(|tape| tape.len() < packets.len()) {
            self.step();
        }
        self.lines[to].tape.take().unwrap_or_default()
    }

    fn step(&mut self) {
        let now = self.clock.now().mono;
        for line in &mut self.lines {
            line.step(now);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Line {
    /// A telephone at this address and SIP port (0: any), with sockets of the network that the caller is in.
    pub fn new((own, port): (Ipv4Addr, u16), account: &str, exchange: SocketAddr, seed: u64) -> Line {
        let open = |port| {
            let socket = UdpSocket::bind((own, port)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let (sip, rtp) = (open(port), open(0));
        let config = PhoneConfig {
            user: account.to_owned(),
            secret: "password".to_owned(),
            sip: sip.local_addr().unwrap(),
            exchange,
            rtp: rtp.local_addr().unwrap(),
            profile: DeviceProfile::Plain,
            expires: 3600,
        };
        let mut phone = Phone::new(config, Rng::from_number(seed));
        phone.behaviour_mut().auto_ring = true;
        phone.behaviour_mut().auto_answer_after = Some(Duration::from_millis(50));
        Line { phone, events: Vec::new(), received: 0, sip, rtp, mouth: None, ear: None, tape: None }
    }

    fn step(&mut self, now: Time) {
        let mut buffer = [0; 65_535];
        while let Ok((length, from)) = self.sip.recv_from(&mut buffer) {
            self.received += 1;
            self.phone.receive(now, &Bytes::copy_from_slice(&buffer[..length]), from);
        }
        self.phone.tick(now);
        for (to, datagram) in self.phone.take_datagrams() {
            // What the system refuses is lost as on a network: the exchange may be restarting.
            let _ = self.sip.send_to(&datagram, to);
        }
        self.events.extend(self.phone.take_events());
        while let Ok((length, _)) = self.rtp.recv_from(&mut buffer) {
            if let Some(ear) = &mut self.ear {
                ear.receive(&buffer[..length]);
            }
            if let Some(tape) = &mut self.tape {
                tape.push(buffer[..length].to_vec());
            }
        }
        if let (Some((talker, due)), Some(to)) = (&mut self.mouth, self.phone.media())
            && Instant::now() >= *due
        {
            self.rtp.send_to(&talker.next_packet(), to).unwrap();
            *due += PACKET;
        }
    }
}
