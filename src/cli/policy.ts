import { Command } from 'commander'
import { policyBacktestCommand } from './policy-backtest.ts'
import { policyBenchCommand } from './policy-bench.ts'
import { policyBuildCommand } from './policy-build.ts'
import { policyPushCommand, policyRollbackCommand } from './policy-change.ts'
import { policyCheckCommand } from './policy-check.ts'
import { policyDiffCommand } from './policy-diff.ts'
import { policyExplainCommand } from './policy-explain.ts'
import { policyFmtCommand } from './policy-fmt.ts'
import { policyListCommand, policyShowCommand } from './policy-history.ts'
import { policyTestCommand } from './policy-test.ts'

export const policyCommand = new Command('policy').description('write, check, test, compile and roll out the policy')
for (const command of [
  policyCheckCommand,
  policyFmtCommand,
  policyTestCommand,
  policyBuildCommand,
  policyBenchCommand,
  policyExplainCommand,
  policyBacktestCommand,
  policyDiffCommand,
  policyPushCommand,
  policyListCommand,
  policyShowCommand,
  policyRollbackCommand,
])
  policyCommand.addCommand(command)
