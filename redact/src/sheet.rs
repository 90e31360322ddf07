//! Parts of a picture laid out side by side on one small sheet, so that the detector looks at all of them at once and
//! at the price of the sheet: a network costs by the pixel, and each new size of picture costs it a set-up.

use crate::{
    analysis::Tone,
    detector::{Detection, GRID, Rgb},
    geometry::Region,
};
use media::{Picture, Plane, Rotation};
use std::ops::{Range, RangeInclusive};

/// Pixels of the sheet left between two pieces, so that they are not taken for one thing.
const GAP: usize = 8;
/// Enlargements tried, in pixels of the sheet per pixel of the reduced picture.
const ZOOMS: [f32; 4] = [3.0, 2.0, 1.5, 1.0];
/// The enlargement at which the sheet shows what the reduced picture does.
pub(crate) const FULL: f32 = 1.0;
/// Sizes of sheets, smallest first: the picture's width and height over these. Up to a quarter of the picture, and up to
/// half of it.
const QUARTER: &[(usize, usize)] = &[(4, 4), (2, 4), (2, 2)];
const HALF: &[(usize, usize)] = &[(4, 4), (2, 4), (4, 2), (2, 2), (4, 1), (1, 4), (1, 2), (2, 1)];
/// What lies between the pieces: a grey.
const GREY: f32 = 114.0;
/// How near to the edge of its piece a face may be before it is taken for one that goes on beyond it, as a share of its
/// size.
const NEAR: f32 = 0.2;

/// A rectangle of the reduced picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Area {
    /// What lies around `region`, `margin` times its size on each side, within a picture of `size`.
    pub fn around(region: Region, margin: f32, size: (f32, f32)) -> Self {
        let reach = margin * region.size();
        let left = (region.x - region.w / 2.0 - reach).clamp(0.0, size.0);
        let top = (region.y - region.h / 2.0 - reach).clamp(0.0, size.1);
        let right = (region.x + region.w / 2.0 + reach).clamp(0.0, size.0);
        let bottom = (region.y + region.h / 2.0 + reach).clamp(0.0, size.1);
        Self { x: left, y: top, w: right - left, h: bottom - top }
    }

    /// So many rows of a picture of this width.
    pub fn across(rows: &Range<usize>, width: usize) -> Self {
        Self { x: 0.0, y: rows.start as f32, w: width as f32, h: rows.len() as f32 }
    }

    /// Whether the point lies in it.
    pub fn holds(&self, x: f32, y: f32) -> bool {
        (self.x..self.x + self.w).contains(&x) && (self.y..self.y + self.h).contains(&y)
    }

    /// Whether a face found at `region` may go on beyond an edge of this area that is none of the picture's, which has
    /// the size `picture`.
    pub fn cuts(&self, region: Region, picture: (f32, f32)) -> bool {
        let (reach_x, reach_y) = (region.w * (0.5 + NEAR), region.h * (0.5 + NEAR));
        (self.x > 0.0 && region.x - reach_x < self.x)
            || (self.y > 0.0 && region.y - reach_y < self.y)
            || (self.x + self.w < picture.0 && region.x + reach_x > self.x + self.w)
            || (self.y + self.h < picture.1 && region.y + reach_y > self.y + self.h)
    }

    /// The smallest area that holds both.
    pub fn with(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = ((self.x + self.w).max(other.x + other.w), (self.y + self.h).max(other.y + other.h));
        Self { x, y, w: right - x, h: bottom - y }
    }

    /// Whether both share anything.
    pub fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// An area, and the turn that its faces are looked for in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    /// What is looked at.
    pub area: Area,
    /// What brings its faces upright.
    pub turn: Rotation,
}

/// Adds `view` to `views`, made one with those of its turn that it meets.
pub(crate) fn join(views: &mut Vec<View>, mut view: View) {
    while let Some(at) = views.iter().position(|other| other.turn == view.turn && other.area.meets(&view.area)) {
        view.area = view.area.with(&views.swap_remove(at).area);
    }
    views.push(view);
}

/// A view and its place on the sheet.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    view: View,
    at: (usize, usize),
    size: (usize, usize),
}

impl Piece {
    /// A point of the piece, in its pixels, in pixels of the reduced picture.
    fn unturned(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let View { area, turn } = self.view;
        let (x, y) = turn.inverse().apply((x / self.size.0 as f32, y / self.size.1 as f32));
        (area.x + x * area.w, area.y + y * area.h)
    }
}

/// What goes where on a sheet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sheet {
    pieces: Vec<Piece>,
    zoom: f32,
    /// Width and height.
    size: (usize, usize),
    /// Size of the reduced picture.
    picture: (f32, f32),
}

impl Sheet {
    /// Lays out `views` of a reduced picture of size `picture`, enlarged as far as they fit within `zooms`, on the
    /// smallest sheet that holds them so, which is at most a quarter of the picture; `None` when they do not fit.
    pub fn enlarge(views: &[View], picture: (f32, f32), zooms: RangeInclusive<f32>) -> Option<Self> {
        let zooms = ZOOMS.iter().copied().filter(|zoom| zooms.contains(zoom));
        let mut ways = zooms.flat_map(|zoom| QUARTER.iter().map(move |share| (zoom, share)));
        ways.find_map(|(zoom, share)| Self::lay_out(views, picture, zoom, share))
    }

    /// Lays out `views` on the smallest sheet that holds them as they are in the reduced picture, enlarged as far as they
    /// fit there, at most `most` times; `None` when they need more than half of the picture.
    pub fn shrink(views: &[View], picture: (f32, f32), most: f32) -> Option<Self> {
        let zooms = || ZOOMS.iter().copied().filter(|zoom| *zoom == FULL || *zoom <= most);
        let mut ways = HALF.iter().flat_map(|share| zooms().map(move |zoom| (zoom, share)));
        ways.find_map(|(zoom, share)| Self::lay_out(views, picture, zoom, share))
    }

    fn lay_out(views: &[View], picture: (f32, f32), zoom: f32, (across, down): &(usize, usize)) -> Option<Self> {
        let share = |length: f32, share: usize| (length as usize).div_ceil(share).next_multiple_of(GRID);
        let size = (share(picture.0, *across), share(picture.1, *down));
        Some(Self { pieces: pack(views, zoom, size)?, zoom, size, picture })
    }

    /// How far the areas are enlarged.
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Its pixels over those of the whole reduced picture: what a look at it costs, in looks at the whole.
    pub fn cost(&self) -> f32 {
        (self.size.0 * self.size.1) as f32 / (self.picture.0 * self.picture.1)
    }

    /// What is on it.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.pieces.iter().map(|piece| &piece.view)
    }

    /// Whether a face at the point is on it, turned by `turn`.
    pub fn holds(&self, x: f32, y: f32, turn: Rotation) -> bool {
        self.views().any(|view| view.turn == turn && view.area.holds(x, y))
    }

    /// Whether all that is in the picture of a face is on it, turned by `turn`.
    pub fn shows(&self, face: Region, turn: Rotation) -> bool {
        let inside = |from: f32, length: f32, middle: f32, size: f32, end: f32| {
            let (first, last) = ((middle - size / 2.0).max(0.0), (middle + size / 2.0).min(end));
            from <= first && last <= from + length
        };
        self.views().any(|View { area, turn: turned }| {
            *turned == turn
                && inside(area.x, area.w, face.x, face.w, self.picture.0)
                && inside(area.y, area.h, face.y, face.h, self.picture.1)
        })
    }

    /// Draws the pieces from `detail`, the whole upright picture.
    pub fn draw(&self, detail: &Picture) -> Option<Rgb> {
        let planes = [detail.plane(0)?, detail.plane(1)?, detail.plane(2)?];
        let (width, height) = self.size;
        let mut rgb = Rgb { width, height, data: vec![GREY; 3 * width * height] };
        let tone = Tone::new(detail.is_full_range());
        let scale = (detail.width() as f32 / self.picture.0, detail.height() as f32 / self.picture.1);
        for piece in &self.pieces {
            let step = (scale.0 / self.zoom, scale.1 / self.zoom);
            for row in 0..piece.size.1 {
                for column in 0..piece.size.0 {
                    let middle = piece.unturned((column as f32 + 0.5, row as f32 + 0.5));
                    let (x, y) = (middle.0 * scale.0 - step.0 / 2.0, middle.1 * scale.1 - step.1 / 2.0);
                    let luma = mean(&planes[0], x, y, step);
                    let half = (step.0 / 2.0, step.1 / 2.0);
                    let [cb, cr] = [&planes[1], &planes[2]].map(|plane| mean(plane, x / 2.0, y / 2.0, half));
                    let at = (piece.at.1 + row) * width + piece.at.0 + column;
                    let (red, green, blue) = tone.rgb(luma, cb, cr);
                    (rgb.data[at], rgb.data[at + width * height], rgb.data[at + 2 * width * height]) =
                        (red, green, blue);
                }
            }
        }
        Some(rgb)
    }

    /// `found` on the sheet, in pixels of the reduced picture.
    pub fn locate(&self, found: &[Detection]) -> Vec<Detection> {
        found.iter().filter_map(|detection| self.place(*detection)).collect()
    }

    fn place(&self, Detection { region, score, .. }: Detection) -> Option<Detection> {
        let piece = self.pieces.iter().find(|piece| {
            let (x, y) = (piece.at.0 as f32, piece.at.1 as f32);
            (x..x + piece.size.0 as f32).contains(&region.x) && (y..y + piece.size.1 as f32).contains(&region.y)
        })?;
        let View { area, turn } = piece.view;
        let (x, y) = piece.unturned((region.x - piece.at.0 as f32, region.y - piece.at.1 as f32));
        let (w, h) = if turn.swaps_sides() { (region.h, region.w) } else { (region.w, region.h) };
        let region = Region { x, y, w: w / self.zoom, h: h / self.zoom };
        Some(Detection { region, score, is_cut: area.cuts(region, self.picture), turn })
    }
}

/// Places for all `views` in rows, the highest first; `None` when there is not room enough.
fn pack(views: &[View], zoom: f32, sheet: (usize, usize)) -> Option<Vec<Piece>> {
    let size = |View { area, turn }: &View| {
        let length = |length: f32| ((length * zoom).ceil() as usize).max(1);
        let (width, height) = (length(area.w), length(area.h));
        if turn.swaps_sides() { (height, width) } else { (width, height) }
    };
    let mut order: Vec<(&View, (usize, usize))> = views.iter().map(|view| (view, size(view))).collect();
    order.sort_by_key(|(_, size)| std::cmp::Reverse(size.1));
    let (mut x, mut y, mut row) = (0, 0, 0);
    let mut pieces = Vec::with_capacity(views.len());
    for (view, size) in order {
        if x + size.0 > sheet.0 {
            (x, y, row) = (0, y + row + GAP, 0);
        }
        if x + size.0 > sheet.0 || y + size.1 > sheet.1 {
            return None;
        }
        pieces.push(Piece { view: *view, at: (x, y), size });
        (x, row) = (x + size.0 + GAP, row.max(size.1));
    }
    Some(pieces)
}

/// Mean of the samples in a rectangle of `plane`, at least one.
fn mean(plane: &Plane<'_>, x: f32, y: f32, (across, down): (f32, f32)) -> f32 {
    let span = |from: f32, length: f32, end: usize| {
        let first = (from.max(0.0) as usize).min(end - 1);
        (first, ((from + length) as usize).clamp(first + 1, end))
    };
    let (left, right) = span(x, across, plane.width);
    let (top, bottom) = span(y, down, plane.height);
    let mut sum = 0_u32;
    for row in top..bottom {
        let from = row * plane.stride;
        sum += plane.data[from + left..from + right].iter().map(|sample| u32::from(*sample)).sum::<u32>();
    }
    sum as f32 / ((right - left) * (bottom - top)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::Layout;

    const PICTURE: (f32, f32) = (640.0, 352.0);

    fn area(x: f32, y: f32, w: f32, h: f32) -> View {
        View { area: Area { x, y, w, h }, turn: Rotation::None }
    }

    #[test]
    fn areas_are_enlarged_as_far_as_they_fit_beside_one_another() {
        let one = Sheet::enlarge(&[area(10.0, 10.0, 50.0, 50.0)], PICTURE, 1.0..=3.0).expect("it fits");
        assert!((one.zoom - 3.0).abs() < f32::EPSILON);
        let three = [area(0.0, 0.0, 100.0, 60.0), area(200.0, 0.0, 100.0, 60.0), area(0.0, 200.0, 50.0, 80.0)];
        let sheet = Sheet::enlarge(&three, PICTURE, 1.0..=3.0).expect("they fit");
        assert!((sheet.zoom - 1.0).abs() < f32::EPSILON || (sheet.zoom - 1.5).abs() < f32::EPSILON);
        for (index, a) in sheet.pieces.iter().enumerate() {
            for b in &sheet.pieces[index + 1..] {
                let apart = a.at.0 + a.size.0 <= b.at.0
                    || b.at.0 + b.size.0 <= a.at.0
                    || a.at.1 + a.size.1 <= b.at.1
                    || b.at.1 + b.size.1 <= a.at.1;
                assert!(apart, "{a:?} and {b:?}");
            }
        }
        assert!(Sheet::enlarge(&[area(0.0, 0.0, 400.0, 100.0)], PICTURE, 1.0..=3.0).is_none());
    }

    #[test]
    fn a_sheet_is_as_small_as_what_is_on_it() {
        let size = |w: f32, h: f32| Sheet::enlarge(&[area(10.0, 10.0, w, h)], PICTURE, 1.0..=2.0).map(|it| it.size);
        assert_eq!(size(50.0, 40.0), Some((160, 96)));
        assert_eq!(size(100.0, 40.0), Some((320, 96)));
        assert_eq!(size(100.0, 80.0), Some((320, 192)));
        assert_eq!(size(321.0, 40.0), None);
    }

    #[test]
    fn what_is_drawn_on_the_sheet_is_found_again_in_the_picture() {
        for turn in Rotation::ALL {
            found_again(turn);
        }
    }

    fn found_again(turn: Rotation) {
        let mut detail = Picture::blank(Layout::Yuv420, true, 1280, 704).expect("a picture");
        for (index, plane) in detail.planes_mut().expect("planes").into_iter().enumerate() {
            plane.data.fill(if index == 0 { 20 } else { 128 });
            if index == 0 {
                for y in 400..440 {
                    plane.data[y * plane.stride + 600..y * plane.stride + 640].fill(220);
                }
            }
        }
        let bright = View { turn, ..area(280.0, 180.0, 70.0, 60.0) };
        let sheet = Sheet::enlarge(&[area(10.0, 10.0, 40.0, 40.0), bright], PICTURE, 1.0..=2.0);
        let sheet = sheet.expect("they fit");
        let rgb = sheet.draw(&detail).expect("it can be read");
        let bright: Vec<usize> = (0..sheet.size.0 * sheet.size.1).filter(|at| rgb.data[*at] > 180.0).collect();
        let (sum_x, sum_y) =
            bright.iter().fold((0, 0), |sum, at| (sum.0 + at % sheet.size.0, sum.1 + at / sheet.size.0));
        let count = bright.len() as f32;
        let region = Region { x: sum_x as f32 / count, y: sum_y as f32 / count, w: 40.0, h: 40.0 };
        let found = sheet.locate(&[Detection { region, score: 0.9, is_cut: false, turn: Rotation::None }]);
        assert!((found[0].region.x - 310.0).abs() < 1.0 && (found[0].region.y - 210.0).abs() < 1.0, "{found:?}");
        assert!((found[0].region.w - 40.0 / sheet.zoom).abs() < 0.01);
    }

    #[test]
    fn a_face_at_its_pieces_edge_may_go_on_beyond_it_but_not_at_the_pictures() {
        let sheet = Sheet::enlarge(&[area(0.0, 100.0, 90.0, 90.0)], PICTURE, 1.0..=1.0).expect("it fits");
        let is_cut = |x: f32| {
            let region = Region { x, y: 45.0, w: 40.0, h: 40.0 };
            sheet.locate(&[Detection { region, score: 0.9, is_cut: false, turn: Rotation::None }])[0].is_cut
        };
        assert!(!is_cut(2.0), "at the picture's edge");
        assert!(!is_cut(45.0), "in the middle");
        assert!(is_cut(68.0), "at the piece's edge");
    }
}
