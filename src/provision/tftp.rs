//! TFTP, the protocol telephones fetch files by, as bytes and time in and bytes out: RFC 1350 with options (RFC 2347), of
//! which blksize (2348), timeout and tsize (2349) and windowsize (7440) are known. It only gives files.

pub mod admission;
pub mod content;
pub mod options;
pub mod packet;
pub mod transfer;

pub use admission::{Admission, Drop, Drops};
pub use content::{Bytes, Content, Netascii, ReadError};
pub use packet::{ErrorCode, Malformed, Mode, Packet, RequestPacket};
pub use transfer::{Ending, Progress, Transfer, Turn};
