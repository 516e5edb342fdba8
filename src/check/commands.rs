//! Commands of the machine, scripts and spoken texts: whether strowger.toml allows them, and what a caller may put into a
//! shell's line.

use super::chosen::Variables;
use super::openings::command_afterwards;
use super::survey::{Step, Survey};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::dialplan::substitute::{MAX_DEPTH, function_call, references};

/// The applications that have a text spoken by a program.
const SPEAKERS: &[&str] = &["Espeak", "Festival", "Flite", "PicoTTS", "SayText"];
pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let programs = &survey.config.toml.programs;
    let mut variables = Variables::default();
    for step in &survey.steps {
        variables.enter(step);
        let calls = step.calls();
        let mut commands: Vec<String> = shells(step.args(), 0);
        for call in &calls {
            let is_command = call.is("System") || call.is("TrySystem");
            let allowed = [
                (is_command, programs.system, "system"),
                (call.is("AGI") || call.is("DeadAGI"), programs.agi, "agi"),
                (SPEAKERS.iter().any(|name| call.is(name)), programs.speech, "speech"),
            ];
            found.extend(
                allowed
                    .iter()
                    .filter(|(is, allowed, _)| *is && !allowed)
                    .map(|(_, _, key)| refused(step, &call.application, key)),
            );
            if is_command {
                commands.push(call.args.clone());
            }
            commands.extend(command_afterwards(call));
        }
        if !programs.system && !shells(step.args(), 0).is_empty() {
            found.push(refused(step, "SHELL()", "system"));
        }
        let open = commands.iter().find_map(|command| variables.chosen_in(command, step));
        found.extend(open.map(|name| {
            finding::COMMAND_OPEN
                .at(step.place, format!("a command of the machine is made with {name}, which the caller chooses"))
                .hint(
                    "write it as ${FILTER(0-9,...)}, or hand it to an AGI script as an argument, which no shell reads",
                )
        }));
        variables.leave(step, &calls);
    }
    found
}

fn refused(step: &Step, what: &str, key: &str) -> Diagnostic {
    finding::PROGRAM_REFUSED
        .at(step.place, format!("{what} is refused: strowger.toml does not allow it"))
        .hint(format!("to allow it, write '{key} = true' below [programs] in strowger.toml"))
}

/// The commands of each `SHELL(...)` in a text.
fn shells(text: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    if depth > MAX_DEPTH {
        return found;
    }
    for (is_name, inside) in references(text) {
        if let Some((name, args, _)) = function_call(inside).filter(|_| is_name)
            && name.eq_ignore_ascii_case("SHELL")
        {
            found.push(args.to_owned());
        }
        found.extend(shells(inside, depth.saturating_add(1)));
    }
    found
}
