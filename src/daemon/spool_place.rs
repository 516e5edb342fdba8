//! Where recordings go and call files come from: `astspooldir` of asterisk.conf where the exchange may write there, and the
//! state folder.

use crate::config::Config;
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

/// Where recordings with a relative name go: `monitor` below `astspooldir`, else `recordings` below the state folder.
pub(super) fn recordings(config: &Config, state: Option<&Path>) -> Option<PathBuf> {
    below_spool(config, "monitor").or_else(|| state.map(|state| state.join("recordings")))
}

/// Where call files are looked for.
pub(super) fn outgoing(config: &Config, state: Option<&Path>) -> Vec<PathBuf> {
    below_spool(config, "outgoing").into_iter().chain(state.map(|state| state.join("outgoing"))).collect()
}

/// A folder below `astspooldir`, made if it is not there; none where it cannot be made or written to.
fn below_spool(config: &Config, name: &str) -> Option<PathBuf> {
    let spool = config.asterisk.spool.as_deref().filter(|spool| spool.is_absolute())?;
    let folder = spool.join(name);
    std::fs::create_dir_all(&folder).ok()?;
    access(&folder, Access::WRITE_OK | Access::EXEC_OK).ok().map(|()| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spool_comes_first_where_it_can_be_written_to() {
        let top = std::env::temp_dir().join(format!("strowger-spool-place-{}", std::process::id()));
        let mut config = Config::default();
        let state = Path::new("/state");
        assert_eq!(recordings(&config, Some(state)), Some("/state/recordings".into()));
        config.asterisk.spool = Some(top.clone());
        assert_eq!(recordings(&config, Some(state)), Some(top.join("monitor")));
        assert_eq!(outgoing(&config, Some(state)), [top.join("outgoing"), "/state/outgoing".into()]);
        std::fs::remove_dir_all(&top).unwrap();
        for unusable in ["/dev/null/spool", "relative"] {
            config.asterisk.spool = Some(unusable.into());
            assert_eq!(recordings(&config, Some(state)), Some("/state/recordings".into()));
            assert_eq!((recordings(&config, None), outgoing(&config, None)), (None, vec![]));
        }
    }
}
