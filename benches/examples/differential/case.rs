//! One question, as every judge is asked it.

/// 2027-01-02T00:00:00Z.
pub(crate) const NOW: i64 = 1_798_848_000;

/// What is mutated, and what is asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    /// Is the chain good for a TLS client?
    Certificate,
    /// What does this CRL alone say of the leaf?
    Crl,
    /// What does this response alone say of the leaf?
    Response,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Certificate, Self::Crl, Self::Response];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificates",
            Self::Crl => "CRLs",
            Self::Response => "OCSP responses",
        }
    }
}

/// A chain, its anchor, and evidence about its leaf.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    /// What was changed.
    pub(crate) changes: String,
    pub(crate) leaf: Vec<u8>,
    pub(crate) ca: Vec<u8>,
    pub(crate) root: Vec<u8>,
    /// The CRL or the response.
    pub(crate) evidence: Vec<u8>,
}

/// What a judge says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Word {
    /// The chain validates; the leaf is not revoked.
    Good,
    /// The leaf is revoked.
    Revoked,
    /// The chain does not validate; the evidence is of no use.
    Refused,
}

/// What a judge says, and why if it refuses.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) word: Word,
    pub(crate) why: String,
}

impl Answer {
    pub(crate) const GOOD: Self = Self { word: Word::Good, why: String::new() };
    pub(crate) const REVOKED: Self = Self { word: Word::Revoked, why: String::new() };

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self { word: Word::Refused, why: why.into() }
    }
}

/// Another judge.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Oracle {
    Webpki,
    OpenSsl,
}

impl Oracle {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Webpki => "webpki",
            Self::OpenSsl => "OpenSSL",
        }
    }
}

/// In which way two judges differ.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Direction {
    /// We say good, the other refuses.
    OnlyWeAccept,
    /// The other says good, we refuse.
    OnlyWeRefuse,
    /// One says good and the other revoked.
    Opposed,
    /// We say revoked, to the other the evidence is of no use.
    OnlyWeRead,
    /// The other says revoked, to us the evidence is of no use.
    OnlyTheyRead,
}

impl Direction {
    pub(crate) const ALL: [Self; 5] =
        [Self::OnlyWeAccept, Self::Opposed, Self::OnlyWeRefuse, Self::OnlyWeRead, Self::OnlyTheyRead];

    pub(crate) const fn of(ours: Word, theirs: Word) -> Option<Self> {
        match (ours, theirs) {
            (Word::Good, Word::Refused) => Some(Self::OnlyWeAccept),
            (Word::Refused, Word::Good) => Some(Self::OnlyWeRefuse),
            (Word::Good, Word::Revoked) | (Word::Revoked, Word::Good) => Some(Self::Opposed),
            (Word::Revoked, Word::Refused) => Some(Self::OnlyWeRead),
            (Word::Refused, Word::Revoked) => Some(Self::OnlyTheyRead),
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OnlyWeAccept => "only we accept",
            Self::OnlyWeRefuse => "only we refuse",
            Self::Opposed => "good against revoked",
            Self::OnlyWeRead => "we: revoked; they: unusable",
            Self::OnlyTheyRead => "they: revoked; we: unusable",
        }
    }
}
