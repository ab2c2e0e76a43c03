//! What a message says: verdict, declaration, consent, fields, each with its proof.
//! Source of the labels: the firm's terms.

use crate::domain::tariff::Tariff;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$head:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$head])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// The word in the database, in JSON and in logs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value of such a word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a report is, and so what is done with it.
    Verdict {
        /// Declared and fully agreed.
        Confirmed = "confirmed",
        /// An emergency by its words or state, but a required statement is missing.
        Incomplete = "incomplete",
        /// Somebody speaks, but the words cannot be made out or believed.
        Unclear = "unclear",
        /// Waits for the morning.
        NotEmergency = "not_emergency",
        /// Nothing was said, or nobody said it.
        Ignored = "ignored",
    }
}

impl Verdict {
    /// How loud it is: of two verdicts about one trouble the louder one counts.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Ignored => 0,
            Self::NotEmergency => 1,
            Self::Unclear => 2,
            Self::Incomplete => 3,
            Self::Confirmed => 4,
        }
    }

    /// Whether it opens a case and wakes people.
    #[must_use]
    pub fn wakes(self) -> bool {
        matches!(self, Self::Confirmed | Self::Incomplete | Self::Unclear)
    }
}

words! {
    /// Whether the caller declared a business-critical emergency.
    Declaration {
        /// An emergency, and critical for the business.
        Declared = "declared",
        /// An emergency, nothing makes it business-critical.
        Unqualified = "unqualified",
        /// No such statement.
        Absent = "absent",
        /// Says that it is none.
        Denied = "denied",
    }
}

words! {
    /// Whether the caller agreed to the conditions and to the activation fee.
    Consent {
        /// Both.
        Full = "full",
        /// The fee, no word of conditions.
        FeeOnly = "fee_only",
        /// The conditions, no word of the fee.
        ConditionsOnly = "conditions_only",
        /// Under a condition of his own, or hedged.
        Conditional = "conditional",
        /// Declined.
        Refused = "refused",
        /// No word of it.
        Absent = "absent",
    }
}

words! {
    /// What a finding is about.
    Subject {
        /// "Notfall", and what makes it business-critical.
        Declaration = "declaration",
        /// Agreement to the conditions.
        Conditions = "conditions",
        /// Agreement to the fee.
        Fee = "fee",
        /// A standstill or an outage of a core service.
        Urgency = "urgency",
    }
}

words! {
    /// Which way a finding counts.
    Polarity {
        /// Said and meant.
        Holds = "holds",
        /// Denied or declined.
        Denied = "denied",
        /// Under a condition, hedged, asked.
        Conditional = "conditional",
        /// Only quoted, reported or known, so it does not count.
        Mentioned = "mentioned",
    }
}

/// One statement with the words that prove it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// Which way it counts.
    pub polarity: Polarity,
    /// Name of the rule that found it ("consent.fee.agree").
    pub rule: String,
    /// The caller's words, as in the text.
    pub quote: String,
    /// Byte range of the quote in the assessed text.
    pub range: (usize, usize),
    /// Seconds in the recording, filled in from the words' times; `None` for typed text.
    pub seconds: Option<(f32, f32)>,
    /// Lowest probability of the words quoted; `None` for typed text.
    pub probability: Option<f32>,
}

words! {
    /// Why words of a full consent do not count as one.
    ConsentDoubt {
        /// The second, different decode does not agree.
        SecondDecode = "second_decode",
        /// The words are improbable.
        Improbable = "improbable",
        /// They lie where nobody speaks.
        OutsideSpeech = "outside_speech",
        /// They could not be found in the recording.
        NoProof = "no_proof",
        /// The small model heard them, the larger one did not.
        SecondHearing = "second_hearing",
        /// A person heard them and wrote them down; the recogniser did not hear them so.
        Heard = "heard",
    }
}

/// A statement or field that the terms ask for and the message lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// "Unternehmenskritischer Notfall" was not declared.
    Declaration,
    /// No agreement to the conditions.
    Conditions,
    /// No agreement to the fee.
    Fee,
    /// No company.
    Company,
    /// No contact.
    Contact,
    /// No call-back number, spoken or displayed.
    Callback,
    /// No description of the fault.
    Description,
}

/// What was read out of the message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    /// The caller's own company.
    pub company: Option<String>,
    /// The person to call back.
    pub contact: Option<String>,
    /// The number he says to call back on, E.164.
    pub callback: Option<String>,
    /// The spoken number's digits are doubtful (improbable words, two different readings).
    pub callback_doubtful: bool,
    /// The displayed number, E.164.
    pub displayed: Option<String>,
    /// The sentences that describe the fault.
    pub description: Option<String>,
}

impl Fields {
    /// These, and where one is empty the other's.
    #[must_use]
    pub fn filled_from(self, other: Self) -> Self {
        let (callback, callback_doubtful) = match self.callback {
            Some(own) => (Some(own), self.callback_doubtful),
            None => (other.callback, other.callback_doubtful),
        };
        Self {
            company: self.company.or(other.company),
            contact: self.contact.or(other.contact),
            callback,
            callback_doubtful,
            displayed: self.displayed.or(other.displayed),
            description: self.description.or(other.description),
        }
    }
}

/// Verdict, findings, fields, tariff of one report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// What it is.
    pub verdict: Verdict,
    /// Whether an emergency was declared.
    pub declaration: Declaration,
    /// Whether conditions and fee were agreed to.
    pub consent: Consent,
    /// Why words of a full consent were heard and yet do not count.
    pub consent_doubt: Option<ConsentDoubt>,
    /// Whether the described state stops the business now.
    pub urgent: bool,
    /// The proof.
    pub findings: Vec<Finding>,
    /// What was read out of the message.
    pub fields: Fields,
    /// What is missing, in the order of the terms.
    pub missing: Vec<Missing>,
    /// What may be charged.
    pub tariff: Tariff,
    /// ISO 639-1 language of the message.
    pub language: String,
    /// Why the text was not judged, in English.
    pub remark: Option<String>,
    /// Version of the rules.
    pub rules: String,
}

impl Assessment {
    /// What may be counted for ever: no words, no fields.
    #[must_use]
    pub fn without_words(self) -> Self {
        Self { findings: Vec::new(), fields: Fields::default(), remark: None, ..self }
    }
}
