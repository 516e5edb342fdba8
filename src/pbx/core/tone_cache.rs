//! Tones, rendered once: a busy line's tone is the same for every caller.

use crate::audio::g711::{self, Law};
use crate::audio::tone_list::ToneList;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tones kept; with more, all are forgotten and rendered again when they are wanted.
const MAX_TONES: usize = 64;

/// A tone in G.711.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// All of it, once.
    pub sound: Arc<[u8]>,
    /// Where it begins again; none: it ends.
    pub again: Option<usize>,
}

/// The tones that were played, by their lists.
#[derive(Debug, Default)]
pub struct ToneCache(BTreeMap<(String, bool), Rendered>);

impl ToneCache {
    /// A list of tones in this law.
    ///
    /// # Errors
    /// What is wrong with the list.
    pub fn render(&mut self, list: &str, law: Law) -> Result<Rendered, String> {
        let key = (list.to_owned(), law == Law::A);
        if let Some(found) = self.0.get(&key) {
            return Ok(found.clone());
        }
        let tone = ToneList::parse(list)?.render();
        let rendered = Rendered { sound: g711::encode(&tone.samples, law), again: tone.again };
        if self.0.len() >= MAX_TONES {
            self.0.clear();
        }
        self.0.insert(key, rendered.clone());
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_rendered_once_for_each_law_and_few_are_kept() {
        let mut cache = ToneCache::default();
        let one = cache.render("425/500,0/500", Law::A).unwrap();
        assert!(Arc::ptr_eq(&one.sound, &cache.render("425/500,0/500", Law::A).unwrap().sound));
        assert_eq!(cache.render("425/500,0/500", Law::Mu).unwrap().sound[7_999], 0xff);
        for number in 1..200 {
            assert!(cache.render(&format!("!{number}/1"), Law::Mu).unwrap().again.is_none());
            assert!(cache.0.len() <= MAX_TONES);
        }
        assert!(cache.render("nonsense", Law::Mu).is_err());
    }
}
