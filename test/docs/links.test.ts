/** Every relative link in every page leads to a file that is there, and to a heading or anchor in it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from './console.ts'

const PAGES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(ROOT, page)))

/** Prose alone: what stands in code is no link and no heading. */
const prose = (markdown: string): string => markdown.replace(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, '')

/** As code forges name the anchors of headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, title] of prose(markdown).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = title!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    let name = slug
    for (let twin = 1; anchors.has(name); twin++) name = `${slug}-${twin}`
    anchors.add(name)
  }
  for (const [, id] of markdown.matchAll(/<a id="([^"]+)">/g)) anchors.add(id!)
  return anchors
}

function broken(page: string): readonly string[] {
  const text = prose(readFileSync(join(ROOT, page), 'utf8')).replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
    if (/^[a-z]+:/.test(link!)) return []
    const [path = '', anchor] = link!.split('#')
    const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), decodeURIComponent(path))
    if (relative(ROOT, target).startsWith('..')) return [`${link} leads out of the project`]
    if (!existsSync(target)) return [`${link} is not there`]
    if (anchor === undefined) return []
    const found = statSync(target).isFile() && anchorsOf(readFileSync(target, 'utf8')).has(anchor)
    return found ? [] : [`${link} has no such heading`]
  })
}

it.each(PAGES)('%s leads where it says', (page) => {
  expect(broken(page)).toEqual([])
})

it('the README leads to every page of the documentation', () => {
  const reached = new Set<string>()
  const walk = (page: string): void => {
    if (reached.has(page) || !existsSync(join(ROOT, page))) return
    reached.add(page)
    const text = prose(readFileSync(join(ROOT, page), 'utf8'))
    for (const [, path] of text.matchAll(/\]\(([^)\s#:]+\.md)(?:#[^)\s]*)?\)/g))
      walk(relative(ROOT, join(ROOT, dirname(page), path!)))
  }
  walk('README.md')
  expect(PAGES.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([])
})
