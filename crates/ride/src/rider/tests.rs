use super::*;

fn name(text: &str) -> Result<String, NameError> {
    text.parse::<RiderName>().map(|name| name.to_string())
}

#[test]
fn a_name_loses_the_space_around_it() {
    assert_eq!(name("  Ana Müller \n"), Ok("Ana Müller".into()));
}

#[test]
fn names_of_all_scripts_are_names() {
    for good in [
        "李",
        "O'Neill & Söhne",
        "عمر",
        "می\u{200c}خواهم",
        "👩\u{200d}🚴",
        "Ana 2",
    ] {
        assert_eq!(name(good), Ok(good.into()));
    }
}

#[test]
fn nothing_is_no_name() {
    for empty in ["", "   ", "\t\n"] {
        assert_eq!(name(empty), Err(NameError::Empty));
    }
}

#[test]
fn a_name_of_200_characters_is_refused_with_its_length() {
    assert_eq!(name(&"ü".repeat(40)), Ok("ü".repeat(40)));
    let error = name(&"x".repeat(200)).expect_err("a refusal");
    assert_eq!(error, NameError::TooLong { chars: 200 });
    assert_eq!(
        error.to_string(),
        "This name has 200 characters; at most 40 fit. Shorten it."
    );
}

#[test]
fn markup_is_refused() {
    for markup in ["<img onerror=alert(1)>", "a<b", "a>b"] {
        assert_eq!(name(markup), Err(NameError::Markup));
    }
}

#[test]
fn characters_that_turn_or_hide_text_are_refused() {
    for c in [
        '\u{202e}',
        '\u{2066}',
        '\u{200b}',
        '\u{200f}',
        '\u{feff}',
        '\u{0}',
        '\u{1b}',
        '\u{ad}',
        '\u{e0041}',
        '\u{3164}',
    ] {
        assert_eq!(
            name(&format!("A{c}na")),
            Err(NameError::Hidden),
            "{}",
            c.escape_unicode()
        );
    }
}

#[test]
fn joiners_that_join_nothing_are_refused() {
    for stray in [
        "\u{200d}",
        "Ana\u{200d}",
        "\u{200c}Ana",
        "A\u{200d}\u{200d}na",
        "A \u{200c}na",
    ] {
        assert_eq!(
            name(stray),
            Err(NameError::Hidden),
            "{}",
            stray.escape_unicode()
        );
    }
}

#[test]
fn an_ftp_is_50_to_600_watts() {
    for (text, watts) in [("50", 50), (" 200 ", 200), ("600", 600)] {
        assert_eq!(text.parse::<Ftp>().map(Ftp::watts), Ok(watts));
    }
    for text in ["0", "49", "601", "-200", "70000", "99999999999"] {
        assert_eq!(text.parse::<Ftp>(), Err(FtpError::OutOfRange), "{text}");
    }
    for text in ["", "NaN", "200.5", "200 W", "inf"] {
        assert_eq!(text.parse::<Ftp>(), Err(FtpError::NotANumber), "{text}");
    }
}
