//! The course of a call's lines as SVG: one panel for each line, light or dark as the viewer is.

use crate::commands::call_course::{clocks, length, range, sentences, slips};
use crate::datetime::span;
use crate::event::quality::LineQuality;
use crate::store::history::KeptCall;
use crate::wording::xml::escape;
use std::fmt::Write as _;
use std::time::Duration;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
/// Of a panel: its heading, the delay, and the row of losses below it.
const HEADING: f64 = 34.0;
const DELAY: f64 = 150.0;
const LOSSES: f64 = 34.0;
const AXIS: f64 = 36.0;
const PANEL: f64 = HEADING + DELAY + LOSSES + AXIS;
/// The call's own heading.
const TOP: f64 = 58.0;
/// Letters of a sentence in a row below the panels.
const LETTERS: usize = 128;

const STYLE: &str = "<style>
  svg { background: #ffffff; font: 13px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
  .paper { fill: #ffffff; } text { fill: #1f2328; } .small { font-size: 11.5px; fill: #57606a; } .title { font-size: 16px; font-weight: 600; }
  .name { font-weight: 600; } .frame { stroke: #d0d7de; fill: none; } .band { fill: #9ec5f0; stroke: none; }
  .least { stroke: #0b5cad; stroke-width: 1.8; fill: none; } .lost { fill: #c62828; } .slip { stroke: #b35c00; stroke-width: 1.5; stroke-dasharray: 4 3; }
  .anew { stroke: #7b3fb5; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; } .paper { fill: #0d1117; } text { fill: #e6edf3; } .small { fill: #9da7b1; } .frame { stroke: #3d444d; }
    .band { fill: #1f4b7a; } .least { stroke: #79b8ff; } .lost { fill: #ff6b60; } .slip { stroke: #f0a050; } .anew { stroke: #c9a0ff; }
  }
</style>
";

/// The picture of a call.
pub(super) fn picture(call: &KeptCall) -> String {
    let clocks = clocks(call);
    let sentences: Vec<String> = sentences(call).iter().flat_map(|sentence| broken(sentence)).collect();
    let panels = call.lines.len() as f64;
    let height = TOP + panels * PANEL + 26.0 + sentences.len() as f64 * 17.0 + 14.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         {STYLE}<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    let title = format!("Call from {} to {}", named(&call.source), named(&call.destination));
    say(&mut svg, "title", (20.0, 28.0), &title);
    let when = format!(
        "{} UTC, talked {}, {} ({})",
        call.start,
        span(Duration::from_secs(u64::try_from(call.billed_s).unwrap_or(0))),
        call.reason,
        call.unique_id
    );
    say(&mut svg, "small", (20.0, 47.0), &when);
    for (number, line) in (0u32..).zip(&call.lines) {
        panel(&mut svg, line, &slips(clocks.as_ref(), &line.course), TOP + f64::from(number) * PANEL);
    }
    let mut y = TOP + panels * PANEL + 16.0;
    legend(&mut svg, y);
    for sentence in &sentences {
        y += 17.0;
        say(&mut svg, "small", (20.0, y + 9.0), sentence);
    }
    svg + "</svg>\n"
}

fn named(number: &str) -> &str {
    if number.is_empty() { "nobody" } else { number }
}

/// One line's delay, losses and slips.
fn panel(svg: &mut String, line: &LineQuality, slips: &[Duration], top: f64) {
    let heading = format!("{} ('{}' to the exchange)", line.channel, line.line);
    say(svg, "name", (LEFT, top + 22.0), &heading);
    let Some((low, high)) = range(&line.course) else {
        return say(svg, "small", (LEFT, top + 60.0), "no course is kept of it any more");
    };
    let (from, to) = (top + HEADING, top + HEADING + DELAY);
    let wide = WIDTH - LEFT - RIGHT;
    let y = |ms: f64| to - (ms.clamp(low, high) - low) / (high - low) * DELAY;
    let each = wide / line.course.points.len().max(1) as f64;
    let x = |index: usize| LEFT + index as f64 * each;
    frame(svg, (from, to), (low, high));
    // The delay, drawn piece by piece between stretches without packets.
    let delays: Vec<Option<(f64, f64)>> = line
        .course
        .points
        .iter()
        .map(|point| point.delay.map(|(least, most)| (f64::from(least) / 1e3, f64::from(most) / 1e3)))
        .collect();
    let mut index = 0;
    while index < delays.len() {
        let piece: Vec<(f64, f64)> = delays.iter().skip(index).map_while(|delay| *delay).collect();
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            index += 1;
            continue;
        };
        // From edge to edge of its stretches, and through the middle of each.
        let inner = piece.iter().enumerate().map(|(place, delay)| (x(index + place) + each / 2.0, *delay));
        let ends = [(x(index), *first), (x(index + piece.len()), *last)];
        let course: Vec<(f64, (f64, f64))> =
            ends.into_iter().take(1).chain(inner).chain(ends.into_iter().skip(1)).collect();
        let least: Vec<(f64, f64)> = course.iter().map(|(x, (least, _))| (*x, y(*least))).collect();
        let band = course.iter().map(|(x, (_, most))| (*x, y(*most))).chain(least.iter().rev().copied());
        let _ = writeln!(svg, "<path class=\"band\" d=\"{}Z\"/>", path(band));
        let _ = writeln!(svg, "<path class=\"least\" d=\"{}\"/>", path(least.iter().copied()));
        index += piece.len();
    }
    marks(svg, line, slips, (from, to + LOSSES));
    let _ = writeln!(
        svg,
        "<line class=\"frame\" x1=\"{LEFT}\" y1=\"{0:.1}\" x2=\"{1:.1}\" y2=\"{0:.1}\"/>",
        to + LOSSES,
        WIDTH - RIGHT
    );
    say(svg, "small", (LEFT, to + LOSSES + 15.0), "0");
    let _ = writeln!(
        svg,
        "<text class=\"small\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        WIDTH - RIGHT,
        to + LOSSES + 15.0,
        span(length(&line.course))
    );
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.enumerate().fold(String::new(), |mut path, (number, (x, y))| {
        let _ = write!(path, "{}{x:.1} {y:.1}", if number == 0 { 'M' } else { 'L' });
        path
    })
}

/// The frame of the delay, with its scale.
fn frame(svg: &mut String, (from, to): (f64, f64), (low, high): (f64, f64)) {
    let wide = WIDTH - LEFT - RIGHT;
    for (part, name) in [(0.0, low), (0.5, f64::midpoint(low, high)), (1.0, high)] {
        let y = to - (to - from) * part;
        let _ = writeln!(
            svg,
            "<line class=\"frame\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>\n\
             <text class=\"small\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{name:.1} ms</text>",
            LEFT + wide,
            LEFT - 6.0,
            y + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"small\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">lost</text>",
        LEFT - 6.0,
        to + LOSSES - 4.0
    );
}

/// Losses as bars, slips and streams that began anew as lines.
fn marks(svg: &mut String, line: &LineQuality, slips: &[Duration], (from, to): (f64, f64)) {
    let wide = WIDTH - LEFT - RIGHT;
    let points = &line.course.points;
    let each = wide / points.len().max(1) as f64;
    let most = points.iter().map(|point| point.lost).max().unwrap_or(0).max(1);
    for (index, point) in points.iter().enumerate() {
        let x = LEFT + index as f64 * each;
        if point.lost > 0 {
            let high = (f64::from(point.lost) / f64::from(most) * (LOSSES - 8.0)).max(3.0);
            let _ = writeln!(
                svg,
                "<rect class=\"lost\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{high:.1}\"><title>{} lost</title></rect>",
                to - high,
                (each - 0.5).max(1.0),
                point.lost
            );
        }
        if point.restarts > 0 {
            upright(svg, "anew", x + each / 2.0, (from, to));
        }
    }
    let total = length(&line.course).as_secs_f64().max(1.0);
    for slip in slips {
        upright(svg, "slip", LEFT + slip.as_secs_f64() / total * wide, (from, to));
    }
}

fn upright(svg: &mut String, class: &str, x: f64, (from, to): (f64, f64)) {
    let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\"/>");
}

fn legend(svg: &mut String, y: f64) {
    let entries = [
        (LEFT, "least", "least delay of its packets"),
        (LEFT + 190.0, "band", "up to the greatest"),
        (LEFT + 335.0, "lost", "packets lost"),
        (LEFT + 445.0, "slip", "a buffer of fixed length slips"),
        (LEFT + 655.0, "anew", "its stream began anew"),
    ];
    for (x, class, words) in entries {
        let _ = match class {
            "band" | "lost" => {
                writeln!(svg, "<rect class=\"{class} key\" x=\"{x}\" y=\"{}\" width=\"20\" height=\"9\"/>", y - 9.0)
            }
            _ => writeln!(
                svg,
                "<line class=\"{class} key\" x1=\"{x}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>",
                y - 4.0,
                x + 20.0
            ),
        };
        say(svg, "small", (x + 26.0, y), words);
    }
}

fn say(svg: &mut String, class: &str, (x, y): (f64, f64), text: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
}

/// A sentence in rows, broken between words.
fn broken(sentence: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match rows.last_mut() {
            Some(row) if row.chars().count() + word.chars().count() < LETTERS => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) => rows.push(format!("    {word}")),
            None => rows.push(word.to_owned()),
        }
    }
    rows
}
