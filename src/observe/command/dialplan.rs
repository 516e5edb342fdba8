//! `dialplan ...`: the dialplan prints itself.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let filter = match arguments {
        [] => None,
        [filter] => Some(filter.as_str()),
        _ => return Reply::Usage,
    };
    match exchange.dialplan(filter) {
        Ok(text) => Reply::Done(ended(text)),
        Err(why) => Reply::Failed(ended(why)),
    }
}

fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
