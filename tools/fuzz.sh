#!/usr/bin/env bash
# Fuzzes every target of fuzz/ in turn, for so many seconds each, from the seeds
# in fuzz/seeds and what earlier runs found (fuzz/corpus, not kept in git).
#
#   tools/fuzz.sh 60
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${1:-60}"
# Longer than any message may be, so that the bound itself is met.
max_length=70000

for file in fuzz/targets/*.rs; do
  target="$(basename "$file" .rs)"
  mkdir -p "fuzz/corpus/$target"
  printf 'fuzz: %s, %s s\n' "$target" "$seconds"
  # The instrumentation is unstable; the pinned compiler has it as well as a nightly one.
  RUSTC_BOOTSTRAP=1 cargo fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="$seconds" -max_len="$max_length" -print_final_stats=1
done
