use crate::Timestamp;

/// The time of day, as a parameter.
///
/// The system's clock is read in one place (the binary hands it in); tests and the simulated outage of the
/// JWKS engine bring their own.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Cryptographically secure random bytes, as a parameter.
pub trait Random: Send + Sync {
    /// Fills `bytes`, or says that the system has no randomness to give, in which case nothing may be issued.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The system's random source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed")]
pub struct RandomError;

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl<R: Random + ?Sized> Random for std::sync::Arc<R> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        (**self).fill(bytes)
    }
}
