//! The dialogs of a leg. A proxy may ring several telephones by our one INVITE, each of which answers with a tag of its
//! own (RFC 3261 12.1.2): one of these dialogs is the current one; the others are kept, so that requests in them get
//! the required response.

use super::body::info_refusal;
use super::context::LegIndex;
use crate::pbx::core::LegId;
use crate::sdp::Sdp;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::validate::Essentials;
use bytes::Bytes;

/// Maximum number of early dialogs kept per INVITE, besides the current one.
const MAX_EARLY_DIALOGS: usize = 8;

/// The current dialog of a leg and the other early ones.
#[derive(Debug, Default)]
pub(super) struct Dialogs {
    /// The leg's own dialog: a caller's from the start; a callee's from its first tagged response.
    pub current: Option<Dialog>,
    /// The other early dialogs of our INVITE.
    others: Vec<EarlyDialog>,
}

/// Another early dialog of the same INVITE.
#[derive(Debug)]
struct EarlyDialog {
    dialog: Dialog,
    /// The peer's description in it.
    remote: Option<Sdp>,
}

impl Dialogs {
    /// The dialog of a caller's INVITE.
    pub fn of_caller(dialog: Dialog) -> Dialogs {
        Dialogs { current: Some(dialog), others: Vec::new() }
    }

    /// The dialog of a response becomes the current one: a new dialog, or one of those we know (RFC 3261 12.1.2,
    /// 13.2.2.4). The peer's description in the current dialog, `remote`, is exchanged with it. False when there are
    /// too many already.
    pub fn adopt(&mut self, dialog: Dialog, remote: &mut Option<Sdp>, leg: LegId, index: &mut LegIndex) -> bool {
        let key = dialog.key();
        if let Some(known) = self.current.as_mut().filter(|known| known.key() == key) {
            update(known, dialog);
            return true;
        }
        let known = self.others.iter().position(|other| other.dialog.key() == key);
        let known = known.map(|at| self.others.remove(at));
        if known.is_none() && self.others.len() >= MAX_EARLY_DIALOGS {
            // The dialog of a 2xx is taken all the same.
            if !dialog.confirmed {
                return false;
            }
            let oldest = self.others.remove(0);
            index.dialogs.remove(&oldest.dialog.key());
        }
        if let Some(before) = self.current.take() {
            self.others.push(EarlyDialog { dialog: before, remote: remote.take() });
        }
        index.dialogs.insert(key, leg);
        self.current = Some(match known {
            Some(mut known) => {
                *remote = known.remote;
                update(&mut known.dialog, dialog);
                known.dialog
            }
            None => dialog,
        });
        true
    }

    /// Which of the other early dialogs a request belongs to; `None`: none of them.
    pub fn find_other(&self, essentials: &Essentials) -> Option<usize> {
        let key = DialogKey::of_request(essentials)?;
        self.others.iter().position(|other| other.dialog.key() == key)
    }

    /// The required response to a request in another early dialog; the call itself is not touched by it.
    pub fn receive_in_other(
        &mut self,
        at: usize,
        request: &Request,
        essentials: &Essentials,
        contact: &Bytes,
        index: &mut LegIndex,
    ) -> Option<Response> {
        let other = self.others.get_mut(at)?;
        let plain = |status| Some(Response::for_request(request, status, None));
        if other.dialog.receive(essentials.cseq.number, &request.method).is_err() {
            // RFC 3261 12.2.2: an old CSeq is answered with 500.
            return plain(500);
        }
        match &request.method {
            Method::Bye => {
                let gone = self.others.remove(at);
                index.dialogs.remove(&gone.dialog.key());
                plain(200)
            }
            Method::Update if request.body.is_empty() => {
                other.dialog.refresh_target(&request.headers);
                let mut response = Response::for_request(request, 200, None);
                response.headers.push(HeaderName::Contact, contact.clone());
                Some(response)
            }
            // RFC 3261 14.2 and RFC 3311 5.2: our offer is not answered in this dialog.
            Method::Invite | Method::Update => plain(491),
            Method::Info if !request.body.is_empty() => Some(info_refusal(request, 415)),
            method => plain_status(method).and_then(plain),
        }
    }

    /// The telephone of the current dialog hangs up before any answer: another early dialog takes its place. False when
    /// there is none.
    pub fn replace_current(&mut self, remote: &mut Option<Sdp>, index: &mut LegIndex) -> bool {
        let Some(next) = self.others.pop() else { return false };
        if let Some(gone) = self.current.replace(next.dialog) {
            index.dialogs.remove(&gone.key());
        }
        *remote = next.remote;
        true
    }

    /// The INVITE is over: no message finds the leg by these dialogs any more.
    pub fn remove_from(&mut self, index: &mut LegIndex) {
        if let Some(dialog) = &self.current {
            index.dialogs.remove(&dialog.key());
        }
        for other in self.others.drain(..) {
            index.dialogs.remove(&other.dialog.key());
        }
    }
}

/// What a later response changes in a dialog we know: its route set and target and, by a 2xx, that it is confirmed. Its
/// sequence numbers stay.
fn update(known: &mut Dialog, latest: Dialog) {
    known.route_set = latest.route_set;
    known.remote_target = latest.remote_target;
    known.confirmed |= latest.confirmed;
}

/// The response to a request in a dialog that neither ends nor changes the call; `None`: it has no response.
pub(super) fn plain_status(method: &Method) -> Option<u16> {
    method.rules().in_dialog
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::peer::Settings;
    use crate::pbx::calls::leg::context::testing::{LEG, core, sdp, user_agent};

    /// A dialog of the peer with this tag.
    fn dialog(tag: &str, confirmed: bool) -> Dialog {
        let of_invite = user_agent(Settings::default(), &mut core()).0.dialogs.current.unwrap();
        Dialog { remote_tag: Some(tag.into()), confirmed, ..of_invite }
    }

    #[test]
    fn eight_early_dialogs_are_kept_besides_the_current_one_and_a_2xx_takes_the_place_of_the_oldest() {
        let (mut dialogs, mut index, mut remote) = (Dialogs::default(), LegIndex::default(), None);
        let mut adopt = |tag: &str, confirmed| dialogs.adopt(dialog(tag, confirmed), &mut remote, LEG, &mut index);
        let adopted: Vec<bool> = (0..=9).map(|tag| adopt(&tag.to_string(), false)).collect();
        assert_eq!(adopted, [true, true, true, true, true, true, true, true, true, false]);
        assert!(adopt("3", false), "one we know");
        assert!(adopt("9", true), "the answer");
        assert_eq!(index.dialogs.len(), 9);
        assert!(index.dialogs.get(&dialog("0", false).key()).is_none(), "the oldest");
        assert_eq!(dialogs.current.as_ref().map(Dialog::key), Some(dialog("9", true).key()));
        dialogs.remove_from(&mut index);
        assert_eq!(index.dialogs.len(), 0);
    }

    #[test]
    fn the_description_of_the_peer_goes_with_its_dialog() {
        let (mut dialogs, mut index, mut remote) = (Dialogs::default(), LegIndex::default(), None);
        let (a, b) = (Some(sdp("0", "sendrecv")), Some(sdp("8", "sendrecv")));
        dialogs.adopt(dialog("a", false), &mut remote, LEG, &mut index);
        remote = a.clone();
        dialogs.adopt(dialog("b", false), &mut remote, LEG, &mut index);
        assert_eq!(remote, None);
        remote = b.clone();
        dialogs.adopt(dialog("a", false), &mut remote, LEG, &mut index);
        assert_eq!(remote, a);
        assert!(dialogs.replace_current(&mut remote, &mut index), "a hangs up, and b rings still");
        assert_eq!((remote.clone(), index.dialogs.len()), (b, 1));
        assert!(!dialogs.replace_current(&mut remote, &mut index), "b is the last");
    }
}
