//! The page of all commands: their help, as the program prints it.

use clap::CommandFactory as _;

use crate::cli::Arguments;

/// Every command's long help.
pub(super) fn page() -> String {
    let mut command = Arguments::command().term_width(100);
    command.build();
    let mut text = "# Commands\n".to_owned();
    add(&mut command, 2, &mut text);
    text
}

fn add(command: &mut clap::Command, level: usize, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.clone().term_width(100).render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n{} {name}\n\n```text\n{}\n```\n", "#".repeat(level), help.join("\n").trim_end()));
    for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
        add(below, level + 1, text);
    }
}
