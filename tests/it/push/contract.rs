//! docs/openapi.json: what the code answers stands in it, and what stands in it the code answers.

use nachtwache::intake::push::ROUTES;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// An answer that is as the contract says.
pub(super) struct Checked {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) location: Option<String>,
    pub(super) body: Value,
}

fn contract() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Sends a request and holds the answer against the contract: status, type, headers, fields and their types.
pub(super) async fn checked(request: RequestBuilder) -> Checked {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().as_str().to_lowercase(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let contract = contract();
    let (route, item) = contract["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(route, item)| fits(route, &path) && item.get(&method).is_some())
        .unwrap_or_else(|| panic!("{method} {path} is not in the contract"));
    let told = &item[&method]["responses"][status.to_string()];
    assert!(told.is_object(), "{method} {route}: {status} is not in the contract");
    let here = format!("{method} {route} {status}");
    for (name, header) in told["headers"].as_object().unwrap() {
        let required = resolve(&contract, header)["required"] == true;
        assert!(!required || headers.contains_key(name), "{here}: no header {name}");
    }
    for name in ["location", "retry-after", "www-authenticate"] {
        let declared = told["headers"].as_object().unwrap().keys().any(|header| header.eq_ignore_ascii_case(name));
        assert_eq!(headers.contains_key(name), declared, "{here}: header {name}");
    }
    let body = match told.get("content") {
        None => {
            assert!(bytes.is_empty(), "{here}: a body");
            Value::Null
        }
        Some(content) => {
            let kind = headers["content-type"].to_str().unwrap();
            let schema = &content[kind]["schema"];
            assert!(schema.is_object(), "{here}: {kind} is not in the contract");
            let text = || Value::String(String::from_utf8(bytes.to_vec()).unwrap());
            let body = if kind.ends_with("json") { serde_json::from_slice(&bytes).unwrap() } else { text() };
            holds(&contract, schema, &body, &here);
            body
        }
    };
    let location = headers.get("location").map(|place| place.to_str().unwrap().to_owned());
    Checked { status, headers, location, body }
}

fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(path).all(|(part, found)| part.starts_with('{') || *part == found)
}

fn resolve<'a>(contract: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => contract.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("no {place}")),
        None => schema,
    }
}

/// The part of JSON Schema that the contract uses.
fn holds(contract: &Value, schema: &Value, value: &Value, here: &str) {
    let schema = resolve(contract, schema);
    if let Some(only) = schema.get("const") {
        assert_eq!(value, only, "{here}");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.is_empty() || kinds.contains(&kind), "{here}: {value} is no {kinds:?}");
    let Some(fields) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(name.as_str().unwrap()), "{here}: no {name}");
    }
    for (name, field) in fields {
        match schema["properties"].get(name) {
            Some(inner) => holds(contract, inner, field, here),
            None => assert_ne!(schema["additionalProperties"], false, "{here}: {name} is not in the contract"),
        }
    }
}

#[test]
fn every_route_and_status_of_the_code_stands_in_the_contract_and_the_other_way_round() {
    let contract = contract();
    let of_code: BTreeSet<(String, String, u16)> = ROUTES
        .iter()
        .flat_map(|(method, path, statuses)| {
            statuses.iter().map(|status| ((*method).to_owned(), (*path).to_owned(), *status))
        })
        .collect();
    let mut of_contract = BTreeSet::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                of_contract.insert((method.clone(), path.clone(), status.parse().unwrap()));
            }
        }
    }
    assert_eq!(of_code, of_contract);
}

#[test]
fn every_reference_of_the_contract_leads_somewhere_and_everything_is_described() {
    fn walk(contract: &Value, value: &Value, place: &str) {
        match value {
            Value::Object(fields) => {
                resolve(contract, value);
                if fields.contains_key("in") && fields.contains_key("name") {
                    assert!(fields.contains_key("description"), "{place} is not described");
                }
                fields.iter().for_each(|(name, inner)| walk(contract, inner, &format!("{place}/{name}")));
            }
            Value::Array(items) => items.iter().for_each(|inner| walk(contract, inner, place)),
            _ => {}
        }
    }
    let contract = contract();
    walk(&contract, &contract, "");
    for (method, path, _) in ROUTES {
        let named: Vec<_> = path.split('/').filter(|part| part.starts_with('{')).collect();
        let operation = &contract["paths"][path][method];
        let told: Vec<_> =
            operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path").collect();
        assert_eq!(named.len(), told.len(), "{path}");
    }
}
