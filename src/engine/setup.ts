import type { RunSettings } from '../domain/settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { Enclose } from '../workspaces/dependencies.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { Layout } from '../workspaces/layout.ts';
import type { Setup } from '../workspaces/setup.ts';
import { enclosedEnv } from './context.ts';
import type { Host } from './host.ts';
import { runSandboxes } from './run-sandboxes.ts';

const TIMEOUT_MS = 30 * 60_000;

interface SetupParts {
  readonly host: Pick<Host, 'env' | 'secrets'>;
  /** The id of the repository. */
  readonly repository: string;
  readonly settings: Pick<RunSettings, 'promises' | 'setupSecrets'> & { readonly setup: string };
  readonly layout: Layout;
  readonly sandbox: Sandbox;
  readonly onOutput: (text: string) => void;
}

/** A run's setup, in the walls that its programs have. */
export function setupOf({ host, repository, settings, layout, sandbox, onOutput }: SetupParts): Setup {
  const { promises, setupSecrets = [] } = settings;
  // What it makes may depend on which it gets.
  const identity = [promises?.mechanism ?? '', ...setupSecrets].filter((part) => part !== '').join(' ');
  return {
    command: settings.setup,
    env: setupEnv(host.env, sandbox, layout.home),
    ...(setupSecrets.length === 0 ? {} : { secrets: () => host.secrets.valuesOf(repository, setupSecrets) }),
    redact: host.secrets.redact,
    timeoutMs: TIMEOUT_MS,
    onOutput,
    sandbox,
    ...(identity === '' ? {} : { identity }),
  };
}

interface SharedParts {
  readonly host: Host;
  readonly repository: string;
  readonly settings: Pick<
    RunSettings,
    'setup' | 'setupSecrets' | 'sandbox' | 'container' | 'network' | 'resources' | 'services' | 'promises'
  >;
  readonly store: GitStore;
  readonly clock: Clock;
  readonly onOutput: (text: string) => void;
}

/**
 * The same setup in walls of its own round a throw-away workspace, for all runs of the repository. Not where it may need services, which
 * are a run's own.
 */
export function sharedSetup({ host, repository, settings, store, clock, onOutput }: SharedParts): {
  enclose?: Enclose;
} {
  const { setup, services = [] } = settings;
  if (setup === null || services.length > 0) return {};
  return {
    enclose: async (layout) => {
      const stopping = new AbortController();
      const sandboxes = await runSandboxes({
        host,
        run: { id: 'setup', settings },
        layout,
        store,
        onRefused: onOutput,
        meter: () => Promise.reject(new Error('setup has no agent')),
        remember: async () => undefined, // it is a throw-away workspace: nobody goes on in it
        clock,
        signal: stopping.signal,
      });
      return {
        sandbox: sandboxes.git,
        setup: setupOf({
          host,
          repository,
          settings: { ...settings, setup },
          layout,
          sandbox: sandboxes.setup,
          onOutput,
        }),
        async [Symbol.asyncDispose]() {
          stopping.abort();
          await sandboxes[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** Setup may need what a package client needs: without walls round HOME it gets the harness's environment less Switchyard's own. */
function setupEnv(env: Host['env'], sandbox: Sandbox, home: string): Record<string, string> {
  if (sandbox.inside(home) !== home) return enclosedEnv(env, sandbox, home);
  const own = /^(SWITCHYARD_|DATABASE_URL$)/;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || own.test(name) ? [] : [[name, value]])),
  );
}
