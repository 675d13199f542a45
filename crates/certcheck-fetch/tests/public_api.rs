//! Types of other crates stand in the public API where that is meant, and nowhere else.

use std::path::Path;

use certcheck_testkit::public_api::foreign_types;

/// What the documentation of the crate lists, beside the core's.
const INTENDED: [&str; 9] = [
    "bytes::Bytes",
    "futures_util::future::BoxFuture",
    "futures_util::stream::BoxStream",
    "ipnet::IpNet",
    "ipnet::Ipv6Net",
    "pki_types::CertificateDer",
    "serde::Deserialize",
    "serde::Serialize",
    "url::Url",
];

#[test]
fn the_documentation_lists_the_foreign_types_of_the_api() {
    let found = foreign_types(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let others: Vec<&str> =
        found.iter().map(String::as_str).filter(|path| !path.starts_with("certcheck_core::")).collect();
    assert_eq!(others, INTENDED);
    let page = include_str!("../src/lib.rs");
    for path in INTENDED {
        assert!(page.contains(&format!("`{path}`")), "{path} is not in the documentation");
    }
}
