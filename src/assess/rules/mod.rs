//! Rules over the words of a message: verdict, declaration, consent, urgency and fields, each with its proof.
//!
//! Two promises above all: an emergency is never lost to be tidy, and a consent is never made up. The way: the text is cut
//! into tokens (`text`), known concepts are marked from data (`lexicon`, `de/*.toml`), and one small function per label
//! reads the marks (`declaration`, `consent`, `state`, `noise`, `fields`, `callback`). Pure: no clock, no log, no I/O.

mod answer;
mod asked;
mod automatic;
mod binding;
mod boxes;
mod breath;
mod callback;
mod company;
mod consent;
mod contact;
mod declaration;
mod description;
mod dialect;
mod earlier;
mod error;
mod fields;
mod follow_up;
mod fragments;
mod guard;
mod introduction;
mod language;
mod leftovers;
mod lexicon;
mod mail;
mod mention;
mod names;
mod noise;
mod numbers;
mod parts;
mod pattern;
mod pieces;
mod pronouns;
mod proper;
mod revision;
mod scope;
mod shown;
mod signature;
mod state;
mod text;
mod title;
mod words;

use crate::domain::assessment::{Consent, Declaration, Fields, Finding, Missing, Polarity, Verdict};
use crate::domain::phone;
use crate::domain::tariff::Cents;
use automatic::{Automatic, automatic};
use chrono::NaiveDateTime;
pub use error::{Complaint, RulesError};
pub use follow_up::{Told, same_trouble, same_words};
pub use lexicon::Rules;
use lexicon::Scene;
pub use names::Names;
use noise::{Heard, Kind};
pub use proper::{Digits, digits, is_given_name, people, proper_words, said};
pub use shown::Shown;
use text::Text;
pub(super) use words::compared;

/// A message to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The transcript, or a mail's body.
    pub text: &'a str,
    /// A mail's subject; `None` for a voicemail.
    pub subject: Option<&'a str>,
    /// The number as displayed, unparsed.
    pub displayed: Option<&'a str>,
    /// When it was left, by the firm's clock; of several numbers the one that is valid then counts.
    pub at: Option<NaiveDateTime>,
    /// Whether it was left outside business hours.
    pub outside_hours: bool,
    /// A mail's headers, name and unfolded value; none for a voicemail.
    pub headers: &'a [(String, String)],
}

/// What the firm's terms ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'a> {
    /// The activation fee, net.
    pub fee: Cents,
    /// The firm's own numbers, E.164: repeated by a caller they are no call-back number.
    pub own_numbers: &'a [String],
}

/// What the rules say about a message. Findings quote it with byte ranges into [`Message::text`]; a finding from
/// a mail's subject has the range `(0, 0)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What it is.
    pub verdict: Verdict,
    /// Whether an emergency was declared.
    pub declaration: Declaration,
    /// Whether conditions and fee were agreed to.
    pub consent: Consent,
    /// Whether the described state stops the business or a core service now.
    pub urgent: bool,
    /// The proof; seconds and probability are the caller's to fill in.
    pub findings: Vec<Finding>,
    /// Company, contact, number, description.
    pub fields: Fields,
    /// What the terms ask for and the message lacks, in the order of the terms.
    pub missing: Vec<Missing>,
    /// ISO 639-1.
    pub language: String,
    /// Version of the rule data: the first eight hex digits of its SHA-256.
    pub rules: String,
}

/// Judges one message by the built-in rules and the firm's terms.
#[must_use]
pub fn judge(message: &Message<'_>, terms: &Terms<'_>) -> Judgement {
    judge_by(Rules::built_in(), message, terms)
}

/// Judges one message by these rules and the firm's terms.
#[must_use]
pub fn judge_by(rules: &Rules, message: &Message<'_>, terms: &Terms<'_>) -> Judgement {
    let text = Text::new(message.text);
    let language = language::of(&text);
    let scene = Scene::new(rules, text, language, terms.fee);
    let subject = message.subject.map(|subject| Scene::new(rules, Text::new(subject), language, terms.fee));

    let mut declared = declaration::read(&scene);
    let state = state::read(&scene, &declared, message.outside_hours, message.subject.is_none());
    let mut spoken = consent::read(&scene, state.urgent || scene.has("emergency"));
    let mut urgent = state.urgent;
    let mut findings = Vec::new();
    if let Some(subject) = &subject {
        let over = state.over && !urgent;
        add_subject(subject, &scene, &mut declared, &mut spoken, &mut urgent);
        urgent &= !over;
    }
    let mut fields = named(&scene, subject.as_ref(), message, terms);
    fields.description = description::of(&scene, &state.told, tells(&scene, &declared));
    // Whoever declares that it is critical and tells a fault has said that it stops him.
    let real = !state.told.is_empty() || !scene.has("errand");
    urgent |= declared.declaration == Declaration::Declared && fields.description.is_some() && real;
    let says = matches!(declared.declaration, Declaration::Declared | Declaration::Unqualified);
    let heard = Heard {
        said: says || spoken.consent != Consent::Absent,
        urgent,
        denied: declared.declaration == Declaration::Denied,
        named: fields.company.is_some() || fields.contact.is_some(),
    };
    let kind = kind(&scene, subject.as_ref(), message, heard);
    if kind != Kind::Message {
        fields.description = None;
    }
    if kind == Kind::Nobody {
        (declared.declaration, spoken.consent, urgent) = (Declaration::Absent, Consent::Absent, false);
        // Whom an automatic mail names is to be called by its readers, not to be called back.
        fields.callback = fields.callback.filter(|_| message.subject.is_none());
    } else {
        urgent &= kind != Kind::Unclear;
        findings.append(&mut declared.findings);
        findings.append(&mut spoken.findings);
        findings.extend(state.findings);
        findings.sort_by_key(|finding| finding.range);
    }
    Judgement {
        verdict: verdict(kind, declared.declaration, spoken.consent, urgent),
        declaration: declared.declaration,
        consent: spoken.consent,
        urgent,
        findings,
        missing: missing(declared.declaration, &spoken, &fields),
        fields,
        language: language.to_owned(),
        rules: rules.version().to_owned(),
    }
}

/// As [`judge_by`]; a company on the firm's list is shown by the name it has there. Nothing else depends on the list.
#[must_use]
pub fn judge_knowing(rules: &Rules, message: &Message<'_>, terms: &Terms<'_>, names: &Names) -> Judgement {
    let mut judgement = judge_by(rules, message, terms);
    names.put_into(&mut judgement, message);
    judgement
}

/// Whether words speak of an emergency, of conditions or a fee, or agree or decline: a recogniser that expects such words
/// may hear them where nobody said them.
#[must_use]
pub fn speaks_of_terms(rules: &Rules, text: &str, fee: Cents) -> bool {
    let scene = Scene::new(rules, Text::new(text), "de", fee);
    let of_terms = [
        "emergency",
        "no_emergency",
        "critical",
        "standstill",
        "conditions",
        "fee",
        "amount",
        "low_amount",
        "agree",
        "no_objection",
        "yes",
        "decline",
        "both",
        "negation",
    ];
    // also within a name: "Notfallpraxis"
    let folded = text::fold(text);
    let stems = ["notfall", "zustimm", "einverstand", "gebuehr", "bedingung", "kritisch", "akzeptier"];
    of_terms.iter().any(|concept| scene.has(concept)) || stems.iter().any(|stem| folded.contains(stem))
}

/// Whose message it is: what a mail's headers say for certain, then its words.
fn kind(scene: &Scene<'_>, subject: Option<&Scene<'_>>, message: &Message<'_>, heard: Heard) -> Kind {
    match automatic(message.headers) {
        Some(Automatic::Surely) => Kind::Nobody,
        Some(Automatic::Likely) if !heard.said && !heard.urgent => Kind::Nobody,
        _ => noise::kind(scene, subject, heard),
    }
}

/// All digits of a text in order, whether spoken ("null acht") or in figures: for digit error rates.
#[must_use]
pub fn spoken_digits(text: &str) -> String {
    callback::digits(&Text::new(text).tokens)
}

/// Company, contact and number.
fn named(scene: &Scene<'_>, subject: Option<&Scene<'_>>, message: &Message<'_>, terms: &Terms<'_>) -> Fields {
    let read = fields::read(scene, message.subject.is_some());
    let callback = callback::read(scene, message.at, terms.own_numbers);
    Fields {
        company: read.company.or_else(|| subject.and_then(fields::titled)),
        contact: read.contact,
        callback: callback.number,
        callback_doubtful: callback.doubtful,
        displayed: message.displayed.and_then(phone::e164),
        description: None,
    }
}

/// Whether somebody who speaks of an emergency must have told what it is.
fn tells(scene: &Scene<'_>, declared: &declaration::Spoken) -> bool {
    let cancelled = declared.findings.iter().any(|finding| finding.rule == "declaration.cancelled");
    declared.declaration != Declaration::Absent && !cancelled && !scene.has("errand")
}

/// The table of the firm's terms: the first row that fits.
fn verdict(kind: Kind, declaration: Declaration, consent: Consent, urgent: bool) -> Verdict {
    let agrees = !matches!(consent, Consent::Absent | Consent::Refused);
    match (kind, declaration) {
        (Kind::Nobody, _) => Verdict::Ignored,
        (Kind::Unclear, _) => Verdict::Unclear,
        (_, Declaration::Denied) => Verdict::NotEmergency,
        (_, Declaration::Declared) if consent == Consent::Full => Verdict::Confirmed,
        (_, Declaration::Declared | Declaration::Unqualified) => Verdict::Incomplete,
        _ if agrees || urgent => Verdict::Incomplete,
        _ => Verdict::NotEmergency,
    }
}

/// A subject line adds what the body lacks; it takes nothing back, and denies only what nothing in the body speaks for.
fn add_subject(
    subject: &Scene<'_>,
    body: &Scene<'_>,
    declared: &mut declaration::Spoken,
    spoken: &mut consent::Spoken,
    urgent: &mut bool,
) {
    let own = declaration::read(subject);
    let adds = matches!(own.declaration, Declaration::Declared | Declaration::Unqualified);
    let asks = subject.text.asks.contains(&true);
    let stopped = state::read(subject, &own, false, false).urgent;
    let quiet = !*urgent && spoken.consent == Consent::Absent;
    // "Notfall vom Freitag" above a question for the bill: the body tells what is meant.
    let told = quiet && declared.findings.iter().any(|finding| finding.polarity == Polarity::Mentioned);
    if own.declaration == Declaration::Denied && declared.declaration == Declaration::Absent && quiet {
        *declared = declaration::Spoken { findings: own.findings.into_iter().map(elsewhere).collect(), ..own };
    } else if adds && !asks && !told && matches!(declared.declaration, Declaration::Absent | Declaration::Unqualified) {
        let critical = body.has("critical") || body.has("standstill") || own.declaration == Declaration::Declared;
        declared.declaration = if critical { Declaration::Declared } else { Declaration::Unqualified };
        declared.findings.extend(own.findings.into_iter().map(elsewhere));
    }
    let agreed = consent::read(subject, true);
    if spoken.consent == Consent::Absent && agreed.consent == Consent::Full {
        spoken.findings.extend(agreed.findings.into_iter().map(elsewhere));
        (spoken.consent, spoken.conditions, spoken.fee) = (agreed.consent, true, true);
    }
    *urgent |= stopped && !matches!(declared.declaration, Declaration::Denied);
}

fn elsewhere(finding: Finding) -> Finding {
    Finding { range: (0, 0), ..finding }
}

fn missing(declaration: Declaration, spoken: &consent::Spoken, fields: &Fields) -> Vec<Missing> {
    [
        (declaration != Declaration::Declared, Missing::Declaration),
        (!spoken.conditions, Missing::Conditions),
        (!spoken.fee, Missing::Fee),
        (fields.company.is_none(), Missing::Company),
        (fields.contact.is_none(), Missing::Contact),
        (fields.callback.is_none() && fields.displayed.is_none(), Missing::Callback),
        (fields.description.is_none(), Missing::Description),
    ]
    .into_iter()
    .filter_map(|(lacks, what)| lacks.then_some(what))
    .collect()
}
