use super::*;
use crate::provision::request::Via;
use std::net::{IpAddr, Ipv4Addr};

/// 2026-11-30.
const NOW: Wall = Wall(1_796_000_000_000);

fn stock_of(sip: &str, extensions: &str, toml: &str) -> Stock {
    let config = Config::from_texts(sip, extensions, "", toml).0.unwrap();
    let plan = crate::dialplan::parse_in(&config.extensions, "test", &config.zones).0;
    let (stock, said) = Stock::of(&config, &plan, NOW);
    assert_eq!(said, []);
    stock
}

fn facts() -> Facts {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    Facts { address, tftp_port: TFTP_PORT, http_port: None, own_files: BTreeSet::new() }
}

fn peer(name: &str, lines: &str) -> String {
    format!("[{name}]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\nline=voice\n{lines}\n")
}

fn house() -> Stock {
    let sip = peer("201", "mac=0014A9BC0001\ndevice=cisco-7960\ncallerid=\"Desk\" <201>")
        + &peer("882", "mac=0018f8aabbcc\ndevice=pap2t\ndevice_line=2\nline=modem");
    stock_of(&sip, "[default]\nexten => 201,1,Dial(SIP/201)\nexten => 882,1,Dial(SIP/882)\n", "")
}

fn ask(stock: &Stock, name: &str, mac: Option<&str>) -> Option<Found> {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let mac = mac.and_then(Mac::parse);
    let request = Request { name, via: Via::Tftp, mac, address, reached_at: facts().address };
    stock.find(name, &request, &facts())
}

fn text(found: Option<Found>) -> (String, bool, Option<Mac>) {
    match found {
        Some(Found::Made { bytes, has_secret, device, .. }) => (String::from_utf8(bytes).unwrap(), has_secret, device),
        other => panic!("{other:?}"),
    }
}

fn hint(found: Option<Found>) -> String {
    match found {
        Some(Found::Missing { hint: Some(hint) }) => hint,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cisco_finds_all_that_it_asks_for() {
    let stock = house();
    let mac = Mac::parse("0014A9BC0001");
    assert!(hint(ask(&stock, "CTLSEP0014A9BC0001.tlv", None)).starts_with("which is as it should be"));
    let (sep, is_secret, whose) = text(ask(&stock, "SEP0014A9BC0001.cnf.xml", None));
    assert!(sep.contains("<loadInformation model=\"IP Phone 7960\">P0S3-8-12-00</loadInformation>"));
    assert_eq!((is_secret, whose), (false, mac));
    assert!(hint(ask(&stock, "P0S3-8-12-00.loads", None)).starts_with("put Cisco's firmware"));
    assert_eq!(text(ask(&stock, "OS79XX.TXT", None)).0, "P003-8-12-00");
    let (common, is_secret, whose) = text(ask(&stock, "SIPDefault.cnf", None));
    assert!(common.contains("proxy1_address: \"192.0.2.1\"\n") && common.contains("time_zone: \"GMT\"\n"), "{common}");
    assert_eq!((is_secret, whose), (false, None));
    let (own, is_secret, whose) = text(ask(&stock, "sip0014a9bc0001.CNF", None));
    assert!(own.contains("line1_name: \"201\"\n") && own.contains("line1_password: \"k3vw9m2xq8tz\"\n"), "{own}");
    assert!(own.contains("line6_name: \"\"\n") && own.contains("phone_label: \"Desk\"\n"), "{own}");
    assert_eq!((is_secret, whose), (true, mac));
    assert!(text(ask(&stock, "RINGLIST.DAT", None)).0.starts_with("British bell\tbritish.raw\n"));
    assert!(matches!(ask(&stock, "british.raw", None), Some(Found::Made { bytes, .. }) if bytes.len() % 240 == 0));
    let (plan, ..) = text(ask(&stock, "dialplan.xml", None));
    assert!(
        plan.contains("<TEMPLATE MATCH=\"201\" Timeout=\"0\"/>\n") && plan.contains("MATCH=\"*\" Timeout=\"5\""),
        "{plan}"
    );
    assert!(text(ask(&stock, "syncinfo.xml", None)).0.contains("SYNC=\"1\""));
}

#[test]
fn an_adapter_finds_its_profile_by_its_address_or_is_told_where_it_is() {
    let stock = house();
    for name in ["spa0018f8aabbcc.cfg", "0018F8AABBCC.xml"] {
        let (own, is_secret, whose) = text(ask(&stock, name, None));
        assert!(own.contains("<Password_2_ ua=\"na\">k3vw9m2xq8tz</Password_2_>"), "{own}");
        assert!(own.contains("<Line_Enable_1_ ua=\"na\">no</Line_Enable_1_>"), "{own}");
        assert_eq!((is_secret, whose), (true, Mac::parse("0018f8aabbcc")));
    }
    let (first, is_secret, whose) = text(ask(&stock, "init.cfg", None));
    assert!(first.contains("<Profile_Rule ua=\"na\">tftp://192.0.2.1/spa$MA.cfg</Profile_Rule>"));
    assert_eq!((is_secret, whose), (false, None));
    let (own, is_secret, _) = text(ask(&stock, "init.cfg", Some("0018f8aabbcc")));
    assert!(is_secret && own.contains("<User_ID_2_ ua=\"na\">882</User_ID_2_>"));
}

#[test]
fn who_is_not_configured_gets_nothing_and_it_is_said() {
    let stock = house();
    assert!(hint(ask(&stock, "SIP0014A9BC0009.cnf", None)).contains("write 'mac=0014A9BC0009'"));
    assert_eq!(ask(&stock, "spa2102.cfg", None), None);
    let none = stock_of("", "", "");
    assert_eq!((ask(&none, "SIPDefault.cnf", None), ask(&none, "british.raw", None)), (None, None));
}

#[test]
fn a_password_is_shown_to_the_device_alone() {
    let stock = house();
    for device in stock.fleet().devices() {
        let shown = stock.files_of(device, &facts(), Passwords::Masked);
        assert!(shown.iter().any(|file| file.has_secret));
        assert!(shown.iter().all(|file| !String::from_utf8_lossy(&file.bytes).contains("k3vw9m2xq8tz")));
    }
}

#[test]
fn a_users_template_for_a_model_and_for_a_device_is_filled_in() {
    let sip = peer("a", "mac=0018f8aabbcc\ndevice=pap2t") + &peer("b", "mac=0018f8aabbcd\ndevice=pap2t");
    let mut config = Config::from_texts(&sip, "", "", "").0.unwrap();
    config.templates = vec![
        ("devices/pap2t.template".into(), "model {{MAC}}".into()),
        ("devices/0018F8AABBCD.template".into(), "own {{#lines}}{{user}}{{/lines}}".into()),
        ("devices/nothing.template".into(), "\n{{mca}}".into()),
    ];
    let (stock, said) = Stock::of(&config, &Dialplan::new(), NOW);
    // What was written into a template by hand may be a password.
    let made =
        |name, text: &str, mac| assert_eq!(self::text(ask(&stock, name, None)), (text.into(), true, Mac::parse(mac)));
    made("spa0018f8aabbcc.cfg", "model 0018F8AABBCC", "0018f8aabbcc");
    made("spa0018f8aabbcd.cfg", "own b", "0018f8aabbcd");
    let said: Vec<String> = said.iter().map(|one| format!("{}: {}", one.place, one.message)).collect();
    assert_eq!(said, ["devices/nothing.template:2: there is no 'mca' to fill in: the template is not used"]);
}

/// Every name that a template may have is filled in, and no other.
#[test]
fn the_names_of_templates_are_those_that_are_filled_in() {
    let sip = peer("201", "mac=0014A9BC0001\ndevice=cisco-7960") + &peer("882", "mac=0018f8aabbcc\ndevice=pap2t");
    let config = Config::from_texts(&sip, "[default]\nexten => 1,1,NoOp()\n", "", "").0.unwrap();
    let plan = crate::dialplan::parse_in(&config.extensions, "test", &config.zones).0;
    let mut stock = Stock::of(&config, &plan, NOW).0;
    let berlin = crate::datetime::zones::Zones::default().find("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    stock.zone = ZoneRule::of(&berlin, NOW);
    let mut filled = BTreeSet::new();
    for device in stock.fleet().devices() {
        filled.extend(stock.values(device, &facts()).names());
    }
    let known: BTreeSet<&str> = names::all().map(|(name, _)| *name).collect();
    assert_eq!(filled, known);
}

/// After a change in the configuration it is known who must fetch anew: not who is new, and nobody when nothing changed for it.
#[test]
fn devices_whose_files_have_changed_are_known() {
    let sip = |secret: &str| {
        peer("201", "mac=0014A9BC0001\ndevice=cisco-7960")
            + &peer("882", &format!("mac=0018f8aabbcc\ndevice=pap2t\nsecret={secret}"))
    };
    let (one, other) = (stock_of(&sip("k3vw9m2xq8tz"), "", ""), stock_of(&sip("z3vw9m2xq8tz"), "", ""));
    let macs = |devices: Vec<&Device>| devices.iter().filter_map(|device| device.mac).collect::<Vec<_>>();
    assert_eq!(macs(other.changed_since(&one)), [Mac::parse("0018f8aabbcc").unwrap()]);
    assert_eq!((macs(one.changed_since(&one)), macs(one.changed_since(&stock_of("", "", "")))), (vec![], vec![]));
    // A number that is new in the dialplan changes everybody's dial plan.
    let plan = stock_of(&sip("k3vw9m2xq8tz"), "[default]\nexten => 5,1,Answer()\n", "");
    assert_eq!(plan.changed_since(&one).len(), 2);
}
