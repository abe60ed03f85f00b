//! SMTP mailer (RFC 5321). It opens one connection to the configured mail server per email.

use super::{
    mail::{EmailMessage, MailError, Mailer},
    random::Random,
    tls_error,
};
use async_trait::async_trait;
use keyward_config::{MailSettings, PublicUrl, SmtpTls};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    address::AddressError,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use std::{sync::Arc, time::Duration};
use url::Host;

/// Time limit for one step of an SMTP session.
const STEP: Duration = Duration::from_secs(10);
/// Time limit for sending one email.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Mailer that sends through one SMTP server.
#[derive(Clone)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Domain part of a message ID (RFC 5322 section 3.6.4).
    host: String,
    random: Arc<dyn Random>,
    /// Host name of the mail server.
    server: String,
}

impl SmtpMailer {
    /// Creates the mailer without connecting, so that an unreachable mail server does not prevent startup.
    ///
    /// # Errors
    /// A message if TLS is not available on this machine.
    pub fn new(settings: &MailSettings, public_url: &PublicUrl, random: Arc<dyn Random>) -> Result<Self, String> {
        let parameters = || {
            TlsParameters::new(settings.host.clone()).map_err(|error| {
                format!("email cannot be encrypted on this machine ({error}); install the certificate authorities (ca-certificates)")
            })
        };
        let tls = match settings.tls {
            SmtpTls::Implicit => Tls::Wrapper(parameters()?),
            SmtpTls::StartTls => Tls::Required(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let host = public_url.host();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(STEP))
            .hello_name(hello(&host));
        if let Some(login) = &settings.login {
            builder = builder.credentials(Credentials::new(login.user.clone(), login.password.to_string()));
        }
        Ok(Self {
            transport: builder.build(),
            from: settings.from.clone(),
            host: message_id_domain(&host),
            random,
            server: settings.host.clone(),
        })
    }

    fn write(&self, email: EmailMessage) -> Result<Message, MailError> {
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let to =
            email.to.as_str().parse().map_err(|cause: AddressError| {
                MailError::caused_by("the email address is not valid for SMTP", cause)
            })?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{}@{}>", hex::encode(id), self.host)))
            .subject(email.subject)
            // RFC 2045 section 4: without this header the content type and the encoding of the body do not apply.
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(email.text)
            .map_err(|cause| MailError::caused_by("the message could not be built", cause))?;
        // RFC 3834: prevents automatic replies such as vacation notices.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
        Ok(message)
    }
}

/// Client identity for EHLO (RFC 5321 section 4.1.3).
fn hello(host: &Host) -> ClientId {
    match host {
        Host::Domain(name) => ClientId::Domain(name.clone()),
        Host::Ipv4(ip) => ClientId::Ipv4(*ip),
        Host::Ipv6(ip) => ClientId::Ipv6(*ip),
    }
}

fn message_id_domain(host: &Host) -> String {
    match host {
        Host::Domain(name) => name.clone(),
        Host::Ipv4(ip) => format!("[{ip}]"),
        Host::Ipv6(ip) => format!("[IPv6:{ip}]"),
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    fn is_configured(&self) -> bool {
        true
    }

    async fn send(&self, email: EmailMessage) -> Result<(), MailError> {
        let message = self.write(email)?;
        match tokio::time::timeout(SEND_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            // The error may contain the server's response about the address. It contains nothing of the email.
            Ok(Err(error)) => {
                let message = tls_error::explain(&error, &self.server).unwrap_or_else(|| error.to_string());
                Err(MailError::caused_by(message, error))
            }
            Err(_) => Err(MailError::new("the mail server did not respond in time")),
        }
    }
}
