//! Calls (request-reply): carried from the listener to an endpoint without decoding the messages.
//!
//! A [`Gateway`] finds the [`Route`] of a path and carries the call to its [`Endpoint`]: a [`Remote`] back office that speaks
//! gRPC, whose frames pass through as they are, or an adapter in this process, which gets messages. Metadata, trailers, status
//! details and compression flags are not touched; deadlines are reduced by the time spent here; a caller that goes away is
//! seen by the back office at once.

mod adapter;
mod asked;
mod body;
mod coalesce;
pub mod deadline;
mod endpoint;
mod frame;
mod gateway;
mod hedge;
mod inward;
mod lookup;
pub mod observe;
mod own;
mod policy;
pub mod record;
mod remote;
mod route;
mod routed;
mod share;
mod status;
mod translated;

pub use self::body::{Body, BodyError};
pub use self::coalesce::Coalesce;
pub use self::endpoint::{Declared, Endpoint, EndpointStatus};
pub use self::frame::TooLarge;
pub use self::gateway::{CallLimits, Gateway};
pub use self::own::{Manner, Order, Reach, Reply};
pub use self::policy::{
    BatchWindow, BreakerSettings, BreakerStatus, ChannelSettings, ChannelUsage, EnvelopeSettings, EnvelopeStatus,
    FailurePercentage, HedgeSettings, HedgeStatus, LARGEST_VALUE, Limits, MethodSettings, OutlierSettings, PolicySettings,
    PolicyStatus, Rate, RetrySettings, ShareSettings, SuccessRate,
};
pub use self::remote::{AddressError, AddressState, AddressStatus, Remote, RemoteSettings, Resolve};
pub use self::route::{Choice, Route, Streaming, Table};
pub use self::share::ShareStatus;
pub use self::status::trailers_only;
