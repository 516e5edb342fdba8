//! RTP (RFC 3550) as a relay needs it: the header, RTCP, which source to accept, what was lost, and how one outgoing
//! stream stays one stream.

pub mod arrivals;
pub mod continuity;
pub mod course;
pub mod drift;
pub mod far_end;
pub mod header;
pub mod irregular;
pub mod reporter;
pub mod rtcp;
pub mod stalls;
pub mod stats;
pub mod strict;
pub mod telephone_event;

/// Whether sequence number `a` comes after `b`, across the wrap (RFC 1982 arithmetic on 16 bits).
pub fn is_after(a: u16, b: u16) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 0x8000
}

#[cfg(test)]
mod tests {
    use super::is_after;

    #[test]
    fn order_is_kept_over_the_wrap() {
        assert!(is_after(1, 0));
        assert!(is_after(0, 65_535));
        assert!(is_after(10, 65_530));
        assert!(!is_after(65_535, 0));
        assert!(!is_after(7, 7));
    }
}
