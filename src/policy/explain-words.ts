/** An explanation in plain words. */
import { type Explanation, PARTS, type Part } from './explain.ts'
import type { Missing, NearMiss } from './near-miss.ts'

const CLOSEST_MAX = 5

export function explanationText(explanation: Explanation): string {
  const { decision, reasons, part } = explanation
  const [first, ...more] = reasons.map(({ message }) => message)
  return [
    `${decision}: ${first}`,
    ...more.map((message) => `  and: ${message}`),
    '',
    `decided by ${PARTS[part]}`,
    ...parts(explanation),
    ...firedRules(explanation),
    ...closestRules(explanation),
    ...grantsThatLack(explanation),
  ].join('\n')
}

function parts({ part, decision, governed }: Explanation): readonly string[] {
  const names = Object.keys(PARTS) as Part[]
  const decided = names.indexOf(part)
  const width = Math.max(...names.map((name) => PARTS[name].length))
  return names.map((name, at) => {
    const line = (text: string) => `  ${at + 1} ${PARTS[name].padEnd(width)}  ${text}`
    if (name === part) return line(`${VERDICTS[decision]}  <- this one`)
    // A hold comes last, so what it holds was allowed above.
    if (governed && (name === 'defaults' || name === 'allow')) return line('do not count: the project has a policy')
    if (at > decided && !(name === 'allow' && part === 'defaults')) return line(after(name, decision))
    return line(PASSED[name])
  })
}

const VERDICTS = { allow: 'allow it', deny: 'deny it', hold: 'hold it for a human' } as const

const PASSED: Readonly<Record<Part, string>> = {
  key: 'do not object',
  deny: 'none fired',
  project: 'it has none, or that allows the call',
  defaults: 'do not allow it by themselves, or need no rule',
  allow: 'none fired',
  hold: 'none fired',
}

const after = (name: Part, decision: Explanation['decision']): string =>
  decision === 'deny' ? 'not asked any more' : PASSED[name]

function firedRules({ fired }: Explanation): readonly string[] {
  if (fired.length === 0) return []
  return ['', 'your rules that fired', ...fired.map(({ file, row, text }) => `  ${file}:${row}: ${text}`)]
}

function closestRules({ closest, others, part, decision }: Explanation): readonly string[] {
  if (decision !== 'deny' || part !== 'defaults') return []
  const apart = others > 0 ? `${others} allow ${others === 1 ? 'rule speaks' : 'rules speak'} of other calls` : ''
  if (closest.length === 0) return ['', `no allow rule speaks of this operation or its group${apart && ` (${apart})`}`]
  return [
    '',
    'the allow rules that came closest',
    ...closest.slice(0, CLOSEST_MAX).flatMap(nearMiss),
    ...(closest.length > CLOSEST_MAX ? [`  and ${closest.length - CLOSEST_MAX} more`] : []),
    ...(apart ? [`  ${apart}`] : []),
  ]
}

const nearMiss = ({ file, row, missing, complete }: NearMiss): readonly string[] => [
  `  ${file}:${row}: ${missing.length === 1 ? 'one condition was' : `${missing.length} conditions were`} missing${complete ? '' : '; those below build on it'}`,
  ...missing.flatMap((condition) => lines(condition, '    ')),
]

function lines({ file, row, text, values, within }: Missing, indent: string): readonly string[] {
  const line = text.replace(/\s+/g, ' ')
  const was = values.map(({ name, was }) => (values.length === 1 ? was : `${name} ${was}`)).join(', ')
  return [
    `${indent}${file}:${row}: ${line}${was ? ` — was ${was}` : ''}`,
    ...within.flatMap((each) => lines(each, `${indent}  `)),
  ]
}

const grantsThatLack = ({ grants, part, decision, reasons }: Explanation): readonly string[] =>
  decision !== 'deny' || part !== 'project' || !reasons.some(({ code }) => code === 'no_grant_covers')
    ? []
    : [
        '',
        grants.length === 0 ? 'the project has no grant for this service' : "the project's grants for this service",
        ...grants.map(({ name, lacks }) => `  ${name}: ${lacks.join('; ')}`),
      ]
