//! The key/value database: `DB`, `DB_EXISTS`, `DB_DELETE`. Each leaves the value in `DB_RESULT`.

use crate::dialplan::database;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

pub(super) static DB: Function = Function {
    name: "DB",
    synopsis: "A value of the key/value database, which survives restarts",
    syntax: "DB(family/key)",
    read: Some(get),
    write: Some(put),
};

pub(super) static DB_DELETE: Function = Function {
    name: "DB_DELETE",
    synopsis: "Deletes an entry of the key/value database and returns its value",
    syntax: "DB_DELETE(family/key)",
    read: Some(delete),
    write: Some(|scope, args, _| delete(scope, args).map(drop)),
};

pub(super) static DB_EXISTS: Function = Function {
    name: "DB_EXISTS",
    synopsis: "1 if the key/value database has the entry, else 0",
    syntax: "DB_EXISTS(family/key)",
    read: Some(exists),
    write: None,
};

fn get(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let path = database::path_of(args).map_err(|why| format!("DB: {why}"))?;
    let value = scope.environment.database().get(&path).unwrap_or_default();
    scope.state.set_variable("DB_RESULT", &value);
    Ok(value)
}

fn put(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let path = database::path_of(args).map_err(|why| format!("DB: {why}"))?;
    scope.environment.database().put(&path, value).map_err(|why| format!("DB({}): {why}", outside(args)))
}

fn delete(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let path = database::path_of(args).map_err(|why| format!("DB_DELETE: {why}"))?;
    let value = scope.environment.database().delete(&path).unwrap_or_default();
    scope.state.set_variable("DB_RESULT", &value);
    Ok(value)
}

fn exists(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let path = database::path_of(args).map_err(|why| format!("DB_EXISTS: {why}"))?;
    let value = scope.environment.database().get(&path);
    if let Some(value) = &value {
        scope.state.set_variable("DB_RESULT", value);
    }
    Ok(u8::from(value.is_some()).to_string())
}
