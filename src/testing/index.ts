/**
 * The public door for tests of plugins, `switchyard/testing`: the suites that every adapter of a port passes, written for vitest, fakes that
 * are real implementations of ports, and repositories that remove themselves.
 */
export { type Act, type AgentUnderTest, agentContract, type Fault, type PreparedAgent } from './agent-contract.ts';
export { ManualClock } from './manual-clock.ts';
export { type PlainSandbox, plainSandbox } from './plain-sandbox.ts';
export { type SandboxUnderTest, sandboxContract } from './sandbox-contract.ts';
export {
  type Content,
  plainGit,
  type TempFolder,
  type TempRepository,
  tempFolder,
  tempRepository,
  writeFiles,
} from './temp-repository.ts';
export { workspaceContract } from './workspace-contract.ts';
