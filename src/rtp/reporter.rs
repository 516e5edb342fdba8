//! RTCP made by the exchange where it is the end of a call itself: what a line is sent by it (echo, prompts, mixes) and
//! what it hears of the line, in sender and receiver reports (RFC 3550 6). On relayed calls the lines' own reports pass by,
//! and none is made.

use crate::clock::{Time, Wall};
use crate::rng::Rng;
use std::time::Duration;

/// RFC 3550 6.2: between two reports of one participant, on average; no reduced minimum.
const INTERVAL: Duration = Duration::from_secs(5);

/// RFC 3550 6.3.1: what makes up for the reconsideration of timers, which two participants do not need.
const COMPENSATION: f64 = 1.21828;

/// Seconds from 1900, where NTP begins, to 1970.
const TO_1970: i64 = 2_208_988_800;

/// What goes out of the exchange to a line, as it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// The timestamp that a packet of this moment would have.
    pub timestamp: u32,
    /// Packets sent until now.
    pub packets: u64,
    /// Bytes of sound in them.
    pub octets: u64,
}

/// What has come from a line, as it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// The highest sequence number that came, the cycles in the upper half.
    pub highest: u32,
    /// Packets missing until now.
    pub lost: u64,
    /// Interarrival jitter, in units of the timestamp's clock.
    pub jitter: u32,
}

/// What is remembered from one report to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// RFC 7022 4.2: random, for this call alone. It names no host.
    cname: String,
    /// Packets sent when each of the last two reports was made.
    packets: [u64; 2],
    /// What had come when the last one was made.
    before: Option<Incoming>,
    /// The middle of the NTP stamp of the line's latest sender report, and when it came.
    heard: Option<(u32, Time)>,
    has_reported: bool,
    next: Time,
}

impl Reporter {
    /// Of a call that begins.
    pub fn new(now: Time, rng: &mut Rng) -> Reporter {
        let (cname, packets) = (rng.hex(24), [0; 2]);
        let mut reporter = Reporter { cname, packets, before: None, heard: None, has_reported: false, next: now };
        reporter.wait(now, rng);
        reporter
    }

    /// When the next report is due.
    pub fn next(&self) -> Time {
        self.next
    }

    /// RFC 3550 6.3.1: waits for the next report, half as long until the first, and never twice the same time. When that is
    /// due.
    pub fn wait(&mut self, now: Time, rng: &mut Rng) -> Time {
        let average = if self.has_reported { INTERVAL } else { INTERVAL / 2 };
        let share = 0.5 + rng.below(1_000_001) as f64 / 1e6;
        self.next = now + average.mul_f64(share / COMPENSATION);
        self.next
    }

    /// The line is relayed now: the reports of another line go to it, and none of these is waited for.
    pub fn pause(&mut self) {
        self.has_reported = false;
    }

    /// A compound packet of the line came, with these stamps of sender reports (see [`super::rtcp::sender_stamps`]).
    pub fn hear(&mut self, now: Time, stamps: impl Iterator<Item = u32>) {
        self.heard = stamps.last().map(|stamp| (stamp, now)).or(self.heard);
    }

    /// A compound packet: a sender report when packets were sent since the report before the last (RFC 3550 6.4), else a
    /// receiver report, and the CNAME.
    pub fn report(&mut self, now: Time, wall: Wall, sent: &Outgoing, came: Option<&Incoming>) -> Vec<u8> {
        let is_sender = sent.packets > self.packets[0];
        let mut packet = Vec::with_capacity(96);
        let kind = if is_sender { 200 } else { 201 };
        part(&mut packet, u8::from(came.is_some()), kind, |body| {
            body.extend(sent.ssrc.to_be_bytes());
            if is_sender {
                body.extend(ntp(wall).to_be_bytes());
                body.extend(sent.timestamp.to_be_bytes());
                // RFC 3550 6.4.1: both counts wrap.
                body.extend((sent.packets as u32).to_be_bytes());
                body.extend((sent.octets as u32).to_be_bytes());
            }
            if let Some(came) = came {
                self.block(now, came, body);
            }
        });
        // RFC 3550 6.5.1: one chunk with one item, ended by at least one null.
        part(&mut packet, 1, 202, |body| {
            body.extend(sent.ssrc.to_be_bytes());
            body.push(1);
            body.push(self.cname.len() as u8);
            body.extend(self.cname.bytes());
            body.push(0);
        });
        self.packets = [self.packets[1], sent.packets];
        self.before = came.copied();
        self.has_reported = true;
        packet
    }

    /// The last compound packet, with BYE (RFC 3550 6.6); none when there was none before: then nobody waits for it.
    pub fn bye(&mut self, now: Time, wall: Wall, sent: &Outgoing, came: Option<&Incoming>) -> Option<Vec<u8>> {
        if !self.has_reported {
            return None;
        }
        let mut packet = self.report(now, wall, sent, came);
        part(&mut packet, 1, 203, |body| body.extend(sent.ssrc.to_be_bytes()));
        Some(packet)
    }

    /// RFC 3550 6.4.1 and A.3: what came of the line's stream since the last report, and in all.
    fn block(&self, now: Time, came: &Incoming, body: &mut Vec<u8>) {
        let before = self.before.filter(|before| before.ssrc == came.ssrc);
        let fraction = before.map_or(0, |before| {
            let expected = u64::from(came.highest.wrapping_sub(before.highest));
            let lost = came.lost.saturating_sub(before.lost).min(expected);
            // 256 of 256 do not fit: nothing came, and there is no report then.
            (lost * 256).checked_div(expected).map_or(0, |share| share.min(255) as u32)
        });
        let lost = came.lost.min(0x7f_ffff) as u32;
        let (stamp, waited) = self.heard.map_or((0, 0), |(stamp, at)| (stamp, delay(now.since(at))));
        for word in [came.ssrc, (fraction << 24) | lost, came.highest, came.jitter, stamp, waited] {
            body.extend(word.to_be_bytes());
        }
    }
}

/// One part of a compound, padded to whole words.
fn part(packet: &mut Vec<u8>, count: u8, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let from = packet.len();
    packet.extend([0x80 | count, kind, 0, 0]);
    write(packet);
    packet.resize(from + (packet.len() - from).next_multiple_of(4), 0);
    let words = ((packet.len() - from) / 4 - 1) as u16;
    if let Some(length) = packet.get_mut(from + 2..from + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

/// The 64 bits of NTP's time (RFC 3550 4): seconds since 1900, which wrap in 2036, and their fraction.
fn ntp(wall: Wall) -> u64 {
    let seconds = wall.0.div_euclid(1_000).wrapping_add(TO_1970) as u32;
    let fraction = (wall.0.rem_euclid(1_000).unsigned_abs() << 32) / 1_000;
    (u64::from(seconds) << 32) | fraction
}

/// In 1/65,536 s.
fn delay(time: Duration) -> u32 {
    u32::try_from((time.as_micros() << 16) / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::far_end::FarEnd;
    use crate::rtp::rtcp::{self, Block};

    const WALL: Wall = Wall(1_795_000_000_250);

    fn at(milliseconds: u64) -> Time {
        Time::from_start(Duration::from_millis(milliseconds))
    }

    fn outgoing(packets: u64) -> Outgoing {
        Outgoing { ssrc: 0xaaaa, timestamp: 16_000, packets, octets: packets * 160 }
    }

    fn incoming(highest: u32, lost: u64) -> Incoming {
        Incoming { ssrc: 0xbbbb, highest, lost, jitter: 12 }
    }

    fn kinds(packet: &[u8]) -> Vec<(u8, u8)> {
        rtcp::parts(packet).map(|part| part.map(|part| (part.kind, part.count)).unwrap()).collect()
    }

    fn words(packet: &[u8]) -> Vec<u32> {
        packet.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect()
    }

    #[test]
    fn a_sender_report_has_ntp_time_both_counts_and_a_name_that_is_no_host() {
        let mut rng = Rng::from_number(3);
        let mut reporter = Reporter::new(at(0), &mut rng);
        let packet = reporter.report(at(5_000), WALL, &outgoing(250), None);
        assert_eq!(kinds(&packet), [(200, 0), (202, 1)]);
        let found = words(&packet);
        assert_eq!(found[..3], [0x80c8_0006, 0xaaaa, (1_795_000_000 + TO_1970) as u32]);
        assert_eq!(found[3..7], [0x4000_0000, 16_000, 250, 40_000]);
        assert_eq!(packet[36..38], [1, 24]);
        assert!(packet[38..62].iter().all(u8::is_ascii_hexdigit) && packet[62..] == [0, 0]);
        assert_ne!(Reporter::new(at(0), &mut rng).cname, reporter.cname);
    }

    #[test]
    fn losses_are_reported_since_the_last_time_and_in_all() {
        let mut reporter = Reporter::new(at(0), &mut Rng::from_number(3));
        let mut blocks = Vec::new();
        for (highest, lost) in [(0x1_0000, 10), (0x1_0064, 35), (0x1_00c8, 35), (0x1_00c8, 30)] {
            let packet = reporter.report(at(5_000), WALL, &outgoing(1), Some(&incoming(highest, lost)));
            assert!(words(&packet).contains(&highest));
            blocks.extend(rtcp::blocks(&packet));
        }
        let told: Vec<(u8, i32)> = blocks.iter().map(|block| (block.fraction, block.lost)).collect();
        assert_eq!(told, [(0, 10), (64, 35), (0, 35), (0, 30)]);
        assert_eq!(blocks[0].jitter, 12);
    }

    #[test]
    fn who_sent_nothing_for_two_reports_is_a_receiver() {
        let mut reporter = Reporter::new(at(0), &mut Rng::from_number(3));
        let first = |reporter: &mut Reporter, packets| {
            kinds(&reporter.report(at(0), WALL, &outgoing(packets), Some(&incoming(1, 0))))[0]
        };
        let all: Vec<(u8, u8)> = [5, 9, 9, 9, 10].iter().map(|packets| first(&mut reporter, *packets)).collect();
        assert_eq!(all, [(200, 1), (200, 1), (200, 1), (201, 1), (200, 1)]);
    }

    /// Two exchanges report to each other: each knows the way there and back by what the other answers.
    #[test]
    fn the_way_there_and_back_can_be_measured_by_what_is_reported() {
        let mut ours = Reporter::new(at(0), &mut Rng::from_number(3));
        let mut theirs = Reporter::new(at(0), &mut Rng::from_number(4));
        let mut far = FarEnd::default();
        let sent = ours.report(at(1_000), WALL, &outgoing(50), None);
        far.pass(at(1_000), &sent);
        theirs.hear(at(1_020), rtcp::sender_stamps(&sent));
        let answer = theirs.report(at(4_020), WALL, &Outgoing { ssrc: 0xbbbb, ..outgoing(1) }, Some(&incoming(50, 2)));
        far.hear(at(4_043), &answer);
        let block: Block = rtcp::blocks(&answer).next().unwrap();
        assert_eq!((block.delay, block.lost), (3 * 65_536, 2));
        assert_eq!((far.reports, far.lost), (1, 2));
        let way = far.round_trip.unwrap();
        assert!((Duration::from_millis(42)..=Duration::from_millis(44)).contains(&way), "{way:?}");
    }

    #[test]
    fn reports_are_five_seconds_apart_on_average_and_never_in_step() {
        let mut rng = Rng::from_number(5);
        let mut reporter = Reporter::new(at(0), &mut rng);
        let first = reporter.wait(at(0), &mut rng).since(at(0));
        assert!(first >= Duration::from_millis(1_000) && first <= Duration::from_millis(3_100), "{first:?}");
        reporter.report(at(0), WALL, &outgoing(1), None);
        let waits: Vec<Duration> = (0..2_000).map(|_| reporter.wait(at(0), &mut rng).since(at(0))).collect();
        assert!(waits.iter().all(|wait| (2_000..=6_200).contains(&wait.as_millis())));
        let average = waits.iter().sum::<Duration>() / 2_000;
        // RFC 3550 6.3.1 with its compensation, for two who never reconsider.
        assert!((3_950..=4_250).contains(&average.as_millis()), "{average:?}");
        assert!(waits.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn the_last_one_says_bye_and_there_is_none_without_a_first() {
        let mut reporter = Reporter::new(at(0), &mut Rng::from_number(3));
        assert_eq!(reporter.bye(at(0), WALL, &outgoing(1), None), None);
        reporter.report(at(0), WALL, &outgoing(1), None);
        let bye = reporter.bye(at(0), WALL, &outgoing(2), Some(&incoming(7, 0))).unwrap();
        assert_eq!(kinds(&bye), [(200, 1), (202, 1), (203, 1)]);
        assert_eq!(words(&bye).last(), Some(&0xaaaa));
    }

    #[test]
    fn counts_and_clocks_that_wrap_are_no_trouble() {
        let mut reporter = Reporter::new(at(0), &mut Rng::from_number(3));
        reporter.hear(at(0), [7].into_iter());
        let most = Outgoing { ssrc: 1, timestamp: u32::MAX, packets: u64::MAX, octets: u64::MAX };
        let came = Incoming { ssrc: 2, highest: u32::MAX, lost: u64::MAX, jitter: u32::MAX };
        for wall in [Wall(i64::MIN), Wall(-1), Wall(i64::MAX)] {
            let packet = reporter.report(Time::from_start(Duration::MAX), wall, &most, Some(&came));
            assert_eq!(rtcp::blocks(&packet).next().unwrap().lost, 0x7f_ffff);
        }
    }
}
