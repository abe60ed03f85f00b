//! Error chain: an error with its causes, on one line of the log.

use std::{error::Error, fmt};

/// Displays an error and its causes, separated by colons. A cause that the text already contains is not repeated.
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut next = self.0.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Layered {
        #[error("the disk is full")]
        Inner,
        #[error("the file was not written")]
        Outer(#[source] Box<Layered>),
        #[error("quoted: {0}")]
        Quoting(#[source] Box<Layered>),
    }

    #[test]
    fn each_cause_appears_once() {
        use Layered::{Inner, Outer, Quoting};
        assert_eq!(ErrorChain(&Inner).to_string(), "the disk is full");
        let outer = Outer(Box::new(Inner));
        assert_eq!(ErrorChain(&outer).to_string(), "the file was not written: the disk is full");
        assert_eq!(ErrorChain(&Quoting(Box::new(Inner))).to_string(), "quoted: the disk is full");
        let quoting = Quoting(Box::new(outer));
        assert_eq!(ErrorChain(&quoting).to_string(), "quoted: the file was not written: the disk is full");
    }
}
