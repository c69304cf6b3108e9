//! What every native driver promises, checked in both modes for each row of the table and for drivers
//! that differ in what they are, through each wrapper.

mod odd;
mod setting;

mod batch;
mod commit;
mod hostile_keys;
mod items;
mod keys;
mod life;
mod order;
mod raw;
mod wrappers;
