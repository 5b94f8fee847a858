//! The pages, one per file.

pub mod group_ride;
pub mod home;
pub mod not_found;
pub mod solo_ride;
