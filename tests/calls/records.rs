//! The records that calls leave.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::pbx::cdr::{Cdr, Disposition, HangupBy};
use strowger::pbx::effect::StoreOrder;

/// The one record that a story left.
fn record(world: &Testbed) -> Cdr {
    let mut records = world.kept.iter().filter_map(|order| match order {
        StoreOrder::Call(record) => Some(record.as_ref().clone()),
        StoreOrder::Bindings { .. }
        | StoreOrder::Value { .. }
        | StoreOrder::Subscription { .. }
        | StoreOrder::Line(_) => None,
    });
    let record = records.next().expect("a record");
    assert_eq!(records.next(), None, "one call, one record");
    record
}

#[test]
fn a_call_that_was_answered() {
    for caller_ends in [true, false] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.connect();
        world.run(Duration::from_secs(30));
        world.phone(if caller_ends { "client" } else { "isp" }).hangs_up();
        world.until_over();
        let record = record(&world);
        assert_eq!((record.disposition, record.billed.as_secs()), (Disposition::Answered, 30));
        assert_eq!(record.ended_by, if caller_ends { HangupBy::Caller } else { HangupBy::Callee });
        assert_eq!((record.source.as_str(), record.destination.as_str()), ("client", "88567682"));
        assert_eq!((record.context.as_str(), record.codec.as_str()), ("default", "ulaw"));
        assert_eq!((record.application.as_str(), record.data.as_str()), ("Dial", "SIP/isp,20"));
        assert_eq!(record.caller_rtp, "192.0.2.20:16420".parse().ok());
        assert_eq!(record.called_rtp, "192.0.2.20:16450".parse().ok());
        assert!(record.channel.starts_with("SIP/client-") && record.called_channel.starts_with("SIP/isp-"));
        assert!(
            record.duration >= record.billed && record.answer.is_some_and(|at| record.start < at && at < record.end)
        );
    }
}

#[test]
fn calls_that_were_not_answered() {
    let told = |story: fn(&mut Testbed)| {
        let mut world = Testbed::ready(SIP, "[default]\nexten => _X!,1,Dial(SIP/isp,5)\n");
        world.phone("client").dials("1");
        story(&mut world);
        world.until_over();
        let record = record(&world);
        assert_eq!((record.answer, record.billed), (None, Duration::ZERO));
        assert!(!record.reason.is_empty());
        (record.disposition.name(), record.ended_by.name())
    };
    assert_eq!(told(|w| w.until(|w| w.is_called("isp"))), ("NO ANSWER", "exchange"));
    let busy = |w: &mut Testbed| {
        w.until(|w| w.is_called("isp"));
        w.phone("isp").refuses(486);
    };
    assert_eq!(told(busy), ("BUSY", "exchange"));
    let given_up = |w: &mut Testbed| {
        w.until(|w| w.is_called("isp"));
        w.phone("client").hangs_up();
    };
    assert_eq!(told(given_up), ("NO ANSWER", "caller"));
    let away = |w: &mut Testbed| {
        w.phone("isp").unregisters();
        w.run(Duration::from_secs(1));
    };
    let mut world = Testbed::ready(SIP, GUIDE);
    away(&mut world);
    world.phone("client").dials("1");
    world.until_over();
    let record = record(&world);
    assert_eq!(record.disposition.name(), "FAILED");
    assert!(record.reason.starts_with("'isp' is not registered: it was unregistered 1 s ago"), "{}", record.reason);
}

#[test]
fn the_exchange_alone_answers_and_the_console_ends_a_call() {
    let mut world = Testbed::ready(SIP, "[default]\nexten => 600,1,Answer()\nsame => n,Echo()\n");
    world.phone("client").dials("600");
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(3));
    let (_, effects) = world.switch.hang_up(crate::testbed::at(world.now), "all");
    world.execute(effects);
    world.until_over();
    let record = record(&world);
    assert_eq!((record.disposition, record.ended_by), (Disposition::Answered, HangupBy::Exchange));
    assert_eq!((record.application.as_str(), record.called_channel.as_str(), record.called_rtp), ("Echo", "", None));
}

#[test]
fn a_program_leaves_no_record_or_lets_it_begin_again() {
    for program in ["NoCDR()", "Set(CDR_PROP(disable)=1)", "NoCDR()\n same => n,ResetCDR(v)"] {
        let plan = format!("[default]\nexten => 1,1,{program}\n same => n,Answer()\n same => n,Wait(3)\n");
        let mut world = Testbed::ready(SIP, &plan);
        world.phone("client").dials("1");
        world.until_over();
        assert!(!world.kept.iter().any(|order| matches!(order, StoreOrder::Call(_))), "{program}");
    }
    let mut world = Testbed::ready(
        SIP,
        "[default]\nexten => 1,1,NoCDR()\n same => n,Answer()\n same => n,Wait(5)\n same => n,ResetCDR(e)\n same => n,Wait(3)\n",
    );
    world.phone("client").dials("1");
    world.until_over();
    let record = record(&world);
    assert_eq!((record.billed.as_secs(), record.duration.as_secs()), (3, 3));
}

#[test]
fn a_forked_record_is_kept_beside_the_first() {
    let kept = |program: &str| {
        let plan = format!(
            "[default]\nexten => 1,1,Answer()\n same => n,Set(CDR(userfield)=first)\n same => n,Wait(5)\n {program}\
             same => n,Wait(3)\n"
        );
        let mut world = Testbed::ready(SIP, &plan);
        world.phone("client").dials("1");
        world.until_over();
        let records = world.kept.iter().filter_map(|order| match order {
            StoreOrder::Call(record) => Some(record.as_ref().clone()),
            _ => None,
        });
        records
            .map(|record| (record.user_field, record.duration.as_secs(), record.billed.as_secs()))
            .collect::<Vec<_>>()
    };
    let row = |field: &str, duration, billed| (field.to_owned(), duration, billed);
    let fork = |options: &str, then: &str| kept(&format!("same => n,ForkCDR({options})\n {then}"));
    assert_eq!(fork("", "same => n,Set(CDR(userfield)=second)\n "), [row("first", 8, 8), row("second", 8, 8)]);
    assert_eq!(fork("a", ""), [row("first", 8, 8), row("first", 8, 3)]);
    assert_eq!(fork("rv", ""), [row("first", 8, 8), row("", 3, 3)]);
    assert_eq!(fork("er", ""), [row("first", 5, 5), row("first", 3, 3)]);
    assert_eq!(fork("", "same => n,NoCDR()\n "), [row("first", 8, 8)]);
    assert_eq!(kept(&"same => n,ForkCDR()\n ".repeat(20)).len(), 16);
}
