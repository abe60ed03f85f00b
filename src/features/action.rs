//! Form actions: what a form does when its page receives it.

use crate::error::AppError;
use serde::de::DeserializeOwned;

/// The fields of a form and what the form does with them. `http::forms` mounts each action at the path of its page.
///
/// An action has no address of its own and runs with the request in Leptos' context.
pub trait FormAction: DeserializeOwned + Send + 'static {
    type Output: 'static;

    /// Runs the action for the user who sent the form.
    ///
    /// # Errors
    /// The reason why nothing was done, in words for the user.
    fn run(self) -> impl Future<Output = Result<Self::Output, AppError>> + Send;
}

/// Declares a [`FormAction`] in the shape of a function: its documentation, name, fields, output, and body.
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

            async fn run(self) -> Result<$output, $crate::error::AppError> {
                let Self { $($field),* } = self;
                $body
            }
        }
    };
}
pub(crate) use form_action;
