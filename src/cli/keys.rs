//! `keyward keys …`: key management in the database, or on a server with `--url`.

mod args;
mod fields;
mod print;
mod remote;

use super::{
    database::{Database, terminal_error},
    list::ListPrinter,
    projects,
    remote::{Permission, RemoteArgs, require_url},
};
use crate::{
    config::DatabaseSettings,
    domain::{ids::KeyId, key::Key, transition::Transition},
    http::key_json,
    service::{
        Error,
        actor::Actor,
        keys::{Keys as Service, OperatorKeyFilter, PatchDraft, Precondition},
        projects::Projects,
    },
};
use args::{KeyArg, ListArgs};
use clap::{Args, Subcommand};
use fields::{CreateArgs, EditArgs};

/// Target and subcommand of `keyward keys`.
#[derive(Args)]
pub struct KeysArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a key and print its secret once
    Create(CreateArgs),
    /// Edit a key. Options that are not given leave their values unchanged
    Edit {
        #[command(flatten)]
        one: KeyArg,
        #[command(flatten)]
        changes: EditArgs,
    },
    /// List keys, newest first
    List(ListArgs),
    /// Show a key without its secret
    Show(KeyArg),
    /// Deactivate a key: it is rejected from the next request until it is activated
    Deactivate(KeyArg),
    /// Activate a deactivated key
    Activate(KeyArg),
    /// Delete a key: it is rejected from the next request. It can be restored for 7 days
    Delete(KeyArg),
    /// Restore a deleted key with its previous state
    Restore(KeyArg),
}

/// Returns the past participle of a transition and its effect, for the output.
const fn result_text(transition: Transition) -> (&'static str, &'static str) {
    match transition {
        Transition::Deactivate => ("Deactivated", "It is rejected from the next request."),
        Transition::Activate => ("Activated", "The change applies from the next request."),
        Transition::Delete => ("Deleted", "It is rejected from the next request. It can be restored for 7 days."),
        Transition::Restore => ("Restored", "It has its previous state."),
    }
}

/// Past participle and effect of an edit, for the output.
const EDIT_RESULT: (&str, &str) = ("Edited", "The changes apply from the next request.");

pub async fn run(database: &DatabaseSettings, keys: KeysArgs) -> anyhow::Result<()> {
    let KeysArgs { remote, command } = keys;
    let need =
        if matches!(command, Command::List(_) | Command::Show(_)) { Permission::Read } else { Permission::Write };
    if let Some(server) = remote.server()? {
        let remote = server.authenticate(need).await?;
        return match command {
            Command::Create(args) => remote::create(&remote, &args).await,
            Command::Edit { one, changes } => {
                remote::edit(&remote, one.project.as_deref(), one.id, &changes, one.json).await
            }
            Command::List(args) => remote::list(&remote, &args).await,
            Command::Show(one) => remote::show(&remote, one.project.as_deref(), one.id, one.json).await,
            Command::Deactivate(one) => remote::change(&remote, &one, Transition::Deactivate).await,
            Command::Activate(one) => remote::change(&remote, &one, Transition::Activate).await,
            Command::Delete(one) => remote::change(&remote, &one, Transition::Delete).await,
            Command::Restore(one) => remote::change(&remote, &one, Transition::Restore).await,
        };
    }
    match &command {
        Command::Create(args) => require_url(args.idempotency_key.is_none(), "--idempotency-key")?,
        Command::List(_) => {}
        Command::Edit { one, .. }
        | Command::Show(one)
        | Command::Deactivate(one)
        | Command::Activate(one)
        | Command::Delete(one)
        | Command::Restore(one) => require_url(one.project.is_none(), "--project")?,
    }
    let opened = Database::open(database).await?;
    let service = Service::new(opened.context.clone());
    let done = match command {
        Command::Create(args) => create(&opened, &service, args).await,
        Command::Edit { one, changes } => {
            let edited = edit(&opened, &service, one.id, changes).await.map_err(terminal_error);
            edited.and_then(|key| print::changed(&key_json(key), EDIT_RESULT, one.json))
        }
        Command::List(args) => list(&opened, &service, args).await,
        Command::Show(one) => {
            let found = service.get(&Actor::Operator, one.id).await.map_err(terminal_error);
            found.and_then(|key| Ok(print::details(&key_json(key), one.json)?))
        }
        Command::Deactivate(one) => change(&service, &one, Transition::Deactivate).await,
        Command::Activate(one) => change(&service, &one, Transition::Activate).await,
        Command::Delete(one) => change(&service, &one, Transition::Delete).await,
        Command::Restore(one) => change(&service, &one, Transition::Restore).await,
    };
    drop(service);
    opened.finish().await;
    done
}

async fn create(opened: &Database, service: &Service, args: CreateArgs) -> anyhow::Result<()> {
    let project = projects::require_project(args.project.clone())?;
    let project = projects::find_project(&Projects::new(opened.context.clone()), &project).await?;
    let (json, number) = (args.json, opened.context.new_id().into());
    let draft = args.into_draft(project, number);
    let created = async {
        let spec = draft.parse(&service.defaults(&Actor::Operator, None).await?)?;
        service.create(&Actor::Operator, spec).await
    };
    let (key, secret) = created.await.map_err(terminal_error)?;
    let mut made = key_json(key);
    made["secret"] = secret.expose().into();
    print::created(&made, json)
}

async fn edit(opened: &Database, service: &Service, id: KeyId, changes: EditArgs) -> Result<Key, Error> {
    let patch = PatchDraft::from(changes).parse(&Actor::Operator.zone(), opened.context.now())?;
    service.edit(&Actor::Operator, id, patch, Precondition::default()).await
}

async fn list(opened: &Database, service: &Service, args: ListArgs) -> anyhow::Result<()> {
    let project = match &args.project {
        Some(project) => Some(projects::find_project(&Projects::new(opened.context.clone()), project).await?),
        None => None,
    };
    // An empty filter matches every key.
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut pages = service.list_as_operator(OperatorKeyFilter {
        project,
        status: args.status,
        environment: args.environment,
        text: given(args.text),
        issued_to: given(args.issued_to),
    });
    let mut printer = ListPrinter::new(args.format, print::COLUMNS);
    while let Some(page) = pages.next_page().await.map_err(terminal_error)? {
        let keys = page.into_iter().map(|key| {
            let project = key.project.clone();
            print::row(key_json(key), Some(project))
        });
        printer.page(keys)?;
    }
    Ok(printer.end()?)
}

async fn change(service: &Service, one: &KeyArg, transition: Transition) -> anyhow::Result<()> {
    let changed = service.transition(&Actor::Operator, one.id, transition, Precondition::default()).await;
    print::changed(&key_json(changed.map_err(terminal_error)?), result_text(transition), one.json)
}
