#!/usr/bin/env bash
# Installs what is missing, and says what it installs.
#
#   tools/setup.sh build   what `make build` needs: the Rust toolchain, wasm-bindgen, wasm-split, npm tools
#   tools/setup.sh test    that, Chromium, four font families and the browser tests' npm packages
#   tools/setup.sh browsers that of test, and Firefox ESR
#   tools/setup.sh network that of test, and what `make test-network` makes networks and a TURN server with
#   tools/setup.sh dev     that of build, and cargo-leptos
#   tools/setup.sh bench   that of build, and the server that ours is measured beside
#   tools/setup.sh fuzz    cargo-fuzz and a C++ compiler
#
# Quiet and quick when everything is there.
set -euo pipefail
# What is missing is installed below, and said, not by the first call of cargo.
export RUSTUP_AUTO_INSTALL=0
cd "$(dirname "$0")/.."

tools="${XDG_CACHE_HOME:-$HOME/.cache}/gruppetto/tools"
export PATH="$tools/bin:$HOME/.cargo/bin:$PATH"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# apt as root, or by sudo.
apt_install() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "$* is missing and this is neither root nor a user with sudo: install it with apt and run this again."
    as_root=(sudo)
  fi
  say "installing $* with apt"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_linker() {
  command -v cc >/dev/null || apt_install gcc libc6-dev
}

has_toolchain() {
  local wasm
  wasm="$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" &&
    [ -d "$wasm" ] && cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1
}

need_toolchain() {
  command -v rustup >/dev/null || fail "rustup is missing: install it (rustup.rs says how) and run this again."
  has_toolchain && return
  say "installing the Rust toolchain that rust-toolchain.toml names"
  rustup toolchain install
}

# wasm-bindgen's command line must have the very version of the library.
# Without --locked: its lock file can name crates that are gone. Built with
# little optimisation, because it takes longer to build than it ever runs.
need_wasm_bindgen() {
  local wanted
  wanted="$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock)"
  [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $wanted" ] && return
  say "installing wasm-bindgen-cli $wanted (some minutes)"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --force --root "$tools" \
    wasm-bindgen-cli --version "$wanted"
}

# The tool that takes the parts out of the browser's half. Its version goes with
# that of wasm_split_helpers in Cargo.lock: the same 0.2.
need_wasm_split() {
  local wanted=0.2.4
  grep -qs "^\"wasm_split_cli_support $wanted " "$tools/.crates.toml" && command -v wasm-split-cli >/dev/null && return
  say "installing wasm_split_cli_support $wanted (a minute or two)"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --force --root "$tools" \
    wasm_split_cli_support --version "$wanted" --features build-binary
}

# Applies the patches of third-party crates (patches/README.md).
need_git() {
  command -v git >/dev/null || apt_install git
}

# npm packages of one folder, only when its lock file is not what is installed.
need_npm_packages() {
  local folder="$1"
  command -v npm >/dev/null || fail "npm is missing: install Node.js 20 or newer and run this again."
  cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json" && return
  say "installing the npm packages of $folder/package.json"
  (cd "$folder" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error)
  cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"
}

need_chromium() {
  command -v chromium >/dev/null || apt_install chromium
}

need_firefox() {
  command -v firefox-esr >/dev/null || apt_install firefox-esr
}

# The faces in which the browser tests lay out pages (end2end/fixtures/faces.ts).
need_fonts() {
  local package packages=()
  for package in fonts-liberation fonts-dejavu-core fonts-roboto-unhinted fonts-open-sans; do
    dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || packages+=("$package")
  done
  [ "${#packages[@]}" -eq 0 ] || apt_install "${packages[@]}"
}

# Network namespaces are root's to make: for anybody else there is nothing to
# install, and the tests say that they are skipped. They also say so of whatever
# is missing after all, so a machine where apt may not install goes on.
need_networks() {
  [ "$(id -u)" -eq 0 ] || return 0
  local packages=()
  command -v ip >/dev/null || packages+=(iproute2)
  command -v nft >/dev/null || packages+=(nftables)
  command -v sysctl >/dev/null || packages+=(procps)
  command -v turnserver >/dev/null || packages+=(coturn)
  [ "${#packages[@]}" -eq 0 ] && return
  (apt_install "${packages[@]}") || { say "could not install ${packages[*]}: tests that need it are skipped"; return 0; }
  # The tests start a coturn of their own; the machine is not to become a relay.
  if [[ " ${packages[*]} " == *" coturn "* ]] && [ -d /run/systemd/system ]; then
    say "switching coturn's service off"
    systemctl disable --quiet --now coturn || true
  fi
}

need_cargo_leptos() {
  local wanted=0.3.11
  cargo leptos --version 2>/dev/null | grep -q " $wanted\$" && return
  if command -v cargo-binstall >/dev/null; then
    say "installing cargo-leptos $wanted with cargo binstall"
    cargo binstall --no-confirm --root "$tools" "cargo-leptos@$wanted"
  else
    say "installing cargo-leptos $wanted (about 10 minutes on 2 cores)"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
      cargo install --quiet --force --locked --root "$tools" cargo-leptos --version "$wanted"
  fi
}

# The load generator pins processes to cores and raises their limits.
need_pinning() {
  command -v taskset >/dev/null && command -v prlimit >/dev/null || apt_install util-linux
}

# libfuzzer is C++, compiled with the targets.
need_cxx() {
  command -v c++ >/dev/null || apt_install g++
}

need_cargo_fuzz() {
  local wanted=0.13.2
  [ "$(cargo fuzz --version 2>/dev/null)" = "cargo-fuzz $wanted" ] && return
  say "installing cargo-fuzz $wanted (about a minute)"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --force --root "$tools" \
    cargo-fuzz --version "$wanted"
}

need_build() { need_linker; need_git; need_toolchain; need_wasm_bindgen; need_wasm_split; need_npm_packages .; }

case "${1:-}" in
  build) need_build ;;
  test) need_build; need_chromium; need_fonts; need_npm_packages end2end ;;
  network) need_build; need_chromium; need_npm_packages end2end; need_networks ;;
  browsers) need_build; need_chromium; need_fonts; need_npm_packages end2end; need_firefox ;;
  dev) need_build; need_cargo_leptos ;;
  bench) need_build; need_pinning; need_npm_packages bench ;;
  fuzz) need_linker; need_cxx; need_toolchain; need_cargo_fuzz ;;
  *) fail "say what to set up: build, test, browsers, network, dev, bench or fuzz." ;;
esac
