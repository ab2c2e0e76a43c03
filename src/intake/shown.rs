//! What telephone systems show of a caller: texts that say "withheld", and names that are the number once more. Pure.

use crate::domain::report::Caller;

/// Longer texts are cut: they come from the caller's telephone.
const LONGEST: usize = 120;
/// What stands where a number or name is withheld; a bare `0000000000` is FreeSWITCH's.
const WITHHELD: [&str; 11] = [
    "unknown",
    "anonymous",
    "unavailable",
    "restricted",
    "withheld",
    "private",
    "anonym",
    "0000000000",
    "_undef_",
    "(null)",
    "anonymous@anonymous.invalid",
];

/// The caller behind the texts that are shown.
pub(super) fn caller(number: &str, name: &str) -> Caller {
    let number = told(number);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_number = |name: &String| {
        name.chars().all(|c| c.is_ascii_digit() || " +-/().".contains(c))
            && number.as_ref().is_some_and(|number| digits(number) == digits(name))
    };
    let name = told(name).filter(|name| Some(name) != number.as_ref() && !is_number(name));
    Caller { number, name }
}

fn told(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text = text.trim();
    let withheld = text.is_empty() || WITHHELD.iter().any(|word| text.eq_ignore_ascii_case(word));
    (!withheld).then(|| text.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withheld_is_withheld_and_a_name_is_more_than_the_number() {
        let shown = |number, name| {
            let caller = caller(number, name);
            (caller.number, caller.name)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(shown("+491701234567", "Erika"), (some("+491701234567"), some("Erika")));
        assert_eq!(shown("anonymous", "Anonymous"), (None, None));
        assert_eq!(shown("", ""), (None, None));
        assert_eq!(shown("+491701234567", "+49 170 1234567"), (some("+491701234567"), None));
        assert_eq!(shown("unknown", "Müller & Söhne"), (None, some("Müller & Söhne")));
        assert_eq!(shown("0301\r\n", " a\u{0}b "), (some("0301"), some("ab")));
    }
}
