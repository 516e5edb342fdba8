//! `logger ...`: the files of the log. What is answered is what the log says when it is done.

use super::reply::Reply;
use crate::observe::control_api::{ControlApi, LogOrder};

pub(super) fn show_channels(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    order(arguments, exchange, LogOrder::Show)
}

pub(super) fn rotate(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    order(arguments, exchange, LogOrder::Rotate)
}

pub(super) fn reload(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    order(arguments, exchange, LogOrder::Reload)
}

fn order(arguments: &[String], exchange: &mut dyn ControlApi, what: LogOrder) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    exchange.log(what);
    Reply::Done(String::new())
}
