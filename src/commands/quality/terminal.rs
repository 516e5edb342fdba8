//! The course of a line's packets as letters, 72 columns wide.

use crate::commands::call_course::{length, range};
use crate::datetime::span;
use crate::event::quality::{Course, CoursePoint, LineQuality};
use std::time::Duration;

/// Columns of the picture itself.
const COLUMNS: usize = 60;
/// Rows for the delay.
const ROWS: usize = 8;

/// The picture of one line, with the moments at which jitter buffers slip.
pub(super) fn picture(quality: &LineQuality, slips: Vec<Duration>) -> String {
    let course = &quality.course;
    let Some((low, high)) = range(course) else {
        return format!("\n{}: no course is kept of it any more\n", quality.channel);
    };
    let columns = columns(course);
    let mut text = format!(
        "\n{}: delay of its packets, in ms above the first (the least, and up to the greatest)\n",
        quality.channel
    );
    for row in (0..ROWS).rev() {
        let (bottom, top) = (level(row, low, high), level(row + 1, low, high));
        let label = match row {
            0 => format!("{low:.1}"),
            row if row + 1 == ROWS => format!("{high:.1}"),
            _ => String::new(),
        };
        let cells: String =
            columns.iter().map(|point| cell(point, (bottom, top), (row == 0, row + 1 == ROWS))).collect();
        text += format!("{label:>8} │{cells}").trim_end();
        text.push('\n');
    }
    let lost: String = columns.iter().map(|point| count(u32::from(point.lost))).collect();
    text += &format!("{:>8} │{}\n", "lost", lost.trim_end());
    let total = length(course).as_secs_f64().max(1.0);
    let mut marks = vec![' '; columns.len()];
    for slip in slips {
        let place = slip.as_secs_f64() / total * columns.len() as f64;
        if let Some(mark) = marks.get_mut(place as usize) {
            *mark = '|';
        }
    }
    text += &format!("{:>8} │{}\n", "slips", marks.iter().collect::<String>().trim_end());
    if columns.iter().any(|point| point.restarts > 0) {
        let anew: String = columns.iter().map(|point| if point.restarts > 0 { '!' } else { ' ' }).collect();
        text += &format!("{:>8} │{}\n", "anew", anew.trim_end());
    }
    text += &format!(
        "{:>8} └{}\n{:>9} 0{:>width$}\n",
        "",
        "─".repeat(columns.len()),
        "",
        span(length(course)),
        width = columns.len() - 1
    );
    text
}

fn level(row: usize, low: f64, high: f64) -> f64 {
    low + (high - low) * row as f64 / ROWS as f64
}

/// A cell of the delay, between two levels: the least in it, or a part of the way from the least to the greatest.
fn cell(point: &CoursePoint, (bottom, top): (f64, f64), (is_lowest, is_highest): (bool, bool)) -> char {
    let Some((least, most)) = point.delay else { return ' ' };
    let (least, most) = (f64::from(least) / 1e3, f64::from(most) / 1e3);
    let is_here = (is_lowest || least >= bottom) && (is_highest || least < top);
    match (is_here, most >= bottom && least < top) {
        (true, _) => '█',
        (false, true) if is_highest && most > top => '^',
        (false, true) => '░',
        (false, false) => ' ',
    }
}

fn count(number: u32) -> char {
    match number {
        0 => ' ',
        1..=9 => char::from_digit(number, 10).unwrap_or('9'),
        _ => '#',
    }
}

/// The course in as many columns as there are at most.
fn columns(course: &Course) -> Vec<CoursePoint> {
    let each = course.points.len().div_ceil(COLUMNS).max(1);
    let together = |points: &[CoursePoint]| {
        points.iter().fold(CoursePoint::default(), |one, other| CoursePoint {
            delay: match (one.delay, other.delay) {
                (Some((least, most)), Some((less, more))) => Some((least.min(less), most.max(more))),
                (one, other) => one.or(other),
            },
            lost: one.lost.saturating_add(other.lost),
            restarts: one.restarts.saturating_add(other.restarts),
        })
    };
    course.points.chunks(each).map(together).collect()
}
