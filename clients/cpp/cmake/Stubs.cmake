# The messages and stubs of slotd's protos, made by the protoc and the gRPC plugin that belong to the installed runtimes:
# generated C++ goes with the one version of protobuf that generated it, so it can't be committed. Sets `stub_sources`,
# those of them that are of messages as `message_sources`, and `stub_dir`, the folder to include from.

set(stub_dir "${CMAKE_CURRENT_BINARY_DIR}/generated")
set(googleapis_dir "${CMAKE_CURRENT_SOURCE_DIR}/third_party/googleapis")

set(slotd_protos job job_service queue_service schedule_service worker_service)
set(slotd_services job_service queue_service schedule_service worker_service)
set(rpc_protos status error_details)

list(TRANSFORM slotd_protos PREPEND "slotd/v1/" OUTPUT_VARIABLE message_stems)
list(TRANSFORM rpc_protos PREPEND "google/rpc/" OUTPUT_VARIABLE rpc_stems)
list(APPEND message_stems ${rpc_stems})
list(TRANSFORM slotd_services PREPEND "slotd/v1/" OUTPUT_VARIABLE service_stems)

set(message_sources "")
set(service_sources "")
set(stub_headers "")
foreach(stem IN LISTS message_stems)
  list(APPEND message_sources "${stub_dir}/${stem}.pb.cc")
  list(APPEND stub_headers "${stub_dir}/${stem}.pb.h")
endforeach()
foreach(stem IN LISTS service_stems)
  list(APPEND service_sources "${stub_dir}/${stem}.grpc.pb.cc")
  list(APPEND stub_headers "${stub_dir}/${stem}.grpc.pb.h")
endforeach()
set(stub_sources ${message_sources} ${service_sources})

list(TRANSFORM slotd_protos PREPEND "${SLOTD_PROTO_DIR}/slotd/v1/" OUTPUT_VARIABLE slotd_proto_files)
list(TRANSFORM slotd_proto_files APPEND ".proto")
list(TRANSFORM rpc_protos PREPEND "${googleapis_dir}/google/rpc/" OUTPUT_VARIABLE rpc_proto_files)
list(TRANSFORM rpc_proto_files APPEND ".proto")

set(includes "-I${SLOTD_PROTO_DIR}" "-I${googleapis_dir}")
foreach(dir IN LISTS Protobuf_INCLUDE_DIRS)
  list(APPEND includes "-I${dir}")
endforeach()

file(MAKE_DIRECTORY "${stub_dir}")
add_custom_command(
  OUTPUT ${stub_sources} ${stub_headers}
  COMMAND protobuf::protoc ${includes} "--cpp_out=${stub_dir}" ${slotd_proto_files} ${rpc_proto_files}
  COMMAND protobuf::protoc ${includes} "--grpc_out=${stub_dir}"
          "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>" ${slotd_proto_files}
  DEPENDS ${slotd_proto_files} ${rpc_proto_files}
  COMMENT "Generating the stubs"
  VERBATIM)
add_custom_target(slotd_generate DEPENDS ${stub_sources} ${stub_headers})
