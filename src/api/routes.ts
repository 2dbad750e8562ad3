import { z } from 'zod';
import * as wire from './schemas.ts';

/**
 * Every request that the server answers: the one table that both its handlers and the client are typed by. `{run}` in a path is an
 * id, a unique prefix of one, a slug, or `@last`. The live stream of events is apart, in `stream.ts`.
 */
export const routes = {
  health: route('GET', '/v1/health', z.object({}), wire.Health),
  stop: route(
    'POST',
    '/v1/stop',
    z.object({ restart: z.boolean().default(false) }),
    z.object({ stopping: z.boolean() }),
  ),
  prune: route('POST', '/v1/prune', z.object({ dryRun: z.boolean().default(false) }), wire.Pruned),
  joinWorker: route('GET', '/v1/worker', z.object({}), wire.WorkerJoin),

  startRun: route('POST', '/v1/runs', wire.StartRun, wire.RunStarted),
  listRuns: route(
    'GET',
    '/v1/runs',
    z.object({ repository: z.string().optional(), all: z.string().optional() }),
    z.array(wire.RunSummary),
  ),
  showRun: route('GET', '/v1/runs/{run}', z.object({}), wire.RunDetail),
  diffRun: route('GET', '/v1/runs/{run}/diff', z.object({}), wire.RunDiff),
  whyRun: route('GET', '/v1/runs/{run}/why', z.object({}), wire.Why),
  decideRun: route('POST', '/v1/runs/{run}/decision', wire.Decide, wire.Acted),
  mergeRun: route('POST', '/v1/runs/{run}/merge', wire.Merge, wire.Acted),
  sendToRun: route('POST', '/v1/runs/{run}/messages', wire.Send, wire.Sent),
  forkRun: route('POST', '/v1/runs/{run}/fork', wire.Fork, wire.RunStarted),
  retryRun: route('POST', '/v1/runs/{run}/retry', wire.Retry, wire.Acted),
  cancelRun: route('POST', '/v1/runs/{run}/cancel', wire.ByPerson, wire.Acted),
  discardRun: route('POST', '/v1/runs/{run}/discard', wire.ByPerson, wire.Acted),
  restoreRun: route('POST', '/v1/runs/{run}/restore', wire.ByPerson, wire.Acted),
  checkoutRun: route(
    'POST',
    '/v1/runs/{run}/checkout',
    z.object({
      folder: wire.AbsolutePath,
      branch: z.string().min(1).optional(),
      worktree: wire.AbsolutePath.optional(),
    }),
    wire.CheckedOut,
  ),
  openRun: route('POST', '/v1/runs/{run}/open', wire.Open, wire.Opened),
  openStarted: route(
    'POST',
    '/v1/runs/{run}/open/started',
    wire.OpenStarted,
    z.object({ schema: z.literal(1), known: z.boolean() }),
  ),
  handBackRun: route('POST', '/v1/runs/{run}/open/back', wire.OpenBack, wire.HandedBack),

  listBlueprints: route(
    'GET',
    '/v1/blueprints',
    z.object({ repository: z.string().optional() }),
    z.array(wire.BlueprintRow),
  ),
  showBlueprint: route(
    'GET',
    '/v1/blueprints/{name}',
    z.object({ repository: z.string().optional() }),
    wire.BlueprintView,
  ),
  checkBlueprint: route(
    'POST',
    '/v1/blueprints/check',
    z.object({ file: z.string(), repository: z.string().optional() }),
    wire.BlueprintChecked,
  ),
  listRepositories: route('GET', '/v1/repositories', z.object({}), z.array(wire.RepositoryView)),
  addRepository: route(
    'POST',
    '/v1/repositories/add',
    z.object({ path: wire.AbsolutePath, as: z.string().optional() }),
    wire.RepositoryAdded,
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
    wire.RepositoryRemoval,
  ),
  initRepository: route(
    'POST',
    '/v1/repositories/init',
    z.object({ path: wire.AbsolutePath, force: z.boolean().default(false), dryRun: z.boolean().default(false) }),
    wire.Initialised,
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
