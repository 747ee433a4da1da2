import { Command } from 'commander'
import { policyBuildCommand } from './policy-build.ts'
import { policyTestCommand } from './policy-test.ts'

export const policyCommand = new Command('policy').description('write, check, test and compile the policy')
for (const command of [policyBuildCommand, policyTestCommand]) policyCommand.addCommand(command)
