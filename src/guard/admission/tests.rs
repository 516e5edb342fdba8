//! The edge, rule by rule. Digests are computed here by hand, not by the code under test.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::*;
use crate::clock::Wall;
use crate::config::acl::{Acl, Rule};
use crate::config::general::General;
use crate::config::peer::{Credential, Kind, Nat, PeerAddress};
use crate::config::secret::Secret;
use crate::config::{ini, sip_conf};
use crate::daemon::sentence;
use crate::event::security::{DenialReason, SecurityEvent};
use crate::sip::{Message, validate};

mod access;
mod alike;
mod who;

const NOW: Now = Now { mono: Time::from_start(HOUR), wall: Wall(1_795_000_000_000) };
const HOUR: Duration = Duration::from_secs(3_600);
const LINE1: &str = "192.168.1.20:5060";

fn peer(name: &str) -> Peer {
    // It stands in line 12 of its file.
    let text = format!("{}[{name}]\ntype=friend\nhost=dynamic\nsecret=password\n", "\n".repeat(11));
    let (document, _) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
    let (conf, said) = sip_conf::parse(&document, &Default::default());
    assert!(said.is_empty(), "{said:?}");
    let peer = conf.peers.into_values().next().unwrap();
    Peer::clone(&peer)
}

fn edge(peers: Vec<Peer>) -> Admission {
    let peers: BTreeMap<String, Arc<Peer>> =
        peers.into_iter().map(|peer| (peer.name.clone(), Arc::new(peer))).collect();
    Admission::new(&SipConf { general: General::default(), peers, ..SipConf::default() }, NonceKey::new([7; 32], 1))
}

/// The guide's two lines.
fn guide() -> Admission {
    edge(vec![peer("pap2t-ispmodem"), peer("pap2t-client")])
}

fn read(text: &str) -> Request {
    match Message::parse(&Bytes::from(text.to_owned())) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// A REGISTER or INVITE with `extra` lines (each ending in CRLF).
fn request(method: &str, user: &str, via: &str, extra: &str) -> Request {
    let (target, to) =
        if method == "REGISTER" { ("sip:192.168.1.2", user) } else { ("sip:88567682@192.168.1.2", "88567682") };
    read(&format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@192.168.1.2>;tag=f1o0\r\nTo: <sip:{to}@192.168.1.2>\r\nCall-ID: abc@192.168.1.20\r\n\
         CSeq: 1 {method}\r\nContact: <sip:{user}@192.168.1.20:5060>\r\n{extra}\r\n"
    ))
}

fn over(source: &str) -> Flow {
    Flow::udp("192.168.1.2:5060".parse().unwrap(), source.parse().unwrap())
}

fn later(by: Duration) -> Now {
    Now { mono: NOW.mono + by, ..NOW }
}

fn admit_at(edge: &Admission, request: &Request, source: &str, now: Now) -> Verdict {
    let essentials = validate::request(request).unwrap();
    edge.admit(request, &essentials, over(source), now, 42)
}

fn admit(edge: &Admission, request: &Request, source: &str) -> Verdict {
    admit_at(edge, request, source, NOW)
}

fn reply(verdict: Verdict) -> (Response, SocketAddr, Option<AuthEvent>) {
    match verdict {
        Verdict::Reply { response, to, note } => (response, to, note),
        other => panic!("no reply: {other:?}"),
    }
}

fn status(verdict: Verdict) -> u16 {
    reply(verdict).0.status
}

fn nonce_of(response: &Response) -> String {
    let value = response.headers.text(HeaderName::WwwAuthenticate).unwrap().into_owned();
    value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn nonce(edge: &Admission, source: &str) -> String {
    nonce_of(&reply(admit(edge, &request("REGISTER", "probe", "192.168.1.20", ""), source)).0)
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An Authorization line with `qop=auth` (RFC 2617 3.2.2.1).
fn authorize(method: &str, user: &str, secret: &str, uri: &str, nonce: &str, nc: u32) -> String {
    let (ha1, ha2) = (md5(&format!("{user}:asterisk:{secret}")), md5(&format!("{method}:{uri}")));
    let response = md5(&format!("{ha1}:{nonce}:{nc:08x}:c0ffee:auth:{ha2}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"asterisk\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         cnonce=\"c0ffee\", qop=auth, nc={nc:08x}, algorithm=md5\r\n"
    )
}

fn registers(user: &str, secret: &str, nonce: &str) -> Request {
    let line = authorize("REGISTER", user, secret, "sip:192.168.1.2", nonce, 1);
    request("REGISTER", user, "192.168.1.20", &line)
}

fn account(verdict: Verdict) -> (String, Proof) {
    match verdict {
        Verdict::Pass { caller: Caller::Account { peer, proof } } => (peer.name.clone(), proof),
        other => panic!("not an account: {other:?}"),
    }
}

fn why(verdict: Verdict) -> DenialReason {
    let (response, _, note) = reply(verdict);
    assert_eq!((response.status, &response.reason[..]), (403, &b"Forbidden"[..]));
    match note {
        Some(AuthEvent::Refused(denial)) => denial.cause.reason(),
        other => panic!("{other:?}"),
    }
}

/// The line for ban tools and the hint for the administrator, as the log has them.
fn texts(note: Option<AuthEvent>) -> (String, String) {
    let Some(AuthEvent::Refused(denial)) = note else { panic!("{note:?}") };
    let denial = *denial;
    let text = |event: SecurityEvent| sentence::lines(&event.into()).remove(0).text;
    let hint = SecurityEvent::DenialReported { denial: denial.clone(), nearest: None, repeated: None };
    (text(SecurityEvent::Denied(denial)), text(hint))
}

/// The bytes of an answer without what must differ: the nonce, the tag, and the user it echoes.
fn shape(response: &Response, user: &str) -> String {
    let text = String::from_utf8(response.to_bytes().to_vec()).unwrap();
    let text = text.replace(user, "USER");
    let text = match response.headers.text(HeaderName::WwwAuthenticate) {
        Some(_) => text.replace(&nonce_of(response), "NONCE"),
        None => text,
    };
    let tag =
        text.split("To: ").nth(1).unwrap().split("\r\n").next().unwrap().split(";tag=").nth(1).unwrap().to_owned();
    assert_eq!(tag.len(), 16);
    text.replace(&tag, "TAG")
}

#[test]
fn a_stranger_is_challenged_once_with_md5_and_qop() {
    let edge = guide();
    // As long as what telephones send: a response to a stranger is no longer than his request.
    let subject = format!("Subject: {}\r\n", "x".repeat(200));
    for method in ["REGISTER", "INVITE"] {
        let (response, to, note) =
            reply(admit(&edge, &request(method, "pap2t-client", "192.168.1.20:5060", &subject), LINE1));
        assert_eq!((response.status, note), (401, Some(AuthEvent::Challenged)));
        assert_eq!(to, LINE1.parse().unwrap());
        assert_eq!(response.headers.count(HeaderName::WwwAuthenticate), 1);
        assert_eq!(response.headers.count(HeaderName::ProxyAuthenticate), 0);
        assert_eq!(
            response.headers.text(HeaderName::WwwAuthenticate).unwrap(),
            format!("Digest algorithm=MD5, realm=\"asterisk\", nonce=\"{}\", qop=\"auth\"", nonce_of(&response))
        );
        assert_eq!(response.headers.text(HeaderName::Server).unwrap(), General::default().user_agent);
        assert_eq!(response.headers.text(HeaderName::Allow).unwrap(), ALLOW);
        let via = response.headers.text(HeaderName::Via).unwrap().into_owned();
        assert!(via.contains("received=192.168.1.20"), "{via}");
    }
}

#[test]
fn a_retransmission_gets_the_same_tag_and_another_request_another() {
    let edge = guide();
    let tag = |request: &Request, now| {
        let (response, ..) = reply(admit_at(&edge, request, LINE1, now));
        response.headers.text(HeaderName::To).unwrap().split(";tag=").nth(1).unwrap().to_owned()
    };
    let first = request("INVITE", "pap2t-client", "192.168.1.20", "");
    assert_eq!(tag(&first, NOW), tag(&first, later(Duration::from_millis(500))));
    let mut other = first.clone();
    other.headers.set(HeaderName::CSeq, "2 INVITE");
    assert_ne!(tag(&first, NOW), tag(&other, NOW));
    let mut other = first.clone();
    other.headers.set(HeaderName::Via, "SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK-2");
    assert_ne!(tag(&first, NOW), tag(&other, NOW));
}

#[test]
fn a_right_digest_passes() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let (name, proof) = account(admit(&edge, &registers("pap2t-client", "password", &nonce), LINE1));
    assert_eq!(name, "pap2t-client");
    assert_eq!(proof, Proof::Digest { nonce: nonce.as_str().into(), nc: Some(1), stale: false });

    let line = authorize("INVITE", "pap2t-client", "password", "sip:88567682@192.168.1.2", &nonce, 9);
    let (_, proof) = account(admit(&edge, &request("INVITE", "pap2t-client", "192.168.1.20", &line), LINE1));
    assert_eq!(proof, Proof::Digest { nonce: nonce.into(), nc: Some(9), stale: false });
}

#[test]
fn old_phones_answer_without_qop() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let response =
        md5(&format!("{}:{nonce}:{}", md5("pap2t-client:asterisk:password"), md5("REGISTER:sip:192.168.1.2")));
    let line = format!(
        "Authorization: Digest username=\"pap2t-client\",realm=\"asterisk\",nonce=\"{nonce}\",uri=\"sip:192.168.1.2\",response=\"{response}\"\r\n"
    );
    let (_, proof) = account(admit(&edge, &request("REGISTER", "pap2t-client", "192.168.1.20", &line), LINE1));
    assert_eq!(proof, Proof::Digest { nonce: nonce.into(), nc: None, stale: false });
}

#[test]
fn md5secret_works_like_the_secret() {
    let mut modem = peer("modem");
    modem.credential = Some(Credential::Ha1(Secret::new(md5("modem:asterisk:hunter2"))));
    let edge = edge(vec![modem]);
    let nonce = nonce(&edge, LINE1);
    account(admit(&edge, &registers("modem", "hunter2", &nonce), LINE1));
    assert_eq!(why(admit(&edge, &registers("modem", "hunter3", &nonce), LINE1)), DenialReason::InvalidPassword);
}

/// AST-2009-008, AST-2013-003, AST-2018-008: a refused sender does not learn which accounts exist.
#[test]
fn unknown_wrong_refused_and_mixed_look_alike() {
    let mut fenced = peer("fenced-cli");
    fenced.acl = Acl { rules: vec![Rule { permit: false, net: "0.0.0.0/0".parse().unwrap() }], ..Acl::default() };
    let mut caller = peer("caller-cli");
    caller.kind = Kind::User;
    let mut fixed = peer("fixed-cli-");
    fixed.settings.nat = Nat { force_rport: Tristate::On, comedia: Tristate::On };
    let edge = edge(vec![peer("known-cli-"), fenced, caller, fixed]);
    let nonce = nonce(&edge, LINE1);
    for method in ["REGISTER", "INVITE"] {
        let uri = if method == "REGISTER" { "sip:192.168.1.2" } else { "sip:88567682@192.168.1.2" };
        let context = |user: &str, digest: &str, secret: &str| {
            let line = authorize(method, digest, secret, uri, &nonce, 1);
            let first = reply(admit(&edge, &request(method, user, "192.168.1.20:5099", ""), LINE1));
            let second = reply(admit(&edge, &request(method, user, "192.168.1.20:5099", &line), LINE1));
            assert_eq!((first.0.status, second.0.status), (401, 403));
            (shape(&first.0, user), first.1, shape(&second.0, user), second.1)
        };
        let unknown = context("nobody-xyz", "nobody-xyz", "password");
        assert_eq!(context("known-cli-", "known-cli-", "wrong"), unknown);
        assert_eq!(context("fenced-cli", "fenced-cli", "password"), unknown);
        assert_eq!(context("known-cli-", "fixed-cli-", "password"), unknown);
        assert_eq!(context("known-cli-", "nobody-xyz", "password"), unknown);
        assert_eq!(context("fixed-cli-", "fixed-cli-", "wrong"), unknown, "nat=force_rport moves no answer");
        if method == "REGISTER" {
            assert_eq!(context("caller-cli", "caller-cli", "password"), unknown, "type=user does not register");
        }
    }
}

#[test]
fn what_was_wrong_is_known_inside() {
    let mut fenced = peer("fenced");
    fenced.acl = Acl { rules: vec![Rule { permit: false, net: "192.168.0.0/16".parse().unwrap() }], ..Acl::default() };
    let edge = edge(vec![peer("a"), peer("b"), fenced]);
    let nonce = nonce(&edge, LINE1);
    assert_eq!(why(admit(&edge, &registers("a", "wrong", &nonce), LINE1)), DenialReason::InvalidPassword);
    assert_eq!(why(admit(&edge, &registers("x", "password", &nonce), LINE1)), DenialReason::InvalidAccountID);
    assert_eq!(why(admit(&edge, &registers("fenced", "password", &nonce), LINE1)), DenialReason::FailedACL);
    let line = authorize("REGISTER", "b", "password", "sip:192.168.1.2", &nonce, 1);
    let mixed = request("REGISTER", "a", "192.168.1.20", &line);
    assert_eq!(why(admit(&edge, &mixed, LINE1)), DenialReason::ChallengeResponseFailed);
    let (.., note) = reply(admit(&edge, &registers("a", "wrong", &nonce), LINE1));
    let (line, hint) = texts(note);
    assert!(line.contains(",AccountID=\"a\","), "{line}");
    assert!(
        line.starts_with("SecurityEvent=\"InvalidPassword\",")
            && line.ends_with("RemoteAddress=\"IPV4/UDP/192.168.1.20/5060\"")
    );
    assert_eq!(
        hint,
        "phone 'a' at 192.168.1.20: wrong secret. Type the one of [a] (sip.conf:12) into the phone; its user name is right (`sip show peer a`)"
    );
    assert!(!format!("{line}{hint}").contains("password\""));
}

/// RFC 7616 3.4.2: the digest includes its user; the right secret under another name is no proof.
#[test]
fn a_digest_under_another_name_proves_nothing() {
    let mut open = peer("open");
    open.credential = None;
    let edge = edge(vec![peer("a"), peer("b"), open]);
    let nonce = nonce(&edge, LINE1);
    let honest = authorize("REGISTER", "a", "password", "sip:192.168.1.2", &nonce, 1);
    let renamed = honest.replace("username=\"a\"", "username=\"b\"");
    assert_eq!(
        why(admit(&edge, &request("REGISTER", "a", "192.168.1.20", &renamed), LINE1)),
        DenialReason::ChallengeResponseFailed
    );
    let line = authorize("INVITE", "a", "password", "sip:88567682@192.168.1.2", &nonce, 1);
    let posing = request("INVITE", "open", "192.168.1.20", &line);
    assert_eq!(why(admit(&edge, &posing, LINE1)), DenialReason::ChallengeResponseFailed, "open or not");
}

#[test]
fn a_name_from_the_network_cannot_forge_a_line() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let name = "x%22,RemoteAddress=%22IPV4/UDP/192.0.2.66/1%22%0d%0a";
    let line = authorize("REGISTER", "y", "z", "sip:192.168.1.2", &nonce, 1);
    let (.., note) = reply(admit(&edge, &request("REGISTER", name, "192.168.1.20", &line), LINE1));
    let (line, hint) = texts(note);
    assert_eq!(line.matches("RemoteAddress=").count(), 1);
    for text in [line, hint] {
        assert!(!text.contains("192.0.2.66/1\"") && !text.contains('\r') && !text.contains('\n'), "{text}");
    }
}

#[test]
fn an_expired_nonce_is_stale_for_who_knows_the_secret_and_for_who_guesses() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let later = later(HOUR);
    let (_, proof) = account(admit_at(&edge, &registers("pap2t-client", "password", &nonce), LINE1, later));
    assert_eq!(proof, Proof::Digest { nonce: nonce.as_str().into(), nc: Some(1), stale: true });
    for (user, secret) in [("pap2t-client", "wrong"), ("nobody", "password")] {
        let (response, _, note) = reply(admit_at(&edge, &registers(user, secret, &nonce), LINE1, later));
        assert_eq!((response.status, note), (401, Some(AuthEvent::Challenged)));
        assert!(response.headers.text(HeaderName::WwwAuthenticate).unwrap().ends_with("stale=true"));
    }
    let request = registers("pap2t-client", "password", &nonce);
    let stale = edge.challenge(
        &request,
        LINE1.parse().unwrap(),
        later.mono,
        1,
        ChallengeOptions { algorithm: Algorithm::Md5, stale: true },
    );
    assert!(stale.headers.text(HeaderName::WwwAuthenticate).unwrap().ends_with("qop=\"auth\", stale=true"));
}

#[test]
fn no_clock_jump_locks_anyone_out_or_revives_a_nonce() {
    let edge = guide();
    for wall in [Wall(0), Wall(-5), Wall(NOW.wall.0 - 3_600_000), Wall(NOW.wall.0 + 3_600_000), Wall(i64::MAX)] {
        let nonce = nonce(&edge, LINE1);
        let now = Now { wall, ..NOW };
        let (_, proof) = account(admit_at(&edge, &registers("pap2t-client", "password", &nonce), LINE1, now));
        assert_eq!(proof, Proof::Digest { nonce: nonce.as_str().into(), nc: Some(1), stale: false });
        let old = Now { mono: NOW.mono + 2 * nonce::LIFETIME, wall };
        let (_, proof) = account(admit_at(&edge, &registers("pap2t-client", "password", &nonce), LINE1, old));
        let Proof::Digest { stale, .. } = proof else { panic!("{proof:?}") };
        assert!(stale, "nor does it make an old one good again");
        let fresh =
            nonce_of(&reply(admit_at(&edge, &request("REGISTER", "pap2t-client", "192.168.1.20", ""), LINE1, now)).0);
        let (_, proof) = account(admit_at(&edge, &registers("pap2t-client", "password", &fresh), LINE1, now));
        assert_eq!(proof, Proof::Digest { nonce: fresh.into(), nc: Some(1), stale: false });
    }
}

/// What was recorded before a restart is told to be stale, and no more.
#[test]
fn a_nonce_of_before_the_start_is_stale() {
    let conf = |start| {
        let peers = [("pap2t-client".to_owned(), Arc::new(peer("pap2t-client")))].into();
        Admission::new(
            &SipConf { general: General::default(), peers, ..SipConf::default() },
            NonceKey::new([7; 32], start),
        )
    };
    let nonce = nonce(&conf(1), LINE1);
    for (start, is_stale) in [(1, false), (2, true)] {
        let (_, proof) = account(admit(&conf(start), &registers("pap2t-client", "password", &nonce), LINE1));
        assert_eq!(proof, Proof::Digest { nonce: nonce.as_str().into(), nc: Some(1), stale: is_stale });
    }
}

/// A nonce that is not ours, or was given to another address, proves nothing and is no reason for a ban.
#[test]
fn a_foreign_nonce_is_only_a_reason_to_ask_again() {
    let edge = guide();
    let theirs = nonce(&edge, "192.168.1.99:5060");
    for nonce in ["deadbeef", "", theirs.as_str()] {
        for secret in ["password", "wrong"] {
            let (response, _, note) = reply(admit(&edge, &registers("pap2t-client", secret, nonce), LINE1));
            assert_eq!((response.status, note), (401, Some(AuthEvent::Challenged)));
        }
    }
}

/// RFC 7616 3.4: a digest of no URI says nothing of this request. The answer is the same whoever is named, and whether
/// the digest is right or not. One of another number, or that names no URI at all, is asked for again.
#[test]
fn a_digest_without_a_uri_is_a_bad_request_for_everyone() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    for method in ["REGISTER", "INVITE"] {
        let fate = |user: &str, secret: &str, uri: &str, change: &dyn Fn(String) -> String| {
            let line = change(authorize(method, user, secret, uri, &nonce, 1));
            status(admit(&edge, &request(method, user, "192.168.1.20:5070", &line), LINE1))
        };
        let same = |line: String| line;
        for (user, secret) in [("pap2t-client", "password"), ("pap2t-client", "wrong"), ("nobody", "password")] {
            assert_eq!(fate(user, secret, "", &same), 400, "{method} {user}");
            let without = |line: String| line.replace("uri=\"sip:1@192.168.1.2\"", "x=y");
            assert_eq!(fate(user, secret, "sip:1@192.168.1.2", &without), 401, "{method} {user}: no URI at all");
        }
        if method == "INVITE" {
            for user in ["pap2t-client", "nobody"] {
                let wanted = if user == "nobody" { 403 } else { 401 };
                assert_eq!(fate(user, "password", "sip:1@192.168.1.2", &same), wanted, "{user}: of another number");
            }
        }
    }
}

#[test]
fn of_several_credentials_those_for_our_realm_count() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let ours = authorize("REGISTER", "pap2t-client", "password", "sip:192.168.1.2", &nonce, 1);
    let theirs = ours.replace("realm=\"asterisk\"", "realm=\"elsewhere\"");
    let lines = format!("{theirs}Authorization: Basic cGFwMnQ6cGFzcw==\r\n{ours}");
    account(admit(&edge, &request("REGISTER", "pap2t-client", "192.168.1.20", &lines), LINE1));
    let (response, ..) = reply(admit(&edge, &request("REGISTER", "pap2t-client", "192.168.1.20", &theirs), LINE1));
    assert_eq!(response.status, 401);
}

#[test]
fn a_digest_is_good_for_its_own_method_and_number_only() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let invite = |uri: &str, method: &str| {
        let line = authorize(method, "pap2t-client", "password", uri, &nonce, 1);
        admit(&edge, &request("INVITE", "pap2t-client", "192.168.1.20", &line), LINE1)
    };
    account(invite("sip:88567682@192.168.1.2", "INVITE"));
    account(invite("sip:88567682@192.168.1.2;user=phone", "INVITE"));
    account(invite("sip:192.168.1.2;transport=UDP", "INVITE"));
    let (response, _, note) = reply(invite("sip:0900123456@192.168.1.2", "INVITE"));
    assert_eq!((response.status, note), (401, Some(AuthEvent::Challenged)));
    let challenge = response.headers.get(HeaderName::WwwAuthenticate).unwrap();
    assert!(String::from_utf8_lossy(challenge).contains("stale=true"), "the secret is right: a new digest will do");
    assert_eq!(why(invite("sip:88567682@192.168.1.2", "REGISTER")), DenialReason::InvalidPassword);
}

#[test]
fn an_anonymous_from_is_known_by_its_digest() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let line = authorize("INVITE", "pap2t-client", "password", "sip:88567682@192.168.1.2", &nonce, 1);
    let mut anonymous = request("INVITE", "anonymous", "192.168.1.20", &line);
    assert_eq!(account(admit(&edge, &anonymous, LINE1)).0, "pap2t-client");
    anonymous.headers.set(HeaderName::From, "<sip:192.168.1.2>;tag=1");
    assert_eq!(account(admit(&edge, &anonymous, LINE1)).0, "pap2t-client");
    anonymous.headers.set(HeaderName::From, "\"Anonymous\" <tel:+491234>;tag=1");
    assert_eq!(account(admit(&edge, &anonymous, LINE1)).0, "pap2t-client");
    anonymous.headers.set(HeaderName::From, "<sip:pap2t-ispmodem@192.168.1.2>;tag=1");
    assert_eq!(why(admit(&edge, &anonymous, LINE1)), DenialReason::ChallengeResponseFailed);
}

#[test]
fn two_lines_of_one_ata_are_distinguished_by_name() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    for (name, source) in [("pap2t-ispmodem", "192.168.1.20:5060"), ("pap2t-client", "192.168.1.20:5061")] {
        assert_eq!(account(admit(&edge, &registers(name, "password", &nonce), source)).0, name);
    }
}

#[test]
fn a_peer_without_secret_is_let_in_unless_refused_by_address() {
    let mut open = peer("open");
    open.credential = None;
    open.acl = Acl { rules: vec![Rule { permit: false, net: "10.0.0.0/8".parse().unwrap() }], ..Acl::default() };
    let edge = edge(vec![open]);
    for method in ["REGISTER", "INVITE"] {
        let context = request(method, "open", "192.168.1.20", "");
        assert_eq!(account(admit(&edge, &context, LINE1)), ("open".into(), Proof::Trusted));
        assert_eq!(
            status(admit(&edge, &context, "10.0.0.9:5060")),
            401,
            "refused addresses are challenged like strangers"
        );
    }
}

#[test]
fn a_trunk_is_known_by_its_address() {
    let home: SocketAddr = "203.0.113.5:5060".parse().unwrap();
    let mut trunk = peer("trunk");
    trunk.host = PeerAddress::Static(home);
    trunk.settings.insecure.invite = true;
    let mut asked = peer("asked");
    asked.host = PeerAddress::Static("203.0.113.6:5060".parse().unwrap());
    let edge = edge(vec![trunk.clone(), asked, peer("zz")]);
    let call = request("INVITE", "+491234567", "203.0.113.5", "");
    assert_eq!(account(admit(&edge, &call, "203.0.113.5:5060")), ("trunk".into(), Proof::Trusted));
    assert_eq!(status(admit(&edge, &call, "203.0.113.5:5999")), 401, "another port is another one");
    assert_eq!(status(admit(&edge, &call, "203.0.113.6:5060")), 401, "known by address, and challenged");
    let posing = request("INVITE", "trunk", "198.51.100.1", "");
    assert_eq!(status(admit(&edge, &posing, "198.51.100.1:5060")), 401, "its name alone proves nothing");
    assert_eq!(status(admit(&edge, &request("REGISTER", "trunk", "203.0.113.5", ""), "203.0.113.5:5060")), 401);

    trunk.settings.insecure.port = true;
    let edge = super::tests::edge(vec![trunk]);
    assert_eq!(account(admit(&edge, &call, "203.0.113.5:5999")).0, "trunk");
}

#[test]
fn insecure_invite_waives_the_digest_of_calls_only() {
    let mut ata = peer("ata");
    ata.settings.insecure.invite = true;
    let edge = edge(vec![ata]);
    assert_eq!(account(admit(&edge, &request("INVITE", "ata", "192.168.1.20", ""), LINE1)).1, Proof::Trusted);
    assert_eq!(status(admit(&edge, &request("REGISTER", "ata", "192.168.1.20", ""), LINE1)), 401);
}

#[test]
fn what_needs_no_account_is_answered_at_once_and_alike() {
    let edge = guide();
    let answer = |method: &str, user: &str| reply(admit(&edge, &request(method, user, "192.168.1.20", ""), LINE1)).0;
    for (method, status) in [
        ("OPTIONS", 200),
        ("NOTIFY", 200),
        ("PUBLISH", 405),
        ("REFER", 603),
        ("INFO", 405),
        ("UPDATE", 405),
        ("PRACK", 405),
        ("BYE", 481),
        ("FOO", 501),
        ("invite", 501),
    ] {
        let known = answer(method, "pap2t-client");
        assert_eq!(known.status, status, "{method}");
        assert_eq!(known.headers.text(HeaderName::Allow).as_deref(), Some(ALLOW), "{method}");
        assert_eq!(shape(&known, "pap2t-client"), shape(&answer(method, "pap2t-nobody"), "pap2t-nobody"), "{method}");
    }
    assert_eq!(
        answer("OPTIONS", "x").headers.text(HeaderName::Accept).as_deref(),
        Some("application/sdp, multipart/mixed")
    );
}

/// RFC 3261 8.2.2.3.
#[test]
fn a_required_extension_is_refused_by_name_but_not_in_ack_and_cancel() {
    let edge = guide();
    for method in ["INVITE", "REGISTER", "OPTIONS"] {
        let (response, ..) = reply(admit(
            &edge,
            &request(method, "pap2t-client", "192.168.1.20", "Require: 100rel, timer\r\nRequire: x\r\n"),
            LINE1,
        ));
        assert_eq!(response.status, 420);
        assert_eq!(response.headers.text(HeaderName::Unsupported).as_deref(), Some("100rel, x"));
    }
    for method in ["ACK", "CANCEL"] {
        let context = request(method, "pap2t-client", "192.168.1.20", "Require: 100rel\r\n");
        assert_eq!(admit(&edge, &context, LINE1), Verdict::Pass { caller: Caller::Dialog });
    }
}

#[test]
fn what_has_a_to_tag_is_the_switchs() {
    let edge = guide();
    for method in ["INVITE", "BYE", "INFO", "UPDATE", "NOTIFY", "OPTIONS"] {
        let mut inside = request(method, "whoever", "192.168.1.20", "");
        inside.headers.set(HeaderName::To, "<sip:1@192.168.1.2>;tag=as1");
        assert_eq!(admit(&edge, &inside, LINE1), Verdict::Pass { caller: Caller::Dialog });
    }
    let mut register = request("REGISTER", "pap2t-client", "192.168.1.20", "");
    register.headers.set(HeaderName::To, "<sip:pap2t-client@192.168.1.2>;tag=as1");
    assert_eq!(status(admit(&edge, &register, LINE1)), 401, "a tag is no way around the digest");
}

/// RFC 3261 16.3 step 3.
#[test]
fn max_forwards_0_sends_no_message_on() {
    let edge = guide();
    let answer = |method: &str| {
        let mut context = request(method, "pap2t-client", "192.168.1.20", "");
        context.headers.set(HeaderName::MaxForwards, "0");
        status(admit(&edge, &context, LINE1))
    };
    let all = ["MESSAGE", "INVITE", "REGISTER", "OPTIONS"].map(answer);
    assert_eq!(all, [483, 401, 401, 200], "of a call it is asked first whose it is");
}

#[test]
fn answers_go_where_each_device_listens() {
    let edge = guide();
    let to = |via: &str, source: &str| reply(admit(&edge, &request("REGISTER", "1600", via, ""), source)).1.to_string();
    assert_eq!(to("192.168.1.130:5060", "192.168.1.130:51098"), "192.168.1.130:5060", "Cisco 7960: the Via's port");
    assert_eq!(to("192.168.1.130", "192.168.1.130:51098"), "192.168.1.130:5060", "5060 when it names none");
    assert_eq!(to("192.168.1.130;rport", "192.168.1.130:51098"), "192.168.1.130:51098", "RFC 3581");
    assert_eq!(to("10.0.0.5:5060", "198.51.100.3:1024"), "198.51.100.3:1024", "behind NAT");
    assert_eq!(to("ata.local:5060", "192.168.1.20:1024"), "192.168.1.20:1024", "a name is looked up by nobody");
    assert_eq!(to("192.168.1.130;maddr=203.0.113.9", "192.168.1.130:5060"), "192.168.1.130:5060", "no reflection");
    let zero = request("REGISTER", "1600", "192.168.1.130", "");
    assert_eq!(admit(&edge, &zero, "192.168.1.130:0"), Verdict::Drop("source port 0"));
}

#[test]
fn a_response_is_completed_but_keeps_the_tag_it_has() {
    let edge = guide();
    let context = request("REGISTER", "pap2t-client", "192.168.1.20", "");
    let to = |status: u16, tag: Option<&str>| {
        let mut response = Response::for_request(&context, status, tag);
        edge.complete(&context, &mut response);
        assert_eq!(response.headers.text(HeaderName::Allow).as_deref(), Some(ALLOW));
        assert_eq!(response.headers.text(HeaderName::Server).unwrap(), General::default().user_agent);
        response.headers.text(HeaderName::To).unwrap().into_owned()
    };
    let plain = "<sip:pap2t-client@192.168.1.2>";
    assert_eq!(to(200, Some("as1")), format!("{plain};tag=as1"));
    assert_eq!(to(100, None), plain);
    let (challenge, ..) = reply(admit(&edge, &context, LINE1));
    assert_eq!(to(200, None), challenge.headers.text(HeaderName::To).unwrap(), "as the stateless answer had it");
}

/// RFC 4475: a request that validation refuses gets a response if it has a Via; an ACK never does.
#[test]
fn a_malformed_request_gets_the_required_response() {
    let edge = guide();
    let source = over(LINE1);
    let mut bad = request("INVITE", "pap2t-client", "192.168.1.20:5070;maddr=203.0.113.9", "");
    bad.headers.set(HeaderName::CSeq, "1 BYE");
    let refusal = validate::request(&bad).unwrap_err();
    let (response, to, note) = reply(edge.reject(&bad, &refusal, source));
    assert_eq!((response.status, response.reason_text(), note), (400, refusal.reason.into(), None));
    assert_eq!(to.to_string(), "192.168.1.20:5070");
    bad.method = Method::Ack;
    assert_eq!(edge.reject(&bad, &refusal, source), Verdict::Drop("malformed ACK"));
    bad.headers.remove(HeaderName::Via);
    let refusal = validate::request(&bad).unwrap_err();
    assert!(matches!(edge.reject(&bad, &refusal, source), Verdict::Drop(_)));
}

/// Whatever arrives: no panic, and every response goes to the address the request came from.
#[test]
fn mutated_requests_are_answered_to_their_source_only() {
    let edge = guide();
    let nonce = nonce(&edge, LINE1);
    let seeds: Vec<Bytes> = [
        registers("pap2t-client", "password", &nonce),
        request("INVITE", "pap2t-client", "192.168.1.20;rport", "Require: 100rel\r\n"),
        request(
            "OPTIONS",
            "a%40b",
            "[2001:db8::1]:5060;maddr=239.0.0.1",
            "Authorization: Digest realm=\"asterisk\"\r\n",
        ),
    ]
    .iter()
    .map(Request::to_bytes)
    .collect();
    let source = over(LINE1);
    let mut rng = crate::rng::Rng::from_number(14);
    let mut seen = 0;
    for round in 0..20_000usize {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bytes.len() as u64) as usize;
            match rng.below(4) {
                0 => bytes[at] ^= 1 << rng.below(8),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\"<>;,=:@%\\ \0"[rng.below(12) as usize]),
                _ => {
                    let end = (at + rng.below(30) as usize).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let Ok(Message::Request(request)) = Message::parse(&Bytes::from(bytes)) else { continue };
        let Ok(essentials) = validate::request(&request) else { continue };
        seen += 1;
        if let Verdict::Reply { response, to, .. } = edge.admit(&request, &essentials, source, NOW, rng.bits()) {
            assert_eq!(to.ip(), source.remote.ip());
            assert!(!response.to_bytes().is_empty());
        }
    }
    assert!(seen > 5_000, "the mutations must leave enough to look at: {seen}");
}

/// The edge does with every method what the table of methods says, without a To tag and with one.
#[test]
fn the_edge_follows_the_table_of_methods() {
    use crate::sip::method::{MethodRules, TABLE};
    let edge = guide();
    let unknown = (Method::from_bytes(b"FOO"), "FOO", *Method::from_bytes(b"FOO").rules());
    let does = |name: &str, tag: &str| {
        let mut request = request(name, "pap2t-client", "192.168.1.20", "");
        let to = format!("<sip:pap2t-client@192.168.1.2>{tag}");
        request.headers.set(HeaderName::To, to);
        admit(&edge, &request, LINE1)
    };
    let outside = |rules: &MethodRules| match rules.at_edge {
        AtEdge::Pass => None,
        AtEdge::Authenticate => Some(401),
        AtEdge::Accept => Some(200),
        AtEdge::Refuse(status) => Some(status),
    };
    for (_, name, rules) in TABLE.iter().chain([&unknown]) {
        let within = outside(rules).filter(|_| !rules.within_dialogs);
        for (tag, expected) in [("", outside(rules)), (";tag=1", within)] {
            match does(name, tag) {
                Verdict::Reply { response, .. } => assert_eq!(Some(response.status), expected, "{name} {tag}"),
                Verdict::Pass { caller: Caller::Dialog } => assert_eq!(None, expected, "{name} {tag}"),
                other => panic!("{name} {tag}: {other:?}"),
            }
        }
    }
}
