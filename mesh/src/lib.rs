//! The mesh of a group ride: how riders find each other and how their bytes
//! get from one to the other.

pub mod backoff;
pub mod code;
pub mod frame;
pub mod link;
pub mod node;
pub mod peer;
mod random;
pub mod room;
pub mod signaling;
