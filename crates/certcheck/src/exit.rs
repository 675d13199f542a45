//! Exit codes, the same for every command that gives verdicts.

use std::process::ExitCode;

use certcheck_core::Verdict;

/// How a run ends. Ordered from best to worst: the worst of several inputs counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Exit {
    /// 0
    Accepted,
    /// 3
    Undetermined,
    /// 1
    Rejected,
    /// 2: usage, or input that cannot be read.
    Unusable,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accept => Self::Accepted,
            Verdict::Reject => Self::Rejected,
            Verdict::Undetermined => Self::Undetermined,
        }
    }
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Rejected => 1,
            Self::Unusable => 2,
            Self::Undetermined => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
