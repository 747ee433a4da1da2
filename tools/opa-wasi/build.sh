#!/bin/sh
# Builds src/policy/toolchain/opa.wasm.br: OPA's compiler, checker, formatter, test runner and evaluator as a WASI module;
# and opa.wasm.sha256, the digest of the module, which is part of the name of every compiled policy in a cache.
# Needs Go and Node. Go fetches the pinned toolchain itself; the same sources give the same module on every machine.
#
# usage: tools/opa-wasi/build.sh [--uncompressed FILE]
set -eu
cd "$(dirname "$0")"

build() {
  GOTOOLCHAIN=go1.26.8 GOOS=wasip1 GOARCH=wasm GOWASM='' CGO_ENABLED=0 GOFLAGS=-mod=readonly \
    go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$1" .
}

if [ "${1:-}" = --uncompressed ]; then
  build "$2"
  exit
fi

module=$(mktemp)
trap 'rm -f "$module"' EXIT
build "$module"
mkdir -p ../../src/policy/toolchain
node -e '
  const { createHash } = require("node:crypto")
  const { readFileSync, writeFileSync } = require("node:fs")
  const { brotliCompressSync, constants } = require("node:zlib")
  const [module, output] = process.argv.slice(1)
  const bytes = readFileSync(module)
  writeFileSync(`${output}/opa.wasm.sha256`, `${createHash("sha256").update(bytes).digest("hex")}\n`)
  writeFileSync(`${output}/opa.wasm.br`, brotliCompressSync(bytes, { params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  } }))
' "$module" ../../src/policy/toolchain
ls -l ../../src/policy/toolchain/opa.wasm.*
