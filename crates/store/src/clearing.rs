//! What a clear of a store does on whatever thread it runs.

use smallvec::SmallVec;

use crate::filtered::FilteredClear;
use crate::order::{Clear, run_as_one};
use eas_core::driver::{Call, KeyFilter, Mode};
use eas_core::error::{At, Result};
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::store::{Applied, Batch, SingleWrites, Store, Write};

/// Removes, as one, what was not written since the clear was asked for.
fn remove_as_one(driver: &dyn Store, place: &Clear, keys: &Keys, mode: Mode) -> Result<Keys> {
    let sequenced: Vec<_> = keys.iter().map(|key| place.sequenced(key)).collect();
    run_as_one(&sequenced, |places| {
        let writes: Vec<_> = places
            .iter()
            .map(|place| Write::Remove {
                key: sequenced[*place].key(),
                is_listed: true,
            })
            .collect();
        let applied = driver.apply(&Batch::of(&writes)).map_err(|error| {
            error
                .driver(driver.info().name)
                .operation(Call::Clear.name(mode))
        })?;
        let removed = match applied {
            Applied::Done(removed) => removed,
            Applied::Conflicts(_) => SmallVec::new(),
        };
        let removed = writes.iter().zip(removed).filter(|(_, removed)| *removed);
        Ok(removed.map(|(write, _)| write.key()).collect())
    })
}

/// What is there, once every write before the clear is.
pub(super) fn keys_to_clear(
    driver: &dyn Store,
    place: &Clear,
    base: &str,
    mode: Mode,
) -> Result<Keys> {
    place.wait_for_older(base);
    let keys = driver
        .keys(base, None)
        .at(driver.info().name, Call::Clear.name(mode), base)?;
    Ok(keys.filtered(|key| !key::is_kept(key)))
}

/// Removes what was not written since the clear was asked for, and gives what was there of it.
pub(super) fn remove_all(
    driver: &dyn Store,
    place: &Clear,
    keys: &Keys,
    mode: Mode,
) -> Result<Keys> {
    if driver.info().is_transactional {
        return remove_as_one(driver, place, keys, mode);
    }
    let (name, operation) = (driver.info().name, Call::Clear.name(mode));
    let mut removed = Keys::new();
    let mut outcome = Ok(());
    for key in keys {
        let done = place.sequenced(key).run(|key| {
            if driver.remove_listed(key).at(name, operation, key)? {
                removed.push(key);
            }
            Ok(())
        });
        outcome = outcome.and(done);
    }
    outcome.map(|()| removed)
}

/// Does a clear from its listing on, in place.
pub(super) fn finish_clear(
    driver: &dyn Store,
    clear: &FilteredClear,
    filter: KeyFilter,
    mode: Mode,
) -> Result<Keys> {
    let keys = keys_to_clear(driver, &clear.place, &clear.base, mode)?;
    remove_all(driver, &clear.place, &filter(keys)?, mode)
}
