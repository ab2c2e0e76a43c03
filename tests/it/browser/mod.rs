//! The page in a real Chromium: what a person sees and does there. Chromium and its driver are Debian's; axe-core (which looks
//! for what people with impairments could not use) lies in tests/data/axe.

mod gallery;
mod morning;
mod tour;

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::prelude::*;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_mins(1);
/// axe-core 4.14.1, MPL-2.0, as published at npm.
const AXE: &str = include_str!("../../data/axe/axe.min.js");
/// Notes what the page's policy refused.
const WITNESS: &str = "window.refused = []; document.addEventListener('securitypolicyviolation', (event) => \
    window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));";

/// A Chromium of its own, ended when dropped.
pub(crate) struct Chromium {
    pub(crate) driver: WebDriver,
    process: Child,
    _profile: tempfile::TempDir,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // the driver ends its browser with it
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Chromium {
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: scripts/setup installs it");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // "ChromeDriver was started successfully on port 41234."
        let port = lines.map_while(Result::ok).find_map(|line| {
            let port = line.split_once("successfully on port ")?.1;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let mut wanted = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--mute-audio",
            "--lang=de",
            "--autoplay-policy=no-user-gesture-required",
        ] {
            wanted.add_arg(argument).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().join("profile").display())).unwrap();
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        let driver = WebDriver::new(address, wanted).await.unwrap();
        let chromium = Self { driver, process, _profile: profile };
        chromium.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WITNESS })).await;
        chromium.cdp("Page.enable", json!({})).await;
        chromium
    }

    pub(crate) async fn cdp(&self, method: &str, params: Value) -> Value {
        self.driver.cdp().send_raw(method, params).await.unwrap()
    }

    /// The screen: width and height in CSS pixels, and whether the night is on.
    pub(crate) async fn screen(&self, width: u32, height: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": [scheme] })).await;
    }

    pub(crate) async fn scripts(&self, allowed: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": !allowed })).await;
    }

    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// What a script says.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// An element, waited for.
    pub(crate) async fn see(&self, css: &str) -> WebElement {
        let found = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50)).first().await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}\n{}", self.text().await),
        }
    }

    /// What stands on the page.
    pub(crate) async fn text(&self) -> String {
        // between two pages there is none
        let Ok(body) = self.driver.find(By::Tag("body")).await else { return String::new() };
        body.text().await.unwrap_or_default()
    }

    pub(crate) async fn click(&self, css: &str) {
        self.see(css).await.click().await.unwrap();
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Waits until the page shows a text, two minutes at most: a recording is written down meanwhile, beside other tests.
    pub(crate) async fn shows(&self, text: &str) {
        let mut shown = String::new();
        for _ in 0..2400 {
            shown = self.text().await;
            if shown.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the page does not show {text:?}:\n{shown}");
    }

    /// By name and password, as people do.
    pub(crate) async fn log_in(&self, url: &str, name: &str, password: &str) {
        self.open(&format!("{url}/anmelden")).await;
        self.fill("input[name=name]", name).await;
        self.fill("input[name=passwort]", password).await;
        self.click("form[action='/anmelden'] button").await;
        self.see("header.top").await;
    }

    /// What the page's own policy refused here, and whether a caller's text ran.
    pub(crate) async fn refused(&self) -> String {
        let refused = self.ask("return JSON.stringify(window.refused)").await;
        let pwned = self.ask("return String(window.pwned)").await;
        let refused = refused.as_str().unwrap_or("[]").to_owned();
        match (refused.as_str(), pwned.as_str()) {
            ("[]", Some("undefined")) => String::new(),
            _ => format!("refused: {refused}, pwned: {pwned}"),
        }
    }

    /// How much wider than the screen the page is, in CSS pixels.
    pub(crate) async fn overflow(&self) -> i64 {
        self.ask("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            .await
            .as_i64()
            .unwrap()
    }

    /// What axe-core finds that is serious or critical, as lines.
    pub(crate) async fn impairments(&self) -> Vec<String> {
        self.driver.execute(AXE, Vec::new()).await.unwrap();
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations
                .filter((one) => one.impact === 'serious' || one.impact === 'critical')
                .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`)),
                (error) => done([String(error)]));";
        let found = self.driver.execute_async(script, Vec::new()).await.unwrap().json().clone();
        found.as_array().unwrap().iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A picture of the page, of its upper part where it is long.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let size = self
            .ask("const page = document.documentElement; return [page.clientWidth, Math.max(innerHeight, page.scrollHeight)]")
            .await;
        let (width, height) = (size[0].as_f64().unwrap(), size[1].as_f64().unwrap().min(2200.0));
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.cdp("Page.captureScreenshot", wanted).await;
        base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }
}
