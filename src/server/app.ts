import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { failureClass, STATUS } from '../api/failure.ts';
import { type ParsedRequestOf, type ResponseOf, type RouteName, routes } from '../api/routes.ts';
import { EVENTS_PATH } from '../api/stream.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import type { Redact } from '../lib/redact.ts';
import type { EventFeed } from '../operations/event-feed.ts';

/** What answers each route: a function of the parsed request and the path's parameters. */
export type Handlers = {
  readonly [Name in RouteName]: (
    request: ParsedRequestOf<Name>,
    path: { run: string; name: string },
  ) => Promise<ResponseOf<Name>>;
};

export interface AppOptions {
  readonly handlers: Handlers;
  readonly feed: EventFeed;
  /** Told of what is our fault. */
  readonly onBug: (error: unknown) => void;
  /** Takes secrets out of what is said of failures. */
  readonly redact: Redact;
}

/** The HTTP API over any transport: the table of `api/routes.ts`, and the live stream. */
export function createApp({ handlers, feed, onBug, redact }: AppOptions): Hono {
  const app = new Hono();
  for (const name of Object.keys(routes) as RouteName[]) {
    const { method, path } = routes[name];
    app.on(method, honoPath(path), async (context) => context.json(await answer(handlers, name, context)));
  }
  app.get(honoPath(EVENTS_PATH), async (context) => {
    const { from = '1', follow, step } = context.req.query();
    const run = await feed.resolve(context.req.param('run') ?? '');
    context.header('content-type', 'application/x-ndjson');
    return stream(context, async (out) => {
      const left = new AbortController();
      out.onAbort(() => left.abort());
      for await (const line of feed.lines({
        run,
        from: Number(from) || 1,
        follow: follow === '1',
        step,
        signal: left.signal,
      }))
        await out.write(line);
    });
  });
  const failure = (context: Context, error: unknown) => failed(context, redact, error);
  app.notFound((context) =>
    failure(
      context,
      new SwitchyardError({
        code: 'request/no-route',
        message: `There is no ${context.req.path}.`,
        hint: 'Client and server may be of different versions.',
      }),
    ),
  );
  app.onError((error, context) => {
    if (!(error instanceof SwitchyardError)) onBug(error);
    return failure(context, error);
  });
  return app;
}

async function answer<Name extends RouteName>(
  handlers: Handlers,
  name: Name,
  context: Context,
): Promise<ResponseOf<Name>> {
  const { method, request } = routes[name];
  const given: unknown = method === 'GET' ? context.req.query() : await context.req.json().catch(() => undefined);
  const parsed = request.safeParse(given);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    throw new SwitchyardError({
      code: 'request/invalid',
      message: `${first?.path.join('.') ?? 'request'}: ${first?.message ?? 'not understood'}`,
      hint: 'Client and server may be of different versions.',
    });
  }
  const path = { run: context.req.param('run') ?? '', name: context.req.param('name') ?? '' };
  return handlers[name](parsed.data as ParsedRequestOf<Name>, path);
}

function failed(context: Context, redact: Redact, error: unknown): Response {
  const body =
    error instanceof SwitchyardError
      ? { code: error.code, message: redact(error.message), hint: redact(error.hint) }
      : {
          code: 'internal/bug',
          message: redact(messageOf(error)),
          hint: 'This is a fault of Switchyard; daemon.log has the details.',
        };
  return context.json(body, STATUS[failureClass(body.code)] satisfies ContentfulStatusCode);
}

const honoPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');
