//! Second factors: time codes (RFC 6238: SHA-1, six digits, 30 s) of an app, and recovery codes on paper.
//!
//! Promise: only the code of now counts, and each code once; after it the session is a new one. Whoever has the database has
//! no seed (`keys.rs`). A factor that is set up is never set up anew by whoever knows the password alone.

use super::answer::{Page, Trouble, go, page, page_with};
use super::doors::{Doors, Need};
use super::enter::{Onward, local};
use super::form::{Form, Nothing, Query};
use super::frame::Frame;
use super::proxy::Address;
use super::session::Visitor;
use super::{App, Inner};
use crate::config::SecondFactor;
use crate::domain::account::{Account, Right, SessionStage};
use crate::domain::event::{Event, EventKind};
use crate::store::sound::hex;
use crate::store::{Tx, accounts, events, factors, sessions};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use totp_rs::{Builder, Totp};

/// Bytes of a seed: as long as SHA-1's result (RFC 4226, section 4).
const SEED: usize = 20;
const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code: 128 bits.
const RECOVERY: usize = 16;
/// What seeds are sealed for: in the database for the account, in the set-up form for the session.
const KEPT: &str = "totp";
const OFFERED: &str = "totp offered";

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/anmelden/zweiter", Need::Half, ask)
        .post("/anmelden/zweiter", Need::Half, enter)
        .get("/konto/zweiter", Need::Half, offer)
        .post("/konto/zweiter", Need::Half, set_up)
        .post("/konto/zweiter/ablegen", Need::Freshly(Right::Own), take_off)
        .post("/konto/zweiter/codes", Need::Freshly(Right::Own), new_codes)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: SecretString,
    #[serde(default)]
    weiter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetUp {
    samen: String,
    code: SecretString,
}

#[derive(Template)]
#[template(path = "second.html")]
struct SecondPage {
    frame: Frame,
    name: String,
    onward: String,
    wrong: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPage {
    frame: Frame,
    /// There is no way round it.
    must: bool,
    /// The seed for typing, in groups.
    seed: String,
    /// The seed for the form, sealed.
    sealed: String,
    /// Modules of the QR code's side, with its margin.
    size: usize,
    /// Its dark modules, as the path of a picture.
    dark: String,
    wrong: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
}

const NOT_RIGHT: &str = "Der Code stimmt nicht oder wurde schon benutzt. Nehmen Sie den nächsten.";

async fn ask(visitor: Visitor, Query(onward): Query<Onward>) -> Page {
    match visitor.session.stage {
        SessionStage::Full => go("/"),
        SessionStage::Enrol => go("/konto/zweiter"),
        SessionStage::Second => second_page(StatusCode::OK, visitor, onward.weiter.unwrap_or_default(), None),
    }
}

fn second_page(status: StatusCode, visitor: Visitor, onward: String, wrong: Option<&'static str>) -> Page {
    page_with(status, &SecondPage { frame: Frame::bare("Zweiter Schritt"), name: visitor.account.name, onward, wrong })
}

/// The password was right; here comes the code.
async fn enter(
    State(app): State<App>,
    visitor: Visitor,
    Address(address): Address,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Page {
    if visitor.session.stage != SessionStage::Second {
        return go("/");
    }
    app.count_code(&visitor, address, &headers)?;
    let mut tx = app.desk.store.begin().await?;
    if !app.second_fits(&mut tx, &visitor.account, form.code.expose_secret()).await? {
        drop(tx);
        app.note_refused().await?;
        return second_page(StatusCode::UNAUTHORIZED, visitor, form.weiter, Some(NOT_RIGHT));
    }
    let (account, stage) = (&visitor.account, SessionStage::Full);
    let cookie = app.begin_session(&mut tx, account, stage, &headers, &address.to_string()).await?;
    tx.commit().await?;
    app.entered(account, stage, cookie, local(&form.weiter))
}

/// Whether this visitor must go elsewhere before he may set a factor up: with the password alone nobody replaces one, and
/// who is inside proves anew who he is.
fn elsewhere(app: &App, visitor: &Visitor) -> Option<&'static str> {
    let fresh = visitor.session.is_fresh(&app.settings.lifetimes(), app.desk.clock.now());
    match visitor.session.stage {
        SessionStage::Second => Some("/anmelden/zweiter"),
        // somebody set one up meanwhile
        SessionStage::Enrol if visitor.account.has_second() => Some("/anmelden"),
        SessionStage::Full if !fresh => Some("/anmelden/bestaetigen?weiter=/konto/zweiter"),
        // by a link of his phone he comes in without one
        SessionStage::Full if !visitor.account.has_password => Some("/konto"),
        SessionStage::Enrol | SessionStage::Full => None,
    }
}

async fn offer(State(app): State<App>, visitor: Visitor) -> Page {
    if let Some(path) = elsewhere(&app, &visitor) {
        return go(path);
    }
    let mut seed = [0u8; SEED];
    getrandom::fill(&mut seed).map_err(|error| Trouble::Ours(format!("no randomness: {error}")))?;
    page(&enrol_page(&app, &visitor, &seed, None)?)
}

fn enrol_page(app: &App, visitor: &Visitor, seed: &[u8], wrong: Option<&'static str>) -> Result<EnrolPage, Trouble> {
    let totp = totp(seed, &visitor.account.name)?;
    let url = totp.to_url().map_err(|error| Trouble::Ours(error.to_string()))?;
    let (size, dark) = qr(&url)?;
    let must = visitor.session.stage == SessionStage::Enrol;
    let frame = if must { Frame::bare("Zweiter Faktor") } else { Frame::of(visitor, "", "Zweiter Faktor") };
    let sealed = app.keys.seal(OFFERED, &visitor.session.id.to_string(), seed)?;
    Ok(EnrolPage { frame, must, seed: grouped(&totp.secret().to_base32()), sealed, size, dark, wrong })
}

/// The app shows the right code: the factor counts from now on, and everybody who is inside by this account logs in anew.
async fn set_up(
    State(app): State<App>,
    visitor: Visitor,
    Address(address): Address,
    headers: HeaderMap,
    Form(form): Form<SetUp>,
) -> Page {
    if let Some(path) = elsewhere(&app, &visitor) {
        return go(path);
    }
    app.count_code(&visitor, address, &headers)?;
    let seed = app.keys.open(OFFERED, &visitor.session.id.to_string(), &form.samen);
    let seed = seed.ok_or_else(|| Trouble::Wrong("Diese Einrichtung ist abgelaufen; beginnen Sie neu.".to_owned()))?;
    let now = app.desk.clock.now();
    let Some(step) = totp(&seed, &visitor.account.name)?.check(form.code.expose_secret(), seconds(now)) else {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &enrol_page(&app, &visitor, &seed, Some(NOT_RIGHT))?);
    };
    let mut tx = app.desk.store.begin().await?;
    let account = accounts::lock(&mut tx, visitor.account.id).await?.ok_or(Trouble::Missing)?;
    if account.has_second() && visitor.session.stage == SessionStage::Enrol {
        return go("/anmelden");
    }
    let sealed = app.keys.seal(KEPT, &account.id.to_string(), &seed)?;
    factors::set_totp(&mut tx, account.id, &sealed, i64::try_from(step).unwrap_or(i64::MAX)).await?;
    let codes = recovery_codes(&mut tx, &account).await?;
    sessions::end_all(&mut tx, account.id).await?;
    let event = Event::new(now, EventKind::Account, "second factor set up").by(&account.name);
    events::append(&mut tx, &event).await?;
    let cookie = app.begin_session(&mut tx, &account, SessionStage::Full, &headers, &address.to_string()).await?;
    tx.commit().await?;
    let mut response = page(&CodesPage { frame: Frame::of(&visitor, "", "Notfallcodes"), codes })?.into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response.headers_mut().append(header::SET_COOKIE, app.known_device(account.id));
    Ok(response)
}

async fn take_off(State(app): State<App>, visitor: Visitor, Form(Nothing {}): Form<Nothing>) -> Page {
    if app.settings.second_factor == SecondFactor::Required {
        let text = "Der zweite Faktor ist hier Pflicht. Sie können ihn neu einrichten, aber nicht ablegen.";
        return Err(Trouble::Wrong(text.to_owned()));
    }
    let mut tx = app.desk.store.begin().await?;
    factors::forget(&mut tx, visitor.account.id).await?;
    sessions::end_others(&mut tx, visitor.account.id, visitor.session.id).await?;
    let event = Event::new(app.desk.clock.now(), EventKind::Account, "second factor taken off");
    events::append(&mut tx, &event.by(&visitor.account.name)).await?;
    tx.commit().await?;
    go("/konto?getan=abgelegt")
}

async fn new_codes(State(app): State<App>, visitor: Visitor, Form(Nothing {}): Form<Nothing>) -> Page {
    if !visitor.account.has_second() {
        return Err(Trouble::Wrong("Richten Sie zuerst den zweiten Faktor ein.".to_owned()));
    }
    let mut tx = app.desk.store.begin().await?;
    let codes = recovery_codes(&mut tx, &visitor.account).await?;
    let event = Event::new(app.desk.clock.now(), EventKind::Account, "new recovery codes");
    events::append(&mut tx, &event.by(&visitor.account.name)).await?;
    tx.commit().await?;
    page(&CodesPage { frame: Frame::of(&visitor, "", "Notfallcodes"), codes })
}

impl Inner {
    /// Counts a try, apart from those of the password: a code has six digits, and whoever tries it knows the password.
    fn count_code(&self, visitor: &Visitor, address: std::net::IpAddr, headers: &HeaderMap) -> Result<(), Trouble> {
        // nobody is called so: a name has no colon
        self.tries.count(&format!("{}:", visitor.account.name), address)?;
        if self.knows_device(headers, visitor.account.id) {
            return Ok(());
        }
        self.tries.count_stranger(&visitor.account.name)
    }

    /// Whether that is the code of now, or a recovery code that is left. It is used up by that, once `tx` is committed.
    pub(super) async fn second_fits(&self, tx: &mut Tx, account: &Account, code: &str) -> Result<bool, Trouble> {
        let code: String = code.chars().filter(|one| !one.is_whitespace() && *one != '-').collect();
        if code.len() == RECOVERY * 2 {
            let used = factors::use_recovery(tx, account.id, &code.to_lowercase()).await?;
            if used {
                let event = Event::new(self.desk.clock.now(), EventKind::Account, "a recovery code was used");
                events::append(tx, &event.by(&account.name)).await?;
            }
            return Ok(used);
        }
        let Some(sealed) = factors::totp(tx.reading(), account.id).await? else { return Ok(false) };
        let Some(seed) = self.keys.open(KEPT, &account.id.to_string(), &sealed) else {
            tracing::error!(
                account.id = %account.id,
                "a second factor cannot be opened: page.key is another one than it was sealed with; put it back, or \
                 `nachtwache user link NAME --reset`"
            );
            return Ok(false);
        };
        let step = totp(&seed, &account.name)?.check(&code, seconds(self.desk.clock.now()));
        match step.and_then(|step| i64::try_from(step).ok()) {
            Some(step) => Ok(factors::use_step(tx, account.id, step).await?),
            None => Ok(false),
        }
    }
}

/// Ten new ones in place of those before, as people read them.
async fn recovery_codes(tx: &mut Tx, account: &Account) -> Result<Vec<String>, Trouble> {
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0u8; RECOVERY];
        getrandom::fill(&mut bytes).map_err(|error| Trouble::Ours(format!("no randomness: {error}")))?;
        codes.push(hex(&bytes));
    }
    factors::set_recovery(tx, account.id, &codes).await?;
    Ok(codes.iter().map(|code| grouped(code)).collect())
}

/// The codes of a seed: those of the current 30 seconds only (ASVS 6.5.5).
fn totp(seed: &[u8], name: &str) -> Result<Totp, Trouble> {
    Builder::new()
        .with_secret(seed)
        .with_skew(0)
        .with_issuer(Some("Nachtwache"))
        .with_account_name(name)
        .build()
        .map_err(|error| Trouble::Ours(format!("no time codes: {error}")))
}

fn seconds(now: chrono::DateTime<chrono::Utc>) -> u64 {
    u64::try_from(now.timestamp()).unwrap_or_default()
}

/// In groups of four, so that people find their place again.
fn grouped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// A QR code as the side's length in modules and a path over its dark ones. No picture of others, no markup made here.
fn qr(text: &str) -> Result<(usize, String), Trouble> {
    /// Light modules around it (ISO 18004).
    const MARGIN: usize = 4;
    let code = qrcode::QrCode::new(text).map_err(|error| Trouble::Ours(error.to_string()))?;
    let width = code.width();
    let colors = code.to_colors();
    let dark = colors.iter().enumerate().filter(|(_, color)| **color == qrcode::Color::Dark);
    let path = dark.map(|(at, _)| format!("M{} {}h1v1h-1z", at % width + MARGIN, at / width + MARGIN));
    Ok((width + 2 * MARGIN, path.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_one_of_the_standard_and_of_now_only() {
        // RFC 6238, appendix B, cut to six digits
        let totp = totp(b"12345678901234567890", "Petra").unwrap();
        assert_eq!(totp.check("287082", 59), Some(1));
        assert_eq!(totp.check("287082", 60), None, "the step before");
        assert_eq!(totp.check("287082", 29), None, "the step after");
        let url = totp.to_url().unwrap();
        assert!(url.starts_with("otpauth://totp/Nachtwache:Petra?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{url}");
    }

    #[test]
    fn a_qr_code_has_its_finder_and_its_margin() {
        let (size, path) = qr("otpauth://totp/x").unwrap();
        assert!(size > 21 + 8);
        assert!(path.starts_with("M4 4h1v1h-1z"), "{path}");
        assert_eq!(grouped("abcdefghij"), "abcd-efgh-ij");
    }
}
