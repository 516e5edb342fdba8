//! Hashes: variables that hold a value for each key (`HASH(name,key)`).

/// What the names of the variables of a hash begin with; what follows is the key.
pub(super) fn prefix(name: &str) -> String {
    format!("~HASH~{name}~")
}
