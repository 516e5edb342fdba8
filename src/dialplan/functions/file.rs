//! Files of the machine: `FILE`, `FILE_COUNT_LINE`, `FILE_FORMAT`, `STAT`, and the parts of a name: `BASENAME`, `DIRNAME`.

use crate::dialplan::files::FileRequest;
use crate::dialplan::function::Function;
use crate::dialplan::outside::{OutsideReply, OutsideRequest};
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;

pub(super) static FILE: Function = Function {
    name: "FILE",
    synopsis: "The content of a file, or a part of it: offset and length in bytes, with option l in lines, both from 0; negative ones count from the end. Set(FILE(...)=text) writes, below the folder files of the state folder and the recordings folder only; a name without a leading slash is below the first. Options: l, a (append), d (no end of line). Format: u, d, m (how lines end)",
    syntax: "FILE(name[,offset[,length[,options[,format]]]])",
    read: Some(|scope, args| ask(scope, "FILE", FileRequest::read(args))),
    write: Some(|_, _, _| {
        Err("FILE() is written by the application Set alone, and not by MSet or a script's SET VARIABLE".to_owned())
    }),
};

pub(super) static FILE_COUNT_LINE: Function = Function {
    name: "FILE_COUNT_LINE",
    synopsis: "The number of lines of a file",
    syntax: "FILE_COUNT_LINE(name[,format])",
    read: Some(|scope, args| ask(scope, "FILE_COUNT_LINE", FileRequest::count(args))),
    write: None,
};

pub(super) static FILE_FORMAT: Function = Function {
    name: "FILE_FORMAT",
    synopsis: "How the lines of a file end: u (Unix), d (DOS), m (Macintosh); x when it has none",
    syntax: "FILE_FORMAT(name)",
    read: Some(|scope, args| ask(scope, "FILE_FORMAT", FileRequest::format(args))),
    write: None,
};

pub(super) static STAT: Function = Function {
    name: "STAT",
    synopsis: "What the system knows of a file. d, e, f: 1 if it is a folder, is there, is a file, else 0; s: its size; m: its mode, octal; A, C, M: when it was read, changed, written, in seconds since 1970",
    syntax: "STAT(d|e|f|m|s|A|C|M,name)",
    read: Some(|scope, args| ask(scope, "STAT", FileRequest::stat(args))),
    write: None,
};

pub(super) static BASENAME: Function = Function {
    name: "BASENAME",
    synopsis: "The last part of a file's name",
    syntax: "BASENAME(name)",
    read: Some(|_, name| Ok(halves(name).1.to_owned())),
    write: None,
};

pub(super) static DIRNAME: Function = Function {
    name: "DIRNAME",
    synopsis: "The folder of a file's name",
    syntax: "DIRNAME(name)",
    read: Some(|_, name| Ok(halves(name).0.to_owned())),
    write: None,
};

fn ask(scope: &mut Scope<'_>, who: &str, request: Result<FileRequest, String>) -> Result<String, String> {
    let request = request.map_err(|why| format!("{who}: {why}"))?;
    if scope.state.is_callers_path(&request.path) {
        return Err(format!("{who}: the caller decides the path of the file"));
    }
    match scope.outside(OutsideRequest::File(request)) {
        None => Ok(String::new()),
        Some(OutsideReply::File(Ok(text))) => Ok(bounded(&text)),
        Some(OutsideReply::File(Err(why))) => Err(format!("{who}: {why}")),
        Some(OutsideReply::Refused(why)) => Err(format!("{who} is refused: {why}")),
        Some(_) => Err(format!("{who} got no answer")),
    }
}

/// The folder and the rest of a name, as POSIX's `dirname` and `basename` have them.
fn halves(name: &str) -> (&str, &str) {
    let name = name.trim();
    let whole = match name.trim_end_matches('/') {
        "" if !name.is_empty() => return ("/", "/"),
        whole => whole,
    };
    match whole.rsplit_once('/') {
        None => (".", whole),
        Some((folder, last)) => match folder.trim_end_matches('/') {
            "" => ("/", last),
            folder => (folder, last),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::halves;

    #[test]
    fn names_have_a_folder_and_a_last_part() {
        assert_eq!(halves("/a/b/c.wav"), ("/a/b", "c.wav"));
        assert_eq!(
            (halves("c"), halves("/c"), halves("/a/b/"), halves("/")),
            ((".", "c"), ("/", "c"), ("/a", "b"), ("/", "/"))
        );
    }
}
