//! What a file is, by its content: PEM labels, the shape of DER, magic bytes. Input that cannot be used is named by it.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use certcheck_core::der::tag;

use crate::element::Header;

/// How much of a file is looked at.
const HEAD: usize = 64 << 10;

/// What a file was read for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    Certificate,
    /// Certificates of CAs, for a key ring.
    Ring,
    Crl,
    OcspResponse,
}

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Certificate,
    Crl,
    OcspResponse,
    OcspRequest,
    Request,
    PrivateKey,
    PublicKey,
    Pkcs12,
    KeyStore,
    SshKey,
    Pgp,
    Utf16,
    Html,
    Gzip,
    Zip,
    Empty,
}

/// A file that is not what it was read for.
#[derive(Debug)]
pub(crate) struct Misfit {
    kind: Kind,
    wanted: Wanted,
}

/// What this file is, if it is surely not what is wanted. Containers of several things are none, whatever they hold.
pub(crate) fn misfit(file: &[u8], wanted: Wanted) -> Option<Misfit> {
    let kind = of(file.get(..HEAD).unwrap_or(file))?;
    let fits = match wanted {
        Wanted::Certificate | Wanted::Ring => kind == Kind::Certificate,
        Wanted::Crl => kind == Kind::Crl,
        Wanted::OcspResponse => kind == Kind::OcspResponse,
    };
    (!fits).then_some(Misfit { kind, wanted })
}

/// As [`misfit`], of what is DER alone: text may hold what is wanted behind something else.
pub(crate) fn der_misfit(file: &[u8], wanted: Wanted) -> Option<Misfit> {
    if file.first() == Some(&tag::SEQUENCE) { misfit(file, wanted) } else { None }
}

/// As [`misfit`], of a file by its path. Pipes cannot be looked into twice.
pub(crate) fn misfit_at(path: &Path, wanted: Wanted) -> Option<Misfit> {
    misfit(&head(path)?, wanted)
}

/// As [`der_misfit`], of a file by its path.
pub(crate) fn der_misfit_at(path: &Path, wanted: Wanted) -> Option<Misfit> {
    der_misfit(&head(path)?, wanted)
}

fn head(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    if !path.is_file() {
        return None;
    }
    File::open(path).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
    Some(head)
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = match self.wanted {
            Wanted::Certificate | Wanted::Ring => "a certificate",
            Wanted::Crl => "a CRL",
            Wanted::OcspResponse => "an OCSP response",
        };
        write!(f, "this is {}, not {wanted}", self.kind.name())
            .and_then(|()| write!(f, "; {}", self.kind.advice(self.wanted)))
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::Crl => "a CRL",
            Self::OcspResponse => "an OCSP response",
            Self::OcspRequest => "an OCSP request",
            Self::Request => "a certificate request (CSR)",
            Self::PrivateKey => "a private key",
            Self::PublicKey => "a public key",
            Self::Pkcs12 => "a PKCS #12 file",
            Self::KeyStore => "a Java key store (JKS)",
            Self::SshKey => "an SSH key",
            Self::Pgp => "a PGP file",
            Self::Utf16 => "UTF-16 text",
            Self::Html => "an HTML page",
            Self::Gzip => "a gzip file",
            Self::Zip => "a ZIP archive",
            Self::Empty => "an empty file",
        }
    }

    /// What to do instead.
    const fn advice(self, wanted: Wanted) -> &'static str {
        match (self, wanted) {
            (Self::Utf16, _) => "convert it with `iconv -f UTF-16 -t UTF-8 FILE`",
            (Self::Html, _) => "a server or proxy sent a web page instead of the file: download it again",
            (Self::Gzip, _) => "unpack it with `gzip -dc FILE`",
            (Self::Zip, _) => "unpack it and name one of its files",
            (Self::Empty, _) => "a download or copy may have failed: get the file again",
            (Self::Certificate, _) => {
                "check it with `certcheck verify FILE --ring RING`; intermediates go to --untrusted, CAs to --ring"
            }
            (Self::Crl, _) => "use --crl, or show it with `certcheck crl FILE`",
            (Self::OcspResponse, _) => "use --ocsp, or show it with `certcheck ocsp FILE`",
            (Self::OcspRequest, _) => "a response of the OCSP responder is needed",
            (Self::Pkcs12, Wanted::Certificate) => {
                "export its certificate with `openssl pkcs12 -in FILE -clcerts -nokeys -out client.pem`"
            }
            (Self::KeyStore, Wanted::Certificate) => {
                "export its certificate with `keytool -exportcert -rfc -alias NAME -keystore FILE -file client.pem`"
            }
            (Self::Request, Wanted::Certificate) => {
                "send it to the CA, and name the certificate that the CA issues for it"
            }
            (Self::PrivateKey | Self::PublicKey, Wanted::Certificate) => {
                "name the file with the certificate for this key"
            }
            (Self::SshKey | Self::Pgp, Wanted::Certificate) => "only X.509 certificates are checked",
            (Self::Pkcs12, Wanted::Ring) => {
                "export its certificates with `openssl pkcs12 -in FILE -nokeys -out ring.pem`"
            }
            (Self::KeyStore, Wanted::Ring) => {
                "export its certificates with `keytool -exportcert -rfc -alias NAME -keystore FILE -file ca.pem`"
            }
            (_, Wanted::Ring) => "a key ring holds certificates of CAs, in PEM, DER or PKCS #7",
            (_, Wanted::Crl) => "name a file with a CRL of the CA",
            (_, Wanted::OcspResponse) => "name a file with an OCSP response",
        }
    }
}

/// What a file is. `None`: not known, or one that may hold several things.
fn of(file: &[u8]) -> Option<Kind> {
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).trim_ascii();
    if text.is_empty() {
        return Some(Kind::Empty);
    }
    match file {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'-', 0, b'-', 0, ..] | [0, b'-', 0, b'-', ..] => {
            return Some(Kind::Utf16);
        }
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => return Some(Kind::KeyStore),
        [0x1f, 0x8b, 8, ..] => return Some(Kind::Gzip),
        [b'P', b'K', 3, 4, ..] => return Some(Kind::Zip),
        // A public key or signature packet (RFC 9580 4.2), in the old format and in the new.
        [0x99, 0, 1..=4, 3..=6, ..] | [0x99, 1..=8, _, 3..=6, ..] => return Some(Kind::Pgp),
        [tag::SEQUENCE, ..] => return of_der(file),
        _ => {}
    }
    of_pem(text).or_else(|| of_text(text))
}

fn of_text(text: &[u8]) -> Option<Kind> {
    let begins =
        |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    if begins(b"<!doctype html") || begins(b"<html") || begins(b"<head") || begins(b"<body") {
        return Some(Kind::Html);
    }
    let is_ssh = [b"ssh-".as_slice(), b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-", b"---- BEGIN SSH2 "]
        .iter()
        .any(|prefix| begins(prefix));
    is_ssh.then_some(Kind::SshKey)
}

/// The first section of PEM that has a known label.
fn of_pem(text: &[u8]) -> Option<Kind> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut lines = text.split(|byte| *byte == b'\n' || *byte == b'\r');
    lines.find_map(|line| {
        let label = line.trim_ascii().strip_prefix(BEGIN)?.strip_suffix(b"-----")?;
        Some(match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => Kind::Certificate,
            b"X509 CRL" | b"CRL" => Kind::Crl,
            b"OCSP RESPONSE" => Kind::OcspResponse,
            b"OCSP REQUEST" => Kind::OcspRequest,
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => Kind::Request,
            b"OPENSSH PRIVATE KEY" | b"SSH2 PUBLIC KEY" => Kind::SshKey,
            b"PKCS12" => Kind::Pkcs12,
            pgp if pgp.starts_with(b"PGP ") => Kind::Pgp,
            key if key.ends_with(b"PRIVATE KEY") => Kind::PrivateKey,
            key if key.ends_with(b"PUBLIC KEY") => Kind::PublicKey,
            _ => return None,
        })
    })
}

/// The shape of DER: the tags of the first few fields. Only what has all of them is named.
fn of_der(file: &[u8]) -> Option<Kind> {
    const CONTEXT_0: u8 = tag::context_constructed(0);
    const CONTEXT_2: u8 = tag::context_constructed(2);
    let (_, outer) = *fields(file).first()?;
    let fields_of_outer = fields(outer);
    let tags: Vec<u8> = fields_of_outer.iter().map(|(tag, _)| *tag).collect();
    let content = |at: usize| fields_of_outer.get(at).map_or(&[][..], |(_, content)| *content);
    let is_algorithm = |at: usize| content(at).first() == Some(&tag::OID);
    match tags.as_slice() {
        // PKCS #8 and a SEC 1 key.
        [tag::INTEGER, tag::SEQUENCE, tag::OCTET_STRING, ..] if content(0) == [0] || content(0) == [1] => {
            Some(Kind::PrivateKey)
        }
        [tag::INTEGER, tag::OCTET_STRING, ..] if content(0) == [1] => Some(Kind::PrivateKey),
        [tag::INTEGER, tag::INTEGER] => Some(Kind::PublicKey),
        // PKCS #1 of RSA, and what OpenSSL writes for DSA.
        [tag::INTEGER, tag::INTEGER, tag::INTEGER, tag::INTEGER, ..] => Some(Kind::PrivateKey),
        [tag::INTEGER, tag::SEQUENCE, ..] if content(0) == [3] && is_algorithm(1) => Some(Kind::Pkcs12),
        [tag::ENUMERATED, ..] => Some(Kind::OcspResponse),
        [tag::SEQUENCE, tag::BIT_STRING] if is_algorithm(0) => Some(Kind::PublicKey),
        [tag::SEQUENCE, tag::OCTET_STRING] if is_algorithm(0) => Some(Kind::PrivateKey),
        [tag::SEQUENCE, ..] => {
            let signed = fields(content(0));
            let tags: Vec<u8> = signed.iter().map(|(tag, _)| *tag).collect();
            match tags.as_slice() {
                [CONTEXT_0, tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, tag::SEQUENCE, ..]
                | [tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, tag::SEQUENCE, tag::SEQUENCE, ..] => {
                    Some(Kind::Certificate)
                }
                [tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, tag::UTC_TIME | tag::GENERALIZED_TIME, ..]
                | [tag::SEQUENCE, tag::SEQUENCE, tag::UTC_TIME | tag::GENERALIZED_TIME, ..] => {
                    Some(Kind::Crl)
                }
                [tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, CONTEXT_0, ..] => Some(Kind::Request),
                [tag::SEQUENCE] | [tag::SEQUENCE, CONTEXT_2, ..] => Some(Kind::OcspRequest),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The fields that stand one behind the other, with their content; the last as far as it goes. The first few only.
fn fields(mut der: &[u8]) -> Vec<(u8, &[u8])> {
    const FEW: usize = 8;
    let mut found = Vec::new();
    while let Some(header) = Header::read(der) {
        let (_, rest) = der.split_at(header.length);
        // An indefinite length is none of DER, but of BER: PKCS #12 is written so.
        let length =
            header.content.map_or(rest.len(), |length| usize::try_from(length).unwrap_or(usize::MAX));
        let (content, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        found.push((header.tag, content));
        if found.len() == FEW {
            break;
        }
        der = behind;
    }
    found
}
