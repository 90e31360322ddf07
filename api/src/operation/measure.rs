//! How large an operation is, before anything recurses over it.
//!
//! Text first: brackets in each other, without parsing. Then the document: what it amounts to with every fragment
//! spread out, counted fragment by fragment, so that 2^30 costs no more to count than 30.

use crate::Limits;
use async_graphql::{
    Name, Positioned,
    parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};
use std::{borrow::Cow, collections::HashMap};

/// Why it is too large, for people.
pub(super) type Excess = Cow<'static, str>;

/// Measures the text of a document.
pub(super) fn text(query: &str, limits: &Limits) -> Result<(), Excess> {
    if query.len() > limits.query_bytes {
        return Err(format!("the query is longer than {} bytes", limits.query_bytes).into());
    }
    match nesting(query) {
        None => Err("a block string does not end".into()),
        Some(depth) if depth > limits.query_nesting => {
            Err(format!("brackets in the query lie more than {} deep", limits.query_nesting).into())
        }
        Some(_) => Ok(()),
    }
}

/// The most brackets open at once. Brackets in strings and comments do not count. `None` if a block string does not
/// end: the parser would then read the same characters as something else.
/// Source: GraphQL, "Lexical Tokens".
fn nesting(query: &str) -> Option<usize> {
    let bytes = query.as_bytes();
    let (mut at, mut open, mut most) = (0, 0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' | b'(' => {
                open += 1;
                most = most.max(open);
            }
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'#' => at += line(&bytes[at..]),
            b'"' if bytes[at..].starts_with(b"\"\"") => at += 2 + block_string(&bytes[at + 2..])?,
            b'"' => at += string(&bytes[at..]),
            _ => {}
        }
    }
    Some(most)
}

/// Bytes up to the end of the line.
fn line(rest: &[u8]) -> usize {
    rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len())
}

/// Bytes up to the end of a string, or to the end of its line, where the parser fails.
fn string(rest: &[u8]) -> usize {
    let mut escaped = false;
    let end = rest.iter().position(|&byte| match byte {
        b'\n' | b'\r' => true,
        b'"' if !escaped => true,
        _ => {
            escaped = byte == b'\\' && !escaped;
            false
        }
    });
    end.map_or(rest.len(), |end| end + 1)
}

/// Bytes up to the end of a block string.
fn block_string(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(br#"\""""#) {
            at += 4;
        } else if rest[at..].starts_with(br#"""""#) {
            return Some(at + 3);
        } else {
            at += 1;
        }
    }
    None
}

/// Measures a parsed document.
pub(super) fn document(document: &ExecutableDocument, limits: &Limits) -> Result<(), Excess> {
    let mut sizes =
        Sizes { fragments: &document.fragments, known: HashMap::new(), depth: 0, deepest: limits.query_nesting };
    for (_, operation) in document.operations.iter() {
        let size = sizes.of(&operation.node.selection_set.node)?;
        if size > limits.graphql_selections {
            return Err(format!("the query selects more than {} fields", limits.graphql_selections).into());
        }
    }
    Ok(())
}

/// Sizes of selection sets with their fragments spread out.
struct Sizes<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Of fragments already counted.
    known: HashMap<&'a str, usize>,
    /// Fragments being counted, within each other.
    depth: usize,
    deepest: usize,
}

impl<'a> Sizes<'a> {
    fn of(&mut self, set: &'a SelectionSet) -> Result<usize, Excess> {
        let mut size = 0_usize;
        for selection in &set.items {
            let inner = match &selection.node {
                Selection::Field(field) => self.of(&field.node.selection_set.node)?,
                Selection::InlineFragment(fragment) => self.of(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.of_fragment(&spread.node.fragment_name.node)?,
            };
            size = size.saturating_add(inner).saturating_add(1);
        }
        Ok(size)
    }

    /// A fragment that contains itself has no size; it shows as one too deep. One that is not there is left to the
    /// validator.
    fn of_fragment(&mut self, name: &'a Name) -> Result<usize, Excess> {
        if let Some(&size) = self.known.get(name.as_str()) {
            return Ok(size);
        }
        let Some(fragment) = self.fragments.get(name) else { return Ok(0) };
        if self.depth >= self.deepest {
            return Err("fragments are spread in each other too deep, or in a circle".into());
        }
        self.depth += 1;
        let size = self.of(&fragment.node.selection_set.node)?;
        self.depth -= 1;
        self.known.insert(name.as_str(), size);
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use std::fmt::Write as _;

    #[test]
    fn brackets_in_strings_and_comments_are_not_counted() {
        assert_eq!(nesting("{ a(b: [1, {c: 2}]) { d } }"), Some(4));
        assert_eq!(nesting("{ a(b: \"{{{{\") # {{{{\n }"), Some(2));
        assert_eq!(nesting(r#"{ a(b: "\"{{{{") }"#), Some(2));
        assert_eq!(nesting(r#"{ a(b: """ {{ \""" {{ " {{ """) }"#), Some(2));
    }

    #[test]
    fn closing_brackets_in_strings_do_not_hide_depth() {
        let query = r#"{ a(b: "}}}}") { a(b: """}}}}""") { a # }}}}"#.to_owned() + "\n { b } } } }";
        assert_eq!(nesting(&query), Some(4));
    }

    #[test]
    fn a_block_string_without_an_end_hides_nothing() {
        assert_eq!(nesting(r#"{ a(b: [""" ", {{{{"#), None);
        assert!(text(r#"{ a(b: [""" ", {{{{"#, &Limits::default()).is_err());
    }

    #[test]
    fn what_is_spread_out_is_counted_and_not_what_is_written() {
        let doubling = |levels: usize| {
            let mut query = "query { ...f0 }".to_owned();
            for level in 0..levels {
                write!(query, " fragment f{level} on Query {{ ...f{next} ...f{next} }}", next = level + 1).unwrap();
            }
            parse_query(query + &format!(" fragment f{levels} on Query {{ a }}")).unwrap()
        };
        assert!(document(&doubling(5), &Limits::default()).is_ok());
        assert!(document(&doubling(60), &Limits::default()).is_err());
    }

    #[test]
    fn a_circle_of_fragments_is_refused() {
        let query = "{ ...a } fragment a on Query { ...b } fragment b on Query { x ...a }";
        assert!(document(&parse_query(query).unwrap(), &Limits::default()).is_err());
    }

    #[test]
    fn the_introspection_of_common_tools_is_within_the_bounds() {
        let query = include_str!("introspection.graphql");
        assert!(text(query, &Limits::default()).is_ok());
        assert!(document(&parse_query(query).unwrap(), &Limits::default()).is_ok());
    }
}
