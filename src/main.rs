//! The server's door.
fn main() {}
