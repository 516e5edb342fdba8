//! `dialplan ...`: the dialplan prints itself.

use super::Answer;
use crate::observe::control_api::ControlApi;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let filter = match arguments {
        [] => None,
        [filter] => Some(filter.as_str()),
        _ => return Answer::Usage,
    };
    match exchange.dialplan(filter) {
        Ok(text) => Answer::Done(ended(text)),
        Err(why) => Answer::Failed(ended(why)),
    }
}

fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
