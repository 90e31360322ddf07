//! The publish token: the one secret a broadcaster holds. Shown once, stored only as a hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The right to publish, move and stop one stream: 32 random bytes, base64url without padding.
#[derive(Clone)]
pub struct PublishToken(String);

/// SHA-256 of a publish token: what the database keeps. The token is 256 random bits, so no salt and no slow hash
/// is needed.
#[derive(Clone, PartialEq, Eq, sea_orm::DeriveValueType)]
pub struct TokenHash(pub Vec<u8>);

impl PublishToken {
    /// How many bytes of randomness a token holds.
    pub const BYTES: usize = 32;

    /// A new token from the system's random source.
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; Self::BYTES]>()))
    }

    /// A token as a client sent it; any text is taken, and the wrong one matches no hash.
    pub fn from_client(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What is stored and compared.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).to_vec())
    }

    /// The secret itself, to hand to the broadcaster once. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PublishToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublishToken(…)")
    }
}

impl TokenHash {
    /// Whether the token is the one this hash was made of; takes as long for a wrong one as for the right one.
    pub fn matches(&self, token: &PublishToken) -> bool {
        self.0.ct_eq(&token.hash().0).into()
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_matches_its_own_hash_only_and_never_prints_itself() {
        let (token, other) = (PublishToken::generate(), PublishToken::generate());
        assert!(token.hash().matches(&token) && !token.hash().matches(&other));
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
