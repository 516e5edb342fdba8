//! What is recorded of a stream: real packets, and files read sample by sample.

use super::*;
use crate::audio::g711::Law;
use crate::audio::wav;
use crate::pbx::recording::{Container, RecordFile, RecordPlan, Recorded, RecordingEnd, RecordingId, Sides};
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("strowger-recording-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn plan(files: &[(&PathBuf, Sides)]) -> Box<RecordPlan> {
    let files = files.iter().map(|(path, sides)| RecordFile {
        path: path.display().to_string(),
        sides: *sides,
        container: Container::Wav,
    });
    Box::new(RecordPlan { files: files.collect(), laws: vec![(0, Law::Mu)], ..RecordPlan::default() })
}

impl Rig {
    fn record(&self, number: u64, plan: Box<RecordPlan>) {
        self.media.send(MediaCommand::Record { stream: A, recording: RecordingId(number), plan });
    }

    fn recorded(&self) -> Recorded {
        loop {
            if let MediaEvent::Recorded { recorded, .. } = self.event() {
                return *recorded;
            }
        }
    }
}

/// Both phones say 800 ms of their own sample; what is in the files is that and its sum, and a lost packet is silence.
/// All of it is sent as fast as it goes, and the recording goes on until that time is over: packets lie where their
/// timestamps say, however busy the machine is. There are fewer of them than a direction is judged by.
#[test]
fn both_directions_and_their_sum_are_in_the_files() {
    let rig = Rig::new(23_000..=23_099);
    let (a, b) = rig.call();
    let folder = folder("both");
    let [mixed, from, to] = ["mixed", "in", "out"].map(|name| folder.join("deep").join(format!("{name}.wav")));
    rig.record(1, plan(&[(&mixed, Sides::Both), (&from, Sides::FromPeer), (&to, Sides::ToPeer)]));
    // The first packet must not overtake the order.
    rig.media.send(MediaCommand::Count { stream: A });
    while !matches!(rig.event(), MediaEvent::Counted { .. }) {}
    let (of_a, of_b) = (Law::Mu.encode(1_000), Law::Mu.encode(4_000));
    for sequence in 0..40u16 {
        if sequence != 25 {
            a.send(&packet(1, sequence, &[of_a; 160]));
            b.receive();
        }
        b.send(&packet(2, sequence, &[of_b; 160]));
        a.receive();
    }
    std::thread::sleep(Duration::from_millis(900));
    rig.media.send(MediaCommand::StopRecording { stream: A, recording: RecordingId(1) });
    let recorded = rig.recorded();
    assert_eq!((&recorded.end, recorded.dropped, recorded.undecoded), (&RecordingEnd::Stopped, 0, 0));
    let read = |path: &PathBuf| wav::read(&std::fs::read(path).unwrap()).unwrap().0;
    let (mixed, from, to) = (read(&mixed), read(&from), read(&to));
    let (of_a, of_b) = (Law::Mu.decode(of_a), Law::Mu.decode(of_b));
    let count = |samples: &[i16], value: i16| samples.iter().filter(|sample| **sample == value).count();
    assert_eq!((count(&from, of_a), count(&to, of_b)), (39 * 160, 40 * 160));
    let begin = from.iter().position(|sample| *sample == of_a).unwrap();
    assert_eq!(from[begin + 25 * 160..begin + 26 * 160], [0; 160], "the packet that was lost");
    assert!(mixed.iter().zip(from.iter().zip(&to)).all(|(sum, (from, to))| *sum == from + to));
    assert!(count(&mixed, of_a + of_b) > 0);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn twenty_at_once_a_pause_and_the_end_of_the_stream() {
    let rig = Rig::new(23_100..=23_199);
    let (a, b) = rig.call();
    let folder = folder("twenty");
    let file = folder.join("x-%d.wav");
    for number in 0..20 {
        rig.record(number, plan(&[(&file, Sides::Both)]));
    }
    rig.media.send(MediaCommand::PauseRecording { stream: A, recording: RecordingId(3), paused: true });
    for sequence in 0..20u16 {
        a.send(&packet(1, sequence, &[Law::Mu.encode(1_000); 160]));
        b.receive();
        std::thread::sleep(Duration::from_millis(20));
    }
    rig.media.send(MediaCommand::Release { stream: A });
    let all: Vec<Recorded> = (0..20).map(|_| rig.recorded()).collect();
    let mut names: Vec<&String> = all.iter().flat_map(|recorded| &recorded.files).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20, "%d counts up");
    assert_eq!(all.iter().filter(|recorded| recorded.length < Duration::from_millis(200)).count(), 1, "the paused one");
    assert!(all.iter().all(|recorded| recorded.end == RecordingEnd::Stopped && recorded.dropped == 0));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_cannot_be_written_is_told_and_the_call_goes_on() {
    let rig = Rig::new(23_200..=23_299);
    let (a, b) = rig.call();
    rig.record(1, plan(&[(&PathBuf::from("/dev/null/x.wav"), Sides::Both)]));
    assert!(matches!(rig.recorded().end, RecordingEnd::Failed(_)));
    a.send(&packet(1, 1, &[0; 160]));
    assert_eq!(b.receive().len(), 172);
}

/// The files get another name while they are written; one that is there already stays, and is said.
#[test]
fn a_recording_goes_on_under_another_name() {
    let rig = Rig::new(23_700..=23_799);
    let (a, b) = rig.call();
    let folder = folder("renamed");
    let [from, to] = ["first-in.wav", "first-out.wav"].map(|name| folder.join(name));
    rig.record(1, plan(&[(&from, Sides::FromPeer), (&to, Sides::ToPeer)]));
    let rename = |name: &str| {
        let base = folder.join(name).display().to_string();
        rig.media.send(MediaCommand::RenameRecording { stream: A, recording: RecordingId(1), base });
    };
    rename("deep/second");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("third-out.wav"), "somebody else's").unwrap();
    for sequence in 0..10u16 {
        a.send(&packet(1, sequence, &[Law::Mu.encode(1_000); 160]));
        b.receive();
    }
    std::thread::sleep(Duration::from_millis(300));
    rename("third");
    rig.media.send(MediaCommand::StopRecording { stream: A, recording: RecordingId(1) });
    let recorded = rig.recorded();
    let third = folder.join("third-in.wav");
    assert_eq!(recorded.files, [third.display().to_string(), folder.join("deep/second-out.wav").display().to_string()]);
    assert!(recorded.not_renamed.ends_with("third-out.wav: it is there already"), "{}", recorded.not_renamed);
    assert!(!from.exists() && std::fs::read(folder.join("third-out.wav")).unwrap() == b"somebody else's");
    let heard = wav::read(&std::fs::read(third).unwrap()).unwrap().0;
    assert!(heard.iter().filter(|sample| **sample != 0).count() >= 9 * 160);
}
