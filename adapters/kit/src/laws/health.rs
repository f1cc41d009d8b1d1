//! Health: soon, true, with a reason.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use passerelle_adapter::{Context, Health};
use passerelle_proto::adapter::v1::{HealthRequest, health_response::State};

use crate::bench::Bench;
use crate::law::{Finding, Held, Law, Need, broken, ensure};
use crate::proxy::Disturbance;

/// What the port allows.
const SECOND: Duration = Duration::from_secs(1);
/// How long an adapter may take to find out that something has changed.
const NOTICE: Duration = Duration::from_secs(10);

pub(super) const LAWS: &[Law] = &[
    Law {
        id: "health.ready",
        title: "While calls work, health is ready",
        why: "An adapter that is taken for down gets no calls.",
        mend: "Tell what calls would meet, not what you have not tried.",
        needs: &[Need::Call],
        check: |bench| Box::pin(ready(bench)),
    },
    Law {
        id: "health.said",
        title: "The state is said, and a reason where it is not ready",
        why: "An unspecified state is taken for down, and nobody knows why.",
        mend: "Set `state` to READY, DEGRADED or DOWN; give a reason with the last two, and none with the first.",
        needs: &[Need::Wire],
        check: |bench| Box::pin(said(bench)),
    },
    Law {
        id: "health.in-time",
        title: "Health answers within a second while the system behind is silent",
        why: "It is asked every few seconds, for all endpoints; one that waits for a dead host holds up the others.",
        mend: "Keep what was seen last, or try with a short timeout.",
        needs: &[Need::Behind],
        check: |bench| Box::pin(in_time(bench)),
    },
    Law {
        id: "health.in-time.under-load",
        title: "Health answers within a second while slow calls are in flight",
        why: "The busiest hour is when it is asked for most.",
        mend: "Do not queue it behind calls.",
        needs: &[Need::Slow],
        check: |bench| Box::pin(under_load(bench)),
    },
    Law {
        id: "health.down",
        title: "When the system behind is away, health is not ready, with a reason",
        why: "Operators look there first.",
        mend: "Try to reach the system when asked, or tell the failure of the last call.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(down(bench)),
    },
    Law {
        id: "health.back",
        title: "When the system is back, health is ready again by itself",
        why: "A breaker that waits for health would stay open.",
        mend: "Try again when asked; do not wait for a call that nobody makes.",
        needs: &[Need::Call, Need::Behind],
        check: |bench| Box::pin(back(bench)),
    },
    Law {
        id: "health.often",
        title: "Health can be asked often and by many at once",
        why: "Every bus of a cluster asks, and people look too.",
        mend: "Keep what was seen for a moment; open no connection for each question.",
        needs: &[],
        check: |bench| Box::pin(often(bench)),
    },
];

async fn ready(bench: Bench) -> Held {
    bench.works_on("before health is asked").await?;
    let health = bench.health(SECOND).await?;
    match health {
        Health::Ready => Ok(()),
        Health::Degraded { reason } => broken(format!("calls work, and health is degraded: {reason}")),
        Health::Down { reason } => broken(format!("calls work, and health is down: {reason}")),
    }
}

async fn said(bench: Bench) -> Held {
    for disturbance in [Disturbance::None, Disturbance::Refuse] {
        bench.disturb(disturbance).await;
        let mut client = bench.wire()?.client().await.map_err(Finding::Broken)?;
        let answer = client.health(HealthRequest {}).await;
        let health = answer.map_err(|status| Finding::Broken(format!("health fails with {:?}", status.code())))?.into_inner();
        match health.state() {
            State::Unspecified => return broken("the state is not said"),
            State::Ready => ensure(health.reason.is_empty(), || "it is ready, and has a reason".to_owned())?,
            State::Degraded | State::Down => {
                ensure(!health.reason.trim().is_empty(), || "it is not ready, and says no reason".to_owned())?
            }
        }
    }
    Ok(())
}

async fn in_time(bench: Bench) -> Held {
    let proxy = bench.proxy()?;
    proxy.hang_up().await;
    proxy.tell(Disturbance::Silence).await;
    let health = bench.health(SECOND).await;
    let again = bench.health(SECOND).await;
    proxy.hang_up().await;
    health.and(again).map(drop)
}

async fn under_load(bench: Bench) -> Held {
    let slow = bench.file().slow.clone();
    let slow = slow.ok_or_else(|| Finding::NotProven(Need::Slow.to_give().unwrap_or_default().to_owned()))?;
    let load = join_all((0..8).map(|_| bench.ask(&slow.method, &slow.request, Context::default())));
    let asked = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.health(SECOND).await
    };
    let (_, health) = join(load, asked).await;
    health.map(drop)
}

async fn becomes(bench: &Bench, wanted: impl Fn(&Health) -> bool, what: &str) -> Held {
    let begin = Instant::now();
    loop {
        let health = bench.health(SECOND).await?;
        if wanted(&health) {
            return Ok(());
        }
        if begin.elapsed() > NOTICE {
            return broken(format!("{what} for {} s, and health says {health:?}", NOTICE.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn away(bench: &Bench) -> Held {
    let example = bench.good()?;
    bench.proxy()?.hang_up().await;
    bench.disturb(Disturbance::Refuse).await;
    // A call meets it too, for those who tell what they last saw.
    bench.ask(&example.method, &example.request, Context::default()).await?;
    let told =
        |health: &Health| matches!(health, Health::Down { reason } | Health::Degraded { reason } if !reason.trim().is_empty());
    becomes(bench, told, "the system behind has been away").await
}

async fn down(bench: Bench) -> Held {
    away(&bench).await
}

async fn back(bench: Bench) -> Held {
    away(&bench).await?;
    bench.disturb(Disturbance::None).await;
    becomes(&bench, |health| *health == Health::Ready, "the system behind has been back").await
}

async fn often(bench: Bench) -> Held {
    let open = bench.proxy().map_or(0, crate::proxy::Proxy::open);
    for _ in 0..5 {
        for health in join_all((0..16).map(|_| bench.health(SECOND))).await {
            health?;
        }
    }
    let more = bench.proxy().map_or(0, crate::proxy::Proxy::open).saturating_sub(open);
    ensure(more <= 20, || format!("health was asked 80 times, and {more} more connections are open behind"))
}
