//! The parts of a model's file by their ids, and the models that it imports.

use std::collections::HashMap;
use std::sync::Arc;

use super::xml::{ReadError, Xml, elements, needed, normal};

/// The namespaces of DMN 1.3, 1.4 and 1.5.
const VERSIONS: [&str; 3] = [
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// What an import says that it imports: another model.
const IMPORT_PREFIX: &str = "https://www.omg.org/spec/DMN/";

/// Decisions, inputs, knowledge models and services of all models of one load.
pub(super) const UNITS: usize = 10_000;

/// One file's definitions.
pub(super) struct Definitions<'x> {
    pub(super) root: Xml<'x>,
    pub(super) name: Arc<str>,
    pub(super) namespace: Arc<str>,
    /// The name that each import has here, and the place of its definitions among all.
    pub(super) imports: Vec<(Arc<str>, usize)>,
}

/// Which sort of element of the requirements graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Input,
    Decision,
    Knowledge,
    Service,
}

/// An element of the requirements graph.
pub(super) struct Part<'x> {
    pub(super) xml: Xml<'x>,
    pub(super) sort: Sort,
    /// The place of its definitions among all.
    pub(super) home: usize,
    pub(super) id: Arc<str>,
    /// The name of its variable, by which expressions of its own model call it.
    pub(super) name: Arc<str>,
}

/// All definitions of one load, the model itself first, and all their parts.
pub(super) struct Library<'x> {
    pub(super) all: Vec<Definitions<'x>>,
    pub(super) parts: Vec<Part<'x>>,
    by_id: HashMap<(usize, &'x str), usize>,
}

impl<'x> Library<'x> {
    /// Gathers the parts of the model and of those it imports, of which every one must be there.
    pub(super) fn gather(roots: &[Xml<'x>]) -> Result<Self, ReadError> {
        let mut all = Vec::with_capacity(roots.len());
        for root in roots {
            all.push(definitions(*root)?);
        }
        let mut library = Self { all, parts: Vec::new(), by_id: HashMap::new() };
        for home in 0..library.all.len() {
            library.all[home].imports = library.imports(home).map_err(|error| library.placed(home, error))?;
            library.add_parts(home).map_err(|error| library.placed(home, error))?;
        }
        Ok(library)
    }

    /// An error of an imported model says so.
    pub(super) fn placed(&self, home: usize, error: ReadError) -> ReadError {
        let model = (home > 0).then(|| self.all[home].namespace.to_string());
        ReadError { model: error.model.or(model), ..error }
    }

    fn imports(&self, home: usize) -> Result<Vec<(Arc<str>, usize)>, ReadError> {
        let mut imports = Vec::new();
        for import in elements(self.all[home].root).filter(|element| element.tag_name().name() == "import") {
            let sort = needed(import, "importType")?;
            if !sort.starts_with(IMPORT_PREFIX) {
                return Err(ReadError::at(import, format!("only models of DMN can be imported, not '{sort}'")));
            }
            let namespace = needed(import, "namespace")?;
            let at = self.all.iter().position(|other| *other.namespace == *namespace).ok_or_else(|| {
                ReadError::at(import, format!("the imported model '{namespace}' was not given; hand its file in with this one"))
            })?;
            imports.push((normal(import.attribute("name").unwrap_or_default()).into(), at));
        }
        Ok(imports)
    }

    fn add_parts(&mut self, home: usize) -> Result<(), ReadError> {
        for xml in elements(self.all[home].root) {
            let sort = match xml.tag_name().name() {
                "inputData" => Sort::Input,
                "decision" => Sort::Decision,
                "businessKnowledgeModel" => Sort::Knowledge,
                "decisionService" => Sort::Service,
                _ => continue,
            };
            let name = normal(needed(xml, "name")?);
            let id = xml.attribute("id").unwrap_or_default();
            if self.parts.len() == UNITS {
                return Err(ReadError::at(xml, format!("more than {UNITS} decisions, inputs, knowledge models and services")));
            }
            if !id.is_empty() && self.by_id.insert((home, id), self.parts.len()).is_some() {
                return Err(ReadError::at(xml, format!("a second element with the id '{id}'")));
            }
            self.parts.push(Part { xml, sort, home, id: id.into(), name: name.into() });
        }
        Ok(())
    }

    /// The part that `#id` or `namespace#id` refers to.
    pub(super) fn referred(&self, home: usize, reference: Xml<'x>) -> Result<usize, ReadError> {
        let href = needed(reference, "href")?;
        let (namespace, id) = href.rsplit_once('#').unwrap_or(("", href));
        let at = if namespace.is_empty() { Some(home) } else { self.all.iter().position(|other| *other.namespace == *namespace) };
        let known = at.filter(|at| *at == home || self.all[home].imports.iter().any(|(_, imported)| imported == at));
        let part = known.and_then(|at| self.by_id.get(&(at, id)).copied());
        part.ok_or_else(|| ReadError::at(reference, format!("there is no element '{href}' in this model or its imports")))
    }

    /// The name by which the expressions of a model call a part.
    pub(super) fn called(&self, home: usize, part: usize) -> Arc<str> {
        let Part { home: at, name, .. } = &self.parts[part];
        if *at == home {
            return name.clone();
        }
        let import = self.all[home].imports.iter().find(|(_, imported)| imported == at).map_or("", |(name, _)| name);
        if import.is_empty() { name.clone() } else { format!("{import}.{name}").into() }
    }
}

fn definitions(root: Xml<'_>) -> Result<Definitions<'_>, ReadError> {
    let found = root.tag_name();
    if found.name() != "definitions" || !found.namespace().is_some_and(|namespace| VERSIONS.contains(&namespace)) {
        let message = format!(
            "expected the definitions of DMN 1.3, 1.4 or 1.5, not '{}' of '{}'",
            found.name(),
            found.namespace().unwrap_or_default()
        );
        return Err(ReadError::at(root, message));
    }
    let name = root.attribute("name").unwrap_or_default().into();
    let namespace = needed(root, "namespace")?.into();
    Ok(Definitions { root, name, namespace, imports: Vec::new() })
}
