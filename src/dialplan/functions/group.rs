//! `GROUP` and its kin: how many calls belong together, for limits that the dialplan sets.

use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;
use regex::RegexBuilder;

pub(super) static GROUP: Function = Function {
    name: "GROUP",
    synopsis: "The group this channel belongs to, until it ends; one for each category",
    syntax: "GROUP([category])",
    read: Some(|scope, category| Ok(scope.state.groups.get(category.trim()).cloned().unwrap_or_default())),
    write: Some(set),
};

pub(super) static GROUP_COUNT: Function = Function {
    name: "GROUP_COUNT",
    synopsis: "How many channels belong to a group; without a name, to this channel's own",
    syntax: "GROUP_COUNT([group][@category])",
    read: Some(count),
    write: None,
};

pub(super) static GROUP_LIST: Function = Function {
    name: "GROUP_LIST",
    synopsis: "The groups of this channel, those with a category as group@category",
    syntax: "GROUP_LIST()",
    read: Some(|scope, _| {
        let named = scope.state.groups.iter().map(|(category, group)| match category.is_empty() {
            true => group.clone(),
            false => format!("{group}@{category}"),
        });
        Ok(named.collect::<Vec<_>>().join(" "))
    }),
    write: None,
};

pub(super) static GROUP_MATCH_COUNT: Function = Function {
    name: "GROUP_MATCH_COUNT",
    synopsis: "How many channels belong to groups whose names a regular expression matches",
    syntax: "GROUP_MATCH_COUNT(expression[@category])",
    read: Some(match_count),
    write: None,
};

/// Maximum number of categories of one channel.
const MAX_CATEGORIES: usize = 64;
/// The most a regular expression may cost to hold.
const MAX_REGEX: usize = 100_000;

fn set(scope: &mut Scope<'_>, category: &str, group: &str) -> Result<(), String> {
    let (category, group) = (category.trim(), group.trim());
    let groups = &mut scope.state.groups;
    if group.is_empty() {
        groups.remove(category);
    } else if groups.len() < MAX_CATEGORIES || groups.contains_key(category) {
        groups.insert(bounded(category), bounded(group));
    } else {
        return Err(format!("GROUP: a channel has at most {MAX_CATEGORIES} categories"));
    }
    Ok(())
}

/// `group@category` in its parts.
fn parts(text: &str) -> (&str, &str) {
    text.trim().split_once('@').unwrap_or((text.trim(), ""))
}

/// The groups of all channels: category and group.
fn all(scope: &Scope<'_>) -> Vec<(String, String)> {
    let own = scope.state.groups.iter().map(|(category, group)| (category.clone(), group.clone()));
    own.chain(scope.environment.groups_of_others()).collect()
}

fn count(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let (group, category) = parts(args);
    let own = scope.state.groups.get(category).cloned().unwrap_or_default();
    let wanted = if group.is_empty() { own.as_str() } else { group };
    let found = all(scope).into_iter().filter(|(one, name)| one == category && name == wanted && !name.is_empty());
    Ok(found.count().to_string())
}

fn match_count(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let (pattern, category) = args.trim().rsplit_once('@').unwrap_or((args.trim(), ""));
    let regex = RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
    let regex = regex.map_err(|_| format!("GROUP_MATCH_COUNT: '{}' is no regular expression", outside(pattern)))?;
    let found = all(scope).into_iter().filter(|(one, name)| one == category && regex.is_match(name));
    Ok(found.count().to_string())
}
