//! Test fixtures of the authorization matrix: callers, objects and requests.

use super::database_state::{Schema, State};
use crate::support::{
    TestServer, URL,
    browser::{Browser, Page, form},
    test_data::{CreatedKey, KeyForms as _, change_key},
};
use axum::http::Request;
use keyward::{
    domain::{ids::ProjectId, project::Role, transition::Transition},
    service::{actor::Caller, scopes::ScopeDraft},
};
use uuid::Uuid;

/// The caller of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerKind {
    Anonymous,
    /// A disabled user with an older session, who was an operator of the project.
    Disabled,
    /// A program with an access token of the project and no cookie.
    Program,
    /// A program with an access token of another project.
    OtherProgram,
    Viewer,
    Operator,
    Owner,
    /// The owner of another project.
    OtherOwner,
    /// An administrator who is not a member.
    Administrator,
}
use CallerKind::*;

pub const ALL_CALLERS: [CallerKind; 9] =
    [Anonymous, Disabled, Program, OtherProgram, Viewer, Operator, Owner, OtherOwner, Administrator];

impl CallerKind {
    /// Returns whether the caller is not signed in.
    pub fn is_signed_out(self) -> bool {
        matches!(self, Anonymous | Disabled | Program | OtherProgram)
    }

    /// Returns the caller's role in the project that the object belongs to.
    pub fn role(self, which: ObjectState) -> Option<Role> {
        match (self, which) {
            (_, ObjectState::Missing | ObjectState::Purged | ObjectState::Unnamed) => None,
            (OtherOwner, ObjectState::Elsewhere) => Some(Role::Owner),
            (_, ObjectState::Elsewhere) => None,
            (Viewer, _) => Some(Role::Viewer),
            (Operator, _) => Some(Role::Operator),
            (Owner, _) => Some(Role::Owner),
            _ => None,
        }
    }
}

/// The state and the location of the object of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectState {
    /// The path names no object.
    Unnamed,
    /// An id without an object.
    Missing,
    /// A deleted key whose restore period has ended.
    Purged,
    /// The project of viewer, operator and owner, or an object in it.
    Home,
    /// A deactivated key in that project, a retired scope, or a second administrator.
    Stopped,
    /// A deleted key in that project, or a disabled user.
    Deleted,
    /// An archived project with the same members, or an object in it.
    Archived,
    /// Another owner's project, or an object in it.
    Elsewhere,
}

/// The kind of object that a path or a server function refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    Nothing,
    Key,
    Project,
    /// A scope of the catalog.
    Scope,
    /// A user.
    User,
    /// A key, by a path that contains its project too.
    ProjectKey,
    /// An owner and a project of theirs, in a path that contains both.
    Ownership,
    /// An invitation to a project, by its code.
    Invitation,
    /// A session of the owner's, in another browser.
    Session,
}

impl ObjectKind {
    /// Returns the objects to test. The missing one is first, because the others are compared with it.
    pub fn states(self) -> &'static [ObjectState] {
        use ObjectState::*;
        match self {
            Self::Nothing => &[Unnamed],
            Self::Key | Self::ProjectKey => &[Missing, Purged, Home, Stopped, Deleted, Archived, Elsewhere],
            Self::Project => &[Missing, Home, Archived, Elsewhere],
            Self::Scope => &[Missing, Home, Stopped],
            Self::User => &[Missing, Home, Stopped, Deleted, Elsewhere],
            Self::Ownership => &[Missing, Home, Archived, Elsewhere],
            Self::Invitation | Self::Session => &[Missing, Home],
        }
    }
}

/// The data of an object that a path or a form needs.
#[derive(Clone, Debug, Default)]
pub struct ObjectData {
    /// The id of the object.
    pub id: String,
    /// The id of its project, or of the project itself.
    pub project: String,
    /// The version that the form of the object contains.
    pub version: String,
    /// The secret of the key, or of a key of the project.
    pub secret: String,
    /// The id of a member of the project who is not an owner.
    pub user: String,
    /// A one-time form number.
    pub number: String,
    /// An open invitation to the project, and the code of its link.
    pub invitation: String,
    pub code: String,
    /// A project with the user as its only owner, if there is one.
    pub alone: String,
    /// The id of the second administrator.
    pub deputy: String,
    /// The versions of the scope selection and of the policy that a form starts from.
    pub offer: String,
    pub policy: String,
    /// A client of the project, a grant of the owner to it, and the user code of a pending device of it.
    pub client: String,
    pub grant: String,
    pub device: String,
    /// The text that a page about the object shows. Empty if there is none.
    pub name: String,
}

impl ObjectData {
    /// Returns the path of a template, with the ids filled in.
    pub fn fill_path(&self, template: &str) -> String {
        // In a path with `{key}`, `{id}` is the key's project.
        let id = if template.contains("{key}") { &self.project } else { &self.id };
        let named = [
            ("{id}", id),
            ("{key}", &self.id),
            ("{name}", &self.id),
            ("{project}", &self.project),
            ("{user}", &self.user),
            ("{invitation}", &self.invitation),
            ("{code}", &self.code),
            ("{client}", &self.client),
            ("{grant}", &self.grant),
            ("{device}", &self.device),
        ];
        let path = named.iter().fold(template.to_owned(), |path, (name, id)| path.replace(name, id));
        assert!(!path.contains('{'), "define the braces of {template}");
        path
    }
}

/// The form of a request: as a page, an HTML form, an island or a program sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    Get,
    Form,
    Call,
    Json,
    /// A form post of an OAuth client.
    Posted,
    Bearer,
}

struct ProjectFixture {
    key: CreatedKey,
    stopped: String,
    deleted: CreatedKey,
    gone: CreatedKey,
    version: String,
    user: String,
    owner: String,
    invitation: String,
    code: String,
    client: String,
    grant: String,
    device: String,
    names: [&'static str; 3],
}

/// The server, with all callers and objects.
pub struct MatrixFixture {
    pub bench: TestServer,
    pub schema: Schema,
    /// The state of the database before the first request.
    pub base: State,
    cookies: Vec<(CallerKind, Option<String>)>,
    tokens: [String; 2],
    home: ProjectFixture,
    archived: ProjectFixture,
    elsewhere: ProjectFixture,
    random: String,
    disabled: String,
    deputy: String,
    /// The projects with a single owner, by user.
    alone: Vec<(String, String)>,
    session: String,
    offer: String,
    policy: String,
    number: String,
}

/// Texts of a project that only its members may read.
pub const HOME_TEXTS: [&str; 6] =
    ["Homestead", "Homekey", "homeconfig", "Mothballed", "Mothkey", "owner@pelagic.example"];
pub const ELSEWHERE_TEXTS: [&str; 4] = ["Driftwood", "Driftkey", "driftconfig", "tove@drift.example"];

impl MatrixFixture {
    pub async fn new(bench: TestServer) -> Self {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        let tove = bench.create_user("tove@drift.example", false).await;
        let archivist = bench.create_user("archivist@pelagic.example", false).await;
        let mut people = vec![(Owner, owner.clone()), (OtherOwner, tove.clone())];
        for (who, email) in [
            (Viewer, "viewer@pelagic.example"),
            (Operator, "operator@pelagic.example"),
            (Administrator, "root@keys.example"),
            (Disabled, "gone@pelagic.example"),
        ] {
            people.push((who, bench.create_user(email, who == Administrator).await));
        }
        let deputy = bench.create_user("deputy@keys.example", true).await;
        let mut alone = Vec::new();
        for who in [Viewer, Disabled] {
            let person = &people.iter().find(|(it, _)| *it == who).expect("everybody is there").1;
            alone.push((person.user.to_string(), bench.project_of(person).await.to_string()));
        }
        alone.push((deputy.user.to_string(), bench.project_of(&deputy).await.to_string()));
        let (home, moth) = (bench.project_of(&owner).await, bench.project_of(&archivist).await);
        let caller = |who: CallerKind| &people.iter().find(|(it, _)| *it == who).expect("everybody is there").1;
        for (who, role) in [(Viewer, "viewer"), (Operator, "operator"), (Disabled, "operator")] {
            bench.add_member(home, caller(who), role).await;
            bench.add_member(moth, caller(who), role).await;
        }
        bench.add_member(moth, &owner, "owner").await;
        let home = create_project(
            &bench,
            &owner,
            home,
            ["Homestead", "Homekey", "homeconfig"],
            &caller(Viewer).user.to_string(),
        )
        .await;
        let mut archived = create_project(
            &bench,
            &archivist,
            moth,
            ["Mothballed", "Mothkey", "mothconfig"],
            &caller(Viewer).user.to_string(),
        )
        .await;
        archived.owner = owner.user.to_string();
        let drift = bench.project_of(&tove).await;
        bench.add_member(drift, &archivist, "viewer").await;
        let elsewhere =
            create_project(&bench, &tove, drift, ["Driftwood", "Driftkey", "driftconfig"], &archivist.user.to_string())
                .await;
        let leave = format!("DELETE FROM members WHERE user_id = {}", bench.literal(archivist.user));
        let leave = format!("{leave} AND project_id = {}", bench.literal(moth));
        let close = format!("UPDATE projects SET archived_at = created_at WHERE id = {}", bench.literal(moth));
        bench.execute_sql(&format!("{leave}; {close}")).await;
        bench.execute_sql("UPDATE policy SET sign_up = 'invite'").await;

        // Each user has two sessions: one makes the requests, the other can be ended.
        let mut cookies = vec![(Anonymous, None), (Program, None), (OtherProgram, None)];
        for (who, caller) in &people {
            bench.signed_in(&caller.email).await;
            cookies.push((*who, bench.signed_in(&caller.email).await.cookie));
        }
        let (app, root) = (&bench.app, caller(Administrator));
        for (name, description, granted_by) in
            [("probe:read", "Read the probes", "owner"), ("past:read", "Read the past", "operator")]
        {
            let draft = ScopeDraft {
                name: name.to_owned(),
                description: description.to_owned(),
                in_default: false,
                granted_by: granted_by.to_owned(),
            };
            app.scopes.add(root, &draft).await.expect("it is added");
        }
        app.scopes.retire(root, "past:read", false).await.expect("it is retired");
        let policy = app.policy.form(root).await.expect("the policy").draft.version;
        let offer = app.projects.scopes_form(root, home.key.project).await.expect("the scopes").version;
        let mut seen = bench.browser();
        seen.cookie.clone_from(&cookies.iter().find(|(who, _)| *who == Owner).expect("the owner").1);
        let sessions = app.accounts.security(&owner, Some(seen.session_digest())).await.expect("sessions").sessions;
        let session = sessions.into_iter().find(|it| !it.here).expect("another").handle;
        let disabled = caller(Disabled).user.to_string();
        bench.execute_sql("UPDATE users SET active = FALSE WHERE email = 'gone@pelagic.example'").await;
        let mut tokens = Vec::new();
        for place in [&home, &elsewhere] {
            let page = bench
                .browser()
                .json("/authentication/token", &serde_json::json!({"secret_key": place.key.secret}))
                .await;
            tokens.push(page.json()["access_token"].as_str().expect("a token").to_owned());
        }
        let tokens = tokens.try_into().expect("two tokens");
        // A later reauthentication has a later time than the sign-in.
        bench.clock.advance(1);
        let schema = Schema::capture(&bench).await;
        let base = schema.read_state(&bench).await;
        let random = Uuid::from_bytes(crate::support::random()).to_string();
        let number = bench.app.context.new_id().to_string();
        let deputy = deputy.user.to_string();
        Self {
            schema,
            base,
            cookies,
            tokens,
            home,
            archived,
            elsewhere,
            random,
            disabled,
            deputy,
            alone,
            session,
            offer,
            policy,
            number,
            bench,
        }
    }

    /// Returns the data of an object.
    pub fn object(&self, about: ObjectKind, which: ObjectState) -> ObjectData {
        let place = match which {
            ObjectState::Elsewhere => &self.elsewhere,
            ObjectState::Archived => &self.archived,
            _ => &self.home,
        };
        let row = |id: &str, version: &str, secret: &str| ObjectData {
            id: id.to_owned(),
            project: place.key.project.to_string(),
            version: version.to_owned(),
            secret: secret.to_owned(),
            user: place.user.clone(),
            number: self.number.clone(),
            invitation: place.invitation.clone(),
            code: place.code.clone(),
            client: place.client.clone(),
            grant: place.grant.clone(),
            device: place.device.clone(),
            alone: self.alone.iter().find(|(person, _)| person == id).map(|it| it.1.clone()).unwrap_or_default(),
            deputy: self.deputy.clone(),
            offer: self.offer.clone(),
            policy: self.policy.clone(),
            name: match (about, which) {
                (_, ObjectState::Missing | ObjectState::Purged) => String::new(),
                (ObjectKind::Key | ObjectKind::ProjectKey, ObjectState::Stopped) => {
                    format!("{} stopped", place.names[1])
                }
                (ObjectKind::Key | ObjectKind::ProjectKey, ObjectState::Deleted) => {
                    format!("{} deleted", place.names[1])
                }
                (ObjectKind::Key | ObjectKind::ProjectKey, _) => format!("{} live", place.names[1]),
                (ObjectKind::Project | ObjectKind::Ownership | ObjectKind::Invitation, _) => place.names[0].to_owned(),
                (ObjectKind::Scope, ObjectState::Stopped) => "past:read".to_owned(),
                (ObjectKind::Scope, _) => "probe:read".to_owned(),
                (ObjectKind::Nothing | ObjectKind::User | ObjectKind::Session, _) => String::new(),
            },
        };
        let key = place.key.id.to_string();
        let about = if about == ObjectKind::ProjectKey { ObjectKind::Key } else { about };
        match (about, which) {
            (ObjectKind::Scope, ObjectState::Missing) => row("none:there", "", ""),
            (_, ObjectState::Missing) => {
                let version = if about == ObjectKind::Key { "1" } else { &place.version };
                let (code, device) = (self.random.clone(), UNKNOWN_USER_CODE.to_owned());
                ObjectData { project: self.random.clone(), code, device, ..row(&self.random, version, VECTOR) }
            }
            (ObjectKind::Key, ObjectState::Purged) => row(&place.gone.id.to_string(), "1", &place.gone.secret),
            (ObjectKind::Key, ObjectState::Stopped) => row(&place.stopped, "1", VECTOR),
            (ObjectKind::Key, ObjectState::Deleted) => row(&place.deleted.id.to_string(), "1", &place.deleted.secret),
            (ObjectKind::Key, _) => row(&key, "1", &place.key.secret),
            (ObjectKind::Scope, ObjectState::Stopped) => row("past:read", "", ""),
            (ObjectKind::Scope, _) => row("probe:read", "", ""),
            (ObjectKind::User, ObjectState::Stopped) => row(&self.deputy, "", ""),
            (ObjectKind::Ownership, _) => row(&place.owner, "", ""),
            (ObjectKind::Session, _) => row(&self.session, "", ""),
            (ObjectKind::User, ObjectState::Deleted) => row(&self.disabled, "", ""),
            (ObjectKind::User, _) => row(&place.user, "", ""),
            (ObjectKind::Project | ObjectKind::Nothing | ObjectKind::Invitation | ObjectKind::ProjectKey, _) => {
                row(&place.key.project.to_string(), &place.version, &place.key.secret)
            }
        }
    }

    /// The key secrets, which no response shows again, except for their prefixes.
    pub fn secrets(&self) -> Vec<&str> {
        let places = [&self.home, &self.archived, &self.elsewhere];
        places.iter().flat_map(|it| [&it.key, &it.deleted, &it.gone]).map(|key| &key.secret[14..]).collect()
    }

    /// Returns the texts that differ between objects of one kind. Comparisons of responses mask them.
    pub fn varying_texts(&self, at: &ObjectData) -> Vec<String> {
        let plain = [&at.id, &at.project, &at.user, &at.version, &at.invitation, &at.code, &at.client, &at.grant]
            .into_iter()
            .filter(|it| it.len() > 3)
            .cloned();
        plain.flat_map(|word| [word.replace('-', "%2D").replace(':', "%3A"), word.replace(':', "%3A"), word]).collect()
    }

    /// Returns a new browser or program with the caller's original session.
    pub fn browser(&self, who: CallerKind) -> Browser {
        let mut browser = self.bench.browser();
        let (_, cookie) = self.cookies.iter().find(|(it, _)| *it == who).expect("everybody has one");
        browser.cookie.clone_from(cookie);
        browser
    }

    /// Returns the caller's bearer token, if it has one.
    pub fn token(&self, who: CallerKind) -> Option<&str> {
        match who {
            Program => Some(&self.tokens[0]),
            OtherProgram => Some(&self.tokens[1]),
            _ => None,
        }
    }

    /// Sends a request and returns the response.
    pub async fn send(&self, who: CallerKind, how: RequestKind, path: &str, fields: &[(&str, String)]) -> Page {
        let mut request = match how {
            RequestKind::Get => Request::get(path).header("accept", "text/html"),
            RequestKind::Bearer => Request::get(path),
            RequestKind::Form => Request::post(path).header("accept", "text/html").header("origin", URL),
            RequestKind::Call => Request::post(path).header("accept", "application/json").header("origin", URL),
            RequestKind::Json => Request::post(path).header("content-type", "application/json"),
            RequestKind::Posted => Request::post(path),
        };
        if matches!(how, RequestKind::Form | RequestKind::Call | RequestKind::Posted) {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        // An OAuth client authenticates with one method only, and here with the form fields.
        if let Some(token) = self.token(who).filter(|_| how != RequestKind::Posted) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match how {
            RequestKind::Get | RequestKind::Bearer => String::new(),
            RequestKind::Form | RequestKind::Call | RequestKind::Posted => {
                form(&fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
            }
            RequestKind::Json => {
                let members = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
                serde_json::Value::Object(members.collect()).to_string()
            }
        };
        self.browser(who).send(request, body).await
    }
}

/// The test vector of `docs/reference/secret-format.md`: well-formed, but not the secret of a key.
const VECTOR: &str = "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ";

/// A well-formed user code that no device has.
const UNKNOWN_USER_CODE: &str = "BCDF-GHJK";

/// Creates a project with a config and four keys: an active, a deactivated, a deleted and a purged one.
async fn create_project(
    bench: &TestServer,
    owner: &Caller,
    project: ProjectId,
    names: [&'static str; 3],
    user: &str,
) -> ProjectFixture {
    let [name, key, config] = names;
    let config = format!("{{\"for\":\"{config}\"}}");
    bench
        .execute_sql(&format!(
            "UPDATE projects SET name = '{name}', config = '{config}' WHERE id = {}",
            bench.literal(project)
        ))
        .await;
    let mut made = Vec::new();
    for kind in ["live", "stopped", "deleted", "gone"] {
        let draft = bench.draft(project, &format!("{key} {kind}"));
        let (key, secret) = bench.app.keys.create_from(owner, draft).await.expect("a key is made");
        made.push(CreatedKey { id: key.id, project, secret: secret.expose().to_owned() });
    }
    let [key, stopped, deleted, gone] = made.try_into().unwrap_or_else(|_| panic!("four keys"));
    change_key(&bench.app.keys, owner, stopped.id, Transition::Deactivate).await.expect("it is deactivated");
    change_key(&bench.app.keys, owner, deleted.id, Transition::Delete).await.expect("it is deleted");
    let long_ago = format!("UPDATE keys SET deleted_at = 1 WHERE id = {}", bench.literal(gone.id));
    bench.execute_sql(&format!("{long_ago}; UPDATE keys SET updated_at = 1")).await;
    let version = bench.app.projects.get(owner, project).await.expect("it is there").version;
    let invited = bench.app.projects.invite(owner, project, "viewer", "", &bench.app.config).await.expect("it is made");
    let link = invited.link.expect("there is no mail");
    let code = link.expose().split("code=").nth(1).expect("a code").to_owned();
    let open = bench.app.projects.members(owner, project).await.expect("members").invitations;
    let invitation = open.first().expect("it is open").id.to_string();
    let client =
        bench.app.consent.register(owner, project, "Buoy", "http://127.0.0.1/cb").await.expect("it is registered");
    let query = authorization_query("client", &format!("client:{client}"), &project.to_string());
    bench.app.consent.approve(owner, &query, vec!["data:read".into()], 3_600).await.expect("it is allowed");
    let grant = bench.app.consent.list_own(owner).await.expect("grants").grants[0].id.to_string();
    let device_request = bench
        .app
        .consent
        .start_device_authorization(None, &format!("client:{client}"), "data:read", None)
        .await
        .expect("no fault");
    let (client, device) = (client.to_string(), device_request.expect("it may").user_code);
    let (stopped, user, owner) = (stopped.id.to_string(), user.to_owned(), owner.user.to_string());
    ProjectFixture { key, stopped, deleted, gone, version, user, owner, invitation, code, client, grant, device, names }
}

/// Returns the query of an authorization request for this project.
pub fn authorization_query(state: &str, client: &str, project: &str) -> String {
    form(&[
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", "http://127.0.0.1:1/cb"),
        ("resource", &format!("{URL}/projects/{project}")),
        ("scope", "data:read"),
        ("state", state),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ])
}
