//! The order of media: a later offer has every `m=` line of the earlier one, in its place (RFC 3264 section 8).

use super::description::MAX_MEDIA;
use super::line::{SdpLine, media_line};
use super::relay_sdp;

/// The sections of a new offer: `carried` are those that are forwarded, in the order of `source`, all sections of the
/// description they come from; `before` is what we sent last. Each goes to the place of a medium of its kind. Voice and
/// fax that change into each other share a place (RFC 3264 section 8.3.3), unless `source` has a line for both. Any
/// other new section comes at the end, and one that is no longer forwarded is rejected in its place. `None`: too many
/// lines.
pub(super) fn lay(
    carried: Vec<Vec<SdpLine>>,
    source: &[Vec<SdpLine>],
    before: &[Vec<SdpLine>],
) -> Option<Vec<Vec<SdpLine>>> {
    let mut places: Vec<Option<Vec<SdpLine>>> = before.iter().map(|_| None).collect();
    let mut homeless = Vec::new();
    for section in carried {
        match place_of(&section, &places, before) {
            Some(place) => *places.get_mut(place)? = Some(section),
            None => homeless.push(section),
        }
    }
    let mut new = Vec::new();
    for section in homeless {
        let partner = match medium(&section) {
            "audio" => "image",
            "image" => "audio",
            _ => "",
        };
        let is_free = |place: &usize| {
            places.get(*place).is_some_and(Option::is_none) && before.get(*place).is_some_and(|old| is(old, partner))
        };
        let changed = (0..before.len()).find(is_free).filter(|_| !source.iter().any(|line| is(line, partner)));
        match changed {
            Some(place) => *places.get_mut(place)? = Some(section),
            None => new.push(section),
        }
    }
    let kept = places.into_iter().zip(before).filter_map(|(place, old)| place.or_else(|| relay_sdp::rejected(old)));
    let laid: Vec<Vec<SdpLine>> = kept.chain(new).collect();
    (laid.len() <= MAX_MEDIA).then_some(laid)
}

/// The first free place that had a medium of this kind, preferring one in use to a rejected one.
fn place_of(section: &[SdpLine], places: &[Option<Vec<SdpLine>>], before: &[Vec<SdpLine>]) -> Option<usize> {
    let free = places.iter().zip(before).enumerate().filter(|(_, (place, _))| place.is_none());
    let mut fitting = free.filter(|(_, (_, old))| is(old, medium(section)));
    let in_use = fitting.clone().find(|(_, (_, old))| old.first().and_then(media_line).is_some_and(|m| m.port != 0));
    in_use.or_else(|| fitting.next()).map(|(number, _)| number)
}

fn is(section: &[SdpLine], wanted: &str) -> bool {
    !wanted.is_empty() && medium(section).eq_ignore_ascii_case(wanted)
}

fn medium(section: &[SdpLine]) -> &str {
    section.first().and_then(media_line).map_or("", |line| line.medium)
}
