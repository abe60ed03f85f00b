//! Redirect URIs of clients: `https`, or the loopback interface (RFC 8252 section 7.3).

use url::{Host, Url};

/// A redirect URI: the target of authorization responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The URI exactly as it was sent.
    pub text: String,
    url: Url,
}

/// Maximum length of a URI, in characters.
const MAX: usize = 500;

impl Redirect {
    /// Parses an absolute URI on `https` or on the loopback interface, without a fragment, user, or password.
    ///
    /// # Errors
    /// What is wrong with the URI, as a message for the user who registers it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // The message says what to enter. The error of the parser adds nothing.
        let url = Url::parse(text).map_err(|_| "This is not a URL. Enter the full URL, starting with https://.")?;
        if text.chars().count() > MAX || text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err("A redirect URL has at most 500 characters and no spaces.");
        }
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("A redirect URL cannot contain a fragment (#), user name, or password.");
        }
        // The host becomes part of a Content-Security-Policy header, where other characters would have a syntactic
        // meaning.
        let names_a_host =
            |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if matches!(url.host(), Some(Host::Domain(host)) if !names_a_host(host)) {
            return Err("This URL has no valid host. Enter the full URL, starting with https://.");
        }
        // `allows` compares parsed parts for `http`, because any port matches. The text must therefore be the canonical
        // form of the URI.
        let is_plain = |url: &Url| url.as_str().strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest == "/");
        if url.scheme() == "http" && !is_plain(&url) {
            return Err("Enter the URL as a browser shows it, such as http://127.0.0.1/done.");
        }
        let redirect = Self { text: text.to_owned(), url };
        match redirect.url.scheme() {
            "https" => Ok(redirect),
            "http" if redirect.is_loopback() || redirect.url.host_str() == Some("localhost") => Ok(redirect),
            _ => Err("Use https. Only 127.0.0.1, [::1], and localhost can use http."),
        }
    }

    /// Whether the URI is a loopback IP literal. A host name can be resolved to another address (RFC 8252 section 8.3).
    pub fn is_loopback(&self) -> bool {
        self.url.scheme() == "http"
            && match self.url.host() {
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => ip.is_loopback(),
                Some(Host::Domain(_)) | None => false,
            }
    }

    /// Whether any port matches: a native app does not know in advance which port is free.
    fn has_any_port(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Returns the scheme, host, and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Returns the host, with the port unless it is the scheme's default.
    pub fn host(&self) -> String {
        self.url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
    }

    /// Whether this registered URI permits the requested one: an exact match, except for the port of a loopback URI.
    pub fn allows(&self, requested: &Self) -> bool {
        if !self.has_any_port() {
            return self.text == requested.text;
        }
        let parts = |url: &Url| {
            (
                url.scheme().to_owned(),
                url.host_str().map(ToOwned::to_owned),
                url.path().to_owned(),
                url.query().map(ToOwned::to_owned),
            )
        };
        parts(&self.url) == parts(&requested.url)
    }

    /// Whether a page of the given origin belongs to this registered URI.
    pub fn has_origin(&self, origin: &Self) -> bool {
        if !self.has_any_port() {
            return self.origin() == origin.origin();
        }
        (self.url.scheme(), self.url.host_str()) == (origin.url.scheme(), origin.url.host_str())
    }

    /// Whether the URI is an origin only, without a path.
    pub fn is_origin(&self) -> bool {
        self.text == self.origin()
    }

    /// Returns the origin as a source expression for a content security policy, or `None` for an IPv6 address, which a
    /// policy cannot express (CSP 3, `host-source`).
    pub fn policy_source(&self) -> Option<String> {
        (!matches!(self.url.host(), Some(Host::Ipv6(_)))).then(|| self.origin())
    }

    /// Returns the URI with the response parameters appended to its query.
    pub fn with_parameters(&self, pairs: &[(&str, &str)]) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Redirect {
        Redirect::parse(text).unwrap()
    }

    #[test]
    fn what_can_be_registered() {
        for good in
            ["https://app.example/done?a=b", "http://127.0.0.1/cb", "http://[::1]:9/cb", "http://localhost:5173"]
        {
            assert!(Redirect::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "app.example",
            "http://app.example/cb",
            "https://a@app.example/",
            "https://app.example/#x",
            "https:///",
            "javascript:alert(1)",
            "com.example:/cb",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "https://app.example/a b",
            "https://app.example\\@evil.example/",
            "data:text/html,x",
            "https://*/",
            "https://*.app.example/cb",
            "https://app.example;x/cb",
            "https://app,b.example/cb",
            "http://127.0.0.1/cb/../cb",
            "http://127.0.0.1:5/x/%2e%2e/cb",
            "http://127.1/cb",
            "http://2130706433/cb",
            "HTTP://127.0.0.1/cb",
            "http://[0:0:0:0:0:0:0:1]/cb",
        ] {
            assert!(Redirect::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_length_is_counted_in_characters() {
        // "ü" takes two bytes.
        for letter in ["a", "ü"] {
            let longest = format!("https://app.example/{}", letter.repeat(MAX - 20));
            assert_eq!(longest.chars().count(), 500);
            assert_eq!(read(&longest).text, longest);
            let error = Redirect::parse(&format!("{longest}{letter}")).unwrap_err();
            assert_eq!(error, "A redirect URL has at most 500 characters and no spaces.");
        }
    }

    #[test]
    fn addresses_are_compared_to_the_letter_but_for_the_port_on_this_computer() {
        let https = read("https://app.example/cb");
        assert!(https.allows(&https));
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb?x",
            "https://app.example:443/cb",
            "https://APP.example/cb",
        ] {
            assert!(!https.allows(&read(other)), "{other}");
        }
        let local = read("http://127.0.0.1/cb");
        assert!(local.allows(&read("http://127.0.0.1:51234/cb")));
        for other in [
            "http://127.0.0.1:51234/",
            "http://[::1]:51234/cb",
            "http://localhost/cb",
            "http://127.0.0.2/cb",
            "http://127.0.0.1/cb?x",
        ] {
            assert!(!local.allows(&read(other)), "{other}");
        }
    }

    #[test]
    fn a_page_is_known_by_its_origin() {
        let page = read("https://app.example");
        assert!(page.is_origin() && !read("https://app.example/").is_origin());
        assert!(read("https://app.example/cb").has_origin(&page));
        assert!(!read("https://app.example:8443/cb").has_origin(&page));
        assert!(read("http://127.0.0.1/cb").has_origin(&read("http://127.0.0.1:9")));
    }

    #[test]
    fn an_answer_stands_behind_what_is_there() {
        let uri = read("https://app.example/cb?a=b").with_parameters(&[("code", "x"), ("state", "a&b=c")]);
        assert_eq!(uri, "https://app.example/cb?a=b&code=x&state=a%26b%3Dc");
        assert_eq!(read("http://127.0.0.1:9/cb").policy_source().as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(read("http://[::1]:9/cb").policy_source(), None);
    }
}
