import { resolve } from 'node:path';
import type { RepositoryRemoval, RepositoryView } from '../../api/schemas/repository.ts';
import { counted } from '../../lib/counted.ts';
import { listed } from '../../lib/listed.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { bytesText } from '../render/bytes.ts';
import { paint, type Style } from '../render/style.ts';

interface Common {
  readonly json?: boolean;
  readonly server?: string;
}

export async function repoLs(context: CommandContext, options: Common): Promise<number> {
  const { client } = await connect(context, options);
  return print(context, options, await client.call('listRepositories', {}), (rows, style) =>
    rows.length === 0
      ? ['No repository is known here yet; the first run in one makes it known.']
      : rows.flatMap((row) => repositoryLines(row, style)),
  );
}

export async function repoAdd(
  context: CommandContext,
  options: Common & { readonly path: string; readonly as?: string },
): Promise<number> {
  const { client } = await connect(context, options);
  const { as } = options;
  const request = { path: resolve(context.cwd, options.path), ...(as === undefined ? {} : { as }) };
  return print(context, options, await client.call('addRepository', request), ({ repository, from }, style) => [
    ...(from === null ? [] : [`It was at ${printableLine(from)} before; its runs are its own again.`]),
    ...repositoryLines(repository, style),
  ]);
}

/** Says what would go; with `--yes` it goes. */
export async function repoRm(
  context: CommandContext,
  options: Common & { readonly name: string; readonly yes?: boolean; readonly discardUnmerged?: readonly string[] },
): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('removeRepository', {
    name: options.name,
    yes: options.yes ?? false,
    discardUnmerged: [...(options.discardUnmerged ?? [])],
  });
  return print(context, options, answer, removalLines);
}

function repositoryLines({ id, path, missing, runs, bytes }: RepositoryView, style: Style): string[] {
  const states = Object.entries(runs).map(([state, count]) => `${count} ${state}`);
  const disk = `git store ${bytesText(bytes.store)}, workspaces ${bytesText(bytes.workspaces)}`;
  return [
    `${paint(style, 'bold', printableLine(id))}  ${printableLine(path)}`,
    ...(missing
      ? [`    ${paint(style, 'yellow', 'It is not there any more.')} Where it is now: \`switchyard repo add PATH\`.`]
      : []),
    `    runs: ${states.length === 0 ? 'none' : states.join(', ')}; ${disk}`,
  ];
}

function removalLines({ repository, path, runs, secrets, removed }: RepositoryRemoval): string[] {
  const name = printableLine(repository);
  const lost = runs.filter((run) => run.lost !== null);
  const rows = runs.map(
    (run) => `  ${printableLine(run.slug)} (${run.state})${run.lost === null ? '' : `: ${printable(run.lost)}`}`,
  );
  if (removed) return [`${name} is not known here any more; ${printableLine(path)} itself was not touched.`, ...rows];
  const itsSecrets =
    secrets.length === 0 ? '' : `, the ${secrets.length === 1 ? 'secret' : 'secrets'} ${listed(secrets)}`;
  const names = lost.map((run) => ` --discard-unmerged ${printableLine(run.slug)}`).join('');
  return [
    `With ${name} would go: ${counted(runs.length, 'run')} with journals and commits, the git store, the workspaces${itsSecrets}.`,
    ...rows,
    ...(lost.length === 0 ? [] : [`The work of ${counted(lost.length, 'run')} is nowhere else.`]),
    `Nothing was done. To do it: switchyard repo rm ${name} --yes${names}`,
  ];
}
