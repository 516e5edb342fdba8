//! Access: the list of `[general]`, guests, domains, the algorithm, and the options that change these.

use super::*;

/// The edge of a sip.conf, with the acl.conf beside it.
pub(super) fn edge_of(sip: &str, acl: &str) -> Admission {
    let read = |name: &str, text: &str| {
        let (document, said) = ini::parse(name, text.as_bytes(), &mut ini::no_includes);
        assert_eq!(said, []);
        document
    };
    let (lists, said) = crate::config::acl_conf::parse(&read("acl.conf", acl));
    assert_eq!(said, []);
    let (conf, said) = sip_conf::parse(&read("sip.conf", sip), &lists.into());
    // Each option that these tests need is worth a warning.
    let warned = |said: &crate::config::diagnostic::Diagnostic| {
        said.message.starts_with("'allowguest=yes'") || said.code == "secret-missing"
    };
    assert!(said.iter().all(warned), "{said:?}");
    Admission::new(&conf, NonceKey::new([7; 32], 1))
}

const A: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=password\n";

fn register_to(user: &str, domain: &str, nonce: &str) -> Request {
    let text = String::from_utf8(registers(user, "password", nonce).to_bytes().to_vec()).unwrap();
    read(&text.replace(&format!("To: <sip:{user}@192.168.1.2>"), &format!("To: <sip:{user}@{domain}>")))
}

fn call(user: &str, target: &str, nonce: &str) -> Request {
    let line = authorize("INVITE", user, "password", target, nonce, 1);
    let text = String::from_utf8(request("INVITE", user, "192.168.1.20", &line).to_bytes().to_vec()).unwrap();
    read(&text.replace("INVITE sip:88567682@192.168.1.2", &format!("INVITE {target}")))
}

#[test]
fn the_general_list_and_named_lists_hold_for_calls_and_registrations() {
    let general = "[general]\ndeny=0.0.0.0/0.0.0.0\npermit=192.168.0.0/255.255.0.0\nacl=floor\n";
    let edge = edge_of(&format!("{general}{A}acl=desk\n"), "[floor]\ndeny=192.168.2.0/24\n[desk]\ndeny=192.168.1.99\n");
    for (source, is_in) in [
        ("192.168.1.20:5060", true),
        ("192.168.1.99:5060", false),
        ("192.168.2.20:5060", false),
        ("10.0.0.1:5060", false),
        ("[2001:db8::1]:5060", true),
    ] {
        let nonce = nonce(&edge, source);
        for request in [registers("a", "password", &nonce), call("a", "sip:88@192.168.1.2", &nonce)] {
            let verdict = admit(&edge, &request, source);
            if is_in {
                assert_eq!(account(verdict).0, "a", "{source}");
            } else {
                assert_eq!(why(verdict), DenialReason::FailedACL, "{source}");
            }
        }
    }
    // A sender refused by [general] does not learn that its secret was wrong, nor that its account does not exist.
    let (source, general_refuses) =
        ("10.0.0.1:5060", "'x' at 10.0.0.1: the permit, deny and acl lines of [general] refuse that address");
    let nonce = nonce(&edge, source);
    let (_, hint) = texts(reply(admit(&edge, &registers("x", "y", &nonce), source)).2);
    assert_eq!(hint, general_refuses);
}

/// A peer without a secret gets in by its name alone: the access lists apply to it all the more.
#[test]
fn the_general_list_holds_for_those_who_need_no_digest() {
    let edge = edge_of("[general]\ndeny=10.0.0.0/8\n[open]\ntype=friend\nhost=dynamic\ndeny=172.16.0.0/12\n", "");
    let at = |source: &str| admit(&edge, &request("INVITE", "open", "192.168.1.20", ""), source);
    assert_eq!(account(at(LINE1)).1, Proof::Trusted);
    assert_eq!((status(at("10.0.0.1:5060")), status(at("172.16.0.1:5060"))), (401, 401));
}

#[test]
fn guests_are_let_in_only_when_the_configuration_says_so() {
    let ask = |edge: &Admission, method: &str, user: &str, source: &str| {
        admit(edge, &request(method, user, "192.168.1.20", ""), source)
    };
    assert_eq!(status(ask(&edge_of(A, ""), "INVITE", "nobody", LINE1)), 401, "absent means no");
    let open = edge_of(&format!("[general]\nallowguest=yes\ncontext=lobby\ndeny=10.0.0.0/8\n{A}"), "");
    let Verdict::Pass { caller: Caller::Account { peer, proof } } = ask(&open, "INVITE", "nobody", LINE1) else {
        panic!()
    };
    assert_eq!((peer.name.as_str(), peer.settings.context.as_str(), proof), ("guest", "lobby", Proof::Trusted));
    assert_eq!((peer.call_limit, peer.is_callable()), (Some(10), false));
    assert_eq!(status(ask(&open, "INVITE", "a", LINE1)), 401, "who names an account proves it");
    assert_eq!(status(ask(&open, "REGISTER", "nobody", LINE1)), 401, "a guest calls, and no more");
    assert_eq!(status(ask(&open, "INVITE", "nobody", "10.0.0.1:5060")), 401, "the list of [general] holds for guests");
    let nonce = nonce(&open, LINE1);
    let wrong = authorize("INVITE", "nobody", "x", "sip:88567682@192.168.1.2", &nonce, 1);
    let verdict = admit(&open, &request("INVITE", "nobody", "192.168.1.20", &wrong), LINE1);
    assert_eq!(why(verdict), DenialReason::InvalidAccountID, "who tries a secret is no guest");
}

#[test]
fn registrations_for_other_domains_are_refused_and_calls_when_said() {
    let general = "[general]\ndomain=Home.Example\ndomain=[2001:db8::2],six\ndomain=10.0.0.1,ten\n";
    let edge = edge_of(&format!("{general}{A}"), "");
    let nonce = nonce(&edge, LINE1);
    for domain in ["home.example", "HOME.EXAMPLE:5070", "[2001:DB8::2]"] {
        assert_eq!(account(admit(&edge, &register_to("a", domain, &nonce), LINE1)).0, "a", "{domain}");
    }
    let elsewhere = admit(&edge, &register_to("a", "192.168.1.2", &nonce), LINE1);
    let (_, _, note) = reply(elsewhere.clone());
    assert_eq!(why(elsewhere), DenialReason::FailedACL);
    let (_, hint) = texts(note);
    assert!(hint.contains("'domain='") && hint.contains("autodomain"), "{hint}");
    // Calls may go to any domain unless configured otherwise.
    account(admit(&edge, &call("a", "sip:88@other.example", &nonce), LINE1));
    let contexts = ["sip:88@10.0.0.1", "sip:88@[2001:db8::2]", "sip:88@home.example"]
        .map(|target| edge.context_of(&call("a", target, &nonce)).map(String::from));
    assert_eq!(contexts, [Some("ten".into()), Some("six".into()), None]);

    let closed = edge_of(&format!("{general}allowexternaldomains=no\nautodomain=yes\n{A}"), "");
    for (target, is_in) in
        [("sip:88@home.example", true), ("sip:88@192.168.1.2", true), ("sip:88@other.example", false)]
    {
        let verdict = admit(&closed, &call("a", target, &nonce), LINE1);
        assert_eq!(matches!(verdict, Verdict::Pass { .. }), is_in, "{target}");
    }
    account(admit(&closed, &registers("a", "password", &nonce), LINE1));
}

#[test]
fn the_digests_name_may_decide_alone() {
    let two = format!("{A}[b]\ntype=friend\nhost=dynamic\nsecret=password\n");
    let call = |edge: &Admission| {
        let nonce = nonce(edge, LINE1);
        let line = authorize("INVITE", "b", "password", "sip:88567682@192.168.1.2", &nonce, 1);
        admit(edge, &request("INVITE", "a", "192.168.1.20", &line), LINE1)
    };
    assert_eq!(why(call(&edge_of(&two, ""))), DenialReason::ChallengeResponseFailed);
    assert_eq!(account(call(&edge_of(&format!("[general]\nmatch_auth_username=yes\n{two}"), ""))).0, "b");
}

#[test]
fn options_are_challenged_when_said() {
    let edge = edge_of(&format!("[general]\nauth_options_requests=yes\n{A}"), "");
    let ask = |extra: &str| admit(&edge, &request("OPTIONS", "a", "192.168.1.20", extra), LINE1);
    let (challenge, ..) = reply(ask(""));
    assert_eq!(challenge.status, 401);
    let line = |secret: &str| authorize("OPTIONS", "a", secret, "sip:88567682@192.168.1.2", &nonce_of(&challenge), 1);
    assert_eq!((status(ask(&line("password"))), why(ask(&line("wrong")))), (200, DenialReason::InvalidPassword));
    assert_eq!(status(admit(&edge_of(A, ""), &request("OPTIONS", "a", "192.168.1.20", ""), LINE1)), 200);
}

fn sha256(text: &str) -> String {
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 8760: exactly one challenge, of the peer's own algorithm.
#[test]
fn sha_256_is_for_the_peer_that_asks_for_it() {
    let edge = edge_of(&format!("{A}[new]\ntype=friend\nhost=dynamic\nsecret=password\nauth_algorithm=sha256\n"), "");
    let ask = |user: &str, extra: &str| admit(&edge, &request("REGISTER", user, "192.168.1.20", extra), LINE1);
    let algorithm = |verdict: Verdict| {
        let (response, ..) = reply(verdict);
        assert_eq!((response.status, response.headers.count(HeaderName::WwwAuthenticate)), (401, 1));
        let value = response.headers.text(HeaderName::WwwAuthenticate).unwrap().into_owned();
        value.split("algorithm=").nth(1).unwrap().split(',').next().unwrap().to_owned()
    };
    assert_eq!(["a", "new", "nobody"].map(|user| algorithm(ask(user, ""))), ["MD5", "SHA-256", "MD5"]);
    let nonce = nonce(&edge, LINE1);
    let answer = |secret: &str| {
        let (ha1, ha2) = (sha256(&format!("new:asterisk:{secret}")), sha256("REGISTER:sip:192.168.1.2"));
        let response = sha256(&format!("{ha1}:{nonce}:00000001:c0ffee:auth:{ha2}"));
        format!(
            "Authorization: Digest username=\"new\", realm=\"asterisk\", nonce=\"{nonce}\", uri=\"sip:192.168.1.2\", \
             response=\"{response}\", cnonce=\"c0ffee\", qop=auth, nc=00000001, algorithm=SHA-256\r\n"
        )
    };
    assert_eq!(account(ask("new", &answer("password"))).0, "new");
    assert_eq!(why(ask("new", &answer("wrong"))), DenialReason::InvalidPassword);
    // The right secret by the weaker hash does not get in: the sender is challenged again, and not banned for it.
    let weaker = authorize("REGISTER", "new", "password", "sip:192.168.1.2", &nonce, 1);
    assert_eq!(algorithm(ask("new", &weaker)), "SHA-256");
    let stronger = answer("password").replace("\"new\"", "\"a\"");
    assert_eq!(
        [algorithm(ask("a", &stronger)), algorithm(ask("nobody", &stronger.replace("\"a\"", "\"nobody\"")))],
        ["MD5", "MD5"]
    );
}

/// An account that does not exist is challenged with the algorithm of `[general]`: so the algorithm reveals nothing.
#[test]
fn the_general_algorithm_hides_who_exists() {
    let edge =
        edge_of("[general]\nauth_algorithm=sha256\n[known-one]\ntype=friend\nhost=dynamic\nsecret=password\n", "");
    let ask = |user: &str| shape(&reply(admit(&edge, &request("REGISTER", user, "192.168.1.20", ""), LINE1)).0, user);
    assert!(ask("known-one").contains("algorithm=SHA-256"));
    assert_eq!(ask("known-one"), ask("nobody-xy"));
}

/// Whoever is refused is told of in words that lead to the cause: never "wrong secret" where no secret would help.
#[test]
fn a_trunk_that_is_challenged_for_its_port_alone_is_worth_a_word_and_no_ban() {
    let sip = "[general]\n\n[line2]\ntype=friend\nhost=192.168.1.20\n[provider]\ntype=peer\nhost=203.0.113.5\nsecret=x8Fq2mVn0aKe\n\
               insecure=invite\n[asked]\ntype=peer\nhost=203.0.113.6\nsecret=p2cd7n4yr6sv\n[any]\ntype=peer\nhost=203.0.113.7\n\
               insecure=port\n[phone]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\n";
    let edge = edge_of(sip, "");
    let note = |method: &str, user: &str, source: &str| {
        let (response, _, note) = reply(admit(&edge, &request(method, user, "192.168.1.20", ""), source));
        assert_eq!(response.status, 401, "{method} {user} {source}");
        note
    };
    for (user, source, hint) in [
        (
            "0301234567",
            "203.0.113.5:41000",
            "a call as '0301234567', which sip.conf does not have, came from 203.0.113.5:41000; [provider] (sip.conf:6) is at \
             203.0.113.5:5060. If it is that one: set port=41000 there, or insecure=port when its port changes",
        ),
        (
            "line2",
            "192.168.1.20:5080",
            "a call as 'line2' came from 192.168.1.20:5080; [line2] (sip.conf:3) may call without a secret, but from \
             192.168.1.20:5060 alone: set port=5080 there, or insecure=port when its port changes",
        ),
    ] {
        let Some(AuthEvent::ChallengedNeighbour(denial)) = note("INVITE", user, source) else { panic!("{user}") };
        assert_eq!(texts(Some(AuthEvent::Refused(denial))).1, hint);
    }
    for (method, user, source) in [
        ("REGISTER", "line2", "192.168.1.20:5080"),
        ("INVITE", "0301234567", "203.0.113.6:41000"),
        ("INVITE", "0301234567", "198.51.100.1:5060"),
        ("INVITE", "phone", "203.0.113.5:41000"),
    ] {
        assert_eq!(note(method, user, source), Some(AuthEvent::Challenged), "{method} {user} {source}");
    }
}

#[test]
fn a_refusal_names_its_own_cause() {
    let sip = "[general]\n\n[line2]\ntype=friend\nhost=192.168.1.20\n[provider]\ntype=peer\nhost=203.0.113.5\nsecret=x8Fq2mVn0aKe\n\
               insecure=invite\n[caller]\ntype=user\nsecret=p2cd7n4yr6sv\n[hashed]\ntype=friend\nhost=dynamic\n\
               md5secret=0123456789abcdef0123456789abcdef\n[phone]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\n";
    let edge = edge_of(sip, "");
    let said = |method: &str, user: &str, source: &str| {
        let target = if method == "REGISTER" { "sip:192.168.1.2" } else { "sip:88567682@192.168.1.2" };
        let line = authorize(method, user, "guess", target, &nonce(&edge, source), 1);
        let (event, hint) = texts(reply(admit(&edge, &request(method, user, "192.168.1.20", &line), source)).2);
        (event.split('"').nth(1).unwrap_or_default().to_owned(), hint)
    };
    for (method, user, source, event, text) in [
        (
            "INVITE",
            "line2",
            "192.168.1.20:5080",
            "FailedACL",
            "a call as 'line2' came from 192.168.1.20:5080; [line2] (sip.conf:3) may call without a secret, but from \
             192.168.1.20:5060 alone: set port=5080 there, or insecure=port when its port changes",
        ),
        (
            "INVITE",
            "line2",
            "192.168.1.21:5060",
            "FailedACL",
            "a call as 'line2' came from 192.168.1.21:5060; [line2] (sip.conf:3) may call without a secret, but from \
             192.168.1.20:5060 alone: correct host= there, or set host=dynamic and a secret",
        ),
        (
            "REGISTER",
            "line2",
            "192.168.1.20:5080",
            "FailedACL",
            "'line2' at 192.168.1.20 wants to register, but [line2] (sip.conf:3) has no secret and the fixed address \
             192.168.1.20:5060. Set host=dynamic and a secret there, or switch registration off in the phone",
        ),
        (
            "INVITE",
            "provider",
            "203.0.113.5:5999",
            "FailedACL",
            "a call as 'provider' came from 203.0.113.5:5999; [provider] (sip.conf:6) may call without a secret, but from \
             203.0.113.5:5060 alone: set port=5999 there, or insecure=port when its port changes",
        ),
        (
            "INVITE",
            "0301234",
            "203.0.113.5:5999",
            "InvalidAccountID",
            "a call as '0301234', which sip.conf does not have, came from 203.0.113.5:5999; [provider] (sip.conf:6) is at \
             203.0.113.5:5060. If it is that one: set port=5999 there, or insecure=port when its port changes",
        ),
        (
            "REGISTER",
            "caller",
            LINE1,
            "InvalidAccountID",
            "'caller' at 192.168.1.20 wants to register, but [caller] (sip.conf:11) is type=user, which only calls. Set \
             type=friend there",
        ),
        (
            "REGISTER",
            "hashed",
            LINE1,
            "InvalidPassword",
            "phone 'hashed' at 192.168.1.20: wrong secret, or the md5secret of [hashed] (sip.conf:14) was made for another \
             name than 'hashed', another realm than 'asterisk', or another secret",
        ),
        (
            "INVITE",
            "phone",
            LINE1,
            "InvalidPassword",
            "phone 'phone' at 192.168.1.20: wrong secret. Type the one of [phone] (sip.conf:18) into the phone; its user name \
             is right (`sip show peer phone`)",
        ),
        (
            "INVITE",
            "nobody",
            LINE1,
            "InvalidAccountID",
            "192.168.1.20 wants to be 'nobody', which sip.conf does not have. A phone of yours? Correct its user name, or add \
             [nobody] there",
        ),
    ] {
        assert_eq!(said(method, user, source), (event.to_owned(), text.to_owned()), "{method} {user} {source}");
    }
}
