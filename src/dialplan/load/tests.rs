use super::*;
use crate::clock::Wall;

fn load(text: &str) -> (Dialplan, Vec<String>) {
    let (plan, said) = parse(&document(text), "pbx_config");
    let lines = said.iter().map(|one| {
        let weight = if one.severity == Severity::Error { "error" } else { "warning" };
        let hint = one.hint.as_ref().map(|hint| format!(" -- {hint}")).unwrap_or_default();
        format!("{}: {weight}: {}{hint}", one.place.line, one.message)
    });
    (plan, lines.collect())
}

/// What a file without anything odd holds: `name,priority,App(args)` in order of search.
fn held(text: &str) -> Vec<String> {
    let (plan, said) = load(text);
    assert_eq!(said, Vec::<String>::new());
    rows(&plan)
}

fn rows(plan: &Dialplan) -> Vec<String> {
    let mut rows = Vec::new();
    for context in plan.contexts.values() {
        for extension in &context.extensions {
            for (number, one) in &extension.priorities {
                let label = one.label.as_ref().map(|label| format!("({label})")).unwrap_or_default();
                rows.push(format!("{},{number}{label},{}({})", extension.name.shown(), one.application, one.args));
            }
        }
    }
    rows
}

#[test]
fn the_guides_line_loads() {
    let plan = load("[default]\nexten => _X!,1,Dial(SIP/pap2t-ispmodem, 20)\n").0;
    let found = plan.find("default", "88567682", 1, Some("882"), Wall(0)).unwrap();
    assert_eq!((found.context, found.name, found.number), ("default", "_X!", 1));
    assert_eq!((found.priority.application.as_str(), found.priority.args.as_str()), ("Dial", "SIP/pap2t-ispmodem, 20"));
    assert_eq!(found.priority.place.as_ref().unwrap().line, 2);
}

#[test]
fn priorities_count_from_the_line_before() {
    assert_eq!(
        held(
            "[a]\nexten => 100,1(start),NoOp()\nsame => n,Answer\nsame => n+2(later),Hangup()\n\
             exten => 100,start+9,Busy()\nexten => 200,n,Echo()\nexten => 100,s(twin),NoOp(x)"
        ),
        [
            "100,1(start),NoOp()",
            "100,2,Answer()",
            "100,5(later),Hangup()",
            "100,10,Busy()",
            "100,11(twin),NoOp(x)",
            "200,11,Echo()"
        ]
    );
}

#[test]
fn globals_and_decoration_are_resolved_in_names() {
    assert_eq!(
        held("[globals]\nAREA=555\nFULL=${AREA}-12\n[a]\nexten => ${FULL} 34,1,NoOp(${AREA})"),
        ["555-1234,1,NoOp(${AREA})"]
    );
    let plan = load("[globals]\nA=1\nB=${A}2\n").0;
    assert_eq!(plan.globals().to_vec(), [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "12".to_owned())]);
}

#[test]
fn contexts_of_one_name_merge_and_each_section_counts_anew() {
    let (plan, said) =
        load("[a]\nexten => 1,1,NoOp()\n[a]\nsame => n,NoOp()\nexten => 1,n,NoOp()\nexten => 1,2,Busy()");
    assert_eq!(rows(&plan), ["1,1,NoOp()", "1,2,Busy()"]);
    assert_eq!(
        said,
        [
            "4: error: 'same' without an 'exten' before it in this section; the line is skipped -- begin with exten => NUMBER,1,...",
            "5: error: 'n' has no priority to count from; the line is skipped -- begin the section with priority 1",
        ]
    );
}

#[test]
fn caller_conditions_make_extensions_of_their_own() {
    let plan = load("[a]\nexten => 911,1,NoOp(any)\nexten => 911/_1X,1,NoOp(house)\nexten => 911/,1,NoOp(nobody)").0;
    let args = |caller| plan.find("a", "911", 1, caller, Wall(0)).map(|found| found.priority.args.clone()).unwrap();
    assert_eq!(args(Some("12")), "house");
    assert_eq!(args(Some("22")), "any");
    assert_eq!(args(Some("")), "nobody");
    assert_eq!(args(None), "nobody");
}

#[test]
fn hints_are_kept_and_n_behind_them_is_said() {
    let (plan, said) = load("[a]\nexten => 601,hint,SIP/x&SIP/y\nexten => 601,n,NoOp()\nexten => 601,1,NoOp()");
    assert_eq!(plan.hint("a", "601", Wall(0)).unwrap().priority.application, "SIP/x&SIP/y");
    assert_eq!(
        said,
        ["3: error: 'n' right after a hint counts from the hint and has no number; the line is skipped -- \
          write the priority's number in the line after a hint"]
    );
    assert_eq!(rows(&plan), ["601,1,NoOp()"]);
}

#[test]
fn single_lines_are_complained_of_and_the_rest_loads() {
    let (plan, said) = load(
        "[general]\nautofalthrough=no\nautofallthrough=perhaps\nstatic=yes\n[a]\nexten => 1,1,Hangupp()\nexten => 1,1,NoOp()\n\
         exten => _.,1,NoOp()\nexten => 2,0,NoOp()\nexten => 2,1(x),NoOp()\nexten => 2,2(x),NoOp()\nexten => 3,1,Dial(SIP/x|20)\n\
         exten => 4\nextne => 5,1,NoOp()\nexten => 6,1,Dial\nexten => 7,1,VoiceMail(7)\nexten => 8,1,Dial(SIP/x\nexten => 9,where,NoOp()\n\
         exten => ,1,NoOp()\nexten => 10,1,Dial,SIP/x\nexten => 11,Dial(SIP/x,20)\nexten => 12,n(y,NoOp()",
    );
    assert_eq!(
        said,
        [
            "2: warning: [general] has no option 'autofalthrough' -- did you mean 'autofallthrough'?",
            "3: warning: autofallthrough: 'perhaps' is neither yes nor no",
            "6: warning: there is no application 'Hangupp' -- did you mean 'Hangup'? A call that gets here ends",
            "7: warning: Unable to register extension '1' priority 1 in 'a', already in use (see extensions.conf:6); the first stays",
            "8: warning: '_.' also matches h, i, t and the like -- use '_X.' or '_X!' to match what is dialled",
            "9: error: a priority must be a number from 1; the line is skipped",
            "11: warning: extension '2' has a label 'x' already; this one is dropped",
            "12: warning: arguments are separated by ',' and no longer by '|' -- write Dial(SIP/x,20)",
            "13: error: there is no priority behind the extension; the line is skipped -- write exten => NUMBER,1,Application(arguments)",
            "14: warning: context 'a' has no directive 'extne' -- did you mean 'exten'?",
            "15: warning: Dial is given no argument -- Dial(technology/resource[&technology/resource...][,timeout[,options]])",
            "16: warning: there is no application 'VoiceMail' -- this exchange does not have it yet: a call that gets here ends",
            "17: warning: the application's arguments are opened with '(' and never closed with ')'",
            "18: error: 'where' is neither a priority nor a label of extension '9'; the line is skipped -- \
             a priority is a number from 1, n, s or hint",
            "19: error: the extension has no name; the line is skipped",
            "20: warning: there is no application 'Dial,SIP/x' -- arguments stand in parentheses: Application(arguments)",
            "21: error: an application stands where the priority belongs ('Dial(SIP/x'): write 1 or n before it; the line is skipped",
            "22: error: the label of priority 'n(y' lacks its ')'; the line is skipped",
        ]
    );
    assert!(plan.general().autofallthrough);
    assert_eq!(rows(&plan).len(), 9);
}

#[test]
fn includes_are_read_with_their_times() {
    let (_, said) = load("[a]\ninclude => b\ninclude => b\ninclude => b,25:00-26:00,mon-fri,*,*\ninclude =>\n[b]");
    assert_eq!(
        said,
        [
            "3: warning: context 'a' includes 'b' already",
            "4: warning: include 'b': '25:00-26:00' is no time; it is left out",
            "5: error: include names no context; the line is skipped",
        ]
    );
}

#[test]
fn what_others_added_survives_a_reload() {
    let (mut old, _) = load("[a]\nexten => 1,1,NoOp(old)");
    old.add_extension("regs", "881", 1, "NoOp", "line", "SIP");
    old.add_extension("a", "1", 2, "NoOp", "more", "SIP");
    let (mut new, _) = load("[a]\nexten => 1,1,NoOp(new)");
    new.adopt(&old, "pbx_config");
    assert_eq!(rows(&new), ["1,1,NoOp(new)", "1,2,NoOp(more)", "881,1,NoOp(line)"]);
    assert!(new.remove_extension("regs", "881", None, "SIP"));
    assert!(!new.remove_extension("a", "1", Some(1), "SIP"), "what the file holds is not SIP's to remove");
    assert_eq!(rows(&new), ["1,1,NoOp(new)", "1,2,NoOp(more)"]);
}

#[test]
fn what_is_odd_about_a_name_is_said_once_for_each_extension() {
    let text = "[a]\nexten => _.,1,NoOp()\nexten => _.,2,NoOp()\nexten => _.,n,Hangup()\nexten => _X.,1,NoOp()\nexten => _.,9,NoOp()\n\
                [b]\nexten => _.,1,NoOp()\nexten => _.,n,Hangup()\n";
    let (_, said) = parse(&document(text), "pbx_config");
    let said: Vec<u32> =
        said.iter().filter(|one| one.message.contains("also matches h, i, t")).map(|one| one.place.line).collect();
    assert_eq!(said, [2, 8]);
}
