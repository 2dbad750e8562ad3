import { z } from 'zod';
import * as wire from './schemas.ts';

/**
 * Every request that the server answers: the one table that both its handlers and the client are typed by. `{run}` in a path is an
 * id, a unique prefix of one, a slug, or `@last`. The live stream of events is apart, in `stream.ts`.
 */
export const routes = {
  health: route('GET', '/v1/health', z.object({}), wire.Health),
  stop: route('POST', '/v1/stop', z.object({}), z.object({ stopping: z.boolean() })),
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
  cancelRun: route('POST', '/v1/runs/{run}/cancel', wire.ByPerson, wire.Acted),
  discardRun: route('POST', '/v1/runs/{run}/discard', wire.ByPerson, wire.Acted),
  restoreRun: route('POST', '/v1/runs/{run}/restore', wire.ByPerson, wire.Acted),

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
  initRepository: route(
    'POST',
    '/v1/repositories/init',
    z.object({ path: z.string(), force: z.boolean().default(false), dryRun: z.boolean().default(false) }),
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
