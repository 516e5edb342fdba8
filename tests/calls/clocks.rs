//! Two lines whose clocks differ, over ways that delay, lose and reorder: how far the clocks are apart lies within what is
//! told with it, 99 times of 100, counted over many streams. `STROWGER_LONG=1` counts twenty times as many, of an hour too.

use std::time::Duration;
use strowger::clock::Time;
use strowger::event::quality::ClockSpeed;
use strowger::rng::Rng;
use strowger::rtp::arrivals::Arrivals;
use strowger::rtp::header::Header;

/// How a way delays what goes over it, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// By up to so much, each as likely.
    Even(f64),
    /// Mostly by little, seldom by much: the mean.
    Tail(f64),
    /// By little, but for a fifth of the time by 5 ms more.
    Detour,
    /// By little, but from some moment on by so much more.
    Changed(f64),
    /// By what comes and goes in so many seconds, 1 ms or so.
    Wandering(f64),
    /// A queue of up to 30 ms, there and gone again every 2 s or so.
    Load,
    /// As `Even`, and one packet of twenty overtakes the next.
    Reordered(f64),
}

const WAYS: [Way; 10] = [
    Way::Even(0.0),
    Way::Even(0.000_2),
    Way::Even(0.02),
    Way::Tail(0.001),
    Way::Detour,
    Way::Changed(0.000_5),
    Way::Changed(0.005),
    Way::Wandering(3.0),
    Way::Load,
    Way::Reordered(0.003),
];

/// How far two clocks are apart, in parts per million: two crystals of one make at first, and more than any two in telephones.
const SPEEDS: [f64; 8] = [0.5, 1.0, 5.0, 10.0, 43.0, 70.0, 100.0, 200.0];

/// A way as it is at the moment.
struct Path {
    way: Way,
    length: f64,
    from: f64,
    level: f64,
    last: f64,
    until: f64,
    is_busy: bool,
}

impl Path {
    fn new(way: Way, length: f64, rng: &mut Rng) -> Path {
        let (from, level, is_busy) = (0.8 * unit(rng), normal(rng), rng.below(2) == 0);
        Path { way, length, from, level, last: 0.0, until: 0.0, is_busy }
    }

    fn delay(&mut self, at: f64, rng: &mut Rng) -> f64 {
        let little = 0.000_3 * unit(rng);
        match self.way {
            Way::Even(most) => most * unit(rng),
            Way::Tail(mean) => exponential(mean, rng),
            Way::Detour if (self.from..self.from + 0.2).contains(&(at / self.length)) => little + 0.005,
            Way::Changed(by) if at / self.length > self.from => little + by,
            Way::Detour | Way::Changed(_) => little,
            Way::Wandering(time) => {
                // An Ornstein-Uhlenbeck process, of which the delay is how far it is from its middle.
                let kept = ((self.last - at) / time).exp();
                self.last = at;
                self.level = self.level * kept + (1.0 - kept * kept).max(0.0).sqrt() * normal(rng);
                little + 0.001 * self.level.abs()
            }
            Way::Load => {
                while at > self.until {
                    self.is_busy = !self.is_busy;
                    self.until += exponential(2.0, rng);
                }
                little + if self.is_busy { 0.015 + 0.015 * unit(rng) } else { 0.0 }
            }
            Way::Reordered(most) => most * unit(rng) + if rng.below(20) == 0 { 0.065 } else { 0.0 },
        }
    }
}

fn unit(rng: &mut Rng) -> f64 {
    (rng.bits() >> 11) as f64 / (1u64 << 53) as f64
}

fn exponential(mean: f64, rng: &mut Rng) -> f64 {
    -mean * (1.0 - unit(rng)).ln()
}

fn normal(rng: &mut Rng) -> f64 {
    exponential(2.0, rng).sqrt() * (std::f64::consts::TAU * unit(rng)).cos()
}

/// What is sent over a way.
#[derive(Clone, Copy)]
struct Sent {
    ppm: f64,
    seconds: f64,
    packet_ms: u32,
    /// Of a thousand packets so many are lost, three at a time.
    lost: u64,
}

/// What is told of the clock that sent this.
fn told_of(sent: Sent, way: Way, rng: &mut Rng) -> Option<ClockSpeed> {
    let mut path = Path::new(way, sent.seconds, rng);
    let (ssrc, first, number) = (rng.bits() as u32, rng.bits() as u32, rng.bits() as u16);
    let step = f64::from(sent.packet_ms) / 1_000.0;
    let count = (sent.seconds / step) as u32;
    let mut missing = 0;
    let mut came = Vec::with_capacity(count as usize);
    for packet in 0..count {
        let at = f64::from(packet) * step / (1.0 + sent.ppm * 1e-6);
        let delay = path.delay(at, rng);
        if missing == 0 && rng.below(3_000) < sent.lost {
            missing = 3;
        }
        if missing > 0 {
            missing -= 1;
            continue;
        }
        let header = Header {
            marker: false,
            payload_type: 0,
            sequence: number.wrapping_add(packet as u16),
            timestamp: first.wrapping_add(packet * sent.packet_ms * 8),
            ssrc,
            length: 12,
        };
        came.push((Duration::from_micros(((at + delay + 0.01) * 1e6) as u64), header));
    }
    came.sort_by_key(|(at, _)| *at);
    let mut arrivals = Arrivals::default();
    came.iter().for_each(|(at, header)| arrivals.record(Time::from_start(*at), header));
    arrivals.told().clock
}

/// How many estimates were told, and how many of them did not hold what is true within so many times their interval.
#[derive(Default, Clone, Copy)]
struct Count {
    told: u32,
    outside: u32,
    outside_a_tenth: u32,
    width: f64,
}

impl Count {
    fn add(&mut self, truth: f64, estimate: ClockSpeed) {
        let off = (estimate.ppm - truth).abs();
        self.told += 1;
        self.outside += u32::from(off > estimate.plus_minus);
        self.outside_a_tenth += u32::from(off > estimate.plus_minus / 10.0);
        self.width += estimate.plus_minus;
    }

    fn and(self, other: Count) -> Count {
        Count {
            told: self.told + other.told,
            outside: self.outside + other.outside,
            outside_a_tenth: self.outside_a_tenth + other.outside_a_tenth,
            width: self.width + other.width,
        }
    }

    /// One of a hundred may lie outside; of few streams, what chance allows (three standard deviations) more.
    fn allowed(self) -> f64 {
        let expected = f64::from(self.told) / 100.0;
        expected + 3.0 * expected.sqrt()
    }
}

/// Each line alone and the two together, on this way for so long.
fn counted(way: Way, seconds: f64, rounds: u32, rng: &mut Rng) -> Count {
    let mut count = Count::default();
    for round in 0..rounds {
        for (number, speed) in (0u32..).zip(SPEEDS) {
            let pick = |values: [u32; 5]| values[(number + round) as usize % 5];
            let sign = if (number + round).is_multiple_of(2) { 1.0 } else { -1.0 };
            let lost = u64::from(pick([0, 0, 1, 10, 50]));
            // The machine between them has a clock of its own.
            let (ours, other) = (30.0 * normal(rng), 30.0 * normal(rng));
            let sent = |ppm, packet_ms| Sent { ppm, seconds, packet_ms, lost };
            let first = told_of(sent(ours + other + sign * speed, pick([20, 10, 30, 40, 60])), way, rng);
            let second = told_of(sent(ours + other, pick([20, 20, 10, 30, 20])), way, rng);
            let (first, second) = first.zip(second).unwrap();
            count.add(ours + other + sign * speed, first);
            count.add(ours + other, second);
            count.add(sign * speed, first.against(&second));
        }
    }
    count
}

#[test]
fn the_difference_of_two_clocks_lies_within_what_is_told_with_it_99_times_of_100() {
    let is_long = std::env::var_os("STROWGER_LONG").is_some_and(|value| !value.is_empty() && value != "0");
    let rounds = if is_long { 20 } else { 1 };
    let mut rng = Rng::from_number(13);
    let mut all = Count::default();
    for way in WAYS {
        let mut of_way = Count::default();
        for (seconds, share) in [(61.0, 2), (90.0, 1), (300.0, 1), (3_600.0, 0)] {
            let rounds = if share == 0 { rounds / 10 } else { rounds * share };
            let count = counted(way, seconds, rounds, &mut rng);
            if count.told > 0 {
                let mean = count.width / f64::from(count.told);
                println!("{way:?}, {seconds} s: {} of {} outside, within {mean:.2} ppm", count.outside, count.told);
            }
            of_way = of_way.and(count);
        }
        assert!(f64::from(of_way.outside) <= of_way.allowed(), "{way:?}: {} of {}", of_way.outside, of_way.told);
        all = all.and(of_way);
    }
    println!("{} of {} outside", all.outside, all.told);
    assert!(all.outside * 100 <= all.told, "{} of {}", all.outside, all.told);
    // Not because everything would lie within it.
    assert!(f64::from(all.outside_a_tenth) > 10.0 * all.allowed(), "{} of {}", all.outside_a_tenth, all.told);
}

#[test]
fn a_difference_is_told_as_soon_as_it_can_be_and_not_before() {
    let mut rng = Rng::from_number(14);
    let mut sent = Sent { ppm: 43.0, seconds: 59.9, packet_ms: 20, lost: 0 };
    for way in WAYS {
        assert_eq!(told_of(sent, way, &mut rng), None, "{way:?}");
    }
    sent.seconds = 60.5;
    let told = WAYS.map(|way| told_of(sent, way, &mut rng).unwrap());
    // On a way that is quiet, to half a part in a million or so.
    assert!(told[..2].iter().all(|estimate| estimate.plus_minus < 1.5), "{told:?}");
    // On one that changed, it is said how little is known.
    let is_careful = |estimate: &ClockSpeed| estimate.plus_minus > 20.0;
    let careful = (0..20).filter_map(|_| told_of(sent, Way::Changed(0.005), &mut rng)).filter(is_careful).count();
    assert!(careful >= 15, "{careful} of 20");
}
