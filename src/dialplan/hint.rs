//! Hints: which extensions show the state of which devices.

use super::tree::Dialplan;

/// A hint of the dialplan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint<'a> {
    /// The extension: a number, or a pattern.
    pub exten: &'a str,
    /// The context it stands in.
    pub context: &'a str,
    /// The devices, as written: `SIP/a&SIP/b`.
    pub devices: &'a str,
}

impl Dialplan {
    /// Every hint, by context and extension.
    pub fn hints(&self) -> impl Iterator<Item = Hint<'_>> {
        self.contexts.values().flat_map(|context| {
            context.extensions.iter().filter_map(|extension| {
                let hint = extension.hint.as_ref()?;
                Some(Hint { exten: extension.name.shown(), context: &context.name, devices: &hint.application })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::load::document;

    #[test]
    fn hints_are_found_with_their_devices() {
        let text = "[b]\nexten => 602,hint,SIP/y&SIP/z\n[a]\nexten => 1,1,NoOp()\nexten => 601,hint,SIP/x\n";
        let plan = crate::dialplan::parse(&document(text), "pbx_config").0;
        let found: Vec<Hint> = plan.hints().collect();
        assert_eq!(
            found,
            [
                Hint { exten: "601", context: "a", devices: "SIP/x" },
                Hint { exten: "602", context: "b", devices: "SIP/y&SIP/z" },
            ]
        );
    }
}
