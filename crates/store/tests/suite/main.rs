//! What every backend of the store must do, and what each does when its database fails it.
//!
//! SQLite is always tested. PostgreSQL is tested if `DAYPASS_TEST_POSTGRES` is the URL of a database in which schemas may
//! be made; without it those tests say `skipped`, or fail if `DAYPASS_REQUIRE_POSTGRES` is set.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod crash;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod places;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod postgres_faults;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod proxy;
#[cfg(test)]
mod records;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod sqlite_faults;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod uses;

/// Makes one test per function and backend. PostgreSQL counts twice: its default isolation level and the highest must
/// both do.
macro_rules! on_every_backend {
    ($($module:ident::$test:ident,)*) => {
        #[cfg(test)]
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    crate::$module::$test(&crate::places::Directory::new()).await;
                }
            )*
        }

        #[cfg(test)]
#[cfg(feature = "postgres")]
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    if let Some(schema) = crate::places::Schema::new("").await {
                        crate::$module::$test(&schema).await;
                        schema.remove().await;
                    }
                }
            )*
        }

        #[cfg(test)]
#[cfg(feature = "postgres")]
        mod postgres_serializable {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let level = "-c default_transaction_isolation=serializable";
                    if let Some(schema) = crate::places::Schema::new(level).await {
                        crate::$module::$test(&schema).await;
                        schema.remove().await;
                    }
                }
            )*
        }
    };
}

on_every_backend! {
    records::a_chain_begins_with_its_genesis,
    records::nothing_is_appended_before_a_chain_is_open,
    records::a_chain_is_opened_once,
    records::records_come_back_as_they_were_written,
    records::a_chain_is_read_in_pages,
    records::a_decision_is_recorded_once,
    records::heads_are_in_the_order_of_opening,
    records::the_latest_records_are_those_of_all_chains,
    records::a_chain_verifies_without_the_bodies_that_were_dropped,
    records::checkpoints_are_kept_in_order,
    records::a_restart_keeps_everything,
    records::an_entry_is_written_although_its_caller_has_gone,
    sharing::a_thousand_entries_at_once_keep_their_order,
    sharing::entries_that_wait_share_a_commit,
    sharing::a_refused_entry_harms_no_other_of_its_batch,
    sharing::closing_finishes_what_is_queued_and_refuses_the_rest,
    sharing::a_store_that_is_well_says_so,
    uses::a_use_is_counted_retried_and_exhausted,
    uses::the_body_is_composed_from_the_outcome,
    uses::uses_within_a_batch_see_each_other,
    uses::another_store_gives_the_same_answer_to_a_retry,
    uses::three_stores_count_a_single_use_once,
    uses::three_stores_count_five_uses,
    uses::one_of_many_identical_requests_takes_the_use,
    uses::a_refused_entry_takes_no_use,
    uses::uses_are_forgotten_by_sweeping_only,
    uses::sweeping_is_bounded,
    uses::a_sweep_by_another_store_is_noticed,
    uses::uses_survive_a_restart,
    uses::any_sequence_of_uses_matches_the_model,
    keeping::keys_are_kept_by_generation,
    keeping::a_key_is_added_once,
    keeping::the_earlier_retirement_of_a_key_stands,
    keeping::keys_are_removed_when_their_time_has_come,
    keeping::a_revocation_moves_forward_only,
    keeping::revocations_are_told_apart_by_their_selector,
    keeping::revocations_are_forgotten,
    keeping::policies_are_found_by_their_hash,
    keeping::key_sets_are_replaced_per_issuer_and_origin,
    keeping::the_first_to_set_a_mark_wins,
}
