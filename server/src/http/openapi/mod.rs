//! The OpenAPI document: generated, so that it cannot say anything but what is served.
//!
//! Paths come from the one table of routes, messages and all descriptions from the protos. What no
//! RPC has, and so no proto describes, is in `own`.

mod own;
mod schema;

use axum::Extension;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prost_reflect::{FieldDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::routes::{self, Doc, Route};
use crate::json::descriptors;
use schema::{Schemas, comment};

/// The service whose methods the routes are.
const SERVICE: &str = "hitl.v1.EventService";

const DESCRIPTION: &str = "The calls of the gRPC service hitl.v1.EventService as JSON over HTTP, in canonical proto \
    JSON: names in lowerCamelCase, 64-bit integers as strings (read as numbers too), fields at their default left out. \
    Unknown names are refused.";

/// The document as it is served.
#[derive(Clone)]
pub(super) struct Document(Bytes);

impl Document {
    /// The document of a server that is reached at `public_url`.
    pub(super) fn new(public_url: &str) -> Self {
        Self(document(&routes::table(), public_url).to_string().into())
    }
}

pub(super) async fn show(Extension(document): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document.0).into_response()
}

fn document(table: &[Route], public_url: &str) -> Value {
    let mut paths = Map::new();
    let mut schemas = Schemas::default();
    for route in table {
        let operation = match route.doc {
            Doc::Hidden => continue,
            Doc::Rpc { name, waits } => rpc(&mut schemas, route, name, waits),
            Doc::Stream { name } => stream(&mut schemas, route, name),
            Doc::Own { name, waits } => own::describe(&mut schemas, route, name, waits),
        };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hitl",
            "version": "v1",
            "summary": "Asks people, and delivers what they said.",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "schemas": schemas.all(),
            "responses": {"Error": own::error_response()},
            "securitySchemes": {"token": own::token()},
        },
    })
}

/// An operation that is an RPC.
fn rpc(schemas: &mut Schemas, route: &Route, name: &str, waits: bool) -> Value {
    let method = method(name);
    let (input, in_path) = (method.input(), path_parameters(route.path));
    let words = comment(&method.parent_service().parent_file(), method.path());
    let mut operation = operation(route, name, &words, waits);
    if route.method == "get" {
        let in_query = input.fields().filter(|field| !in_path.contains(&field.name()));
        let parameters: Vec<_> = in_query.map(|field| query_parameter(schemas, &field)).collect();
        if let Some(all) = operation["parameters"].as_array_mut() {
            all.extend(parameters);
        }
    } else {
        let schema = schemas.request(&input, &in_path);
        // An empty body is an empty object, which does where nothing has to be said.
        let mut said = input.fields().filter(|field| !in_path.contains(&field.name()));
        let is_optional =
            said.all(|field| comment(&input.parent_file(), field.path()).starts_with("Optional"));
        operation["requestBody"] = json!({"required": !is_optional, "content": content(&schema)});
    }
    operation["responses"]["200"] = success(&schemas.reference(&method.output()));
    operation
}

/// An operation that is an RPC with a stream of messages.
fn stream(schemas: &mut Schemas, route: &Route, name: &str) -> Value {
    let mut operation = rpc(schemas, route, name, false);
    let schema = schemas.reference(&method(name).output());
    operation["responses"]["200"] = json!({
        "description": "Server-sent events. What comes as `change` and as `bookmark` has that member of the \
            message as its data; the id of a bookmark is its token, with which `last-event-id` resumes. An `error` is \
            the last.",
        "content": {"text/event-stream": {"schema": schema}},
    });
    operation
}

fn method(name: &str) -> MethodDescriptor {
    let service = descriptors().get_service_by_name(SERVICE);
    let method = service.and_then(|service| service.methods().find(|m| m.name() == name));
    method.expect("the table of routes names methods of the service")
}

/// What all operations have: a name, words, the parameters of the path, and errors.
fn operation(route: &Route, name: &str, words: &str, waits: bool) -> Value {
    let (summary, description) = words.split_once("\n\n").unwrap_or((words, ""));
    let mut parameters: Vec<_> =
        path_parameters(route.path).into_iter().map(path_parameter).collect();
    if waits {
        parameters.push(json!({
            "name": "wait",
            "in": "query",
            "description": "How long to hold the answer until the event ends, such as 30s or 500ms; at most 60s. \
                The event as it stands, at once, if absent.",
            "schema": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(s|ms)$"},
        }));
    }
    json!({
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": parameters,
        "responses": {"default": {"$ref": "#/components/responses/Error"}},
    })
}

/// Names of the parameters of a path's template.
fn path_parameters(template: &str) -> Vec<&str> {
    let segments = template.split('/');
    segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}

fn path_parameter(name: &str) -> Value {
    let (words, pattern) = match name {
        "event_id" => ("The id of the event: 32 lower-case hexadecimal digits.", "^[0-9a-f]{32}$"),
        _ => ("The last part of the link: a secret.", "^[A-Za-z0-9_-]+$"),
    };
    let schema = json!({"type": "string", "pattern": pattern});
    json!({"name": name, "in": "path", "required": true, "description": words, "schema": schema})
}

fn query_parameter(schemas: &mut Schemas, field: &FieldDescriptor) -> Value {
    let mut parameter = json!({
        "name": field.name(),
        "in": "query",
        "description": comment(&field.parent_message().parent_file(), field.path()),
        "schema": schemas.field(field),
    });
    if field.is_map() {
        parameter["style"] = "deepObject".into();
        parameter["explode"] = true.into();
    }
    parameter
}

fn success(schema: &Value) -> Value {
    json!({"description": "Done.", "content": content(schema)})
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        super::document(&routes::table(), "http://h:1")
    }

    fn references<'a>(json: &'a Value, found: &mut Vec<&'a str>) {
        match json {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_route_of_the_api_is_described_and_nothing_else() {
        let document = document();
        let served = routes::table()
            .into_iter()
            .filter(|route| route.path.starts_with("/v1/") && !matches!(route.doc, Doc::Hidden));
        let mut count = 0;
        for route in served {
            let operation = &document["paths"][route.path][route.method];
            assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{}", route.path);
            assert!(operation["responses"]["200"].is_object(), "{}", route.path);
            count += 1;
        }
        let paths = document["paths"].as_object().unwrap().values();
        let described: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(described, count);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_rpc_but_those_of_streams_has_a_route() {
        let service = descriptors().get_service_by_name(SERVICE).unwrap();
        let document = document().to_string();
        for method in service.methods().filter(|method| !method.is_server_streaming()) {
            assert!(document.contains(&format!("\"operationId\":\"{}\"", method.name())));
        }
    }

    #[test]
    fn every_schema_says_what_it_is() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(schema["description"].as_str().is_some_and(|s| !s.is_empty()), "{name}");
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let said = property["description"].as_str().is_some_and(|s| !s.is_empty());
                assert!(said, "{name}.{field}");
            }
        }
    }

    #[test]
    fn parameters_of_the_path_are_not_asked_for_twice() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let answer = &schemas["AnswerEventBody"]["properties"];
        assert!(answer.get("eventId").is_none() && answer.get("answerId").is_some());
        let in_batch = &schemas["AnswerEventRequest"]["properties"];
        assert!(in_batch.get("eventId").is_some(), "a batch has no path that could name it");
        let list = document["paths"]["/v1/events"]["get"]["parameters"].as_array().unwrap();
        assert!(list.iter().any(|p| p["name"] == "labels" && p["style"] == "deepObject"));
    }
}
