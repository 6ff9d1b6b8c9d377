//! Azure DevOps: the token of a service connection. Its id is a parameter of the request that only the user knows.

/// The catalogue's id of tokens that a service connection stands for.
pub(crate) const WITH_SERVICE_CONNECTION: &str = "azure-devops-service-connection";

/// The catalogue's id of the pipeline's own tokens.
pub(super) const PIPELINE: &str = "azure-devops";

/// What stands for the connection's id in the catalogue.
const PARAMETER: (&str, &str) = ("serviceConnectionId", "ID");

/// Whether a query parameter wants the id of a service connection.
pub(super) fn wants_service_connection(name: &str, value: &str) -> bool {
    (name, value) == PARAMETER
}

#[cfg(test)]
mod tests {
    use daypass_issuers::{TokenSource, catalogue};

    use super::*;

    #[test]
    fn the_catalogue_still_writes_it_so() {
        assert!(catalogue().platform(PIPELINE).is_some());
        let platform = catalogue().platform(WITH_SERVICE_CONNECTION).unwrap();
        let [TokenSource::Http(request)] = platform.job.tokens.as_slice() else { panic!("one request") };
        let wanting = request.query.iter().filter_map(|pair| pair.split_once('='));
        assert_eq!(wanting.filter(|(name, value)| wants_service_connection(name, value)).count(), 1);
    }
}
