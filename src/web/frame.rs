//! What stands around every page: title, menu, who is inside.

use super::assets;
use super::session::Visitor;
use crate::domain::account::{Right, Role};

/// The parts of the page, in the order of the menu: path, name, the right that shows it.
const MENU: &[(&str, &str, Right)] = &[
    ("/", "Eingang", Right::Read),
    ("/gebuehren", "Gebühren", Right::Charge),
    ("/dienstplan", "Dienstplan", Right::Roster),
    ("/auswertung", "Auswertung", Right::Figures),
    ("/regeln", "Regeln", Right::Rules),
    ("/wortschatz", "Wortschatz", Right::Correct),
    ("/zustand", "Zustand", Right::State),
    ("/konten", "Konten", Right::Accounts),
    ("/datenschutz", "Datenschutz", Right::Privacy),
];

/// One entry of the menu.
pub(crate) struct Entry {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    /// The page we are on belongs to it.
    pub(crate) here: bool,
}

/// What stands around a page.
pub(crate) struct Frame {
    /// The page's title.
    pub(crate) title: String,
    /// Who is inside; `None` = nobody yet.
    pub(crate) who: Option<Who>,
    pub(crate) menu: Vec<Entry>,
    /// Scripts of this page beside the common one, as addresses.
    pub(crate) scripts: Vec<String>,
    pub(crate) style: String,
    pub(crate) script: String,
}

/// Who is inside.
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) role: &'static str,
}

impl Frame {
    /// Around a page for whoever comes.
    pub(crate) fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            who: None,
            menu: Vec::new(),
            scripts: Vec::new(),
            style: assets::address("app.css"),
            script: assets::address("app.js"),
        }
    }

    /// Around a page below `part` of the menu ("/gebuehren").
    pub(crate) fn of(visitor: &Visitor, part: &str, title: &str) -> Self {
        let shown = MENU.iter().filter(|(_, _, right)| visitor.may(*right));
        Self {
            who: Some(Who { name: visitor.account.name.clone(), role: role(visitor.account.role) }),
            menu: shown.map(|(path, name, _)| Entry { path, name, here: *path == part }).collect(),
            ..Self::bare(title)
        }
    }

    /// The page's icon.
    #[expect(clippy::unused_self, reason = "templates know the frame only")]
    pub(crate) fn icon(&self) -> String {
        assets::address("icon.svg")
    }

    /// With a script of this page, by its name in assets/.
    #[must_use]
    pub(crate) fn with_script(mut self, name: &str) -> Self {
        self.scripts.push(assets::address(name));
        self
    }
}

/// A role's name.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "Verwaltung",
        Role::Reviewer => "Prüfung",
        Role::Technician => "Technik",
    }
}
