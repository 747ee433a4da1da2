import { Command } from 'commander'
import { policyBuildCommand } from './policy-build.ts'

export const policyCommand = new Command('policy').description('write, check, test and compile the policy')
for (const command of [policyBuildCommand]) policyCommand.addCommand(command)
