//! What a press means, and doing it within one transaction.

use super::commands::Choice;
use super::{Actor, Answer, Desk};
use crate::domain::act::Act;
use crate::domain::case::{CaseId, CaseState};
use crate::domain::notice::{Menu, NoticeKind};
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, cases, notices, reactions};
use crate::wording;
use chrono::{DateTime, Utc};

/// A press on one of our buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Something is done with a case.
    Act(Act, CaseId),
    /// A menu opens, or (`None`) closes.
    Menu(CaseId, Option<Menu>),
    /// The technician is ready for the shift that begins then.
    Ready(DateTime<Utc>),
    /// The technician wants to answer in his own words: "eta" or "reason".
    Ask(CaseId, &'static str),
    /// Something is chosen that a command offered.
    Choice(Choice),
}

impl Press {
    /// Out of a button's data.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        if let Some(at) = data.strip_prefix("ready:") {
            return DateTime::from_timestamp_millis(at.parse().ok()?).map(Self::Ready);
        }
        let mut parts = data.split(':');
        let (Some(word @ ("menu" | "ask")), Some(case), Some(what), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let act = Act::parse(data).map(|(act, case)| Self::Act(act, case));
            return act.or_else(|| Choice::parse(data).map(Self::Choice));
        };
        let case = CaseId(case.parse().ok()?);
        match (word, what) {
            ("menu", "") => Some(Self::Menu(case, None)),
            ("menu", menu) => Some(Self::Menu(case, Some(Menu::parse(menu)?))),
            ("ask", "eta") => Some(Self::Ask(case, "eta")),
            ("ask", "reason") => Some(Self::Ask(case, "reason")),
            _ => None,
        }
    }
}

impl Desk {
    /// Does what a press on `message` means; what is said to the one who pressed.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub async fn pressed(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
        press: &Press,
    ) -> Result<String, StoreError> {
        Ok(match press {
            Press::Act(act, case) => match self.act_within(tx, actor, act, *case).await? {
                Answer::Done => wording::answer(act),
                Answer::Refused(refusal) => wording::refusal(&refusal),
                Answer::Unknown => wording::unknown_button().to_owned(),
            },
            Press::Ready(shift_at) => self.ready(tx, actor, *shift_at).await?,
            Press::Menu(case, menu) => {
                if let Some(message) = message {
                    reactions::set_menu(tx, actor.chat, message, *menu, self.clock.now()).await?;
                }
                self.refused(tx, actor, *case).await?.unwrap_or_default()
            }
            Press::Ask(case, about) => {
                let refused = self.refused(tx, actor, *case).await?;
                if refused.is_none() {
                    let plan = Plan::new(NoticeKind::Question, &actor.name, actor.chat);
                    let plan = Plan { case: Some(*case), body: Some((*about).to_owned()), ..plan };
                    notices::plan(tx, &plan, self.clock.now()).await?;
                }
                refused.unwrap_or_default()
            }
            Press::Choice(choice) => self.chose(tx, actor, message, choice).await?,
        })
    }

    /// Why a menu would lead nowhere, if that is so.
    async fn refused(&self, tx: &mut Tx, actor: &Actor, id: CaseId) -> Result<Option<String>, StoreError> {
        let Some(case) = cases::lock(tx, id).await? else { return Ok(Some(wording::unknown_button().to_owned())) };
        let allowed = match case.state {
            CaseState::Open => Ok(()),
            _ => case.allows(&Act::GiveBack, &actor.name, self.clock.now()),
        };
        Ok(allowed.err().map(|refusal| wording::refusal(&refusal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_buttons_are_understood() {
        let case = CaseId(1042);
        assert_eq!(Press::parse("take:1042"), Some(Press::Act(Act::Take, case)));
        assert_eq!(Press::parse("menu:1042:hand"), Some(Press::Menu(case, Some(Menu::Hand))));
        assert_eq!(Press::parse("menu:1042:"), Some(Press::Menu(case, None)));
        assert_eq!(Press::parse("ask:1042:eta"), Some(Press::Ask(case, "eta")));
        for odd in ["menu:1042", "menu:1042:all", "ask:1042:", "ask:x:eta", "menu:1:eta:2"] {
            assert_eq!(Press::parse(odd), None, "{odd}");
        }
    }
}
