#!/bin/sh
# Rebuilds the module and compares it with the committed one, so that nobody has to trust a binary in the repository.
# Exits 1, and names what differs, if the two are not the same bytes.
set -eu
cd "$(dirname "$0")"

rebuilt=$(mktemp)
trap 'rm -f "$rebuilt"' EXIT
./build.sh --uncompressed "$rebuilt"
node -e '
  const { createHash } = require("node:crypto")
  const { readFileSync } = require("node:fs")
  const { brotliDecompressSync } = require("node:zlib")
  const [rebuiltFile, committedFile] = process.argv.slice(1)
  const committed = brotliDecompressSync(readFileSync(committedFile))
  const rebuilt = readFileSync(rebuiltFile)
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex")
  if (committed.equals(rebuilt)) {
    console.log(`opa.wasm.br is what tools/opa-wasi builds: sha256 ${sha256(rebuilt)}, ${rebuilt.length} bytes`)
    process.exit(0)
  }
  console.error("opa.wasm.br is not what tools/opa-wasi builds.")
  console.error(`  committed  ${sha256(committed)}  ${committed.length} bytes`)
  console.error(`  rebuilt    ${sha256(rebuilt)}  ${rebuilt.length} bytes`)
  const first = committed.findIndex((byte, at) => byte !== rebuilt[at])
  if (first >= 0) console.error(`  first difference at byte ${first}`)
  const sections = (bytes) => {
    const found = []
    for (let at = 8; at < bytes.length; ) {
      const id = bytes[at++]
      let size = 0
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++]
        size += (byte & 0x7f) * 2 ** shift
        if (byte < 0x80) break
      }
      found.push({ id, size, digest: sha256(bytes.subarray(at, at + size)) })
      at += size
    }
    return found
  }
  const names = ["custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "datacount"]
  const theirs = sections(rebuilt)
  sections(committed).forEach((mine, index) => {
    const other = theirs[index]
    if (other?.digest !== mine.digest)
      console.error(`  section ${names[mine.id] ?? mine.id} differs: ${mine.size} bytes committed, ${other?.size ?? 0} rebuilt`)
  })
  console.error("Fix: run tools/opa-wasi/build.sh and commit the module, or find out who changed it.")
  process.exit(1)
' "$rebuilt" ../../src/policy/toolchain/opa.wasm.br
