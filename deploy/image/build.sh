#!/usr/bin/env bash
# Builds the image with Debian's buildah, without a container engine or a registry: the base is made
# by debootstrap. Needs root and the packages buildah and debootstrap.
#
# usage: deploy/image/build.sh [--cuda] [NAME]
#   NAME is inferd:latest, with --cuda (for machines with a GPU) inferd:cuda, where it is not given;
#   build/image/NAME.tar is an OCI archive.
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"
start_script

FILE=Dockerfile
DEFAULT_NAME=inferd:latest
if [ "${1:-}" = --cuda ]; then
  FILE=deploy/image/Dockerfile.cuda
  DEFAULT_NAME=inferd:cuda
  shift
fi
readonly NAME="${1:-$DEFAULT_NAME}"
readonly BASE=localhost/debian:bookworm
readonly MIRROR="${DEBIAN_MIRROR:-}"  # empty: the one debootstrap is set up with
readonly STORE="$ROOT/build/image"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
BUILDAH=(buildah --root "$STORE/storage" --runroot "$STORE/run")

for tool in buildah debootstrap; do
  command -v "$tool" >/dev/null || fail "$tool is missing; install Debian's package $tool."
done
[ "$(id -u)" -eq 0 ] || fail "debootstrap needs root; run this as root or through sudo."
mkdir -p "$STORE"

if ! "${BUILDAH[@]}" inspect --type image "$BASE" >/dev/null 2>&1; then
  step "Making the base image with debootstrap"
  rm -rf "$STORE/base"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$STORE/base" ${MIRROR:+"$MIRROR"} \
    >"$STORE/debootstrap.log" 2>&1 ||
    { tail -n 20 "$STORE/debootstrap.log" >&2; fail "debootstrap failed; all of it is in $STORE/debootstrap.log."; }
  # What a proxied or mirrored network needs inside, too.
  # Without a mirror named here, debootstrap has written the list itself.
  if [ -n "$MIRROR" ]; then
    printf 'deb %s bookworm main\n' "$MIRROR" >"$STORE/base/etc/apt/sources.list"
  fi
  rm -rf "$STORE"/base/var/cache/apt/archives/*.deb
  container="$("${BUILDAH[@]}" from scratch)"
  "${BUILDAH[@]}" add -q "$container" "$STORE/base" / >/dev/null
  "${BUILDAH[@]}" config --cmd /bin/bash "$container"
  "${BUILDAH[@]}" commit -q "$container" "$BASE" >/dev/null
  "${BUILDAH[@]}" rm "$container" >/dev/null
  rm -rf "$STORE/base"
fi

step "Building $NAME"
"${BUILDAH[@]}" bud -f "$FILE" --format docker --build-arg "BASE=$BASE" --pull-never --network host -t "$NAME" .

step "Writing the archive"
archive="$STORE/$(echo "$NAME" | tr '/:' '--').tar"
rm -f "$archive"
"${BUILDAH[@]}" push -q "$NAME" "oci-archive:$archive"
note "$archive, $(du -h "$archive" | cut -f1)"
