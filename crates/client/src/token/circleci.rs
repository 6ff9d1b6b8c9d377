//! CircleCI: which of its two tokens.

/// The token whose subject also names origin and ref. Every job has both tokens.
const V2: &str = "CIRCLE_OIDC_TOKEN_V2";

/// The variables with V2's first: a policy can bind more of its subject, so it is the one to build trust on. A job
/// that needs the other one names it.
pub(super) fn newest_first(variables: &[String]) -> Vec<&str> {
    let mut ordered: Vec<&str> = variables.iter().map(String::as_str).collect();
    ordered.sort_by_key(|name| *name != V2);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_keep_their_order() {
        let variables = ["CIRCLE_OIDC_TOKEN", V2, "X"].map(str::to_owned);
        assert_eq!(newest_first(&variables), [V2, "CIRCLE_OIDC_TOKEN", "X"]);
        let variables = ["B", "A"].map(str::to_owned);
        assert_eq!(newest_first(&variables), ["B", "A"]);
    }
}
