#!/usr/bin/env bash
# From a fresh Debian 12 machine to a daemon that answers: installs packages, builds, serves the
# example models and asks each a question.
#
# usage: ./quickstart.sh [--check]
#   --check  stop the daemon after the questions; exit 0 when all answers are right
source "$(dirname "${BASH_SOURCE[0]}")/deploy/setup.sh"
start_script

CHECK=no
case "${1:-}" in
  "") ;;
  --check) CHECK=yes ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) fail "unknown argument $1; usage: ./quickstart.sh [--check]" ;;
esac

readonly WORK=build/quickstart
readonly MODELS=$WORK/models
DAEMON=""

stop_daemon() {
  if [ -n "$DAEMON" ] && kill -0 "$DAEMON" 2>/dev/null; then
    kill "$DAEMON"
    wait "$DAEMON" || true
  fi
}
trap stop_daemon EXIT

collect_models() {
  rm -rf "$MODELS/digits" "$MODELS/fraud"
  mkdir -p "$MODELS"
  cp -r config/examples/models/* "$MODELS/"
  if ! build/venv/bin/python config/examples/fetch_filetype.py "$MODELS"; then
    rm -rf "$MODELS/filetype"
    note "No network: the filetype example is skipped."
  fi
  note "Models: $(ls "$MODELS" | tr '\n' ' ')"
}

# Ports are the usual ones for a person and free ones for a check.
start_daemon() {
  local ports=()
  [ "$CHECK" = no ] || ports=(--grpc-port 0 --http-port 0 --metrics-port 0)
  build/release/bin/inferd serve --model-repository "$MODELS" "${ports[@]}" \
    >"$WORK/daemon.out" 2>"$WORK/daemon.log" &
  DAEMON=$!
  local waited=0
  until grep -qx ready "$WORK/daemon.out"; do
    if ! kill -0 "$DAEMON" 2>/dev/null; then
      tail -n 20 "$WORK/daemon.log" >&2
      fail "the daemon stopped before it was ready; all of its log is in $WORK/daemon.log."
    fi
    [ $((waited += 1)) -le 600 ] || fail "the daemon was not ready within 2 minutes; see $WORK/daemon.log."
    sleep 0.2
  done
}

# address grpc|http|metrics: from the daemon's "listening" line.
address() { sed -n "s/^listening .*\b$1=\([^ ]*\).*/\1/p" "$WORK/daemon.out"; }

check_system
step "Packages"
install_packages build client
step "Building (about 10 minutes on 2 cores the first time)"
cmake --preset release -DINFERD_TESTS=OFF >build/configure.log 2>&1 ||
  { tail -n 20 build/configure.log >&2; fail "cmake could not configure; all of it is in build/configure.log."; }
cmake --build --preset release --parallel "$(nproc)"
step "Python client"
python_environment config/examples/requirements.txt
step "Example models"
collect_models
step "Starting the daemon"
start_daemon
note "gRPC on $(address grpc), HTTP on $(address http)"
step "Asking each model a question"
if ! build/venv/bin/python config/examples/ask.py --grpc "$(address grpc)" --models "$MODELS"; then
  fail "a model gave a wrong answer; the daemon's log is in $WORK/daemon.log."
fi
step "Where to look"
note "health   http://$(address http)/v2/health/ready"
note "metrics  http://$(address metrics)/metrics"
note "log      $WORK/daemon.log"
if [ "$CHECK" = yes ]; then
  STEP="stopping the daemon"
  kill "$DAEMON"
  wait "$DAEMON" || fail "the daemon did not stop cleanly; see $WORK/daemon.log."
  printf '\nAll answers are right; %s.\n' "$(took $SECONDS)"
  exit 0
fi
printf '\nThe daemon goes on serving; Ctrl-C stops it.\n'
trap 'echo; echo "Stopping."' INT TERM
wait "$DAEMON" || true
