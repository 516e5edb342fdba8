//! A dial string of technology SIP, taken apart as chan_sip has it:
//!
//! - `peer[/number[/host]]`: the number at that peer, perhaps sent to another host than the peer's;
//! - `number[:password[:md5secret[:user[:transport]]]]@peer-or-host[:port][//host]`: with what it proves itself there;
//! - behind either `![user][@domain][![user][@domain]]`: what is written into To and From instead.

/// What stands in a dial string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DialString<'a> {
    /// The peer, or a host with its port.
    pub line: &'a str,
    /// The number or user to call there; empty: none.
    pub number: &'a str,
    /// What is given when a password is asked for there.
    pub login: DialLogin<'a>,
    /// `udp`, `tcp` or `tls`; empty: what the peer or `[general]` has.
    pub transport: &'a str,
    /// Where it is sent instead; empty: to the line itself.
    pub sent_to: &'a str,
    /// The user and the domain of To; empty: as without.
    pub to: (&'a str, &'a str),
    /// The same of From.
    pub from: (&'a str, &'a str),
    /// It has the form with `@`: the line may be a host.
    pub may_be_host: bool,
}

/// A password in a dial string.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct DialLogin<'a> {
    /// The password; empty: none.
    pub password: &'a str,
    /// The hexadecimal MD5 of `user:realm:password` instead; empty: none.
    pub md5: &'a str,
    /// Whose they are; empty: the number's.
    pub user: &'a str,
}

impl std::fmt::Debug for DialLogin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DialLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

impl<'a> DialString<'a> {
    /// Takes what stands behind `SIP/` apart.
    pub fn parse(resource: &'a str) -> DialString<'a> {
        let mut marks = resource.splitn(3, '!');
        let whom = marks.next().unwrap_or_default();
        let (to, from) = (address(marks.next()), address(marks.next()));
        let (uri, beyond) = match whom.split_once("//") {
            Some((uri, beyond)) if uri.contains('@') => (uri, beyond),
            Some(_) | None => (whom, ""),
        };
        let read = match uri.rsplit_once('@') {
            // A password may have slashes; a peer before one has no password.
            Some((login, line)) if !line.contains('/') && (login.contains(':') || !login.contains('/')) => {
                DialString { line, sent_to: beyond, may_be_host: true, ..with_login(login) }
            }
            _ => {
                let mut pieces = whom.splitn(3, '/');
                let mut next = || pieces.next().unwrap_or_default();
                DialString { line: next(), number: next(), sent_to: next(), ..DialString::default() }
            }
        };
        DialString { to, from, ..read }
    }
}

/// `number[:password[:md5secret[:user[:transport]]]]`.
fn with_login(text: &str) -> DialString<'_> {
    let mut words = text.splitn(5, ':');
    let mut next = || words.next().unwrap_or_default();
    let (number, password, md5, user) = (next(), next(), next(), next());
    DialString { number, login: DialLogin { password, md5, user }, transport: next(), ..DialString::default() }
}

/// `[user][@domain]`.
fn address(text: Option<&str>) -> (&str, &str) {
    let text = text.unwrap_or_default();
    text.split_once('@').unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::DialTarget;

    /// Everything of a dial string, what is empty left out.
    fn read(text: &str) -> String {
        let read = DialString::parse(text);
        let login = read.login;
        let all = [
            ("", read.line),
            ("number=", read.number),
            ("password=", login.password),
            ("md5=", login.md5),
            ("user=", login.user),
            ("over=", read.transport),
            ("via=", read.sent_to),
            ("to=", read.to.0),
            ("at=", read.to.1),
            ("from=", read.from.0),
            ("of=", read.from.1),
        ];
        let all = all.into_iter().filter(|(_, value)| !value.is_empty());
        let mut all: Vec<String> = all.map(|(name, value)| format!("{name}{value}")).collect();
        if read.may_be_host {
            all.push("@".into());
        }
        all.join(" ")
    }

    #[test]
    fn every_form_of_chan_sip_is_read() {
        for (text, parts) in [
            ("isp", "isp"),
            ("isp/100", "isp number=100"),
            ("isp/100/192.0.2.9:5070", "isp number=100 via=192.0.2.9:5070"),
            ("isp/100/tcp://sbc.example", "isp number=100 via=tcp://sbc.example"),
            ("isp//sbc.example", "isp via=sbc.example"),
            ("100@isp", "isp number=100 @"),
            ("bob@pbx.example:5070", "pbx.example:5070 number=bob @"),
            ("bob:pw@pbx.example", "pbx.example number=bob password=pw @"),
            ("bob:p/w@pbx.example", "pbx.example number=bob password=p/w @"),
            ("bob:p@w@pbx.example", "pbx.example number=bob password=p@w @"),
            ("bob::0123@pbx.example", "pbx.example number=bob md5=0123 @"),
            ("bob:pw:0123:me:tls@pbx.example", "pbx.example number=bob password=pw md5=0123 user=me over=tls @"),
            ("bob@far.example//192.0.2.9", "far.example number=bob via=192.0.2.9 @"),
            ("bob@[2001:db8::9]:5070", "[2001:db8::9]:5070 number=bob @"),
            ("isp/100!200", "isp number=100 to=200"),
            ("isp/100!200@b.example!300@c.example", "isp number=100 to=200 at=b.example from=300 of=c.example"),
            ("100@isp!!@c.example", "isp number=100 of=c.example @"),
            ("isp!@b.example", "isp at=b.example"),
        ] {
            assert_eq!(read(text), parts, "{text}");
        }
        assert!(!format!("{:?}", DialString::parse("bob:hush@h")).contains("hush"));
        let shown = |text: &str| DialTarget::parse(text).unwrap().to_string();
        assert_eq!(shown("SIP/bob:hush:md5:me:tcp@h:5070//x!a@h!b"), "SIP/bob@h:5070//x!a@h!b");
        assert_eq!(shown("SIP/bob::md5@h"), "SIP/bob@h");
        for whole in ["SIP/bob@h:5070", "SIP/bob::::tcp@h", "SIP/isp/100", "Local/1:2@ctx/n"] {
            assert_eq!(shown(whole), whole);
        }
    }
}
