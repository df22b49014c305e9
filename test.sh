#!/usr/bin/env bash
# Builds and runs all tests on a Debian 12 machine, installing what is missing.
#
# usage: ./test.sh [--all]
#   --all  also everything under the address and thread sanitizers, and the long fuzz runs
# The last line is "N passed, M failed, K skipped"; exit 0 when nothing failed.
source "$(dirname "${BASH_SOURCE[0]}")/deploy/setup.sh"
start_script

ALL=no
case "${1:-}" in
  "") ;;
  --all) ALL=yes ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) fail "unknown argument $1; usage: ./test.sh [--all]" ;;
esac

readonly JOBS="$(nproc)"
readonly FUZZ_SECONDS=60
readonly LONG_FUZZ_SECONDS=600
# Those that see what clients and operators send.
readonly FUZZ_TARGETS="infer_request_fuzz rest_body_fuzz shared_memory_fuzz model_config_fuzz"
# What hostile bytes reach first.
readonly ASAN_TESTS="engine_onnx_test config_test server_rpc_test server_scheduler_test"
# What threads share; gRPC itself gives false reports.
readonly TSAN_TESTS="engine_core_test engine_runtime_test server_scheduler_test server_repository_test"
PASSED=0
FAILED=0
SKIPPED=0

configure() {  # configure PRESET [ARGUMENT...]
  local preset="$1"
  shift
  cmake --preset "$preset" -DINFERD_PYTHON="$ROOT/build/venv/bin/python" "$@" >"build/configure-$preset.log" 2>&1 ||
    { tail -n 20 "build/configure-$preset.log" >&2
      fail "cmake could not configure $preset; all of it is in build/configure-$preset.log."; }
}

# The thread sanitizer of g++ 12 cannot start under much address randomisation.
fixed_addresses() {
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

# run_tests PRESET [CTEST_ARGUMENT...]: counts the results; a failing test does not stop the rest.
run_tests() {
  local preset="$1" log="build/ctest-$1.log"
  shift
  INFERD_REQUIRE_CLIENTS=1 fixed_addresses ctest --test-dir "build/$preset" --output-on-failure --no-tests=error \
    -j "$JOBS" "$@" 2>&1 | tee "$log" || true
  local failed total skipped
  read -r failed total < <(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log") ||
    fail "ctest found no tests in build/$preset."
  skipped="$(grep -c '\*\*\*Skipped' "$log" || true)"
  FAILED=$((FAILED + failed))
  SKIPPED=$((SKIPPED + skipped))
  PASSED=$((PASSED + total - failed - skipped))
}

# existing PRESET NAME...: those of the test executables that the tree has.
existing() {
  local preset="$1" name
  shift
  for name in "$@"; do
    if ninja -C "build/$preset" -t query "$name" >/dev/null 2>&1; then echo "$name"; fi
  done
}

# sanitize PRESET NAME...: builds and runs a part of the tests under a sanitizer.
sanitize() {
  local preset="$1" names
  shift
  configure "$preset"
  names="$(existing "$preset" "$@" | tr '\n' ' ')"
  if [ -z "${names// /}" ]; then
    note "None of $* is in the tree."
    return
  fi
  # shellcheck disable=SC2086
  ninja -C "build/$preset" -j "$JOBS" $names
  run_tests "$preset" -R "^($(echo $names | tr ' ' '|'))\$"
}

sanitize_everything() {  # sanitize_everything PRESET CTEST_ARGUMENT...
  local preset="$1"
  shift
  configure "$preset"
  cmake --build --preset "$preset" --parallel "$JOBS"
  run_tests "$preset" "$@"
}

# clang's thread-safety analysis over every source that sees a lock.
check_thread_safety() {
  local found=0 file cuda
  # Empty where the CUDA provider was left out.
  cuda="$(sed -n 's/^CUDNN_INCLUDE_DIR:PATH=\(\/.*\)/\1/p' build/release/CMakeCache.txt)"
  while read -r file; do
    case "$file" in engine/providers/cuda/*) if [ -z "$cuda" ]; then continue; fi ;; esac
    # The definitions are those of the build; clang only parses.
    if ! clang++ -fsyntax-only -std=c++20 -Wthread-safety -Werror=thread-safety -I. -Ibuild/release \
      ${cuda:+-isystem "$cuda"} \
      -DONNX_ML=1 -DONNX_NAMESPACE=onnx -DINFERD_BUILD_ID='"check"' "$file"; then
      found=1
    fi
  done < <(grep -rlE 'core/mutex\.h|ABSL_GUARDED_BY|MutexLock' --include=*.cc --include=*.h engine server loadtest |
    sed 's/\.h$/.cc/' | sort -u | while read -r file; do if [ -e "$file" ]; then echo "$file"; fi; done)
  count_check "$found" "clang's thread-safety analysis"
}

count_check() {  # count_check FAILED WHAT
  if [ "$1" -eq 0 ]; then
    PASSED=$((PASSED + 1))
    note "$2: passed"
  else
    FAILED=$((FAILED + 1))
    note "$2: FAILED"
  fi
}

fuzz_one() {  # fuzz_one SECONDS NAME: its output goes to build/fuzz-NAME.log
  local seconds="$1" name="$2" corpora
  mkdir -p "build/corpus/$name"
  # What is found goes to the first; the second holds examples to begin with.
  corpora=("build/corpus/$name")
  if [ -d "tests/fuzz/corpus/$name" ]; then corpora+=("tests/fuzz/corpus/$name"); fi
  if ! UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "build/fuzz/bin/$name" -timeout=20 \
    -malloc_limit_mb=512 -max_total_time="$seconds" -rss_limit_mb=2048 "${corpora[@]}" \
    -artifact_prefix="build/fuzz-$name-" >"build/fuzz-$name.log" 2>&1; then
    echo failed >"build/fuzz-$name.failed"
  fi
}

fuzz() {  # fuzz SECONDS NAME...: as many at once as there are processors
  local seconds="$1" name
  shift
  ninja -C build/fuzz -j "$JOBS" "$@"
  for name in "$@"; do
    rm -f "build/fuzz-$name.failed"
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do sleep 1; done
    fuzz_one "$seconds" "$name" &
  done
  wait
  for name in "$@"; do
    if [ -e "build/fuzz-$name.failed" ]; then
      tail -n 40 "build/fuzz-$name.log"
      count_check 1 "$name"
    else
      count_check 0 "$name"
    fi
  done
}

download_promtool() {
  (cd build/promtool && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .)
}

# promtool from Debian's package, unpacked rather than installed: the package starts a service.
fetch_promtool() {
  if command -v promtool >/dev/null || [ -x build/promtool/usr/bin/promtool ]; then return; fi
  mkdir -p build/promtool
  download_promtool 2>/dev/null || { as_root apt-get update -qq && download_promtool; } ||
    fail "apt-get could not download the prometheus package, which holds promtool."
}

# perf_analyzer is in an old wheel of tritonclient, its one library in another wheel.
fetch_perf_analyzer() {
  local folder=build/perf_analyzer
  if [ -x "$folder/bin/perf_analyzer" ]; then return; fi
  mkdir -p "$folder/bin" "$folder/lib"
  build/venv/bin/pip download -q --no-deps --only-binary=:all: --dest "$folder" \
    tritonclient==2.34.0 nvidia-cuda-runtime-cu12 ||
    fail "pip could not download perf_analyzer; is the Python package index reachable?"
  python3 - "$folder" <<'PYTHON'
import glob, os, sys, zipfile
folder = sys.argv[1]
for wheel in glob.glob(f"{folder}/*.whl"):
    with zipfile.ZipFile(wheel) as file:
        for name in file.namelist():
            part = {"perf_analyzer": "bin", "libcudart.so.12": "lib"}.get(os.path.basename(name))
            if part:
                with open(f"{folder}/{part}/{os.path.basename(name)}", "wb") as out:
                    out.write(file.read(name))
os.chmod(f"{folder}/bin/perf_analyzer", 0o755)
PYTHON
  rm -f "$folder"/*.whl
}

check_system
step "Packages"
install_packages build client test
step "Python clients and oracles"
python_environment tests/requirements.txt
fetch_promtool
fetch_perf_analyzer
step "Building the release preset with its tests"
configure release -DINFERD_TESTS=ON -DINFERD_CUDA=ON
cmake --build --preset release --parallel "$JOBS"
step "Running the tests"
run_tests release
note "$(took $SECONDS) so far"
step "clang's thread-safety analysis"
check_thread_safety
if [ "$ALL" = yes ]; then
  step "Everything under the address and undefined-behaviour sanitizers"
  sanitize_everything asan -LE "slow|lint"
  step "Core, runtime, scheduler and repository under the thread sanitizer"
  # The providers' kernels run without locks, and for an hour under this sanitizer.
  sanitize_everything tsan -R "^(engine_|server_scheduler|server_repository)" -E "^engine_providers_test"
  step "Fuzzing, $LONG_FUZZ_SECONDS s each"
  configure fuzz
  # shellcheck disable=SC2046
  fuzz "$LONG_FUZZ_SECONDS" $(basename -s .cc tests/fuzz/*_fuzz.cc)
else
  step "Importer, config, codec and scheduler under the address and undefined-behaviour sanitizers"
  # The build that the fuzz targets need as well.
  sanitize fuzz $ASAN_TESTS
  note "$(took $SECONDS) so far"
  step "Fuzzing, $FUZZ_SECONDS s each"
  # shellcheck disable=SC2086
  fuzz "$FUZZ_SECONDS" $FUZZ_TARGETS
  note "$(took $SECONDS) so far"
  step "Core, runtime, scheduler and repository under the thread sanitizer"
  sanitize tsan $TSAN_TESTS
fi
printf '\nAll of it took %s.\n%d passed, %d failed, %d skipped\n' "$(took $SECONDS)" "$PASSED" "$FAILED" "$SKIPPED"
exit $((FAILED > 0))
