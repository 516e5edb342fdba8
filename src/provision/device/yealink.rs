//! Yealink's telephones: a template and nothing else.

pub(super) const TEMPLATE: &str = include_str!("templates/yealink.template");
