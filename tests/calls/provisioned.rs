//! A telephone and an adapter that know nothing but where their files are: they fetch them, configure themselves from them,
//! register, and call each other. What they fetched is read here in their own way, by nothing of the exchange's.

use crate::network::Quality;
use crate::testbed::Testbed;
use std::collections::BTreeMap;
use std::net::IpAddr;
use strowger::clock::Wall;
use strowger::config::Config;
use strowger::dialplan;
use strowger::provision::{Found, Mac, Request, Shelf, Stock, Via};
use strowger::sim::DeviceProfile;

const SIP: &str = "\
[201]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq801\nline=voice\nnat=no\nmac=0014A9BC0001\ndevice=cisco-7960\n\
[202]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq802\nline=voice\nnat=no\nmac=0014A9BC0001\n\
[881]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq881\nline=modem\nnat=no\nmac=0018F8AABB01\ndevice=pap2t\n\
[882]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq882\nline=modem\nnat=no\nmac=0018F8AABB01\n";
const EXTENSIONS: &str = "[default]\n\
exten => _20X,1,Dial(SIP/${EXTEN})\nexten => _88[12],1,Dial(SIP/${EXTEN})\nexten => _9.,1,Dial(SIP/${EXTEN:1})\n";

/// Where the devices find the exchange, as DHCP tells them.
const EXCHANGE: &str = "192.0.2.1";

struct Files(Shelf);

impl Files {
    fn new() -> Files {
        let config = Config::from_texts(SIP, EXTENSIONS, "", "").0.unwrap();
        let plan = dialplan::parse_in(&config.extensions, "test", &config.zones).0;
        let (stock, said) = Stock::of(&config, &plan, Wall(1_796_000_000_000));
        assert_eq!(said, []);
        let mut shelf = Shelf::new([]);
        shelf.set_stock(stock);
        Files(shelf)
    }

    fn ask(&self, name: &str, mac: &str) -> Found {
        let address: IpAddr = "192.0.2.40".parse().unwrap();
        let reached_at = EXCHANGE.parse().unwrap();
        self.0.find(&Request { name, via: Via::Tftp, mac: Mac::parse(mac), address, reached_at })
    }

    fn text(&self, name: &str, mac: &str) -> String {
        match self.ask(name, mac) {
            Found::Made { bytes, .. } => String::from_utf8(bytes).unwrap(),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// `key: "value"` with comments behind `#`, as a 7960 reads it; a later file wins.
fn read_cnf(settings: &mut BTreeMap<String, String>, text: &str) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(':').unwrap();
        settings.insert(key.trim().to_owned(), value.trim().trim_matches('"').to_owned());
    }
}

/// A Cisco's rules: its pattern, and the seconds it waits.
fn read_rules(text: &str) -> Vec<(String, u32)> {
    let document = roxmltree::Document::parse(text).unwrap();
    let rows = document.descendants().filter(|node| node.has_tag_name("TEMPLATE"));
    rows.map(|row| (row.attribute("MATCH").unwrap().to_owned(), row.attribute("Timeout").unwrap().parse().unwrap()))
        .collect()
}

/// Which of a Cisco's rules digits fit, and whether they are all of it: how many keys of its own the rule had.
fn fits(pattern: &str, digits: &str) -> Option<(bool, usize)> {
    let (mut left, mut own) = (digits.chars(), 0);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let wanted = match letter {
            '*' => return Some((left.next().is_some(), own)),
            '\\' => letters.next().unwrap(),
            other => other,
        };
        match left.next() {
            None => return Some((false, own)),
            Some(_) if wanted == '.' && letter == '.' => {}
            Some(digit) if digit == wanted => own += 1,
            Some(_) => return None,
        }
    }
    left.next().is_none().then_some((true, own))
}

/// How long a Cisco waits behind these digits: the rule that is whole and has the most keys of its own, if no rule that is
/// not whole has as many (its administrator guide).
fn cisco_waits(rules: &[(String, u32)], digits: &str) -> Option<u32> {
    let fitting: Vec<(bool, usize, u32)> = rules
        .iter()
        .filter_map(|(pattern, wait)| fits(pattern, digits).map(|(whole, own)| (whole, own, *wait)))
        .collect();
    let open = fitting.iter().filter(|one| !one.0).map(|one| one.1).max();
    let whole = fitting.iter().filter(|one| one.0).max_by_key(|one| one.1)?;
    open.is_none_or(|open| whole.1 > open).then_some(whole.2)
}

/// What a Sipura does behind these digits: it dials at once where a sequence with S0 is whole.
fn sipura_dials_at_once(plan: &str, digits: &str) -> bool {
    let inner = plan.strip_prefix('(').unwrap().strip_suffix(')').unwrap();
    inner.split('|').filter_map(|sequence| sequence.strip_suffix("S0")).any(|sequence| {
        let (mut left, mut letters) = (digits.chars(), sequence.chars());
        while let Some(letter) = letters.next() {
            let set: String = match letter {
                'x' => "0123456789".into(),
                '[' => letters.by_ref().take_while(|letter| *letter != ']').collect(),
                other => other.into(),
            };
            if !left.next().is_some_and(|digit| set.contains(digit)) {
                return false;
            }
        }
        left.next().is_none()
    })
}

#[test]
fn a_7960_and_a_pap2t_configure_themselves_and_call_each_other() {
    let files = Files::new();
    // The telephone asks in this order, the second time with the folder before the name.
    let cisco = "0014A9BC0001";
    assert!(matches!(files.ask("CTLSEP0014A9BC0001.tlv", cisco), Found::Missing { .. }));
    let sep = files.text("SEP0014A9BC0001.cnf.xml", cisco);
    let load = roxmltree::Document::parse(&sep).unwrap();
    let load = load.descendants().find(|node| node.has_tag_name("loadInformation")).unwrap();
    assert_eq!(load.text(), Some("P0S3-8-12-00"));
    let mut told = BTreeMap::new();
    read_cnf(&mut told, &files.text("SIPDefault.cnf", cisco));
    assert_eq!(told["image_version"], "P0S3-8-12-00", "what it runs already");
    let own = format!("{}SIP{cisco}.cnf", told["tftp_cfg_dir"]);
    read_cnf(&mut told, &files.text(&own, cisco));
    assert!(files.text("RINGLIST.DAT", cisco).lines().all(|line| line.split_once('\t').is_some()));
    let rules = read_rules(&files.text(&format!("{}.xml", told["dial_template"]), cisco));
    // The adapter asks for what every new one does, and follows where it is led.
    let pap2t = "0018F8AABB01";
    let stranger = files.text("init.cfg", "0018F8FFFFFF");
    let document = roxmltree::Document::parse(&stranger).unwrap();
    let rule = document.descendants().find(|node| node.has_tag_name("Profile_Rule")).unwrap().text().unwrap();
    let name = rule.strip_prefix(&format!("tftp://{EXCHANGE}/")).unwrap().replace("$MA", &pap2t.to_lowercase());
    let profile = files.text(&name, pap2t);
    let document = roxmltree::Document::parse(&profile).unwrap();
    let value = |tag: &str| {
        let node = document.descendants().find(|node| node.has_tag_name(tag)).unwrap_or_else(|| panic!("{tag}"));
        node.text().unwrap_or_default().to_owned()
    };

    let mut world = Testbed::empty(SIP, EXTENSIONS, Quality::PERFECT, 14);
    let (sip, rtp) = ("192.0.2.40:5060", "192.0.2.40:24598");
    world.add_with_account("cisco", &told["line1_name"], &told["line1_password"], (sip, rtp), DeviceProfile::Cisco7960);
    // The real one sends from another port than its Via names, and does not ask for rport.
    world.stations.get_mut("cisco").unwrap().source = "192.0.2.40:50123".parse().unwrap();
    let proxy = format!("{}:{}", told["proxy1_address"], told["proxy1_port"]);
    assert_eq!(world.look("cisco").config().exchange.to_string(), proxy);
    for (line, station) in [(1, "modem"), (2, "second")] {
        assert_eq!(
            (value(&format!("Line_Enable_{line}_")), value(&format!("Register_{line}_"))),
            ("yes".into(), "yes".into())
        );
        let (user, secret) = (value(&format!("User_ID_{line}_")), value(&format!("Password_{line}_")));
        let sip = format!("192.0.2.20:{}", value(&format!("SIP_Port_{line}_")));
        let rtp = format!("192.0.2.20:{}", 16_400 + 20 * line);
        world.add_with_account(station, &user, &secret, (&sip, &rtp), DeviceProfile::Pap2t);
        assert_eq!(world.look(station).config().exchange.to_string(), value(&format!("Proxy_{line}_")));
        assert_eq!(
            (value(&format!("Echo_Canc_Enable_{line}_")), value(&format!("FAX_Enable_T38_{line}_"))),
            ("no".into(), "no".into())
        );
    }
    world.register_all();
    assert_eq!(world.switch.bindings("201")[0].flow.remote, "192.0.2.40:5060".parse().unwrap());

    // Each dials the other's number with its last key, and not before.
    let plan = value("Dial_Plan_1_");
    for number in ["881", "201"] {
        for end in 1..=number.len() {
            let (dialled, whole) = (&number[..end], end == number.len());
            assert_eq!(cisco_waits(&rules, dialled) == Some(0), whole, "{dialled} {rules:?}");
            assert_eq!(sipura_dials_at_once(&plan, dialled), whole, "{dialled} {plan}");
        }
    }
    // A number behind 9 may always go on.
    assert_eq!((cisco_waits(&rules, "9201"), sipura_dials_at_once(&plan, "9201")), (Some(3), false));
    assert_eq!(cisco_waits(&rules, "7"), Some(5));
    for (from, to, number) in [("cisco", "modem", "881"), ("modem", "cisco", "201"), ("modem", "second", "882")] {
        world.phone(from).dials(number);
        world.until(|w| w.is_called(to));
        world.phone(to).answers();
        world.until(|w| w.is_talking(from) && w.is_talking(to));
        world.assert_agreed(from, to, true);
        world.phone(from).hangs_up();
        world.until_over();
    }
    world.assert_nothing_left();
}
