//! Texts with places for a message's values, `{"message": "{text}"}`. Pure.
//!
//! Promise: a value stays a value. Each is written in the way of the place it stands in, in one pass, so that no quote, no
//! line end and no `{title}` inside a caller's words becomes part of the text around it.

use std::fmt::Write as _;

/// The values that a text may name.
pub const PLACES: [&str; 7] = ["title", "text", "case", "verdict", "name", "number", "urgent"];

/// A message's values, in the order of [`PLACES`].
pub type Values = [String; PLACES.len()];

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Inside the quotes of a JSON string.
    Json,
    /// Percent-encoded: a form, or the part of an address behind "?".
    Form,
    /// A header: ASCII without control characters.
    Header,
    /// As it is.
    Plain,
}

impl Writing {
    /// The writing for a content type; `None` for one whose rules are not known here.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "text/plain" => Some(Self::Plain),
            "application/json" => Some(Self::Json),
            kind if kind.ends_with("+json") => Some(Self::Json),
            _ => None,
        }
    }

    fn write(self, value: &str, to: &mut String) {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                to.push_str(&quoted[1..quoted.len() - 1]);
            }
            Self::Form => value.bytes().for_each(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => to.push(char::from(byte)),
                // a string takes everything
                _ => write!(to, "%{byte:02X}").unwrap_or_default(),
            }),
            Self::Header => header(value, to),
            Self::Plain => to.push_str(value),
        }
    }
}

/// Letters beyond ASCII become what they sound like, or "?"; whatever else is no ASCII is left out.
fn header(value: &str, to: &mut String) {
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        let loud = letters.peek().is_some_and(|next| next.is_uppercase());
        match letter {
            ' '..='~' => to.push(letter),
            '\n' | '\t' => to.push(' '),
            'ä' => to.push_str("ae"),
            'ö' => to.push_str("oe"),
            'ü' => to.push_str("ue"),
            'ß' => to.push_str("ss"),
            'Ä' => to.push_str(if loud { "AE" } else { "Ae" }),
            'Ö' => to.push_str(if loud { "OE" } else { "Oe" }),
            'Ü' => to.push_str(if loud { "UE" } else { "Ue" }),
            '–' | '—' | '·' => to.push('-'),
            '„' | '“' | '”' => to.push('"'),
            letter if letter.is_alphanumeric() => to.push('?'),
            _ => {}
        }
    }
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Place(usize),
}

/// A text with places.
#[derive(Clone)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Reads a text. Only `{word}` is a place; any other brace is itself.
    ///
    /// # Errors
    /// The first word that is no value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        let mut plain = String::new();
        while let Some(open) = rest.find('{') {
            let inside = &rest[open + 1..];
            let word = inside.split('}').next().unwrap_or_default();
            let is_word = !word.is_empty() && word.len() < inside.len();
            if is_word && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                let place = PLACES.iter().position(|place| *place == word).ok_or_else(|| word.to_owned())?;
                plain.push_str(&rest[..open]);
                pieces.extend([Piece::Text(std::mem::take(&mut plain)), Piece::Place(place)]);
                rest = &inside[word.len() + 1..];
            } else {
                plain.push_str(&rest[..=open]);
                rest = inside;
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// A text that is taken as it is.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// The text with the values in it.
    #[must_use]
    pub fn fill(&self, values: &Values, writing: Writing) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Place(place) => writing.write(&values[*place], &mut filled),
            }
        }
        filled
    }

    /// The text in front of the first place.
    #[must_use]
    pub fn start(&self) -> &str {
        match self.0.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(value: &str) -> Values {
        std::array::from_fn(|_| value.to_owned())
    }

    /// What callers say, and what is made up to break out.
    fn said() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            "\"", "\\", "\n", "\r\n", "\0", "{title}", "{text}", "\u{202e}", "🚨", "&to=0900", "%22", "ü", "'", "</x>",
            "\u{2028}", "}", "\\u0022", "#", "?", ";",
        ]);
        prop::collection::vec(prop_oneof![odd.prop_map(str::to_owned), any::<String>()], 0..8)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn whatever_is_said_stays_one_json_string(value in said()) {
            let template = Template::parse(r#"{"a":{"title":"{title}"},"message":"x {text} y","priority":5}"#).unwrap();
            let filled = template.fill(&values(&value), Writing::Json);
            let json: serde_json::Value = serde_json::from_str(&filled).unwrap();
            prop_assert_eq!(&json["a"]["title"], &value);
            prop_assert_eq!(&json["message"], &format!("x {value} y"));
            prop_assert_eq!(json.as_object().unwrap().len(), 3);
        }

        #[test]
        fn whatever_is_said_stays_one_field_of_a_form_or_an_address(value in said()) {
            let template = Template::parse("to=%2B49170&text={text}&from=x").unwrap();
            let url = format!("https://sms.example/send?{}", template.fill(&values(&value), Writing::Form));
            let url = reqwest::Url::parse(&url).unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let expected = [("to", "+49170"), ("text", value.as_str()), ("from", "x")];
            prop_assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }

        #[test]
        fn whatever_is_said_stays_one_header(value in said()) {
            let filled = Template::parse("{title}").unwrap().fill(&values(&value), Writing::Header);
            prop_assert!(filled.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{:?}", filled);
        }

        #[test]
        fn plain_text_is_not_touched(value in said()) {
            let filled = Template::parse("{text}").unwrap().fill(&values(&value), Writing::Plain);
            prop_assert_eq!(filled, value);
        }

        #[test]
        fn no_text_makes_the_reader_fail(text in said()) {
            if let Ok(template) = Template::parse(&text) {
                prop_assert!(template.fill(&values("x"), Writing::Plain).len() <= text.len());
            }
        }
    }

    #[test]
    fn only_a_word_in_braces_is_a_place() {
        let filled = |text: &str| Template::parse(text).unwrap().fill(&values("v"), Writing::Plain);
        assert_eq!(filled("{title}{text}"), "vv");
        assert_eq!(filled("{ \"a\": {} } {{case}} {"), "{ \"a\": {} } {v} {");
        assert_eq!(Template::parse("x {titel} y").err().as_deref(), Some("titel"));
    }

    #[test]
    fn umlauts_survive_in_a_header() {
        let filled =
            Template::parse("{title}").unwrap().fill(&values("Müller–Größe ÜBEL é 🚨\r\nX: y"), Writing::Header);
        assert_eq!(filled, "Mueller-Groesse UEBEL ?  X: y");
    }

    #[test]
    fn the_writing_goes_by_the_content_type() {
        assert_eq!(Writing::of("application/json; charset=utf-8"), Some(Writing::Json));
        assert_eq!(Writing::of("application/vnd.api+json"), Some(Writing::Json));
        assert_eq!(Writing::of("Application/X-WWW-Form-Urlencoded"), Some(Writing::Form));
        assert_eq!(Writing::of("text/xml"), None);
    }
}
