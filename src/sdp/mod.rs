//! SDP (RFC 8866): line-exact reading and editing, and offer/answer (RFC 3264).

pub mod codec;
