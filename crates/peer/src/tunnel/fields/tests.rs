use super::*;

const TUNNEL: &str = "https://abcdefghij234567.tunnel.example";

fn origins() -> Origins {
    Origins {
        site: "http://127.0.0.1:8080".parse().unwrap(),
        tunnel: TUNNEL.to_owned(),
    }
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    pairs.iter().map(field).collect()
}

fn request(pairs: &[(&str, &str)]) -> Result<HeaderMap, InvalidField> {
    of_request(&fields(pairs), &origins(), true)
}

fn response(name: &'static str, value: &str) -> String {
    let mut map = HeaderMap::new();
    map.insert(name, HeaderValue::from_str(value).unwrap());
    let result = of_response(&map, &origins());
    let text = |(_, value): &(String, Vec<u8>)| String::from_utf8(value.clone()).unwrap();
    result.first().map(text).unwrap_or_default()
}

#[test]
fn the_site_sees_its_own_host_and_where_it_is_shown() {
    let map = request(&[
        ("host", "abcdefghij234567.tunnel.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-for", "203.0.113.1"),
        ("forwarded", "for=203.0.113.1"),
        ("accept-encoding", "br, gzip"),
        ("accept", "text/html"),
    ])
    .unwrap();
    assert_eq!(map["host"], "127.0.0.1:8080");
    assert_eq!(map["x-forwarded-host"], "abcdefghij234567.tunnel.example");
    assert_eq!(map["x-forwarded-proto"], "https");
    assert_eq!(map["accept-encoding"], "identity");
    assert_eq!(map["accept"], "text/html");
    assert_eq!(map.len(), 5);
}

#[test]
fn fields_of_a_connection_are_not_passed_on() {
    let map = request(&[
        ("connection", "keep-alive, X-Private"),
        ("connection", "close"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("proxy-authorization", "Basic x"),
        ("expect", "100-continue"),
        ("sec-websocket-key", "x"),
    ]);
    assert_eq!(map.unwrap().len(), 4);
    let mut map = HeaderMap::new();
    for (name, value) in [
        ("connection", "x-private"),
        ("x-private", "1"),
        ("transfer-encoding", "chunked"),
        ("trailer", "x"),
        ("alt-svc", "h3=\":8443\""),
        ("content-type", "text/html"),
    ] {
        map.insert(name, HeaderValue::from_str(value).unwrap());
    }
    let result = of_response(&map, &origins());
    assert_eq!(result, fields(&[("content-type", "text/html")]));
}

#[test]
fn cookies_become_one_field() {
    let map = request(&[("cookie", "a=1"), ("cookie", "b=2")]).unwrap();
    assert_eq!(map["cookie"], "a=1; b=2");
    assert_eq!(map.get_all("cookie").iter().count(), 1);
}

#[test]
fn credentials_of_the_tunnel_stay_here() {
    let sent = fields(&[("authorization", "Basic x")]);
    let kept = of_request(&sent, &origins(), true).unwrap();
    assert!(kept.contains_key("authorization"));
    let taken = of_request(&sent, &origins(), false).unwrap();
    assert!(!taken.contains_key("authorization"));
}

#[test]
fn fields_that_http_does_not_allow_are_refused() {
    for pairs in [
        &[("content-length", "1"), ("content-length", "1")][..],
        &[("content-length", "+1")],
        &[("content-length", "")],
        &[("content-length", "1, 1")],
        &[("a b", "x")],
        &[("x", "a\r\nb: c")],
        &[("x", "a\0b")],
    ] {
        assert_eq!(request(pairs), Err(InvalidField), "{pairs:?}");
    }
}

#[test]
fn pages_of_the_tunnel_are_pages_of_the_site() {
    let page = format!("{TUNNEL}/page?x");
    let map = request(&[("origin", TUNNEL), ("referer", &page)]).unwrap();
    assert_eq!(map["origin"], "http://127.0.0.1:8080");
    assert_eq!(map["referer"], "http://127.0.0.1:8080/page?x");
    let foreign = format!("{TUNNEL}.evil.example");
    let map = request(&[("origin", &foreign), ("referer", "null")]).unwrap();
    assert_eq!(map["origin"], foreign.as_str());
    assert_eq!(map["referer"], "null");
}

#[test]
fn redirects_to_the_site_stay_in_the_tunnel() {
    for (location, expected) in [
        ("http://127.0.0.1:8080/x?y#z", "/x?y#z"),
        ("HTTP://localhost:8080/x", "/x"),
        ("//127.0.0.1:8080/x", "/x"),
        ("http://127.0.0.1:8080", "/"),
        ("http://127.0.0.1:8080?y", "/?y"),
        ("/x", "/x"),
        ("x/y", "x/y"),
        ("http://127.0.0.1:9090/x", "http://127.0.0.1:9090/x"),
        ("https://127.0.0.1:8080/x", "https://127.0.0.1:8080/x"),
        ("https://other.example/x", "https://other.example/x"),
        (
            "http://127.0.0.1:8080@evil.example/",
            "http://127.0.0.1:8080@evil.example/",
        ),
    ] {
        assert_eq!(response("location", location), expected);
        assert_eq!(response("content-location", location), expected);
    }
    let doubled = response("location", "http://127.0.0.1:8080//evil.example/");
    assert_eq!(doubled, format!("{TUNNEL}//evil.example/"));
    let allowed = response("access-control-allow-origin", "http://127.0.0.1:8080");
    assert_eq!(allowed, TUNNEL);
    assert_eq!(response("access-control-allow-origin", "*"), "*");
}

#[test]
fn cookies_hold_for_the_host_of_the_tunnel() {
    for (cookie, expected) in [
        (
            "a=1; Domain=127.0.0.1; Path=/; HttpOnly",
            "a=1; Path=/; HttpOnly",
        ),
        ("a=1;domain=.localhost;Secure", "a=1;Secure"),
        ("a=1; Domain=other.example", "a=1; Domain=other.example"),
        ("domain=127.0.0.1; Path=/", "domain=127.0.0.1; Path=/"),
        ("gruppetto_tunnel=x; Path=/", ""),
    ] {
        assert_eq!(response("set-cookie", cookie), expected);
    }
}
