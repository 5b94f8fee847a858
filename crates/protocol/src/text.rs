//! Text as people count it: in grapheme clusters, such as a letter with its accents, a flag, or a
//! family emoji.
//!
//! The rules are those of Unicode Standard Annex #29, reduced so that the page needs only a
//! small table: [`clusters`] agrees with the annex on names and sentences of living scripts, and
//! counts more clusters in scripts beyond U+FFFF.

/// Zero-width joiner, which makes one emoji of several.
const JOINER: char = '\u{200d}';

/// Splits a text into grapheme clusters.
pub fn clusters(text: &str) -> Clusters<'_> {
    Clusters { rest: text }
}

/// Longest beginning of a text that has at most `max_clusters` clusters and `max_bytes` bytes, and
/// does not end within a cluster.
pub fn truncate(text: &str, max_clusters: usize, max_bytes: usize) -> &str {
    let ends = clusters(text)
        .take(max_clusters)
        .scan(0, |end, cluster| {
            *end += cluster.len();
            Some(*end)
        })
        .take_while(|end| *end <= max_bytes);
    &text[..ends.last().unwrap_or(0)]
}

/// Iterator over the grapheme clusters of a text, see [`clusters`].
#[derive(Clone, Debug)]
pub struct Clusters<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Clusters<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut chars = self.rest.char_indices();
        let (_, first) = chars.next()?;
        let mut joint = Joint::after(first);
        let end = chars.find_map(|(at, c)| {
            let joins = joint.joins(c);
            joint.follow(c);
            (!joins).then_some(at)
        });
        let (cluster, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(cluster)
    }
}

/// Tells which character can follow in the same cluster.
struct Joint {
    /// The last character is a joiner.
    is_joined: bool,
    /// A virama makes a conjunct with the next consonant.
    is_linked: bool,
    /// The cluster is the first half of a flag.
    is_half_flag: bool,
}

impl Joint {
    fn after(first: char) -> Self {
        Self {
            is_joined: false,
            is_linked: false,
            is_half_flag: is_regional_indicator(first),
        }
    }

    fn joins(&self, c: char) -> bool {
        extends(c)
            || self.is_joined && !c.is_alphanumeric()
            || self.is_linked && c.is_alphabetic()
            || self.is_half_flag && is_regional_indicator(c)
    }

    fn follow(&mut self, c: char) {
        self.is_joined = c == JOINER;
        self.is_linked = is_linker(c) || self.is_linked && extends(c);
        self.is_half_flag = false;
    }
}

/// Reports a character that is drawn as a part of the one before it: accents and vowel signs, skin
/// tones, joiners, variation selectors, tags, and the vowels and finals of Korean syllables.
pub fn extends(c: char) -> bool {
    if matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
    {
        return true;
    }
    u16::try_from(u32::from(c)).is_ok_and(|c| {
        let next = EXTENDING.partition_point(|(_, last)| *last < c);
        EXTENDING.get(next).is_some_and(|(first, _)| *first <= c)
    })
}

/// Reports viramas that make a conjunct with the next consonant (`InCB=Linker`).
fn is_linker(c: char) -> bool {
    matches!(
        c,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{c4d}'
            | '\u{d4d}'
            | '\u{1039}'
            | '\u{17d2}'
    )
}

fn is_regional_indicator(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Ranges of code points up to U+FFFF with the values `Extend`, `SpacingMark`, `ZWJ`, `V` and `T` of
/// `Grapheme_Cluster_Break` in Unicode 17. Ranges go on over code points that are not assigned.
#[rustfmt::skip]
const EXTENDING: [(u16, u16); 164] = [
    (0x300, 0x36f), (0x483, 0x489), (0x591, 0x5bd), (0x5bf, 0x5bf), (0x5c1, 0x5c2),
    (0x5c4, 0x5c5), (0x5c7, 0x5c7), (0x610, 0x61a), (0x64b, 0x65f), (0x670, 0x670),
    (0x6d6, 0x6dc), (0x6df, 0x6e4), (0x6e7, 0x6e8), (0x6ea, 0x6ed), (0x711, 0x711),
    (0x730, 0x74a), (0x7a6, 0x7b0), (0x7eb, 0x7f3), (0x7fd, 0x7fd), (0x816, 0x819),
    (0x81b, 0x823), (0x825, 0x827), (0x829, 0x82d), (0x859, 0x85b), (0x897, 0x89f),
    (0x8ca, 0x8e1), (0x8e3, 0x903), (0x93a, 0x93c), (0x93e, 0x94f), (0x951, 0x957),
    (0x962, 0x963), (0x981, 0x983), (0x9bc, 0x9bc), (0x9be, 0x9cd), (0x9d7, 0x9d7),
    (0x9e2, 0x9e3), (0x9fe, 0xa03), (0xa3c, 0xa51), (0xa70, 0xa71), (0xa75, 0xa75),
    (0xa81, 0xa83), (0xabc, 0xabc), (0xabe, 0xacd), (0xae2, 0xae3), (0xafa, 0xb03),
    (0xb3c, 0xb3c), (0xb3e, 0xb57), (0xb62, 0xb63), (0xb82, 0xb82), (0xbbe, 0xbcd),
    (0xbd7, 0xbd7), (0xc00, 0xc04), (0xc3c, 0xc3c), (0xc3e, 0xc56), (0xc62, 0xc63),
    (0xc81, 0xc83), (0xcbc, 0xcbc), (0xcbe, 0xcd6), (0xce2, 0xce3), (0xcf3, 0xd03),
    (0xd3b, 0xd3c), (0xd3e, 0xd4d), (0xd57, 0xd57), (0xd62, 0xd63), (0xd81, 0xd83),
    (0xdca, 0xddf), (0xdf2, 0xdf3), (0xe31, 0xe31), (0xe33, 0xe3a), (0xe47, 0xe4e),
    (0xeb1, 0xeb1), (0xeb3, 0xebc), (0xec8, 0xece), (0xf18, 0xf19), (0xf35, 0xf35),
    (0xf37, 0xf37), (0xf39, 0xf39), (0xf3e, 0xf3f), (0xf71, 0xf84), (0xf86, 0xf87),
    (0xf8d, 0xfbc), (0xfc6, 0xfc6), (0x102d, 0x1037), (0x1039, 0x103e), (0x1056, 0x1059),
    (0x105e, 0x1060), (0x1071, 0x1074), (0x1082, 0x1082), (0x1084, 0x1086), (0x108d, 0x108d),
    (0x109d, 0x109d), (0x1160, 0x11ff), (0x135d, 0x135f), (0x1712, 0x1715), (0x1732, 0x1734),
    (0x1752, 0x1753), (0x1772, 0x1773), (0x17b4, 0x17d3), (0x17dd, 0x17dd), (0x180b, 0x180d),
    (0x180f, 0x180f), (0x1885, 0x1886), (0x18a9, 0x18a9), (0x1920, 0x193b), (0x1a17, 0x1a1b),
    (0x1a55, 0x1a60), (0x1a62, 0x1a62), (0x1a65, 0x1a7f), (0x1ab0, 0x1b04), (0x1b34, 0x1b44),
    (0x1b6b, 0x1b73), (0x1b80, 0x1b82), (0x1ba1, 0x1bad), (0x1be6, 0x1bf3), (0x1c24, 0x1c37),
    (0x1cd0, 0x1cd2), (0x1cd4, 0x1ce8), (0x1ced, 0x1ced), (0x1cf4, 0x1cf4), (0x1cf7, 0x1cf9),
    (0x1dc0, 0x1dff), (0x200c, 0x200d), (0x20d0, 0x20f0), (0x2cef, 0x2cf1), (0x2d7f, 0x2d7f),
    (0x2de0, 0x2dff), (0x302a, 0x302f), (0x3099, 0x309a), (0xa66f, 0xa672), (0xa674, 0xa67d),
    (0xa69e, 0xa69f), (0xa6f0, 0xa6f1), (0xa802, 0xa802), (0xa806, 0xa806), (0xa80b, 0xa80b),
    (0xa823, 0xa827), (0xa82c, 0xa82c), (0xa880, 0xa881), (0xa8b4, 0xa8c5), (0xa8e0, 0xa8f1),
    (0xa8ff, 0xa8ff), (0xa926, 0xa92d), (0xa947, 0xa953), (0xa980, 0xa983), (0xa9b3, 0xa9c0),
    (0xa9e5, 0xa9e5), (0xaa29, 0xaa36), (0xaa43, 0xaa43), (0xaa4c, 0xaa4d), (0xaa7c, 0xaa7c),
    (0xaab0, 0xaab0), (0xaab2, 0xaab4), (0xaab7, 0xaab8), (0xaabe, 0xaabf), (0xaac1, 0xaac1),
    (0xaaeb, 0xaaef), (0xaaf5, 0xaaf6), (0xabe3, 0xabea), (0xabec, 0xabed), (0xd7b0, 0xd7fb),
    (0xfb1e, 0xfb1e), (0xfe00, 0xfe0f), (0xfe20, 0xfe2f), (0xff9e, 0xff9f),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    /// Characters of names and sentences, with many that join others.
    const PIECES: [&str; 36] = [
        "a",
        "é",
        "e\u{301}",
        "\u{301}",
        "\u{308}",
        " ",
        "'",
        "李",
        "ß",
        "עִ",
        "مُ",
        "می\u{200c}خ",
        "क्षि",
        "कि",
        "তি",
        "மு",
        "நி",
        "ಕೊ",
        "ക്ക",
        "ไทย",
        "กำ",
        "မြန်",
        "ខ្មែ",
        "한글",
        "\u{1112}\u{1161}\u{11ab}",
        "👍",
        "👍🏽",
        "❤️",
        "👩\u{200d}🚴",
        "🚴🏿\u{200d}♀️",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "🇩🇪",
        "🇯",
        "🏳️\u{200d}🌈",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "1️⃣",
    ];

    fn split(text: &str) -> Vec<&str> {
        clusters(text).collect()
    }

    #[test]
    fn a_family_a_flag_and_a_skin_tone_are_one_cluster_each() {
        for one in [
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "🇩🇪",
            "👍🏽",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "e\u{301}",
            "한",
        ] {
            assert_eq!(split(one), [one], "{}", one.escape_unicode());
        }
        assert_eq!(split("🇩🇪🇯🇵"), ["🇩🇪", "🇯🇵"]);
    }

    #[test]
    fn every_mark_of_the_basic_plane_belongs_to_the_letter_before_it() {
        let all = (0x300..0x1_0000).filter_map(char::from_u32);
        let marks = all.filter(|c| format!("a{c}").graphemes(true).count() == 1);
        let counted: Vec<char> = marks
            .filter(|c| clusters(&format!("a{c}")).count() != 1)
            .collect();
        assert_eq!(counted, []);
    }

    #[test]
    fn no_letter_digit_or_emoji_is_taken_for_a_mark() {
        let all = (0x20..0x2_0000).filter_map(char::from_u32);
        let lost: Vec<char> = all
            .filter(|c| format!("a{c}").graphemes(true).count() == 2)
            .filter(|c| c.is_alphanumeric() || *c > '\u{1f000}')
            .filter(|c| clusters(&format!("a{c}")).count() == 1)
            // Parts of Korean syllables, which follow no Latin letter, and invisible fillers.
            .filter(|c| !matches!(c, '\u{1100}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}'))
            .filter(|c| !matches!(c, '\u{3164}' | '\u{ffa0}'))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    #[test]
    fn a_text_is_cut_between_clusters() {
        let families = "👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(3);
        assert_eq!(truncate(&families, 2, 1_000).len(), 50);
        assert_eq!(truncate(&families, 9, 70).len(), 50);
        assert_eq!(truncate("Ben", 9, 9), "Ben");
        assert_eq!(truncate("", 9, 9), "");
    }

    proptest! {
        #[test]
        fn clusters_agree_with_the_annex(pieces in proptest::collection::vec(0..PIECES.len(), 0..12)) {
            let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
            let expected: Vec<&str> = text.graphemes(true).collect();
            prop_assert_eq!(split(&text), expected, "{}", text.escape_unicode());
        }

        #[test]
        fn clusters_are_the_whole_text(text in any::<String>()) {
            prop_assert_eq!(split(&text).concat(), text);
        }
    }
}
