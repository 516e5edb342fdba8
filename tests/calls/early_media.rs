//! What a caller hears before the answer (RFC 3960): in whatever order 180, 181, 182 and 183 come, with and without a
//! description, with and without sound behind it, it hears ringing or the called line, and never nothing.

use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

/// Longer than a line may be silent before the caller is told that it rings.
const A_WHILE: Duration = Duration::from_millis(1_500);

/// What a called line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Sends this status, with a description or without.
    Says(u16, bool),
    /// Its sound begins.
    Sounds,
}

const STATUSES: [u16; 4] = [180, 181, 182, 183];

/// Every order of so many of the four responses.
fn orders_of(length: usize) -> Vec<Vec<u16>> {
    let longer = |order: Vec<u16>| {
        let others = STATUSES.into_iter().filter(|status| !order.contains(status)).collect::<Vec<_>>();
        others.into_iter().map(move |status| [order.clone(), vec![status]].concat())
    };
    (0..length).fold(vec![Vec::new()], |orders, _| orders.into_iter().flat_map(longer).collect())
}

/// Which of so many responses have a description, by their bits: of three and four, some, unless there is time.
fn masks(length: usize) -> Vec<u16> {
    let all = 0..1u16 << length;
    let some = [0, 1, 5, 9, 15].into_iter().filter(|mask| *mask < 1 << length);
    if length < 3 || std::env::var_os("STROWGER_LONG").is_some() { all.collect() } else { some.collect() }
}

/// These orders, each response with a description or without, with sound as soon as there is a description, at the end,
/// or none at all.
fn told(orders: Vec<Vec<u16>>) -> Vec<Vec<Act>> {
    let mut all = Vec::new();
    for order in orders {
        for mask in masks(order.len()) {
            let says = |(at, status): (usize, &u16)| Act::Says(*status, mask >> at & 1 == 1);
            let said: Vec<Act> = order.iter().enumerate().map(says).collect();
            if let Some(first) = said.iter().position(|act| matches!(act, Act::Says(_, true))) {
                for at in [first + 1, said.len()] {
                    let mut sounding = said.clone();
                    sounding.insert(at, Act::Sounds);
                    all.push(sounding);
                }
            }
            all.push(said);
        }
    }
    all.dedup();
    all
}

/// How a caller comes to `Dial`.
struct Caller {
    /// Options of its line.
    options: &'static str,
    /// What it dials.
    plan: &'static str,
    /// No sound passes before the answer.
    option_r: bool,
}

impl Caller {
    fn is_plain(&self) -> bool {
        self.options.is_empty() && self.plan == "Dial(SIP/isp)"
    }
}

fn callers() -> [Caller; 9] {
    let caller = |options, plan| Caller { options, plan, option_r: false };
    [
        caller("", "Dial(SIP/isp)"),
        caller("progressinband=yes", "Dial(SIP/isp)"),
        caller("progressinband=never", "Dial(SIP/isp)"),
        caller("", "Answer()\nsame => n,Dial(SIP/isp)"),
        caller("", "Progress()\nsame => n,Dial(SIP/isp)"),
        caller("progressinband=never", "Progress()\nsame => n,Dial(SIP/isp)"),
        caller("", "Ringing()\nsame => n,Dial(SIP/isp)"),
        caller("", "Dial(SIP/isp,,R)"),
        Caller { option_r: true, ..caller("", "Dial(SIP/isp,,r)") },
    ]
}

/// The last provisional response above 100 that the caller got: its status, and whether it described anything.
fn latest(world: &Testbed) -> Option<(u16, bool)> {
    let texts = world.texts("client", &["SIP/2.0 1"]);
    let status = |text: &String| text[8..11].parse::<u16>().unwrap();
    let told = texts.iter().rev().find(|text| ![100, 181, 182].contains(&status(text)))?;
    Some((status(told), told.contains("\r\nm=audio ")))
}

fn rings(world: &Testbed) -> bool {
    let told = latest(world);
    world.is_played_to("client") || told.is_some_and(|(status, _)| status == 180)
}

fn hears_the_line(world: &Testbed) -> bool {
    world.sound_from("isp").is_some_and(|sound| sound.to == "client" && sound.relayed)
}

#[test]
fn in_every_order_the_caller_hears_ringing_or_the_line() {
    for caller in callers() {
        let sip = SIP.replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{}", caller.options));
        let mut world = Testbed::ready(&sip, &format!("[default]\nexten => _X!,1,{}\n", caller.plan));
        world.phone("isp").habit(|habits| habits.auto_ring = false);
        // All four for the plain caller; for the others what follows upon what.
        let lengths = if caller.is_plain() { 1..=4 } else { 1..=2 };
        let orders: Vec<_> = lengths.flat_map(|length| told(orders_of(length))).collect();
        assert!(orders.len() >= if caller.is_plain() { 500 } else { 120 }, "{}", orders.len());
        for order in orders {
            plays(&mut world, &caller, &order);
        }
        world.assert_nothing_left();
    }
}

/// The same when another line was called, and forwards the call to an extension that calls this one (302).
#[test]
fn in_every_order_the_caller_hears_it_through_a_forward_too() {
    for caller in callers() {
        let sip = SIP.replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{}", caller.options));
        let plan = caller.plan.replace("SIP/isp", "SIP/desk");
        let plan = format!("[default]\nexten => 2,1,Dial(SIP/isp)\nexten => _[13-9],1,{plan}\n");
        let mut world = Testbed::ready(&sip, &plan);
        world.add_to("desk", "SIP/2.0 302", "Contact: <sip:2@192.0.2.1>");
        world.phone("desk").habit(|habits| habits.refuse = Some(302));
        world.phone("isp").habit(|habits| habits.auto_ring = false);
        for order in (1..=if caller.is_plain() { 3 } else { 2 }).flat_map(|length| told(orders_of(length))) {
            plays(&mut world, &caller, &order);
        }
        world.assert_nothing_left();
    }
}

fn plays(world: &mut Testbed, caller: &Caller, order: &[Act]) {
    world.forgets();
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_millis(50));
    let story = |at: usize| format!("{:?}, {:?}: {:?}", caller.options, caller.plan, &order[..=at]);
    let mut sounds = false;
    for (at, act) in order.iter().enumerate() {
        match *act {
            Act::Says(status, described) => world.phone("isp").indicates(status, described),
            Act::Sounds => {
                sounds = true;
                world.is_heard("isp");
            }
        }
        world.run(A_WHILE);
        if sounds && !caller.option_r {
            assert!(hears_the_line(world), "{}", story(at));
        } else {
            assert!(rings(world), "{}", story(at));
        }
    }
    let unanswered = !caller.plan.contains("Answer");
    for status in [181, 182] {
        let passed = world.texts("client", &["SIP/2.0 1"]).iter().any(|text| text.contains(&format!(" {status} ")));
        let said = order.iter().any(|act| matches!(act, Act::Says(it, _) if *it == status));
        assert_eq!(passed, said && unanswered, "{status} of {order:?}");
    }
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_millis(100));
}

/// A caller that made no offer cannot be told of early media: it rings.
#[test]
fn a_caller_without_an_offer_hears_ringing() {
    let mut world = Testbed::ready(SIP, "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
    world.phone("isp").habit(|habits| habits.auto_ring = false);
    world.phone("client").habit(|habits| habits.offerless = true);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").indicates(183, true);
    world.run(A_WHILE);
    assert!(world.saw("client", &PhoneEvent::Ringing));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

fn two() -> Testbed {
    let mut world = Testbed::ready(SIP, "[default]\nexten => _X!,1,Dial(SIP/isp&SIP/desk)\n");
    for line in ["isp", "desk"] {
        world.phone(line).habit(|habits| habits.auto_ring = false);
    }
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.is_called("desk"));
    world
}

/// Two lines send early media: the first that has sound is heard, and when it goes the other, or ringing.
#[test]
fn of_two_lines_with_early_media_the_one_that_sounds_is_heard() {
    let mut world = two();
    world.phone("isp").indicates(183, true);
    world.phone("desk").indicates(183, true);
    world.run(A_WHILE);
    assert!(rings(&world), "neither has any sound");
    world.is_heard("desk");
    world.run(Duration::from_millis(50));
    assert_eq!(world.sound_from("desk").map(|sound| sound.to), Some("client".to_owned()));
    assert_eq!(latest(&world), Some((183, true)), "its telephone stops ringing");
    world.phone("isp").indicates(180, false);
    world.run(A_WHILE);
    assert_eq!(latest(&world), Some((183, true)), "it does not ring over the sound of the other");
    world.phone("desk").refuses(486);
    world.run(A_WHILE);
    assert!(rings(&world), "the other rings on");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_line_that_is_heard_and_then_refuses_leaves_ringing_behind() {
    let mut world = two();
    world.phone("desk").indicates(180, false);
    world.phone("isp").indicates(183, true);
    world.is_heard("isp");
    world.run(A_WHILE);
    assert!(hears_the_line(&world));
    world.phone("isp").refuses(503);
    world.run(A_WHILE);
    assert!(rings(&world));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The sound comes long after its description: the caller was told that it rings, and hears it all the same.
#[test]
fn sound_that_comes_late_is_not_lost() {
    for options in ["", "progressinband=yes"] {
        let sip = SIP.replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{options}"));
        let mut world = Testbed::ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
        world.phone("isp").habit(|habits| habits.auto_ring = false);
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").indicates(183, true);
        world.run(Duration::from_secs(10));
        assert!(rings(&world), "{options}");
        world.is_heard("isp");
        world.run(Duration::from_millis(50));
        assert!(hears_the_line(&world), "{options}");
        assert_eq!(latest(&world), Some((183, true)), "{options}");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}
