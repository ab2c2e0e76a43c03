//! Makes every message in every state out of some words.

use super::words::Words;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Berlin;
use nachtwache::config::{Settings, View};
use nachtwache::domain::act::{Act, Refusal};
use nachtwache::domain::assessment::{
    Assessment, Consent, ConsentDoubt, Declaration, Fields, Finding, Missing, Polarity, Subject as About, Verdict,
};
use nachtwache::domain::case::{Case, CaseId, CaseState, Note, NoteContent, Offer, Outcome, PhoneConsent, Reason};
use nachtwache::domain::drill::Reached;
use nachtwache::domain::notice::{Delivery, Menu, Notice, NoticeId, NoticeKind, Outage};
use nachtwache::domain::report::{Caller, Mail, Medium, Recording, Report, ReportId, Stage};
use nachtwache::domain::roster::{Change, ChangeKind, Shift, Why};
use nachtwache::domain::tariff::{Cents, Tariff};
use nachtwache::domain::transcript::{Doubt, Transcript, Word};
use nachtwache::escalate::face::{Subject, Wanted};
use nachtwache::store::ready::Asked;
use nachtwache::store::roster::{ChangeState, Noted};
use nachtwache::wording::commands::{self, OnDutyNow};
use nachtwache::wording::morning::{self, Agreed, Morning, Release, Told, Waiting};
use nachtwache::wording::swaps::{self, NoSwap, Swap, Swapping};
use nachtwache::wording::watch::{self, Started};
use nachtwache::wording::{self, Later, Listed, Receipted};
use uuid::Uuid;

/// One message as it is shown.
pub(super) struct Shown {
    pub(super) file: &'static str,
    pub(super) state: String,
    /// None: nothing is shown.
    pub(super) text: Option<String>,
    /// Label and data.
    pub(super) buttons: Vec<Vec<(String, String)>>,
    /// It stands under a sound.
    pub(super) caption: bool,
    /// It may need so many messages.
    pub(super) messages: usize,
    /// What must stand in it, whatever else is said.
    pub(super) keeps: Vec<String>,
}

pub(super) struct Gallery<'a> {
    words: &'a Words,
    shown: Vec<Shown>,
}

const SETTINGS: &str = r#"
[[technicians]]
name = "Anna"
telegram_chat = 101
[[technicians]]
name = "Bernd"
telegram_chat = 102
[office]
telegram_chat = -500
"#;
const BOTH: [(View, &str); 2] = [(View::Full, "full"), (View::Minimal, "minimal")];

/// So many minutes after Sa 21.11.2026 22:14 in Berlin.
fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-21T21:14:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn notice(kind: NoticeKind, to: &str) -> Notice {
    Notice {
        id: NoticeId(Uuid::from_u128(7)),
        report: Some(ReportId(Uuid::from_u128(1))),
        case: Some(CaseId(1042)),
        kind,
        recipient: to.into(),
        channel: None,
        chat: 101,
        loud: true,
        ring: 1,
        body: None,
        delivery: Delivery::Sent,
        message: Some(5),
        shown: None,
        repeated: false,
        attempt: 1,
        version: 1,
        menu: None,
        created_at: at(1),
        wanted_at: at(1),
        sent_at: Some(at(1)),
    }
}

fn alert_to(to: &str) -> Notice {
    notice(NoticeKind::Alert, to)
}

impl<'a> Gallery<'a> {
    pub(super) fn of(words: &'a Words) -> Vec<Shown> {
        let mut gallery = Self { words, shown: Vec::new() };
        gallery.open();
        gallery.taken();
        gallery.menus();
        gallery.closed();
        gallery.voice();
        gallery.texts();
        gallery.life();
        gallery.bundles();
        gallery.roster();
        gallery.swaps();
        gallery.pauses();
        gallery.watch();
        gallery.ways();
        gallery.morning();
        gallery.commands();
        gallery.answers();
        gallery.receipts();
        gallery.shown
    }

    fn settings(&self, view: View, redact: bool) -> Settings {
        let mut settings = Settings::parse(SETTINGS).unwrap();
        settings.technicians[0].name.clone_from(&self.words.anna);
        settings.technicians[1].name.clone_from(&self.words.bernd);
        settings.telegram.view = view;
        settings.telegram.redact_closed = redact;
        settings
    }

    fn say(&mut self, file: &'static str, state: &str, text: impl Into<String>) {
        self.put(file, state, Some(text.into()), Vec::new(), &[]);
    }

    fn put(
        &mut self,
        file: &'static str,
        state: &str,
        text: Option<String>,
        buttons: Vec<Vec<(String, String)>>,
        keeps: &[&str],
    ) {
        let keeps = keeps.iter().map(|kept| (*kept).to_owned()).collect();
        self.shown.push(Shown { file, state: state.into(), text, buttons, caption: false, messages: 1, keeps });
    }

    /// As a phone shows it.
    fn face(
        &mut self,
        (file, state): (&'static str, &str),
        notice: &Notice,
        subject: &Subject,
        how: (View, bool),
        keeps: &[&str],
    ) {
        let (text, buttons) = match subject.wanted(notice, &self.settings(how.0, how.1), how.0) {
            Wanted::Nothing => return self.put(file, state, None, Vec::new(), &[]),
            Wanted::Show(face, _) => (face.text, face.buttons),
        };
        let rows = buttons.into_iter().map(|row| row.into_iter().map(|key| (key.label, key.data)).collect()).collect();
        self.put(file, state, Some(text), rows, keeps);
    }

    fn report(&self, medium: Medium) -> Report {
        let sound = Recording { file: "1.wav".into(), sha256: String::new(), bytes: 1, name: "msg0000.wav".into() };
        let caller = match medium {
            Medium::Voicemail => {
                Caller { number: Some(self.words.shown_number.clone()), name: Some(self.words.shown_name.clone()) }
            }
            Medium::Email | Medium::Fax => Caller::default(),
        };
        Report {
            id: ReportId(Uuid::from_u128(1)),
            source: self.words.mailbox.clone(),
            key: "1".into(),
            mailbox: None,
            caller,
            called_at: at(0),
            stored_at: at(0),
            recording: (medium == Medium::Voicemail).then_some(sound),
            trouble: None,
            medium,
            longest_s: Some(180),
            stage: Stage::Done,
        }
    }

    fn case(verdict: Verdict) -> Case {
        Case::opened(CaseId(1042), ReportId(Uuid::from_u128(1)), verdict, false, at(1))
    }

    fn fields(&self, spoken: bool) -> Fields {
        Fields {
            company: Some(self.words.company.clone()),
            contact: Some(self.words.contact.clone()),
            callback: Some(self.words.callback.clone()),
            callback_doubtful: false,
            displayed: spoken.then(|| "+499721555017".into()),
            description: Some(self.words.description.clone()),
        }
    }

    fn found(&self, verdict: Verdict, medium: Medium) -> Assessment {
        let spoken = medium == Medium::Voicemail;
        let finding = |subject, start: f32| Finding {
            subject,
            polarity: Polarity::Holds,
            rule: "rule".into(),
            quote: self.words.quote.clone(),
            range: (0, 1),
            seconds: spoken.then_some((start, start + 2.0)),
            probability: spoken.then_some(0.9),
        };
        let confirmed = Assessment {
            verdict,
            declaration: Declaration::Declared,
            consent: Consent::Full,
            consent_doubt: None,
            urgent: true,
            findings: vec![
                finding(About::Declaration, 7.0),
                finding(About::Conditions, 31.0),
                finding(About::Fee, 33.0),
            ],
            fields: self.fields(spoken),
            missing: Vec::new(),
            tariff: Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 },
            language: "de".into(),
            remark: None,
            rules: "1".into(),
        };
        match verdict {
            Verdict::Incomplete => Assessment {
                consent: Consent::Absent,
                findings: vec![finding(About::Declaration, 7.0)],
                missing: vec![Missing::Conditions, Missing::Fee],
                ..confirmed
            },
            Verdict::Unclear => Assessment {
                declaration: Declaration::Absent,
                consent: Consent::Absent,
                findings: Vec::new(),
                fields: Fields { displayed: Some("+499721555017".into()), ..Fields::default() },
                remark: Some("NoWords: nothing".into()),
                ..confirmed
            },
            _ => confirmed,
        }
    }

    fn mail(&self) -> Mail {
        Mail {
            sender: Some(self.words.sender.clone()),
            subject: self.words.subject.clone(),
            text: self.words.letter.clone(),
            ..Mail::default()
        }
    }

    fn transcript(&self) -> Transcript {
        let word = |(at, text): (u32, &str)| Word {
            text: text.to_owned(),
            start_ms: at * 10,
            end_ms: at * 10 + 5,
            probability: 0.9,
        };
        Transcript {
            model: "m".into(),
            language: "de".into(),
            sound_ms: 47_000,
            words: (0..).zip(self.words.description.split(' ')).map(word).collect(),
            second: None,
            speech: vec![(0, 40_000)],
            doubt: None,
            remark: None,
        }
    }

    fn subject(&self, verdict: Verdict, medium: Medium) -> Subject {
        Subject {
            report: Some(self.report(medium)),
            case: Some(Self::case(verdict)),
            assessment: Some(self.found(verdict, medium)),
            transcript: (medium == Medium::Voicemail).then(|| self.transcript()),
            mail: (medium != Medium::Voicemail).then(|| self.mail()),
            ..Subject::default()
        }
    }

    fn later(count: i64) -> Vec<Later> {
        let one = |nth: i64| Later {
            at: at(5 + nth),
            medium: if nth % 3 == 2 { Medium::Email } else { Medium::Voicemail },
            verdict: Some(Verdict::Confirmed),
            same_message: nth % 4 == 1,
        };
        (0..count).map(one).collect()
    }

    fn unheard(&self, medium: Medium) -> Subject {
        let mut subject = self.subject(Verdict::Unclear, medium);
        subject.case.as_mut().unwrap().unheard = true;
        Subject { assessment: None, transcript: None, ..subject }
    }

    /// Nobody has it yet.
    fn open(&mut self) {
        use Medium::{Email, Voicemail};
        let headline = "🚨 NOTFALL BESTÄTIGT · Vorgang 1042";
        let number = "📞 +491713920027";
        let proof = ["✅ Notfall erklärt", "✅ Bedingungen", "✅ Gebühr 48,00 €", "💶 48,00 € zzgl. MwSt."];
        let all = [&[headline, number, "Frist So 22:14"][..], &proof].concat();
        let states: Vec<(&str, Subject, bool, Vec<&str>)> = vec![
            ("confirmed, voicemail", self.subject(Verdict::Confirmed, Voicemail), false, all.clone()),
            ("confirmed, e-mail", self.subject(Verdict::Confirmed, Email), false, all.clone()),
            (
                "confirmed, voicemail with mail",
                Subject { mail: Some(self.mail()), ..self.subject(Verdict::Confirmed, Voicemail) },
                false,
                all.clone(),
            ),
            ("incomplete, voicemail", self.subject(Verdict::Incomplete, Voicemail), false, vec![number, "❌ Gebühr"]),
            ("incomplete, e-mail", self.subject(Verdict::Incomplete, Email), false, vec![number]),
            ("unclear, voicemail", self.subject(Verdict::Unclear, Voicemail), false, vec!["BITTE ANHÖREN", "📞 "]),
            ("unheard, voicemail", self.unheard(Voicemail), false, vec!["🔴 NOCH NICHT ABGEHÖRT", "📞 "]),
            ("unheard, e-mail", self.unheard(Email), false, vec!["🔴 NOCH NICHT ABGEHÖRT"]),
            ("confirmed, repeated", self.subject(Verdict::Confirmed, Voicemail), true, all.clone()),
            (
                "confirmed, with later messages",
                Subject { later: Self::later(7), ..self.subject(Verdict::Confirmed, Voicemail) },
                false,
                all.clone(),
            ),
            ("consent in doubt", self.doubted(), false, vec![number, "nicht gesichert"]),
            ("second hearing is quieter", self.quieter(), false, vec![number, "nicht gesichert", "🔁 Zweite Anhörung"]),
            ("inside business hours", self.by_day(), false, vec![number, "innerhalb der Geschäftszeiten"]),
            ("cut off", self.cut_off(), false, all),
        ];
        for (state, subject, repeated, keeps) in states {
            let notice = Notice { repeated, ..alert_to(&self.words.anna) };
            self.face(("alert", &format!("{state}, full")), &notice, &subject, (View::Full, false), &keeps);
            let few = &keeps[..1.min(usize::from(keeps[0].contains("1042")))];
            self.face(("alert", &format!("{state}, minimal")), &notice, &subject, (View::Minimal, false), few);
            self.second_way(state, &notice, &subject, &keeps);
        }
    }

    fn second_way(&mut self, state: &str, notice: &Notice, subject: &Subject, keeps: &[&str]) {
        for (view, name) in BOTH {
            let Wanted::Show(face, _) = subject.wanted(notice, &self.settings(view, false), view) else { continue };
            let kept = if view == View::Full { keeps } else { &[] };
            let text = wording::by_other_way(&face.text);
            self.put("second_way", &format!("{state}, {name}"), Some(text), Vec::new(), kept);
        }
    }

    fn doubted(&self) -> Subject {
        let mut subject = self.subject(Verdict::Incomplete, Medium::Voicemail);
        let found = subject.assessment.as_mut().unwrap();
        found.consent_doubt = Some(ConsentDoubt::SecondDecode);
        found.fields.callback_doubtful = true;
        found.fields.displayed = None;
        subject
    }

    fn quieter(&self) -> Subject {
        let mut subject =
            Subject { quieter: Some(Verdict::NotEmergency), ..self.subject(Verdict::Confirmed, Medium::Voicemail) };
        let found = subject.assessment.as_mut().unwrap();
        (found.consent, found.consent_doubt) = (Consent::Absent, Some(ConsentDoubt::SecondHearing));
        subject
    }

    fn by_day(&self) -> Subject {
        let mut subject = self.subject(Verdict::Confirmed, Medium::Voicemail);
        subject.report.as_mut().unwrap().called_at = "2026-11-23T09:00:00Z".parse().unwrap();
        subject.assessment.as_mut().unwrap().tariff = Tariff::Surcharge { percent: 40 };
        subject
    }

    fn cut_off(&self) -> Subject {
        let mut subject = self.subject(Verdict::Confirmed, Medium::Voicemail);
        subject.report.as_mut().unwrap().longest_s = Some(47);
        subject
    }

    fn taken_case(&self) -> Case {
        let (taken_by, taken_at) = (Some(self.words.anna.clone()), Some(at(3)));
        Case { state: CaseState::Taken, taken_by, taken_at, eta_at: Some(at(33)), ..Self::case(Verdict::Confirmed) }
    }

    fn notes(&self) -> Vec<Note> {
        let note =
            |content| Note { id: "1".into(), case: CaseId(1042), author: self.words.anna.clone(), at: at(20), content };
        let written = || note(NoteContent::Written(self.words.note.clone()));
        let spoken = note(NoteContent::Spoken { file_id: "f".into(), seconds: 21, file: None });
        vec![written(), written(), spoken, written()]
    }

    /// Somebody has it: as he, a colleague and the office see it.
    fn taken(&mut self) {
        let with = |case: Case| Subject { case: Some(case), ..self.subject(Verdict::Confirmed, Medium::Voicemail) };
        let taken = self.taken_case();
        let called = Case { called_back_at: Some(at(15)), ..taken.clone() };
        let phone = |given| Some(PhoneConsent { given, actor: self.words.anna.clone(), at: at(16) });
        let offer = Some(Offer { to: self.words.bernd.clone(), until: at(9) });
        let states: Vec<(&str, Subject)> = vec![
            ("taken", with(taken.clone())),
            ("offer pending", with(Case { offer, ..taken.clone() })),
            ("called back", with(called.clone())),
            ("consent by phone", Subject { phone: phone(true), ..with(called.clone()) }),
            ("refused by phone", Subject { phone: phone(false), ..with(called.clone()) }),
            (
                "everything at once",
                Subject {
                    phone: phone(true),
                    notes: self.notes(),
                    later: Self::later(9),
                    mail: Some(self.mail()),
                    ..with(Case { offer: Some(Offer { to: self.words.bernd.clone(), until: at(9) }), ..called })
                },
            ),
        ];
        let readers = [self.words.anna.clone(), self.words.bernd.clone(), "office".to_owned()];
        for (state, subject) in states {
            for (reader, who) in readers.iter().zip(["him", "a colleague", "the office"]) {
                for (view, name) in BOTH {
                    let number = if view == View::Full { "📞 +491713920027" } else { "Vorgang 1042" };
                    let keeps = ["🚨 NOTFALL BESTÄTIGT · Vorgang 1042", number, "👉 übernommen von "];
                    let title = format!("{state}, to {who}, {name}");
                    self.face(("taken", &title), &alert_to(reader), &subject, (view, false), &keeps);
                }
            }
        }
    }

    fn menus(&mut self) {
        let mut subject = self.subject(Verdict::Confirmed, Medium::Voicemail);
        for (menu, state, taken) in [
            (Menu::Reason, "reason, open", false),
            (Menu::Reason, "reason, taken", true),
            (Menu::Hand, "hand, taken", true),
        ] {
            subject.case = Some(if taken { self.taken_case() } else { Self::case(Verdict::Confirmed) });
            let notice = Notice { menu: Some(menu), ..alert_to(&self.words.anna) };
            self.face(("menus", state), &notice, &subject, (View::Full, false), &[]);
        }
    }

    fn closed_case(&self, outcome: Outcome, reason: Option<Reason>) -> Case {
        let closed_by = (outcome != Outcome::Harmless).then(|| self.words.anna.clone());
        Case {
            state: CaseState::Closed,
            closed_by,
            closed_at: Some(at(50)),
            outcome: Some(outcome),
            reason,
            ..self.taken_case()
        }
    }

    fn closed(&mut self) {
        let mut ends: Vec<(String, Case)> = vec![
            ("done".into(), self.closed_case(Outcome::Done, None)),
            ("harmless".into(), self.closed_case(Outcome::Harmless, None)),
        ];
        let own = Reason::Other(self.words.reason.clone());
        for reason in Reason::NAMED.into_iter().chain([own]) {
            let word = if matches!(reason, Reason::Other(_)) { "other".to_owned() } else { reason.stored() };
            ends.push((word, self.closed_case(Outcome::NoEmergency, Some(reason))));
        }
        let headline = "🚨 NOTFALL BESTÄTIGT · Vorgang 1042";
        for (end, case) in ends {
            let subject = Subject { case: Some(case), ..self.subject(Verdict::Confirmed, Medium::Voicemail) };
            let notice = alert_to(&self.words.anna);
            self.face(
                ("closed", &format!("{end}, redacted")),
                &notice,
                &subject,
                (View::Full, true),
                &["Vorgang 1042 · "],
            );
            self.face(("closed", &format!("{end}, full")), &notice, &subject, (View::Full, false), &[headline]);
            self.face(("closed", &format!("{end}, minimal")), &notice, &subject, (View::Minimal, false), &[headline]);
        }
    }

    fn voice(&mut self) {
        let subject = |verdict| self.subject(verdict, Medium::Voicemail);
        let not_yet = || Subject { case: None, assessment: None, ..subject(Verdict::Unclear) };
        let states: Vec<(&str, Subject)> = vec![
            ("not transcribed", Subject { transcript: None, ..not_yet() }),
            ("not judged", not_yet()),
            ("confirmed", subject(Verdict::Confirmed)),
            ("unclear", subject(Verdict::Unclear)),
            ("unheard", self.unheard(Medium::Voicemail)),
            ("not an emergency", Subject { case: None, ..subject(Verdict::NotEmergency) }),
            ("ignored", Subject { case: None, ..subject(Verdict::Ignored) }),
            ("cut off", self.cut_off()),
        ];
        for (state, subject) in states {
            let notice = notice(NoticeKind::Voice, &self.words.anna);
            for (view, name) in BOTH {
                let title = format!("{state}, {name}");
                self.face(("voice", &title), &notice, &subject, (view, false), &["Neue Sprachnachricht"]);
                self.shown.last_mut().unwrap().caption = true;
            }
        }
    }

    fn texts(&mut self) {
        let voicemail = self.subject(Verdict::Confirmed, Medium::Voicemail);
        let doubted = Transcript { doubt: Some(Doubt::Improbable), ..self.transcript() };
        let silent = Transcript { words: Vec::new(), doubt: Some(Doubt::NoWords), ..self.transcript() };
        let beside = Subject { mail: Some(self.mail()), ..self.subject(Verdict::Confirmed, Medium::Voicemail) };
        let states: Vec<(&str, Subject)> = vec![
            ("transcript", voicemail),
            ("doubted", Subject { transcript: Some(doubted), ..self.subject(Verdict::Unclear, Medium::Voicemail) }),
            ("no words", Subject { transcript: Some(silent), ..self.subject(Verdict::Unclear, Medium::Voicemail) }),
            ("not yet", self.unheard(Medium::Voicemail)),
            ("letter", self.subject(Verdict::Confirmed, Medium::Email)),
            ("transcript and letter", beside),
        ];
        for (state, subject) in states {
            let notice = notice(NoticeKind::Transcript, &self.words.anna);
            for (view, name) in BOTH {
                self.face(("words", &format!("{state}, {name}")), &notice, &subject, (view, false), &["Vorgang 1042"]);
                self.shown.last_mut().unwrap().messages = 8;
            }
        }
    }

    /// Reminders, hand-over, questions.
    fn life(&mut self) {
        let base = || self.subject(Verdict::Confirmed, Medium::Voicemail);
        let with = |case: Case| Subject { case: Some(case), ..base() };
        let taken = self.taken_case();
        let (anna, bernd) = (self.words.anna.clone(), self.words.bernd.clone());
        let reminded = Case { reminded_at: Some(at(33)), ..taken.clone() };
        let unclosed = Case { called_back_at: Some(at(20)), ..reminded.clone() };
        let offered = Case { offer: Some(Offer { to: bernd.clone(), until: at(9) }), ..taken.clone() };
        let accepted = Case { taken_by: Some(bernd.clone()), ..taken.clone() };
        let remind = notice(NoticeKind::Remind, &anna);
        let again = Notice { body: Some("unclosed".into()), ..remind.clone() };
        let offer = notice(NoticeKind::Offer, &bernd);
        let ask = |about: &str| Notice { body: Some(about.into()), ..notice(NoticeKind::Question, &anna) };
        let full_offer =
            Subject { notes: self.notes(), later: Self::later(9), mail: Some(self.mail()), ..with(offered.clone()) };
        let states: Vec<(&str, Notice, Subject)> = vec![
            ("reminder", remind.clone(), with(reminded)),
            ("reminder over", remind, with(taken.clone())),
            ("unclosed", again, with(unclosed)),
            ("offer", offer.clone(), with(offered)),
            ("offer, with notes and later messages", offer.clone(), full_offer),
            ("offer accepted", offer.clone(), with(accepted)),
            ("offer declined", offer.clone(), with(taken.clone())),
            ("offer, given back", offer, base()),
            ("question: when", ask("eta"), with(taken.clone())),
            ("question: why", ask("reason"), with(taken)),
        ];
        for (state, notice, subject) in states {
            for (view, name) in BOTH {
                let number = if view == View::Full && ["reminder", "offer"].contains(&state) {
                    "📞 +491713920027"
                } else {
                    ""
                };
                self.face(
                    ("life", &format!("{state}, {name}")),
                    &notice,
                    &subject,
                    (view, false),
                    &["Vorgang 1042", number],
                );
            }
        }
        self.say("life", "offer not accepted, to the taker", wording::lapsed(CaseId(1042), &bernd));
    }

    fn bundles(&mut self) {
        for count in [1, 3, 25] {
            let one = |nth: i64| {
                let id = CaseId(1042 + nth);
                let case = match nth % 5 {
                    0 => Case { id, ..Self::case(Verdict::Confirmed) },
                    1 => Case { id, ..self.taken_case() },
                    2 => Case { id, ..self.closed_case(Outcome::Done, None) },
                    3 => Case { id, unheard: true, ..Self::case(Verdict::Unclear) },
                    _ => Case { id, ..Self::case(Verdict::Incomplete) },
                };
                Listed { case, called_at: at(nth), company: Some(self.words.company.clone()) }
            };
            let subject = Subject { listed: (0..count).map(one).collect(), ..Subject::default() };
            let notice = notice(NoticeKind::Bundle, &self.words.anna);
            for (view, name) in BOTH {
                let title = format!("{count} cases, {name}");
                self.face(("bundle", &title), &notice, &subject, (view, false), &["NACH EINER STÖRUNG", "1042"]);
            }
        }
        let listed = vec![Listed { case: self.closed_case(Outcome::Done, None), called_at: at(0), company: None }];
        let notice = notice(NoticeKind::Bundle, &self.words.anna);
        let subject = Subject { listed, ..Subject::default() };
        self.face(("bundle", "all over"), &notice, &subject, (View::Full, false), &[]);
    }

    /// Before a shift.
    fn roster(&mut self) {
        let anna = self.words.anna.clone();
        let begins = at(60);
        let asked = |ready_at| Asked {
            technician: anna.clone(),
            shift_at: begins,
            asked_at: at(0),
            reminded_at: None,
            ready_at,
            told_at: None,
            told: Vec::new(),
        };
        let ask = Notice { body: Some(begins.timestamp_millis().to_string()), ..notice(NoticeKind::Ready, &anna) };
        let again = Notice { body: Some(format!("again:{}", begins.timestamp_millis())), ..ask.clone() };
        for (state, notice, ready_at) in
            [("ready?", &ask, None), ("ready? again", &again, None), ("ready", &ask, Some(at(10)))]
        {
            let subject = Subject { asked: Some(asked(ready_at)), ..Subject::default() };
            self.face(("roster", state), notice, &subject, (View::Full, false), &[]);
        }
        self.say("roster", "ready, over", watch::ready_over());
        self.say("roster", "ready, thanks", watch::ready_thanks());
        self.say("roster", "not ready, to the office", watch::not_ready(&anna, begins, Berlin));
        self.say("roster", "ready late, to the office", watch::ready_late(&anna, begins, Berlin));
    }

    fn swaps(&mut self) {
        let (anna, bernd) = (self.words.anna.clone(), self.words.bernd.clone());
        let states = [
            ChangeState::Asked,
            ChangeState::Active,
            ChangeState::Refused,
            ChangeState::Withdrawn,
            ChangeState::Lapsed,
        ];
        for (state, name) in states.into_iter().zip(["asked", "agreed", "refused", "withdrawn", "lapsed"]) {
            let kind = ChangeKind::Override { replaces: Some(anna.clone()) };
            let change = Change { kind, technician: bernd.clone(), from: at(60), until: at(1500) };
            let id = Uuid::from_u128(9).to_string();
            let noted = Noted { id, change, state, made_by: anna.clone(), made_at: at(0) };
            for (who, to) in [(&anna, "the asker"), (&bernd, "the colleague")] {
                let subject = Subject { swap: Some(noted.clone()), ..Subject::default() };
                let notice = notice(NoticeKind::Swap, who);
                self.face(("roster", &format!("swap {name}, to {to}")), &notice, &subject, (View::Full, false), &[]);
            }
        }
        let swap = Swapping { from_whom: &anna, to_whom: &bernd, from: at(60), until: at(1500), state: Swap::Agreed };
        self.say("roster", "swapped, to the office", swaps::swapped(swap, Berlin));
        self.say("roster", "/tausch", swaps::which_shift(true));
        self.say("roster", "/tausch, no shift", swaps::which_shift(false));
        self.say("roster", "/tausch, to whom", swaps::to_whom(at(60), at(1500), true, Berlin));
        self.say("roster", "/tausch, nobody can", swaps::to_whom(at(60), at(1500), false, Berlin));
        let whys =
            [NoSwap::Over, NoSwap::AskedAlready, NoSwap::NotYours, NoSwap::NotHis, NoSwap::Away, NoSwap::Unreachable];
        for why in whys {
            self.say("roster", &format!("no swap: {why:?}"), swaps::no_swap(why));
        }
    }

    fn pauses(&mut self) {
        let (anna, bernd) = (self.words.anna.clone(), self.words.bernd.clone());
        self.say("roster", "/pause", commands::pause(None, Berlin));
        self.say("roster", "/pause, running", commands::pause(Some(at(60)), Berlin));
        self.say("roster", "pausing", commands::pausing(at(60), std::slice::from_ref(&bernd), Berlin));
        self.say("roster", "pausing, nobody covers", commands::pausing(at(60), &[], Berlin));
        self.say("roster", "pause, nobody else", commands::nobody_else(at(60), Berlin));
        self.say("roster", "pause ended", commands::pause_ended(true));
        self.say("roster", "no pause to end", commands::pause_ended(false));
        self.say("roster", "pause, to the cover", commands::covers(&anna, at(0), at(60), Berlin));
        self.say("roster", "pause, to the office", commands::pause_noted(&anna, Some(at(60)), Berlin));
        self.say("roster", "pause ended, to the office", commands::pause_noted(&anna, None, Berlin));
    }

    /// What the service says of itself.
    fn watch(&mut self) {
        let words = self.words;
        let test = notice(NoticeKind::Test, &words.anna);
        self.face(("watch", "test alarm"), &test, &Subject::default(), (View::Full, false), &["PROBEALARM"]);
        let done = Notice { body: Some("4".into()), ..test };
        self.face(("watch", "test alarm, tapped"), &done, &Subject::default(), (View::Full, false), &[]);
        self.say("watch", "test alarm, too soon", commands::test_too_soon());
        self.say("watch", "drill", watch::drill_arrived(42));
        self.say("watch", "drill, slow", watch::drill_arrived(300));
        for reached in
            [Reached::Laid, Reached::Stored, Reached::NotTranscribed, Reached::Transcribed, Reached::Assessed]
        {
            self.say("watch", &format!("drill failed, {}", reached.as_str()), watch::drill_failed(reached, 15));
        }
        let duty = [words.anna.clone(), words.bernd.clone()];
        let (sources, ways) = (vec![words.mailbox.clone(); 3], vec![words.channel.clone(); 2]);
        let many = vec![words.mailbox.clone(); 60];
        let told = Started { at: at(0), off: None, duty: &duty, sources: &sources, channels: &ways, zone: Berlin };
        self.say("watch", "first start", watch::started(&told));
        let off = Some(TimeDelta::minutes(125));
        self.say("watch", "start after a while", watch::started(&Started { off, duty: &duty[..1], ..told.clone() }));
        self.say(
            "watch",
            "start, nobody on duty",
            watch::started(&Started { off, duty: &[], channels: &[], ..told.clone() }),
        );
        self.say("watch", "start, many mailboxes", watch::started(&Started { sources: &many, ..told }));
        self.say("watch", "starts again and again", watch::restarts(5, 10));
        self.say("watch", "transcripts fall behind", watch::queue_grows(21, TimeDelta::minutes(4)));
        self.say("watch", "one transcript is late", watch::queue_grows(1, TimeDelta::minutes(11)));
        self.say("watch", "transcripts caught up", watch::queue_over(TimeDelta::minutes(75)));
        let outage = |until| Outage { source: words.mailbox.clone(), since: at(0), until, why: words.why.clone() };
        for (state, until) in [("mailbox down", None), ("mailbox back", Some(at(40)))] {
            let notice = Notice { body: Some(outage(until).body()), ..notice(NoticeKind::Outage, "office") };
            self.face(("watch", state), &notice, &Subject::default(), (View::Full, false), &["erreichbar"]);
        }
        for (kind, state) in [(NoticeKind::Text, "mailbox trouble"), (NoticeKind::Hint, "hint")] {
            let body = Some(format!("{}: {}", words.mailbox, words.why));
            let notice = Notice { body, ..notice(kind, "office") };
            self.face(("watch", state), &notice, &Subject::default(), (View::Full, false), &["ostfach"]);
        }
        self.say("watch", "cannot store", wording::cannot_store(&words.mailbox, &words.why));
    }

    fn ways(&mut self) {
        let channel = &self.words.channel;
        let down = [
            ("Telegram down", wording::telegram_down(at(0), Berlin)),
            ("Telegram down, by the other way", wording::by_other_way(&wording::telegram_down(at(0), Berlin))),
            ("Telegram back", wording::telegram_back(at(0), at(30), Berlin)),
            ("channel down", wording::channel_down(channel, at(0), Berlin)),
            ("channel back", wording::channel_back(channel, Berlin, at(30))),
        ];
        for (state, text) in down {
            self.say("ways", state, text);
        }
    }

    fn morning(&mut self) {
        let words = self.words;
        let empty = Morning { at: at(2026), since: at(0), ..Morning::default() };
        let who = || morning::who(Some(&words.company), Some(&words.callback));
        let told = |case: Case| Told { case, at: at(0), who: who(), later: 2 };
        let own = Some(Reason::Other(words.reason.clone()));
        let full = Morning {
            came: vec![
                Some(Verdict::Confirmed),
                Some(Verdict::Confirmed),
                Some(Verdict::Unclear),
                Some(Verdict::NotEmergency),
                None,
            ],
            cases: vec![
                told(Self::case(Verdict::Confirmed)),
                told(self.taken_case()),
                told(self.closed_case(Outcome::NoEmergency, Some(Reason::Misdial))),
                told(self.closed_case(Outcome::NoEmergency, own)),
            ],
            waiting: vec![Waiting { at: at(30), case: Some(CaseId(1050)), who: who() }],
            charges: vec![Release { case: CaseId(1042), net: Cents(4800), agreed: Agreed::Phone }],
            mailboxes: vec![(words.mailbox.clone(), words.why.clone())],
            gaps: vec![(at(3000), at(4000))],
            calendars: vec![words.why.clone()],
            ways: vec![words.channel.clone()],
            ..empty.clone()
        };
        let hidden = Morning {
            cases: full.cases.iter().map(|one| Told { who: None, ..one.clone() }).collect(),
            waiting: full.waiting.iter().map(|one| Waiting { who: None, ..one.clone() }).collect(),
            ..full.clone()
        };
        let long = Morning { cases: vec![told(Self::case(Verdict::Incomplete)); 30], ..full.clone() };
        for (state, list, messages) in
            [("empty", &empty, 1), ("full", &full, 1), ("full, nobody named", &hidden, 1), ("long", &long, 3)]
        {
            self.say("morning", state, morning::list(list, Berlin));
            self.shown.last_mut().unwrap().messages = messages;
        }
        self.say("morning", "subject", morning::subject(&full, Berlin));
    }

    fn help_and_page(&mut self, anna: &str) {
        let said = [
            ("/hilfe", commands::help(anna, false)),
            ("/hilfe, with a page", commands::help(anna, true)),
            ("/seite", commands::page_link(&format!("https://wache.example/eintreten/{}", "0".repeat(64)), 10)),
            ("/seite, by password", commands::page_by_password("https://wache.example")),
            ("/seite, shut out", commands::page_shut().into()),
            ("/seite, the name is taken", commands::page_name_taken(anna)),
        ];
        for (state, text) in said {
            self.say("commands", state, text);
        }
    }

    fn commands(&mut self) {
        let (anna, bernd) = (self.words.anna.clone(), self.words.bernd.clone());
        let order = vec![anna.clone(), bernd.clone()];
        let shift = Shift { from: at(60), until: at(1500), order: vec![bernd.clone(), anna.clone()], why: Why::Order };
        let words = ["everyone".to_owned(), "office".to_owned()];
        let now = OnDutyNow {
            me: &anna,
            order: &order,
            last_resort: &words,
            next: Some(&shift),
            mine: Some(&shift),
            pause: None,
        };
        self.say("commands", "/dienst", commands::on_duty(now, Berlin));
        let alone = OnDutyNow { me: &bernd, order: &order[..1], next: None, mine: None, ..now };
        self.say("commands", "/dienst, no backup", commands::on_duty(alone, Berlin));
        let gap = OnDutyNow { order: &[], pause: Some(at(60)), ..now };
        self.say("commands", "/dienst, gap and pause", commands::on_duty(gap, Berlin));
        let listed = |nth: i64| commands::Listed {
            case: match nth % 3 {
                0 => Self::case(Verdict::Confirmed),
                1 => self.taken_case(),
                _ => Case { unheard: true, ..Self::case(Verdict::Unclear) },
            },
            firm: Some(self.words.company.clone()),
            number: Some(self.words.callback.clone()),
        };
        let mut lists: Vec<(String, Vec<_>, usize)> = Vec::new();
        for (count, more) in [(0, 0), (1, 0), (3, 0), (20, 7)] {
            lists.push((format!("/offen, {count} and {more}"), (0..count).map(listed).collect(), more));
        }
        for (state, list, more) in lists {
            self.say("commands", &state, commands::open_cases(&list, more, &bernd, Berlin));
        }
        self.help_and_page(&anna);
        let said = [
            ("not understood", commands::not_understood().into()),
            ("a guest", commands::guest().into()),
            ("in a group", commands::not_here().into()),
            ("no invitation", commands::no_invitation().into()),
            ("too many codes", commands::too_many_codes().into()),
            ("phone of another", commands::phone_of_another(&bernd)),
            ("paired", commands::welcome(&anna)),
            ("paired, to the office", commands::paired(&anna)),
            ("paired, to the old phone", commands::no_longer_yours(&anna)),
        ];
        for (state, text) in said {
            self.say("commands", state, text);
        }
    }

    /// The short answers to a press: 200 characters at most.
    fn answers(&mut self) {
        let bernd = self.words.bernd.clone();
        let acts = [
            Act::Take,
            Act::Pass(1),
            Act::NoEmergency(Reason::Misdial),
            Act::Transcript,
            Act::Show,
            Act::Eta(30),
            Act::CalledBack,
            Act::Consent(true),
            Act::Consent(false),
            Act::Done,
            Act::GiveBack,
            Act::HandOver(bernd.clone()),
            Act::Accept,
            Act::Decline,
            Act::Split(1),
        ];
        for act in &acts {
            self.say(
                "answers",
                &format!("after {}", act.data(CaseId(1042)).split(&bernd).next().unwrap()),
                wording::answer(act),
            );
        }
        let refusals = [
            ("taken", Refusal::TakenBy(bernd)),
            ("closed", Refusal::Closed),
            ("not yours", Refusal::NotYours),
            ("already", Refusal::Already),
            ("not offered", Refusal::NotOffered),
            ("nobody else", Refusal::NobodyElse),
            ("no time", Refusal::NoTime),
        ];
        for (why, refusal) in &refusals {
            self.say("answers", &format!("refused: {why}"), wording::refusal(refusal));
        }
        self.say("answers", "noted", wording::noted(CaseId(1042)));
        self.say("answers", "stranger", wording::stranger());
        self.say("answers", "under way", wording::under_way());
        self.say("answers", "unknown button", wording::unknown_button());
    }

    fn receipts(&mut self) {
        let activation = Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 };
        let said = Receipted {
            case: CaseId(1042),
            at: at(0),
            zone: Berlin,
            missing: &[],
            tariff: activation,
            number: Some("+4997219782362"),
            reaction_hours: 24,
        };
        let missing = [
            Missing::Declaration,
            Missing::Conditions,
            Missing::Fee,
            Missing::Company,
            Missing::Contact,
            Missing::Callback,
            Missing::Description,
        ];
        self.say("receipt", "subject", wording::receipt_subject(CaseId(1042)));
        self.say("receipt", "nothing missing", wording::receipt(&said));
        self.say("receipt", "all missing", wording::receipt(&Receipted { missing: &missing, ..said }));
        let day = Receipted { missing: &missing, tariff: Tariff::Surcharge { percent: 40 }, number: None, ..said };
        self.say("receipt", "all missing, by day", wording::receipt(&day));
    }
}
