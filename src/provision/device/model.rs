//! What a model is: its lines, what it is called, and the files that are made for it.

use crate::provision::template::{Fault, Format, Template};
use crate::provision::values::names::is_known;

/// A model as it is written down in this folder.
pub(super) struct BuiltIn {
    /// The word of `device=`.
    pub(super) name: &'static str,
    /// As people call it.
    pub(super) title: &'static str,
    /// How many lines it has.
    pub(super) lines: u8,
    pub(super) family: Family,
    /// The type of `sip notify` that has it fetch its files anew.
    pub(super) push: Option<&'static str>,
    /// The longest name and password of a line that it takes, in letters.
    pub(super) longest: usize,
    /// What of it stands in its files: the model's number, or how its adapter calls itself.
    pub(super) number: &'static str,
    /// Names without an address that it asks for when it is new.
    pub(super) first_names: &'static [&'static str],
    pub(super) files: &'static [BuiltInFile],
    /// What is not known of it.
    pub(super) note: &'static str,
}

/// A file of a device.
pub(super) struct BuiltInFile {
    /// Its name, and others that it is asked by; `{mac}` and `{MAC}` stand for the address, a `*` for anything.
    pub(super) names: &'static [&'static str],
    pub(super) format: Format,
    pub(super) what: &'static str,
    pub(super) template: &'static str,
}

/// Makes that share a way of being told things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Cisco 7940 and 7960 with SIP firmware.
    Cisco79xx,
    /// Adapters of Sipura, Linksys and Cisco with a flat profile.
    Sipura,
    /// Grandstream's adapters.
    Grandstream,
    /// Any other.
    Other,
}

/// A model: of this folder, or of a template of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The word of `device=`.
    pub name: String,
    /// As people call it.
    pub title: String,
    /// How many lines it has.
    pub lines: u8,
    /// Which make.
    pub family: Family,
    /// The type of `sip notify` that has it fetch its files anew; none: it cannot be told.
    pub push: Option<String>,
    /// The longest name and password of a line that it takes, in letters.
    pub longest: usize,
    /// What of it stands in its files: the model's number, or how its adapter calls itself.
    pub number: String,
    /// Names without an address that it asks for when it is new, in lower case.
    pub first_names: Vec<String>,
    /// The files that are made for each device.
    pub files: Vec<FileKind>,
    /// What is not known of it; empty: nothing to say.
    pub note: String,
}

/// A file that is made for each device of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKind {
    /// Its name, and others that it is asked by; `{mac}` and `{MAC}` stand for the address, a `*` for anything. Empty: it is
    /// shown to people and given to no device.
    pub names: Vec<String>,
    /// How values are written in it.
    pub format: Format,
    /// What it is, for people: "its configuration".
    pub what: &'static str,
    /// What it is made of.
    pub template: Template,
}

impl BuiltIn {
    /// The same with its templates read.
    pub(super) fn read(&self) -> Result<Model, Fault> {
        let files = self.files.iter().map(|file| {
            Ok(FileKind {
                names: owned(file.names),
                format: file.format,
                what: file.what,
                template: Template::parse(file.template, &is_known)?,
            })
        });
        Ok(Model {
            name: self.name.into(),
            title: self.title.into(),
            lines: self.lines,
            family: self.family,
            push: self.push.map(String::from),
            longest: self.longest,
            number: self.number.into(),
            first_names: owned(self.first_names),
            files: files.collect::<Result<_, _>>()?,
            note: self.note.into(),
        })
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
