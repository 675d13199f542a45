//! A root, the CA below it whose CRLs grow, its clients, and a server.

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::{Cert, Key};

use crate::{CA, ca_key};

/// The anchor.
pub const ROOT: &str = "O=Bench,CN=Root";

/// Certificates that name their evidence below one URL.
pub struct Pki {
    base: String,
    root: Key,
    ca: Key,
}

impl Pki {
    /// With this URL, which ends with no slash.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.to_owned(), root: Key::p256("bench root"), ca: ca_key() }
    }

    fn point(&self, path: &str) -> ext::Ext {
        ext::cdp(&[Point::urls(&[format!("{}{path}", self.base)])])
    }

    /// The anchor, self-signed.
    #[must_use]
    pub fn root(&self) -> Vec<u8> {
        Cert::root(ROOT, &self.root).issue(&self.root)
    }

    /// What the anchor revoked: nothing. At `/root.crl`.
    #[must_use]
    pub fn root_crl(&self) -> Vec<u8> {
        CrlBuilder::new(ROOT).issue(&self.root)
    }

    /// The CA that issues the clients and [`crl`](crate::crl), which is at `/ca.crl`.
    #[must_use]
    pub fn ca(&self) -> Vec<u8> {
        Cert::ca(CA, &self.ca, ROOT, &self.root).with([self.point("/root.crl")]).issue(&self.root)
    }

    /// The key of all clients.
    #[must_use]
    pub fn client_key(&self) -> Key {
        Key::p256("bench client")
    }

    /// A client; each number is another certificate.
    #[must_use]
    pub fn client(&self, number: usize) -> Cert {
        let subject = format!("O=Bench,CN=client {number}");
        Cert::leaf(&subject, &self.client_key(), CA, &self.ca).with([self.point("/ca.crl")])
    }

    /// The same with a responder, at `/ocsp`.
    #[must_use]
    pub fn client_with_ocsp(&self, number: usize) -> Cert {
        self.client(number).with([ext::aia(&[format!("{}/ocsp", self.base)], &[])])
    }

    /// A client as it is presented: itself and the CA.
    #[must_use]
    pub fn chain(&self, client: &Cert) -> Vec<Vec<u8>> {
        vec![client.issue(&self.ca), self.ca()]
    }

    /// The key of the server.
    #[must_use]
    pub fn server_key(&self) -> Key {
        Key::p256("bench server")
    }

    /// A server for `localhost`, directly below the anchor.
    #[must_use]
    pub fn server(&self) -> Vec<u8> {
        let cert = Cert::leaf("O=Bench,CN=localhost", &self.server_key(), ROOT, &self.root);
        cert.with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]).issue(&self.root)
    }
}
