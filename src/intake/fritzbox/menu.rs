//! The words that a person finds in the box's German menus; the one file with German in it here.

/// Where programs are let in at all.
pub(super) const LET_PROGRAMS_IN: &str =
    "\"Zugriff für Anwendungen zulassen\" under Heimnetz > Netzwerk > Netzwerkeinstellungen";
/// Where users and their passwords are.
pub(super) const USERS: &str = "System > FRITZ!Box-Benutzer";
/// The right that the user needs.
pub(super) const RIGHT: &str = "\"Sprachnachrichten, Faxnachrichten, FRITZ!App Fon und Anrufliste\"";
/// Where the answering machines are.
pub(super) const MACHINES: &str = "Telefonie > Anrufbeantworter";
