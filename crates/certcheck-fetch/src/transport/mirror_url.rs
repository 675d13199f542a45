//! URLs of sources at a mirror: `http://crl.example/ca.crl` is at `/http/crl.example/ca.crl` below the mirror's own URL.

use url::Url;

/// The schemes of sources that a mirror has.
const SCHEMES: [&str; 2] = ["http", "https"];

/// The URL of a mirror itself. `None` for one that is not on HTTP, or that has a user, a query or a fragment.
#[must_use]
pub fn parse_mirror(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    (SCHEMES.contains(&url.scheme()) && url.has_host() && is_plain && !has_user).then_some(url)
}

/// The URL at which a mirror has a source. `None` for a source that is not on HTTP, or that has a user.
#[must_use]
pub fn mirror_url(mirror: &Url, source: &Url) -> Option<Url> {
    let scheme = SCHEMES.into_iter().find(|scheme| *scheme == source.scheme())?;
    let host = source.host_str().filter(|host| !host.is_empty())?;
    if !source.username().is_empty() || source.password().is_some() {
        return None;
    }
    let port = source.port().map(|port| format!(":{port}")).unwrap_or_default();
    let base = mirror.as_str().trim_end_matches('/');
    let query = source.query().map(|query| format!("?{query}")).unwrap_or_default();
    Url::parse(&format!("{base}/{scheme}/{host}{port}{}{query}", source.path())).ok()
}

/// The source that a request to a mirror is about: the inverse of [`mirror_url`], for a path and query below the
/// mirror's own URL.
#[must_use]
pub fn mirrored_source(path_and_query: &str) -> Option<Url> {
    let rest = path_and_query.strip_prefix('/')?;
    let (scheme, rest) = rest.split_once('/')?;
    let scheme = SCHEMES.into_iter().find(|known| *known == scheme)?;
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    (!has_user && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_their_urls_at_a_mirror() {
        for (mirror, source, at) in [
            ("http://m:8080", "http://crl.example/ca.crl", Some("http://m:8080/http/crl.example/ca.crl")),
            ("http://m/certs/", "http://crl.example/", Some("http://m/certs/http/crl.example/")),
            ("http://m", "https://c.example:8443/a?b=c/d", Some("http://m/https/c.example:8443/a?b=c/d")),
            ("http://m", "http://[2001:db8::1]/a", Some("http://m/http/[2001:db8::1]/a")),
            ("http://m", "http://ocsp.example/MEIw%2FA%3D", Some("http://m/http/ocsp.example/MEIw%2FA%3D")),
            ("http://m", "ldap://d.example/cn=ca", None),
            ("http://m", "http://user@crl.example/ca.crl", None),
        ] {
            let (base, source) = (Url::parse(mirror).unwrap(), Url::parse(source).unwrap());
            let found = mirror_url(&base, &source);
            assert_eq!(found.as_ref().map(Url::as_str), at);
            let Some(found) = found else { continue };
            let below = found.as_str().strip_prefix(mirror.trim_end_matches('/')).unwrap();
            assert_eq!(mirrored_source(below), Some(source));
        }
    }

    #[test]
    fn urls_of_mirrors() {
        for url in ["http://m", "https://m.example:8443/certs/", "http://[::1]:8790"] {
            assert!(parse_mirror(url).is_some(), "{url}");
        }
        for url in
            ["m:8790", "ldap://m/", "http://", "http://u@m", "http://:p@m", "http://m?a=b", "http://m/#a"]
        {
            assert_eq!(parse_mirror(url), None, "{url}");
        }
    }

    #[test]
    fn paths_that_name_no_source() {
        for path in [
            "",
            "/",
            "/http",
            "/http/",
            "/ftp/a/b",
            "/http/user@a/b",
            "/http/user:p@a/b",
            "/v1/news",
            "http/a/",
        ] {
            assert_eq!(mirrored_source(path), None, "{path}");
        }
    }
}
