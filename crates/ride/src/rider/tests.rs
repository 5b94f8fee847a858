use super::*;

fn name(text: &str) -> Result<String, NameError> {
    text.parse::<RiderName>().map(|name| name.to_string())
}

#[test]
fn space_around_a_name_is_removed() {
    assert_eq!(name("  Ana Müller \n"), Ok("Ana Müller".into()));
}

#[test]
fn names_in_all_scripts_are_accepted() {
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
fn an_empty_name_is_rejected() {
    for empty in ["", "   ", "\t\n"] {
        assert_eq!(name(empty), Err(NameError::Empty));
    }
}

#[test]
fn a_name_of_200_characters_is_rejected_with_its_length() {
    assert_eq!(name(&"ü".repeat(40)), Ok("ü".repeat(40)));
    let error = name(&"x".repeat(200)).expect_err("an error");
    assert_eq!(error, NameError::TooLong { chars: 200 });
    assert_eq!(
        error.to_string(),
        "This name has 200 characters. Use at most 40."
    );
}

#[test]
fn a_name_is_as_long_as_it_looks() {
    for one in [
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "🇩🇪",
        "👍🏽",
        "🏳\u{fe0f}\u{200d}🌈",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "e\u{301}",
        "कि",
        "辻\u{e0100}",
    ] {
        let fits = one.repeat(40);
        assert_eq!(name(&fits), Ok(fits), "{}", one.escape_unicode());
        let too_long = name(&one.repeat(41));
        assert_eq!(too_long, Err(NameError::TooLong { chars: 41 }));
    }
}

#[test]
fn a_name_of_which_nothing_is_seen_is_rejected() {
    for nothing in [
        "\u{301}",
        "\u{fe0f}",
        "\u{e0067}",
        "\u{e0100}",
        "\u{34f}",
        "\u{3164}",
    ] {
        assert_eq!(
            name(nothing),
            Err(NameError::Hidden),
            "{}",
            nothing.escape_unicode()
        );
    }
}

#[test]
fn a_name_has_a_largest_length_in_bytes() {
    let couple = "👩🏿\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👩🏾";
    assert!(name(couple).is_ok());
    let too_long = name(&couple.repeat(40));
    assert_eq!(too_long, Err(NameError::TooLong { chars: 40 }));
}

#[test]
fn a_pile_of_accents_is_rejected() {
    let piled = |count| format!("Z{}", "\u{335}".repeat(count));
    assert!(name(&piled(4)).is_ok());
    assert_eq!(name(&piled(100)), Err(NameError::Hidden));
}

#[test]
fn markup_is_rejected() {
    for markup in ["<img onerror=alert(1)>", "a<b", "a>b"] {
        assert_eq!(name(markup), Err(NameError::Markup));
    }
}

#[test]
fn invisible_and_text_direction_characters_are_rejected() {
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
fn joiners_without_neighbours_are_rejected() {
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

#[test]
fn a_bias_scales_targets_within_its_range() {
    assert_eq!(Bias::default().apply(187), 187);
    assert_eq!(Bias::new(110).apply(187), 206);
    assert_eq!(Bias::new(0), Bias::new(70));
    assert_eq!(Bias::new(255).percent(), 130);
    assert_eq!(Bias::new(130).apply(u16::MAX), MAX_WATTS);
}
