#!/usr/bin/env bash
# Ruby's gRPC with the interop client and server that its own project tests it with.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_install ruby-grpc ruby-googleauth
