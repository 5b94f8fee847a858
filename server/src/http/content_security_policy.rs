use axum::http::HeaderValue;

/// Value of the `Content-Security-Policy` header: only this origin, and only
/// inline scripts and styles that carry the page's nonce.
pub fn content_security_policy(nonce: Option<&str>) -> HeaderValue {
    let nonce = nonce
        .map(|nonce| format!(" 'nonce-{nonce}'"))
        .unwrap_or_default();
    // cargo-leptos reloads the page over a WebSocket on another port.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() {
        " ws: wss:"
    } else {
        ""
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{nonce}; style-src 'self'{nonce}; \
         img-src 'self' data: blob:; connect-src 'self'{reload}; worker-src 'self'; object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    );
    // Nonces are base64, the rest is ASCII.
    HeaderValue::try_from(policy).expect("a policy is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_only_with_a_nonce() {
        let policy = |nonce| {
            content_security_policy(nonce)
                .to_str()
                .expect("text")
                .to_owned()
        };
        assert!(policy(Some("abc")).contains("script-src 'self' 'wasm-unsafe-eval' 'nonce-abc';"));
        assert!(!policy(None).contains("nonce") && !policy(None).contains("unsafe-inline"));
    }
}
