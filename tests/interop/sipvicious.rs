//! sipvicious, which finds the extensions of exchanges that tell them apart: svwar by each method it has.

use crate::exchange::{ALICE, BOB, Exchange, Wishes};
use std::process::{Command, Stdio};

/// The program, as PyPI's package or Debian's names it.
pub fn svwar() -> Option<&'static str> {
    ["sipvicious_svwar", "svwar"].into_iter().find(|name| super::installed(name))
}

pub fn finds_nobody(program: &str) {
    let exchange = Exchange::start("sipvicious", &Wishes::default());
    let words = exchange.folder.join("words");
    std::fs::write(&words, format!("{}\n{}\nnobody\nadmin\n1000\n", ALICE.0, BOB.0)).unwrap();
    for method in ["REGISTER", "INVITE", "OPTIONS"] {
        for force in [false, true] {
            let mut command = Command::new(program);
            command.arg("-d").arg(&words).args(["-m", method, "-x", "127.0.0.1"]);
            command.arg("-p").arg(exchange.port.to_string()).arg("127.0.0.1").args(force.then_some("--force"));
            let output = command.stdin(Stdio::null()).env("HOME", &exchange.folder).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            for (name, _) in [ALICE, BOB] {
                // In its table of what it found, a name stands alone.
                let found = said.lines().any(|line| line.split('|').any(|cell| cell.trim() == name));
                // With --force and OPTIONS all five look the same, found or not.
                let all = said.lines().any(|line| line.split('|').any(|cell| cell.trim() == "nobody"));
                assert_eq!(found, all, "{method} tells {name} from nobody:\n{said}");
            }
            // It must have asked and been answered, or it would find nothing either.
            assert!(method == "OPTIONS" || said.contains("authentication request") || said.contains("401"), "{said}");
            assert!(!said.contains("Traceback"), "{said}");
            println!(
                "svwar -m {method}{}: {}",
                if force { " --force" } else { "" },
                said.lines().last().unwrap_or_default()
            );
        }
    }
    let log = exchange.log();
    assert!(!log.contains("SecurityEvent"), "it never returned a nonce:\n{log}");
}
