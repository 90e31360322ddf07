//! The last step: a settled replay of an ended stream becomes READY, or is WITHHELD.
//!
//! The playlist and the receipt are stored before the row says READY, and what was stored of a withheld replay is gone
//! before the row says so. A fault on the way is repaired by the sweeper, which
//! finds the replay settled and still PROCESSING and comes here again.

use crate::{
    Fault, Lifecycle, playlist,
    receipt::{self, RECEIPT_TYPE},
};
use entity::{ItemId, VodId, event, segment, vod};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use storage::Key;

/// The content type of a playlist (RFC 8216, section 4).
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

impl Lifecycle {
    /// Finalises what can be; a fault is logged and left to the sweeper.
    pub(crate) async fn finalise_all(&self, replays: &[VodId]) {
        for vod in replays {
            if let Err(fault) = self.finalise(*vod).await {
                tracing::warn!(vod.id = %vod, %fault, "replay not finalised yet");
            }
        }
    }

    /// Publishes or withholds a replay, if every segment is settled and its stream is over.
    pub(crate) async fn finalise(&self, id: VodId) -> Result<(), Fault> {
        let Some(replay) = vod::Entity::find_by_id(id).one(self.db()).await?.filter(is_due) else { return Ok(()) };
        if let Some(reason) = self.fault_of(&replay) {
            self.discard(id).await?;
            return self.close(id, Verdict::Withheld(reason)).await;
        }
        let segments = segment::Entity::find()
            .filter(segment::Column::VodId.eq(id))
            .order_by_asc(segment::Column::Number)
            .all(self.db())
            .await?;
        let folder = folder(id)?;
        let key = |name| folder.join(name).map_err(|error| Fault::unreadable("replay key", error));
        let receipt = receipt::render(id, &segments).map_err(|error| Fault::unreadable("receipt", error))?;
        self.parts.replays.put(&key("receipt.json")?, receipt.into(), RECEIPT_TYPE).await?;
        self.parts.replays.put(&key("index.m3u8")?, playlist::render(&segments).into(), PLAYLIST_TYPE).await?;
        self.drop_live_thumbnails(&replay, &folder).await;
        self.close(id, Verdict::Ready).await
    }

    /// Why a settled replay must not be shown, if it must not.
    #[expect(clippy::cast_precision_loss, reason = "a share of a length; a length beyond 2^53 ms is 285,000 years")]
    fn fault_of(&self, replay: &vod::Model) -> Option<String> {
        let missing = replay.gap_ms as f64 / replay.duration_ms.max(1) as f64;
        if replay.segments_known == 0 {
            Some("nothing was recorded".into())
        } else if missing > self.limits().gap_share || replay.gaps == replay.segments_known {
            Some(format!("{:.0} % of the recording could not be redacted safely", missing * 100.0))
        } else {
            None
        }
    }

    async fn close(&self, id: VodId, verdict: Verdict) -> Result<(), Fault> {
        let mut write = self.write().await?;
        let found = vod::Entity::find_by_id(id).lock_exclusive().one(&*write).await?;
        let Some(replay) = found.filter(is_due) else { return Ok(()) };
        let at = (replay.longitude, replay.latitude);
        let mut row = replay.into_active_model();
        row.live_thumbnail = Set(None);
        row.updated_at = Set(write.now());
        let kind = match verdict {
            Verdict::Ready => {
                row.status = Set(vod::Status::Ready);
                row.ready_at = Set(Some(write.now()));
                event::Kind::VodReady
            }
            Verdict::Withheld(reason) => {
                row.status = Set(vod::Status::Withheld);
                row.withheld_reason = Set(Some(reason));
                event::Kind::VodWithheld
            }
        };
        row.update(&*write).await?;
        write.event(kind, ItemId::Vod(id), at, None);
        write.commit().await?;
        tracing::info!(vod.id = %id, event = %kind, "replay closed");
        Ok(())
    }

    /// Deletes the objects of a replay that is withheld.
    async fn discard(&self, id: VodId) -> Result<(), Fault> {
        for (key, _) in self.parts.replays.list(&folder(id)?).await? {
            self.parts.replays.delete(&key).await?;
        }
        Ok(())
    }
}

/// Where a replay's objects lie.
fn folder(id: VodId) -> Result<Key, Fault> {
    Key::parse(&format!("vod/{id}")).map_err(|error| Fault::unreadable("replay key", error))
}

enum Verdict {
    Ready,
    Withheld(String),
}

fn is_due(replay: &vod::Model) -> bool {
    replay.status == vod::Status::Processing && replay.listed_at.is_some() && replay.is_settled()
}
