//! The models whose files are made: one file each in this folder, and a template.

mod ata192;
mod cisco;
mod cisco_7940;
mod cisco_7960;
mod generic;
mod ht801;
mod pap2t;
pub mod sipura;
mod snom;
mod spa112;
mod spa2102;
mod yealink;

pub mod head;
pub mod model;
pub mod shared;

use super::template::{Fault, Template};
use super::values::names::is_known;
use model::BuiltIn;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use model::{Family, FileKind, Model};

const BUILT_IN: &[&BuiltIn] = &[
    &cisco_7960::MODEL,
    &cisco_7940::MODEL,
    &pap2t::MODEL,
    &spa2102::MODEL,
    &spa112::MODEL,
    &ata192::MODEL,
    &ht801::MODEL,
    &generic::MODEL,
];

/// Families that are a template and nothing else.
const TEMPLATES: &[&str] = &[yealink::TEMPLATE, snom::TEMPLATE];

/// All models by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models(BTreeMap<String, Arc<Model>>);

impl Default for Models {
    fn default() -> Models {
        let mut models = BTreeMap::new();
        // A test reads every one of them: none is left out.
        for model in BUILT_IN.iter().filter_map(|one| one.read().ok()) {
            models.insert(model.name.clone(), Arc::new(model));
        }
        for model in TEMPLATES.iter().filter_map(|text| head::read(text).ok()) {
            models.insert(model.name.clone(), Arc::new(model));
        }
        Models(models)
    }
}

impl Models {
    /// The model of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Model>> {
        self.0.get(name)
    }

    /// Every model, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.0.values()
    }

    /// Takes a template of the user's: of a new model, or instead of the one a model has. `name` is that of its file, without
    /// the ending.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        let name = name.to_ascii_lowercase();
        if head::has_one(text) {
            let model = head::read(text)?;
            self.0.insert(model.name.clone(), Arc::new(model));
            return Ok(());
        }
        let template = Template::parse(text, &is_known)?;
        let Some(known) = self.0.get(&name) else {
            let message = "its name is no model's, and it has no head that says what it is".to_owned();
            return Err(Fault { line: 1, message });
        };
        let mut model = Model::clone(known);
        if let Some(file) = model.files.last_mut() {
            file.template = template;
        }
        self.0.insert(name, Arc::new(model));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for one in BUILT_IN {
            let model = one.read().unwrap_or_else(|fault| panic!("{}: {fault:?}", one.name));
            assert!(model.lines > 0 && !model.title.is_empty() && !model.files.is_empty());
            assert_eq!(model.name, model.name.to_ascii_lowercase());
        }
        for text in TEMPLATES {
            let model = head::read(text).unwrap();
            assert!(model.note.contains("never seen on hardware"), "{}", model.name);
        }
        assert_eq!(Models::default().all().count(), BUILT_IN.len() + TEMPLATES.len());
    }

    #[test]
    fn a_template_of_the_users_takes_the_place_of_ours_or_adds_a_model() {
        let mut models = Models::default();
        models.add("PAP2T", "<flat-profile>{{mac}}</flat-profile>").unwrap();
        let pap2t = models.get("pap2t").unwrap();
        assert_eq!((pap2t.lines, pap2t.files.len()), (2, 1));
        let text = "#: model acme\n#: title Acme One\n#: lines 3\n#: file acme-{mac}.cfg\n#: format text\n{{#lines}}\nuser={{user}}\n{{/lines}}\n";
        models.add("acme", text).unwrap();
        assert_eq!(models.get("acme").map(|model| (model.lines, model.title.as_str())), Some((3, "Acme One")));
        let unknown = models.add("acmee", "x").unwrap_err();
        assert_eq!(
            (unknown.line, unknown.message.as_str()),
            (1, "its name is no model's, and it has no head that says what it is")
        );
        assert_eq!(models.add("pap2t", "a\n{{x}}").unwrap_err().line, 2);
    }
}
