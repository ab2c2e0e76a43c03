//! "/offen": the open and taken cases, newest last, each with the buttons to see and to take it.

use crate::acknowledge::Desk;
use crate::config::View;
use crate::domain::act::Act;
use crate::domain::case::{Case, CaseState};
use crate::domain::notice::Said;
use crate::domain::phone;
use crate::store::{Reader, StoreError, assessments, cases, reports};
use crate::wording::{self, commands as words, commands::Listed};

/// So many are listed; older ones are counted.
const LISTED: usize = 20;

impl Desk {
    pub(super) async fn open_cases(&self, me: &str) -> Result<Said, StoreError> {
        let mut reader = self.store.read().await?;
        let mut all = cases::unclosed(&mut reader).await?;
        let more = all.len().saturating_sub(LISTED);
        let mut listed = Vec::new();
        for case in all.drain(more..) {
            listed.push(self.listed(&mut reader, case).await?);
        }
        drop(reader);
        let key = |label: String, act: Act, case: &Case| (label, act.data(case.id));
        let keys = listed.iter().map(|Listed { case, .. }| {
            let take = (case.state == CaseState::Open).then(|| key(wording::take(case.id), Act::Take, case));
            std::iter::once(key(wording::show(case.id), Act::Show, case)).chain(take).collect()
        });
        let keys = keys.collect();
        Ok(Said { text: words::open_cases(&listed, more, me, self.settings.business_hours().zone), keys })
    }

    /// What Telegram may see of a case.
    async fn listed(&self, reader: &mut Reader, case: Case) -> Result<Listed, StoreError> {
        if self.settings.telegram.view == View::Minimal {
            return Ok(Listed { case, firm: None, number: None });
        }
        let fields = assessments::find(reader, case.report).await?.map(|found| found.fields).unwrap_or_default();
        let displayed = reports::find(reader, case.report).await?.caller.number;
        let displayed = displayed.map(|number| phone::e164(&number).unwrap_or(number));
        Ok(Listed { case, firm: fields.company, number: fields.callback.or(displayed) })
    }
}
