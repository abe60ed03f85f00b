//! "Before you begin" section: how to get a key and its tokens. All samples on the page use the variables that are set
//! here.

use super::parts::samples;

/// The grant type that exchanges a key for a management token.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const KEY: &str = "urn:keyward:token-type:key";
const SCOPES: &str = "keyward:keys.read keyward:keys.write";

fn shell(url: &str) -> String {
    format!(
        r#"export PROJECT_ID=…   # shown on the project's page
export OWN_KEY_ID=…   # the ID of your own key, and its secret, which is shown once:
export SECRET_KEY=…
export KEY_ID=…       # the ID of the key that a request reads or changes
export ETAG='"…"'      # the ETag of the last response for that key
export ONCE=$(date +%s)   # an idempotency key: a repeated request does not create a second key
# For requests in which your key is the client.
export CREDENTIALS=$(printf '%s' "key:$OWN_KEY_ID:$SECRET_KEY" | base64 | tr -d '\n')
# A project token, with all scopes of your key except management scopes.
export TOKEN=$(curl --silent "{url}/authentication/token" --header 'Content-Type: application/json' \
  --data "{{\"secret_key\": \"$SECRET_KEY\"}}" | jq -r .access_token)
# A management token. Remove the scopes that your key does not have.
export MANAGEMENT_TOKEN=$(curl --silent "{url}/oauth/token" \
  --data grant_type={EXCHANGE} \
  --data subject_token_type={KEY} --data-urlencode "subject_token=$SECRET_KEY" \
  --data-urlencode 'scope={SCOPES}' | jq -r .access_token)"#
    )
}

fn javascript(url: &str) -> String {
    format!(
        r#"const projectId = '…', ownKeyId = '…', secretKey = process.env.SECRET_KEY;
const keyId = '…', etag = '"…"', once = crypto.randomUUID();
const credentials = btoa(`key:${{ownKeyId}}:${{secretKey}}`);
const projectResponse = await fetch(`{url}/authentication/token`, {{
  method: 'POST',
  headers: {{ 'Content-Type': 'application/json' }},
  body: JSON.stringify({{ secret_key: secretKey }}),
}});
const {{ access_token: token }} = await projectResponse.json();
const managementResponse = await fetch(`{url}/oauth/token`, {{
  method: 'POST',
  body: new URLSearchParams({{
    grant_type: '{EXCHANGE}',
    subject_token_type: '{KEY}',
    subject_token: secretKey,
    scope: '{SCOPES}',
  }}),
}});
const {{ access_token: managementToken }} = await managementResponse.json();"#
    )
}

fn python(url: &str) -> String {
    format!(
        r#"import base64, json, os, urllib.error, urllib.parse, urllib.request, uuid

project_id, own_key_id, secret_key = "…", "…", os.environ["SECRET_KEY"]
key_id, etag, once = "…", '"…"', str(uuid.uuid4())
credentials = base64.b64encode(f"key:{{own_key_id}}:{{secret_key}}".encode()).decode()
project_request = urllib.request.Request(
    "{url}/authentication/token",
    headers={{"Content-Type": "application/json"}},
    data=json.dumps({{"secret_key": secret_key}}).encode(),
)
with urllib.request.urlopen(project_request) as response:
    token = json.load(response)["access_token"]
form = urllib.parse.urlencode({{
    "grant_type": "{EXCHANGE}",
    "subject_token_type": "{KEY}",
    "subject_token": secret_key,
    "scope": "{SCOPES}",
}})
with urllib.request.urlopen("{url}/oauth/token", form.encode()) as response:
    management_token = json.load(response)["access_token"]"#
    )
}

/// Draws the section.
pub fn draw(page: &mut String, url: &str) {
    page.push_str(
        r#"<section class="panel" id="begin" aria-labelledby="begin-name"><header class="panel__head"><h2 id="begin-name">Before you begin</h2></header><div class="panel__body stack stack--close"><p>The samples on this page use these variables: your project, your own key, the key that a request reads or changes with its ETag, and two access tokens. The project token is for the project’s config and your own API. The management token is for the management API only. It requires a key with the scope <code>keyward:keys.read</code> or <code>keyward:keys.write</code>, which a project owner can grant. Remove scopes that your key does not have from <code>scope</code>.</p>"#,
    );
    samples(page, "Setup", [shell(url), javascript(url), python(url)]);
    page.push_str("</div></section>");
}
