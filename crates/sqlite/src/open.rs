//! How a database is made, and told from a file that is not ours.
//!
//! Once SQLite has a file open, nothing else in the process may open and close it: that would take away
//! the locks that SQLite has on it. So a file is identified through SQLite alone.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use eas_core::error::{Error, Kind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Said, foreign, newer};
use crate::mode;
use crate::options::{Level, SqliteOptions};
use crate::schema::{APPLICATION_ID, CREATE, LAYOUT};
use crate::sync::sync_folder;

/// How long a call waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// What stands behind the name of a database in the making.
const DRAFT: &str = ".tmp-";

/// Longer than anybody makes a database.
const MAKING: Duration = Duration::from_secs(60);

/// How much of the database the connection that writes keeps in memory at most, in KiB. It reads as well.
const CACHE_KIB: i32 = 16_000;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 32;

/// A database that was looked for.
pub(crate) enum Opened {
    /// There is none, and the store only reads.
    Nothing,
    /// It is read only, first of all by this one.
    ToRead(Reader),
    ToWrite(Connection),
}

/// Opens a database, which is made where there is none and the store writes.
pub(crate) fn open(options: &SqliteOptions) -> Result<Opened> {
    let file = &options.file;
    loop {
        match file.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Err(foreign(file, "a folder"));
            }
            Ok(metadata) if metadata.len() == 0 => {
                if wal_of(file).metadata().is_ok_and(|wal| wal.len() > 0) {
                    if file.metadata().is_ok_and(|now| now.len() > 0) {
                        // Another one has filled it meanwhile.
                        continue;
                    }
                    return Err(foreign(file, "empty beside a write-ahead log"));
                }
                if options.is_read_only {
                    return Ok(Opened::Nothing);
                }
                fill(options)?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if options.is_read_only {
                    return Ok(Opened::Nothing);
                }
                make(options)?;
                continue;
            }
            Err(error) => return Err(Error::io(error, "look at the database")),
        }
        if options.is_read_only {
            return Ok(Opened::ToRead(reader(file)?));
        }
        // Kept until the one that writes is open: the last one to close a database tidies it up.
        let _looked = shared_reader(file)?;
        let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare(&connection, options).said(file, "open")?;
        return Ok(Opened::ToWrite(connection));
    }
}

/// A connection that reads a database of ours, and is told of what others write.
pub(crate) fn shared_reader(file: &Path) -> Result<Connection> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    identify(&connection, file)?;
    Ok(connection)
}

/// A connection that reads a database of ours.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    /// What the file was like before, where nothing tells the connection of what others write.
    alone: Option<Stamp>,
}

/// What tells that a file was changed.
#[derive(PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: SystemTime,
}

/// Opens a connection to read with. Where this process cannot make what those share who have a database open
/// (in a folder that is not to be written), it reads the file as it is, if all is in it.
pub(crate) fn reader(file: &Path) -> Result<Reader> {
    match shared_reader(file) {
        Ok(connection) => Ok(connection.into()),
        Err(error) if matches!(error.kind(), Kind::System("EACCES" | "EROFS")) => {
            let Some(stamp) = stamp_of_whole(file) else {
                return Err(error);
            };
            let connection = connect_alone(file)?;
            identify(&connection, file)?;
            Ok(Reader {
                connection,
                alone: Some(stamp),
            })
        }
        Err(error) => Err(error),
    }
}

impl From<Connection> for Reader {
    fn from(connection: Connection) -> Self {
        Reader {
            connection,
            alone: None,
        }
    }
}

impl Reader {
    /// Whether what it read may be neither the old state nor the new.
    pub(crate) fn is_outdated(&self, file: &Path) -> bool {
        self.alone.is_some() && stamp_of_whole(file) != self.alone
    }

    /// The connection, if it is good for another read.
    pub(crate) fn into_shared(self) -> Option<Connection> {
        self.alone.is_none().then_some(self.connection)
    }
}

/// The state of a file that holds all of its database and that nobody has open, in this process above all: to
/// close it would take away the locks of others. `None` for any other.
fn stamp_of_whole(file: &Path) -> Option<Stamp> {
    let size = |path: &Path| match path.metadata() {
        Ok(found) => Some(found.len()),
        Err(error) => (error.kind() != io::ErrorKind::NotFound).then_some(u64::MAX),
    };
    let is_open = size(&beside_real(file, "-shm")).is_some();
    if is_open || size(&wal_of(file)).is_some_and(|size| size > 0) {
        return None;
    }
    let metadata = file.metadata().ok()?;
    Some(Stamp {
        size: metadata.len(),
        modified: metadata.modified().ok()?,
    })
}

/// A connection that writes, to a database that is open already.
pub(crate) fn side_writer(file: &Path) -> Result<Connection> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .pragma_update(None, "wal_autocheckpoint", 0)
        .said(file, "open")?;
    Ok(connection)
}

fn connect(file: &Path, access: OpenFlags) -> Result<Connection> {
    connect_to(file, file, access)
}

/// Without locks, and without the log.
fn connect_alone(file: &Path) -> Result<Connection> {
    let mut uri = OsString::from("file:");
    uri.push(escaped(file)?);
    uri.push("?immutable=1");
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    connect_to(Path::new(&uri), file, access)
}

fn connect_to(name: &Path, file: &Path, access: OpenFlags) -> Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(name, flags).said(file, "open")?;
    connection.busy_timeout(BUSY).said(file, "open")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Does something that another process may be in the way of, without waiting for it.
pub(crate) fn without_waiting<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = work();
    connection.busy_timeout(BUSY)?;
    done
}

/// Whether another process is in the way.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn identify(connection: &Connection, file: &Path) -> Result<()> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if number("application_id").said(file, "read")? != APPLICATION_ID {
        return Err(foreign(file, "a SQLite database of another program"));
    }
    let layout = number("user_version").said(file, "read")?;
    if layout > LAYOUT {
        return Err(newer(file, layout));
    }
    Ok(())
}

fn prepare(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    // It has none yet where it was an empty file.
    to_wal(connection)?;
    // Checkpoints are made beside the work.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let synchronous = match options.durability {
        Level::Full => "FULL",
        // Anything less would cost the integrity of the database.
        Level::Background | Level::None => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

/// Writes the layout into a database that nobody else can see, or that is locked.
fn lay_out(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", LAYOUT)?;
    connection.execute_batch(CREATE)
}

/// Nothing changes where the database has a log.
fn to_wal(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(2);

    let start = Instant::now();
    loop {
        let set = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        match set {
            // SQLite itself does not wait for those who read at that moment.
            Err(error) if is_busy(&error) && start.elapsed() < BUSY => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

/// Makes a database under another name and links it into its place, where the first one wins.
fn make(options: &SqliteOptions) -> Result<()> {
    let file = &options.file;
    if let Some(folder) = file.parent() {
        make_folder(folder, options.mode)
            .map_err(|error| Error::io(error, "make the folder of the database"))?;
    }
    remove_left_drafts(file);
    let draft = Draft::beside(file);
    make_file(&draft.0, options.mode).map_err(|error| Error::io(error, "make the database"))?;
    let connection = connect(&draft.0, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    lay_out(&connection).said(file, "make")?;
    to_wal(&connection).said(file, "make")?;
    connection
        .close()
        .map_err(|(_, error)| error)
        .said(file, "make")?;
    match std::fs::hard_link(&draft.0, file) {
        Ok(()) => Ok(()),
        // Another one was first.
        Err(_) if file.exists() => Ok(()),
        // A file system without links, or a symbolic link that leads to nothing: there an empty file becomes
        // the database, which has no second one in its place.
        Err(_) => {
            let mut empty = OpenOptions::new();
            empty.append(true).create(true);
            mode::of_file(&mut empty, options.mode);
            let made = empty.open(file).map(drop);
            made.map_err(|error| Error::io(error, "name the database"))
        }
    }
}

/// An empty file becomes a database; of two that find it, the second finds a database.
fn fill(options: &SqliteOptions) -> Result<()> {
    let file = &options.file;
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .execute_batch("BEGIN EXCLUSIVE")
        .said(file, "lock")?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .said(file, "read")?;
    if tables == 0 {
        lay_out(&connection).said(file, "make")?;
    }
    connection.execute_batch("COMMIT").said(file, "make")
}

/// A database in the making; removed, with what SQLite keeps beside it, when it is dropped.
pub(crate) struct Draft(pub(crate) PathBuf);

impl Draft {
    pub(crate) fn beside(file: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Draft(beside(
            file,
            &format!("{DRAFT}{}-{number}", std::process::id()),
        ))
    }
}

/// Removes what processes left that were killed while they made the database, or a backup. What cannot be removed
/// does no harm.
pub(crate) fn remove_left_drafts(file: &Path) {
    let Some(entries) = file.parent().and_then(|folder| folder.read_dir().ok()) else {
        return;
    };
    let name = beside(Path::new(file.file_name().unwrap_or_default()), DRAFT);
    let name = name.as_os_str().as_encoded_bytes();
    for entry in entries.flatten() {
        let is_draft = entry.file_name().as_encoded_bytes().starts_with(name);
        let is_left = || {
            let modified = entry.metadata().and_then(|data| data.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > MAKING))
        };
        if is_draft && is_left() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Most of it is not there.
        let _ = std::fs::remove_file(&self.0);
        let _ = remove_beside(&self.0);
    }
}

/// What stands behind the name of a database in the names of what SQLite keeps beside it.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Removes what SQLite keeps beside a database: another one in its place is not to take it for its own.
pub(crate) fn remove_beside(file: &Path) -> io::Result<()> {
    for suffix in BESIDE {
        match std::fs::remove_file(beside(file, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a path, however it is spelled, leads to a database or to what SQLite keeps beside it.
pub(crate) fn is_part_of(path: &Path, database: &Path) -> bool {
    let (Ok(path), Ok(database)) = (path.canonicalize(), database.canonicalize()) else {
        return false;
    };
    path == database
        || BESIDE
            .iter()
            .any(|suffix| path == beside(&database, suffix))
}

/// A path as the path of a URI, which on Windows begins with a slash and has no backslashes.
fn escaped(path: &Path) -> Result<String> {
    let path = path.to_str().ok_or_else(|| {
        Error::new(
            Kind::System("EILSEQ"),
            "EILSEQ: the path of the database is no Unicode",
        )
    })?;
    let path = if cfg!(windows) {
        format!("/{}", path.replace('\\', "/"))
    } else {
        path.to_owned()
    };
    let escaped = path.replace('%', "%25").replace('?', "%3f");
    Ok(escaped.replace('#', "%23"))
}

/// The write-ahead log of a database.
pub(crate) fn wal_of(file: &Path) -> PathBuf {
    beside_real(file, "-wal")
}

/// Waits until nobody else has the lock of a database, which is another one than those of SQLite: it is had for
/// as long as a migration takes. `None` where the file system has no locks.
pub(crate) fn wait_for_lock(file: &Path, mode: Option<u32>) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    mode::of_file(&mut options, mode);
    let lock = options.open(beside_real(file, "-lock"))?;
    Ok(lock.lock().is_ok().then_some(lock))
}

/// SQLite has its files where a symbolic link leads.
fn beside_real(file: &Path, suffix: &str) -> PathBuf {
    match file.canonicalize() {
        Ok(real) => beside(&real, suffix),
        Err(_) => beside(file, suffix),
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Makes an empty file. What SQLite keeps beside a database has its permissions.
pub(crate) fn make_file(file: &Path, mode: Option<u32>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    mode::of_file(&mut options, mode);
    options.open(file).map(drop)
}

fn make_folder(folder: &Path, mode: Option<u32>) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    mode::of_folder(&mut builder, mode);
    let is_missing = |above: &&Path| matches!(above.try_exists(), Ok(false));
    let made: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    builder.create(folder)?;
    // Each name in the folder above it; later calls sync the folder of the database alone.
    made.into_iter().try_for_each(sync_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_of_a_file_that_changed_meanwhile_is_outdated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("storage.db");
        std::fs::write(&file, "1").unwrap();
        let look = || Reader {
            connection: Connection::open_in_memory().unwrap(),
            alone: stamp_of_whole(&file),
        };
        let reader = look();
        assert!(!reader.is_outdated(&file));
        let opened = File::options().write(true).open(&file).unwrap();
        opened.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(reader.is_outdated(&file));

        let reader = look();
        std::fs::write(wal_of(&file), "").unwrap();
        assert!(!reader.is_outdated(&file));
        for beside in ["-wal", "-shm"] {
            let beside = beside_real(&file, beside);
            std::fs::write(&beside, "x").unwrap();
            assert!(reader.is_outdated(&file), "{}", beside.display());
            std::fs::remove_file(beside).unwrap();
        }
        assert!(reader.into_shared().is_none());
        // Others are told by SQLite.
        let shared = Reader::from(Connection::open_in_memory().unwrap());
        assert!(!shared.is_outdated(&file));
    }
}
