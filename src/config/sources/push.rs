//! `kind = "push"`.

use crate::config::Secret;
use serde::Deserialize;

/// A peer that pushes recordings over HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Its name, unique.
    pub name: String,
    /// The bearer token by which it is known; no other peer has it.
    pub token: Secret,
    /// A second token that counts too, while the peer changes from one to the other.
    pub token_next: Option<Secret>,
    /// The mailbox of its reports where the peer names none.
    pub mailbox: Option<String>,
    /// The peer ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

impl Push {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        if let Some(longest_s) = self.longest_s {
            super::range(wrong, "longest_s", &self.name, u64::from(longest_s), 1, 86_400);
        }
    }
}
