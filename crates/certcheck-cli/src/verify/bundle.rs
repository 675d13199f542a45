//! Files with many certificates, each a target of its own: read a piece at a time, however large they are.

use std::io::{self, BufRead, Read as _};

use certcheck_core::{ContainerFault, certificates_of};
use pki_types::CertificateDer;

use crate::input::InputError;

/// A longer certificate is not read, nor a longer line of PEM.
const MAX_SECTION: usize = 16 << 20;
/// What PEM begins a section with, and ends it.
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
/// The first octet of a certificate, and of PKCS #7, in DER.
const SEQUENCE: u8 = 0x30;

/// The certificates of a bundle, one after another: PEM, PKCS #7, or DER one behind the other.
pub(super) struct Bundle<R> {
    source: R,
    /// Of a section with several: those that come next.
    pending: std::vec::IntoIter<CertificateDer<'static>>,
    has_ended: bool,
    found: u64,
}

impl<R: BufRead> Bundle<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, pending: Vec::new().into_iter(), has_ended: false, found: 0 }
    }

    /// A section as it stands: of PEM with the lines around it. `None` at the end.
    fn section(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.source.fill_buf()?.first() {
            None => Ok(None),
            Some(&SEQUENCE) => self.der().map(Some),
            Some(_) => self.pem(),
        }
    }

    /// One SEQUENCE (X.690 8.1): the header says how long it is.
    fn der(&mut self) -> io::Result<Vec<u8>> {
        let mut octets = vec![0; 2];
        self.source.read_exact(&mut octets)?;
        let length = match octets[1] {
            short @ ..0x80 => usize::from(short),
            long => {
                let count = usize::from(long & 0x7f);
                if count == 0 || count > 4 {
                    return Err(bad("a length that DER does not have"));
                }
                let mut header = [0; 4];
                let header = header.get_mut(..count).unwrap_or_default();
                self.source.read_exact(header)?;
                octets.extend_from_slice(header);
                header.iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
            }
        };
        if length > MAX_SECTION {
            return Err(bad("a section of more than 16 MiB"));
        }
        let header = octets.len();
        octets.resize(header + length, 0);
        self.source.read_exact(&mut octets[header..])?;
        Ok(octets)
    }

    fn pem(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut section = Vec::new();
        loop {
            let begins = section.len();
            let room = (MAX_SECTION - begins) as u64;
            let read = self.source.by_ref().take(room).read_until(b'\n', &mut section)?;
            let line = section.get(begins..).unwrap_or_default();
            if read == 0 && section.is_empty() {
                return Ok(None);
            }
            // What stands before a section is a remark of whoever wrote the file.
            let is_outside = !section.starts_with(BEGIN);
            if is_outside && read > 0 {
                section.clear();
                continue;
            }
            if read == 0 || line.starts_with(END) {
                return Ok(Some(section));
            }
            if section.len() >= MAX_SECTION {
                return Err(bad("a section of more than 16 MiB"));
            }
        }
    }
}

fn bad(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

impl<R: BufRead> Iterator for Bundle<R> {
    type Item = Result<CertificateDer<'static>, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(certificate) = self.pending.next() {
                self.found += 1;
                return Some(Ok(certificate));
            }
            if self.has_ended {
                return None;
            }
            let section = match self.section() {
                Ok(Some(section)) => section,
                Ok(None) => {
                    self.has_ended = true;
                    let is_empty = self.found == 0;
                    return is_empty.then_some(Err(InputError::Content(ContainerFault::Empty)));
                }
                // Where the next would begin is not known.
                Err(error) => {
                    self.has_ended = true;
                    return Some(Err(InputError::Io(error)));
                }
            };
            match certificates_of(&section) {
                Ok(found) => self.pending = found.into_iter(),
                // Something else: a key, a CRL.
                Err(ContainerFault::Empty) => {}
                Err(fault) => {
                    self.found += 1;
                    return Some(Err(InputError::Content(fault)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn demo(name: &str) -> Vec<u8> {
        let path = format!("{}/../../testdata/demo/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    }

    fn read(octets: Vec<u8>) -> Vec<Option<usize>> {
        let bundle = Bundle::new(Cursor::new(octets));
        bundle.map(|one| one.ok().map(|der| der.len())).collect()
    }

    #[test]
    fn each_form_yields_each_certificate() {
        let (good, ca) = (demo("good.pem"), demo("ring/device-ca.pem"));
        let ders: Vec<_> = [&good, &ca].iter().flat_map(|pem| certificates_of(pem).unwrap()).collect();
        let lengths: Vec<_> = ders.iter().map(|der| Some(der.len())).collect();
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(read([&good[..], b"a remark\n", key, &ca].concat()), lengths);
        assert_eq!(read([&ders[0][..], &ders[1][..]].concat()), lengths);
        // The last line may lack its end.
        let cut = [&good[..], ca.trim_ascii_end()].concat();
        assert_eq!(read(cut), lengths);
    }

    #[test]
    fn what_is_broken_is_told_once_and_does_not_hang() {
        let good = demo("good.pem");
        let der = certificates_of(&good).unwrap().remove(0);
        let length = Some(der.len());
        assert_eq!(read(Vec::new()), [None]);
        assert_eq!(read(b"nothing here".to_vec()), [None]);
        let bad = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert_eq!(read([&bad[..], &good].concat()), [None, length]);
        assert_eq!(read(der[..der.len() - 1].to_vec()), [None]);
        assert_eq!(read([&der[..], &[0x30, 0x80, 0, 0]].concat()), [length, None]);
        assert_eq!(read(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), [None]);
        let endless = [&b"-----BEGIN CERTIFICATE-----\n"[..], &vec![b'A'; MAX_SECTION + 9]].concat();
        assert_eq!(read(endless), [None]);
    }
}
