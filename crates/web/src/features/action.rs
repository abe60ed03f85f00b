//! Form actions: the server-side handling of submitted forms.

use crate::error::AppError;
use serde::de::DeserializeOwned;

/// Fields of a form, and the action that processes them. The `routes` of a feature declare the path of each action.
///
/// An action has no URL of its own. It runs with the request in the Leptos context.
pub trait FormAction: DeserializeOwned + Send + 'static {
    type Output: 'static;
    /// The names of the fields.
    const FIELDS: &'static [&'static str];

    /// Runs the action for the user who submitted the form.
    ///
    /// # Errors
    /// The reason for the failure, as a message for the user. Nothing was changed.
    fn run(self) -> impl Future<Output = Result<Self::Output, AppError>> + Send;
}

/// Declares a [`FormAction`] with the syntax of a function: documentation, name, fields, output, and body.
///
/// ```ignore
/// form_action! {
///     /// Renames a project.
///     RenameProject(id: ProjectId, #[serde(default)] name: String) -> () {
///         let (caller, app) = context::caller()?;
///         context::answer(app.projects.rename(&caller, id, &name).await)
///     }
/// }
/// ```
macro_rules! form_action {
    (
        $(#[$documentation:meta])*
        $name:ident($($(#[$attribute:meta])* $field:ident: $kind:ty),* $(,)?) -> $output:ty $body:block
    ) => {
        $(#[$documentation])*
        #[derive(::serde::Deserialize)]
        pub struct $name {
            $($(#[$attribute])* $field: $kind,)*
        }

        impl $crate::features::action::FormAction for $name {
            type Output = $output;
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            async fn run(self) -> Result<$output, $crate::error::AppError> {
                let Self { $($field),* } = self;
                $body
            }
        }
    };
}
pub(crate) use form_action;
