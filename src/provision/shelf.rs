//! Which files there are: those made of the configuration, and the user's own, which win.

use super::file_name;
use super::mac::Mac;
use super::request::{Found, Request};
use super::stock::{Facts, Stock, TFTP_PORT};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Every file a telephone may get, as data: what is made is made when it is asked for, and the user's own are known by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The user's own files by their names in lower case, each with its name as it is written. Of two that differ in case
    /// alone both are there.
    files: BTreeMap<String, Vec<String>>,
    /// What is made of the configuration.
    stock: Option<Stock>,
    tftp_port: u16,
    http_port: Option<u16>,
}

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf { files: BTreeMap::new(), stock: None, tftp_port: TFTP_PORT, http_port: None }
    }
}

impl Shelf {
    /// A shelf with these files of the user's: paths relative to the folder, with `/`.
    pub fn new(files: impl IntoIterator<Item = String>) -> Shelf {
        let mut shelf = Shelf::default();
        shelf.set_files(files);
        shelf
    }

    /// The folder was read again.
    pub fn set_files(&mut self, files: impl IntoIterator<Item = String>) {
        self.files.clear();
        for name in files {
            self.files.entry(name.to_lowercase()).or_default().push(name);
        }
    }

    /// Does it have files for any device of the configuration, so that they are to be served without being asked to?
    pub fn has_devices(&self) -> bool {
        self.stock.as_ref().is_some_and(|stock| !stock.fleet().devices().is_empty())
    }

    /// Takes what is made of a configuration.
    pub fn set_stock(&mut self, stock: Stock) {
        self.stock = Some(stock);
    }

    /// What is made of the configuration.
    pub fn stock(&self) -> Option<&Stock> {
        self.stock.as_ref()
    }

    /// The ports that files are served at, which they name themselves; none: no HTTP.
    pub fn set_ports(&mut self, tftp: u16, http: Option<u16>) {
        (self.tftp_port, self.http_port) = (tftp, http);
    }

    /// What there is for this request.
    pub fn find(&self, request: &Request<'_>) -> Found {
        match file_name::clean(request.name) {
            Err(why) => Found::Refused(why),
            Ok(name) => {
                let made = || self.stock.as_ref()?.find(&name, request, &self.facts(request.reached_at));
                self.on_disk(&name).or_else(made).unwrap_or(Found::Missing { hint: None })
            }
        }
    }

    /// What files say of the exchange to a device that reaches it at this address.
    pub fn facts(&self, address: IpAddr) -> Facts {
        let own_files = self.files.keys().cloned().collect();
        Facts { address, tftp_port: self.tftp_port, http_port: self.http_port, own_files }
    }

    /// The user's file of this name: as it is written, else in another case.
    fn on_disk(&self, name: &str) -> Option<Found> {
        let same = self.files.get(&name.to_lowercase())?;
        let written = same.iter().find(|written| *written == name).or_else(|| same.first())?;
        Some(Found::OnDisk { name: written.clone(), device: Mac::in_name(written) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{Via, Why};
    use super::*;
    use std::net::Ipv4Addr;

    fn asks(shelf: &Shelf, name: &str) -> Found {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        shelf.find(&Request { name, via: Via::Tftp, mac: None, address, reached_at: address })
    }

    #[test]
    fn a_file_of_the_users_is_found_in_every_case_and_its_own_first() {
        let names = ["SIPDefault.cnf", "sub/RingList.dat", "a.cfg", "A.cfg", "SIP0014A9BC0001.cnf"];
        let shelf = Shelf::new(names.map(String::from));
        let on_disk = |name: &str| Found::OnDisk { name: name.into(), device: None };
        assert_eq!(asks(&shelf, "sipdefault.CNF"), on_disk("SIPDefault.cnf"));
        assert_eq!(asks(&shelf, "./sub//RINGLIST.DAT"), on_disk("sub/RingList.dat"));
        assert_eq!(asks(&shelf, "A.cfg"), on_disk("A.cfg"));
        assert_eq!(asks(&shelf, "a.cfg"), on_disk("a.cfg"));
        let device = Mac::parse("0014A9BC0001");
        let own = Found::OnDisk { name: "SIP0014A9BC0001.cnf".into(), device };
        assert_eq!(asks(&shelf, "./sip0014a9bc0001.cnf"), own);
    }

    #[test]
    fn what_is_not_there_is_missing_and_what_leads_out_is_refused() {
        let mut shelf = Shelf::new(["x".to_owned()]);
        assert_eq!(asks(&shelf, "y"), Found::Missing { hint: None });
        assert_eq!(asks(&shelf, "../x"), Found::Refused(Why::OutsideTheFolder));
        shelf.set_files(["y".to_owned()]);
        assert_eq!(asks(&shelf, "x"), Found::Missing { hint: None });
        assert!(matches!(asks(&shelf, "y"), Found::OnDisk { .. }));
    }
}
