//! Why they disagree.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Disagreement, Said};

/// What was asked about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Path,
    Crl,
    Ocsp,
}

/// Who was asked beside certcheck.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Peer {
    Webpki,
    OpenSsl,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Crl => "CRL",
            Self::Ocsp => "OCSP",
        }
    }
}

impl Peer {
    const fn word(self) -> &'static str {
        match self {
            Self::Webpki => "rustls-webpki",
            Self::OpenSsl => "OpenSSL",
        }
    }
}

/// An explanation, and when it is one: of what, with whom, what was said, and words of the reasons.
struct Explanation {
    kinds: &'static [Kind],
    peer: Option<Peer>,
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
    /// One of these begins, or stands in, our reason; any if there is none.
    our_words: &'static [&'static str],
    their_words: &'static [&'static str],
    text: &'static str,
}

const ALL: &[Explanation] = &[
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["length not in the fewest"],
        their_words: &[],
        text: "A length in more octets than it takes (X.690 10.1): X.690 has one encoding for each value, and we read no other.",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["BOOLEAN other than"],
        their_words: &[],
        text: "TRUE as another octet than ff (X.690 11.1): X.690 has one encoding for each value, and we read no other.",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["INTEGER not in the fewest", "INTEGER without content", "negative INTEGER"],
        their_words: &[],
        text: "An INTEGER that is padded, empty, or negative where RFC 5280 has none (X.690 8.3, RFC 5280 4.1.2.2, 5.2.3).",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["bad count of unused bits", "unused bits are not zero", "named bits end in zero bits"],
        their_words: &[],
        text: "A BIT STRING of named bits that is not as X.690 11.2 has it.",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["bad OBJECT IDENTIFIER"],
        their_words: &[],
        text: "An OBJECT IDENTIFIER that is none (X.690 8.19): the others compare its octets alone, where they know no such extension or attribute.",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["not a time of RFC"],
        their_words: &[],
        text: "A time that is not as RFC 5280 4.1.2.5 and 5.1.2.6 have it, in a field that decides nothing about this certificate: the others do not read it there.",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &[
            "ends before its length says",
            "octets left over",
            "is due",
            "unknown choice",
            "NULL with content",
            "empty list where",
            "the value is longer",
            "minimum or maximum",
        ],
        their_words: &[],
        text: "A known extension or field that does not read as its ASN.1 (RFC 5280 4.2, 5.2, RFC 6960 4.2): present and unreadable is not absent. The others read only what they need, or decode it and pass over the failure.",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["present twice"],
        their_words: &[],
        text: "An extension or policy that is there twice (RFC 5280 4.2, 4.2.1.4).",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl, Kind::Ocsp],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["version that does not exist", "extensions in a version"],
        their_words: &[],
        text: "A version that does not exist, or extensions in one that has none (RFC 5280 4.1.2.1, 5.1.2.1).",
    },
    Explanation {
        kinds: &[Kind::Path, Kind::Crl],
        peer: None,
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["critical extension that is not known"],
        their_words: &[],
        text: "A critical extension of a CRL entry that is not known makes the CRL unusable, whichever entry it is in (RFC 5280 5.3).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: None,
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["character outside"],
        their_words: &[],
        text: "A string with characters that its type does not have (RFC 5280 4.2.1.6, X.680 41).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: None,
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["signature and signatureAlgorithm differ"],
        their_words: &[],
        text: "signature and signatureAlgorithm differ (RFC 5280 4.1.1.2).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: None,
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["bad IP address"],
        their_words: &[],
        text: "An iPAddress, or its mask, of no length that there is (RFC 5280 4.2.1.6, 4.2.1.10).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: None,
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["subject is empty"],
        their_words: &[],
        text: "Nobody is named: no subject and no subjectAltName (RFC 5280 4.1.2.6).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: None,
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["cannot be compared"],
        their_words: &[],
        text: "A name that a constraint is about and that is none of its kind: it cannot be shown to be outside an excluded subtree, so it is refused (RFC 5280 6.1.3 (c)).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::Webpki),
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["curve is not named", "unsupported-algorithm"],
        their_words: &[],
        text: "The target's own key is on a curve that is spelled out (RFC 5480 2.1.1). rustls-webpki looks at it when TLS verifies with it.",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: Some(Peer::OpenSsl),
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["stale"],
        their_words: &[],
        text: "A nextUpdate that lies before thisUpdate, or none: policy has a greatest age for such a CRL here.",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: Some(Peer::Webpki),
        ours: &["refused"],
        theirs: &["good"],
        our_words: &["not-yet-valid"],
        their_words: &[],
        text: "thisUpdate in the future (RFC 5280 5.1.2.4): rustls-webpki asks for nextUpdate alone.",
    },
    Explanation {
        kinds: &[Kind::Ocsp],
        peer: Some(Peer::OpenSsl),
        ours: &["refused"],
        theirs: &["good", "revoked"],
        our_words: &["stale", "not-yet-valid"],
        their_words: &[],
        text: "Times of answers: the function of OpenSSL for them reads the clock, so it is not asked here.",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::OpenSsl),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["unspecified certificate"],
        text: "OpenSSL decodes the target's own key while it looks for a path. Section 6 has nothing that uses it: whoever verifies the handshake with it finds that it is none.",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::OpenSsl),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["unable to get local issuer"],
        text: "authorityKeyIdentifier that is not the subjectKeyIdentifier of the issuer. RFC 5280 4.2.1.1 has it help to find issuers; what proves one is name and signature, and we try the others later, not never.",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::OpenSsl),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["does not read"],
        text: "Parts that no rule of section 6 reads, such as an attribute value of a type that names do not have: OpenSSL decodes it, we compare its octets (RFC 5280 7.1).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::OpenSsl),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["permitted subtree violation"],
        text: "A constraint whose base was changed into one that only one side takes for wider: OpenSSL compares the host of an e-mail address or the labels of a name in other ways (RFC 5280 4.2.1.10).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::Webpki),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["NameConstraintViolation"],
        text: "rustls-webpki compares no rfc822Name and refuses every one where a CA constrains any; we compare them (RFC 5280 4.2.1.10).",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::Webpki),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["UnknownIssuer"],
        text: "Names that differ in case or spaces alone: RFC 5280 7.1 has them compare equal, rustls-webpki compares octets.",
    },
    Explanation {
        kinds: &[Kind::Path],
        peer: Some(Peer::Webpki),
        ours: &["good"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["BadDerTime"],
        text: "An X.509 time that rustls-webpki does not take.",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: Some(Peer::Webpki),
        ours: &["good", "revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["MalformedExtensions"],
        text: "A version 2 CRL without crlExtensions: RFC 5280 5.2.3 has issuers number their CRLs and tells validators nothing of one without, so it counts here.",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: Some(Peer::Webpki),
        ours: &["good", "revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["UnknownRevocationStatus"],
        text: "The CRL's issuer differs from the certificate's in case or spaces alone (RFC 5280 7.1), or it has a distribution point that names compare equal to: rustls-webpki compares octets.",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: Some(Peer::Webpki),
        ours: &["good", "revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["UnsupportedCrlIssuingDistributionPoint"],
        text: "An issuingDistributionPoint without a name, which RFC 5280 5.2.5 lets there be.",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: Some(Peer::Webpki),
        ours: &["good", "revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["TrailingData", "InvalidSerial", "BadDer"],
        text: "A serial number of another entry that is negative or padded in a way that we take, since there are such certificates (RFC 5280 4.1.2.2).",
    },
    Explanation {
        kinds: &[Kind::Crl],
        peer: None,
        ours: &["revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["CrlExpired", "CRL has expired"],
        text: "A CRL that has ended and lists the certificate: a revocation does not end with the CRL that tells of it, so we hold to it.",
    },
    Explanation {
        kinds: &[Kind::Ocsp],
        peer: Some(Peer::OpenSsl),
        ours: &["good", "revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["root ca not trusted", "unsupported"],
        text: "Another answer of the same response is about another issuer, or hashed in a way that nobody knows. OpenSSL wants all answers of one issuer; RFC 6960 3.2 asks of the answer in question.",
    },
    Explanation {
        kinds: &[Kind::Ocsp],
        peer: Some(Peer::OpenSsl),
        ours: &["good", "revoked"],
        theirs: &["refused"],
        our_words: &[],
        their_words: &["no basic response"],
        text: "An octet behind what was signed, in certificates or their wrapping, that OpenSSL cannot decode and nothing here needs.",
    },
];

impl Explanation {
    fn explains(&self, (kind, peer, ours, theirs): &Disagreement) -> bool {
        let has = |words: &[&str], said: &Said| {
            words.is_empty() || words.iter().any(|word| said.why().contains(word))
        };
        self.kinds.contains(kind)
            && self.peer.is_none_or(|known| known == *peer)
            && self.ours.contains(&ours.word())
            && self.theirs.contains(&theirs.word())
            && has(self.our_words, ours)
            && has(self.their_words, theirs)
    }
}

/// The table, and what it has no row for.
pub(crate) struct Page<'f> {
    pub(crate) text: String,
    pub(crate) unexplained: Vec<(&'f Disagreement, &'f (u64, Vec<u8>))>,
    pub(crate) has_unexplained: bool,
}

pub(crate) fn page<'f>(
    asked: &BTreeMap<(Kind, Peer), [u64; 2]>,
    found: &'f BTreeMap<Disagreement, (u64, Vec<u8>)>,
    count: u64,
    seed: u64,
) -> Page<'f> {
    let mut text = format!("{HEAD}\n{count} cases, seed {seed}.\n\n{COUNTS}");
    for ((kind, peer), [all, agreed]) in asked {
        let _ = writeln!(text, "| {} | {} | {all} | {agreed} | {} |", kind.word(), peer.word(), all - agreed);
    }
    text += REASONS;
    for known in ALL {
        let cases = |peer: Peer, softer: bool| -> u64 {
            let is_it = |key: &Disagreement| {
                known.explains(key) && key.1 == peer && (key.2.word() == "good") == softer
            };
            found
                .iter()
                .filter(|(key, _)| first(key) == Some(known.text) && is_it(key))
                .map(|(_, (n, _))| n)
                .sum()
        };
        let [stricter_w, stricter_o] = [cases(Peer::Webpki, false), cases(Peer::OpenSsl, false)];
        let [softer_w, softer_o] = [cases(Peer::Webpki, true), cases(Peer::OpenSsl, true)];
        if stricter_w + stricter_o + softer_w + softer_o > 0 {
            let _ =
                writeln!(text, "| {} | {stricter_w} | {stricter_o} | {softer_w} | {softer_o} |", known.text);
        }
    }
    let unexplained: Vec<_> = found.iter().filter(|(key, _)| first(key).is_none()).collect();
    let has_unexplained = !unexplained.is_empty();
    Page { text, unexplained, has_unexplained }
}

/// The first explanation that is one.
fn first(disagreement: &Disagreement) -> Option<&'static str> {
    ALL.iter().find(|known| known.explains(disagreement)).map(|known| known.text)
}

const HEAD: &str = "\
# Differential run

Certificates, CRLs and OCSP responses of the forge, changed in one or two places and signed again, so that the change is judged
and not the signature; one in ten has an octet changed behind its signature. Each is put to certcheck, to rustls-webpki 0.103 and
to the system's libcrypto (OpenSSL 3), at one time, with one anchor. rustls-webpki has no OCSP. Made by

```sh
cargo run --release -p certcheck-benches --features openssl --example differential -- 100000 1 docs/differential.md
```

which fails where a disagreement has no explanation below.
";

const COUNTS: &str = "\
| asked about | beside | cases | agreed | not |
|---|---|---|---|---|
";

const REASONS: &str = "
## Why they disagree

Stricter: certcheck refuses, or calls revoked, what the other lets pass or calls otherwise. Softer: certcheck says good, the other
does not.

| why | stricter than rustls-webpki | than OpenSSL | softer than rustls-webpki | than OpenSSL |
|---|---|---|---|---|
";
