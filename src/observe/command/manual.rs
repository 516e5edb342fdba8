//! `core show applications|application|functions|function`: the dialplan's own tables.

use super::pattern::regex;
use super::reply::Reply;
use crate::observe::control_api::{ControlApi, Manual};
use crate::observe::escape::line;
use crate::observe::snapshot::ManualPage;
use crate::wording::did_you_mean;

pub(super) fn show_applications(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let found = match chosen(arguments, exchange.manual(Manual::Applications)) {
        Ok(found) => found,
        Err(reply) => return reply,
    };
    let rows: String = found.iter().map(|page| format!("{:>20}: {}\n", page.name, page.synopsis)).collect();
    let are = if arguments.is_empty() { "Registered" } else { "Matching" };
    let head = format!("    -= {are} Asterisk Applications =-\n");
    Reply::Done(format!("{head}{rows}    -= {} Applications {are} =-\n", found.len()))
}

pub(super) fn show_functions(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let found = match chosen(arguments, exchange.manual(Manual::Functions)) {
        Ok(found) => found,
        Err(reply) => return reply,
    };
    let are = if arguments.is_empty() { "Installed" } else { "Matching" };
    let rule = "-".repeat(80);
    let row = |page: &ManualPage| format!("{:<20.20}  {:<35.35}  {}\n", page.name, page.syntax, page.synopsis);
    let rows: String = found.iter().map(row).collect();
    let matching = if arguments.is_empty() { "" } else { "matching " };
    let foot = format!("{} {matching}custom functions installed.\n", found.len());
    Reply::Done(format!("{are} Custom Functions:\n{rule}\n{rows}{foot}"))
}

pub(super) fn show_application(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    page(arguments, "application", &exchange.manual(Manual::Applications))
}

pub(super) fn show_function(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    page(arguments, "function", &exchange.manual(Manual::Functions))
}

/// All of them, or those whose name matches (`like REGEX`).
fn chosen(arguments: &[String], pages: Vec<ManualPage>) -> Result<Vec<ManualPage>, Reply> {
    match arguments {
        [] => Ok(pages),
        [word, pattern] if word.eq_ignore_ascii_case("like") => {
            let pattern = regex(pattern).map_err(Reply::Failed)?;
            let fits = |name: &str| pattern.is_match(name) || pattern.is_match(&name.to_lowercase());
            Ok(pages.into_iter().filter(|page| fits(page.name)).collect())
        }
        _ => Err(Reply::Usage),
    }
}

fn page(arguments: &[String], kind: &str, pages: &[ManualPage]) -> Reply {
    let [name] = arguments else { return Reply::Usage };
    let Some(page) = pages.iter().find(|page| page.name.eq_ignore_ascii_case(name)) else {
        let shown = line(name);
        let near = did_you_mean(name, pages.iter().map(|page| page.name));
        return Reply::Failed(format!("There is no {kind} '{shown}'.{near} 'core show {kind}s' lists them.\n"));
    };
    let mut text = format!("\n  -= Info about {kind} '{}' =- \n\n[Synopsis]\n{}\n", page.name, page.synopsis);
    if !page.help.is_empty() {
        text += &format!("\n[Description]\n{}\n", page.help.trim_end());
    }
    Reply::Done(text + &format!("\n[Syntax]\n{}\n\n", page.syntax))
}
