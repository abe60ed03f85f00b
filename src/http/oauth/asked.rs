//! What is asked of a token: scopes (RFC 6749 section 3.3), a resource (RFC 8707), a life.

use super::{error::OAuthError, form::Form};
use crate::service::{
    App,
    tokens::{Audience, Target, Wish},
};

/// What is asked, read and checked.
pub struct Asked<'a> {
    life: Option<i64>,
    scopes: Option<Vec<&'a str>>,
    target: Target,
}

impl<'a> Asked<'a> {
    /// Reads `scope`, `resource`, `audience` (RFC 8693 section 2.1: the same here) and our own `expires_in`, in seconds.
    ///
    /// # Errors
    /// `invalid_request`, `invalid_scope` or `invalid_target`.
    pub fn read(app: &App, form: &'a Form) -> Result<Self, OAuthError> {
        let scopes = form.one("scope")?.map(scopes).transpose()?;
        let life = match form.one("expires_in")? {
            None => None,
            Some(text) => Some(life(text)?),
        };
        Ok(Self { life, scopes, target: target(app, form)? })
    }

    /// Leaves out the scopes that are not among these. What a person allowed was asked for before, and they may have taken some of it
    /// out; a client that names them again is told in the answer what it got. Neither RFC 6749 section 4.1.3 nor RFC 8628 section 3.4
    /// knows `scope` there.
    pub fn among(&mut self, allowed: &[String]) {
        if let Some(scopes) = &mut self.scopes {
            scopes.retain(|scope| allowed.iter().any(|it| it == scope));
        }
    }

    /// For the service.
    pub fn wish(&self) -> Wish<'_> {
        Wish { life: self.life, scopes: self.scopes.as_deref(), target: self.target }
    }
}

fn scopes(text: &str) -> Result<Vec<&str>, OAuthError> {
    // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    if !text.bytes().all(|b| b == b' ' || (0x21..0x7f).contains(&b) && b != b'"' && b != b'\\') {
        return Err(OAuthError::invalid_scope(
            "A scope has letters, digits and signs, and a space between it and the next.",
        ));
    }
    Ok(text.split(' ').filter(|scope| !scope.is_empty()).collect())
}

fn life(text: &str) -> Result<i64, OAuthError> {
    let whole = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let wrong = || OAuthError::invalid_request("expires_in is a whole number of seconds, 1 or more.");
    whole.filter(|life| *life > 0).ok_or_else(wrong)
}

/// Several resources would make a token for several places: each has its own here.
fn target(app: &App, form: &Form) -> Result<Target, OAuthError> {
    const SEVERAL: &str = "A token is for one resource. Ask for one after the other.";
    let mut target = Target::ByScopes;
    for name in ["resource", "audience"] {
        if form.count(name) > 1 {
            return Err(OAuthError::invalid_target(SEVERAL));
        }
        let Some(text) = form.one(name)? else { continue };
        let issuer = app.config.public_url.to_string();
        if text == issuer {
            // The resource of RFC 9728 that stands for all of this server.
            continue;
        }
        let unknown = || OAuthError::invalid_target("There is no such resource here.").code("wrong_audience");
        let audience = Audience::read(text, &issuer).ok_or_else(unknown)?;
        if target != Target::ByScopes && target != Target::Exactly(audience) {
            return Err(OAuthError::invalid_target(SEVERAL));
        }
        target = Target::Exactly(audience);
    }
    Ok(target)
}
