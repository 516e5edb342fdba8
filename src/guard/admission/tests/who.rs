//! Which peer calls: each `type=` by each way a call can come.

use super::access::edge_of;
use super::*;
use crate::names::{HostName, Names, Server};
use crate::sip::flow::ConnectionId;

/// What becomes of an INVITE.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It is this account's, without a password.
    Trusted(String),
    /// It is this account's, by its digest.
    Proved(String),
    /// Somebody is asked for a password.
    Asked,
    /// A wrong digest.
    Forbidden,
}

fn trusted(name: &str) -> Outcome {
    Outcome::Trusted(name.to_owned())
}

fn proved(name: &str) -> Outcome {
    Outcome::Proved(name.to_owned())
}

fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Pass { caller: Caller::Account { peer, proof: Proof::Trusted } } => trusted(&peer.name),
        Verdict::Pass { caller: Caller::Account { peer, .. } } => proved(&peer.name),
        refused => match status(refused) {
            401 => Outcome::Asked,
            403 => Outcome::Forbidden,
            other => panic!("{other}"),
        },
    }
}

/// A call from `source` whose From says `from`, without a digest.
fn call(edge: &Admission, from: &str, source: &str) -> Outcome {
    outcome(admit(edge, &request("INVITE", from, "192.168.1.20", ""), source))
}

/// The same with the right digest of `user`.
fn digest(edge: &Admission, from: &str, source: &str, user: &str) -> Outcome {
    let nonce = nonce(edge, source);
    let line = authorize("INVITE", user, "password", "sip:88567682@192.168.1.2", &nonce, 1);
    outcome(admit(edge, &request("INVITE", from, "192.168.1.20", &line), source))
}

/// The same as [`call`] over a connection, which begins at a port of its own.
fn call_over(edge: &Admission, transport: Transport, from: &str, source: &str) -> Outcome {
    let request = request("INVITE", from, "192.168.1.20", "");
    let essentials = validate::request(&request).unwrap();
    let flow = Flow { transport, connection: Some(ConnectionId(7)), ..over(source) };
    outcome(edge.admit(&request, &essentials, flow, NOW, 42))
}

const HOME: &str = "203.0.113.5:5060";
const OTHER_PORT: &str = "203.0.113.5:41000";
const ELSEWHERE: &str = "198.51.100.1:5060";

/// A phone that registers, by each type: its name is believed when it proves it, whatever the type.
#[test]
fn a_phone_of_every_type_calls_when_it_proves_its_name() {
    for kind in ["friend", "peer", "user"] {
        let edge = edge_of(&format!("[a]\ntype={kind}\nhost=dynamic\nsecret=password\ndefaultuser=x\n"), "");
        assert_eq!(call(&edge, "a", LINE1), Outcome::Asked, "{kind}");
        assert_eq!(digest(&edge, "a", LINE1, "a"), proved("a"), "{kind}");
        assert_eq!(digest(&edge, "anonymous", LINE1, "a"), proved("a"), "{kind}");
        assert_eq!(digest(&edge, "x", LINE1, "a"), proved("a"), "{kind}: defaultuser is no name of another");
        assert_eq!(digest(&edge, "a", LINE1, "x"), Outcome::Forbidden, "{kind}: nor one to prove");
        let nonce = nonce(&edge, LINE1);
        let registered = admit(&edge, &registers("a", "password", &nonce), LINE1);
        assert_eq!(matches!(registered, Verdict::Pass { .. }), kind != "user", "{kind}");
    }
}

/// `type` by `insecure` by the address a call comes from: the trunk at 203.0.113.5:5060, whose From says who calls.
#[test]
fn a_trunk_is_known_by_its_address_as_its_type_and_insecure_say() {
    use Outcome::Asked;
    let yes = || trusted("trunk");
    // From its address and port, from another port of it, from elsewhere.
    let table = [
        ("friend", "", [Asked, Asked, Asked]),
        ("friend", "insecure=port", [Asked, Asked, Asked]),
        ("friend", "insecure=invite", [yes(), Asked, Asked]),
        ("friend", "insecure=port,invite", [yes(), yes(), Asked]),
        ("peer", "", [Asked, Asked, Asked]),
        ("peer", "insecure=port", [Asked, Asked, Asked]),
        ("peer", "insecure=invite", [yes(), Asked, Asked]),
        ("peer", "insecure=port,invite", [yes(), yes(), Asked]),
        ("peer", "insecure=invite, port\nusername=acct\nfromuser=acct", [yes(), yes(), Asked]),
        // A user is known by its name alone.
        ("user", "insecure=port,invite", [Asked, Asked, Asked]),
    ];
    for (kind, lines, expected) in table {
        let edge = edge_of(&format!("[trunk]\ntype={kind}\nhost=203.0.113.5\nsecret=password\n{lines}\n"), "");
        let came = [HOME, OTHER_PORT, ELSEWHERE].map(|source| call(&edge, "+491234567", source));
        assert_eq!(came, expected, "type={kind} {lines}");
        // Its own name in From opens nothing that its address does not.
        assert_eq!(call(&edge, "trunk", ELSEWHERE), Asked, "type={kind} {lines}");
        // Whoever knows the secret is believed from anywhere.
        assert_eq!(digest(&edge, "trunk", ELSEWHERE, "trunk"), proved("trunk"), "type={kind} {lines}");
    }
    // Without a secret its address is all there is.
    for kind in ["friend", "peer"] {
        let edge = edge_of(&format!("[trunk]\ntype={kind}\nhost=203.0.113.5\n"), "");
        let came = [HOME, OTHER_PORT, ELSEWHERE].map(|source| call(&edge, "+491234567", source));
        assert_eq!(came, [trusted("trunk"), Asked, Asked], "{kind}");
    }
}

#[test]
fn a_friend_or_user_is_known_by_its_name_and_a_peer_is_not() {
    let section = |kind: &str| format!("[a]\ntype={kind}\nsecret=password\nhost=dynamic\ninsecure=invite\n");
    for kind in ["friend", "user"] {
        assert_eq!(call(&edge_of(&section(kind), ""), "a", LINE1), trusted("a"), "{kind}");
    }
    let (text, said) = sip_conf_of(&section("peer"));
    let edge = Admission::new(&text, NonceKey::new([7; 32], 1));
    assert_eq!(call(&edge, "a", LINE1), Outcome::Asked, "its name would be enough for anyone");
    assert_eq!(digest(&edge, "a", LINE1, "a"), proved("a"));
    assert!(said[0].contains("'insecure=invite' has no effect"), "{said:?}");
    // A user needs no host.
    assert_eq!(digest(&edge_of("[a]\ntype=user\nsecret=password\n", ""), "a", LINE1, "a"), proved("a"));
}

fn sip_conf_of(text: &str) -> (SipConf, Vec<String>) {
    let (document, said) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
    assert_eq!(said, []);
    let (conf, said) = sip_conf::parse(&document, &Default::default());
    (conf, said.into_iter().map(|one| one.message).collect())
}

#[test]
fn of_several_at_one_address_the_port_decides_and_then_the_name() {
    let trunk = |name: &str, host: &str, lines: &str| {
        format!("[{name}]\ntype=peer\nhost={host}\nsecret=password\ninsecure=invite\n{lines}\n")
    };
    let sip = [
        trunk("anyport", "203.0.113.5", "port=5070\ninsecure=port,invite"),
        trunk("first", "203.0.113.5", ""),
        trunk("second", "203.0.113.5:5061", ""),
        trunk("third", "203.0.113.5", "port=5062"),
        trunk("zz", "203.0.113.5:5062", "insecure=port,invite"),
    ]
    .concat();
    let edge = edge_of(&sip, "");
    for (port, who) in [(5060, "first"), (5061, "second"), (5062, "third"), (5070, "anyport"), (40_000, "anyport")] {
        assert_eq!(call(&edge, "+491234567", &format!("203.0.113.5:{port}")), trusted(who), "{port}");
    }
    assert_eq!(call(&edge, "+491234567", "203.0.113.6:5060"), Outcome::Asked);
}

#[test]
fn over_a_connection_the_port_says_nothing() {
    let edge = edge_of("[trunk]\ntype=peer\nhost=203.0.113.5\ninsecure=invite\nsecret=password\n", "");
    for transport in [Transport::Tcp, Transport::Tls] {
        assert_eq!(call_over(&edge, transport, "+491234567", OTHER_PORT), trusted("trunk"));
        assert_eq!(call_over(&edge, transport, "+491234567", ELSEWHERE), Outcome::Asked);
    }
}

#[test]
fn hosts_of_ipv6_and_by_name_are_as_good() {
    let edge = edge_of(
        "[six]\ntype=peer\nhost=[2001:db8::5]:5070\ninsecure=invite\nsecret=password\n\
         [named]\ntype=peer\nhost=sip.example.com\ninsecure=port,invite\nsecret=password\n",
        "",
    );
    assert_eq!(call(&edge, "+491", "[2001:db8::5]:5070"), trusted("six"));
    assert_eq!(call(&edge, "+491", "[2001:db8::5]:5060"), Outcome::Asked);
    assert_eq!(call(&edge, "+491", "[2001:db8::6]:5070"), Outcome::Asked);
    assert_eq!(call(&edge, "+491", HOME), Outcome::Asked, "the name is not looked up yet");
    let mut names = Names::new();
    let at = |address: &str| Server::new(Transport::Udp, address.parse().unwrap());
    let host = HostName::of_server("sip.example.com", None, &[], &[Transport::Udp], true);
    names.set(&host, vec![at("203.0.113.4:5060"), at("203.0.113.5:5080")]);
    let edge = edge.with_names(Arc::new(names));
    assert_eq!(call(&edge, "+491", OTHER_PORT), trusted("named"));
    assert_eq!(call(&edge, "+491", "[::ffff:203.0.113.5]:5060"), trusted("named"), "IPv4 in IPv6's spelling");
}

/// A provider passes on who calls, and that may be the name of a line here.
#[test]
fn a_line_named_in_the_from_of_a_trunk() {
    let line = |kind: &str| {
        format!(
            "[trunk]\ntype=peer\nhost=203.0.113.5\ninsecure=invite\nsecret=password\n\
             [201]\ntype={kind}\nhost=dynamic\nsecret=password\n[202]\ntype={kind}\nhost=dynamic\nsecret=password\n"
        )
    };
    // As in chan_sip: a friend's or user's name comes before the address, and is to be proved.
    for kind in ["friend", "user"] {
        let edge = edge_of(&line(kind), "");
        assert_eq!(call(&edge, "201", HOME), Outcome::Asked, "{kind}");
        assert_eq!(digest(&edge, "201", HOME, "trunk"), Outcome::Forbidden, "{kind}");
        assert_eq!(digest(&edge, "201", HOME, "201"), proved("201"), "{kind}");
    }
    // Another exchange is trusted to say who calls: a line of ours, when it forwards a call of that back here.
    for kind in ["friend", "user"] {
        let edge = edge_of(&line(kind).replacen("insecure=invite", "insecure=invite\ntrustrpid=yes", 1), "");
        assert_eq!(call(&edge, "201", HOME), trusted("trunk"), "{kind}");
        assert_eq!(digest(&edge, "201", HOME, "trunk"), trusted("trunk"), "{kind}");
        assert_eq!(digest(&edge, "201", HOME, "201"), proved("201"), "a line behind the same address");
        assert_eq!(call(&edge, "201", ELSEWHERE), Outcome::Asked);
    }
    // A peer is not known by From: the address comes first.
    let edge = edge_of(&line("peer"), "");
    assert_eq!(call(&edge, "201", HOME), trusted("trunk"));
    assert_eq!(call(&edge, "trunk", HOME), trusted("trunk"));
    let asked = edge_of(&line("peer").replace("insecure=invite\n", ""), "");
    assert_eq!(call(&asked, "201", HOME), Outcome::Asked);
    assert_eq!(digest(&asked, "201", HOME, "trunk"), proved("trunk"));
    assert_eq!(
        digest(&edge, "201", HOME, "201"),
        proved("201"),
        "unless the line proves itself, behind the same address"
    );
    assert_eq!(digest(&edge, "201", HOME, "202"), Outcome::Forbidden, "and not for a third");
    assert_eq!(call(&edge, "201", ELSEWHERE), Outcome::Asked);
    assert_eq!(digest(&edge, "201", ELSEWHERE, "trunk"), Outcome::Forbidden, "one name in From and another's digest");
}

/// What was known by an address that cannot be read is not known by its name instead.
#[test]
fn without_an_address_a_name_is_to_be_proved() {
    for (kind, lines) in [("friend", ""), ("peer", ""), ("friend", "host=192.0.2.300\n"), ("peer", "host=a..b\n")] {
        for secret in ["", "secret=password\n", "secret=password\ninsecure=port,invite\n"] {
            let (conf, _) = sip_conf_of(&format!("[trunk]\ntype={kind}\n{lines}{secret}"));
            let edge = Admission::new(&conf, NonceKey::new([7; 32], 1));
            for from in ["trunk", "+491234567"] {
                assert_eq!(call(&edge, from, HOME), Outcome::Asked, "{kind} {lines}{secret}");
            }
            let told = if secret.is_empty() { Outcome::Forbidden } else { proved("trunk") };
            assert_eq!(digest(&edge, "trunk", HOME, "trunk"), told, "{kind} {lines}{secret}");
        }
    }
}

#[test]
fn of_two_accounts_of_one_provider_the_one_is_called_that_the_call_names() {
    let account = |name: &str, lines: &str| {
        format!("[{name}]\ntype=peer\nhost=203.0.113.5\nsecret=password\ninsecure=port,invite\n{lines}\n")
    };
    let sip = account("beta", "defaultuser=+491") + &account("alpha", "fromdomain=a.example") + &account("zeta", "");
    let edge = edge_of(&sip, "");
    assert_eq!(call(&edge, "+491", OTHER_PORT), trusted("beta"), "by From, when nothing else names one");
    assert_eq!(call(&edge, "+492", OTHER_PORT), trusted("alpha"), "else the first by name");
}
