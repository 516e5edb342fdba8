//! `strowger quality`: one call in a picture, in the terminal or as SVG: the delay of its packets, what was lost, and where
//! jitter buffers of fixed length slip.

mod svg;
mod terminal;

use super::call_course::{clocks, sentences, slips};
use super::records::{failed, folder, line, print};
use crate::cli::Common;
use crate::store::history::{self, KeptCall};
use std::process::ExitCode;

/// Prints the picture of a call: of the one with this unique id or channel, or the latest whose sound was measured.
pub fn run(common: &Common, call: Option<&str>, svg: bool) -> ExitCode {
    let found = match history::one(&folder(common), call) {
        Ok(found) => found,
        Err(why) => return failed(&why),
    };
    match (found, call) {
        (Some(call), _) if svg => print(&svg::picture(&call)),
        (Some(call), _) => print(&text(&call)),
        (None, Some(call)) => failed(&format!(
            "no call '{call}' is kept: name it by its unique id or its channel ('strowger calls' lists the latest; a call that \
             goes on is shown by the console's 'rtp show quality')"
        )),
        (None, None) => failed("no call is kept yet whose sound passed through the exchange"),
    }
}

fn text(call: &KeptCall) -> String {
    let mut text = line(call);
    sentences(call).iter().for_each(|sentence| text += &format!("{sentence}\n"));
    let clocks = clocks(call);
    for line in &call.lines {
        text += &terminal::picture(line, slips(clocks.as_ref(), &line.course));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::call_course::tests::a_call;
    use crate::event::quality::Course;

    #[test]
    fn the_picture_has_every_fault_and_every_slip() {
        let call = a_call();
        let text = text(&call);
        assert!(text.lines().all(|line| line.chars().count() <= 400), "{text}");
        let of = |name: &str| text.lines().filter(|line| line.trim_start().starts_with(name)).collect::<Vec<_>>();
        assert_eq!((of("lost").len(), of("slips").len()), (2, 2), "{text}");
        assert!(of("lost")[1].contains('5') && !of("lost")[0].contains('5'), "{text}");
        assert_eq!(of("anew").len(), 1, "{text}");
        let svg = svg::picture(&call);
        assert_eq!(svg.matches("class=\"slip\"").count(), 2);
        assert_eq!(svg.matches("class=\"lost\"").count(), 3);
        assert_eq!(svg.matches("class=\"anew\"").count(), 1);
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        // STROWGER_KEEP_PICTURE=file: to be looked at.
        if let Ok(file) = std::env::var("STROWGER_KEEP_PICTURE") {
            std::fs::write(file, svg).unwrap();
            println!("{text}");
        }
    }

    #[test]
    fn a_call_without_a_course_and_names_from_outside_are_no_trouble() {
        let mut call = a_call();
        call.source = "<script>&\"".to_owned();
        for line in &mut call.lines {
            line.course = Course::default();
        }
        let svg = svg::picture(&call);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;&quot;"), "{svg}");
        assert!(svg.contains("no course is kept"), "{svg}");
        assert!(text(&call).contains("no course is kept"));
        call.lines.clear();
        assert!(svg::picture(&call).contains("</svg>"));
    }
}
