//! Example client that verifies a key: it must belong to the given project and have the given scopes. Without a
//! decision within 1 s the key is denied.
//! Usage: `KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… verify data:read`. Needs the crates `serde_json` and `ureq`
//! (feature `json`).
use serde_json::{Value, json};
use std::{env, error::Error, process::ExitCode, time::Duration};

fn request_decision(keyward: &ureq::Agent, key: &str, scopes: &[String]) -> Result<Value, Box<dyn Error>> {
    let url = env::var("KEYWARD_URL")? + "/v1/keys/verify";
    let request = json!({"key": key, "project": env::var("KEYWARD_PROJECT")?, "scopes": scopes});
    let mut response = keyward.post(url).send_json(request)?;
    let decision: Value = response.body_mut().read_json()?;
    let decided = response.status() == 200 && decision["valid"].is_boolean();
    if decided { Ok(decision) } else { Err("the response is not a decision".into()) }
}

fn verify(keyward: &ureq::Agent, key: &str, scopes: &[String]) -> Value {
    let closed = |error| json!({"valid": false, "code": "unavailable", "message": format!("Keyward did not return a decision: {error}")});
    request_decision(keyward, key, scopes).unwrap_or_else(closed)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let second = Some(Duration::from_secs(1));
    let keyward = ureq::Agent::config_builder().timeout_global(second).max_redirects(0).build().new_agent();
    let decision = verify(&keyward, &env::var("KEYWARD_KEY")?, &env::args().skip(1).collect::<Vec<_>>());
    println!("{decision}");
    Ok(if decision["valid"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
