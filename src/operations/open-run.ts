import { join } from 'node:path';
import type { ParsedRequestOf } from '../api/routes.ts';
import type { Opened } from '../api/schemas/open.ts';
import type { HandTool, Opening } from '../domain/opening.ts';
import { enclosedEnv } from '../engine/context.ts';
import { takeFound } from '../engine/hand-back.ts';
import { type Asking, askForRun, withdraw } from '../engine/hold.ts';
import { endLeftOpen, isOpen } from '../engine/open-refusal.ts';
import { refuseElsewhere, workspaceForHands } from '../engine/person-workspace.ts';
import type { RunSandboxes } from '../engine/run-sandboxes.ts';
import { SwitchyardError } from '../lib/error.ts';
import { isAlive, processStart } from '../lib/processes.ts';
import { pause } from '../lib/wait-until.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { CommitText, Workspace } from '../ports/workspace.ts';
import { recordExposed } from '../store/evidence.ts';
import { latestSession, setOpeningProgram } from '../store/openings.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';
import { getRun, resolveRun } from '../store/runs.ts';
import { getTask } from '../store/tasks.ts';
import { giveBackUnused } from './dead-openings.ts';
import { identityOf } from './identity.ts';
import { interactiveShell } from './interactive-shell.ts';
import type { OperationContext } from './operations.ts';

type Request = ParsedRequestOf<'openRun'>;

/** An agent is given seconds to end, and what it has done is saved; a merge is ended first. */
const LONGEST_STOP_MS = 120_000;
const ASK_AGAIN_MS = 250;

/**
 * Makes the run stand still and its workspace ready for a person, and says what to start there. Until it is handed back, the run is
 * parked. What the run's agent has left uncollected becomes a commit of its own first. Refuses with `run/open`, `open/…`.
 */
export async function openRun(context: OperationContext, reference: string, request: Request): Promise<Opened> {
  const found = await resolveRun(context.engine.database, reference);
  return context.hands.run(found.id, async () => {
    const tool = await chooseTool(context, found, request);
    const inherited = await leftBehind(context, found);
    await refuseElsewhere({ ...context, run: found });
    const run = await held(context, found, { ...askingOf(context, request, tool), inherits: inherited?.id });
    try {
      const prepared = await prepare(context, run, { tool, request, inherited });
      // That can take as long as the setup command does.
      if (run.opening !== null && !isAlive(run.opening.client)) throw gone(run);
      return prepared;
    } catch (error) {
      if (run.opening?.used !== true) await giveBackUnused(context, run);
      throw error;
    }
  });
}

interface Preparing {
  readonly tool: HandTool;
  readonly request: Request;
  readonly inherited: Opening | undefined;
}

async function prepare(
  context: OperationContext,
  run: RunRow,
  { tool, request, inherited }: Preparing,
): Promise<Opened> {
  const { opening } = run;
  if (opening === null) throw new Error(`run ${run.id} is held by nobody`);
  const signal = AbortSignal.timeout(LONGEST_SETUP_MS);
  const forHands = await workspaceForHands({ ...context, run, opening, inherited, signal });
  const { workspace, sandboxes, notes } = forHands;
  await context.heldByOpenings.get(opening.id)?.[Symbol.asyncDispose]();
  context.heldByOpenings.set(opening.id, sandboxes);
  const said = await takeIn(context, run, { workspace, inherited });
  const program = await programFor(context, run, { tool, request, workspace, sandboxes });
  return {
    schema: 1,
    run: run.id,
    slug: run.slug,
    opening: opening.id,
    tool,
    folder: workspace.folder,
    ...(program === undefined ? {} : { program }),
    notes: [...notes, ...said, ...(run.settings.sandbox === 'none' || tool === 'editor' ? [OUTSIDE[tool]] : [])],
  };
}

function gone({ slug }: RunRow): SwitchyardError {
  return new SwitchyardError({
    code: 'open/gone',
    message: `Whoever wanted to open ${slug} was gone before its workspace was ready.`,
    hint: `Open it again: \`switchyard open ${slug}\`.`,
  });
}

const LONGEST_SETUP_MS = 35 * 60_000;

const OUTSIDE: Readonly<Record<HandTool, string>> = {
  editor: 'The editor is your own program, outside of the sandbox, over files that an agent has written.',
  agent: 'There are no walls: the sandbox level of this run is none.',
  shell: 'There are no walls: the sandbox level of this run is none.',
  command: 'There are no walls: the sandbox level of this run is none.',
};

/**
 * The program of an opened run has started: from here on it, and the walls round it, are known to whoever wants the workspace next. Not
 * `known` means that the run was taken back meanwhile: the program has to end at once, or not to begin.
 */
export async function openStarted(
  { engine, host }: OperationContext,
  reference: string,
  { opening, pid, report }: ParsedRequestOf<'openStarted'>,
): Promise<{ schema: 1; known: boolean }> {
  const run = await resolveRun(engine.database, reference);
  const walls = await host.walls(run.settings.sandbox, run.settings.container);
  const namespace = run.opening?.tool === 'editor' ? undefined : walls.namespaceOf(pid, report);
  const start = processStart(pid);
  const program = { pid, ...(start === undefined ? {} : { start }), ...(namespace === undefined ? {} : { namespace }) };
  return { schema: 1, known: await setOpeningProgram(engine.database, { run: run.id, opening }, program) };
}

/** The opening of somebody whose command line has died over it, once nothing that it started lives. */
async function leftBehind({ host }: OperationContext, { slug, opening }: RunRow): Promise<Opening | undefined> {
  if (opening === null) return undefined;
  if (isAlive(opening.client)) throw isOpen({ slug, opening });
  await endLeftOpen(host, { slug, opening });
  return opening;
}

function askingOf({ engine, host }: OperationContext, { pid, actor }: Request, tool: HandTool): Asking {
  const start = processStart(pid);
  return {
    id: engine.ids(),
    by: actor,
    tool,
    worker: host.worker,
    client: { pid, ...(start === undefined ? {} : { start }) },
  };
}

/** Asks until the run stands still. Whoever asked and is gone, asks no more. */
async function held(
  { engine }: OperationContext,
  { id, slug }: RunRow,
  { inherits, ...asking }: Asking & { inherits: string | undefined },
): Promise<RunRow> {
  const deadline = engine.clock.now() + LONGEST_STOP_MS;
  try {
    for (let known = inherits; ; known = undefined) {
      const run = await askForRun(engine, id, asking, known);
      if (run.opening?.phase === 'open') return run;
      if (engine.clock.now() > deadline || !isAlive(asking.client)) break;
      await pause(ASK_AGAIN_MS);
    }
  } catch (error) {
    await withdraw(engine, id, asking.id).catch(() => undefined); // once this client is gone, it is forgotten anyway
    throw error;
  }
  await withdraw(engine, id, asking.id);
  const now = await getRun(engine.database, id);
  if (now.opening?.phase === 'open') return now;
  throw new SwitchyardError({
    code: 'open/does-not-stop',
    message: `The step of ${slug} did not stop within ${LONGEST_STOP_MS / 1000} seconds.`,
    hint: `See what it does with \`switchyard why ${slug}\`, then try again; \`switchyard cancel ${slug}\` stops it for good.`,
  });
}

/** What lies in the workspace and in no commit: the agent's, or that of whoever left it open. */
async function takeIn(
  { engine }: OperationContext,
  run: RunRow,
  { workspace, inherited }: { workspace: Workspace; inherited: Opening | undefined },
): Promise<string[]> {
  const task = await getTask(engine.database, run.task);
  const trailers = { 'Switchyard-Run': run.id };
  const { agent, identity } = run.settings;
  const text: CommitText =
    inherited?.used === true
      ? {
          message: `${task.title} (by hand)`,
          identity: await identityOf((await getRepository(engine.database, run.repository)).path, inherited.by),
          trailers,
        }
      : {
          message: `${task.title} (unfinished)`,
          identity,
          trailers: { ...trailers, ...(agent === null ? {} : { 'Switchyard-Agent': agent }) },
        };
  const { head, changed, notes } = await workspace.collect(text);
  const whose = inherited?.used === true ? inherited.by : 'the agent';
  const said = changed ? [`What ${whose} had left uncommitted is commit ${head.slice(0, 12)} now.`, ...notes] : notes;
  await takeFound(engine, run.id, { opening: run.opening?.id ?? '', head, said });
  return [...said];
}

async function chooseTool(context: OperationContext, run: RunRow, { tool, command }: Request): Promise<HandTool> {
  if (tool === 'command' || command.length > 0) return 'command';
  if (tool === 'shell' || tool === 'editor') return tool;
  const session = await latestSession(context.engine.database, run.id);
  await context.host.agents.refresh();
  const kind = session === undefined ? undefined : context.host.agents.entry(session.agent)?.kind;
  const canTalk = kind !== undefined && context.host.agents.adapter(kind)?.interactive !== undefined;
  if (canTalk) return 'agent';
  if (tool === undefined) return 'shell';
  throw new SwitchyardError({
    code: 'open/no-session',
    message:
      session === undefined
        ? `No agent of ${run.slug} has begun a session yet.`
        : `${session.agent} cannot be talked to in a terminal.`,
    hint: `Take a shell instead: \`switchyard open ${run.slug} --shell\`.`,
  });
}

interface Chosen {
  readonly tool: HandTool;
  readonly request: Request;
  readonly workspace: Workspace;
  readonly sandboxes: RunSandboxes;
}

async function programFor(context: OperationContext, run: RunRow, chosen: Chosen): Promise<Opened['program']> {
  if (chosen.tool === 'editor') return undefined;
  const { argv, env: own, sandbox } = await commandOf(context, run, chosen);
  // By this `doctor` knows it from what an agent has left.
  const env = { ...own, SWITCHYARD_OPENING: run.opening?.id ?? '' };
  if (sandbox.terminal === undefined) {
    throw new SwitchyardError({
      code: 'sandbox/no-terminal',
      message: `The sandbox level ${sandbox.level} has no terminal.`,
      hint: `Use an editor: \`switchyard open ${run.slug} --editor\`.`,
    });
  }
  const launch = await sandbox.terminal.launch({ argv, env, cwd: chosen.workspace.folder });
  return { argv: [...launch.argv], env: { ...launch.env }, reports: launch.reports };
}

async function commandOf(
  { engine, host }: OperationContext,
  run: RunRow,
  { tool, request, workspace, sandboxes }: Chosen,
): Promise<{ argv: readonly [string, ...string[]]; env: Record<string, string>; sandbox: Sandbox }> {
  const { programs } = sandboxes;
  const { CI: _, ...plain } = enclosedEnv(host.env, programs, host.workspaces.layoutOf(run.id).home);
  const env = { ...plain, ...request.terminal, SWITCHYARD_RUN: run.id };
  const [program, ...args] = request.command;
  if (tool === 'command' && program !== undefined) return { argv: [program, ...args], env, sandbox: programs };
  if (tool !== 'agent')
    return { argv: interactiveShell(request.terminal['SHELL'] ?? '/bin/sh'), env, sandbox: programs };
  return agentCommand({ engine, host }, run, { request, workspace, sandboxes });
}

/** The agent's own program, which goes on with the run's latest session. */
async function agentCommand(
  { engine, host }: Pick<OperationContext, 'engine' | 'host'>,
  run: RunRow,
  { request, workspace, sandboxes }: Pick<Chosen, 'request' | 'workspace' | 'sandboxes'>,
): ReturnType<typeof commandOf> {
  const session = await latestSession(engine.database, run.id);
  const entry = host.agents.entry(session?.agent ?? '');
  const interactive = host.agents.adapter(entry?.kind ?? '');
  if (session === undefined || entry === undefined || interactive?.interactive === undefined)
    throw new Error(`the session of run ${run.id} is gone`);
  const { login } = entry;
  if (login !== undefined)
    await recordExposed(engine.database, run.id, { agent: session.agent, login }, new Date(engine.clock.now()));
  const sandbox = sandboxes.agent(session.agent);
  const model = await sandboxes.model(session.agent);
  const home = join(workspace.homes, session.agent);
  const command = await interactive.interactive({
    entry: model?.entry ?? entry,
    prompt: '',
    folder: workspace.folder,
    home,
    inside: { folder: sandbox.inside(workspace.folder), home: sandbox.inside(home) },
    hasOwnPrograms: sandbox.hasOwnPrograms ?? false,
    session: { kind: 'resume', id: session.id },
    run: run.id,
    node: session.node,
    step: 1,
    hostEnv: { ...host.env, ...request.terminal, ...model?.env },
  });
  return { argv: command.argv, env: { ...command.env }, sandbox };
}
