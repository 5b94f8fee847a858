//! Riders of different strength, made from a seed.

use std::time::Duration;

use ride::rider::{Bias, Ftp, RiderName};

use super::SimulatedRider;

/// First names, from many places. Riders beyond their number get one again, with a numeral.
const NAMES: [&str; 40] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Femi", "Greta", "Hiro", "Ines", "Jonas", "Kaya",
    "Luca", "Mira", "Nils", "Oona", "Paolo", "Quinn", "Rosa", "Sven", "Tariq", "Ula", "Viktor",
    "Wanda", "Xenia", "Yusuf", "Zoe", "Amara", "Boris", "Carmen", "Diego", "Emre", "Fatou", "Gwen",
    "Hanna", "Igor", "Jana", "Kofi", "Leila", "Marek", "Noor",
];

/// Range of FTP in watts, from a beginner to a strong amateur.
const FTP: (u16, u16) = (140, 340);
/// Range of the bias in percent.
const BIAS: (u8, u8) = (92, 106);
/// Range of the time until a rider is ready, in milliseconds.
const READY_AFTER_MS: (u64, u64) = (800, 4_000);

/// Simulated riders. The same seed gives the same riders; a larger number adds riders to them.
pub fn crew(riders: usize, seed: u64) -> Vec<SimulatedRider> {
    let mut random = SplitMix(seed);
    let mut names = NAMES;
    for at in (1..names.len()).rev() {
        names.swap(at, random.below(at as u64 + 1) as usize);
    }
    let rider = |number: usize| {
        let first = names[number % names.len()];
        let name = match number / names.len() {
            0 => first.to_owned(),
            round => format!("{first} {}", round + 1),
        };
        let (least, most) = FTP;
        let ftp = least + random.below(u64::from(most - least) + 1) as u16;
        let (low, high) = BIAS;
        let bias = low + random.below(u64::from(high - low) + 1) as u8;
        let (early, late) = READY_AFTER_MS;
        let ready_after = early + random.below(late - early);
        // The names and the range of FTP are valid, see the tests.
        let (name, ftp) = (name.parse::<RiderName>().ok()?, Ftp::new(ftp).ok()?);
        Some(SimulatedRider {
            name,
            ftp,
            bias: Bias::new(bias),
            ready_after: Duration::from_millis(ready_after),
        })
    };
    (0..riders).filter_map(rider).collect()
}

/// SplitMix64 generator (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Number below `end`, which is small, so that the bias of the remainder does not matter.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_riders() {
        assert_eq!(crew(64, 7), crew(64, 7));
        assert_ne!(crew(64, 7), crew(64, 8));
        assert_eq!(crew(64, 7)[..12], crew(12, 7));
    }

    #[test]
    fn riders_differ_in_name_and_strength() {
        let riders = crew(64, 1);
        assert_eq!(riders.len(), 64);
        let names: HashSet<&str> = riders.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), 64);
        let strengths: HashSet<u16> = riders.iter().map(|it| it.ftp.watts()).collect();
        assert!(strengths.len() > 32, "{strengths:?}");
    }
}
