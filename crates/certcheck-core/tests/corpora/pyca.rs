//! The samples of pyca/cryptography: what it reads and what it refuses.

use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::ocsp::OcspResponse;
use certcheck_core::x509::Certificate;
use certcheck_core::{certificates_of, crls_of, ocsp_responses_of};

use super::{Scoreboard, corpus, json, text};

fn report<T, E: core::fmt::Display>(read: Result<T, E>) -> String {
    read.map_or_else(|fault| format!("refused: {fault}"), |_| "read".to_owned())
}

#[test]
fn samples() {
    let Some(base) = corpus("pyca") else { return };
    let index = json(&base.join("index.json"));
    let mut scoreboard = Scoreboard::new("pyca");
    for item in index["items"].as_array().expect("items") {
        let file = text(item, "file");
        let content = Bytes::from(std::fs::read(base.join(file)).expect("file is there"));
        // Certificates lie among the CRLs too.
        let found = match file.split('/').next() {
            Some("certs" | "crl") if file.starts_with("certs") || crls_of(&content).is_err() => {
                match certificates_of(&content) {
                    Ok(found) => report(Certificate::parse(&found[0])),
                    Err(fault) => format!("refused: {fault}"),
                }
            }
            Some("crl") => match crls_of(&content) {
                Ok(found) => report(Crl::parse(found[0].clone(), file)),
                Err(fault) => format!("refused: {fault}"),
            },
            // Requests are written here, never read.
            _ if file.contains("req") => continue,
            _ => match ocsp_responses_of(&content) {
                Ok(found) => report(OcspResponse::parse(&found[0])),
                Err(fault) => format!("refused: {fault}"),
            },
        };
        scoreboard.case(file, if item["pyca_parse_ok"] == true { "parse" } else { "no parse" }, &found);
    }
    scoreboard.close(40);
}
