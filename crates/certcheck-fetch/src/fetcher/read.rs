//! From bytes to evidence: strict parsing. Large CRLs are verified at the same time with the key that most likely
//! signed them.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use certcheck_core::crl::{Crl, GivenMemory, IndexFault, IndexTrust};
use certcheck_core::der::Reader;
use certcheck_core::revocation::{Answer, EvidenceRequest, OcspEvidence};
use certcheck_core::x509::SubjectPublicKeyInfo;
use certcheck_core::{Policy, certificates_of, crls_of, ocsp_responses_of};
use pem::{EncodeConfig, LineEnding, Pem};

use crate::failure::Failure;
use crate::mapped::room;
use crate::transport::spool::Body;

/// CRLs of this size or more are parsed and verified on two threads.
const LARGE: usize = 256 << 10;
/// Indexes of this size or more are made in a file, if the CRL is in one.
const LARGE_INDEX: usize = 16 << 20;
/// Certificates in one bag.
const MAX_CERTIFICATES: usize = 100;

/// Evidence, with the bytes that are kept of it.
pub(crate) fn read(
    request: &EvidenceRequest,
    bodies: Vec<Body>,
    signer: &[u8],
    policy: &Policy,
) -> Result<(Answer, Body), Failure> {
    match request {
        EvidenceRequest::Crl { url } => read_crls(url, bodies, signer, policy),
        EvidenceRequest::Ocsp { url, .. } => {
            let body = first(bodies)?;
            let der =
                ocsp_responses_of(&body.bytes).map_err(|fault| Failure::malformed(fault.to_string()))?;
            let der = der.into_iter().next().ok_or_else(|| Failure::malformed("empty"))?;
            let response = OcspEvidence::parse(der.clone(), url)
                .map_err(|fault| Failure::malformed(fault.to_string()))?;
            Ok((Answer::Ocsp(Arc::new(response)), Body::from(der)))
        }
        EvidenceRequest::Issuers { .. } => {
            let mut found = Vec::new();
            for body in &bodies {
                let some =
                    certificates_of(&body.bytes).map_err(|fault| Failure::malformed(fault.to_string()))?;
                found.extend(some);
            }
            found.truncate(MAX_CERTIFICATES);
            let kept = found.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>();
            let kept = pem_of(&kept);
            Ok((Answer::Issuers(found), Body::from(kept)))
        }
        _ => Err(Failure::malformed("this kind of evidence cannot be parsed")),
    }
}

/// Several certificates are kept as one PEM.
fn pem_of(certificates: &[&[u8]]) -> Bytes {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let encoded = |der: &&[u8]| pem::encode_config(&Pem::new("CERTIFICATE", *der), config);
    certificates.iter().map(encoded).collect::<String>().into()
}

fn first(bodies: Vec<Body>) -> Result<Body, Failure> {
    bodies.into_iter().next().ok_or_else(|| Failure::malformed("empty"))
}

/// A URL is expected to have one CRL. If a directory entry or a bag has several, the first one that the likely signer
/// has signed is used.
fn read_crls(
    url: &str,
    bodies: Vec<Body>,
    signer: &[u8],
    policy: &Policy,
) -> Result<(Answer, Body), Failure> {
    let mut best: Option<(Crl, Body)> = None;
    let mut last = Failure::malformed("empty");
    for body in bodies {
        let ders = match crls_of(&body.bytes) {
            Ok(ders) => ders,
            Err(fault) => {
                last = Failure::malformed(fault.to_string());
                continue;
            }
        };
        for der in ders {
            // DER is kept in the file in which it arrived. From PEM or a bag it is copied.
            let kept =
                if der.len() == body.bytes.len() { body.clone() } else { Body::from(copy_of(&der, &body)) };
            match read_crl(kept.bytes.clone(), url, signer, policy, kept.folder()) {
                Ok(crl) => {
                    let is_signed = crl.known_signers().next().is_some();
                    if best.is_none() || is_signed {
                        best = Some((crl, kept));
                    }
                    if is_signed {
                        break;
                    }
                }
                Err(failure) => last = failure,
            }
        }
    }
    best.map(|(crl, body)| (Answer::Crl(Arc::new(crl)), body)).ok_or(last)
}

/// A copy that does not keep the container alive.
fn copy_of(der: &Bytes, container: &Body) -> Bytes {
    if container.is_in_file() { Bytes::copy_from_slice(der) } else { der.clone() }
}

fn read_crl(
    der: Bytes,
    url: &str,
    signer: &[u8],
    policy: &Policy,
    folder: Option<&Path>,
) -> Result<Crl, Failure> {
    let malformed = |fault: certcheck_core::der::ViewFault| Failure::malformed(fault.to_string());
    match key_of(signer) {
        Some(key) if der.len() >= LARGE => {
            // An index of tens of MiB is put where its CRL is.
            let room = |bytes: usize| {
                folder.filter(|_| bytes >= LARGE_INDEX).and_then(|at| room(at, bytes)).map(GivenMemory::new)
            };
            Crl::parse_and_verify_in(der, url, key, policy, Some(&room)).map_err(malformed)
        }
        key => {
            let crl = Crl::parse(der, url).map_err(malformed)?;
            if let Some(key) = key {
                // The CRL remembers whether this key signed it.
                let _known: bool = crl.verify(key, policy).is_ok();
            }
            Ok(crl)
        }
    }
}

/// A CRL that was kept with its index in a trusted store. Both are used as they were kept, if their lengths fit. What
/// is wrong with the index is returned too, and then the CRL does not count as signed either.
pub(crate) fn reopen(
    der: Bytes,
    index: &Bytes,
    url: &str,
    signer: &[u8],
) -> Result<(Crl, Option<IndexFault>), Failure> {
    let opened = Crl::open(der, index, url, IndexTrust::AsKept).inspect(|(crl, fault)| {
        if let (Some(key), None) = (key_of(signer), fault) {
            crl.assume_signed_with(key);
        }
    });
    opened.map_err(|fault| Failure::malformed(fault.to_string()))
}

/// A key that was kept or that is in a certificate. One that cannot be parsed is ignored.
pub(crate) fn key_of(spki: &[u8]) -> Option<SubjectPublicKeyInfo<'_>> {
    SubjectPublicKeyInfo::parse(&mut Reader::new(spki), "signer").ok()
}

#[cfg(test)]
mod tests {
    use super::pem_of;

    /// PEM with lines of 64 characters that end with a line feed.
    #[test]
    fn certificates_become_one_pem() {
        let pem = pem_of(&[&[0; 49], b"a"]);
        let line = "A".repeat(64);
        let expected = format!(
            "-----BEGIN CERTIFICATE-----\n{line}\nAA==\n-----END CERTIFICATE-----\n\
             -----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"
        );
        assert_eq!(pem, expected);
        assert!(pem_of(&[]).is_empty());
    }
}
