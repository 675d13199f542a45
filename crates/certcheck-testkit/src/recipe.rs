//! Small PKIs from TOML, so that tests are data.
//!
//! ```toml
//! [cert.root]
//! profile = "root"
//! subject = "CN=Root"
//! key = "p256:root"
//!
//! [cert.leaf]
//! profile = "leaf"
//! subject = "CN=client"
//! key = "p256:client"
//! issuer = "root"
//! san = ["dns:client.example"]
//!
//! [crl.root]
//! issuer = "root"
//! revoked = [{ cert = "leaf", reason = "keyCompromise" }]
//! ```

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;

use crate::cert::Cert;
use crate::ext::{self, Ext, Point};
use crate::flaw::Flaw;
use crate::key::Key;
use crate::keys::{self, SigAlg};
use crate::name::name;
pub use crate::recipe_evidence::{CrlRecipe, OcspRecipe, PointRecipe};

/// Certificates, CRLs and OCSP responses by name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The certificates, by the names that refer to them.
    pub cert: BTreeMap<String, CertRecipe>,
    /// CRLs.
    #[serde(default)]
    pub crl: BTreeMap<String, CrlRecipe>,
    /// OCSP responses.
    #[serde(default)]
    pub ocsp: BTreeMap<String, OcspRecipe>,
}

/// One certificate. Fields that are not given are those of its profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertRecipe {
    /// `root`, `ca` or `leaf`.
    profile: String,
    pub(crate) subject: String,
    /// The key, such as `p256:name`. If it is absent, the subject's text names the key.
    key: Option<String>,
    /// Another certificate of the recipe.
    pub(crate) issuer: Option<String>,
    /// The issuer's name, if it should differ from the subject of the issuer's certificate.
    issuer_name: Option<String>,
    signed_by: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    /// The serial number in hexadecimal.
    serial: Option<String>,
    version: Option<i64>,
    sig: Option<String>,
    ca: Option<bool>,
    path_len: Option<i64>,
    key_usage: Option<Vec<String>>,
    eku: Option<Vec<String>>,
    san: Option<Vec<String>>,
    #[serde(default)]
    permitted: Vec<String>,
    #[serde(default)]
    excluded: Vec<String>,
    policies: Option<Vec<String>>,
    mappings: Option<Vec<(String, String)>>,
    require_explicit_policy: Option<i64>,
    inhibit_policy_mapping: Option<i64>,
    inhibit_any_policy: Option<i64>,
    /// The URLs of one distribution point.
    cdp: Option<Vec<String>>,
    /// Distribution points in full.
    points: Option<Vec<PointRecipe>>,
    freshest: Option<Vec<String>>,
    #[serde(default)]
    nocheck: bool,
    #[serde(default)]
    no_rev_avail: bool,
    ocsp: Option<Vec<String>>,
    ca_issuers: Option<Vec<String>>,
    #[serde(default)]
    extension: Vec<ExtRecipe>,
    /// Dotted identifiers of extensions to mark as critical, and then as not critical.
    #[serde(default)]
    critical: Vec<String>,
    #[serde(default)]
    not_critical: Vec<String>,
    /// Dotted identifiers of extensions to leave out.
    #[serde(default)]
    without: Vec<String>,
    flaw: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtRecipe {
    oid: String,
    #[serde(default)]
    critical: bool,
    hex: String,
}

impl Recipe {
    /// Parses a recipe.
    ///
    /// # Errors
    /// The fault of the TOML or of a key.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Makes all certificates.
    ///
    /// # Panics
    /// If the recipe refers to something that does not exist.
    #[must_use]
    pub fn forge(&self) -> BTreeMap<String, Vec<u8>> {
        self.cert.iter().map(|(label, recipe)| (label.clone(), self.forge_one(recipe))).collect()
    }

    /// The key of a certificate.
    ///
    /// # Panics
    /// If there is no such certificate.
    #[must_use]
    pub fn key_of(&self, label: &str) -> Key {
        self.key(self.cert(label))
    }

    pub(crate) fn cert(&self, label: &str) -> &CertRecipe {
        self.cert.get(label).unwrap_or_else(|| panic!("no {label}"))
    }

    pub(crate) fn key(&self, recipe: &CertRecipe) -> Key {
        let text = recipe.key.clone().unwrap_or_else(|| format!("p256:{}", recipe.subject));
        keys::from_text(&text).unwrap_or_else(|| panic!("{text} is no key"))
    }

    pub(crate) fn forge_one(&self, recipe: &CertRecipe) -> Vec<u8> {
        let signer = self.signer(recipe);
        let cert = self.unsigned(recipe);
        match &recipe.flaw {
            Some(flaw) => Flaw::named(flaw).unwrap_or_else(|| panic!("no flaw {flaw}")).issue(cert, &signer),
            None => cert.issue(&signer),
        }
    }

    fn signer(&self, recipe: &CertRecipe) -> Key {
        let key = match (&recipe.signed_by, &recipe.issuer) {
            (Some(text), _) => keys::from_text(text).unwrap(),
            (None, Some(issuer)) => self.key(self.cert(issuer)),
            (None, None) => self.key(recipe),
        };
        sig_alg(recipe.sig.as_deref()).signer(&key)
    }

    /// The certificate before it is signed.
    pub(crate) fn unsigned(&self, recipe: &CertRecipe) -> Cert {
        let key = self.key(recipe);
        let issuer = recipe.issuer.as_ref().map(|label| self.cert(label));
        let issuer_key = issuer.map_or_else(|| key.clone(), |issuer| self.key(issuer));
        let issuer_name = recipe
            .issuer_name
            .as_ref()
            .or_else(|| issuer.map(|issuer| &issuer.subject))
            .unwrap_or(&recipe.subject);
        let cert = match recipe.profile.as_str() {
            "root" => Cert { issuer: name(issuer_name), ..Cert::root(&recipe.subject, &key) },
            "ca" => Cert::ca(&recipe.subject, &key, issuer_name, &issuer_key),
            "leaf" => Cert::leaf(&recipe.subject, &key, issuer_name, &issuer_key),
            other => panic!("{other} is no profile"),
        };
        recipe.adjust(cert)
    }
}

impl CertRecipe {
    fn adjust(&self, mut cert: Cert) -> Cert {
        if let Some(time) = &self.not_before {
            cert.not_before = crate::der::time(time);
        }
        if let Some(time) = &self.not_after {
            cert.not_after = crate::der::time(time);
        }
        if let Some(serial) = &self.serial {
            cert.serial = unhex(serial);
        }
        cert.version = self.version.unwrap_or(cert.version);
        let mut cert = cert.with(self.extensions());
        for extension in &mut cert.extensions {
            extension.critical |= self.critical.contains(&extension.oid);
            extension.critical &= !self.not_critical.contains(&extension.oid);
        }
        if cert.version != 3 && self.extension.is_empty() {
            cert.extensions.clear();
        }
        self.without.iter().fold(cert, |cert, oid| cert.without(oid))
    }

    fn extensions(&self) -> Vec<Ext> {
        let mut found = Vec::new();
        if self.ca.is_some() || self.path_len.is_some() {
            found.push(ext::basic_constraints(self.ca.unwrap_or(true), self.path_len));
        }
        found.extend(self.key_usage.as_ref().map(|names| ext::key_usage(names)));
        found.extend(self.eku.as_ref().map(|purposes| ext::eku(purposes)));
        found.extend(self.san.as_ref().map(|names| ext::san(names)));
        if !self.permitted.is_empty() || !self.excluded.is_empty() {
            found.push(ext::name_constraints(&self.permitted, &self.excluded));
        }
        found.extend(self.policies.as_ref().map(|policies| ext::policies(policies)));
        found.extend(self.mappings.as_ref().map(|pairs| ext::policy_mappings(pairs)));
        if self.require_explicit_policy.is_some() || self.inhibit_policy_mapping.is_some() {
            found.push(ext::policy_constraints(self.require_explicit_policy, self.inhibit_policy_mapping));
        }
        found.extend(self.inhibit_any_policy.map(ext::inhibit_any_policy));
        found.extend(self.cdp.as_ref().map(|urls| ext::cdp(&[Point::urls(urls)])));
        let points = |points: &Vec<PointRecipe>| points.iter().map(PointRecipe::point).collect::<Vec<_>>();
        found.extend(self.points.as_ref().map(|list| ext::cdp(&points(list))));
        found.extend(self.freshest.as_ref().map(|urls| ext::freshest_crl(&[Point::urls(urls)])));
        found.extend(self.nocheck.then(ext::ocsp_nocheck));
        found.extend(self.no_rev_avail.then(ext::no_rev_avail));
        if self.ocsp.is_some() || self.ca_issuers.is_some() {
            let list = |urls: &Option<Vec<String>>| urls.clone().unwrap_or_default();
            found.push(ext::aia(&list(&self.ocsp), &list(&self.ca_issuers)));
        }
        found.extend(self.extension.iter().map(|raw| Ext::new(&raw.oid, raw.critical, unhex(&raw.hex))));
        found
    }
}

pub(crate) fn sig_alg(name: Option<&str>) -> SigAlg {
    let Some(name) = name else { return SigAlg::Default };
    match name {
        "rsa-sha1" => SigAlg::RsaSha1,
        "rsa-sha1-oiw" => SigAlg::RsaSha1Oiw,
        "ecdsa-sha512" => SigAlg::EcdsaSha512,
        "rsa-sha384" => SigAlg::RsaSha384,
        "rsa-sha512" => SigAlg::RsaSha512,
        "rsa-md5" => SigAlg::RsaMd5,
        "dsa-sha1" => SigAlg::DsaSha1,
        "unknown" => SigAlg::Unknown,
        other => match other.strip_prefix("rsa-pss-").and_then(|salt| salt.parse().ok()) {
            Some(salt) => SigAlg::RsaPss(salt),
            None => panic!("{other} is no signature algorithm"),
        },
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}
