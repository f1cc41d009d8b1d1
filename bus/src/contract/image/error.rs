//! Why descriptors cannot be used as a contract.

/// An image is refused. Nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// More bytes than an image may have.
    #[error("the descriptors take {found} bytes, at most {limit} are taken; leave out what the contract does not import")]
    TooLarge {
        /// Bytes handed in.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// More files than an image may have.
    #[error("the descriptors hold {found} files, at most {limit} are taken; leave out what the contract does not import")]
    TooManyFiles {
        /// Files handed in.
        found: usize,
        /// Files allowed.
        limit: usize,
    },
    /// The bytes are not a `FileDescriptorSet`.
    #[error("not a FileDescriptorSet{}: {reason}; make one with `buf build -o x.binpb` or `protoc -o x.binpb --include_imports`", at_file(.file))]
    NotDescriptors {
        /// The file in the set that does not decode, if it got that far (its place counts from 1).
        file: Option<usize>,
        /// What the decoder said.
        reason: String,
    },
    /// No file at all.
    #[error("the descriptors hold no file; make them with `buf build -o x.binpb` or `protoc -o x.binpb --include_imports`")]
    Empty,
    /// The same file name twice.
    #[error("{file}: is in the descriptors twice")]
    DuplicateFile {
        /// The name.
        file: String,
    },
    /// An imported file is not among those handed in.
    #[error("{file}: imports {import}, which is not in the descriptors; add it (protoc needs --include_imports)")]
    MissingImport {
        /// The file with the import.
        file: String,
        /// The file that is missing.
        import: String,
    },
    /// Files import each other in a circle.
    #[error("{file}: imports itself, directly or through others")]
    ImportCycle {
        /// One file of the circle.
        file: String,
    },
    /// An edition that is not known.
    #[error("{file}: edition {edition} is not known here; known are proto2, proto3, 2023 and 2024")]
    UnknownEdition {
        /// The file.
        file: String,
        /// What it declares.
        edition: String,
    },
    /// An edition's features that have no form in proto2 or proto3.
    #[error("{file}: {reason}")]
    Unsupported {
        /// The file.
        file: String,
        /// What cannot be had, and what to change.
        reason: String,
    },
    /// A descriptor that no compiler would have made.
    #[error("{file}: {place}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// Full name of the message, field, enum, service or method.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Names that do not resolve, numbers used twice and the like.
    #[error("{0}")]
    Unresolvable(String),
    /// The descriptor library gave up. A report with the descriptors is welcome.
    #[error("the descriptors cannot be read: the descriptor library failed on them ({0})")]
    Library(String),
}

fn at_file(file: &Option<usize>) -> String {
    file.map(|place| format!(" (file {place} of the set)")).unwrap_or_default()
}
