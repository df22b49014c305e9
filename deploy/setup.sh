# Sourced by quickstart.sh and test.sh: messages, Debian packages and the Python environment.
# Everything it makes lies under build/.

readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
STEP="starting"

# step WHAT: announces the next step; a failure is reported under this name.
step() {
  STEP="$1"
  printf '\n==> %s\n' "$STEP"
}

note() { printf '    %s\n' "$*"; }

fail() {
  trap - ERR
  printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

report_failure() {
  fail "the step \"$STEP\" failed; the reason is in the lines above."
}

start_script() {
  set -Eeuo pipefail
  trap report_failure ERR
  cd "$ROOT"
  export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
  export NINJA_STATUS="[%f/%t, %es] "
  # Lets ccache work with precompiled headers.
  export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros}"
  # A second checkout of the same sources compiles from the first one's cache.
  export CCACHE_BASEDIR="$ROOT" CCACHE_NOHASHDIR=1
  mkdir -p build
}

# as_root COMMAND...: directly when we are root, else through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env=DEBIAN_FRONTEND,http_proxy,https_proxy "$@"
  else
    fail "installing packages needs root: run this as root, or install sudo."
  fi
}

check_system() {
  [ -r /etc/os-release ] || fail "this machine has no /etc/os-release; Debian 12 is needed."
  local release
  release="$(. /etc/os-release && echo "${ID:-?} ${VERSION_ID:-?}")"
  [ "$release" = "debian 12" ] ||
    note "Made for Debian 12, this is $release: package names may differ."
}

# install_packages LIST...: installs what is missing of the lists deploy/packages/LIST.txt.
install_packages() {
  local list package missing=() wanted=()
  for list in "$@"; do
    while read -r package; do
      wanted+=("$package")
      dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing+=("$package")
    done < <(grep -v '^#' "$ROOT/deploy/packages/$list.txt")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    note "All ${#wanted[@]} packages are installed."
    return
  fi
  note "Installing ${#missing[@]} of ${#wanted[@]}: ${missing[*]}"
  as_root apt-get update -qq || fail "apt-get update failed; is a Debian mirror reachable?"
  as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >build/apt.log 2>&1 ||
    { tail -n 20 build/apt.log >&2; fail "apt-get could not install the packages; all of it is in build/apt.log."; }
}

# python_environment REQUIREMENTS_FILE: build/venv with at least these packages.
python_environment() {
  local requirements="$1" mark
  mark="build/venv/.installed-$(sha256sum "$requirements" | cut -c1-16)"
  if [ -e "$mark" ]; then
    note "build/venv is up to date."
    return
  fi
  [ -x build/venv/bin/python ] || python3 -m venv build/venv
  note "Installing $(grep -vc '^#' "$requirements") Python packages of $requirements into build/venv."
  build/venv/bin/pip install -q --retries 5 -r "$requirements" ||
    fail "pip could not install the packages of $requirements; is the Python package index reachable?"
  touch "$mark"
}

# took SECONDS: "3 min 20 s".
took() { printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); }
