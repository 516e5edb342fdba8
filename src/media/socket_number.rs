//! The numbers by which epoll names what is ready.

/// What epoll reports when there are orders; every other number is four times a stream's slot plus the number of the
/// socket.
pub(super) const WAKEUP: u64 = u64::MAX;
/// Sockets there are to a slot.
pub(super) const SOCKETS: u64 = 4;
/// The RTP socket.
pub(super) const RTP: u64 = 0;
/// The RTCP socket.
pub(super) const RTCP: u64 = 1;
/// The one socket of a UDPTL stream.
pub(super) const UDPTL: u64 = 2;
