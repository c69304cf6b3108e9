//! The options of a store.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::disk::SystemDisk;
use super::durability::Level;
use super::ignore::{self, Ignore};
use eas_core::error::{Error, Result};
use eas_core::options::{DriverOptions, Given, wrong};

/// The name of the driver that watches.
pub const NAME: &str = "fs";
/// The name of the driver that does not.
pub const LITE_NAME: &str = "fs-lite";

/// How a store is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOptions {
    /// Whether items that are there when the watch starts are not reported.
    pub ignore_initial: bool,
    /// Whether folders that may not be read are passed over.
    pub ignore_permission_errors: bool,
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions {
            ignore_initial: true,
            ignore_permission_errors: false,
        }
    }
}

/// What a store is made with.
#[derive(Debug, Clone)]
pub struct FsOptions {
    /// The folder that holds the items, in the form in which the system is asked for it.
    pub base: PathBuf,
    /// What is left alone.
    pub ignore: Ignore,
    /// Whether changes are refused.
    pub read_only: bool,
    /// Whether `clear` is refused.
    pub no_clear: bool,
    /// The permission bits of new files, less the umask.
    pub mode: u32,
    /// When files are fsynced.
    pub durability: Level,
    /// How it is watched.
    pub watch: WatchOptions,
}

impl FsOptions {
    /// The defaults of `fs` for a base.
    ///
    /// # Errors
    /// Those of the system when a relative base cannot be resolved.
    pub fn at(base: impl AsRef<Path>) -> Result<Self> {
        let base = absolute(base.as_ref()).map_err(|error| Error::io(error, "resolve the base"))?;
        Ok(FsOptions {
            ignore: Ignore::new(ignore::DEFAULT, &shown(&base)),
            base: SystemDisk::base(base),
            read_only: false,
            no_clear: false,
            mode: DEFAULT_MODE,
            durability: Level::Background,
            watch: WatchOptions::default(),
        })
    }

    /// Reads what the JS runtime gave. The option `ignore` of `fs-lite` is a function, which only the
    /// host can call: it is left to the caller.
    ///
    /// # Errors
    /// Those of missing and wrong options.
    pub fn read(name: &'static str, given: &DriverOptions) -> Result<Self> {
        Self::read_unnamed(name, given).map_err(|error| error.driver(name))
    }

    fn read_unnamed(name: &'static str, given: &DriverOptions) -> Result<Self> {
        let mut options = Self::at(given.required_string("base")?)?;
        let base = shown(&absolute(Path::new(&given.required_string("base")?)).unwrap_or_default());
        options.read_only = given.read_only()?.is_read_only();
        options.no_clear = given.bool("noClear", false)?;
        options.mode = read_mode(given)?;
        options.durability = match (
            given.get("durability"),
            given.string("durability")?.as_deref(),
        ) {
            (_, None | Some("background")) => Level::Background,
            (_, Some("full")) => Level::Full,
            (_, Some("none")) => Level::None,
            (Some(other), _) => {
                return Err(wrong(
                    "durability",
                    other,
                    "\"background\", \"full\" or \"none\"",
                ));
            }
            (None, _) => Level::Background,
        };
        let watch = given.nested("watchOptions")?;
        options.watch = WatchOptions {
            ignore_initial: watch.bool("ignoreInitial", true)?,
            ignore_permission_errors: watch.bool("ignorePermissionErrors", false)?,
        };
        let patterns = match given.get("ignore") {
            Some(Given::String(pattern)) => Some(vec![pattern.clone()]),
            Some(Given::Predicate(_)) if name == LITE_NAME => None,
            _ => given.strings("ignore")?,
        };
        options.ignore = match &patterns {
            Some(patterns) => Ignore::new(patterns.iter().map(String::as_str), &base),
            None if name == NAME => Ignore::new(ignore::DEFAULT, &base),
            None => Ignore::default(),
        };
        Ok(options)
    }

    /// The permission bits of new files in which the store keeps its own affairs, which the owner can always
    /// go on with.
    pub(super) fn own_mode(&self) -> u32 {
        self.mode | 0o600
    }

    /// The permission bits of new folders: who may read files may enter, and the owner may do
    /// everything, without which nothing could be stored there.
    pub(super) fn folder_mode(&self) -> u32 {
        self.mode | (self.mode & 0o444) >> 2 | 0o700
    }
}

const DEFAULT_MODE: u32 = 0o666;
const MOST_MODE: f64 = 0o777 as f64;

fn read_mode(given: &DriverOptions) -> Result<u32> {
    match given.get("mode") {
        None => Ok(DEFAULT_MODE),
        Some(Given::Number(mode)) if mode.fract() == 0.0 && (0.0..=MOST_MODE).contains(mode) =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the guard keeps the number whole and in range"
            )]
            Ok(*mode as u32)
        }
        Some(other) => Err(wrong(
            "mode",
            other,
            "a whole number from 0 to 0o777, such as 0o600",
        )),
    }
}

/// The absolute form of a path, without `.` and `..`, as Node resolves it.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let mut resolved = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::CurDir => {}
            // At the root it changes nothing, as `pop` does.
            Component::ParentDir => {
                resolved.pop();
            }
            component => resolved.push(component),
        }
    }
    Ok(resolved)
}

/// The base as globs are matched with it, its names joined by `/`.
pub(super) fn shown(base: &Path) -> String {
    let text = base.to_string_lossy();
    if cfg!(windows) {
        without_backslashes(&text)
    } else {
        text.into_owned()
    }
}

/// A path of Windows as people write it, not in the verbatim form.
fn without_backslashes(path: &str) -> String {
    let path = path.replace('\\', "/");
    match (path.strip_prefix("//?/UNC/"), path.strip_prefix("//?/")) {
        (Some(share), _) => format!("//{share}"),
        (None, Some(path)) => path.to_owned(),
        (None, None) => path,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use eas_core::error::Kind;

    fn read(name: &'static str, entries: &[(&str, Given)]) -> Result<FsOptions> {
        let entries = entries
            .iter()
            .map(|(name, given)| ((*name).to_owned(), given.clone()))
            .collect();
        FsOptions::read(name, &DriverOptions::new(entries))
    }

    fn text(text: &str) -> Given {
        Given::String(text.to_owned())
    }

    #[test]
    fn globs_see_a_base_of_windows_as_people_write_it() {
        for (base, seen) in [
            (r"C:\Users\me", "C:/Users/me"),
            (r"\\?\C:\Users\me", "C:/Users/me"),
            (r"\\?\UNC\server\share\me", "//server/share/me"),
            (r"\\server\share\me", "//server/share/me"),
        ] {
            assert_eq!(without_backslashes(base), seen);
        }
    }

    #[test]
    fn the_base_is_required() {
        for entries in [&[][..], &[("base", text(""))]] {
            let error = read(NAME, entries).expect_err("no base");
            assert_eq!(error.kind(), Kind::RequiredOption);
            assert_eq!(
                error.to_string(),
                "[electron-async-storage] [fs] Missing required option `base`."
            );
        }
    }

    #[test]
    fn a_relative_base_becomes_absolute_without_dots() {
        let options = read(NAME, &[("base", text("x/../y/./z"))]).unwrap();
        assert!(options.base.is_absolute());
        assert!(options.base.ends_with("y/z"));
        assert!(!options.base.to_string_lossy().contains(".."));
    }

    #[test]
    fn a_mode_is_nine_bits_and_folders_get_the_matching_ones() {
        for (given, files, folders) in [
            (None, 0o666, 0o777),
            (Some(0o600), 0o600, 0o700),
            (Some(0o640), 0o640, 0o750),
            (Some(0o664), 0o664, 0o775),
            (Some(0o400), 0o400, 0o700),
        ] {
            let mut entries = vec![("base", text("x"))];
            entries.extend(given.map(|mode: u32| ("mode", Given::Number(mode.into()))));
            let options = read(LITE_NAME, &entries).unwrap();
            assert_eq!((options.mode, options.folder_mode()), (files, folders));
        }
        for wrong in [
            Given::Number(-1.0),
            Given::Number(0.5),
            Given::Number(f64::NAN),
            Given::Number(f64::from(0o1000)),
            text("0600"),
            Given::Bool(true),
        ] {
            let error = read(NAME, &[("base", text("x")), ("mode", wrong)]).expect_err("no mode");
            assert_eq!(error.kind(), Kind::InvalidOption);
        }
    }

    #[test]
    fn durability_is_one_of_three_words() {
        for (given, level) in [
            ("full", Level::Full),
            ("none", Level::None),
            ("background", Level::Background),
        ] {
            let options = read(NAME, &[("base", text("x")), ("durability", text(given))]).unwrap();
            assert_eq!(options.durability, level);
        }
        assert_eq!(
            read(NAME, &[("base", text("x"))]).unwrap().durability,
            Level::Background
        );
        for given in [text("fast"), Given::Bool(true), text("")] {
            let error = read(NAME, &[("base", text("x")), ("durability", given)])
                .expect_err("no such level");
            assert_eq!(error.kind(), Kind::InvalidOption);
        }
    }

    #[test]
    fn patterns_default_to_two_folders_for_fs_and_to_none_for_fs_lite() {
        assert!(
            read(NAME, &[("base", text("x"))])
                .unwrap()
                .ignore
                .covers("node_modules/a")
        );
        assert!(
            !read(LITE_NAME, &[("base", text("x"))])
                .unwrap()
                .ignore
                .covers("node_modules/a")
        );
        let given = Given::List(vec![text("tmp/**")]);
        let options = read(NAME, &[("base", text("x")), ("ignore", given)]).unwrap();
        assert!(options.ignore.covers("tmp/a"));
        assert!(!options.ignore.covers("node_modules/a"));
    }

    #[test]
    fn a_function_is_the_concern_of_the_host_for_fs_lite_only() {
        let function = || Given::Predicate(Rc::new(|_| Ok(true)));
        assert!(read(LITE_NAME, &[("base", text("x")), ("ignore", function())]).is_ok());
        let error =
            read(NAME, &[("base", text("x")), ("ignore", function())]).expect_err("globs only");
        assert_eq!(error.kind(), Kind::InvalidOption);
    }
}
