//! Evidence from a tree of files instead of the network: `http/crl.example/ca.crl` is that of `http://crl.example/ca.crl`,
//! as `wget --force-directories` and rsync lay it out.

use std::path::{Path, PathBuf};

use certcheck_rustls::certcheck_core::revocation::EvidenceRequest;
use url::Url;

/// The file of a source in the tree. `None` for a source that a tree cannot have: an OCSP response, a URL with a query, or
/// one whose path could lead out of the tree.
pub(super) fn file_of(tree: &Path, request: &EvidenceRequest) -> Option<PathBuf> {
    let EvidenceRequest::Crl { url } = request else { return None };
    let url = Url::parse(url).ok()?;
    if url.query().is_some() {
        return None;
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut file = tree.join(url.scheme()).join(format!("{}{port}", url.host_str()?));
    for part in url.path_segments()? {
        // As they are in the URL, still percent-encoded: none has a separator.
        let is_name = !part.is_empty() && part != "." && part != ".." && !part.contains(['/', '\\', '\0']);
        file.push(is_name.then_some(part)?);
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_sources() {
        for (url, file) in [
            ("http://crl.example/a/ca.crl", Some("tree/http/crl.example/a/ca.crl")),
            ("https://crl.example:8443/ca%20one.crl", Some("tree/https/crl.example:8443/ca%20one.crl")),
            // The URL standard takes these away before they could be a part.
            ("http://crl.example/../../etc/passwd", Some("tree/http/crl.example/etc/passwd")),
            ("http://crl.example/%2e%2e/%2e%2e/passwd", Some("tree/http/crl.example/passwd")),
            ("http://crl.example/..%2f..%2fpasswd", Some("tree/http/crl.example/..%2f..%2fpasswd")),
            ("http://crl.example/ca.crl?a=b", None),
            ("http://crl.example/", None),
            ("http://crl.example/a//b", None),
            ("ldap:///cn=ca", None),
        ] {
            let request = EvidenceRequest::Crl { url: url.into() };
            assert_eq!(file_of(Path::new("tree"), &request), file.map(PathBuf::from), "{url}");
        }
    }
}
