//! When a registration is sent again: before it runs out, and after a failure.

use crate::rng::Rng;
use std::time::Duration;

/// Before so much is left of it, a registration is renewed.
const BEFORE_END: Duration = Duration::from_secs(15);
/// A shorter one is renewed after so many per cent of its time.
const SHORT: Duration = Duration::from_secs(30);
const SHORT_PER_CENT: u32 = 80;
/// Never sooner.
const SOONEST: Duration = Duration::from_millis(500);
/// The longest wait after silence: whoever has lost his line to the world is back soon.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);
/// The longest wait after a refusal (RFC 5626 4.5: 1800 s).
const LONGEST_REFUSAL: Duration = Duration::from_secs(1800);
/// The longest that a Retry-After is believed.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// When a registration that was granted for so long is renewed.
pub(in crate::pbx::lines) fn renewal(granted: Duration) -> Duration {
    let wait = if granted <= SHORT {
        granted.saturating_mul(SHORT_PER_CENT).checked_div(100).unwrap_or_default()
    } else {
        granted.saturating_sub(BEFORE_END)
    };
    wait.max(SOONEST)
}

/// Why a registration failed, as far as its next try depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pbx::lines) enum Failed {
    /// Nobody answered, or the request could not be sent.
    Silence,
    /// Somebody refused, and named a time perhaps (Retry-After).
    Refusal(Option<Duration>),
}

/// When it is tried again after so many failures in a row, `timeout` being `registertimeout=`: doubled each time, and at
/// random between half and all of that, so that a thousand exchanges do not come back in the same second (RFC 5626 4.5).
pub(in crate::pbx::lines) fn wait(failed: Failed, failures: u32, timeout: Duration, rng: &mut Rng) -> Duration {
    let longest = match failed {
        Failed::Silence => LONGEST_SILENCE,
        Failed::Refusal(_) => LONGEST_REFUSAL,
    };
    let doubled = timeout.saturating_mul(1u32 << failures.saturating_sub(1).min(10));
    let most = doubled.min(longest.max(timeout));
    let half = u64::try_from(most.as_millis()).unwrap_or(u64::MAX) / 2;
    let wait = Duration::from_millis(half.saturating_add(rng.below(half.saturating_add(1))));
    match failed {
        Failed::Refusal(Some(asked)) => wait.max(asked.min(LONGEST_ASKED)),
        Failed::Refusal(None) | Failed::Silence => wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// asterisk.md 1.10: granted - 15 s; at 80 % of 30 s and less, never below 500 ms.
    #[test]
    fn a_registration_is_renewed_before_it_ends() {
        for (granted, wait) in [
            (s(3600), s(3585)),
            (s(120), s(105)),
            (s(31), s(16)),
            (s(30), s(24)),
            (s(1), Duration::from_millis(800)),
            (s(0), Duration::from_millis(500)),
        ] {
            assert_eq!(renewal(granted), wait, "{granted:?}");
        }
    }

    #[test]
    fn failures_are_answered_by_longer_waits_with_an_end() {
        let mut rng = Rng::from_number(3);
        for (failed, failures, least, most) in [
            (Failed::Silence, 1, 10, 20),
            (Failed::Silence, 2, 20, 40),
            (Failed::Silence, 9, 150, 300),
            (Failed::Refusal(None), 3, 40, 80),
            (Failed::Refusal(None), 40, 900, 1800),
            (Failed::Refusal(Some(s(100))), 1, 100, 100),
            (Failed::Refusal(Some(s(999_999))), 1, 3600, 3600),
        ] {
            for _ in 0..50 {
                let wait = wait(failed, failures, s(20), &mut rng);
                assert!((s(least)..=s(most)).contains(&wait), "{failed:?} {failures}: {wait:?}");
            }
        }
    }
}
