//! Generates the crate's stubs, and the descriptors that the conformance driver reads JSON by.
//!
//! Usage: `slotd-codegen PROTOS OUT`, both folders. Needs no protoc: protox is one in Rust.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use protox::Compiler;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver};

const SLOTD: [&str; 5] = [
    "slotd/v1/job.proto",
    "slotd/v1/job_service.proto",
    "slotd/v1/queue_service.proto",
    "slotd/v1/schedule_service.proto",
    "slotd/v1/worker_service.proto",
];

/// What may travel in an Any, beside what the files above import.
const GOOGLE: [&str; 7] = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
    "google/rpc/error_details.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(protos), Some(out), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: slotd-codegen PROTOS OUT".into());
    };
    fs::create_dir_all(&out)?;
    write_stubs(&protos, &out)?;
    write_descriptors(&protos, &out)
}

fn write_stubs(protos: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let files =
        compiler(protos)?.include_source_info(true).include_imports(true).open_files(SLOTD)?.file_descriptor_set();
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().type_name_domain(["."], "type.googleapis.com");
    tonic_prost_build::configure()
        .build_server(false)
        // Maps in a fixed order, so that a message always has the same bytes.
        .btree_map(".")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .emit_rerun_if_changed(false)
        .out_dir(out)
        .compile_fds_with_config(files, config)?;
    Ok(())
}

fn write_descriptors(protos: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let files = compiler(protos)?.include_imports(true).open_files(SLOTD)?.open_files(GOOGLE)?.file_descriptor_set();
    fs::write(out.join("descriptors.bin"), files.encode_to_vec())?;
    Ok(())
}

fn compiler(protos: &Path) -> Result<Compiler, Box<dyn Error>> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(protos.to_owned()));
    resolver.add(GoogleFileResolver::new());
    resolver.add(DescriptorSetFileResolver::new(google_rpc()?));
    Ok(Compiler::with_file_resolver(resolver))
}

/// Google's common protos as the tonic-types crate has them, under the names that they are imported by.
fn google_rpc() -> Result<FileDescriptorSet, Box<dyn Error>> {
    let mut set = FileDescriptorSet::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
    set.file.retain(|file| file.package() == "google.rpc");
    for file in &mut set.file {
        file.name = Some(format!("google/rpc/{}", file.name()));
    }
    Ok(set)
}
