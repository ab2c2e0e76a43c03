//! Why a firm's rule files cannot be used, and which of their examples go wrong.

use serde::Serialize;

/// Why rule files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not the TOML that is expected.
    #[error("{file}: {error}")]
    Toml {
        /// Name of the file.
        file: String,
        /// What and where.
        error: Box<toml::de::Error>,
    },
    /// A pattern that cannot be read.
    #[error("{file}: concept {concept:?}: {what}")]
    Pattern {
        /// Name of the file.
        file: String,
        /// The concept.
        concept: String,
        /// What is wrong.
        what: String,
    },
    /// A file whose name is taken by what cannot be laid over.
    #[error("{file}: the word lists belong to the program; give a rule file another name")]
    Fixed {
        /// Name of the file.
        file: String,
    },
    /// A folder without rule files.
    #[error("{path}: there is no rule file (*.toml) in this folder")]
    Empty {
        /// The folder.
        path: std::path::PathBuf,
    },
    /// The folder or a file in it cannot be read.
    #[error("could not read {path}: {error}")]
    Read {
        /// Folder or file.
        path: std::path::PathBuf,
        /// What happened.
        error: std::io::Error,
    },
}

/// An example that a rule file gets wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// Name of the file.
    pub file: String,
    /// The concept.
    pub concept: String,
    /// What is wrong, with the sentence.
    pub what: String,
}
