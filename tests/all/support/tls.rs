//! Self-signed TLS certificates for servers on loopback.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// Returns a TLS acceptor with a self-signed certificate for these names, and the certificate in PEM. The certificate is
/// of a CA (`ca`), as from `openssl req -x509`, or of a server.
pub fn self_signed(ca: bool, names: &[&str]) -> (TlsAcceptor, String) {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut subject = rcgen::DistinguishedName::new();
    subject.push(rcgen::DnType::CommonName, names[0].clone());
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = subject;
    params.is_ca = if ca { rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained) } else { rcgen::IsCa::ExplicitNoCa };
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(made.der().as_ref()));
    (TlsAcceptor::from(Arc::new(config)), pem)
}
