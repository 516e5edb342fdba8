//! Servers that failed lately: other requests go to the other servers of the same name first, until a while has passed
//! (RFC 3263 4.3).

use crate::clock::Time;
use crate::names::Server;
use crate::sip::header::{HeaderName, Headers};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a server that failed is avoided when it does not say how long itself.
pub const AVOIDED: Duration = Duration::from_secs(60);
/// The longest that a server's own Retry-After counts.
pub const LONGEST: Duration = Duration::from_secs(600);

/// How long a server asks to be left alone (RFC 3261 20.33); a comment or parameters may follow.
pub fn retry_after(headers: &Headers) -> Option<Duration> {
    let text = headers.get(HeaderName::RetryAfter)?;
    let digits: String = text.iter().map(|byte| char::from(*byte)).take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

/// The servers to avoid, and until when.
#[derive(Debug, Default)]
pub struct FailedServers(BTreeMap<Server, Failed>);

/// A server that failed.
#[derive(Debug, Clone, Copy)]
struct Failed {
    until: Time,
    /// For so long, when it did not say itself.
    span: Duration,
}

impl FailedServers {
    /// A server failed; `retry_after`: how long it asks to be left alone, else twice as long each time, until it was
    /// heard again. Only servers of the configuration come here, so there are few.
    pub fn note(&mut self, server: Server, retry_after: Option<Duration>, now: Time) {
        // What failed long ago is forgotten.
        self.0.retain(|_, failed| failed.until + LONGEST > now);
        let usual = self.0.get(&server).map_or(AVOIDED, |failed| failed.span.saturating_mul(2)).min(LONGEST);
        let span = retry_after.unwrap_or(usual).min(LONGEST);
        self.0.insert(server, Failed { until: now + span, span: usual });
    }

    /// A server answered: it is there.
    pub fn forgive(&mut self, server: Server) {
        self.0.remove(&server);
    }

    /// Is it to be avoided now?
    pub fn is_avoided(&self, server: Server, now: Time) -> bool {
        self.0.get(&server).is_some_and(|failed| failed.until > now)
    }

    /// The same servers, with those that failed behind the others, in the order in which their time is over. All are
    /// there: when every one of them failed, one is tried all the same.
    pub fn in_order(&self, mut servers: Vec<Server>, now: Time) -> Vec<Server> {
        servers.sort_by_key(|server| self.0.get(server).map(|failed| failed.until).filter(|until| *until > now));
        servers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::flow::Transport;

    #[test]
    fn a_server_that_failed_comes_last_until_its_time_is_over() {
        let server = |at: u8| Server::new(Transport::Udp, ([192, 0, 2, at], 5060).into());
        let all = vec![server(1), server(2), server(3)];
        let mut failed = FailedServers::default();
        let at = |seconds| Time::from_start(Duration::from_secs(seconds));
        failed.note(server(1), None, at(0));
        failed.note(server(2), Some(Duration::from_secs(5)), at(0));
        assert_eq!(failed.in_order(all.clone(), at(1)), [server(3), server(2), server(1)]);
        assert_eq!(failed.in_order(all.clone(), at(6)), [server(2), server(3), server(1)]);
        assert_eq!(failed.in_order(all.clone(), at(60)), all);
        failed.note(server(3), Some(Duration::from_secs(86_400)), at(100));
        assert!(failed.is_avoided(server(3), at(699)) && !failed.is_avoided(server(3), at(700)));
        failed.note(server(1), None, at(100));
        assert!(failed.is_avoided(server(1), at(219)) && !failed.is_avoided(server(1), at(220)), "twice as long");
        failed.forgive(server(1));
        assert!(!failed.is_avoided(server(1), at(101)));
    }
}
