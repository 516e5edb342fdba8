//! Session descriptions as telephones, adapters, gateways and the RFCs write them.

/// A description by name, with CRLF line ends.
pub struct Case {
    /// Who writes such a thing.
    pub name: &'static str,
    /// The description.
    pub text: String,
}

/// All descriptions. Every one is valid by RFC 8866 or its predecessors.
pub fn cases() -> Vec<Case> {
    let whole = WHOLE.iter().map(|(name, text)| Case { name, text: crlf(text) });
    let voices = VOICES.iter().map(|(name, media)| Case { name, text: crlf(&format!("{START}{media}")) });
    whole.chain(voices).collect()
}

fn crlf(text: &str) -> String {
    text.trim_start().replace('\n', "\r\n")
}

const START: &str = "v=0\no=- 3724394400 3724394405 IN IP4 198.51.100.1\ns=call\nc=IN IP4 198.51.100.1\nt=0 0\n";

/// Whole descriptions.
const WHOLE: &[(&str, &str)] = &[
    (
        "Linksys PAP2T 3.1.15",
        "
v=0
o=- 1234567 1234567 IN IP4 192.168.1.20
s=-
c=IN IP4 192.168.1.20
t=0 0
m=audio 16420 RTP/AVP 0 2 4 8 18 96 97 98 100 101
a=rtpmap:0 PCMU/8000
a=rtpmap:2 G726-32/8000
a=rtpmap:4 G723/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729a/8000
a=rtpmap:96 G726-40/8000
a=rtpmap:97 G726-24/8000
a=rtpmap:98 G726-16/8000
a=rtpmap:100 NSE/8000
a=fmtp:100 192-193
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:30
a=sendrecv
",
    ),
    (
        "Grandstream HT801",
        "
v=0
o=201 8000 8000 IN IP4 192.168.1.30
s=SIP Call
c=IN IP4 192.168.1.30
t=0 0
m=audio 5004 RTP/AVP 0 8 4 18 2 97 123 101
a=sendrecv
a=rtpmap:0 PCMU/8000
a=ptime:20
a=rtpmap:8 PCMA/8000
a=rtpmap:4 G723/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:2 G726-32/8000
a=rtpmap:97 iLBC/8000
a=fmtp:97 mode=20
a=rtpmap:123 opus/48000/2
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
",
    ),
    (
        "Cisco 7975, c= after m=",
        "
v=0
o=Cisco-SIPUA 2521 0 IN IP4 192.168.1.40
s=SIP Call
t=0 0
m=audio 24598 RTP/AVP 0 8 18 9 116 101
c=IN IP4 192.168.1.40
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:9 G722/8000
a=rtpmap:116 iLBC/8000
a=fmtp:116 mode=20
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
",
    ),
    (
        "an exchange of the old kind",
        "
v=0
o=root 1721383921 1721383922 IN IP4 192.0.2.9
s=PBX
c=IN IP4 192.0.2.9
t=0 0
m=audio 12044 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=maxptime:140
a=sendrecv
",
    ),
    (
        "the example of RFC 8866 section 5, without what only broadcasts use",
        "
v=0
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
s=Call to John Smith
i=SDP Offer #1
u=http://www.jdoe.example.com/home.html
e=Jane Doe <jane@jdoe.example.com>
p=+1 617 555-6011
c=IN IP4 198.51.100.1
b=AS:64
t=0 0
m=audio 49170 RTP/AVP 0
m=audio 49180 RTP/AVP 0
m=video 51372 RTP/AVP 99
c=IN IP6 2001:db8::2
a=rtpmap:99 h263-1998/90000
",
    ),
    (
        "IPv6 throughout",
        "
v=0
o=- 7 8 IN IP6 2001:db8::7
s=-
c=IN IP6 2001:db8::7
t=0 0
m=audio 6000 RTP/AVP 8 0
a=ptime:20
",
    ),
    (
        "a media address other than the session's",
        "
v=0
o=- 7 8 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
m=audio 6000 RTP/AVP 8
c=IN IP4 10.0.0.2
",
    ),
    (
        "fax: T.38 beside rejected voice",
        "
v=0
o=- 7 9 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
m=audio 0 RTP/AVP 0
m=image 16500 udptl t38
a=T38FaxVersion:0
a=T38MaxBitRate:14400
a=T38FaxRateManagement:transferredTCF
",
    ),
    (
        "direction for the whole description",
        "
v=0
o=- 7 10 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
a=sendonly
m=audio 16500 RTP/AVP 0
",
    ),
    (
        "the old hold",
        "
v=0
o=- 7 11 IN IP4 10.0.0.1
s=-
c=IN IP4 0.0.0.0
t=0 0
m=audio 16500 RTP/AVP 0
",
    ),
];

/// Media, to be put behind [`START`].
const VOICES: &[(&str, &str)] = &[
    ("static numbers without names", "m=audio 4000 RTP/AVP 0 3 8 18\n"),
    ("hold", "m=audio 4000 RTP/AVP 0\na=sendonly\n"),
    ("answer to hold", "m=audio 4000 RTP/AVP 0\na=recvonly\n"),
    ("inactive", "m=audio 4000 RTP/AVP 0\na=inactive\n"),
    ("RTCP elsewhere", "m=audio 4000 RTP/AVP 0\na=rtcp:4009 IN IP4 198.51.100.2\n"),
    ("RTCP at another port", "m=audio 4000 RTP/AVP 0\na=rtcp:53020\n"),
    (
        "G.729 without annex B",
        "m=audio 4000 RTP/AVP 18 101\na=rtpmap:18 G729/8000\na=fmtp:18 annexb=no\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n",
    ),
    (
        "dynamic G.711 for modems",
        "m=audio 4000 RTP/AVP 8 96\na=rtpmap:8 PCMA/8000\na=rtpmap:96 PCMU/8000\na=gpmd:96 vbd=yes\na=ptime:10\n",
    ),
    (
        "Cisco's modem signalling",
        "m=audio 4000 RTP/AVP 0 100\na=rtpmap:100 X-NSE/8000\na=fmtp:100 192-194\na=X-sqn:0\na=X-cap: 1 audio RTP/AVP 100\n",
    ),
    ("no silence, please", "m=audio 4000 RTP/AVP 0\na=silenceSupp:off - - - -\n"),
    ("comfort noise", "m=audio 4000 RTP/AVP 0 13\na=rtpmap:13 CN/8000\n"),
    ("redundancy", "m=audio 4000 RTP/AVP 121 0\na=rtpmap:121 red/8000\na=fmtp:121 0/0\n"),
    ("voice over AVPF, which is not ours", "m=audio 4000 RTP/AVPF 0\n"),
    ("video first", "m=video 4002 RTP/AVP 34\na=rtpmap:34 H263/90000\nm=audio 4000 RTP/AVP 0\n"),
    ("stereo", "m=audio 4000 RTP/AVP 96 0\na=rtpmap:96 L16/44100/2\n"),
    ("two ports", "m=audio 4000/2 RTP/AVP 0\n"),
];
