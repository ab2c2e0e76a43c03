//! What several kinds of sources ask of their keys.

use crate::domain::phone;

/// An address that a secret is sent to: https, or this machine.
pub(super) fn address(wrong: &mut Vec<String>, key: &str, name: &str, value: &str) {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([':', '/']);
    let is_local = local.iter().any(|start| value.strip_prefix(start).is_some_and(ends));
    if !(value.starts_with("https://") || is_local) {
        wrong.push(format!(
            "sources.{key}: {value:?} does not begin with https:// (http:// only on this machine) ({name})"
        ));
    }
}

/// Numbers in the one form that is compared.
pub(super) fn numbers(wrong: &mut Vec<String>, name: &str, numbers: &[String]) {
    for number in numbers {
        if phone::e164(number).as_ref() != Some(number) {
            wrong.push(format!("sources.numbers: {number:?} is no number in the form +4997219782362 ({name})"));
        }
    }
}

/// How a provider's or PBX's mailbox is looked into.
pub(super) fn looks(wrong: &mut Vec<String>, name: &str, poll_s: u64, first_look_h: u64, longest_s: Option<u32>) {
    super::range(wrong, "poll_s", name, poll_s, 5, 3600);
    super::range(wrong, "first_look_h", name, first_look_h, 0, 720);
    if let Some(longest_s) = longest_s {
        super::range(wrong, "longest_s", name, u64::from(longest_s), 1, 36_000);
    }
}
