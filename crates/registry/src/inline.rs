//! References resolved: the types that a schema takes from other subjects are put where they are first named, so that
//! the schema stands alone.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Named types by full name.
pub(crate) type Definitions = BTreeMap<String, Value>;

/// `schema` with each of `definitions` in the place that names it first; later places name it still.
pub(crate) fn inline(schema: Value, mut definitions: Definitions) -> Value {
    place(schema, "", &mut definitions)
}

fn place(schema: Value, namespace: &str, definitions: &mut Definitions) -> Value {
    match schema {
        Value::String(name) => match definitions.remove(&full(&name, namespace)) {
            // A definition brings its own namespace, or has none.
            Some(definition) => place(definition, "", definitions),
            None => Value::String(name),
        },
        Value::Array(branches) => {
            branches.into_iter().map(|branch| place(branch, namespace, definitions)).collect()
        }
        Value::Object(object) => Value::Object(place_within(object, namespace, definitions)),
        other => other,
    }
}

fn place_within(
    mut object: Map<String, Value>,
    namespace: &str,
    definitions: &mut Definitions,
) -> Map<String, Value> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = full(text("name"), text("namespace"));
    let inner = match name.rsplit_once('.') {
        Some((own, _)) => own.to_owned(),
        None => namespace.to_owned(),
    };
    for key in ["type", "items", "values"] {
        if let Some(part) = object.remove(key) {
            object.insert(key.to_owned(), place(part, &inner, definitions));
        }
    }
    if let Some(Value::Array(fields)) = object.get_mut("fields") {
        for field in fields {
            let Some(part) = field.get_mut("type") else { continue };
            *part = place(part.take(), &inner, definitions);
        }
    }
    object
}

fn full(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        return name.to_owned();
    }
    format!("{namespace}.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_type_is_put_where_it_is_first_named_and_named_after_that() {
        let money = json!({"type": "record", "name": "Money", "namespace": "shop", "fields": []});
        let order = json!({"type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "a", "type": ["null", "shop.Money"]},
            {"name": "b", "type": {"type": "array", "items": "Money"}},
            {"name": "c", "type": "string"}]});
        let definitions = Definitions::from([("shop.Money".to_owned(), money.clone())]);
        let want = json!({"type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "a", "type": ["null", money]},
            {"name": "b", "type": {"type": "array", "items": "Money"}},
            {"name": "c", "type": "string"}]});
        assert_eq!(inline(order, definitions), want);
    }

    #[test]
    fn a_type_may_itself_name_another() {
        let outer = json!({"type": "array", "items": "x.Outer"});
        let definitions = Definitions::from([
            (
                "x.Outer".to_owned(),
                json!({"type": "record", "name": "x.Outer", "fields": [{"name": "i", "type": "Inner"}]}),
            ),
            ("x.Inner".to_owned(), json!({"type": "fixed", "name": "x.Inner", "size": 2})),
        ]);
        let text = inline(outer, definitions).to_string();
        assert!(text.contains("\"size\":2"), "{text}");
    }
}
