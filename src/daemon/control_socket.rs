//! The control socket as a service: takes the lines of consoles and has the switch answer them.

use super::order::Console;
use super::service::Service;
use crate::config::Config;
use crate::observe::control::{ControlSocket, Limits};
use crate::observe::log_stream::LogStream;
use std::io;
use std::path::PathBuf;
use std::thread::JoinHandle;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

/// Lines that may wait for the core thread.
const MAX_REQUESTS: usize = 64;

/// Serves consoles, on a thread of its own.
pub struct ControlService {
    path: PathBuf,
    live: LogStream,
    running: Option<Running>,
}

struct Running {
    /// Dropped, it ends the thread.
    over: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl ControlService {
    /// A control socket at this path; consoles see the log lines of `live`.
    pub fn new(path: PathBuf, live: LogStream) -> ControlService {
        ControlService { path, live, running: None }
    }
}

impl Service for ControlService {
    fn start(&mut self, console: &Console) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let socket = runtime.block_on(ControlSocket::open(&self.path)).map_err(io::Error::other)?;
        let (over, is_over) = oneshot::channel();
        let (live, console) = (self.live.clone(), console.clone());
        let serve = move || serve(&runtime, socket, live, &console, is_over);
        let thread = std::thread::Builder::new().name("control".into()).spawn(serve)?;
        self.running = Some(Running { over, thread });
        Ok(())
    }

    /// The path of the socket is changed only by a restart.
    fn renew(&mut self, _: &Config) {}

    /// Replies on their way are still delivered; then the socket's file is removed.
    fn stop(&mut self) {
        if let Some(Running { over, thread }) = self.running.take() {
            drop(over);
            // A thread that has panicked has said so already.
            let _ = thread.join();
        }
    }
}

fn serve(
    runtime: &Runtime,
    socket: ControlSocket,
    live: LogStream,
    console: &Console,
    mut over: oneshot::Receiver<()>,
) {
    let (sender, mut requests) = mpsc::channel(MAX_REQUESTS);
    let forward = async move {
        loop {
            tokio::select! {
                Some(request) = requests.recv() => drop(console.ask(request)),
                _ = &mut over => return,
            }
        }
    };
    // When the forwarding ends, its end of the channel is closed, which ends the socket.
    runtime.block_on(async { tokio::join!(socket.serve(sender, live, Limits::default()), forward) });
}
