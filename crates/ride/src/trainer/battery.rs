//! State of charge: Battery Service 0x180F (Bluetooth SIG, Battery Service 1.0). Devices of all kinds
//! have it, so it belongs to no profile.

use super::{CharacteristicAccess, CharacteristicSpec, Uuid};

/// Battery Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x180f);
/// Battery Level: read once.
pub const LEVEL: Uuid = Uuid::from_u16(0x2a19);

/// Characteristic to read after those of the profile.
pub const SPEC: CharacteristicSpec =
    CharacteristicSpec::optional(SERVICE, LEVEL, CharacteristicAccess::Read);

/// Reads Battery Level 0x2A19, in percent; `None` for bytes that are no percentage.
pub fn parse_level(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied().filter(|percent| *percent <= 100)
}
