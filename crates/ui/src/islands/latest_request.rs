//! Request numbers of a field: responses can arrive in another order than their requests, and only the response to the
//! latest request is shown.

use std::{cell::Cell, rc::Rc};

/// The number of the latest request of a field.
#[derive(Debug, Default)]
pub(super) struct LatestRequest(Rc<Cell<u32>>);

/// A request, which is the latest one until the field changes again.
#[derive(Debug)]
pub(super) struct NumberedRequest {
    latest: Rc<Cell<u32>>,
    number: u32,
}

impl LatestRequest {
    /// Starts a request for the current value of the field. Call this at every change, also if the new value needs no
    /// response: pending requests become outdated.
    pub fn start(&self) -> NumberedRequest {
        let number = self.0.get().wrapping_add(1);
        self.0.set(number);
        NumberedRequest { latest: Rc::clone(&self.0), number }
    }
}

impl NumberedRequest {
    /// Returns whether the field has not changed since.
    pub fn is_latest(&self) -> bool {
        self.latest.get() == self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_request_is_the_latest() {
        let requests = LatestRequest::default();
        let first = requests.start();
        assert!(first.is_latest());
        let second = requests.start();
        // The responses arrive in reverse order.
        assert!(second.is_latest());
        assert!(!first.is_latest());
        assert!(LatestRequest::default().start().is_latest() && second.is_latest(), "each field has its own numbers");
    }
}
