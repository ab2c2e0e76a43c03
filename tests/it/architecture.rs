//! Holds the house together: who may import whom, where each thing has its one home, how long a file may be.
//!
//! The sources are read as text: comments and literals are blanked, `use` trees are parsed, and paths inside the code
//! (`crate::store::open()`) count as imports too. What stands under `#[cfg(test)]` is free. All violations are told at
//! once, with file and line. What it cannot see: paths put together by macros.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Which modules a module may name. A stage never names another stage; they talk through the store.
const IMPORTS: &[(&str, &str)] = &[
    ("domain", ""),
    ("telegram", ""),
    ("store", "domain"),
    ("config", "domain"),
    ("wording", "domain"),
    ("runtime", "domain store"),
    ("roster", "domain store config runtime wording"),
    ("intake", "domain store config runtime roster"),
    ("transcribe", "domain store config runtime"),
    ("assess", "domain store config runtime roster"),
    ("escalate", "domain store config runtime roster telegram wording"),
    ("acknowledge", "domain store config runtime roster telegram wording"),
    ("review", "domain store config runtime roster assess"),
    ("web", "domain store config runtime roster wording assess acknowledge review"),
    (
        "run",
        "domain store config runtime roster telegram wording intake transcribe assess escalate acknowledge review web",
    ),
    // the commands that do one stage by hand name that stage
    ("demo", "domain store config runtime roster wording intake transcribe assess escalate run"),
    ("cli", "domain store config runtime roster wording intake transcribe assess review run demo"),
    ("main", "cli run runtime"),
];

/// Paths that have one home: the path, where it may stand (prefixes below `src/`), why.
const HOMES: &[(&str, &str, &str)] = &[
    ("sqlx", "store/", "SQL has one home, store/"),
    ("teloxide_core", "telegram/ telegram.rs", "the Bot API has one home, telegram"),
    ("teloxide", "telegram/ telegram.rs", "the Bot API has one home, telegram"),
    ("whisper_rs", "transcribe/whisper.rs", "Whisper has one home, transcribe/whisper.rs"),
    ("std::env", "config/", "the environment is read in config/ only"),
    ("tokio::spawn", "runtime/", "tasks are started in runtime/ only"),
    ("tokio::task::spawn", "runtime/", "tasks are started in runtime/ only"),
    ("tokio::task::spawn_local", "runtime/", "tasks are started in runtime/ only"),
    ("chrono::Utc::now", "runtime/clock.rs", "the clock is read in runtime/clock.rs only"),
    ("chrono::Local", "runtime/clock.rs", "the clock is read in runtime/clock.rs only"),
    // the ages of files are told by the clock that stamps them
    ("std::time::SystemTime::now", "runtime/clock.rs intake/watch.rs", "the clock is read in runtime/clock.rs only"),
];
/// Reads no setting: the path of this program, to start it as its own child.
const NO_SETTING: &str = "std::env::current_exe";

/// Values and `now` in, values out: no I/O and no log here.
const PURE: &[&str] = &[
    "domain/",
    "wording",
    "assess/rules/",
    "intake/digest.rs",
    "intake/fritzbox/tam.rs",
    "intake/mail/",
    "roster/ical",
    "transcribe/sound/",
    "transcribe/chunks.rs",
    "transcribe/doubt.rs",
    "transcribe/speech.rs",
];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant::now",
    "tokio",
    "sqlx",
    "reqwest",
    "rustix",
    "notify",
    "tracing",
];

/// Where German may stand in literals: what is sent or printed, what is matched against a caller's words.
const GERMAN_HOMES: &[&str] = &[
    "wording",
    // a page is its sentences; those that are longer stand in templates/
    "web/",
    "assess/rules/",
    "demo.rs",
    "demo/",
    // what a person must find in the box's own menus
    "intake/fritzbox/menu.rs",
    "transcribe/doubt.rs",
    "transcribe/whisper.rs",
    // the words of German telephone systems' mails
    "intake/mail/words.rs",
];
const GERMAN_WORDS: &[&str] = &["und", "nicht", "bitte", "Notfall", "Vorgang", "Meldung", "Techniker", "keine"];
const SQL_STARTS: &[&str] =
    &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA ", "WITH "];
const LONGEST_FILE: usize = 400;

#[test]
fn the_house_is_in_order() {
    let mut files = Vec::new();
    read_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    assert!(files.len() > 5, "only {} source files were found", files.len());
    let violations = violations(&files);
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

/// Every `.rs` file below the folder as (path below `src/`, text), in order of path.
fn read_below(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("the folder is readable").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            read_below(&path, &format!("{name}/"), files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push((name, fs::read_to_string(&path).expect("the file is UTF-8")));
        }
    }
}

// ── the rules ──

/// Everything that breaks a rule, as `src/FILE:LINE: what`, in order of file and line.
fn violations(files: &[(String, String)]) -> Vec<String> {
    let parsed: Vec<Source> = files.iter().map(|(path, text)| Source::parse(path, text)).collect();
    let test_files: BTreeSet<String> = parsed.iter().flat_map(|source| source.test_files.iter().cloned()).collect();
    let mut found = BTreeSet::new();
    for source in &parsed {
        if test_files.iter().any(|test| source.path == *test || source.path.starts_with(&format!("{test}/"))) {
            continue;
        }
        let mut tell = |line: usize, what: String| {
            found.insert((source.path.clone(), line, what));
        };
        for path in source.paths() {
            import_rule(source, &path, &mut tell);
            home_rules(source, &path, &mut tell);
        }
        literal_rules(source, &mut tell);
        if source.production_lines > LONGEST_FILE {
            tell(LONGEST_FILE + 1, format!("{} lines without tests, at most {LONGEST_FILE}", source.production_lines));
        }
    }
    for (path, text) in files.iter().filter(|(path, _)| path == "lib.rs") {
        contents_rule(path, text, &mut found);
    }
    found.into_iter().map(|(path, line, what)| format!("src/{path}:{line}: {what}")).collect()
}

/// The import table, and `super` that climbs out of its module.
fn import_rule(source: &Source, path: &FoundPath, tell: &mut impl FnMut(usize, String)) {
    let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
    if supers > 1 {
        return tell(path.line, format!("`{}`: write the path from `crate`", path.segments.join("::")));
    }
    if supers == 1 && path.depth < 2 {
        return tell(path.line, format!("`{}` climbs out of its module", path.segments.join("::")));
    }
    let from_root = match path.segments.first().map(String::as_str) {
        Some("crate") => true,
        Some("nachtwache") => source.path == "main.rs",
        _ => false,
    };
    let own = source.module();
    if !from_root || own == "lib" {
        return;
    }
    let target = path.segments.get(1).map_or("*", String::as_str);
    if target == own {
        return;
    }
    let row = |name: &str| IMPORTS.iter().find(|(module, _)| *module == name);
    let shown = path.segments.join("::");
    if row(target).is_none() {
        tell(path.line, format!("`{shown}`: `{target}` is no module of the import table"));
    } else if !row(own).is_some_and(|(_, may_name)| may_name.split(' ').any(|named| named == target)) {
        tell(path.line, format!("{own} may not name {target} (`{shown}`)"));
    }
}

/// What has one home, and what pure modules do without.
fn home_rules(source: &Source, path: &FoundPath, tell: &mut impl FnMut(usize, String)) {
    let full = path.segments.join("::");
    let within = |prefix: &str| full.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    if let Some((_, homes, why)) = HOMES.iter().find(|(thing, ..)| within(thing) && full != NO_SETTING)
        && !homes.split(' ').any(|home| source.path.starts_with(home))
    {
        tell(path.line, format!("{why} (`{full}`)"));
    }
    if PURE.iter().any(|pure| source.path.starts_with(pure)) && IMPURE.iter().any(|impure| within(impure)) {
        tell(path.line, format!("`{full}` in a pure module"));
    }
}

/// SQL outside `store/`, German outside its homes.
fn literal_rules(source: &Source, tell: &mut impl FnMut(usize, String)) {
    for (line, literal) in &source.literals {
        let shown: String = literal.chars().take(40).collect();
        let trimmed = literal.trim_start();
        if !source.path.starts_with("store") && SQL_STARTS.iter().any(|start| trimmed.starts_with(start)) {
            tell(*line, format!("SQL has one home, store/ (\"{shown}\")"));
        }
        let german = literal.contains(['ä', 'ö', 'ü', 'Ä', 'Ö', 'Ü', 'ß'])
            || literal.split(|c: char| !c.is_alphanumeric()).any(|word| GERMAN_WORDS.contains(&word));
        if german && !GERMAN_HOMES.iter().any(|home| source.path.starts_with(home)) {
            tell(*line, format!("German sentences stand in wording.rs (\"{shown}\")"));
        }
    }
}

/// lib.rs is the table of contents: each module is told in one sentence.
fn contents_rule(path: &str, text: &str, found: &mut BTreeSet<(String, usize, String)>) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub mod ")) {
        let told = lines[..at]
            .iter()
            .rev()
            .take_while(|above| above.starts_with("///") || above.starts_with("#["))
            .any(|above| above.starts_with("///") && above.ends_with('.'));
        if !told {
            found.insert((
                path.to_owned(),
                at + 1,
                format!("`{line}` lacks its sentence (a `///` line with a full stop)"),
            ));
        }
    }
}

// ── reading Rust ──

/// A path as it is named somewhere, first segment resolved through the file's imports.
struct FoundPath {
    line: usize,
    segments: Vec<String>,
    /// How many modules below the crate's root the place is.
    depth: usize,
}

/// A file without its comments, literals and tests.
struct Source {
    /// Below `src/`, with `/`.
    path: String,
    tokens: Vec<(usize, String)>,
    /// Production literals with the line they begin on.
    literals: Vec<(usize, String)>,
    production_lines: usize,
    /// Files declared under `#[cfg(test)]`, as `folder/name.rs` and `folder/name`.
    test_files: Vec<String>,
}

impl Source {
    fn parse(path: &str, text: &str) -> Self {
        let (mut code, mut literals) = blank(text);
        let mut test_files = Vec::new();
        let mut test_lines = 0;
        while let Some(item) = test_item(&code) {
            let words: String = code[item.clone()].iter().collect();
            let declared = words.split_whitespace().skip_while(|word| *word != "mod").nth(1);
            if let Some(name) = declared.and_then(|word| word.strip_suffix(';')) {
                let folder = module_folder(path);
                test_files.extend([format!("{folder}{name}.rs"), format!("{folder}{name}")]);
            }
            literals.retain(|(at, _)| !item.contains(at));
            test_lines += words.lines().count();
            code[item].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
        }
        let line_of = |at: usize| code[..at].iter().filter(|c| **c == '\n').count() + 1;
        let literals = literals.into_iter().map(|(at, literal)| (line_of(at), literal)).collect();
        Self {
            path: path.to_owned(),
            tokens: tokens(&code),
            literals,
            production_lines: text.lines().count() - test_lines,
            test_files,
        }
    }

    /// The top module the file belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |(_, word)| word)
    }

    /// Every path of the production code, imported or written out.
    fn paths(&self) -> Vec<FoundPath> {
        let (mut found, mut names) = (Vec::new(), HashMap::new());
        let mut written_out = Vec::new();
        let file_depth = self.path.trim_end_matches("/mod.rs").split('/').count();
        let (mut braces, mut modules, mut at) = (0_usize, Vec::new(), 0);
        while at < self.tokens.len() {
            let depth = file_depth + modules.len();
            match self.word(at) {
                "use" if self.word(at + 1) != "<" => {
                    at = self.use_tree(at + 1, &[], depth, &mut found, &mut names);
                    continue;
                }
                "mod" if self.word(at + 2) == "{" => modules.push(braces),
                "{" => braces += 1,
                "}" => {
                    braces = braces.saturating_sub(1);
                    modules.retain(|opened_at| *opened_at < braces);
                }
                _ if self.begins_path(at) => {
                    let (path, next) = self.written_out(at, depth);
                    written_out.push(path);
                    at = next;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        for mut path in written_out {
            if let Some(imported) = names.get(&path.segments[0]) {
                path.segments.splice(..1, imported.iter().cloned());
            }
            found.push(path);
        }
        found
    }

    /// Reads one tree of a `use` item (`a::{b, c::*, self as d}`) into whole paths; gives the place after it.
    fn use_tree(
        &self,
        mut at: usize,
        prefix: &[String],
        depth: usize,
        found: &mut Vec<FoundPath>,
        names: &mut HashMap<String, Vec<String>>,
    ) -> usize {
        let line = self.tokens.get(at).map_or(0, |(line, _)| *line);
        let mut segments = prefix.to_vec();
        loop {
            match self.word(at) {
                "::" => at += 1,
                "{" => {
                    at += 1;
                    while !matches!(self.word(at), "}" | ";" | "") {
                        at = self.use_tree(at, &segments, depth, found, names);
                        at += usize::from(self.word(at) == ",");
                    }
                    return at + usize::from(self.word(at) == "}");
                }
                "," | "}" | ";" | "" => break,
                "as" => {
                    names.insert(self.word(at + 1).to_owned(), segments.clone());
                    at += 2;
                }
                "self" if !prefix.is_empty() => at += 1,
                segment => {
                    segments.push(segment.to_owned());
                    at += 1;
                }
            }
        }
        if let Some(last) = segments.last() {
            names.entry(last.clone()).or_insert_with(|| segments.clone());
        }
        found.push(FoundPath { line, segments, depth });
        at
    }

    fn begins_path(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or("", |before| self.word(before));
        let name = self.word(at).starts_with(|c: char| c.is_alphabetic() || c == '_');
        name && before != "::" && self.word(at + 1) == "::"
    }

    fn written_out(&self, mut at: usize, depth: usize) -> (FoundPath, usize) {
        let (line, first) = &self.tokens[at];
        let mut segments = vec![first.clone()];
        while self.word(at + 1) == "::" && self.word(at + 2).starts_with(|c: char| c.is_alphabetic() || c == '_') {
            segments.push(self.word(at + 2).to_owned());
            at += 2;
        }
        (FoundPath { line: *line, segments, depth }, at + 1)
    }
}

/// The folder (with a final `/`) in which a file's child modules lie.
fn module_folder(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    let folder = stem.strip_suffix("mod").filter(|before| before.is_empty() || before.ends_with('/'));
    match (folder, stem) {
        (Some(folder), _) => folder.to_owned(),
        (None, "lib" | "main") => String::new(),
        (None, stem) => format!("{stem}/"),
    }
}

/// The next item under `#[cfg(test)]` (or the whole file under `#![cfg(test)]`), as a range of characters.
fn test_item(code: &[char]) -> Option<std::ops::Range<usize>> {
    let starts = |at: usize, word: &str| word.chars().enumerate().all(|(i, c)| code.get(at + i) == Some(&c));
    let begin = (0..code.len()).find(|at| starts(*at, "#[cfg(test)]") || starts(*at, "#![cfg(test)]"))?;
    if starts(begin, "#!") {
        return Some(begin..code.len());
    }
    let mut braces = 0_usize;
    for (at, c) in code.iter().enumerate().skip(begin) {
        match c {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        if braces == 0 && matches!(c, '}' | ';') {
            return Some(begin..at + 1);
        }
    }
    Some(begin..code.len())
}

/// Identifiers, `::` and single marks, each with its line.
fn tokens(code: &[char]) -> Vec<(usize, String)> {
    let (mut found, mut line, mut at) = (Vec::new(), 1, 0);
    while at < code.len() {
        let begin = at;
        at += 1;
        match code[begin] {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            c if c.is_alphanumeric() || c == '_' => {
                at += code[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
                found.push((line, code[begin..at].iter().collect()));
            }
            ':' if code.get(at) == Some(&':') => {
                at += 1;
                found.push((line, "::".to_owned()));
            }
            c => found.push((line, c.to_string())),
        }
    }
    found
}

/// The text with comments and literals turned into blanks (line ends stay), and the string literals with their place.
fn blank(text: &str) -> (Vec<char>, Vec<(usize, String)>) {
    let mut code: Vec<char> = text.chars().collect();
    let (mut literals, mut at) = (Vec::new(), 0);
    while at < code.len() {
        let end = match code[at] {
            '/' if code.get(at + 1) == Some(&'/') => find(&code, at, |c| c[0] == '\n'),
            '/' if code.get(at + 1) == Some(&'*') => end_of_comment(&code, at),
            '"' => {
                let (content, end) = string(&code, at);
                literals.push((at, code[content].iter().collect()));
                end
            }
            '\'' if code.get(at + 1) == Some(&'\\') => find(&code, at + 3, |c| c[0] == '\'') + 1,
            '\'' if code.get(at + 2) == Some(&'\'') => at + 3,
            _ => {
                at += 1;
                continue;
            }
        };
        let end = end.min(code.len());
        code[at..end].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
        at = end;
    }
    (code, literals)
}

fn find(code: &[char], from: usize, is: impl Fn(&[char]) -> bool) -> usize {
    (from..code.len()).find(|at| is(&code[*at..])).unwrap_or(code.len())
}

/// The place after a block comment, which may hold others.
fn end_of_comment(code: &[char], from: usize) -> usize {
    let (mut open, mut at) = (0_usize, from);
    while at < code.len() {
        match code[at..] {
            ['/', '*', ..] => (open, at) = (open + 1, at + 2),
            ['*', '/', ..] => (open, at) = (open - 1, at + 2),
            _ => at += 1,
        }
        if open == 0 {
            break;
        }
    }
    at
}

/// The content of the string whose first quotation mark stands at `from`, raw or not, and the place after it.
fn string(code: &[char], from: usize) -> (std::ops::Range<usize>, usize) {
    let hashes = code[..from].iter().rev().take_while(|c| **c == '#').count();
    let raw = code[..from - hashes].last() == Some(&'r');
    let mut at = from + 1;
    while at < code.len() {
        match code[at] {
            '\\' if !raw => at += 1,
            '"' if !raw => return (from + 1..at, at + 1),
            '"' if code[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes => {
                return (from + 1..at, at + 1 + hashes);
            }
            _ => {}
        }
        at += 1;
    }
    (from + 1..code.len(), code.len())
}

// ── the rules are rules: planted violations are found, and nothing else ──

/// The violations in one made-up file.
fn found_in(path: &str, text: &str) -> Vec<String> {
    violations(&[(path.to_owned(), text.to_owned())])
}

fn assert_one(path: &str, text: &str, expected: &str) {
    let found = found_in(path, text);
    assert!(found.len() == 1 && found[0].contains(expected), "{expected:?} was expected once in {path}: {found:#?}");
}

#[test]
fn a_stage_that_names_a_stage_is_found_in_a_nested_use_tree() {
    let text = "use crate::{\n    domain::report::{self, Report},\n    escalate::{Notifier as N, step::*},\n};\n";
    assert_eq!(
        found_in("intake/mod.rs", text),
        [
            "src/intake/mod.rs:3: intake may not name escalate (`crate::escalate::Notifier`)",
            "src/intake/mod.rs:3: intake may not name escalate (`crate::escalate::step::*`)",
        ]
    );
}

#[test]
fn a_path_written_out_counts_as_an_import() {
    assert_one("domain/case.rs", "fn f() { let s: Option<crate::store::Store> = None; }", "domain may not name store");
    assert_one("wording.rs", "pub(in crate::config) fn f() {}", "wording may not name config");
    assert_one("main.rs", "fn main() { nachtwache::store::open(); }", "main may not name store");
}

#[test]
fn allowed_imports_comments_strings_and_tests_are_left_alone() {
    let text = r##"
        //! Not `crate::escalate`. /* nor here
        use crate::{config::Settings, domain::phone, runtime::Bell};
        /* crate::escalate::x /* nested */ crate::web */
        fn f<'a>(x: &'a str) -> char { let _ = r#"a "crate::escalate::x" b"#; let _ = "\"crate::run::x"; '"' }
        fn g() -> impl Sized + use<> { crate::intake::source::f(b'\'') }
        #[cfg(test)]
        mod tests { use super::*; use crate::escalate::Notifier; const S: &str = "Grüße"; }
    "##;
    assert_eq!(found_in("intake/folder.rs", text), [""; 0]);
}

#[test]
fn what_stands_behind_a_test_module_is_checked() {
    let text = "#[cfg(test)]\nmod fakes { fn f() {} }\nuse crate::run::Wiring;\n#[cfg(test)]\nuse crate::cli::x;\n";
    assert_one("store/mod.rs", text, "src/store/mod.rs:3: store may not name run");
}

#[test]
fn a_file_declared_for_tests_only_is_free() {
    let files = [
        ("store/mod.rs", "#[cfg(test)]\nmod conformance;\n"),
        ("store/conformance.rs", "use crate::run::x;"),
        ("store/conformance/deep.rs", "use crate::run::x;"),
        ("store/other.rs", "use crate::run::x;"),
    ];
    let found = violations(&files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    assert_eq!(found, ["src/store/other.rs:1: store may not name run (`crate::run::x`)"]);
}

#[test]
fn super_that_climbs_out_is_found() {
    assert_one("telegram.rs", "use super::domain::Report;", "climbs out of its module");
    assert_one("assess/rules/text.rs", "use super::super::mod_of_assess;", "write the path from `crate`");
    assert_eq!(found_in("assess/rules.rs", "use super::step; mod deep { use super::step; }"), [""; 0]);
    assert_one("telegram.rs", "mod deep { use super::x; } use super::y;", "`super::y` climbs out");
}

#[test]
fn a_module_outside_the_table_and_the_whole_crate_are_found() {
    assert_one("run.rs", "use crate::helpers::x;", "no module of the import table");
    assert_one("run.rs", "use crate::*;", "no module of the import table");
}

#[test]
fn things_away_from_home_are_found() {
    assert_one("intake/mod.rs", "use sqlx::Row;", "SQL has one home");
    assert_one(
        "intake/mod.rs",
        "const Q: &str = \"\n  SELECT id FROM reports\";",
        "src/intake/mod.rs:1: SQL has one home",
    );
    assert_one("escalate/telegram.rs", "use teloxide_core::types::ChatId;", "Bot API");
    assert_one("transcribe/child/mod.rs", "fn f() { whisper_rs::install(); }", "Whisper has one home");
    assert_one("run.rs", "use std::{env, fs};", "the environment is read");
    assert_one("run.rs", "use tokio::task; fn f() { task::spawn(g()); }", "tasks are started in runtime/");
    assert_one("assess/mod.rs", "use chrono::Utc; fn f() { Utc::now(); }", "the clock is read");
    assert_eq!(found_in("run.rs", "fn f() { std::env::current_exe(); tokio::task::spawn_blocking(g); }"), [""; 0]);
    assert_eq!(found_in("runtime/lifecycle.rs", "fn f() { tokio::spawn(g()); }"), [""; 0]);
}

#[test]
fn input_and_output_in_a_pure_module_is_found() {
    assert_one("domain/report.rs", "use std::{fmt, fs::File};", "`std::fs::File` in a pure module");
    assert_one("transcribe/sound/riff.rs", "fn f() { tracing::warn!(\"x\"); }", "`tracing::warn` in a pure module");
}

#[test]
fn german_outside_its_homes_is_found() {
    assert_one("escalate/mod.rs", "const S: &str = \"Wer übernimmt?\";", "German sentences stand in wording.rs");
    assert_one("cli.rs", "const S: &str = \"kein Notfall\";", "German sentences stand in wording.rs");
    assert_eq!(found_in("wording.rs", "const S: &str = \"Wer übernimmt?\"; // für alle"), [""; 0]);
    assert_eq!(found_in("cli.rs", "/// \"Notfall\" für alle\nconst S: &str = \"underground\";"), [""; 0]);
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let mut text = String::new();
    for line in 0..LONGEST_FILE {
        writeln!(text, "// {line}").expect("a string takes it");
    }
    let tests = "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n";
    assert_eq!(found_in("run.rs", &format!("{text}{tests}")), [""; 0]);
    assert_one("run.rs", &format!("{text}fn f() {{}}\n{tests}"), "401 lines without tests, at most 400");
}

#[test]
fn a_module_without_its_sentence_is_found() {
    assert_one(
        "lib.rs",
        "//! Contents.\n\n/// Told.\npub mod domain;\npub mod store;\n",
        "src/lib.rs:5: `pub mod store;`",
    );
}

#[test]
fn the_import_table_has_no_circle() {
    let mut done: Vec<&str> = Vec::new();
    while done.len() < IMPORTS.len() {
        let next = IMPORTS.iter().find(|(module, may_name)| {
            !done.contains(module) && may_name.split_whitespace().all(|named| done.contains(&named))
        });
        done.push(next.expect("a module that names only those before it").0);
    }
}
