//! Every datagram of registrations and calls spoilt on its way, over the whole switch: nothing panics, and when the
//! noise ends and everybody has hung up nothing is left.
//!
//! `STROWGER_MUTATIONS` says how many spoilt datagrams; the seeds are fixed.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed, at};
use bytes::Bytes;
use std::time::Duration;
use strowger::rng::Rng;
use strowger::sdp::MediaKind;
use strowger::sim::Change;

/// Spoilt copies that reach the exchange before each datagram.
const COPIES: usize = 8;

/// See the module.
pub struct Spoiler {
    rng: Rng,
    /// What was sent of late: pieces of it turn up in other messages.
    earlier: Vec<Bytes>,
    pub made: u64,
    /// The noise is over; what the phones learned from it is not.
    is_quiet: bool,
}

impl Spoiler {
    pub fn new(seed: u64) -> Spoiler {
        Spoiler { rng: Rng::from_number(seed), earlier: Vec::new(), made: 0, is_quiet: false }
    }

    /// Spoils nothing: what is injected may be wrong all the same.
    pub fn none() -> Spoiler {
        Spoiler { is_quiet: true, ..Spoiler::new(0) }
    }

    /// Some spoilt copies, before or after the datagram itself, which one time in twenty is spoilt as well.
    /// With each whether it is a copy.
    pub fn spoil(&mut self, bytes: Bytes) -> Vec<(Bytes, bool)> {
        if self.is_quiet {
            return vec![(bytes, false)];
        }
        let mut all: Vec<(Bytes, bool)> = (0..COPIES).map(|_| (self.one(&bytes), true)).collect();
        let itself = (self.itself(&bytes), false);
        // Before it they mostly win, since they open the transaction: three times in four they come behind.
        let at = if self.rng.below(4) > 0 { 0 } else { self.below(COPIES + 1) };
        all.insert(at, itself);
        if self.earlier.len() == 16 {
            self.earlier.remove(0);
        }
        self.earlier.push(bytes);
        all
    }

    /// The datagram alone, as it arrives at a phone.
    pub fn itself(&mut self, bytes: &Bytes) -> Bytes {
        if !self.is_quiet && self.rng.below(20) == 0 { self.one(bytes) } else { bytes.clone() }
    }

    fn one(&mut self, bytes: &Bytes) -> Bytes {
        self.made += 1;
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.rng.below(3) {
            if self.rng.below(2) == 0 { self.line(&mut bytes) } else { self.byte(&mut bytes) }
        }
        Bytes::from(bytes)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.rng.below(end.max(1) as u64)).unwrap()
    }

    fn byte(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.below(bytes.len());
        match self.rng.below(5) {
            0 => bytes[at] ^= 1 << self.rng.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"\"<>;,=:@%\\ \0\r\n\t0"[self.below(16)]),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + self.below(30)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }

    /// What the grammar lets through and the meaning does not: whole lines, and numbers.
    fn line(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = self.below(lines.len());
        match self.rng.below(6) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = self.below(lines.len());
                lines.swap(at, other);
            }
            3 => {
                // A line of another message: its tags, its CSeq, its Contact, its media.
                let from = self.below(self.earlier.len());
                let Some(other) = self.earlier.get(from).cloned() else { return };
                let theirs: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
                let theirs = theirs[self.below(theirs.len())].to_vec();
                lines[at] = theirs;
            }
            4 => {
                const WORDS: [&str; 14] = [
                    "INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "REGISTER", "OPTIONS", "INFO", "NOTIFY", "PRACK",
                    "200", "487", "491", "408",
                ];
                let (old, new) = (WORDS[self.below(WORDS.len())], WORDS[self.below(WORDS.len())]);
                let text = String::from_utf8_lossy(bytes).replace(old, new);
                *bytes = text.into_bytes();
                return;
            }
            _ => {
                const NUMBERS: [&str; 9] =
                    ["0", "1", "-1", "255", "65536", "2147483648", "4294967296", "99999999999999999999", ""];
                let line = &mut lines[at];
                let digits: Vec<usize> = (0..line.len()).filter(|at| line[*at].is_ascii_digit()).collect();
                let Some(start) = digits.get(self.below(digits.len())).copied() else { return };
                let end = (start..line.len()).find(|at| !line[*at].is_ascii_digit()).unwrap_or(line.len());
                line.splice(start..end, NUMBERS[self.below(NUMBERS.len())].bytes());
            }
        }
        *bytes = lines.join(&b'\n');
    }
}

/// Two lines with direct media, one behind an answering program, one that rings two.
const PLAN: &str = "[default]\nexten => _8X!,1,Dial(SIP/isp,20)\nexten => 1,1,Answer()\nexten => 1,2,Echo()\n\
                    exten => 2,1,Dial(SIP/desk&SIP/cisco,10)\nexten => 2,2,Hangup()\n";

#[test]
fn mutated_calls() {
    let wanted: u64 = std::env::var("STROWGER_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let more = "directmedia=yes\nvideosupport=yes\ntextsupport=yes\nt38pt_udptl=yes";
    let sip = [
        SIP.to_owned(),
        SIP.replace("directmedia=no", "directmedia=yes\nqualify=200\nsession-timers=originate"),
        SIP.replace("directmedia=no", more),
    ];
    let (mut made, mut talks, mut calls, mut seed) = (0, 0, 0, 0u64);
    while made < wanted {
        let quality = if seed.is_multiple_of(3) { Quality::ROUGH } else { Quality::PERFECT };
        let mut world = Testbed::new(&sip[seed as usize % sip.len()], PLAN, quality, seed);
        for name in ["client", "isp", "desk"] {
            world.phone(name).habit(|habits| habits.secondary_media = MediaKind::ALL.to_vec());
        }
        // Most worlds are registered before the noise begins, so that their calls get far.
        if !seed.is_multiple_of(4) {
            world.register_all();
        }
        world.spoiler = Some(Spoiler::new(seed));
        for round in 0..3 {
            talks += u64::from(noise(&mut world, seed.wrapping_add(round)));
            calls += 1;
        }
        if let Some(spoiler) = &mut world.spoiler {
            made += spoiler.made;
            spoiler.is_quiet = true;
        }
        quiet(&mut world);
        seed += 1;
    }
    println!("{made} spoilt datagrams in {calls} calls of {seed} exchanges; {talks} were answered all the same");
    assert!(talks * 10 > calls, "the noise leaves too few calls to look at: {talks} of {calls}");
}

/// A registration and a call; whether anybody talked.
fn noise(world: &mut Testbed, number: u64) -> bool {
    for name in ["client", "isp", "desk", "cisco"] {
        if !world.look(name).is_registered() {
            world.phone(name).registers();
        }
    }
    world.run(Duration::from_secs(2));
    if !world.look("client").has_call() {
        world.phone("client").dials(["88567682", "1", "2", "87"][number as usize % 4]);
    }
    world.run(Duration::from_millis(300));
    for name in ["isp", "desk", "cisco"] {
        if world.is_called(name) {
            world.phone(name).answers();
        }
    }
    world.run(Duration::from_secs(2));
    let talks = world.is_talking("client");
    let changes = [
        Change::Hold,
        Change::MovePort(17_000),
        Change::Refresh,
        Change::Resume,
        Change::NoSdp,
        Change::T38,
        Change::Voice,
        Change::Without(MediaKind::Video),
        Change::T38Alone,
        Change::With(MediaKind::Video),
        Change::T38,
    ];
    for (name, step) in [("client", 0), ("isp", number / 7)] {
        if world.is_talking(name) {
            world.phone(name).reoffers(changes[number.wrapping_add(step) as usize % changes.len()]);
            world.run(Duration::from_millis(number % 400));
        }
    }
    world.run(Duration::from_secs(1));
    for name in ["client", "isp", "desk", "cisco"] {
        if !number.is_multiple_of(5) && world.look(name).has_call() {
            world.phone(name).hangs_up();
        }
        world.run(Duration::from_millis(number % 70));
    }
    world.run(Duration::from_secs(1));
    talks
}

/// The network is good again and everybody hangs up. What the noise parted (one side has forgotten a call that the
/// other still has, and no timer ends such a call) is hung up from the console.
fn quiet(world: &mut Testbed) {
    world.network.quality = Quality::PERFECT;
    for name in ["client", "isp", "desk", "cisco"] {
        if world.look(name).has_call() {
            world.phone(name).hangs_up();
        }
    }
    world.run(Duration::from_secs(40));
    for channel in world.channels() {
        let (_, effects) = world.switch.hang_up(at(world.now), &channel);
        world.execute(effects);
    }
    world.run(Duration::from_secs(40));
    // A phone whose CSeq the noise has overtaken tries to register for ever.
    world.stations.clear();
    world.run(Duration::from_secs(80));
    for _ in 0..60 {
        if world.switch.leftovers() == Default::default() && world.media.streams.is_empty() {
            return;
        }
        world.run(Duration::from_secs(1));
    }
    assert_eq!(world.switch.leftovers(), Default::default(), "seed {}", world.seed());
    assert!(world.media.streams.is_empty(), "seed {}: streams are left", world.seed());
}
