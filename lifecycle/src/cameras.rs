//! Public cameras: added and changed by their source's name for them.

use crate::{Fault, Lifecycle, write::Write};
use entity::{CctvId, ItemId, Position, cctv, event};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QuerySelect as _,
};

/// Cameras per transaction: long enough to be fast, short enough that others get their turn.
const BATCH: usize = 500;

/// A camera as its source describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Who publishes it.
    pub source: String,
    /// The source's own name for it.
    pub source_id: String,
    /// What it looks at.
    pub name: String,
    /// What `url` gives.
    pub kind: cctv::Kind,
    /// The picture.
    pub url: String,
    /// Whom to credit.
    pub attribution: Option<String>,
    /// Where it is.
    pub position: Position,
}

/// What an import did, in cameras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upserted {
    /// New ones.
    pub added: usize,
    /// Ones whose description changed.
    pub changed: usize,
    /// Ones that were known as they are.
    pub unchanged: usize,
}

impl Lifecycle {
    /// Adds cameras, or brings known ones up to date.
    pub async fn upsert_cctvs(&self, cameras: Vec<Camera>) -> Result<Upserted, Fault> {
        let mut total = Upserted::default();
        for batch in cameras.chunks(BATCH) {
            let mut write = self.write().await?;
            for camera in batch {
                upsert(&mut write, camera, &mut total).await?;
            }
            write.commit().await?;
        }
        Ok(total)
    }
}

async fn upsert(write: &mut Write, camera: &Camera, total: &mut Upserted) -> Result<(), Fault> {
    let known = cctv::Entity::find()
        .filter(cctv::Column::Source.eq(&camera.source))
        .filter(cctv::Column::SourceId.eq(&camera.source_id))
        .lock_exclusive()
        .one(&**write)
        .await?;
    let row = match known {
        Some(known) if is_same(&known, camera) => {
            total.unchanged += 1;
            return Ok(());
        }
        Some(known) => {
            total.changed += 1;
            described(known.into_active_model(), write, camera).update(&**write).await?
        }
        None => {
            total.added += 1;
            let new = cctv::ActiveModel {
                id: Set(CctvId::generate()),
                source: Set(camera.source.clone()),
                source_id: Set(camera.source_id.clone()),
                status: Set(cctv::Status::Unknown),
                created_at: Set(write.now()),
                ..Default::default()
            };
            described(new, write, camera).insert(&**write).await?
        }
    };
    write.event(event::Kind::CctvChanged, ItemId::Cctv(row.id), (row.longitude, row.latitude), None);
    Ok(())
}

fn is_same(known: &cctv::Model, camera: &Camera) -> bool {
    known.name == camera.name
        && known.kind == camera.kind
        && known.url == camera.url
        && known.attribution == camera.attribution
        && known.position() == Some(camera.position)
}

fn described(mut row: cctv::ActiveModel, write: &Write, camera: &Camera) -> cctv::ActiveModel {
    row.name = Set(camera.name.clone());
    row.kind = Set(camera.kind);
    row.url = Set(camera.url.clone());
    row.attribution = Set(camera.attribution.clone());
    row.longitude = Set(camera.position.longitude.degrees());
    row.latitude = Set(camera.position.latitude.degrees());
    row.cell = Set(camera.position.cell());
    row.updated_at = Set(write.now());
    row
}
