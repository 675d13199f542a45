//! What nobody can guess.

use anyhow::anyhow;

use crate::hex;

/// Lower-case hexadecimal of 32 random bytes: a token, or what a key of the forge is made of.
pub(crate) fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| anyhow!("the system has no random bytes"))?;
    Ok(hex::bytes(&bytes))
}
