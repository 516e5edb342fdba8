//! `AGI`: lets a script steer the call.

use crate::dialplan::agi;
use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "AGI",
    synopsis: "Lets a script steer the call, when strowger.toml allows scripts",
    syntax: "AGI(script[,arguments...])",
    help: "The script is a program in agi-bin of the configuration folder, or in /var/lib/asterisk/agi-bin, or a path from \
           /; agi://host[:port][/path] is a FastAGI server. It is given the call on its standard input, a line each, and \
           prints commands. Sets AGISTATUS to SUCCESS, FAILURE, NOTFOUND or HANGUP. AGISIGHUP=no: a hang-up is not told to \
           the script by SIGHUP; AGIEXITONHANGUP=yes: it ends the talk. In h it runs as DeadAGI does.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    agi::run("AGI", channel, args).await
}
