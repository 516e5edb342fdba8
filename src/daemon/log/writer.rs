//! The thread that writes the log.

use super::entry::{Entry, Waiting, Work};
use super::file::Written;
use super::format;
use super::settings::{Reread, Settings};
use super::target::{self, LogTarget, TargetKind};
use crate::clock::Wall;
use crate::config::logger_conf::Rotation;
use crate::daemon::clock::wall;
use crate::event::{Level, LogLine};
use crate::observe::command::Output;
use crate::observe::control_api::LogOrder;
use crate::observe::log_stream::LogStream;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;
use tokio::sync::oneshot;

/// Lines written together at most.
const MAX_BATCH: usize = 256;
/// How long a line of verbose output waits for those that follow it: a call writes four or five at once, and a wake-up
/// for each would cost more than the call's messages. Any other line waits only behind a verbose one.
const GATHER: Duration = Duration::from_millis(2);

/// The thread that writes the log.
pub(super) struct Writer {
    settings: Settings,
    targets: Vec<LogTarget>,
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

impl Writer {
    pub(super) fn new(settings: Settings, live: LogStream, reread: Reread, waiting: Arc<Waiting>) -> Writer {
        let targets = target::targets(&settings, Vec::new());
        let writer = Writer { settings, targets, live, reread, waiting };
        writer.publish_depth();
        writer
    }

    /// Writes until the last handle is dropped.
    pub(super) fn run(mut self, inbox: &Receiver<Work>) {
        self.write(LogTarget::open);
        while let Ok(first) = inbox.recv() {
            if matches!(&first, Work::Line(Entry { level: Level::Verbose(_) | Level::Message, .. })) {
                std::thread::sleep(GATHER);
            }
            let mut after = self.take(first);
            for _ in 0..MAX_BATCH {
                if !matches!(after, After::Nothing) {
                    break;
                }
                let Ok(work) = inbox.try_recv() else { break };
                after = self.take(work);
            }
            let lost = self.waiting.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let text = format!("{lost} lines of the log were lost: its target is too slow");
                self.log(Level::Warning, text, None);
            }
            self.write(LogTarget::write);
            match after {
                After::Nothing => {}
                After::Renew(settings) => self.renew(*settings),
                After::Order(what, reply) => {
                    // The console may have left.
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
                for target in &mut self.targets {
                    target.take(&entry, &self.settings);
                }
                After::Nothing
            }
            Work::Renew(settings) => After::Renew(settings),
            Work::Order(what, reply) => After::Order(what, reply),
            Work::Flush(done) => After::Flush(done),
        }
    }

    /// Writes to every target, or opens it, and logs to the others what came of that.
    fn write(&mut self, each: impl Fn(&mut LogTarget, &Settings, Wall) -> Written) {
        let at = wall();
        let mut news = Vec::new();
        for (number, target) in self.targets.iter_mut().enumerate() {
            match each(target, &self.settings, at) {
                Written::Quietly => {}
                Written::Trouble(why) => news.push((Level::Warning, why, number)),
                Written::Again(what) => news.push((Level::Notice, what, number)),
            }
        }
        let is_news = !news.is_empty();
        for (level, text, number) in news {
            self.log(level, text, Some(number));
        }
        if is_news {
            // A failure of a second file is logged with the next line, and so this ends.
            for target in &mut self.targets {
                if !matches!(target.kind, TargetKind::File(ref file) if file.trouble.is_some()) {
                    let _ = target.write(&self.settings, at);
                }
            }
        }
    }

    /// Logs a line of the log's own, to all targets but the one it is about.
    fn log(&mut self, level: Level, text: String, except: Option<usize>) {
        if self.live.has_subscribers() {
            self.live.publish(format::console_line(&LogLine { level, text: text.clone() }));
        }
        let entry = Entry { at: wall(), level, text, printed: false };
        for (_, target) in self.targets.iter_mut().enumerate().filter(|(number, _)| Some(*number) != except) {
            target.take(&entry, &self.settings);
        }
    }

    fn renew(&mut self, settings: Settings) {
        self.settings = settings;
        self.targets = target::targets(&self.settings, std::mem::take(&mut self.targets));
        self.publish_depth();
        self.write(LogTarget::open);
    }

    fn publish_depth(&self) {
        let deepest = self.targets.iter().filter_map(|target| target.depth(self.settings.verbose)).max();
        // Lines of level 0 are always wanted: somebody asked for them by a command.
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
        for target in &self.targets {
            text += &target.row(&self.settings);
        }
        crate::observe::escape::lines(&(text + &self.troubles()))
    }

    /// The files that cannot be written and why, in whole lines.
    fn troubles(&self) -> String {
        let mut text = String::new();
        for target in &self.targets {
            if let TargetKind::File(file) = &target.kind
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
        for target in &mut self.targets {
            let TargetKind::File(file) = &mut target.kind else { continue };
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
        // A reader finds the new files there.
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
