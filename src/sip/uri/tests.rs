use super::*;

fn parse(text: &str) -> Uri {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn what_is_read_is_printed() {
    for text in [
        "sip:192.0.2.1",
        "sip:881@192.0.2.1:5061",
        "sips:alice:secret@atlanta.example.com;transport=tcp?subject=x&priority=urgent",
        "sip:user;par=u%40example.net@example.com",
        "sip:*98#@pbx_1.example.com",
        "sip:1600@192.0.2.130:5060;user=phone;transport=udp",
        "sip:[2001:db8::10]:5070;lr",
        "sip:null-%00-null@example.com",
        "tel:+1-201-555-0123;phone-context=example.com",
        "sip:+13035551111@ift.client.example.net;user=phone",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse("SIP:a@[2001:db8:::192.0.2.1]").to_string(), "sip:a@[2001:db8::c000:201]");
}

#[test]
fn what_is_no_uri_is_refused() {
    for bad in [
        "",
        "881",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:",
        "sip:a@b; lr",
        "sip:a@b;",
        "sip:a@b;x=",
        "sip:a@b;lr;LR",
        "sip:a%zz@b",
        "sip:a%4",
        "sip:a@256.1.1.1",
        "sip:2001:db8::10",
        "sip:[2001:db8::10",
        "sip:[fe80::1%25eth0]",
        "sip:[::1]x",
        "<sip:a@b>",
        "1x:y",
        ":x",
    ] {
        assert!(bad.parse::<Uri>().is_err(), "{bad}");
    }
    assert!(Uri::parse(b"sip:\xff@b").is_err());
}

/// The examples of RFC 3261 19.1.4.
#[test]
fn equivalent_uris() {
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:DB8:0::1]", "sip:a@[2001:db8::1]"),
    ] {
        assert!(parse(a).equivalent(&parse(b)), "{a} {b}");
        assert!(parse(b).equivalent(&parse(a)), "{b} {a}");
    }
}

/// The counter-examples of RFC 3261 19.1.4.
#[test]
fn different_uris() {
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a%3Bb@x", "sip:a;b@x"),
        ("sips:a@x", "sip:a@x"),
        ("sip:a@x", "sip:a:p@x"),
        ("sip:x", "tel:x"),
    ] {
        assert!(!parse(a).equivalent(&parse(b)), "{a} {b}");
        assert!(!parse(b).equivalent(&parse(a)), "{b} {a}");
    }
}

#[test]
fn users_are_escaped_and_read_back() {
    for user in ["881", "a b@c", "*98#", "Jürgen", "100%"] {
        let uri = SipUri::new(Some(user), Host::V4(Ipv4Addr::new(192, 0, 2, 1)), None);
        let back = parse(&uri.to_string());
        assert_eq!(back.sip().and_then(SipUri::user_text).as_deref(), Some(user));
    }
    assert_eq!(parse("sip:a%fcb@x").sip().and_then(SipUri::user_text).as_deref(), Some("aüb"));
}
