//! A bridged PKI as governments have it: the client's CA leads to the anchor only through bridges. The certificates of
//! each CA are behind a URL, the useful one together with others that lead nowhere.

use crate::{Cert, Key, der, ext};

/// The client, the anchor, and the certificates at each path of the site.
pub struct Bridge {
    /// The root at the far end.
    pub anchor: Vec<u8>,
    /// The client's certificate. It is presented alone.
    pub leaf: Vec<u8>,
    /// Certificates by the path that names them.
    pub pages: Vec<(String, Vec<Vec<u8>>)>,
}

impl Bridge {
    /// A PKI with this many bridges between the client's CA and the anchor. `base` is the URL of the site, without a
    /// path.
    ///
    /// In addition to the useful certificate, each CA has one that it signed itself, one by a CA that it certified in
    /// turn (a loop), one by a CA whose certificates are missing, and one that has expired.
    #[must_use]
    pub fn new(base: &str, bridges: usize) -> Self {
        let key = |name: &str| Key::p256(&format!("bridge {name}"));
        let at = |name: &str| format!("/{}", name.to_lowercase().replace(' ', "-"));
        let certified = |name: &str, issuer: &str| {
            let (own, by) = (key(name), key(issuer));
            let url = format!("{base}{}", at(issuer));
            let names = [format!("CN={name}"), format!("CN={issuer}")];
            Cert::ca(&names[0], &own, &names[1], &by).with([ext::aia(&[] as &[&str], &[url.as_str()])])
        };
        let anchor = Cert::root("CN=Anchor", &key("Anchor")).issue(&key("Anchor"));
        let chain: Vec<String> = core::iter::once("Agency".to_owned())
            .chain((1..=bridges).map(|level| format!("Bridge {level}")))
            .chain(["Anchor".to_owned()])
            .collect();
        let mut pages = Vec::new();
        for pair in chain.windows(2) {
            let [name, issuer] = pair else { continue };
            let (own, loops, gone) = (key(name), format!("Loop {name}"), format!("Gone {name}"));
            let expired = certified(name, issuer).valid("2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z");
            pages.push((
                at(name),
                vec![
                    Cert::root(&format!("CN={name}"), &own).issue(&own),
                    certified(name, &gone).issue(&key(&gone)),
                    certified(name, &loops).issue(&key(&loops)),
                    expired.issue(&key(issuer)),
                    certified(name, issuer).issue(&key(issuer)),
                ],
            ));
            pages.push((at(&loops), vec![certified(&loops, name).issue(&own)]));
        }
        let agency = key("Agency");
        let url = format!("{base}{}", at("Agency"));
        let leaf = Cert::leaf("CN=client", &key("client"), "CN=Agency", &agency)
            .with([ext::aia(&[] as &[&str], &[url.as_str()])])
            .issue(&agency);
        Self { anchor, leaf, pages }
    }
}

/// PKCS #7 `SignedData` with certificates and no signature (RFC 5280 4.2.2.1).
#[must_use]
pub fn pkcs7(certificates: &[Vec<u8>]) -> Vec<u8> {
    let data = der::seq(&[der::oid("1.2.840.113549.1.7.1")]);
    let none: [&[u8]; 0] = [];
    let signed = der::seq(&[
        der::int(1),
        der::set(&none),
        data,
        der::ctx_c(0, &der::concat(certificates)),
        der::set(&none),
    ]);
    der::seq(&[der::oid("1.2.840.113549.1.7.2"), der::ctx_c(0, &signed)])
}
