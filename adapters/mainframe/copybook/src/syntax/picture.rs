//! PICTURE: what a picture string says of an item.

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// As written, in upper case.
    pub text: String,
    /// What it describes.
    pub kind: PictureKind,
}

/// What a picture describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// `X` and `A`: so many characters.
    Text {
        /// Number of characters.
        characters: u32,
    },
    /// `9`, `S`, `V`, `P`: a number of `digits` stored digits; its value is digits × 10^-scale.
    Number {
        /// Stored digits.
        digits: u32,
        /// Decimals; negative when `P` stands for zeros behind the last stored digit.
        scale: i32,
        /// Whether it has an `S`.
        signed: bool,
    },
}
