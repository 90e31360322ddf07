//! Gives each request its loaders, and refuses a document that says too much at once: aliases and root fields are how
//! one request asks for the same costly thing many times.
//!
//! What a document amounts to with its fragments spread out was bounded before it came here, so walking it is cheap.

use super::Code;
use crate::{Limits, loader};
use async_graphql::{
    Request, ServerError, ServerResult, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextPrepareRequest},
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use sea_orm::DatabaseConnection;
use std::sync::Arc;

/// The extension; one for all requests, because it keeps nothing of them.
#[derive(Clone)]
pub(super) struct Guard {
    db: DatabaseConnection,
    aliases: usize,
    root_fields: usize,
}

impl Guard {
    pub(super) fn new(db: DatabaseConnection, limits: &Limits) -> Self {
        Self { db, aliases: limits.graphql_aliases, root_fields: limits.graphql_root_fields }
    }

    fn check(&self, document: &ExecutableDocument) -> ServerResult<()> {
        if aliases(document) > self.aliases {
            return Err(refused(format!("the document has more than {} aliases", self.aliases)));
        }
        for (_, operation) in document.operations.iter() {
            if root_fields(&operation.node.selection_set.node, document) > self.root_fields {
                return Err(refused(format!("the operation has more than {} root fields", self.root_fields)));
            }
        }
        Ok(())
    }
}

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Extension for Guard {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        next.run(ctx, request.data(loader::fresh(self.db.clone()))).await
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        self.check(&document)?;
        Ok(document)
    }
}

/// Aliases as they are written: one in a fragment counts once.
fn aliases(document: &ExecutableDocument) -> usize {
    let of_operations: usize = document.operations.iter().map(|(_, it)| aliases_in(&it.node.selection_set.node)).sum();
    let of_fragments: usize = document.fragments.values().map(|it| aliases_in(&it.node.selection_set.node)).sum();
    of_operations + of_fragments
}

fn aliases_in(set: &SelectionSet) -> usize {
    let of_one = |selection: &Selection| match selection {
        Selection::Field(field) => usize::from(field.node.alias.is_some()) + aliases_in(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => aliases_in(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(|selection| of_one(&selection.node)).sum()
}

/// Fields at the root, with fragments spread out.
fn root_fields(set: &SelectionSet, document: &ExecutableDocument) -> usize {
    let of_one = |selection: &Selection| match selection {
        Selection::Field(_) => 1,
        Selection::InlineFragment(fragment) => root_fields(&fragment.node.selection_set.node, document),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.map_or(0, |fragment| root_fields(&fragment.node.selection_set.node, document))
        }
    };
    set.items.iter().map(|selection| of_one(&selection.node)).sum()
}

fn refused(reason: String) -> ServerError {
    let mut error = ServerError::new(reason, None);
    error.extensions.get_or_insert_default().set("code", Code::BadInput.as_str());
    error
}
