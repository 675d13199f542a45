//! The source: large CRLs that change, and count how often they were sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use certcheck_benches::pki::{Pki, ROOT};
use certcheck_benches::{CA, ca_key};
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{Page, Server};
use certcheck_testkit::{Cert, Key, der};

const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2125-01-01T00:00:00Z";

/// A CRL as it is served.
struct Served {
    /// Its entries, without those of clients.
    entries: Vec<u8>,
    number: i64,
    der: Vec<u8>,
}

/// The source.
pub(crate) struct Origin {
    pub(crate) pki: Pki,
    pub(crate) server: Server,
    served: Arc<Mutex<Vec<Served>>>,
    copies: Arc<AtomicUsize>,
}

impl Origin {
    pub(crate) fn start(crls: usize, entries: usize) -> Self {
        let server = Server::start();
        let pki = Pki::new(server.url("").trim_end_matches('/'));
        let root = CrlBuilder::new(ROOT).valid(FROM, Some(UNTIL)).issue(&Key::p256("bench root"));
        server.serve("/root.crl", Page::new(root));
        let served: Vec<Served> = (0..crls).map(|number| Served::new(number, entries)).collect();
        let (served, copies) = (Arc::new(Mutex::new(served)), Arc::new(AtomicUsize::new(0)));
        let (all, count) = (Arc::clone(&served), Arc::clone(&copies));
        server.serve_with("/crl", move |request| {
            let number: usize = request.tail.trim_start_matches('/').parse().unwrap();
            let all = all.lock().unwrap();
            let one = &all[number];
            let tag = format!("\"{number}-{}\"", one.number);
            if request.header("if-none-match") != Some(&tag) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            Page::new(&one.der).with_etag(&tag)
        });
        Self { pki, server, served, copies }
    }

    /// The size of all CRLs.
    pub(crate) fn bytes(&self) -> usize {
        self.served.lock().unwrap().iter().map(|one| one.der.len()).sum()
    }

    /// How often a CRL was sent since this was asked last.
    pub(crate) fn take_copies(&self) -> usize {
        self.copies.swap(0, Ordering::Relaxed)
    }

    fn client(&self, number: usize) -> Cert {
        let url = self.server.url(&format!("/crl/{number}"));
        let key = self.pki.client_key();
        Cert::leaf(&format!("O=Bench,CN=client {number}"), &key, CA, &ca_key())
            .with([ext::cdp(&[Point::urls(&[url])])])
    }

    /// What a client presents.
    pub(crate) fn chain(&self, number: usize) -> Vec<Vec<u8>> {
        self.pki.chain(&self.client(number))
    }

    /// Publishes a CRL that revokes a client.
    pub(crate) fn revoke(&self, number: usize) {
        let serial = self.client(number).serial;
        let one = &mut self.served.lock().unwrap()[number];
        let entry = [der::tlv(2, &serial), der::tlv(0x17, b"260301000000Z")].concat();
        one.entries.extend(der::tlv(0x30, &entry));
        one.number += 1;
        one.issue();
    }
}

impl Served {
    fn new(seed: usize, count: usize) -> Self {
        let mut state = 0x0123_4567_89ab_cdef_u64 ^ (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut entries = Vec::with_capacity(count * 40);
        for _ in 0..count {
            let mut serial = [0; 16];
            for half in serial.chunks_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                half.copy_from_slice(&state.to_be_bytes());
            }
            serial[0] = serial[0] & 0x3f | 0x40;
            entries.extend([0x30, 33, 2, 16]);
            entries.extend(serial);
            entries.extend(b"\x17\x0d260301000000Z");
        }
        let mut one = Self { entries, number: 1, der: Vec::new() };
        one.issue();
        one
    }

    fn issue(&mut self) {
        let list = CrlBuilder::new(CA).valid(FROM, Some(UNTIL)).with([crl::number(self.number)]);
        let raw_entries = Some(der::tlv(0x30, &self.entries));
        self.der = CrlBuilder { raw_entries, ..list }.issue(&ca_key());
    }
}
