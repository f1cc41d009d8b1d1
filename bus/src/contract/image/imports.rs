//! The imports of an image: all present, no circle, and each file's imports written out in full.

use std::collections::{HashMap, HashSet};

use super::ImageError;
use super::raw::File;

/// Imports that may stand in all files together once public imports are written out. Real images have a few thousand.
const MAX_IMPORTS: usize = 200_000;

/// Checks the imports and gives every file all it sees as direct imports.
///
/// The descriptor library follows `import public` only one step, and without an end when files import themselves; after
/// this nothing is left for it to follow.
pub(crate) fn resolve(files: &mut [File]) -> Result<(), ImageError> {
    let places: HashMap<String, usize> = files.iter().enumerate().map(|(place, file)| (file.name().to_owned(), place)).collect();
    let direct = direct(files, &places)?;
    let order = importing_order(files, &direct)?;
    let mut public: Vec<HashSet<usize>> = vec![HashSet::new(); files.len()];
    let mut total = 0;
    for place in order {
        let marked: HashSet<usize> =
            files[place].public_dependency.iter().filter_map(|&index| usize::try_from(index).ok()).collect();
        let mut offered = HashSet::new();
        let mut reached = HashSet::new();
        for (position, &import) in direct[place].iter().enumerate() {
            reached.extend(public[import].iter().copied());
            if marked.contains(&position) {
                offered.insert(import);
                offered.extend(public[import].iter().copied());
            }
        }
        total += direct[place].len() + reached.len() + offered.len();
        if total > MAX_IMPORTS {
            let reason = format!("public imports make more than {MAX_IMPORTS} imports in all files together");
            return Err(ImageError::Unsupported { file: files[place].name().to_owned(), reason });
        }
        public[place] = offered;
        let mut names: Vec<_> =
            reached.difference(&direct[place].iter().copied().collect()).map(|&import| files[import].name().to_owned()).collect();
        // The digest must not depend on the order in which they were reached.
        names.sort();
        let file = &mut files[place];
        file.dependency.extend(names);
        file.public_dependency.clear();
        file.weak_dependency.clear();
    }
    Ok(())
}

fn direct(files: &[File], places: &HashMap<String, usize>) -> Result<Vec<Vec<usize>>, ImageError> {
    files
        .iter()
        .map(|file| {
            if file.dependency.len() > files.len() {
                let reason = "imports a file twice".to_owned();
                return Err(ImageError::Malformed { file: file.name().to_owned(), place: "imports".to_owned(), reason });
            }
            for index in file.public_dependency.iter().chain(&file.weak_dependency) {
                if !usize::try_from(*index).is_ok_and(|index| index < file.dependency.len()) {
                    let reason = format!("marks import {index} of {}", file.dependency.len());
                    return Err(ImageError::Malformed { file: file.name().to_owned(), place: "imports".to_owned(), reason });
                }
            }
            let place_of = |import: &String| {
                places
                    .get(import)
                    .copied()
                    .ok_or_else(|| ImageError::MissingImport { file: file.name().to_owned(), import: import.clone() })
            };
            file.dependency.iter().map(place_of).collect()
        })
        .collect()
}

/// The files, each after all that it imports.
fn importing_order(files: &[File], direct: &[Vec<usize>]) -> Result<Vec<usize>, ImageError> {
    let mut waits: Vec<usize> = direct.iter().map(Vec::len).collect();
    let mut importers: Vec<Vec<usize>> = vec![Vec::new(); files.len()];
    for (place, imports) in direct.iter().enumerate() {
        for &import in imports {
            importers[import].push(place);
        }
    }
    let mut order: Vec<usize> = (0..files.len()).filter(|&place| waits[place] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        for &importer in &importers[order[next]] {
            waits[importer] -= 1;
            if waits[importer] == 0 {
                order.push(importer);
            }
        }
        next += 1;
    }
    match waits.iter().position(|&waiting| waiting > 0) {
        None => Ok(order),
        Some(place) => Err(ImageError::ImportCycle { file: files[place].name().to_owned() }),
    }
}
