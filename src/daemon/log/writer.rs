//! The thread that writes the log.

use super::file::Written;
use super::target::{self, LogTarget, Target};
use super::{Entry, Reread, Settings, Waiting, Work, said};
use crate::clock::Wall;
use crate::config::logger_conf::Rotation;
use crate::daemon::clock::wall;
use crate::datetime::ISO;
use crate::observe::command::Output;
use crate::observe::control_api::LogOrder;
use crate::observe::log_stream::LogStream;
use crate::pbx::effect::{Level, Line};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;
use tokio::sync::oneshot;

/// Lines written together, when so many wait.
const BATCH: usize = 256;
/// How long a line of the story waits for those that follow it: a call tells four or five at once, and a wake-up for each
/// would cost more than the call's messages. Any other line waits only if one of the
/// story came just before.
const GATHER: Duration = Duration::from_millis(2);

/// See the module.
pub(super) struct Writer {
    settings: Settings,
    channels: Vec<LogTarget>,
    live: LogStream,
    reread: Reread,
    waiting: Arc<Waiting>,
}

/// What has to wait until the lines before it are written.
enum After {
    Nothing,
    Renew(Box<Settings>),
    Order(LogOrder, oneshot::Sender<Output>),
    Flush(SyncSender<()>),
}

impl Settings {
    pub(super) fn date_format(&self) -> &str {
        self.conf.date_format.as_deref().unwrap_or(ISO)
    }
}

impl Writer {
    pub(super) fn new(settings: Settings, live: LogStream, reread: Reread, waiting: Arc<Waiting>) -> Writer {
        let channels = target::channels(&settings, Vec::new());
        let writer = Writer { settings, channels, live, reread, waiting };
        writer.tell_depth();
        writer
    }

    /// Writes until nobody can say anything any more.
    pub(super) fn run(mut self, inbox: &Receiver<Work>) {
        self.write(LogTarget::open);
        while let Ok(first) = inbox.recv() {
            if matches!(&first, Work::Line(Entry { level: Level::Verbose(_), .. })) {
                std::thread::sleep(GATHER);
            }
            let mut after = self.take(first);
            for _ in 0..BATCH {
                if !matches!(after, After::Nothing) {
                    break;
                }
                let Ok(work) = inbox.try_recv() else { break };
                after = self.take(work);
            }
            let lost = self.waiting.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let text = format!("{lost} lines of the log were lost: its target is too slow");
                self.say(Level::Warning, text, None);
            }
            self.write(LogTarget::write);
            match after {
                After::Nothing => {}
                After::Renew(settings) => self.renew(*settings),
                After::Order(what, reply) => {
                    // A console that left does not hear the answer.
                    let _ = reply.send(self.carry_out(what));
                }
                After::Flush(done) => drop(done.try_send(())),
            }
        }
    }

    fn take(&mut self, work: Work) -> After {
        match work {
            Work::Line(entry) => {
                self.waiting.bytes.fetch_sub(entry.text.len(), Ordering::Relaxed);
                for channel in &mut self.channels {
                    channel.take(&entry, &self.settings);
                }
                After::Nothing
            }
            Work::Renew(settings) => After::Renew(settings),
            Work::Order(what, reply) => After::Order(what, reply),
            Work::Flush(done) => After::Flush(done),
        }
    }

    /// Writes to every channel, or opens it, and says what came of that to the others.
    fn write(&mut self, each: impl Fn(&mut LogTarget, &Settings, Wall) -> Written) {
        let at = wall();
        let mut news = Vec::new();
        for (number, channel) in self.channels.iter_mut().enumerate() {
            match each(channel, &self.settings, at) {
                Written::Quietly => {}
                Written::Trouble(why) => news.push((Level::Warning, why, number)),
                Written::Again(what) => news.push((Level::Notice, what, number)),
            }
        }
        let is_news = !news.is_empty();
        for (level, text, number) in news {
            self.say(level, text, Some(number));
        }
        if is_news {
            // What a second file has to say of that waits for the next line, and so this ends.
            for channel in &mut self.channels {
                if !matches!(channel.target, Target::File(ref file) if file.trouble.is_some()) {
                    let _ = channel.write(&self.settings, at);
                }
            }
        }
    }

    /// Says a line of the log's own, to all but the file it speaks of.
    fn say(&mut self, level: Level, text: String, of: Option<usize>) {
        if self.live.has_subscribers() {
            self.live.publish(said(&Line { level, text: text.clone() }));
        }
        let entry = Entry { at: wall(), level, text, printed: false };
        for (_, channel) in self.channels.iter_mut().enumerate().filter(|(number, _)| Some(*number) != of) {
            channel.take(&entry, &self.settings);
        }
    }

    fn renew(&mut self, settings: Settings) {
        self.settings = settings;
        self.channels = target::channels(&self.settings, std::mem::take(&mut self.channels));
        self.tell_depth();
        self.write(LogTarget::open);
    }

    fn tell_depth(&self) {
        let deepest = self.channels.iter().filter_map(|channel| channel.depth(self.settings.verbose)).max();
        // At 0 there is still what was asked for by name.
        self.waiting.deepest.store(deepest.unwrap_or(0), Ordering::Relaxed);
    }

    fn carry_out(&mut self, what: LogOrder) -> Output {
        match what {
            LogOrder::Show => Output { text: self.table(), ..Output::default() },
            LogOrder::Rotate => self.rotate(),
            LogOrder::Reload => self.reload(),
        }
    }

    fn table(&self) -> String {
        let mut text = format!("{} Configuration\n", target::columns(["Channel", "Type", "Formatter", "Status"]));
        let _ = writeln!(text, "{} -------------", target::columns(["-------", "----", "---------", "------"]));
        for channel in &self.channels {
            text += &channel.row(&self.settings);
        }
        crate::observe::escape::lines(&(text + &self.troubles()))
    }

    /// Why which file cannot be written, in whole lines.
    fn troubles(&self) -> String {
        let mut text = String::new();
        for channel in &self.channels {
            if let Target::File(file) = &channel.target
                && let Some(why) = &file.trouble
            {
                let _ = writeln!(text, "{}: {why}", file.path.display());
            }
        }
        text
    }

    fn rotate(&mut self) -> Output {
        let rotation = self.settings.conf.rotation;
        let mut output = Output::default();
        for channel in &mut self.channels {
            let Target::File(file) = &mut channel.target else { continue };
            let path = file.path.display().to_string();
            let said = match file.rotate(rotation, wall()) {
                Ok(None) if let Some(why) = &file.trouble => format!("{path}: cannot be written: {why}\n"),
                Ok(Some(old)) => format!("{path}: was moved to {}\n", old.display()),
                Ok(None) if rotation == Rotation::None => format!("{path}: reopened (rotatestrategy=none)\n"),
                Ok(None) => format!("{path}: empty, not rotated\n"),
                Err(error) => {
                    output.failed = true;
                    format!("{path}: could not be moved: {error}\n")
                }
            };
            output.text += &crate::observe::escape::lines(&said);
        }
        // Whoever reads them finds the new files there.
        self.write(LogTarget::open);
        if output.text.is_empty() {
            output.text = "logger.conf names no file: there is nothing to rotate.\n".to_owned();
        }
        output
    }

    fn reload(&mut self) -> Output {
        let (conf, report) = (self.reread)();
        let is_usable = conf.is_some();
        let conf = conf.unwrap_or_else(|| self.settings.conf.clone());
        self.renew(Settings { conf, ..self.settings.clone() });
        let mut text = crate::observe::escape::lines(&(report + &self.troubles()));
        text.push_str(if is_usable { "logger.conf" } else { "logger.conf was not applied; the files" });
        text.push_str(if is_usable { " was read, and the log files were reopened.\n" } else { " were opened anew.\n" });
        Output { text, failed: !is_usable, ..Output::default() }
    }
}
