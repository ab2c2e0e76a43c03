//! Browsers that somebody logged in with before: strangers who try his name often cannot lock him out of them (OWASP:
//! device cookies). The cookie opens nothing by itself.

use super::Inner;
use super::session::{cookie, set_cookie};
use crate::domain::account::AccountId;
use crate::store::sound::hex;
use axum::http::{HeaderMap, HeaderValue};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const COOKIE: &str = "__Host-geraet";
/// Known for so long.
const SECONDS: i64 = 180 * 24 * 3600;

impl Inner {
    /// This browser is known from now on as one of that account.
    pub(super) fn known_device(&self, account: AccountId) -> HeaderValue {
        let until = self.desk.clock.now().timestamp() + SECONDS;
        let said = format!("{account}.{until}");
        set_cookie(COOKIE, &format!("{said}.{}", self.sign(&said)), Some(SECONDS))
    }

    /// Whether somebody logged into that account with this browser before.
    pub(super) fn knows_device(&self, headers: &HeaderMap, account: AccountId) -> bool {
        let known = || {
            let (said, signature) = cookie(headers, COOKIE)?.rsplit_once('.')?;
            let (id, until) = said.split_once('.')?;
            let lasts = until.parse::<i64>().ok()? > self.desk.clock.now().timestamp();
            Some(lasts && id == account.to_string() && self.is_signed(said, signature))
        };
        known().unwrap_or(false)
    }

    fn mac(&self, said: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.keys.purpose("device")).expect("any length is a key");
        mac.update(said.as_bytes());
        mac
    }

    fn sign(&self, said: &str) -> String {
        hex(&self.mac(said).finalize().into_bytes())
    }

    fn is_signed(&self, said: &str, signature: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        bool::from(self.sign(said).as_bytes().ct_eq(signature.as_bytes()))
    }
}
