//! A PKI whose evidence is served on loopback: root, issuing CA, clients.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::crl::{self, CrlBuilder, RevokedCertificate};
use crate::ext::{self, Point};
use crate::server::{OcspResponder, Page, Server};
use crate::{Cert, Key};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::EvidenceOrder;
use certcheck_core::{KeyRing, Policy, Purpose, Revocation, Time};
use certcheck_fetch::{CheckReport, Engine, EngineBuilder, FetchLimits, Guard, Resolve};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pki_types::CertificateDer;

/// The name of the root.
pub const ROOT: &str = "O=Fetch,CN=Root";
/// The name of the issuing CA.
pub const CA: &str = "O=Fetch,CN=CA";

/// The time of checks, unless a test has another.
pub fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time")
}

/// A time from its text (RFC 3339).
///
/// # Panics
/// If the text is not a time.
#[must_use]
pub fn at(text: &str) -> Time {
    Time::from_rfc3339(text).expect("a time")
}

/// The PKI and its server.
pub struct World {
    /// The server of its evidence.
    pub server: Server,
    /// The key of the root.
    pub root: Key,
    /// The key of the issuing CA.
    pub ca: Key,
    /// A key that the ring does not know.
    pub stranger: Key,
    /// The certificate of the issuing CA.
    pub ca_cert: Cert,
    /// The responder of the issuing CA.
    pub responder: OcspResponder,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world where everything is good: `/root.crl`, `/ca.crl`, and a responder at `/ocsp` that knows no certificate
    /// yet.
    pub fn new() -> Self {
        let key = |name: &str| Key::p256(&format!("fetch {name}"));
        let (root, ca, stranger) = (key("root"), key("ca"), key("stranger"));
        let server = Server::start();
        let ca_cert =
            Cert::ca(CA, &ca, ROOT, &root).with([ext::cdp(&[Point::urls(&[server.url("/root.crl")])])]);
        server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).issue(&root)));
        server.serve("/ca.crl", Page::new(CrlBuilder::new(CA).issue(&ca)));
        let responder = OcspResponder::new(CA, ca.clone());
        server.serve_with("/ocsp", responder.handler());
        Self { server, root, ca, stranger, ca_cert, responder }
    }

    /// The ring with the root.
    pub fn ring(&self) -> KeyRing {
        let mut builder = RingBuilder::new();
        let root = Cert::root(ROOT, &self.root).issue(&self.root);
        builder.add("root", &root, Placement::Anchor).expect("reads");
        let ca = self.ca_cert.issue(&self.root);
        builder.add("ca", &ca, Placement::Intermediate).expect("reads");
        builder.build().expect("builds")
    }

    /// A ring that does not have the root of these certificates.
    pub fn strange_ring(&self) -> KeyRing {
        let mut builder = RingBuilder::new();
        let root = Cert::root("CN=Strange Root", &self.stranger).issue(&self.stranger);
        builder.add("strange", &root, Placement::Anchor).expect("reads");
        builder.build().expect("builds")
    }

    /// A client with these CRL URLs in one point, and these responders.
    pub fn client(&self, name: &str, crls: &[String], responders: &[String]) -> Cert {
        let key = Key::p256(&format!("fetch client {name}"));
        let mut cert = Cert::leaf(&format!("O=Fetch,CN={name}"), &key, CA, &self.ca);
        if !crls.is_empty() {
            cert = cert.with([ext::cdp(&[Point::urls(crls)])]);
        }
        if !responders.is_empty() {
            cert = cert.with([ext::aia(responders, &[])]);
        }
        cert
    }

    /// The usual client, with a CRL at `/ca.crl`.
    pub fn plain(&self, name: &str) -> Cert {
        self.client(name, &[self.server.url("/ca.crl")], &[])
    }

    /// A chain with this certificate as its target.
    pub fn chain(&self, cert: &Cert) -> Vec<CertificateDer<'static>> {
        vec![cert.issue(&self.ca).into()]
    }

    /// The policy of the engines.
    pub fn policy(&self) -> Policy {
        Policy::client(Revocation::HardFail).with_purpose(Purpose::Client)
    }

    /// The same policy with CRLs first.
    pub fn crl_first(&self) -> Policy {
        let mut policy = self.policy();
        policy.evidence_order = EvidenceOrder::CrlFirst;
        policy
    }

    /// An engine that may connect to loopback, with long timeouts and without background work.
    pub fn builder(&self) -> EngineBuilder {
        Engine::builder(self.ring(), self.policy())
            .guard(loopback())
            .limits(patient())
            .refreshes(false)
            .clock(now)
    }

    /// An engine with this policy.
    pub fn engine(&self) -> Engine {
        self.builder().build().expect("builds")
    }

    /// A CRL of the CA with these certificates.
    pub fn revoking(&self, number: i64, certs: &[&Cert]) -> Vec<u8> {
        let entries = certs
            .iter()
            .map(|cert| RevokedCertificate::new(&cert.serial).with([crl::reason("keyCompromise")]));
        CrlBuilder::new(CA).with([crl::number(number)]).revoking(entries.collect::<Vec<_>>()).issue(&self.ca)
    }
}

/// A guard that allows loopback.
///
/// # Panics
/// Never: the networks can be parsed.
#[must_use]
pub fn loopback() -> Guard {
    Guard::new().allow_net("127.0.0.0/8".parse().expect("a network"))
}

/// Timeouts for answers that come, on a busy machine too. What failed may soon be asked again.
pub fn patient() -> FetchLimits {
    let mut limits = FetchLimits::default();
    limits.connect = Duration::from_secs(30);
    limits.first_byte = Duration::from_secs(30);
    limits.idle = Duration::from_secs(30);
    limits.crl_whole = Duration::from_secs(60);
    limits.small_whole = Duration::from_secs(60);
    limits.back_off = Duration::from_millis(50);
    limits.back_off_max = Duration::from_millis(200);
    limits.breaker_pause = Duration::from_millis(200);
    limits
}

/// The same with short timeouts, so that tests of answers that never come are short too.
pub fn impatient() -> FetchLimits {
    let mut limits = patient();
    limits.connect = Duration::from_secs(1);
    limits.first_byte = Duration::from_secs(1);
    limits.idle = Duration::from_secs(1);
    limits.crl_whole = Duration::from_secs(3);
    limits.small_whole = Duration::from_secs(3);
    limits
}

/// The result for the leaf: verdict, code of the reason, and the cause or means of its status.
pub fn outcome_of(report: &CheckReport) -> (&'static str, &'static str, &'static str) {
    let details = report.details();
    let report = details.view();
    let code = report.reason.as_ref().map_or("", |rejection| rejection.reason.code());
    let of_leaf = report.path.first().map_or("", |leaf| match &leaf.revocation {
        certcheck_core::status::Status::Unknown(cause) => cause.code(),
        other => other.proof().map_or_else(|| other.code(), |proof| proof.by.code()),
    });
    (report.verdict.code(), code, of_leaf)
}

/// A resolver that returns given addresses in turn, and the last one for ever.
#[derive(Debug, Default)]
pub struct Names {
    known: HashMap<String, Vec<IpAddr>>,
    /// How often it was asked.
    pub asked: Arc<AtomicUsize>,
}

impl Names {
    /// A resolver with these names and addresses.
    pub fn new(names: &[(&str, &[&str])]) -> Self {
        let parse = |text: &&str| text.parse().expect("an address");
        let known = names.iter().map(|(name, all)| ((*name).to_owned(), all.iter().map(parse).collect()));
        Self { known: known.collect(), asked: Arc::default() }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let found = self.known.get(name).map(|all| all[turn.min(all.len() - 1)]);
        async move { found.map(|address| vec![address]).ok_or_else(|| io::ErrorKind::NotFound.into()) }
            .boxed()
    }
}
