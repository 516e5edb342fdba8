//! The nearest known name to one that is not known.

/// Applications of other exchanges that people have in their files and that are not here yet.
pub(super) const LATER: &[&str] = &[
    "AGI",
    "AbsoluteTimeout",
    "AddQueueMember",
    "AlarmReceiver",
    "Authenticate",
    "BackGround",
    "BackgroundDetect",
    "Bridge",
    "ChanIsAvail",
    "ChanSpy",
    "ConfBridge",
    "ContinueWhile",
    "ControlPlayback",
    "DISA",
    "DateTime",
    "DBdel",
    "DBdeltree",
    "DBget",
    "DBput",
    "DeadAGI",
    "Dictate",
    "Directory",
    "DumpChan",
    "EAGI",
    "EndWhile",
    "ExitWhile",
    "ExtenSpy",
    "ExternalIVR",
    "Flash",
    "FollowMe",
    "GotoIfTime",
    "Incomplete",
    "Log",
    "MSet",
    "Macro",
    "MacroExit",
    "MacroIf",
    "MeetMe",
    "MessageSend",
    "Milliwatt",
    "MixMonitor",
    "Monitor",
    "Morsecode",
    "MusicOnHold",
    "NoCDR",
    "Originate",
    "Page",
    "Park",
    "ParkAndAnnounce",
    "ParkedCall",
    "Pickup",
    "PickupChan",
    "PlayTones",
    "PrivacyManager",
    "Queue",
    "Read",
    "ReceiveFAX",
    "Record",
    "RemoveQueueMember",
    "ResetCDR",
    "RetryDial",
    "SIPAddHeader",
    "SIPDtmfMode",
    "SIPRemoveHeader",
    "SMS",
    "SayAlpha",
    "SayDigits",
    "SayNumber",
    "SayPhonetic",
    "SayUnixTime",
    "SendDTMF",
    "SendFAX",
    "SetAMAFlags",
    "SetCallerPres",
    "SoftHangup",
    "StackPop",
    "StartMusicOnHold",
    "StopMixMonitor",
    "StopMonitor",
    "StopMusicOnHold",
    "StopPlayTones",
    "System",
    "Transfer",
    "TrySystem",
    "UserEvent",
    "VMAuthenticate",
    "VoiceMail",
    "VoiceMailMain",
    "WaitExten",
    "WaitForSilence",
    "WaitUntil",
    "While",
];

/// The known name that differs least, when it differs little: at most a third of its letters.
pub(super) fn name<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let unknown: Vec<char> = unknown.to_lowercase().chars().take(80).collect();
    let far = |name: &str| distance(&unknown, &name.to_lowercase().chars().collect::<Vec<_>>());
    let (far, near) = known.iter().map(|name| (far(name), *name)).min()?;
    (far.saturating_mul(3) <= near.chars().count().max(3)).then_some(near)
}

/// How many letters must be changed, added or taken away.
fn distance(one: &[char], two: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, a) in one.iter().enumerate() {
        let mut corner = at;
        let mut left = at.saturating_add(1);
        let mut new = vec![left];
        for (b, above) in two.iter().zip(row.iter().skip(1)) {
            left = corner.saturating_add(usize::from(a != b)).min(left.saturating_add(1)).min(above.saturating_add(1));
            corner = *above;
            new.push(left);
        }
        row = new;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_none() {
        let known = ["Dial", "Hangup", "Playback"];
        assert_eq!(name("Dail", &["Dial"]), None, "two letters of four are too many");
        assert_eq!(name("Dia", &known), Some("Dial"));
        assert_eq!(name("hangupp", &known), Some("Hangup"));
        assert_eq!(name("Playbcak", &known), Some("Playback"));
        assert_eq!(name("Frobnicate", &known), None);
        assert_eq!(name("", &[]), None);
    }
}
