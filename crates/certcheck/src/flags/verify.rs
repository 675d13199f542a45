//! `certcheck verify`: what is asked about, and under which policy.

use std::path::PathBuf;

use certcheck_core::Time;
use certcheck_core::oid::OidBuf;
use clap::{Args, ValueEnum};
use pki_types::ServerName;

use super::network::NetworkArguments;
use super::when::parse_time;

const VERIFY_EXAMPLES: &str = "\
Examples:
  certcheck verify client.pem --ring keyring/
  certcheck verify client.pem --ring keyring/ --offline --revocation off
  certcheck verify client.pem --ring keyring/ --crl crls/ --ocsp answer.der
  certcheck verify client.pem --ring keyring/ --crl root.crl --crl issuing.crl
  certcheck verify client.pem --ring root.pem --untrusted intermediates.pem --json
  openssl s_client ... | certcheck verify - --ring keyring/
  certcheck verify *.pem --ring keyring/ --report clients.html
  certcheck verify *.pem --ring keyring/ --at 2027-01-01
  certcheck verify issued/ --ring keyring/ --summary
  certcheck verify issued.pem --each --ring keyring/ --crl ca.crl
  find . -name '*.pem' -print0 | certcheck verify --files0-from - --ring keyring/

Exit codes: 0 accepted, 1 rejected, 2 usage or unreadable input, 3 undetermined.";

#[derive(Args, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyArguments {
    /// Certificates: PEM, DER or PKCS #7; `-` is standard input, of a directory all files that are named
    /// like certificates. Of several in one file the first is the target, the rest are presented intermediates.
    /// What a directory has and is not looked into, links to directories and what is 32 deep, counts as unreadable.
    #[arg(required_unless_present = "files0_from", value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// More inputs: a list of files, NUL behind each, as of `find -print0`; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) files0_from: Option<PathBuf>,

    /// Take every certificate of a file for a target of its own: bundles, of any size.
    #[arg(long)]
    pub(crate) each: bool,

    /// How many inputs are asked about at once [default: twice the cores].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,

    /// Tell no input by itself, only how many came to what.
    #[arg(long, conflicts_with_all = ["explain", "dry_run"])]
    pub(crate) summary: bool,

    /// Key ring: a file, a directory of files, or a directory with anchors/, intermediates/, distrusted/.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Pass over what cannot be parsed in the ring, and name it, instead of refusing the ring. What is distrusted is never
    /// passed over.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// More intermediates that are presented but not trusted. Repeat the flag for each file.
    #[arg(long, value_name = "FILE")]
    pub(crate) untrusted: Vec<PathBuf>,

    /// A CRL file, or a directory of them: PEM, DER or PKCS #7. Repeat the flag for each: --crl a.crl --crl b.crl.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) crl: Vec<PathBuf>,

    /// A file with OCSP responses, or a directory of them: PEM or DER. Repeat the flag for each.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) ocsp: Vec<PathBuf>,

    /// The time to ask about: RFC 3339, a date such as 2027-01-01 (midnight UTC), or from now, such as +1d or -2h. Now by
    /// default.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,

    /// What the certificate is for.
    #[arg(long, value_name = "PURPOSE", default_value = "client")]
    pub(crate) purpose: PurposeFlag,

    /// The name that a server must have in subjectAltName: a host, or an address.
    #[arg(long, value_name = "NAME", value_parser = parse_server_name)]
    pub(crate) hostname: Option<ServerName<'static>>,

    /// A certificate policy that is acceptable. Any by default.
    #[arg(long, value_name = "OID", value_parser = parse_oid)]
    pub(crate) policy: Vec<OidBuf>,

    /// Demand that an acceptable policy holds for the whole path.
    #[arg(long)]
    pub(crate) require_explicit_policy: bool,

    /// Do not follow policy mappings.
    #[arg(long)]
    pub(crate) inhibit_policy_mapping: bool,

    /// Do not take any-policy for a policy.
    #[arg(long)]
    pub(crate) inhibit_any_policy: bool,

    /// How many intermediates a path may have, self-issued ones not counted: at most 90.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=90))]
    pub(crate) max_depth: u32,

    /// The shortest RSA key that is taken.
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1024..=8192))]
    pub(crate) min_rsa_bits: u32,

    /// The smallest elliptic curve that is taken, in bits. Curve25519 and Curve448 always are.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(160..=521))]
    pub(crate) min_ec_bits: u32,

    /// Take signatures over SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// Whether an anchor may be a certificate that is not self-signed.
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    pub(crate) partial_chain: Switch,

    /// Refuse anchors outside their validity, instead of warning.
    #[arg(long)]
    pub(crate) enforce_anchor_validity: bool,

    /// Demand duties of issuers too that RFC 5280 does not have validators check.
    #[arg(long)]
    pub(crate) pedantic: bool,

    /// What to do about revocation.
    #[arg(long, value_name = "HOW", default_value = "hard-fail")]
    pub(crate) revocation: RevocationFlag,

    /// Of which certificates the status is asked: of the whole path below the anchor, or of the leaf alone.
    #[arg(long, value_name = "WHICH", default_value = "chain")]
    pub(crate) scope: ScopeFlag,

    /// Which evidence is asked for first, and told of where both say the same.
    #[arg(long, value_name = "ORDER", default_value = "ocsp-first")]
    pub(crate) order: OrderFlag,

    /// Whether OCSP requests carry a nonce, and answers must.
    #[arg(long, value_name = "HOW", default_value = "off")]
    pub(crate) nonce: NonceFlag,

    /// Whether certificates of issuers are fetched from where certificates say they are (caIssuers).
    #[arg(long, value_name = "ON|OFF", default_value = "off")]
    pub(crate) aia: Switch,

    /// Ask nobody, and print what would be asked, of whom, in order, were every source to fail in its turn.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// One JSON object a line for each input.
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a page that shows the verdict, the path, what is valid until when, whom it asked, and what else it tried; of
    /// several inputs with an index. It loads nothing; a file that is there is replaced.
    #[arg(long, value_name = "FILE.html", conflicts_with = "dry_run")]
    pub(crate) report: Option<PathBuf>,

    /// Tell of all paths tried, sources asked, clauses and what was spent.
    #[arg(long)]
    pub(crate) explain: bool,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PurposeFlag {
    Client,
    Server,
    Any,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RevocationFlag {
    /// Every certificate must be shown not to be revoked.
    HardFail,
    /// A certificate that names no source of evidence passes.
    IfOffered,
    /// Not knowing passes, and the verdict says so.
    SoftFail,
    /// Do not look.
    Off,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ScopeFlag {
    /// Every certificate below the anchor.
    Chain,
    /// The target alone.
    Leaf,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OrderFlag {
    OcspFirst,
    CrlFirst,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum NonceFlag {
    /// None is sent: answers can be signed ahead, and kept.
    Off,
    /// One is sent, and an answer without it is taken.
    Ask,
    /// One is sent, and an answer without it is not taken.
    Demand,
}

fn parse_server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| "neither a host name nor an address".to_owned())
}

fn parse_oid(text: &str) -> Result<OidBuf, String> {
    OidBuf::from_dotted(text).ok_or_else(|| "not a dotted object identifier".to_owned())
}
