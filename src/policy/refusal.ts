/** Why a policy was not taken. The revision in force stays in force. */

export interface PolicyProblem {
  /** `syntax`, `type`, `missing_builtin`, `no_entry_point`, `endless`, `wrong_shape`, `unreadable`, `project_policy`, … */
  readonly code: string
  /** What is wrong, and why. */
  readonly message: string
  readonly fix: string
  /** As the operator knows it; row and column count from 1. */
  readonly file?: string
  readonly row?: number
  readonly col?: number
}

export interface PolicyRefusal {
  readonly refused: true
  readonly problems: readonly PolicyProblem[]
}

export const refusePolicy = (...problems: readonly PolicyProblem[]): PolicyRefusal => ({ refused: true, problems })

export const isPolicyRefusal = (value: object): value is PolicyRefusal => 'refused' in value && 'problems' in value

/** One problem a paragraph: `rego/tool_decision.rego:5:3: undefined ref …` and the fix below it. */
export function explainPolicyRefusal({ problems }: PolicyRefusal): string {
  return problems
    .map(({ file, row, col, message, fix }) => {
      const place = [file, row, col].filter((part) => part !== undefined).join(':')
      return `${place ? `${place}: ` : ''}${message}\n  fix: ${fix}`
    })
    .join('\n')
}
