//! What every native driver promises, checked for each row of the table in both modes.

mod setting;

mod batch;
mod hostile_keys;
mod items;
mod keys;
mod life;
mod order;
mod raw;
