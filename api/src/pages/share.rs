//! `/s/{item}`: the map with one item open, and what other sites show of a link to it (Open Graph, <https://ogp.me>).
//!
//! What is told is what the public API tells: the title, where and when, and the picture made of blurred frames. An
//! unknown or withdrawn item is the plain map, which then says so itself.

use super::assets::{self, Found};
use crate::{
    read::items::{self, Item},
    schema::PublicUrls,
    server::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use entity::ItemId;
use std::fmt::Write as _;

/// What stands in the page where the tags belong.
const PLACE: &str = "</head>";
const SITE: &str = "Emergency Time";

pub(super) async fn page(request: HttpRequest, id: Path<String>, state: Data<State>) -> HttpResponse {
    let policy = &state.pages.policies.map;
    let Some(found) = Found::by_name("index.html") else { return assets::html(policy, assets::NO_MAP) };
    let Some(card) = card(&id, &state).await else { return found.answer(&request, policy) };
    let page = String::from_utf8_lossy(found.bytes()).replacen(PLACE, &(card.tags() + PLACE), 1);
    assets::html(policy, page)
}

/// What is told of an item.
struct Card {
    title: String,
    description: String,
    url: String,
    picture: Option<String>,
}

async fn card(id: &str, state: &State) -> Option<Card> {
    let id: ItemId = id.parse().ok()?;
    let db = state.db.clone();
    let read = state.executor.run(async move {
        let item = items::by_id(&db, id).await?;
        // A replay is called what its broadcast is called.
        let title = match &item {
            Some(Item::Vod(vod)) => items::by_id(&db, ItemId::Stream(vod.stream_id)).await?.and_then(title),
            _ => None,
        };
        Ok::<_, sea_orm::DbErr>(item.map(|item| (item, title)))
    });
    match read.await? {
        Ok(found) => found.and_then(|(item, title)| Card::of(item, title, &state.urls, state)),
        Err(error) => {
            tracing::error!(error = %error, "an item cannot be read for its link");
            None
        }
    }
}

fn title(item: Item) -> Option<String> {
    match item {
        Item::Stream(row) => Some(row.title),
        Item::Cctv(row) => Some(row.name),
        Item::Vod(_) => None,
    }
}

impl Card {
    fn of(item: Item, of_stream: Option<String>, urls: &PublicUrls, state: &State) -> Option<Self> {
        let id = item.id();
        let (kind, position) = match &item {
            Item::Stream(row) => ("Live broadcast", row.position()),
            Item::Vod(row) => ("Replay, faces blurred", row.position()),
            Item::Cctv(row) => ("Public camera", row.position()),
        };
        let place = position.and_then(|at| state.places.at(at));
        let place = place.map(|place| place.name(places::Language::Korean));
        Some(Self {
            title: of_stream.or_else(|| title(item))?,
            description: place.map_or_else(|| kind.to_owned(), |place| format!("{kind} · {place}")),
            url: urls.page(&format!("s/{id}")),
            picture: Some(urls.page("icon-512.png")),
        })
    }

    fn tags(&self) -> String {
        let properties = [
            ("og:site_name", Some(SITE)),
            ("og:type", Some("website")),
            ("og:title", Some(self.title.as_str())),
            ("og:description", Some(self.description.as_str())),
            ("og:url", Some(self.url.as_str())),
            ("og:image", self.picture.as_deref()),
        ];
        let mut tags = String::new();
        for (name, value) in properties {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(tags, "<meta property=\"{name}\" content=\"{}\">", escaped(value));
            }
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
            picture: None,
        };
        let tags = card.tags();
        assert!(tags.contains("content=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp;\""), "{tags}");
        assert!(!tags.contains("og:image"));
    }
}
