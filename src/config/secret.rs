//! Secrets: from a file or the environment, never printed.

use secrecy::SecretString;
use serde::Deserialize;
use std::path::PathBuf;

/// Where a secret comes from: `{ file = "/path" }`, `{ env = "NAME" }` or, for trials, the text itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Secret {
    /// Read from a file (its first line).
    File {
        /// Which file.
        file: PathBuf,
    },
    /// Read from the environment.
    Env {
        /// Which variable.
        env: String,
    },
    /// Written in the settings themselves.
    Text(SecretString),
}

impl Secret {
    /// The secret itself.
    ///
    /// # Errors
    /// Where the file cannot be read or the variable is empty; the text says what to do and not the secret.
    pub fn reveal(&self) -> Result<SecretString, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Env { env } => super::environment(env)
                .map(SecretString::from)
                .ok_or_else(|| format!("the environment variable {env} is not set: set it, or name a file")),
            Self::File { file } => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| format!("could not read the secret in {}: {error}", file.display()))?;
                let line = text.lines().next().unwrap_or("").trim();
                if line.is_empty() {
                    return Err(format!("{} is empty: write the secret on its first line", file.display()));
                }
                Ok(SecretString::from(line.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::Text("123:abc".to_owned().into());
        assert!(!format!("{secret:?}").contains("abc"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Secret::File { file: "/nowhere/token".into() }.reveal().unwrap_err();
        assert!(error.contains("/nowhere/token"), "{error}");
    }
}
