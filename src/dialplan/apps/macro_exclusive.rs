//! `MacroExclusive`: runs a macro that only one call at a time may run.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::jumps;
use crate::dialplan::request::Interrupted;
use crate::dialplan::scope::Scope;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "MacroExclusive",
    synopsis: "Runs a macro that only one call at a time may run",
    syntax: "MacroExclusive(name[,arg1[,...]])",
    help: "As Macro; a call that comes while another runs it waits until that is out of it.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// How long a call waits before it looks again whether the macro is free.
const PAUSE: Duration = Duration::from_millis(100);

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    if channel.with_state(|state| state.awaits_lock) {
        channel.wait(PAUSE).await?;
    }
    Ok(Outcome::Decide(decide, args.text().to_owned()))
}

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let parts = arguments::split(args);
    let lock = format!("macro-{}", parts.first().map_or("", |name| name.trim()));
    let is_mine = scope.environment.globals().lock(&lock, &scope.state.name);
    scope.state.awaits_lock = !is_mine;
    if is_mine {
        jumps::enter_macro(scope, &parts, Some(lock))
    } else {
        Outcome::Exec(crate::dialplan::app::AppCall { name: APP.name.to_owned(), args: args.to_owned() })
    }
}
