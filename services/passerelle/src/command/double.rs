//! `passerelle double`: plays a mainframe for those without one, until Ctrl-C.

use adapter_mainframe::Double;

use crate::cli::DoubleArguments;
use crate::explain::Code;
use crate::failure::Failure;
use crate::serve::{Signals, runtime};
use crate::settings::{Log, ProcessSecrets, Telemetry};
use crate::telemetry;

/// Serves the double until it is stopped.
pub(super) fn run(arguments: &DoubleArguments) -> Result<(), Failure> {
    runtime(1)?.block_on(async {
        let running = telemetry::start(&Log::default(), &Telemetry::default())?;
        let mut stop = Signals::new()?;
        let folder = arguments.file.parent().unwrap_or(std::path::Path::new(""));
        let double = Double::bind(&arguments.listen, &arguments.file, &ProcessSecrets::new(folder)).await;
        let double = double.map_err(|error| Failure::new(Code::COPYBOOK_REFUSED, error))?;
        println!("{}", double.banner());
        println!("ready: {}", double.local_addr());
        stop.next().await;
        double.shutdown().await;
        running.flush(std::time::Duration::ZERO).await;
        Ok(())
    })
}
