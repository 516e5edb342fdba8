//! Who calls, as the called telephone is told, and when it is not.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed};

/// The lines of the INVITE to the called line that tell who calls, without the tag: From, identity, Privacy; and
/// Contact.
fn told(client: &str, isp: &str, plan: &str, header: &str, from: Option<&str>) -> Vec<String> {
    let sip = SIP
        .replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{client}"))
        .replace("[isp]\ntype=friend", &format!("[isp]\ntype=friend\n{isp}"));
    let plan = format!("[default]\nexten => _X!,1,{plan}\nsame => n,Dial(SIP/isp)\n");
    let mut world = Testbed::ready(&sip, &plan);
    world.add_header("client", header);
    if let Some(from) = from {
        world.from("client", from);
    }
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE sip"])[0].clone();
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    let names = ["From: ", "P-Asserted-Identity: ", "Remote-Party-ID: ", "Privacy: ", "Contact: "];
    let lines = invite.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.split(";tag").next().unwrap_or_default().to_owned()).collect()
}

const ANONYMOUS: &str = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>";
const NOWHERE: &str = "Contact: <sip:anonymous@192.0.2.1:5060>";
const ID: &str = "callerid=\"The Modem\" <881>";

#[test]
fn a_caller_is_shown_unless_it_asks_to_be_hidden() {
    let shown = ["From: \"The Modem\" <sip:881@192.0.2.1>", "Contact: <sip:881@192.0.2.1:5060>"];
    let hidden = [ANONYMOUS, NOWHERE, "Privacy: id"];
    let header = |header| told(ID, "", "NoOp()", header, None);
    assert_eq!(header(""), shown);
    for asks in
        ["Privacy: id", "Privacy: user;id;critical", "Privacy: header", "Remote-Party-ID: <sip:1@a>;privacy=full"]
    {
        assert_eq!(header(asks), hidden, "{asks}");
    }
    for does_not in ["Privacy: none", "Remote-Party-ID: <sip:1@a>;privacy=off", "Remote-Party-ID: nonsense"] {
        assert_eq!(header(does_not), shown, "{does_not}");
    }
    // A telephone with its own number blocked: the digest says who it is.
    let blocked = |from| told(ID, "", "NoOp()", "", Some(from));
    assert_eq!(blocked("\"Anonymous\" <sip:anonymous@anonymous.invalid>"), hidden);
    assert_eq!(blocked("<sip:Anonymous@192.0.2.1>"), hidden);
}

#[test]
fn callingpres_decides_whatever_the_telephone_asks() {
    let with = |pres: &str, header| told(&format!("{ID}\ncallingpres={pres}"), "", "NoOp()", header, None);
    for pres in ["prohib_not_screened", "prohib", "35", "unavailable"] {
        assert_eq!(with(pres, ""), [ANONYMOUS, NOWHERE, "Privacy: id"], "{pres}");
    }
    for pres in ["allowed", "allowed_passed_screen", "0"] {
        assert_eq!(with(pres, "Privacy: id")[0], "From: \"The Modem\" <sip:881@192.0.2.1>", "{pres}");
    }
}

#[test]
fn the_dialplan_has_the_last_word() {
    let hidden = |plan: &str| told(ID, "", plan, "", None)[0] == ANONYMOUS;
    assert!(hidden("Set(CALLERID(pres)=prohib)") && hidden("Set(CALLERPRES()=prohib_not_screened)"));
    assert!(!hidden("Set(CALLERID(pres)=allowed)") && !hidden("Set(CALLERPRES()=nonsense)"));
    let plan = "Set(CALLERPRES()=allowed)";
    assert_eq!(
        told(&format!("{ID}\ncallingpres=prohib"), "", plan, "", None)[0],
        "From: \"The Modem\" <sip:881@192.0.2.1>"
    );
    let plan = "Set(CALLERID(all)=\"${CALLERPRES()}\" <${CALLERID(pres)}>)";
    assert_eq!(told(ID, "", plan, "", None)[0], "From: \"allowed_not_screened\" <sip:allowed_not_screened@192.0.2.1>");
}

#[test]
fn a_hidden_caller_is_told_only_to_a_peer_that_is_trusted_with_it() {
    let isp = |isp: &str| told(&format!("{ID}\ncallingpres=prohib"), isp, "NoOp()", "", None);
    let without = [ANONYMOUS, NOWHERE, "Privacy: id"];
    for withheld in
        ["sendrpid=pai", "sendrpid=yes", "sendrpid=pai\ntrust_id_outbound=no", "sendrpid=yes\ntrust_id_outbound=legacy"]
    {
        assert_eq!(isp(withheld), without, "{withheld}");
    }
    let pai = "P-Asserted-Identity: \"The Modem\" <sip:881@192.0.2.1>";
    assert_eq!(isp("sendrpid=pai\ntrust_id_outbound=yes"), [ANONYMOUS, NOWHERE, pai, "Privacy: id"]);
    let rpid = "Remote-Party-ID: \"The Modem\" <sip:881@192.0.2.1>;party=calling;privacy=full;screen=yes";
    assert_eq!(isp("sendrpid=yes\ntrust_id_outbound=yes"), [ANONYMOUS, NOWHERE, rpid, "Privacy: id"]);
    // A provider finds its customer in From all the same.
    let from = "From: \"Anonymous\" <sip:4711@sip.example>";
    assert_eq!(isp("fromuser=4711\nfromdomain=sip.example")[0], from);
}

#[test]
fn a_trusted_line_is_passed_on_as_vouched_for() {
    let pai = "P-Asserted-Identity: \"Club\" <sip:555@192.0.2.20>";
    let rpid = |header: &str| told("trustrpid=yes", "sendrpid=yes", "NoOp()", header, None)[2].clone();
    let shown = "Remote-Party-ID: \"Club\" <sip:555@192.0.2.1>;party=calling;privacy=off;screen=yes";
    assert_eq!(rpid(pai), shown);
    // Hidden on its way in, hidden on its way out.
    let told =
        told("trustrpid=yes", "sendrpid=yes\ntrust_id_outbound=yes", "NoOp()", &format!("{pai}\r\nPrivacy: id"), None);
    let hidden = "Remote-Party-ID: \"Club\" <sip:555@192.0.2.1>;party=calling;privacy=full;screen=yes";
    assert_eq!(told, [ANONYMOUS, NOWHERE, hidden, "Privacy: id"]);
}

/// What the called line is told of who calls, and the source of the record.
fn from_and_record(lines: &str, from: &str, header: &str) -> (String, String) {
    let sip = SIP.replace("[client]\ntype=friend\nhost=dynamic", &format!("[client]\ntype=friend\n{lines}"));
    let mut world = Testbed::ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
    world.add_header("client", header);
    world.from("client", from);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE sip"])[0].clone();
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    let from = invite.lines().find(|line| line.starts_with("From: ")).unwrap();
    let records = super::why::records(&world);
    (from.split(";tag").next().unwrap().to_owned(), records[0].source.clone())
}

#[test]
fn a_line_that_registers_calls_as_itself_whatever_its_from_says() {
    let lie = "\"Kitchen\" <sip:201@192.0.2.1>";
    let own = |lines: &str| from_and_record(&format!("host=dynamic\n{lines}"), lie, "");
    let itself = |from: &str, number: &str| (format!("From: {from}"), number.to_owned());
    assert_eq!(own(""), itself("<sip:client@192.0.2.1>", "client"));
    assert_eq!(own("callerid=\"The Modem\" <881>"), itself("\"The Modem\" <sip:881@192.0.2.1>", "881"));
    assert_eq!(own("cid_number=881"), itself("<sip:881@192.0.2.1>", "881"));
    assert_eq!(own("fullname=The Modem"), itself("\"The Modem\" <sip:client@192.0.2.1>", "client"));
    // Its own name with a stranger's, too.
    let named = from_and_record("host=dynamic", "\"Kitchen\" <sip:client@192.0.2.1>", "");
    assert_eq!(named, itself("<sip:client@192.0.2.1>", "client"));
    // What it vouches for counts when it is trusted alone; then its From does as well.
    let asserted = "P-Asserted-Identity: \"Hall\" <sip:202@192.0.2.20>";
    for header in [asserted, "Remote-Party-ID: \"Hall\" <sip:202@192.0.2.20>;privacy=off"] {
        assert_eq!(
            from_and_record("host=dynamic", lie, header),
            itself("<sip:client@192.0.2.1>", "client"),
            "{header}"
        );
        let trusted = from_and_record("host=dynamic\ntrustrpid=yes", lie, header);
        assert_eq!(trusted, itself("\"Hall\" <sip:202@192.0.2.1>", "202"), "{header}");
    }
    assert_eq!(own("trustrpid=yes"), itself("\"Kitchen\" <sip:201@192.0.2.1>", "201"));
    // A hidden number is its own in the record.
    let hidden = from_and_record("host=dynamic", "\"Anonymous\" <sip:anonymous@anonymous.invalid>", "");
    assert_eq!(hidden, (ANONYMOUS.to_owned(), "client".to_owned()));
}

#[test]
fn a_number_that_may_not_be_dialled_by_a_line_stays_so_whatever_its_from_says() {
    let plan = "[default]\nexten => _0X./201,1,Dial(SIP/isp)\nexten => 2,1,GotoIf($[\"${CALLERID(num)}\"=\"201\"]?open)\n\
                same => n,Busy(1)\nsame => n(open),Dial(SIP/isp)\n";
    for (line, goes) in [("", false), ("cid_number=201", true)] {
        for number in ["0123", "2"] {
            let sip = SIP.replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{line}"));
            let mut world = Testbed::ready(&sip, plan);
            world.from("client", "\"Kitchen\" <sip:201@192.0.2.1>");
            world.phone("client").dials(number);
            world.until(|w| w.is_called("isp") || !w.look("client").has_call());
            assert_eq!(world.is_called("isp"), goes, "{number} by '{line}'");
        }
    }
}

/// Another exchange passes on who calls there.
#[test]
fn a_peer_with_a_fixed_address_keeps_the_callers_from() {
    for (lines, shown) in [("", "\"Aunt\" <sip:0301234@192.0.2.1>"), ("callerid=77", "\"Aunt\" <sip:77@192.0.2.1>")] {
        let fixed = format!("[client]\ntype=friend\nhost=192.0.2.20\ninsecure=invite\n{lines}");
        let sip = SIP.replace("[client]\ntype=friend\nhost=dynamic", &fixed);
        let mut world = Testbed::new(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp)\n", Quality::PERFECT, 1);
        world.phone("isp").registers();
        world.until(|w| w.look("isp").is_registered());
        world.from("client", "\"Aunt\" <sip:0301234@192.0.2.20>");
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        let invite = world.texts("isp", &["INVITE sip"])[0].clone();
        assert!(invite.contains(&format!("From: {shown}")), "{invite}");
        world.phone("client").hangs_up();
        world.until_over();
    }
}
