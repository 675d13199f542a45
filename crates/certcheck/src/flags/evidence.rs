//! `certcheck crl` and `certcheck ocsp`.

use std::path::PathBuf;

use clap::Args;

use super::AskedArguments;

const CRL_EXAMPLES: &str = "\
Examples:
  certcheck crl ca.crl
  certcheck crl ca.crl --ring keyring/ --at 2027-01-01T00:00:00Z
  certcheck crl ca.crl --find 0A:1B:2C
  certcheck crl ca.crl --diff yesterday.crl --limit 5
  curl -s http://crl.example/ca.crl | certcheck crl - --json

Exit codes: 0 told, 1 the signature does not verify with the ring, 2 usage or unreadable input.
What --find and --diff say changes nothing about them.";

#[derive(Args, Debug)]
#[command(after_help = CRL_EXAMPLES)]
pub(crate) struct CrlArguments {
    /// CRLs: DER, PEM or PKCS #7; `-` is standard input. Each is told of by itself.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Verify the signature with the certificates of the issuer's name in this key ring.
    #[arg(short, long, value_name = "PATH")]
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

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// One JSON object a line for each CRL.
    #[arg(long)]
    pub(crate) json: bool,
}

const OCSP_EXAMPLES: &str = "\
Examples:
  certcheck ocsp answer.der
  certcheck ocsp answer.der --ring keyring/
  certcheck ocsp answer.der --ring keyring/ --cert client.pem --at 2027-01-01T00:00:00Z
  certcheck ocsp - --json < answer.der

Exit codes: 0 told, 1 not verified or the certificate is rejected, 2 usage or unreadable input,
3 undetermined.";

#[derive(Args, Debug)]
#[command(after_help = OCSP_EXAMPLES)]
pub(crate) struct OcspArguments {
    /// OCSP responses: DER or PEM; `-` is standard input. Each is told of by itself.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Verify the signature with this key ring: by the CA that is answered for, or by whom it named for it.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Check this certificate with the response and nothing else. Of several in the file the first is the
    /// target, the rest are presented intermediates.
    #[arg(long, value_name = "FILE", requires = "ring")]
    pub(crate) cert: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// One JSON object a line for each response.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A serial number as people write it: the bytes without leading zeros.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SerialFlag(pub(crate) Vec<u8>);

fn parse_serial(text: &str) -> Result<SerialFlag, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: Option<Vec<u32>> = digits
        .chars()
        .filter(|character| *character != ':')
        .map(|character| character.to_digit(16))
        .collect();
    let digits = digits.filter(|digits| !digits.is_empty()).ok_or("not hexadecimal, such as 0A:1B:2C")?;
    let byte = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    // An odd number of digits has half a byte in front.
    let bytes: Vec<u8> = digits.rchunks(2).rev().filter_map(|pair| u8::try_from(byte(pair)).ok()).collect();
    Ok(SerialFlag(magnitude(&bytes).to_vec()))
}

/// A number without its leading zeros.
pub(crate) fn magnitude(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
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
