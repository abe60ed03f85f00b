//! Key transitions: the permissions of each actor, and the preconditions.

use crate::support::test_data::{change_any_key, change_key};
use keyward::{
    domain::{key::Status, time::DAY, transition::Transition},
    service::{
        Error,
        actor::Actor,
        keys::{KeySpec, Precondition},
        management_client::ManagementError,
    },
};

const MAREN: &str = "maren@pelagic.example";

on_both_engines! {
    /// A precondition names the project and the versions of the key. A transition that is already done succeeds in any
    /// version.
    async fn a_transition_checks_its_precondition(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user("tove@drift.example", false).await;
        let key = bench.create_key(&maren, "Gateway").await;
        let (keys, actor) = (&bench.app.keys, Actor::User(maren.clone()));
        let before = bench.stored_key(key.id).await;
        let version = bench.key_row(key.id).await.unwrap().updated_at;
        let elsewhere = Precondition { project: Some(bench.project_of(&tove).await), ..Precondition::default() };
        for transition in Transition::ALL {
            let denied = keys.transition(&actor, key.id, transition, elsewhere.clone()).await;
            assert!(matches!(denied, Err(Error::NotFound)), "{transition:?}");
        }
        let stale = Precondition { versions: Some(vec![version - 1]), ..Precondition::default() };
        for transition in [Transition::Deactivate, Transition::Delete] {
            let denied = keys.transition(&actor, key.id, transition, stale.clone()).await;
            assert!(matches!(denied, Err(Error::Management(ManagementError::Stale))), "{transition:?}");
        }
        for transition in [Transition::Activate, Transition::Restore] {
            let same = keys.transition(&actor, key.id, transition, stale.clone()).await.unwrap();
            assert_eq!((same.status, same.version), (Status::Active, version), "{transition:?}");
        }
        assert_eq!(bench.stored_key(key.id).await, before);
        let current =
            Precondition { project: Some(key.project), versions: Some(vec![version - 1, version]), reason: None };
        let changed = keys.transition(&actor, key.id, Transition::Deactivate, current).await.unwrap();
        assert_eq!(changed.status, Status::Inactive);
    }

    /// An administrator stops any key with a reason, and creates none without a role in the project. For a user who is
    /// not an administrator, the key does not exist, even if it is the user's own.
    async fn an_administrator_needs_a_reason_and_no_role(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let root = bench.create_user("root@keys.example", true).await;
        let key = bench.create_key(&maren, "Gateway").await;
        let (keys, administrator) = (&bench.app.keys, Actor::Administrator(root.clone()));
        let before = bench.stored_key(key.id).await;
        for transition in Transition::ALL {
            for reason in ["Mine.", ""] {
                let denied = change_any_key(keys, &maren, key.id, transition, reason).await;
                assert!(matches!(denied, Err(Error::NotFound)), "{transition:?} {reason:?}");
            }
            let denied = change_key(keys, &root, key.id, transition).await;
            assert!(matches!(denied, Err(Error::NotFound)), "{transition:?}: not a member");
            let denied = keys.transition(&administrator, key.id, transition, Precondition::default()).await;
            assert!(matches!(&denied, Err(Error::Invalid(fields)) if fields[0].name == "reason"), "{denied:?}");
            let missing = bench.app.context.new_id().into();
            let denied = keys.transition(&administrator, missing, transition, Precondition::default()).await;
            assert!(matches!(denied, Err(Error::NotFound)), "{transition:?}: no key");
        }
        for transition in [Transition::Activate, Transition::Restore] {
            let denied = keys.transition_selected(&root, &[key.id], transition, "All.").await;
            assert!(matches!(&denied, Err(Error::Invalid(fields)) if fields[0].name == "verb"), "{denied:?}");
            let denied = keys.transition_selected(&maren, &[key.id], transition, "All.").await;
            assert!(matches!(denied, Err(Error::NotFound)), "{transition:?}");
        }
        let expires_at = Some(bench.app.context.now().plus_seconds(30 * DAY));
        let spec = KeySpec { expires_at, ..KeySpec::new(key.project, "Mine".parse().unwrap()) };
        assert!(matches!(keys.create(&administrator, spec).await, Err(Error::NotFound)));
        assert_eq!(bench.stored_key(key.id).await, before);
        let stopped = change_any_key(keys, &root, key.id, Transition::Deactivate, "Leaked.").await.unwrap();
        assert_eq!(stopped.status, Status::Inactive);
    }

    /// The operator with a reason acts with an administrator's permission, and without one as a project operator. The
    /// reason of a member is not used.
    async fn a_stop_with_a_reason_ends_with_a_reason(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let id = bench.create_key(&maren, "Gateway").await.id;
        let (keys, member) = (&bench.app.keys, Actor::User(maren.clone()));
        let reason = Precondition::with_reason(" Found in a repository ");
        let stopped = keys.transition(&Actor::Operator, id, Transition::Deactivate, reason).await.unwrap();
        let note = stopped.note.unwrap();
        assert_eq!((note.text.as_str(), note.by.as_str(), note.held), ("Found in a repository", "Command line", true));
        for (actor, precondition) in [
            (&member, Precondition::default()),
            (&member, Precondition::with_reason("It was none.")),
            (&Actor::Operator, Precondition::default()),
        ] {
            let denied = keys.transition(actor, id, Transition::Activate, precondition).await;
            assert!(matches!(denied, Err(Error::Stopped { reason }) if reason == "Found in a repository"));
        }
        let empty = Precondition::with_reason(" ");
        let denied = keys.transition(&Actor::Operator, id, Transition::Activate, empty).await;
        assert!(matches!(&denied, Err(Error::Invalid(fields)) if fields[0].name == "reason"), "{denied:?}");
        let reason = Precondition::with_reason("It was none.");
        let started = keys.transition(&Actor::Operator, id, Transition::Activate, reason).await.unwrap();
        assert_eq!(started.status, Status::Active);
        assert_eq!(started.note.map(|note| (note.text, note.held)), Some(("It was none.".to_owned(), false)));
        // A member's stop has no note, so the member can end it.
        let reason = Precondition::with_reason("Mine.");
        keys.transition(&member, id, Transition::Deactivate, reason).await.unwrap();
        assert!(!bench.key_row(id).await.unwrap().held);
        assert_eq!(change_key(keys, &maren, id, Transition::Activate).await.unwrap().status, Status::Active);
        let roles = format!("SELECT acting || ' ' || COALESCE(reason, '') FROM audit_events WHERE target = 'key:{id}' ORDER BY seq");
        let expected = ["owner ", "command line Found in a repository", "command line It was none.", "owner ", "owner "];
        assert_eq!(bench.query_texts(&roles).await, expected);
    }
}
