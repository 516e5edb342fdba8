//! A binding as a row of the state file, there and back.

use super::boot_clock::Moment;
use crate::clock::{Time, Wall};
use crate::registrar::location::{Binding, Restored};
use crate::sip::Flow;
use crate::sip::flow::{OpensFor, Transport};
use crate::sip::header::{HeaderName, Headers, NameAddr};
use rusqlite::{Row, Statement, params};
use std::time::Duration;

/// The columns, in the order of [`insert`] and [`read`].
pub(super) const COLUMNS: &str = "peer, place, contact, q, source, target, local, granted_ms, boot, ends_boot_ms, ends_wall_ms, call_id, cseq, user_agent, transport, path";
/// The longest text taken from a row; what a phone may send is shorter.
const MAX_TEXT: usize = 65_536;
/// The longest time granted that a row may name: ten years.
const MAX_GRANTED_MS: i64 = 315_360_000_000;

/// Writes a peer's binding; `place` is 0 for its oldest.
pub(super) fn insert(
    statement: &mut Statement<'_>,
    peer: &str,
    place: i64,
    binding: &Binding,
    moment: &Moment,
) -> rusqlite::Result<usize> {
    let contact = NameAddr { display: None, uri: binding.contact.clone(), params: binding.params.clone() };
    let path: Vec<_> = binding.path.iter().map(|hop| String::from_utf8_lossy(hop)).collect();
    statement.execute(params![
        peer,
        place,
        contact.to_string(),
        binding.q,
        binding.source.to_string(),
        binding.flow.remote.to_string(),
        binding.flow.local.to_string(),
        i64::try_from(binding.granted.as_millis()).unwrap_or(MAX_GRANTED_MS),
        moment.boot,
        moment.stamp(binding.expires),
        binding.expires_wall.0,
        binding.call_id.as_str(),
        binding.cseq,
        binding.user_agent.as_deref(),
        binding.flow.transport.name(),
        path.join(", "),
    ])
}

/// Reads a row; `None` when something in it is not what it should be.
pub(super) fn read(row: &Row<'_>, moment: &Moment) -> Option<Restored> {
    let text = |index: usize| row.get::<_, String>(index).ok().filter(|text| text.len() <= MAX_TEXT);
    let contact = NameAddr::parse(text(2)?.as_bytes()).ok()?;
    let granted = row.get::<_, i64>(7).ok().filter(|ms| (0..=MAX_GRANTED_MS).contains(ms))?;
    let left = moment.until(&text(8)?, row.get(9).ok()?);
    let local = text(6)?.parse().ok()?;
    let flow = Flow {
        transport: Transport::from_name(&text(14)?)?,
        local,
        // Set anew when the binding is restored.
        advertised: local,
        remote: text(5)?.parse().ok()?,
        // No connection outlives the program.
        connection: None,
        server: None,
        opens_for: OpensFor::Peer,
    };
    let mut path = Headers::new();
    path.push(HeaderName::Path, text(15)?);
    let binding = Binding {
        contact: contact.uri,
        params: contact.params,
        q: row.get::<_, u16>(3).ok()?.min(1000),
        source: text(4)?.parse().ok()?,
        flow,
        granted: Duration::from_millis(u64::try_from(granted).ok()?),
        expires: Time::ZERO,
        expires_wall: Wall(row.get(10).ok()?),
        call_id: text(11)?.into(),
        cseq: row.get(12).ok()?,
        path: path.values(HeaderName::Path).filter(|hop| !hop.is_empty()).collect(),
        user_agent: row.get::<_, Option<String>>(13).ok()?.filter(|agent| agent.len() <= MAX_TEXT).map(Into::into),
    };
    Some(Restored { peer: text(0)?, binding, left })
}
