//! The console's commands: one table, and how a line finds its row.

mod channel;
mod channel_detail;
mod core;
mod database;
mod dialplan;
mod help;
mod hint;
mod logger;
mod manual;
mod reload;
mod rtp;
mod sip;
mod sip_line;
mod sip_peer;
mod sip_settings;
#[cfg(test)]
mod tests;

use super::control_api::ControlApi;
use super::{escape, tokenize, wire};

/// What the console is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Whole lines, free of anything a terminal would obey. Empty when there is nothing to say.
    pub text: String,
    /// The command does not exist, was wrongly used, or could not be carried out.
    pub failed: bool,
    /// There is no answer yet: run the same line again a little later (`core waitfullybooted`).
    pub not_yet: bool,
    /// The console wants to hear more, or less, of the log; what it is told of that comes after the text.
    pub verbose: Option<SetVerbose>,
}

/// How much of the log a console wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetVerbose {
    /// The verbosity; 0 leaves only what was asked for by name.
    pub level: u8,
    /// Only upwards.
    pub at_least: bool,
    /// It is not told what became of it.
    pub silent: bool,
}

/// One console command: help, completion and the reference page come from this row.
pub struct Command {
    /// The words that name it, in lower case.
    pub words: &'static str,
    /// Its arguments, as the usage shows them.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub synopsis: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// What completes each argument.
    complete: &'static [Completion],
    run: fn(&[String], &mut dyn ControlApi) -> Answer,
}

/// What a command's function answers.
enum Answer {
    Done(String),
    Failed(String),
    Usage,
    NotYet,
    Verbose(SetVerbose),
}

/// What an argument is completed from.
#[derive(Clone, Copy)]
enum Completion {
    Word(&'static str),
    Peer,
    Channel,
    Context,
    Application,
    Function,
    Command,
}

/// Every command.
pub static TABLE: &[Command] = &[
    Command {
        words: "channel request hangup",
        arguments: "{CHANNEL|all|/REGEX/}",
        synopsis: "Hang up a channel",
        help: "Hangs up the channel with that name, all channels,\n\
               or those whose name matches a regular expression.",
        complete: &[Completion::Channel],
        run: channel::request_hangup,
    },
    Command {
        words: "core reload",
        arguments: "",
        synopsis: "Reload the configuration",
        help: "Reads all configuration files again. Calls and registrations continue;\n\
               if a file cannot be used, nothing changes and the reason is shown.",
        complete: &[],
        run: reload::everything,
    },
    Command {
        words: "core restart gracefully",
        arguments: "",
        synopsis: "Restart when the last call has ended",
        help: "Takes no new calls, and restarts when the existing ones have ended.",
        complete: &[],
        run: reload::restart_gracefully,
    },
    Command {
        words: "core restart now",
        arguments: "",
        synopsis: "Restart at once",
        help: "Ends every call and restarts.",
        complete: &[],
        run: reload::restart_now,
    },
    Command {
        words: "core set debug",
        arguments: "[atleast] N [silent] | off",
        synopsis: "Explain debug output (no debug levels)",
        help: "Asterisk has debug levels; strowger has none, and says what to use instead.",
        complete: &[],
        run: core::set_debug,
    },
    Command {
        words: "core set verbose",
        arguments: "[atleast] N [silent] | off",
        synopsis: "Set the verbosity of this console",
        help: "0 or 'off': only what 'sip set debug' asks for.\n\
               1 to 4: increasing detail of calls, with notices and warnings.\n\
               'atleast' never lowers it; 'silent' prints nothing.",
        complete: &[Completion::Word("atleast off")],
        run: core::set_verbose,
    },
    Command {
        words: "core show application",
        arguments: "NAME",
        synopsis: "Show how to use a dialplan application",
        help: "Shows what the application does, its arguments and how to use it.",
        complete: &[Completion::Application],
        run: manual::show_application,
    },
    Command {
        words: "core show applications",
        arguments: "[like REGEX]",
        synopsis: "Show the dialplan applications",
        help: "Lists the applications that extensions.conf may use.\n\
               'like' takes a regular expression for the name.",
        complete: &[Completion::Word("like")],
        run: manual::show_applications,
    },
    Command {
        words: "core show calls",
        arguments: "[uptime]",
        synopsis: "Show the number of calls",
        help: "Shows the current calls and the calls since the start; 'uptime' adds the uptime.",
        complete: &[Completion::Word("uptime")],
        run: channel::show_calls,
    },
    Command {
        words: "core show channel",
        arguments: "NAME",
        synopsis: "Show one channel in detail",
        help: "Shows the channel's position in the dialplan, the other party, codecs and variables.",
        complete: &[Completion::Channel],
        run: channel::show_channel,
    },
    Command {
        words: "core show channels",
        arguments: "[concise|verbose|count]",
        synopsis: "Show the current channels",
        help: "Lists the channels. 'concise' prints one line each, fields separated by '!', for scripts;\n\
               'verbose' adds caller ID, duration, accounts and bridge; 'count' prints only the totals.",
        complete: &[Completion::Word("concise verbose count")],
        run: channel::show_channels,
    },
    Command {
        words: "core show function",
        arguments: "NAME",
        synopsis: "Show how to use a dialplan function",
        help: "Shows what the function returns, and its arguments.",
        complete: &[Completion::Function],
        run: manual::show_function,
    },
    Command {
        words: "core show functions",
        arguments: "[like REGEX]",
        synopsis: "Show the dialplan functions",
        help: "Lists the functions that extensions.conf may use.\n\
               'like' takes a regular expression for the name.",
        complete: &[Completion::Word("like")],
        run: manual::show_functions,
    },
    Command {
        words: "core show help",
        arguments: "[COMMAND]",
        synopsis: "Show the commands, or how to use one",
        help: "Without a command, lists all of them; with one, shows how to use it;\n\
               with the first words of some, lists those.",
        complete: &[Completion::Command],
        run: help::show_help,
    },
    Command {
        words: "core show hints",
        arguments: "",
        synopsis: "Show the hints and the state of their devices",
        help: "Lists the hints of extensions.conf with the state of their devices.",
        complete: &[],
        run: hint::show_hints,
    },
    Command {
        words: "core show settings",
        arguments: "",
        synopsis: "Show process and limits",
        help: "Shows the version, the process, its limits and when it started.",
        complete: &[],
        run: core::show_settings,
    },
    Command {
        words: "core show uptime",
        arguments: "[seconds]",
        synopsis: "Show the uptime",
        help: "Shows the time since the start and since the configuration was last read;\n\
               'seconds' prints plain numbers.",
        complete: &[Completion::Word("seconds")],
        run: core::show_uptime,
    },
    Command {
        words: "core show version",
        arguments: "",
        synopsis: "Show the version",
        help: "Shows the version of the exchange and the machine it runs on.",
        complete: &[],
        run: core::show_version,
    },
    Command {
        words: "core stop gracefully",
        arguments: "",
        synopsis: "Stop when the last call has ended",
        help: "Takes no new calls, and stops when the existing ones have ended.",
        complete: &[],
        run: core::stop_gracefully,
    },
    Command {
        words: "core stop now",
        arguments: "",
        synopsis: "Stop at once",
        help: "Ends every call and stops.",
        complete: &[],
        run: core::stop_now,
    },
    Command {
        words: "core waitfullybooted",
        arguments: "",
        synopsis: "Wait until the exchange is ready",
        help: "Returns when the configuration is read and the ports are open.",
        complete: &[],
        run: core::wait_fully_booted,
    },
    Command {
        words: "database del",
        arguments: "FAMILY KEY",
        synopsis: "Delete an entry of the key/value database",
        help: "Deletes one entry, as DB_DELETE(family/key) does.",
        complete: &[],
        run: database::del,
    },
    Command {
        words: "database deltree",
        arguments: "FAMILY [KEY]",
        synopsis: "Delete a family of the key/value database",
        help: "Deletes everything in a family, or a key with everything below it.",
        complete: &[],
        run: database::deltree,
    },
    Command {
        words: "database get",
        arguments: "FAMILY KEY",
        synopsis: "Show an entry of the key/value database",
        help: "Shows the value of DB(family/key).",
        complete: &[],
        run: database::get,
    },
    Command {
        words: "database put",
        arguments: "FAMILY KEY VALUE",
        synopsis: "Set an entry of the key/value database",
        help: "Sets the value of DB(family/key). Put a value of several words in quotes.",
        complete: &[],
        run: database::put,
    },
    Command {
        words: "database show",
        arguments: "[FAMILY [KEY]]",
        synopsis: "Show the key/value database",
        help: "Lists all entries, those of a family, or a key with those below it.",
        complete: &[],
        run: database::show,
    },
    Command {
        words: "database showkey",
        arguments: "KEY",
        synopsis: "Show the entries of a key in all families",
        help: "Lists the entries with that key, in any family.",
        complete: &[],
        run: database::showkey,
    },
    Command {
        words: "dialplan reload",
        arguments: "",
        synopsis: "Reload the configuration",
        help: "As 'core reload'; prints 'Dialplan reloaded.', which scripts wait for.",
        complete: &[],
        run: reload::dialplan,
    },
    Command {
        words: "dialplan show",
        arguments: "[[EXTEN@]CONTEXT]",
        synopsis: "Show the dialplan",
        help: "Shows all contexts, one context, or what matches a number in it, in order of precedence.",
        complete: &[Completion::Context],
        run: dialplan::show,
    },
    Command {
        words: "logger reload",
        arguments: "",
        synopsis: "Reload logger.conf",
        help: "Reads logger.conf again, and no other file, and reopens the log files.",
        complete: &[],
        run: logger::reload,
    },
    Command {
        words: "logger rotate",
        arguments: "",
        synopsis: "Rotate log files",
        help: "Renames every log file and starts a new one.\n\
               rotatestrategy in logger.conf says how the old ones are named.",
        complete: &[],
        run: logger::rotate,
    },
    Command {
        words: "logger show channels",
        arguments: "",
        synopsis: "List log targets",
        help: "Lists the log files, the levels each takes, and whether it can be written.",
        complete: &[],
        run: logger::show_channels,
    },
    Command {
        words: "module reload",
        arguments: "[NAME]",
        synopsis: "Reload the configuration",
        help: "As 'core reload'. NAME is the module that reads the file in Asterisk:\n\
               chan_sip.so, pbx_config.so, res_rtp_asterisk.so.",
        complete: &[Completion::Word("chan_sip.so pbx_config.so res_rtp_asterisk.so")],
        run: reload::module,
    },
    Command {
        words: "rtp set debug ip",
        arguments: "ADDRESS[:PORT]",
        synopsis: "Show the RTP packets of one address",
        help: "Shows the RTP packets from and to that address, 500 a second at most.\n\
               Put an IPv6 address with a port in brackets.",
        complete: &[],
        run: rtp::debug_ip,
    },
    Command {
        words: "rtp set debug off",
        arguments: "",
        synopsis: "Stop showing RTP packets",
        help: "Ends what 'rtp set debug on' or 'ip' started.",
        complete: &[],
        run: rtp::debug_off,
    },
    Command {
        words: "rtp set debug on",
        arguments: "",
        synopsis: "Show all RTP packets",
        help: "Shows the RTP packets that pass through the exchange, 500 a second at most.\n\
               With directmedia=yes they do not. 'rtp set debug off' ends it.",
        complete: &[],
        run: rtp::debug_on,
    },
    Command {
        words: "sip qualify peer",
        arguments: "NAME [load]",
        synopsis: "Qualify a peer now",
        help: "Sends OPTIONS to the peer at once, as qualify= does at intervals.\n\
               'load' is accepted, and changes nothing.",
        complete: &[Completion::Peer, Completion::Word("load")],
        run: sip_line::qualify_peer,
    },
    Command {
        words: "sip reload",
        arguments: "",
        synopsis: "Reload the configuration",
        help: "As 'core reload'.",
        complete: &[],
        run: reload::sip,
    },
    Command {
        words: "sip set debug ip",
        arguments: "ADDRESS[:PORT]",
        synopsis: "Show the SIP messages of one address",
        help: "Shows every SIP message from and to that address.\n\
               Put an IPv6 address with a port in brackets.",
        complete: &[],
        run: sip::debug_ip,
    },
    Command {
        words: "sip set debug off",
        arguments: "",
        synopsis: "Stop showing SIP messages",
        help: "Ends what 'sip set debug on', 'ip' or 'peer' started.",
        complete: &[],
        run: sip::debug_off,
    },
    Command {
        words: "sip set debug on",
        arguments: "",
        synopsis: "Show all SIP messages",
        help: "Shows every SIP message received or sent.\n\
               There are many; 'sip set debug off' ends it.",
        complete: &[],
        run: sip::debug_on,
    },
    Command {
        words: "sip set debug peer",
        arguments: "NAME",
        synopsis: "Show the SIP messages of one peer",
        help: "Shows every SIP message from and to the address that peer has registered.",
        complete: &[Completion::Peer],
        run: sip::debug_peer,
    },
    Command {
        words: "sip show channels",
        arguments: "",
        synopsis: "Show the SIP dialogs of calls",
        help: "Lists the current SIP dialogs.",
        complete: &[],
        run: sip_line::show_channels,
    },
    Command {
        words: "sip show counters",
        arguments: "",
        synopsis: "Show dropped messages by reason",
        help: "Lists how many messages were dropped since the start, for each reason.",
        complete: &[],
        run: sip::show_counters,
    },
    Command {
        words: "sip show inuse",
        arguments: "[all]",
        synopsis: "Show how many calls each peer has",
        help: "Lists the peers with a call-limit: channels in use, ringing and on hold, and the limit.\n\
               'all' lists the other peers, too.",
        complete: &[Completion::Word("all")],
        run: sip_line::show_inuse,
    },
    Command {
        words: "sip show peer",
        arguments: "NAME [load]",
        synopsis: "Show one peer in detail",
        help: "Shows the settings and the state of a peer. 'load' is accepted, and changes nothing.",
        complete: &[Completion::Peer, Completion::Word("load")],
        run: sip::show_peer,
    },
    Command {
        words: "sip show peers",
        arguments: "[like REGEX]",
        synopsis: "Show the peers",
        help: "Lists the peers with their address and status.\n\
               'like' takes a regular expression for the name.",
        complete: &[Completion::Word("like")],
        run: sip::show_peers,
    },
    Command {
        words: "sip show registry",
        arguments: "",
        synopsis: "Show our registrations with other servers",
        help: "Lists our own registrations. There are none: register= is not supported.",
        complete: &[],
        run: sip_line::show_registry,
    },
    Command {
        words: "sip show settings",
        arguments: "",
        synopsis: "Show the general SIP settings",
        help: "Shows what [general] of sip.conf sets.",
        complete: &[],
        run: sip::show_settings,
    },
    Command {
        words: "sip show tcp",
        arguments: "",
        synopsis: "Show the TCP and TLS connections",
        help: "Lists the connections: Server are those others opened, Client those we opened.",
        complete: &[],
        run: sip_line::show_tcp,
    },
    Command {
        words: "sip show users",
        arguments: "",
        synopsis: "Show the peers that may place calls",
        help: "Lists the peers of type user and friend. Shows whether a secret is set, never which.",
        complete: &[],
        run: sip_line::show_users,
    },
    Command {
        words: "sip unregister",
        arguments: "NAME",
        synopsis: "Remove a peer's registration",
        help: "Removes the registration of a peer until it registers again. Its calls continue.",
        complete: &[Completion::Peer],
        run: sip_line::unregister,
    },
];

/// Other spellings: those every console has, and those of old guides. Short words first, what they stand for second.
pub static ALIASES: &[(&str, &str)] = &[
    ("extensions reload", "dialplan reload"),
    ("hangup request", "channel request hangup"),
    ("help", "core show help"),
    ("reload", "module reload"),
    ("restart gracefully", "core restart gracefully"),
    ("restart now", "core restart now"),
    ("rtp debug ip", "rtp set debug ip"),
    ("rtp debug", "rtp set debug on"),
    ("rtp no debug", "rtp set debug off"),
    ("set debug", "core set debug"),
    ("set verbose", "core set verbose"),
    ("show application", "core show application"),
    ("show applications", "core show applications"),
    ("show channel", "core show channel"),
    ("show channels", "core show channels"),
    ("show dialplan", "dialplan show"),
    ("show function", "core show function"),
    ("show functions", "core show functions"),
    ("show hints", "core show hints"),
    ("show uptime", "core show uptime"),
    ("show version", "core show version"),
    ("sip debug ip", "sip set debug ip"),
    ("sip debug peer", "sip set debug peer"),
    ("sip debug", "sip set debug on"),
    ("sip no debug", "sip set debug off"),
    ("soft hangup", "channel request hangup"),
    ("stop gracefully", "core stop gracefully"),
    ("stop now", "core stop now"),
];

/// Answers one line of the wire: a command, or a question what its last word may become.
pub fn answer(line: &str, exchange: &mut dyn ControlApi) -> Output {
    match line.strip_prefix(wire::COMPLETE) {
        Some(open) => {
            let words = complete(open, exchange).into_iter().map(|word| word + "\n");
            Output { text: words.collect(), ..Output::default() }
        }
        None => run(line, exchange),
    }
}

/// Carries out one console line.
pub fn run(line: &str, exchange: &mut dyn ControlApi) -> Output {
    let words = tokenize::split(line).list;
    if words.is_empty() {
        return Output::default();
    }
    let typed = escape::line(line.trim());
    let Some((command, arguments)) = find(&words) else {
        return Output::failed(format!(
            "No such command '{typed}' (type 'core show help {typed}' for other possible commands)\n"
        ));
    };
    let output = match (command.run)(arguments, exchange) {
        Answer::Done(text) => Output { text, ..Output::default() },
        Answer::Failed(text) => Output::failed(format!("{text}Command '{typed}' failed.\n")),
        Answer::Usage => Output::failed(command.usage()),
        Answer::NotYet => Output { not_yet: true, ..Output::default() },
        Answer::Verbose(wish) => Output { verbose: Some(wish), ..Output::default() },
    };
    Output { text: escape::lines(&output.text), ..output }
}

/// What the last word of an unfinished line may become, sorted: whole words. Empty when nothing fits.
pub fn complete(line: &str, exchange: &dyn ControlApi) -> Vec<String> {
    let mut words = tokenize::split(line);
    let open = if words.is_open { words.list.pop().unwrap_or_default() } else { String::new() };
    let mut found = next_words(&words.list);
    if let Some((command, arguments)) = find(&words.list) {
        match command.complete {
            [Completion::Command] => found.extend(next_words(arguments)),
            each => found.extend(each.get(arguments.len()).into_iter().flat_map(|one| one.candidates(exchange))),
        }
    }
    found.retain(|candidate| has_prefix(candidate, &open));
    found.sort();
    found.dedup();
    found
}

impl Output {
    /// An answer that says why a line was not carried out.
    pub fn failed(text: String) -> Output {
        Output { text, failed: true, ..Output::default() }
    }
}

impl Command {
    /// How to use it, in whole lines.
    pub fn usage(&self) -> String {
        let space = if self.arguments.is_empty() { "" } else { " " };
        let help = self.help.replace('\n', "\n       ");
        format!("Usage: {}{space}{}\n       {help}\n", self.words, self.arguments)
    }
}

impl Completion {
    fn candidates(self, exchange: &dyn ControlApi) -> Vec<String> {
        match self {
            Completion::Word(words) => words.split(' ').map(str::to_owned).collect(),
            Completion::Peer => exchange.peers().into_iter().map(|peer| escape::line(&peer.name)).collect(),
            Completion::Channel => exchange.channels().into_iter().map(|channel| escape::line(&channel.name)).collect(),
            Completion::Application => exchange.applications().iter().map(|page| page.name.to_owned()).collect(),
            Completion::Function => exchange.functions().iter().map(|page| page.name.to_owned()).collect(),
            Completion::Command => next_words(&[]),
            Completion::Context => exchange.contexts().iter().map(|context| escape::line(context)).collect(),
        }
    }
}

/// The row whose words are the longest beginning of the line, and the words after them.
fn find(words: &[String]) -> Option<(&'static Command, &[String])> {
    let name = names().filter(|name| is_beginning(name, words)).max_by_key(|name| count(name))?;
    let meant = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, meant)| *meant);
    let command = TABLE.iter().find(|command| command.words == meant)?;
    Some((command, words.get(count(name)..).unwrap_or_default()))
}

/// The words that may follow these in the name of a command.
fn next_words(words: &[String]) -> Vec<String> {
    let next = names().filter(|name| begins_with(name, words)).filter_map(|name| name.split(' ').nth(words.len()));
    next.map(str::to_owned).collect()
}

fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|command| command.words).chain(ALIASES.iter().map(|(alias, _)| *alias))
}

fn count(name: &str) -> usize {
    name.split(' ').count()
}

/// All words of the name stand at the beginning of the line.
fn is_beginning(name: &str, line: &[String]) -> bool {
    count(name) <= line.len() && name.split(' ').zip(line).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// All words of the line stand at the beginning of the name.
fn begins_with(name: &str, line: &[String]) -> bool {
    line.len() <= count(name) && name.split(' ').zip(line).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn has_prefix(word: &str, prefix: &str) -> bool {
    word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Compiles what the user typed as a regular expression, or says what is wrong with it.
fn regex(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|_| {
        format!("'{pattern}' is not a regular expression. To search for plain text, leave out ()[]{{}}*+?|^$\\ and the like.\n")
    })
}
