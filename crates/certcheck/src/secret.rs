//! What nobody can guess.

use anyhow::anyhow;

use crate::hex;

/// Lower-case hexadecimal of 32 random octets: a token, or what a key of the forge is made of.
pub(crate) fn secret() -> anyhow::Result<String> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|_| anyhow!("the system has no random octets"))?;
    Ok(hex::octets(&octets))
}
