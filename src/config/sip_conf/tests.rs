use super::*;
use crate::config::ini;
use crate::config::peer::*;
use crate::sdp::codec::{Codec, CodecList};
use crate::sip::flow::Transport;
use std::time::Duration;

fn read(text: &str) -> (SipConf, Vec<String>) {
    let (document, none) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
    assert_eq!(none, []);
    let (conf, diagnostics) = parse(&document, &Default::default());
    (conf, diagnostics.iter().map(|d| format!("{} {:?}: {}", d.place.line, d.severity, d.message)).collect())
}

fn good(text: &str) -> SipConf {
    let (conf, said) = read(text);
    assert!(said.is_empty(), "{said:?}");
    conf
}

/// The peer `a` with these lines and nothing wrong.
fn peer(lines: &str) -> Peer {
    Peer::clone(&good(&format!("[a]\ntype=friend\nhost=dynamic\nsecret=s\n{lines}")).peers["a"])
}

fn codec_names(settings: &Settings) -> Vec<(Codec, Option<u8>)> {
    settings.codecs.entries.clone()
}

#[test]
fn the_guides_peer() {
    let peer = peer("context=in\nqualify=200  ; no more than 200ms\ndirectmedia=yes\nregexten=881\nnat=no");
    assert_eq!(peer.kind, Kind::Friend);
    assert_eq!(peer.host, PeerAddress::Dynamic);
    assert_eq!(peer.credential, Some(Credential::Password(crate::config::secret::Secret::new("s"))));
    assert_eq!(peer.settings.context, "in");
    assert_eq!(peer.settings.qualify, Some(Duration::from_millis(200)));
    assert_eq!(peer.settings.direct_media, DirectMedia::Direct { nonat: false });
    assert_eq!(peer.settings.nat, Nat { force_rport: Tristate::Off, comedia: Tristate::Off });
    assert_eq!(peer.reg_extensions(), [RegExten { extension: "881".into(), context: None }]);
}

#[test]
fn general_presets_the_peers_wherever_it_stands() {
    let conf = good(
        "[a]\ntype=friend\nhost=dynamic\nsecret=s\nqualify=no\n[General]\nqualify=yes\ncontext=x\nnat=comedia\ndisallow=all\nallow=alaw:30\nTimerT1=750\n",
    );
    let settings = &conf.peers["a"].settings;
    assert_eq!(settings.qualify, None);
    assert_eq!(conf.general.defaults.qualify, Some(Duration::from_secs(2)));
    assert_eq!(settings.context, "x");
    assert_eq!(settings.nat, Nat { force_rport: Tristate::Off, comedia: Tristate::On });
    assert_eq!(codec_names(settings), [(Codec::Alaw, Some(30))]);
    assert_eq!(settings.timer_t1, Duration::from_millis(750));
}

#[test]
fn every_general_option() {
    let conf = good(
        "[general]\nrealm=home\nudpbindaddr=127.0.0.1\nbindport=5070\nuseragent=x y\nsdpowner=me\nsdpsession=\nminexpiry=10\n\
         maxexpirey=100\ndefaultexpiry=3600\nregcontext=a&b\nqualifygap=50\ntos_sip=cs3\ntos_audio=ef\n\
         localnet=10.0.0.0/8\nmedia_address=192.0.2.2\nrtpbindaddr=::\ncallerid=club\n\
         contactdeny=0.0.0.0/0\ncontactpermit=10.0.0.0/8\nsipdebug=yes\nallowguest=no\n",
    );
    let general = conf.general;
    assert_eq!(general.realm, "home");
    assert_eq!(general.bind, "127.0.0.1:5070".parse().unwrap());
    assert_eq!(
        (general.user_agent.as_str(), general.sdp_owner.as_str(), general.sdp_name.as_str()),
        ("x y", "me", "-")
    );
    let seconds = [general.min_expiry, general.max_expiry, general.default_expiry].map(|time| time.as_secs());
    assert_eq!(seconds, [10, 100, 100], "the default is held within the limits");
    assert_eq!(general.reg_contexts, ["a", "b"]);
    assert_eq!(general.qualify_gap, Duration::from_millis(50));
    assert_eq!((general.tos_sip, general.tos_audio), (96, 184));
    assert_eq!(general.media_address, Some("192.0.2.2".parse().unwrap()));
    assert_eq!(general.rtp_bind, Some("::".parse().unwrap()));
    assert_eq!(general.caller_id, "club");
    assert!(general.contact_acl.allows("10.1.1.1".parse().unwrap()));
    assert!(!general.contact_acl.allows("11.1.1.1".parse().unwrap()));
    assert!(general.sip_debug);
    assert_eq!(good("[general]\nbindaddr=[::1]:5061\nbindport=5070\n").general.bind, "[::1]:5061".parse().unwrap());
    assert_eq!(good("").general, General::default());
}

#[test]
fn every_peer_option() {
    let peer = peer(
        "type=PEER\nmd5secret=0123456789ABCDEF0123456789abcdef\nhost=192.0.2.9:5066\ndefaultip=192.0.2.8\nusername=u\nfromuser=f\n\
         fromdomain=sip.example\nregexten=881&882@x\ncallerid=\"The Modem\" <555-1234>\npermit=192.0.2.0/24\ndeny=192.0.2.7\n\
         contactdeny=10.0.0.0/8\ncall-limit=2\nmax_outgoing=3\nmax_minutes=90\nallow_numbers=0,+49\nallow_numbers=112\nforbid_numbers=0900\nmax_contacts=3\nsetvar=A=b=c\nsetvar=D=\naccountcode=acc\ndescription=desk\n\
         keepalive=yes\nqualifyfreq=30\nrtptimeout=30\nrtpholdtimeout=300\nrtpkeepalive=15\ntimerb=6000\nmaxforwards=20\n\
         dtmfmode=Inband\ninsecure=port,invite\nprogressinband=never\ntrustrpid=yes\nsendrpid=pai\nusereqphone=yes\nlanguage=en_GB",
    );
    assert_eq!((peer.kind, peer.is_callable()), (Kind::Peer, true));
    let ha1 = Credential::Ha1(crate::config::secret::Secret::new("0123456789abcdef0123456789abcdef"));
    assert_eq!(peer.credential, Some(ha1));
    assert_eq!(peer.host, PeerAddress::Static("192.0.2.9:5066".parse().unwrap()));
    assert_eq!(peer.default_addr, Some("192.0.2.8:5066".parse().unwrap()));
    let texts = [&peer.default_user, &peer.from_user, &peer.from_domain].map(|text| text.as_deref());
    assert_eq!(texts, [Some("u"), Some("f"), Some("sip.example")]);
    assert_eq!(peer.regexten[1], RegExten { extension: "882".into(), context: Some("x".into()) });
    assert_eq!(peer.caller_id, CallerId { name: Some("The Modem".into()), number: Some("5551234".into()) });
    assert!(!peer.acl.allows("192.0.2.7".parse().unwrap()));
    assert!(!peer.contact_acl.allows("10.0.0.1".parse().unwrap()));
    assert_eq!((peer.call_limit, peer.max_contacts), (Some(2), 3));
    let limits = &peer.limits;
    assert_eq!((limits.max_outgoing, limits.max_minutes), (Some(3), Some(90)));
    assert_eq!((limits.allowed.join(" "), limits.forbidden.join(" ")), ("0 +49 112".into(), "0900".into()));
    assert_eq!(peer.set_vars, [("A".to_string(), "b=c".to_string()), ("D".to_string(), String::new())]);
    assert_eq!((peer.account_code.as_str(), peer.description.as_str()), ("acc", "desk"));
    let settings = &peer.settings;
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
    assert_eq!((seconds(settings.keepalive), settings.qualify_freq.as_secs()), (Some(60), 30));
    let times = [settings.rtp_timeout, settings.rtp_hold_timeout, settings.rtp_keepalive].map(seconds);
    assert_eq!(times, [Some(30), Some(300), Some(15)]);
    assert_eq!((seconds(settings.timer_b), settings.max_forwards), (Some(6), 20));
    assert_eq!((settings.dtmf_mode, settings.insecure), (DtmfMode::Inband, Insecure { port: true, invite: true }));
    assert!(settings.trust_rpid && settings.user_eq_phone);
    assert_eq!((settings.send_rpid, settings.language.as_str()), (SendRpid::Pai, "en_GB"));
}

/// As in Asterisk: off by default, `[general]` presets, a peer may switch it off with 0.
#[test]
fn the_times_without_rtp_are_preset_by_general_and_changed_by_a_peer() {
    let (conf, said) = read(
        "[general]\nrtptimeout=60\nrtpholdtimeout=300\nrtpkeepalive=15\n[a]\ntype=friend\nhost=dynamic\nsecret=s\n\
         [b]\ntype=friend\nhost=dynamic\nsecret=s\nrtptimeout=0\nrtpholdtimeout=5\nrtpkeepalive=0\n",
    );
    assert!(said.is_empty(), "{said:?}");
    let options = |name: &str| conf.peers[name].settings.silence_options().collect::<Vec<_>>();
    assert_eq!(options("a"), ["rtptimeout=60", "rtpholdtimeout=300", "rtpkeepalive=15"]);
    assert_eq!(options("b"), ["rtpholdtimeout=5"]);
    assert_eq!(peer("").settings.silence_options().count(), 0);
    let (_, said) = read("[general]\nrtptimeout=soon\nrtpholdtimeout=-5\n");
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn what_a_line_carries_is_said_or_not() {
    let line = |lines: &str| peer(lines).settings.line;
    assert_eq!(line(""), None, "a line that says nothing is none of them");
    assert_eq!(line("line=modem"), Some(LineKind::Modem));
    assert_eq!(line("LINE = Voice"), Some(LineKind::Voice));
    assert_eq!(line("line=fax"), Some(LineKind::Fax));
    let (conf, said) = read(
        "[general]\nline=modem\n[a]\ntype=friend\nhost=dynamic\nsecret=s\n[b]\ntype=friend\nhost=dynamic\nsecret=s\nline=voice\n\
         [c]\ntype=friend\nhost=dynamic\nsecret=s\nline=\n",
    );
    assert!(said.is_empty(), "{said:?}");
    let kinds = ["a", "b", "c"].map(|name| conf.peers[name].settings.line);
    assert_eq!(kinds, [Some(LineKind::Modem), Some(LineKind::Voice), None], "[general] presets, a peer changes");
    let (_, said) = read("[general]\nline=telex\n");
    assert_eq!(said, ["2 Warning: 'telex' is not a valid value of 'line': the line is ignored"]);
}

#[test]
fn nat_words() {
    let nat = |text: &str| {
        let nat = read(&format!("[general]\nnat={text}")).0.general.defaults.nat;
        (nat.force_rport, nat.comedia)
    };
    use Tristate::*;
    assert_eq!(nat("yes"), (On, On));
    assert_eq!(nat("force_rport,comedia"), (On, On));
    assert_eq!(nat("auto_force_rport, comedia"), (Auto, On));
    assert_eq!(nat("force_rport,auto_force_rport"), (Auto, Off), "auto wins");
    assert_eq!(nat("force_rport,no,comedia"), (Off, Off), "a false word clears and ends");
    assert_eq!(nat("never"), (Off, Off));
    assert_eq!(Settings::default().nat, Nat { force_rport: Auto, comedia: Off });
    assert!(Auto.holds(true) && !Auto.holds(false) && On.holds(false) && !Off.holds(true));
}

#[test]
fn codec_lists() {
    use Codec::*;
    let list = |lines: &str| codec_names(&peer(lines).settings).into_iter().map(|(codec, _)| codec).collect::<Vec<_>>();
    assert_eq!(list(""), [Ulaw, Alaw, Gsm]);
    assert_eq!(list("disallow=all\nallow=alaw,ulaw"), [Alaw, Ulaw]);
    assert_eq!(list("allow=!all,g722"), [G722]);
    assert_eq!(list("disallow=gsm,alaw"), [Ulaw]);
    assert_eq!(list("allow=ilbc\nallow=!ulaw"), [Alaw, Gsm, Ilbc]);
    assert_eq!(list("allow=all").len(), 9);
    assert_eq!(list("disallow=h263,all\nallow=ulaw"), [Ulaw]);
    assert_eq!(codec_names(&peer("allow=ulaw:30").settings)[0], (Ulaw, Some(30)));
}

#[test]
fn what_may_be_carried_beside_voice() {
    let may = |lines: &str| {
        let settings = peer(lines).settings;
        let t38 = settings.t38.map(|t38| (t38.correction, t38.max_datagram));
        (settings.video, settings.text, t38)
    };
    assert_eq!(may(""), (false, false, None));
    assert_eq!(may("videosupport=always\ntextsupport=on"), (true, true, None));
    assert_eq!(may("videosupport=yes\nt38pt_udptl=yes"), (true, false, Some((Correction::Fec, None))));
    for (words, wanted) in [
        ("yes,redundancy,maxdatagram=400", Some((Correction::Redundancy, Some(400)))),
        ("yes, none", Some((Correction::None, None))),
        ("YES,FEC", Some((Correction::Fec, None))),
        ("maxdatagram=400", None),
        ("yes,no", None),
        ("no", None),
    ] {
        assert_eq!(may(&format!("t38pt_udptl={words}")).2, wanted, "{words}");
    }
    let conf = good("[general]\nt38pt_udptl=yes\n[a]\ntype=friend\nhost=dynamic\nsecret=s\nt38pt_udptl=no\n");
    assert!(conf.general.defaults.t38.is_some() && conf.peers["a"].settings.t38.is_none());
    for bad in
        ["t38pt_udptl=yes,fast", "t38pt_udptl=yes,maxdatagram=many", "videosupport=sometimes", "textsupport=always"]
    {
        let (_, said) = read(&format!("[a]\ntype=friend\nhost=dynamic\nsecret=s\n{bad}\n"));
        assert_eq!(said.len(), 1, "{bad}: {said:?}");
    }
}

#[test]
fn a_second_section_edits_the_peer_of_the_first() {
    let conf = good(
        "[a]\ntype=peer\nhost=dynamic\nsecret=s\naccountcode=1\n[A]\ntype=user\nsecret=s\n[a]\nqualify=100\ndescription=2\n",
    );
    let peer = &conf.peers["a"];
    assert_eq!((peer.kind, peer.account_code.as_str(), peer.description.as_str()), (Kind::Peer, "1", "2"));
    assert_eq!(peer.settings.qualify, Some(Duration::from_millis(100)));
    assert_eq!(conf.peers["A"].kind, Kind::User, "names are compared exactly");
}

#[test]
fn one_bad_peer_leaves_the_others() {
    let (conf, said) = read(
        "[a]\ntype=friend\nhost=dynamic\nsecret=s\ndeny=999.1.1.1/33\nqualify=abc\n[b]\ntype=friend\nhost=dynamic\nsecret=s\n",
    );
    assert_eq!(
        said,
        [
            "5 Error: '999.1.1.1/33' is not a valid value of 'deny': peer 'a' is left out",
            "6 Warning: 'abc' is not a valid value of 'qualify': the line is ignored",
        ]
    );
    assert_eq!(conf.peers.keys().collect::<Vec<_>>(), ["b"]);
}

const PEER: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=s\n";

/// What Asterisk keeps is kept here, and one line is said of it.
#[test]
fn a_bad_value_costs_its_line_and_not_the_peer() {
    let lines = [
        "disallow=",
        "permit=",
        "port=",
        "qualify=",
        "allow=",
        "deny=",
        "acl=",
        "contactdeny=",
        "contactpermit=",
        "nat=",
        "insecure=foo",
        "insecure=port,foo",
        "allow=ulaw,alow",
        "disallow=all0",
        "session-timers=foo",
        "nat=nonsense",
        "nat=force_rport,nonsense",
        "nat=force_rport;x\nqualify=abc",
        "permit=999.1.1.1/33",
        "permit=10.0.0.0/8,home",
        "dtmfmode=foo",
        "canreinvite=maybe",
        "directmedia=nonat,maybe",
        "t38pt_udptl=fast",
        "t38pt_udptl=yes,maxdatagram=x",
        "allow=ulaw:17",
        "encryption=",
        "transport=",
        "md5secret=\nqualify=x",
        "session-expires=12",
        "defaultip=here",
        "regexten=@x",
        "setvar=x",
        "call-limit=many",
        "fromdomain=a b",
        "port=sip",
        "port=70000",
        "timert1=5",
        "keepalive=x",
        "directmediadeny=x",
        "directmediaacl=x",
        "line=telex",
        "context=",
        "callingpres=x",
        "language=/etc",
        "type=",
        "description=a\u{1}b",
        "max_contacts=99",
        "transport=udp,ws",
        "host=\nhost=dynamic",
    ];
    let mut kept = 0;
    for line in lines {
        let (conf, said) = read(&format!("{PEER}{line}\n"));
        assert!(conf.peers.contains_key("a"), "{line}: {said:?}");
        assert_eq!(said.len(), 1, "{line}: {said:?}");
        assert!(said[0].contains(" Warning: "), "{line}: {said:?}");
        kept += 1;
    }
    assert_eq!(kept, lines.len());
}

/// The words of a list that are known stay in effect.
#[test]
fn a_bad_word_costs_nothing_but_itself() {
    let settings = |lines: &str| read(&format!("{PEER}{lines}\n")).0.peers["a"].settings.clone();
    let codecs = |lines: &str| codec_names(&settings(lines));
    assert_eq!(codecs("disallow=all\nallow=alow,alaw"), [(Codec::Alaw, None)]);
    assert_eq!(codecs("disallow=all\nallow=alaw,,ulaw:17"), [(Codec::Alaw, None), (Codec::Ulaw, None)]);
    assert_eq!(codecs("disallow=all0"), codecs(""));
    assert_eq!(settings("nat=comedia,nonsense").nat.comedia, Tristate::On);
    assert_eq!(settings("nat=nonsense").nat, Settings::default().nat);
    assert_eq!(settings("directmedia=nonat,maybe").direct_media, DirectMedia::Direct { nonat: true });
    assert_eq!(settings("insecure=invite,foo").insecure, Insecure { port: false, invite: true });
    assert_eq!(settings("t38pt_udptl=yes,redundancy,x").t38.map(|t38| t38.correction), Some(Correction::Redundancy));
    assert_eq!(settings("transport=tls,ws").transports, [Transport::Tls]);
    // No codec at all: those of [general], so that calls have one.
    assert_eq!(codecs("disallow=all"), codecs(""));
    let (conf, said) = read(&format!("[general]\ndisallow=all\nallow=gsm\n{PEER}disallow=all\nallow=alow\n"));
    assert_eq!(codec_names(&conf.peers["a"].settings), [(Codec::Gsm, None)]);
    assert!(said.iter().any(|said| said.ends_with("section 'a' allows no codec: it has gsm instead")), "{said:?}");
    assert_eq!(read(&format!("[general]\ndisallow=all\n{PEER}")).0.peers["a"].settings.codecs, CodecList::default());
}

/// What Asterisk 1.4 meant by them.
#[test]
fn old_words_of_insecure_are_read_with_a_notice() {
    for (text, port, invite, noticed) in [
        ("very", true, true, true),
        ("VERY", true, true, true),
        ("yes", true, false, true),
        ("1", true, false, true),
        ("no", false, false, false),
        ("", false, false, false),
        ("port,invite", true, true, false),
    ] {
        let (conf, said) = read(&format!("{PEER}insecure={text}\n"));
        assert_eq!(conf.peers["a"].settings.insecure, Insecure { port, invite }, "{text}");
        assert_eq!(said.len(), usize::from(noticed), "{text}: {said:?}");
    }
    let (_, said) = read("[general]\ninsecure=very\n");
    assert_eq!(said, ["2 Warning: 'very' is an old way to say port,invite, and is read as that"]);
}

/// A section without an address, or with one that cannot be read, has none: nothing opens by that.
#[test]
fn a_peer_without_an_address_is_kept_and_has_none() {
    for (host, count) in
        [("", 1), ("host=\n", 1), ("host=name..example\n", 1), ("host=0.0.0.0\n", 1), ("host=224.0.0.1\n", 1)]
    {
        for kind in ["friend", "peer"] {
            let (conf, said) = read(&format!("[a]\ntype={kind}\nsecret=s\n{host}"));
            assert_eq!(conf.peers["a"].host, PeerAddress::Unset, "{kind} {host}");
            assert_eq!(said.len(), count, "{kind} {host}: {said:?}");
        }
    }
    let (conf, _) = read("[a]\ntype=peer\nsecret=s\ndefaultip=192.0.2.8\n[b]\ntype=user\nsecret=s\n");
    assert_eq!(conf.peers["a"].default_addr, Some("192.0.2.8:5060".parse().unwrap()));
    assert_eq!(conf.peers["b"].host, PeerAddress::Dynamic, "a user calls, from wherever it is");
}

/// Options whose unreadable value costs more than its line, with the reason; (peer left out, start refused).
const CLOSES: &[(&str, bool, bool, &str)] = &[
    ("type", true, false, "what it may do is not known; Asterisk leaves it out, too"),
    ("md5secret", true, false, "without it whoever knows the name could take its place"),
    ("deny", true, true, "whom it keeps out would come in"),
    ("acl", true, true, "whom it keeps out would come in"),
    ("contactdeny", true, true, "what it keeps out could be registered"),
    ("contactacl", true, true, "what it keeps out could be registered"),
    ("encryption", true, false, "what was to be encrypted would be sent in the clear"),
    ("transport", true, true, "what was to go by TLS would be sent in the clear"),
    ("max_outgoing", true, false, "calls would cost more than they may"),
    ("max_minutes", true, false, "calls would cost more than they may"),
    ("allow_numbers", true, false, "calls would cost more than they may"),
    ("forbid_numbers", true, false, "calls would cost more than they may"),
    ("udpbindaddr", false, true, "it would listen where it was not to"),
    ("bindaddr", false, true, "it would listen where it was not to"),
    ("tcpbindaddr", false, true, "it would listen where it was not to"),
    ("tlsbindaddr", false, true, "it would listen where it was not to"),
];

/// Those of which a control character alone does: a password, and a list that may refuse by `!`.
const GARBLED: &[&str] = &["secret", "permit", "contactpermit"];

/// Every option there is, with every kind of bad value.
#[test]
fn no_value_of_any_option_drops_a_peer_or_the_start_but_where_that_would_open_a_door() {
    let huge = "9".repeat(400);
    let mut tried = 0;
    for (row, in_general) in option_table::table().flat_map(|row| [(row, true), (row, false)]) {
        for name in row.names.iter().filter(|_| row.is_valid(in_general)) {
            for value in ["", "nonsense", "-1", &huge, ",", "x\u{7}y", "\u{e4}"] {
                let line = format!("{name}={value}\n");
                let text = if in_general { format!("[general]\n{line}{PEER}") } else { format!("{PEER}{line}") };
                let (document, _) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
                let (conf, said) = parse(&document, &Default::default());
                let worst = said.iter().map(|one| one.severity).max();
                let is_kept = conf.peers.contains_key("a") && worst != Some(Severity::Fatal);
                let closes = CLOSES
                    .iter()
                    .any(|(closed, peer, start, _)| closed == name && if in_general { *start } else { *peer });
                let is_garbled = value.contains('\u{7}') && GARBLED.contains(name);
                assert!(
                    is_kept || !value.is_empty() && (closes || is_garbled),
                    "{line} in_general={in_general}: {said:?}"
                );
                assert_eq!(is_kept, worst.is_none_or(|worst| worst == Severity::Warning), "{line}: {said:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1_500, "{tried}");
    for (name, peer, start, why) in CLOSES {
        for (closes, text) in [(peer, format!("{PEER}{name}=?\n")), (start, format!("[general]\n{name}=?\n{PEER}"))] {
            let (_, said) = read(&text);
            let is_closed = said.iter().any(|said| said.contains(" Fatal: ") || said.contains(" Error: "));
            assert_eq!(is_closed, *closes, "{name}: {why}: {said:?}");
        }
    }
}

#[test]
fn what_would_open_a_door_fails_closed() {
    let fatal = |line: &str| {
        let (_, said) = read(&format!("[general]\n{line}\n"));
        assert_eq!(said.len(), 1, "{line}: {said:?}");
        assert!(said[0].starts_with("2 Fatal: "), "{line}: {said:?}");
    };
    for line in [
        "bindaddr=not.an.addr",
        "contactdeny=x",
        "contactacl=x",
        "deny=x",
        "permit=!x",
        "transport=tsl",
        "contactdeny=10.0.0.0/8\r1",
    ] {
        fatal(line);
    }
    let left_out = |line: &str| {
        let (conf, said) = read(&format!("[a]\ntype=friend\nhost=dynamic\nsecret=s\n{line}\n"));
        assert_eq!((conf.peers.len(), said.len()), (0, 1), "{line}: {said:?}");
    };
    for line in [
        "acl=home",
        "encryption=yes",
        "encryption=maybe",
        "deny=x",
        "deny=10.0.0.0/8,x",
        "permit=10.0.0.0/8,!x",
        "contactpermit=!x",
        "md5secret=short",
        "secret=a\u{1}b",
        "deny=10.0.0.0/8\u{1}",
        "transport=tsl",
        "transport=wss",
    ] {
        left_out(line);
    }
    assert_eq!(peer("encryption=no").name, "a");
    // Nobody is made known by a name who was known by an address.
    let (conf, _) = read("[a]\ntype=friend\nhost=192.0.2.300\ninsecure=invite\n");
    assert_eq!(conf.peers["a"].host, PeerAddress::Unset);
    // A list that cannot be read lets nobody have media directly.
    for line in ["directmediadeny=x", "directmediaacl=x", "directmediapermit=!x"] {
        let (conf, _) = read(&format!("{PEER}directmedia=yes\n{line}\n"));
        assert!(!conf.peers["a"].direct_media_acl.allows("192.0.2.9".parse().unwrap()), "{line}");
    }
    // A domain that is none is nobody's: not every domain is ours.
    let (conf, said) = read("[general]\ndomain=two words\n");
    assert_eq!((conf.general.domains.len(), said.len()), (1, 1), "{said:?}");
}

#[test]
fn secrets_are_never_said() {
    let (conf, said) = read(
        "[a]\ntype=friend\nhost=dynamic\nsecret=hunter2\nmd5secret=hunter3\n[general]\nregister=u:hunter4@h~x\n[b]\ntype=friend\nhost=dynamic\nsecret=hunter5\nremotesecret=hunter6",
    );
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(!format!("{said:?}{conf:?}").contains("hunter"));
    let (conf, said) = read("[general]\nregister=u:hunter4:hunter@h\nauth=u:hunter5@r\n");
    assert!(said.is_empty() && !format!("{conf:?}").contains("hunter4") && !format!("{conf:?}").contains("hunter5"));
}

#[test]
fn the_table_is_whole() {
    for row in option_table::table() {
        assert!(!row.names.is_empty());
        assert!(!row.help.is_empty(), "{:?} says nothing", row.names);
        for name in row.names {
            assert_eq!(*name, name.to_ascii_lowercase(), "names are compared without case");
            for in_general in [true, false].into_iter().filter(|in_general| row.is_valid(*in_general)) {
                let same =
                    option_table::table().filter(|other| other.is_valid(in_general)).flat_map(|other| other.names);
                assert_eq!(same.filter(|other| *other == name).count(), 1, "'{name}' stands twice");
            }
        }
        if !matches!(row.effect, Effect::Accepted | Effect::Unsupported(_) | Effect::Refused(_)) {
            assert!(!row.values.is_empty() && !row.default.is_empty(), "{:?} lacks a column", row.names);
        }
    }
    // What a row says it accepts must be accepted, and be all there is.
    let values =
        |name: &str| option_table::table().find(|row| row.names.contains(&name)).map(|row| row.values).unwrap();
    for word in values("dtmfmode").split(", ") {
        let (conf, said) = read(&format!("[general]\ndtmfmode={word}\n"));
        assert_eq!(conf.general.defaults.dtmf_mode.name(), word);
        assert!(said.is_empty(), "{said:?}");
    }
    for codec in Codec::all() {
        assert!(values("allow").contains(codec.name()), "{}", codec.name());
        peer(&format!("allow={}", codec.name()));
    }
}

#[test]
fn what_stands_in_the_wrong_place_is_said() {
    let (_, said) = read(
        "[general]\nsecret=x\nqualfy=1\n[a]\ntype=friend\nhost=dynamic\nsecret=s\nbindport=1\nzzzzzzzz=1\ndtmf=info\n",
    );
    assert_eq!(
        said,
        [
            "2 Warning: 'secret' has no effect in [general]",
            "3 Warning: unknown option 'qualfy' (did you mean 'qualify'?)",
            "8 Warning: 'bindport' has no effect in a peer",
            "9 Warning: unknown option 'zzzzzzzz'",
            "10 Warning: unknown option 'dtmf' (did you mean 'dtmfmode'?)",
        ]
    );
}

#[test]
fn options_of_other_times_are_named_as_such_and_not_as_misspelt() {
    for name in [
        "limitonpeers",
        "callevents",
        "checkmwi",
        "incominglimit",
        "t38pt_rtp",
        "tos",
        "dial",
        "account",
        "LimitOnPeers",
        "outgoinglimit",
        "hash_users",
        "restrictcid",
        "t38pt_tcp",
        "regseconds",
    ] {
        for text in [format!("[general]\n{name}=1\n"), format!("{PEER}{name}=1\n")] {
            let (conf, said) = read(&text);
            assert_eq!(said.len(), 1, "{name}: {said:?}");
            assert!(
                said[0].ends_with(&format!("'{name}' is no option of chan_sip any more, and has no effect")),
                "{said:?}"
            );
            assert!(!text.contains("[a]") || conf.peers.len() == 1);
        }
    }
    let (document, _) = ini::parse("sip.conf", b"[general]\nport=5070\n", &mut ini::no_includes);
    let (conf, said) = parse(&document, &Default::default());
    assert_eq!(conf.general.bind.port(), 5060);
    assert!(said[0].hint.as_deref().unwrap().contains("'bindport'"), "{said:?}");
}

/// Every name of the reference's tables must be known where it may stand.
#[test]
fn every_option_of_chan_sip_is_known() {
    let general = "context allowguest alwaysauthreject realm domainsasrealm bindaddr udpbindaddr bindport tcpenable tcpbindaddr tlsenable \
        tlsbindaddr tlscertfile tlsprivatekey tlscafile tlscapath tlscadir tlsdontverifyserver tlscipher tlsclientmethod tlsservercipherorder \
        tlsdisablev1 tlsdisablev11 tlsdisablev12 tlsverifyclient transport websocket_enabled websocket_write_timeout tcpauthtimeout tcpauthlimit \
        localnet externaddr externip externhost externrefresh externtcpport externtlsport matchexternaddrlocally matchexterniplocally \
        media_address rtpbindaddr useragent sdpsession sdpowner maxexpiry maxexpirey minexpiry minexpirey defaultexpiry defaultexpirey \
        submaxexpiry subminexpiry mwiexpiry register registertimeout registerattempts register_retry_403 mwi subscribe_network_change_event \
        regcontext regextenonqualify legacy_useroption_parsing srvlookup pedantic compactheaders maxforwards timert1 timerb t1min allowtransfer \
        callerid fromdomain outboundproxy mwi_from notifymimetype vmexten notifyringing notifyhold notifycid callcounter rtptimeout \
        rtpholdtimeout rtpkeepalive tos_sip tos_audio tos_video tos_text cos_sip cos_audio cos_video cos_text qualify qualifyfreq qualifygap \
        qualifypeers keepalive domain allowexternaldomains autodomain autocreatepeer match_auth_username contactpermit contactdeny contactacl \
        dynamic_exclude_static dynamic_excludes_static disallowed_methods auth_options_requests auth_message_requests accept_outofcall_message \
        outofcall_message_context authfailureevents sipdebug recordhistory dumphistory send_diversion shrinkcallerid use_q850_reason \
        storesipcause prematuremedia relaxdtmf mohinterpret mohsuggest tonezone language preferred_codec_only autoframing allow disallow \
        maxcallbitrate session-timers session-expires session-minse session-refresher directrtpsetup refer_addheaders snom_aoc_enabled \
        icesupport discard_remote_hold_retrieval usereqphone parkinglot recordonfeature recordofffeature subscribecontext rtcachefriends \
        rtsavesysname rtsavepath rtupdate ignoreregexpire rtautoclear jbenable jbforce jbmaxsize jbresyncthreshold jbimpl jbtargetextra jblog \
        avpf encryption dtlsenable";
    let both = "nat directmedia canreinvite dtmfmode insecure progressinband promiscredir trustrpid sendrpid rpid_update rpid_immediate \
        trust_id_outbound supportpath useclientcode videosupport textsupport allowoverlap allowsubscribe ignoresdpversion faxdetect \
        rfc2833compensate buggymwi g726nonstandard rtcp_mux t38pt_udptl t38pt_usertpsource";
    let peer = "type secret remotesecret md5secret auth host defaultip port transport username defaultuser fromuser fromdomain callerid \
        fullname trunkname cid_number cid_tag callingpres context subscribecontext outofcall_message_context regexten callbackextension setvar \
        header permit deny acl contactpermit contactdeny contactacl directmediapermit directmediadeny directmediaacl qualify qualifyfreq \
        keepalive call-limit callcounter busylevel callgroup pickupgroup namedcallgroup namedpickupgroup mailbox hasvoicemail subscribemwi \
        unsolicited_mailbox vmexten language tonezone mohinterpret mohsuggest parkinglot allow disallow preferred_codec_only autoframing \
        ignore_requested_pref rtptimeout rtpholdtimeout rtpkeepalive timert1 timerb session-timers session-expires session-minse \
        session-refresher outboundproxy usereqphone accountcode amaflags description allowtransfer maxforwards maxcallbitrate use_q850_reason \
        disallowed_methods rtp_engine snom_aoc_enabled discard_remote_hold_retrieval encryption encryption_taglen avpf force_avp icesupport \
        dtlscertfile recordonfeature recordofffeature cc_agent_policy";
    let known = |name: &&str, in_general| matches!(look_up(name, in_general), Lookup::Known(_));
    let lost = |names: &str, in_general: bool| -> Vec<String> {
        names.split_whitespace().filter(|name| !known(name, in_general)).map(String::from).collect()
    };
    assert_eq!(lost(general, true), [""; 0]);
    assert_eq!(lost(both, true), [""; 0]);
    assert_eq!(lost(both, false), [""; 0]);
    assert_eq!(lost(peer, false), [""; 0]);
}
