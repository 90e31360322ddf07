//! `/s/{item}`: the map with one item open, and what other sites show of a link to it (Open Graph, <https://ogp.me>).
//!
//! What is told is what the public API tells: the title, where and when, and the picture made of blurred frames. An
//! unknown or withdrawn item is the plain map, which then says so itself.

use super::assets::{self, Found};
use crate::{
    read::{
        items::{self, Item},
        streams, vods,
    },
    schema::{PublicUrls, types::Vod},
    server::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, Header as _, Preference},
    web::{Data, Path},
};
use entity::{ItemId, vod};
use places::Language;
use sea_orm::{ConnectionTrait, DbErr};
use std::fmt::Write as _;

const PAGE: &str = "index.html";
/// What stands in the page where the tags belong.
const PLACE: &str = "</head>";
const SITE: &str = "Emergency Time";
/// What is shown of an item that has no picture.
const ICON: &str = "icon-512.png";

pub(super) async fn page(request: HttpRequest, id: Path<String>, state: Data<State>) -> HttpResponse {
    let policy = &state.pages.policies.map;
    let Some(card) = card(&id, language(&request), &state).await else {
        return assets::page(&request, PAGE, assets::NO_MAP, policy);
    };
    let found = Found::by_name(PAGE);
    let page = found.as_ref().map_or(assets::NO_MAP.into(), |found| String::from_utf8_lossy(found.bytes()));
    let mut answer = assets::html(policy, page.replacen(PLACE, &(card.tags() + PLACE), 1));
    answer.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept-language"));
    answer
}

/// The language that is asked for before all others, as far as it is spoken here.
fn language(request: &HttpRequest) -> Language {
    let wanted = header::AcceptLanguage::parse(request).ok().map(|languages| languages.preference());
    match wanted {
        Some(Preference::Specific(tag)) if tag.primary_language() == "ko" => Language::Korean,
        _ => Language::English,
    }
}

/// What is told of an item.
struct Card {
    title: String,
    description: String,
    url: String,
    picture: String,
}

async fn card(id: &str, language: Language, state: &State) -> Option<Card> {
    let id: ItemId = id.parse().ok()?;
    let db = state.db.clone();
    match state.executor.run(async move { Shared::read(&db, id).await }).await? {
        Ok(found) => found.map(|shared| Card::of(shared, language, state)),
        Err(error) => {
            tracing::error!(error = %error, "an item cannot be read for its link");
            None
        }
    }
}

/// An item, and the broadcast or replay that belongs to it.
struct Shared {
    item: Item,
    /// What it is called: a replay is called what its broadcast is called.
    title: String,
    /// Of which its picture is, if it may have one.
    vod: Option<vod::Model>,
}

impl Shared {
    async fn read(db: &impl ConnectionTrait, id: ItemId) -> Result<Option<Self>, DbErr> {
        let Some(item) = items::by_id(db, id).await? else { return Ok(None) };
        let (title, vod) = match &item {
            Item::Stream(row) => {
                let vod = vods::newest_of(db, &[row.id]).await?.remove(&row.id);
                (Some(row.title.clone()), vod)
            }
            Item::Vod(row) => {
                let stream = streams::by_id(db, row.stream_id).await?;
                (stream.map(|stream| stream.title), Some(row.clone()))
            }
            Item::Cctv(row) => (Some(row.name.clone()), None),
        };
        Ok(title.map(|title| Self { item, title, vod }))
    }

    /// Its picture, made of blurred frames.
    fn picture(&self, urls: &PublicUrls) -> Option<String> {
        let vod = Vod(self.vod.clone()?);
        let on_air = matches!(&self.item, Item::Stream(row) if row.status.is_on_air());
        vod.picture(if on_air { vod.0.live_thumbnail } else { vod.0.thumbnail }, urls)
    }
}

impl Card {
    fn of(shared: Shared, language: Language, state: &State) -> Self {
        let (id, urls) = (shared.item.id(), &state.urls);
        let (english, korean, position) = match &shared.item {
            Item::Stream(row) => ("Live broadcast", "실시간 방송", row.position()),
            Item::Vod(row) => ("Replay, faces blurred", "다시보기, 얼굴 흐림 처리", row.position()),
            Item::Cctv(row) => ("Public camera", "공공 CCTV", row.position()),
        };
        let kind = match language {
            Language::English => english,
            Language::Korean => korean,
        };
        let place = position.and_then(|at| state.places.at(at)).map(|place| place.name(language));
        Self {
            description: place.map_or_else(|| kind.to_owned(), |place| format!("{kind} · {place}")),
            url: urls.page(&format!("s/{id}")),
            picture: shared.picture(urls).unwrap_or_else(|| urls.page(ICON)),
            title: shared.title,
        }
    }

    fn tags(&self) -> String {
        let properties = [
            ("og:site_name", SITE),
            ("og:type", "website"),
            ("og:title", &self.title),
            ("og:description", &self.description),
            ("og:url", &self.url),
            ("og:image", &self.picture),
        ];
        let mut tags = String::new();
        for (name, value) in properties {
            // Writing to a string cannot fail.
            let _ = write!(tags, "<meta property=\"{name}\" content=\"{}\">", escaped(value));
        }
        tags
    }
}

/// A text as the value of an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_leave_its_attribute() {
        let card = Card {
            title: "\"><script>alert('1')</script>\n&".into(),
            description: String::new(),
            url: String::new(),
            picture: String::new(),
        };
        let tags = card.tags();
        assert!(tags.contains("content=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp;\""), "{tags}");
    }
}
