//! Waiting for a socket with a time limit is interrupted when the machine is stopped and goes on (signal(7)): that is no
//! answer yet.

use std::io;

/// Asks until the answer is another than that it was interrupted.
pub fn uninterrupted<T>(mut ask: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match ask() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}
