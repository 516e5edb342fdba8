//! Call files: a thread looks once a second into the spool folders, has the calls begun whose time has come, and writes down
//! in each file how that went.

use super::event_bus::Subscriber;
use super::order::{Console, Order};
use super::service::Service;
use super::sink::Sink;
use super::spool_scan::{KEPT, Queue, SLICE};
use crate::config::Config;
use crate::dialplan::call_file::{self, CallFile, MAX_SIZE};
use crate::dialplan::originate::OriginateStatus;
use crate::event::{CallEvent, Event, Level, LogLine};
use crate::wording::outside;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often the folders are looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// Maximum number of files looked at in a turn.
const MAX_FILES: usize = 1_000;
/// Maximum number of files whose call is being tried at once.
const MAX_TRYING: usize = 50;
/// Outcomes that may wait for the thread.
const MAX_OUTCOMES: usize = 1_000;
/// Maximum number of files that are left alone, since they can be neither used nor moved.
const MAX_LEFT_ALONE: usize = 1_000;

/// Takes from the events how calls went that the spool asked for.
#[derive(Clone)]
pub(super) struct SpoolSubscriber(SyncSender<(u64, String)>);

impl Subscriber for SpoolSubscriber {
    fn event(&self, event: &Event) {
        if let Event::Call(CallEvent::Originated { ticket, status }) = event {
            // When the thread has ended nobody wants to know.
            let _ = self.0.try_send((*ticket, (*status).to_owned()));
        }
    }
}

/// The way to the spool's thread, and the thread's end of it.
pub(super) fn outcomes() -> (SpoolSubscriber, Receiver<(u64, String)>) {
    let (sender, receiver) = sync_channel(MAX_OUTCOMES);
    (SpoolSubscriber(sender), receiver)
}

/// The service: it has a thread while it runs.
pub(super) struct SpoolService {
    folders: Vec<PathBuf>,
    orders: SyncSender<Order>,
    sink: Sink,
    outcomes: Option<Receiver<(u64, String)>>,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SpoolService {
    /// Looks into these folders, those that are there.
    pub(super) fn new(
        folders: Vec<PathBuf>,
        orders: SyncSender<Order>,
        sink: Sink,
        outcomes: Receiver<(u64, String)>,
    ) -> SpoolService {
        SpoolService { folders, orders, sink, outcomes: Some(outcomes), stop: None, thread: None }
    }
}

impl Service for SpoolService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some(outcomes) = self.outcomes.take().filter(|_| !self.folders.is_empty()) else { return Ok(()) };
        for folder in &self.folders {
            // Where it cannot be made there are no call files: whoever wants some will see why.
            if let Err(error) = std::fs::create_dir_all(folder) {
                let text = format!("The spool folder {} cannot be made: {error}", shown(folder));
                (self.sink)(&LogLine { level: Level::Warning, text });
            }
        }
        let (stop, stopped) = sync_channel(1);
        let (orders, sink) = (self.orders.clone(), self.sink.clone());
        let spool = Spool::new(self.folders.clone(), Box::new(move |file, ticket| begin(&orders, file, ticket)), sink);
        let thread = std::thread::Builder::new().name("spool".into()).spawn(move || run(spool, &outcomes, &stopped))?;
        (self.stop, self.thread) = (Some(stop), Some(thread));
        Ok(())
    }

    fn renew(&mut self, _: &Config) {}

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Asks the switch for a call; false when it has no room for more orders.
fn begin(orders: &SyncSender<Order>, file: &CallFile, ticket: u64) -> bool {
    let request = Box::new(crate::dialplan::originate::OriginateRequest { ticket, ..file.request.clone() });
    !matches!(orders.try_send(Order::Originate(request)), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
}

fn run(mut spool: Spool, outcomes: &Receiver<(u64, String)>, stopped: &Receiver<()>) {
    loop {
        while let Ok((ticket, status)) = outcomes.try_recv() {
            spool.outcome(ticket, &status, SystemTime::now());
        }
        spool.look(SystemTime::now());
        match stopped.recv_timeout(PERIOD) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// A file whose call is being tried.
struct Trying {
    path: PathBuf,
    file: CallFile,
    attempt: u32,
    /// Its time when the try began, as this wrote it.
    modified: Option<SystemTime>,
}

/// Has a call begun under this ticket; false when there is no room for it.
type Begin = Box<dyn FnMut(&CallFile, u64) -> bool + Send>;

/// The files in the folders.
struct Spool {
    queue: Queue,
    begin: Begin,
    sink: Sink,
    trying: BTreeMap<u64, Trying>,
    left_alone: BTreeSet<PathBuf>,
    last_ticket: u64,
}

impl Spool {
    fn new(folders: Vec<PathBuf>, begin: Begin, sink: Sink) -> Spool {
        let queue = Queue::new(folders, SLICE, KEPT);
        Spool { queue, begin, sink, trying: BTreeMap::new(), left_alone: BTreeSet::new(), last_ticket: 0 }
    }

    /// Begins the calls whose time has come, the oldest first, as far as there is room.
    fn look(&mut self, now: SystemTime) {
        let (trying, left_alone) = (&self.trying, &self.left_alone);
        let is_trying = |path: &Path| trying.values().any(|trying| trying.path == path);
        self.queue.read_on(now, |path| left_alone.contains(path) || is_trying(path));
        for _ in 0..MAX_FILES {
            if self.trying.len() >= MAX_TRYING {
                return;
            }
            let Some(file) = self.queue.take(now) else { return };
            if !self.consider(&file.1, now) {
                return self.queue.put_back(file);
            }
        }
    }

    /// Has the call of a file begun, when its time has come; false when there is no room for it now.
    fn consider(&mut self, path: &Path, now: SystemTime) -> bool {
        // It may be from before the folder was read.
        let is_trying = self.trying.values().any(|trying| trying.path == path);
        if is_trying || self.left_alone.contains(path) {
            return true;
        }
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return true };
        let is_due = metadata.modified().is_ok_and(|modified| modified <= now);
        if metadata.is_dir() || !is_due {
            return true;
        }
        let read = match metadata.is_file() {
            true => read(path).and_then(|text| call_file::parse(&text)),
            false => Err("it is no ordinary file".to_owned()),
        };
        match read {
            Ok((file, said)) => {
                for text in said {
                    self.say(Level::Warning, format!("Call file {}: {text}", shown(path)));
                }
                self.try_it(path, file, now)
            }
            Err(why) => {
                self.say(Level::Warning, format!("Call file {} is not used: {why}", shown(path)));
                self.put_aside(path);
                true
            }
        }
    }

    fn try_it(&mut self, path: &Path, file: CallFile, now: SystemTime) -> bool {
        if file.tried > file.max_retries {
            self.expired(path, &file, file.tried, now);
            return true;
        }
        let attempt = file.tried.saturating_add(1);
        if let Err(error) = append(path, "") {
            let text = format!("Call file {} is not used: it cannot be written to: {error}", shown(path));
            self.say(Level::Warning, text);
            self.leave_alone(path);
            return true;
        }
        self.last_ticket = self.last_ticket.saturating_add(1);
        let ticket = self.last_ticket;
        if !(self.begin)(&file, ticket) {
            // It is looked at again when the switch has room.
            return false;
        }
        let text = format!("Attempting call on {} for {} (Retry {attempt})", file.request.target, goal(&file));
        self.say(Level::Verbose(3), text);
        let _ = append(path, &format!("\n\nStartRetry: {} {attempt} ({})\n", std::process::id(), seconds(now)));
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        self.trying.insert(ticket, Trying { path: path.to_owned(), file, attempt, modified });
        true
    }

    /// How a call went.
    fn outcome(&mut self, ticket: u64, status: &str, now: SystemTime) {
        let Some(Trying { path, file, attempt, modified }) = self.trying.remove(&ticket) else { return };
        if status == OriginateStatus::Success.name() {
            self.say(Level::Notice, format!("Call completed to {}", file.request.target));
            let is_changed = modified != std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
            // Somebody has set its time anew meanwhile: that is the next call.
            if !file.always_delete && is_changed {
                return;
            }
            return self.done(&path, &file, "Completed");
        }
        let (target, reason) = (file.request.target.to_string(), words(status));
        self.say(Level::Notice, format!("Call failed to go through to {target}, reason: {reason}"));
        if attempt > file.max_retries {
            return self.expired(&path, &file, attempt, now);
        }
        let note = format!("\nEndRetry: {} {attempt} ({})\n", std::process::id(), seconds(now));
        let later = now.checked_add(file.retry_time).unwrap_or(now);
        if let Err(error) = append(&path, &note).and_then(|()| File::open(&path)?.set_modified(later)) {
            let text = format!("Call file {} is not tried again: its time cannot be set: {error}", shown(&path));
            self.say(Level::Warning, text);
            self.leave_alone(&path);
        }
    }

    fn expired(&mut self, path: &Path, file: &CallFile, attempts: u32, _: SystemTime) {
        let text = format!(
            "Queued call to {} expired without completion after {attempts} attempt{}",
            file.request.target,
            if attempts == 1 { "" } else { "s" }
        );
        self.say(Level::Notice, text);
        self.done(path, file, "Expired");
    }

    /// A file is done with: removed, or kept beside.
    fn done(&mut self, path: &Path, file: &CallFile, status: &str) {
        let removed = match file.archive {
            true => append(path, &format!("\nStatus: {status}\n")).and_then(|()| move_to(path, "outgoing_done")),
            false => std::fs::remove_file(path),
        };
        if let Err(error) = removed.or_else(|error| if path.exists() { Err(error) } else { Ok(()) }) {
            let text = format!("Call file {} is done with and cannot be removed: {error}", shown(path));
            self.say(Level::Warning, text);
            self.leave_alone(path);
        }
    }

    /// A file that is no call file does not lie in the way.
    fn put_aside(&mut self, path: &Path) {
        if let Err(error) = move_to(path, "outgoing_failed") {
            self.say(Level::Warning, format!("Call file {} cannot be moved aside: {error}", shown(path)));
            self.leave_alone(path);
        }
    }

    fn leave_alone(&mut self, path: &Path) {
        if self.left_alone.len() >= MAX_LEFT_ALONE {
            self.left_alone.clear();
        }
        self.left_alone.insert(path.to_owned());
    }

    fn say(&self, level: Level, text: String) {
        (self.sink)(&LogLine { level, text });
    }
}

fn goal(file: &CallFile) -> String {
    match &file.request.goal {
        crate::dialplan::originate::Goal::Extension(place) => place.to_string(),
        crate::dialplan::originate::Goal::Application(name, data) => {
            format!("application {}({})", outside(name), outside(data))
        }
        crate::dialplan::originate::Goal::Page(_) => "a page".to_owned(),
    }
}

fn words(status: &str) -> &'static str {
    match status {
        "BUSY" => "remote end is busy",
        "CONGESTION" => "congestion",
        "RINGING" => "remote end rang, and nobody picked up",
        _ => "it could not be called, or refused",
    }
}

fn shown(path: &Path) -> String {
    outside(&path.display().to_string()).to_string()
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn read(path: &Path) -> Result<String, String> {
    let most = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_SIZE {
        return Err(format!("it is larger than {MAX_SIZE} bytes"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Into a folder beside the one it lies in.
fn move_to(path: &Path, folder: &str) -> io::Result<()> {
    let (Some(name), Some(spool)) = (path.file_name(), path.parent().and_then(Path::parent)) else {
        return Err(io::Error::other("there is no folder beside its own"));
    };
    let folder = spool.join(folder);
    std::fs::create_dir_all(&folder)?;
    std::fs::rename(path, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

    /// A folder that is removed with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    struct Bench {
        folder: Folder,
        spool: Spool,
        begun: Arc<Mutex<Vec<(String, u64)>>>,
        said: Arc<Mutex<Vec<String>>>,
    }

    impl Bench {
        fn new() -> Bench {
            static LAST: AtomicU32 = AtomicU32::new(0);
            let number = LAST.fetch_add(1, Ordering::Relaxed);
            let folder = Folder(std::env::temp_dir().join(format!("strowger-spool-{}-{number}", std::process::id())));
            std::fs::create_dir(folder.path()).unwrap();
            let outgoing = folder.path().join("outgoing");
            std::fs::create_dir(&outgoing).unwrap();
            let begun = Arc::new(Mutex::new(Vec::new()));
            let said = Arc::new(Mutex::new(Vec::new()));
            let (calls, lines) = (begun.clone(), said.clone());
            let begin = move |file: &CallFile, ticket| {
                calls.lock().unwrap().push((file.request.target.to_string(), ticket));
                true
            };
            let sink: Sink = Arc::new(move |line: &LogLine| lines.lock().unwrap().push(line.text.clone()));
            let spool = Spool::new(vec![outgoing], Box::new(begin), sink);
            Bench { folder, spool, begun, said }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join("outgoing").join(name);
            std::fs::write(&path, text).unwrap();
            path
        }

        fn begun(&self) -> Vec<(String, u64)> {
            std::mem::take(&mut self.begun.lock().unwrap())
        }

        fn said(&self, words: &str) -> bool {
            self.said.lock().unwrap().iter().any(|line| line.contains(words))
        }
    }

    fn soon() -> SystemTime {
        SystemTime::now() + Duration::from_secs(2)
    }

    #[test]
    fn a_file_is_tried_again_until_it_expires_and_one_that_is_answered_is_removed() {
        let mut bench = Bench::new();
        let path =
            bench.write("wake", "Channel: SIP/a\nApplication: Echo\nMaxRetries: 1\nRetryTime: 60\nArchive: yes\n");
        bench.spool.look(soon());
        assert_eq!(bench.begun(), [("SIP/a".to_owned(), 1)]);
        bench.spool.look(soon());
        assert_eq!(bench.begun(), [], "it is being tried");
        bench.spool.outcome(1, "RINGING", soon());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("StartRetry: ") && text.contains("EndRetry: "), "{text}");
        bench.spool.look(soon());
        assert_eq!(bench.begun(), [], "its time has not come");
        bench.spool.look(soon() + Duration::from_secs(70));
        assert_eq!(bench.begun(), [("SIP/a".to_owned(), 2)]);
        bench.spool.outcome(2, "BUSY", soon());
        assert!(!path.exists() && bench.said("expired without completion after 2 attempts"));
        let kept = std::fs::read_to_string(bench.folder.path().join("outgoing_done/wake")).unwrap();
        assert!(kept.ends_with("\nStatus: Expired\n"), "{kept}");

        let path = bench.write("now", "Channel: SIP/b\nExtension: 1\n");
        bench.spool.look(soon());
        bench.spool.outcome(3, "SUCCESS", soon());
        assert!(!path.exists() && bench.said("Call completed to SIP/b"));
    }

    #[test]
    fn a_time_in_the_future_is_waited_for_and_a_new_time_keeps_the_file() {
        let mut bench = Bench::new();
        let path = bench.write("later", "Channel: SIP/a\nExtension: 1\nAlwaysDelete: no\n");
        let at = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        File::open(&path).unwrap().set_modified(at(600)).unwrap();
        bench.spool.look(at(2));
        assert_eq!(bench.begun(), []);
        bench.spool.look(at(601));
        assert_eq!(bench.begun().len(), 1);
        File::open(&path).unwrap().set_modified(at(1200)).unwrap();
        bench.spool.outcome(1, "SUCCESS", at(602));
        assert!(path.exists(), "somebody wants it again");
    }

    #[test]
    fn what_is_no_call_file_is_moved_aside_and_hidden_files_and_folders_are_left() {
        let mut bench = Bench::new();
        let outgoing = bench.folder.path().join("outgoing");
        bench.write(".part", "Channel: SIP/a\nApplication: Echo\n");
        std::fs::create_dir(outgoing.join("folder")).unwrap();
        let bad = bench.write("bad", "nonsense");
        let large = bench.write("large", &"x".repeat(MAX_SIZE + 1));
        let link = outgoing.join("link");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        bench.spool.look(soon());
        assert_eq!(bench.begun(), []);
        assert!(!bad.exists() && !large.exists() && std::fs::symlink_metadata(&link).is_err());
        assert!(bench.folder.path().join("outgoing_failed/bad").exists());
        assert!(outgoing.join(".part").exists() && outgoing.join("folder").exists());
        assert!(bench.said("bad is not used: it names no Channel") && bench.said("larger than"));
    }

    #[test]
    fn no_more_than_so_many_are_tried_at_once() {
        let mut bench = Bench::new();
        for number in 0..MAX_TRYING + 5 {
            bench.write(&format!("{number:03}"), "Channel: SIP/a\nExtension: 1\n");
        }
        bench.spool.look(soon());
        assert_eq!(bench.begun().len(), MAX_TRYING);
        bench.spool.outcome(1, "SUCCESS", soon());
        bench.spool.look(soon());
        assert_eq!(bench.begun().len(), 1);
    }
}
