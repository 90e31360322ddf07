//! One operation a client asks for: measured before it is parsed, parsed before it is executed, executed under bounds.
//!
//! The parser recurses with the brackets of its text, and the validator walks every fragment wherever it is spread, so
//! both are counted here first, in time that grows with the text and not with what it stands for. HTTP and WebSocket
//! both come through here; nothing else calls the schema.

mod execute;
mod measure;

pub(crate) use execute::{Executor, Unanswered};

use crate::{Limits, schema::Code};
use async_graphql::{
    ErrorExtensionValues, Name, Request, Response, ServerError, Value, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::collections::BTreeMap;

/// What a client sends, over HTTP as a body, over WebSocket as a payload.
/// Source: GraphQL over HTTP, "Request Parameters".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) operation_name: Option<String>,
    #[serde(default)]
    pub(crate) variables: Variables,
    /// Must be a map if it is there at all; nothing of it is used.
    #[serde(default, rename = "extensions")]
    #[expect(clippy::zero_sized_map_values, reason = "the keys show that it is a map")]
    pub(crate) _extensions: Option<BTreeMap<String, IgnoredAny>>,
}

/// An operation that may be executed.
pub(crate) struct Operation {
    request: Request,
    kind: OperationType,
}

impl Operation {
    /// Measures and parses. An error is the whole answer: the operation is not executed.
    pub(crate) fn parse(params: Params, limits: &Limits) -> Result<Self, Box<Response>> {
        let Params { query, operation_name, variables, .. } = params;
        if let Err(excess) = measure::text(&query, limits) {
            return Err(Box::new(refusal(Code::BadInput, excess)));
        }
        let mut request = Request::new(query);
        let document = match request.parsed_query() {
            Ok(document) => document,
            Err(error) => return Err(Box::new(finish(Response::from_errors(vec![error]), limits))),
        };
        if let Err(excess) = measure::document(document, limits) {
            return Err(Box::new(refusal(Code::BadInput, excess)));
        }
        // An operation that is not there, or not named though there are several, is refused by the schema in its own
        // words; until then it counts as a query.
        let mut kind = OperationType::Query;
        if let Some(chosen) = chosen(document, operation_name.as_deref()) {
            if let Some(missing) = missing_variable(chosen, &variables) {
                return Err(Box::new(refusal(Code::BadInput, format!("the variable ${missing} is required"))));
            }
            kind = chosen.ty;
        }
        request.operation_name = operation_name;
        request.variables = variables;
        Ok(Self { request, kind })
    }

    /// Whether it reads, writes or subscribes.
    pub(crate) fn kind(&self) -> OperationType {
        self.kind
    }
}

/// The operation of the document that is to be executed.
fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next()?,
        _ => return None,
    };
    Some(&operation.node)
}

/// A variable that must have a value and has none. The schema would only notice where it is used, and call it a fault
/// of that field.
/// Source: GraphQL, "Coercing Variable Values".
fn missing_variable<'a>(operation: &'a OperationDefinition, variables: &Variables) -> Option<&'a Name> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let required = definitions.filter(|d| !d.var_type.node.nullable && d.default_value.is_none());
    required.map(|d| &d.name.node).find(|name| variables.get(*name).is_none_or(|value| *value == Value::Null))
}

/// An answer that is nothing but one error.
pub(crate) fn refusal(code: Code, message: impl Into<String>) -> Response {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    Response::from_errors(vec![error])
}

/// Whether the request was refused as a whole, before anything of it was executed.
/// Source: GraphQL, "Request Errors".
pub(crate) fn is_refused(response: &Response) -> bool {
    !response.errors.is_empty() && response.data == Value::Null && response.errors.iter().all(|e| e.path.is_empty())
}

/// The event number to resume after, as the client gave and gets it, if a subscription was ended for being read too
/// slowly.
pub(crate) fn lagged(response: &Response) -> bool {
    let extensions = response.errors.iter().filter_map(|error| error.extensions.as_ref());
    extensions.into_iter().any(|values| values.get("resumeAfter").is_some())
}

/// Bounds the errors of an answer and gives each a code. Those without one come from the GraphQL library, and it only
/// finds fault with what was asked.
fn finish(mut response: Response, limits: &Limits) -> Response {
    response.errors.truncate(limits.errors);
    for error in &mut response.errors {
        if error.extensions.as_ref().is_none_or(|values| values.get("code").is_none()) {
            set_code(error, Code::BadInput);
        }
    }
    response
}

fn set_code(error: &mut ServerError, code: Code) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
}

/// An answer as JSON: a request that was refused has no `data`, not even null.
/// Source: GraphQL, "Response Format".
pub(crate) struct Answer<'a>(pub(crate) &'a Response);

impl Serialize for Answer<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Refused<'a> {
            errors: &'a [ServerError],
        }
        if is_refused(self.0) {
            Refused { errors: &self.0.errors }.serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}
