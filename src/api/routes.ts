import { z } from 'zod';
import { AbsolutePath } from './schemas/absolute-path.ts';
import { Acted, ByPerson, CheckedOut, Decide, Fork, Merge, Retry } from './schemas/act.ts';
import { BlueprintChecked, BlueprintRow, BlueprintView } from './schemas/blueprint.ts';
import { AgentsExamined, ExamineAgents } from './schemas/doctor.ts';
import { Send, Sent } from './schemas/message.ts';
import { HandedBack, Open, OpenBack, Opened, OpenStarted } from './schemas/open.ts';
import { Initialised, RepositoryAdded, RepositoryRemoval, RepositoryView } from './schemas/repository.ts';
import { RunDetail, RunDiff, RunSummary, Why } from './schemas/run.ts';
import { RemoveSecret, SecretRemoved, SecretSet, SecretView, SetSecret } from './schemas/secret.ts';
import { Health, Pruned, WorkerJoin } from './schemas/server.ts';
import { RunStarted, StartRun } from './schemas/start-run.ts';
import { UsageQuery, UsageReport } from './schemas/usage.ts';

/**
 * Every request that the server answers: the one table that both its handlers and the client are typed by. `{run}` in a path is an
 * id, a unique prefix of one, a slug, or `@last`. What goes over the wire is in `schemas/`, to which fields are only ever added; the live
 * stream of events is apart, in `stream.ts`.
 */
export const routes = {
  health: route('GET', '/v1/health', z.object({}), Health),
  stop: route(
    'POST',
    '/v1/stop',
    z.object({ restart: z.boolean().default(false) }),
    z.object({ stopping: z.boolean() }),
  ),
  prune: route('POST', '/v1/prune', z.object({ dryRun: z.boolean().default(false) }), Pruned),
  joinWorker: route('GET', '/v1/worker', z.object({}), WorkerJoin),
  examineAgents: route('POST', '/v1/doctor/agents', ExamineAgents, AgentsExamined),

  startRun: route('POST', '/v1/runs', StartRun, RunStarted),
  listRuns: route(
    'GET',
    '/v1/runs',
    z.object({ repository: z.string().optional(), all: z.string().optional() }),
    z.array(RunSummary),
  ),
  showRun: route('GET', '/v1/runs/{run}', z.object({}), RunDetail),
  diffRun: route('GET', '/v1/runs/{run}/diff', z.object({}), RunDiff),
  whyRun: route('GET', '/v1/runs/{run}/why', z.object({}), Why),
  decideRun: route('POST', '/v1/runs/{run}/decision', Decide, Acted),
  mergeRun: route('POST', '/v1/runs/{run}/merge', Merge, Acted),
  sendToRun: route('POST', '/v1/runs/{run}/messages', Send, Sent),
  forkRun: route('POST', '/v1/runs/{run}/fork', Fork, RunStarted),
  retryRun: route('POST', '/v1/runs/{run}/retry', Retry, Acted),
  cancelRun: route('POST', '/v1/runs/{run}/cancel', ByPerson, Acted),
  discardRun: route('POST', '/v1/runs/{run}/discard', ByPerson, Acted),
  restoreRun: route('POST', '/v1/runs/{run}/restore', ByPerson, Acted),
  checkoutRun: route(
    'POST',
    '/v1/runs/{run}/checkout',
    z.object({
      folder: AbsolutePath,
      branch: z.string().min(1).optional(),
      worktree: AbsolutePath.optional(),
    }),
    CheckedOut,
  ),
  openRun: route('POST', '/v1/runs/{run}/open', Open, Opened),
  openStarted: route(
    'POST',
    '/v1/runs/{run}/open/started',
    OpenStarted,
    z.object({ schema: z.literal(1), known: z.boolean() }),
  ),
  handBackRun: route('POST', '/v1/runs/{run}/open/back', OpenBack, HandedBack),

  usage: route('GET', '/v1/usage', UsageQuery, UsageReport),

  listBlueprints: route(
    'GET',
    '/v1/blueprints',
    z.object({ repository: z.string().optional() }),
    z.array(BlueprintRow),
  ),
  showBlueprint: route('GET', '/v1/blueprints/{name}', z.object({ repository: z.string().optional() }), BlueprintView),
  checkBlueprint: route(
    'POST',
    '/v1/blueprints/check',
    z.object({ file: z.string(), repository: z.string().optional() }),
    BlueprintChecked,
  ),
  listRepositories: route('GET', '/v1/repositories', z.object({}), z.array(RepositoryView)),
  addRepository: route(
    'POST',
    '/v1/repositories/add',
    z.object({ path: AbsolutePath, as: z.string().optional() }),
    RepositoryAdded,
  ),
  removeRepository: route(
    'POST',
    '/v1/repositories/remove',
    z.object({
      name: z.string(),
      yes: z.boolean().default(false),
      /** Ids or slugs of runs whose work is given up. */
      discardUnmerged: z.array(z.string()).default([]),
    }),
    RepositoryRemoval,
  ),
  setSecret: route('POST', '/v1/secrets', SetSecret, SecretSet),
  listSecrets: route('GET', '/v1/secrets', z.object({}), z.array(SecretView)),
  removeSecret: route('POST', '/v1/secrets/remove', RemoveSecret, SecretRemoved),
  initRepository: route(
    'POST',
    '/v1/repositories/init',
    z.object({ path: AbsolutePath, force: z.boolean().default(false), dryRun: z.boolean().default(false) }),
    Initialised,
  ),
} as const;

export interface Route<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The body of a POST, the query of a GET. */
  readonly request: Request;
  readonly response: Response;
}

function route<Request extends z.ZodType, Response extends z.ZodType>(
  method: Route['method'],
  path: string,
  request: Request,
  response: Response,
): Route<Request, Response> {
  return { method, path, request, response };
}

export type Routes = typeof routes;
export type RouteName = keyof Routes;
export type RequestOf<Name extends RouteName> = z.input<Routes[Name]['request']>;
export type ParsedRequestOf<Name extends RouteName> = z.output<Routes[Name]['request']>;
export type ResponseOf<Name extends RouteName> = z.output<Routes[Name]['response']>;
