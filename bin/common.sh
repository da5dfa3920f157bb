# Sourced by the scripts beside it: where the tree is, and one way to say things.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export root

# Progress goes to standard error: what a script prints on standard output is its result.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die CAUSE REMEDY
die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  [ $# -lt 2 ] || printf '  remedy: %s\n' "$2" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die "$1 needs root" "run it as root (sudo make …)"
}

# The server's version, or failure: `docker info` of newer clients succeeds without an engine.
docker_version() { docker version --format '{{.Server.Version}}' 2>/dev/null; }

need_docker() {
  docker_version >/dev/null || die "the Docker Engine does not answer" "run bin/docker-up as root"
}
