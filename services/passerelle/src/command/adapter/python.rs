//! The sample in Python: the files of `scaffold/python`, as they lie there.

use super::new::SampleFile;

/// Each file with its text; the contract of the port goes beside them.
pub(super) const FILES: &[SampleFile] = &[
    (".gitignore", include_str!("../../../scaffold/python/.gitignore")),
    ("README.md", include_str!("../../../scaffold/python/README.md")),
    ("adapter.py", include_str!("../../../scaffold/python/adapter.py")),
    ("passerelle_adapter/__init__.py", include_str!("../../../scaffold/python/passerelle_adapter/__init__.py")),
    ("passerelle_adapter/adapter.py", include_str!("../../../scaffold/python/passerelle_adapter/adapter.py")),
    ("passerelle_adapter/answers.py", include_str!("../../../scaffold/python/passerelle_adapter/answers.py")),
    ("passerelle_adapter/call.py", include_str!("../../../scaffold/python/passerelle_adapter/call.py")),
    ("passerelle_adapter/contract.py", include_str!("../../../scaffold/python/passerelle_adapter/contract.py")),
    ("passerelle_adapter/exchange.py", include_str!("../../../scaffold/python/passerelle_adapter/exchange.py")),
    ("passerelle_adapter/fault.py", include_str!("../../../scaffold/python/passerelle_adapter/fault.py")),
    ("passerelle_adapter/health.py", include_str!("../../../scaffold/python/passerelle_adapter/health.py")),
    ("passerelle_adapter/lookup.py", include_str!("../../../scaffold/python/passerelle_adapter/lookup.py")),
    ("passerelle_adapter/receive.py", include_str!("../../../scaffold/python/passerelle_adapter/receive.py")),
    ("passerelle_adapter/serve.py", include_str!("../../../scaffold/python/passerelle_adapter/serve.py")),
    ("passerelle_adapter/server.py", include_str!("../../../scaffold/python/passerelle_adapter/server.py")),
    ("passerelle_adapter/settings.py", include_str!("../../../scaffold/python/passerelle_adapter/settings.py")),
    ("passerelle_adapter/wire.py", include_str!("../../../scaffold/python/passerelle_adapter/wire.py")),
    ("passerelle_adapter/work.py", include_str!("../../../scaffold/python/passerelle_adapter/work.py")),
    ("requirements.txt", include_str!("../../../scaffold/python/requirements.txt")),
    ("run", include_str!("../../../scaffold/python/run")),
];
