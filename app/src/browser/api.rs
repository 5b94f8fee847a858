//! The server's few HTTP endpoints.

use mesh::code::SessionCode;
use crate::state::Refusal;

/// Makes a ride and returns its code.
pub async fn create_ride() -> Result<SessionCode, Refusal> {
    Err(Refusal::Unreachable)
}
