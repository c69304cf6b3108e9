//! Metadata: what the driver knows, and what the program set beside it.

use std::rc::Rc;

use super::routes::Storage;
use crate::driver::{Meta, Mode, Op, Options};
use crate::fallbacks;
use crate::key;
use crate::value::{Text, Value};

/// The metadata of an item in its two layers; the second overlays the first.
pub struct ItemMeta {
    /// What the driver knows.
    pub native: Option<Meta>,
    /// What [`Storage::set_meta`] stored, as the codec wrote it.
    pub custom: Option<Value>,
}

impl Storage {
    /// The metadata of an item; with `native_only` just what the driver knows.
    pub fn get_meta(
        &self,
        key: &str,
        native_only: bool,
        options: &Options,
        mode: Mode,
    ) -> Op<ItemMeta> {
        let route = self.route(key);
        if route.key.is_empty() {
            return Op::ok(ItemMeta {
                native: None,
                custom: None,
            });
        }
        let native = fallbacks::get_meta(&route.driver, route.relative(), options, mode);
        if native_only {
            return native.map(|native| ItemMeta {
                native,
                custom: None,
            });
        }
        let meta_key = key::meta_of(route.relative());
        let custom = fallbacks::get_item(&route.driver, &meta_key, options, mode);
        Op::later(async move {
            Ok(ItemMeta {
                native: native.await?,
                custom: custom.await?,
            })
        })
    }

    /// Stores metadata beside an item.
    pub fn set_meta(
        self: &Rc<Self>,
        key: &str,
        value: Text,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        self.set_item(&meta_key(key), value, options, mode)
    }

    /// Removes the metadata that was stored beside an item.
    pub fn remove_meta(self: &Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<()> {
        self.remove_item(&meta_key(key), false, options, mode)
    }
}

fn meta_key(key: &str) -> String {
    let key = key::normalize(key);
    // Without a key there is nothing to hang metadata on; the empty key is refused as such.
    if key.is_empty() {
        String::new()
    } else {
        key::meta_of(&key)
    }
}
