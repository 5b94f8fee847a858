//! QR codes (ISO/IEC 18004) in SVG, made on the server because the lobby is shown before the
//! browser has loaded its own encoder.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;

/// QR code of `address` as SVG, black on white with the standard's quiet zone of
/// four modules; `None` if the address exceeds the largest QR code, about 2,900
/// bytes.
pub fn svg(address: &str) -> Option<String> {
    let code = QRBuilder::new(address).build().ok()?;
    Some(SvgBuilder::default().to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_an_svg_picture() {
        let picture = svg("http://127.0.0.1:3000/ride/brave-otter-0042").expect("a picture");
        assert!(
            picture.starts_with("<svg") && picture.ends_with("</svg>"),
            "{picture}"
        );
    }

    #[test]
    fn an_address_beyond_the_largest_qr_code_gives_no_picture() {
        assert_eq!(svg(&"x".repeat(10_000)), None);
    }
}
