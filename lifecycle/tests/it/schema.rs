//! Migrations go forward and back.

use crate::world::{BACKENDS, connect};
use migration::{Migrator, MigratorTrait as _};

#[tokio::test]
async fn the_schema_goes_up_and_down_and_up_again() {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().unwrap();
        let (db, _database) = connect(backend, &folder).await;
        Migrator::up(&db, None).await.unwrap();
        Migrator::down(&db, None).await.unwrap();
        assert_eq!(Migrator::get_applied_migrations(&db).await.unwrap().len(), 0, "{backend:?}");
        Migrator::up(&db, None).await.unwrap();
        assert!(Migrator::get_pending_migrations(&db).await.unwrap().is_empty(), "{backend:?}");
    }
}
