use core::fmt;

/// Base of the short UUIDs that the Bluetooth SIG assigns (Bluetooth Core Specification 5.4, volume
/// 3, part B, section 2.5.1).
const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5f9b_34fb;

/// UUID of a Bluetooth service or characteristic. Its text is the canonical form in lower case, as
/// Web Bluetooth takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(u128);

impl Uuid {
    /// UUID that the Bluetooth SIG has assigned as 16 bits.
    pub const fn from_u16(short: u16) -> Self {
        Self(BASE | (short as u128) << 96)
    }

    /// UUID of 128 bits, as vendors use them.
    pub const fn from_u128(uuid: u128) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |from: u32, digits: u32| {
            let mask = (1 << (4 * digits)) - 1;
            self.0 >> (128 - 4 * (from + digits)) & mask
        };
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(0, 8),
            part(8, 4),
            part(12, 4),
            part(16, 4),
            part(20, 12)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_uuid_stands_for_its_place_in_the_base_uuid() {
        let fitness_machine = Uuid::from_u16(0x1826);
        let text = "00001826-0000-1000-8000-00805f9b34fb";
        assert_eq!(fitness_machine.to_string(), text);
    }

    #[test]
    fn a_long_uuid_is_written_in_lower_case_with_hyphens() {
        let wahoo_control = Uuid::from_u128(0xa026_e005_0a7d_4ab3_97fa_f150_0f9f_eb8b);
        let text = "a026e005-0a7d-4ab3-97fa-f1500f9feb8b";
        assert_eq!(wahoo_control.to_string(), text);
    }
}
