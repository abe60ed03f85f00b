//! JSON Schema validation: the subset of draft 2020-12 that `/openapi.json` uses. Other keywords panic.

use serde_json::Value;

/// Keywords that do not constrain a value.
const ANNOTATIONS: [&str; 4] = ["description", "title", "example", "default"];

/// Returns the validation errors of a value, each with its location.
pub fn validation_errors(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    validation_errors(document, schema, value).is_empty()
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        // 30.0 is an integer too (JSON Schema, section 4.2.3).
        "integer" => value.as_f64().is_some_and(|it| it.fract() == 0.0),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type: {other}"),
    }
}

/// Returns whether a text matches a pattern of the document. A pattern is a list of words separated by bars, or one of
/// the cases below.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[a-z_]+$" => !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
        "^kw_(live|test)_[0-9A-Za-z]{56}$" => {
            text.len() == 64 && (text.starts_with("kw_live_") || text.starts_with("kw_test_"))
        }
        r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$" => {
            !text.trim().is_empty() && !text.chars().any(char::is_control)
        }
        "^[0-9A-Za-z:._*/-]{1,80}$" => {
            (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":._*/-".contains(&b))
        }
        "^(1000000|[1-9][0-9]{0,5})/(second|minute|hour|day)(,burst=(1000000|[1-9][0-9]{0,5}))?$" => {
            text.parse::<keyward::domain::rate::RateLimit>().is_ok()
        }
        "^[A-Z]{4}-[A-Z]{4}$" => {
            text.len() == 9
                && text.char_indices().all(|(at, c)| if at == 4 { c == '-' } else { c.is_ascii_uppercase() })
        }
        _ => {
            let words =
                pattern.trim_start_matches('^').trim_end_matches('$').trim_start_matches('(').trim_end_matches(')');
            assert!(
                words.chars().all(|c| c.is_alphanumeric() || c == '|'),
                "teach support/schema.rs the pattern {pattern}"
            );
            words.split('|').any(|word| word == text)
        }
    }
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (word, expected) in schema.as_object().into_iter().flatten() {
        let list = || expected.as_array().expect("a list");
        let number = |value: &Value| value.as_f64();
        let fine = match word.as_str() {
            "$ref" => {
                let name = expected
                    .as_str()
                    .and_then(|it| it.strip_prefix("#/components/schemas/"))
                    .expect("a schema of ours");
                let named = &document["components"]["schemas"][name];
                assert!(named.is_object(), "there is no schema {name}");
                check(document, named, value, at, found);
                true
            }
            "type" => match expected {
                Value::String(kind) => is_a(kind, value),
                _ => list().iter().any(|kind| is_a(kind.as_str().expect("a type"), value)),
            },
            "required" => {
                !value.is_object() || list().iter().all(|name| value.get(name.as_str().expect("a name")).is_some())
            }
            "properties" => {
                for (name, inner) in expected.as_object().expect("members") {
                    if let Some(member) = value.get(name) {
                        check(document, inner, member, &format!("{at}.{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" if *expected == Value::Bool(false) => {
                let known = schema["properties"].as_object();
                value
                    .as_object()
                    .is_none_or(|it| it.keys().all(|name| known.is_some_and(|known| known.contains_key(name))))
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, expected, item, &format!("{at}[{n}]"), found);
                }
                true
            }
            "allOf" => list().iter().all(|part| {
                check(document, part, value, at, found);
                true
            }),
            "oneOf" => list().iter().filter(|part| fits(document, part, value)).count() == 1,
            "not" => !fits(document, expected, value),
            "anyOf" => list().iter().any(|part| fits(document, part, value)),
            "enum" => list().contains(value),
            "format" => value.as_str().is_none_or(|text| match expected.as_str().expect("a format") {
                "uuid" => text.len() == 36 && text.parse::<uuid::Uuid>().is_ok(),
                "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
                "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
                _ => true,
            }),
            "pattern" => value.as_str().is_none_or(|text| matches(expected.as_str().expect("a pattern"), text)),
            "minimum" => number(value).is_none_or(|it| it >= number(expected).expect("a number")),
            "maximum" => number(value).is_none_or(|it| it <= number(expected).expect("a number")),
            "minLength" => {
                value.as_str().is_none_or(|it| it.chars().count() as u64 >= expected.as_u64().expect("a number"))
            }
            "maxLength" => {
                value.as_str().is_none_or(|it| it.chars().count() as u64 <= expected.as_u64().expect("a number"))
            }
            "minItems" => value.as_array().is_none_or(|it| it.len() as u64 >= expected.as_u64().expect("a number")),
            "maxItems" => value.as_array().is_none_or(|it| it.len() as u64 <= expected.as_u64().expect("a number")),
            "minProperties" => {
                value.as_object().is_none_or(|it| it.len() as u64 >= expected.as_u64().expect("a number"))
            }
            word if ANNOTATIONS.contains(&word) => true,
            other => panic!("teach support/schema.rs the word {other}: {expected}"),
        };
        if !fine {
            found.push(format!("{at}: {word} {expected}, and it is {value}"));
        }
    }
}
