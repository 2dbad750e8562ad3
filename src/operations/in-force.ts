import { formatProblem, type Problem } from '../blueprint/problem.ts';
import { detectChecks } from '../checks/detect/detect.ts';
import { loadRepositoryConfig, type RepositoryConfig } from '../config/repository.ts';
import type { Detected } from '../config/resolve.ts';
import { readSwitchyardFolder, type SwitchyardFolder } from '../config/switchyard-folder.ts';
import { writtenSetup } from '../config/written-setup.ts';
import { SwitchyardError } from '../lib/error.ts';
import { git, runGit, splitNul } from '../lib/git/git.ts';
import type { GitStore } from '../workspaces/git-store.ts';

/** What a repository says at a commit: its `.switchyard/`, and what its other files let guess. */
export interface InForce {
  readonly folder: SwitchyardFolder;
  readonly config: RepositoryConfig;
  readonly detected: Detected;
  /** Committed files of `.switchyard/` that later versions will read. */
  readonly unread: readonly string[];
}

const NOT_READ_YET = /^\.switchyard\/(policy\.yaml|structure\.yaml|tools\.yaml|hooks\/|keys\/)/;

/** Reads it from the git store; files that only the checkout has count for the person's own runs. */
export async function readInForce(store: GitStore, commit: string, checkout: string | undefined): Promise<InForce> {
  const atCommit = async (path: string) => {
    const shown = await runGit(['cat-file', 'blob', `${commit}:${path}`], { gitDir: store.path });
    return shown.code === 0 ? shown.stdout.toString('utf8') : undefined;
  };
  const args = ['ls-tree', '-r', '-z', '--name-only', commit, '--', '.switchyard/'];
  const committed = splitNul(await git(args, { gitDir: store.path }));
  const listAtCommit = () => Promise.resolve(committed);
  const folder = await readSwitchyardFolder({
    atCommit,
    listAtCommit,
    ...(checkout === undefined ? {} : { checkout }),
  });
  const loaded = loadRepositoryConfig(folder.files.get('config.yaml'), '.switchyard/config.yaml');
  if (!loaded.ok) throw invalid(loaded.problems);
  return {
    folder,
    config: loaded.value,
    detected: await detect(store, commit, { atCommit, config: loaded.value }),
    unread: committed.filter((path) => NOT_READ_YET.test(path)),
  };
}

/** What the files let guess; nothing is read where the configuration leaves nothing open. */
async function detect(
  store: GitStore,
  commit: string,
  { atCommit, config }: { atCommit: (path: string) => Promise<string | undefined>; config: RepositoryConfig },
): Promise<Detected> {
  const { run } = writtenSetup(config.setup);
  if (config.checks !== undefined && run !== undefined && run !== 'auto') return { checks: [] };
  const paths = splitNul(
    await git(['ls-tree', '-z', '--name-only', commit, '--', '.', 'tests/'], { gitDir: store.path }),
  );
  return detectChecks(atCommit, paths);
}

export function invalid(problems: readonly Problem[], code = 'config/invalid'): SwitchyardError {
  const [first] = problems;
  return new SwitchyardError({
    code,
    message: problems.map(formatProblem).join('\n'),
    hint: first === undefined ? 'Look at the file.' : `Mend ${first.file}, then try again.`,
  });
}
