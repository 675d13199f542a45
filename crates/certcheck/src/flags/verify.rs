//! `certcheck verify`: which certificates, under which policy.

use std::path::PathBuf;

use certcheck_core::Time;
use certcheck_core::oid::OidBuf;
use clap::{Args, ValueEnum};
use pki_types::ServerName;

use super::network::NetworkArguments;
use super::output::OutputArguments;
use super::when::parse_time;

const VERIFY_EXAMPLES: &str = "\
Examples:
  certcheck verify client.pem --ring keyring/
  certcheck verify client.pem -r keyring/ --offline --revocation off
  certcheck verify client.pem --ring keyring/ --crl crls/ --ocsp answer.der
  certcheck verify client.pem --ring keyring/ --crl root.crl --crl issuing.crl
  certcheck verify client.pem --ring root.pem --untrusted intermediates.pem --json
  openssl s_client ... | certcheck verify - --ring keyring/
  certcheck verify *.pem --ring keyring/ --report clients.html
  certcheck verify *.pem --ring keyring/ --at 2027-01-01
  certcheck verify issued/ --ring keyring/ --summary
  certcheck verify issued/ --ring keyring/ --format junit > results.xml
  certcheck verify issued.pem --each --ring keyring/ --crl ca.crl
  find . -name '*.pem' -print0 | certcheck verify --files0-from - --ring keyring/

Exit codes: 0 accepted, 1 rejected, 2 usage or unreadable input, 3 undetermined.";

#[derive(Args, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyArguments {
    /// Certificates to check: PEM, DER or PKCS #7 files, directories, or `-` for standard input. The first certificate of a
    /// file is the target, the others are intermediates that the client presented. In a directory all files with the
    /// extension of a certificate are checked; links to directories and folders deeper than 32 levels count as unreadable.
    #[arg(required_unless_present = "files0_from", value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Read a list of inputs from this file, each ended by a NUL, as `find -print0` writes it; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) files0_from: Option<PathBuf>,

    /// Check every certificate of a file as a target of its own, for bundles of any size.
    #[arg(long)]
    pub(crate) each: bool,

    /// How many inputs to check at once [default: twice the cores].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,

    /// Print only how many inputs had which result.
    #[arg(long, conflicts_with_all = ["explain", "dry_run"])]
    pub(crate) summary: bool,

    /// Key ring: a file, a directory of files, or a directory with anchors/, intermediates/, distrusted/.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Skip files of the ring that cannot be parsed, with a warning, instead of refusing the ring. Files in distrusted/ are
    /// never skipped.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// More intermediates, presented by the client and not trusted. Repeat the flag for each file.
    #[arg(long, value_name = "FILE")]
    pub(crate) untrusted: Vec<PathBuf>,

    /// CRLs: a PEM, DER or PKCS #7 file, or a directory of them. Repeat the flag for each: --crl a.crl --crl b.crl.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) crl: Vec<PathBuf>,

    /// OCSP responses: a PEM or DER file, or a directory of them. Repeat the flag for each.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) ocsp: Vec<PathBuf>,

    /// Check as of this time: RFC 3339, a date such as 2027-01-01 (midnight UTC), or relative: now+1d, +1d, -2h [default:
    /// now].
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,

    /// The purpose that the certificate must be issued for.
    #[arg(long, value_name = "PURPOSE", default_value = "client")]
    pub(crate) purpose: PurposeFlag,

    /// The host name or address that a server certificate must have in subjectAltName.
    #[arg(long, value_name = "NAME", value_parser = parse_server_name)]
    pub(crate) hostname: Option<ServerName<'static>>,

    /// An acceptable certificate policy. Repeat the flag for each [default: any].
    #[arg(long, value_name = "OID", value_parser = parse_oid)]
    pub(crate) policy: Vec<OidBuf>,

    /// Require an acceptable policy that holds for the whole path.
    #[arg(long)]
    pub(crate) require_explicit_policy: bool,

    /// Ignore policy mappings.
    #[arg(long)]
    pub(crate) inhibit_policy_mapping: bool,

    /// Do not accept anyPolicy in place of a named policy.
    #[arg(long)]
    pub(crate) inhibit_any_policy: bool,

    /// The most intermediates that a path may have, self-issued ones not counted; at most 90.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=90))]
    pub(crate) max_depth: u32,

    /// The shortest RSA key to accept, in bits.
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1024..=8192))]
    pub(crate) min_rsa_bits: u32,

    /// The smallest elliptic curve to accept, in bits. Curve25519 and Curve448 are always accepted.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(160..=521))]
    pub(crate) min_ec_bits: u32,

    /// Accept signatures with SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// Whether a certificate that is not self-signed may be an anchor.
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    pub(crate) partial_chain: Switch,

    /// Reject anchors outside their validity period, instead of warning.
    #[arg(long)]
    pub(crate) enforce_anchor_validity: bool,

    /// Also check rules of RFC 5280 for issuers that it does not ask validators to check.
    #[arg(long)]
    pub(crate) pedantic: bool,

    /// What to do when the revocation status is unknown.
    #[arg(long, value_name = "HOW", default_value = "hard-fail")]
    pub(crate) revocation: RevocationFlag,

    /// Which certificates must have a known status: the whole path below the anchor, or the leaf alone.
    #[arg(long, value_name = "WHICH", default_value = "chain")]
    pub(crate) scope: ScopeFlag,

    /// Which evidence to fetch first, and to report when both say the same.
    #[arg(long, value_name = "ORDER", default_value = "ocsp-first")]
    pub(crate) order: OrderFlag,

    /// Whether OCSP requests carry a nonce, and whether responses must.
    #[arg(long, value_name = "HOW", default_value = "off")]
    pub(crate) nonce: NonceFlag,

    /// Whether to fetch missing issuer certificates from the caIssuers URLs of certificates.
    #[arg(long, value_name = "ON|OFF", default_value = "off")]
    pub(crate) aia: Switch,

    /// Fetch nothing, and print what would be fetched, in this order, if each source failed.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    /// Write an HTML page with the verdict, the path, a timeline, the sources and the other paths that were tried; with an
    /// index for several inputs. The page loads nothing. An existing file is replaced.
    #[arg(long, value_name = "FILE.html", conflicts_with = "dry_run")]
    pub(crate) report: Option<PathBuf>,

    /// Also print all paths that were tried, sources, RFC sections, and the work that was done.
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
    /// Every certificate must be shown not to be revoked; otherwise the verdict is undetermined (exit code 3).
    HardFail,
    /// Accept certificates that name no source of evidence.
    IfOffered,
    /// Accept with a warning, unless the evidence is broken.
    SoftFail,
    /// Do not check revocation.
    Off,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ScopeFlag {
    /// Every certificate below the anchor.
    Chain,
    /// The leaf alone.
    Leaf,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OrderFlag {
    OcspFirst,
    CrlFirst,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum NonceFlag {
    /// Send none, so that responses can be signed ahead and cached.
    Off,
    /// Send one, and accept a response without it.
    Ask,
    /// Send one, and refuse a response without it.
    Demand,
}

fn parse_server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned())
        .map_err(|_| "neither a host name nor an IP address, such as example.com or 192.0.2.1".to_owned())
}

fn parse_oid(text: &str) -> Result<OidBuf, String> {
    OidBuf::from_dotted(text)
        .ok_or_else(|| "not an object identifier, such as 2.16.840.1.101.3.2.1.3.7".to_owned())
}
