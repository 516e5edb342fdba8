//! sip.conf, typed: `[general]` and the peers.

mod builder;
mod codec_options;
mod device_options;
mod general_options;
mod group_options;
mod ignored_options;
mod lamp_options;
mod limit_options;
mod line_options;
mod obsolete_options;
pub mod option;
pub mod option_table;
mod peer_options;
mod registrations;
mod settings_options;
mod transfer_options;
mod transport_options;
mod trunk_options;

#[cfg(test)]
mod tests;

use super::acl_conf::Lists;
use super::diagnostic::{Diagnostic, Place, Severity, tidy};
use super::general::General;
use super::ini::{Document, Entry, Section};
use super::lamps::hears_of_messages;
use super::peer::{Kind, Peer, Settings};
use super::register_line::Written;
use super::value::{self, is_one_of};
use builder::{GeneralDraft, PeerDraft};
use option::{Effect, OptionRow, Trouble};
use option_table::{Lookup, look_up};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What sip.conf says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SipConf {
    /// `[general]`.
    pub general: General,
    /// The peers by name.
    pub peers: BTreeMap<String, Arc<Peer>>,
    /// The peers that an error leaves out, with the context each would call from: what names them is no mistake.
    pub left_out: BTreeMap<String, String>,
}

/// Reads the settings of a document, whose `acl=` lines name `lists`. What is wrong is all said. A line with
/// a bad value is ignored; a peer is left out only where that would open what the line closes.
pub fn parse(document: &Document, lists: &Arc<Lists>) -> (SipConf, Vec<Diagnostic>) {
    let mut reader =
        Reader { diagnostics: Vec::new(), lists: lists.clone(), register_lines: Vec::new(), mailbox_lines: Vec::new() };
    let mut general = reader.general(document);
    let mut drafts: BTreeMap<&str, PeerDraft> = BTreeMap::new();
    for section in &document.sections {
        let name = section.name.as_str();
        if name.eq_ignore_ascii_case("general") {
        } else if name.eq_ignore_ascii_case("authentication") {
            reader.authentication(section, &mut general);
        } else if name.is_empty() || name.chars().any(char::is_control) {
            let say = "a peer needs a name that can be typed: the section is left out";
            reader
                .diagnostics
                .push(Diagnostic::error(section.place.clone(), say).hint("write its name in the brackets"));
        } else {
            // A second section of a name goes on where the first ended.
            let fresh = || {
                let mut draft = PeerDraft::new(name, section.place.clone(), general.defaults.clone(), lists);
                draft.peer.from_domain.clone_from(&general.from_domain);
                draft
            };
            let draft = drafts.entry(name).or_insert_with(fresh);
            for entry in &section.entries {
                reader.peer_entry(draft, entry);
            }
        }
    }
    let (mut peers, mut left_out) = (BTreeMap::new(), BTreeMap::new());
    for (name, draft) in drafts {
        let context = draft.peer.settings.context.clone();
        if let Some(peer) = draft.finish(&general, &mut reader.diagnostics) {
            reader.diagnostics.extend(unspoken(&peer, &general));
            reader.diagnostics.extend(asked_all_the_same(&peer));
            peers.insert(name.to_string(), Arc::new(peer));
        } else {
            left_out.insert(name.to_string(), context);
        }
    }
    let written = std::mem::take(&mut reader.register_lines);
    general.registrations = registrations::all(written, &peers, &general, &mut reader.diagnostics);
    registrations::name_peers(&general.registrations, &mut peers);
    let written = std::mem::take(&mut reader.mailbox_lines);
    general.mailboxes = registrations::mailboxes(written, &peers, &general, &mut reader.diagnostics);
    reader.diagnostics.extend(untold(&peers, &general));
    tidy(&mut reader.diagnostics);
    (SipConf { general, peers, left_out }, reader.diagnostics)
}

/// Peers with mailboxes of which nobody tells, and modems with any.
fn untold(peers: &BTreeMap<String, Arc<Peer>>, general: &General) -> Vec<Diagnostic> {
    let unasked = peers.values().filter_map(|peer| peer.messages.unsolicited.as_ref());
    let told: Vec<&String> = unasked.chain(general.mailboxes.iter().map(|line| &line.mailbox)).collect();
    let mut said = Vec::new();
    for peer in peers.values().filter(|peer| !peer.messages.mailboxes.is_empty()) {
        if !hears_of_messages(peer) {
            let say = format!("'mailbox' has no effect on peer '{}': it is 'line=modem'", peer.name);
            let hint = "a stutter tone breaks the dialling of a modem: take the line out";
            said.push(Diagnostic::warning(peer.place.clone(), say).hint(hint));
            continue;
        }
        let untold = |mailbox: &&String| !told.contains(mailbox);
        let untold: Vec<&str> = peer.messages.mailboxes.iter().filter(untold).map(String::as_str).collect();
        if let Some(first) = untold.first() {
            let say = format!(
                "mailbox '{}' of peer '{}' has no source: there is no voice mail yet",
                untold.join("' and '"),
                peer.name
            );
            let hint = format!(
                "write 'unsolicited_mailbox={first}' in the peer of a provider that tells of it, or a line 'mwi =>', or tell it by the console: \
                 'mailbox set {first} NEW OLD'"
            );
            said.push(Diagnostic::warning(peer.place.clone(), say).hint(hint));
        }
    }
    said
}

/// A peer that can only be spoken to over what is switched off.
fn unspoken(peer: &Peer, general: &General) -> Option<Diagnostic> {
    let spoken = general.transports();
    let first = peer.settings.transports.first().filter(|first| !spoken.contains(first))?;
    let say = format!("peer '{}' has 'transport={}', which is switched off", peer.name, first.name());
    let hint = format!("write '{}enable=yes' in [general]", first.name());
    Some(Diagnostic::warning(peer.place.clone(), say).hint(hint))
}

/// A peer that is known by nothing but its password, and is told not to be asked for it.
fn asked_all_the_same(peer: &Peer) -> Option<Diagnostic> {
    let is_known = peer.kind != Kind::Peer || peer.host.is_fixed() || peer.credential.is_none();
    if is_known || !peer.settings.insecure.invite {
        return None;
    }
    let say = format!("'insecure=invite' has no effect on peer '{}': it is 'type=peer' without an address", peer.name);
    let hint =
        "give it the address as 'host=', or write 'type=friend': then its name in From is believed from anywhere";
    Some(Diagnostic::warning(peer.place.clone(), say).hint(hint))
}

struct Reader {
    /// The `register` lines, and where they stand.
    register_lines: Vec<(Place, Written)>,
    /// The `mwi` lines.
    mailbox_lines: Vec<(Place, Written, String)>,
    diagnostics: Vec<Diagnostic>,
    lists: Arc<Lists>,
}

/// What an option is applied to.
enum Target<'a> {
    General(&'a mut GeneralDraft),
    Peer(&'a mut PeerDraft),
}

impl Target<'_> {
    fn settings(&mut self) -> &mut Settings {
        match self {
            Target::General(draft) => &mut draft.general.defaults,
            Target::Peer(draft) => &mut draft.peer.settings,
        }
    }

    fn is_general(&self) -> bool {
        matches!(self, Target::General(_))
    }
}

impl Reader {
    fn general(&mut self, document: &Document) -> General {
        let mut draft = GeneralDraft::new(&self.lists);
        let nowhere = Place { file: "sip.conf".into(), line: 0 };
        let mut all = document.sections.iter().filter(|section| section.name.eq_ignore_ascii_case("general"));
        let Some(section) = all.next() else { return draft.finish(&nowhere, &mut self.diagnostics) };
        for entry in &section.entries {
            draft.at.clone_from(&entry.place);
            self.apply(&mut Target::General(&mut draft), entry);
        }
        for second in all {
            let say = format!("'[{}]' stands here again and is ignored: only the first counts", second.name);
            let hint = format!("move its lines to {}, or write '[{}](+)'", section.place, second.name);
            self.diagnostics.push(Diagnostic::warning(second.place.clone(), say).hint(hint));
        }
        self.register_lines = std::mem::take(&mut draft.register_lines);
        self.mailbox_lines = std::mem::take(&mut draft.mailbox_lines);
        draft.finish(&section.place, &mut self.diagnostics)
    }

    /// `[authentication]`: `auth=` lines, as in `[general]`.
    fn authentication(&mut self, section: &Section, general: &mut General) {
        for entry in &section.entries {
            if !entry.is("auth") {
                let say = format!("'{}' in [{}] is no option there", entry.name, section.name);
                self.warn(entry, say, "only 'auth=USER:SECRET@REALM' stands there".into());
            } else if let Err(Trouble::Ignored(say)) = trunk_options::add(&mut general.auth, &entry.value) {
                self.warn(entry, say.message + ": the line is ignored", say.hint);
            }
        }
    }

    fn peer_entry(&mut self, draft: &mut PeerDraft, entry: &Entry) {
        draft.at.clone_from(&entry.place);
        if !self.apply(&mut Target::Peer(draft), entry) {
            draft.is_broken = true;
        }
    }

    /// Applies an entry; false when to go on without it would open what it closes.
    fn apply(&mut self, target: &mut Target<'_>, entry: &Entry) -> bool {
        let in_general = target.is_general();
        let row = match look_up(&entry.name, in_general) {
            Lookup::Known(row) => row,
            Lookup::Misplaced => {
                if in_general && entry.is("port") {
                    let say = "'port' has no effect in [general]".to_owned();
                    self.warn(entry, say, "write 'bindport' for the port that SIP is received at".into());
                    return true;
                }
                let (here, there) = if in_general { ("[general]", "a peer") } else { ("a peer", "[general]") };
                let say = format!("'{}' has no effect in {here}", entry.name);
                self.warn(entry, say, format!("move the line to {there}"));
                return true;
            }
            Lookup::Obsolete(instead) => {
                let say = format!("'{}' is no option of chan_sip any more, and has no effect", entry.name);
                self.warn(entry, say, instead.to_owned());
                return true;
            }
            // What stands behind the blank may be a secret: it is not said.
            Lookup::Unknown(_) if entry.name.contains(char::is_whitespace) => {
                let name = entry.name.split_whitespace().next().unwrap_or("");
                let say = format!("there is no '=' behind '{name}': the line is ignored");
                self.warn(entry, say, format!("write '{name} = value'"));
                return true;
            }
            Lookup::Unknown(nearest) => {
                let meant = nearest.map(|name| format!(" (did you mean '{name}'?)")).unwrap_or_default();
                self.warn(entry, format!("unknown option '{}'{meant}", entry.name), UNKNOWN_HINT.into());
                return true;
            }
        };
        match set(row, target, &entry.name, &entry.value) {
            Ok(()) => true,
            Err(trouble) => self.trouble(trouble, row, target, entry),
        }
    }

    fn warn(&mut self, entry: &Entry, say: String, hint: String) {
        self.diagnostics.push(Diagnostic::warning(entry.place.clone(), say).hint(hint));
    }

    /// Says what is wrong with a value and what follows; false when to go on without it would open what it closes.
    fn trouble(&mut self, trouble: Trouble, row: &OptionRow, target: &Target<'_>, entry: &Entry) -> bool {
        let accepted = || format!("accepted: {}", row.values);
        let (name, value) = (&entry.name, entry.value.as_str());
        let quoted = |words: &[String]| format!("'{}'", words.join("', '"));
        let (closes, message, hint) = match trouble {
            Trouble::Bad | Trouble::Word(_) if value.is_empty() => {
                (false, format!("'{name}' has no value"), accepted())
            }
            Trouble::Bad => (row.guards, format!("'{value}' is not a valid value of '{name}'"), accepted()),
            Trouble::Word(word) => (row.guards, format!("'{word}' is not a valid value of '{name}'"), accepted()),
            Trouble::Ignored(say) => (row.guards, say.message, say.hint),
            Trouble::Closed(say) => (true, say.message, say.hint),
            Trouble::Remark(say) => {
                self.warn(entry, say.message, say.hint);
                return true;
            }
            Trouble::Finding(finding, say) => {
                self.diagnostics.push(finding.at(&entry.place, say.message).hint(say.hint));
                return true;
            }
            Trouble::Skipped(words) if words.len() == value::words(value).count() => {
                (false, format!("{} is not a valid value of '{name}'", quoted(&words)), accepted())
            }
            Trouble::Skipped(words) => {
                let say = format!("{} is ignored: not a valid value of '{name}'", quoted(&words));
                self.warn(entry, say, format!("the rest of the line is in effect; {}", accepted()));
                return true;
            }
        };
        let (severity, follows) = match (closes, target) {
            (false, _) => (Severity::Warning, ": the line is ignored".to_owned()),
            (true, Target::General(_)) => (Severity::Fatal, String::new()),
            (true, Target::Peer(draft)) => (Severity::Error, format!(": peer '{}' is left out", draft.peer.name)),
        };
        let (place, message) = (entry.place.clone(), message + &follows);
        self.diagnostics.push(Diagnostic { severity, code: "", place, message, hint: Some(hint) });
        severity == Severity::Warning
    }
}

const UNKNOWN_HINT: &str = "the line is ignored: correct the name, or take it out";

fn set(row: &OptionRow, target: &mut Target<'_>, written: &str, value: &str) -> Result<(), Trouble> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        // It would end up in a header or on a terminal.
        return Err(Trouble::ignored("the value contains a control character", "type the line anew"));
    }
    let name = row.names.iter().find(|known| known.eq_ignore_ascii_case(written)).copied().unwrap_or(written);
    match (&row.effect, &mut *target) {
        (Effect::General(set), Target::General(draft)) => set(draft, value),
        (Effect::Peer(set), Target::Peer(draft)) => set(draft, value),
        (Effect::Settings(set), _) => set(target.settings(), value),
        (Effect::Accepted, _) | (Effect::General(_), Target::Peer(_)) | (Effect::Peer(_), Target::General(_)) => Ok(()),
        (Effect::Unsupported(fits) | Effect::Refused(fits), _) if is_one_of(value, fits) => Ok(()),
        (Effect::Refused(_), _) if value.is_empty() => Err(Trouble::Bad),
        (Effect::Unsupported(_), _) => {
            Err(Trouble::remark(format!("'{name}' is not supported and is ignored"), row.help))
        }
        (Effect::Refused(_), _) => {
            Err(Trouble::closed(format!("'{name}' is not supported, and must not be ignored"), row.help))
        }
    }
}
