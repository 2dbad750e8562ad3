import type { ParsedRequestOf } from '../api/routes.ts';
import type { RunStarted } from '../api/schemas/start-run.ts';
import { chooseAgent, resolveRunConfig } from '../config/resolve.ts';
import { type Blueprint, checkInputs } from '../domain/blueprint.ts';
import { type Limits, parseLimitFlag } from '../domain/limits.ts';
import { isWeaker, type SandboxLevel } from '../domain/sandbox.ts';
import type { RunSettings } from '../domain/settings.ts';
import { slugOf, TASK_TEXT_LIMIT, type Task, titleOf } from '../domain/task.ts';
import { startRun as store } from '../engine/start-run.ts';
import { counted } from '../lib/counted.ts';
import { SwitchyardError } from '../lib/error.ts';
import { dirtyFiles } from '../lib/git/repository.ts';
import type { Walls } from '../ports/sandbox.ts';
import { loadFromShelf, openShelf } from './blueprints.ts';
import { containerSetting, developmentContainer } from './development-container.ts';
import { identityOf } from './identity.ts';
import { readInForce } from './in-force.ts';
import { includeDirty } from './include-dirty.ts';
import { refuseMissingSecrets } from './named-secrets.ts';
import { networkAt, notInForce } from './not-in-force.ts';
import type { OperationContext } from './operations.ts';
import { type Base, resolveBase, type UsableRepository, usableRepository } from './repository.ts';
import { usableAgent } from './usable-agent.ts';

/** Starts a run: looks everything up, refuses what cannot work before any agent starts, then hands it to the engine. */
export async function startRun(context: OperationContext, request: ParsedRequestOf<'startRun'>): Promise<RunStarted> {
  const said = taskText(request.task);
  const text = context.engine.redact(said);
  const repository = await usableRepository(context, request.repository);
  const base = await resolveBase(repository, request.base);
  const machine = await context.machine();
  const inForce = await readInForce(repository.store, base.commit, repository.found.toplevel);
  const flags = limitFlags(request.limits);

  const shelf = await openShelf(context, inForce.folder.files);
  const name = request.blueprint ?? machine.defaults.blueprint;
  const { blueprint, notes: blueprintNotes } = loadFromShelf(context, shelf, name, {
    agents: Object.keys(machine.agents),
  });
  const config = resolveRunConfig({
    machine,
    repository: inForce.config,
    blueprint,
    flags: { limits: flags, sandbox: request.sandbox },
    detected: inForce.detected,
  });
  loadFromShelf(context, shelf, name, { agents: Object.keys(machine.agents), checks: config.checks });
  refuseWithoutChecks(blueprint, config.checks);
  refuseMissingInputs(blueprint);
  const level = config.sandbox ?? (await context.defaultSandbox());
  const container = await developmentContainer(level, {
    store: repository.store,
    commit: base.commit,
    machine,
    images: context.images,
    user: process.geteuid?.() ?? 0,
  });
  const walls = await context.host.walls(level, container.container);
  refuseWeaker(walls.level, config.leastSandbox);
  const agent = await agentFor(context, { blueprint, chosen: chooseAgent(machine, request.agent), walls });
  const dirty = repository.found.toplevel === undefined ? [] : await dirtyFiles(repository.found.toplevel);
  const identity = await identityOf(repository.row.path, request.requester);

  const settings: RunSettings = {
    agent,
    checks: config.checks,
    setup: (inForce.config.setup === undefined ? container.setup : undefined) ?? config.setup ?? null,
    setupSecrets: config.setupSecrets,
    ...(config.services === undefined ? {} : { services: config.services }),
    ...(config.sparse === undefined ? {} : { sparse: config.sparse }),
    copy: config.copy,
    carry: config.carry,
    limits: config.limits,
    sandbox: walls.level,
    ...containerSetting(container),
    promises: { mechanism: walls.mechanism, guarantees: [...walls.guarantees], warnings: [...walls.warnings] },
    network: networkAt(walls.level, config.network),
    resources: machine.resources,
    identity,
    yes: request.yes,
    checkout: repository.found.toplevel ?? null,
    push: false,
  };
  await refuseMissingSecrets(context, { blueprint, settings, repository: repository.row.id });
  const id = context.engine.ids();
  const { requester, priority, labels } = request;
  const task = newTask(context, { text, base, repository, requester, priority, labels });
  const start =
    request.includeDirty && dirty.length > 0 ? await includeDirty(repository, base, { run: id, identity }) : base;
  const notes = [
    ...notesOnTask(said, text),
    ...inForce.folder.notes,
    ...blueprintNotes,
    ...config.notes,
    ...container.notes,
    ...base.notes,
    ...notInForce({ ...inForce, walls, network: config.network, resources: machine.resources }),
    ...dirtyNotes(
      dirty.filter((path) => request.includeDirty || !inForce.folder.uncommitted.includes(path)),
      request.includeDirty,
    ),
    ...(config.checks.length === 0
      ? [
          'This repository has no check: nothing but your own eyes will judge the work. `switchyard init` proposes some.',
        ]
      : []),
    `Sandbox ${walls.level}: ${walls.summary} More: switchyard doctor.`,
  ];
  const run = await store(context.engine, {
    id,
    slug: slugOf(task.title),
    task,
    repository: repository.row,
    blueprint,
    settings: start.commit === base.commit ? settings : { ...settings, included: start.commit },
    base: { ref: start.ref, commit: start.commit },
    target: start.target,
    actor: { kind: 'person', name: request.requester },
    notes,
  });
  return { schema: 1, run: run.id, task: run.task, slug: run.slug, notes };
}

function notesOnTask(said: string, kept: string): string[] {
  if (kept === said) return [];
  return [
    'The task held the value of a secret, in whose place its name stands now: agents are told no secrets. Change the secret if the text was seen by others.',
  ];
}

function refuseWeaker(level: SandboxLevel, least: SandboxLevel | undefined): void {
  if (least === undefined || !isWeaker(level, least)) return;
  throw new SwitchyardError({
    code: 'sandbox/too-weak',
    message: `This repository demands the sandbox level ${least} or a stronger one; this run would have ${level}.`,
    hint: `See with \`switchyard doctor\` what keeps this machine from it, or ask for it: --sandbox ${least}.`,
  });
}

function taskText(text: string): string {
  if (text.trim() === '') {
    throw new SwitchyardError({
      code: 'task/empty',
      message: 'The task is empty.',
      hint: 'Say what is to be done: `switchyard run "Fix the flaky test"`.',
    });
  }
  if (Buffer.byteLength(text) > TASK_TEXT_LIMIT) {
    throw new SwitchyardError({
      code: 'task/too-large',
      message: `The task has ${Math.ceil(Buffer.byteLength(text) / 1024)} KiB; at most ${TASK_TEXT_LIMIT / 1024} are taken.`,
      hint: 'Put the long part into a file of the repository and name it in the task.',
    });
  }
  return text;
}

function newTask(
  context: OperationContext,
  {
    text,
    base,
    repository,
    requester,
    priority,
    labels,
  }: {
    text: string;
    base: Base;
    repository: UsableRepository;
    requester: string;
    priority: number;
    labels: string[];
  },
): Task {
  return {
    id: context.engine.ids(),
    title: titleOf(text),
    body: text.trim(),
    links: [...new Set(text.match(/https?:\/\/[^\s<>"')\]]+/g) ?? [])],
    attachments: [],
    repositories: [{ repository: repository.row.id, baseRef: base.ref }],
    labels,
    priority,
    requester,
    dependencies: [],
    origin: null,
  };
}

function limitFlags(written: Readonly<Record<string, string>>): Limits {
  const limits: Limits = {};
  for (const [name, value] of Object.entries(written)) {
    const parsed = parseLimitFlag(`${name}=${value}`);
    if (!parsed.ok)
      throw new SwitchyardError({
        code: 'limit/invalid',
        message: parsed.message,
        hint: 'Write for instance --limit silence=30s or --limit turns=20.',
      });
    Object.assign(limits, parsed.limits);
  }
  return limits;
}

function refuseWithoutChecks(blueprint: Blueprint, checks: readonly { name: string; kind: string }[]): void {
  const missing = blueprint.requires.filter((wanted) =>
    wanted === 'check' ? checks.length === 0 : !checks.some((check) => check.name === wanted || check.kind === wanted),
  );
  if (missing.length === 0) return;
  throw new SwitchyardError({
    code: 'blueprint/requires-check',
    message: `The blueprint ${blueprint.name} requires ${missing.join(', ')}, and the repository declares none.`,
    hint: 'Declare checks in .switchyard/config.yaml (`switchyard init` proposes some), or use another blueprint.',
  });
}

function refuseMissingInputs(blueprint: Blueprint): void {
  const { missing } = checkInputs(blueprint, {});
  if (missing.length === 0) return;
  throw new SwitchyardError({
    code: 'blueprint/inputs',
    message: `The blueprint ${blueprint.name} wants ${missing.join(', ')}.`,
    hint: 'Use it from another blueprint, which hands them on.',
  });
}

/** The agent that stands for `default`; null when the blueprint has no agent node. */
async function agentFor(
  context: OperationContext,
  { blueprint, chosen, walls }: { blueprint: Blueprint; chosen: ReturnType<typeof chooseAgent>; walls: Walls },
): Promise<string | null> {
  const kinds = [blueprint, ...Object.values(blueprint.blueprints)].flatMap((one) => Object.values(one.nodes));
  const agentic = kinds.some((node) => {
    const kind = context.engine.kinds.get(node.kind);
    return kind?.mode === 'execute' && kind.agentic;
  });
  if (agentic) return usableAgent(context, chosen, walls);
  return chosen.ok ? chosen.name : null;
}

function dirtyNotes(dirty: readonly string[], included: boolean): string[] {
  if (dirty.length === 0) return [];
  const some = `${dirty
    .slice(0, 8)
    .map((path) => JSON.stringify(path))
    .join(', ')}${dirty.length > 8 ? ` and ${dirty.length - 8} more` : ''}`;
  return [
    included
      ? `Uncommitted changes in ${counted(dirty.length, 'file')} of your checkout are included: ${some}. They are a commit of their own at the beginning of the run.`
      : `Uncommitted changes in ${counted(dirty.length, 'file')} of your checkout are left out (--include-dirty takes them in): ${some}.`,
  ];
}
