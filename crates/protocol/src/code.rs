//! Session codes, which riders share to meet in one ride.
//!
//! A code has the form `adjective-noun-1234`. People type codes with capitals, spaces and missing
//! hyphens, so parsing is tolerant and printing is canonical.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const MAX_TYPED: usize = 128;
const MAX_WORD: usize = 24;
const DIGITS: usize = 4;

/// Session code in its canonical form: two lower-case ASCII words of 1 to 24 letters and four
/// digits, joined by hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionCode(String);

/// Reason why a text is not a session code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The text is longer than any typed code.
    #[error("that is too long for a session code, which looks like brave-otter-4821")]
    TooLong,
    /// The text is not two words and four digits.
    #[error("a session code is two words and four digits, like brave-otter-4821")]
    Shape,
}

impl SessionCode {
    /// Composes a code from an adjective, a noun and a number from 0 to 9999.
    ///
    /// # Errors
    /// [`CodeError::Shape`] when a word is not 1 to 24 ASCII letters or the number has more than
    /// four digits.
    pub fn compose(adjective: &str, noun: &str, number: u16) -> Result<Self, CodeError> {
        let adjective = word(adjective)?;
        let noun = word(noun)?;
        if number > 9999 {
            return Err(CodeError::Shape);
        }
        Ok(Self(format!("{adjective}-{noun}-{number:04}")))
    }

    /// Canonical text, as [`fmt::Display`] prints it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionCode {
    type Err = CodeError;

    /// Parses a typed code, in any case, with spaces, underscores, dashes or runs of them in
    /// place of hyphens. The hyphen before the digits may be missing.
    fn from_str(typed: &str) -> Result<Self, CodeError> {
        if typed.len() > MAX_TYPED {
            return Err(CodeError::TooLong);
        }
        let (words, digits) = typed.split_at(digits_start(typed));
        let digits = digits.trim_end_matches(is_separator);
        let mut words = words.split(is_separator).filter(|part| !part.is_empty());
        match (words.next(), words.next(), words.next()) {
            (Some(adjective), Some(noun), None) => {
                Self::compose(adjective, noun, number_of(digits)?)
            }
            _ => Err(CodeError::Shape),
        }
    }
}

impl fmt::Display for SessionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SessionCode {
    type Error = CodeError;

    fn try_from(typed: String) -> Result<Self, CodeError> {
        typed.parse()
    }
}

impl From<SessionCode> for String {
    fn from(code: SessionCode) -> Self {
        code.0
    }
}

fn digits_start(typed: &str) -> usize {
    typed
        .find(|letter: char| letter.is_ascii_digit())
        .unwrap_or(typed.len())
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '_' | '+' | '\u{2010}'..='\u{2015}')
}

fn word(text: &str) -> Result<String, CodeError> {
    let fits = (1..=MAX_WORD).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(CodeError::Shape)
    }
}

fn number_of(digits: &str) -> Result<u16, CodeError> {
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CodeError::Shape);
    }
    digits.parse().map_err(|_| CodeError::Shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typed_variants_of_a_code_are_parsed() {
        for typed in [
            "brave-otter-0821",
            " Brave Otter 0821 ",
            "BRAVE_OTTER_0821",
            "brave--otter - 0821",
            "brave\u{2013}otter\u{2013}0821",
            "brave otter0821",
        ] {
            let code: SessionCode = typed.parse().unwrap();
            assert_eq!(code.to_string(), "brave-otter-0821", "{typed}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_code_is_refused_with_an_example() {
        for typed in [
            "",
            "otter-0821",
            "brave-otter-82",
            "brave-otter-08211",
            "brave-big-otter-0821",
            "brave-otter-0821x",
            "brävé-otter-0821",
            "../../etc-passwd-0000",
        ] {
            let refused = typed.parse::<SessionCode>().unwrap_err();
            assert!(refused.to_string().contains("brave-otter-4821"), "{typed}");
        }
        assert_eq!(
            "a".repeat(500).parse::<SessionCode>(),
            Err(CodeError::TooLong)
        );
    }

    #[test]
    fn composing_keeps_leading_zeros_and_refuses_five_digits() {
        let code = SessionCode::compose("Keen", "heron", 7).unwrap();
        assert_eq!(code.as_str(), "keen-heron-0007");
        assert!(SessionCode::compose("keen", "heron", 10_000).is_err());
    }

    #[test]
    fn a_code_is_a_string_in_json() {
        let code: SessionCode = serde_json::from_str("\"Keen Heron 0007\"").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"keen-heron-0007\"");
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(typed in ".*") {
            if let Ok(code) = typed.parse::<SessionCode>() {
                prop_assert_eq!(code.as_str().parse::<SessionCode>().unwrap(), code);
            }
        }
    }
}
