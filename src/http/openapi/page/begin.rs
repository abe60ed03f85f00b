//! What the requests on the page need first: a key, and a token of it. The names that are set here stand in all of them.

use super::parts::{plain, samples};
use std::fmt::Write as _;

/// Where a key becomes a token for management.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const KEY: &str = "urn:keyward:token-type:key";
const SCOPES: &str = "keyward:keys.read keyward:keys.write";

fn shell(url: &str) -> String {
    format!(
        r#"export PROJECT_ID=…   # stands on the project's page
export KEY_ID=…       # of the key that a request is about
export ETAG='"…"'      # as the answer that showed that key had it
export SECRET_KEY=…   # of a key of yours, shown once when it was made
export CREDENTIALS=$(printf '%s' "key:$KEY_ID:$SECRET_KEY" | base64 | tr -d '\n')   # where a key is the client
# Where a token is needed: for management, with the scopes that the key has of these.
export TOKEN=$(curl --silent "{url}/oauth/token" \
  --data grant_type={EXCHANGE} \
  --data subject_token_type={KEY} --data-urlencode "subject_token=$SECRET_KEY" \
  --data-urlencode 'scope={SCOPES}' | jq -r .access_token)"#
    )
}

fn javascript(url: &str) -> String {
    format!(
        r#"const projectId = '…', keyId = '…', etag = '"…"', secretKey = process.env.SECRET_KEY;
const credentials = btoa(`key:${{keyId}}:${{secretKey}}`);
const exchanged = await fetch(`{url}/oauth/token`, {{
  method: 'POST',
  body: new URLSearchParams({{
    grant_type: '{EXCHANGE}',
    subject_token_type: '{KEY}',
    subject_token: secretKey,
    scope: '{SCOPES}',
  }}),
}});
const {{ access_token: token }} = await exchanged.json();"#
    )
}

fn python(url: &str) -> String {
    format!(
        r#"import base64, json, os, urllib.error, urllib.parse, urllib.request

project_id, key_id, etag, secret_key = "…", "…", '"…"', os.environ["SECRET_KEY"]
credentials = base64.b64encode(f"key:{{key_id}}:{{secret_key}}".encode()).decode()
asked = urllib.parse.urlencode({{
    "grant_type": "{EXCHANGE}",
    "subject_token_type": "{KEY}",
    "subject_token": secret_key,
    "scope": "{SCOPES}",
}})
with urllib.request.urlopen("{url}/oauth/token", asked.encode()) as answer:
    token = json.load(answer)["access_token"]"#
    )
}

/// Draws it.
pub fn draw(page: &mut String, url: &str) {
    let _ = write!(
        page,
        r#"<section class="panel" id="begin" aria-labelledby="begin-name"><header class="panel__head"><h2 id="begin-name">Before you begin</h2></header><div class="panel__body stack stack--close"><p>The requests on this page take what they need from a few names: the project, a key, the state of it, and either a token or the key itself as a client. A token for management is made of a key that has <code>keyward:keys.read</code> or <code>keyward:keys.write</code>, which an owner of the project gives it; leave out of <code>scope</code> what your key does not have. Any other token is made in the same way, with its scopes or none.</p><p>What is refused is a problem document (RFC 9457) with a <code>code</code> for programs and a <code>detail</code> for people; at <code>{}/oauth/…</code> it is an error of OAuth (RFC 6749).</p>"#,
        plain(url)
    );
    samples(page, "What comes first", [shell(url), javascript(url), python(url)]);
    page.push_str("</div></section>");
}
