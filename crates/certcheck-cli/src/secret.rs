//! What nobody can guess.

use std::error::Error;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::hex;

/// Lower-case hexadecimal of 32 random octets: a token, or what a key of the forge is made of.
pub(crate) fn secret() -> Result<String, Box<dyn Error>> {
    let mut octets = [0; 32];
    SystemRandom::new().fill(&mut octets).map_err(|_| "the system has no random octets")?;
    Ok(hex::octets(&octets))
}
