//! "Before you begin" section: how to get a key and its tokens. All samples on the page use the variables that are set
//! here.

use super::parts::samples;

/// The grant type that exchanges a key for a management token.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const KEY: &str = "urn:keyward:token-type:key";
const SCOPES: &str = "keyward:keys.read keyward:keys.write";

fn shell(url: &str) -> String {
    format!(
        r#"export PROJECT_ID=…   # stands on the project's page
export OWN_KEY_ID=…   # of a key of yours, and its secret, shown once when it was made:
export SECRET_KEY=…
export KEY_ID=…       # of the key that a request is about
export ETAG='"…"'      # as the answer that showed that key had it
export ONCE=$(date +%s)   # names what is done: sent again under the same name, it is not done twice
# Where the key itself is the client.
export CREDENTIALS=$(printf '%s' "key:$OWN_KEY_ID:$SECRET_KEY" | base64 | tr -d '\n')
# A token of the project, with all that the key may do there.
export TOKEN=$(curl --silent "{url}/authentication/token" --header 'Content-Type: application/json' \
  --data "{{\"secret_key\": \"$SECRET_KEY\"}}" | jq -r .access_token)
# A token for management, with the scopes that the key has of these.
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
const ofProject = await fetch(`{url}/authentication/token`, {{
  method: 'POST',
  headers: {{ 'Content-Type': 'application/json' }},
  body: JSON.stringify({{ secret_key: secretKey }}),
}});
const {{ access_token: token }} = await ofProject.json();
const forManagement = await fetch(`{url}/oauth/token`, {{
  method: 'POST',
  body: new URLSearchParams({{
    grant_type: '{EXCHANGE}',
    subject_token_type: '{KEY}',
    subject_token: secretKey,
    scope: '{SCOPES}',
  }}),
}});
const {{ access_token: managementToken }} = await forManagement.json();"#
    )
}

fn python(url: &str) -> String {
    format!(
        r#"import base64, json, os, urllib.error, urllib.parse, urllib.request, uuid

project_id, own_key_id, secret_key = "…", "…", os.environ["SECRET_KEY"]
key_id, etag, once = "…", '"…"', str(uuid.uuid4())
credentials = base64.b64encode(f"key:{{own_key_id}}:{{secret_key}}".encode()).decode()
of_project = urllib.request.Request(
    "{url}/authentication/token",
    headers={{"Content-Type": "application/json"}},
    data=json.dumps({{"secret_key": secret_key}}).encode(),
)
with urllib.request.urlopen(of_project) as answer:
    token = json.load(answer)["access_token"]
asked = urllib.parse.urlencode({{
    "grant_type": "{EXCHANGE}",
    "subject_token_type": "{KEY}",
    "subject_token": secret_key,
    "scope": "{SCOPES}",
}})
with urllib.request.urlopen("{url}/oauth/token", asked.encode()) as answer:
    management_token = json.load(answer)["access_token"]"#
    )
}

/// Draws the section.
pub fn draw(page: &mut String, url: &str) {
    page.push_str(
        r#"<section class="panel" id="begin" aria-labelledby="begin-name"><header class="panel__head"><h2 id="begin-name">Before you begin</h2></header><div class="panel__body stack stack--close"><p>The requests on this page take what they need from a few names: the project, a key of yours as a client, the key that a request is about and the state of it, and two kinds of token. One is of the project: its config, and your own API. The other is for management alone, made of a key that has <code>keyward:keys.read</code> or <code>keyward:keys.write</code>, which an owner of the project gives it; leave out of <code>scope</code> what your key does not have.</p>"#,
    );
    samples(page, "What comes first", [shell(url), javascript(url), python(url)]);
    page.push_str("</div></section>");
}
