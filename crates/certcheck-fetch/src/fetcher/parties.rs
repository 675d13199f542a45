//! The parties that permits are counted for, and how many permits each may have at once.

use core::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;

use smallvec::SmallVec;

/// Names are kept as hashes with a secret. Two that collide share a limit, and an attacker cannot choose which.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A party that a permit is counted for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Party {
    /// Evidence that is missing.
    Evidence(u64),
    Client(u64),
    Host(u64),
    Address(IpAddr),
    Issuer(u64),
    /// An issuer whose own certificate is an anchor: all clients below it share it.
    Anchor(u64),
}

impl Party {
    pub(crate) fn hashed(name: impl Hash) -> u64 {
        SECRET.hash_one(name)
    }

    /// For IPv6 the network of 64 bits: anyone with one address in it has all of them.
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        })
    }

    /// Whether unrelated clients share it.
    pub(super) const fn is_shared(self) -> bool {
        matches!(self, Self::Issuer(_) | Self::Anchor(_) | Self::Address(_))
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Evidence(_) => "for the same",
            Self::Client(_) => "for this client",
            Self::Host(_) => "from this host",
            Self::Address(_) => "from this address",
            Self::Issuer(_) => "for clients of this issuer",
            Self::Anchor(_) => "for clients below this anchor",
        }
    }
}

/// Hashed names of missing evidence: its key, or if it has none, the request and the client.
pub(crate) type Names = SmallVec<[u64; 4]>;

/// All parties of a permit.
pub(crate) type Parties = SmallVec<[Party; 8]>;

/// A client and the issuers of its path, each by its key and the anchor last.
pub(crate) fn of_path<'k>(client: u64, issuers: impl DoubleEndedIterator<Item = &'k [u8]>) -> Parties {
    let issuers = issuers.rev().enumerate().map(|(above, key)| match above {
        0 => Party::Anchor(Party::hashed(key)),
        _ => Party::Issuer(Party::hashed(key)),
    });
    [Party::Client(client)].into_iter().chain(issuers.take(MAX_ISSUERS)).collect()
}

/// Issuers of a path that a permit is counted for.
const MAX_ISSUERS: usize = 16;

/// The limits at once, for all and for each kind of party.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) all: usize,
    pub(crate) client: usize,
    pub(crate) host: usize,
    pub(crate) address: usize,
}

impl Bounds {
    /// Half for one issuer, three quarters for all below one anchor.
    pub(super) const fn of(&self, party: Party) -> usize {
        match party {
            Party::Evidence(_) => 1,
            Party::Client(_) => self.client,
            Party::Host(_) => self.host,
            Party::Address(_) => self.address,
            Party::Issuer(_) => self.all.div_ceil(2),
            Party::Anchor(_) => self.all.div_ceil(4).saturating_mul(3),
        }
    }

    /// For long downloads: three times as many for all parties but the host, whose lanes are counted together.
    pub(super) fn slow(self) -> Self {
        let Self { all, client, host, address } = self;
        let thrice = |max: usize| max.saturating_mul(3);
        Self { all: thrice(all), client: thrice(client), host, address: thrice(address) }
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Full {
    /// The limit for all.
    All(usize),
    Party(Party, usize),
    /// The limit of waiting fetches.
    Waiting(usize),
    /// All missing evidence is being fetched already.
    UnderWay,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(max) => write!(f, "{max} at once are under way"),
            Self::Party(party, max) => write!(f, "{max} at once {} are under way", party.noun()),
            Self::Waiting(many) => write!(f, "{many} are waiting already"),
            Self::UnderWay => f.write_str("it is under way"),
        }
    }
}
