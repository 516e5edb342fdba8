//! Arguments, pick the command, exit code.

use clap::Parser as _;
use std::process::ExitCode;
use strowger::cli::{Cli, Task};
use strowger::commands;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.task() {
        Task::Console(execute) => commands::console::run(&cli.common, execute.as_deref()),
        Task::Run => commands::run::run(&cli.common),
        Task::Check { format, each } => commands::check::run(&cli.common, format, each),
        Task::Doctor { json } => commands::doctor::run(&cli.common, json),
        Task::Init(folder) => commands::init::init(folder.as_deref()),
        Task::Demo => commands::demo::run(),
    }
}
