//! A config's JSON: kept in the order in which it was written, refused with the place of what is wrong.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use std::{collections::HashSet, fmt};

/// JSON whose objects keep the order of their members and have none twice. (Of two members with one name, programs read either.)
pub enum Json {
    Leaf(Value),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        while let Some(name) = object.next_key::<String>()? {
            if !names.insert(name.clone()) {
                let name: String = name.chars().take(80).collect();
                return Err(de::Error::custom(format_args!("the name `{name}` stands in this object already")));
            }
            members.push((name, object.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

/// Reads one JSON object.
///
/// # Errors
/// A sentence that says what is wrong, and where: "Line 3, column 14: expected `,` or `}`."
pub fn read(text: &str) -> Result<Json, String> {
    let Some(start) = text.find(|c: char| !c.is_ascii_whitespace()) else {
        return Err("Write one JSON object; an empty one is {}.".to_owned());
    };
    if !text[start..].starts_with('{') {
        let line = text[..start].matches('\n').count() + 1;
        let column = text[..start].chars().rev().take_while(|c| *c != '\n').count() + 1;
        return Err(format!("Line {line}, column {column}: a config is one JSON object, which begins with `{{`."));
    }
    serde_json::from_str(text).map_err(|error| explain(text, &error))
}

fn explain(text: &str, error: &serde_json::Error) -> String {
    // A word that is cut short by a line's end is reported before the first letter of the next: it belongs to its own line.
    let (number, bytes) = match (error.line(), error.column()) {
        (line @ 2.., 0) => (line - 1, usize::MAX),
        place => place,
    };
    let line = text.split('\n').nth(number.saturating_sub(1)).unwrap_or_default();
    // Bytes to characters: that is what an editor counts.
    let before = &line.as_bytes()[..bytes.min(line.len())];
    let column = String::from_utf8_lossy(before).chars().count().max(1);
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = said.strip_suffix(&place).unwrap_or(&said);
    let said = match said.strip_prefix("EOF while parsing ") {
        Some("a value") => "the text ends where a value should stand".to_owned(),
        Some(what) => format!("the text ends inside {what}"),
        None => said.to_owned(),
    };
    format!("Line {number}, column {column}: {said}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(text: &str) -> Result<String, String> {
        read(text).map(|json| serde_json::to_string(&json).unwrap())
    }

    #[test]
    fn the_order_of_members_is_kept() {
        let text = r#" {"z": 1, "a": [1.5, -2, true, null, {"y": "ø\u0000", "b": {}}]} "#;
        assert_eq!(compact(text).unwrap(), r#"{"z":1,"a":[1.5,-2,true,null,{"y":"ø\u0000","b":{}}]}"#);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, words) in [
            ("", "Write one JSON object; an empty one is {}."),
            (" \n\t", "Write one JSON object; an empty one is {}."),
            ("[]", "Line 1, column 1: a config is one JSON object, which begins with `{`."),
            ("\n  5", "Line 2, column 3: a config is one JSON object, which begins with `{`."),
            ("{\n  \"a\": 1,\n  \"bø\": 2 \"c\"\n}", "Line 3, column 11: expected `,` or `}`."),
            ("{\"a\": 1", "Line 1, column 7: the text ends inside an object."),
            ("{\"a\":", "Line 1, column 5: the text ends where a value should stand."),
            ("{} x", "Line 1, column 4: trailing characters."),
            ("{\"a\": 1,}", "Line 1, column 9: trailing comma."),
            ("{\n  \"a\": nul\n}", "Line 2, column 10: expected ident."),
            ("{'a': 1}", "Line 1, column 2: key must be a string."),
            ("{\"a\": {\n\"b\": 1, \"b\": 2}}", "Line 2, column 11: the name `b` stands in this object already."),
        ] {
            assert_eq!(compact(text), Err(words.to_owned()), "{text}");
        }
        assert!(compact(&format!("{{\"a\":{}", "[".repeat(10_000))).unwrap_err().contains("recursion limit"));
    }
}
