//! `logger ...`: the files of the log. What is answered is what the log says when it is done.

use super::Answer;
use crate::observe::control_api::{ControlApi, LogOrder};

pub(super) fn show_channels(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    order(arguments, exchange, LogOrder::Show)
}

pub(super) fn rotate(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    order(arguments, exchange, LogOrder::Rotate)
}

pub(super) fn reload(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    order(arguments, exchange, LogOrder::Reload)
}

fn order(arguments: &[String], exchange: &mut dyn ControlApi, what: LogOrder) -> Answer {
    if !arguments.is_empty() {
        return Answer::Usage;
    }
    exchange.log(what);
    Answer::Done(String::new())
}
