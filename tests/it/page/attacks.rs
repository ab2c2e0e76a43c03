//! Every route attacked, out of the page's own table: who may not gets nothing, another site changes nothing, what is
//! malformed breaks nothing. A new route is in the table, so it is attacked, too; its right is in `routes.txt`.

use super::{Answer, Browser, Site};
use crate::page::hostile;
use crate::world::World;
use nachtwache::domain::account::{Role, SessionStage};
use nachtwache::web::{Need, Route};
use reqwest::{Method, StatusCode};
use sqlx::{Connection as _, Row as _};

const ROLES: &[Role] = &[Role::Technician, Role::Reviewer, Role::Admin];
const SAME: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];

/// A world in which there is something to look at, and its page.
async fn site() -> (World, Site, hostile::Ids) {
    let mut world = World::night().await;
    let ids = hostile::fill(&mut world).await;
    let site = Site::of(&world).await;
    (world, site, ids)
}

fn needs(need: Need) -> String {
    match need {
        Need::Nobody => "anybody".to_owned(),
        Need::Half => "half a log-in".to_owned(),
        Need::May(right) => right.as_str().to_owned(),
        Need::Freshly(right) => format!("{} (freshly proved)", right.as_str()),
        Need::Machine => "this machine, or the token".to_owned(),
    }
}

#[tokio::test]
async fn the_list_of_routes_and_rights_is_the_one_we_know() {
    let (_world, site, _) = site().await;
    let mut lines: Vec<String> = site
        .routes
        .iter()
        .map(|route| format!("{:5}{:44}{}", route.method.as_str(), route.path, needs(route.need)))
        .collect();
    lines.sort_by(|one, other| one[5..].cmp(&other[5..]));
    let found = lines.join("\n") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/page/routes.txt");
    #[expect(clippy::disallowed_methods, reason = "who runs the test says so, as with the wordings")]
    if std::env::var_os("UPDATE_ROUTES").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(known == found, "the routes changed; look at each right, then UPDATE_ROUTES=1:\n{found}");
}

/// A change nobody forgot to guard: whatever changes something is no GET.
#[tokio::test]
async fn looking_changes_nothing() {
    let (world, site, ids) = site().await;
    let admin = site.inside("Petra", Role::Admin).await;
    let before = world.durable().await;
    for route in site.routes.iter().filter(|route| route.method == Method::GET && !route.streams) {
        admin.get(&ids.path(route.path)).await;
    }
    assert_eq!(before, world.durable().await);
}

#[tokio::test]
async fn nobody_gets_past_the_log_in() {
    let (_world, site, ids) = site().await;
    let nobody = site.browser();
    let forged = site.browser();
    forged.set_cookie(super::COOKIE, &"0".repeat(64));
    for route in &site.routes {
        for browser in [&nobody, &forged] {
            let answer = ask(browser, route, &ids).await;
            match route.need {
                Need::Nobody => assert!(answer.status != StatusCode::FORBIDDEN, "{}", route.path),
                // the test's own address is this machine
                Need::Machine => {}
                _ => assert!(
                    answer.onward().starts_with("/anmelden"),
                    "{} {}: {}",
                    route.method,
                    route.path,
                    answer.status
                ),
            }
        }
    }
}

#[tokio::test]
async fn each_role_gets_what_it_may_and_nothing_else() {
    let (world, site, ids) = site().await;
    for role in ROLES {
        for route in &site.routes {
            let (Need::May(right) | Need::Freshly(right)) = route.need else { continue };
            if route.path == "/abmelden" || route.streams {
                continue;
            }
            // each with a session of its own: some routes end it
            let browser = site.inside(role.as_str(), *role).await;
            let answer = ask(&browser, route, &ids).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, !role.may(right), "{role:?} {} {}: {}", route.method, route.path, answer.status);
            assert!(!answer.onward().starts_with("/anmelden"), "{role:?} {} {}", route.method, route.path);
            assert!(answer.status.as_u16() < 500, "{role:?} {} {}: {}", route.method, route.path, answer.body);
        }
    }
    let denied = world.count("SELECT COUNT(*) FROM events WHERE kind = 'access' AND detail LIKE 'denied:%'").await;
    assert!(denied > 0, "refusals are on record");
}

#[tokio::test]
async fn a_half_log_in_gets_nothing_but_its_other_half() {
    let (_world, site, ids) = site().await;
    for stage in [SessionStage::Second, SessionStage::Enrol] {
        for route in site.routes.iter().filter(|route| matches!(route.need, Need::May(_) | Need::Freshly(_))) {
            let half = site.inside_as("Petra", Role::Admin, stage).await;
            let answer = ask(&half, route, &ids).await;
            assert!(
                answer.onward().split('?').next().is_some_and(|path| path.ends_with("/zweiter")),
                "{stage:?} {} {}: {}",
                route.method,
                route.path,
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn a_session_of_a_disabled_account_is_worth_nothing() {
    let (world, site, ids) = site().await;
    let petra = site.inside("Petra", Role::Admin).await;
    world.sql("UPDATE accounts SET disabled_at = 1 WHERE name = 'Petra'").await;
    for route in site.routes.iter().filter(|route| matches!(route.need, Need::May(_))) {
        assert!(ask(&petra, route, &ids).await.onward().starts_with("/anmelden"), "{}", route.path);
    }
}

#[tokio::test]
async fn what_weighs_heavily_is_asked_for_anew() {
    let (world, site, ids) = site().await;
    let petra = site.inside("Petra", Role::Admin).await;
    world.clock.advance(chrono::TimeDelta::minutes(6));
    for route in site.routes.iter().filter(|route| matches!(route.need, Need::Freshly(_))) {
        let answer = ask(&petra, route, &ids).await;
        assert!(
            answer.onward().starts_with("/anmelden/bestaetigen"),
            "{} {}: {}",
            route.method,
            route.path,
            answer.status
        );
    }
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let (world, site, ids) = site().await;
    let admin = site.inside("Petra", Role::Admin).await;
    let before = world.durable().await;
    let foreign: &[&[(&str, &str)]] = &[
        &[],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &site.url)],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("referer", &site.url)],
    ];
    for route in site.routes.iter().filter(|route| route.method == Method::POST) {
        for headers in foreign {
            let answer = admin.send(Method::POST, &ids.path(route.path), headers, Some(String::new())).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {headers:?}", route.path);
        }
    }
    assert_eq!(before, world.durable().await);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one list of what is malformed")]
async fn what_is_malformed_is_refused_and_breaks_nothing() {
    let (_world, site, _) = site().await;
    let long = "x".repeat(8_000);
    let bad = [
        "..%2F..%2F..%2Fetc%2Fpasswd",
        "%252e%252e",
        "%00",
        "%FF%FE",
        "'%20OR%201=1--",
        "-1",
        "99999999999999999999",
        "%3Cscript%3E",
        &long,
    ];
    let whole = format!("a={}", "x".repeat(2 * 1024 * 1024));
    for route in site.routes.iter().filter(|route| !route.streams) {
        let admin = site.inside("Petra", Role::Admin).await;
        if route.path.contains('{') {
            for part in bad {
                let answer = admin.send(route.method.clone(), &filled(route.path, part), SAME, None).await;
                assert!(
                    !answer.status.is_success() && answer.status.as_u16() < 500,
                    "{} {part}: {}",
                    route.path,
                    answer.status
                );
                assert!(!answer.body.contains("root:"), "{}", route.path);
                let is_ours = answer.body.is_empty() || answer.body.contains("<html lang=\"de\">");
                assert!(is_ours, "{} {part}: {}", route.path, answer.body);
            }
        }
        let path = filled(route.path, "1001");
        if route.method == Method::POST {
            let admin = site.inside("Petra", Role::Admin).await;
            for body in ["nobody_knows_this=1", "a=1&a=2", "%FF=%FF", "{\"a\":1}", whole.as_str()] {
                let answer = admin.send(Method::POST, &path, SAME, Some(body.to_owned())).await;
                assert!(
                    !answer.status.is_success() && answer.status.as_u16() < 500,
                    "{} {}: {}",
                    route.path,
                    &body[..7],
                    answer.status
                );
            }
        } else {
            for query in ["?nobody_knows_this=1", "?a=%FF", "?x=1&x=2"] {
                let answer = admin.get(&format!("{path}{query}")).await;
                assert!(answer.status.as_u16() < 500, "{} {query}: {}", route.path, answer.status);
            }
        }
        for method in ["TRACE", "PUT", "DELETE", "PATCH", "NONSENSE"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = admin.send(method.clone(), &path, SAME, None).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {}", route.path);
        }
    }
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let (_world, site, ids) = site().await;
    let admin = site.inside("Petra", Role::Admin).await;
    let nobody = site.browser();
    let mut answers: Vec<(String, Answer)> = Vec::new();
    for route in site.routes.iter().filter(|route| !route.streams) {
        answers.push((route.path.to_owned(), ask(&nobody, route, &ids).await));
        if route.method == Method::GET {
            answers.push((route.path.to_owned(), admin.get(&ids.path(route.path)).await));
        }
    }
    answers.push(("unknown".to_owned(), admin.get("/gibt/es/nicht").await));
    answers.push(("no method".to_owned(), admin.send(Method::PUT, "/anmelden", SAME, None).await));
    for (path, answer) in answers {
        let header = |name: &str| {
            answer.headers.get(name).unwrap_or_else(|| panic!("{path}: no {name}")).to_str().unwrap().to_owned()
        };
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") || policy == "sandbox", "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
        let kept = header("cache-control");
        assert!(kept == "no-store" || path.starts_with("/assets/"), "{path}: {kept}");
    }
}

#[tokio::test]
async fn under_another_name_the_page_does_not_answer() {
    let (_world, site, _) = site().await;
    let admin = site.inside("Petra", Role::Admin).await;
    for host in ["evil.example", "127.0.0.1", "localhost:1"] {
        let answer = admin.send(Method::GET, "/anmelden", &[("host", host)], None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{host}");
    }
}

#[tokio::test]
async fn a_forged_address_opens_no_machine_route() {
    let mut world = World::night().await;
    let ids = hostile::fill(&mut world).await;
    // the proxy is this machine: who stands behind it is somebody else
    let site = Site::with(&world, |web| web.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    for route in site.routes.iter().filter(|route| route.need == Need::Machine) {
        for forged in ["203.0.113.9", "127.0.0.1, 203.0.113.9"] {
            let headers = [("x-forwarded-for", forged), ("authorization", "Bearer wrong")];
            let answer = site.browser().send(Method::GET, &ids.path(route.path), &headers, None).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", route.path);
        }
    }
}

#[tokio::test]
async fn behind_a_proxy_that_nobody_named_nobody_is_this_machine() {
    let (_world, site, _) = site().await;
    let browser = site.browser();
    assert_eq!(browser.get("/metrics").await.status, StatusCode::OK);
    for header in [("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1")] {
        let answer = browser.send(Method::GET, "/metrics", &[header], None).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header:?}");
    }
}

#[tokio::test]
async fn guessing_does_not_tell_which_names_exist() {
    let world = World::night().await;
    let site = Site::with(&world, |web| web.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    super::invited_with(&world, &site, "Petra", Role::Admin, "drei blaue Pferde im Regen").await;
    let mut seen = Vec::new();
    for (name, network) in [("Petra", 0), ("Paul", 1)] {
        let mut statuses = Vec::new();
        for index in 0..15 {
            let from = format!("203.0.113.{}", network * 100 + index);
            let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", from.as_str())];
            // spaces around a name are no other name
            let name = format!("{}{name}", " ".repeat(index));
            let fields = super::form(&[("name", &name), ("passwort", "geraten geraten geraten")]);
            statuses.push(site.browser().send(Method::POST, "/anmelden", &headers, Some(fields)).await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count(), 10, "{name}");
        seen.push(statuses);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn guessing_is_slow_and_locks_nobody_out() {
    let world = World::night().await;
    let site = Site::with(&world, |web| web.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let password = "drei blaue Pferde im Regen";
    let petra = super::invited_with(&world, &site, "Petra", Role::Admin, password).await;
    let stranger = site.browser();
    let fields = super::form(&[("name", "Petra"), ("passwort", "geraten geraten geraten")]);
    let mut tried = 0;
    // four tries each from many addresses
    for index in 0..40 {
        let from = format!("203.0.113.{}", index / 4);
        let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", from.as_str())];
        let answer = stranger.send(Method::POST, "/anmelden", &headers, Some(fields.clone())).await;
        match answer.status {
            StatusCode::UNAUTHORIZED => tried += 1,
            StatusCode::TOO_MANY_REQUESTS => assert!(answer.headers.contains_key("retry-after")),
            other => panic!("{other}"),
        }
    }
    // ten at once; one was Petra's own first log-in from a browser that was unknown then
    assert!(tried <= 10, "{tried} tries for one account");
    let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", "198.51.100.77")];
    let own = super::form(&[("name", "Petra"), ("passwort", password)]);
    let answer = petra.send(Method::POST, "/anmelden", &headers, Some(own)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "Petra's own browser is let in all the while");
}

#[tokio::test]
async fn no_callers_text_becomes_html_on_any_page() {
    let (_world, site, ids) = site().await;
    let admin = site.inside("Petra", Role::Admin).await;
    let mut shown = 0;
    for route in site.routes.iter().filter(|route| route.method == Method::GET && !route.streams) {
        let answer = admin.get(&ids.path(route.path)).await;
        let html =
            answer.headers.get("content-type").is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
        if html {
            assert!(!answer.body.contains(hostile::TAG), "{} shows a tag of a caller's", route.path);
            shown += usize::from(answer.body.contains("&#60;img src=x") || answer.body.contains("&lt;img src=x"));
        }
    }
    assert!(shown >= 2, "the hostile words were shown on {shown} pages: the test looks at the wrong ones");
}

async fn ask(browser: &Browser, route: &Route, ids: &hostile::Ids) -> Answer {
    let path = ids.path(route.path);
    if route.streams {
        return browser.head_of(&path).await;
    }
    let body = (route.method == Method::POST).then(String::new);
    browser.send(route.method.clone(), &path, SAME, body).await
}

/// The route's path with every place filled by `part`.
fn filled(path: &str, part: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push_str(part);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + rest
}

impl World {
    /// Everything in the store but what says only that somebody looked.
    pub(crate) async fn durable(&self) -> String {
        let mut db = sqlx::AnyConnection::connect(self.url()).await.unwrap();
        let tables = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .fetch_all(&mut db)
            .await
            .unwrap();
        let mut out = String::new();
        for table in tables {
            let name: String = table.get(0);
            if name == "sessions" || name.starts_with("sqlite_") {
                continue;
            }
            let sql = format!(
                "SELECT group_concat('quote(\"' || name || '\")', ' || ''|'' || ') FROM pragma_table_info('{name}')"
            );
            let columns: Option<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut db).await.unwrap();
            let sql = format!("SELECT {} FROM \"{name}\"", columns.unwrap_or_else(|| "''".to_owned()));
            let mut rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
            rows.sort();
            out.extend([name, rows.join("\n"), String::new()].map(|line| line + "\n"));
        }
        out
    }

    /// Numbers out of the database.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let mut db = sqlx::AnyConnection::connect(self.url()).await.unwrap();
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap()
    }

    /// A number out of the database.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let mut db = sqlx::AnyConnection::connect(self.url()).await.unwrap();
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut db).await.unwrap()
    }
}
