//! Files with many certificates, each a target of its own: read a piece at a time, however large they are. Pieces that
//! cannot be parsed are reported; nothing that begins is skipped.

use std::io::{self, BufRead, Chain, Cursor, Read as _};

use certcheck_core::der::tag;
use certcheck_core::policy::Limits;
use certcheck_core::{EncodingFault, certificates_of};
use pki_types::CertificateDer;

use crate::element::{Header, length_bytes};
use crate::input::InputError;

/// A longer section is not read, nor a longer line.
const MAX_SECTION: usize = 16 << 20;
/// More than this does not stand on a line behind the end of a section, or before the beginning of one.
const MAX_BESIDE: usize = 64 << 10;
/// What PEM begins a section with, and ends it (RFC 7468 2).
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// What some editors write before text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The certificates of a bundle, one after another: PEM, PKCS #7, or DER one behind the other.
pub(super) struct Bundle<R> {
    source: Chain<Cursor<Vec<u8>>, R>,
    is_der: bool,
    /// Of PEM: what stands on the last line behind the section that has been read.
    behind: Vec<u8>,
    /// Of a section with several: those that come next.
    pending: std::vec::IntoIter<CertificateDer<'static>>,
    has_ended: bool,
    found: u64,
}

/// What comes next in a file.
enum Piece {
    /// Of PEM without what stands around it.
    Section(Vec<u8>),
    /// Between sections: what looks like part of one and is none.
    Odd(&'static str),
}

impl<R: BufRead> Bundle<R> {
    /// Reads as much as tells what it is.
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        let mut head = Vec::new();
        source.by_ref().take(3).read_to_end(&mut head)?;
        // A certificate and PKCS #7 have a length above 127.
        let is_long = |second| length_bytes(second).is_some_and(|more| more > 0);
        let is_der = matches!(head[..], [tag::SEQUENCE, second, ..] if is_long(second));
        if head == BYTE_ORDER_MARK {
            head.clear();
        }
        let pending = Vec::new().into_iter();
        let source = Cursor::new(head).chain(source);
        Ok(Self { source, is_der, behind: Vec::new(), pending, has_ended: false, found: 0 })
    }

    /// `None` at the end.
    fn piece(&mut self) -> io::Result<Option<Piece>> {
        if !self.is_der {
            return self.pem();
        }
        match self.source.fill_buf()?.first() {
            None => Ok(None),
            Some(&tag::SEQUENCE) => self.der().map(Piece::Section).map(Some),
            Some(_) => Err(bad("there are bytes after the last certificate that are not a certificate")),
        }
    }

    /// One SEQUENCE (X.690 8.1): the header says how long it is.
    fn der(&mut self) -> io::Result<Vec<u8>> {
        let invalid = || bad("a length that is not valid in DER");
        let mut bytes = vec![0; 2];
        self.source.read_exact(&mut bytes)?;
        bytes.resize(2 + length_bytes(bytes[1]).ok_or_else(invalid)?, 0);
        self.source.read_exact(&mut bytes[2..])?;
        let length = Header::read(&bytes).and_then(|header| header.content).ok_or_else(invalid)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_SECTION);
        let length = length.ok_or_else(|| bad("a section is larger than 16 MiB, the most that is read"))?;
        let header = bytes.len();
        bytes.resize(header + length, 0);
        self.source.read_exact(&mut bytes[header..])?;
        Ok(bytes)
    }

    /// The next section to its end. A section without an end is handed on as far as it goes, and its parser reports that.
    fn pem(&mut self) -> io::Result<Option<Piece>> {
        let mut section = Vec::new();
        loop {
            let mut line = self.line(MAX_SECTION - section.len())?;
            if line.is_empty() {
                return Ok((!section.is_empty()).then_some(Piece::Section(section)));
            }
            // Nothing in base64 is one: most lines are not looked at twice.
            if !section.is_empty() && !line.contains(&b'-') {
                section.append(&mut line);
                continue;
            }
            if section.is_empty() {
                let Some(begins) = find(&line, BEGIN) else {
                    match oddity(&line) {
                        Some(Oddity::Line(what)) => return Ok(Some(Piece::Odd(what))),
                        Some(Oddity::File(what)) => return Err(bad(what)),
                        // A comment between sections.
                        None => continue,
                    }
                };
                line.drain(..begins);
            } else if let Some(next) = find(&line, BEGIN).filter(|next| !ends_before(&line, *next)) {
                self.behind = line.split_off(next);
                if next > MAX_BESIDE {
                    return Err(bad("a line before a section is longer than 64 KiB, the most that is read"));
                }
                section.append(&mut line);
                return Ok(Some(Piece::Section(section)));
            }
            let label = find(&line, END).map(|end| end + END.len());
            let close =
                label.and_then(|label| Some(label + find(line.get(label..)?, DASHES)? + DASHES.len()));
            if let Some(close) = close {
                self.behind = line.split_off(close);
                // Each section on the line moves what follows it: many would take long.
                if self.behind.len() > MAX_BESIDE {
                    return Err(bad("the line after a section is longer than 64 KiB, the most that is read"));
                }
            }
            section.append(&mut line);
            if label.is_some() {
                return Ok(Some(Piece::Section(section)));
            }
        }
    }

    /// A line with its end, or the rest of one. Empty at the end of the file.
    fn line(&mut self, max: usize) -> io::Result<Vec<u8>> {
        let mut line = std::mem::take(&mut self.behind);
        if line.is_empty() {
            let read = self.source.by_ref().take(max as u64).read_until(b'\n', &mut line)?;
            if read == max {
                return Err(bad("a section or a line is larger than 16 MiB, the most that is read"));
            }
        }
        Ok(line)
    }
}

/// What is no remark outside a section.
enum Oddity {
    Line(&'static str),
    File(&'static str),
}

fn oddity(line: &[u8]) -> Option<Oddity> {
    if line.contains(&0) {
        return Some(Oddity::File(
            "neither text nor DER: a bundle is PEM, or DER certificates one after another",
        ));
    }
    if !line.contains(&b'-') {
        return None;
    }
    let line = line.to_ascii_uppercase();
    let has = |word| find(&line, word).is_some();
    if has(END) {
        return Some(Oddity::Line("an END line without a BEGIN line"));
    }
    (has(DASHES) && has(b"BEGIN")).then_some(Oddity::Line("a line that looks like BEGIN and is none"))
}

/// Whether a section ends on this line before that place.
fn ends_before(line: &[u8], place: usize) -> bool {
    find(line, END).is_some_and(|end| end < place)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
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
                // The core refuses longer ones, so this is the most that is kept of one that waits for its turn.
                let max = Limits::default().certificate_bytes;
                let is_taken = u32::try_from(certificate.len()).is_ok_and(|length| length <= max);
                return Some(if is_taken { Ok(certificate) } else { Err(InputError::TooLong { max }) });
            }
            if self.has_ended {
                return None;
            }
            let section = match self.piece() {
                Ok(Some(Piece::Section(section))) => section,
                Ok(Some(Piece::Odd(what))) => {
                    self.found += 1;
                    return Some(Err(InputError::Io(bad(what))));
                }
                Ok(None) => {
                    self.has_ended = true;
                    let is_empty = self.found == 0;
                    return is_empty.then_some(Err(InputError::Content(EncodingFault::Missing {
                        wanted: "certificate",
                        found: "the file has none".to_owned(),
                    })));
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
                Err(EncodingFault::Missing { .. }) => {}
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
    use super::*;

    fn demo(name: &str) -> Vec<u8> {
        let path = format!("{}/../../testdata/demo/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    }

    /// The lengths of the certificates, `None` for one that cannot be parsed.
    fn read(bytes: &[u8]) -> Vec<Option<usize>> {
        // A reader that gives little at a time must make no difference.
        let whole = Bundle::new(bytes).unwrap().map(|one| one.ok().map(|der| der.len())).collect::<Vec<_>>();
        if bytes.len() < 100_000 {
            let slow = Bundle::new(io::BufReader::with_capacity(1, bytes)).unwrap();
            assert_eq!(slow.map(|one| one.ok().map(|der| der.len())).collect::<Vec<_>>(), whole);
        }
        whole
    }

    #[test]
    fn each_form_yields_each_certificate() {
        let (good, ca) = (demo("good.pem"), demo("ring/device-ca.pem"));
        let ders: Vec<_> = [&good, &ca].iter().flat_map(|pem| certificates_of(pem).unwrap()).collect();
        let lengths: Vec<_> = ders.iter().map(|der| Some(der.len())).collect();
        let (bare, cut) = (good.trim_ascii_end(), ca.trim_ascii_end());
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let windows = String::from_utf8([&good[..], &ca].concat()).unwrap().replace('\n', "\r\n");
        let files: &[&[&[u8]]] = &[
            &[&good, b"a remark\n", key, &ca],
            &[&ders[0], &ders[1]],
            // The last line may lack its end, and so may any.
            &[&good, cut],
            &[bare, &ca],
            &[bare, b" and ", cut, b" and that is all"],
            &[BYTE_ORDER_MARK, &good, &ca],
            &[b"0 s:/CN=x\n", &good, b"0 s:/CN=y\n", &ca],
            &["0\u{e9}\n".as_bytes(), &good, &ca],
            &[windows.as_bytes()],
        ];
        for (number, file) in files.iter().enumerate() {
            assert_eq!(read(&file.concat()), lengths, "{number}");
        }
    }

    #[test]
    fn nothing_that_begins_is_passed_over() {
        let good = demo("good.pem");
        let der = certificates_of(&good).unwrap().remove(0);
        let length = Some(der.len());
        let half = &good[..good.len() / 2];
        let indented = String::from_utf8(good.clone()).unwrap().replace('\n', "\n  ");
        let spaced = String::from_utf8(good.clone()).unwrap().replace("-----BEGIN", "----- BEGIN");
        let trusted = String::from_utf8(good.clone()).unwrap().replace(" CERT", " TRUSTED CERT");
        let odd = String::from_utf8(good.clone()).unwrap().replace("CERTIFICATE-", "CERTIFICATE -");
        let small = String::from_utf8(good.clone()).unwrap().to_ascii_lowercase();
        let crowd = "-----BEGIN KEY----- -----END KEY-----".repeat(100_000);
        let wide: Vec<u8> = good.iter().flat_map(|byte| [*byte, 0]).collect();
        let bad = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        let endless = [&b"-----BEGIN CERTIFICATE-----\n"[..], &vec![b'A'; MAX_SECTION + 9]].concat();
        let long = [&[0x30, 0x83, 0x20, 0, 0][..], &vec![0; 0x20_0000]].concat();
        type Case<'c> = (&'c [&'c [u8]], &'c [Option<usize>]);
        let files: &[Case<'_>] = &[
            (&[], &[None]),
            (&[b"nothing here"], &[None]),
            (&[bad, &good], &[None, length]),
            (&[half], &[None]),
            (&[&good, half], &[length, None]),
            (&[half, b"\n", &good], &[None, length]),
            (&[half, &good], &[None, length]),
            (&[&good, b"  ", indented.as_bytes(), b"\n", &good], &[length, length, length]),
            // The beginning that is none, and the end that had none.
            (&[&good, spaced.as_bytes(), &good], &[length, None, None, length]),
            (&[&good, trusted.as_bytes()], &[length, None]),
            (&[&good, odd.as_bytes()], &[length, None]),
            // The beginning and the end, each by itself.
            (&[&good, small.as_bytes()], &[length, None, None]),
            (&[crowd.as_bytes()], &[None]),
            (&[&good, &wide], &[length, None]),
            (&[&vec![0; 100_000]], &[None]),
            (&[&der[..der.len() - 1]], &[None]),
            (&[&der, b"\n", &der], &[length, None]),
            (&[&der, &good], &[length, None]),
            (&[&der, &[0x30, 0x80, 0, 0]], &[length, None]),
            (&[&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]], &[None]),
            (&[&long, &der], &[None, length]),
            (&[&endless], &[None]),
        ];
        for (number, (file, reported)) in files.iter().enumerate() {
            assert_eq!(read(&file.concat()), *reported, "{number}");
        }
    }
}
