//! The table `line` of `calls.db`: how the sound of each line of a call came.

use super::utc::moment;
use crate::event::quality::{
    ClockSpeed, Course, CoursePoint, FarEndReport, Irregularities, LineQuality, Reinvites, StreamQuality,
};
use rusqlite::{Connection, Row, Statement, params};
use std::time::Duration;

/// Lines that keep the course of their call: those of the last 1,000 calls or so. One is 1 kB.
pub(super) const MAX_COURSES: i64 = 2_000;
/// Lines written between two cleanings, at most.
const BATCH: i64 = 512;

/// A database of an earlier strowger gets the table with its next record.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS line (
    id INTEGER PRIMARY KEY, call_unique_id TEXT NOT NULL, unique_id TEXT NOT NULL, channel TEXT NOT NULL,
    line TEXT NOT NULL, talked_with TEXT NOT NULL, \"end\" TEXT NOT NULL,
    received INTEGER NOT NULL, sent INTEGER NOT NULL, lost INTEGER NOT NULL, bursts INTEGER NOT NULL,
    longest_burst INTEGER NOT NULL, late INTEGER NOT NULL, duplicates INTEGER NOT NULL,
    jitter_us INTEGER NOT NULL, worst_jitter_us INTEGER NOT NULL,
    longest_gap_us INTEGER NOT NULL, longest_gap_at_us INTEGER NOT NULL, gaps INTEGER NOT NULL,
    packet_ms INTEGER, is_mixed INTEGER NOT NULL, pauses INTEGER NOT NULL, paused_us INTEGER NOT NULL,
    ssrc_changes INTEGER NOT NULL, payload_types TEXT NOT NULL,
    clock_ppm REAL, clock_within_ppm REAL, clock_measured_us INTEGER,
    reports INTEGER NOT NULL, reported_lost INTEGER, reported_worst_percent INTEGER, reported_jitter_us INTEGER,
    round_trip_us INTEGER, longest_round_trip_us INTEGER,
    reinvites_from_line INTEGER NOT NULL, last_reinvite_us INTEGER, reinvites_ours INTEGER NOT NULL,
    lost_here INTEGER NOT NULL, stalls INTEGER NOT NULL, longest_stall_us INTEGER NOT NULL,
    numbered_anew INTEGER NOT NULL, misfits INTEGER NOT NULL, marks INTEGER NOT NULL, length_changes INTEGER NOT NULL,
    latest_us INTEGER NOT NULL, left_out INTEGER NOT NULL, repeated INTEGER NOT NULL, course BLOB);
    CREATE INDEX IF NOT EXISTS line_of_call ON line (call_unique_id);";

const COLUMNS: &str = "call_unique_id, unique_id, channel, line, talked_with, \"end\", received, sent, lost, bursts,
    longest_burst, late, duplicates, jitter_us, worst_jitter_us, longest_gap_us, longest_gap_at_us, gaps, packet_ms,
    is_mixed, pauses, paused_us, ssrc_changes, payload_types, clock_ppm, clock_within_ppm, clock_measured_us, reports,
    reported_lost, reported_worst_percent, reported_jitter_us, round_trip_us, longest_round_trip_us,
    reinvites_from_line, last_reinvite_us, reinvites_ours, lost_here, stalls, longest_stall_us,
    numbered_anew, misfits, marks, length_changes, latest_us, left_out, repeated, course";

/// Writes one.
pub(super) const INSERT: &str = "INSERT INTO line (call_unique_id, unique_id, channel, line, talked_with, \"end\", received,
    sent, lost, bursts, longest_burst, late, duplicates, jitter_us, worst_jitter_us, longest_gap_us, longest_gap_at_us,
    gaps, packet_ms, is_mixed, pauses, paused_us, ssrc_changes, payload_types, clock_ppm, clock_within_ppm,
    clock_measured_us, reports, reported_lost, reported_worst_percent, reported_jitter_us, round_trip_us,
    longest_round_trip_us, reinvites_from_line, last_reinvite_us, reinvites_ours, lost_here, stalls, longest_stall_us,
    numbered_anew, misfits, marks, length_changes, latest_us, left_out, repeated, course)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Inserts a line.
pub(super) fn insert(statement: &mut Statement<'_>, quality: &LineQuality) -> rusqlite::Result<usize> {
    let (stream, far) = (&quality.stream, quality.stream.far_end);
    statement.execute(params![
        quality.call,
        quality.unique_id,
        quality.channel,
        quality.line,
        quality.with,
        moment(quality.ended),
        number(stream.received),
        number(quality.sent),
        number(stream.lost),
        number(stream.bursts),
        number(stream.longest_burst),
        number(stream.late),
        number(stream.duplicates),
        micros(stream.jitter),
        micros(stream.worst_jitter),
        micros(stream.longest_gap),
        micros(stream.longest_gap_at),
        stream.gaps,
        stream.packet_ms,
        stream.is_mixed,
        stream.pauses,
        micros(stream.paused),
        stream.ssrc_changes,
        payload_types(quality),
        stream.clock.map(|clock| clock.ppm),
        stream.clock.map(|clock| clock.plus_minus),
        stream.clock.map(|clock| micros(clock.measured)),
        far.map_or(0, |far| far.reports),
        far.map(|far| far.lost),
        far.map(|far| far.worst_percent),
        far.map(|far| micros(far.jitter)),
        far.and_then(|far| far.round_trip).map(micros),
        far.and_then(|far| far.longest_round_trip).map(micros),
        quality.reinvites.from_line,
        quality.reinvites.last.map(micros),
        quality.reinvites.ours,
        number(stream.lost_here),
        stream.stalls,
        micros(stream.longest_stall),
        stream.irregular.restarts,
        stream.irregular.misfits,
        stream.irregular.marks,
        stream.irregular.lengths,
        micros(stream.irregular.latest),
        stream.irregular.left_out,
        stream.irregular.repeated,
        blob(&quality.course),
    ])
}

/// The oldest make room for new ones, so that no more than `most` are kept; of the older ones the course goes first.
pub(super) fn make_room(connection: &Connection, most: i64) -> rusqlite::Result<()> {
    let newest: i64 = connection.query_row("SELECT coalesce(max(id), 0) FROM line", [], |row| row.get(0))?;
    connection.prepare_cached("DELETE FROM line WHERE id <= ?1")?.execute([newest - most])?;
    let without = newest - MAX_COURSES;
    let mut forget = connection.prepare_cached("UPDATE line SET course = NULL WHERE id BETWEEN ?1 AND ?2")?;
    forget.execute([without - BATCH, without])?;
    Ok(())
}

/// The lines of a call, by the unique id of its caller's channel: the caller's own first.
pub(super) fn of_call(connection: &Connection, unique_id: &str) -> rusqlite::Result<Vec<LineQuality>> {
    let text = format!(
        "SELECT {COLUMNS} FROM line WHERE call_unique_id = ?1 ORDER BY unique_id <> ?1, id LIMIT {MOST_OF_A_CALL}"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let rows = statement.query_map([unique_id], read)?;
    rows.collect()
}

/// Lines read of one call at most: a `Dial` in a loop may have called any number.
const MOST_OF_A_CALL: usize = 32;

fn read(row: &Row<'_>) -> rusqlite::Result<LineQuality> {
    let (names, kinds, other_kinds) = read_payload_types(&row.get::<_, String>(23)?);
    let clock = match (row.get(24)?, row.get(25)?, row.get(26)?) {
        (Some(ppm), Some(plus_minus), Some(measured)) => {
            Some(ClockSpeed { ppm, plus_minus, measured: duration(measured) })
        }
        _ => None,
    };
    let reports: u32 = row.get(27)?;
    let far_end = match reports {
        0 => None,
        reports => Some(FarEndReport {
            reports,
            lost: row.get::<_, Option<i32>>(28)?.unwrap_or(0),
            worst_percent: row.get::<_, Option<u8>>(29)?.unwrap_or(0),
            jitter: duration(row.get::<_, Option<i64>>(30)?.unwrap_or(0)),
            round_trip: row.get::<_, Option<i64>>(31)?.map(duration),
            longest_round_trip: row.get::<_, Option<i64>>(32)?.map(duration),
        }),
    };
    let stream = StreamQuality {
        received: unsigned(row.get(6)?),
        lost: unsigned(row.get(8)?),
        bursts: unsigned(row.get(9)?),
        longest_burst: unsigned(row.get(10)?),
        late: unsigned(row.get(11)?),
        duplicates: unsigned(row.get(12)?),
        lost_here: unsigned(row.get(36)?),
        stalls: row.get(37)?,
        longest_stall: duration(row.get(38)?),
        irregular: Irregularities {
            restarts: row.get(39)?,
            misfits: row.get(40)?,
            marks: row.get(41)?,
            lengths: row.get(42)?,
            latest: duration(row.get(43)?),
            left_out: row.get(44)?,
            repeated: row.get(45)?,
        },
        jitter: duration(row.get(13)?),
        worst_jitter: duration(row.get(14)?),
        longest_gap: duration(row.get(15)?),
        longest_gap_at: duration(row.get(16)?),
        gaps: row.get(17)?,
        packet_ms: row.get(18)?,
        is_mixed: row.get(19)?,
        pauses: row.get(20)?,
        paused: duration(row.get(21)?),
        ssrc_changes: row.get(22)?,
        kinds,
        other_kinds,
        clock,
        far_end,
    };
    Ok(LineQuality {
        call: row.get(0)?,
        unique_id: row.get(1)?,
        channel: row.get(2)?,
        line: row.get(3)?,
        with: row.get(4)?,
        sent: unsigned(row.get(7)?),
        stream,
        names,
        reinvites: Reinvites {
            from_line: row.get(33)?,
            last: row.get::<_, Option<i64>>(34)?.map(duration),
            ours: row.get(35)?,
        },
        course: row.get::<_, Option<Vec<u8>>>(46)?.and_then(|blob| course(&blob)).unwrap_or_default(),
        ..LineQuality::default()
    })
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(unsigned(micros))
}

/// `0 PCMU 5000, 101 telephone-event 80`: payload type, name (`-`: none), packets; `other - 3` for those without room.
fn payload_types(quality: &LineQuality) -> String {
    let one = |(number, packets): &(u8, u32)| {
        let name = quality.name_of(*number);
        // A name with blanks or commas is no token, and comes from a telephone.
        let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        format!("{number} {} {packets}", if is_token { name } else { "-" })
    };
    let other = (quality.stream.other_kinds > 0).then(|| format!("other - {}", quality.stream.other_kinds));
    quality.stream.kinds.iter().map(one).chain(other).collect::<Vec<_>>().join(", ")
}

type PayloadTypes = (Vec<(u8, String)>, Vec<(u8, u32)>, u32);

fn read_payload_types(text: &str) -> PayloadTypes {
    let (mut names, mut kinds, mut others) = (Vec::new(), Vec::new(), 0);
    for one in text.split(", ") {
        let mut words = one.split(' ');
        let (Some(number), Some(name), Some(packets)) = (words.next(), words.next(), words.next()) else { continue };
        let Ok(packets) = packets.parse() else { continue };
        match number.parse() {
            Ok(number) => {
                kinds.push((number, packets));
                if name != "-" {
                    names.push((number, name.to_owned()));
                }
            }
            Err(_) => others = packets,
        }
    }
    (names, kinds, others)
}

/// The first byte says how the rest is to be read.
const SHAPE: u8 = 1;
/// Bytes of a stretch: the least delay in microseconds, the greatest above it, the losses and the restarts.
const STRETCH: usize = 12;
/// The least delay of a stretch in which no packet came.
const NOTHING: i32 = i32::MIN;

/// The course of a call in 12 bytes a stretch; none of a call without one.
fn blob(course: &Course) -> Option<Vec<u8>> {
    if course.points.is_empty() {
        return None;
    }
    let width = u32::try_from(course.width.as_secs()).unwrap_or(u32::MAX);
    let mut blob = vec![SHAPE];
    blob.extend(width.to_be_bytes());
    for CoursePoint { delay, lost, restarts } in &course.points {
        let (least, most) = delay.unwrap_or((NOTHING, NOTHING));
        blob.extend(least.to_be_bytes());
        blob.extend(most.to_be_bytes());
        blob.extend(lost.to_be_bytes());
        blob.extend(restarts.to_be_bytes());
    }
    Some(blob)
}

fn course(blob: &[u8]) -> Option<Course> {
    let [SHAPE, w0, w1, w2, w3, stretches @ ..] = blob else { return None };
    let width = Duration::from_secs(u32::from_be_bytes([*w0, *w1, *w2, *w3]).into());
    let point = |stretch: &[u8]| {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *stretch else { return CoursePoint::default() };
        let (least, most) = (i32::from_be_bytes([a, b, c, d]), i32::from_be_bytes([e, f, g, h]));
        let delay = (least != NOTHING).then_some((least, most));
        CoursePoint { delay, lost: u16::from_be_bytes([i, j]), restarts: u16::from_be_bytes([k, l]) }
    };
    Some(Course { width, points: stretches.chunks_exact(STRETCH).map(point).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_line() -> LineQuality {
        let stream = StreamQuality {
            received: 985,
            lost: 15,
            bursts: 2,
            longest_burst: 12,
            late: 3,
            duplicates: 4,
            lost_here: 2,
            longest_stall: Duration::from_millis(48),
            stalls: 14,
            irregular: Irregularities {
                restarts: 1,
                misfits: 2,
                marks: 3,
                lengths: 5,
                latest: Duration::from_millis(250),
                left_out: 6,
                repeated: 7,
            },
            jitter: Duration::from_micros(1_440),
            worst_jitter: Duration::from_millis(130),
            longest_gap: Duration::from_millis(240),
            longest_gap_at: Duration::from_secs(70),
            gaps: 1,
            packet_ms: Some(30),
            is_mixed: true,
            pauses: 7,
            paused: Duration::from_secs(64),
            ssrc_changes: 1,
            kinds: vec![(0, 900), (100, 12), (77, 3)],
            other_kinds: 2,
            clock: Some(ClockSpeed { ppm: -43.25, plus_minus: 0.5, measured: Duration::from_secs(300) }),
            far_end: Some(FarEndReport {
                reports: 9,
                lost: -2,
                worst_percent: 5,
                jitter: Duration::from_millis(2),
                round_trip: Some(Duration::from_millis(43)),
                longest_round_trip: None,
            }),
        };
        let points = vec![
            CoursePoint { delay: Some((-1_000, 2_000)), lost: 15, restarts: 0 },
            CoursePoint { delay: None, lost: 0, restarts: 1 },
        ];
        LineQuality {
            channel: "SIP/a-00000001".to_owned(),
            unique_id: "1795000000.1".to_owned(),
            call: "1795000000.0".to_owned(),
            line: "a".to_owned(),
            with: "SIP/b-00000000".to_owned(),
            sent: 1_000,
            stream,
            names: vec![(0, "PCMU".to_owned()), (100, "NSE".to_owned())],
            reinvites: Reinvites { from_line: 1, last: Some(Duration::from_secs(4)), ours: 2 },
            course: Course { width: Duration::from_secs(2), points },
            ..LineQuality::default()
        }
    }

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLE).unwrap();
        connection
    }

    #[test]
    fn all_of_a_line_is_kept() {
        let connection = table();
        let mut nothing = LineQuality { call: "1795000000.0".to_owned(), ..LineQuality::default() };
        nothing.unique_id.clone_from(&nothing.call);
        let mut statement = connection.prepare(INSERT).unwrap();
        for line in [&a_line(), &nothing] {
            insert(&mut statement, line).unwrap();
        }
        // The caller's own line first.
        assert_eq!(of_call(&connection, "1795000000.0").unwrap(), [nothing, a_line()]);
        assert_eq!(of_call(&connection, "other").unwrap(), []);
    }

    #[test]
    fn the_course_is_kept_of_the_latest_lines_only() {
        let connection = table();
        let all = MAX_COURSES + 300;
        for _ in 0..all {
            insert(&mut connection.prepare_cached(INSERT).unwrap(), &a_line()).unwrap();
        }
        make_room(&connection, all - 7).unwrap();
        let count = |what: &str| connection.query_row(what, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM line WHERE course IS NOT NULL"), MAX_COURSES);
        assert_eq!(count("SELECT count(*) FROM line"), all - 7);
    }

    #[test]
    fn a_damaged_course_is_none_and_a_name_that_is_no_token_is_left_out() {
        assert_eq!(course(&[]), None);
        assert_eq!(course(&[2, 0, 0, 0, 1]), None);
        assert_eq!(course(&[1, 0, 0, 0, 1, 7]).unwrap().points, []);
        let mut line = a_line();
        line.names = vec![(0, "a, 9 b".to_owned())];
        assert_eq!(payload_types(&line), "0 - 900, 100 - 12, 77 - 3, other - 2");
    }
}
