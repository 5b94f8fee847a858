//! Everything that touches web-sys: thin wrappers that clean up after
//! themselves. Nothing here decides anything. On the server none of it runs:
//! the session is only made in an effect, and effects do not run there.

pub mod api;
pub mod storage;
