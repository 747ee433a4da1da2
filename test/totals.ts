/** Ends a run with one line of its totals. A file that could not be run counts as a failure. */
import type { Reporter, TestModule } from 'vitest/node'

export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const totals = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) totals[test.result().state]++
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) totals.failed++
    }
    const { passed, failed, skipped, pending } = totals
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped + pending} skipped\n`)
  }
}
