//! `dialplan show`.
use super::tree::Dialplan;
impl Dialplan {
    /// x
    ///
    /// # Errors
    /// x
    pub fn show(&self, _filter: Option<&str>) -> Result<String, String> {
        Ok(String::new())
    }
}
