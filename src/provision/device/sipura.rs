//! What the adapters of Sipura, Linksys and Cisco have in common: one flat profile.

use super::model::BuiltInFile;
use crate::provision::numbers::Number;
use crate::provision::template::Format;
use crate::provision::values::Entry;

/// The file of each adapter.
pub(super) const FILES: &[BuiltInFile] = &[BuiltInFile {
    names: &["spa{mac}.cfg", "{mac}.cfg", "{mac}.xml", "spa{mac}.xml"],
    format: Format::Xml,
    what: "its configuration",
    template: include_str!("templates/sipura.xml"),
}];

/// The longest user and password of a line (the manuals: texts of at most 63 letters).
pub(super) const LONGEST: usize = 63;

/// The codes that an adapter keeps for itself, as it comes: the name of the setting, and the code (the administrator guides).
const STAR_CODES: &[(&str, &str)] = &[
    ("Call_Return_Code", "*69"),
    ("Call_Redial_Code", "*07"),
    ("Blind_Transfer_Code", "*98"),
    ("Call_Back_Act_Code", "*66"),
    ("Call_Back_Deact_Code", "*86"),
    ("Call_Back_Busy_Act_Code", "*05"),
    ("Cfwd_All_Act_Code", "*72"),
    ("Cfwd_All_Deact_Code", "*73"),
    ("Cfwd_Busy_Act_Code", "*90"),
    ("Cfwd_Busy_Deact_Code", "*91"),
    ("Cfwd_No_Ans_Act_Code", "*92"),
    ("Cfwd_No_Ans_Deact_Code", "*93"),
    ("Cfwd_Last_Act_Code", "*63"),
    ("Cfwd_Last_Deact_Code", "*83"),
    ("Block_Last_Act_Code", "*60"),
    ("Block_Last_Deact_Code", "*80"),
    ("Accept_Last_Act_Code", "*64"),
    ("Accept_Last_Deact_Code", "*84"),
    ("CW_Act_Code", "*56"),
    ("CW_Deact_Code", "*57"),
    ("CW_Per_Call_Act_Code", "*71"),
    ("CW_Per_Call_Deact_Code", "*70"),
    ("Block_CID_Act_Code", "*67"),
    ("Block_CID_Deact_Code", "*68"),
    ("Block_CID_Per_Call_Act_Code", "*81"),
    ("Block_CID_Per_Call_Deact_Code", "*82"),
    ("Block_ANC_Act_Code", "*77"),
    ("Block_ANC_Deact_Code", "*87"),
    ("DND_Act_Code", "*78"),
    ("DND_Deact_Code", "*79"),
    ("CID_Act_Code", "*65"),
    ("CID_Deact_Code", "*85"),
    ("CWCID_Act_Code", "*25"),
    ("CWCID_Deact_Code", "*45"),
    ("Dist_Ring_Act_Code", "*26"),
    ("Dist_Ring_Deact_Code", "*46"),
    ("Speed_Dial_Act_Code", "*74"),
    ("Secure_All_Call_Act_Code", "*16"),
    ("Secure_No_Call_Act_Code", "*17"),
    ("Secure_One_Call_Act_Code", "*18"),
    ("Secure_One_Call_Deact_Code", "*19"),
    ("Media_Loopback_Code", "*03"),
    ("Modem_Line_Toggle_Code", "*99"),
    ("FAX_Line_Toggle_Code", "#99"),
];

/// Every code as the adapter is to have it: as it comes, or empty where it would keep a number of the dialplan from the
/// exchange.
pub fn codes(numbers: &[Number]) -> Vec<Entry> {
    let entry = |(name, code): &(&'static str, &str)| {
        let clashes = numbers.iter().any(|number| number.clashes_with(code));
        Entry::default().text("setting", *name).text("code", if clashes { "" } else { *code })
    };
    STAR_CODES.iter().map(entry).collect()
}
