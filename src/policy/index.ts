/**
 * Policy: allow, deny or hold, from one content-addressed revision. A policy that does not compile, does not end, calls what
 * cannot run or answers in another shape is never taken, and the revision in force stays. Whatever goes wrong while a call
 * is decided is thrown as a fault: the call is then refused.
 */
export {
  type BuiltPolicy,
  buildPolicy,
  type Candidate,
  type Digests,
  digestsOf,
  isLibrary,
  lostProjects,
  type PolicyFiles,
  type PolicyFolders,
  readFiles,
  readFolders,
  readPolicy,
} from './build.ts'
export {
  type CallFields,
  type CaseReading,
  type Expected,
  type PolicyCase,
  readCases,
  wholeCall,
} from './cases.ts'
export { problemOf } from './compile.ts'
export { type Explanation, explainDecision, type GrantMiss, type Part } from './explain.ts'
export { explanationText } from './explain-words.ts'
export { ENTRY_POINT } from './instance.ts'
export type { Missing, NearMiss } from './near-miss.ts'
export { type OpenPolicy, openFiles, openPolicy, type World } from './open.ts'
export { pausing } from './pausing.ts'
export { type Grant, type ParsedProject, type ProjectPolicy, parseProjectPolicy } from './project-policy.ts'
export {
  explainPolicyRefusal,
  isPolicyRefusal,
  type PolicyProblem,
  type PolicyRefusal,
  refusePolicy,
} from './refusal.ts'
export { CASES_MODULE, type CaseResult, casesAsTests, codesOf, runCases } from './run-cases.ts'
export { isPolicyFile, type PolicySources } from './sources.ts'
export { createPolicyStore, type PolicyStore, type PolicyStoreOptions } from './store.ts'
export {
  type Answered,
  type Coverage,
  checkRego,
  compileRego,
  type Evaluation,
  evaluateRego,
  formatRego,
  type Place,
  type RegoFile,
  type RegoProblem,
  type RegoTest,
  regoBuiltins,
  testRego,
} from './toolchain.ts'
export { watchFolders } from './watch.ts'
