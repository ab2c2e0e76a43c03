//! A FRITZ!Box on free ports of this machine: TR-064 with digest, the list, the recordings, the pages and their login, as
//! strict as the facts in hand allow, and failing on request.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use md5::{Digest as _, Md5};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) const USER: &str = "nachtwache";
pub(crate) const PASSWORD: &str = "geheim & \u{e4}rger";
const NO_SID: &str = "0000000000000000";

/// One message, as it lies there.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) date: &'static str,
    pub(crate) number: &'static str,
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) new: bool,
    /// The whole `Path` where it is not the usual one.
    pub(crate) path: Option<String>,
    pub(crate) sound: Vec<u8>,
}

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Hang,
    Status(u16),
    Garbage,
    /// A SOAP fault with this code.
    Soap(u32),
    /// Done after this many messages were deleted, the oldest first.
    DeletedBefore(usize),
}

/// What `NewMarkedAsRead` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marking {
    OneIsRead,
    ZeroIsRead,
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Inside {
    /// The oldest first; the list has them the other way round.
    pub(crate) messages: Vec<Message>,
    pub(crate) password: &'static str,
    pub(crate) marking: Marking,
    pub(crate) enabled: &'static str,
    pub(crate) capacity: &'static str,
    pub(crate) mode: &'static str,
    /// Which ways give the sound: "download", "pages", "ending".
    pub(crate) ways: HashSet<&'static str>,
    /// Only a session of the pages' login counts there.
    pub(crate) pages_want_login: bool,
    pub(crate) block_s: u64,
    /// The session that a list carries is too old for sound.
    pub(crate) list_sid_is_old: bool,
    /// Where the list is said to be, in place of this box.
    pub(crate) list_url: Option<String>,
    /// A nonce is good for so many requests.
    pub(crate) nonce_good_for: u32,
    pub(crate) says_stale: bool,
    /// Faults by action or path, in order.
    pub(crate) faults: HashMap<&'static str, VecDeque<Fault>>,
    /// Everything that was asked: `SOAP GetInfo`, `GET /download.lua`.
    pub(crate) asked: Vec<String>,
    /// `Authorization` lines and request lines, for what must not stand in them.
    pub(crate) wire: Vec<String>,
    sids: HashMap<String, &'static str>,
    made: u32,
    nonce: String,
    nonce_used: u32,
    tr064: String,
}

/// A box.
pub(crate) struct FakeBox {
    inside: Arc<Mutex<Inside>>,
    pub(crate) address: String,
    pub(crate) web: String,
    /// TR-064 without TLS.
    pub(crate) plain: String,
    pub(crate) fingerprint: Option<String>,
}

#[derive(Clone)]
struct Door {
    inside: Arc<Mutex<Inside>>,
    is_web: bool,
}

impl FakeBox {
    /// Without TLS, one machine that is on, no messages, only the first way gives sound.
    pub(crate) async fn start() -> Self {
        let inside = Arc::new(Mutex::new(Inside::new()));
        let (tr064, web) = (listen().await, listen().await);
        let address = format!("http://{}", tr064.local_addr().unwrap());
        let web_address = format!("http://{}", web.local_addr().unwrap());
        inside.lock().unwrap().tr064.clone_from(&address);
        serve(tr064, Door { inside: inside.clone(), is_web: false });
        serve(web, Door { inside: inside.clone(), is_web: true });
        Self { inside, plain: address.clone(), address, web: web_address, fingerprint: None }
    }

    /// With TLS and a certificate of its own at both doors.
    pub(crate) async fn with_tls() -> Self {
        let inside = Arc::new(Mutex::new(Inside::new()));
        let (tls, fingerprint) = certificate();
        let (tr064, web) = (listen().await, listen().await);
        let address = format!("https://{}", tr064.local_addr().unwrap());
        let web_address = format!("https://{}", web.local_addr().unwrap());
        "/tamcalllist.lua".clone_into(inside.lock().unwrap().list_url.get_or_insert_default());
        serve(Tls { listener: tr064, tls: tls.clone() }, Door { inside: inside.clone(), is_web: false });
        serve(Tls { listener: web, tls }, Door { inside: inside.clone(), is_web: true });
        let plain = listen().await;
        let plain_address = format!("http://{}", plain.local_addr().unwrap());
        serve(plain, Door { inside: inside.clone(), is_web: false });
        Self { inside, address, web: web_address, plain: plain_address, fingerprint: Some(fingerprint) }
    }

    pub(crate) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    pub(crate) fn fails(&self, what: &'static str, faults: &[Fault]) {
        self.inside().faults.entry(what).or_default().extend(faults.iter().cloned());
    }

    /// Returns when this is asked once more.
    pub(crate) async fn was_asked(&self, what: &str) {
        let before = self.count(what);
        while self.count(what) == before {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// How often something was asked.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.inside().asked.iter().filter(|asked| asked.as_str() == what).count()
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn serve<L: Listener<Addr = SocketAddr>>(listener: L, door: Door) {
    let app = Router::new().fallback(one_request).with_state(door);
    #[expect(clippy::disallowed_methods, reason = "a fake peer has no lifecycle")]
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
}

struct Tls {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn certificate() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["fritz.box".to_owned()]).unwrap();
    let fingerprint = nachtwache::store::sound::sha256(made.cert.der());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(config)), fingerprint)
}

async fn one_request(State(door): State<Door>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let action = headers.get("soapaction").and_then(|value| value.to_str().ok()).unwrap_or("").trim_matches('"');
    let action = action.rsplit('#').next().unwrap_or("").to_owned();
    let is_soap = uri.path().starts_with("/upnp/") && !door.is_web;
    let fault = {
        let mut inside = door.inside.lock().unwrap();
        let login = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
        inside.wire.push(format!("{method} {uri} {login}\n{body}"));
        if is_soap && let Some(refused) = inside.login(&uri, &login) {
            return refused;
        }
        let what = if is_soap { format!("SOAP {action}") } else { format!("{method} {}", uri.path()) };
        inside.asked.push(what.clone());
        let name = what.split(' ').nth(1).unwrap_or("").trim_start_matches('/').to_owned();
        inside.faults.get_mut(name.as_str()).and_then(VecDeque::pop_front)
    };
    match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Garbage) => return "<!DOCTYPE html><html>Anmelden<br></html>".into_response(),
        Some(Fault::Soap(code)) => return soap_fault(code),
        Some(Fault::DeletedBefore(count)) => drop(door.inside.lock().unwrap().messages.drain(..count)),
        None => {}
    }
    let mut inside = door.inside.lock().unwrap();
    match (uri.path(), door.is_web) {
        _ if is_soap => inside.act(&action, &body),
        ("/tamcalllist.lua", _) => inside.list(&uri),
        ("/download.lua", false) => inside.download(&uri),
        ("/cgi-bin/luacgi_notimeout", true) => inside.pages(&uri),
        ("/login_sid.lua", true) => inside.page_login(&body),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn soap_fault(code: u32) -> Response {
    let xml = format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
         <faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
         <UPnPError xmlns=\"urn:dslforum-org:control-1-0\"><errorCode>{code}</errorCode>\
         <errorDescription>no</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>"
    );
    (StatusCode::INTERNAL_SERVER_ERROR, xml).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

fn query(uri: &Uri, name: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://box{uri}")).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The text between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(inner, _)| inner)
}

impl Inside {
    fn new() -> Self {
        Self {
            messages: Vec::new(),
            password: PASSWORD,
            marking: Marking::OneIsRead,
            enabled: "1",
            capacity: "40",
            mode: "record_message",
            ways: HashSet::from(["download"]),
            pages_want_login: false,
            block_s: 0,
            list_sid_is_old: false,
            list_url: None,
            nonce_good_for: 100,
            says_stale: true,
            faults: HashMap::new(),
            asked: Vec::new(),
            wire: Vec::new(),
            sids: HashMap::new(),
            made: 0,
            nonce: String::new(),
            nonce_used: 0,
            tr064: String::new(),
        }
    }

    /// The refusal, unless the digest is right by its own arithmetic.
    fn login(&mut self, uri: &Uri, line: &str) -> Option<Response> {
        let part = |name: &str| between(line, &format!("{name}=\""), "\"").to_owned();
        let count = between(line, "nc=", ",").to_owned();
        let secret = md5(&format!("{USER}:F!Box SOAP-Auth:{}", self.password));
        let asked = md5(&format!("POST:{}", uri.path()));
        let expected = md5(&format!("{secret}:{}:{count}:{}:auth:{asked}", part("nonce"), part("cnonce")));
        let right = part("response") == expected && part("username") == USER && part("uri") == uri.path();
        let counted = u32::from_str_radix(&count, 16).unwrap_or(0);
        let known = part("nonce") == self.nonce && counted > self.nonce_used && counted <= self.nonce_good_for;
        if right && known {
            self.nonce_used = counted;
            return None;
        }
        self.made += 1;
        (self.nonce, self.nonce_used) = (format!("N{:08X}", self.made), 0);
        let stale = if right && self.says_stale { ",stale=TRUE" } else { "" };
        let nonce = &self.nonce;
        let challenge = format!("Digest realm=\"F!Box SOAP-Auth\",nonce=\"{nonce}\",algorithm=MD5,qop=\"auth\"{stale}");
        Some((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], "401").into_response())
    }

    fn fresh_sid(&mut self, kind: &'static str) -> String {
        self.made += 1;
        let sid = format!("{:016x}", 0xabcd_0000_0000_u64 + u64::from(self.made));
        self.sids.insert(sid.clone(), kind);
        sid
    }

    fn act(&mut self, action: &str, body: &str) -> Response {
        let argument = |name: &str| between(body, &format!("<{name}>"), "<").parse::<usize>().unwrap_or(99);
        let answer = match action {
            "GetList" => {
                let slot = |at: usize, on: &str| {
                    format!(
                        "<Item><Index>{at}</Index><Display>1</Display><Enable>{on}</Enable><Name>AB {at}</Name></Item>"
                    )
                };
                let list = format!("<List><TAMRunning>1</TAMRunning>{}{}</List>", slot(0, self.enabled), slot(1, "0"));
                format!("<NewTAMList>{}</NewTAMList>", escaped(&list))
            }
            _ if action != "X_AVM-DE_CreateUrlSID" && argument("NewIndex") > 1 => return soap_fault(713),
            "GetInfo" => format!(
                "<NewEnable>{}</NewEnable><NewName>AB</NewName><NewTAMRunning>1</NewTAMRunning><NewStick>0</NewStick>\
                 <NewStatus>0</NewStatus><NewCapacity>{}</NewCapacity><NewMode>{}</NewMode>",
                self.enabled, self.capacity, self.mode
            ),
            "GetMessageList" => {
                let kind = if self.list_sid_is_old { "list" } else { "url" };
                let sid = self.fresh_sid(kind);
                let own = format!("{}/tamcalllist.lua", self.tr064);
                let base = self.list_url.clone().unwrap_or(own);
                let index = argument("NewIndex");
                format!("<NewURL>{}</NewURL>", escaped(&format!("{base}?sid={sid}&tamindex={index}")))
            }
            "X_AVM-DE_CreateUrlSID" => {
                format!("<NewX_AVM-DE_UrlSID>sid={}</NewX_AVM-DE_UrlSID>", self.fresh_sid("url"))
            }
            "MarkMessage" => {
                let at = argument("NewMessageIndex");
                let count = self.messages.len();
                let Some(message) = count.checked_sub(1 + at).and_then(|at| self.messages.get_mut(at)) else {
                    return soap_fault(714);
                };
                let word = argument("NewMarkedAsRead");
                match self.marking {
                    Marking::OneIsRead => message.new = word == 0,
                    Marking::ZeroIsRead => message.new = word != 0,
                    Marking::Nothing => {}
                }
                String::new()
            }
            _ => return soap_fault(401),
        };
        format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
             <u:{action}Response xmlns:u=\"urn:dslforum-org:service:X:1\">{answer}</u:{action}Response></s:Body>\
             </s:Envelope>"
        )
        .into_response()
    }

    fn list(&self, uri: &Uri) -> Response {
        if !self.sids.contains_key(&query(uri, "sid")) {
            return StatusCode::FORBIDDEN.into_response();
        }
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root>");
        let listed = if query(uri, "tamindex") == "0" { self.messages.as_slice() } else { &[] };
        for (index, message) in listed.iter().rev().enumerate() {
            let Message { date, number, name, file, new, path, .. } = message;
            let path = path.clone().unwrap_or_else(|| format!("/download.lua?path=/data/tam/rec/{file}"));
            write!(
                xml,
                "<Message><Index>{index}</Index><Tam>0</Tam><Called>9782362</Called><Date>{date}</Date>\
                 <Duration>0:01</Duration><Inbook>0</Inbook><Name>{}</Name><New>{}</New><Number>{number}</Number>\
                 <Path>{}</Path></Message>",
                escaped(name),
                u8::from(*new),
                escaped(&path)
            )
            .unwrap();
        }
        xml.push_str("</Root>");
        xml.into_response()
    }

    fn sound(&self, way: &str, file: &str, sid: &str, wanted: &[&str]) -> Response {
        if !self.sids.get(sid).is_some_and(|kind| wanted.contains(kind)) {
            return "<html>Anmelden</html>".into_response();
        }
        let file = file.strip_prefix("/data/tam/rec/").unwrap_or("?");
        let found = self.messages.iter().find(|message| message.file == file);
        match found {
            Some(message) if self.ways.contains(way) => {
                ([(header::CONTENT_TYPE, "audio/x-wav")], message.sound.clone()).into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn download(&self, uri: &Uri) -> Response {
        let (file, sid) = (query(uri, "path"), query(uri, "sid"));
        match file.strip_suffix(".wav") {
            Some(file) => self.sound("ending", file, &sid, &["url"]),
            None => self.sound("download", &file, &sid, &["url"]),
        }
    }

    fn pages(&self, uri: &Uri) -> Response {
        assert_eq!(query(uri, "script"), "/lua/photo.lua");
        let wanted: &[&str] = if self.pages_want_login { &["login"] } else { &["url", "login"] };
        self.sound("pages", &query(uri, "myabfile"), &query(uri, "sid"), wanted)
    }

    fn page_login(&mut self, body: &str) -> Response {
        let form = reqwest::Url::parse(&format!("http://box/?{body}")).unwrap();
        let part = |name| form.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let once: [u8; 32] =
            pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(self.password.as_bytes(), &[0x5a, 0x17, 0x11], 100);
        let twice: [u8; 32] = pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(&once, &[0x5a, 0x17, 0x22], 10);
        let right = part("username").as_deref() == Some(USER)
            && part("response") == Some(format!("5a1722${}", hex(&twice)))
            && self.block_s == 0;
        let sid = if right { self.fresh_sid("login") } else { NO_SID.to_owned() };
        let block = self.block_s;
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><SessionInfo><SID>{sid}</SID>\
             <Challenge>2$100$5a1711$10$5a1722</Challenge><BlockTime>{block}</BlockTime><Rights></Rights></SessionInfo>"
        )
        .into_response()
    }
}
