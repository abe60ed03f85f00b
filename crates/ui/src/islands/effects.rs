//! Preview of the effects of a key edit on running integrations.

use crate::{
    browser,
    notice::{Notice, Tone},
};
use leptos::{html, prelude::*};

/// Observes the enclosing form.
#[island]
pub fn EditEffects(
    /// Current scopes of the key.
    had: Vec<String>,
    /// Current allowed networks. Empty: any network.
    networks: Vec<String>,
    /// Current "not before" as the value of its field. Empty: none.
    not_before: String,
    /// Current rate limit: calls, period, burst.
    rate: Option<(u32, String, u32)>,
    /// Whether the key is in use. If so, the edit affects an integration.
    used: bool,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let effects = RwSignal::new(Vec::<String>::new());
    Effect::new(move |_| {
        let Some(here) = node.get() else { return };
        let Ok(Some(form)) = here.closest("form") else { return };
        let (had, networks, not_before, rate) = (had.clone(), networks.clone(), not_before.clone(), rate.clone());
        let watched = form.clone();
        let look = move || {
            let kept = browser::checked(&watched, "scopes[]");
            let gone: Vec<String> = had.iter().filter(|scope| !kept.contains(scope)).cloned().collect();
            let value = |name: &str| browser::value_of(&watched, &format!("[name={name}]"));
            let mut all = effect_sentences(&gone, &value("expires"));
            if is_narrower(&networks, &value("networks")) {
                all.push("Requests from networks that are not in the list are rejected.".to_owned());
            }
            let from = value("not_before");
            // The format sorts by time, so that the texts can be compared.
            if from > not_before {
                all.push(
                    "Requests before the start time are rejected, including those with access tokens issued from the key."
                        .to_owned(),
                );
            }
            if is_lower(rate.as_ref(), &value("rate"), &value("per"), &value("burst")) {
                all.push("Requests over the new limit are rejected.".to_owned());
            }
            effects.set(all);
        };
        look();
        browser::listen(&form, "change", move |_| look());
    });
    let words = move || {
        let all = effects.get();
        (!all.is_empty()).then(|| {
            let who = if used { "This affects running integrations." } else { "This key was never used." };
            view! {
                <Notice tone=Tone::Warning>
                    <strong>{who}</strong>
                    " "
                    {all.join(" ")}
                </Notice>
            }
        })
    };
    view! {
        <div class="effects" role="status" node_ref=node>
            {words}
        </div>
    }
}

fn effect_sentences(gone: &[String], ends: &str) -> Vec<String> {
    let mut effects = Vec::new();
    if !gone.is_empty() {
        effects.push(format!("Requests that need {} will fail immediately.", gone.join(" or ")));
    }
    if ends != "keep" && !ends.is_empty() {
        effects.push("The new expiry also applies to access tokens issued from the key.".to_owned());
    }
    effects
}

/// Whether a previously allowed network is missing. Only the server checks whether one network contains another.
fn is_narrower(had: &[String], typed: &str) -> bool {
    let mut now = typed.split([',', ';', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty()).peekable();
    if now.peek().is_none() {
        return false;
    }
    let now: Vec<_> = now.map(str::to_ascii_lowercase).collect();
    had.is_empty() || had.iter().any(|it| !now.contains(it) && !now.iter().any(|now| is_alone(it, now)))
}

/// Whether `network` is `address` with the prefix length of a single address.
fn is_alone(network: &str, address: &str) -> bool {
    network.strip_prefix(address).is_some_and(|rest| rest == "/32" || rest == "/128")
}

/// Whether the new limit allows fewer calls. The server rejects invalid numbers.
fn is_lower(had: Option<&(u32, String, u32)>, calls: &str, per: &str, burst: &str) -> bool {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let Some(calls) = number(calls) else { return false };
    let Some((had_calls, had_per, had_burst)) = had else { return true };
    let burst = number(burst).unwrap_or(calls);
    calls.saturating_mul(seconds(had_per)) < u64::from(*had_calls) * seconds(per) || burst < u64::from(*had_burst)
}

fn seconds(per: &str) -> u64 {
    match per {
        "day" => 86_400,
        "hour" => 3_600,
        "minute" => 60,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_narrower_if_something_is_gone_from_it() {
        let had = ["10.0.0.0/8".to_owned(), "192.0.2.7/32".to_owned()];
        assert!(!is_narrower(&had, "192.0.2.7,\n10.0.0.0/8; 2001:DB8::/32"));
        assert!(!is_narrower(&had, " \n"), "from anywhere");
        assert!(is_narrower(&had, "10.0.0.0/8"));
        assert!(is_narrower(&had, "10.0.0.0/8 192.0.2.70"));
        assert!(is_narrower(&[], "10.0.0.0/8"));
        assert!(!is_narrower(&[], ""));
        assert!(!is_narrower(&["2001:db8::/32".to_owned()], "2001:DB8::/32"));
    }

    #[test]
    fn a_limit_is_lower_if_fewer_calls_may_come() {
        let had = (60, "minute".to_owned(), 20);
        assert!(!is_lower(Some(&had), "60", "minute", "20"));
        assert!(!is_lower(Some(&had), "1", "second", "20"));
        assert!(!is_lower(Some(&had), "", "minute", ""), "no limit");
        assert!(is_lower(Some(&had), "60", "hour", "20"));
        assert!(is_lower(Some(&had), "60", "minute", "19"));
        assert!(is_lower(Some(&had), "59", "minute", ""));
        assert!(is_lower(None, "1000000", "second", ""));
        assert!(!is_lower(None, "many", "second", ""));
        let most = u64::MAX.to_string();
        for per in ["second", "day"] {
            assert!(!is_lower(Some(&had), &most, per, &most), "the largest number that is parsed, per {per}");
        }
        assert!(!is_lower(Some(&had), "18446744073709551616", "second", ""), "the server rejects it");
    }
}
