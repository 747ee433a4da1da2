/**
 * Runs what a page shows. A ```console block is a session: a line after `$ ` is a command, what follows is what it prints.
 * All blocks of a page share one shell, so that what one exports the next one sees. `npx countersign` runs the sources.
 *
 * In expected output `…` stands for any text, and alone on its line for any lines. Ids, times and ports may differ; an id
 * that a page shows stands for the one that was printed in its place, also in the commands that follow. In a command,
 * `cs_…` is the vault key that was made last.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../services/process.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = createRequire(import.meta.url).resolve('tsx')

export interface Block {
  readonly language: string
  readonly text: string
  /** Of its first line, in the page. */
  readonly line: number
}

export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const [, fence, language] = /^(`{3,})(\w*)$/.exec(lines[at]!) ?? []
    if (fence === undefined) continue
    const end = lines.indexOf(fence, at + 1)
    if (end < 0) throw new Error(`the block at line ${at + 1} has no end`)
    blocks.push({ language: language ?? '', text: lines.slice(at + 1, end).join('\n'), line: at + 2 })
    at = end
  }
  return blocks
}

export interface Step {
  readonly command: string
  readonly expected: string
  readonly line: number
}

/** The commands of a page's sessions, each with what the page says that it prints. */
export function stepsOf(markdown: string): readonly Step[] {
  return blocksOf(markdown)
    .filter(({ language }) => language === 'console')
    .flatMap(({ text, line }) => {
      const steps: { command: string; output: string[]; line: number }[] = []
      for (const [at, row] of text.split('\n').entries()) {
        const last = steps.at(-1)
        if (row.startsWith('$ ')) steps.push({ command: row.slice(2), output: [], line: line + at })
        else if (!last) throw new Error(`line ${line + at}: a session begins with a command`)
        else if (last.command.endsWith('\\') && last.output.length === 0) last.command += `\n${row}`
        else last.output.push(row)
      }
      return steps.map(({ command, output, line }) => ({ command, expected: output.join('\n'), line }))
    })
}

export interface Session {
  /** Answers what the command printed, both streams, where it differs from what the page says; else null. */
  play(step: Step): Promise<string | null>
  /** Of the gateway that this session starts, or that it is to find. */
  readonly ports: { readonly agent: number; readonly admin: number }
  close(): Promise<void>
}

interface Place {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

const DONE = '\u0004done'

export async function openSession({ cwd, env = {} }: Place): Promise<Session> {
  const ports = { agent: await freePort(), admin: await freePort() }
  const bin = mkdtempSync(join(tmpdir(), 'countersign-docs-'))
  writeCommands(bin)
  const shell = spawn('bash', ['--norc'], {
    cwd,
    // A group of its own, so that a gateway that it started ends with it.
    detached: true,
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: process.env.HOME ?? '',
      COUNTERSIGN_PORT: String(ports.agent),
      COUNTERSIGN_ADMIN_PORT: String(ports.admin),
      COUNTERSIGN_LOG_LEVEL: 'error',
      ...env,
    },
  })
  const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()))
  const run = reader(shell)
  const ids = new Map<string, string>()
  let vaultKey = 'cs_none'
  let serving = false

  const translated = (command: string): string => {
    let text = command.replaceAll('8787', String(ports.agent)).replaceAll('8788', String(ports.admin))
    for (const [shown, real] of ids) text = text.replaceAll(shown, real)
    return text.replaceAll('cs_…', vaultKey)
  }

  async function output(command: string): Promise<string> {
    if (!/countersign serve$/.test(command)) return run(command)
    // It stays: what it says until it is ready is what a reader sees.
    const log = join(bin, 'serve.log')
    serving = true
    return run(
      `: > ${log}; ${command} > ${log} 2>&1 & for i in $(seq 1800); do grep -q '^policy ' ${log} && break; kill -0 $! || break; sleep 0.1; done; cat ${log}`,
    )
  }

  return {
    ports,
    async play({ command, expected }) {
      const printed = await output(translated(command))
      vaultKey = /\bcs_[A-Za-z0-9_-]{43}\b/.exec(printed)?.[0] ?? vaultKey
      const told = printed.replaceAll(String(ports.agent), '8787').replaceAll(String(ports.admin), '8788').trimEnd()
      const pairs = matched(expected.split('\n'), told.split('\n'))
      if (pairs === null) return told
      for (const [shown, real] of pairs) {
        const there = real.match(ID) ?? []
        for (const [at, id] of (shown.match(ID) ?? []).entries())
          if (there[at] && !id.endsWith('…')) ids.set(id, there[at])
      }
      return null
    },
    async close() {
      if (serving) await run('kill %1; wait').catch(() => undefined)
      shell.stdin!.end()
      await ended
      rmSync(bin, { recursive: true, force: true })
    },
  }
}

function reader(shell: ChildProcess): (command: string) => Promise<string> {
  let printed = ''
  let waiting: ((text: string) => void) | undefined
  let lost: ((error: Error) => void) | undefined
  shell.stdout!.on('data', (piece) => {
    printed += piece
    const at = printed.indexOf(DONE)
    if (at < 0) return
    const text = printed.slice(0, at)
    printed = ''
    waiting?.(text)
  })
  shell.once('close', () => lost?.(new Error(`the shell ended: ${printed}`)))
  return (command) =>
    new Promise((resolve, reject) => {
      waiting = resolve
      lost = reject
      shell.stdin!.write(`{ ${command}\n} </dev/null 2>&1; printf '\\004done'\n`)
    })
}

/** `npx` as the page says it, without asking a registry: the commands of this checkout, as built. */
function writeCommands(bin: string): void {
  mkdirSync(bin, { recursive: true })
  const node = `exec '${process.execPath}' --import '${TSX}'`
  const script = (name: string, body: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  script('countersign', `exec '${process.execPath}' '${ROOT}dist/cli/main.js' "$@"`)
  script('tsx', `${node} "$@"`)
  script('npx', 'exec "$@"')
}

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?:vk|re|req)_(?:…|[A-Za-z0-9_-]{8,})/g
const VARIES: readonly (readonly [RegExp, string])[] = [
  [ID, '<id>'],
  [/\bcs_(?:…|[A-Za-z0-9_-]{43})/g, '<vault key>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b\d\d:\d\d:\d\d\.\d{3}\b/g, '<time>'],
  [/sha256:(?:…|[0-9a-f]{64})/g, '<revision>'],
  [/"created": ?\d+/g, '"created": <seconds>'],
  [/"latency_ms": ?\d+/g, '"latency_ms": <ms>'],
]
const plain = (line: string): string => VARIES.reduce((text, [what, name]) => text.replace(what, name), line).trimEnd()

/** The expected lines, each with the one that it met; null where they do not meet. */
function matched(expected: readonly string[], told: readonly string[]): readonly (readonly [string, string])[] | null {
  const [first, ...rest] = expected
  if (first === undefined) return told.length === 0 ? [] : null
  if (first.trim() === '…') {
    for (let skipped = 0; skipped <= told.length; skipped++) {
      const pairs = matched(rest, told.slice(skipped))
      if (pairs) return pairs
    }
    return null
  }
  const [line, ...others] = told
  if (line === undefined || !meets(first, line)) return null
  const pairs = matched(rest, others)
  return pairs && [[first, line], ...pairs]
}

function meets(expected: string, line: string): boolean {
  const pattern = plain(expected)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`).test(plain(line))
}
