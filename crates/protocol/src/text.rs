//! Text as people count it: in grapheme clusters, such as a letter with its accents, a flag, or a
//! family emoji.
//!
//! The rules are those of Unicode Standard Annex #29, reduced so that they need no table in the
//! page: [`clusters`] agrees with the annex on names and sentences of living scripts. Where it
//! differs, in scripts beyond U+FFFF, it counts more clusters.

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
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
        || c == JOINER
        || is_spacing_mark(c)
        || is_nonspacing_mark(c)
}

/// Reports characters with the property `Grapheme_Extend`, which the standard library escapes.
/// Others that it escapes are not drawn at all, except for characters of private use.
fn is_nonspacing_mark(c: char) -> bool {
    let may_be_mark = matches!(c, '\u{300}'..='\u{d7ff}' | '\u{fe00}'..='\u{1efff}');
    may_be_mark && c.escape_debug().nth(1) == Some('u')
}

/// Reports vowel signs and similar marks that take space (`SpacingMark` of UAX #29), the Korean
/// vowels and finals, and three marks that the standard library does not escape, up to U+FFFF.
/// Ranges go on over other marks and over code points that are not assigned.
fn is_spacing_mark(c: char) -> bool {
    matches!(c,
        '\u{903}' | '\u{93b}' | '\u{93e}'..='\u{94f}' | '\u{982}'..='\u{983}'
        | '\u{9bf}'..='\u{9cc}' | '\u{a03}' | '\u{a3e}'..='\u{a40}' | '\u{a83}'
        | '\u{abe}'..='\u{acc}' | '\u{b02}'..='\u{b03}' | '\u{b40}'..='\u{b4c}'
        | '\u{bbf}'..='\u{bcc}' | '\u{c01}'..='\u{c03}' | '\u{c41}'..='\u{c44}'
        | '\u{c82}'..='\u{c83}' | '\u{cbe}'..='\u{cc4}' | '\u{cf3}'..='\u{d03}'
        | '\u{d3f}'..='\u{d4c}' | '\u{d82}'..='\u{d83}' | '\u{dd0}'..='\u{dde}'
        | '\u{df2}'..='\u{df3}' | '\u{e33}' | '\u{eb3}' | '\u{f3e}'..='\u{f3f}' | '\u{f7f}'
        | '\u{1031}' | '\u{103b}'..='\u{103c}' | '\u{1056}'..='\u{1057}' | '\u{1084}'
        | '\u{1160}'..='\u{11ff}' | '\u{17b6}'..='\u{17c8}' | '\u{1923}'..='\u{1938}'
        | '\u{1a19}'..='\u{1a1a}' | '\u{1a55}'..='\u{1a57}' | '\u{1a6d}'..='\u{1a72}' | '\u{1b04}'
        | '\u{1b3e}'..='\u{1b41}' | '\u{1b82}' | '\u{1ba1}'..='\u{1ba7}' | '\u{1be7}'..='\u{1bee}'
        | '\u{1c24}'..='\u{1c35}' | '\u{1ce1}' | '\u{1cf7}' | '\u{a823}'..='\u{a827}'
        | '\u{a880}'..='\u{a881}' | '\u{a8b4}'..='\u{a8c3}' | '\u{a952}' | '\u{a983}'
        | '\u{a9b4}'..='\u{a9bf}' | '\u{aa2f}'..='\u{aa34}' | '\u{aa4d}' | '\u{aaeb}'..='\u{aaef}'
        | '\u{aaf5}' | '\u{abe3}'..='\u{abea}' | '\u{abec}' | '\u{d7b0}'..='\u{d7fb}' | '\u{fb1e}'
        | '\u{ff9e}'..='\u{ff9f}')
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
