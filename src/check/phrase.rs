//! Phrases that several findings use.

/// `'a', 'b' and 3 more`: the first of many names.
pub(super) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.into_iter().map(|name| format!("'{name}'")).collect();
    match (names.split_last(), names.get(..SHOWN)) {
        (_, Some(first)) if names.len() > SHOWN => {
            format!("{} and {} more", first.join(", "), names.len().saturating_sub(SHOWN))
        }
        (Some((last, before)), _) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        (_, _) => names.concat(),
    }
}

/// `did you mean 'x'?`, or else what is to be done.
pub(super) fn suggestion(near: Option<&str>, otherwise: &str) -> String {
    near.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean '{near}'?"))
}
