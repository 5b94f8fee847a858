//! What the browser remembers.

use mesh::code::SessionCode;
use ride::rider::{Ftp, RiderName};

/// The rider of this browser, as last entered.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedProfile {
    /// The name as typed.
    pub name: String,
    /// FTP in watts.
    pub ftp: u16,
}

/// The remembered rider, if any.
pub fn profile() -> Option<SavedProfile> {
    None
}

/// Remembers the rider.
pub fn save_profile(_name: &RiderName, _ftp: &Ftp) {}

/// Marks that this tab has just entered name and FTP for this ride, so that
/// its page joins at once instead of asking again.
pub fn announce_joining(_code: &SessionCode) {}
