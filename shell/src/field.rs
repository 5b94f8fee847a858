//! Header fields as JavaScript has them: a flat list of names and values in turn. A value is a
//! `ByteString`, in which each character stands for one byte (Web IDL, section 2.13.20).

/// Fields of a flat list; `None` if a name has no value or a character is not a byte.
pub fn from_flat(list: Vec<String>) -> Option<Vec<(String, Vec<u8>)>> {
    let mut list = list.into_iter();
    let mut fields = Vec::new();
    while let Some(name) = list.next() {
        let value = list.next()?;
        let bytes = value.chars().map(|letter| u8::try_from(letter).ok());
        fields.push((name.to_ascii_lowercase(), bytes.collect::<Option<_>>()?));
    }
    Some(fields)
}

/// Flat list of fields.
pub fn to_flat(fields: Vec<(String, Vec<u8>)>) -> impl Iterator<Item = String> {
    fields
        .into_iter()
        .flat_map(|(name, value)| [name, value.into_iter().map(char::from).collect()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|&item| item.to_owned()).collect()
    }

    #[test]
    fn each_character_of_a_value_is_one_byte() {
        let fields = from_flat(list(&["X-Name", "caf\u{e9}"])).unwrap_or_default();
        assert_eq!(fields, [("x-name".to_owned(), b"caf\xe9".to_vec())]);
        assert!(to_flat(fields).eq(list(&["x-name", "caf\u{e9}"])));
    }

    #[test]
    fn a_name_without_a_value_and_characters_above_a_byte_are_refused() {
        assert_eq!(from_flat(list(&["a"])), None);
        assert_eq!(from_flat(list(&["a", "\u{20ac}"])), None);
    }
}
