//! A ride's invitation as a picture: its address as a QR code in SVG
//! (ISO/IEC 18004), drawn here so that the browser need not carry the encoder.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;

/// The SVG of `address`, black on white with the quiet zone of four modules
/// that the standard asks for; `None` when the address is too long for any QR
/// code (about 2,900 bytes).
pub fn svg(address: &str) -> Option<String> {
    let code = QRBuilder::new(address).build().ok()?;
    Some(SvgBuilder::default().to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_picture() {
        let picture = svg("http://127.0.0.1:3000/ride/brave-otter-0042").expect("a picture");
        assert!(
            picture.starts_with("<svg") && picture.ends_with("</svg>"),
            "{picture}"
        );
    }

    #[test]
    fn an_address_beyond_the_largest_code_is_refused() {
        assert_eq!(svg(&"x".repeat(10_000)), None);
    }
}
