//! SPIFFE IDs (SPIFFE-ID 2) in certificates (X.509-SVID 2, 5.2).

use certcheck_core::x509::{Certificate, GeneralName, KeyUsage};

use super::{Identity, IdentityError};

const WHAT: &str = "SPIFFE ID of subjectAltName";
const SCHEME: &str = "spiffe";
const PREFIX: &str = "spiffe://";
/// SPIFFE-ID 2.3.
const MAX_ID: usize = 2048;
/// SPIFFE-ID 2.3: the longest host of RFC 3986.
const MAX_TRUST_DOMAIN: usize = 255;

impl Identity {
    /// The SPIFFE ID, if the certificate is the SVID of a workload (X.509-SVID 2, 5.2). `None` if no URI has the
    /// scheme `spiffe`.
    ///
    /// An anchor that names SPIFFE trust domains for itself vouches for workloads of those alone. Whether an anchor
    /// that names none may vouch for a trust domain is the caller's decision, by [`anchor`](Self::anchor).
    ///
    /// # Errors
    /// If there is another URI in addition to one of that scheme, if the certificate is of a CA or its keyUsage has
    /// keyCertSign or cRLSign, if the ID does not have the syntax of SPIFFE-ID 2.1 to 2.3 or has no path, if its
    /// trust domain is not the anchor's, or if [`uris`](Self::uris) fails.
    pub fn spiffe_id(&self) -> Result<Option<&str>, IdentityError> {
        let uris = self.uris()?;
        let Some(id) = uris.iter().copied().find(|uri| is_of_scheme(uri)) else { return Ok(None) };
        let refused = |flaw| IdentityError::refused(WHAT, id, flaw);
        // X.509-SVID 2: exactly one URI of any scheme.
        if uris.len() > 1 {
            return Err(refused("is not the only URI"));
        }
        check_leaf(&self.view()).map_err(refused)?;
        let trust_domain = check_id(id).map_err(refused)?;
        let Some(domains) = &self.anchor_domains else {
            return Err(refused("is under an anchor whose own names cannot be parsed"));
        };
        if !domains.is_empty() && !domains.iter().any(|domain| **domain == *trust_domain) {
            return Err(refused("is of another trust domain than the anchor"));
        }
        Ok(Some(id))
    }
}

/// The trust domains in the SPIFFE IDs of a certificate, in any form. `None` if its names cannot be parsed.
pub(super) fn trust_domains(certificate: &Certificate<'_>) -> Option<Vec<Box<str>>> {
    let names = certificate.subject_alt_name().ok()?;
    let mut domains = Vec::new();
    for name in names.into_iter().flatten() {
        if let GeneralName::Uri(uri) = name.ok()?
            && is_of_scheme(uri)
        {
            // One without this prefix has no trust domain that a leaf's could equal.
            let rest = uri.strip_prefix(PREFIX).unwrap_or_default();
            domains.push(rest.split('/').next().unwrap_or_default().into());
        }
    }
    Some(domains)
}

/// The scheme is of either case (RFC 3986 3.1). That of a SPIFFE ID is in lower case, as `check_id` demands.
fn is_of_scheme(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
}

/// X.509-SVID 5.2: a workload's certificate signs nothing.
fn check_leaf(certificate: &Certificate<'_>) -> Result<(), &'static str> {
    if certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
        return Err("is in the certificate of a CA");
    }
    let signing = KeyUsage::KEY_CERT_SIGN.or(KeyUsage::CRL_SIGN);
    if certificate.key_usage().is_some_and(|usage| usage.has_any(signing)) {
        return Err("is in a certificate whose keyUsage has keyCertSign or cRLSign");
    }
    Ok(())
}

/// Checks the syntax (SPIFFE-ID 2.1 to 2.3) and that there is a path (X.509-SVID 5.2); returns the trust domain.
fn check_id(id: &str) -> Result<&str, &'static str> {
    if id.len() > MAX_ID {
        return Err("is longer than 2048 bytes");
    }
    let Some(rest) = id.strip_prefix(PREFIX) else { return Err("does not begin with spiffe://") };
    if rest.contains(['?', '#']) {
        return Err("has a query or a fragment");
    }
    let (trust_domain, path) =
        rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
    if trust_domain.is_empty() {
        return Err("has no trust domain");
    }
    if trust_domain.len() > MAX_TRUST_DOMAIN {
        return Err("has a trust domain longer than 255 bytes");
    }
    if trust_domain.contains(['@', ':']) {
        return Err("has user information or a port");
    }
    if !trust_domain.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_')) {
        return Err("has a character that a trust domain does not have");
    }
    let Some(path) = path else { return Err("has no path, so it names no workload") };
    for segment in path.split('/') {
        if matches!(segment, "" | "." | "..") {
            return Err("has a path segment that is empty, . or ..");
        }
        if !segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
            return Err("has a character that a path segment does not have");
        }
    }
    Ok(trust_domain)
}
