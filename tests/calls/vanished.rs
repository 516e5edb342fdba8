//! Calls whose telephones vanish: what ends them, what does not, and that nothing is left.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Time;
use strowger::event::Level;
use strowger::pbx::switch::PeerStatus;
use strowger::sim::{Change, PhoneEvent};

/// Four lines that are asked every minute whether they are there.
fn qualified() -> String {
    SIP.replace("nat=no", "nat=no\nqualify=yes")
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// These options for the called line.
fn with(options: &str) -> String {
    SIP.replace("[isp]\n", &format!("[isp]\n{options}\n"))
}

/// Lets time pass until no call is up; how long that took since then.
fn over(world: &mut Testbed, since: Time) -> u64 {
    for _ in 0..400 {
        if world.channels().is_empty() {
            return world.now.since(since).as_secs();
        }
        world.run(secs(1));
    }
    panic!("the call is still up: {:?}", world.channels());
}

/// Nothing is left of a call whose lines are gone, and are asked now and then whether they are back.
fn nothing_left(world: &mut Testbed) {
    world.run(secs(40));
    world.until(|w| w.switch.leftovers() == Default::default());
    assert!(world.media.streams.is_empty());
}

/// The guide's dialplan, which tells the hang-up cause at the end.
const CAUSES: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20)\nexten => h,1,Verbose(1,cause ${HANGUPCAUSE})\n";

// ---- lines that vanish, whatever is configured ----

#[test]
fn a_call_both_of_whose_lines_are_gone_is_ended_after_a_minute_of_silence() {
    for kind in ["", "line=modem\n", "line=voice\n"] {
        let sip = qualified().replace("qualify=yes", &format!("qualify=yes\n{kind}"));
        let mut world = Testbed::ready(&sip, CAUSES);
        world.connect();
        world.run(secs(5));
        let then = world.now;
        world.unplug("client");
        world.unplug("isp");
        let took = over(&mut world, then);
        // A minute of silence; a line is found UNREACHABLE a minute after it was asked last, and some seconds.
        assert!((60..=90).contains(&took), "{took} s");
        assert_eq!((world.status("client"), world.status("isp")), (PeerStatus::Unreachable, PeerStatus::Unreachable));
        let (level, line) = world.line("cannot be reached any more");
        assert_eq!(level, Level::Notice);
        let told = "Call from 'client' to '88567682' ended: 'client' and 'isp' cannot be reached any more (UNREACHABLE, or \
                    not registered), and nothing was heard of the call for 1 min: it is ended";
        assert_eq!(line, told);
        assert!(world.has_line("cause 27"));
        nothing_left(&mut world);
    }
}

#[test]
fn it_is_not_ended_while_one_line_is_there_or_heard() {
    // One line is there, and silent.
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.connect();
    world.unplug("isp");
    world.sends_sound("client", false);
    world.run(secs(300));
    assert_eq!((world.status("isp"), world.channels().len()), (PeerStatus::Unreachable, 2));
    // It hangs up by itself.
    world.phone("client").hangs_up();
    world.run(secs(40));
    assert!(world.channels().is_empty());
    nothing_left(&mut world);

    // Neither answers what is asked, and one is heard all the same.
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.connect();
    for line in ["client", "isp"] {
        world.phone(line).habit(|habits| habits.ignores_everything = true);
    }
    world.sends_sound("isp", false);
    world.run(secs(300));
    assert_eq!((world.status("isp"), world.channels().len()), (PeerStatus::Unreachable, 2));
    world.sends_sound("client", false);
    let then = world.now;
    let took = over(&mut world, then);
    assert!((60..=71).contains(&took), "{took} s");
    for line in ["client", "isp"] {
        world.unplug(line);
    }
    nothing_left(&mut world);
}

#[test]
fn a_line_whose_registration_ended_is_gone_too() {
    // No qualify=: nothing but the registration tells.
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.unplug("client");
    world.unplug("isp");
    world.run(secs(600));
    assert_eq!(world.channels().len(), 2, "they may be silent and there");
    let now = strowger::clock::Now { mono: world.now, wall: strowger::clock::Wall(0) };
    for line in ["client", "isp"] {
        let (_, effects) = world.switch.unregister(now, line);
        world.execute(effects);
    }
    let then = world.now;
    assert!(over(&mut world, then) <= 10);
    world.line("'client' and 'isp' cannot be reached any more");
    world.assert_nothing_left();

    // Nor do their registrations last for ever.
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.unplug("client");
    world.unplug("isp");
    world.run(secs(3700));
    assert!(world.channels().is_empty());
    world.assert_nothing_left();
}

/// All lines of a call: an application has none.
#[test]
fn a_line_that_vanished_leaves_no_application_running() {
    for application in [
        "Answer()\nsame => n,Echo()",
        "Answer()\nsame => n,Wait(9999)",
        "Playback(demo-congrats)\nsame => n,Wait(9999)",
    ] {
        let extensions = format!("[default]\nexten => 1,1,{application}\n");
        let mut world = Testbed::ready(&qualified(), &extensions);
        world.phone("client").dials("1");
        world.run(secs(20));
        assert_eq!(world.channels().len(), 1, "{application}");
        let then = world.now;
        world.unplug("client");
        let took = over(&mut world, then);
        assert!((60..=90).contains(&took), "{application}: {took} s");
        world.line("'client' cannot be reached any more");
        nothing_left(&mut world);
    }
}

#[test]
fn a_caller_that_vanished_with_whom_it_rings_rings_nobody() {
    let mut world = Testbed::ready(&qualified(), "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(secs(5));
    world.unplug("client");
    world.unplug("isp");
    let then = world.now;
    let took = over(&mut world, then);
    assert!((60..=90).contains(&took), "{took} s");
    nothing_left(&mut world);
}

#[test]
fn with_direct_media_nothing_is_heard_and_the_lines_decide() {
    let sip = qualified().replace("directmedia=no", "directmedia=yes\nrtptimeout=20");
    let mut world = Testbed::ready(&sip, GUIDE);
    world.connect();
    world.run(secs(5));
    for line in ["client", "isp"] {
        world.sends_sound(line, false);
    }
    world.run(secs(600));
    assert_eq!(world.channels().len(), 2, "they are there, and talk past the exchange: rtptimeout= does not apply");
    let then = world.now;
    world.unplug("client");
    world.unplug("isp");
    let took = over(&mut world, then);
    assert!(took <= 90, "{took} s");
    world.line("cannot be reached any more");
    nothing_left(&mut world);
}

// ---- rtptimeout, rtpholdtimeout, rtpkeepalive ----

#[test]
fn by_default_a_silent_call_goes_on() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.sends_sound("client", false);
    world.sends_sound("isp", false);
    world.run(secs(3000));
    assert_eq!(world.channels().len(), 2);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn rtptimeout_ends_the_call_of_a_line_that_is_not_heard() {
    let general = SIP.replace("[general]\n", "[general]\nrtptimeout=30\n");
    for (sip, silent) in [
        (with("rtptimeout=30"), "isp"),
        (with("rtptimeout=30\nline=voice"), "isp"),
        (with("rtptimeout=30\nline=fax"), "isp"),
        (general.clone(), "isp"),
        (general.clone(), "client"),
    ] {
        let mut world = Testbed::ready(&sip, CAUSES);
        world.connect();
        world.run(secs(100));
        let then = world.now;
        world.sends_sound(silent, false);
        let took = over(&mut world, then);
        assert!((30..=31).contains(&took), "{took} s");
        let told = format!(
            "Call from 'client' to '88567682' ended: nothing was heard of '{silent}' for 30 s (rtptimeout=): the \
                            call is ended"
        );
        assert_eq!(world.line("nothing was heard"), (Level::Notice, told));
        assert!(world.has_line("cause 44"));
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn rtptimeout_of_another_line_off_by_0_or_broken_by_sound_ends_nothing() {
    let off = SIP.replace("[general]\n", "[general]\nrtptimeout=30\n").replace("[isp]\n", "[isp]\nrtptimeout=0\n");
    for sip in [off, SIP.replace("[client]\n", "[client]\nrtptimeout=30\n")] {
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        world.sends_sound("isp", false);
        world.run(secs(300));
        assert_eq!(world.channels().len(), 2);
        world.phone("isp").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
    let mut world = Testbed::ready(&with("rtptimeout=30"), GUIDE);
    world.connect();
    for _ in 0..10 {
        world.sends_sound("isp", false);
        world.run(secs(25));
        world.sends_sound("isp", true);
        world.run(secs(1));
    }
    assert_eq!(world.channels().len(), 2);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A telephone that rings sends nothing: the time begins with the answer.
#[test]
fn rtptimeout_begins_with_the_answer() {
    let sip = SIP.replace("[general]\n", "[general]\nrtptimeout=10\n");
    let mut world = Testbed::ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp,60)\n");
    world.sends_sound("client", false);
    world.sends_sound("isp", false);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(secs(40));
    assert_eq!(world.channels().len(), 2);
    world.phone("isp").answers();
    let then = world.now;
    world.until(|w| w.is_talking("client"));
    let took = over(&mut world, then);
    assert!((10..=11).contains(&took), "{took} s");
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn on_hold_rtpholdtimeout_counts_and_rtptimeout_does_not() {
    let hold = |sip: &str| {
        let mut world = Testbed::ready(sip, GUIDE);
        world.connect();
        world.run(secs(5));
        world.phone("client").reoffers(Change::Hold);
        world.run(secs(1));
        for line in ["client", "isp"] {
            world.sends_sound(line, false);
        }
        world
    };
    // Without it a held call waits, and rtptimeout= begins anew afterwards.
    let mut world = hold(&SIP.replace("[general]\n", "[general]\nrtptimeout=30\n"));
    world.run(secs(600));
    assert_eq!(world.channels().len(), 2);
    world.phone("client").reoffers(Change::Resume);
    world.run(secs(25));
    assert_eq!(world.channels().len(), 2);
    let then = world.now;
    assert!((4..=6).contains(&over(&mut world, then)));
    world.until_over();
    world.assert_nothing_left();

    let mut world = hold(&SIP.replace("[general]\n", "[general]\nrtptimeout=30\nrtpholdtimeout=300\n"));
    let then = world.now;
    let took = over(&mut world, then);
    assert!((299..=301).contains(&took), "{took} s");
    assert!(world.line("nothing was heard").1.contains("for 5 min (rtpholdtimeout=)"));
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_modem_is_spared_and_the_log_says_so() {
    let options = "rtptimeout=30\nrtpholdtimeout=300\nrtpkeepalive=15\n";
    let general = SIP.replace("[general]\n", &format!("[general]\n{options}"));
    for modem in ["client", "isp"] {
        let sip = general.replace(&format!("[{modem}]\n"), &format!("[{modem}]\nline=modem\n"));
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        for line in ["client", "isp"] {
            world.sends_sound(line, false);
        }
        world.run(secs(1000));
        assert_eq!(world.channels().len(), 2);
        let told = world.said.iter().filter(|line| line.text.contains(&format!("since '{modem}' is line=modem")));
        let told: Vec<&str> = told.map(|line| line.text.as_str()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("rtptimeout=30, rtpholdtimeout=300, rtpkeepalive=15 is not done on this call"));
        assert!(world.media.streams.values().all(|stream| stream.keepalive.is_none()));
        world.phone("isp").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
    // Alone with an application, too.
    let sip = general.replace("[client]\n", "[client]\nline=modem\n");
    let mut world = Testbed::ready(&sip, "[default]\nexten => 1,1,Answer()\nsame => n,Echo()\n");
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.sends_sound("client", false);
    world.run(secs(1000));
    assert_eq!(world.channels().len(), 1);
    world.line("since 'client' is line=modem");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn an_application_is_left_when_its_line_is_not_heard() {
    let sip = SIP.replace("[client]\n", "[client]\nrtptimeout=30\n");
    let mut world =
        Testbed::ready(&sip, "[default]\nexten => 1,1,Answer()\nsame => n,Echo()\nexten => h,1,Verbose(1,good bye)\n");
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.sends_sound("client", false);
    let then = world.now;
    let took = over(&mut world, then);
    assert!((30..=31).contains(&took), "{took} s");
    assert!(world.has_line("good bye"), "h runs");
    world.until_over();
    assert!(world.saw("client", &PhoneEvent::Ended));
    world.assert_nothing_left();
}

/// A page may take minutes in which its receiver sends nothing.
#[test]
fn a_fax_by_t38_is_not_ended_for_want_of_voice() {
    let sip = SIP
        .replace("[general]\n", "[general]\nrtptimeout=30\n")
        .replace("directmedia=no", "directmedia=no\nt38pt_udptl=yes");
    let mut world = Testbed::ready(&sip, GUIDE);
    for line in ["client", "isp"] {
        world.phone(line).habit(|habits| habits.secondary_media = vec![strowger::sdp::MediaKind::Image]);
    }
    world.connect();
    world.run(secs(2));
    world.phone("isp").reoffers(Change::T38);
    world.run(secs(2));
    for line in ["client", "isp"] {
        world.sends_sound(line, false);
    }
    world.run(secs(300));
    assert_eq!(world.channels().len(), 2);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn rtpkeepalive_is_done_on_calls_that_are_up_and_not_past_the_exchange() {
    let keepalives = |world: &Testbed| -> Vec<Option<u64>> {
        world.media.streams.values().map(|stream| stream.keepalive.map(|time| time.as_secs())).collect()
    };
    let mut world = Testbed::ready(&with("rtpkeepalive=15"), GUIDE);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    assert_eq!(keepalives(&world), [None, None]);
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    assert_eq!(keepalives(&world), [None, Some(15)]);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();

    let direct = with("rtpkeepalive=15").replace("directmedia=no", "directmedia=yes");
    let mut world = Testbed::ready(&direct, GUIDE);
    world.connect();
    world.run(secs(5));
    assert!(world.has_line("media goes directly") || world.has_line("direct"), "{:?}", world.lines);
    assert_eq!(keepalives(&world), [None, None]);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
