//! Whether the target is the intended server: RFC 9525 6.

use pki_types::{IpAddr, ServerName};

use crate::reason::Reason;
use crate::x509::{Certificate, GeneralName};

/// Searches the name in subjectAltName. The common name is not used (RFC 9525 6.1).
///
/// RFC 9525 6.3, RFC 9525 6.5.
#[doc(alias("RFC 9525 section 6.1", "RFC 9525 section 6.3", "RFC 9525 section 6.5"))]
pub(crate) fn check(certificate: &Certificate<'_>, wanted: &ServerName<'_>) -> Result<(), Reason> {
    for name in certificate.subject_alt_name()?.into_iter().flatten() {
        let is_meant = match (name?, wanted) {
            (GeneralName::Dns(presented), ServerName::DnsName(wanted)) => is_host(presented, wanted.as_ref()),
            // 6.5
            (GeneralName::Ip(presented), ServerName::IpAddress(wanted)) => match wanted {
                IpAddr::V4(wanted) => presented == wanted.as_ref(),
                IpAddr::V6(wanted) => presented == wanted.as_ref(),
            },
            _ => false,
        };
        if is_meant {
            return Ok(());
        }
    }
    Err(Reason::NameMismatch { wanted: wanted.to_str().into_owned() })
}

/// Whether two host names match by 6.3: ASCII letters in either case. A wildcard is the whole first label, and matches
/// one label. Deviation: at least two labels must follow it, so that no certificate matches all hosts of a top-level
/// domain.
///
/// RFC 9525 6.1, RFC 9525 6.3, RFC 9525 6.5.
#[doc(alias("RFC 9525 section 6.1", "RFC 9525 section 6.3", "RFC 9525 section 6.5"))]
fn is_host(presented: &str, wanted: &str) -> bool {
    let wanted = wanted.strip_suffix('.').unwrap_or(wanted);
    if presented.eq_ignore_ascii_case(wanted) {
        return true;
    }
    match (presented.strip_prefix("*."), wanted.split_once('.')) {
        (Some(above), Some((_, rest))) => {
            above.contains('.') && !above.contains('*') && above.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::{Cert, Key, ext};

    use super::*;

    #[test]
    fn by_its_alternative_names_alone() {
        let key = Key::p256("server names");
        let der = Cert::root("CN=common.example", &key)
            .with([ext::san(&[
                "dns:a.example",
                "dns:*.b.example",
                "dns:*.example",
                "dns:*",
                "dns:x*.c.example",
                "dns:*.*.d.example",
                "dns:dot.example.",
                "ip:192.0.2.1",
                "ip:2001:db8::1",
                "uri:https://uri.example/",
                "email:a@mail.example",
            ])])
            .issue(&key);
        let certificate = Certificate::parse(&der).expect("reads");
        let cases = [
            ("a.example", true),
            ("A.Example", true),
            ("a.example.", true),
            ("b.example", false),
            ("x.b.example", true),
            ("X.B.EXAMPLE", true),
            ("x.y.b.example", false),
            ("z.example", false),
            ("example", false),
            ("xy.c.example", false),
            ("x.y.d.example", false),
            ("x.d.example", false),
            ("dot.example", false),
            ("common.example", false),
            ("uri.example", false),
            ("mail.example", false),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("2001:db8::1", true),
            ("2001:db8:0:0::1", true),
            ("::ffff:192.0.2.1", false),
        ];
        for (name, is_meant) in cases {
            let wanted = ServerName::try_from(name).expect(name);
            assert_eq!(check(&certificate, &wanted).is_ok(), is_meant, "{name}");
        }
        let nameless = Cert::root("CN=common.example", &key).issue(&key);
        let nameless = Certificate::parse(&nameless).expect("reads");
        let wanted = ServerName::try_from("common.example").expect("a name");
        assert_eq!(
            check(&nameless, &wanted),
            Err(Reason::NameMismatch { wanted: "common.example".to_owned() })
        );
    }
}
