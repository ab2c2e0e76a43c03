//! A real Dovecot in a temporary folder, and a colleague who reads the same mailbox by another session.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader as LineReader};
use tokio::net::TcpStream;

static SHARED: OnceLock<Dovecot> = OnceLock::new();
static USERS: AtomicU32 = AtomicU32::new(0);

/// A running server; any user exists, the password is "test".
pub(crate) struct Dovecot {
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
    /// The shell that ends Dovecot and removes the folder when its standard input closes, that is, with this process.
    keeper: Child,
}

/// The one that most tests share.
pub(crate) fn shared() -> &'static Dovecot {
    SHARED.get_or_init(|| Dovecot::start(""))
}

/// A mailbox that nobody else uses.
pub(crate) fn fresh_user() -> String {
    format!("user{}", USERS.fetch_add(1, Ordering::SeqCst))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Dovecot {
    /// A server of its own, with more settings.
    pub(crate) fn start(more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("nw-imap-").tempdir_in("/tmp").unwrap().keep();
        let port = free_port();
        std::fs::write(folder.join("dovecot.conf"), settings(&folder.display().to_string(), port, more)).unwrap();
        std::fs::create_dir(folder.join("mail")).unwrap();
        // as root the mails belong to nobody, and the test looks at their files
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.join("mail"), open).unwrap();
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let keeper = keep(&folder);
        Self { port, folder, keeper }
    }

    /// Ends it and starts it again in the same place.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.keeper = keep(&self.folder);
    }

    /// Ends it; the mails stay.
    pub(crate) fn stop(&mut self) {
        std::fs::write(self.folder.join("stay"), "").unwrap();
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
        std::fs::remove_file(self.folder.join("stay")).unwrap();
    }

    /// Where a user's mails lie.
    pub(crate) fn maildir(&self, user: &str) -> PathBuf {
        self.folder.join("mail").join(user)
    }

    pub(crate) async fn colleague(&self, user: &str) -> Colleague {
        Colleague::at(self.port, user).await
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn keep(folder: &std::path::Path) -> Child {
    let script = format!(
        "dovecot=$(command -v dovecot || echo /usr/sbin/dovecot); $dovecot -F -c {folder}/dovecot.conf >{folder}/out 2>&1 & pid=$!; \
         until [ -S {folder}/run/anvil ] && [ -f {folder}/run/master.pid ]; do kill -0 $pid || exit 1; sleep 0.02; done; \
         echo ready; read never || true; children=$(cat /proc/$pid/task/$pid/children); kill $pid; wait $pid || true; \
         kill $children 2>/dev/null || true; [ -e {folder}/stay ] || rm -rf {folder}",
        folder = folder.display(),
    );
    let mut keeper =
        Command::new("sh").arg("-c").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready", "Dovecot is installed by scripts/setup; see {}/log and out", folder.display());
    keeper
}

fn settings(folder: &str, port: u16, more: &str) -> String {
    let root = rustix::process::geteuid().is_root();
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (uid, gid) = if root { (65534, 65534) } else { (uid, gid) };
    let own = if root {
        ("nobody".to_owned(), "nogroup".to_owned())
    } else {
        let name = |flag: &str| {
            let out = Command::new("id").arg(flag).output().unwrap().stdout;
            String::from_utf8(out).unwrap().trim().to_owned()
        };
        (name("-un"), name("-gn"))
    };
    format!(
        "base_dir = {folder}/run\nstate_dir = {folder}/run\nlog_path = {folder}/log\nprotocols = imap\n\
         listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nauth_mechanisms = plain login\n\
         default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
         first_valid_uid = 0\nmail_uid = {uid}\nmail_gid = {gid}\nmail_location = maildir:{folder}/mail/%u\n\
         mail_fsync = never\nmail_max_userip_connections = 100\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {port}\n }}\n inet_listener imaps {{\n  port = 0\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n\
         passdb {{\n driver = static\n args = password=test\n}}\n\
         userdb {{\n driver = static\n args = uid={uid} gid={gid} home={folder}/mail/%u\n}}\n{more}\n",
        user = own.0,
        group = own.1,
    )
}

/// Another session with the same mailbox.
pub(crate) struct Colleague {
    stream: LineReader<TcpStream>,
    commands: u32,
}

impl Colleague {
    pub(crate) async fn at(port: u16, user: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut own = Self { stream: LineReader::new(stream), commands: 0 };
        own.line().await;
        own.says(&format!("LOGIN {user} test")).await;
        own.says("SELECT INBOX").await;
        own
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await.unwrap();
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// A command and all lines of its answer but the last, which must be OK.
    pub(crate) async fn says(&mut self, command: &str) -> Vec<String> {
        self.commands += 1;
        let tag = format!("c{}", self.commands);
        self.stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await.unwrap();
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            if let Some(answer) = line.strip_prefix(&format!("{tag} ")) {
                assert!(answer.starts_with("OK"), "{command}: {answer}");
                return lines;
            }
            assert!(!line.is_empty(), "{command}: the server ended the session");
            lines.push(line);
        }
    }

    /// Delivers mails with the server's time `at` ("21-Nov-2026 22:14:00 +0100"; empty = now).
    pub(crate) async fn delivers(&mut self, mails: &[String], at: &str) {
        let at = if at.is_empty() { String::new() } else { format!(" \"{at}\"") };
        let mut all = Vec::new();
        for mail in mails {
            self.commands += 1;
            all.extend(format!("c{} APPEND INBOX{at} {{{}+}}\r\n{mail}\r\n", self.commands, mail.len()).into_bytes());
        }
        let last = format!("c{} ", self.commands);
        let (mut read, mut write) = tokio::io::split(&mut self.stream);
        let writing = async { write.write_all(&all).await.unwrap() };
        let reading = async {
            let mut text = Vec::new();
            let mut buffer = [0; 8192];
            while !String::from_utf8_lossy(&text[text.len().saturating_sub(300)..]).contains(&format!("\n{last}"))
                && !text.starts_with(last.as_bytes())
            {
                let read = read.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the server ended the session");
                text.extend_from_slice(&buffer[..read]);
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(!text.contains(" NO ") && !text.contains(" BAD "), "{text}");
        };
        tokio::join!(writing, reading);
    }

    /// The flags of every mail in the folder by number, `\Recent` left out.
    pub(crate) async fn flags(&mut self) -> Vec<(u32, String)> {
        // what others moved away is told now
        self.says("NOOP").await;
        let lines = self.says("UID FETCH 1:* (FLAGS)").await;
        let mut flags = Vec::new();
        for line in lines.iter().filter(|line| line.contains(" FETCH (UID ")) {
            let number = |after: &str| {
                let rest = line.split(after).nth(1).unwrap();
                rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
            };
            let set = line.split("FLAGS (").nth(1).unwrap().split(')').next().unwrap();
            let mut set: Vec<&str> = set.split(' ').filter(|flag| !flag.is_empty() && *flag != "\\Recent").collect();
            set.sort_unstable();
            flags.push((number("UID "), set.join(" ")));
        }
        flags.sort();
        flags
    }
}
