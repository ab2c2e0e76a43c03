//! Tokens by OAuth 2: kept until shortly before they end, come by anew, a rotated refresh token remembered.
//!
//! Secrets go to the token's address only, never along a redirect; no answer's text reaches an error text.

use crate::config::Flow;
use crate::intake::memory::Memory;
use crate::intake::source::SourceError;
use crate::store::sound::sha256;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// The name under which a refresh token is remembered.
const REMEMBERED: &str = "refresh token";
/// A token is replaced so long before it ends.
const EARLY: Duration = Duration::from_mins(5);
/// No answer of the token's address is longer.
const LONGEST_ANSWER: usize = 256 * 1024;
/// No token is believed to last longer, in seconds.
const LONGEST_TOKEN_S: u64 = 86_400;
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How tokens are come by.
#[derive(Debug, Clone)]
pub struct OAuthSettings {
    /// The way.
    pub flow: Flow,
    /// Where tokens are given out.
    pub token_url: String,
    /// Where a device code is given out.
    pub device_url: String,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Option<SecretString>,
    /// The refresh token from the settings.
    pub refresh_token: Option<SecretString>,
    /// What is asked for.
    pub scope: String,
}

/// What a person has to do: open the address, type the code.
#[derive(Debug, Clone)]
pub struct DeviceCode {
    /// The address to open.
    pub address: String,
    /// The code to type.
    pub code: String,
    secret: SecretString,
    interval: Duration,
    ends: Instant,
}

/// The tokens of one source.
#[derive(Debug)]
pub struct Tokens {
    settings: OAuthSettings,
    memory: Memory,
    http: Option<reqwest::Client>,
    patience: Duration,
    kept: Option<(SecretString, Instant)>,
}

#[derive(Deserialize)]
struct Given {
    access_token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    expires_in: Option<u64>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(rename = "device_code")]
    secret: SecretString,
    #[serde(rename = "user_code")]
    shown: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: Option<u64>,
    interval: Option<u64>,
}

impl Tokens {
    /// Nothing is asked for yet. `patience`: no answer may take longer.
    #[must_use]
    pub fn new(settings: OAuthSettings, memory: Memory, patience: Duration) -> Self {
        Self { settings, memory, http: None, patience, kept: None }
    }

    /// A token that holds for a while; with `fresh` not the one that was given out last.
    ///
    /// # Errors
    /// `Unreachable` where the token's address does not answer well; `Refused` where a person must do something.
    pub async fn token(&mut self, fresh: bool) -> Result<SecretString, SourceError> {
        if let Some((token, until)) = &self.kept
            && !fresh
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        self.kept = None;
        let refresh = if self.settings.flow == Flow::Client { None } else { Some(self.refresh_token().await?) };
        let mut form = vec![("client_id", self.settings.client_id.clone()), ("scope", self.settings.scope.clone())];
        match &refresh {
            None => form.push(("grant_type", "client_credentials".into())),
            Some(refresh) => {
                form.push(("grant_type", "refresh_token".into()));
                form.push(("refresh_token", refresh.expose_secret().to_owned()));
            }
        }
        let given = self.post(&self.settings.token_url.clone(), form).await?;
        self.keep(given).await
    }

    /// Asks for a code that a person types in at the provider.
    ///
    /// # Errors
    /// As `token`.
    pub async fn device_code(&mut self) -> Result<DeviceCode, SourceError> {
        let form = vec![("client_id", self.settings.client_id.clone()), ("scope", self.settings.scope.clone())];
        let url = self.settings.device_url.clone();
        let answer = self.ask(&url, form).await?;
        let Ok(code) = serde_json::from_slice::<Code>(&answer) else {
            return match serde_json::from_slice::<Given>(&answer).ok().and_then(|given| given.error) {
                Some(error) => Err(self.refused(&url, &error)),
                None => Err(garbage(&url)),
            };
        };
        Ok(DeviceCode {
            address: code.verification_uri,
            code: code.shown,
            secret: code.secret,
            interval: Duration::from_secs(code.interval.unwrap_or(5).clamp(1, 60)),
            ends: Instant::now() + Duration::from_secs(code.expires_in.unwrap_or(900).min(3600)),
        })
    }

    /// Waits until the person has typed the code, and remembers the refresh token.
    ///
    /// # Errors
    /// `Refused` where he declined or was too slow; `Unreachable` as `token`.
    pub async fn wait_for(&mut self, code: DeviceCode) -> Result<(), SourceError> {
        let mut interval = code.interval;
        let url = self.settings.token_url.clone();
        while Instant::now() < code.ends {
            tokio::time::sleep(interval).await;
            let form = vec![
                ("client_id", self.settings.client_id.clone()),
                ("grant_type", DEVICE_CODE.into()),
                ("device_code", code.secret.expose_secret().to_owned()),
            ];
            let answer = match self.ask(&url, form).await {
                // a short trouble of the line costs a round, not the code
                Err(SourceError::Unreachable(why)) => {
                    tracing::debug!(%why, "the token's address did not answer; asking again");
                    continue;
                }
                answer => answer?,
            };
            let given: Given = serde_json::from_slice(&answer).map_err(|_| garbage(&url))?;
            match given.error.as_deref() {
                Some("authorization_pending") => {}
                Some("slow_down") => interval += Duration::from_secs(5),
                Some(error) => return Err(self.refused(&url, error)),
                None if given.refresh_token.is_none() => {
                    let why = "the provider gave no refresh token; remedy: ask for offline_access in scope";
                    return Err(SourceError::Refused(why.to_owned()));
                }
                None => return self.keep(given).await.map(drop),
            }
        }
        Err(SourceError::Refused("the code was not typed in time; start again".to_owned()))
    }

    /// The token endpoint's answer, or why there is no token in it.
    async fn post(&mut self, url: &str, form: Vec<(&'static str, String)>) -> Result<Given, SourceError> {
        let answer = self.ask(url, form).await?;
        let given: Given = serde_json::from_slice(&answer).map_err(|_| garbage(url))?;
        match given.error.as_deref() {
            None => Ok(given),
            Some("temporarily_unavailable" | "server_error") => Err(garbage(url)),
            Some(error) => Err(self.refused(url, error)),
        }
    }

    /// Posts a form; answers whose status is 2xx or 4xx are read.
    async fn ask(&mut self, url: &str, mut form: Vec<(&'static str, String)>) -> Result<Vec<u8>, SourceError> {
        if let Some(secret) = &self.settings.client_secret {
            form.push(("client_secret", secret.expose_secret().to_owned()));
        }
        let place = place(url);
        let unreachable = |why: &str| SourceError::Unreachable(format!("{place}, which gives out the tokens, {why}"));
        let http = match &self.http {
            Some(http) => http.clone(),
            None => self.http.insert(client(self.patience).map_err(|_| unreachable("cannot be asked"))?).clone(),
        };
        let sent = http.post(url).form(&form).send().await;
        let mut response = sent.map_err(|error| unreachable(kind(&error)))?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 || !(status.is_success() || status.is_client_error()) {
            return Err(unreachable(&format!("answers with status {}", status.as_u16())));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(kind(&error)))? {
            answer.extend_from_slice(&chunk);
            if answer.len() > LONGEST_ANSWER {
                return Err(garbage(url));
            }
        }
        if status.is_client_error() && serde_json::from_slice::<Given>(&answer).is_ok_and(|given| given.error.is_none())
        {
            return Err(unreachable(&format!("answers with status {}", status.as_u16())));
        }
        Ok(answer)
    }

    async fn keep(&mut self, given: Given) -> Result<SecretString, SourceError> {
        let url = self.settings.token_url.clone();
        let token = given.access_token.ok_or_else(|| garbage(&url))?;
        if let Some(refresh) = given.refresh_token.filter(|_| self.settings.flow != Flow::Client) {
            let value = format!("{} {}", self.fingerprint(), refresh.expose_secret());
            self.memory.keep(REMEMBERED, &value).await?;
        }
        let lasts = Duration::from_secs(given.expires_in.unwrap_or(3600).min(LONGEST_TOKEN_S));
        self.kept = Some((token.clone(), Instant::now() + lasts.saturating_sub(EARLY.min(lasts / 2))));
        Ok(token)
    }

    /// The newest refresh token: the remembered one, as long as it descends from the one in the settings.
    async fn refresh_token(&self) -> Result<SecretString, SourceError> {
        let remembered = self.memory.recall(REMEMBERED).await?;
        let own = self.fingerprint();
        let newest = remembered.as_deref().and_then(|value| value.split_once(' ')).filter(|(of, _)| *of == own);
        if let Some((_, token)) = newest {
            return Ok(SecretString::from(token.to_owned()));
        }
        let missing = "nobody has logged in yet; remedy: nachtwache sources login with this source's name";
        self.settings.refresh_token.clone().ok_or_else(|| SourceError::Refused(missing.to_owned()))
    }

    fn fingerprint(&self) -> String {
        let settled = self.settings.refresh_token.as_ref().map_or("", |token| token.expose_secret());
        let own = format!("{}\n{}\n{settled}", self.settings.token_url, self.settings.client_id);
        sha256(own.as_bytes())[..16].to_owned()
    }

    fn refused(&self, url: &str, error: &str) -> SourceError {
        let error: String =
            error.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(40).collect();
        let remedy = match (error.as_str(), self.settings.flow) {
            ("invalid_client" | "unauthorized_client", _) => "are client_id, client_secret and tenant right?",
            ("invalid_grant", Flow::Device) => "the login has ended; remedy: nachtwache sources login with its name",
            ("invalid_grant", _) => "the refresh token has ended; remedy: put in a new one",
            ("access_denied" | "authorization_declined", _) => "the login was declined",
            ("expired_token", _) => "the code was not typed in time; start again",
            _ => "are the settings under oauth right?",
        };
        SourceError::Refused(format!("{} gives out no token ({error}); {remedy}", place(url)))
    }
}

fn client(patience: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(patience.min(Duration::from_secs(10)))
        .timeout(patience)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

fn garbage(url: &str) -> SourceError {
    SourceError::Unreachable(format!("{}, which gives out the tokens, does not answer as it should", place(url)))
}

/// Host of an address, for people.
fn place(url: &str) -> String {
    url.parse::<reqwest::Url>().ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "does not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "breaks off"
    }
}
