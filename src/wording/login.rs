//! What `nachtwache sources login` says to the person at the keyboard.

/// What to do: open the address, type the code.
#[must_use]
pub fn device_code(source: &str, address: &str, code: &str) -> String {
    format!(
        "Anmeldung für die Quelle {source}:\n  1. Im Browser öffnen: {address}\n  2. Diesen Code eingeben: {code}\n  \
         3. Mit dem Postfach anmelden, das überwacht werden soll.\nWarte auf die Anmeldung …"
    )
}

/// It worked.
#[must_use]
pub fn logged_in(source: &str) -> String {
    format!("Angemeldet. Die Quelle {source} holt sich ihre Zugänge ab jetzt selbst; prüfen mit: nachtwache check")
}
