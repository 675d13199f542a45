//! What a run is given: the fleet, how its nodes get evidence, and what is wrong with them.

/// How nodes get evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Mode {
    /// Each node fetches every CRL whole every four hours, as programs do that know no better.
    Every4h,
    /// Each node asks the origin when evidence is due, and gets no body if nothing has changed.
    Alone,
    /// Every four hours, through an HTTP cache that serves what it got for an hour, and longer if the origin fails.
    HttpCache,
    /// A mirror, with news.
    Mirror,
    /// A shared store, with a lease, compare-and-set, news, and polling behind them.
    Store,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Every4h, Self::Alone, Self::HttpCache, Self::Mirror, Self::Store];

    /// A name for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Every4h => "alone, every 4 h",
            Self::Alone => "alone, when due",
            Self::HttpCache => "HTTP cache, every 4 h",
            Self::Mirror => "mirror",
            Self::Store => "shared store",
        }
    }

    /// Whether nodes ask something of the site before the origin.
    pub(super) const fn has_hub(self) -> bool {
        matches!(self, Self::HttpCache | Self::Mirror | Self::Store)
    }
}

/// A decision that is wrong on purpose, to show that the laws notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Defect {
    /// Older evidence replaces newer evidence.
    TakesOlder,
    /// A revoked client is good.
    ForgetsRevoked,
    /// Evidence counts after its end.
    UsesEnded,
    /// The origin is never asked.
    OnlyAsksHub,
    /// Evidence in memory is never asked for again, and news are not heard.
    NeverRenews,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How nodes get evidence.
    pub mode: Mode,
    /// Nodes.
    pub nodes: u32,
    /// CRLs.
    pub crls: u16,
    /// The bytes of all CRLs together.
    pub bytes: u64,
    /// Virtual days.
    pub days: u32,
    /// Of all that is random.
    pub seed: u64,
    /// New versions of all CRLs together a day, in addition to the one of each CRL a day.
    pub extra_changes: u32,
    /// Hours from thisUpdate to nextUpdate.
    pub validity_hours: u32,
    /// Hours between two regular versions of a CRL.
    pub period_hours: u32,
    /// Seconds for which the origin says that there is nothing newer, if it says so.
    pub max_age: Option<u32>,
    /// Seconds between two decisions of a node.
    pub decide_every: u32,
    /// Whether things fail.
    pub has_faults: bool,
    /// What is wrong on purpose.
    pub defect: Option<Defect>,
}

impl Setup {
    /// 50 CRLs of 231 MB together, with a change a day each, and no faults.
    #[must_use]
    pub const fn new(mode: Mode, nodes: u32, days: u32, seed: u64) -> Self {
        Self {
            mode,
            nodes,
            crls: 50,
            bytes: 231_000_000,
            days,
            seed,
            extra_changes: 0,
            validity_hours: 36,
            period_hours: 24,
            max_age: None,
            decide_every: 60,
            has_faults: false,
            defect: None,
        }
    }

    /// Whether it has this defect.
    pub(super) fn is(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// The end, in milliseconds.
    pub(super) const fn end(&self) -> u64 {
        self.days as u64 * 86_400_000
    }

    /// The bytes of a CRL.
    pub(super) const fn size(&self) -> u64 {
        self.bytes / self.crls as u64
    }
}
