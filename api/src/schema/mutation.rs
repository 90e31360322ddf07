//! What broadcasters can do. What they can act on is told in the payload; only faults are errors.

use super::{
    Failure, Result, part,
    types::{
        Stream,
        input::{MoveStreamInput, StartStreamInput, StopStreamInput},
    },
};
use crate::schema::PublicUrls;
use async_graphql::{Context, Enum, Object, SimpleObject};
use entity::{PublishToken, stream};
use lifecycle::{CommandError, Fault, Lifecycle, Movement, NewStream, Started};
use live::ProviderError;

/// What broadcasters can do.
pub struct Mutation;

/// What `startStream` answers: a broadcast that may begin, or why there is none.
#[derive(SimpleObject, Default)]
pub struct StartStreamPayload {
    /// The broadcast; null if `error` is not.
    stream: Option<Stream>,
    /// The right to publish, move and stop this broadcast. Shown this once; keep it secret.
    publish_token: Option<String>,
    /// Where to send the picture.
    ingest: Option<Ingest>,
    /// Why there is no broadcast.
    error: Option<StreamCommandError>,
}

/// What `moveStream` answers.
#[derive(SimpleObject, Default)]
pub struct MoveStreamPayload {
    /// The broadcast where it is now; null if `error` is not.
    stream: Option<Stream>,
    /// Why it was not moved.
    error: Option<StreamCommandError>,
}

/// What `stopStream` answers.
#[derive(SimpleObject, Default)]
pub struct StopStreamPayload {
    /// The broadcast, ended; null if `error` is not.
    stream: Option<Stream>,
    /// Why it was not stopped.
    error: Option<StreamCommandError>,
}

/// Where a broadcaster sends the picture. What the live provider does not offer is null.
#[derive(SimpleObject)]
pub struct Ingest {
    /// The channel that was reserved, by the live provider's name for it: what its messages carry.
    channel_arn: String,
    /// For browsers: WHIP (RFC 9725), with the publish token as bearer token.
    whip_url: Option<String>,
    /// For broadcast apps: RTMP.
    rtmp_url: Option<String>,
    /// The key that goes with `rtmpUrl`. Keep it secret.
    stream_key: Option<String>,
    /// For the Amazon IVS Web Broadcast SDK.
    ivs: Option<IvsIngest>,
}

/// What the Amazon IVS Web Broadcast SDK wants.
#[derive(SimpleObject)]
pub struct IvsIngest {
    /// Host name.
    ingest_endpoint: String,
    /// Keep it secret.
    stream_key: String,
    /// The channel.
    channel_arn: String,
}

/// Why a broadcaster's wish was not done.
#[derive(SimpleObject)]
pub struct StreamCommandError {
    /// What to decide by.
    code: StreamCommandErrorCode,
    /// A sentence for people.
    message: String,
    /// The field of the input it is about, such as `position.latitude`.
    field: Option<String>,
}

/// What kind of reason.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamCommandErrorCode {
    /// There is no broadcast of this id.
    UnknownStream,
    /// The publish token is not this broadcast's.
    WrongToken,
    /// The broadcast is over.
    AlreadyOver,
    /// A value cannot be taken; `field` says which.
    BadInput,
    /// Every channel of the live provider is taken; later there may be one.
    NoChannelFree,
}

/// What broadcasters can do.
#[Object]
impl Mutation {
    /// Announces a broadcast and reserves a channel for it. It is on the map once its picture comes in.
    async fn start_stream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be on air.")] input: StartStreamInput,
    ) -> Result<StartStreamPayload> {
        let started = match input.position.parse("position") {
            Ok(position) => part::<Lifecycle>(ctx)?.start_stream(input.at(position)).await.map_err(Refusal::from),
            Err(failure) => Err(Refusal::Faulty(failure)),
        };
        Ok(match started {
            Ok(started) => StartStreamPayload::new(started, part(ctx)?),
            Err(refusal) => StartStreamPayload { error: Some(refusal.told()?), ..Default::default() },
        })
    }

    /// Tells that a broadcast is somewhere else now. Its replay moves along.
    async fn move_stream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which broadcast, and where it is now.")] input: MoveStreamInput,
    ) -> Result<MoveStreamPayload> {
        Ok(match moved(part(ctx)?, input).await {
            Ok(row) => MoveStreamPayload { stream: Some(Stream(row)), error: None },
            Err(refusal) => MoveStreamPayload { stream: None, error: Some(refusal.told()?) },
        })
    }

    /// Ends a broadcast, at once and for good. Its replay takes its place on the map.
    async fn stop_stream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which broadcast.")] input: StopStreamInput,
    ) -> Result<StopStreamPayload> {
        Ok(match stopped(part(ctx)?, &input).await {
            Ok(row) => StopStreamPayload { stream: Some(Stream(row)), error: None },
            Err(refusal) => StopStreamPayload { stream: None, error: Some(refusal.told()?) },
        })
    }
}

async fn moved(lifecycle: &Lifecycle, input: MoveStreamInput) -> Result<stream::Model, Refusal> {
    let id = input.id.parse().map_err(|_| CommandError::UnknownStream)?;
    let position = input.position.parse("position").map_err(Refusal::Faulty)?;
    let movement = Movement { position, heading: input.heading, accuracy: input.accuracy };
    Ok(lifecycle.move_stream(id, &PublishToken::from_client(&input.publish_token), movement).await?)
}

async fn stopped(lifecycle: &Lifecycle, input: &StopStreamInput) -> Result<stream::Model, Refusal> {
    let id = input.id.parse().map_err(|_| CommandError::UnknownStream)?;
    Ok(lifecycle.stop_stream(id, &PublishToken::from_client(&input.publish_token)).await?)
}

impl StartStreamInput {
    fn at(self, position: entity::Position) -> NewStream {
        NewStream {
            title: self.title,
            description: self.description,
            category: self.category.into(),
            position,
            heading: self.heading,
            accuracy: self.accuracy,
        }
    }
}

impl StartStreamPayload {
    fn new(started: Started, urls: &PublicUrls) -> Self {
        let channel_arn = started.stream.channel_arn.clone();
        let ivs = started.ingest.ivs.map(|ivs| IvsIngest {
            ingest_endpoint: ivs.ingest_endpoint,
            stream_key: ivs.stream_key,
            channel_arn: channel_arn.clone(),
        });
        let ingest = Ingest {
            channel_arn,
            whip_url: started.ingest.whip_url.map(|address| urls.live(&address)),
            rtmp_url: started.ingest.rtmp_url,
            stream_key: started.ingest.stream_key,
            ivs,
        };
        Self {
            stream: Some(Stream(started.stream)),
            publish_token: Some(started.token.reveal().to_owned()),
            ingest: Some(ingest),
            error: None,
        }
    }
}

/// Why a wish was not done, before it is known whether the broadcaster can act on it.
enum Refusal {
    /// The input could not be parsed.
    Faulty(Failure),
    /// The lifecycle did not do it.
    Refused(CommandError),
}

impl From<CommandError> for Refusal {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

impl Refusal {
    /// What the broadcaster is told in the payload; a fault becomes an error instead.
    fn told(self) -> Result<StreamCommandError> {
        use StreamCommandErrorCode::{AlreadyOver, BadInput, NoChannelFree, UnknownStream, WrongToken};
        let bad_input = |field: String, reason: String| StreamCommandError {
            code: BadInput,
            message: format!("{field}: {reason}"),
            field: Some(field),
        };
        let error = match self {
            Self::Faulty(Failure::BadInput { field, reason }) => return Ok(bad_input(field, reason)),
            Self::Faulty(failure) => return Err(failure),
            Self::Refused(error) => error,
        };
        let message = error.to_string();
        let code = match error {
            CommandError::Invalid { field, reason } => return Ok(bad_input(field.to_owned(), reason)),
            CommandError::UnknownStream => UnknownStream,
            CommandError::WrongToken => WrongToken,
            CommandError::AlreadyOver => AlreadyOver,
            CommandError::Provider(ProviderError::Full) => NoChannelFree,
            CommandError::Provider(error) => return Err(Failure::unavailable(error)),
            CommandError::Fault(Fault::Database(error)) => return Err(error.into()),
            CommandError::Fault(fault @ Fault::Unreadable { .. }) => return Err(Failure::internal(fault)),
            CommandError::Fault(fault) => return Err(Failure::unavailable(fault)),
        };
        Ok(StreamCommandError { code, message, field: None })
    }
}
