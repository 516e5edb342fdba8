//! RTP (RFC 3550) as a relay sees it: the header, RTCP, and which source to believe.

pub mod strict;
