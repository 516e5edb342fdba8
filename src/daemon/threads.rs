//! The threads without which an exchange is none, and the word of their end: whichever way one of them ends, it is told.

use std::fmt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A thread that everything depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// Owns the switch; its end is the end of the exchange.
    Switch,
    /// Receives SIP.
    Receiver,
    /// Speaks SIP over TCP and TLS.
    Connections,
    /// Owns the RTP sockets.
    Media,
}

impl fmt::Display for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hand::Switch => "switch",
            Hand::Receiver => "SIP receiver",
            Hand::Connections => "thread of TCP and TLS",
            Hand::Media => "media thread",
        })
    }
}

/// Hands out the posts.
pub(super) struct Crew(UnboundedSender<Hand>);

/// Kept by a thread for as long as it lives: its drop is the word of the end, after a return as after a panic.
pub(super) struct Post {
    hand: Hand,
    ended: UnboundedSender<Hand>,
}

/// Hears of the ends.
pub(super) struct Ends(UnboundedReceiver<Hand>);

/// Posts to be given out, and where their ends are told.
pub(super) fn muster() -> (Crew, Ends) {
    let (told, heard) = unbounded_channel();
    (Crew(told), Ends(heard))
}

impl Crew {
    /// The post of this thread.
    pub(super) fn post(&self, hand: Hand) -> Post {
        Post { hand, ended: self.0.clone() }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        // Nobody may listen any more: the exchange is over.
        let _ = self.ended.send(self.hand);
    }
}

impl Ends {
    /// The next thread that ended. When none is left, that was the switch.
    pub(super) async fn next(&mut self) -> Hand {
        self.0.recv().await.unwrap_or(Hand::Switch)
    }

    /// The next one that has ended already.
    pub(super) fn passed(&mut self) -> Option<Hand> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_returns_and_one_that_panics_are_told_in_order() {
        let (crew, mut ends) = muster();
        let post = crew.post(Hand::Media);
        std::thread::spawn(move || drop(post)).join().unwrap();
        let post = crew.post(Hand::Receiver);
        let failed = std::thread::spawn(move || {
            let _post = post;
            panic!("on purpose");
        });
        assert!(failed.join().is_err());
        assert_eq!(ends.passed(), Some(Hand::Media));
        assert_eq!(ends.passed(), Some(Hand::Receiver));
        assert_eq!(ends.passed(), None);
    }
}
