#!/usr/bin/env bash
# strace, which writes down the system calls of a running program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_install strace
