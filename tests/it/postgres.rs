//! A real PostgreSQL, started once for all tests on a socket in a temporary folder, with a database of its own a test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Cluster {
    folder: PathBuf,
    /// The shell that ends PostgreSQL and removes the folder when its standard input closes, that is, with this process.
    _keeper: Child,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a new, empty database.
pub(crate) fn url() -> String {
    let cluster = CLUSTER.get_or_init(start);
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    let folder = cluster.folder.display();
    let made = Command::new(program("psql"))
        .args([
            "-h",
            &folder.to_string(),
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-qc",
            &format!("CREATE DATABASE {name}"),
        ])
        .status()
        .expect("psql is installed by scripts/setup");
    assert!(made.success(), "the database {name} could not be made");
    format!("postgres://postgres@localhost/{name}?host={folder}")
}

fn start() -> Cluster {
    let folder = tempfile::Builder::new().prefix("nw-pg-").tempdir_in("/tmp").expect("a temporary folder").keep();
    let initdb = program("initdb");
    let postgres = program("postgres");
    let data = folder.join("data");
    let script = format!(
        "set -e; {initdb} -A trust -U postgres --no-sync -D {data} >/dev/null; \
         {postgres} -D {data} -k {folder} -c listen_addresses= -c fsync=off -c max_connections=200 2>{folder}/log & pid=$!; \
         until {ready} -q -h {folder}; do kill -0 $pid; sleep 0.05; done; echo ready; read never || true; \
         kill -INT $pid; wait $pid || true; rm -rf {folder}",
        initdb = initdb.display(),
        postgres = postgres.display(),
        ready = program("pg_isready").display(),
        data = data.display(),
        folder = folder.display(),
    );
    let mut keeper =
        as_postgres(&folder).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("PostgreSQL says that it is ready");
    assert_eq!(line.trim(), "ready", "PostgreSQL did not start; see {}/log", folder.display());
    Cluster { folder, _keeper: keeper }
}

/// PostgreSQL refuses to run as root: then it runs as the user that Debian's package made.
fn as_postgres(folder: &Path) -> Command {
    let root = rustix::process::geteuid().is_root();
    if !root {
        let mut shell = Command::new("sh");
        shell.arg("-c");
        return shell;
    }
    let given = Command::new("chown").arg("postgres").arg(folder).status().expect("chown");
    assert!(given.success(), "there is no user postgres: run scripts/setup");
    let mut shell = Command::new("runuser");
    shell.args(["-u", "postgres", "--", "sh", "-c"]);
    shell
}

fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed by scripts/setup");
    let mut found: Vec<PathBuf> =
        versions.filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name))).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| panic!("PostgreSQL's {name} is missing: run scripts/setup"))
}
