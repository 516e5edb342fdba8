//! Hints: which extensions show the state of which devices.

use super::tree::Dialplan;
use crate::config::diagnostic::Place;

/// A hint of the dialplan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint<'a> {
    /// The extension: a number, or a pattern.
    pub exten: &'a str,
    /// The context it stands in.
    pub context: &'a str,
    /// The devices, as written: `SIP/a&SIP/b`.
    pub devices: &'a str,
    /// Where it stands; `None` when no file names it.
    pub place: Option<&'a Place>,
}

impl Dialplan {
    /// Every hint, by context and extension.
    pub fn hints(&self) -> impl Iterator<Item = Hint<'_>> {
        self.contexts.values().flat_map(|context| {
            context.extensions.iter().filter_map(|extension| {
                let hint = extension.hint.as_ref()?;
                Some(Hint {
                    exten: extension.name.shown(),
                    context: &context.name,
                    devices: &hint.application,
                    place: hint.place.as_ref(),
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::dialplan::load::document;

    #[test]
    fn hints_are_found_with_their_devices() {
        let text = "[b]\nexten => 602,hint,SIP/y&SIP/z\n[a]\nexten => 1,1,NoOp()\nexten => 601,hint,SIP/x\n";
        let plan = crate::dialplan::parse(&document(text), "pbx_config").0;
        let found: Vec<_> =
            plan.hints().map(|hint| (hint.exten, hint.context, hint.devices, hint.place.unwrap().line)).collect();
        assert_eq!(found, [("601", "a", "SIP/x", 5), ("602", "b", "SIP/y&SIP/z", 2)]);
    }
}
