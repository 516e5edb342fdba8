//! Silence: reported once, broken by anything the peer sends, and filled for an address translator on the way.

use super::*;

fn watch(rig: &Rig, stream: StreamId, limit: Option<u64>, keepalive: Option<u64>) {
    let [limit, keepalive] = [limit, keepalive].map(|time| time.map(Duration::from_millis));
    rig.media.send(MediaCommand::Watch { stream, limit, keepalive });
}

/// The next report that is about silence.
fn report(rig: &Rig) -> MediaEvent {
    loop {
        match rig.event() {
            MediaEvent::Learned { .. } => {}
            event => return event,
        }
    }
}

#[test]
fn silence_is_reported_once_and_broken_by_rtp_and_by_rtcp() {
    let rig = Rig::new(23_400..=23_499);
    let (a, b) = rig.call();
    let lasting = Duration::from_millis(200);
    let begun = Instant::now();
    watch(&rig, A, Some(200), None);
    assert_eq!(report(&rig), MediaEvent::Silent { stream: A, lasting });
    assert!(begun.elapsed() >= lasting);
    // Nobody else is watched, nothing is said again, and what comes from elsewhere does not count.
    Phone { exchange: a.exchange, ..Phone::new(LOCAL) }.send(&packet(9, 1, b"stranger"));
    assert_eq!(rig.events.recv_timeout(Duration::from_millis(500)), Err(std::sync::mpsc::RecvTimeoutError::Timeout));
    a.send(&packet(1, 1, b"voice"));
    b.receive();
    assert_eq!(report(&rig), MediaEvent::Heard { stream: A });
    assert_eq!(report(&rig), MediaEvent::Silent { stream: A, lasting });
    let receiver_report = [0x80, 201, 0, 1, 0, 0, 0, 7];
    a.send_rtcp(&receiver_report);
    assert_eq!(report(&rig), MediaEvent::Heard { stream: A });
    assert_eq!(report(&rig), MediaEvent::Silent { stream: A, lasting });
    // One that was watched is released as ever.
    let (_, counts) = rig.release(A);
    assert_eq!((counts.received, counts.strangers), (1, 1));
}

#[test]
fn a_line_that_is_sent_nothing_is_sent_comfort_noise_and_its_stream_goes_on_after_it() {
    let rig = Rig::new(23_500..=23_599);
    let (a, b) = rig.call();
    a.send(&packet(7, 100, &[1; 160]));
    let first = b.receive();
    watch(&rig, B, None, Some(100));
    let noise = b.receive();
    assert_eq!((noise.len(), noise[1], noise[12]), (13, 13, 127), "payload type 13, the least noise there is");
    let (first, noise) = (Header::read(&first).unwrap(), Header::read(&noise).unwrap());
    assert_eq!((noise.ssrc, noise.sequence), (first.ssrc, first.sequence.wrapping_add(1)));
    let again = b.receive();
    assert_eq!(Header::read(&again).unwrap().sequence, noise.sequence.wrapping_add(1));
    // Off: nothing more comes but what the other line sends, in one sequence.
    watch(&rig, B, None, None);
    while b.rtp.set_read_timeout(Some(Duration::from_millis(300))).is_ok() && received(&b.rtp).is_some() {}
    b.rtp.set_read_timeout(Some(PATIENCE)).unwrap();
    a.send(&packet(7, 101, &[2; 160]));
    let voice = b.receive();
    assert_eq!((voice[1], voice.len()), (0, 172));
    let voice = Header::read(&voice).unwrap();
    assert!(voice.ssrc == first.ssrc && voice.sequence.wrapping_sub(noise.sequence) < 100);
    // Nor while something is sent anyway, or nobody is there to send to.
    watch(&rig, A, None, Some(50));
    rig.remote(A, Remote { rtp: None, rtcp: None, ..a.remote() });
    while a.rtp.set_read_timeout(Some(Duration::from_millis(20))).is_ok() && received(&a.rtp).is_some() {}
    assert!(a.hears_nothing());
}
