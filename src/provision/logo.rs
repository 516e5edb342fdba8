//! The picture on the screen of a Cisco 7940 or 7960: 90 by 56 points in four greys, as an uncompressed Windows bitmap.

/// Points across.
pub const WIDTH: usize = 90;
/// Points down.
pub const HEIGHT: usize = 56;
/// The greys that the telephone has, dark to light.
const GREYS: [u8; 4] = [0x00, 0x40, 0x80, 0xff];
/// What stands for them in a terminal.
const SHADES: [char; 4] = ['█', '▓', '░', ' '];
/// Bytes of a bitmap's head: file, picture, 256 colours.
const HEAD: usize = 14 + 40 + 256 * 4;
/// A row of the bitmap is a multiple of four bytes.
const ROW: usize = WIDTH.next_multiple_of(4);

/// A picture in greys, 0 is black; row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    greys: Vec<u8>,
}

impl Picture {
    /// A picture; none: it has no points, or not as many as it should.
    pub fn new(width: usize, height: usize, greys: Vec<u8>) -> Option<Picture> {
        let is_whole = width > 0 && height > 0 && width.checked_mul(height) == Some(greys.len());
        is_whole.then_some(Picture { width, height, greys })
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        let index = y.saturating_mul(self.width).saturating_add(x);
        self.greys.get(index).copied().unwrap_or(u8::MAX)
    }

    /// The mean of a part, at least one point of it.
    fn mean(&self, (left, right): (usize, usize), (top, bottom): (usize, usize)) -> u8 {
        let (mut sum, mut count) = (0_u64, 0_u64);
        for y in top..bottom.max(top.saturating_add(1)).min(self.height) {
            for x in left..right.max(left.saturating_add(1)).min(self.width) {
                sum = sum.saturating_add(u64::from(self.at(x, y)));
                count = count.saturating_add(1);
            }
        }
        u8::try_from(sum.checked_div(count).unwrap_or(255)).unwrap_or(u8::MAX)
    }
}

/// A logo: which of the four greys each point has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo(Vec<u8>);

impl Logo {
    /// The logo that comes nearest to a picture: made smaller or larger to fit whole, in the middle of white, its greys
    /// spread over the points (Floyd and Steinberg).
    pub fn of(picture: &Picture) -> Logo {
        let mut wanted: Vec<i32> = fitted(picture).into_iter().map(i32::from).collect();
        let mut levels = Vec::with_capacity(wanted.len());
        for index in 0..wanted.len() {
            let value = wanted.get(index).copied().unwrap_or(255);
            let level = nearest(value);
            let shown = GREYS.get(usize::from(level)).copied().map_or(0, i32::from);
            levels.push(level);
            let (x, error) = (index % WIDTH, value - shown);
            let mut spread = |ahead: usize, part: i32| {
                if let Some(value) = wanted.get_mut(index + ahead) {
                    *value += error * part / 16;
                }
            };
            if x + 1 < WIDTH {
                spread(1, 7);
                spread(WIDTH + 1, 1);
            }
            if x > 0 {
                spread(WIDTH - 1, 3);
            }
            spread(WIDTH, 5);
        }
        Logo(levels)
    }

    /// The bitmap: 8 bits a point, uncompressed, its rows from the bottom.
    pub fn bmp(&self) -> Vec<u8> {
        let size = u32::try_from(HEAD + ROW * HEIGHT).unwrap_or(u32::MAX);
        let mut file = b"BM".to_vec();
        let four = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
        four(&mut file, size);
        four(&mut file, 0);
        four(&mut file, HEAD as u32);
        // BITMAPINFOHEADER: its length, the size, one plane of 8 bits, not compressed.
        four(&mut file, 40);
        four(&mut file, WIDTH as u32);
        four(&mut file, HEIGHT as u32);
        file.extend(1_u16.to_le_bytes());
        file.extend(8_u16.to_le_bytes());
        four(&mut file, 0);
        four(&mut file, (ROW * HEIGHT) as u32);
        // 72 dots an inch; all 256 colours.
        for value in [2835, 2835, 0, 0] {
            four(&mut file, value);
        }
        for index in 0..256 {
            let grey = GREYS.get(index).copied().unwrap_or(0);
            file.extend([grey, grey, grey, 0]);
        }
        for row in self.0.chunks(WIDTH).rev() {
            file.extend(row);
            file.extend(std::iter::repeat_n(0, ROW - WIDTH));
        }
        file
    }

    /// As a terminal shows it: two rows of points become one of letters.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for pair in self.0.chunks(WIDTH * 2) {
            let (upper, lower) = pair.split_at(WIDTH.min(pair.len()));
            for (one, other) in upper.iter().zip(lower) {
                let level = usize::from((one + other) / 2);
                text.push(SHADES.get(level).copied().unwrap_or(' '));
            }
            text.push('\n');
        }
        text
    }
}

fn nearest(value: i32) -> u8 {
    let distance = |grey: &u8| (i32::from(*grey) - value).abs();
    let best = GREYS.iter().enumerate().min_by_key(|(_, grey)| distance(grey));
    best.and_then(|(level, _)| u8::try_from(level).ok()).unwrap_or(0)
}

/// The picture at the logo's size.
fn fitted(picture: &Picture) -> Vec<u8> {
    // Which side meets the edge first; at least one point of each is left.
    let by_width = picture.width.saturating_mul(HEIGHT) >= picture.height.saturating_mul(WIDTH);
    let (width, height) = if by_width {
        (WIDTH, (picture.height.saturating_mul(WIDTH) / picture.width).clamp(1, HEIGHT))
    } else {
        ((picture.width.saturating_mul(HEIGHT) / picture.height).clamp(1, WIDTH), HEIGHT)
    };
    let (left, top) = ((WIDTH - width) / 2, (HEIGHT - height) / 2);
    let mut points = vec![u8::MAX; WIDTH * HEIGHT];
    for y in 0..height {
        for x in 0..width {
            let across = (x * picture.width / width, (x + 1) * picture.width / width);
            let down = (y * picture.height / height, (y + 1) * picture.height / height);
            if let Some(point) = points.get_mut((top + y) * WIDTH + left + x) {
                *point = picture.mean(across, down);
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(width: usize, height: usize, grey: u8) -> Logo {
        Logo::of(&Picture::new(width, height, vec![grey; width * height]).unwrap())
    }

    #[test]
    fn greys_of_the_telephone_stay_as_they_are() {
        for (level, grey) in (0..).zip(GREYS) {
            assert!(flat(WIDTH, HEIGHT, grey).0.iter().all(|point| *point == level), "{grey}");
        }
        // A grey between two of them becomes both, as often as it is near to each.
        let mixed = flat(WIDTH, HEIGHT, 0x60).0;
        let light = mixed.iter().filter(|level| **level == 2).count();
        assert!(mixed.iter().all(|level| matches!(level, 1 | 2)) && (2200..2840).contains(&light), "{light}");
    }

    #[test]
    fn a_picture_fits_whole_in_the_middle_of_white() {
        let tall = flat(10, 100, 0);
        assert_eq!(tall.0.iter().filter(|level| **level == 0).count(), 5 * HEIGHT);
        assert_eq!((tall.0[0], tall.0[WIDTH / 2]), (3, 0));
        let wide = flat(1000, 10, 0);
        assert_eq!(wide.0.iter().filter(|level| **level == 0).count(), WIDTH);
        assert_eq!(flat(1, 1, 0).0.iter().filter(|level| **level == 0).count(), HEIGHT * HEIGHT);
        assert_eq!(wide.shown().lines().count(), HEIGHT / 2);
        assert!(wide.shown().lines().all(|line| line.chars().count() == WIDTH));
    }

    #[test]
    fn the_bitmap_has_the_size_that_its_head_says() {
        let file = flat(90, 56, 0x80).bmp();
        assert_eq!(
            (file.len(), file.len()),
            (HEAD + 92 * 56, usize::try_from(u32::from_le_bytes(file[2..6].try_into().unwrap())).unwrap())
        );
        assert!(file.starts_with(b"BM") && file[28] == 8 && file[30..34] == [0; 4]);
        assert_eq!(file[HEAD..HEAD + 92].iter().filter(|point| **point == 2).count(), 90);
    }

    #[test]
    fn what_is_no_picture_is_none() {
        assert!(Picture::new(0, 1, vec![]).is_none() && Picture::new(2, 2, vec![0; 3]).is_none());
        assert!(Picture::new(usize::MAX, 2, vec![0; 3]).is_none());
    }
}
