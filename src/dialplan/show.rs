//! `dialplan show`, in the columns that scripts know.

use super::pattern::digits;
use super::tree::{Context, Dialplan, Extension, Priority};
use crate::wording::{did_you_mean, plural};
use std::fmt::Write as _;

/// What was shown, for the last line.
#[derive(Default)]
struct Count {
    extensions: usize,
    priorities: usize,
    contexts: usize,
}

impl Dialplan {
    /// The dialplan as `dialplan show` prints it: all of it, `context`, `number@context`, or `number@` in all contexts.
    /// Of a number every extension that matches is shown in the order of search, those of included contexts too.
    ///
    /// # Errors
    /// There is no such context or extension, in the words for the console.
    pub fn show(&self, filter: Option<&str>) -> Result<String, String> {
        let (exten, context) = match filter.map(str::trim).filter(|filter| !filter.is_empty()) {
            None => (None, None),
            Some(filter) => match filter.rsplit_once('@') {
                Some((exten, context)) => (Some(exten), Some(context).filter(|context| !context.is_empty())),
                None => (None, Some(filter)),
            },
        };
        let mut text = String::new();
        let mut count = Count::default();
        if let Some(context) = context.filter(|context| !self.has_context(context)) {
            let near = did_you_mean(context, self.contexts());
            let near = if near.is_empty() { near } else { format!("\n{}", near.trim_start()) };
            return Err(format!("There is no existence of '{context}' context{near}"));
        }
        let dialled = exten.map(digits);
        for (context, included) in self.shown_contexts(context, exten.is_some()) {
            let extensions: Vec<&Extension> = match &dialled {
                Some(dialled) => context.matching(dialled).collect(),
                None => context.extensions.iter().collect(),
            };
            if dialled.is_some() && extensions.is_empty() {
                continue;
            }
            count.contexts += 1;
            let word = if included { "Included context" } else { "Context" };
            let _ = writeln!(text, "[ {word} '{}' created by '{}' ]", context.name, context.registrar);
            for extension in extensions {
                extension.show(&mut text, &mut count);
            }
            if dialled.is_none() {
                context.show_rest(&mut text);
            }
            text.push('\n');
        }
        if let (Some(exten), 0) = (exten, count.contexts) {
            return Err(match context {
                Some(context) => format!("There is no existence of {exten}@{context} extension"),
                None => format!("There is no existence of '{exten}' extension in all contexts"),
            });
        }
        let _ = writeln!(
            text,
            "-= {} ({}) in {}. =-",
            plural(count.extensions, "extension"),
            plural(count.priorities, "priority"),
            plural(count.contexts, "context")
        );
        Ok(text)
    }

    /// The contexts to show, and whether each is only included.
    fn shown_contexts(&self, context: Option<&str>, with_included: bool) -> Vec<(&Context, bool)> {
        match context {
            Some(name) if with_included => {
                self.walk_all(name).into_iter().map(|context| (context, context.name != name)).collect()
            }
            Some(name) => self.contexts.get(name).map(|context| (context, false)).into_iter().collect(),
            None => {
                let mut all: Vec<(&Context, bool)> = self.contexts.values().map(|context| (context, false)).collect();
                all.sort_by_key(|(context, _)| context.number);
                all
            }
        }
    }
}

impl Context {
    fn show_rest(&self, text: &mut String) {
        for include in &self.includes {
            let shown = format!("'{}'", include.shown);
            let _ = writeln!(text, "  Include =>        {shown:<45} [{}]", include.registrar);
        }
        for ignored in &self.ignored {
            let shown = format!("'{}'", ignored.text);
            let _ = writeln!(text, "  Ignore pattern => {shown:<45} [{}]", ignored.registrar);
        }
        for switch in &self.switches {
            let shown = format!("'{}'", switch.text);
            let _ = writeln!(text, "  Alt. Switch =>    {shown:<45} [{}]", switch.registrar);
        }
    }
}

impl Extension {
    fn show(&self, text: &mut String, count: &mut Count) {
        count.extensions += 1;
        let mut first = match &self.caller {
            Some(caller) => format!("'{}' (CID match '{}') => ", self.name.shown(), caller.shown()),
            None => format!("'{}' =>", self.name.shown()),
        };
        let numbered = self.priorities.iter().map(|(number, priority)| (Some(*number), priority));
        for (number, priority) in self.hint.iter().map(|hint| (None, hint)).chain(numbered) {
            count.priorities += 1;
            if first.is_empty() {
                first = priority.label.as_ref().map(|label| format!("   [{label}]")).unwrap_or_default();
            }
            let what = match number {
                Some(number) => format!("{number}. {}({})", priority.application, priority.args),
                None => format!("hint: {}", priority.application),
            };
            let _ = writeln!(text, "  {first:<17} {what:<45} [{}]", priority.shown_place());
            first.clear();
        }
    }
}

impl Priority {
    /// File and line, or who added it.
    fn shown_place(&self) -> String {
        self.place.as_ref().map_or_else(|| self.registrar.to_string(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::load::document;

    fn plan(text: &str) -> Dialplan {
        crate::dialplan::parse(&document(text), "pbx_config").0
    }

    #[test]
    fn the_guides_context_is_shown_as_scripts_know_it() {
        let plan = plan("[default]\nexten => _X!,1,Dial(SIP/x, 20)\n");
        let shown = "[ Context 'default' created by 'pbx_config' ]\n  \
                     '_X!' =>          1. Dial(SIP/x, 20)                            [extensions.conf:2]\n\n\
                     -= 1 extension (1 priority) in 1 context. =-\n";
        assert_eq!(plan.show(None).unwrap(), shown);
        assert_eq!(plan.show(Some("default")).unwrap(), shown);
        assert_eq!(plan.show(Some("5551234@default")).unwrap(), shown);
        assert_eq!(plan.show(Some("5551234@")).unwrap(), shown);
    }

    #[test]
    fn every_kind_of_row_has_its_column() {
        let plan = plan(
            "[a]\nexten => 601/1X,hint,SIP/x\nexten => 601/1X,1,NoOp()\nsame => n(end),Hangup()\ninclude => b\n\
             ignorepat => 9\nswitch => IAX2/x\n[b]\nexten => _6XX,1,Busy\n",
        );
        let shown = plan.show(None).unwrap();
        let rows: Vec<&str> = shown.lines().collect();
        assert_eq!(
            rows,
            [
                "[ Context 'a' created by 'pbx_config' ]",
                "  '601' (CID match '1X') =>  hint: SIP/x                                   [extensions.conf:2]",
                "                    1. NoOp()                                     [extensions.conf:3]",
                "     [end]          2. Hangup()                                   [extensions.conf:4]",
                "  Include =>        'b'                                           [pbx_config]",
                "  Ignore pattern => '9'                                           [pbx_config]",
                "  Alt. Switch =>    'IAX2/x'                                      [pbx_config]",
                "",
                "[ Context 'b' created by 'pbx_config' ]",
                "  '_6XX' =>         1. Busy()                                     [extensions.conf:9]",
                "",
                "-= 2 extensions (4 priorities) in 2 contexts. =-",
            ]
        );
        let number = plan.show(Some("601@a")).unwrap();
        assert!(number.contains("[ Included context 'b' created by 'pbx_config' ]"), "{number}");
        assert!(number.contains("2 extensions (4 priorities) in 2 contexts"), "{number}");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let plan = plan("[a]\nexten => 1,1,NoOp\n");
        assert_eq!(plan.show(Some("b")).unwrap_err(), "There is no existence of 'b' context");
        let named = self::plan("[internal]\nexten => 1,1,NoOp\n");
        let near = "There is no existence of 'interal' context\nDid you mean 'internal'?";
        assert_eq!(named.show(Some("interal")).unwrap_err(), near);
        assert_eq!(named.show(Some("1@interal")).unwrap_err(), near);
        assert_eq!(plan.show(Some("2@a")).unwrap_err(), "There is no existence of 2@a extension");
        assert_eq!(plan.show(Some("2@")).unwrap_err(), "There is no existence of '2' extension in all contexts");
    }

    #[test]
    fn what_others_add_names_them() {
        let mut plan = plan("[a]\n");
        plan.add_extension("regs", "881", 1, "Noop", "pap2t-ispmodem", "SIP");
        let shown = plan.show(Some("regs")).unwrap();
        assert!(shown.starts_with("[ Context 'regs' created by 'SIP' ]"), "{shown}");
        assert!(shown.contains("1. Noop(pap2t-ispmodem)                       [SIP]"), "{shown}");
    }
}
