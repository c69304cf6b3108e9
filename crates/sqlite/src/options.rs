//! The options of a store.

use std::path::PathBuf;

use eas_core::error::{Error, Kind, Result};
use eas_core::options::{DriverOptions, Given, missing, wrong};

/// The name of the driver.
pub const NAME: &str = "sqlite";

/// The file of a database that is made in a folder.
pub const FILE_NAME: &str = "storage.db";

/// When what was written is on the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Within a second.
    Background,
    /// Before the write is reported done.
    Full,
    /// When the system sees fit.
    None,
}

/// What a store is made with.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database.
    pub file: PathBuf,
    /// When what was written is on the medium.
    pub durability: Level,
    /// Whether changes are refused.
    pub is_read_only: bool,
    /// Whether `clear` is refused.
    pub no_clear: bool,
    /// The permissions of a new file, less the umask; the system's where it is `None`.
    pub mode: Option<u32>,
}

impl SqliteOptions {
    /// The defaults for a database.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        SqliteOptions {
            file: file.into(),
            durability: Level::Background,
            is_read_only: false,
            no_clear: false,
            mode: None,
        }
    }

    /// Reads what the program gave.
    ///
    /// # Errors
    /// [`Kind::RequiredOption`] without `base` and `file`; [`Kind::InvalidOption`] with both and for
    /// values of the wrong type.
    pub fn read(given: &DriverOptions) -> Result<Self> {
        let file = match (given.string("base")?, given.string("file")?) {
            (Some(base), None) if !base.is_empty() => PathBuf::from(base).join(FILE_NAME),
            (None, Some(file)) if !file.is_empty() => PathBuf::from(file),
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    Kind::InvalidOption,
                    "the options `base` (a folder) and `file` (the database itself) exclude each other: give one",
                ));
            }
            _ => return Err(missing("base")),
        };
        let file = std::path::absolute(&file)
            .map_err(|error| Error::io(error, "resolve the path of the database"))?;
        let durability = match given.string("durability")?.as_deref() {
            None | Some("background") => Level::Background,
            Some("full") => Level::Full,
            Some("none") => Level::None,
            Some(_) => {
                let other = given.get("durability").expect("it is a string");
                return Err(wrong(
                    "durability",
                    other,
                    "\"background\", \"full\" or \"none\"",
                ));
            }
        };
        Ok(SqliteOptions {
            file,
            durability,
            is_read_only: given.read_only()?.is_read_only(),
            no_clear: given.bool("noClear", false)?,
            mode: mode(given)?,
        })
    }
}

fn mode(given: &DriverOptions) -> Result<Option<u32>> {
    match given.get("mode") {
        None => Ok(None),
        Some(Given::Number(number)) if number.fract() == 0.0 && (0.0..=511.0).contains(number) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the guard keeps the number whole and in range"
            )]
            let mode = *number as u32;
            Ok(Some(mode))
        }
        Some(other) => Err(wrong(
            "mode",
            other,
            "permissions from 0o000 to 0o777, such as 0o600",
        )),
    }
}
