import { z } from 'zod';
import { InnerFolder } from '../domain/inner-folder.ts';
import type { Service } from '../domain/service.ts';
import { Duration } from '../domain/units.ts';
import { CommandLine } from './names.ts';

const ServiceName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,23}$/,
    'a service is named with at most 24 small letters, digits and hyphens, a letter first',
  )
  .refine((name) => !(name in Object.prototype), 'this name is taken by the language itself');

const WrittenService = z.strictObject({
  run: CommandLine.describe('The command; it stays in the foreground for as long as the service is wanted'),
  port: z
    .int()
    .min(1)
    .max(64_000, 'a port above 64000 is not for services')
    .describe('Where it listens on 127.0.0.1, and where programs of the run find it'),
  ready: CommandLine.describe(
    'Ends with 0 once it can be used; without it, that its port answers is enough',
  ).optional(),
  timeout: Duration.describe('How long it may take until it can be used').prefault('60s'),
  stop: Duration.describe('How long it may take to end after SIGINT, and again after SIGTERM').prefault('5s'),
  path: InnerFolder.describe('The folder that it is started in').optional(),
  after: z.literal('setup').describe('Started only when setup has run; without it, setup finds it there').optional(),
});

/** `services:` of a repository's configuration, in its order. */
export const WrittenServices = z
  .record(ServiceName, WrittenService)
  .superRefine((services, context) => {
    const owners = new Map<number, string>();
    for (const [name, { port }] of Object.entries(services)) {
      const owner = owners.get(port);
      if (owner !== undefined)
        context.addIssue({ code: 'custom', path: [name, 'port'], message: `${owner} has this port already` });
      owners.set(port, name);
    }
  })
  .describe(
    'Processes that setup, checks and agents find on their loopback, such as a database: started with each workspace',
  );

export function declaredServices(services: z.output<typeof WrittenServices>): Service[] {
  return Object.entries(services).map(([name, { timeout, stop, ready, path, after, ...service }]) => ({
    ...service,
    name,
    timeoutMs: timeout,
    stopMs: stop,
    ...(ready === undefined ? {} : { ready }),
    ...(path === undefined ? {} : { path }),
    ...(after === undefined ? {} : { after }),
  }));
}
