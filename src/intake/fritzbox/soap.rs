//! TR-064: actions of the box as SOAP, with digest authentication.

use super::home::Door;
use super::menu;
use super::tam::value;
use super::wire::{Answer, Wire};
use crate::intake::digest::{Challenge, Request};
use crate::intake::source::SourceError;
use roxmltree::Document;
use secrecy::ExposeSecret as _;
use std::fmt::Write as _;

/// Larger answers are none.
const ANSWER_MAX: u64 = 1024 * 1024;
/// Nonces may grow old between two requests, but not for ever.
const TRIES: usize = 4;
/// The user may not ("action not authorized"), or the box shows him no such action.
const NOT_ALLOWED: [u32; 2] = [401, 606];
/// There is no such answering machine.
const NO_SUCH: [u32; 2] = [713, 714];

/// A service of the box.
#[derive(Debug, Clone, Copy)]
pub(super) enum Service {
    /// Answering machines.
    Tam,
    /// The box itself.
    Device,
}

impl Service {
    fn path(self) -> &'static str {
        match self {
            Self::Tam => "/upnp/control/x_tam",
            Self::Device => "/upnp/control/deviceconfig",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tam => "urn:dslforum-org:service:X_AVM-DE_TAM:1",
            Self::Device => "urn:dslforum-org:service:DeviceConfig:1",
        }
    }
}

/// The answer to an action.
pub(super) struct Reply {
    xml: String,
    /// Who gave it.
    pub(super) peer: Option<std::net::IpAddr>,
}

impl Reply {
    /// An argument of the answer; empty where it is missing.
    pub(super) fn value(&self, name: &str) -> String {
        Document::parse(&self.xml).map(|document| value(document.root(), name).to_owned()).unwrap_or_default()
    }
}

impl Wire {
    /// Does an action.
    ///
    /// # Errors
    /// `Refused` where login or right is missing, else `Unreachable`.
    pub(super) async fn act(
        &mut self,
        service: Service,
        action: &str,
        arguments: &[(&str, u32)],
    ) -> Result<Reply, SourceError> {
        let answer = self.ask(service, action, arguments).await?;
        let xml = String::from_utf8_lossy(&answer.body).into_owned();
        let fault = fault(&xml);
        if answer.status == 200 && fault.is_none() && xml.contains(action) && Document::parse(&xml).is_ok() {
            return Ok(Reply { xml, peer: answer.peer });
        }
        Err(self.refused(action, answer.status, fault))
    }

    fn refused(&self, action: &str, status: u16, fault: Option<u32>) -> SourceError {
        let shown = self.home.shown(Door::Tr064);
        let (right, users) = (menu::RIGHT, menu::USERS);
        match (status, fault) {
            (_, Some(code)) if NOT_ALLOWED.contains(&code) => SourceError::Refused(format!(
                "the FRITZ!Box at {shown} does not let its user do {action} (fault {code}); remedy: give the user of this \
                 source the right {right} under {users} (the user that the box made by itself may not suffice)"
            )),
            (_, Some(code)) if NO_SUCH.contains(&code) => SourceError::Refused(format!(
                "the FRITZ!Box at {shown} has no such answering machine ({action}, fault {code}); remedy: correct tam for \
                 this source, counted from 0 as under {}",
                menu::MACHINES
            )),
            (401 | 403, _) => SourceError::Refused(format!(
                "the FRITZ!Box at {shown} refused the login; remedy: check username and password of this source against \
                 {users}, and give the user the right {right}"
            )),
            (404, _) => SourceError::Refused(format!(
                "the FRITZ!Box at {shown} does not know {action}; remedy: switch on {}, and check the address",
                menu::LET_PROGRAMS_IN
            )),
            (_, Some(code)) => {
                SourceError::Unreachable(format!("the FRITZ!Box at {shown} answered {action} with fault {code}"))
            }
            (200, None) => SourceError::Unreachable(format!(
                "the FRITZ!Box at {shown} answered {action} with something else; remedy: is the address that of a FRITZ!Box?"
            )),
            (status, None) => {
                SourceError::Unreachable(format!("the FRITZ!Box at {shown} answered {action} with HTTP {status}"))
            }
        }
    }

    /// Asks until the box is content with the login; a right answer with an old nonce is given once more.
    async fn ask(&mut self, service: Service, action: &str, arguments: &[(&str, u32)]) -> Result<Answer, SourceError> {
        let (body, mut was_fresh) = (envelope(service, action, arguments), false);
        let mut tries = 0;
        loop {
            let url = self.home.at(Door::Tr064, service.path(), None);
            let mut request = self
                .client(Door::Tr064)
                .post(url)
                .header("Content-Type", "text/xml; charset=\"utf-8\"")
                .header("SOAPAction", format!("\"{}#{action}\"", service.name()))
                .body(body.clone());
            if let Some(login) = self.login(service.path()) {
                request = request.header("Authorization", login);
            }
            let limit = self.limits.answer;
            let answer = self.fetch(Door::Tr064, request, limit, ANSWER_MAX).await;
            let answer = answer.map_err(|lost| self.failed(Door::Tr064, lost))?;
            tries += 1;
            let Some(next) = answer.challenge.clone().filter(|_| answer.status == 401) else { return Ok(answer) };
            let wrong = was_fresh && !next.stale;
            self.challenge = (!wrong).then_some(next);
            if wrong || tries == TRIES {
                return Ok(answer);
            }
            was_fresh = true;
        }
    }

    fn login(&mut self, path: &str) -> Option<String> {
        let cnonce = uuid::Uuid::new_v4().simple().to_string();
        let (username, password) = (self.username.as_str(), self.password.expose_secret());
        let request = Request { method: "POST", uri: path, username, password, cnonce: &cnonce };
        self.challenge.as_mut().map(|challenge: &mut Challenge| challenge.answer(&request))
    }
}

fn envelope(service: Service, action: &str, arguments: &[(&str, u32)]) -> String {
    let mut inner = String::new();
    for (name, value) in arguments {
        write!(inner, "<{name}>{value}</{name}>").expect("writing to a String cannot fail");
    }
    let name = service.name();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\" \
         xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <u:{action} xmlns:u=\"{name}\">{inner}</u:{action}></s:Body></s:Envelope>"
    )
}

/// The code of a SOAP fault; 0 where it has none.
fn fault(xml: &str) -> Option<u32> {
    let document = Document::parse(xml).ok()?;
    let is_fault = document.descendants().any(|node| node.tag_name().name() == "Fault");
    is_fault.then(|| value(document.root(), "errorCode").parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_from_an_answer() {
        let fault_of =
            |detail: &str| fault(&format!("<s:Envelope xmlns:s=\"x\"><s:Fault>{detail}</s:Fault></s:Envelope>"));
        assert_eq!(fault_of("<detail><UPnPError><errorCode>606</errorCode></UPnPError></detail>"), Some(606));
        assert_eq!(fault_of(""), Some(0));
        assert_eq!(fault("<Root><NewURL>x</NewURL></Root>"), None);
        assert_eq!(fault("<html>"), None);
    }
}
