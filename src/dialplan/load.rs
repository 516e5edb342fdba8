//! extensions.conf into a dialplan.
use super::tree::Dialplan;
use crate::config::diagnostic::Diagnostic;
use crate::config::ini;
/// x
pub fn parse(_doc: &ini::Document, _registrar: &str) -> (Dialplan, Vec<Diagnostic>) {
    (Dialplan::default(), Vec::new())
}
