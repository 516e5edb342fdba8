//! How a call was forwarded until it came to its channel (`REDIRECTING()`; RFC 5806 on the wire).

/// Why a call was forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiversionReason {
    /// Nobody says.
    #[default]
    Unknown,
    /// The line was busy.
    Busy,
    /// Nobody picked up.
    NoAnswer,
    /// The line was not there.
    Unavailable,
    /// All calls are forwarded.
    Unconditional,
    /// The time of day.
    TimeOfDay,
    /// The line does not want to be disturbed.
    DoNotDisturb,
    /// The one who was called sent this call on.
    Deflection,
    /// The one who was called is elsewhere.
    FollowMe,
    /// The line is out of order.
    OutOfService,
    /// The one who was called is away.
    Away,
}

/// Each reason as Diversion has it (RFC 5806 4), and as dialplans do.
const TABLE: &[(DiversionReason, &str, &str)] = &[
    (DiversionReason::Unknown, "unknown", "unknown"),
    (DiversionReason::Busy, "user-busy", "cfb"),
    (DiversionReason::NoAnswer, "no-answer", "cfnr"),
    (DiversionReason::Unavailable, "unavailable", "unavailable"),
    (DiversionReason::Unconditional, "unconditional", "cfu"),
    (DiversionReason::TimeOfDay, "time-of-day", "time_of_day"),
    (DiversionReason::DoNotDisturb, "do-not-disturb", "dnd"),
    (DiversionReason::Deflection, "deflection", "deflection"),
    (DiversionReason::FollowMe, "follow-me", "follow_me"),
    (DiversionReason::OutOfService, "out-of-service", "out_of_order"),
    (DiversionReason::Away, "away", "away"),
];

impl DiversionReason {
    /// By either of its names, in any case.
    pub fn parse(text: &str) -> Option<DiversionReason> {
        let is_it = |name: &str| name.eq_ignore_ascii_case(text.trim());
        TABLE.iter().find(|(_, wire, plan)| is_it(wire) || is_it(plan)).map(|(reason, ..)| *reason)
    }

    /// Its name in Diversion.
    pub fn wire(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("unknown", |row| row.1)
    }

    /// Its name in dialplans.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("unknown", |row| row.2)
    }
}

/// How a call was forwarded; who did so last is `CALLERID(rdnis)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diversion {
    /// How often, here and before it came here.
    pub count: u32,
    /// The name of who forwarded it last; empty: none is known.
    pub name: String,
    /// Why it was forwarded last.
    pub reason: DiversionReason,
    /// The number of who forwarded it first, when that is another; empty: the same, or not known.
    pub original: String,
    /// Whoever forwarded it last is not to be shown.
    pub is_hidden: bool,
}

impl Diversion {
    /// The same, forwarded once more: `last` did so before.
    pub fn once_more(&self, last: &str, reason: DiversionReason) -> Diversion {
        let original = if self.original.is_empty() { last } else { &self.original };
        Diversion {
            count: self.count.saturating_add(1),
            name: String::new(),
            reason,
            original: original.to_owned(),
            is_hidden: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_a_name_on_the_wire_and_one_in_dialplans() {
        for (reason, wire, plan) in TABLE {
            assert_eq!(
                (DiversionReason::parse(wire), DiversionReason::parse(&plan.to_uppercase())),
                (Some(*reason), Some(*reason))
            );
            assert_eq!((reason.wire(), reason.name()), (*wire, *plan));
        }
        assert_eq!(DiversionReason::parse("because"), None);
    }

    #[test]
    fn who_forwarded_first_stays_known() {
        let first = Diversion::default().once_more("", DiversionReason::Busy);
        assert_eq!((first.count, first.original.as_str()), (1, ""));
        let second = first.once_more("200", DiversionReason::Unconditional);
        let third = second.once_more("201", DiversionReason::Unconditional);
        assert_eq!((third.count, third.original.as_str(), third.reason.name()), (3, "200", "cfu"));
    }
}
