//! The work of a check grows as the configuration does: it is counted here, since time depends on the machine.

use super::*;
use std::fmt::Write as _;

/// The work, and how many findings have a suggestion.
fn work(sip: &str, extensions: &str) -> (usize, usize, usize) {
    let (config, _) = Config::from_texts(sip, extensions, "", "");
    let config = config.unwrap();
    let (plan, _) = dialplan::parse(&config.extensions, REGISTRAR);
    let survey = Survey::of(&config, &plan);
    let found = of(&survey);
    let suggested = found.iter().filter(|one| one.hint.as_deref().unwrap_or_default().starts_with("did you mean"));
    (survey.spent(), found.len(), suggested.count())
}

/// Holds a kind of configuration to growing as its names do.
fn grows_evenly(what: &str, text: impl Fn(usize) -> (String, String)) {
    let mut before = None;
    let is_long = std::env::var_os("STROWGER_LONG").is_some();
    for count in if is_long { [1_000usize, 2_000, 4_000, 8_000] } else { [250, 500, 1_000, 2_000] } {
        let (sip, extensions) = text(count);
        let (work, found, suggested) = work(&sip, &extensions);
        assert!(found >= count, "{what}: {found} of {count} are found");
        assert!(suggested > 0, "{what}: nothing is suggested");
        // What all may cost together, suggestions and comparisons: their allowances, for every name of the files.
        let names = 3 * count + 10;
        assert!(work <= 3 * Work::allowance(names), "{what}: {work} for {count}");
        if let Some(before) = before {
            assert!(
                work <= 2 * before + Work::allowance(0),
                "{what}: from {before} to {work} when the names are doubled"
            );
        }
        before = Some(work);
    }
}

/// `count` times a line of a number.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", line(number)).unwrap();
        text
    })
}

#[test]
fn includes_of_contexts_that_are_not_there() {
    grows_evenly("includes", |count| {
        (PEERS.to_owned(), lines(count, |n| format!("[line-{n}]\ninclude => linee-{n}\nexten => 1,1,Hangup()")))
    });
}

#[test]
fn jumps_to_contexts_extensions_and_labels_that_are_not_there() {
    grows_evenly("contexts", |count| {
        (PEERS.to_owned(), lines(count, |n| format!("[line-{n}]\nexten => 1,1,Goto(linee-{n},1,1)")))
    });
    grows_evenly("labels", |count| {
        let labels = lines(count, |n| format!("exten => {n},1(here{n}),Goto(heer{n})"));
        (PEERS.to_owned(), format!("[home]\n{labels}"))
    });
    // All contexts are one: each includes the next, and jumps to an extension that none of them has.
    grows_evenly("extensions", |count| {
        let chain = lines(count, |n| {
            format!(
                "[line-{n}]\ninclude => line-{}\nexten => 7{n},1,Goto(8{n},1)\n same => n,Goto(linee-{n},1,1)",
                n + 1
            )
        });
        (PEERS.to_owned(), chain)
    });
    // And each jumps to every other's number in a context of its own.
    grows_evenly("reached", |count| {
        let chain = lines(count, |n| {
            let other = (n + 1) % count;
            format!(
                "[line-{n}]\ninclude => all\nexten => 7{n},1,Goto(line-{other},9{n},1)\n same => n,Goto(linee-{n},1,1)"
            )
        });
        (PEERS.to_owned(), format!("{chain}[all]\ninclude => line-0\n"))
    });
}

#[test]
fn peers_of_contexts_that_are_not_there_and_dialled_peers_that_are_not() {
    let peers = |count: usize, context: &str| {
        lines(count, |n| {
            format!(
                "[desk-{n}]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq{n:05}\ncontext={}",
                context.replace('#', &n.to_string())
            )
        })
    };
    grows_evenly("peers", |count| (peers(count, "linee-#"), lines(count, |n| format!("[line-{n}]"))));
    grows_evenly("dialled", |count| {
        let dials = lines(count, |n| format!("exten => {n},1,Dial(SIP/deskk-{n})"));
        (peers(count, "home"), format!("[home]\n{dials}"))
    });
    grows_evenly("hints", |count| {
        let hints = lines(count, |n| format!("exten => {n},hint,SIP/deskk-{n}"));
        (peers(count, "home"), format!("[home]\n{hints}"))
    });
}

/// A single slip is suggested however many there are.
#[test]
fn a_slip_is_suggested_in_a_large_configuration_too() {
    let extensions = lines(2_000, |n| format!("[line-{n}]\ninclude => linee-{n}\nexten => 1,1,Hangup()"));
    assert_eq!(work(PEERS, &extensions).2, 2_000);
    // What is nowhere near is looked for a while.
    let extensions = lines(2_000, |n| format!("[line-{n}]\ninclude => lxnz-{n}\nexten => 1,1,Hangup()"));
    let (_, found, suggested) = work(PEERS, &extensions);
    assert!(found >= 2_000 && suggested < 2_000, "{suggested} of {found}");
}

/// What a small configuration is told is not cut.
#[test]
fn every_name_of_a_small_configuration_is_suggested() {
    let extensions = lines(150, |n| format!("[line-{n}]\ninclude => lxnz-{n}\nexten => 1,1,Hangup()"));
    let (_, _, suggested) = work(PEERS, &extensions);
    assert_eq!(suggested, 150);
}

/// Options and applications that nobody knows are held against tables that do not grow.
#[test]
fn unknown_options_and_applications_cost_the_same_each() {
    let said = |count: usize| {
        let options = lines(count, |n| format!("qualfy{n}=yes"));
        let apps = lines(count, |n| format!("exten => {n},1,Hangpu{n}()"));
        let (config, said) = Config::from_texts(&format!("{PEERS}{options}"), &format!("[home]\n{apps}"), "", "");
        let (_, unknown) = dialplan::parse(&config.unwrap().extensions, REGISTRAR);
        (said.len(), unknown.len())
    };
    for count in [500, 2_000] {
        assert_eq!(said(count), (count, count));
    }
}
