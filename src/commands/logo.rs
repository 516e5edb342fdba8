//! `strowger logo`: a picture becomes the logo of a Cisco 7940 or 7960, and is shown.

use crate::provision::logo::{HEIGHT, Logo, Picture, WIDTH};
use image::{ImageReader, Limits};
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// A picture with more points across or down is none for a telephone.
const MAX_POINTS: u32 = 20_000;
/// What a decoder may take of the memory, in bytes.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;

/// Makes the logo; what cannot be done is said in a line, and ends with 1.
pub fn run(input: &Path, output: &Path) -> ExitCode {
    match make(input, output) {
        Ok(text) => {
            // A closed pipe (`| head`) is not an error.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("strowger: {why}");
            ExitCode::FAILURE
        }
    }
}

fn make(input: &Path, output: &Path) -> Result<String, String> {
    let bytes = fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?;
    let logo = Logo::of(&picture(&bytes).map_err(|why| format!("{}: {why}", input.display()))?);
    fs::write(output, logo.bmp()).map_err(|error| format!("{}: {error}", output.display()))?;
    let written = output.display();
    Ok(format!(
        "{}{written}: {WIDTH} by {HEIGHT} points in four greys; put it into the provisioning folder as logo.bmp\n",
        logo.shown()
    ))
}

/// A PNG, JPEG or BMP in greys; where it is transparent it is white.
fn picture(bytes: &[u8]) -> Result<Picture, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_POINTS), Some(MAX_POINTS));
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| format!("{error}; a PNG, JPEG or BMP is needed"))?.to_luma_alpha8();
    let over_white = |[grey, alpha]: [u8; 2]| {
        let (grey, alpha) = (u32::from(grey), u32::from(alpha));
        u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    let greys: Vec<u8> = image.pixels().map(|point| over_white(point.0)).collect();
    let side = |points: u32| usize::try_from(points).unwrap_or(usize::MAX);
    Picture::new(side(image.width()), side(image.height()), greys).ok_or_else(|| "it has no points".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat, LumaA, Rgb, RgbImage};

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn every_kind_of_picture_becomes_one_that_others_read() {
        let image = RgbImage::from_fn(180, 112, |x, _| if x < 90 { Rgb([0, 0, 0]) } else { Rgb([255, 255, 255]) });
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp] {
            let logo = Logo::of(&picture(&encoded(&DynamicImage::ImageRgb8(image.clone()), format)).unwrap()).bmp();
            let read = image::load_from_memory_with_format(&logo, ImageFormat::Bmp).unwrap().to_luma8();
            assert_eq!((read.width(), read.height()), (90, 56));
            assert_eq!((read.get_pixel(10, 50).0, read.get_pixel(80, 5).0), ([0], [255]), "{format:?}");
            assert!(read.pixels().all(|point| [0x00, 0x40, 0x80, 0xff].contains(&point.0[0])));
        }
    }

    #[test]
    fn what_is_transparent_is_white_and_what_is_no_picture_is_said() {
        let clear = image::GrayAlphaImage::from_pixel(9, 9, LumaA([0, 0]));
        let read = picture(&encoded(&DynamicImage::ImageLumaA8(clear), ImageFormat::Png)).unwrap();
        assert_eq!(Picture::new(9, 9, vec![255; 81]), Some(read));
        assert!(picture(b"hello").unwrap_err().contains("a PNG, JPEG or BMP is needed"));
    }
}
