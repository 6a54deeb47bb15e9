//! Chores of this repository: `cargo xtask --help`.

mod bench;
mod cluster;
mod gen_dump;
mod gen_mesh;
mod generate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of this repository
#[derive(Parser)]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write everything that is generated: schemas, rule and command reference, completions, man pages
    Generate(generate::GenerateArgs),
    /// Write a mesh of any size, for measurements
    GenMesh(gen_mesh::GenMeshArgs),
    /// Write a config dump of any size, for measurements
    GenDump(gen_dump::GenDumpArgs),
    /// Measure the release build: wall time and memory of whole processes
    Bench(bench::BenchArgs),
    /// Run the Kubernetes control plane of the tests until Ctrl-C
    Cluster(cluster::ClusterArgs),
}

#[expect(clippy::print_stderr, reason = "a chore has no other user interface")]
fn main() -> ExitCode {
    let result = match Xtask::parse().command {
        Command::Generate(args) => generate::generate(&args),
        Command::GenMesh(args) => gen_mesh::gen_mesh(&args).map_err(Into::into),
        Command::GenDump(args) => gen_dump::gen_dump(&args).map_err(Into::into),
        Command::Bench(args) => bench::bench(&args),
        Command::Cluster(args) => cluster::cluster(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
