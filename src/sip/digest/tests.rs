use super::*;

fn challenge(text: &str) -> Challenge {
    Challenge::parse(text.as_bytes()).unwrap()
}

/// RFC 2617 3.5.
#[test]
fn the_example_of_rfc_2617() {
    let challenge = challenge(
        "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
    );
    let ha1 = Ha1::from_secret("Mufasa", "testrealm@host.com", "Circle Of Life");
    let get = Method::from_bytes(b"GET");
    let credentials = answer(&challenge, "Mufasa", &ha1, &get, "/dir/index.html", "0a4f113b", 1).unwrap();
    assert_eq!(credentials.response, "6629fae49393a05397450978507c4ef1");
    assert_eq!((credentials.nc.as_deref(), credentials.qop.as_deref()), (Some("00000001"), Some("auth")));
    assert!(verify(&credentials, &get, &ha1));
}

/// RFC 7616 3.9.1, both algorithms.
#[test]
fn the_examples_of_rfc_7616() {
    let get = Method::from_bytes(b"GET");
    for (algorithm, expected) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = challenge(&format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            algorithm.as_str()
        ));
        let ha1 = Ha1::from_secret_with(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let credentials = answer(&challenge, "Mufasa", &ha1, &get, "/dir/index.html", cnonce, 1).unwrap();
        assert_eq!(credentials.response, expected);
        assert!(verify(&credentials, &get, &ha1));
    }
}

/// RFC 3261 22.4: "MUST be backward compatible with RFC 2069".
#[test]
fn without_qop() {
    let challenge = challenge("Digest algorithm=MD5, realm=\"asterisk\", nonce=\"2f6a1b3c\"");
    let ha1 = Ha1::from_secret("881", "asterisk", "password");
    let credentials = answer(&challenge, "881", &ha1, &Method::Register, "sip:192.0.2.1", "unused", 1).unwrap();
    assert_eq!((&credentials.qop, &credentials.nc, &credentials.cnonce), (&None, &None, &None));
    assert_eq!(
        credentials.response,
        Algorithm::Md5.hash(&[
            ha1.hex.as_bytes(),
            b"2f6a1b3c",
            Algorithm::Md5.hash(&[b"REGISTER", b"sip:192.0.2.1"]).as_bytes()
        ])
    );
    assert!(verify(&credentials, &Method::Register, &ha1));
}

fn good() -> (Credentials, Ha1) {
    let challenge = challenge("Digest realm=\"asterisk\", nonce=\"n\", qop=\"auth\"");
    let ha1 = Ha1::from_secret("881", "asterisk", "password");
    let credentials = answer(&challenge, "881", &ha1, &Method::Invite, "sip:1@192.0.2.1", "c", 1).unwrap();
    (credentials, ha1)
}

#[test]
fn what_is_not_the_same_is_refused() {
    let (credentials, ha1) = good();
    assert!(verify(&credentials, &Method::Invite, &ha1));
    assert!(!verify(&credentials, &Method::Register, &ha1), "another method");
    assert!(!verify(&credentials, &Method::Invite, &Ha1::from_secret("881", "asterisk", "Password")), "another secret");
    assert!(!verify(
        &credentials,
        &Method::Invite,
        &Ha1::from_secret_with(Algorithm::Sha256, "881", "asterisk", "password")
    ));
    let changed: [fn(&mut Credentials); 9] = [
        |c| c.uri = format_smolstr!("{}x", c.uri),
        |c| c.nonce = format_smolstr!("{}x", c.nonce),
        |c| c.cnonce = Some("d".into()),
        |c| c.nc = Some("1".into()),
        |c| c.nc = None,
        |c| c.qop = Some("auth-int".into()),
        |c| c.qop = None,
        |c| c.algorithm = Some("MD5-sess".into()),
        |c| c.response = c.response[..31].into(),
    ];
    for (at, change) in changed.iter().enumerate() {
        let mut other = credentials.clone();
        change(&mut other);
        assert!(!verify(&other, &Method::Invite, &ha1), "change {at}");
    }
}

#[test]
fn the_form_of_the_hexadecimal_does_not_matter() {
    let (mut credentials, ha1) = good();
    credentials.response = credentials.response.to_ascii_uppercase().into();
    credentials.algorithm = Some("md5".into());
    assert!(verify(&credentials, &Method::Invite, &ha1));
}

#[test]
fn an_md5secret_is_the_hash_itself() {
    let ha1 = Ha1::from_secret("881", "asterisk", "password");
    assert_eq!(Ha1::from_hex(&ha1.hex.to_ascii_uppercase()), Some(ha1.clone()));
    assert_eq!(Ha1::from_hex("xyz"), None);
    assert_eq!(Ha1::from_hex(&"z".repeat(32)), None);
    assert!(!format!("{ha1:?}").contains(&ha1.hex));
}

#[test]
fn a_challenge_we_cannot_answer() {
    let ha1 = Ha1::from_secret("a", "r", "s");
    for text in [
        "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
        "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
        "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256",
    ] {
        assert!(answer(&challenge(text), "a", &ha1, &Method::Invite, "sip:x", "c", 1).is_none(), "{text}");
    }
}
