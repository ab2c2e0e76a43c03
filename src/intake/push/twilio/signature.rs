//! Whether a webhook is the provider's: Base64 of HMAC-SHA1 over the address and every field, sorted by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;

pub(super) struct Signature {
    /// The address as the provider may have signed it.
    addresses: Vec<String>,
    token: SecretString,
}

impl Signature {
    /// A fragment (it tells the provider how to repeat) is never sent, and it is not told whether it is signed.
    pub(super) fn new(address: &str, token: SecretString) -> Self {
        let mut addresses = vec![address.to_owned()];
        addresses.extend(address.split_once('#').map(|(start, _)| start.to_owned()));
        Self { addresses, token }
    }

    /// Compares in constant time.
    pub(super) fn fits(&self, query: &str, form: &[(String, String)], presented: &[u8]) -> bool {
        let Ok(presented) = STANDARD.decode(presented) else { return false };
        let mut fields: Vec<_> = form.iter().collect();
        fields.sort_unstable();
        fields.dedup();
        let mut found = false;
        for address in &self.addresses {
            let mut code =
                Hmac::<Sha1>::new_from_slice(self.token.expose_secret().as_bytes()).expect("a key may have any length");
            code.update(address.as_bytes());
            if !query.is_empty() {
                code.update(b"?");
                code.update(query.as_bytes());
            }
            for (name, value) in &fields {
                code.update(name.as_bytes());
                code.update(value.as_bytes());
            }
            found |= code.verify_slice(&presented).is_ok();
        }
        found
    }
}
