//! The PKI: a root, two CAs below it, clients of every kind, and the service's own certificate.
//!
//! Every key is made from random bytes, and again at each start.

use anyhow::Context as _;
use certcheck_core::Time;
use certcheck_forge::ext::{self, Ext, Point};
use certcheck_forge::{Cert, Key};

use crate::secret::secret;

const DAY: i64 = 86_400;

/// Where a certificate says that evidence about it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Named {
    Both,
    Crl,
    Ocsp,
    Nothing,
}

impl Named {
    /// For people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Both => "crl ocsp",
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
            Self::Nothing => "",
        }
    }
}

/// How a client is made.
struct Plan {
    name: &'static str,
    about: &'static str,
    ca: usize,
    named: Named,
    /// Why it is revoked from the start.
    revoked: Option<&'static str>,
    /// Days from now to its begin and its end.
    days: (i64, i64),
}

/// The places of the CAs: the root, the two below it, and one that no ring has.
const ROOT: usize = 0;
const DEVICE: usize = 1;
const STAFF: usize = 2;
const FOREIGN: usize = 3;

const CAS: [(&str, &str); 4] = [
    ("root", "O=Certcheck Lab,CN=Lab Root"),
    ("device-ca", "O=Certcheck Lab,CN=Lab Device CA"),
    ("staff-ca", "O=Certcheck Lab,CN=Lab Staff CA"),
    ("foreign", "O=Somewhere Else,CN=Foreign Root"),
];

const fn plan(name: &'static str, about: &'static str, ca: usize, named: Named) -> Plan {
    Plan { name, about, ca, named, revoked: None, days: (-1, 90) }
}

const CLIENTS: [Plan; 8] = [
    plan("good", "good, by OCSP and by a CRL", DEVICE, Named::Both),
    Plan { revoked: Some("keyCompromise"), ..plan("revoked", "revoked, says a CRL", DEVICE, Named::Crl) },
    Plan {
        revoked: Some("keyCompromise"),
        ..plan("revoked-ocsp", "revoked, says OCSP alone", STAFF, Named::Ocsp)
    },
    Plan { days: (-2, -1), ..plan("expired", "ended yesterday", DEVICE, Named::Both) },
    Plan { days: (1, 90), ..plan("not-yet-valid", "begins tomorrow", DEVICE, Named::Both) },
    Plan { revoked: Some("certificateHold"), ..plan("on-hold", "on hold, says a CRL", STAFF, Named::Crl) },
    plan("wrong-ca", "of a root that is not in the ring", FOREIGN, Named::Nothing),
    plan("no-sources", "good, but names no source that could say so", STAFF, Named::Nothing),
];

/// A CA.
pub(super) struct Ca {
    /// Its name in files and URLs.
    pub(super) slug: &'static str,
    /// Its subject, as the forge writes names.
    pub(super) subject: &'static str,
    pub(super) key: Key,
    pub(super) der: Vec<u8>,
}

/// A client, or a CA below the root: it can be revoked.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) named: Named,
    /// The place of its issuer among the CAs of the ring; `None` for a CA that this lab has no CRL and responder of.
    pub(super) issuer: Option<usize>,
    /// The content of its serial number.
    pub(super) serial: Vec<u8>,
    /// Why it is revoked from the start.
    pub(super) revoked: Option<&'static str>,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
}

/// A certificate, its key and its issuer.
pub(super) struct Holder {
    pub(super) name: &'static str,
    pub(super) key: Key,
    pub(super) der: Vec<u8>,
    /// The certificate of its issuer.
    pub(super) issuer: Vec<u8>,
}

/// All of it.
pub(super) struct Pki {
    /// The CAs of the ring: the root, then those below it.
    pub(super) cas: Vec<Ca>,
    pub(super) clients: Vec<Holder>,
    /// Clients, then CAs.
    pub(super) subjects: Vec<Subject>,
    /// The service itself, under a root of its own.
    pub(super) server: Holder,
}

fn new_key() -> anyhow::Result<Key> {
    Ok(Key::p256(&secret()?))
}

/// A time so many days later.
fn days(now: Time, days: i64) -> Time {
    Time::from_unix(now.unix().saturating_add(days.saturating_mul(DAY)))
}

/// Gives a certificate these bounds.
fn valid(cert: Cert, (from, until): (Time, Time)) -> Cert {
    cert.valid(&from.to_string(), &until.to_string())
}

/// The URLs at which evidence of the CAs is.
pub(super) struct Urls<'u> {
    /// With a slash at the end, as the next.
    pub(super) cdp: &'u str,
    pub(super) ocsp: &'u str,
}

impl Urls<'_> {
    fn extensions(&self, issuer: &str, named: Named) -> Vec<Ext> {
        let crl = ext::cdp(&[Point::urls(&[format!("{}{issuer}.crl", self.cdp)])]);
        let ocsp = ext::aia::<String>(&[format!("{}{issuer}", self.ocsp)], &[]);
        match named {
            Named::Both => vec![crl, ocsp],
            Named::Crl => vec![crl],
            Named::Ocsp => vec![ocsp],
            Named::Nothing => Vec::new(),
        }
    }
}

impl Pki {
    /// Makes it, of this moment.
    pub(super) fn new(now: Time, urls: &Urls<'_>) -> anyhow::Result<Self> {
        // Longer than any client that it issues, expired ones included.
        let ca_life = (days(now, -60), days(now, 3650));
        let mut cas: Vec<Ca> = Vec::new();
        let mut subjects = Vec::new();
        for (place, (slug, subject)) in CAS.into_iter().enumerate() {
            let key = new_key()?;
            let (cert, signer, issuer) = match cas.first() {
                Some(root) if place != FOREIGN => {
                    let cert = Cert::ca(subject, &key, root.subject, &root.key);
                    (cert.with(urls.extensions(root.slug, Named::Both)), root.key.clone(), Some(ROOT))
                }
                _ => (Cert::root(subject, &key), key.clone(), None),
            };
            let cert = valid(cert, ca_life);
            let der = cert.issue(&signer);
            if let Some(issuer) = issuer {
                subjects.push(Subject {
                    name: slug,
                    about: "a CA; revoke it and all its clients are refused",
                    named: Named::Both,
                    issuer: Some(issuer),
                    serial: cert.serial,
                    revoked: None,
                    not_before: ca_life.0,
                    not_after: ca_life.1,
                });
            }
            cas.push(Ca { slug, subject, key, der });
        }
        let (mut clients, mut people) = (Vec::new(), Vec::new());
        for plan in CLIENTS {
            let Plan { name, about, ca, named, revoked, days: (begin, end) } = plan;
            let (not_before, not_after) = (days(now, begin), days(now, end));
            let issuer = cas.get(ca).context("a client of no CA")?;
            let key = new_key()?;
            let subject = format!("O=Certcheck Lab,CN={name}");
            let cert = Cert::leaf(&subject, &key, issuer.subject, &issuer.key)
                .with(urls.extensions(issuer.slug, named))
                .with([ext::san(&[format!("email:{name}@lab.example")])]);
            let cert = valid(cert, (not_before, not_after));
            clients.push(Holder { name, key, der: cert.issue(&issuer.key), issuer: issuer.der.clone() });
            let issuer = (ca != FOREIGN).then_some(ca);
            let serial = cert.serial;
            people.push(Subject { name, about, named, issuer, serial, revoked, not_before, not_after });
        }
        people.append(&mut subjects);
        cas.truncate(FOREIGN);
        Ok(Self { cas, clients, subjects: people, server: server(now)? })
    }
}

/// The service's certificate.
fn server(now: Time) -> anyhow::Result<Holder> {
    let (key, root_key) = (new_key()?, new_key()?);
    let root = "O=Certcheck Lab,CN=Lab Server Root";
    let life = (days(now, -1), days(now, 90));
    let issuer = valid(Cert::root(root, &root_key), life).issue(&root_key);
    let cert = Cert::leaf("O=Certcheck Lab,CN=localhost", &key, root, &root_key)
        .with([ext::eku(&["server"]), ext::san(&["dns:localhost", "ip:127.0.0.1"])]);
    let cert = valid(cert, life);
    Ok(Holder { name: "server", der: cert.issue(&root_key), key, issuer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_derive_a_key() {
        let urls = Urls { cdp: "http://127.0.0.1:1/", ocsp: "http://127.0.0.1:2/" };
        let keys = || -> Vec<Vec<u8>> {
            let pki = Pki::new(Time::from_unix(1_800_000_000), &urls).unwrap();
            let cas = pki.cas.iter().map(|ca| ca.key.pkcs8());
            cas.chain(pki.clients.iter().map(|client| client.key.pkcs8())).collect()
        };
        let (one, other) = (keys(), keys());
        assert_eq!(one.len(), 11);
        assert!(one.iter().all(|key| !other.contains(key)));
        assert!(one.iter().enumerate().all(|(at, key)| !one[..at].contains(key)));
    }
}
