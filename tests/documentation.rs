//! Keeps the pages whole: every link between them leads somewhere, and every page can be reached from the index.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Where a reader begins.
const INDEX: &str = "docs/README.md";

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut dead = Vec::new();
    for (name, text) in &pages {
        for link in links(text).iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            dead.extend(fault(&pages, name, link).map(|why| format!("{name}: ({link}): {why}")));
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn every_page_can_be_reached_from_the_index() {
    let pages = pages();
    assert!(pages.contains_key(INDEX), "{INDEX} is missing");
    let mut reached = BTreeSet::new();
    let mut next = vec![INDEX.to_owned()];
    while let Some(name) = next.pop() {
        let Some(text) = pages.get(&name) else { continue };
        if reached.insert(name.clone()) {
            next.extend(links(text).iter().map(|link| target(&name, link).0));
        }
    }
    let lost: Vec<&String> =
        pages.keys().filter(|name| name.starts_with("docs/") && !reached.contains(*name)).collect();
    assert!(lost.is_empty(), "no link leads from {INDEX} to: {lost:?}");
}

#[test]
fn dead_links_are_found() {
    let page = |text: &str| BTreeMap::from([("docs/a.md".to_owned(), text.to_owned())]);
    let text = "# One `two`: three\n[x](#one-two-three)\n```\n# no heading\n[no](link.md)\n```\n`[neither](x)`";
    assert_eq!(links(text), ["#one-two-three"]);
    assert_eq!(fault(&page(text), "docs/a.md", "#one-two-three"), None);
    assert!(fault(&page(text), "docs/a.md", "#no-heading").is_some());
    assert!(fault(&page(text), "docs/a.md", "missing.md").is_some());
    assert_eq!(fault(&page(text), "docs/a.md", "../Cargo.toml"), None);
}

/// Why a link leads nowhere.
fn fault(pages: &BTreeMap<String, String>, from: &str, link: &str) -> Option<String> {
    let (name, anchor) = target(from, link);
    let Some(text) = pages.get(&name) else {
        let there = root().join(&name).exists();
        return (!there).then(|| format!("there is no {name}"));
    };
    let anchor = anchor?;
    (!anchors(text).contains(&anchor)).then(|| format!("{name} has no heading for #{anchor}"))
}

/// The path from the root, and the heading, that a link on a page means.
fn target(from: &str, link: &str) -> (String, Option<String>) {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor.to_owned())));
    if path.is_empty() {
        return (from.to_owned(), anchor);
    }
    let mut parts: Vec<String> = Vec::new();
    for part in Path::new(from).parent().unwrap().join(path).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    (parts.join("/"), anchor)
}

/// What stands in `](...)`, outside code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        // Every second piece between backquotes is code.
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("_");
        let ends = plain.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        found.extend(ends.map(str::to_owned));
    }
    found
}

/// The anchors of a page's headings, as Markdown viewers make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(anchor).collect()
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The pages at the top and below docs, by their path from the root.
fn pages() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(root(), false), (root().join("docs"), true)];
    while let Some((folder, deep)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() && deep {
                folders.push((path, true));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
