//! How a notice looks now: from what is true, never from what was true when it was planned. Pure but for reading.

use super::notifier::Face;
use super::{buttons, ready, replies};
use crate::config::{Settings, View};
use crate::domain::assessment::{Assessment, Fields, Verdict};
use crate::domain::case::{Case, CaseId, CaseState, Note, PhoneConsent};
use crate::domain::correction::What;
use crate::domain::notice::{Notice, NoticeKind, Outage, cases_of};
use crate::domain::report::{Mail, Medium, Recording, Report, ReportId};
use crate::domain::transcript::Transcript;
use crate::store::joins::Why;
use crate::store::ready::{Asked, find as find_asked};
use crate::store::roster::{self, Noted};
use crate::store::{
    Reader, StoreError, assessments, cases, consents, corrections, hearings, joins, mails, notes, reports, transcripts,
};
use crate::wording::{self, Known, Later, Listed};

/// What a phone should show of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This; the sound, if any, is still to be made.
    Show(Face, Option<Recording>),
    /// Nothing (any more).
    Nothing,
}

/// Everything a notice may be about, read anew.
#[derive(Debug, Default)]
pub struct Subject {
    /// The report.
    pub report: Option<Report>,
    /// Its case, once open.
    pub case: Option<Case>,
    /// Its assessment, once made.
    pub assessment: Option<Assessment>,
    /// Its words, once written down.
    pub transcript: Option<Transcript>,
    /// What was written.
    pub mail: Option<Mail>,
    /// The later reports that joined the case.
    pub later: Vec<Later>,
    /// What the customer said to a technician on the phone.
    pub phone: Option<PhoneConsent>,
    /// What technicians noted.
    pub notes: Vec<Note>,
    /// The swap that is asked for.
    pub swap: Option<Noted>,
    /// The cases of a list.
    pub listed: Vec<Listed>,
    /// The question before a shift.
    pub asked: Option<Asked>,
    /// What a second hearing says by itself, where it is quieter than what stands.
    pub quieter: Option<Verdict>,
}

impl Subject {
    /// Reads what is true now.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn of(notice: &Notice, reader: &mut Reader) -> Result<Self, StoreError> {
        let case = match (notice.case, notice.report) {
            (Some(id), _) => cases::find(reader, id).await?,
            (None, Some(report)) => cases::of_report(reader, report).await?,
            (None, None) => None,
        };
        let mut subject = Self { case, ..Self::default() };
        if let (NoticeKind::Bundle, Some(body)) = (notice.kind, &notice.body) {
            subject.read_listed(&cases_of(body), reader).await?;
        }
        if let Some(id) = notice.report {
            let report = reports::find(reader, id).await?;
            subject.assessment = assessments::find(reader, id).await?;
            subject.mail = mails::find(reader, id).await?.map(|(mail, _)| mail);
            if report.medium == Medium::Voicemail {
                subject.transcript = transcripts::find(reader, id).await?.map(|(transcript, _)| transcript);
                subject.read_second_hearing(id, reader).await?;
            }
            subject.report = Some(report);
        }
        if let (NoticeKind::Swap, Some(change)) = (notice.kind, &notice.body) {
            subject.swap = roster::find(reader, change).await?;
        }
        if let (NoticeKind::Alert | NoticeKind::Offer, Some(case)) = (notice.kind, subject.case.clone()) {
            subject.read_later(&case, reader).await?;
            subject.phone = consents::newest(reader, case.id).await?;
            subject.notes = notes::of_case(reader, case.id).await?;
        }
        if let Some((shift_at, _)) = ready::about(notice).filter(|_| notice.kind == NoticeKind::Ready) {
            subject.asked = find_asked(reader, &notice.recipient, shift_at).await?;
        }
        Ok(subject)
    }

    /// What the larger model heard, where that is quieter and no person listened since.
    async fn read_second_hearing(&mut self, id: ReportId, reader: &mut Reader) -> Result<(), StoreError> {
        let alone = hearings::find(reader, id).await?.and_then(|hearing| hearing.verdict);
        let stands = self.assessment.as_ref().map_or(0, |found| found.verdict.rank());
        let Some(alone) = alone.filter(|alone| alone.rank() < stands) else { return Ok(()) };
        let standing = corrections::standing(reader, id).await?;
        let listened = standing.text().is_some() || standing.correction(What::Verdict).is_some();
        self.quieter = (!listened).then_some(alone);
        Ok(())
    }

    async fn read_listed(&mut self, ids: &[CaseId], reader: &mut Reader) -> Result<(), StoreError> {
        for id in ids {
            let Some(case) = cases::find(reader, *id).await? else { continue };
            let called_at = reports::find(reader, case.report).await?.called_at;
            let company = assessments::find(reader, case.report).await?.and_then(|found| found.fields.company);
            self.listed.push(Listed { case, called_at, company });
        }
        let rank = |one: &Listed| {
            [CaseState::Open, CaseState::Taken, CaseState::Closed].iter().position(|state| *state == one.case.state)
        };
        self.listed.sort_by_key(|one| (rank(one), std::cmp::Reverse(one.case.verdict.rank()), one.case.id));
        Ok(())
    }

    fn bundle(&self, notice: &Notice, settings: &Settings, view: View) -> Wanted {
        if notice.message.is_none() && self.listed.iter().all(|one| one.case.state != CaseState::Open) {
            return Wanted::Nothing;
        }
        let hidden = |one: &Listed| Listed { company: None, ..one.clone() };
        let seen = match view {
            View::Full => self.listed.clone(),
            View::Minimal => self.listed.iter().map(hidden).collect(),
        };
        let text = wording::bundle(&seen, settings.business_hours().zone);
        Wanted::Show(Face { text, buttons: buttons::of_bundle(&seen), attachment: None }, None)
    }

    /// The later reports of a case. Where one of them raised the verdict, the alert shows its statements, and its fields
    /// where the first one has none.
    async fn read_later(&mut self, case: &Case, reader: &mut Reader) -> Result<(), StoreError> {
        for (id, why) in joins::of_case(reader, case.id).await? {
            let report = reports::find(reader, id).await?;
            let found = assessments::find(reader, id).await?;
            let verdict = found.as_ref().map(|found| found.verdict);
            let same_message = why == Why::SameMessage;
            self.later.push(Later { at: report.called_at, medium: report.medium, verdict, same_message });
            let shown = self.assessment.as_ref().map(|found| found.verdict);
            if let Some(found) = found.filter(|_| verdict == Some(case.verdict) && shown != verdict) {
                let fields = self.assessment.take().map(|first| first.fields).unwrap_or_default();
                let fields = fields.filled_from(found.fields.clone());
                self.assessment = Some(Assessment { fields, ..found });
            }
        }
        Ok(())
    }

    /// What the caller said of himself, where it was judged.
    pub(super) fn fields(&self) -> Option<&Fields> {
        self.assessment.as_ref().map(|found| &found.fields)
    }

    /// The case's verdict.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.case.as_ref().map(|case| case.verdict)
    }

    /// How the notice should look to somebody who may see so much.
    #[must_use]
    pub fn wanted(&self, notice: &Notice, settings: &Settings, view: View) -> Wanted {
        match (notice.kind, &self.report, &self.case) {
            (NoticeKind::Text, ..) => text(wording::trouble(notice.body.as_deref().unwrap_or(""))),
            (NoticeKind::Hint, ..) => text(wording::hint(notice.body.as_deref().unwrap_or(""))),
            (NoticeKind::Outage, ..) => match notice.body.as_deref().and_then(Outage::parse) {
                Some(outage) => text(wording::outage(&outage, settings.business_hours().zone)),
                None => Wanted::Nothing,
            },
            (NoticeKind::Voice, Some(report), _) => self.voice(notice, report, settings, view),
            (NoticeKind::Alert, Some(report), Some(case)) => self.alert(notice, report, case, settings, view),
            (NoticeKind::Transcript, _, Some(case)) => self.words(case, settings, view),
            (NoticeKind::Offer, Some(report), Some(case)) => self.offer(notice, report, case, settings, view),
            (NoticeKind::Remind, Some(report), Some(case)) => self.reminder(notice, report, case, settings, view),
            (NoticeKind::Question, _, Some(case)) => question(notice, case),
            (NoticeKind::Bundle, ..) => self.bundle(notice, settings, view),
            (NoticeKind::Ready, ..) => {
                let face = ready::face(notice, self.asked.as_ref(), settings.business_hours().zone);
                face.map_or(Wanted::Nothing, |face| Wanted::Show(face, None))
            }
            (NoticeKind::Drill, ..) => notice.body.clone().map_or(Wanted::Nothing, text),
            (NoticeKind::Message, ..) => text(notice.body.clone().unwrap_or_default()),
            (NoticeKind::Reply, ..) => replies::reply(notice),
            (NoticeKind::Test, ..) => replies::test(notice),
            (NoticeKind::Swap, ..) => replies::swap(notice, self.swap.as_ref(), settings),
            _ => Wanted::Nothing,
        }
    }

    /// The words themselves: never where Telegram is to see nothing of the caller, and no longer when the case is closed.
    fn words(&self, case: &Case, settings: &Settings, view: View) -> Wanted {
        let closed = case.state == CaseState::Closed && settings.telegram.redact_closed;
        match (&self.mail, view) {
            (_, View::Minimal) => Wanted::Nothing,
            _ if closed => Wanted::Nothing,
            (Some(mail), View::Full) if self.transcript.is_none() => text(wording::letter(case, mail)),
            (beside, View::Full) => {
                let words = wording::transcript(case, self.transcript.as_ref());
                let beside = beside.as_ref().map(|mail| format!("\n\n{}", wording::letter(case, mail)));
                text(words + &beside.unwrap_or_default())
            }
        }
    }

    fn voice(&self, notice: &Notice, report: &Report, settings: &Settings, view: View) -> Wanted {
        let ignored = self.assessment.as_ref().is_some_and(|found| found.verdict == Verdict::Ignored);
        let redacted =
            self.case.as_ref().is_some_and(|case| case.state == CaseState::Closed) && settings.telegram.redact_closed;
        let silent = report.medium != Medium::Voicemail || (ignored && self.case.is_none());
        // later a bot could not take it off the chat any more
        let expired = notice.body.is_some();
        if redacted || silent || expired || self.comes_too_late(notice) {
            return Wanted::Nothing;
        }
        let known = self.known(report, settings);
        match view {
            View::Full => {
                let face = Face { text: wording::first_word(&known), ..Face::default() };
                Wanted::Show(face, report.recording.clone())
            }
            // The alert says all that Telegram may see.
            View::Minimal => Wanted::Nothing,
        }
    }

    fn alert(&self, notice: &Notice, report: &Report, case: &Case, settings: &Settings, view: View) -> Wanted {
        if self.comes_too_late(notice) {
            return Wanted::Nothing;
        }
        let known = self.known(report, settings);
        let closed = case.state == CaseState::Closed;
        let words = match view {
            _ if closed && settings.telegram.redact_closed => wording::closed(case, known.zone),
            View::Full => wording::alert(&known, case, notice.repeated),
            View::Minimal => wording::minimal_alert(&known, case, notice.repeated) + &link(case, settings),
        };
        let buttons = buttons::of_alert(case, notice, u32::try_from(self.later.len()).unwrap_or(0), settings);
        Wanted::Show(Face { text: words, buttons, attachment: None }, None)
    }

    /// A colleague asks; decided, only how it was decided remains.
    fn offer(&self, notice: &Notice, report: &Report, case: &Case, settings: &Settings, view: View) -> Wanted {
        let to = notice.recipient.as_str();
        let (Some(offer), Some(from)) = (case.offer.as_ref().filter(|offer| offer.to == to), &case.taken_by) else {
            return if notice.message.is_some() { text(wording::offer_over(case, to)) } else { Wanted::Nothing };
        };
        let known = self.known(report, settings);
        let alert = match view {
            View::Full => wording::alert(&known, case, false),
            View::Minimal => wording::minimal_alert(&known, case, false) + &link(case, settings),
        };
        let text = wording::offer(case, from, offer.until, &alert, known.zone);
        Wanted::Show(Face { text, buttons: buttons::of_offer(case), attachment: None }, None)
    }

    /// The taker is asked; answered, it says so.
    fn reminder(&self, notice: &Notice, report: &Report, case: &Case, settings: &Settings, view: View) -> Wanted {
        let his = case.state == CaseState::Taken && case.taken_by.as_deref() == Some(notice.recipient.as_str());
        let called = case.called_back_at.is_some();
        let unclosed = notice.body.is_some();
        if !his || called != unclosed || case.reminded_at.is_none() {
            return if notice.message.is_some() { text(wording::remind_over(case.id)) } else { Wanted::Nothing };
        }
        let known = self.known(report, settings);
        let about = if view == View::Full { wording::about(&known) } else { Vec::new() };
        let text = if unclosed {
            wording::unclosed(case, known.zone)
        } else {
            wording::remind(case, &settings.escalation.patience(), &about, known.zone)
        };
        Wanted::Show(Face { text, buttons: buttons::of_reminder(case, unclosed), attachment: None }, None)
    }

    /// Not sent yet, and by now somebody else has the case or it is over: nobody is woken for it.
    fn comes_too_late(&self, notice: &Notice) -> bool {
        let Some(case) = &self.case else { return false };
        let others = case.taken_by.as_deref() != Some(notice.recipient.as_str());
        notice.message.is_none() && (case.state == CaseState::Closed || (case.state == CaseState::Taken && others))
    }

    fn known<'a>(&'a self, report: &'a Report, settings: &Settings) -> Known<'a> {
        let hours = settings.business_hours();
        let sound_ms = self.transcript.as_ref().map(|transcript| transcript.sound_ms).filter(|ms| *ms > 0);
        Known {
            report,
            case: self.case.as_ref(),
            assessment: self.assessment.as_ref(),
            zone: hours.zone,
            outside: !hours.is_open(report.called_at),
            reaction_hours: settings.terms.reaction_hours,
            sound_ms,
            cut_off: self.transcript.as_ref().is_some_and(|transcript| transcript.seems_cut_off(report.longest_s)),
            mail: self.mail.as_ref(),
            later: &self.later,
            phone: self.phone.as_ref(),
            notes: &self.notes,
            quieter: self.quieter,
        }
    }
}

/// To the case's page, where people have an address of it.
fn link(case: &Case, settings: &Settings) -> String {
    let web = settings.web.as_ref().filter(|web| web.public_url.is_some());
    web.map(|web| format!("\n{}", wording::link(&web.link(&format!("/vorgaenge/{}", case.id))))).unwrap_or_default()
}

/// Shown as long as it can be answered.
fn question(notice: &Notice, case: &Case) -> Wanted {
    let mine = case.taken_by.as_deref() == Some(notice.recipient.as_str());
    let about = notice.body.as_deref().unwrap_or_default();
    let open = match about {
        "eta" => case.state == CaseState::Taken && mine && case.called_back_at.is_none(),
        _ => case.state == CaseState::Open || (case.state == CaseState::Taken && mine),
    };
    if open { text(wording::question(about, case.id)) } else { Wanted::Nothing }
}

fn text(text: String) -> Wanted {
    Wanted::Show(Face { text, ..Face::default() }, None)
}
