//! Schema version: the migrations that a database contains, compared with those of this program.

use super::Error;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};

/// How a database is opened if its schema differs from that of this program. A newer schema is always refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaMode {
    /// Applies the pending migrations.
    Migrate,
    /// Creates the schema in a database that has none, and refuses an older schema.
    Create,
    /// Refuses a database without a schema, and an older schema.
    Require,
}

/// The schema of a database, and the migrations that were applied to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaUpdate {
    /// The version of the schema, which is the version of its newest migration.
    pub version: i64,
    /// Version and description of each applied migration, oldest first.
    pub applied: Vec<(i64, String)>,
}

/// The schema of a database, as far as this program knows its migrations.
#[derive(Debug)]
pub(super) struct Schema {
    /// The newest migration in the database. `None` for a database without a schema.
    version: Option<i64>,
    /// The newest migration of this program.
    latest: i64,
    /// The migrations of this program that the database lacks, oldest first.
    pending: Vec<&'static Migration>,
}

impl Schema {
    /// Reads the schema of a database. `exists`: whether the database contains the table of migrations.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`] if the database contains a migration that this program does not know;
    /// [`Error::Migrate`] if a migration was modified after it was applied.
    pub(super) async fn read<C: Migrate>(conn: &mut C, exists: bool, known: &'static Migrator) -> Result<Self, Error> {
        if !exists {
            return Self::compare(&[], known);
        }
        if let Some(version) = conn.dirty_version(&known.table_name).await? {
            return Err(MigrateError::Dirty(version).into());
        }
        Self::compare(&conn.list_applied_migrations(&known.table_name).await?, known)
    }

    fn compare(applied: &[AppliedMigration], known: &'static Migrator) -> Result<Self, Error> {
        let latest = known.iter().map(|it| it.version).max().unwrap_or_default();
        let version = applied.iter().map(|it| it.version).max();
        if let Some(unknown) = applied.iter().rev().find(|it| !known.version_exists(it.version)) {
            return Err(Error::SchemaNewer { found: unknown.version, latest });
        }
        let mut pending = Vec::new();
        for migration in known.iter() {
            match applied.iter().find(|it| it.version == migration.version) {
                None => pending.push(migration),
                Some(it) if it.checksum == migration.checksum => {}
                Some(it) => return Err(MigrateError::VersionMismatch(it.version).into()),
            }
        }
        Ok(Self { version, latest, pending })
    }

    /// Returns whether the database contains every migration of this program.
    pub(super) fn is_current(&self) -> bool {
        self.pending.is_empty()
    }

    /// Checks that this schema is current, or that the mode allows applying the pending migrations.
    ///
    /// # Errors
    /// [`Error::SchemaMissing`] or [`Error::SchemaOlder`].
    pub(super) fn check(&self, mode: SchemaMode) -> Result<(), Error> {
        match (mode, self.version) {
            _ if self.is_current() => Ok(()),
            (SchemaMode::Migrate, _) | (SchemaMode::Create, None) => Ok(()),
            (SchemaMode::Require, None) => Err(Error::SchemaMissing),
            (_, Some(found)) => Err(Error::SchemaOlder { found, latest: self.latest }),
        }
    }
}

impl From<Schema> for SchemaUpdate {
    /// Returns the update in which all pending migrations were applied.
    fn from(schema: Schema) -> Self {
        let applied = schema.pending.iter().map(|it| (it.version, it.description.to_string())).collect();
        Self { version: schema.latest, applied }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::MIGRATIONS;

    /// Returns the first migrations of this program, as a database lists them.
    fn applied(count: usize) -> Vec<AppliedMigration> {
        let applied = MIGRATIONS.iter().take(count);
        applied.map(|it| AppliedMigration { version: it.version, checksum: it.checksum.clone() }).collect()
    }

    #[test]
    fn each_mode_accepts_the_schemas_that_it_names() {
        use SchemaMode::{Create, Migrate, Require};
        let all = MIGRATIONS.iter().count();
        for (count, accepted) in [
            (0, vec![Migrate, Create]),
            (1, vec![Migrate]),
            (all - 1, vec![Migrate]),
            (all, vec![Migrate, Create, Require]),
        ] {
            let schema = Schema::compare(&applied(count), &MIGRATIONS).unwrap();
            for mode in [Migrate, Create, Require] {
                assert_eq!(schema.check(mode).is_ok(), accepted.contains(&mode), "{count} of {all}, {mode:?}");
            }
            let update = SchemaUpdate::from(schema);
            assert_eq!(
                (update.applied.len(), Some(update.version)),
                (all - count, MIGRATIONS.iter().map(|it| it.version).max())
            );
        }
    }

    #[test]
    fn an_unknown_or_modified_migration_is_refused() {
        let mut newer = applied(MIGRATIONS.iter().count());
        newer.push(AppliedMigration { version: i64::MAX, checksum: vec![0].into() });
        let refused = Schema::compare(&newer, &MIGRATIONS).unwrap_err();
        assert!(matches!(refused, Error::SchemaNewer { found: i64::MAX, .. }), "{refused}");
        let mut modified = applied(2);
        modified[1].checksum = vec![0].into();
        let refused = Schema::compare(&modified, &MIGRATIONS).unwrap_err();
        assert!(matches!(refused, Error::Migrate(MigrateError::VersionMismatch(_))), "{refused}");
    }
}
