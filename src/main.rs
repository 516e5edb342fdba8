//! Arguments, pick the command, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use strowger::cli::{Cli, Task};
use strowger::commands;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.task() {
        Task::Console(execute) => commands::console::run(&cli.common, execute.as_deref()),
        Task::Run | Task::Demo | Task::Check => {
            eprintln!("strowger: this build has only the console (-r, -rx).");
            ExitCode::FAILURE
        }
    }
}
