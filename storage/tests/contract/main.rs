//! The contract of a store, run over a folder and over an S3 server; what only one of them can get wrong stands beside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod files;
mod on_s3;
mod place;
mod suite;

/// Runs every test of the suite on both backends.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod over_files {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::suite::$name(crate::place::Place::files().store()).await;
            })*
        }
        mod over_s3 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::suite::$name(crate::place::Place::s3().await.store()).await;
            })*
        }
    };
}

on_both![
    what_was_put_is_got_back_whole,
    an_empty_object_is_an_object,
    the_head_tells_size_type_and_a_tag_that_changes_with_the_object,
    a_range_is_cut_at_the_end_and_refused_past_it,
    an_unknown_key_is_not_found_whatever_is_asked,
    a_deleted_object_is_gone_and_deleting_it_again_is_fine,
    a_listing_has_the_folder_and_the_folders_in_it_and_nothing_else,
    a_listing_past_a_thousand_objects_is_whole,
    concurrent_puts_of_one_key_leave_one_whole_object,
    readers_never_see_half_an_object,
    puts_beside_deletions_in_one_folder_all_succeed,
    an_open_store_can_be_used,
];
