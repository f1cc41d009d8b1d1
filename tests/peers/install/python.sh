#!/usr/bin/env bash
# Python's gRPC, with the stubs of our test contract generated into target/peers/disputes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

venv python grpcio==1.85.0 grpcio-tools==1.85.0 grpcio-reflection==1.85.0 grpcio-status==1.85.0

source_dir=$root/tests/peers/python
out=$peers/disputes
stamp=$(cat "$source_dir/disputes.proto" "${BASH_SOURCE[0]}" | sha256sum)
[[ -f $out/stamp && $(<"$out/stamp") == "$stamp" ]] && exit 0
rm -rf "$out" && mkdir -p "$out"
"$peers/python/bin/python" -m grpc_tools.protoc -I "$source_dir" --python_out="$out" --grpc_python_out="$out" "$source_dir/disputes.proto"
echo "$stamp" >"$out/stamp"
