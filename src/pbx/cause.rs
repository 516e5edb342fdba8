//! Hang-up causes (Q.850) and SIP status codes, each by the other.

use std::borrow::Cow;

/// Normal clearing.
pub const NORMAL: u16 = 16;
/// The called line is busy.
pub const BUSY: u16 = 17;
/// The phone did not answer the request at all.
pub const NO_RESPONSE: u16 = 18;
/// The phone rang and nobody picked up.
pub const NO_ANSWER: u16 = 19;
/// The phone is not registered or not reachable.
pub const ABSENT: u16 = 20;
/// The call was refused.
pub const REFUSED: u16 = 21;
/// No circuit or port is left.
pub const CONGESTION: u16 = 34;
/// Nothing both sides can speak.
pub const NOT_ACCEPTABLE: u16 = 58;

/// The Q.850 cause of a final SIP status (the mapping chan_sip's users rely on for HANGUPCAUSE).
pub fn from_status(status: u16) -> u16 {
    match status {
        401 | 403 | 407 | 603 => REFUSED,
        404 | 485 | 604 => 1,
        408 => NO_RESPONSE,
        410 => 22,
        480 | 483 => NO_ANSWER,
        484 => 28,
        486 | 600 => BUSY,
        488 | 606 => NOT_ACCEPTABLE,
        500 => 38,
        501 => 29,
        502 => 27,
        503 => CONGESTION,
        504 => 102,
        505..=599 => 41,
        _ => 127,
    }
}

/// The final SIP status for a call refused with a Q.850 cause before it was answered.
pub fn to_status(cause: u16) -> u16 {
    match cause {
        1..=3 => 404,
        BUSY => 486,
        NO_RESPONSE => 408,
        NO_ANSWER | ABSENT | 31 => 480,
        REFUSED => 403,
        22 => 410,
        27 => 502,
        28 => 484,
        29 => 501,
        CONGESTION | 42 => 503,
        38 => 500,
        NOT_ACCEPTABLE => 488,
        127 => 500,
        _ => 603,
    }
}

/// What a cause means, in plain words.
pub fn words(cause: u16) -> Cow<'static, str> {
    let words = match cause {
        0 => "no cause given",
        1..=3 => "no such number there",
        NORMAL => "normal clearing",
        BUSY => "busy",
        NO_RESPONSE => "no response",
        NO_ANSWER => "nobody picked up",
        ABSENT => "not registered or unreachable",
        REFUSED => "refused",
        22 => "number changed",
        28 => "number incomplete",
        CONGESTION => "congestion",
        52 => "not allowed to be called",
        NOT_ACCEPTABLE => "no codec in common",
        other => return format!("cause {other}").into(),
    };
    words.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_and_congestion_survive_the_way_there_and_back() {
        for cause in [1, BUSY, NO_RESPONSE, NO_ANSWER, REFUSED, CONGESTION, NOT_ACCEPTABLE] {
            assert_eq!(from_status(to_status(cause)), cause);
        }
    }

    #[test]
    fn a_cause_without_words_is_told_by_its_number() {
        assert_eq!(words(NORMAL), "normal clearing");
        assert_eq!(words(102), "cause 102");
    }

    #[test]
    fn a_call_that_ended_for_no_reason_is_declined() {
        assert_eq!(to_status(0), 603);
        assert_eq!(to_status(NORMAL), 603);
    }
}
