//! Phone numbers as E.164, and how a person reads them.
//!
//! What is dialable is the library's word (Google's numbering plans), with Germany as the home region. Service and
//! emergency numbers (110, 112, 116117) and internal extensions (`**620`, `33`) are no call-back numbers: they give `None`.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// A number in any usual form ("0170 1234567", "+49170…", "004917…", "sip:+49…@pbx") as E.164; `None` for a
/// withheld, unknown, internal or impossible one.
#[must_use]
pub fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("sip:").or_else(|| text.strip_prefix("tel:")).unwrap_or(text);
    let text = text.split('@').next().unwrap_or(text);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    // Letters are refused here because the library would read them as keypad letters ("0800 FLOWERS").
    if !(6..=17).contains(&digits) || !text.chars().all(is_written) || text.rfind('+').is_some_and(|at| at > 0) {
        return None;
    }
    // In Germany nobody dials a foreign-looking or local number without 0, 00 or +.
    if !text.starts_with(['0', '+', '(']) {
        return None;
    }
    let number = PHONE_NUMBER_UTIL.parse(text, Some(Region::DE)).ok()?;
    PHONE_NUMBER_UTIL
        .is_valid_number(&number)
        .then(|| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
}

/// Whether a number may be written with this character: its digits and what groups them.
#[must_use]
pub fn is_written(character: char) -> bool {
    character.is_ascii_digit() || " +-/().\u{a0}\u{2011}\u{2013}".contains(character)
}

/// An E.164 number in groups for reading, "+49 9721 555017"; what cannot be read is given back unchanged.
#[must_use]
pub fn spaced(e164: &str) -> String {
    PHONE_NUMBER_UTIL.parse(e164, Some(Region::DE)).map_or_else(
        |_| e164.to_owned(),
        |number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::International).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_gives_the_same_number() {
        for form in [
            "0170 1234567",
            "+491701234567",
            "00491701234567",
            "0170/1234567",
            "+49 (0)170 1234567",
            "(0170) 12 34-567",
        ] {
            assert_eq!(e164(form).as_deref(), Some("+491701234567"), "{form}");
        }
        assert_eq!(e164("sip:+491701234567@fritz.box").as_deref(), Some("+491701234567"));
        assert_eq!(e164("09721 555017").as_deref(), Some("+499721555017"));
        assert_eq!(e164("0041 79 555 01 23").as_deref(), Some("+41795550123"));
    }

    #[test]
    fn what_cannot_be_called_back_is_none() {
        for form in
            ["", "anonymous", "unknown", "**620", "33", "112", "110", "116117", "0", "+", "0171 39", "not a number"]
        {
            assert_eq!(e164(form), None, "{form}");
        }
    }

    #[test]
    fn a_number_is_spaced_for_reading() {
        assert_eq!(spaced("+499721555017"), "+49 9721 555017");
        assert_eq!(spaced("?"), "?");
    }
}
