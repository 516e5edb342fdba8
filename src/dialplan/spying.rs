//! What `ChanSpy` and its kin ask for, and how it goes.

/// Which channels may be listened to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpyChoice {
    /// Their names, or unique ids, begin so; empty: all.
    pub prefix: String,
    /// The prefix is a unique id.
    pub by_unique_id: bool,
    /// Only what this place of the dialplan is running, or a call came in at: extension and context.
    pub place: Option<(String, String)>,
    /// Only those that talk to somebody.
    pub only_bridged: bool,
    /// Only those with one of these groups in `SPYGROUP`.
    pub groups: Vec<String>,
    /// Only these lines, `SIP/201`; empty: all.
    pub lines: Vec<String>,
}

/// How one is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpyManner {
    /// What is heard.
    pub hears: SpyHears,
    /// What is said is heard by the one who is listened to.
    pub whispers: bool,
    /// And by whom that one talks to.
    pub barges: bool,
    /// How often what is heard is doubled; below 0: halved.
    pub volume: i8,
}

/// What is heard of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpyHears {
    /// What both sides say.
    #[default]
    Both,
    /// What the channel's telephone says.
    Telephone,
    /// Nothing.
    Nothing,
}

/// A channel that may be listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spied {
    /// Its number: the next one is behind it.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub unique_id: String,
}

/// What the switch is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpyRequest {
    /// The next channel behind that number, oldest first.
    Find(SpyChoice, u64),
    /// Listen to the channel of that number, or go on with it in another manner, until a digit comes or it is over.
    Listen(u64, SpyManner),
    /// Listen no more.
    Stop,
}

/// How it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpyReply {
    /// The channel that was asked for; none: there is none.
    Found(Option<Spied>),
    /// A digit came.
    Digit(char),
    /// The channel is over, or listened to no more.
    Over,
    /// It cannot be listened to: why, for the log.
    Failed(String),
}
