//! Commands that look at the call and change it: variables, the database, where the dialplan goes on, other applications.

use super::talk::{Answer, Answering, Talk};
use crate::dialplan::app::Target;
use crate::dialplan::arguments;
use crate::dialplan::chore::{Chore, ChoreReply};
use crate::dialplan::request::Cause;
use crate::event::Level;
use crate::wording::outside;

/// Asterisk's numbers of channel states.
const RING: i32 = 4;
const UP: i32 = 6;

pub(super) fn answer<'a>(talk: &'a mut Talk, _: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        talk.channel.answer().await?;
        Ok(Answer::number(if talk.channel.is_answered() { 0 } else { -1 }))
    })
}

pub(super) fn hangup<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let is_own = words.first().is_none_or(|name| is_own(talk, name));
        if is_own {
            talk.channel.end(Cause::NORMAL);
        }
        Ok(Answer::number(if is_own { 1 } else { -1 }))
    })
}

pub(super) fn exec<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, rest @ ..] = words else { return Ok(Answer::Usage) };
        let args = rest.first().map_or("", String::as_str);
        Ok(match talk.exec(name, args).await? {
            Some(true) => Answer::number(0),
            Some(false) => Answer::number(-1),
            None => {
                let text = format!("AGI: there is no application '{}'", outside(name));
                talk.channel.log(Level::Warning, text);
                Answer::number(-2)
            }
        })
    })
}

pub(super) fn gosub<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [context, exten, priority, rest @ ..] = words else { return Ok(Answer::Usage) };
        let target = Target { context: Some(context.clone()), exten: Some(exten.clone()), priority: priority.clone() };
        let args = arguments::split(rest.first().map_or("", String::as_str));
        Ok(Answer::Result(
            if talk.call(target, args).await { "0 Gosub complete" } else { "-1 Gosub failed" }.to_owned(),
        ))
    })
}

pub(super) fn noop<'a>(_: &'a mut Talk, _: &'a [String]) -> Answering<'a> {
    Box::pin(async { Ok(Answer::number(0)) })
}

/// What a telephone of SIP has no use for.
pub(super) fn no_text<'a>(_: &'a mut Talk, _: &'a [String]) -> Answering<'a> {
    Box::pin(async { Ok(Answer::number(0)) })
}

pub(super) fn verbose<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [text, rest @ ..] = words else { return Ok(Answer::Usage) };
        let level = rest.first().and_then(|level| level.parse::<u8>().ok()).unwrap_or(1).clamp(1, 10);
        talk.channel.log(Level::Verbose(level), format!("AGI: {}", outside(text)));
        Ok(Answer::number(1))
    })
}

pub(super) fn set_variable<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, rest @ ..] = words else { return Ok(Answer::Usage) };
        let value = rest.first().cloned().unwrap_or_default();
        talk.does(Chore::Assign(name.clone(), value)).await;
        Ok(Answer::number(1))
    })
}

pub(super) fn get_variable<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name] = words else { return Ok(Answer::Usage) };
        let value = talk.evaluate(&format!("${{{name}}}")).await?;
        let is_set =
            !value.is_empty() || name.ends_with(')') || talk.channel.with_state(|s| s.variable(name)).is_some();
        Ok(if is_set { Answer::value(&value) } else { Answer::number(0) })
    })
}

pub(super) fn get_full_variable<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [text, rest @ ..] = words else { return Ok(Answer::Usage) };
        if rest.first().is_some_and(|name| !is_own(talk, name)) {
            return Ok(Answer::number(0));
        }
        let value = talk.evaluate(text).await?;
        Ok(Answer::value(&value))
    })
}

pub(super) fn set_context<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [context] = words else { return Ok(Answer::Usage) };
        talk.channel.with_state(|state| state.position.context.clone_from(context));
        Ok(Answer::number(0))
    })
}

pub(super) fn set_extension<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [exten] = words else { return Ok(Answer::Usage) };
        talk.channel.with_state(|state| state.position.exten.clone_from(exten));
        Ok(Answer::number(0))
    })
}

pub(super) fn set_priority<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [priority] = words else { return Ok(Answer::Usage) };
        let place = Target { priority: priority.clone(), ..Target::default() };
        Ok(Answer::number(if talk.jump(place).await { 0 } else { -1 }))
    })
}

pub(super) fn set_caller<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        if words.is_empty() {
            return Ok(Answer::Usage);
        }
        talk.does(Chore::Assign("CALLERID(all)".to_owned(), words.join(" "))).await;
        Ok(Answer::number(1))
    })
}

pub(super) fn set_music<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [switch, rest @ ..] = words else { return Ok(Answer::Usage) };
        let app = match switch.to_ascii_lowercase().as_str() {
            "on" => "StartMusicOnHold",
            "off" => "StopMusicOnHold",
            _ => return Ok(Answer::Usage),
        };
        match talk.exec(app, rest.first().map_or("", String::as_str)).await? {
            Some(_) => Ok(Answer::number(0)),
            None => Ok(Answer::Unknown("SET MUSIC is not there yet".to_owned())),
        }
    })
}

pub(super) fn set_autohangup<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [seconds] = words else { return Ok(Answer::Usage) };
        if seconds.parse::<u32>().is_err() {
            return Ok(Answer::Usage);
        }
        talk.does(Chore::Assign("TIMEOUT(absolute)".to_owned(), seconds.clone())).await;
        Ok(Answer::number(0))
    })
}

pub(super) fn channel_status<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let is_own = words.first().is_none_or(|name| is_own(talk, name));
        let state = if talk.channel.is_answered() { UP } else { RING };
        Ok(Answer::number(if is_own { state } else { -1 }))
    })
}

pub(super) fn database_get<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [family, key] = words else { return Ok(Answer::Usage) };
        let chore = Chore::Get(family.clone(), key.clone());
        Ok(match talk.channel.chore(chore).await {
            ChoreReply::Value(value) => Answer::value(&value),
            ChoreReply::Decided(_) | ChoreReply::Done | ChoreReply::Failed | ChoreReply::Waits(..) => Answer::number(0),
        })
    })
}

pub(super) fn database_put<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [family, key, value] = words else { return Ok(Answer::Usage) };
        let done = talk.does(Chore::Put(family.clone(), key.clone(), value.clone())).await;
        Ok(Answer::number(i32::from(done)))
    })
}

pub(super) fn database_del<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [family, key] = words else { return Ok(Answer::Usage) };
        let done = talk.does(Chore::Delete(family.clone(), key.clone())).await;
        Ok(Answer::number(i32::from(done)))
    })
}

pub(super) fn database_deltree<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [family, rest @ ..] = words else { return Ok(Answer::Usage) };
        let done = talk.does(Chore::DeleteTree(family.clone(), rest.first().cloned())).await;
        Ok(Answer::number(i32::from(done)))
    })
}

fn is_own(talk: &Talk, name: &str) -> bool {
    talk.channel.with_state(|state| state.name.eq_ignore_ascii_case(name))
}
