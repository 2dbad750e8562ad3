import type { ParsedRequestOf } from '../api/routes.ts';
import type { SecretRemoved, SecretSet, SecretView } from '../api/schemas/secret.ts';
import { type AgentEntry, type AgentKey, keysOf } from '../domain/agent-entry.ts';
import { SwitchyardError } from '../lib/error.ts';
import { listed } from '../lib/listed.ts';
import { SHORTEST_SECRET } from '../lib/redact.ts';
import { listRepositories, upsertRepository } from '../store/repositories.ts';
import type { OperationContext } from './operations.ts';
import { usableRepository } from './repository.ts';

/** Stores a secret for one repository, or for all. Its value goes nowhere else: no answer, journal or log has it. */
export async function setSecret(
  context: OperationContext,
  { name, value, repository }: ParsedRequestOf<'setSecret'>,
): Promise<SecretSet> {
  const { engine, host, secrets } = context;
  const place = repository === undefined ? undefined : (await usableRepository(context, repository)).row;
  const at = new Date(engine.clock.now());
  if (place !== undefined) await upsertRepository(engine.database, place, at);
  const secret = { name, repository: place?.id ?? null, setAt: at.toISOString() };
  const replaced = await secrets.put({ ...secret, value });
  await host.secrets.refresh();
  const notes = [...notesOn(value), ...notesForAgents((await context.machine()).agents, secret)];
  return { schema: 1, name, repository: place === undefined ? null : viewOf(place), replaced, notes };
}

/** Which secrets there are, and for what; nobody is shown a value. */
export async function listSecrets(context: OperationContext): Promise<SecretView[]> {
  const repositories = new Map((await listRepositories(context.engine.database)).map((row) => [row.id, row]));
  const stored = await context.secrets.list();
  return stored.map(({ name, repository, setAt }) => ({
    name,
    repository: repository === null ? null : { id: repository, path: repositories.get(repository)?.path ?? null },
    setAt,
  }));
}

export async function removeSecret(
  context: OperationContext,
  { name, repository }: ParsedRequestOf<'removeSecret'>,
): Promise<SecretRemoved> {
  const place = repository === undefined ? undefined : (await usableRepository(context, repository)).row;
  if (!(await context.secrets.remove({ name, repository: place?.id ?? null }))) {
    throw new SwitchyardError({
      code: 'secret/not-found',
      message: `There is no secret ${name} for ${place === undefined ? 'all repositories' : place.path}.`,
      hint: 'See `switchyard secret ls`; --everywhere names those for all repositories.',
    });
  }
  return { schema: 1, name, repository: place === undefined ? null : viewOf(place) };
}

function viewOf({ id, path }: { id: string; path: string }) {
  return { id, path };
}

/** What a person should know who means it as the key of an agent. */
function notesForAgents(
  agents: Readonly<Record<string, AgentEntry>>,
  { name, repository }: { readonly name: string; readonly repository: string | null },
): string[] {
  const naming = (kind: keyof AgentKey) =>
    Object.entries(agents).flatMap(([agent, entry]) =>
      keysOf(entry).some((key) => key[kind] === name) ? [agent] : [],
    );
  const [fromSecrets, fromEnvironment] = [naming('secret'), naming('env')];
  if (fromSecrets.length > 0) {
    const them = listed(fromSecrets);
    return repository === null
      ? [`It is the key of ${them} from the next step or try on; no program gets it.`]
      : [`It is not the key of ${them}: that is one for all repositories. Set it with --everywhere.`];
  }
  if (fromEnvironment.length === 0) return [];
  return [
    `${listed(fromEnvironment)} will not use it: config.yaml takes the key from the daemon's environment. Write \`key: { secret: ${name} }\` there, and set it with --everywhere.`,
  ];
}

function notesOn(value: string): string[] {
  if (value.length >= SHORTEST_SECRET) return [];
  return [
    `It has fewer than ${SHORTEST_SECRET} characters: it is not taken out of logs and transcripts, since it would be found where it is not meant.`,
  ];
}
