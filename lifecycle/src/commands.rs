//! What broadcasters ask for: start, move, stop.

use crate::{Fault, Lifecycle, Limits, write::Write};
use entity::{Category, Position, PublishToken, StreamId, event, stream};
use live::{Ingest, Lease, ProviderError};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, EntityTrait as _, IntoActiveModel as _, QuerySelect as _};

/// A broadcast to be.
#[derive(Clone, Debug)]
pub struct NewStream {
    /// What its broadcaster calls it.
    pub title: String,
    /// More words.
    pub description: Option<String>,
    /// The hazard it shows.
    pub category: Category,
    /// Where it is.
    pub position: Position,
    /// Degrees clockwise from north, 0 to below 360.
    pub heading: Option<f64>,
    /// Radius of the position's uncertainty, metres.
    pub accuracy: Option<f64>,
}

/// Where a broadcast is now.
#[derive(Clone, Copy, Debug)]
pub struct Movement {
    /// Where it is.
    pub position: Position,
    /// Degrees clockwise from north, 0 to below 360.
    pub heading: Option<f64>,
    /// Radius of the position's uncertainty, metres.
    pub accuracy: Option<f64>,
}

/// A broadcast that may begin.
#[derive(Debug)]
pub struct Started {
    /// The row.
    pub stream: stream::Model,
    /// The broadcaster's secret, shown this once.
    pub token: PublishToken,
    /// Where to send the picture.
    pub ingest: Ingest,
}

/// Why a broadcaster's wish was not done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A value that cannot be taken.
    #[error("{field}: {reason}")]
    Invalid {
        /// The input's name in the API.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such stream.
    #[error("there is no such stream")]
    UnknownStream,
    /// The token is not this stream's.
    #[error("the publish token is not this stream's")]
    WrongToken,
    /// The broadcast is over.
    #[error("the broadcast is over")]
    AlreadyOver,
    /// The live provider cannot.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A fault of the surroundings.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<sea_orm::DbErr> for CommandError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Fault(error.into())
    }
}

impl Lifecycle {
    /// Reserves a channel and makes a stream of it. The token is not kept: only its hash is.
    pub async fn start_stream(&self, new: NewStream) -> Result<Started, CommandError> {
        let new = checked(new, self.limits())?;
        let (id, token) = (StreamId::generate(), PublishToken::generate());
        let lease = self.parts.live.lease(id, &token).await?;
        match self.insert(id, &token, new, &lease).await {
            Ok(stream) => Ok(Started { stream, token, ingest: lease.ingest }),
            Err(fault) => {
                if let Err(error) = self.parts.live.release(&lease.channel_arn).await {
                    tracing::warn!(stream.id = %id, %error, "a channel was not given back");
                }
                Err(fault.into())
            }
        }
    }

    async fn insert(
        &self,
        id: StreamId,
        token: &PublishToken,
        new: NewStream,
        lease: &Lease,
    ) -> Result<stream::Model, Fault> {
        let write = self.write().await?;
        let row = stream::ActiveModel {
            id: Set(id),
            status: Set(stream::Status::Preparing),
            title: Set(new.title),
            description: Set(new.description),
            category: Set(new.category),
            longitude: Set(new.position.longitude.degrees()),
            latitude: Set(new.position.latitude.degrees()),
            cell: Set(new.position.cell()),
            heading: Set(new.heading),
            accuracy: Set(new.accuracy),
            publish_token_hash: Set(token.hash()),
            channel_arn: Set(lease.channel_arn.clone()),
            playback_url: Set(lease.playback_url.clone()),
            viewer_count: Set(0),
            created_at: Set(write.now()),
            updated_at: Set(write.now()),
            ..Default::default()
        };
        let stream = row.insert(&*write).await?;
        write.commit().await?;
        tracing::info!(stream.id = %id, "stream prepared");
        Ok(stream)
    }

    /// Puts a stream, and the replay that is growing from it, somewhere else.
    pub async fn move_stream(
        &self,
        id: StreamId,
        token: &PublishToken,
        movement: Movement,
    ) -> Result<stream::Model, CommandError> {
        check_bearing(movement.heading, movement.accuracy, self.limits())?;
        let mut write = self.write().await?;
        let before = owned(&write, id, token).await?;
        let (from, on_air) = (before.position(), before.status.is_on_air());
        let mut row = before.into_active_model();
        row.longitude = Set(movement.position.longitude.degrees());
        row.latitude = Set(movement.position.latitude.degrees());
        row.cell = Set(movement.position.cell());
        row.heading = Set(movement.heading);
        row.accuracy = Set(movement.accuracy);
        row.updated_at = Set(write.now());
        let stream = row.update(&*write).await?;
        self.move_recordings(&write, &stream).await?;
        if on_air {
            let at = (stream.longitude, stream.latitude);
            write.event(event::Kind::StreamMoved, entity::ItemId::Stream(id), at, from);
        }
        write.commit().await?;
        Ok(stream)
    }

    /// Ends a broadcast, at once and for good.
    pub async fn stop_stream(&self, id: StreamId, token: &PublishToken) -> Result<stream::Model, CommandError> {
        let known = stream::Entity::find_by_id(id).one(self.db()).await?.ok_or(CommandError::UnknownStream)?;
        authorise(&known, token)?;
        // First the picture, then the row: were it the other way round, a fault between could leave it on air.
        self.parts.live.release(&known.channel_arn).await?;
        let mut write = self.write().await?;
        // Not asked again whether it is over: the provider may have said so in the meantime.
        let found = stream::Entity::find_by_id(id).lock_exclusive().one(&*write).await?;
        let stream = found.ok_or(CommandError::UnknownStream)?;
        let facts = stream::Facts { ended_at: Some(write.now()), ..stream::Facts::default() };
        let (stream, settled) = self.merge_facts(&mut write, stream, facts).await?;
        write.commit().await?;
        self.finalise_all(&settled).await;
        Ok(stream)
    }
}

/// The stream, locked for this change, if the token is its own and it is not over.
async fn owned(write: &Write, id: StreamId, token: &PublishToken) -> Result<stream::Model, CommandError> {
    let found = stream::Entity::find_by_id(id).lock_exclusive().one(&**write).await?;
    let stream = found.ok_or(CommandError::UnknownStream)?;
    authorise(&stream, token)?;
    Ok(stream)
}

/// The token is asked first: who does not hold it learns nothing of the stream's state.
fn authorise(stream: &stream::Model, token: &PublishToken) -> Result<(), CommandError> {
    if !stream.publish_token_hash.matches(token) {
        return Err(CommandError::WrongToken);
    }
    if stream.status.is_over() {
        return Err(CommandError::AlreadyOver);
    }
    Ok(())
}

fn checked(mut new: NewStream, limits: &Limits) -> Result<NewStream, CommandError> {
    new.title = text("title", &new.title, limits.title_chars, false)?;
    if new.title.is_empty() {
        return Err(CommandError::Invalid { field: "title", reason: "must not be empty".into() });
    }
    new.description = match &new.description {
        Some(words) => Some(text("description", words, limits.description_chars, true)?).filter(|t| !t.is_empty()),
        None => None,
    };
    check_bearing(new.heading, new.accuracy, limits)?;
    Ok(new)
}

fn text(field: &'static str, given: &str, max: usize, lines: bool) -> Result<String, CommandError> {
    let given = given.trim();
    let invalid = |reason: String| Err(CommandError::Invalid { field, reason });
    if given.chars().count() > max {
        return invalid(format!("must be at most {max} characters long"));
    }
    if given.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'))) {
        return invalid("must not hold control characters".into());
    }
    Ok(given.to_owned())
}

fn check_bearing(heading: Option<f64>, accuracy: Option<f64>, limits: &Limits) -> Result<(), CommandError> {
    if heading.is_some_and(|degrees| !(0.0..360.0).contains(&degrees)) {
        let reason = "must be at least 0 and below 360 degrees".into();
        return Err(CommandError::Invalid { field: "heading", reason });
    }
    if accuracy.is_some_and(|metres| !(0.0..=limits.accuracy_max).contains(&metres)) {
        let reason = format!("must lie between 0 and {} metres", limits.accuracy_max);
        return Err(CommandError::Invalid { field: "accuracy", reason });
    }
    Ok(())
}
