//! New session codes: an adjective, a noun and four digits from petname's
//! medium lists, without the words that nobody should have to read aloud to a
//! group.

use petname::Petnames;
use protocol::code::SessionCode;
use uuid::Uuid;

/// Words of the lists that are refused as they stand.
const REFUSED: &[&str] = &[
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

/// Parts that refuse the word around them, wherever they stand in it.
const REFUSED_PARTS: &[&str] = &[
    "sucker", "tit", "neander", "volupt", "cock", "louse", "worm",
];

/// The letters a word may have, so that a code is quick to say and to type.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=9;

/// The words that codes are made of.
#[derive(Debug)]
pub struct Words {
    adjectives: Vec<&'static str>,
    nouns: Vec<&'static str>,
}

impl Words {
    /// The words of petname's medium lists that may be used: more than 500 of
    /// each kind.
    pub fn new() -> Self {
        let lists = Petnames::<'static>::medium();
        Self {
            adjectives: acceptable(&lists.adjectives),
            nouns: acceptable(&lists.nouns),
        }
    }

    /// A code at random: one of more than two billion. The caller sees to it
    /// that no living ride has it.
    pub fn random_code(&self) -> SessionCode {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        let adjective = pick(&self.adjectives, high >> 16 & 0xffff_ffff);
        let noun = pick(&self.nouns, low & 0xffff_ffff);
        // Below 10,000, so it fits.
        let number = ((high & 0xfff) << 12 | (low >> 32 & 0xfff)) % 10_000;
        SessionCode::compose(adjective, noun, number as u16)
            .expect("the words are 3 to 9 letters, the number is below 10,000")
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::new()
    }
}

fn acceptable(words: &[&'static str]) -> Vec<&'static str> {
    words
        .iter()
        .copied()
        .filter(|word| is_acceptable(word))
        .collect()
}

fn is_acceptable(word: &str) -> bool {
    LETTERS.contains(&word.len())
        && word.bytes().all(|letter| letter.is_ascii_lowercase())
        && !REFUSED.contains(&word)
        && !REFUSED_PARTS.iter().any(|part| word.contains(part))
}

fn pick(words: &[&'static str], random: u64) -> &'static str {
    words[(random % words.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_two_words_and_four_digits_and_can_be_read_back() {
        let words = Words::new();
        for _ in 0..2_000 {
            let code = words.random_code();
            let text = code.to_string();
            let parts: Vec<_> = text.split('-').collect();
            assert_eq!(parts.len(), 3, "{text}");
            assert_eq!(parts[2].len(), 4, "{text}");
            assert_eq!(text.parse::<SessionCode>().expect("a code"), code);
        }
    }

    #[test]
    fn refused_words_are_not_among_them() {
        let words = Words::new();
        assert!(words.adjectives.len() > 500 && words.nouns.len() > 500);
        for refused in [
            "titillated",
            "voluptuous",
            "jewfish",
            "sapsucker",
            "master",
            "hot",
        ] {
            assert!(
                !words.adjectives.contains(&refused) && !words.nouns.contains(&refused),
                "{refused}"
            );
        }
    }
}
