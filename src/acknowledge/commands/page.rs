//! "/seite": a technician's phone asks to be let into the page.
//!
//! Promise: only a technician's account is opened by a phone; whoever may do more has a password and a second factor. The
//! link is kept as a hash, is good for ten minutes and once; neither log nor event knows it.

use crate::acknowledge::{Actor, Desk};
use crate::config::Web;
use crate::domain::account::{Account, Role};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::Said;
use crate::store::accounts::{self, Purpose};
use crate::store::{StoreError, Tx, events};
use crate::wording::commands as words;
use chrono::TimeDelta;

/// A link is valid for so many minutes.
const VALID_MIN: i64 = 10;

impl Desk {
    pub(super) async fn let_into_page(&self, tx: &mut Tx, actor: &Actor) -> Result<(), StoreError> {
        let Some(web) = &self.settings.web else { return Ok(()) };
        let said = if let Some(account) = accounts::of_technician(tx.reading(), &actor.name).await? {
            self.link_for(tx, &account, web).await?
        } else {
            let account = Account::new(&actor.name, Role::Technician, Some(actor.name.clone()), self.clock.now());
            if accounts::add(tx, &account).await? {
                self.note_account(tx, &account, "added by his phone: technician").await?;
                self.link_for(tx, &account, web).await?
            } else {
                words::page_name_taken(&actor.name)
            }
        };
        self.reply(tx, actor, &Said::only(said)).await
    }

    async fn link_for(&self, tx: &mut Tx, account: &Account, web: &Web) -> Result<String, StoreError> {
        if account.disabled_at.is_some() {
            return Ok(words::page_shut().to_owned());
        }
        if account.role != Role::Technician {
            return Ok(words::page_by_password(&web.origin()));
        }
        let token = accounts::token()?;
        let now = self.clock.now();
        accounts::link(tx, account.id, Purpose::Enter, &token, now, now + TimeDelta::minutes(VALID_MIN)).await?;
        self.note_account(tx, account, "link asked for by his phone").await?;
        Ok(words::page_link(&web.link(&format!("/eintreten/{token}")), VALID_MIN))
    }

    async fn note_account(&self, tx: &mut Tx, account: &Account, what: &str) -> Result<(), StoreError> {
        let event = Event::new(self.clock.now(), EventKind::Account, format!("{}: {what}", account.name));
        events::append(tx, &event.by(&account.name)).await
    }
}
