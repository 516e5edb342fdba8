//! The program's lines as tracing events, and every tracing event (a library's, too) as a line of the log.

use super::handle::Log;
use crate::event::{Level, LogLine};
use crate::wording::outside;
use std::fmt;
use tracing::Event;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// The targets of lines whose sentences are ours; a library's may hold anything from outside.
const OURS: [&str; 6] = ["story", "message", "notice", "warning", "error", "security"];

/// A line as an event.
pub(super) fn event(line: &LogLine) {
    match line.level {
        Level::Verbose(level) => tracing::info!(target: "story", level, "{}", line.text),
        Level::Message => tracing::info!(target: "message", "{}", line.text),
        Level::Notice => tracing::info!(target: "notice", "{}", line.text),
        Level::Warning => tracing::warn!(target: "warning", "{}", line.text),
        Level::Error => tracing::error!(target: "error", "{}", line.text),
        Level::Security => tracing::warn!(target: "security", "{}", line.text),
    }
}

/// Passes all tracing events of the program to the log. Once in a process; later calls change nothing.
pub fn install_tracing(log: Log) {
    // Refused when there is a subscriber already.
    let _ = tracing_subscriber::registry().with(LogLayer(log)).try_init();
}

/// Does this become a line? What a library warns of, it may warn of for each datagram of a stranger (hickory: an answer of
/// the DNS with another id); what comes of it we say ourselves.
fn is_heard(target: &str, level: tracing::Level) -> bool {
    let most = if OURS.contains(&target) { tracing::Level::INFO } else { tracing::Level::ERROR };
    level <= most
}

struct LogLayer(Log);

impl<S: tracing::Subscriber> Layer<S> for LogLayer {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        is_heard(metadata.target(), *metadata.level())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut found = Found::default();
        event.record(&mut found);
        let level = match event.metadata().target() {
            "story" => Level::Verbose(found.level),
            "message" => Level::Message,
            "security" => Level::Security,
            _ => match *event.metadata().level() {
                tracing::Level::ERROR => Level::Error,
                tracing::Level::WARN => Level::Warning,
                tracing::Level::INFO | tracing::Level::DEBUG | tracing::Level::TRACE => Level::Notice,
            },
        };
        let is_ours = OURS.contains(&event.metadata().target());
        self.0.write(level, if is_ours { found.message } else { outside(&found.message) });
    }
}

#[derive(Default)]
struct Found {
    message: String,
    level: u8,
}

impl Visit for Found {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "level" {
            self.level = u8::try_from(value).unwrap_or(u8::MAX);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_heard;
    use tracing::Level;

    #[test]
    fn no_stranger_has_a_library_fill_the_log() {
        assert!(is_heard("story", Level::INFO) && is_heard("warning", Level::WARN) && !is_heard("story", Level::DEBUG));
        assert!(is_heard("hickory_net::xfer", Level::ERROR) && !is_heard("hickory_net::udp", Level::WARN));
    }
}
