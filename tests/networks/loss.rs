//! A wire that loses one packet of ten, each way.

use std::time::{Duration, Instant};

use crate::phones::Phones;
use crate::place::{Place, network};
use strowger::sim::PhoneEvent;

const SERVER: &str = "203.0.113.1:5060";
/// Calls at a time.
const PAIRS: usize = 20;
/// Longer than any transaction lasts (RFC 3261 17: 64 × T1).
const PATIENCE: Duration = Duration::from_secs(40);

/// How many calls: 20, 100 with `STROWGER_LONG=1`, or as many as that says.
fn calls() -> usize {
    let long = std::env::var("STROWGER_LONG").ok().and_then(|value| value.parse::<usize>().ok());
    long.map_or(PAIRS, |number| match number {
        0 => PAIRS,
        1 => 100,
        more => more.next_multiple_of(PAIRS),
    })
}

/// Lets time pass until each line is so, or has had time enough; which are.
fn wait(phones: &mut Phones, lines: usize, is_so: impl Fn(&Phones, usize) -> bool) -> Vec<bool> {
    let end = Instant::now() + PATIENCE;
    loop {
        let so: Vec<bool> = (0..lines).map(|line| is_so(phones, line)).collect();
        if so.iter().all(|so| *so) || Instant::now() > end {
            return so;
        }
        phones.run(Duration::from_millis(5));
    }
}

#[test]
fn calls_over_a_wire_that_loses_a_tenth_each_way_are_reached_and_ended() {
    let story = "calls over a wire that loses a tenth";
    let made = network(story, &[], || {
        let wire = Place::wire(None)?;
        let house = Place::on(&wire, &["203.0.113.1/24"])?;
        let router = Place::router(&wire, "203.0.113.10/24", "192.168.7.1/24")?;
        house.ip("route add 192.168.7.0/24 via 203.0.113.10")?;
        router.filter(
            "table ip loss {\n chain on {\n type filter hook forward priority 0;\n \
             ip protocol udp numgen random mod 100 < 10 drop\n }\n}\n",
        )?;
        let home = Place::behind(&router, &["192.168.7.21/24"], "192.168.7.1")?;
        Ok((wire, house, router, home))
    });
    let Some((_wire, house, _router, home)) = made else { return };
    let names: Vec<String> =
        ['a', 'b'].iter().flat_map(|side| (0..PAIRS).map(move |number| format!("{side}{number:02}"))).collect();
    let lines: String = names.iter().map(|name| format!("[{name}](line)\n")).collect();
    let sip = format!(
        "[general]\nudpbindaddr={SERVER}\ncontext=default\n[line](!)\ntype=friend\nhost=dynamic\nsecret=password\n\
         directmedia=no\n{lines}"
    );
    let plan = "[default]\nexten => _2XX,1,Dial(SIP/b${EXTEN:1},60)\n";
    let exchange = house.exchange("loss", SERVER, &sip, plan);
    let mut phones = Phones::none();
    for name in &names {
        home.phone(&mut phones, "192.168.7.21", name, exchange.sip);
    }
    phones.register();

    let pairs: Vec<(usize, usize)> = (0..PAIRS).map(|number| (number, number + PAIRS)).collect();
    let (mut reached, mut ended, mut said, mut lost) = (0, 0, 0, 0);
    for _ in 0..calls() / PAIRS {
        for (caller, _) in &pairs {
            phones.dial(*caller, &format!("2{caller:02}"));
        }
        let talks = |phones: &Phones, line: usize| {
            let phone = &phones.lines[line].phone;
            phone.is_talking() && phone.media().is_some()
        };
        let both = |phones: &Phones, line: usize| talks(phones, line) && talks(phones, line + PAIRS);
        let talking = wait(&mut phones, PAIRS, both);
        reached += talking.iter().filter(|talks| **talks).count();
        phones.talk(&pairs);
        phones.run(Duration::from_millis(600));
        for heard in phones.hush(&pairs) {
            said += heard.made;
            lost += heard.sink.lost(heard.made);
            assert!(heard.sink.is_clean(), "{heard:?}");
        }
        // Of every other call the called one hangs up.
        for (caller, callee) in &pairs {
            phones.hang_up(if caller % 2 == 0 { *caller } else { *callee });
        }
        let over = |phones: &Phones, line: usize| {
            [line, line + PAIRS]
                .iter()
                .all(|line| !phones.lines[*line].phone.has_call() && phones.saw(*line, &PhoneEvent::Ended))
        };
        ended += wait(&mut phones, PAIRS, over).iter().filter(|over| **over).count();
        for line in &mut phones.lines {
            line.events.clear();
        }
    }
    let all = calls();
    println!("{reached} of {all} calls reached, {ended} ended on both sides; {lost} of {said} packets of sound lost");
    // 99 of 100, and of 20 all.
    assert!(reached >= all - all / 100 && ended >= all - all / 100, "{reached} reached, {ended} ended of {all}");
    // Both ways of each packet lose a tenth: 19 of 100.
    assert!((12..27).contains(&(lost * 100 / said)), "{lost} of {said}");
    let end = Instant::now() + PATIENCE;
    while !exchange.told("core show channels").contains("0 active channels") {
        assert!(Instant::now() < end, "{}", exchange.told("core show channels"));
        phones.run(Duration::from_millis(100));
    }
}
