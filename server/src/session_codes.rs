//! New session codes: an adjective and a noun from petname's medium word lists and
//! four digits. Words that are embarrassing to read aloud to a group are excluded.

use petname::Petnames;
use protocol::code::SessionCode;
use uuid::Uuid;

/// Excluded words.
const EXCLUDED_WORDS: &[&str] = &[
    "ape",
    "aroused",
    "arousing",
    "baboon",
    "bedbug",
    "boar",
    "buff",
    "bug",
    "bustard",
    "chimp",
    "chimpanzee",
    "cougar",
    "cow",
    "cracked",
    "cranked",
    "crappie",
    "creamy",
    "creeper",
    "cusk",
    "deserved",
    "desirable",
    "desired",
    "desirous",
    "deviant",
    "dog",
    "dominant",
    "endowed",
    "enticed",
    "enticing",
    "exposed",
    "feminine",
    "fertile",
    "foxy",
    "ghoul",
    "goblin",
    "gorilla",
    "grub",
    "grunt",
    "grunter",
    "hagfish",
    "hog",
    "hot",
    "human",
    "intimate",
    "jewfish",
    "juicy",
    "kid",
    "ladylike",
    "leech",
    "louse",
    "luscious",
    "lusty",
    "maggot",
    "maiden",
    "masculine",
    "master",
    "masterful",
    "mole",
    "mongrel",
    "monkey",
    "monster",
    "mutt",
    "nit",
    "oldwife",
    "permissive",
    "pert",
    "petite",
    "pig",
    "piglet",
    "poacher",
    "potent",
    "primate",
    "pumped",
    "queenly",
    "racy",
    "rat",
    "ravishing",
    "roused",
    "rousing",
    "satyr",
    "saucy",
    "sensual",
    "sensuous",
    "shapely",
    "skunk",
    "slug",
    "sow",
    "spanking",
    "stimulated",
    "strapping",
    "stud",
    "succulent",
    "tender",
    "tick",
    "tickled",
    "tight",
    "titmouse",
    "touched",
    "touching",
    "virile",
    "willing",
    "worm",
];

/// Parts of words. A word that contains one of them is excluded.
const EXCLUDED_PARTS: &[&str] = &[
    "sucker", "tit", "neander", "volupt", "cock", "louse", "worm",
];

/// Lengths of usable words, so that a code is quick to say and to type.
const WORD_LENGTHS: std::ops::RangeInclusive<usize> = 3..=9;

/// Generator of random session codes.
#[derive(Debug)]
pub struct SessionCodeGenerator {
    adjectives: Vec<&'static str>,
    nouns: Vec<&'static str>,
}

impl SessionCodeGenerator {
    /// Generator with more than 500 adjectives and 500 nouns.
    pub fn new() -> Self {
        let lists = Petnames::<'static>::medium();
        Self {
            adjectives: usable(&lists.adjectives),
            nouns: usable(&lists.nouns),
        }
    }

    /// Random code, one of more than two billion. The caller checks that it is not
    /// in use.
    pub fn random(&self) -> SessionCode {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        let adjective = pick(&self.adjectives, high >> 16 & 0xffff_ffff);
        let noun = pick(&self.nouns, low & 0xffff_ffff);
        // Below 10,000, so the cast does not truncate.
        let number = ((high & 0xfff) << 12 | (low >> 32 & 0xfff)) % 10_000;
        SessionCode::compose(adjective, noun, number as u16)
            .expect("the words are 3 to 9 letters, the number is below 10,000")
    }
}

impl Default for SessionCodeGenerator {
    fn default() -> Self {
        Self::new()
    }
}

fn usable(words: &[&'static str]) -> Vec<&'static str> {
    words
        .iter()
        .copied()
        .filter(|word| is_usable(word))
        .collect()
}

fn is_usable(word: &str) -> bool {
    WORD_LENGTHS.contains(&word.len())
        && word.bytes().all(|letter| letter.is_ascii_lowercase())
        && !EXCLUDED_WORDS.contains(&word)
        && !EXCLUDED_PARTS.iter().any(|part| word.contains(part))
}

fn pick(words: &[&'static str], random: u64) -> &'static str {
    words[(random % words.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_two_words_and_four_digits_and_can_be_parsed() {
        let generator = SessionCodeGenerator::new();
        for _ in 0..2_000 {
            let code = generator.random();
            let text = code.to_string();
            let parts: Vec<_> = text.split('-').collect();
            assert_eq!(parts.len(), 3, "{text}");
            assert_eq!(parts[2].len(), 4, "{text}");
            assert_eq!(text.parse::<SessionCode>().expect("a code"), code);
        }
    }

    #[test]
    fn excluded_words_are_not_used() {
        let generator = SessionCodeGenerator::new();
        assert!(generator.adjectives.len() > 500 && generator.nouns.len() > 500);
        for excluded in [
            "titillated",
            "voluptuous",
            "jewfish",
            "sapsucker",
            "master",
            "hot",
        ] {
            assert!(
                !generator.adjectives.contains(&excluded) && !generator.nouns.contains(&excluded),
                "{excluded}"
            );
        }
    }
}
