//! The command line, as clap reads it.

use std::path::PathBuf;

use certcheck_core::Time;
use certcheck_core::oid::OidBuf;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use url::Url;

/// Is this client certificate still good, right now?
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  accepted
  1  rejected
  2  usage, or input that cannot be read
  3  undetermined: the path is good, revocation could not be established
Of several inputs the worst counts: 2, then 1, then 3.

The verdict goes to standard output, all else to standard error.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  certcheck verify client.pem --ring keyring/
  certcheck verify client.pem --ring keyring/ --offline --revocation off
  certcheck verify client.pem --ring keyring/ --crl crls/ --ocsp answer.der
  certcheck verify client.pem --ring root.pem --untrusted intermediates.pem --json
  openssl s_client ... | certcheck verify - --ring keyring/
  certcheck verify *.pem --ring keyring/ --at 2027-01-01T00:00:00Z

Exit codes: 0 accepted, 1 rejected, 2 usage or unreadable input, 3 undetermined.";

const CRL_EXAMPLES: &str = "\
Examples:
  certcheck crl ca.crl
  certcheck crl ca.crl --ring keyring/ --at 2027-01-01T00:00:00Z
  certcheck crl ca.crl --find 0A:1B:2C
  certcheck crl ca.crl --diff yesterday.crl --limit 5
  curl -s http://crl.example/ca.crl | certcheck crl - --json

Exit codes: 0 told, 1 the signature does not verify with the ring, 2 usage or unreadable input.
What --find and --diff say changes nothing about them.";

const OCSP_EXAMPLES: &str = "\
Examples:
  certcheck ocsp answer.der
  certcheck ocsp answer.der --ring keyring/
  certcheck ocsp answer.der --ring keyring/ --cert client.pem --at 2027-01-01T00:00:00Z
  certcheck ocsp - --json < answer.der

Exit codes: 0 told, 1 not verified or the certificate is rejected, 2 usage or unreadable input,
3 undetermined.";

const FETCH_EXAMPLES: &str = "\
Examples:
  certcheck fetch http://crl.example/ca.crl
  certcheck fetch http://crl.example/ca.crl --ring keyring/ --out crls/
  certcheck fetch client.pem --ring keyring/

Nothing is kept; certcheck cache prefetch does that. Without --ring nothing is verified, only read.

Exit codes: 0 all came, and verifies with the ring if one is given, 1 something does not verify,
2 usage or unreadable input, 3 something did not come.";

const CACHE_EXAMPLES: &str = "\
Examples:
  certcheck cache list
  certcheck cache show http://crl.example/ca.crl
  certcheck cache clear
  certcheck cache prefetch --ring keyring/ client.pem";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a verdict for certificates.
    Verify(Box<VerifyArguments>),
    /// Tell what a key ring holds, what chains to what, what is weak, what expires.
    Ring(RingArguments),
    /// Tell what a CRL says, who signed it, whether it lists a certificate, and what is new in it.
    Crl(CrlArguments),
    /// Tell what an OCSP response says, who signed it, and what that means for a certificate.
    Ocsp(OcspArguments),
    /// Get evidence now, verify it, show it.
    Fetch(Box<FetchArguments>),
    /// Look into the evidence that is kept between runs.
    Cache(CacheArguments),
}

#[derive(Args, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyArguments {
    /// Certificates: PEM, DER or PKCS #7; `-` is standard input. Of several in one file the first is
    /// the target, the rest are presented intermediates.
    #[arg(required = true, value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Key ring: a file, a directory of files, or a directory with anchors/, intermediates/, distrusted/.
    #[arg(long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// More intermediates that are presented but not trusted.
    #[arg(long, value_name = "FILE")]
    pub(crate) untrusted: Vec<PathBuf>,

    /// CRLs, or directories of them: PEM, DER or PKCS #7.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) crl: Vec<PathBuf>,

    /// OCSP responses, or directories of them: PEM or DER.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) ocsp: Vec<PathBuf>,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    /// What the certificate is for.
    #[arg(long, value_name = "PURPOSE", default_value = "client")]
    pub(crate) purpose: PurposeFlag,

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

    /// How many intermediates a path may have, self-issued ones not counted.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) max_depth: u32,

    /// The shortest RSA key that is taken.
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1024..=8192))]
    pub(crate) min_rsa_bits: u32,

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

    #[command(flatten)]
    pub(crate) network: NetworkArguments,

    /// Ask nobody, and print what would be asked, of whom, in order, were every source to fail in its turn.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// One JSON object a line for each input.
    #[arg(long)]
    pub(crate) json: bool,

    /// Tell of all paths tried, sources asked, clauses and what was spent.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// How evidence is fetched and kept.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network and cache")]
pub(crate) struct NetworkArguments {
    /// Use no network: evidence comes from files and the cache.
    #[arg(long)]
    pub(crate) offline: bool,

    /// How long a certificate's evidence may take in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,

    /// Where evidence is kept between runs [default: ~/.cache/certcheck].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Keep nothing between runs.
    #[arg(long, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,

    /// Take CRLs out of the cache as verified: fast for large ones, and as safe as the folder is.
    #[arg(long)]
    pub(crate) trust_cache: bool,

    /// An HTTP proxy for all that is fetched.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<Url>,

    /// Addresses to which URLs may lead whatever they are: loopback, say.
    #[arg(long, value_name = "CIDR", value_parser = parse_net)]
    pub(crate) allow_net: Vec<IpNet>,

    /// A port under 1024 to which URLs may lead, beside 80, 389, 443 and 636.
    #[arg(long, value_name = "PORT")]
    pub(crate) allow_port: Vec<u16>,

    /// Refuse private addresses.
    #[arg(long)]
    pub(crate) deny_private: bool,

    /// Follow https and ldaps URLs too.
    #[arg(long)]
    pub(crate) allow_https: bool,

    /// The directory for ldap URLs without a host.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) ldap_server: Option<String>,

    /// Tell what goes on, on standard error; twice for more.
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Args, Debug)]
#[command(after_help = FETCH_EXAMPLES)]
pub(crate) struct FetchArguments {
    /// A URL, or a file with a certificate whose sources are all asked.
    #[arg(value_name = "URL|CERT")]
    pub(crate) what: String,

    /// Key ring: verifies what comes. With a certificate it is needed.
    #[arg(long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// What is at the URL.
    #[arg(long, value_name = "KIND", default_value = "crl")]
    pub(crate) kind: FetchKind,

    /// Write what comes into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Take signatures over SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,

    /// One JSON object a line for each source.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = CACHE_EXAMPLES)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Tell what is kept, a line each.
    List(CacheFolder),
    /// Tell all about what is kept under a key, or of a URL.
    Show(CacheShow),
    /// Forget what is kept: all of it, or of a URL.
    Clear(CacheClear),
    /// Get the evidence about every CA of a ring, and about certificates.
    Prefetch(Box<CachePrefetch>),
}

#[derive(Args, Debug)]
pub(crate) struct CacheFolder {
    /// Where evidence is kept [default: ~/.cache/certcheck].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CacheShow {
    /// A key as `list` tells it, or its beginning, or a URL.
    #[arg(value_name = "KEY|URL")]
    pub(crate) what: String,

    #[command(flatten)]
    pub(crate) folder: CacheFolder,
}

#[derive(Args, Debug)]
pub(crate) struct CacheClear {
    /// A key as `list` tells it, or its beginning, or a URL. All without.
    #[arg(value_name = "KEY|URL")]
    pub(crate) what: Option<String>,

    #[command(flatten)]
    pub(crate) folder: CacheFolder,
}

#[derive(Args, Debug)]
pub(crate) struct CachePrefetch {
    /// Key ring.
    #[arg(long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Certificates whose evidence is got too.
    #[arg(value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FetchKind {
    /// A CRL.
    Crl,
    /// Certificates of an issuer (caIssuers).
    Issuers,
}

#[derive(Args, Debug)]
pub(crate) struct RingArguments {
    /// Key ring: a file, a directory of files, or a directory with anchors/, intermediates/, distrusted/.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    /// How many days ahead an expiry is told of.
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    pub(crate) expires_within: u32,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = CRL_EXAMPLES)]
pub(crate) struct CrlArguments {
    /// CRLs: DER, PEM or PKCS #7; `-` is standard input. Each is told of by itself.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Verify the signature with the certificates of the issuer's name in this key ring.
    #[arg(long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Look for a serial number, in hexadecimal; colons and 0x may stand in it.
    #[arg(long, value_name = "SERIAL", value_parser = parse_serial)]
    pub(crate) find: Option<SerialFlag>,

    /// Tell what was added and removed since this older CRL of the same issuer and scope.
    #[arg(long, value_name = "OLD")]
    pub(crate) diff: Option<PathBuf>,

    /// How many of the entries that were added, and how many of those removed, are listed as text.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,

    /// Take signatures over SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    /// One JSON object a line for each CRL.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = OCSP_EXAMPLES)]
pub(crate) struct OcspArguments {
    /// OCSP responses: DER or PEM; `-` is standard input. Each is told of by itself.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Verify the signature with this key ring: by the CA that is answered for, or by whom it named for it.
    #[arg(long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Check this certificate with the response and nothing else. Of several in the file the first is the
    /// target, the rest are presented intermediates.
    #[arg(long, value_name = "FILE", requires = "ring")]
    pub(crate) cert: Option<PathBuf>,

    /// Take signatures over SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    /// One JSON object a line for each response.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A serial number as people write it: the octets without leading zeros.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SerialFlag(pub(crate) Vec<u8>);

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

fn parse_time(text: &str) -> Result<Time, String> {
    Time::from_rfc3339(text).ok_or_else(|| "not RFC 3339, such as 2027-01-01T00:00:00Z".to_owned())
}

fn parse_net(text: &str) -> Result<IpNet, String> {
    let net = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    net.map_err(|_| "not a network, such as 127.0.0.0/8 or ::1".to_owned())
}

fn parse_oid(text: &str) -> Result<OidBuf, String> {
    OidBuf::from_dotted(text).ok_or_else(|| "not a dotted object identifier".to_owned())
}

fn parse_serial(text: &str) -> Result<SerialFlag, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: Option<Vec<u32>> = digits
        .chars()
        .filter(|character| *character != ':')
        .map(|character| character.to_digit(16))
        .collect();
    let digits = digits.filter(|digits| !digits.is_empty()).ok_or("not hexadecimal, such as 0A:1B:2C")?;
    let octet = |pair: &[u32]| pair.iter().fold(0, |octet, digit| octet << 4 | digit);
    // An odd number of digits has half an octet in front.
    let octets: Vec<u8> = digits.rchunks(2).rev().filter_map(|pair| u8::try_from(octet(pair)).ok()).collect();
    Ok(SerialFlag(magnitude(&octets).to_vec()))
}

/// A number without its leading zeros.
pub(crate) fn magnitude(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_as_people_write_them() {
        for text in ["0a1b", "A:1b", "0x0A1B", "00:0A:1b", "a1b"] {
            assert_eq!(parse_serial(text), Ok(SerialFlag(vec![0x0a, 0x1b])), "{text}");
        }
        assert_eq!(parse_serial("00"), Ok(SerialFlag(Vec::new())));
        for text in ["", "0x", "xyz", "1 2", ":"] {
            assert!(parse_serial(text).is_err(), "{text}");
        }
    }
}
