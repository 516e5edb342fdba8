//! The parts of a test.

/// What is measured together, by one signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What comes while nothing is sent: noise, hum, silence that is left out.
    Noise,
    /// What comes by itself: how loud, and of which frequency.
    Level,
    /// What comes back of noise: each echo with its delay and its level.
    Echo,
    /// What comes back of many tones, and of a loud one: the frequency response, noise, distortion.
    Response,
    /// What comes back of four steady tones: slips, drop-outs, changes of level.
    Steadiness,
}

impl Part {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Part; 5] = [Part::Noise, Part::Level, Part::Echo, Part::Response, Part::Steadiness];

    /// Its name in the dialplan and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Part::Noise => "noise",
            Part::Level => "level",
            Part::Echo => "echo",
            Part::Response => "response",
            Part::Steadiness => "slips",
        }
    }

    /// The part of that name.
    pub fn named(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name().eq_ignore_ascii_case(name.trim()))
    }
}
