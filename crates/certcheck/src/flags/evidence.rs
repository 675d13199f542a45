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

Exit codes: 0 shown, 1 the signature does not verify with the ring, 2 wrong usage or unreadable input.
--find and --diff do not change the exit code.";

#[derive(Args, Debug)]
#[command(after_help = CRL_EXAMPLES)]
pub(crate) struct CrlArguments {
    /// CRLs: a DER, PEM or PKCS #7 file, or `-` for standard input. Each is shown.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Verify the signature with the certificates in this key ring that have the issuer's name.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Look for a serial number, in hexadecimal, with or without colons and 0x.
    #[arg(long, value_name = "SERIAL", value_parser = parse_serial)]
    pub(crate) find: Option<SerialFlag>,

    /// Show what was added and removed since this older CRL of the same issuer and scope.
    #[arg(long, value_name = "OLD")]
    pub(crate) diff: Option<PathBuf>,

    /// How many added and how many removed entries to print as text.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// Print one JSON object a line for each CRL.
    #[arg(long)]
    pub(crate) json: bool,
}

const OCSP_EXAMPLES: &str = "\
Examples:
  certcheck ocsp answer.der
  certcheck ocsp answer.der --ring keyring/
  certcheck ocsp answer.der --ring keyring/ --cert client.pem --at 2027-01-01T00:00:00Z
  certcheck ocsp - --json < answer.der

Exit codes: 0 shown, 1 not verified or the certificate is rejected, 2 wrong usage or unreadable input,
3 undetermined.";

#[derive(Args, Debug)]
#[command(after_help = OCSP_EXAMPLES)]
pub(crate) struct OcspArguments {
    /// OCSP responses: a DER or PEM file, or `-` for standard input. Each is shown.
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Verify the signature with this key ring: by the CA itself, or by a responder that it authorized.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Check this certificate with the response as the only evidence. The first certificate of the file is the target, the
    /// others are intermediates.
    #[arg(long, value_name = "FILE", requires = "ring")]
    pub(crate) cert: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// Print one JSON object a line for each response.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A serial number as people write it, without leading zeros.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SerialFlag(pub(crate) Vec<u8>);

fn parse_serial(text: &str) -> Result<SerialFlag, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: Option<Vec<u32>> = digits
        .chars()
        .filter(|character| *character != ':')
        .map(|character| character.to_digit(16))
        .collect();
    let digits =
        digits.filter(|digits| !digits.is_empty()).ok_or("not a hexadecimal number, such as 0A:1B:2C")?;
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
