//! How a simulated phone names itself in what it sends: addresses, tags, Call-IDs, Contact.

use super::config::PhoneConfig;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::flow::{ConnectionId, Transport};
use crate::sip::uri::SipUri;
use bytes::Bytes;
use std::net::SocketAddr;

/// The configuration of a phone and the transport it uses.
pub(super) struct Identity {
    /// As given to the phone.
    pub config: PhoneConfig,
    /// UDP, or a connection to the exchange.
    pub transport: Transport,
}

impl Identity {
    /// This phone over UDP.
    pub fn new(config: PhoneConfig) -> Identity {
        Identity { config, transport: Transport::Udp }
    }

    /// From the phone to `remote`.
    pub fn flow_to(&self, remote: SocketAddr) -> Flow {
        // It has only one connection, so any number will do.
        let connection = self.transport.is_reliable().then_some(ConnectionId(1));
        Flow { transport: self.transport, connection, ..Flow::udp(self.config.sip, remote) }
    }

    /// A new tag, in the form of its model.
    pub fn new_tag(&self, rng: &mut Rng) -> String {
        let (prefix, suffix) = self.config.profile.marks(self.config.sip.port());
        format!("{prefix}{}{suffix}", rng.hex(12))
    }

    /// A new Call-ID, in the form of its model.
    pub fn new_call_id(&self, rng: &mut Rng) -> String {
        let (prefix, _) = self.config.profile.marks(self.config.sip.port());
        format!("{prefix}{}@{}", rng.hex(16), self.config.sip.ip())
    }

    /// Its address-of-record, as in From.
    pub fn address_of_record(&self) -> String {
        format!("<sip:{}@{}>", self.config.user, self.config.exchange)
    }

    /// The URI of a number at the exchange; without a number, of the exchange itself.
    pub fn uri_at_exchange(&self, number: Option<&str>, sips: bool) -> String {
        let exchange = self.config.exchange;
        with_scheme(SipUri::new(number, exchange.ip().into(), Some(exchange.port())).to_string(), sips)
    }

    /// Its Contact.
    pub fn contact(&self, sips: bool) -> Bytes {
        let contact = self.config.profile.contact(&self.config.user, self.config.sip, self.transport);
        if !sips {
            return Bytes::from(contact);
        }
        Bytes::from(with_scheme(contact, sips).replacen(";transport=tls", "", 1))
    }

    /// Its User-Agent, and Server.
    pub fn user_agent(&self) -> Bytes {
        Bytes::from_static(self.config.profile.user_agent().as_bytes())
    }
}

fn with_scheme(uri: String, sips: bool) -> String {
    if sips { uri.replacen("sip:", "sips:", 1) } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::DeviceProfile;

    fn identity(profile: DeviceProfile, transport: Transport) -> Identity {
        let sip = "192.0.2.1:5061".parse().unwrap();
        let config = PhoneConfig { sip, ..PhoneConfig::example(profile) };
        Identity { transport, ..Identity::new(config) }
    }

    #[test]
    fn tags_and_call_ids_have_the_marks_of_the_model() {
        let mut rng = Rng::from_number(1);
        let pap2t = identity(DeviceProfile::Pap2t, Transport::Udp);
        assert!(pap2t.new_tag(&mut rng).ends_with("o1"), "the second line of the adapter");
        let cisco = identity(DeviceProfile::Cisco7960, Transport::Udp);
        assert!(cisco.new_tag(&mut rng).starts_with("000e84c060a6"));
        let call_id = cisco.new_call_id(&mut rng);
        assert!(call_id.starts_with("000e84c060a6") && call_id.ends_with("@192.0.2.1"), "{call_id}");
        assert_ne!(pap2t.new_tag(&mut rng), pap2t.new_tag(&mut rng));
    }

    #[test]
    fn a_sips_contact_has_no_transport() {
        let over_tls = identity(DeviceProfile::Plain, Transport::Tls);
        assert_eq!(over_tls.contact(false), "<sip:a@192.0.2.1:5061;transport=tls>");
        assert_eq!(over_tls.contact(true), "<sips:a@192.0.2.1:5061>");
        assert_eq!(over_tls.uri_at_exchange(None, true), "sips:192.0.2.2:5060");
        assert_eq!(over_tls.uri_at_exchange(Some("100"), false), "sip:100@192.0.2.2:5060");
        assert_eq!(over_tls.address_of_record(), "<sip:a@192.0.2.2:5060>");
    }
}
