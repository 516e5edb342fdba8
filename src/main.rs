//! Arguments, pick the command, exit code.

use clap::Parser as _;
use std::process::ExitCode;
use strowger::cli::{Cli, Task};
use strowger::commands;

/// What the program ends with when its command line does not make sense, as clap has it.
const MISUNDERSTOOD: u8 = 2;

fn main() -> ExitCode {
    let (common, task) = match Cli::parse().resolve() {
        Ok(resolved) => resolved,
        Err(why) => {
            eprintln!("strowger: {why} (strowger --help lists the options)");
            return ExitCode::from(MISUNDERSTOOD);
        }
    };
    match task {
        Task::Console(execute) => commands::console::run(&common, execute.as_deref()),
        Task::Reload => commands::console::reload(&common),
        Task::Status => commands::console::status(&common),
        Task::Peers => commands::console::peers(&common),
        Task::Calls { number, quality, json } => {
            commands::calls::run(&common, commands::calls::Wanted { number, quality, json })
        }
        Task::Quality { call, svg } => commands::quality::run(&common, call.as_deref(), svg),
        Task::Sounds(task) => commands::sounds::run(&common, &task),
        Task::Provision(task) => commands::provision::run(&common, &task),
        Task::Logo(input, output) => commands::logo::run(&input, &output),
        Task::Run(foreground) => commands::run::run(&common, foreground),
        Task::Check { format, each } => commands::check::run(&common, format, each),
        Task::Doctor { json } => commands::doctor::run(&common, json),
        Task::Init => commands::init::init(common.config.as_deref()),
        Task::Demo => commands::demo::run(),
    }
}
