//! Requested token parameters: scopes (RFC 6749 section 3.3), resource (RFC 8707), and lifetime.

use super::form::Form;
use keyward_edge::oauth_error::OAuthError;
use keyward_service::{
    Services,
    tokens::{Audience, Target, TokenParameters},
};

/// The parsed and validated parameters.
pub struct RequestedToken<'a> {
    life: Option<i64>,
    scopes: Option<Vec<&'a str>>,
    target: Target,
}

impl<'a> RequestedToken<'a> {
    /// Parses `scope`, `resource`, `audience` (RFC 8693 section 2.1; equivalent to `resource` here) and the extension
    /// `expires_in`, in seconds.
    ///
    /// # Errors
    /// `invalid_request`, `invalid_scope` or `invalid_target`.
    pub fn from_form(app: &Services, form: &'a Form) -> Result<Self, OAuthError> {
        let scopes = form.get("scope")?.map(parse_scopes).transpose()?;
        let life = match form.get("expires_in")? {
            None => None,
            Some(text) => Some(parse_lifetime(text)?),
        };
        Ok(Self { life, scopes, target: parse_target(app, form)? })
    }

    /// Drops the requested scopes that are not in `allowed`. The scopes of a grant were requested before, and the user
    /// may have removed some; the response tells a client that repeats them which it got. Neither RFC 6749 section
    /// 4.1.3 nor RFC 8628 section 3.4 defines `scope` for these requests.
    pub fn retain_scopes(&mut self, allowed: &[String]) {
        if let Some(scopes) = &mut self.scopes {
            scopes.retain(|scope| allowed.iter().any(|it| it == scope));
        }
    }

    /// Returns the request in the form that the service takes.
    pub fn parameters(&self) -> TokenParameters<'_> {
        TokenParameters { life: self.life, scopes: self.scopes.as_deref(), target: self.target }
    }
}

fn parse_scopes(text: &str) -> Result<Vec<&str>, OAuthError> {
    // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    if !text.bytes().all(|b| b == b' ' || (0x21..0x7f).contains(&b) && b != b'"' && b != b'\\') {
        return Err(OAuthError::invalid_scope(
            "The scope contains characters that are not allowed. Separate scopes with spaces.",
        ));
    }
    Ok(text.split(' ').filter(|scope| !scope.is_empty()).collect())
}

fn parse_lifetime(text: &str) -> Result<i64, OAuthError> {
    let whole = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let wrong = || OAuthError::invalid_request("expires_in must be a whole number of seconds, at least 1.");
    whole.filter(|life| *life > 0).ok_or_else(wrong)
}

/// The error for more than one resource: a token with several audiences would be valid at each of them, so each
/// resource has its own token (RFC 8707 section 2).
pub(super) fn several_resources() -> OAuthError {
    OAuthError::invalid_target("A token is valid for one resource. Send one request for each resource.")
}

/// Parses `resource` and `audience`. Both may be repeated, but must identify one resource.
fn parse_target(app: &Services, form: &Form) -> Result<Target, OAuthError> {
    let issuer = app.config.public_url.to_string();
    let mut target = Target::ByScopes;
    for text in ["resource", "audience"].into_iter().flat_map(|name| form.distinct(name)) {
        if text == issuer {
            // The resource of RFC 9728 that represents the complete server.
            continue;
        }
        let unknown = || OAuthError::invalid_target("The resource is unknown.").with_code("wrong_audience");
        let audience = Audience::parse(text, &issuer).ok_or_else(unknown)?;
        if target != Target::ByScopes && target != Target::Exactly(audience) {
            return Err(several_resources());
        }
        target = Target::Exactly(audience);
    }
    Ok(target)
}
