//! The contracts that an adapter gives, and its names.

use passerelle_adapter::{Context, ContractSource, Fault};

use crate::bench::Bench;
use crate::contract::Contracts;
use crate::law::{Finding, Held, Law, Need, broken, ensure};

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "contract.compiles",
        title: "Every contract compiles by itself",
        why: "A contract that does not compile is refused by the bus, and none of its methods is served.",
        mend: "Give all files that are imported, besides google/protobuf/*; try them with `protoc` or `buf build`.",
        needs: &[],
        check: |bench| Box::pin(compiles(bench)),
    },
    Law {
        id: "contract.named",
        title: "A contract's name is the package of its services",
        why: "The bus finds the contract by the package of the method that is called.",
        mend: "Name the contract as its files' `package` does.",
        needs: &[],
        check: |bench| Box::pin(is_named(bench)),
    },
    Law {
        id: "contract.methods",
        title: "There is at least one method",
        why: "An adapter without a method cannot be called.",
        mend: "Give the files that declare the services.",
        needs: &[],
        check: |bench| Box::pin(methods(bench)),
    },
    Law {
        id: "contract.served",
        title: "Every method of the contracts is served",
        why: "A method that is promised and unimplemented is found by the first customer who needs it.",
        mend: "Serve it, or take it out of the contract.",
        needs: &[],
        check: |bench| Box::pin(served(bench)),
    },
    Law {
        id: "contract.files",
        title: "Paths of files are relative, plain, and each there once",
        why: "The bus keeps them by their paths, beside those of others.",
        mend: "Write paths as imports do: `acme/ledger/v1/ledger.proto`.",
        needs: &[],
        check: |bench| Box::pin(files(bench)),
    },
    Law {
        id: "contract.idempotent",
        title: "Methods declared idempotent are in the contracts",
        why: "A name that is misspelt is a method that is not tried again, and nobody sees why.",
        mend: "Write `package.Service/Method`, as the contract has it.",
        needs: &[],
        check: |bench| Box::pin(idempotent(bench)),
    },
    Law {
        id: "contract.effect-not-idempotent",
        title: "A method whose every call has another effect is not declared idempotent",
        why: "The bus asks idempotent methods again as it likes: without a key, each time is another effect.",
        mend: "Declare only methods that may be repeated without a key.",
        needs: &[Need::Effect],
        check: |bench| Box::pin(effect_not_idempotent(bench)),
    },
    Law {
        id: "contract.behind",
        title: "What stands behind is told without credentials",
        why: "It is shown to operators and written to logs.",
        mend: "Tell host and port, nothing that stands before an `@`.",
        needs: &[],
        check: |bench| Box::pin(behind(bench)),
    },
    Law {
        id: "contract.steady",
        title: "Started anew with the same settings, it speaks the same contracts",
        why: "Field numbers that change with each start give channels other fields than they asked for.",
        mend: "Write the contract by hand, or keep generated numbers in a lock file.",
        needs: &[Need::Renewal],
        check: |bench| Box::pin(steady(bench)),
    },
];

fn contracts(bench: &Bench) -> Vec<ContractSource> {
    bench.adapter().descriptor().contracts.clone()
}

async fn compiles(bench: Bench) -> Held {
    let contracts = contracts(&bench);
    Contracts::compile(&contracts).map(drop).map_err(Finding::Broken)
}

async fn is_named(bench: Bench) -> Held {
    let sources = contracts(&bench);
    for source in &sources {
        let compiled = Contracts::compile(std::slice::from_ref(source)).map_err(Finding::Broken)?;
        for name in compiled.names() {
            let package =
                name.split_once('/').and_then(|(service, _)| service.rsplit_once('.')).map_or("", |(package, _)| package);
            ensure(package == source.name, || format!("the contract `{}` has the method {name}", source.name))?;
        }
    }
    let mut names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    ensure(names.len() == sources.len(), || "two contracts have the same name".to_owned())
}

async fn methods(bench: Bench) -> Held {
    let opened = bench.opened();
    let abilities = opened.configured.as_ref().and_then(|configured| configured.abilities);
    if opened.adapter.receives() || abilities.is_some_and(|abilities| abilities.receive) {
        return Err(Finding::NotAsked("it receives, which needs no method".to_owned()));
    }
    ensure(!bench.contracts().names().is_empty(), || "no contract has a method".to_owned())
}

async fn served(bench: Bench) -> Held {
    for name in bench.contracts().names() {
        // What cannot be read has no effect.
        let ended = bench.ask_bytes(&name, super::garbage::TRUNCATED, Context::default()).await?;
        ensure(!matches!(ended.fault, Some(Fault::Unimplemented { .. })), || {
            format!("{name} is in the contract, and is not served")
        })?;
    }
    Ok(())
}

async fn files(bench: Bench) -> Held {
    for source in contracts(&bench) {
        let mut paths: Vec<&str> = source.files.iter().map(|file| file.path.as_str()).collect();
        for path in &paths {
            let steps_are_plain = path.split('/').all(|step| !step.is_empty() && step != "." && step != "..");
            let is_plain = steps_are_plain && path.ends_with(".proto") && !path.contains('\\');
            ensure(is_plain, || format!("`{path}` is not as imports are written"))?;
        }
        let all = paths.len();
        paths.sort_unstable();
        paths.dedup();
        ensure(paths.len() == all, || format!("the contract {} has a file twice", source.name))?;
    }
    Ok(())
}

async fn idempotent(bench: Bench) -> Held {
    let adapter = bench.adapter();
    let unknown = adapter.descriptor().idempotent.iter().find(|name| !bench.contracts().has(name));
    ensure(unknown.is_none(), || format!("`{}` is in no contract", unknown.map_or("", String::as_str)))
}

async fn effect_not_idempotent(bench: Bench) -> Held {
    let Some(effect) = &bench.file().effect else { return Ok(()) };
    let adapter = bench.adapter();
    ensure(!adapter.descriptor().idempotent.contains(&effect.method), || format!("{} is declared idempotent", effect.method))
}

async fn behind(bench: Bench) -> Held {
    let adapter = bench.adapter();
    for behind in &adapter.descriptor().behind {
        ensure(!behind.contains('@'), || "what stands behind is told with something before an `@`".to_owned())?;
        bench.hear(behind);
    }
    Ok(())
}

async fn steady(bench: Bench) -> Held {
    let before = contracts(&bench);
    bench.renew().await?;
    let after = contracts(&bench);
    let same = before.len() == after.len()
        && before.iter().zip(&after).all(|(before, after)| {
            let texts = |source: &ContractSource| {
                source.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect::<Vec<_>>()
            };
            before.name == after.name && texts(before) == texts(after)
        });
    if same { Ok(()) } else { broken("started anew, its contracts are not the same") }
}
