//! TLS certificate errors: explains why another server's certificate is rejected and which setting helps.

use rustls::CertificateError;
use std::error::Error;

const TRUST: &str = "add the certificate of its authority to the system's trusted certificates, or set the environment variable SSL_CERT_FILE \
    to a PEM file with all trusted certificates";

/// Returns a sentence about the certificate of `host`, or `None` if the error is not about a certificate.
pub(super) fn explain(error: &(dyn Error + 'static), host: &str) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(fault)) = error.downcast_ref() {
            return Some(sentence(fault, host));
        }
        // `source` of an I/O error skips the error that it contains, so `get_ref` is needed.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = held.map(|it| it as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn sentence(fault: &CertificateError, host: &str) -> String {
    match fault {
        CertificateError::UnknownIssuer => {
            format!("the certificate of {host} is not signed by an authority that this machine trusts: {TRUST}")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "the certificate of {host} is for other names: connect with a name in its subjectAltName, or issue it for {host}"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {host} has expired: renew it, and check this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {host} is not valid yet: check this machine's clock")
        }
        // rustls has no variant for this error.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => format!(
            "the certificate of {host} is a CA certificate (basicConstraints CA:TRUE), as `openssl req -x509` creates by default. A \
             server must not use one (RFC 5280 section 4.2.1.9), even if it is trusted. Create one with `openssl req -x509 -addext \
             basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:{host} ...`; then {TRUST}"
        ),
        other => format!("the certificate of {host} is invalid ({other:?}): replace it, or {TRUST}"),
    }
}
