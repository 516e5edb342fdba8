//! An unauthenticated sender learns nothing and gains nothing: the same responses for everyone, one to each request, of
//! bounded size.

use super::*;

const METHODS: [&str; 16] = [
    "REGISTER",
    "INVITE",
    "OPTIONS",
    "SUBSCRIBE",
    "MESSAGE",
    "NOTIFY",
    "PUBLISH",
    "REFER",
    "INFO",
    "UPDATE",
    "PRACK",
    "BYE",
    "CANCEL",
    "ACK",
    "FOO",
    "invite",
];

/// AST-2013-003: neither the second, the tenth nor a retransmitted request distinguishes the accounts. Each request
/// gets one response, and a retransmission the same one but for its nonce.
#[test]
fn every_method_is_answered_alike_over_retransmissions() {
    let mut fenced = peer("fenced-cli");
    fenced.acl = Acl { rules: vec![Rule { permit: false, net: "0.0.0.0/0".parse().unwrap() }], ..Acl::default() };
    let edge = edge(vec![peer("known-cli-"), fenced]);
    let nonce = nonce(&edge, LINE1);
    let ask = |method: &str, user: &str, extra: &str, second: u64| {
        let (response, to, _) = reply(admit_at(
            &edge,
            &request(method, user, "192.168.1.20:5070", extra),
            LINE1,
            later(Duration::from_secs(second)),
        ));
        (shape(&response, user), to, response.headers.text(HeaderName::To).unwrap().into_owned())
    };
    for method in ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE"] {
        let uri = if method == "REGISTER" { "sip:192.168.1.2" } else { "sip:88567682@192.168.1.2" };
        let wrong = |user: &str| authorize(method, user, "wrong", uri, &nonce, 1);
        let sequence = |user: &str| {
            let asked = [(String::new(), 0), (String::new(), 1), (wrong(user), 2), (wrong(user), 3), (wrong(user), 35)];
            let answers = asked.map(|(extra, second)| ask(method, user, &extra, second));
            assert_eq!(answers[0], answers[1], "{method} {user}: sent again before the challenge is answered");
            assert_eq!(answers[2], answers[3], "{method} {user}: sent again after it");
            assert_eq!(answers[2], answers[4], "{method} {user}: sent again much later");
            answers.map(|(shape, to, _)| (shape, to))
        };
        let unknown = sequence("nobody-xyz");
        assert_eq!(sequence("known-cli-"), unknown, "{method}");
        assert_eq!(sequence("fenced-cli"), unknown, "{method}");
    }
}

/// The smallest, the largest and the most unusual forms of a request.
fn forms(method: &str) -> Vec<String> {
    let small = format!(
        "{method} sip:a SIP/2.0\nv:SIP/2.0/UDP a;branch=z9hG4bK1\nf:<sip:a>;tag=1\nt:<sip:a>\ni:1\nCSeq:1 {method}\n"
    );
    let usual = String::from_utf8(request(method, "pap2t-client", "192.168.1.20", "").to_bytes().to_vec()).unwrap();
    let usual = usual.trim_end().to_owned() + "\r\n";
    let long = "x".repeat(8_000);
    let mut forms = vec![
        small.clone() + "\n",
        small.replace("z9hG4bK1", "1") + "\n",
        small.replace("t:<sip:a>", "t:<sip:a>;tag=2") + "\n",
        small.replace("branch=z9hG4bK1", "branch=z9hG4bK1;rport") + "\n",
        small.clone() + "k:timer\nRequire:a,b,c,d,e,f\n\n",
        small.clone() + "Max-Forwards:0\n\n",
        small.clone() + "l:x\n\n",
        small.replace("CSeq:1", "CSeq:99999999999") + "\n",
        small.replace("SIP/2.0\n", "SIP/3.0\n") + "\n",
        usual.clone() + "\r\n",
        usual.clone() + "Require: a, b, c\r\n\r\n",
        usual.clone() + &format!("X-Long: {long}\r\n\r\n"),
        usual.replace("tag=f1o0", &format!("tag={long}")) + "\r\n",
        usual.clone() + &"Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK7\r\n".repeat(200) + "\r\n",
        usual.clone() + &"Record-Route: <sip:203.0.113.9;lr>\r\n".repeat(200) + "\r\n",
        usual.clone() + &format!("v: {}\r\n\r\n", ["SIP/2.0/UDP b"; 500].join(",")),
        usual.clone()
            + "Authorization: Digest realm=\"asterisk\", nonce=\"x\", username=\"a\", uri=\"b\", response=\"c\"\r\n\r\n",
    ];
    let bare = small.lines().filter(|line| !line.starts_with("f:")).collect::<Vec<_>>().join("\n");
    forms.push(bare + "\n\n");
    forms
}

/// One datagram for one, to the address it came from, and never more than twice the bytes: no amplification.
#[test]
fn no_answer_is_more_than_twice_its_request() {
    let edge = guide();
    let (mut answered, mut largest) = (0, 0.0_f64);
    for method in METHODS {
        for text in forms(method) {
            let Ok(Message::Request(request)) = Message::parse(&Bytes::from(text.clone())) else { continue };
            for source in [LINE1, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"] {
                let verdict = match validate::request(&request) {
                    Ok(essentials) => edge.admit(&request, &essentials, over(source), NOW, 42),
                    Err(refusal) => edge.reject(&request, &refusal, over(source)),
                };
                if let Verdict::Reply { response, to, .. } = verdict {
                    let (asked, sent) = (text.len(), response.to_bytes().len());
                    assert!(sent <= 2 * asked, "{sent} for {asked}: {text}");
                    assert_eq!(to.ip(), source.parse::<SocketAddr>().unwrap().ip());
                    answered += 1;
                    largest = largest.max(sent as f64 / asked as f64);
                }
            }
        }
    }
    assert!(answered > 200 && largest > 1.0, "{answered} answers, at most {largest:.2} times the request");
}

/// The requests that phones send are large enough for a complete response.
#[test]
fn a_usual_request_is_answered_in_full() {
    let usual = "User-Agent: Linksys/PAP2T-3.1.15(LS)\r\nExpires: 3600\r\nAllow: ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, \
                 REFER\r\nSupported: x-sipura\r\n";
    for method in ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE", "NOTIFY"] {
        let (response, ..) = reply(admit(&guide(), &request(method, "pap2t-client", "192.168.1.20", usual), LINE1));
        let count = |name| response.headers.count(name);
        assert_eq!((count(HeaderName::Allow), count(HeaderName::Server)), (1, 1), "{method}");
    }
}

/// Over a connection the address is proved, and a small request gets its response, too.
#[test]
fn a_small_request_over_a_connection_is_answered() {
    let edge = guide();
    let text = forms("REGISTER")[0].replace("/UDP", "/TCP");
    let Ok(Message::Request(request)) = Message::parse(&Bytes::from(text)) else { panic!() };
    let essentials = validate::request(&request).unwrap();
    let udp = over(LINE1);
    assert!(matches!(edge.admit(&request, &essentials, udp, NOW, 42), Verdict::Drop(_)));
    let tcp = Flow {
        transport: crate::sip::flow::Transport::Tcp,
        connection: Some(crate::sip::flow::ConnectionId(1)),
        ..udp
    };
    assert_eq!(status(edge.admit(&request, &essentials, tcp, NOW, 42)), 401);
}

/// RFC 5630 5.1.2. The response does not reveal whether the account exists, and no challenge comes before it.
#[test]
fn sips_over_what_is_not_tls_is_refused_alike() {
    let edge = edge(vec![peer("known-cli-")]);
    let ask = |method: &str, user: &str, transport: crate::sip::flow::Transport| {
        let text = String::from_utf8(request(method, user, "192.168.1.20", "").to_bytes().to_vec()).unwrap();
        let sips = read(&text.replace("sip:", "sips:"));
        let essentials = validate::request(&sips).unwrap();
        edge.admit(&sips, &essentials, Flow { transport, ..over(LINE1) }, NOW, 42)
    };
    use crate::sip::flow::Transport::{Tcp, Tls, Udp};
    for method in METHODS {
        for transport in [Udp, Tcp] {
            if method == "ACK" {
                assert!(matches!(ask(method, "known-cli-", transport), Verdict::Drop(_)));
                continue;
            }
            let [known, unknown] = ["known-cli-", "nobody-xyz"].map(|user| reply(ask(method, user, transport)).0);
            assert_eq!(known.status, 480, "{method}");
            assert_eq!(known.headers.text(HeaderName::Warning).unwrap(), "380 192.168.1.2 \"SIPS Not Allowed\"");
            assert_eq!(shape(&known, "known-cli-"), shape(&unknown, "nobody-xyz"), "{method}");
        }
    }
    assert_eq!(status(ask("INVITE", "known-cli-", Tls)), 401);
}

/// A measurement, not a test: `cargo test --release --lib refusals_take_as_long -- --ignored --nocapture`. It prints
/// how often the one of a pair of alternating samples took longer than the other; 0.50 means no visible difference.
#[test]
#[ignore = "prints a measure"]
fn refusals_take_as_long() {
    const SAMPLES: usize = 20_000;
    let mut fenced = peer("fenced-cli");
    fenced.acl = Acl { rules: vec![Rule { permit: false, net: "0.0.0.0/0".parse().unwrap() }], ..Acl::default() };
    let mut peers = vec![peer("known-cli-"), fenced];
    peers.extend((0..1_000).map(|number| peer(&format!("peer{number:06}"))));
    let edge = edge(peers);
    let nonce = nonce(&edge, LINE1);
    let kinds = ["nobody-xyz", "known-cli-", "fenced-cli"];
    for method in ["REGISTER", "INVITE"] {
        for challenged in [true, false] {
            let uri = if method == "REGISTER" { "sip:192.168.1.2" } else { "sip:88567682@192.168.1.2" };
            let line =
                |user: &str| if challenged { String::new() } else { authorize(method, user, "wrong", uri, &nonce, 1) };
            let requests = kinds.map(|user| request(method, user, "192.168.1.20", &line(user)));
            let mut times: [Vec<u128>; 3] = Default::default();
            for round in 0..SAMPLES {
                for turn in 0..3 {
                    let at = (round + turn) % 3;
                    let begun = std::time::Instant::now();
                    std::hint::black_box(admit(&edge, &requests[at], LINE1));
                    times[at].push(begun.elapsed().as_nanos());
                }
            }
            let longer = |a: &[u128], b: &[u128]| {
                let pairs = a.iter().zip(b).map(|(a, b)| match a.cmp(b) {
                    std::cmp::Ordering::Less => 0.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Greater => 1.0,
                });
                pairs.sum::<f64>() / SAMPLES as f64
            };
            let what = if challenged { "challenge" } else { "refusal" };
            let [unknown, wrong, refused] = &times;
            println!(
                "{method} {what}: wrong secret above unknown user {:.3}, refused address above unknown user {:.3}",
                longer(wrong, unknown),
                longer(refused, unknown)
            );
            for (kind, times) in ["unknown user", "wrong secret", "refused address"].iter().zip(&mut times) {
                times.sort_unstable();
                println!("  {kind}: median {} ns", times[SAMPLES / 2]);
            }
        }
    }
}
