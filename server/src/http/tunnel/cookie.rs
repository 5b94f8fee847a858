use ::tunnel::identity::{AccessToken, TokenHash};
use axum::http::{HeaderMap, header};

/// Name of the cookie with a tunnel's token.
const NAME: &str = "gruppetto_tunnel";

/// `Set-Cookie` value for a token.
pub fn set(token: &AccessToken, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!(
        "{NAME}={}; Path=/; HttpOnly; SameSite=Strict{secure}",
        token.expose()
    )
}

/// Token in the cookies that has this hash. Pages of a sibling domain may have set another.
pub fn token_with(headers: &HeaderMap, hash: &TokenHash) -> Option<AccessToken> {
    tokens(headers).find(|token| token.hash() == *hash)
}

/// Returns `true` if there is a cookie with a token, right or wrong.
pub fn has_token(headers: &HeaderMap) -> bool {
    tokens(headers).next().is_some()
}

/// A `Cookie` value without the token; `None` if nothing is left.
pub fn without_token(value: &[u8]) -> Option<Vec<u8>> {
    let cookies = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let rest = cookies.filter(|it| !it.is_empty() && name(it) != NAME.as_bytes());
    let rest = rest.collect::<Vec<_>>().join(&b"; "[..]);
    Some(rest).filter(|it| !it.is_empty())
}

/// A `Set-Cookie` value of the tunnel's site without its `Domain`, which is that of the local
/// server; `None` for a cookie with the name of the token's.
pub fn adapted(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let first = parts.next().filter(|it| name(it) != NAME.as_bytes())?;
    let rest = parts.filter(|it| !name(it).eq_ignore_ascii_case(b"domain"));
    let parts: Vec<_> = std::iter::once(first).chain(rest).collect();
    Some(parts.join(&b"; "[..]))
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = AccessToken> {
    let values = headers.get_all(header::COOKIE).iter();
    let cookies = values
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'));
    cookies.filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == NAME).then(|| value.parse().ok()).flatten()
    })
}

fn name(cookie: &[u8]) -> &[u8] {
    let end = cookie.iter().position(|byte| *byte == b'=');
    cookie[..end.unwrap_or(cookie.len())].trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Option<Vec<u8>>) -> Option<String> {
        value.map(|it| String::from_utf8(it).expect("text"))
    }

    #[test]
    fn the_token_is_taken_out_of_the_cookies() {
        let rest = |value: &str| text(without_token(value.as_bytes()));
        assert_eq!(rest("gruppetto_tunnel=abc"), None);
        assert_eq!(
            rest("a=1; gruppetto_tunnel=abc;b=2 ;  gruppetto_tunnel=x").as_deref(),
            Some("a=1; b=2")
        );
        assert_eq!(
            rest("a=gruppetto_tunnel").as_deref(),
            Some("a=gruppetto_tunnel")
        );
    }

    #[test]
    fn the_right_one_of_several_tokens_is_found() {
        let (right, wrong) = (AccessToken::new([1; 20]), AccessToken::new([2; 20]));
        let mut headers = HeaderMap::new();
        let value = format!(
            "gruppetto_tunnel={}; gruppetto_tunnel={}",
            wrong.expose(),
            right.expose()
        );
        headers.insert(header::COOKIE, value.parse().expect("a value"));
        assert_eq!(token_with(&headers, &right.hash()), Some(right));
        assert_eq!(
            token_with(&headers, &AccessToken::new([3; 20]).hash()),
            None
        );
    }

    #[test]
    fn cookies_of_the_site_lose_their_domain_and_cannot_replace_the_token() {
        let adapted = |value: &str| text(adapted(value.as_bytes()));
        assert_eq!(
            adapted("id=1; Domain=127.0.0.1; Path=/; HttpOnly").as_deref(),
            Some("id=1; Path=/; HttpOnly")
        );
        assert_eq!(adapted("gruppetto_tunnel=1; Path=/"), None);
    }
}
