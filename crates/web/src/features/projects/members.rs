//! Project members: the section, and the dialogs that change a role, remove a member, leave, and join.

use super::{
    api::members as list_members,
    dialog::{DialogSpec, current_project, error_dialog, form_dialog, path_segment, project_path},
    list::role_label as role_word,
};
use crate::{
    domain::project::{Member, Members, ProjectView, Role},
    features::session::load,
    ui::{
        breakable::breakable,
        field::{Wrong, aria_attributes},
        form::FormState,
        icon::Icon,
        select::{Choice, Select},
        time::{Ago, Day},
    },
};
use leptos::prelude::*;

const OWNERS: &str = "Only a project owner can do this.";

/// The section of the project page.
pub fn section(project: &ProjectView) -> AnyView {
    let (id, manage, here) = (project.id, project.may_manage_members, project_path(project));
    let invite = manage.then(|| {
        view! {
            <a class="button" id="invite" href=format!("{here}/invite")>
                {Icon::Plus.view()}
                "Invite member"
            </a>
        }
    });
    let leave = project.role.map(|_| {
        view! {
            <a class="button button--warn" id="leave" href=format!("{here}/leave")>
                "Leave project"
            </a>
        }
    });
    let draw = move |members: Members| rows(&here, members, manage);
    view! {
        <section class="panel" aria-labelledby="members">
            <header class="panel__head">
                <h2 id="members">"Members"</h2>
                <div class="actions">{leave} {invite}</div>
            </header>
            {load(move || list_members(id), draw)}
        </section>
    }
    .into_any()
}

fn rows(here: &str, members: Members, manage: bool) -> AnyView {
    let Members { members, invitations, now } = members;
    let people = members.into_iter().map(|member| row(here, member, manage)).collect_view();
    let open = invitations
        .into_iter()
        .map(|it| {
            let who = it.email.clone().unwrap_or_else(|| "Anyone with the link".to_owned());
            let name = format!("Revoke invitation: {who}");
            let to = format!("{here}/invitations/{}/withdraw", it.id);
            view! {
                <li>
                    <div>
                        <strong>{breakable(&who)}</strong>
                        " "
                        <span class="tag">"invited"</span>
                        <p>
                            {format!("{}, invited by {}. Expires ", role_word(it.role), it.invited_by)} <Ago at=it.ends now /> "."
                        </p>
                    </div>
                    <a class="button button--warn" href=to aria-label=name>
                        "Revoke"
                    </a>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{people} {open}</ul> }.into_any()
}

fn row(here: &str, member: Member, manage: bool) -> AnyView {
    let (user, name) = (member.user, member.name.clone());
    let you = member.you.then(|| view! { " " <span class="tag">"you"</span> });
    let actions = manage.then(|| {
        let (role, remove) = (format!("Change role of {name}"), format!("Remove {name}"));
        view! {
            <div class="actions">
                <a class="button" href=format!("{here}/members/{user}/edit") aria-label=role>
                    "Change role"
                </a>
                <a class="button button--warn" href=format!("{here}/members/{user}/remove") aria-label=remove>
                    "Remove"
                </a>
            </div>
        }
    });
    view! {
        <li>
            <div>
                <strong>{member.name}</strong>
                {you}
                <p>{format!("{}, ", role_word(member.role))} {breakable(&member.email)} ", member since " <Day at=member.since /></p>
            </div>
            {actions}
        </li>
    }
    .into_any()
}

/// Returns one sentence about a role's permissions.
pub fn role_description(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner: full access, including members and settings",
        Role::Operator => "Operator: creates, edits, deactivates, and deletes keys",
        Role::Viewer => "Viewer: read-only access",
    }
}

/// The select field for a role.
pub fn role_field(first: Role) -> AnyView {
    let chosen = FormState::from_context().submitted_value("role").unwrap_or_else(|| first.as_str().to_owned());
    let choices = Role::ALL.into_iter().map(|role| Choice::new(role.as_str(), role_description(role))).collect();
    let (invalid, by) = aria_attributes("role", false);
    view! {
        <div class="field">
            <label for="role">"Role"</label>
            <Select name="role" choices chosen invalid described_by=by autofocus=true />
            <Wrong name="role" />
        </div>
    }
    .into_any()
}

/// Draws a dialog about the member of the URL. Only for project owners.
fn member_dialog(draw: impl Fn(&ProjectView, Member) -> AnyView + Clone + Send + Sync + 'static) -> AnyView {
    let (project, user) = (current_project(), path_segment(4));
    if !project.may_manage_members {
        return error_dialog(&project, 403, OWNERS);
    }
    let id = project.id;
    let find = move |members: Members| match members.members.into_iter().find(|it| it.user.to_string() == user) {
        Some(member) => draw(&project, member),
        None => error_dialog(&project, 404, "This user is not a member of the project."),
    };
    load(move || list_members(id), find)
}

#[component]
pub fn RolePage() -> impl IntoView {
    member_dialog(|project, member| {
        let words = DialogSpec {
            path: format!("members/{}/edit", member.user),
            title: format!("Change role of {}", member.name),
            lead: "The new role applies from the member’s next request.".into(),
            button: ("Change role", "Changing…"),
            danger: false,
            opener: "members",
            focus_cancel: false,
        };
        form_dialog(project, words, move || {
            let version =
                FormState::from_context().submitted_value("version").unwrap_or_else(|| member.role.as_str().to_owned());
            view! {
                <input type="hidden" name="user" value=member.user.to_string() />
                <input type="hidden" name="version" value=version />
                {role_field(member.role)}
            }
            .into_any()
        })
    })
}

#[component]
pub fn RemoveMemberPage() -> impl IntoView {
    member_dialog(|project, member| {
        let words = DialogSpec {
            path: format!("members/{}/remove", member.user),
            title: format!("Remove {}?", member.name),
            lead: "They lose access immediately, and their grants for this project are revoked. The keys that they created remain."
                .into(),
            button: ("Remove member", "Removing…"),
            danger: true,
            opener: "members",
            focus_cancel: true,
        };
        form_dialog(project, words, move || {
            view! { <input type="hidden" name="user" value=member.user.to_string() /> }.into_any()
        })
    })
}

#[component]
pub fn LeavePage() -> impl IntoView {
    let project = current_project();
    if project.role.is_none() {
        return error_dialog(&project, 403, "You are not a member of this project.");
    }
    let words = DialogSpec {
        path: "leave".into(),
        title: format!("Leave “{}”?", project.name),
        lead: "You lose access immediately, and your grants for this project are revoked. The keys that you created remain. To rejoin, \
               you need an invitation from a project owner."
            .into(),
        button: ("Leave project", "Leaving…"),
        danger: true,
        opener: "leave",
        focus_cancel: true,
    };
    form_dialog(&project, words, || ().into_any())
}

#[component]
pub fn JoinAsAdministratorPage() -> impl IntoView {
    let project = current_project();
    if project.role.is_some() {
        return error_dialog(&project, 403, "You are already a member of this project.");
    }
    let words = DialogSpec {
        path: "join".into(),
        title: format!("Join “{}”?", project.name),
        lead: "You appear in the member list. The audit log records that you joined as an administrator.".into(),
        button: ("Join project", "Joining…"),
        danger: false,
        opener: "join",
        focus_cancel: false,
    };
    form_dialog(&project, words, || role_field(Role::Viewer))
}
