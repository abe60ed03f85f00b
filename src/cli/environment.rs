//! Environment variables of the settings. The settings are clap arguments, so the names come from clap's command tree.

use super::remote;
use clap::{
    Arg, Command,
    error::{ContextKind, ContextValue},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
};

/// Prefix of Keyward's environment variables.
const PREFIX: &str = "KEYWARD_";

/// Returns all variables that any command reads.
pub fn variable_names(command: &Command) -> BTreeSet<String> {
    fn collect(command: &Command, names: &mut BTreeSet<String>) {
        let variables = command.get_arguments().filter_map(Arg::get_env);
        names.extend(variables.map(|name| name.to_string_lossy().into_owned()));
        command.get_subcommands().for_each(|it| collect(it, names));
    }
    let mut names = BTreeSet::from([remote::KEY_VARIABLE.to_owned()]);
    collect(command, &mut names);
    names
}

/// Treats empty variables as unset: their arguments no longer read them.
pub fn without_empty(command: Command, value: impl Fn(&OsStr) -> Option<OsString> + Copy) -> Command {
    let is_empty = |argument: &Arg| argument.get_env().and_then(value).is_some_and(|it| it.is_empty());
    let command = command.mut_args(|it| if is_empty(&it) { it.env(None) } else { it });
    command.mut_subcommands(|it| without_empty(it, value))
}

/// Adds the variable name to an error about its value. clap names only the option.
pub fn name_variable(
    mut error: clap::Error,
    command: &Command,
    value: impl Fn(&OsStr) -> Option<OsString> + Copy,
) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let (option, wrong) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    if let (Some(option), Some(wrong)) = (option, wrong)
        && let Some(variable) = variable_of_option(command, &option, &wrong, value)
    {
        error.insert(ContextKind::InvalidArg, ContextValue::String(format!("{option} ({variable})")));
    }
    error
}

/// Returns the variable of an option such as `--listen <ADDRESS:PORT>` if the invalid value comes from it. The value
/// can be one element of a list.
fn variable_of_option(
    command: &Command,
    option: &str,
    wrong: &str,
    value: impl Fn(&OsStr) -> Option<OsString> + Copy,
) -> Option<String> {
    let long = option.split([' ', '=']).next().and_then(|it| it.strip_prefix("--"))?;
    let mut variables = command.get_arguments().filter(|it| it.get_long() == Some(long)).filter_map(Arg::get_env);
    variables
        .find(|&name| value(name).is_some_and(|it| it.to_string_lossy().contains(wrong)))
        .map(|name| name.to_string_lossy().into_owned())
        .or_else(|| command.get_subcommands().find_map(|it| variable_of_option(it, option, wrong, value)))
}

/// Returns the first variable whose value is not UTF-8. clap does not report which one it is.
pub fn find_non_utf8(command: &Command, value: impl Fn(&OsStr) -> Option<OsString>) -> Option<String> {
    variable_names(command).into_iter().find(|name| value(OsStr::new(name)).is_some_and(|it| it.to_str().is_none()))
}

/// Returns a warning for each variable that has the prefix and that no command reads. Values are not quoted: they can
/// be secrets.
pub fn warnings(command: &Command, variables: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let known = variable_names(command);
    let given: BTreeSet<_> = variables.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let unknown =
        given.iter().filter(|name| name.starts_with(PREFIX) && !known.contains(*name) && !is_set_by_kubernetes(name));
    let warning = |name: &String| {
        let nearest = known.iter().map(|it| (strsim::osa_distance(it, name), it)).min();
        // Allows one typing error for every three letters.
        let most = (name.len() - PREFIX.len()) / 3;
        match nearest.filter(|(distance, _)| *distance <= most) {
            Some((_, nearest)) => {
                format!("the variable {name} is not a setting and has no effect; did you mean {nearest}?")
            }
            None => format!(
                "the variable {name} is not a setting and has no effect; for all settings, run: keyward serve --help"
            ),
        }
    };
    unknown.map(warning).collect()
}

/// Whether Kubernetes sets the variable for a service named keyward, such as `KEYWARD_SERVICE_HOST` or
/// `KEYWARD_PORT_3000_TCP_ADDR`.
fn is_set_by_kubernetes(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let is_port = |rest: &str| rest == "PORT" || rest.starts_with("PORT_");
    let is_service = |rest: &str| rest == "SERVICE_HOST" || rest.strip_prefix("SERVICE_").is_some_and(is_port);
    // The name of another service, such as keyward-db, puts more words before these suffixes.
    let ends = rest.char_indices().filter(|(_, c)| *c == '_').map(|(at, _)| &rest[at + 1..]);
    std::iter::once(rest).chain(ends).any(|rest| is_service(rest) || is_port(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(name: &str) -> Option<String> {
        warnings(&super::super::command(), [name.into()]).pop()
    }

    #[test]
    fn misspelt_variables_are_named_with_the_nearest_one() {
        assert!(warned("KEYWARD_LISTN").unwrap().ends_with("did you mean KEYWARD_LISTEN?"));
        assert!(warned("KEYWARD_DATABSE_URL").unwrap().ends_with("did you mean KEYWARD_DATABASE_URL?"));
        assert!(warned("KEYWARD_COLOR_SCHEME").unwrap().contains("keyward serve --help"));
        for name in ["KEYWARD_LISTEN", "KEYWARD_KEY", "LISTEN", "keyward_listn"] {
            assert_eq!(warned(name), None, "{name}");
        }
    }

    #[test]
    fn variables_of_kubernetes_are_no_mistakes() {
        for name in [
            "KEYWARD_SERVICE_HOST",
            "KEYWARD_SERVICE_PORT_HTTP",
            "KEYWARD_PORT",
            "KEYWARD_PORT_3000_TCP_ADDR",
            "KEYWARD_DB_SERVICE_HOST",
            "KEYWARD_DB_PORT_5432_TCP",
        ] {
            assert_eq!(warned(name), None, "{name}");
        }
    }

    #[test]
    fn every_setting_that_is_empty_is_unset() {
        let everything_empty = without_empty(super::super::command(), |_| Some(OsString::new()));
        assert_eq!(variable_names(&everything_empty), BTreeSet::from([remote::KEY_VARIABLE.to_owned()]));
        let nothing_empty = without_empty(super::super::command(), |_| Some("x".into()));
        assert_eq!(variable_names(&nothing_empty), variable_names(&super::super::command()));
        assert!(variable_names(&nothing_empty).len() > 15, "the settings were found");
    }
}
