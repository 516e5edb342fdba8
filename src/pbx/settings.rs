//! The configuration in force, as the switch is given it.

use crate::config::features_conf::Features;
use crate::config::general::General;
use crate::config::indications_conf::Indications;
use crate::config::musiconhold_conf::MusicClasses;
use crate::config::parking_conf::ParkingLots;
use crate::config::peer::Peer;
use crate::config::pin_files::PinFiles;
use crate::config::sip_notify_conf::NotifyTypes;
use crate::dialplan::Dialplan;
use crate::guard::admission::Admission;
use crate::registrar::next_hop::Listening;
use crate::rtp::strict::Strictness;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What the switch is told at its start, and at every reload.
pub struct SwitchSettings {
    /// `[general]` of sip.conf.
    pub general: Arc<General>,
    /// The peers, by name.
    pub peers: Arc<BTreeMap<String, Arc<Peer>>>,
    /// extensions.conf.
    pub dialplan: Arc<Dialplan>,
    /// `strictrtp=` of rtp.conf.
    pub strictness: Strictness,
    /// Who may: used here for the challenges that only the switch can decide on.
    pub admission: Arc<Admission>,
    /// Where SIP is received: the ports, and the address when it is one.
    pub listening: Listening,
    /// Our address as seen from a peer's (`host=` peers, before they ever sent anything).
    pub local_towards: BTreeMap<IpAddr, IpAddr>,
    /// Files of PINs that the dialplan names.
    pub pins: PinFiles,
    /// indications.conf: whose country's tones are played.
    pub indications: Arc<Indications>,
    /// musiconhold.conf: the classes of music.
    pub music: Arc<MusicClasses>,
    /// sip_notify.conf: what `sip notify` sends.
    pub notify_types: Arc<NotifyTypes>,
    /// features.conf: codes in mid-call, and pickup.
    pub features: Arc<Features>,
    /// res_parking.conf: the lots.
    pub parking: Arc<ParkingLots>,
    /// Where recordings with a relative name go, absolute; none: nowhere.
    pub recordings: Option<String>,
    /// The environment that the exchange was started with (`ENV()`).
    pub process: Arc<BTreeMap<String, String>>,
    /// The product's name for `Server`, `User-Agent`.
    pub product: String,
}
