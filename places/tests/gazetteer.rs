//! The bundled places: what is found, and what is said of a position.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may end this way")]

use entity::Position;
use places::{Gazetteer, Language};
use proptest::prelude::*;
use std::sync::LazyLock;

static PLACES: LazyLock<Gazetteer> = LazyLock::new(|| Gazetteer::bundled().unwrap());

fn at(longitude: f64, latitude: f64) -> Position {
    Position::new(longitude, latitude).unwrap()
}

fn names(text: &str, near: Option<Position>) -> Vec<String> {
    PLACES.search(text, near, 5).into_iter().map(|place| place.name(Language::English)).collect()
}

fn first(text: &str) -> String {
    names(text, None).into_iter().next().unwrap_or_default()
}

#[test]
fn the_data_holds_every_part_of_korea_and_the_cities_of_the_world() {
    assert!(PLACES.len() > 34_000);
    for (text, name) in [("서울", "Seoul"), ("제주특별자치도", "Jeju"), ("울릉", "Ulleung-gun, North Gyeongsang")]
    {
        assert_eq!(first(text), name);
    }
    for text in ["Tokyo", "도쿄", "Manila", "마닐라", "Jakarta", "São Paulo", "sao paulo"] {
        assert!(!names(text, None).is_empty(), "{text}");
    }
}

#[test]
fn a_place_is_found_by_its_name_in_either_language_and_while_it_is_typed() {
    for text in ["해운대구", "해운대", "해운", "Haeundae", "haeundae-gu", "부산 해운대", "HAEUNDAE busan"]
    {
        assert_eq!(first(text), "Haeundae-gu, Busan", "{text}");
    }
    assert_eq!(first("부사"), "Busan");
    assert_eq!(first("tok"), "Tokyo, Japan");
    assert_eq!(first("분당"), "Bundang-gu, Seongnam, Gyeonggi");
}

#[test]
fn what_begins_no_name_is_not_found() {
    for text in ["qqqq", "seoul qqqq", "   ", "-"] {
        assert_eq!(names(text, None), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn of_places_of_one_name_the_near_one_comes_first() {
    assert_eq!(names("중구", Some(at(129.03, 35.10)))[0], "Jung-gu, Busan");
    assert_eq!(names("중구", Some(at(126.63, 37.47)))[0], "Jung-gu, Incheon");
    assert_eq!(names("Gwangju", Some(at(127.2, 37.4)))[0], "Gwangju, Gyeonggi");
}

#[test]
fn a_name_is_in_the_order_of_its_language() {
    let place = PLACES.at(at(127.12, 37.38)).unwrap();
    assert_eq!(place.name(Language::English), "Bundang-gu, Seongnam, Gyeonggi");
    assert_eq!(place.name(Language::Korean), "경기도 성남시 분당구");
    let tokyo = PLACES.search("도쿄", None, 1)[0];
    assert_eq!(tokyo.name(Language::Korean), "일본 도쿄");
}

#[test]
fn a_position_is_at_its_nearest_place() {
    let name = |x, y| PLACES.at(at(x, y)).map(|place| place.name(Language::English)).unwrap_or_default();
    assert_eq!(name(127.028, 37.498), "Seocho-gu, Seoul");
    assert_eq!(name(127.289, 36.48), "Sejong");
    assert_eq!(name(130.87, 37.50), "Ulleung-gun, North Gyeongsang");
    assert_eq!(name(178.43, -18.14), "Suva, Fiji");
    assert_eq!(name(-160.0, 0.0), "", "the open sea is no place");
    assert_eq!(name(0.0, 90.0), "", "nor is the pole");
}

proptest! {
    #[test]
    fn every_position_has_an_answer_or_none_and_never_fails(x in -180.0..=180.0, y in -90.0..=90.0) {
        let near = PLACES.at(at(x, y));
        prop_assert!(near.is_none_or(|place| place.position().latitude.degrees() - y < 0.5));
    }

    #[test]
    fn any_text_can_be_searched_for(text in ".{0,40}") {
        prop_assert!(PLACES.search(&text, Some(at(127.0, 37.0)), 5).len() <= 5);
    }
}
