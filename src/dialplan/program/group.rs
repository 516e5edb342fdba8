//! The groups (`GROUP()`) of the channel a program runs on.

use super::Program;

/// Category and group of each.
pub fn groups(program: &Program) -> Vec<(String, String)> {
    let slot = program.slot.borrow();
    slot.state.groups.iter().map(|(category, group)| (category.clone(), group.clone())).collect()
}
